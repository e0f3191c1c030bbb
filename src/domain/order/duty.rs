//! What an order owes to be done, and when it wants to be woken for it. A store keeps only that one instant.

use jiff::Timestamp;

use super::Order;
use crate::domain::{
    attempt::{Attempt, AttemptState, Host},
    checkout::{Checkout, Closed},
    give_back::{AttemptId, GiveBack, Next},
    ids::CheckoutNumber,
    policy::Policy,
};

/// One thing to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// No page of it can be open any more.
    Expire { checkout: CheckoutNumber },
    /// Ask the bank what became of it.
    Ask { checkout: CheckoutNumber },
    /// Take the notification's word (test mode only).
    Believe { checkout: CheckoutNumber },
    /// Prepare the next call of a give-back.
    PlanGiveBack { give_back: u32 },
    /// Send its call.
    SendGiveBack { of: AttemptId, attempt: Attempt },
    /// Nobody will answer this call any more: it is in doubt.
    DoubtGiveBack { of: AttemptId },
    /// Ask this host what became of its call.
    AskGiveBack { of: AttemptId, attempt: Attempt, host: Host },
}

impl Order {
    /// When there will be something to do, if ever; in the past when there is now.
    pub fn wake_at(&self, policy: &Policy) -> Option<Timestamp> {
        self.duties(policy).map(|(at, _)| at).min()
    }

    /// The first thing to do at `now`, if any.
    pub fn duty(&self, now: Timestamp, policy: &Policy) -> Option<Duty> {
        self.duties(policy).filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at).map(|(_, duty)| duty)
    }

    fn duties<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = (Timestamp, Duty)> + 'a {
        let checkouts = self.checkouts.iter().flat_map(move |checkout| self.checkout_duties(checkout, policy));
        let give_backs = self.give_backs.iter().filter_map(move |give_back| give_back_duty(give_back, policy));
        checkouts.chain(give_backs)
    }

    fn checkout_duties(&self, checkout: &Checkout, policy: &Policy) -> impl Iterator<Item = (Timestamp, Duty)> + use<> {
        let number = checkout.number;
        let pending = checkout.pending_operations(&|operation| self.knows(operation)).next().is_some();
        let ask = if policy.signature_is_enough && pending {
            Duty::Believe { checkout: number }
        } else {
            Duty::Ask { checkout: number }
        };
        let expire = checkout.is_open().then_some((checkout.expires_at, Duty::Expire { checkout: number }));
        let next_ask = checkout.asks.first().map(|at| (*at, ask));
        expire.into_iter().chain(next_ask)
    }

    /// Marks a checkout as over.
    ///
    /// # Errors
    /// [`super::Impossible`] when it is not open.
    pub fn expire(&self, checkout: CheckoutNumber, now: Timestamp) -> Result<super::Decision, super::Impossible> {
        let mut decision = super::Decision::of(self);
        decision.push(crate::domain::event::Event::CheckoutClosed { checkout, cause: Closed::Expired }, now)?;
        Ok(decision)
    }
}

fn give_back_duty(give_back: &GiveBack, policy: &Policy) -> Option<(Timestamp, Duty)> {
    let number = give_back.number;
    match (give_back.next(), give_back.attempts.last()) {
        (Next::Plan { .. }, _) => Some((Timestamp::MIN, Duty::PlanGiveBack { give_back: number })),
        (Next::Wait, Some(attempt)) => {
            let of = AttemptId { give_back: number, attempt: attempt.number };
            let duty = match &attempt.state {
                AttemptState::Ready { .. } => Duty::SendGiveBack { of, attempt: attempt.clone() },
                AttemptState::Sent(_) => Duty::DoubtGiveBack { of },
                AttemptState::InDoubt(doubt) => Duty::AskGiveBack { of, attempt: attempt.clone(), host: doubt.host() },
                AttemptState::Accepted { .. }
                | AttemptState::Refused { .. }
                | AttemptState::NotExecuted
                | AttemptState::Quarantined { .. } => return None,
            };
            attempt.wake_at(policy).map(|at| (at, duty))
        }
        (Next::Wait, None) | (Next::Person | Next::Nothing, _) => None,
    }
}
