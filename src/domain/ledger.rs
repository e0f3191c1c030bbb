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
    /// It was debited for an instalment.
    Debit { instalment: u32 },
    /// It was captured beyond what the order owes, and is owed back; by a debit when no checkout is named.
    Surplus {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkout: Option<CheckoutNumber>,
    },
    /// It went back to the payer; `original` is the operation that had brought it in.
    GivenBack { original: OperationNumber },
}
