//! What portals are told of what happened: the one place that makes the document of an event, for those who ask and for
//! those who are notified.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{events::FeedEvent, explain, quarantine_document};
use crate::domain::{
    checkout::{Locale, Says},
    correction::JournalKind,
    event::Event,
    hold::Verdict,
    ledger::{Entry, EntryKind},
    plan::PlanEnd,
};
use crate::planted::{self, Bug};

/// The types there are.
pub const TYPES: &[&str] = &[
    "order.placed",
    "order.settled",
    "order.cancelled",
    "order.surplus",
    "order.given_back",
    "checkout.issued",
    "checkout.closed",
    "checkout.refused",
    "checkout.captured",
    "checkout.unconfirmed",
    "checkout.quarantined",
    "checkout.card_refused",
    "plan.requested",
    "plan.approved",
    "plan.refused",
    "plan.withdrawn",
    "plan.activated",
    "plan.paused",
    "plan.resumed",
    "plan.completed",
    "plan.cancelled",
    "plan.defaulted",
    "plan.card_changed",
    "order.credited",
    "order.refund_requested",
    "order.settlement",
    "order.chargeback",
    "order.blocked",
    "order.unblocked",
    "order.quarantine_resolved",
    "instalment.paid_elsewhere",
    "instalment.written_off",
    "instalment.rescheduled",
    "instalment.debited",
    "instalment.refused",
    "instalment.arrears",
    "instalment.retried",
];

/// The document of an event, if portals are told of it.
pub fn document(event: &FeedEvent) -> Option<Value> {
    let (kind, data) = public(&event.recorded.event)?;
    Some(json!({
        "id": cursor(event.position),
        "type": kind,
        "at": event.recorded.at,
        "merchant": event.merchant,
        "order": event.order,
        "order_version": event.order_version,
        // The same under the name that every kind of event has.
        "object_version": event.order_version,
        "actor": event.recorded.actor,
        "data": data,
    }))
}

/// An event's id, and where to read on after it. Opaque to callers, so that it may change.
pub fn cursor(position: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("e{position}"))
}

/// What [`cursor`] wrote.
pub fn position(cursor: &str) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix('e')?.parse().ok()
}

