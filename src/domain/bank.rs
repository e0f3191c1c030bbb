//! What the bank can be asked and what it says, in our words; `paybox` has PAYBOX's.

use serde::{Deserialize, Serialize};

use super::{
    ids::{Reference, SubscriberReference},
    money::Money,
    numbers::{CallNumber, OperationNumber},
    retry::RefusalClass,
};

/// One operation at the bank: its own number, and the number of the call it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Operation {
    pub number: OperationNumber,
    pub call: CallNumber,
}

/// What the bank says has become of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    Captured,
    Authorised,
    Cancelled,
    Refunded,
    Credited,
    Refused,
    Rejected,
    /// A word that we do not know.
    Other(String),
}

/// A question that moves no money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Is there an operation of this reference and amount?
    Find { reference: Reference, amount: Money },
    /// What has become of this operation?
    Look { operation: Operation },
    /// And all that the bank tells of it besides.
    Inspect { operation: Operation },
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Found(Operation),
    /// The bank says that it knows of none. No proof by itself: the bank may be behind.
    Nothing,
    Status(Operation, OperationStatus),
    Inspected(Inspection),
    /// The bank answered something that settles nothing; its code, for the record.
    Unclear(String),
}

impl Finding {
    /// The operation that was found under a reference.
    pub fn found(&self) -> Option<Operation> {
        match self {
            Self::Found(operation) => Some(*operation),
            Self::Nothing | Self::Status(..) | Self::Inspected(_) | Self::Unclear(_) => None,
        }
    }
}

/// All that the bank tells of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    pub operation: Operation,
    pub status: OperationStatus,
    /// The remittance that it was collected in, once it was.
    pub remittance: Option<u64>,
    /// The kind of its card, where the contract tells.
    pub card_type: Option<String>,
}

/// A call that moves money, and so is sent at most once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum MoneyCall {
    /// Undo a capture that has not been settled, or let an authorisation go.
    Cancel {
        operation: Operation,
        amount: Money,
        reference: Reference,
        archive: ArchiveReference,
        /// Whose operation it was, where the contract wants subscribers' operations cancelled by a call of their own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subscriber: Option<SubscriberReference>,
    },
    /// Give back a capture that has been settled.
    Refund {
        operation: Operation,
        amount: Money,
        reference: Reference,
        archive: ArchiveReference,
        /// Of a part, or beside others: that the operation was refunded tells nothing of it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        partial: bool,
    },
    /// Take what was authorised for the first instalment of a plan.
    Capture {
        operation: Operation,
        amount: Money,
        reference: Reference,
        archive: ArchiveReference,
        /// As of [`MoneyCall::Cancel`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subscriber: Option<SubscriberReference>,
    },
    /// Debit the card that the bank keeps for a plan. Its token goes beside the call, never in it: calls are stored.
    Debit { subscriber: SubscriberReference, amount: Money, reference: Reference, archive: ArchiveReference },
}

impl MoneyCall {
    /// The names that only this call may have.
    pub fn names(&self) -> (&Reference, &ArchiveReference) {
        match self {
            Self::Cancel { reference, archive, .. }
            | Self::Refund { reference, archive, .. }
            | Self::Capture { reference, archive, .. }
            | Self::Debit { reference, archive, .. } => (reference, archive),
        }
    }

    /// Whether both would move the same money; what they are archived under does not matter.
    pub fn moves_the_same(&self, other: &Self) -> bool {
        self.amount() == other.amount()
            && std::mem::discriminant(self) == std::mem::discriminant(other)
            && self.target() == other.target()
    }

    /// The operation that the call is about; a debit makes its own.
    pub fn target(&self) -> Option<&Operation> {
        match self {
            Self::Cancel { operation, .. } | Self::Refund { operation, .. } | Self::Capture { operation, .. } => {
                Some(operation)
            }
            Self::Debit { .. } => None,
        }
    }

    pub fn amount(&self) -> Money {
        match self {
            Self::Cancel { amount, .. }
            | Self::Refund { amount, .. }
            | Self::Capture { amount, .. }
            | Self::Debit { amount, .. } => *amount,
        }
    }
}

/// The reference that reaches the bank's statement: exactly twelve of `A-Z0-9`, unique within the merchant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ArchiveReference(String);

impl ArchiveReference {
    /// From sixty random bits: twelve characters of five bits each.
    pub fn from_bits(bits: u64) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let letter = |place: u32| {
            let index = usize::try_from((bits >> (place * 5)) & 31).unwrap_or_default();
            char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
        };
        Self((0..12).map(letter).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the bank's answer to a [`MoneyCall`] settles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ruling", rename_all = "snake_case")]
pub enum Ruling {
    /// It was done, under these numbers.
    Accepted { operation: Operation },
    /// The code by itself proves that nothing moved.
    Refused {
        code: String,
        /// What that means for another try, where it is a card that was refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<RefusalClass>,
    },
    /// Our own contract, keys or request are at fault; nobody's card is.
    Misconfigured { code: String },
    /// Anything else: an unknown code, silence, a mangled or foreign answer. `why` is for the record.
    Doubt { why: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_references_have_twelve_characters() {
        assert_eq!(ArchiveReference::from_bits(0).as_str(), "000000000000");
        assert_eq!(ArchiveReference::from_bits(u64::MAX).as_str(), "ZZZZZZZZZZZZ");
        assert_ne!(ArchiveReference::from_bits(1), ArchiveReference::from_bits(32));
    }
}
