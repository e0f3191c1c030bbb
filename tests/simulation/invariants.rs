//! What must hold after every step, each under its number in the design. The judge is the bank's own ledger.

use guichet::domain::{
    attempt::AttemptState,
    bank::{MoneyCall, OperationStatus},
    chain::Link,
    event::{Event, Recorded},
    hold::Verdict,
    ids::OrderId,
    ledger::EntryKind,
    order::{Order, Status},
    plan::{PlanEnd, PlanState},
    purpose::Purpose,
    schedule::Instalment,
};
use jiff::{SignedDuration, civil::Date};

use crate::{
    line::Sent,
    world::{Inner, OnRecord},
};

/// The order as its events make it, which must be the one that is stored.
pub(crate) fn replayed(
    inner: &mut Inner,
    before: Option<&Order>,
    events: &[Recorded],
    (state, chain): (&str, Option<Link>),
) -> Option<Order> {
    let replayed = match before {
        None => Order::replay(events.iter().map(|recorded| (&recorded.event, recorded.at))),
        Some(before) => {
            let mut order = before.clone();
            events.iter().try_for_each(|recorded| order.apply(&recorded.event, recorded.at)).map(|()| order)
        }
    };
    match replayed {
        Ok(mut order) => {
            order.chain = chain;
            // Most commits change what the next one's events have to fit, too.
            if inner.rng.chance(250) && serde_json::to_string(&order).unwrap() != state {
                inner.violate("replay", format!("the events of {} do not make its state", order.id));
            }
            Some(order)
        }
        Err(why) => {
            inner.violate("replay", why.to_string());
            None
        }
    }
}

/// A commit of an order.
pub(crate) fn committed(inner: &mut Inner, before: Option<&Order>, after: &Order, events: &[Recorded]) {
    for recorded in events {
        notice(inner, &recorded.event);
        if let Some(before) = before
            && let Event::AttemptSent { of, sending, on } = &recorded.event
        {
            let attempt = after.attempt(*of).unwrap();
            let (reference, _) = attempt.call.names();
            let sent = OnRecord {
                order: after.id,
                purpose: of.purpose,
                reference: reference.as_str().to_owned(),
                amount: attempt.call.amount(),
                at: sending.at,
            };
            inner.register.insert((after.merchant.to_string(), sending.question.get()), sent);
            if let Purpose::Debit(number) = of.purpose {
                i6_nothing_earlier_is_open(inner, before, number, of.attempt, recorded.at);
                i11_when_it_may_be_debited(inner, before, after, number, *on);
                i12_the_plan_still_wants_it(inner, before);
            }
        }
    }
    i2_never_more_than_owed(inner, after);
    i5_one_open_attempt(inner, after);
    i8_paid_is_booked(inner, before, after);
    i14_active_with_an_accepted_card(inner, after);
    // What `guichet audit` looks for holds of every order that ever was.
    for breach in after.breaches() {
        inner.violate(breach.invariant, format!("{}: {}", after.id, breach.what));
    }
}

/// I1: captures that we start, by the bank's ledger. And what was concluded not to be done is not done.
pub(crate) fn executed(inner: &mut Inner, sent: &Sent) {
    let Some((order, purpose)) = sent.of else { return };
    let given_up = inner.store.orders().filter(|stored| stored.id == order).any(|stored| {
        let its = |attempt: &&guichet::domain::attempt::Attempt| attempt.call.names() == sent.call.names();
        let state = stored.attempts(purpose).into_iter().find(its).map(|attempt| &attempt.state);
        matches!(state, Some(AttemptState::NotExecuted | AttemptState::Refused { .. }))
    });
    if given_up {
        inner.violate("A2", format!("{} is done after it was concluded not to be", sent.call.names().0));
    }
    let Some(instalment) = instalment_of(purpose) else { return };
    let captured = inner.bank.moved.iter().filter(|moved| {
        let for_it = |(of, purpose): (OrderId, Purpose)| of == order && instalment_of(purpose) == Some(instalment);
        moved.was_captured && moved.captured_for.is_some_and(for_it)
    });
    let captured = captured.count();
    if captured > 1 {
        inner.violate("I1", format!("instalment {instalment} of {order} was captured {captured} times by us"));
    }
}

fn instalment_of(purpose: Purpose) -> Option<u32> {
    match purpose {
        Purpose::Debit(number) => Some(number),
        Purpose::Capture(_) => Some(1),
        Purpose::GiveBack(_) => None,
    }
}

