//! What the bank's findings show of a call: that it was carried out, that it was not, or nothing.

use super::{
    bank::{Finding, MoneyCall, Operation, OperationStatus},
    retry::RefusalClass,
};

/// Whether findings show a call as carried out.
pub(super) enum Done {
    Yes(Operation),
    Refused(&'static str, Option<RefusalClass>),
    No,
    Unknown,
    Contradiction(String),
}

/// What stands for the bank's code where its reason cannot be asked for any more.
pub const SEEN_REFUSED: &str = "seen_refused";
/// What stands for the bank's code where an authorisation is gone.
pub const LAPSED: &str = "lapsed";

pub(super) fn done(call: &MoneyCall, findings: &[Finding]) -> Done {
    let found = findings.iter().find_map(|finding| match finding {
        Finding::Found(operation) => Some(*operation),
        Finding::Nothing | Finding::Status(..) | Finding::Inspected(_) | Finding::Unclear(_) => None,
    });
    let seen = found.as_ref().or(call.target()).and_then(|operation| status_of(operation, findings));
    match call {
        MoneyCall::Cancel { operation, .. } => match status_of(operation, findings) {
            Some(OperationStatus::Cancelled) => Done::Yes(*operation),
            Some(OperationStatus::Captured | OperationStatus::Authorised) => Done::No,
            Some(other) => Done::Contradiction(format!("the operation to cancel is {other:?}")),
            None => Done::Unknown,
        },
        MoneyCall::Capture { operation, .. } => match seen {
            Some(OperationStatus::Captured) => Done::Yes(*operation),
            Some(OperationStatus::Authorised) => Done::No,
            Some(OperationStatus::Cancelled | OperationStatus::Refused) => Done::Refused(LAPSED, None),
            Some(other) => Done::Contradiction(format!("the operation to capture is {other:?}")),
            None => Done::Unknown,
        },
        // "Not found" counts only beside a control, which the caller judges.
        MoneyCall::Debit { .. } => match (found, seen, findings) {
            (Some(debit), Some(OperationStatus::Captured), _) => Done::Yes(debit),
            (Some(_), Some(OperationStatus::Refused), _) => Done::Refused(SEEN_REFUSED, Some(RefusalClass::Soft)),
            (Some(_), Some(OperationStatus::Authorised) | None, _) => Done::Unknown,
            (Some(_), Some(other), _) => Done::Contradiction(format!("the debit is {other:?}")),
            (None, _, [Finding::Nothing]) => Done::No,
            (None, _, _) => Done::Unknown,
        },
        // Of the sole and full refund of its operation, the operation's own status is conclusive. "Not found" is not:
        // nothing shows yet that the bank finds refunds by their reference.
        MoneyCall::Refund { operation, partial, .. } => match (found, status_of(operation, findings)) {
            (Some(refund), _) => Done::Yes(refund),
            (None, Some(OperationStatus::Refunded | OperationStatus::Cancelled)) if !partial => Done::Yes(*operation),
            (None, _) => Done::Unknown,
        },
    }
}

pub(super) fn status_of<'a>(operation: &Operation, findings: &'a [Finding]) -> Option<&'a OperationStatus> {
    findings.iter().find_map(|finding| match finding {
        Finding::Status(seen, status) if seen.number == operation.number => Some(status),
        Finding::Status(..) | Finding::Inspected(_) | Finding::Found(_) | Finding::Nothing | Finding::Unclear(_) => {
            None
        }
    })
}
