//! What no machine may decide, and how two people do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    actor::Actor,
    bank::Operation,
    ids::CheckoutNumber,
    numbers::OperationNumber,
    purpose::{AttemptId, Purpose},
    text::Text,
};

/// The longest evidence, in characters: what the back office or the bank's statement showed.
pub const MAX_EVIDENCE: usize = 1_000;

/// Something that waits for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum Subject {
    /// An operation that contradicts what is known of a page.
    Operation { checkout: CheckoutNumber, operation: OperationNumber },
    /// A call whose outcome could not be told.
    Attempt {
        #[serde(flatten)]
        of: AttemptId,
    },
    /// A give-back, or a capture, that the bank would not carry out.
    Stuck {
        #[serde(flatten)]
        purpose: Purpose,
    },
}

/// What people make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum PeoplesVerdict {
    /// The bank carried it out, as this operation: it is booked.
    Executed { operation: Operation },
    /// The bank did not carry it out: nothing is booked, and what was to be done is done anew.
    NotExecuted,
    /// It is none of this order's money, or was seen to in another way: nothing more is done here.
    Closed,
}

/// One person's verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenVerdict {
    pub subject: Subject,
    #[serde(flatten)]
    pub verdict: PeoplesVerdict,
    pub at: Timestamp,
    pub by: Actor,
    pub evidence: Text,
}
