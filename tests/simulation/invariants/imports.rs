//! I8, R3: a file books nothing by itself, is kept once, and each drift is settled once.

use std::collections::BTreeMap;

use guichet::{
    app::imports::{Entering, Imported},
    domain::{
        ids::OrderId,
        ledger::EntryKind,
        order::Order,
        statement::{Booked, DriftKind, Drifting, EntryName, FileKind, Import, ImportId, Rows, Standing},
    },
};

use super::drifts;
use crate::{
    imports::May,
    statements::{File, Told},
    world::Inner,
};

/// Whoever only brings a file, or looks at it, changes no order.
pub(super) fn i8_reading_changes_no_order(inner: &mut Inner, id: OrderId) {
    if inner.imports.may == May::Read {
        inner.violate("I8", format!("{id} is changed by a file that was brought or looked at"));
    }
}

/// And nothing about files goes to the bank; it is asked by those who always ask it.
pub(crate) fn i8_files_ask_nothing(inner: &mut Inner) {
    if inner.imports.may != May::Anything {
        inner.violate("I8", "a file leads straight to the bank".to_owned());
    }
}

/// The imports of a merchant that are stored.
pub(super) fn stored(inner: &Inner, merchant: &str) -> Vec<Import> {
    let of = inner.store.rows.iter().filter(|(key, _)| key.merchant == merchant && key.kind == "import");
    of.map(|(_, row)| serde_json::from_str(&row.stored.state).unwrap()).collect()
}

/// What people did about the drifts of a merchant's files, by import.
pub(super) fn entries(inner: &Inner, merchant: &str) -> BTreeMap<String, Vec<Booked>> {
    let of = inner.store.rows.iter().filter(|(key, _)| key.merchant == merchant && key.kind == "import_entries");
    of.map(|(key, row)| {
        let mut state: serde_json::Value = serde_json::from_str(&row.stored.state).unwrap();
        (key.id.clone(), serde_json::from_value(state["booked"].take()).unwrap())
    })
    .collect()
}

/// R3: the same file is the same import, whoever brings it and how often.
pub(crate) fn kept(inner: &mut Inner, index: usize, imported: &Imported, is_new: bool) {
    let (id, file) = (imported.import.id, inner.imports.files[index].clone());
    inner.count(if is_new { "import: a file is new" } else { "import: the same file again" });
    let of = inner.store.rows.iter().filter(|(key, _)| key.merchant == file.merchant && key.kind == "import");
    let same = of.filter(|(_, row)| row.stored.state.contains(&imported.import.digest));
    let same: Vec<ImportId> = same.map(|(key, _)| key.id.parse().unwrap()).collect();
    if same != [id] || imported.merchant.as_str() != file.merchant {
        inner.violate("R3", format!("{id} of {} is kept as {same:?}", imported.merchant));
    }
    // Where a backup was restored, what was known is not.
    let is_there = |(known, _): &&(ImportId, bool)| same.contains(known);
    let known = inner.imports.kept.get(&imported.import.digest).filter(is_there).copied();
    if known.is_some_and(|(known, was_new)| known != id || (is_new && was_new)) {
        inner.violate("R3", format!("a file that was {known:?} is {id}, and new: {is_new}"));
    }
    let was_new = is_new || known.is_some_and(|(_, was_new)| was_new);
    inner.imports.kept.insert(imported.import.digest.clone(), (id, was_new));
    let is_same = match (&imported.import.rows, &file.told) {
        (Rows::Operations(rows), Told::Operations(shown)) => rows
            .iter()
            .map(|row| (row.movement, row.date, row.operation, row.amount, row.remittance))
            .eq(shown.iter().map(|line| {
                let moved = &line.moved;
                (line.movement, line.on, moved.operation, moved.amount, moved.remittance)
            })),
        (Rows::Remittances(rows), Told::Remittances(told)) => rows
            .iter()
            .map(|row| (row.remittance, row.value_date, row.gross.amount, row.fees.minor_units()))
            .eq(told.iter().map(|(number, told)| (*number, told.on, told.gross, told.fees))),
        (Rows::Operations(_) | Rows::Remittances(_), _) => false,
    };
    if !is_same {
        inner.violate("R3", format!("{} is kept as {:?}", file.text, imported.import.rows));
    }
    inner.imports.files[index].is_kept = true;
}

