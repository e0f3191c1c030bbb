//! The bank's own ledger, by which everything is judged: operations, cards that it keeps, numbers of questions.

use std::collections::BTreeMap;

use guichet::{
    domain::{
        attempt::Host,
        bank::{MoneyCall, Operation, OperationStatus, Ruling},
        card::CardEnd,
        money::Money,
        numbers::{CallNumber, OperationNumber},
    },
    paybox::codes::Code,
};
use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::{
    imports, invariants,
    line::Sent,
    world::{Inner, Served},
};

/// How a card takes later debits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    Good,
    Tired,
    Poor,
    Lost,
    SingleUse,
    Authenticate,
}

#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) types: &'static str,
    pub(crate) end: CardEnd,
    pub(crate) habit: Habit,
}

impl Card {
    pub(crate) fn is_virtual(&self) -> bool {
        self.types == "E_CARD"
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    OnPage,
    Debit,
    Refund,
}

/// One operation as the bank has it.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    pub(crate) operation: Operation,
    pub(crate) merchant: String,
    pub(crate) reference: String,
    pub(crate) amount: Money,
    pub(crate) at: Timestamp,
    pub(crate) made: Made,
    pub(crate) status: OperationStatus,
    /// The remittance that it was collected in.
    pub(crate) remittance: Option<u64>,
    pub(crate) was_captured: bool,
    /// What was given back of it by refunds, in minor units.
    pub(crate) returned: i64,
    /// When the payer's bank took it back.
    pub(crate) charged_back: Option<Timestamp>,
    pub(crate) findable_from: Timestamp,
    /// What its card is kept under.
    pub(crate) subscriber: Option<String>,
    pub(crate) card: Card,
    /// What captured it, when that was a call of ours.
    pub(crate) captured_for: Option<Served>,
}

impl Moved {
    /// What the payer has back of it by our calls, in minor units.
    pub(crate) fn gone_back(&self) -> i64 {
        let is_undone = self.was_captured && self.status == OperationStatus::Cancelled;
        if is_undone { self.amount.minor_units() } else { self.returned }
    }
}

/// A payment page that somebody opened.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) merchant: String,
    pub(crate) reference: String,
    pub(crate) amount: Money,
    pub(crate) authorises_only: bool,
    pub(crate) subscriber: Option<String>,
    /// `YYMM`.
    pub(crate) last_month: Option<String>,
    pub(crate) closes_at: Timestamp,
    pub(crate) call: CallNumber,
    pub(crate) token: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) token: String,
    pub(crate) card: Card,
    /// When it was last debited, and the days.
    pub(crate) debited_on: Vec<Date>,
}

#[derive(Default)]
pub(crate) struct BankState {
    pub(crate) moved: Vec<Moved>,
    pub(crate) pages: Vec<Page>,
    /// By merchant and name.
    pub(crate) kept: BTreeMap<(String, String), Kept>,
    /// Which page each name of a card came with, by merchant and name.
    pub(crate) names: BTreeMap<(String, String), String>,
    pub(crate) asked: BTreeMap<(String, u32), Timestamp>,
    pub(crate) down_until: BTreeMap<Host, Timestamp>,
    /// Notifications that nothing else can make up for.
    pub(crate) owed: Vec<(String, String)>,
    last_number: u64,
}

/// What a call came to at the bank.
pub(crate) type Answer = Result<Operation, &'static str>;

impl BankState {
    pub(crate) fn is_up(&self, host: Host, now: Timestamp) -> bool {
        self.down_until.get(&host).is_none_or(|until| *until <= now)
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        1_000 + self.last_number
    }

    pub(crate) fn find(&self, number: OperationNumber) -> Option<&Moved> {
        self.moved.iter().find(|moved| moved.operation.number == number)
    }

    fn find_mut(&mut self, merchant: &str, operation: &Operation) -> Option<&mut Moved> {
        self.moved.iter_mut().find(|moved| moved.merchant == merchant && moved.operation == *operation)
    }
}

