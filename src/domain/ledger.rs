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
    Capture {
        checkout: CheckoutNumber,
        instalment: u32,
        /// Further instalments that it paid.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rest: Vec<u32>,
    },
    /// It was debited for an instalment.
    Debit { instalment: u32 },
    /// It was captured beyond what the order owes, and is owed back; by a debit when no checkout is named.
    Surplus {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkout: Option<CheckoutNumber>,
    },
    /// It went back to the payer; `original` is the operation that had brought it in.
    GivenBack {
        original: OperationNumber,
        /// Of several from one operation, which.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        give_back: Option<u32>,
    },
    /// It reached the merchant's account, in this remittance of the bank's.
    Settlement { original: OperationNumber, remittance: u64 },
    /// The payer's bank took it back.
    Chargeback { original: OperationNumber, instalment: u32 },
}
