//! Plans: asking for instalments, accounting's answers, and stopping the debits of one.

use super::{
    App, Error, Outcome, Remember,
    access::Caller,
    commit::Versioned,
    merchant::Merchant,
    orders::{MAX_PAGE, OrderFilter},
};
use crate::domain::{
    card::CardRefusal,
    checkout::Checkout,
    hold::Hold,
    ids::{MerchantId, OrderId},
    money::Money,
    order::{Decision, Offer, Order, Refusal},
    plan::PlanState,
    schedule::Instalment,
    template::Template,
    text::Text,
};
use jiff::{Timestamp, civil::Date};

/// What accounting says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanAnswer {
    Approve {
        /// What it looked at.
        terms: String,
        /// The first amount, where accounting fixes it.
        first: Option<Money>,
        reason: Option<Text>,
    },
    Refuse {
        reason: Text,
    },
}

/// What may be done to an active plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanOrder {
    Pause,
    Resume,
    Cancel,
}

/// Which plans to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanFilter {
    pub status: Option<String>,
    pub after: Option<OrderId>,
    pub limit: usize,
}

impl App {
    /// Asks for instalments, or changes what was asked for.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Refused`], …
    pub async fn request_plan(
        &self,
        caller: &Caller,
        id: OrderId,
        template: &str,
        remember: &Remember<Versioned>,
    ) -> Result<Outcome, Error> {
        self.change_order(caller, id, None, remember, |merchant, order, now| {
            let template = merchant.template(template).ok_or_else(|| unknown_template("/template"))?;
            Ok(order.request_plan(template, &caller.actor, now, &merchant.policy)?)
        })
        .await
    }

    /// Takes a request back.
    ///
    /// # Errors
    /// As [`App::request_plan`].
    pub async fn withdraw_plan(
        &self,
        caller: &Caller,
        id: OrderId,
        seen: Option<u64>,
        remember: &Remember<Versioned>,
    ) -> Result<Outcome, Error> {
        self.change_order(caller, id, seen, remember, |_, order, now| Ok(order.withdraw_plan(now)?)).await
    }

    /// Accounting approves or refuses.
    ///
    /// # Errors
    /// As [`App::request_plan`].
    pub async fn answer_plan(
        &self,
        caller: &Caller,
        id: OrderId,
        answer: &PlanAnswer,
        seen: Option<u64>,
        remember: &Remember<Versioned>,
    ) -> Result<Outcome, Error> {
        self.change_order(caller, id, seen, remember, |merchant, order, now| match answer {
            PlanAnswer::Approve { terms, first, reason } => {
                let plan = order.plan().ok_or(Refusal::PlanNotRequested)?;
                let template = merchant.template(&plan.template).ok_or(Refusal::TermsChanged)?;
                Ok(order.approve_plan(template, terms, *first, reason.clone(), &caller.actor, now)?)
            }
            PlanAnswer::Refuse { reason } => Ok(order.refuse_plan(reason.clone(), &caller.actor, now)?),
        })
        .await
    }

    /// Stops or resumes the debits of an active plan.
    ///
    /// # Errors
    /// As [`App::request_plan`].
    pub async fn order_plan(
        &self,
        caller: &Caller,
        id: OrderId,
        what: PlanOrder,
        seen: Option<u64>,
        remember: &Remember<Versioned>,
    ) -> Result<Outcome, Error> {
        self.change_order(caller, id, seen, remember, |_, order, now| {
            Ok(match what {
                PlanOrder::Pause => order.pause_plan(now)?,
                PlanOrder::Resume => order.resume_plan(now)?,
                PlanOrder::Cancel => order.cancel_plan(now)?,
            })
        })
        .await
    }

    /// Accounting has an instalment in arrears debited once more.
    ///
    /// # Errors
    /// As [`App::request_plan`].
    pub async fn retry_debit(
        &self,
        caller: &Caller,
        id: OrderId,
        instalment: u32,
        reason: Text,
        seen: Option<u64>,
        remember: &Remember<Versioned>,
    ) -> Result<Outcome, Error> {
        self.change_order(caller, id, seen, remember, |merchant, order, now| {
            Ok(order.retry_debit(instalment, reason.clone(), now, &merchant.policy)?)
        })
        .await
    }

