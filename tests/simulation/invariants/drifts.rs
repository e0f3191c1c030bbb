//! What differs between the bank's ledger, as a file has it, and ours, found without what the gateway finds it with.

use std::collections::{BTreeMap, BTreeSet};

use guichet::domain::{
    bank::OperationStatus,
    ledger::{Entry, EntryKind},
    numbers::OperationNumber,
    order::Order,
    statement::{Drift, DriftKind, EntryName, ImportId, Movement, Rows},
};
use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{
    given_back,
    imports::{entries, stored},
};
use crate::{
    bank::{Made, Moved},
    finale,
    statements::{File, Remitted, Shown, Told},
    world::Inner,
};

/// The drifts of a file, by their names.
pub(super) fn there_are(inner: &Inner, file: &File, id: ImportId) -> BTreeSet<String> {
    let orders: Vec<&Order> = inner.store.orders().filter(|order| order.merchant.as_str() == file.merchant).collect();
    let books = Books { inner, file, id, orders };
    match &file.told {
        Told::Operations(shown) => books.operations(shown),
        Told::Remittances(told) => books.remittances(told),
    }
}

fn is_money_in(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::Surplus { .. })
}

fn settled_in(order: &Order, number: OperationNumber) -> Option<u64> {
    order.ledger.iter().find_map(|entry| match entry.kind {
        EntryKind::Settlement { original, remittance } if original == number => Some(remittance),
        _ => None,
    })
}

struct Books<'a> {
    inner: &'a Inner,
    file: &'a File,
    id: ImportId,
    orders: Vec<&'a Order>,
}

