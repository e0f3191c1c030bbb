//! Calls that move money: when they are stored as sent, when they reach the bank, and when it carries them out.

use guichet::domain::{
    attempt::{Attempt, AttemptState, Sending},
    bank::MoneyCall,
    checkout::Checkout,
    ids::OrderId,
    order::{Order, Status},
    plan::PlanState,
    purpose::{AttemptId, Purpose},
    schedule::{Debit, Instalment},
};
use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::{
    backups,
    bank::{Made, Moved},
    line::Sent,
    world::{Inner, OnRecord, Served},
};

/// A call is stored as sent.
pub(super) fn stored_as_sent(
    inner: &mut Inner,
    before: &Order,
    after: &Order,
    of: AttemptId,
    sending: &Sending,
    on: Option<Date>,
    at: Timestamp,
) {
    let attempt = after.attempt(of).unwrap();
    let (reference, _) = attempt.call.names();
    let instalments = match of.purpose {
        Purpose::Debit(number) => vec![number],
        Purpose::Capture(hold) => {
            let page = after.hold(hold).and_then(|hold| after.checkout(hold.checkout));
            page.map(Checkout::pays).unwrap_or_default()
        }
        Purpose::GiveBack(_) => Vec::new(),
    };
    let record = OnRecord {
        of: Served { order: after.id, purpose: of.purpose, instalments },
        reference: reference.as_str().to_owned(),
        amount: attempt.call.amount(),
        at: inner.now,
    };
    let number = (after.merchant.to_string(), sending.question.get());
    let has_left = inner.register.get(&number).is_some_and(|known| known.reference == record.reference);
    if has_left && inner.lost.orders.contains(&after.id) {
        // It left before the copy came back, and is only put on record again.
        inner.count("reconcile: a lost call is on record again");
        let was_dropped = |due: &Instalment| {
            let is_it = |debit: &Debit| debit.on.is_none() && debit.attempt.call.names().0 == reference;
            due.debits.iter().any(is_it)
        };
        if before.schedule.iter().any(was_dropped) {
            inner.count("reconcile: a lost call had been taken up again");
        }
        return;
    }
    let known = inner.register.insert(number, record);
    if known.is_some_and(|known| inner.now.duration_since(known.at) < SignedDuration::from_hours(48)) {
        inner.violate("I7", format!("question {} of {} was another call's", sending.question.get(), after.merchant));
    }
    backups::a_call_leaves(inner, of.purpose);
    if let Purpose::Debit(number) = of.purpose {
        i6_nothing_earlier_is_open(inner, before, number, of.attempt, at);
        i11_when_it_may_be_debited(inner, before, after, number, on);
        i12_the_plan_still_wants_it(inner, before);
    }
    if matches!(attempt.call, MoneyCall::Debit { .. } | MoneyCall::Refund { .. }) {
        backups::i18_nothing_leaves(inner, after.id, of);
    }
}

/// I1: captures that we start, by the bank's ledger. And what was concluded not to be done is not done.
pub(crate) fn executed(inner: &mut Inner, sent: &Sent) {
    let Some(Served { order, purpose, instalments }) = sent.of.clone() else { return };
    let given_up = inner.store.orders().filter(|stored| stored.id == order).any(|stored| {
        let its = |attempt: &&Attempt| attempt.call.names() == sent.call.names();
        let state = stored.attempts(purpose).into_iter().find(its).map(|attempt| &attempt.state);
        matches!(state, Some(AttemptState::NotExecuted | AttemptState::Refused { .. }))
    });
    if given_up {
        inner.violate("A2", format!("{} is done after it was concluded not to be", sent.call.names().0));
    }
    for instalment in instalments {
        let captured = inner.bank.moved.iter().filter(|moved| {
            let for_it = |of: &Served| of.order == order && of.instalments.contains(&instalment);
            // What the payer's bank has taken back is owed again.
            moved.was_captured
                && moved.charged_back.is_none()
                && !is_unknown_here(inner, sent, order, moved)
                && moved.captured_for.as_ref().is_some_and(for_it)
        });
        let captured = captured.count();
        if captured > 1 {
            inner.violate("I1", format!("instalment {instalment} of {order} was captured {captured} times by us"));
        }
    }
}

