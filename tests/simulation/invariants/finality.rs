//! I5, I9, I10: only the transitions drawn, and what is final stays.

use guichet::domain::{
    attempt::{Attempt, AttemptState},
    event::{Event, Recorded},
    ledger::EntryKind,
    order::{Order, Status},
    plan::PlanState,
    purpose::Purpose,
    schedule::Instalment,
};

use crate::world::Inner;

/// I9, I10: how an order may follow from what it was.
pub(super) fn followed(inner: &mut Inner, before: &Order, after: &Order, events: &[Recorded]) {
    let has = |is_it: fn(&Event) -> bool| events.iter().any(|recorded| is_it(&recorded.event));
    let is_charged_back = has(|event| matches!(event, Event::ChargedBack { .. }));
    let is_resolved = has(|event| matches!(event, Event::QuarantineResolved { .. }));
    let mut broken: Vec<String> = Vec::new();
    let fine = match (before.status, after.status) {
        (Status::Open, _) => true,
        (Status::Settled { .. }, Status::Open) => is_charged_back,
        (one, other) => one == other,
    };
    if !fine {
        broken.push(format!("it was {:?} and is {:?}", before.status, after.status));
    }
    if !after.ledger.starts_with(&before.ledger) {
        broken.push("its ledger lost or changed an entry".to_owned());
    }
    if !after.credit_notes.starts_with(&before.credit_notes)
        || !after.refunds.starts_with(&before.refunds)
        || !after.journal.starts_with(&before.journal)
    {
        broken.push("a credit note, refund or journal entry has changed".to_owned());
    }
    for (one, other) in before.plans.iter().zip(&after.plans) {
        if !plan_may_follow(&one.state, &other.state) {
            broken.push(format!("plan {} was {:?} and is {:?}", one.number, one.state, other.state));
        }
    }
    for due in &before.schedule {
        let stands = after.instalment(due.number).is_some_and(|now| {
            (now.paid || !due.paid || is_charged_back) && (now.waived == due.waived || due.waived.is_none())
        });
        // A plan's beginning replaces the schedule of an order that is paid at once.
        if !stands && before.schedule.len() == after.schedule.len() {
            broken.push(format!("instalment {} was {due:?}", due.number));
        }
    }
    for (purpose, attempts) in attempts(before) {
        for attempt in attempts {
            let now = after.attempts(purpose).into_iter().find(|now| now.number == attempt.number);
            let follows = now.is_some_and(|now| now.call == attempt.call && may_follow(attempt, now, is_resolved));
            if !follows {
                broken.push(format!("{purpose:?} was {attempt:?} and is {now:?}"));
            }
        }
    }
    for what in broken {
        inner.violate("I9/I10", format!("{}: {what}", after.id));
    }
}

fn plan_may_follow(before: &PlanState, after: &PlanState) -> bool {
    match before {
        PlanState::Requested => !matches!(after, PlanState::Active { .. } | PlanState::Ended { .. }),
        PlanState::Approved { .. } => !matches!(after, PlanState::Requested | PlanState::Refused { .. }),
        PlanState::Active { .. } => matches!(after, PlanState::Active { .. } | PlanState::Ended { .. }),
        PlanState::Refused { .. } | PlanState::Withdrawn { .. } | PlanState::Ended { .. } => before == after,
    }
}

fn may_follow(before: &Attempt, after: &Attempt, is_resolved: bool) -> bool {
    use AttemptState as State;
    match (&before.state, &after.state) {
        (one, other) if one == other => true,
        // Only what has not left may be postponed, leave, or be dropped.
        (State::Ready { .. }, State::InDoubt(_)) => false,
        (State::Ready { .. }, _) => true,
        (State::Sent(_), State::Ready { .. }) => false,
        (State::Sent(sending), State::InDoubt(doubt)) => doubt.sending == *sending,
        (State::Sent(sending), State::Sent(other)) => sending == other,
        (State::Sent(_), _) => true,
        (State::InDoubt(doubt), State::InDoubt(other)) => doubt.sending == other.sending,
        (State::InDoubt(_), State::Ready { .. } | State::Sent(_)) => false,
        (State::InDoubt(_), _) => true,
        (State::Quarantined { .. }, State::Accepted { .. } | State::NotExecuted) => is_resolved,
        (State::Quarantined { .. } | State::Accepted { .. } | State::Refused { .. } | State::NotExecuted, _) => false,
    }
}

fn attempts(order: &Order) -> impl Iterator<Item = (Purpose, Vec<&Attempt>)> {
    let debits = order.schedule.iter().map(|due| Purpose::Debit(due.number));
    let captures = order.holds.iter().map(|hold| Purpose::Capture(hold.number));
    let give_backs = order.give_backs.iter().map(|given| Purpose::GiveBack(given.number));
    debits.chain(captures).chain(give_backs).map(|purpose| (purpose, order.attempts(purpose)))
}

/// I5: at most one open attempt at each thing.
pub(super) fn i5_one_open_attempt(inner: &mut Inner, after: &Order) {
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
    let by_page = |kind: &EntryKind| match kind {
        EntryKind::Capture { instalment, rest, .. } => *instalment == due.number || rest.contains(&due.number),
        _ => false,
    };
    after.ledger.iter().any(|entry| by_page(&entry.kind))
}
