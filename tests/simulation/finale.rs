//! What must hold once a healthy bank has had its days: nothing is in doubt, nothing is lost, nothing is kept that nobody
//! wants.

use std::collections::BTreeSet;

use guichet::domain::{
    attempt::{Attempt, AttemptState},
    bank::OperationStatus,
    checkout::Checkout,
    give_back::Next,
    hold::{Hold, Verdict},
    ledger::{Entry, EntryKind},
    order::Order,
    plan::Plan,
    purpose::Purpose,
};

use jiff::SignedDuration;

use crate::{
    backups,
    bank::{Made, Moved},
    invariants::{given_back, imports, secrets},
    world::Inner,
};

pub(crate) fn check(inner: &mut Inner) {
    let orders: Vec<Order> = inner.store.orders().cloned().collect();
    for order in &orders {
        i20_nothing_in_doubt(inner, order);
        i14_refused_cards_cost_nothing(inner, order);
        what_is_due_is_debited(inner, order);
        r1_what_went_back_is_booked(inner, order);
        r3_what_was_collected_is_settled(inner, order);
    }
    i13_nothing_comes_of_an_echo(inner, &orders);
    imports::all_once(inner);
    let states: Vec<String> = inner.store.rows.values().map(|row| row.stored.state.clone()).collect();
    states.iter().for_each(|state| secrets::in_clear(inner, "a state", state));
    i3_every_capture_is_booked_once(inner, &orders);
    i14_no_card_is_kept_for_nothing(inner, &orders);
}

fn all_attempts(order: &Order) -> Vec<(Purpose, Attempt)> {
    let debits = order.schedule.iter().map(|due| Purpose::Debit(due.number));
    let captures = order.holds.iter().map(|hold| Purpose::Capture(hold.number));
    let give_backs = order.give_backs.iter().map(|given| Purpose::GiveBack(given.number));
    let purposes = debits.chain(captures).chain(give_backs);
    purposes.flat_map(|of| order.attempts(of).into_iter().map(move |attempt| (of, attempt.clone()))).collect()
}

/// I20: resolved, or before a person with an alarm.
fn i20_nothing_in_doubt(inner: &mut Inner, order: &Order) {
    for (purpose, attempt) in all_attempts(order) {
        if attempt.is_open() {
            inner.violate("I20", format!("{purpose:?} of {} is still {:?}", order.id, attempt.state));
        }
        let is_quarantined = matches!(attempt.state, AttemptState::Quarantined { .. });
        let alarm = ("quarantined", order.id.to_string());
        if is_quarantined && !inner.alarms.contains(&alarm) && !inner.untold.contains(&alarm.1) {
            inner.violate("I20", format!("{purpose:?} of {} waits for a person who was not told", order.id));
        }
    }
    for page in &order.checkouts {
        // A page of that name, which is not on record since a copy came back, may have been of another kind.
        let is_anothers = inner.lost.names_of(order.id).contains(&page.reference.as_str());
        let is_confirming = page.is_confirming(&|number| order.has_seen_to(page.number, number)) && !is_anothers;
        if is_confirming || page.is_open() {
            inner.violate("I20", format!("page {:?} of {} is still confirming", page.number, order.id));
        }
    }
    for hold in order.holds.iter().filter(|hold| hold.is_pending() && hold.next() != Next::Person) {
        inner.violate("I20", format!("hold {} of {} is still pending", hold.number, order.id));
    }
    for given in &order.give_backs {
        match given.next() {
            Next::Nothing => {}
            Next::Person => inner.count("give-back: before a person"),
            Next::Plan { .. } | Next::Wait => {
                inner.violate("I20", format!("give-back {} of {} is not done", given.number, order.id));
            }
        }
    }
}

/// Whether an operation waits for a person, in whatever way.
pub(crate) fn is_before_a_person(order: &Order, moved: &Moved) -> bool {
    let number = moved.operation.number;
    let by_page = order.checkouts.iter().any(|page| page.quarantine.iter().any(|held| held.operation == number));
    let by_call = all_attempts(order).iter().any(|(_, attempt)| {
        let (reference, _) = attempt.call.names();
        matches!(attempt.state, AttemptState::Quarantined { .. }) && reference.as_str() == moved.reference
    });
    let its_hold = |hold: &&Hold| hold.operation.number == number;
    let by_hold = order.holds.iter().filter(its_hold).any(|hold| hold.next() == Next::Person);
    let given = order.give_backs.iter().filter(|given| given.operation.number == number);
    by_page || by_call || by_hold || given.into_iter().any(|given| given.next() == Next::Person)
}

