//! Our words into PAYBOX's, and its answers into ours. No I/O: what an answer settles is decided here.

use crate::{
    domain::bank::{Finding, MoneyCall, Operation, OperationStatus, Question, Ruling},
    paybox::{
        codes::{AnswerClass, Code},
        direct::{self, Movement, Target},
        direct_answer::{DirectAnswer, Status},
    },
};

/// "No such subscriber", unless its comment speaks of a failed authentication.
const NO_SUBSCRIBER: &str = "00017";

pub(super) fn enquiry(question: &Question) -> direct::Operation {
    match question {
        Question::Find { reference, amount } => {
            direct::Operation::Find { reference: reference.as_str().to_owned(), amount: *amount }
        }
        Question::Look { operation } => direct::Operation::Consult { operation: operation.number },
    }
}

pub(super) fn call(call: &MoneyCall) -> direct::Operation {
    let (MoneyCall::Cancel { operation, amount, reference, archive }
    | MoneyCall::Refund { operation, amount, reference, archive }) = call;
    let movement = Movement {
        amount: *amount,
        reference: reference.as_str().to_owned(),
        archive_reference: archive.as_str().to_owned(),
    };
    let target = Target { call: operation.call, operation: operation.number };
    match call {
        MoneyCall::Cancel { .. } => direct::Operation::Cancel(movement, target),
        MoneyCall::Refund { .. } => direct::Operation::Refund(movement, target),
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
            Question::Look { operation } if seen != *operation => {
                Finding::Unclear("the answer is about another operation".to_owned())
            }
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
    let name = || code.as_str().to_owned();
    if code == Code::SUCCESS {
        return match call {
            MoneyCall::Cancel { operation, .. } => cancelled(operation, answer),
            MoneyCall::Refund { operation, .. } => refunded(operation, answer),
        };
    }
    if matches!(code.class(), AnswerClass::ConfigError | AnswerClass::RequestError) {
        return Ruling::Misconfigured { code: name() };
    }
    if code.as_str() == NO_SUBSCRIBER && answer.comment_speaks_of_pares() {
        return Ruling::Doubt { why: "00017, of a failed authentication".to_owned() };
    }
    if code.is_definite_refusal() { Ruling::Refused { code: name() } } else { Ruling::Doubt { why: name() } }
}

/// A cancellation keeps the numbers of what it cancels, and may leave them out.
fn cancelled(original: &Operation, answer: &DirectAnswer) -> Ruling {
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
