//! What of an order's document tells of corrections: credit notes, refunds, what happened outside PAYBOX, what waits.

use serde_json::{Map, Value, json};

use crate::app::quarantine_document;
use crate::domain::{
    correction::{CreditNote, JournalEntry, JournalKind, Refund},
    ledger::EntryKind,
    order::{Order, Waiting},
    quarantine::GivenVerdict,
};

/// The members of an order's document that this file is about.
pub(super) fn members(order: &Order) -> Map<String, Value> {
    let members = [
        ("owed", json!(order.owed_in_all())),
        ("refunded", json!(order.refunded_in_all())),
        ("paid_elsewhere", json!(order.paid_elsewhere())),
        ("overpaid", json!(order.overpaid())),
        ("blocked", json!(order.blocked)),
        ("credit_notes", order.credit_notes.iter().map(credit_note).collect()),
        ("refunds", order.refunds.iter().map(|each| refund(order, each)).collect()),
        ("journal", order.journal.iter().map(journal_entry).collect()),
        ("unsettled", unsettled(order)),
        ("waiting", waiting(order)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn credit_note(note: &CreditNote) -> Value {
    json!({
        "number": note.number,
        "at": note.at,
        "by": note.by,
        "amount": note.amount,
        "reason": note.reason,
        "cuts": note.cuts,
    })
}

fn refund(order: &Order, refund: &Refund) -> Value {
    let parts = order.give_backs.iter().filter(|given| given.refund == Some(refund.number));
    let parts = parts.map(|part| {
        json!({
            "give_back": part.number,
            "operation": part.operation.number.to_string(),
            "amount": part.amount,
            "status": part.status(),
        })
    });
    json!({
        "number": refund.number,
        "at": refund.at,
        "by": refund.by,
        "amount": refund.amount,
        "reason": refund.reason,
        "credit_note": refund.credit_note,
        "parts": parts.collect::<Value>(),
    })
}

fn journal_entry(entry: &JournalEntry) -> Value {
    let (kind, on, reference) = match &entry.kind {
        JournalKind::PaidElsewhere { on, reference } => ("paid_elsewhere", Some(on), Some(reference)),
        JournalKind::WrittenOff => ("written_off", None, None),
    };
    json!({
        "kind": kind,
        "at": entry.at,
        "by": entry.by,
        "instalment": entry.instalment,
        "amount": entry.amount,
        "on": on,
        "reference": reference,
        "reason": entry.reason,
    })
}

/// Captures that have not reached the merchant's account, as far as is known.
fn unsettled(order: &Order) -> Value {
    order.unsettled.iter().map(|each| json!(each.operation.number.to_string())).collect()
}

/// What waits for people, with what they have made of it so far.
pub(super) fn waiting(order: &Order) -> Value {
    order.waiting().iter().map(|each| waits(order, each)).collect()
}

fn waits(order: &Order, waiting: &Waiting) -> Value {
    let verdicts = order.verdicts.iter().filter(|given| given.subject == waiting.subject).map(verdict);
    json!({"subject": quarantine_document::subject(waiting.subject), "why": waiting.why, "verdicts": verdicts.collect::<Value>()})
}

fn verdict(given: &GivenVerdict) -> Value {
    let mut document = quarantine_document::verdict(given.verdict);
    document.insert("at".to_owned(), json!(given.at));
    document.insert("by".to_owned(), json!(given.by));
    document.insert("evidence".to_owned(), json!(given.evidence));
    Value::Object(document)
}

/// Whether an entry is money that came in.
pub(super) fn is_money_in(kind: &EntryKind) -> bool {
    match kind {
        EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::Surplus { .. } => true,
        EntryKind::GivenBack { .. } | EntryKind::Settlement { .. } | EntryKind::Chargeback { .. } => false,
    }
}
