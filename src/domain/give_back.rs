//! Money captured beyond what an order owes goes back by itself: cancelled while the bank has not settled it, refunded
//! after that. An authorisation that nobody wants is let go in the same way.

use serde::{Deserialize, Serialize};

use super::{
    attempt::{Attempt, AttemptState},
    bank::{ArchiveReference, MoneyCall, Operation},
    ids::{Reference, SubscriberReference},
    ledger::EntryKind,
    money::Money,
};
use crate::planted::{self, Bug};

/// The most calls that one give-back may take before a person has to look.
pub const MAX_ATTEMPTS: usize = 6;

/// One surplus capture, or unwanted authorisation, on its way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GiveBack {
    /// From 1 within the order.
    pub number: u32,
    pub operation: Operation,
    pub amount: Money,
    pub attempts: Vec<Attempt>,
    /// The hold that it lets go. What was only held is in no ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<u32>,
    /// The refund that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<u32>,
    /// It takes a part of its operation, or is not the only one that does: cancelling would take all of it, and the
    /// operation's status tells of no single part.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// People have decided that it is not to be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

/// How far a give-back has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GiveBackStatus {
    Open,
    InDoubt,
    Quarantined,
    Done,
    GivenUp,
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
        if self.given_up {
            return GiveBackStatus::GivenUp;
        }
        match (self.next(), self.attempts.last().map(|attempt| &attempt.state)) {
            (Next::Nothing, _) => GiveBackStatus::Done,
            (Next::Person, _) => GiveBackStatus::Quarantined,
            (Next::Wait, Some(AttemptState::InDoubt(_))) => GiveBackStatus::InDoubt,
            (Next::Plan { .. } | Next::Wait, _) => GiveBackStatus::Open,
        }
    }

    /// Whether what it takes cannot be given back by another: it is done, on its way, or not known to have failed.
    pub fn counts_as_spent(&self) -> bool {
        let is_planted = planted::is(Bug::RefundInDoubtUncounted) && self.status() == GiveBackStatus::InDoubt;
        !self.given_up && !is_planted
    }

    /// What follows from the attempts so far.
    pub fn next(&self) -> Next {
        if self.given_up {
            return Next::Nothing;
        }
        let Some(last) = self.attempts.last() else {
            return Next::Plan { refund: self.partial };
        };
        match (&last.state, &last.call) {
            (AttemptState::Accepted { .. }, _) => Next::Nothing,
            (AttemptState::Ready { .. } | AttemptState::Sent(_) | AttemptState::InDoubt(_), _) => Next::Wait,
            (AttemptState::Quarantined { .. }, _) => Next::Person,
            (AttemptState::Refused { .. } | AttemptState::NotExecuted, _) if self.attempts.len() >= MAX_ATTEMPTS => {
                Next::Person
            }
            // What is only held cannot be refunded: a cancellation that was not executed is asked for again.
            (AttemptState::NotExecuted, MoneyCall::Cancel { .. }) if self.hold.is_some() => {
                Next::Plan { refund: false }
            }
            (AttemptState::Refused { .. } | AttemptState::NotExecuted, MoneyCall::Cancel { .. }) => {
                Next::Plan { refund: true }
            }
            (AttemptState::NotExecuted, MoneyCall::Refund { .. }) => Next::Plan { refund: true },
            // A refund that the bank refuses outright will not be granted to a machine that insists.
            (AttemptState::Refused { .. } | AttemptState::NotExecuted, _) => Next::Person,
        }
    }

    /// What its completion is booked as.
    pub fn entry_kind(&self) -> EntryKind {
        EntryKind::GivenBack { original: self.operation.number, give_back: self.refund.map(|_| self.number) }
    }

    /// The number of the attempt that comes next.
    pub fn next_number(&self) -> u32 {
        u32::try_from(self.attempts.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The call of the next attempt.
    pub fn call(
        &self,
        refund: bool,
        reference: Reference,
        archive: ArchiveReference,
        subscriber: Option<SubscriberReference>,
    ) -> MoneyCall {
        let (operation, amount) = (self.operation, self.amount);
        if refund {
            MoneyCall::Refund { operation, amount, reference, archive, partial: self.partial }
        } else {
            MoneyCall::Cancel { operation, amount, reference, archive, subscriber }
        }
    }
}