pub(crate) fn ruling(answer: Answer) -> Ruling {
    match answer {
        Ok(operation) => Ruling::Accepted { operation },
        Err(code) => refusal(code),
    }
}

/// What the gateway makes of a code that is no success.
pub(crate) fn refusal(code: &str) -> Ruling {
    Code::parse(code).unwrap().ruling_of_failure()
}

pub(crate) fn new_operation(inner: &mut Inner, call: CallNumber) -> Operation {
    Operation { number: OperationNumber::try_from(inner.bank.next_number()).unwrap(), call }
}

pub(crate) fn new_call(inner: &mut Inner) -> CallNumber {
    CallNumber::try_from(inner.bank.next_number()).unwrap()
}

/// Carries out a call, or refuses it.
pub(crate) fn execute(inner: &mut Inner, sent: &Sent) -> Answer {
    let answer = match &sent.call {
        MoneyCall::Debit { subscriber, amount, reference, .. } => {
            debit(inner, sent, subscriber.as_str(), *amount, reference.as_str())
        }
        MoneyCall::Capture { operation, amount, subscriber, .. } => {
            let subscriber = subscriber.as_ref().map(guichet::domain::ids::SubscriberReference::as_str);
            match inner.bank.find_mut(&sent.merchant, operation) {
                Some(moved) if subscriber.is_some() && moved.subscriber.as_deref() != subscriber => Err("00017"),
                Some(moved) if moved.status == OperationStatus::Authorised && moved.amount == *amount => {
                    moved.status = OperationStatus::Captured;
                    moved.was_captured = true;
                    moved.captured_for = sent.of.clone();
                    Ok(*operation)
                }
                _ => Err("00021"),
            }
        }
        MoneyCall::Cancel { operation, .. } => match inner.bank.find_mut(&sent.merchant, operation) {
            Some(moved) if moved.status == OperationStatus::Authorised => {
                moved.status = OperationStatus::Cancelled;
                Ok(*operation)
            }
            Some(moved)
                if moved.status == OperationStatus::Captured
                    && moved.remittance.is_none()
                    && moved.returned == 0
                    && moved.charged_back.is_none() =>
            {
                moved.status = OperationStatus::Cancelled;
                Ok(*operation)
            }
            _ => Err("00021"),
        },
        MoneyCall::Refund { operation, amount, reference, .. } => {
            refund(inner, sent, operation, *amount, reference.as_str())
        }
    };
    inner.log(format_args!("bank: {} of {} came to {answer:?}", kind(&sent.call), sent.call.names().0));
    if answer.is_ok() {
        inner.count(kind(&sent.call));
        invariants::executed(inner, sent);
        let is_refund = matches!(sent.call, MoneyCall::Refund { .. });
        imports::moved(inner, if is_refund { 600 } else { 60 });
    }
    answer
}

fn kind(call: &MoneyCall) -> &'static str {
    match call {
        MoneyCall::Debit { .. } => "bank: debit",
        MoneyCall::Capture { .. } => "bank: capture",
        MoneyCall::Cancel { .. } => "bank: cancel",
        MoneyCall::Refund { .. } => "bank: refund",
    }
}

fn refund(inner: &mut Inner, sent: &Sent, operation: &Operation, amount: Money, reference: &str) -> Answer {
    let shows_parts = inner.nature.shows_parts_as_refunded;
    let Some(original) = inner.bank.find_mut(&sent.merchant, operation) else { return Err("00021") };
    if original.charged_back.is_some() || !original.was_captured {
        return Err("00021");
    }
    let left = original.amount.minor_units() - original.gone_back();
    if amount.minor_units() > left {
        // What went back before a restored copy came back is not on record here.
        if !inner.lost.knows_of_reference(reference) {
            inner.violate("I19", format!("{reference} gives back {} where {left} is left", amount.minor_units()));
        }
        return Err("00021");
    }
    original.returned += amount.minor_units();
    let is_whole = amount.minor_units() == left;
    if is_whole || shows_parts {
        original.status = OperationStatus::Refunded;
    }
    let original = original.clone();
    inner.count(if is_whole { "bank: the whole is given back" } else { "bank: a part is given back" });
    let operation = new_operation(inner, operation.call);
    let findable_from = inner.now + inner.nature.find_lag;
    inner.bank.moved.push(Moved {
        operation,
        amount,
        reference: reference.to_owned(),
        at: inner.now,
        made: Made::Refund,
        remittance: None,
        was_captured: false,
        returned: 0,
        findable_from,
        captured_for: None,
        ..original
    });
    Ok(operation)
}

