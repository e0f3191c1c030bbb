//! Which events somebody should look at.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{App, debit_run::outcome};
use crate::{
    domain::{
        attempt::{AttemptState, Conclusion},
        card::CardRefusal,
        event::{AskAnswer, Event},
        give_back::Next,
        hold::Verdict,
        ledger::EntryKind,
        order::{Decision, Order},
        purpose::Purpose,
    },
    planted::{self, Bug},
    ports::{Alarm, AlarmKind, Counted},
};

/// Later than this a capture should have reached the merchant.
const SETTLES_WITHIN: SignedDuration = SignedDuration::from_hours(3 * 24);

impl App {
    /// Raises the alarms of what was just committed.
    pub(super) fn announce(&self, decision: &Decision) {
        let late = decision.events.iter().filter_map(|event| not_settled(&decision.order, event));
        for (kind, detail) in decision.events.iter().filter_map(alarm_of).chain(late) {
            self.alarm(kind, &decision.order, detail);
        }
        for outcome in decision.events.iter().filter_map(|event| debit_outcome(event, &decision.order)) {
            self.ports.alarms.count(decision.order.merchant.as_str(), Counted::Debit(outcome));
        }
        let touched: BTreeSet<Purpose> = decision.events.iter().filter_map(purpose_of).collect();
        for detail in touched.iter().filter_map(|purpose| stuck(&decision.order, *purpose)) {
            self.alarm(AlarmKind::Quarantined, &decision.order, detail);
        }
    }

    pub(super) fn alarm(&self, kind: AlarmKind, order: &Order, detail: String) {
        let (merchant, subject) = (order.merchant.to_string(), order.id.to_string());
        self.ports.alarms.raise(Alarm { kind, merchant, subject, detail });
    }
}

fn alarm_of(event: &Event) -> Option<(AlarmKind, String)> {
    match event {
        Event::ReportDoubted { operation, .. } => Some((
            AlarmKind::ReportDoubted,
            format!("operation {operation} was reported paid; the bank does not confirm it"),
        )),
        Event::Captured { entry } => match entry.kind {
            EntryKind::Surplus { .. } => {
                Some((AlarmKind::Surplus, format!("operation {} is surplus", entry.operation.number)))
            }
            EntryKind::Capture { .. }
            | EntryKind::Debit { .. }
            | EntryKind::GivenBack { .. }
            | EntryKind::Settlement { .. }
            | EntryKind::Chargeback { .. } => None,
        },
        Event::Quarantined { operation, why, .. } => {
            Some((AlarmKind::Quarantined, format!("operation {operation}: {why}")))
        }
        Event::Asked { authorised, .. } if !authorised.is_empty() => {
            Some((AlarmKind::NotCaptured, "authorised by the bank, and not captured yet".to_owned()))
        }
        Event::Asked { answer: AskAnswer::Silence { why }, .. } => Some((AlarmKind::BankSilent, why.clone())),
        Event::AttemptPostponed { of, why, .. } => Some((AlarmKind::CallWaits, format!("{}: {why}", of.purpose))),
        Event::CardJudged { verdict: Verdict::Refused { why: CardRefusal::Contradictory }, .. } => {
            Some((AlarmKind::CallbackVariant, "notifications of one payment tell of different cards".to_owned()))
        }
        // Judged with its order.
        Event::SettlementAsked { .. } => None,
        Event::SubscriberPostponed { why, .. } => {
            Some((AlarmKind::BankSilent, format!("a card cannot be forgotten yet: {why}")))
        }
        Event::AttemptAsked { conclusion: Conclusion::Silence { .. }, .. } => {
            Some((AlarmKind::InDoubt, "still in doubt, and the bank does not answer".to_owned()))
        }
        Event::AttemptAnswered { state, .. } => match state {
            AttemptState::InDoubt(_) if planted::is(Bug::DoubtKeptSilent) => None,
            AttemptState::InDoubt(doubt) => Some((AlarmKind::InDoubt, doubt.why.clone())),
            AttemptState::Ready { .. }
            | AttemptState::Sent(_)
            | AttemptState::Quarantined { .. }
            | AttemptState::Accepted { .. }
            | AttemptState::Refused { .. }
            | AttemptState::NotExecuted => None,
        },
        Event::AttemptAsked { .. }
        | Event::Asked { .. }
        | Event::Placed(_)
        | Event::Settled
        | Event::Cancelled { .. }
        | Event::CheckoutIssued(_)
        | Event::CheckoutHandedOver { .. }
        | Event::CheckoutClosed { .. }
        | Event::Reported { .. }
        | Event::Prompted { .. }
        | Event::AttemptPlanned { .. }
        | Event::AttemptSent { .. }
        | Event::AttemptDropped { .. }
        | Event::GivenBack { .. }
        | Event::Released { .. }
        | Event::PlanRequested(_)
        | Event::PlanApproved { .. }
        | Event::PlanRefused { .. }
        | Event::PlanWithdrawn { .. }
        | Event::Held(_)
        | Event::CardJudged { .. }
        | Event::PlanActivated { .. }
        | Event::CardChanged { .. }
        | Event::PlanPaused { .. }
        | Event::PlanResumed { .. }
        | Event::PlanEnded { .. }
        | Event::DebitWaits { .. }
        | Event::DebitInArrears { .. }
        | Event::DebitRetried { .. }
        | Event::Credited { .. }
        | Event::RefundRequested { .. }
        | Event::Journalled { .. }
        | Event::Rescheduled { .. }
        | Event::EntrySettled { .. }
        | Event::SettlementOver { .. }
        | Event::ChargedBack { .. }
        | Event::Blocked
        | Event::Unblocked
        | Event::VerdictGiven(_)
        | Event::QuarantineResolved { .. }
        | Event::SubscriberForgotten { .. } => None,
    }
}

