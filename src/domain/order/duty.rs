//! What an order owes to be done, and when it wants to be woken for it. A store keeps only that one instant.

use jiff::Timestamp;

use super::Order;
use crate::domain::{
    attempt::{Attempt, AttemptState, Host},
    bank::Operation,
    checkout::{Checkout, Closed},
    give_back::Next,
    ids::{CheckoutNumber, SubscriberReference},
    policy::{Policy, later},
    purpose::{AttemptId, Purpose},
};
use crate::planted::{self, Bug};

/// One thing to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// No page of it can be open any more.
    Expire { checkout: CheckoutNumber },
    /// Ask the bank what became of it.
    Ask { checkout: CheckoutNumber },
    /// Take the notification's word (test mode only).
    Believe { checkout: CheckoutNumber },
    /// Prepare the next call of a give-back or capture.
    Plan { purpose: Purpose },
    /// Send its call.
    Send { of: AttemptId, attempt: Attempt },
    /// Nobody will answer this call any more: it is in doubt.
    Doubt { of: AttemptId },
    /// Ask this host what became of its call.
    Enquire { of: AttemptId, attempt: Attempt, host: Host },
    /// Decide on the card of what is held.
    Judge { hold: u32 },
    /// Ask the bank whether a capture has reached the merchant.
    LookSettled { operation: Operation },
    /// Have the bank forget a card.
    Forget { subscriber: SubscriberReference },
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

    pub(super) fn duties<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = (Timestamp, Duty)> + 'a {
        let checkouts = self.checkouts.iter().flat_map(move |checkout| self.checkout_duties(checkout, policy));
        let give_backs = self.give_backs.iter().filter_map(move |give_back| {
            let purpose = Purpose::GiveBack(give_back.number);
            next_duty(purpose, &give_back.next(), give_back.attempts.last(), policy)
        });
        let holds = self.holds.iter().filter_map(move |hold| match hold.verdict {
            None => Some((self.judge_at(hold, policy), Duty::Judge { hold: hold.number })),
            Some(_) => next_duty(Purpose::Capture(hold.number), &hold.next(), hold.captures.last(), policy),
        });
        // A debit that is ready waits for its run to send it.
        let debits = self.schedule.iter().filter_map(move |due| {
            let attempt = &due.debit()?.attempt;
            match attempt_duty(Purpose::Debit(due.number), attempt, policy) {
                Some((_, Duty::Send { .. })) => None,
                duty => duty,
            }
        });
        let cards = self.subscribers.iter().filter_map(move |subscriber| {
            Some((self.forget_at(subscriber)?, Duty::Forget { subscriber: subscriber.reference.clone() }))
        });
        let unsettled = self.unsettled.iter().map(move |unsettled| {
            let first = later(unsettled.since, policy.settlement_after);
            (unsettled.next_look.max(first), Duty::LookSettled { operation: unsettled.operation })
        });
        checkouts.chain(give_backs).chain(holds).chain(debits).chain(cards).chain(unsettled)
    }

    fn checkout_duties(&self, checkout: &Checkout, policy: &Policy) -> impl Iterator<Item = (Timestamp, Duty)> + use<> {
        let number = checkout.number;
        let pending = checkout.pending_operations(&|operation| self.has_seen_to(number, operation)).next().is_some();
        let ask = if (policy.signature_is_enough || planted::is(Bug::SignatureIsProofEnough)) && pending {
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

fn next_duty(purpose: Purpose, next: &Next, last: Option<&Attempt>, policy: &Policy) -> Option<(Timestamp, Duty)> {
    match (next, last) {
        (Next::Plan { .. }, _) => Some((Timestamp::MIN, Duty::Plan { purpose })),
        (Next::Wait, Some(attempt)) => attempt_duty(purpose, attempt, policy),
        (Next::Wait, None) | (Next::Person | Next::Nothing, _) => None,
    }
}

fn attempt_duty(purpose: Purpose, attempt: &Attempt, policy: &Policy) -> Option<(Timestamp, Duty)> {
    let of = AttemptId { purpose, attempt: attempt.number };
    let duty = match &attempt.state {
        AttemptState::Ready { .. } => Duty::Send { of, attempt: attempt.clone() },
        AttemptState::Sent(_) if planted::is(Bug::SentIsForgotten) => return None,
        AttemptState::Sent(_) => Duty::Doubt { of },
        AttemptState::InDoubt(doubt) => Duty::Enquire { of, attempt: attempt.clone(), host: doubt.host() },
        AttemptState::Accepted { .. }
        | AttemptState::Refused { .. }
        | AttemptState::NotExecuted
        | AttemptState::Quarantined { .. } => return None,
    };
    attempt.wake_at(policy).map(|at| (at, duty))
}
