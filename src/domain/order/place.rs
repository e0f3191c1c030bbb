//! Placing an order, and cancelling it.

use jiff::{Timestamp, civil::Date};

use super::{Decision, Order, Refusal, Status};
use crate::domain::{
    checkout::{Challenge, Closed, Locale},
    event::{Event, Placed},
    fault::{Fault, FaultKind},
    ids::{MerchantId, OrderId},
    line::{Line, total_of},
    money::Currency,
    payer::Payer,
    policy::Policy,
    schedule::once,
    text::Text,
};
use crate::planted::{self, Bug};

/// An order as a portal asks for it; its texts and numbers are already parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    pub id: OrderId,
    pub merchant: MerchantId,
    pub reference: Text,
    pub payer: Payer,
    pub currency: Currency,
    pub lines: Vec<Line>,
    pub locale: Locale,
    pub challenge: Option<Challenge>,
    pub replaces: Option<OrderId>,
}

impl Order {
    /// Places an order on `today` (in the merchant's zone). A total of zero settles it at once.
    ///
    /// # Errors
    /// Every fault of its lines, with its place.
    pub fn place(new: NewOrder, today: Date, now: Timestamp, policy: &Policy) -> Result<Decision, Vec<Fault>> {
        let totals = total_of(&new.lines, new.currency)?;
        let total = totals.including_vat;
        if !total.is_zero() && total.minor_units() < policy.minimum_amount {
            return Err(vec![Fault::new("/lines", FaultKind::BelowMinimum { minimum: policy.minimum_amount })]);
        }
        let placed = Placed {
            id: new.id,
            merchant: new.merchant,
            reference: new.reference,
            payer: new.payer,
            lines: new.lines,
            totals,
            locale: new.locale,
            challenge: new.challenge,
            replaces: new.replaces,
            schedule: once(total, today),
        };
        let mut decision =
            Decision { order: Self::from_placed(&placed, now), events: vec![Event::Placed(Box::new(placed))] };
        if total.is_zero() {
            decision.push(Event::Settled, now).map_err(|_| vec![Fault::new("/lines", FaultKind::AmountOutOfRange)])?;
        }
        Ok(decision)
    }

    /// Takes the order back, before anything of it is paid, or after all of it was charged back. A page that is open may
    /// still be paid: that will be surplus.
    ///
    /// # Errors
    /// [`Refusal`] when it is settled, cancelled already, partly paid, or money of it is being confirmed, debited, or
    /// waits for a person.
    pub fn cancel(&self, replaced_by: Option<OrderId>, now: Timestamp) -> Result<Decision, Refusal> {
        self.must_be_open()?;
        if self.schedule.iter().any(|instalment| instalment.paid) {
            return Err(Refusal::PartlyPaid);
        }
        if self.is_confirming() {
            return Err(Refusal::ConfirmationInProgress);
        }
        if self.has_quarantine() {
            return Err(Refusal::Quarantined);
        }
        let mut decision = match self.plan() {
            Some(plan) if plan.card().is_some() => self.cancel_plan(now)?,
            Some(_) | None => Decision::of(self),
        };
        // What left while its plan was active may have been carried out.
        if decision.order.schedule.iter().any(|due| due.is_being_debited() || due.is_quarantined())
            && !planted::is(Bug::CancelledBesideADebit)
        {
            return Err(Refusal::DebitInProgress);
        }
        decision.close_open_checkouts(Closed::Withdrawn, now)?;
        decision.withdraw_plan(now)?;
        decision.push(Event::Cancelled { replaced_by }, now)?;
        decision.update_block(now)?;
        Ok(decision)
    }

    pub(super) fn must_be_open(&self) -> Result<(), Refusal> {
        match self.status {
            Status::Open => Ok(()),
            Status::Settled { .. } => Err(Refusal::Settled),
            Status::Cancelled { .. } => Err(Refusal::Cancelled),
        }
    }
}

impl Decision {
    pub(super) fn close_open_checkouts(&mut self, cause: Closed, now: Timestamp) -> Result<(), super::Impossible> {
        let open: Vec<_> =
            self.order.checkouts.iter().filter(|checkout| checkout.is_open()).map(|checkout| checkout.number).collect();
        open.into_iter().try_for_each(|checkout| self.push(Event::CheckoutClosed { checkout, cause }, now))
    }
}