impl Books<'_> {
    fn entries(&self) -> impl Iterator<Item = (&Order, &Entry)> {
        self.orders.iter().flat_map(|order| order.ledger.iter().map(move |entry| (*order, entry)))
    }

    fn payment(&self, number: OperationNumber) -> Option<(&Order, &Entry)> {
        self.entries().find(|(_, entry)| is_money_in(entry) && entry.operation.number == number)
    }

    fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.inner.zone.clone()).date()
    }

    /// Whether the bank has let go of all of it before it collected it.
    fn is_cancelled(&self, number: OperationNumber) -> bool {
        self.inner.bank.find(number).is_some_and(|moved| moved.status == OperationStatus::Cancelled)
    }

    fn operations(&self, shown: &[Shown]) -> BTreeSet<String> {
        let mut drifts = BTreeSet::new();
        let unknown_refunds = self.unknown_refunds();
        for Shown { movement, moved, .. } in shown {
            let number = moved.operation.number;
            let drift = match movement {
                Movement::Payment => self.of_payment(moved),
                Movement::Refund => unknown_refunds.contains(&number).then_some("unknown_refund"),
                Movement::Chargeback => {
                    let is_it = |kind: &EntryKind| matches!(kind, EntryKind::Chargeback { original, .. } if *original == number);
                    let is_known = self.entries().any(|(_, entry)| is_it(&entry.kind));
                    (!is_known).then_some("unknown_chargeback")
                }
            };
            drifts.extend(drift.map(|kind| format!("{kind}.{number}")));
        }
        drifts.extend(self.missing(shown).into_iter().map(|number| format!("not_in_file.{number}")));
        drifts
    }

    fn of_payment(&self, moved: &Moved) -> Option<&'static str> {
        let number = moved.operation.number;
        let took_money = matches!(moved.status, OperationStatus::Captured | OperationStatus::Refunded);
        let Some((order, entry)) = self.payment(number) else { return took_money.then_some("unknown_operation") };
        let back = given_back(order, number);
        let is_same = match moved.status {
            // What went back since is no difference: the file is older.
            OperationStatus::Captured => true,
            OperationStatus::Cancelled => back > 0,
            OperationStatus::Refunded => back == entry.amount.minor_units(),
            _ => false,
        };
        let is_unsettled = order.unsettled.iter().any(|unsettled| unsettled.operation.number == number);
        match moved.remittance {
            _ if !is_same => Some("status_differs"),
            Some(_) if is_unsettled && settled_in(order, number).is_none() => Some("not_settled_here"),
            Some(_) | None => None,
        }
    }

    /// The bank's refunds that our ledger does not have. Some it has by the number of their payment: theirs never came.
    fn unknown_refunds(&self) -> BTreeSet<OperationNumber> {
        let of_file = |moved: &&Moved| moved.merchant == self.file.merchant && moved.made == Made::Refund;
        let mut refunds: Vec<&Moved> = self.inner.bank.moved.iter().filter(of_file).collect();
        let mut without_number = Vec::new();
        for (_, entry) in self.entries() {
            let EntryKind::GivenBack { original, .. } = entry.kind else { continue };
            refunds.retain(|refund| refund.operation.number != entry.operation.number);
            if original == entry.operation.number && !self.is_cancelled(original) {
                without_number.push(entry);
            }
        }
        for entry in without_number {
            let is_it =
                |refund: &&Moved| refund.operation.call == entry.operation.call && refund.amount == entry.amount;
            if let Some(place) = refunds.iter().position(is_it) {
                refunds.remove(place);
            }
        }
        refunds.into_iter().map(|refund| refund.operation.number).collect()
    }

    /// What is booked on the file's days, and neither in it nor in the files of the days beside.
    fn missing(&self, shown: &[Shown]) -> BTreeSet<OperationNumber> {
        let (from, until) = self.file.days();
        let beside = from.yesterday().unwrap()..=until.tomorrow().unwrap();
        let counts = |entry: &Entry| match entry.kind {
            EntryKind::GivenBack { original, .. } => original != entry.operation.number,
            _ => {
                let number = entry.operation.number;
                is_money_in(entry) && !(self.is_cancelled(number) && self.gone_back(number))
            }
        };
        let in_file: BTreeSet<OperationNumber> = shown.iter().map(|shown| shown.moved.operation.number).collect();
        let is_of_its_days = |entry: &Entry| (from..=until).contains(&self.day(entry.at));
        let missing = self.entries().map(|(_, entry)| entry);
        let missing = missing.filter(|entry| counts(entry) && !in_file.contains(&entry.operation.number));
        let mut missing: BTreeSet<OperationNumber> =
            missing.filter(|entry| is_of_its_days(entry)).map(|entry| entry.operation.number).collect();
        if missing.is_empty() {
            return missing;
        }
        for import in stored(self.inner, &self.file.merchant).into_iter().filter(|import| import.id != self.id) {
            if let Rows::Operations(rows) = import.rows
                && rows.iter().any(|row| beside.contains(&row.date))
            {
                rows.iter().for_each(|row| {
                    missing.remove(&row.operation.number);
                });
            }
        }
        missing
    }

    fn gone_back(&self, number: OperationNumber) -> bool {
        self.orders.iter().any(|order| given_back(order, number) > 0)
    }

    fn remittances(&self, told: &BTreeMap<u64, Remitted>) -> BTreeSet<String> {
        let (mut payments, mut refunds) = (BTreeMap::<u64, (i64, Date)>::new(), BTreeMap::<u64, _>::new());
        for (_, entry) in self.entries() {
            let EntryKind::Settlement { remittance, .. } = entry.kind else { continue };
            let day = self.day(entry.at);
            let known = payments.entry(remittance).or_insert((0, day));
            *known = (known.0 + entry.amount.minor_units(), known.1.max(day));
        }
        let mut elsewhere = BTreeSet::new();
        for import in stored(self.inner, &self.file.merchant) {
            match import.rows {
                Rows::Operations(rows) => {
                    for row in rows.iter().filter(|row| row.movement == Movement::Refund) {
                        if let Some(remittance) = row.remittance {
                            let of_it: &mut BTreeMap<_, i64> = refunds.entry(remittance).or_default();
                            of_it.insert(row.operation.number, row.amount.minor_units());
                        }
                    }
                }
                Rows::Remittances(_) if import.id == self.id => {}
                Rows::Remittances(rows) => elsewhere.extend(rows.iter().map(|row| row.remittance)),
            }
        }
        let booked_fees: BTreeSet<Option<u64>> = entries(self.inner, &self.file.merchant)
            .into_values()
            .flatten()
            .filter(|booked| booked.entry == EntryName::Fees)
            .map(|booked| booked.drift.remittance)
            .collect();
        let mut drifts = BTreeSet::new();
        for (number, told) in told {
            let (paid, back) = (payments.get(number), refunds.get(number));
            let back_in_all: i64 = back.into_iter().flat_map(BTreeMap::values).sum();
            if paid.is_none() && back.is_none() {
                drifts.insert(format!("unknown_remittance.{number}"));
            } else if paid.map_or(0, |(sum, _)| *sum) - back_in_all != told.gross {
                drifts.insert(format!("gross_differs.{number}"));
            }
            if told.fees > 0 && !booked_fees.contains(&Some(*number)) {
                drifts.insert(format!("fees_not_booked.{number}"));
            }
        }
        let (from, until) = self.file.days();
        let missing = payments.iter().filter(|(number, (_, on))| {
            !told.contains_key(number) && !elsewhere.contains(number) && (from..=until).contains(on)
        });
        drifts.extend(missing.map(|(number, _)| format!("not_in_statement.{number}")));
        drifts
    }
}

