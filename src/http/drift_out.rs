//! The document of a drift: both sides' figures, what it means, what may be done about it and what was.

use serde_json::{Value, json};

use super::drift_words::explanation;
use crate::domain::{
    bank::OperationStatus,
    checkout::Locale,
    statement::{Booked, Drifting, Side},
};

pub(super) fn drifting(drifting: &Drifting) -> Value {
    let drift = &drifting.drift;
    json!({
        "id": drift.id,
        "kind": drift.kind,
        "status": drifting.standing().name(),
        "line": drift.line,
        "operation": drift.operation.map(|number| number.to_string()),
        "remittance": drift.remittance.map(|number| number.to_string()),
        "order": drift.order,
        "file": drift.file.as_ref().map(side),
        "ledger": drift.ledger.as_ref().map(side),
        "explanation": {"fr": explanation(drift, Locale::Fr), "en": explanation(drift, Locale::En)},
        "entries": drifting.entries(),
        "journal": drifting.booked.iter().map(booked).collect::<Value>(),
    })
}

fn side(side: &Side) -> Value {
    json!({
        "amount": side.amount,
        "remittance": side.remittance.map(|number| number.to_string()),
        "status": side.status.as_ref().map(status),
        "on": side.on,
    })
}

fn status(status: &OperationStatus) -> &str {
    match status {
        OperationStatus::Captured => "captured",
        OperationStatus::Authorised => "authorised",
        OperationStatus::Cancelled => "cancelled",
        OperationStatus::Refunded => "refunded",
        OperationStatus::Credited => "credited",
        OperationStatus::Refused => "refused",
        OperationStatus::Rejected => "rejected",
        OperationStatus::Other(_) => "other",
    }
}

fn booked(booked: &Booked) -> Value {
    json!({"entry": booked.entry, "at": booked.at, "by": booked.by, "reason": booked.reason})
}
