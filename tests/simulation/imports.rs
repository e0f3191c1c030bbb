//! Accounting brings PAYBOX's and the bank's files now and then, looks at what does not agree, and settles some of it; all
//! through the use cases of processes that may end meanwhile.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use guichet::{
    app::{App, Error, imports::Entering},
    domain::statement::{Drifting, EntryName, FileKind, ImportId},
};
use jiff::{SignedDuration, ToSpan};

use crate::{
    happening::Happening,
    invariants,
    moves::{note, remember},
    run::Run,
    school::{self, caller_with, text},
    statements::{self, File},
    world::{Inner, World},
};

/// In how many of a thousand lives accounting brings files.
const LIVES: u64 = 100;
/// How often a file is brought, or an entry made, until it is known to be there.
const MAX_TRIES: u32 = 20;

/// What the task that is being polled may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum May {
    #[default]
    Anything,
    /// Order nothing of the bank.
    Write,
    /// The same, and change no order.
    Read,
}

/// Why files are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fetching {
    /// It is time.
    Now,
    /// Something has just moved, of which we may know nothing yet.
    News,
    /// At the end, all that there is.
    AtLast,
}

#[derive(Default)]
pub(crate) struct Imports {
    /// Accounting brings files in this life.
    is_wanted: bool,
    pub(crate) files: Vec<File>,
    /// What each file was kept as, by its digest, and whether somebody was told that it was new.
    pub(crate) kept: BTreeMap<String, (ImportId, bool)>,
    pub(crate) may: May,
}

/// When files are brought.
pub(crate) fn begin(inner: &mut Inner, end: jiff::Timestamp) {
    inner.imports.is_wanted = inner.rng.chance(LIVES);
    if inner.imports.is_wanted {
        inner.after_secs(86_400, 40 * 86_400, Happening::Fetch(Fetching::Now));
        if inner.rng.chance(500) {
            inner.at(end - SignedDuration::from_hours(8), Happening::Fetch(Fetching::AtLast));
        }
    }
}

/// The bank has moved money.
pub(crate) fn moved(inner: &mut Inner, per_mille: u64) {
    if inner.imports.is_wanted && !inner.calm && inner.rng.chance(per_mille) {
        let latest = *inner.rng.pick(&[20, 1_000, 100_000]);
        inner.after_secs(0, latest, Happening::Fetch(Fetching::News));
    }
}

/// Somebody fetches files at the bank.
pub(crate) fn fetch(inner: &mut Inner, why: Fetching) {
    let today = inner.now.to_zoned(inner.zone.clone()).date();
    let latest = if why == Fetching::News { 60 } else { 3_000 };
    for merchant in school::names(&inner.nature) {
        // PAYBOX's first: the bank's sums lean on the refunds in it.
        let kinds = [(FileKind::Operations, 0), (FileKind::Remittances, 2)];
        for (kind, hour) in kinds.into_iter().take(if why == Fetching::News { 1 } else { 2 }) {
            let back = *inner.rng.pick(&[0, 1, 1, 3, 8]);
            let since = (why != Fetching::AtLast).then(|| today.saturating_sub(back.days()));
            let Some(file) = statements::write(inner, merchant, kind, since) else { continue };
            inner.imports.files.push(file);
            let file = inner.imports.files.len() - 1;
            inner.log(format_args!("bank: the {kind:?} of {merchant} since {since:?}"));
            let at_once = if inner.rng.chance(250) { 2 } else { 1 };
            let when = inner.now + SignedDuration::from_secs(hour * 3_600 + inner.rng.between(1, latest));
            (0..at_once).for_each(|_| inner.at(when, Happening::Bring { file, tries: 0 }));
        }
    }
    if why == Fetching::Now && !inner.calm {
        inner.after_secs(10 * 86_400, 60 * 86_400, Happening::Fetch(Fetching::Now));
    }
}

/// Somebody brings a file that was fetched, until it is kept.
pub(crate) fn bring(run: &mut Run, file: usize, tries: u32) {
    let world = run.world.clone();
    let is_wanted = world.with(|inner| {
        let is_kept = inner.imports.files[file].is_kept;
        if tries < MAX_TRIES && (!is_kept || tries == 0) {
            inner.after_secs(600, 7_000, Happening::Bring { file, tries: tries + 1 });
        }
        !is_kept || tries == 0 || inner.rng.chance(200)
    });
    if is_wanted {
        let (process, app) = run.any_process();
        let bringing = kept(app, world.clone(), file);
        run.spawn(process, Watched { world, may: May::Read, future: Box::pin(bringing) });
    }
}

