//! What a call that moves money is for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an attempt serves, by its number within the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Bringing a surplus back, or letting an authorisation go.
    GiveBack(u32),
    /// Taking what is held for the first instalment of a plan.
    Capture(u32),
    /// Debiting an instalment.
    Debit(u32),
}

impl fmt::Display for Purpose {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GiveBack(number) => write!(out, "give-back {number}"),
            Self::Capture(number) => write!(out, "hold {number}"),
            Self::Debit(number) => write!(out, "instalment {number}"),
        }
    }
}

/// Which attempt of what. An answer belongs to the call that was sent, not to whichever came after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptId {
    #[serde(flatten)]
    pub purpose: Purpose,
    /// From 1 within its purpose.
    pub attempt: u32,
}
