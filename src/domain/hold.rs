//! Money that the payer's bank holds for the first instalment of a plan, until it is captured or let go.
//!
//! ```text
//!  held ──its card is accepted──▶ accepted ──captured──▶ captured: the plan is active
//!    │                                └──the capture is refused──┐
//!    └──its card is refused, or nobody wants it any more ──▶ refused: let go by a give-back
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    attempt::{Attempt, AttemptState},
    bank::{ArchiveReference, MoneyCall, Operation},
    card::CardRefusal,
    give_back::{MAX_ATTEMPTS, Next},
    ids::{CheckoutNumber, Reference, SubscriberReference},
    money::Money,
};

/// One authorisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// From 1 within the order.
    pub number: u32,
    pub checkout: CheckoutNumber,
    pub operation: Operation,
    pub amount: Money,
    /// When the bank first showed it.
    pub found_at: Timestamp,
    /// What was decided on its card; nothing yet while its data are awaited.
    pub verdict: Option<Verdict>,
    /// Tries at capturing it.
    pub captures: Vec<Attempt>,
    /// It has been captured.
    pub captured: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    Accepted,
    Refused { why: CardRefusal },
}

impl Hold {
    /// Whether it may still come to pay its instalment.
    pub fn is_pending(&self) -> bool {
        !self.captured && !matches!(self.verdict, Some(Verdict::Refused { .. }))
    }

    /// Whether its card was accepted, and it has not been captured yet.
    pub fn is_being_captured(&self) -> bool {
        !self.captured && self.verdict == Some(Verdict::Accepted)
    }

    /// Why its card was refused.
    pub fn refusal(&self) -> Option<&CardRefusal> {
        match &self.verdict {
            Some(Verdict::Refused { why }) => Some(why),
            Some(Verdict::Accepted) | None => None,
        }
    }

    /// What capturing it needs next.
    pub fn next(&self) -> Next {
        match (&self.verdict, self.captures.last().map(|attempt| &attempt.state)) {
            _ if self.captured => Next::Nothing,
            (None | Some(Verdict::Refused { .. }), _) => Next::Nothing,
            (Some(Verdict::Accepted), None) => Next::Plan { refund: false },
            (_, Some(AttemptState::Ready { .. } | AttemptState::Sent(_) | AttemptState::InDoubt(_))) => Next::Wait,
            (_, Some(AttemptState::NotExecuted)) if self.captures.len() < MAX_ATTEMPTS => Next::Plan { refund: false },
            (_, Some(AttemptState::NotExecuted | AttemptState::Quarantined { .. })) => Next::Person,
            // Its order has drawn the conclusion in the same commit.
            (_, Some(AttemptState::Accepted { .. } | AttemptState::Refused { .. })) => Next::Nothing,
        }
    }

    /// The call of the next try.
    pub fn call(
        &self,
        reference: Reference,
        archive: ArchiveReference,
        subscriber: Option<SubscriberReference>,
    ) -> MoneyCall {
        MoneyCall::Capture { operation: self.operation, amount: self.amount, reference, archive, subscriber }
    }
}