    /// Changes an order as a person decided, in the version that was looked at when one is named, and answers with it.
    pub(super) async fn change_order<F>(
        &self,
        caller: &Caller,
        id: OrderId,
        seen: Option<u64>,
        remember: &Remember<Versioned>,
        mut decide: F,
    ) -> Result<Outcome, Error>
    where
        F: FnMut(&Merchant, &Order, Timestamp) -> Result<Decision, Error> + Send,
    {
        let found = self.order(caller, id).await?;
        let merchant = self.merchant(&found.order.merchant)?;
        self.change_and_answer(&merchant.id, id, &caller.actor, remember, |current, now| {
            if seen.is_some_and(|seen| seen != current.version) {
                return Err(Error::Outdated);
            }
            let decision = decide(merchant, &current.order, now)?;
            // What changes nothing makes no version.
            let version = if decision.events.is_empty() { current.version } else { current.version + 1 };
            let changed = Versioned { order: decision.order.clone(), version };
            Ok((decision, changed))
        })
        .await
    }

    /// Orders of one merchant with a plan, by how that stands.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a merchant that is not the caller's, [`Error::Unavailable`].
    pub async fn plans(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        filter: &PlanFilter,
    ) -> Result<Vec<Versioned>, Error> {
        let labels = match &filter.status {
            Some(status) => vec![("plan", status.clone())],
            None => vec![("has_plan", "yes".to_owned())],
        };
        let filter =
            OrderFilter { after: filter.after, limit: filter.limit.min(MAX_PAGE + 1), ..OrderFilter::default() };
        self.labelled_orders(caller, merchant, &labels, &filter).await
    }

    /// What the payer of an order's plan may accept now, when it waits for its first instalment.
    pub fn offer(&self, order: &Order) -> Option<Offer> {
        let merchant = self.merchant(&order.merchant).ok()?;
        let plan = order.plan().filter(|plan| plan.is_requested() || plan.is_approved())?;
        order.offer(merchant.template(&plan.template)?, self.now(), &merchant.policy).ok()
    }

    /// The plans that an order may ask for now, each with its schedule when its first instalment is paid today.
    pub fn choices(&self, order: &Order) -> Vec<(&Template, Vec<Instalment>)> {
        let Ok(merchant) = self.merchant(&order.merchant) else { return Vec::new() };
        let now = self.now();
        merchant
            .templates
            .iter()
            .filter_map(|template| {
                // Whether it may be asked for is the order's own answer.
                let asked = order.request_plan(template, &crate::domain::actor::Actor::Gateway, now, &merchant.policy);
                let offer = asked.ok()?.order.offer(template, now, &merchant.policy).ok()?;
                Some((template, offer.schedule))
            })
            .collect()
    }

    /// The day that it is where an order's instalments fall due.
    pub fn today(&self, order: &Order) -> Option<Date> {
        let merchant = self.merchant(&order.merchant).ok()?;
        let zone = order.plan().map(|plan| plan.time_zone.as_str());
        Some(merchant.policy.day(zone, self.now()))
    }
}

fn unknown_template(pointer: &str) -> Error {
    use crate::domain::fault::{Fault, FaultKind};
    Error::Faults(vec![Fault::new(pointer, FaultKind::Unknown)])
}

/// Why the last card was refused that was used on one of these pages.
pub fn card_refusal(order: &Order, is_meant: impl Fn(&Checkout) -> bool) -> Option<&CardRefusal> {
    let meant = |hold: &&Hold| order.checkout(hold.checkout).is_some_and(&is_meant);
    order.holds.iter().rev().filter(meant).find_map(Hold::refusal)
}

/// How an order's plan stands, as it is listed by.
pub fn plan_status(order: &Order) -> Option<&'static str> {
    use crate::domain::plan::PlanEnd;
    let plan = order.plan()?;
    let is_past_due = || {
        let refused = |due: &Instalment| due.arrears.is_some() || due.waits_after_refusal();
        order.schedule.iter().any(|due| due.is_owed() && refused(due))
    };
    Some(match &plan.state {
        PlanState::Requested => "requested",
        PlanState::Approved { .. } => "approved",
        PlanState::Refused { .. } => "refused",
        PlanState::Withdrawn { .. } => "withdrawn",
        PlanState::Active { paused: true, .. } => "paused",
        PlanState::Active { .. } if is_past_due() => "past_due",
        PlanState::Active { .. } => "active",
        PlanState::Ended { how: PlanEnd::Completed, .. } => "completed",
        PlanState::Ended { how: PlanEnd::Cancelled, .. } => "cancelled",
        PlanState::Ended { how: PlanEnd::Defaulted, .. } => "defaulted",
    })
}