/// R3: the drifts that are told are those that there are, and each stands as people left it.
pub(crate) fn judged(inner: &mut Inner, file: &File, imported: &Imported, told: &[Drifting]) {
    inner.count(match file.kind() {
        FileKind::Operations => "import: operations beside the bank's ledger",
        FileKind::Remittances => "import: remittances beside the bank's ledger",
    });
    let id = imported.import.id;
    let there_are = drifts::there_are(inner, file, id);
    let done = entries(inner, &file.merchant).remove(&id.to_string()).unwrap_or_default();
    for drifting in told {
        let of_it = |booked: &&Booked| booked.drift.id == drifting.drift.id;
        let is_settled = done.iter().filter(of_it).any(|booked| booked.entry != EntryName::Question);
        let is_told = told.iter().filter(|other| other.drift.id == drifting.drift.id).count();
        let is_there = there_are.contains(&drifting.drift.id);
        if (drifting.standing() == Standing::Journalled) != is_settled || is_told != 1 || !(is_there || is_settled) {
            let drift = &drifting.drift;
            inner.violate("R3", format!("{id} drifts by {drift:?}, entries {done:?}; there are {there_are:?}"));
        }
        inner.count(counted(drifting.drift.kind));
    }
    // A restored copy may know a refund by another's name.
    let is_whole = inner.lost.orders.is_empty();
    for drift in there_are {
        if is_whole && told.iter().all(|drifting| drifting.drift.id != drift) {
            inner.violate("R3", format!("{id} does not tell of {drift}"));
        }
    }
    if file.is_whole {
        for drifting in told.iter().filter(|drifting| drifting.standing() != Standing::Journalled) {
            if !drifts::is_explained(inner, &file.merchant, &drifting.drift) {
                inner.violate("R3", format!("at the end {id} drifts by {:?}", drifting.drift));
            }
        }
    }
}

fn counted(kind: DriftKind) -> &'static str {
    match kind {
        DriftKind::UnknownOperation => "drift: an operation is unknown",
        DriftKind::UnknownRefund => "drift: a refund is unknown",
        DriftKind::UnknownChargeback => "drift: a chargeback is unknown",
        DriftKind::NotInFile => "drift: it is not in the file",
        DriftKind::StatusDiffers => "drift: another status",
        DriftKind::NotSettledHere => "drift: not settled here",
        DriftKind::GrossDiffers => "drift: another sum",
        DriftKind::UnknownRemittance => "drift: a remittance is unknown",
        DriftKind::NotInStatement => "drift: it is not in the statement",
        DriftKind::FeesNotBooked => "drift: fees are not booked",
        DriftKind::AmountDiffers
        | DriftKind::CurrencyDiffers
        | DriftKind::RemittanceDiffers
        | DriftKind::FeesDiffer => "drift: one that no bank makes",
    }
}

/// R3: an entry that was answered is made, and made once, with what it stands for.
pub(crate) fn entered(inner: &mut Inner, entering: &Entering) {
    inner.count(match entering.entry {
        EntryName::Settlement => "entry: a settlement",
        EntryName::Chargeback => "entry: a chargeback",
        EntryName::Question => "entry: a question",
        EntryName::Fees => "entry: fees",
        EntryName::Note => "entry: a note",
    });
    let import = entering.import.to_string();
    let merchant = inner.store.rows.keys().find(|key| key.kind == "import" && key.id == import);
    let merchant = merchant.map(|key| key.merchant.clone()).unwrap_or_default();
    let made = entries(inner, &merchant).remove(&import).unwrap_or_default();
    let is_it = |booked: &&Booked| booked.drift.id == entering.drift && booked.entry == entering.entry;
    if made.iter().filter(is_it).count() != 1 {
        inner.violate("R3", format!("{:?} for {} was answered: {made:?}", entering.entry, entering.drift));
    }
    let number: u64 = entering.drift.rsplit('.').next().unwrap().parse().unwrap();
    let stands = |kind: &EntryKind| match (entering.entry, kind) {
        (EntryName::Settlement, EntryKind::Settlement { original, .. })
        | (EntryName::Chargeback, EntryKind::Chargeback { original, .. }) => original.get() == number,
        (EntryName::Settlement | EntryName::Chargeback, _) => false,
        (EntryName::Question | EntryName::Fees | EntryName::Note, _) => true,
    };
    let needs_one = matches!(entering.entry, EntryName::Settlement | EntryName::Chargeback);
    let its = |order: &&Order| order.merchant.as_str() == merchant;
    let has_one = inner.store.orders().filter(its).any(|order| order.ledger.iter().any(|entry| stands(&entry.kind)));
    if needs_one && !has_one {
        inner.violate("R3", format!("{:?} for {} booked nothing", entering.entry, entering.drift));
    }
    once(inner, &merchant);
}

/// R3: no drift is settled twice, no remittance's fees are booked twice, nothing is settled or taken back twice.
fn once(inner: &mut Inner, merchant: &str) {
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for (import, booked) in entries(inner, merchant) {
        for booked in booked {
            let drift = &booked.drift;
            if booked.entry == EntryName::Fees {
                *times.entry(format!("the fees of {:?}", drift.remittance)).or_default() += 1;
            }
            let what = if booked.entry == EntryName::Question { "a question about" } else { "an entry for" };
            *times.entry(format!("{what} {} of {import}", drift.id)).or_default() += 1;
        }
    }
    for order in inner.store.orders().filter(|order| order.merchant.as_str() == merchant) {
        for entry in &order.ledger {
            if let EntryKind::Settlement { original, .. } | EntryKind::Chargeback { original, .. } = &entry.kind {
                let what = std::mem::discriminant(&entry.kind);
                *times.entry(format!("{what:?} of {original} of {}", order.id)).or_default() += 1;
            }
        }
    }
    for (what, times) in times.into_iter().filter(|(_, times)| *times > 1) {
        inner.violate("R3", format!("{what} is there {times} times"));
    }
}

/// The same at the end, for all.
pub(crate) fn all_once(inner: &mut Inner) {
    for merchant in crate::school::names(&inner.nature) {
        once(inner, merchant);
    }
}