/// Not a rule of safety: runs that nothing stands in the way of leave nothing due behind.
fn what_is_due_is_debited(inner: &mut Inner, order: &Order) {
    let yesterday = inner.now.to_zoned(inner.zone.clone()).date().yesterday().unwrap();
    let waits_for_a_person = order.checkouts.iter().any(|page| !page.quarantine.is_empty());
    // One debit a day: what another was sent for has to wait.
    let sent = order.schedule.iter().flat_map(|due| &due.debits).filter_map(|debit| debit.on).max();
    let is_next = sent.is_some_and(|on| on >= yesterday);
    if order.ready_on().is_some_and(|on| on < yesterday) && !waits_for_a_person && !is_next {
        inner.violate("due", format!("{} was to be debited on {:?}", order.id, order.ready_on()));
    }
}

/// R1: what the bank has given back is booked, but for what waits for people, or went back by other ways.
fn r1_what_went_back_is_booked(inner: &mut Inner, order: &Order) {
    for entry in &order.ledger {
        let is_money_in =
            matches!(entry.kind, EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::Surplus { .. });
        let Some(moved) = inner.bank.find(entry.operation.number).filter(|_| is_money_in).cloned() else { continue };
        let booked = given_back(order, entry.operation.number);
        let is_excused = is_before_a_person(order, &moved)
            || inner.lost.orders.contains(&order.id)
            || inner.sent_back_otherwise.contains(&entry.operation.number.get());
        if booked != moved.gone_back() && !is_excused {
            let gone = moved.gone_back();
            inner.violate("R1", format!("{}: {gone} of {entry:?} went back, {booked} is booked", order.id));
        }
    }
}

/// R3: what was collected days ago is settled here too.
fn r3_what_was_collected_is_settled(inner: &mut Inner, order: &Order) {
    for unsettled in &order.unsettled {
        let moved = inner.bank.find(unsettled.operation.number);
        let is_collected = moved.is_some_and(|moved| moved.remittance.is_some());
        if is_collected && inner.now.duration_since(unsettled.since) > SignedDuration::from_hours(72) {
            inner.violate("R3", format!("{}: {unsettled:?} was collected, {moved:?}", order.id));
        }
    }
}

/// What pages have brought to an order.
pub(crate) fn of_pages(order: &Order) -> String {
    let is_of_page =
        |entry: &&Entry| matches!(entry.kind, EntryKind::Capture { .. } | EntryKind::Surplus { checkout: Some(_) });
    let booked: Vec<u64> = order.ledger.iter().filter(is_of_page).map(|entry| entry.operation.number.get()).collect();
    let held: Vec<_> = order.holds.iter().map(|hold| (hold.number, &hold.verdict, hold.captured)).collect();
    // A token goes when its card is forgotten, whatever is told once more meanwhile.
    let without_tokens = |page: &Checkout| {
        let mut reports = page.reports.clone();
        reports.values_mut().flat_map(|report| &mut report.cards).for_each(|card| card.sealed_token = None);
        reports
    };
    let pages: Vec<_> =
        order.checkouts.iter().map(|page| (&page.closed, without_tokens(page), &page.quarantine)).collect();
    format!("{booked:?} {held:?} {pages:?}")
}

/// I13: all that the bank ever told, told once more in another order, changes nothing.
fn i13_nothing_comes_of_an_echo(inner: &mut Inner, orders: &[Order]) {
    for (id, before) in std::mem::take(&mut inner.before_echo) {
        let after = orders.iter().find(|order| order.id == id).map(of_pages);
        // Of what a restored copy does not know, every notification is the first.
        if after.as_deref() != Some(before.as_str()) && !inner.lost.orders.contains(&id) {
            inner.violate("I13", format!("{id} was {before}, and is {after:?}"));
        }
    }
}

