//! What is due, and when. An order paid once has a schedule of one instalment.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    attempt::{Attempt, AttemptState},
    money::Money,
    retry::RefusalClass,
};

/// One part of an order's total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instalment {
    /// From 1.
    pub number: u32,
    /// A civil date in the plan's time zone.
    pub due: Date,
    pub amount: Money,
    pub paid: bool,
    /// Every try at debiting it, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub debits: Vec<Debit>,
    /// From when a debit run may take it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_on: Option<Date>,
    /// It is not debited by itself any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrears: Option<Arrears>,
    /// A person wants it debited once more, whatever the rules say of the day.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
    /// It is not owed any more, without having been paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Waived>,
}

/// Why an instalment is not owed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waived {
    /// Credit notes took all of it.
    Credited,
    /// Accounting gave it up.
    WrittenOff,
}

/// One try at debiting an instalment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debit {
    /// The date of the run that took it up.
    pub run: Date,
    /// The day on which it was sent.
    pub on: Option<Date>,
    pub attempt: Attempt,
}

/// What instalments are in arrears with that a debit of another amount was carried out for.
pub const OTHER_AMOUNT: &str = "other_amount";

/// Why an instalment is not debited by itself any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrears {
    pub since: Date,
    /// The bank's code of the last refusal, or a word of ours.
    pub code: String,
    pub class: RefusalClass,
}

/// How an instalment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InstalmentStatus {
    Scheduled,
    Due,
    InAttempt,
    Paid,
    RetryWait,
    Arrears,
    InDoubt,
    Quarantined,
    Cancelled,
    WrittenOff,
}

impl Instalment {
    /// Whether it is still to be paid.
    pub fn is_owed(&self) -> bool {
        !self.paid && self.waived.is_none()
    }

    /// The latest try.
    pub fn debit(&self) -> Option<&Debit> {
        self.debits.last()
    }

    /// Whether a debit of it may be at the bank, or is about to be.
    pub fn is_being_debited(&self) -> bool {
        self.debit().is_some_and(|debit| debit.attempt.is_open())
    }

    /// Whether a debit of it has left, and nobody knows yet what became of it.
    pub fn is_at_bank(&self) -> bool {
        let is_away = |debit: &Debit| matches!(debit.attempt.state, AttemptState::Sent(_) | AttemptState::InDoubt(_));
        self.debit().is_some_and(is_away)
    }

    /// Whether a person has to decide on a debit of it.
    pub fn is_quarantined(&self) -> bool {
        self.debit().is_some_and(|debit| matches!(debit.attempt.state, AttemptState::Quarantined { .. }))
    }

    /// How it stands on `today`.
    pub fn status(&self, today: Date) -> InstalmentStatus {
        match self.debit().map(|debit| &debit.attempt.state) {
            _ if self.paid => InstalmentStatus::Paid,
            _ if self.waived == Some(Waived::Credited) => InstalmentStatus::Cancelled,
            _ if self.waived == Some(Waived::WrittenOff) => InstalmentStatus::WrittenOff,
            Some(AttemptState::Ready { .. } | AttemptState::Sent(_)) => InstalmentStatus::InAttempt,
            Some(AttemptState::InDoubt(_)) => InstalmentStatus::InDoubt,
            Some(AttemptState::Quarantined { .. }) => InstalmentStatus::Quarantined,
            _ if self.arrears.is_some() => InstalmentStatus::Arrears,
            _ if self.waits_after_refusal() => InstalmentStatus::RetryWait,
            _ if self.due <= today => InstalmentStatus::Due,
            _ => InstalmentStatus::Scheduled,
        }
    }

    /// Whether its last debit was refused, and another is to follow.
    pub fn waits_after_refusal(&self) -> bool {
        let refused = self.debit().is_some_and(|debit| matches!(debit.attempt.state, AttemptState::Refused { .. }));
        refused && self.next_on.is_some()
    }
}

impl Instalment {
    /// One that nothing has happened to yet.
    pub fn scheduled(number: u32, due: Date, amount: Money) -> Self {
        Self {
            number,
            due,
            amount,
            paid: false,
            debits: Vec::new(),
            next_on: None,
            arrears: None,
            by_hand: false,
            waived: None,
        }
    }
}

/// The whole total at once, due on the day of the order; nothing at all when there is nothing to pay.
pub fn once(total: Money, today: Date) -> Vec<Instalment> {
    if total.is_zero() { Vec::new() } else { vec![Instalment::scheduled(1, today, total)] }
}
