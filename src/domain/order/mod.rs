//! The order: the one aggregate that owns everything that must agree.
//!
//! ```text
//!  open ──▶ settled      all is paid, or there was nothing to pay
//!    └────▶ cancelled    by the portal, or replaced; money that still comes is surplus
//! ```
//! Deciding is spread over the files beside this one by what is decided; each returns a [`Decision`], whose events have
//! already been applied once, so nothing that cannot be applied is ever stored.

mod apply;
mod apply_attempt;
mod apply_correction;
mod apply_plan;
mod attempts;
mod audit;
mod cards;
mod confirm;
mod corrections;
mod debits;
mod duty;
mod issue;
mod place;
mod plans;
mod quarantine;
mod settlement;
#[cfg(test)]
pub(in crate::domain) mod tests;

pub use apply::Impossible;
pub use attempts::{NewCall, Prepared};
pub use audit::Breach;
pub use confirm::{Heard, News, Taken};
pub use corrections::{Against, Correcting};
pub use debits::LeftOut;
pub use duty::Duty;
pub use issue::{MAX_CHECKOUTS, NewCheckout, NewFollower, Way};
pub use place::NewOrder;
pub use plans::Offer;
pub use quarantine::Waiting;
pub use settlement::Remitted;

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

use super::{
    bank::Operation,
    chain::Link,
    checkout::{Challenge, Checkout, CheckoutStatus, Locale},
    correction::{CreditNote, JournalEntry, Refund},
    event::Event,
    give_back::GiveBack,
    hold::Hold,
    ids::{CheckoutNumber, MerchantId, OrderId},
    ledger::{Entry, EntryKind},
    line::{Line, Totals},
    money::Money,
    numbers::OperationNumber,
    payer::Payer,
    plan::Plan,
    quarantine::GivenVerdict,
    schedule::Instalment,
    subscriber::Subscriber,
    template::NotPossible,
    text::Text,
};
use jiff::Timestamp;

/// An order as its events made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: OrderId,
    pub merchant: MerchantId,
    pub reference: Text,
    pub payer: Payer,
    pub lines: Vec<Line>,
    pub totals: Totals,
    pub locale: Locale,
    pub challenge: Option<Challenge>,
    pub replaces: Option<OrderId>,
    pub placed_at: Timestamp,
    pub status: Status,
    pub schedule: Vec<Instalment>,
    pub checkouts: Vec<Checkout>,
    pub ledger: Vec<Entry>,
    pub give_backs: Vec<GiveBack>,
    /// Every request to pay in instalments; the latest counts.
    #[serde(default)]
    pub plans: Vec<Plan>,
    /// What payers' banks held for a plan.
    #[serde(default)]
    pub holds: Vec<Hold>,
    /// Cards that the bank keeps, or kept, for it.
    #[serde(default)]
    pub subscribers: Vec<Subscriber>,
    #[serde(default)]
    pub credit_notes: Vec<CreditNote>,
    #[serde(default)]
    pub refunds: Vec<Refund>,
    #[serde(default)]
    pub journal: Vec<JournalEntry>,
    /// Captures that have not reached the merchant's account, as far as is known.
    #[serde(default)]
    pub unsettled: Vec<Unsettled>,
    /// Something of it is past due.
    #[serde(default)]
    pub blocked: bool,
    /// What people have made so far of what waits for them.
    #[serde(default)]
    pub verdicts: Vec<GivenVerdict>,
    /// The latest of its events, once that is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Link>,
}

/// A capture that is on its way to the merchant's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsettled {
    pub operation: Operation,
    pub since: Timestamp,
    pub next_look: Timestamp,
}

/// Where an order stands. What is settled or cancelled stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    Open,
    Settled {
        at: Timestamp,
    },
    Cancelled {
        at: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaced_by: Option<OrderId>,
    },
}

/// Why an order does not take a command; it is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the order is settled")]
    Settled,
    #[error("the order is cancelled")]
    Cancelled,
    #[error("money of this order is being confirmed with the bank")]
    ConfirmationInProgress,
    #[error("an operation of this order waits for a person's decision")]
    Quarantined,
    #[error("the order has had as many checkouts as it may have")]
    TooManyCheckouts,
    #[error("part of the order is paid")]
    PartlyPaid,
    #[error("accounting has not approved a plan for this order")]
    PlanNotApproved,
    #[error("a plan of this order is under way, or is over")]
    PlanUnderWay,
    #[error("no request for instalments waits for an answer")]
    PlanNotRequested,
    #[error("no plan of this order is active")]
    PlanNotActive,
    #[error("the terms are not the ones that were looked at")]
    TermsChanged,
    #[error("who asked for a plan does not approve it")]
    ApproverIsRequester,
    #[error("instalments may not be asked for today")]
    OutsideWindow,
    #[error("the order has had as many plans as it may have")]
    TooManyPlans,
    #[error("the month ends before the page would")]
    MonthEnds,
    #[error("the instalment is being debited")]
    DebitInProgress,
    #[error("nothing of the order is paid yet")]
    NothingPaid,
    #[error("there is not that much to take back")]
    NotThatMuch,
    #[error("an active plan is to be kept or cancelled")]
    RestNotSaid,
    #[error("there is no such capture")]
    NoSuchCapture,
    #[error("the order has had as many corrections as it may have")]
    TooManyCorrections,
    #[error("that date has come")]
    DateHasCome,
    #[error("the card ends before that date")]
    CardEndsBefore,
    #[error("nothing like that waits for a decision")]
    NothingWaits,
    #[error("that verdict does not fit what waits")]
    VerdictDoesNotFit,
    #[error("another person, with another key, has to decide the same")]
    SecondPersonNeeded,
    #[error("this card must not be debited again")]
    CardUnusable,
    #[error("the order has no such instalment to pay")]
    NoSuchInstalment,
    #[error(transparent)]
    NotPossible(#[from] NotPossible),
    /// A defect of ours: the decision did not fit the order. Nothing was changed.
    #[error(transparent)]
    Impossible(#[from] Impossible),
}

/// Events that were decided, and the order as they leave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub order: Order,
    pub events: Vec<Event>,
}

