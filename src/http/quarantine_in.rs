//! Verdicts on what waits for people, as they are written.

use serde::{Deserialize, Deserializer};

use crate::domain::{
    bank::Operation,
    fault::{Fault, FaultKind},
    ids::CheckoutNumber,
    numbers::{CallNumber, OperationNumber},
    purpose::{AttemptId, Purpose},
    quarantine::{MAX_EVIDENCE, PeoplesVerdict, Subject},
    text::Text,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerdictIn {
    subject: SubjectIn,
    verdict: Decided,
    evidence: String,
}

/// Verdicts on things of several orders, with one evidence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerdictsIn {
    items: Vec<ItemIn>,
    evidence: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemIn {
    order: String,
    subject: SubjectIn,
    verdict: Decided,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectIn {
    subject: Kind,
    #[serde(default, deserialize_with = "said")]
    checkout: Option<u32>,
    #[serde(default, deserialize_with = "said")]
    operation: Option<String>,
    #[serde(default, deserialize_with = "said")]
    attempt: Option<u32>,
    #[serde(default, deserialize_with = "said")]
    give_back: Option<u32>,
    #[serde(default, deserialize_with = "said")]
    capture: Option<u32>,
    #[serde(default, deserialize_with = "said")]
    debit: Option<u32>,
}

/// What is there is no null: which members a subject has is what it is.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(reader: D) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Operation,
    Attempt,
    Stuck,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    verdict: Word,
    operation: Option<OperationIn>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Executed,
    NotExecuted,
    Closed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationIn {
    number: String,
    call: String,
}

/// One item of several, read.
pub(super) struct Item {
    /// As it was written: what is no order's id names nothing.
    pub(super) order: String,
    pub(super) subject: Subject,
    pub(super) verdict: PeoplesVerdict,
}

/// The most verdicts of one request.
pub(super) const MAX_ITEMS: usize = 100;

impl VerdictIn {
    pub(super) fn parse(&self) -> Result<(Subject, PeoplesVerdict, Text), Vec<Fault>> {
        let mut faults = Vec::new();
        let subject = self.subject.parse("/subject", &mut faults);
        let verdict = self.verdict.parse("/verdict", &mut faults);
        let evidence = evidence(&self.evidence, &mut faults);
        match (subject, verdict, evidence) {
            (Some(subject), Some(verdict), Some(evidence)) => Ok((subject, verdict, evidence)),
            _ => Err(faults),
        }
    }
}

impl VerdictsIn {
    pub(super) fn parse(&self) -> Result<(Vec<Item>, Text), Vec<Fault>> {
        let mut faults = Vec::new();
        if self.items.is_empty() {
            faults.push(Fault::new("/items", FaultKind::Missing));
        }
        if self.items.len() > MAX_ITEMS {
            faults.push(Fault::new("/items", FaultKind::TooMany { max: MAX_ITEMS }));
        }
        let items = self.items.iter().take(MAX_ITEMS).enumerate().map(|(index, item)| {
            let subject = item.subject.parse(&format!("/items/{index}/subject"), &mut faults);
            let verdict = item.verdict.parse(&format!("/items/{index}/verdict"), &mut faults);
            Some(Item { order: item.order.clone(), subject: subject?, verdict: verdict? })
        });
        let items: Vec<Item> = items.collect::<Vec<_>>().into_iter().flatten().collect();
        match evidence(&self.evidence, &mut faults) {
            Some(evidence) if faults.is_empty() => Ok((items, evidence)),
            _ => Err(faults),
        }
    }
}

fn evidence(raw: &str, faults: &mut Vec<Fault>) -> Option<Text> {
    let text = Text::parse(raw, MAX_EVIDENCE);
    text.map_err(|fault| faults.push(Fault::new("/evidence", FaultKind::Text(fault)))).ok()
}

/// A number of the bank's, which is written as a text.
fn number<T>(pointer: String, parsed: Option<T>, faults: &mut Vec<Fault>) -> Option<T> {
    if parsed.is_none() {
        faults.push(Fault::new(pointer, FaultKind::WrongType));
    }
    parsed
}

impl SubjectIn {
    fn parse(&self, pointer: &str, faults: &mut Vec<Fault>) -> Option<Subject> {
        let before = faults.len();
        let mut place = |name: &str, is_there: bool, is_wanted: bool| {
            let kind = match (is_there, is_wanted) {
                (false, true) => FaultKind::Missing,
                (true, false) => FaultKind::NotWithThis,
                (true, true) | (false, false) => return,
            };
            faults.push(Fault::new(format!("{pointer}/{name}"), kind));
        };
        let is_operation = matches!(self.subject, Kind::Operation);
        place("checkout", self.checkout.is_some(), is_operation);
        place("operation", self.operation.is_some(), is_operation);
        place("attempt", self.attempt.is_some(), matches!(self.subject, Kind::Attempt));
        let purposes = [
            ("give_back", self.give_back.map(Purpose::GiveBack)),
            ("capture", self.capture.map(Purpose::Capture)),
            ("debit", self.debit.map(Purpose::Debit)),
        ];
        let mut named = purposes.iter().filter_map(|(name, purpose)| Some((*name, (*purpose)?)));
        let purpose = named.next().map(|(name, purpose)| {
            place(name, true, !is_operation);
            purpose
        });
        named.for_each(|(name, _)| place(name, true, false));
        if purpose.is_none() {
            place("debit", false, !is_operation);
        }
        if faults.len() > before {
            return None;
        }
        Some(match self.subject {
            Kind::Operation => Subject::Operation {
                checkout: CheckoutNumber(self.checkout?),
                operation: number(
                    format!("{pointer}/operation"),
                    OperationNumber::parse(self.operation.as_deref()?).ok(),
                    faults,
                )?,
            },
            Kind::Attempt => Subject::Attempt { of: AttemptId { purpose: purpose?, attempt: self.attempt? } },
            Kind::Stuck => Subject::Stuck { purpose: purpose? },
        })
    }
}

impl Decided {
    fn parse(&self, pointer: &str, faults: &mut Vec<Fault>) -> Option<PeoplesVerdict> {
        let place = format!("{pointer}/operation");
        match (self.verdict, &self.operation) {
            (Word::Executed, Some(seen)) => {
                let of = number(format!("{place}/number"), OperationNumber::parse(&seen.number).ok(), faults);
                let call = number(format!("{place}/call"), CallNumber::parse(&seen.call).ok(), faults);
                of.zip(call).map(|(number, call)| PeoplesVerdict::Executed { operation: Operation { number, call } })
            }
            (Word::Executed, None) => {
                faults.push(Fault::new(place, FaultKind::Missing));
                None
            }
            (Word::NotExecuted | Word::Closed, Some(_)) => {
                faults.push(Fault::new(place, FaultKind::NotWithThis));
                None
            }
            (Word::NotExecuted, None) => Some(PeoplesVerdict::NotExecuted),
            (Word::Closed, None) => Some(PeoplesVerdict::Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_subject_has_what_its_kind_has_and_nothing_else() {
        let debit = Subject::Attempt { of: AttemptId { purpose: Purpose::Debit(2), attempt: 1 } };
        for (document, expected) in [
            (json!({"subject": "attempt", "debit": 2, "attempt": 1}), Ok(debit)),
            (json!({"subject": "stuck", "give_back": 3}), Ok(Subject::Stuck { purpose: Purpose::GiveBack(3) })),
            (json!({"subject": "attempt", "debit": 2}), Err(vec!["/s/attempt"])),
            (json!({"subject": "attempt", "attempt": 1}), Err(vec!["/s/debit"])),
            (json!({"subject": "stuck", "give_back": 3, "capture": 1}), Err(vec!["/s/capture"])),
            (json!({"subject": "operation", "checkout": 1, "operation": "x"}), Err(vec!["/s/operation"])),
            (json!({"subject": "operation", "debit": 2}), Err(vec!["/s/checkout", "/s/operation", "/s/debit"])),
        ] {
            let mut faults = Vec::new();
            let read: SubjectIn = serde_json::from_value(document.clone()).unwrap();
            let found = read.parse("/s", &mut faults);
            let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(found.ok_or(places), expected, "{document}");
        }
    }
}
