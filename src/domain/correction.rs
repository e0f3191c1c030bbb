//! What people change about money after it was ordered: credit notes, refunds, payments elsewhere, write-offs.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{actor::Actor, money::Money, text::Text};

/// The most credit notes, refunds or journal entries of one order, each.
pub const MAX_CORRECTIONS: usize = 100;

/// What stands for the bank's code where it took a payment back.
pub const CHARGED_BACK: &str = "charged_back";

/// Part of an order that is not owed any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditNote {
    /// From 1 within the order.
    pub number: u32,
    pub at: Timestamp,
    pub by: Actor,
    /// Including VAT.
    pub amount: Money,
    pub reason: Text,
    /// What is taken off each unpaid instalment, the last first.
    pub cuts: Vec<Cut>,
}

/// What a credit note takes off an instalment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    pub instalment: u32,
    pub amount: Money,
}

/// Money that a person gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// From 1 within the order.
    pub number: u32,
    pub at: Timestamp,
    pub by: Actor,
    pub amount: Money,
    pub reason: Text,
    /// The credit note of the same commit that it goes against; none when more was paid than is owed.
    pub credit_note: Option<u32>,
}

/// What happened outside PAYBOX.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    pub at: Timestamp,
    pub by: Actor,
    pub instalment: u32,
    pub amount: Money,
    pub reason: Text,
    #[serde(flatten)]
    pub kind: JournalKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "journal", rename_all = "snake_case")]
pub enum JournalKind {
    /// By cheque, transfer, cash; the day on which it came.
    PaidElsewhere { on: Date, reference: Text },
    /// Given up.
    WrittenOff,
}

/// What becomes of an active plan when a refund is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// Its later instalments are debited as before.
    Keep,
    /// They are credited too, and the plan is over.
    Cancel,
}
