//! What is interesting enough to have occurred somewhere.

use guichet::domain::{
    attempt::{AttemptState, Conclusion},
    correction::JournalKind,
    event::Event,
    hold::Verdict,
    ledger::EntryKind,
    plan::PlanEnd,
    quarantine::PeoplesVerdict,
    schedule::OTHER_AMOUNT,
};

use crate::world::Inner;

pub(super) fn notice(inner: &mut Inner, event: &Event) {
    let what = match event {
        Event::PlanActivated { .. } => "plan: active",
        Event::PlanEnded { how: PlanEnd::Completed, .. } => "plan: completed",
        Event::PlanEnded { how: PlanEnd::Cancelled, .. } => "plan: cancelled",
        Event::PlanEnded { how: PlanEnd::Defaulted, .. } => "plan: defaulted",
        Event::CardChanged { .. } => "plan: another card",
        Event::CardJudged { verdict: Verdict::Checked, .. } => "card: checked",
        Event::Credited { note, .. } if note.cuts.is_empty() => "credit note: of what was paid",
        Event::Credited { .. } => "credit note: of what was to be paid",
        Event::RefundRequested { refund, .. } if refund.credit_note.is_some() => "refund: against a credit note",
        Event::RefundRequested { .. } => "refund: of what was overpaid",
        Event::Journalled { entry } => match entry.kind {
            JournalKind::PaidElsewhere { .. } => "instalment: paid elsewhere",
            JournalKind::WrittenOff => "instalment: written off",
        },
        Event::Rescheduled { .. } => "instalment: rescheduled",
        Event::EntrySettled { .. } => "capture: settled",
        Event::SettlementAsked { .. } => "capture: not settled yet",
        Event::SettlementOver { .. } => "capture: went back before it was settled",
        Event::ChargedBack { .. } => "capture: charged back",
        Event::Blocked => "order: blocked",
        Event::Unblocked => "order: unblocked",
        Event::QuarantineResolved { decision, .. } => match decision {
            PeoplesVerdict::Executed { .. } => "verdict: executed",
            PeoplesVerdict::NotExecuted => "verdict: not executed",
            PeoplesVerdict::Closed => "verdict: closed",
        },
        Event::PlanPaused { .. } => "plan: paused",
        Event::PlanResumed { .. } => "plan: resumed",
        Event::PlanWithdrawn { .. } => "plan: withdrawn",
        Event::Settled => "order: settled",
        Event::Cancelled { replaced_by: Some(_) } => "order: replaced",
        Event::Cancelled { replaced_by: None } => "order: cancelled",
        Event::Quarantined { why, .. } if why.contains("not captured in time") => "capture: awaited too long",
        Event::Quarantined { .. } => "operation: quarantined",
        Event::ReportDoubted { asks, .. } if !asks.is_empty() => "report: doubted, and asked for again",
        Event::ReportDoubted { .. } => "report: doubted",
        Event::Asked { let_go: true, .. } => "card: forgotten, as its money was let go",
        Event::CardJudged { verdict: Verdict::Refused { .. }, .. } => "card: refused",
        Event::DebitWaits { .. } => "debit: will be tried again",
        Event::DebitInArrears { arrears, .. } if arrears.code == OTHER_AMOUNT => "debit: of another amount",
        Event::DebitInArrears { .. } => "debit: in arrears",
        Event::DebitRetried { .. } => "debit: again, as accounting wants",
        Event::AttemptDropped { .. } => "attempt: dropped",
        Event::AttemptPostponed { why, .. } if why.starts_with("the store went back") => "reconcile: a refund waits",
        Event::AttemptPostponed { .. } => "attempt: postponed",
        Event::SubscriberForgotten { .. } => "subscriber: forgotten",
        Event::GivenBack { entry, .. } => match entry.kind {
            EntryKind::GivenBack { give_back: Some(_), .. } => "refund: given back",
            _ => "surplus: given back",
        },
        Event::Released { .. } => "hold: released",
        Event::Captured { entry } => match entry.kind {
            EntryKind::Capture { ref rest, .. } if !rest.is_empty() => "captured: the rest at once",
            EntryKind::Capture { .. } => "captured: by a page",
            EntryKind::Debit { .. } => "captured: by a debit",
            EntryKind::Surplus { .. } => "captured: surplus",
            EntryKind::Settlement { .. } | EntryKind::Chargeback { .. } | EntryKind::GivenBack { .. } => return,
        },
        Event::AttemptAnswered { state: AttemptState::InDoubt(_), .. } => "attempt: in doubt",
        Event::AttemptAnswered { state: AttemptState::Quarantined { .. }, .. } => "attempt: quarantined",
        Event::AttemptAsked { conclusion, .. } => match conclusion {
            Conclusion::Accepted { .. } => "doubt: was accepted",
            Conclusion::Refused { .. } => "doubt: was refused",
            Conclusion::NotExecuted => "doubt: was not executed",
            Conclusion::Quarantined { .. } => "doubt: ended before a person",
            Conclusion::AskAgain { .. } | Conclusion::Silence { .. } => return,
        },
        _ => return,
    };
    inner.count(what);
}
