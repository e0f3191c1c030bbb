//! Money captured beyond what an order owes goes back by itself: cancelled while the bank has not settled it, refunded
//! after that.

use serde::{Deserialize, Serialize};

use super::{
    attempt::{Attempt, AttemptState},
    bank::{ArchiveReference, MoneyCall, Operation},
    ids::Reference,
    money::Money,
};

/// The most calls that one give-back may take before a person has to look.
pub const MAX_ATTEMPTS: usize = 6;

/// One surplus capture on its way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GiveBack {
    /// From 1 within the order.
    pub number: u32,
    pub operation: Operation,
    pub amount: Money,
    pub attempts: Vec<Attempt>,
}

/// Which attempt of which give-back. An answer belongs to the call that was sent, not to whichever came after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptId {
    pub give_back: u32,
    pub attempt: u32,
}

/// How far a give-back has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GiveBackStatus {
    Open,
    InDoubt,
    Quarantined,
    Done,
}

/// What a give-back needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt: a cancellation, or a refund once cancelling was seen to be impossible.
    Plan {
        refund: bool,
    },
    /// Its last attempt is under way.
    Wait,
    /// Nothing that a machine may decide.
    Person,
    Nothing,
}

impl GiveBack {
    pub fn status(&self) -> GiveBackStatus {
        match (self.next(), self.attempts.last().map(|attempt| &attempt.state)) {
            (Next::Nothing, _) => GiveBackStatus::Done,
            (Next::Person, _) => GiveBackStatus::Quarantined,
            (Next::Wait, Some(AttemptState::InDoubt(_))) => GiveBackStatus::InDoubt,
            (Next::Plan { .. } | Next::Wait, _) => GiveBackStatus::Open,
        }
    }

    /// What follows from the attempts so far.
    pub fn next(&self) -> Next {
        let Some(last) = self.attempts.last() else {
            return Next::Plan { refund: false };
        };
        match (&last.state, &last.call) {
            (AttemptState::Accepted { .. }, _) => Next::Nothing,
            (AttemptState::Ready { .. } | AttemptState::Sent(_) | AttemptState::InDoubt(_), _) => Next::Wait,
            (AttemptState::Quarantined { .. }, _) => Next::Person,
            (AttemptState::Refused { .. } | AttemptState::NotExecuted, _) if self.attempts.len() >= MAX_ATTEMPTS => {
                Next::Person
            }
            (AttemptState::Refused { .. } | AttemptState::NotExecuted, MoneyCall::Cancel { .. }) => {
                Next::Plan { refund: true }
            }
            // A refund that the bank refuses outright will not be granted to a machine that insists.
            (AttemptState::Refused { .. }, MoneyCall::Refund { .. }) => Next::Person,
            (AttemptState::NotExecuted, MoneyCall::Refund { .. }) => Next::Plan { refund: true },
        }
    }

    /// The number of the attempt that comes next.
    pub fn next_number(&self) -> u32 {
        u32::try_from(self.attempts.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The call of the next attempt.
    pub fn call(&self, refund: bool, reference: Reference, archive: ArchiveReference) -> MoneyCall {
        let (operation, amount) = (self.operation, self.amount);
        if refund {
            MoneyCall::Refund { operation, amount, reference, archive }
        } else {
            MoneyCall::Cancel { operation, amount, reference, archive }
        }
    }
}
