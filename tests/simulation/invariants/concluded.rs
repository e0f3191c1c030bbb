//! A2, S4: what is concluded of a call, beside what the bank has made of it.

use guichet::domain::{
    attempt::{AttemptState, Conclusion},
    bank::{MoneyCall, OperationStatus},
    event::Event,
    order::Order,
};

use crate::{
    bank::{Made, Moved},
    world::Inner,
};

/// S4, A2: what the bank has done is neither concluded to be refused nor not to be done.
pub(super) fn what_is_done_is_not_denied(inner: &mut Inner, after: &Order, event: &Event) {
    let (of, rule) = match event {
        Event::AttemptAnswered { of, state: AttemptState::Refused { .. } }
        | Event::AttemptAsked { of, conclusion: Conclusion::Refused { .. } } => (of, "S4"),
        Event::AttemptAnswered { of, state: AttemptState::NotExecuted }
        | Event::AttemptAsked { of, conclusion: Conclusion::NotExecuted } => (of, "A2"),
        _ => return,
    };
    let call = &after.attempt(*of).unwrap().call;
    let of_us = |moved: &&Moved| moved.merchant == after.merchant.as_str();
    let name = call.names().0.as_str();
    let made = |made: Made| {
        let mut its = inner.bank.moved.iter().filter(of_us);
        its.any(|moved| moved.made == made && moved.reference == name && moved.status != OperationStatus::Refused)
    };
    let original = |is_done: fn(&Moved) -> bool| match call {
        MoneyCall::Cancel { operation, .. } | MoneyCall::Capture { operation, .. } => {
            inner.bank.find(operation.number).filter(of_us).is_some_and(is_done)
        }
        MoneyCall::Debit { .. } | MoneyCall::Refund { .. } => false,
    };
    let is_done = match call {
        MoneyCall::Debit { .. } => made(Made::Debit),
        MoneyCall::Refund { .. } => made(Made::Refund),
        MoneyCall::Cancel { .. } => original(|moved| moved.status == OperationStatus::Cancelled),
        MoneyCall::Capture { .. } => original(|moved| moved.was_captured),
    };
    if is_done {
        inner.violate(rule, format!("{name} of {} is done, and {event:?}", after.id));
    }
}