/// A capture that takes long to reach the merchant.
fn not_settled(order: &Order, event: &Event) -> Option<(AlarmKind, String)> {
    let Event::SettlementAsked { operation, again, why } = event else { return None };
    let unsettled = order.unsettled.iter().find(|unsettled| unsettled.operation.number == *operation)?;
    let since = again.duration_since(unsettled.since);
    let detail = format!("operation {operation} has not reached the merchant since {}: {why}", unsettled.since);
    (since > SETTLES_WITHIN).then_some((AlarmKind::NotSettled, detail))
}

/// What a debit came to by an event. One that stays in doubt has come to nothing new.
fn debit_outcome(event: &Event, order: &Order) -> Option<&'static str> {
    let Purpose::Debit(number) = purpose_of(event)? else { return None };
    if let Event::AttemptAsked { conclusion: Conclusion::AskAgain { .. } | Conclusion::Silence { .. }, .. } = event {
        return None;
    }
    order.instalment(number)?.debit().map(outcome)
}

/// What the attempt was for that an event is about.
fn purpose_of(event: &Event) -> Option<Purpose> {
    if let Event::AttemptAnswered { of, .. } | Event::AttemptAsked { of, .. } = event { Some(of.purpose) } else { None }
}

/// What a person has to see to, when it is that.
fn stuck(order: &Order, purpose: Purpose) -> Option<String> {
    match purpose {
        Purpose::GiveBack(number) => {
            let given = order.give_back(number).filter(|given| given.next() == Next::Person)?;
            Some(format!("operation {} cannot be given back by itself", given.operation.number))
        }
        Purpose::Capture(number) => {
            let hold = order.hold(number).filter(|hold| hold.next() == Next::Person)?;
            Some(format!("operation {} cannot be captured by itself", hold.operation.number))
        }
        Purpose::Debit(number) => {
            let due = order.instalment(number).filter(|due| due.is_quarantined())?;
            Some(format!("what became of a debit of instalment {} cannot be told", due.number))
        }
    }
}