/// I3: every captured operation is in one ledger once, or before a person; what is authorised is not forgotten.
fn i3_every_capture_is_booked_once(inner: &mut Inner, orders: &[Order]) {
    for moved in inner.bank.moved.clone() {
        if moved.made == Made::Refund {
            continue;
        }
        let booked = orders.iter().filter(|order| order.merchant.as_str() == moved.merchant).flat_map(|order| {
            let captures = order.ledger.iter().filter(|entry| {
                entry.operation.number == moved.operation.number
                    && matches!(
                        entry.kind,
                        EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::Surplus { .. }
                    )
            });
            captures.map(|entry| entry.amount)
        });
        let booked: Vec<_> = booked.collect();
        let is_gone = inner.lost.was_paid_on(&moved) || backups::was_undone_before(inner, &moved);
        let is_lost = is_gone && booked.is_empty();
        let waits =
            is_lost || orders.iter().any(|order| is_before_a_person(order, &moved) || is_suspected(order, &moved));
        if is_lost && moved.made == Made::Debit && moved.was_captured {
            backups::is_a_person_told(inner, &moved);
        }
        // Of what was captured before a copy came back, and went back in part, not all can go back: people see to it.
        let is_seen_to = inner.sent_back_otherwise.contains(&moved.operation.number.get())
            && (moved.charged_back.is_some() || moved.returned > 0)
            && inner.lost.knows_of_reference(&moved.reference);
        if moved.was_captured && booked.len() != 1 && !(booked.is_empty() && (waits || is_seen_to)) {
            inner.violate("I3", format!("{moved:?} is booked {} times", booked.len()));
        }
        // What the bank did not let go, and people have seen to, lapses by itself.
        let lapses = inner.sent_back_otherwise.contains(&moved.operation.number.get());
        if moved.status == OperationStatus::Authorised && !waits && !lapses {
            inner.violate("I3", format!("{moved:?} is left authorised"));
        }
    }
}

/// A later debit of the same instalment was put before a person because of this one.
pub(crate) fn is_suspected(order: &Order, moved: &Moved) -> bool {
    order.schedule.iter().any(|due| {
        due.is_quarantined() && due.debits.iter().any(|debit| debit.attempt.call.names().0.as_str() == moved.reference)
    })
}

/// I14: of a card that was refused nothing is kept.
fn i14_refused_cards_cost_nothing(inner: &mut Inner, order: &Order) {
    for hold in order.holds.iter().filter(|hold| matches!(hold.verdict, Some(Verdict::Refused { .. }))) {
        let Some(moved) = inner.bank.find(hold.operation.number).cloned() else { continue };
        let is_gone = matches!(moved.status, OperationStatus::Cancelled | OperationStatus::Refunded);
        let lapses = inner.sent_back_otherwise.contains(&moved.operation.number.get());
        if !is_gone && !lapses && !is_before_a_person(order, &moved) {
            inner.violate("I14", format!("the card of hold {} of {} was refused, {moved:?}", hold.number, order.id));
        }
    }
}

/// I14: the bank keeps only cards that plans debit, or may yet have to.
fn i14_no_card_is_kept_for_nothing(inner: &mut Inner, orders: &[Order]) {
    let wanted = orders.iter().flat_map(|order| {
        let active = order.plan().and_then(Plan::card).map(|card| card.subscriber.as_str().to_owned());
        active.into_iter().map(|name| (order.merchant.to_string(), name))
    });
    let wanted: BTreeSet<(String, String)> = wanted.collect();
    let kept: Vec<(String, String)> = inner.bank.kept.keys().cloned().collect();
    for name in kept.into_iter().filter(|name| !wanted.contains(name)) {
        let order =
            orders.iter().find(|order| order.subscribers.iter().any(|known| known.reference.as_str() == name.1));
        let is_excused = order.is_some_and(|order| {
            all_attempts(order).iter().any(|(_, attempt)| matches!(attempt.state, AttemptState::Quarantined { .. }))
                || order.holds.iter().any(|hold| hold.next() == Next::Person)
                || order.checkouts.iter().any(|page| page.begins.is_some() && !page.quarantine.is_empty())
        });
        if !is_excused && !inner.lost.was_kept_as(&name.1) {
            inner.violate("I14", format!("the bank keeps {name:?} for nobody"));
        }
    }
}
