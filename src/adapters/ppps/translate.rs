//! Our words into PAYBOX's, and its answers into ours. No I/O: what an answer settles is decided here.

use crate::{
    domain::{
        bank::{Finding, Inspection, MoneyCall, Operation, OperationStatus, Question, Ruling},
        ids::SubscriberReference,
    },
    paybox::{
        card_token::CardToken,
        codes::{AnswerClass, Code},
        direct::{self, CardDetails, Movement, Target},
        direct_answer::{DirectAnswer, Status},
    },
    ports::{Forgotten, KeptCard},
};

/// "No such subscriber", unless its comment speaks of a failed authentication.
const NO_SUBSCRIBER: &str = "00017";

pub(super) fn enquiry(question: &Question) -> direct::Operation {
    match question {
        Question::Find { reference, amount } => {
            direct::Operation::Find { reference: reference.as_str().to_owned(), amount: *amount }
        }
        Question::Look { operation } | Question::Inspect { operation } => {
            direct::Operation::Consult { operation: operation.number }
        }
    }
}

/// Whether the card is asked about too.
pub(super) fn card_details(question: &Question) -> CardDetails {
    match question {
        Question::Inspect { .. } => CardDetails::Asked,
        Question::Find { .. } | Question::Look { .. } => CardDetails::NotAsked,
    }
}

/// A call as PAYBOX wants it; `None` for a debit without its card.
pub(super) fn call(call: &MoneyCall, card: Option<&KeptCard>) -> Option<direct::Operation> {
    let (reference, archive) = call.names();
    let movement = Movement {
        amount: call.amount(),
        reference: reference.as_str().to_owned(),
        archive_reference: archive.as_str().to_owned(),
    };
    let target = |operation: &Operation| Target { call: operation.call, operation: operation.number };
    Some(match call {
        MoneyCall::Cancel { operation, subscriber: None, .. } => direct::Operation::Cancel(movement, target(operation)),
        MoneyCall::Cancel { operation, subscriber: Some(of), .. } => {
            direct::Operation::CancelSubscriber(movement, target(operation), subscriber(of))
        }
        MoneyCall::Refund { operation, .. } => direct::Operation::Refund(movement, target(operation)),
        MoneyCall::Capture { operation, subscriber: None, .. } => {
            direct::Operation::Capture(movement, target(operation))
        }
        MoneyCall::Capture { operation, subscriber: Some(of), .. } => {
            direct::Operation::CaptureSubscriber(movement, target(operation), subscriber(of))
        }
        MoneyCall::Debit { subscriber: of, .. } => {
            let card = card?;
            let token = CardToken { handle: card.token.clone(), end: card.end };
            direct::Operation::DebitSubscriber(movement, subscriber(of), token)
        }
    })
}

pub(super) fn deletion(of: &SubscriberReference) -> direct::Operation {
    direct::Operation::DeleteSubscriber(subscriber(of))
}

/// What the answer to a deletion tells: a card that is not there is as good as deleted.
pub(super) fn forgotten(answer: &DirectAnswer) -> Forgotten {
    let code = answer.code();
    let is_unknown = code.as_str() == NO_SUBSCRIBER && !answer.comment_speaks_of_pares();
    if code == Code::SUCCESS || is_unknown { Forgotten::Gone } else { Forgotten::Unclear(code.as_str().to_owned()) }
}

fn subscriber(of: &SubscriberReference) -> direct::Subscriber {
    direct::Subscriber(of.as_str().to_owned())
}

/// `TYPE` of a call, for logs.
pub(super) fn wire_type(call: &MoneyCall) -> &'static str {
    match call {
        MoneyCall::Capture { subscriber: None, .. } => "00002",
        MoneyCall::Cancel { subscriber: None, .. } => "00005",
        MoneyCall::Refund { .. } => "00014",
        MoneyCall::Capture { subscriber: Some(_), .. } => "00052",
        MoneyCall::Debit { .. } => "00053",
        MoneyCall::Cancel { subscriber: Some(_), .. } => "00055",
    }
}