/// I4: what reaches the bank is on record. Returns what it is for.
pub(crate) fn arrived(inner: &mut Inner, sent: &Sent) -> Option<(OrderId, Purpose)> {
    let (reference, _) = sent.call.names();
    let on_record = inner.register.get(&(sent.merchant.clone(), sent.question)).cloned();
    let fits = on_record
        .as_ref()
        .is_some_and(|record| record.reference == reference.as_str() && record.amount == sent.call.amount());
    if !fits {
        inner.violate("I4", format!("{reference} arrives as {}, on record is {on_record:?}", sent.question));
    }
    let lateness = on_record.as_ref().map_or(SignedDuration::ZERO, |record| inner.now.duration_since(record.at));
    // The two processes' clocks may be a little apart.
    if lateness > SignedDuration::from_secs(6) {
        inner.violate("S1", format!("{reference} leaves {lateness} after it was put on record"));
    }
    if let MoneyCall::Debit { subscriber, .. } = &sent.call {
        i11_one_debit_of_a_card_a_day(inner, sent, subscriber.as_str());
    }
    on_record.map(|record| (record.order, record.purpose))
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
fn i6_nothing_earlier_is_open(inner: &mut Inner, before: &Order, number: u32, attempt: u32, at: jiff::Timestamp) {
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
    let is_live = |page: &&guichet::domain::checkout::Checkout| {
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

/// I2: what was captured and not given back is no more than the total, and all surplus is on its way back.
fn i2_never_more_than_owed(inner: &mut Inner, after: &Order) {
    let sum = |counts: fn(&EntryKind) -> bool| -> i64 {
        let counted = after.ledger.iter().filter(|entry| counts(&entry.kind));
        counted.map(|entry| entry.amount.minor_units()).sum()
    };
    let paid = sum(|kind| matches!(kind, EntryKind::Capture { .. } | EntryKind::Debit { .. }));
    let (surplus, returned) = (
        sum(|kind| matches!(kind, EntryKind::Surplus { .. })),
        sum(|kind| matches!(kind, EntryKind::GivenBack { .. })),
    );
    if paid > after.totals.including_vat.minor_units() || returned > surplus {
        inner.violate("I2", format!("{}: paid {paid}, surplus {surplus}, given back {returned}", after.id));
    }
    for entry in after.ledger.iter().filter(|entry| matches!(entry.kind, EntryKind::Surplus { .. })) {
        if after.give_backs.iter().all(|given| given.operation != entry.operation) {
            inner.violate("I2", format!("{}: surplus {:?} does not go back", after.id, entry.operation));
        }
        if matches!(entry.kind, EntryKind::Surplus { checkout: None }) {
            let is_excused = after.checkouts.iter().any(|page| {
                let shown = |moved: &crate::bank::Moved| {
                    moved.reference == page.reference.as_str() && moved.status != OperationStatus::Refused
                };
                inner.bank.moved.iter().any(shown) && (inner.nature.captures_late || page.begins.is_none())
            });
            inner.count("a debit of ours is surplus");
            if !is_excused {
                inner.violate("I2", format!("{}: a debit of ours is surplus", after.id));
            }
        }
    }
}

/// I5: at most one open attempt at each thing.
fn i5_one_open_attempt(inner: &mut Inner, after: &Order) {
    for due in &after.schedule {
        let debits = due.debits.iter().filter(|debit| debit.attempt.is_open()).count();
        if debits > 1 || (debits > 0 && due.paid && !was_paid_by_page(after, due)) {
            inner.violate("I5", format!("{} has {debits} open debits of instalment {}", after.id, due.number));
        }
    }
    let captures = after.holds.iter().flat_map(|hold| &hold.captures).filter(|attempt| attempt.is_open()).count();
    if captures > 1 {
        inner.violate("I5", format!("{} has {captures} open captures", after.id));
    }
    for given in &after.give_backs {
        if given.attempts.iter().filter(|attempt| attempt.is_open()).count() > 1 {
            inner.violate("I5", format!("{} has two open calls of give-back {}", after.id, given.number));
        }
    }
}

fn was_paid_by_page(after: &Order, due: &Instalment) -> bool {
    let by_page = |kind: &EntryKind| matches!(kind, EntryKind::Capture { instalment, .. } if *instalment == due.number);
    after.ledger.iter().any(|entry| by_page(&entry.kind))
}

/// I8: paid if and only if it is in the ledger, and in the ledger only what the bank shows.
fn i8_paid_is_booked(inner: &mut Inner, before: Option<&Order>, after: &Order) {
    for due in &after.schedule {
        let pays = |kind: &EntryKind| match kind {
            EntryKind::Capture { instalment, .. } | EntryKind::Debit { instalment } => *instalment == due.number,
            EntryKind::Surplus { .. }
            | EntryKind::GivenBack { .. }
            | EntryKind::Settlement { .. }
            | EntryKind::Chargeback { .. } => false,
        };
        let booked = after.ledger.iter().filter(|entry| pays(&entry.kind)).count();
        if booked != usize::from(due.paid) {
            inner.violate("I8", format!("instalment {} of {}: paid {}", due.number, after.id, due.paid));
        }
    }
    for entry in after.ledger.iter().skip(before.map_or(0, |before| before.ledger.len())) {
        let number = match entry.kind {
            EntryKind::GivenBack { original, .. } => original,
            _ => entry.operation.number,
        };
        let moved = inner.bank.find(number).filter(|moved| moved.merchant == after.merchant.as_str());
        let holds = moved.is_some_and(|moved| match entry.kind {
            EntryKind::GivenBack { .. } => {
                matches!(moved.status, OperationStatus::Cancelled | OperationStatus::Refunded)
            }
            _ => moved.was_captured && moved.amount == entry.amount,
        });
        if !holds {
            inner.violate("I8", format!("{} books {entry:?}, the bank has {moved:?}", after.id));
        }
    }
}

/// I14: who is debited has a card that was accepted, and that deserves it.
fn i14_active_with_an_accepted_card(inner: &mut Inner, after: &Order) {
    let Some(PlanState::Active { card, .. }) = after.plan().map(|plan| &plan.state) else { return };
    let is_its = |hold: &&guichet::domain::hold::Hold| {
        let begins = after.checkout(hold.checkout).and_then(|page| page.begins.as_deref());
        begins.is_some_and(|begins| begins.subscriber == card.subscriber)
    };
    let hold = after.holds.iter().filter(is_its).find(|hold| hold.captured && hold.verdict == Some(Verdict::Accepted));
    let Some(hold) = hold else {
        inner.violate("I14", format!("the plan of {} is active without an accepted card", after.id));
        return;
    };
    let last_due = after.schedule.iter().map(|due| due.due).max().unwrap();
    let paid_with = inner.bank.find(hold.operation.number).map(|moved| moved.card.clone());
    if paid_with.is_none_or(|card| card.is_virtual() || !card.end.covers(last_due)) {
        inner.violate("I14", format!("the plan of {} is active with a card that no plan takes", after.id));
    }
}

/// I14: the card of an active plan stays at the bank.
pub(crate) fn forgotten(inner: &mut Inner, merchant: &str, subscriber: &str) {
    let debits = |order: &&Order| {
        let card = order.plan().and_then(guichet::domain::plan::Plan::card);
        order.merchant.as_str() == merchant && card.is_some_and(|card| card.subscriber.as_str() == subscriber)
    };
    let whose = inner.store.orders().find(debits).map(|order| order.id);
    if let Some(id) = whose {
        inner.violate("I14", format!("the card of the active plan of {id} is forgotten"));
    }
}

/// What is interesting enough to have occurred somewhere.
fn notice(inner: &mut Inner, event: &Event) {
    let what = match event {
        Event::PlanActivated { .. } => "plan: active",
        Event::PlanEnded { how: PlanEnd::Completed, .. } => "plan: completed",
        Event::PlanEnded { how: PlanEnd::Cancelled, .. } => "plan: cancelled",
        Event::PlanPaused { .. } => "plan: paused",
        Event::PlanResumed { .. } => "plan: resumed",
        Event::PlanWithdrawn { .. } => "plan: withdrawn",
        Event::Settled => "order: settled",
        Event::Cancelled { .. } => "order: cancelled",
        Event::Quarantined { .. } => "operation: quarantined",
        Event::ReportDoubted { .. } => "report: doubted",
        Event::CardJudged { verdict: Verdict::Refused { .. }, .. } => "card: refused",
        Event::DebitWaits { .. } => "debit: will be tried again",
        Event::DebitInArrears { .. } => "debit: in arrears",
        Event::DebitRetried { .. } => "debit: again, as accounting wants",
        Event::AttemptDropped { .. } => "attempt: dropped",
        Event::AttemptPostponed { .. } => "attempt: postponed",
        Event::SubscriberForgotten { .. } => "subscriber: forgotten",
        Event::GivenBack { .. } => "surplus: given back",
        Event::Released { .. } => "hold: released",
        Event::Captured { entry } => match entry.kind {
            EntryKind::Capture { .. } => "captured: by a page",
            EntryKind::Debit { .. } => "captured: by a debit",
            EntryKind::Surplus { .. } => "captured: surplus",
            EntryKind::Settlement { .. } | EntryKind::Chargeback { .. } | EntryKind::GivenBack { .. } => return,
        },
        Event::AttemptAnswered { state: AttemptState::InDoubt(_), .. } => "attempt: in doubt",
        Event::AttemptAnswered { state: AttemptState::Quarantined { .. }, .. } => "attempt: quarantined",
        Event::AttemptAsked { conclusion, .. } => match conclusion {
            guichet::domain::attempt::Conclusion::Accepted { .. } => "doubt: was accepted",
            guichet::domain::attempt::Conclusion::Refused { .. } => "doubt: was refused",
            guichet::domain::attempt::Conclusion::NotExecuted => "doubt: was not executed",
            guichet::domain::attempt::Conclusion::Quarantined { .. } => "doubt: ended before a person",
            guichet::domain::attempt::Conclusion::AskAgain { .. }
            | guichet::domain::attempt::Conclusion::Silence { .. } => return,
        },
        _ => return,
    };
    inner.count(what);
}