/// What a portal is told of an event, if anything: its type and its data.
pub fn public(event: &Event) -> Option<(&'static str, Value)> {
    match event {
        Event::Placed(placed) => {
            Some(("order.placed", json!({"reference": placed.reference, "total": placed.totals.including_vat})))
        }
        Event::Settled => Some(("order.settled", json!({}))),
        Event::Cancelled { replaced_by } => Some(("order.cancelled", json!({"replaced_by": replaced_by}))),
        Event::CheckoutIssued(checkout) => {
            Some(("checkout.issued", json!({"checkout": checkout.number, "amount": checkout.amount})))
        }
        Event::CheckoutClosed { checkout, cause } => {
            Some(("checkout.closed", json!({"checkout": checkout, "cause": cause})))
        }
        Event::Reported { says: Says::Paid { operation, .. }, .. } if planted::is(Bug::PaidSaidOfReports) => {
            Some(("checkout.captured", json!({"operation": operation})))
        }
        Event::Reported { checkout, says: Says::Failed { code }, .. } => {
            Some(("checkout.refused", json!({"checkout": checkout, "code": code})))
        }
        Event::Captured { entry: booked } => match booked.kind {
            EntryKind::Surplus { .. } => Some(("order.surplus", entry(booked))),
            EntryKind::Debit { .. } => Some(("instalment.debited", entry(booked))),
            EntryKind::Capture { .. }
            | EntryKind::GivenBack { .. }
            | EntryKind::Settlement { .. }
            | EntryKind::Chargeback { .. } => Some(("checkout.captured", entry(booked))),
        },
        Event::GivenBack { entry: booked, .. } => Some(("order.given_back", entry(booked))),
        Event::ReportDoubted { checkout, .. } => Some(("checkout.unconfirmed", json!({"checkout": checkout}))),
        Event::Quarantined { checkout, .. } => Some(("checkout.quarantined", json!({"checkout": checkout}))),
        Event::PlanRequested(plan) => {
            Some(("plan.requested", json!({"plan": plan.number, "template": plan.template, "amounts": plan.amounts})))
        }
        Event::PlanApproved { plan, amounts, reason, .. } => {
            Some(("plan.approved", json!({"plan": plan, "amounts": amounts, "reason": reason})))
        }
        Event::PlanRefused { plan, reason, .. } => Some(("plan.refused", json!({"plan": plan, "reason": reason}))),
        Event::PlanWithdrawn { plan } => Some(("plan.withdrawn", json!({"plan": plan}))),
        Event::PlanActivated { plan, checkout, .. } => {
            Some(("plan.activated", json!({"plan": plan, "checkout": checkout})))
        }
        Event::CardChanged { plan, checkout, .. } => {
            Some(("plan.card_changed", json!({"plan": plan, "checkout": checkout})))
        }
        Event::PlanPaused { plan } => Some(("plan.paused", json!({"plan": plan}))),
        Event::PlanResumed { plan } => Some(("plan.resumed", json!({"plan": plan}))),
        Event::PlanEnded { plan, how: PlanEnd::Completed } => Some(("plan.completed", json!({"plan": plan}))),
        Event::PlanEnded { plan, how: PlanEnd::Defaulted } => Some(("plan.defaulted", json!({"plan": plan}))),
        Event::PlanEnded { plan, how: PlanEnd::Cancelled } => Some(("plan.cancelled", json!({"plan": plan}))),
        Event::CardJudged { checkout, verdict: Verdict::Refused { why }, .. } => {
            Some(("checkout.card_refused", json!({"checkout": checkout, "why": why.name()})))
        }
        Event::DebitWaits { instalment, until, code } => Some((
            "instalment.refused",
            json!({"instalment": instalment, "code": code, "explanation": both(code), "next_attempt_on": until}),
        )),
        Event::DebitInArrears { instalment, arrears, single_use } => Some((
            "instalment.arrears",
            json!({
                "instalment": instalment,
                "code": arrears.code,
                "explanation": both(&arrears.code),
                "class": arrears.class,
                "likely_single_use_number": single_use,
            }),
        )),
        Event::DebitRetried { instalment, on, .. } => {
            Some(("instalment.retried", json!({"instalment": instalment, "next_attempt_on": on})))
        }
        Event::Credited { note, terms } => Some((
            "order.credited",
            json!({
                "number": note.number,
                "amount": note.amount,
                "reason": note.reason,
                "cuts": note.cuts,
                "terms": terms,
            }),
        )),
        Event::RefundRequested { refund, .. } => Some((
            "order.refund_requested",
            json!({"number": refund.number, "amount": refund.amount, "reason": refund.reason}),
        )),
        Event::Journalled { entry } => {
            let kind = match &entry.kind {
                JournalKind::PaidElsewhere { .. } => "instalment.paid_elsewhere",
                JournalKind::WrittenOff => "instalment.written_off",
            };
            Some((kind, json!({"instalment": entry.instalment, "amount": entry.amount, "reason": entry.reason})))
        }
        Event::Rescheduled { instalment, due, reason } => {
            Some(("instalment.rescheduled", json!({"instalment": instalment, "due": due, "reason": reason})))
        }
        Event::EntrySettled { entry: booked } => Some(("order.settlement", entry(booked))),
        Event::ChargedBack { entry: booked, .. } => Some(("order.chargeback", entry(booked))),
        Event::Blocked => Some(("order.blocked", json!({}))),
        Event::Unblocked => Some(("order.unblocked", json!({}))),
        Event::QuarantineResolved { subject, decision } => {
            let (subject, decision) = (quarantine_document::subject(*subject), quarantine_document::verdict(*decision));
            Some(("order.quarantine_resolved", json!({"subject": subject, "decision": decision})))
        }
        Event::SettlementAsked { .. }
        | Event::SettlementOver { .. }
        | Event::VerdictGiven(_)
        | Event::CardJudged { verdict: Verdict::Accepted | Verdict::Checked, .. }
        | Event::Held(_)
        | Event::Released { .. }
        | Event::AttemptDropped { .. }
        | Event::SubscriberForgotten { .. }
        | Event::SubscriberPostponed { .. }
        | Event::Reported { .. }
        | Event::CheckoutHandedOver { .. }
        | Event::Prompted { .. }
        | Event::Asked { .. }
        | Event::AttemptPlanned { .. }
        | Event::AttemptPostponed { .. }
        | Event::AttemptSent { .. }
        | Event::AttemptAnswered { .. }
        | Event::AttemptAsked { .. } => None,
    }
}

/// The document of a ledger's entry.
pub fn entry(entry: &Entry) -> Value {
    let (kind, checkout, instalment, original) = match &entry.kind {
        EntryKind::Capture { checkout, instalment, .. } => ("capture", Some(*checkout), Some(*instalment), None),
        EntryKind::Debit { instalment } => ("capture", None, Some(*instalment), None),
        EntryKind::Surplus { checkout } => ("surplus", *checkout, None, None),
        EntryKind::GivenBack { original, .. } => ("refund", None, None, Some(original.to_string())),
        EntryKind::Settlement { original, .. } => ("settlement", None, None, Some(original.to_string())),
        EntryKind::Chargeback { original, instalment } => {
            ("chargeback", None, Some(*instalment), Some(original.to_string()))
        }
    };
    let remittance = match entry.kind {
        EntryKind::Settlement { remittance, .. } => Some(remittance.to_string()),
        EntryKind::Capture { .. }
        | EntryKind::Debit { .. }
        | EntryKind::Surplus { .. }
        | EntryKind::GivenBack { .. }
        | EntryKind::Chargeback { .. } => None,
    };
    json!({
        "kind": kind,
        "at": entry.at,
        "amount": entry.amount,
        "operation": entry.operation.number.to_string(),
        "call": entry.operation.call.to_string(),
        "checkout": checkout,
        "instalment": instalment,
        "original": original,
        "remittance": remittance,
    })
}

/// What a code means, in both languages.
fn both(code: &str) -> Value {
    json!({"fr": explain(code, Locale::Fr), "en": explain(code, Locale::En)})
}
