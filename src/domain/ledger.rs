//! What really moved, as the bank confirmed it: one entry for every captured operation, one for every give-back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{bank::Operation, ids::CheckoutNumber, money::Money, numbers::OperationNumber};

/// One movement of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    pub operation: Operation,
    pub amount: Money,
    pub kind: EntryKind,
}

/// What the movement was for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryKind {
    /// It paid an instalment.
    Capture { checkout: CheckoutNumber, instalment: u32 },
    /// It was captured beyond what the order owes, and is owed back.
    Surplus { checkout: CheckoutNumber },
    /// It went back to the payer; `original` is the operation that had brought it in.
    GivenBack { original: OperationNumber },
}
