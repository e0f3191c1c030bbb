//! What waits for people, and their verdicts, as documents: the bank's numbers are texts, as everywhere.

use serde_json::{Map, Value, json};

use crate::domain::{
    purpose::Purpose,
    quarantine::{PeoplesVerdict, Subject},
};

/// What waits, as a verdict on it names it.
pub fn subject(subject: Subject) -> Value {
    match subject {
        Subject::Operation { checkout, operation } => {
            json!({"subject": "operation", "checkout": checkout, "operation": operation.to_string()})
        }
        Subject::Attempt { of } => {
            let mut document = of_purpose("attempt", of.purpose);
            document.insert("attempt".to_owned(), json!(of.attempt));
            Value::Object(document)
        }
        Subject::Stuck { purpose } => Value::Object(of_purpose("stuck", purpose)),
    }
}

fn of_purpose(kind: &str, purpose: Purpose) -> Map<String, Value> {
    let (name, number) = match purpose {
        Purpose::GiveBack(number) => ("give_back", number),
        Purpose::Capture(number) => ("capture", number),
        Purpose::Debit(number) => ("debit", number),
    };
    let members = [("subject", json!(kind)), (name, json!(number))];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What people make of it.
pub fn verdict(verdict: PeoplesVerdict) -> Map<String, Value> {
    let (name, operation) = match verdict {
        PeoplesVerdict::Executed { operation } => ("executed", Some(operation)),
        PeoplesVerdict::NotExecuted => ("not_executed", None),
        PeoplesVerdict::Closed => ("closed", None),
    };
    let operation =
        operation.map(|operation| json!({"number": operation.number.to_string(), "call": operation.call.to_string()}));
    let members = [("verdict", json!(name)), ("operation", json!(operation))];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
