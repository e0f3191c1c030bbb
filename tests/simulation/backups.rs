//! Yesterday's copy of the store comes back: what it does not know of, and who lets debits go on afterwards.
//!
//! The bank forgets nothing. What payers paid on pages that are not on record any more is found by no gateway, and is
//! excused here; what we sent ourselves is in the journals, and is not.

use std::{collections::BTreeSet, sync::Arc};

use guichet::{
    app::{App, Error},
    domain::{
        bank::OperationStatus,
        ids::OrderId,
        order::Order,
        purpose::{AttemptId, Purpose},
        reconcile::Reconcile,
        subscriber::SubscriberState,
    },
};
use jiff::Timestamp;

use crate::{
    bank::{Made, Moved},
    happening::Happening,
    school::{caller, text},
    store::StoreState,
    world::{Inner, SaidBy, World},
};

/// What a copy keeps, and what the simulation knew of it then.
#[derive(Clone)]
pub(crate) struct Backup {
    store: StoreState,
    said: SaidBy,
    taken_at: Timestamp,
}

/// What is not on record any more since a copy came back.
#[derive(Default)]
pub(crate) struct Lost {
    /// Orders of which something is.
    pub(crate) orders: BTreeSet<OrderId>,
    /// Names of pages and calls, as the bank has them.
    references: BTreeSet<String>,
    /// Names of cards.
    subscribers: BTreeSet<String>,
    /// Cards that were deleted, and whose plans debit them again.
    forgotten: BTreeSet<String>,
    /// How often a copy came back, and when it last did.
    times: u32,
    restored_at: Option<Timestamp>,
    /// A process had not met the store that went: it knows not how far that had come.
    pub(crate) somebody_was_away: bool,
    /// It lagged no event, and so nobody can have noticed.
    unnoticed_at: Option<Timestamp>,
    /// Nobody may debit anything before a person has said so.
    pub(crate) is_frozen: bool,
    /// When the reconciliation was ended that the copy knows of.
    ended_before: Option<Timestamp>,
}

impl Lost {
    /// A payer's payment, or a part of it, on a page that is not on record any more.
    pub(crate) fn was_paid_on(&self, moved: &Moved) -> bool {
        self.references.contains(&moved.reference)
    }

    /// A payer's payment of before, on a page that may be on record: until it is asked for, nobody knows of it.
    pub(crate) fn may_have_forgotten(&self, order: OrderId, moved: &Moved) -> bool {
        moved.made == Made::OnPage
            && self.orders.contains(&order)
            && self.restored_at.is_some_and(|restored_at| moved.at <= restored_at)
    }

    /// Names of what an order had sent.
    pub(crate) fn names_of(&self, order: OrderId) -> Vec<&str> {
        let hex = order.to_string().replace("ord_", "");
        self.references.iter().map(String::as_str).filter(|name| name.contains(&hex)).collect()
    }

    /// Whether a name is of an order of which something is lost.
    pub(crate) fn knows_of_reference(&self, name: &str) -> bool {
        self.orders.iter().any(|order| name.contains(&order.to_string().replace("ord_", "")))
    }

    /// Questions make no events: a copy that lags nothing else gives their numbers again.
    pub(crate) fn gives_again(&self, asked_at: Timestamp) -> bool {
        self.unnoticed_at.is_some_and(|at| asked_at <= at)
    }

    pub(crate) fn was_kept_as(&self, subscriber: &str) -> bool {
        self.subscribers.contains(subscriber)
    }

    pub(crate) fn was_forgotten(&self, subscriber: &str) -> bool {
        self.forgotten.contains(subscriber)
    }
}

/// How often a copy may come back.
const MOST: u32 = 2;

/// A copy every few days, until enough of them were put back.
pub(crate) fn begin(inner: &mut Inner) {
    if inner.nature.restores {
        inner.after_secs(3_600, 6 * 86_400, Happening::BackUp);
    }
}

pub(crate) fn back_up(inner: &mut Inner) {
    if inner.lost.times == MOST {
        return;
    }
    inner.log(format_args!("the store is copied"));
    inner.backup = Some(Backup { store: inner.store.snapshot(), said: inner.said.clone(), taken_at: inner.now });
    inner.after_secs(3_600, 12 * 86_400, Happening::BackUp);
    if inner.rng.chance(50) {
        inner.after_secs(60, 86_400, Happening::Restore);
    }
}

/// The worst moment for a copy to come back is after a call has left.
pub(crate) fn a_call_leaves(inner: &mut Inner, of: Purpose) {
    let worst = if let Purpose::Debit(_) = of { 300 } else { 60 };
    if inner.backup.is_some() && !inner.calm && inner.rng.chance(worst) {
        let longest = *inner.rng.pick(&[5, 100, 4_000, 200_000]);
        inner.after_secs(0, longest, Happening::Restore);
    }
}

/// The copy takes the store's place; nobody is served meanwhile. These had met the one that goes.
pub(crate) fn restore(inner: &mut Inner, met: &[usize]) {
    let Some(Backup { store, said, taken_at }) = inner.backup.take() else { return };
    inner.lost.times += 1;
    inner.lost.restored_at = Some(inner.now);
    inner.count("store: a backup came back");
    if inner.lost.times < MOST && inner.rng.chance(500) {
        inner.backup = Some(Backup { store: store.clone(), said: said.clone(), taken_at });
        let longest = *inner.rng.pick(&[4_000, 86_400, 9 * 86_400]);
        inner.after_secs(60, longest, Happening::Restore);
    } else if inner.lost.times > 1 {
        inner.count("store: a backup came back once more");
    }
    inner.log(format_args!("the store is what it was at {taken_at}"));
    let before: Vec<Order> = inner.store.orders().cloned().collect();
    // A worker notes every few seconds how far the store has come.
    let mark = inner.store.mark(None);
    inner.lost.somebody_was_away |= inner.journals.keys().any(|process| !met.contains(process));
    let noting = inner.journals.iter_mut().filter(|(process, _)| met.contains(process));
    noting.for_each(|(_, (latest, _))| latest.clone_from(&mark));
    inner.store.restore(&store);
    inner.said = said;
    for old in &before {
        let now = inner.store.orders().find(|order| order.id == old.id).cloned();
        if now.as_ref().is_none_or(|now| now.chain != old.chain) {
            note_lost(&mut inner.lost, old, now.as_ref());
        }
    }
    if inner.store.mark(None) == mark {
        inner.lost.unnoticed_at = Some(inner.now);
    } else {
        inner.count("store: lags what has left");
        inner.lost.is_frozen = true;
        inner.lost.ended_before = ended_at(inner);
    }
}

