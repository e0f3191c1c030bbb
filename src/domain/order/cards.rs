//! The first instalment of a plan: judging the card of what is held, and what follows from its capture. And the cards that
//! the bank is to forget.

use jiff::Timestamp;

use super::{Decision, Impossible, Order, Status};
use crate::domain::{
    attempt::AttemptState,
    bank::Operation,
    card::{CardRefusal, judge},
    checkout::{Checkout, Closed},
    event::Event,
    give_back::Next,
    hold::{Hold, Verdict},
    ids::{CheckoutNumber, SubscriberReference},
    ledger::{Entry, EntryKind},
    policy::{Policy, later, rung},
    purpose::{AttemptId, Purpose},
    subscriber::{PlanCard, Subscriber, SubscriberState},
};

impl Order {
    /// When the card of what is held can be judged: as soon as its data are there, or have been waited for long enough.
    pub(super) fn judge_at(&self, hold: &Hold, policy: &Policy) -> Timestamp {
        let checkout = self.checkout(hold.checkout);
        match checkout.map(|checkout| checkout.card_of(&hold.operation)) {
            Some(Ok(None)) if self.wants_hold(hold.number) => later(hold.found_at, policy.card_wait),
            _ => hold.found_at,
        }
    }

    /// Whether the plan that a hold is for still waits for its first instalment.
    pub(super) fn wants_hold(&self, number: u32) -> bool {
        let Some(hold) = self.hold(number) else { return false };
        let begun = self.begins(hold.checkout).ok().map(|begins| begins.plan);
        // What was captured has begun the plan, or came to be surplus and begins none.
        let taken = self.holds.iter().any(|other| other.number != number && other.is_being_captured());
        let waits = self.plan().is_some_and(|plan| plan.is_approved() && Some(plan.number) == begun);
        self.status == Status::Open && waits && !taken && !hold.captured
    }

    /// Whether what is held has been so for too long to be captured.
    pub(super) fn is_too_late(&self, number: u32, now: Timestamp, policy: &Policy) -> bool {
        let page = self.hold(number).and_then(|hold| self.checkout(hold.checkout));
        page.is_none_or(|page| now > later(page.expires_at, policy.capture_within))
    }

    /// Decides on the card of what is held.
    ///
    /// # Errors
    /// [`Impossible`] when there is no such hold, or it was judged.
    pub fn judge_card(&self, number: u32, now: Timestamp, policy: &Policy) -> Result<Decision, Impossible> {
        let hold = self.hold(number).ok_or(Impossible("a hold that does not exist"))?;
        let verdict = match self.verdict(hold, now, policy) {
            Ok(()) => Verdict::Accepted,
            Err(why) => Verdict::Refused { why },
        };
        let mut decision = Decision::of(self);
        decision.push(Event::CardJudged { hold: number, checkout: hold.checkout, verdict }, now)?;
        Ok(decision)
    }

    fn verdict(&self, hold: &Hold, now: Timestamp, policy: &Policy) -> Result<(), CardRefusal> {
        if !self.wants_hold(hold.number) {
            return Err(CardRefusal::NotWanted);
        }
        let checkout = self.checkout(hold.checkout).ok_or(CardRefusal::NotKnown)?;
        let begins = checkout.begins.as_deref().ok_or(CardRefusal::NotWanted)?;
        // Another operation of the page was refused: the bank is to forget its card, or has.
        let is_its = |known: &&Subscriber| known.reference == begins.subscriber;
        if self.subscribers.iter().find(is_its).is_none_or(|known| known.state != SubscriberState::Kept) {
            return Err(CardRefusal::NotWanted);
        }
        if self.is_too_late(hold.number, now, policy) {
            return Err(CardRefusal::TooLate);
        }
        let card = checkout.card_of(&hold.operation).map_err(|()| CardRefusal::Contradictory)?;
        let card = card.filter(|card| card.sealed_token.is_some()).ok_or(CardRefusal::NotKnown)?;
        let last_due = begins.schedule.iter().map(|due| due.due).max().ok_or(CardRefusal::NotWanted)?;
        let plan_refuses = self.plan().map(|plan| plan.refused_cards.as_slice()).unwrap_or_default();
        judge(&card.facts, last_due, &policy.cards.refusing(plan_refuses))
    }

    /// The card that a page registered, as its plan will debit it.
    fn card_of_hold(&self, hold: &Hold) -> Option<PlanCard> {
        let checkout: &Checkout = self.checkout(hold.checkout)?;
        let subscriber = checkout.begins.as_deref()?.subscriber.clone();
        let card = checkout.card_of(&hold.operation).ok()??;
        Some(PlanCard { subscriber, facts: card.facts.clone(), sealed_token: card.sealed_token.clone()? })
    }

    /// When the bank is to be asked to forget a card: not while what it holds may still have to be let go under the
    /// card's name, or a debit of it is open.
    pub(super) fn forget_at(&self, subscriber: &Subscriber) -> Option<Timestamp> {
        let SubscriberState::Unwanted { next_try, .. } = subscriber.state else { return None };
        let is_its = |checkout: CheckoutNumber| {
            self.begins(checkout).is_ok_and(|begins| begins.subscriber == subscriber.reference)
        };
        let releasing = self.give_backs.iter().any(|give_back| {
            let hold = give_back.hold.and_then(|hold| self.hold(hold));
            let open = give_back
                .attempts
                .last()
                .is_none_or(|attempt| attempt.is_open() || matches!(attempt.state, AttemptState::Quarantined { .. }));
            open && hold.is_some_and(|hold| is_its(hold.checkout))
        });
        let debiting = self.schedule.iter().any(|due| due.is_being_debited() || due.is_quarantined());
        (!releasing && !debiting).then_some(next_try)
    }