fn debit(inner: &mut Inner, sent: &Sent, subscriber: &str, amount: Money, reference: &str) -> Answer {
    let name = (sent.merchant.clone(), subscriber.to_owned());
    let Some(kept) = inner.bank.kept.get(&name).cloned() else {
        if inner.lost.was_forgotten(subscriber) {
            return Err("00017");
        }
        inner.violate("I14", format!("{reference}: the card of a debit is not at the bank any more"));
        return Err("00017");
    };
    if sent.card.as_ref() != Some(&(kept.token.clone(), kept.card.end)) {
        inner.count("debit: of another card");
        return Err("00004");
    }
    let roll = inner.rng.below(10);
    let refusal = match kept.card.habit {
        Habit::Good => None,
        Habit::Tired => (roll < 5).then_some("00151"),
        Habit::Poor => Some("00151"),
        Habit::Lost => Some("00143"),
        Habit::SingleUse => Some("00157"),
        Habit::Authenticate => Some("00189"),
    };
    let call = new_call(inner);
    let operation = new_operation(inner, call);
    // Some are found much later than others: "not found" beside one that is found is no proof either.
    let is_late = inner.strikes("bank: a debit is found much later than others", 150);
    let lag = SignedDuration::from_mins(if is_late { inner.rng.between(10, 1_200) } else { 0 });
    let (status, was_captured) = match refusal {
        None => (OperationStatus::Captured, true),
        Some(_) => (OperationStatus::Refused, false),
    };
    inner.bank.moved.push(Moved {
        operation,
        merchant: sent.merchant.clone(),
        reference: reference.to_owned(),
        amount,
        at: inner.now,
        made: Made::Debit,
        status,
        remittance: None,
        was_captured,
        returned: 0,
        charged_back: None,
        findable_from: inner.now + inner.nature.find_lag + lag,
        subscriber: Some(subscriber.to_owned()),
        card: kept.card,
        captured_for: sent.of.clone(),
    });
    if let Some(code) = refusal {
        inner.count("debit: refused");
        return Err(code);
    }
    Ok(operation)
}

/// Notes a question's number; nobody may use one twice within two days.
pub(crate) fn note_number(inner: &mut Inner, merchant: &str, number: u32) {
    let site = crate::school::site(&inner.nature, merchant);
    let now = inner.now;
    if let Some(before) = inner.bank.asked.insert((site.clone(), number), now)
        && now.duration_since(before) < SignedDuration::from_hours(48)
        && !inner.lost.gives_again(before)
    {
        inner.violate("I7", format!("question {number} of {site} was asked at {before}"));
    }
}

/// Somebody lets an authorisation go in the back office.
pub(crate) fn let_go_by_hand(inner: &mut Inner, number: OperationNumber) {
    let is_it = |moved: &&mut Moved| moved.operation.number == number && moved.status == OperationStatus::Authorised;
    if let Some(moved) = inner.bank.moved.iter_mut().find(is_it) {
        moved.status = OperationStatus::Cancelled;
        inner.count("bank: an authorisation is let go by hand");
        inner.log(format_args!("bank: {number} is let go by hand"));
    }
}

/// Forgets a card; whether it was there.
pub(crate) fn forget(inner: &mut Inner, merchant: &str, subscriber: &str) -> bool {
    inner.log(format_args!("bank: {subscriber} is forgotten"));
    invariants::forgotten(inner, merchant, subscriber);
    inner.bank.kept.remove(&(merchant.to_owned(), subscriber.to_owned())).is_some()
}
