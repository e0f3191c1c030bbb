//! Asking for instalments, and accounting's answer.

use jiff::Timestamp;

use super::{Decision, Order, Refusal, next_number};
use crate::domain::{
    actor::Actor,
    event::Event,
    money::Money,
    plan::{MAX_PLANS, Plan, PlanEnd, PlanState, offer_hash, terms_hash},
    policy::Policy,
    schedule::Instalment,
    template::{Approver, Template},
    text::Text,
};
use crate::planted::{self, Bug};

/// What a payer may accept today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub schedule: Vec<Instalment>,
    /// To come back with the checkout.
    pub hash: String,
}

impl Order {
    /// Asks for instalments; a request that waits for its answer gives way. Where nobody has to approve, it is approved
    /// at once.
    ///
    /// # Errors
    /// [`Refusal`] when the order is over or partly paid, a plan was approved already, or the template does not fit.
    pub fn request_plan(
        &self,
        template: &Template,
        by: &Actor,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Refusal> {
        self.must_be_open()?;
        // What was paid once and charged back is owed as it was, less what was credited since.
        if self.was_ever_paid() {
            return Err(Refusal::PartlyPaid);
        }
        match self.plan().map(|plan| &plan.state) {
            Some(PlanState::Approved { .. } | PlanState::Active { .. } | PlanState::Ended { .. }) => {
                return Err(Refusal::PlanUnderWay);
            }
            None | Some(PlanState::Requested | PlanState::Refused { .. } | PlanState::Withdrawn { .. }) => {}
        }
        if self.plans.len() >= MAX_PLANS {
            return Err(Refusal::TooManyPlans);
        }
        if !template.is_open_on(policy.day(Some(&template.time_zone), now)) {
            return Err(Refusal::OutsideWindow);
        }
        let amounts = template.amounts(self.totals.including_vat, None)?;
        let plan = Plan {
            number: next_number(self.plans.len()),
            template: template.code.clone(),
            time_zone: template.time_zone.clone(),
            refused_cards: template.refused_cards.clone(),
            requested_at: now,
            requested_by: by.clone(),
            terms: terms_hash(self.id, template, &amounts),
            amounts: amounts.clone(),
            state: PlanState::Requested,
        };
        let (number, terms) = (plan.number, plan.terms.clone());
        let mut decision = Decision::of(self);
        decision.push(Event::PlanRequested(Box::new(plan)), now)?;
        if template.approver == Approver::Nobody {
            let by = Actor::Gateway;
            decision.push(Event::PlanApproved { plan: number, by, amounts, terms, reason: None }, now)?;
        }
        Ok(decision)
    }

    /// Takes the request back, before its first instalment is on its way.
    ///
    /// # Errors
    /// [`Refusal`] when nothing was asked for, it was refused or has begun, or money of it is being confirmed.
    pub fn withdraw_plan(&self, now: Timestamp) -> Result<Decision, Refusal> {
        let plan = self.plan().ok_or(Refusal::PlanNotRequested)?;
        match plan.state {
            PlanState::Requested | PlanState::Approved { .. } => {}
            PlanState::Refused { .. } | PlanState::Withdrawn { .. } => return Err(Refusal::PlanNotRequested),
            PlanState::Active { .. } | PlanState::Ended { .. } => return Err(Refusal::PlanUnderWay),
        }
        if self.is_confirming() {
            return Err(Refusal::ConfirmationInProgress);
        }
        let mut decision = Decision::of(self);
        decision.withdraw_plan(now)?;
        Ok(decision)
    }

    /// Accounting approves what it looked at: `terms`, or those that follow from fixing the first amount.
    ///
    /// # Errors
    /// [`Refusal`] when nothing waits for an answer, the terms are others, or the approver is who asked.
    pub fn approve_plan(
        &self,
        template: &Template,
        terms: &str,
        first: Option<Money>,
        reason: Option<Text>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Decision, Refusal> {
        let plan = self.requested_plan()?;
        if plan.requested_by.is_same_person(by) {
            return Err(Refusal::ApproverIsRequester);
        }
        // What is configured now is what would be carried out.
        if plan.terms != terms || terms_hash(self.id, template, &plan.amounts) != terms {
            return Err(Refusal::TermsChanged);
        }
        let amounts = match first {
            Some(_) => template.amounts(self.totals.including_vat, first)?,
            None => plan.amounts.clone(),
        };
        let terms = terms_hash(self.id, template, &amounts);
        let mut decision = Decision::of(self);
        decision.push(Event::PlanApproved { plan: plan.number, by: by.clone(), amounts, terms, reason }, now)?;
        Ok(decision)
    }

    /// Accounting refuses, and says why.
    ///
    /// # Errors
    /// [`Refusal`] when nothing waits for an answer.
    pub fn refuse_plan(&self, reason: Text, by: &Actor, now: Timestamp) -> Result<Decision, Refusal> {
        let plan = self.requested_plan()?;
        let mut decision = Decision::of(self);
        decision.push(Event::PlanRefused { plan: plan.number, by: by.clone(), reason }, now)?;
        Ok(decision)
    }

    fn requested_plan(&self) -> Result<&Plan, Refusal> {
        self.must_be_open()?;
        self.plan().filter(|plan| plan.is_requested()).ok_or(Refusal::PlanNotRequested)
    }

    /// What the payer of a plan may accept at `now`: its amounts, with the dates that follow when its first instalment is
    /// paid today.
    ///
    /// # Errors
    /// [`Refusal`] when no plan waits for its first instalment, or the template is not what was approved any more.
    pub fn offer(&self, template: &Template, now: Timestamp, policy: &Policy) -> Result<Offer, Refusal> {
        let plan = self.plan().ok_or(Refusal::PlanNotApproved)?;
        if plan.template != template.code || terms_hash(self.id, template, &plan.amounts) != plan.terms {
            return Err(Refusal::TermsChanged);
        }
        let dates = template.dates(policy.day(Some(&plan.time_zone), now));
        let instalments = (1..).zip(dates).zip(&plan.amounts);
        let schedule: Vec<Instalment> =
            instalments.map(|((number, due), amount)| Instalment::scheduled(number, due, *amount)).collect();
        if schedule.len() != plan.amounts.len() {
            return Err(Refusal::TermsChanged);
        }
        let hash = offer_hash(&plan.terms, &schedule);
        Ok(Offer { schedule, hash })
    }

    /// Stops its debits until it is resumed. One that has left already is on its way.
    ///
    /// # Errors
    /// [`Refusal::PlanNotActive`].
    pub fn pause_plan(&self, now: Timestamp) -> Result<Decision, Refusal> {
        let plan = self.active_plan()?;
        if plan.is_paused() {
            return Ok(self.unchanged());
        }
        let mut decision = Decision::of(self);
        if !planted::is(Bug::PauseUnheeded) {
            decision.drop_ready_debits("the plan was paused", now)?;
        }
        decision.push(Event::PlanPaused { plan: plan.number }, now)?;
        Ok(decision)
    }

    /// # Errors
    /// [`Refusal::PlanNotActive`].
    pub fn resume_plan(&self, now: Timestamp) -> Result<Decision, Refusal> {
        let plan = self.active_plan()?;
        let mut decision = Decision::of(self);
        if plan.is_paused() {
            decision.push(Event::PlanResumed { plan: plan.number }, now)?;
        }
        Ok(decision)
    }

    /// Ends its debits for good; what is unpaid stays owed.
    ///
    /// # Errors
    /// [`Refusal`] when it is not active, or a debit of it is on its way or in doubt.
    pub fn cancel_plan(&self, now: Timestamp) -> Result<Decision, Refusal> {
        self.end_plan(PlanEnd::Cancelled, now)
    }

    pub(super) fn end_plan(&self, how: PlanEnd, now: Timestamp) -> Result<Decision, Refusal> {
        let plan = self.active_plan()?;
        let mut decision = Decision::of(self);
        decision.drop_ready_debits("the plan is over", now)?;
        let is_ignored = planted::is(Bug::CancelledBesideADebit);
        if decision.order.schedule.iter().any(Instalment::is_being_debited) && !is_ignored {
            return Err(Refusal::DebitInProgress);
        }
        decision.push(Event::PlanEnded { plan: plan.number, how }, now)?;
        decision.update_block(now)?;
        Ok(decision)
    }

    fn active_plan(&self) -> Result<&Plan, Refusal> {
        self.plan().filter(|plan| plan.card().is_some()).ok_or(Refusal::PlanNotActive)
    }
}

impl Decision {
    /// Withdraws a plan that has not begun, if there is one.
    pub(super) fn withdraw_plan(&mut self, now: Timestamp) -> Result<(), super::Impossible> {
        match self.order.plan() {
            Some(plan) if plan.is_requested() || plan.is_approved() => {
                let number = plan.number;
                self.close_plan_checkouts(now)?;
                self.push(Event::PlanWithdrawn { plan: number }, now)
            }
            _ => Ok(()),
        }
    }
}