/// What a page had brought that is not on record since a copy came back: no gateway can know of it. And who pays on a page
/// what had been debited pays by himself. What was captured before, and had to go back after, is not paid.
fn is_unknown_here(inner: &Inner, sent: &Sent, order: OrderId, moved: &Moved) -> bool {
    let is_by_page = moved.made == Made::OnPage || matches!(sent.call, MoneyCall::Capture { .. });
    let has_gone_back = moved.gone_back() == moved.amount.minor_units();
    // The payer has paid on another page, before the one of then was asked for.
    let is_paid_again = matches!(sent.call, MoneyCall::Capture { .. }) && inner.lost.may_have_forgotten(order, moved);
    is_paid_again
        || (is_by_page && inner.lost.was_paid_on(moved))
        || (has_gone_back && inner.lost.knows_of_reference(&moved.reference))
}

/// I4: what reaches the bank is on record. Returns what it is for.
pub(crate) fn arrived(inner: &mut Inner, sent: &Sent) -> Option<Served> {
    let (reference, _) = sent.call.names();
    let on_record = inner.register.get(&(sent.merchant.clone(), sent.question)).cloned();
    let fits = on_record
        .as_ref()
        .is_some_and(|record| record.reference == reference.as_str() && record.amount == sent.call.amount());
    if !fits {
        inner.violate("I4", format!("{reference} arrives as {}, on record is {on_record:?}", sent.question));
    }
    let lateness = on_record.as_ref().map_or(SignedDuration::ZERO, |record| inner.now.duration_since(record.at));
    if lateness > SignedDuration::from_secs(5) {
        inner.violate("S1", format!("{reference} leaves {lateness} after it was put on record"));
    }
    if let MoneyCall::Debit { subscriber, .. } = &sent.call {
        i11_one_debit_of_a_card_a_day(inner, sent, subscriber.as_str());
    }
    on_record.map(|record| record.of)
}

fn i11_one_debit_of_a_card_a_day(inner: &mut Inner, sent: &Sent, subscriber: &str) {
    let today = inner.now.to_zoned(inner.zone.clone()).date();
    let name = (sent.merchant.clone(), subscriber.to_owned());
    let Some(kept) = inner.bank.kept.get_mut(&name) else { return };
    let is_second = kept.debited_on.contains(&today);
    kept.debited_on.push(today);
    if is_second {
        inner.violate("I11", format!("{subscriber} is debited twice on {today}"));
    }
}

/// I6: no debit beside an earlier one whose outcome is not known, nor beside a page that may be paid.
fn i6_nothing_earlier_is_open(inner: &mut Inner, before: &Order, number: u32, attempt: u32, at: Timestamp) {
    let is_open = |state: &AttemptState| {
        matches!(state, AttemptState::Sent(_) | AttemptState::InDoubt(_) | AttemptState::Quarantined { .. })
    };
    let due = before.instalment(number).unwrap();
    for earlier in due.debits.iter().filter(|debit| debit.attempt.number != attempt) {
        if is_open(&earlier.attempt.state) {
            inner.violate("I6", format!("instalment {number} of {} has a debit under way", before.id));
        }
        if matches!(earlier.attempt.state, AttemptState::Accepted { .. }) {
            inner.violate("I6", format!("instalment {number} of {} was debited", before.id));
        }
    }
    let is_live = |page: &&Checkout| {
        page.instalment == number && page.begins.is_none() && (page.is_open() || at < page.expires_at)
    };
    if let Some(page) = before.checkouts.iter().find(is_live) {
        inner.violate("I6", format!("instalment {number} of {} has page {:?}", before.id, page.number));
    }
}

/// I11: nothing before its date, one instalment of an order in each run, one debit a day.
fn i11_when_it_may_be_debited(inner: &mut Inner, before: &Order, after: &Order, number: u32, on: Option<Date>) {
    let today = inner.now.to_zoned(inner.zone.clone()).date();
    let due = after.instalment(number).unwrap();
    let run = due.debit().unwrap().run;
    if due.due > today || run > today {
        inner.violate("I11", format!("instalment {number} of {} is due on {}, run {run}", after.id, due.due));
    }
    let was_sent = |due: &Instalment| due.debits.iter().any(|debit| debit.run == run && debit.on.is_some());
    if before.schedule.iter().any(was_sent) {
        inner.violate("I11", format!("{} has a second debit in the run of {run}", after.id));
    }
    let same_day = |due: &Instalment| due.debits.iter().any(|debit| debit.on.is_some() && debit.on == on);
    if before.schedule.iter().any(same_day) {
        inner.violate("I11", format!("{} has a second debit on {on:?}", after.id));
    }
}

/// I12: nothing for a plan that was paused or ended before.
fn i12_the_plan_still_wants_it(inner: &mut Inner, before: &Order) {
    let wants = matches!(before.plan().map(|plan| &plan.state), Some(PlanState::Active { paused: false, .. }));
    if !wants || before.status != Status::Open {
        inner.violate("I12", format!("{} is debited, and its plan does not want it", before.id));
    }
}