    /// The bank's answer to the wish to forget a card; `silence` says why it was none.
    ///
    /// # Errors
    /// [`Impossible`] when the card is not to be forgotten.
    pub fn subscriber_answered(
        &self,
        reference: &SubscriberReference,
        silence: Option<&str>,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Impossible> {
        let subscriber = self.subscribers.iter().find(|known| known.reference == *reference);
        let subscriber = subscriber.ok_or(Impossible("a card that the bank does not keep"))?;
        let mut decision = Decision::of(self);
        let subscriber_name = reference.clone();
        match (&subscriber.state, silence) {
            (SubscriberState::Unwanted { .. }, None) => {
                decision.push(Event::SubscriberForgotten { subscriber: subscriber_name }, now)?;
            }
            (SubscriberState::Unwanted { tries, .. }, Some(why)) => {
                let tries = usize::try_from(*tries).unwrap_or(usize::MAX);
                let wait = rung(&policy.ask_after_silence, tries).unwrap_or(policy.send_again);
                let (until, why) = (later(now, wait), why.to_owned());
                decision.push(Event::SubscriberPostponed { subscriber: subscriber_name, until, why }, now)?;
            }
            // Somebody else asked at the same time.
            (SubscriberState::Kept | SubscriberState::Gone { .. }, _) => {}
        }
        Ok(decision)
    }
}

impl Decision {
    /// The bank holds money for a plan's first instalment.
    pub(super) fn hold(
        &mut self,
        checkout: CheckoutNumber,
        operation: Operation,
        now: Timestamp,
    ) -> Result<(), Impossible> {
        let number = super::next_number(self.order.holds.len());
        let amount = self.order.checkout(checkout).ok_or(Impossible("holding for no checkout"))?.amount;
        let hold = Hold {
            number,
            checkout,
            operation,
            amount,
            found_at: now,
            verdict: None,
            captures: Vec::new(),
            captured: false,
        };
        self.push(Event::Held(Box::new(hold)), now)
    }

    pub(super) fn refuse_hold(&mut self, hold: u32, why: CardRefusal, now: Timestamp) -> Result<(), Impossible> {
        let checkout = self.order.hold(hold).ok_or(Impossible("a hold that does not exist"))?.checkout;
        self.push(Event::CardJudged { hold, checkout, verdict: Verdict::Refused { why } }, now)
    }

    /// What is held for a plan that is not wanted any more goes back; what has left for its capture is surplus when it is
    /// carried out.
    pub(super) fn release_holds(&mut self, now: Timestamp) -> Result<(), Impossible> {
        let holds: Vec<(u32, Option<(u32, bool)>)> = self
            .order
            .holds
            .iter()
            .filter(|hold| hold.is_pending())
            .map(|hold| {
                let last = hold.captures.last();
                (hold.number, last.map(|last| (last.number, matches!(last.state, AttemptState::Ready { .. }))))
            })
            .collect();
        for (hold, last) in holds {
            match last {
                Some((attempt, true)) => {
                    let of = AttemptId { purpose: Purpose::Capture(hold), attempt };
                    self.push(Event::AttemptDropped { of, why: "the order was paid otherwise".to_owned() }, now)?;
                }
                Some((_, false)) => continue,
                None => {}
            }
            self.refuse_hold(hold, CardRefusal::NotWanted, now)?;
        }
        Ok(())
    }

    /// What was held is captured: its plan begins, or it is surplus when the order went another way meanwhile.
    pub(super) fn book_held(&mut self, number: u32, now: Timestamp) -> Result<(), Impossible> {
        let order = self.order.clone();
        let hold = order.hold(number).ok_or(Impossible("a hold that does not exist"))?;
        let plan = order.begins(hold.checkout)?.plan;
        let card = order.card_of_hold(hold);
        let entry = |kind| Entry { at: now, operation: hold.operation, amount: hold.amount, kind };
        match card {
            Some(card) if order.wants_hold(number) => {
                let checkout = hold.checkout;
                self.push(Event::PlanActivated { plan, checkout, card: Box::new(card) }, now)?;
                let kind = EntryKind::Capture { checkout, instalment: 1 };
                self.push(Event::Captured { entry: entry(kind) }, now)?;
                self.close_open_checkouts(Closed::Paid, now)
            }
            _ => {
                let kind = EntryKind::Surplus { checkout: Some(hold.checkout) };
                self.push(Event::Captured { entry: entry(kind) }, now)
            }
        }
    }

    /// The bank does not capture what it holds: it is let go, and the plan waits for another card. What was not even
    /// tried is tried again, until that has been often enough.
    pub(super) fn capture_refused(&mut self, of: AttemptId, hold: u32, now: Timestamp) -> Result<(), Impossible> {
        let is_refused = matches!(self.order.attempt(of)?.state, AttemptState::Refused { .. });
        let held = self.order.hold(hold).filter(|held| held.is_being_captured());
        let is_over = held.is_some_and(|held| is_refused || held.next() == Next::Person);
        if is_over { self.refuse_hold(hold, CardRefusal::CaptureRefused, now) } else { Ok(()) }
    }

    /// A plan that is withdrawn takes its open page along.
    pub(super) fn close_plan_checkouts(&mut self, now: Timestamp) -> Result<(), Impossible> {
        let open: Vec<CheckoutNumber> = self
            .order
            .checkouts
            .iter()
            .filter(|checkout| checkout.is_open() && checkout.begins.is_some())
            .map(|checkout| checkout.number)
            .collect();
        let cause = Closed::Withdrawn;
        open.into_iter().try_for_each(|checkout| self.push(Event::CheckoutClosed { checkout, cause }, now))
    }
}