fn note_lost(lost: &mut Lost, old: &Order, now: Option<&Order>) {
    lost.orders.insert(old.id);
    let known = now.map(references).unwrap_or_default();
    lost.references.extend(references(old).into_iter().filter(|name| !known.contains(name)));
    let subscribers = |order: &Order| -> BTreeSet<String> {
        let begun = order.checkouts.iter().filter_map(|page| page.begins.as_deref()).map(|begins| &begins.subscriber);
        let names = order.subscribers.iter().map(|known| &known.reference).chain(begun);
        names.map(|name| name.as_str().to_owned()).collect()
    };
    let kept = now.map(&subscribers).unwrap_or_default();
    lost.subscribers.extend(subscribers(old).difference(&kept).cloned());
    lost.forgotten.extend(kept.difference(&subscribers(old)).cloned());
    let gone = old.subscribers.iter().filter(|known| matches!(known.state, SubscriberState::Gone { .. }));
    lost.forgotten.extend(gone.map(|known| known.reference.as_str().to_owned()));
}

fn references(order: &Order) -> BTreeSet<String> {
    let pages = order.checkouts.iter().map(|page| page.reference.as_str().to_owned());
    let debits = order.schedule.iter().map(|due| Purpose::Debit(due.number));
    let captures = order.holds.iter().map(|hold| Purpose::Capture(hold.number));
    let give_backs = order.give_backs.iter().map(|given| Purpose::GiveBack(given.number));
    let calls = debits.chain(captures).chain(give_backs).flat_map(|of| order.attempts(of));
    pages.chain(calls.map(|attempt| attempt.call.names().0.as_str().to_owned())).collect()
}

/// What is open, as the store has it.
pub(crate) fn open(inner: &Inner) -> Option<Reconcile> {
    latest(inner).filter(Reconcile::is_open)
}

fn latest(inner: &Inner) -> Option<Reconcile> {
    let row = inner.store.rows.iter().find(|(key, _)| key.kind == "reconcile");
    row.map(|(_, row)| serde_json::from_str(&row.stored.state).unwrap())
}

fn ended_at(inner: &Inner) -> Option<Timestamp> {
    latest(inner).and_then(|reconcile| reconcile.ended).map(|end| end.at)
}

/// A person who looks in the morning lets debits go on, once all has been asked.
pub(crate) fn look(inner: &mut Inner) {
    if let Some(reconcile) = open(inner) {
        inner.count("reconcile: open in the morning");
        if inner.calm || inner.rng.chance(900) {
            inner.after_secs(1, 20_000, Happening::EndReconcile { impatient: reconcile.is_asking() });
        }
    }
}

pub(crate) async fn end(app: Arc<App>, world: World) {
    let ops = caller(&world.with(|inner| inner.nature.clone()), "olga");
    let ended = app.end_reconcile(&ops, text("relu"), &[]).await;
    world.with(|inner| {
        inner.log(format_args!("ending the reconciliation: {ended:?}"));
        match &ended {
            Ok(_) => inner.count("reconcile: ended"),
            Err(Error::StillAsking) => inner.count("reconcile: it is still being asked"),
            Err(_) => {}
        }
        // What is not acknowledged may have been done: from now on it is as the store has it.
        inner.lost.is_frozen &= matches!(ended, Err(Error::StillAsking | Error::NotReconciling));
    });
}

/// I18, I19: nothing is debited or refunded before a person has said so.
pub(crate) fn i18_nothing_leaves(inner: &mut Inner, order: OrderId, of: AttemptId) {
    // Who has ended it may be gone, or frozen, before it is acknowledged.
    let ended = ended_at(inner);
    let has_ended = ended.is_some() && ended != inner.lost.ended_before;
    if (inner.lost.is_frozen && !has_ended) || open(inner).is_some() {
        let rule = if let Purpose::Debit(_) = of.purpose { "I18" } else { "I19" };
        inner.violate(rule, format!("{of:?} of {order} leaves before anybody has looked at the restored store"));
    }
}

/// A debit that is booked nowhere, because its order is not what it was, is on the list that somebody has read.
pub(crate) fn is_a_person_told(inner: &mut Inner, moved: &Moved) {
    let is_told = latest(inner).is_some_and(|reconcile| {
        reconcile.calls.iter().any(|call| call.left.call.names().0.as_str() == moved.reference)
    });
    inner.count("reconcile: a debit that only people can book");
    if !is_told {
        inner.violate("I3", format!("nobody knows of {moved:?}"));
    }
}

/// A payment that the store forgot together with the call that gave all of it back: the bank shows nothing of it any more
/// that could be booked.
pub(crate) fn was_undone_before(inner: &Inner, moved: &Moved) -> bool {
    let is_undone = moved.status == OperationStatus::Cancelled || moved.gone_back() == moved.amount.minor_units();
    is_undone && inner.lost.knows_of_reference(&moved.reference)
}