/// Whether a drift of a whole file may be there after a healthy bank has had its days: it waits for people, or went back
/// by other ways, or is too young.
pub(super) fn is_explained(inner: &Inner, merchant: &str, drift: &Drift) -> bool {
    let moved = drift.operation.and_then(|number| inner.bank.find(number));
    let orders = || inner.store.orders().filter(|order| order.merchant.as_str() == merchant);
    let waits = |moved: &Moved| {
        let is_excused = inner.sent_back_otherwise.contains(&moved.operation.number.get());
        is_excused
            || orders().any(|order| finale::is_before_a_person(order, moved) || finale::is_suspected(order, moved))
    };
    // What a restored copy does not know is what such a file is brought for.
    if !inner.lost.orders.is_empty() {
        return true;
    }
    let of_call = |moved: &&Moved, refund: &Moved| moved.operation.call == refund.operation.call;
    match drift.kind {
        DriftKind::UnknownOperation => moved.is_some_and(waits),
        DriftKind::UnknownRefund => {
            moved.is_some_and(|refund| inner.bank.moved.iter().filter(|moved| of_call(moved, refund)).any(waits))
        }
        DriftKind::StatusDiffers => moved.is_some_and(|moved| {
            let is_part = moved.gone_back() < moved.amount.minor_units();
            waits(moved) || (inner.nature.shows_parts_as_refunded && is_part)
        }),
        // Those that can be booked have been, by the mornings since.
        DriftKind::UnknownChargeback => drift.entries == [EntryName::Note],
        DriftKind::NotSettledHere => orders().flat_map(|order| &order.unsettled).any(|unsettled| {
            let is_it = Some(unsettled.operation.number) == drift.operation;
            is_it && inner.now.duration_since(unsettled.since) < SignedDuration::from_hours(72)
        }),
        // A payment in it is not settled here, for one of these reasons.
        DriftKind::GrossDiffers | DriftKind::UnknownRemittance => inner.bank.moved.iter().any(|moved| {
            let number = moved.operation.number;
            let is_in_it = moved.merchant == merchant && moved.remittance == drift.remittance;
            is_in_it && moved.made != Made::Refund && orders().all(|order| settled_in(order, number).is_none())
        }),
        DriftKind::FeesNotBooked => true,
        DriftKind::NotInFile
        | DriftKind::AmountDiffers
        | DriftKind::CurrencyDiffers
        | DriftKind::RemittanceDiffers
        | DriftKind::NotInStatement
        | DriftKind::FeesDiffer => false,
    }
}