async fn kept(app: Arc<App>, world: World, index: usize) {
    let (file, caller) =
        world.with(|inner| (inner.imports.files[index].clone(), caller_with(&inner.nature, "compta-1", "claire")));
    let merchant = file.merchant.parse().unwrap();
    let imported = app.import(&caller, &merchant, file.kind(), file.text.as_bytes()).await;
    let (imported, is_new) = match imported {
        Ok(done) => done,
        Err(error) => {
            if let Error::Faults(faults) = &error {
                world.with(|inner| inner.violate("import", format!("{faults:?} of {}", file.text)));
            }
            return note(&world, "importing", Err(error));
        }
    };
    let before = world.with(|inner| {
        invariants::imports::kept(inner, index, &imported, is_new);
        state_of(inner)
    });
    let drifts = app.drifts(&caller, &imported).await;
    if let Ok(drifts) = &drifts {
        world.with(|inner| {
            let ids: Vec<&str> = drifts.iter().map(|drifting| drifting.drift.id.as_str()).collect();
            inner.log(format_args!("drifts of {}: {ids:?}", imported.import.id));
            if before == state_of(inner) {
                invariants::imports::judged(inner, &file, &imported, drifts);
            } else {
                inner.count("import: something changed while drifts were looked for");
            }
            for drifting in drifts {
                settle(inner, &imported.import.id, drifting);
            }
        });
    }
    note(&world, "looking for drifts", drifts.map(|_| ()));
}

/// Changes with every commit.
fn state_of(inner: &Inner) -> u64 {
    inner.store.rows.values().map(|row| row.stored.version).sum()
}

/// Somebody may settle a drift, with what is offered and now and then with what is not.
fn settle(inner: &mut Inner, import: &ImportId, drifting: &Drifting) {
    let offered = drifting.entries();
    let likely = match offered.first() {
        None => 30,
        Some(EntryName::Question) => 900,
        Some(_) => 400,
    };
    if !inner.rng.chance(likely) {
        return;
    }
    let entry = if offered.is_empty() || inner.rng.chance(50) {
        *inner.rng.pick(&[EntryName::Settlement, EntryName::Fees, EntryName::Note])
    } else if inner.rng.chance(600) {
        offered[0]
    } else {
        *inner.rng.pick(&offered)
    };
    let entering = Entering { import: *import, drift: drifting.drift.id.clone(), entry, reason: text("relevé") };
    let key = inner.rng.below(1_000_000);
    let when = inner.now + SignedDuration::from_secs(inner.rng.between(1, 2_000));
    let make = |key: u64| Happening::Enter { entering: Box::new(entering.clone()), key, tries: 0 };
    inner.at(when, make(key));
    // Somebody else does so too, or the same click arrives twice.
    if inner.rng.chance(300) {
        inner.count("entry: twice at once");
        let other = if inner.rng.chance(500) { key } else { key + 1 };
        inner.at(when, make(other));
    }
}

/// Somebody makes an entry, until there is an answer.
pub(crate) fn enter(run: &mut Run, entering: Entering, key: u64, tries: u32) {
    let world = run.world.clone();
    let (process, app) = run.any_process();
    let may = match entering.entry {
        EntryName::Fees | EntryName::Note => May::Read,
        EntryName::Settlement | EntryName::Chargeback | EntryName::Question => May::Write,
    };
    let making = entered(app, world.clone(), entering, key, tries);
    run.spawn(process, Watched { world, may, future: Box::pin(making) });
}

async fn entered(app: Arc<App>, world: World, entering: Entering, key: u64, tries: u32) {
    let caller = world.with(|inner| caller_with(&inner.nature, "compta-2", "denis"));
    let remember = remember(&format!("e{key}"), |drifting: &Drifting| drifting.drift.id.clone());
    let outcome = match app.remembered(&remember.key, &remember.fingerprint).await {
        Ok(Some(before)) => Ok(before),
        Ok(None) => app.enter(&caller, &entering, &remember).await,
        Err(error) => Err(error),
    };
    world.with(|inner| match &outcome {
        Ok(made) => {
            inner.count(if made.replayed { "entry: answered again" } else { "entry: made" });
            invariants::imports::entered(inner, &entering);
        }
        Err(Error::NotOffered) => inner.count("entry: not offered"),
        Err(Error::Unavailable(_) | Error::Busy) if tries < MAX_TRIES => {
            let again = Happening::Enter { entering: Box::new(entering.clone()), key, tries: tries + 1 };
            inner.after_secs(10, 1_000, again);
        }
        Err(_) => {}
    });
    let what = format!("entering {:?} for {}", entering.entry, entering.drift);
    note(&world, &what, outcome.map(|_| ()));
}

/// A task during whose every step it is known what it may do.
struct Watched {
    world: World,
    may: May,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Future for Watched {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let may = self.may;
        self.world.with(|inner| inner.imports.may = may);
        let polled = self.future.as_mut().poll(context);
        self.world.with(|inner| inner.imports.may = May::Anything);
        polled
    }
}
