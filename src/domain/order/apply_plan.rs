//! What the events of plans, held money and kept cards make of an order.

use jiff::{Timestamp, ToSpan};

use super::{Impossible, Order, Status};
use crate::domain::{
    checkout::PlanCheckout,
    event::Event,
    hold::{Hold, Verdict},
    ids::{CheckoutNumber, SubscriberReference},
    plan::{Plan, PlanState},
    schedule::Instalment,
    subscriber::{PlanCard, Subscriber, SubscriberState},
};
use crate::planted::{self, Bug};

impl Order {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "which events come here is said once, where they are told apart"
    )]
    pub(super) fn apply_plan(&mut self, event: &Event, at: Timestamp) -> Result<(), Impossible> {
        match event {
            Event::PlanRequested(plan) => self.request(plan, at),
            Event::PlanApproved { plan, by, amounts, terms, reason: _ } => {
                let plan = self.latest_plan(*plan)?;
                let PlanState::Requested = plan.state else {
                    return Err(Impossible("approving a plan that is not requested"));
                };
                plan.amounts.clone_from(amounts);
                plan.terms.clone_from(terms);
                plan.state = PlanState::Approved { at, by: by.clone() };
                Ok(())
            }
            Event::PlanRefused { plan, by, reason } => {
                let plan = self.latest_plan(*plan)?;
                let PlanState::Requested = plan.state else {
                    return Err(Impossible("refusing a plan that is not requested"));
                };
                plan.state = PlanState::Refused { at, by: by.clone(), reason: reason.clone() };
                Ok(())
            }
            Event::PlanWithdrawn { plan } => {
                let plan = self.latest_plan(*plan)?;
                let (PlanState::Requested | PlanState::Approved { .. }) = plan.state else {
                    return Err(Impossible("withdrawing a plan that is not asked for"));
                };
                plan.state = PlanState::Withdrawn { at };
                Ok(())
            }
            Event::Held(hold) => self.add_hold(hold),
            Event::CardJudged { hold, checkout: _, verdict } => self.judge_hold(*hold, verdict, at),
            Event::PlanActivated { plan, checkout, card } => self.activate(*plan, *checkout, card, at),
            Event::CardChanged { plan, checkout: _, card } => {
                let PlanState::Active { card: before, .. } = &mut self.latest_plan(*plan)?.state else {
                    return Err(Impossible("another card for a plan that is not active"));
                };
                let old = std::mem::replace(before, card.clone()).subscriber;
                self.unwanted(&old, at)
            }
            Event::PlanPaused { plan } => self.pause(*plan, true),
            Event::PlanResumed { plan } => self.pause(*plan, false),
            Event::PlanEnded { plan, how } => {
                let plan = self.latest_plan(*plan)?;
                let PlanState::Active { card, .. } = &plan.state else {
                    return Err(Impossible("ending a plan that is not active"));
                };
                let subscriber = card.subscriber.clone();
                plan.state = PlanState::Ended { at, how: *how };
                for due in &mut self.schedule {
                    due.next_on = None;
                }
                self.unwanted(&subscriber, at)
            }
            Event::DebitWaits { instalment, until, code: _ } => {
                self.instalment_mut(*instalment)?.next_on = Some(*until);
                Ok(())
            }
            Event::DebitInArrears { instalment, arrears, single_use: _ } => {
                let due = self.instalment_mut(*instalment)?;
                due.next_on = None;
                due.arrears = Some(arrears.clone());
                Ok(())
            }
            Event::DebitRetried { instalment, on, reason: _ } => {
                let due = self.instalment_mut(*instalment)?;
                if due.arrears.take().is_none() {
                    return Err(Impossible("retrying what is not in arrears"));
                }
                due.next_on = Some(*on);
                due.by_hand = true;
                Ok(())
            }
            Event::SubscriberForgotten { subscriber } => {
                let subscriber = self.subscriber_mut(subscriber)?;
                let SubscriberState::Unwanted { .. } = subscriber.state else {
                    return Err(Impossible("forgetting a card that is kept, or gone"));
                };
                subscriber.state = SubscriberState::Gone { at };
                let gone = subscriber.reference.clone();
                self.forget_tokens(&gone);
                Ok(())
            }
            Event::SubscriberPostponed { subscriber, until, why: _ } => {
                let subscriber = self.subscriber_mut(subscriber)?;
                let SubscriberState::Unwanted { next_try, tries } = &mut subscriber.state else {
                    return Err(Impossible("waiting to forget a card that is kept, or gone"));
                };
                *next_try = *until;
                *tries = tries.saturating_add(1);
                Ok(())
            }
            _ => Err(Impossible("not an event of a plan")),
        }
    }

    fn request(&mut self, plan: &Plan, at: Timestamp) -> Result<(), Impossible> {
        if let Some(before) = self.plans.last_mut() {
            match before.state {
                PlanState::Requested => before.state = PlanState::Withdrawn { at },
                PlanState::Refused { .. } | PlanState::Withdrawn { .. } => {}
                PlanState::Approved { .. } | PlanState::Active { .. } | PlanState::Ended { .. } => {
                    return Err(Impossible("a second plan beside one that counts"));
                }
            }
        }
        if plan.number != super::next_number(self.plans.len()) || !plan.is_requested() {
            return Err(Impossible("a plan that is not the next one"));
        }
        self.plans.push(plan.clone());
        Ok(())
    }

    fn add_hold(&mut self, hold: &Hold) -> Result<(), Impossible> {
        if self.has_booked(&hold.operation.number) || hold.number != super::next_number(self.holds.len()) {
            return Err(Impossible("an operation held twice"));
        }
        let subscriber = self.begins(hold.checkout)?.subscriber.clone();
        self.register(&subscriber, hold.found_at);
        self.holds.push(hold.clone());
        Ok(())
    }

    /// A card that a page registered; two operations of one page register one. Where it was forgotten before, whoever paid
    /// once more may have had it kept again.
    pub(super) fn register(&mut self, subscriber: &SubscriberReference, at: Timestamp) {
        match self.subscribers.iter_mut().find(|known| known.reference == *subscriber) {
            None => self.subscribers.push(Subscriber { reference: subscriber.clone(), state: SubscriberState::Kept }),
            Some(known) => {
                if let SubscriberState::Gone { .. } = known.state {
                    known.state = SubscriberState::Unwanted { next_try: at, tries: 0 };
                }
            }
        }
    }

    fn judge_hold(&mut self, number: u32, verdict: &Verdict, at: Timestamp) -> Result<(), Impossible> {
        let other_accepted = self.holds.iter().any(|other| other.number != number && other.is_being_captured());
        let hold = self.holds.iter_mut().find(|hold| hold.number == number).ok_or(Impossible("no such hold"))?;
        let may_follow = match (&hold.verdict, verdict) {
            _ if hold.captured => false,
            (None, Verdict::Accepted | Verdict::Checked) => !other_accepted,
            (None | Some(Verdict::Accepted), Verdict::Refused { .. }) => {
                hold.captures.last().is_none_or(|attempt| !attempt.is_open())
            }
            (Some(_), _) => false,
        };
        if !may_follow {
            return Err(Impossible("a verdict that does not follow"));
        }
        hold.verdict = Some(verdict.clone());
        let (checkout, operation, amount) = (hold.checkout, hold.operation, hold.amount);
        if *verdict != Verdict::Accepted {
            self.add_give_back(operation, amount, Some(number));
        }
        if matches!(verdict, Verdict::Refused { .. }) && !planted::is(Bug::CardNotForgotten) {
            let subscriber = self.begins(checkout)?.subscriber.clone();
            self.unwanted(&subscriber, at)?;
        }
        Ok(())
    }

    fn activate(
        &mut self,
        number: u32,
        checkout: CheckoutNumber,
        card: &PlanCard,
        at: Timestamp,
    ) -> Result<(), Impossible> {
        let schedule = self.begins(checkout)?.schedule.clone();
        let is_open = self.status == Status::Open;
        let plan = self.latest_plan(number)?;
        if !plan.is_approved() || !is_open {
            return Err(Impossible("activating a plan that is not approved"));
        }
        plan.state = PlanState::Active { since: at, card: Box::new(card.clone()), paused: false };
        self.schedule = schedule;
        for due in self.schedule.iter_mut().skip(1) {
            due.due = if planted::is(Bug::DatesCountedAnew) { due.due.saturating_add(1.month()) } else { due.due };
            due.next_on = Some(due.due);
        }
        Ok(())
    }

    fn pause(&mut self, number: u32, pause: bool) -> Result<(), Impossible> {
        let state = &mut self.latest_plan(number)?.state;
        let PlanState::Active { paused, .. } = state else {
            return Err(Impossible("pausing or resuming what is not active"));
        };
        if *paused == pause {
            return Err(Impossible("pausing or resuming twice"));
        }
        *paused = pause;
        Ok(())
    }

    /// A token that debits nothing any more is not kept either.
    fn forget_tokens(&mut self, gone: &SubscriberReference) {
        let is_its = |begins: &PlanCheckout| begins.subscriber == *gone;
        for checkout in self.checkouts.iter_mut().filter(|page| page.begins.as_deref().is_some_and(is_its)) {
            for card in checkout.reports.values_mut().flat_map(|report| &mut report.cards) {
                card.sealed_token = None;
            }
        }
    }

    /// The bank is to forget a card that nothing needs any more. Two operations of one page have the same card: what
    /// becomes of one takes it from neither the plan nor the other.
    pub(super) fn unwanted(&mut self, reference: &SubscriberReference, at: Timestamp) -> Result<(), Impossible> {
        let is_its = |hold: &Hold| self.begins(hold.checkout).is_ok_and(|begins| begins.subscriber == *reference);
        let is_debited = self.plan().and_then(Plan::card).is_some_and(|card| card.subscriber == *reference);
        let is_debited = is_debited && !planted::is(Bug::DebitedCardForgotten);
        if is_debited || self.holds.iter().any(|hold| hold.is_pending() && is_its(hold)) {
            return Ok(());
        }
        let subscriber = self.subscriber_mut(reference)?;
        if subscriber.state == SubscriberState::Kept {
            subscriber.state = SubscriberState::Unwanted { next_try: at, tries: 0 };
        }
        Ok(())
    }

    /// What a checkout begins.
    pub(super) fn begins(&self, checkout: CheckoutNumber) -> Result<&PlanCheckout, Impossible> {
        let checkout = self.checkout(checkout).ok_or(Impossible("a checkout that does not exist"))?;
        checkout.begins.as_deref().ok_or(Impossible("a checkout that begins no plan"))
    }

    /// The latest plan, which must be the one that is meant.
    fn latest_plan(&mut self, number: u32) -> Result<&mut Plan, Impossible> {
        self.plans.last_mut().filter(|plan| plan.number == number).ok_or(Impossible("a plan that is not the latest"))
    }

    pub(super) fn instalment_mut(&mut self, number: u32) -> Result<&mut Instalment, Impossible> {
        let due = self.schedule.iter_mut().find(|due| due.number == number && due.is_owed());
        due.ok_or(Impossible("an instalment that is not owed"))
    }

    fn subscriber_mut(&mut self, reference: &SubscriberReference) -> Result<&mut Subscriber, Impossible> {
        let subscriber = self.subscribers.iter_mut().find(|known| known.reference == *reference);
        subscriber.ok_or(Impossible("a card that the bank does not keep"))
    }
}
