//! Which events somebody should look at.

use std::collections::BTreeSet;

use super::App;
use crate::{
    domain::{
        attempt::{AttemptState, Conclusion},
        event::{AskAnswer, Event},
        give_back::Next,
        ledger::EntryKind,
        order::{Decision, Order},
    },
    ports::{Alarm, AlarmKind},
};

impl App {
    /// Raises the alarms of what was just committed.
    pub(super) fn announce(&self, decision: &Decision) {
        for (kind, detail) in decision.events.iter().filter_map(alarm_of) {
            self.alarm(kind, &decision.order, detail);
        }
        let touched: BTreeSet<u32> = decision.events.iter().filter_map(give_back_of).collect();
        for give_back in touched.iter().filter_map(|number| decision.order.give_back(*number)) {
            if give_back.next() == Next::Person {
                let detail = format!("operation {} cannot be given back by itself", give_back.operation.number);
                self.alarm(AlarmKind::Quarantined, &decision.order, detail);
            }
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
            EntryKind::Capture { .. } | EntryKind::GivenBack { .. } => None,
        },
        Event::Quarantined { operation, why, .. } => {
            Some((AlarmKind::Quarantined, format!("operation {operation}: {why}")))
        }
        Event::Asked { authorised, .. } if !authorised.is_empty() => {
            Some((AlarmKind::NotCaptured, "authorised by the bank, and not captured yet".to_owned()))
        }
        Event::Asked { answer: AskAnswer::Silence { why }, .. } => Some((AlarmKind::BankSilent, why.clone())),
        Event::AttemptPostponed { why, .. } => Some((AlarmKind::BankSilent, format!("a call has to wait: {why}"))),
        Event::AttemptAsked { conclusion: Conclusion::Silence { .. }, .. } => {
            Some((AlarmKind::InDoubt, "still in doubt, and the bank does not answer".to_owned()))
        }
        Event::AttemptAnswered { state, .. } => match state {
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
        | Event::GivenBack { .. } => None,
    }
}

/// The give-back whose attempt an event is about.
fn give_back_of(event: &Event) -> Option<u32> {
    if let Event::AttemptAnswered { of, .. } | Event::AttemptAsked { of, .. } = event {
        Some(of.give_back)
    } else {
        None
    }
}