/// What the answer to an enquiry tells. An answer without its numbers, or about other ones, tells nothing.
pub(super) fn finding(question: &Question, answer: &DirectAnswer) -> Finding {
    match (answer.code().class(), numbers(answer)) {
        (AnswerClass::NotFound, _) => Finding::Nothing,
        (_, _) if answer.code() != Code::SUCCESS => Finding::Unclear(answer.code().as_str().to_owned()),
        (_, None) => Finding::Unclear("00000 without its numbers".to_owned()),
        (_, Some(seen)) => match question {
            Question::Find { .. } => Finding::Found(seen),
            Question::Look { operation } | Question::Inspect { operation } if seen != *operation => {
                Finding::Unclear("the answer is about another operation".to_owned())
            }
            Question::Inspect { .. } => match answer.status() {
                Some(known) => Finding::Inspected(Inspection {
                    operation: seen,
                    status: status(known),
                    remittance: answer.remittance().filter(|number| *number > 0),
                    card_type: answer.card_type().map(str::to_owned),
                }),
                None => Finding::Unclear("00000 without a status".to_owned()),
            },
            Question::Look { .. } => match answer.status() {
                Some(known) => Finding::Status(seen, status(known)),
                None => Finding::Unclear("00000 without a status".to_owned()),
            },
        },
    }
}

/// What the answer to a call settles. Only a definite refusal refuses, and only numbers that fit accept.
pub(super) fn ruling(call: &MoneyCall, answer: &DirectAnswer) -> Ruling {
    let code = answer.code();
    if code == Code::SUCCESS {
        return match call {
            MoneyCall::Cancel { operation, .. } | MoneyCall::Capture { operation, .. } => {
                same_operation(operation, answer)
            }
            MoneyCall::Refund { operation, .. } => refunded(operation, answer),
            MoneyCall::Debit { .. } => match numbers(answer) {
                Some(operation) => Ruling::Accepted { operation },
                None => Ruling::Doubt { why: "00000, without the debit's numbers".to_owned() },
            },
        };
    }
    if code.as_str() == NO_SUBSCRIBER && answer.comment_speaks_of_pares() {
        return Ruling::Doubt { why: "00017, of a failed authentication".to_owned() };
    }
    code.ruling_of_failure()
}

/// A cancellation and a capture keep the numbers of what they are about, and may leave them out.
fn same_operation(original: &Operation, answer: &DirectAnswer) -> Ruling {
    let number = answer.operation_number().unwrap_or(original.number);
    let call = answer.call_number().unwrap_or(original.call);
    let operation = Operation { number, call };
    if operation == *original {
        Ruling::Accepted { operation }
    } else {
        Ruling::Doubt { why: "00000, about another operation".to_owned() }
    }
}

/// A refund is an operation of its own, under its original's call.
fn refunded(original: &Operation, answer: &DirectAnswer) -> Ruling {
    let call = answer.call_number().unwrap_or(original.call);
    match answer.operation_number() {
        None => Ruling::Doubt { why: "00000, without the refund's number".to_owned() },
        Some(number) if number == original.number => {
            Ruling::Doubt { why: "00000, with the number of the operation to refund".to_owned() }
        }
        Some(_) if call != original.call => Ruling::Doubt { why: "00000, under another call".to_owned() },
        Some(number) => Ruling::Accepted { operation: Operation { number, call } },
    }
}

fn numbers(answer: &DirectAnswer) -> Option<Operation> {
    Some(Operation { number: answer.operation_number()?, call: answer.call_number()? })
}

fn status(status: &Status) -> OperationStatus {
    match status {
        Status::Captured => OperationStatus::Captured,
        Status::Authorised => OperationStatus::Authorised,
        Status::Cancelled => OperationStatus::Cancelled,
        Status::Refunded => OperationStatus::Refunded,
        Status::Credit => OperationStatus::Credited,
        Status::Refused => OperationStatus::Refused,
        Status::Rejected => OperationStatus::Rejected,
        Status::BalanceInquiry => OperationStatus::Other("Demande de solde (Carte cadeaux)".to_owned()),
        Status::Unknown(word) => OperationStatus::Other(word.clone()),
    }
}

#[cfg(test)]
mod tests;