impl Decision {
    fn of(order: &Order) -> Self {
        Self { order: order.clone(), events: Vec::new() }
    }

    fn push(&mut self, event: Event, now: Timestamp) -> Result<(), Impossible> {
        self.order.apply(&event, now)?;
        self.events.push(event);
        Ok(())
    }
}

impl Order {
    /// The decision to leave it as it is.
    pub fn unchanged(&self) -> Decision {
        Decision::of(self)
    }

    pub fn checkout(&self, number: CheckoutNumber) -> Option<&Checkout> {
        self.checkouts.iter().find(|checkout| checkout.number == number)
    }

    pub fn checkout_status(&self, checkout: &Checkout) -> CheckoutStatus {
        let captured = self.ledger.iter().any(|entry| match &entry.kind {
            EntryKind::Capture { checkout: of, .. } => *of == checkout.number,
            EntryKind::Surplus { checkout: of } => *of == Some(checkout.number),
            EntryKind::Debit { .. }
            | EntryKind::GivenBack { .. }
            | EntryKind::Settlement { .. }
            | EntryKind::Chargeback { .. } => false,
        });
        let serves = checkout.begins.as_deref().is_some_and(|begins| {
            begins.changes_card
                && self.plan().and_then(Plan::card).is_some_and(|card| card.subscriber == begins.subscriber)
        });
        let captured = captured || serves;
        let holds: Vec<&Hold> = self.holds.iter().filter(|hold| hold.checkout == checkout.number).collect();
        match checkout.status(captured, &|number| self.has_seen_to(checkout.number, number)) {
            CheckoutStatus::Captured => CheckoutStatus::Captured,
            CheckoutStatus::Quarantined => CheckoutStatus::Quarantined,
            _ if holds.iter().any(|hold| hold.is_pending()) => CheckoutStatus::Confirming,
            CheckoutStatus::Issued | CheckoutStatus::Refused if !holds.is_empty() => CheckoutStatus::CardRefused,
            status @ (CheckoutStatus::Issued
            | CheckoutStatus::Superseded
            | CheckoutStatus::Expired
            | CheckoutStatus::Withdrawn
            | CheckoutStatus::Confirming
            | CheckoutStatus::Refused
            | CheckoutStatus::CardRefused) => status,
        }
    }

    /// Whether an operation is booked or held.
    pub fn has_booked(&self, number: &OperationNumber) -> bool {
        self.ledger.iter().any(|entry| entry.operation.number == *number)
            || self.holds.iter().any(|hold| hold.operation.number == *number)
    }

    /// Whether nothing is left to be done about an operation of a page. That it waits for people at another page, or was
    /// put aside there, tells nothing: anybody can have any number reported for any page.
    pub fn has_seen_to(&self, checkout: CheckoutNumber, number: &OperationNumber) -> bool {
        self.has_booked(number) || self.checkout(checkout).is_some_and(|page| page.has_put_aside(number))
    }

    /// The plan that counts: the latest.
    pub fn plan(&self) -> Option<&Plan> {
        self.plans.last()
    }

    pub fn hold(&self, number: u32) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.number == number)
    }

    pub fn instalment(&self, number: u32) -> Option<&Instalment> {
        self.schedule.iter().find(|due| due.number == number)
    }

    /// How many things are ordered, started ones counted whole.
    pub fn item_count(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum::<Decimal>().ceil().to_u32().unwrap_or(u32::MAX)
    }

    /// What was captured for the order itself, surplus left out.
    pub fn paid(&self) -> Money {
        let charged_back = self.sum(|kind| matches!(kind, EntryKind::Chargeback { .. }));
        let captured = self.sum(|kind| matches!(kind, EntryKind::Capture { .. } | EntryKind::Debit { .. }));
        captured.minus(charged_back).unwrap_or(captured)
    }

    /// What was captured beyond what is owed, and has not gone back yet.
    pub fn surplus(&self) -> Money {
        let given_back = self.sum(|kind| matches!(kind, EntryKind::GivenBack { give_back: None, .. }));
        self.sum(|kind| matches!(kind, EntryKind::Surplus { .. }))
            .minus(given_back)
            .unwrap_or(Money::zero(self.totals.including_vat.currency()))
    }

    fn sum(&self, counts: impl Fn(&EntryKind) -> bool) -> Money {
        let zero = Money::zero(self.totals.including_vat.currency());
        self.ledger
            .iter()
            .filter(|entry| counts(&entry.kind))
            .fold(zero, |sum, entry| sum.plus(entry.amount).unwrap_or(sum))
    }

    /// Whether money is on its way that is not booked yet.
    fn is_confirming(&self) -> bool {
        self.holds.iter().any(Hold::is_pending)
            || self.checkouts.iter().any(|page| page.is_confirming(&|number| self.has_seen_to(page.number, number)))
    }

    fn has_quarantine(&self) -> bool {
        self.checkouts.iter().any(|checkout| !checkout.quarantine.is_empty())
    }
}

/// The number of what comes after `count` others.
fn next_number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1)
}
