//! What each event makes of an order. The only place where an order changes; an event that does not fit is refused, so
//! a transition that is not drawn cannot be stored.

use jiff::Timestamp;

use super::{Order, Status, Unsettled};
use crate::domain::{
    bank::Operation,
    checkout::{Checkout, Quarantine, Report, Says},
    event::{AskAnswer, Event, Placed},
    give_back::GiveBack,
    ids::CheckoutNumber,
    ledger::{Entry, EntryKind},
    money::Money,
};
use crate::planted::{self, Bug};

/// An event that does not fit its order: a defect of ours, never the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("impossible: {0}")]
pub struct Impossible(pub &'static str);

impl Order {
    pub(super) fn from_placed(placed: &Placed, at: Timestamp) -> Self {
        Self {
            id: placed.id,
            merchant: placed.merchant.clone(),
            reference: placed.reference.clone(),
            payer: placed.payer.clone(),
            lines: placed.lines.clone(),
            totals: placed.totals,
            locale: placed.locale,
            challenge: placed.challenge,
            replaces: placed.replaces,
            placed_at: at,
            status: Status::Open,
            schedule: placed.schedule.clone(),
            checkouts: Vec::new(),
            ledger: Vec::new(),
            give_backs: Vec::new(),
            plans: Vec::new(),
            holds: Vec::new(),
            subscribers: Vec::new(),
            credit_notes: Vec::new(),
            refunds: Vec::new(),
            journal: Vec::new(),
            unsettled: Vec::new(),
            blocked: false,
            verdicts: Vec::new(),
            chain: None,
        }
    }

    /// The order that `events` made.
    ///
    /// # Errors
    /// [`Impossible`] when they do not begin with its placing, or one does not fit.
    pub fn replay<'a>(events: impl IntoIterator<Item = (&'a Event, Timestamp)>) -> Result<Self, Impossible> {
        let mut events = events.into_iter();
        let Some((Event::Placed(placed), at)) = events.next() else {
            return Err(Impossible("an order that does not begin with its placing"));
        };
        let mut order = Self::from_placed(placed, at);
        events.try_for_each(|(event, at)| order.apply(event, at))?;
        Ok(order)
    }

    /// Changes the order as `event` says.
    ///
    /// # Errors
    /// [`Impossible`] when the event does not fit; the order may then be half changed and is to be thrown away.
    pub fn apply(&mut self, event: &Event, at: Timestamp) -> Result<(), Impossible> {
        match event {
            Event::Placed(_) => Err(Impossible("an order placed twice")),
            Event::Settled if self.schedule.iter().any(|due| due.is_owed()) => {
                Err(Impossible("settled before all is paid"))
            }
            Event::Settled => self.leave_open(Status::Settled { at }),
            Event::Cancelled { replaced_by } => self.leave_open(Status::Cancelled { at, replaced_by: *replaced_by }),
            Event::CheckoutIssued(checkout) => self.add_checkout(checkout),
            Event::CheckoutHandedOver { checkout } => {
                let checkout = self.checkout_mut(*checkout)?;
                if std::mem::replace(&mut checkout.handed_over, true) {
                    return Err(Impossible("one reference handed over twice"));
                }
                Ok(())
            }
            Event::CheckoutClosed { checkout, cause } => {
                let checkout = self.checkout_mut(*checkout)?;
                match checkout.closed.replace(*cause) {
                    None => Ok(()),
                    Some(_) => Err(Impossible("a checkout closed twice")),
                }
            }
            Event::Reported { checkout, identity, digest, key: _, says, card, asks } => {
                let checkout = self.checkout_mut(*checkout)?;
                let report = checkout.reports.entry(identity.clone()).or_insert_with(|| Report {
                    received_at: at,
                    says: says.clone(),
                    digests: Default::default(),
                    cards: Vec::new(),
                });
                report.digests.insert(digest.clone());
                report.cards.extend(card.as_deref().cloned());
                report.says.at_least(says);
                checkout.asks.extend(asks);
                if planted::is(Bug::FailureIsFinal) && matches!(says, Says::Failed { .. }) {
                    checkout.asks.clear();
                }
                Ok(())
            }
            Event::Prompted { checkout, asks } => {
                let checkout = self.checkout_mut(*checkout)?;
                checkout.prompts = checkout.prompts.saturating_add(1);
                checkout.asks.extend(asks);
                Ok(())
            }
            Event::Asked { checkout, asked_at, answer, authorised, again, let_go } => {
                let checkout = self.checkout_mut(*checkout)?;
                checkout.asks.retain(|ask| ask > asked_at);
                checkout.asks.extend(again);
                let card = checkout.begins.as_ref().filter(|_| *let_go).map(|begins| begins.subscriber.clone());
                match answer {
                    AskAnswer::Silence { .. } => {
                        checkout.silences = checkout.silences.saturating_add(1);
                        checkout.authorised.extend(authorised);
                    }
                    AskAnswer::Nothing | AskAnswer::Operations { .. } => {
                        checkout.silences = 0;
                        checkout.authorised = authorised.iter().copied().collect();
                        checkout.not_yet = if authorised.is_empty() { 0 } else { checkout.not_yet.saturating_add(1) };
                        let since = checkout.authorised_since.unwrap_or(at);
                        checkout.authorised_since = (!authorised.is_empty()).then_some(since);
                    }
                }
                let Some(card) = card else { return Ok(()) };
                self.register(&card, at);
                self.unwanted(&card, at)
            }
            Event::ReportDoubted { checkout, operation, asks } => {
                // Whatever became of the money, its page may have registered a card.
                if let Ok(begins) = self.begins(*checkout) {
                    let subscriber = begins.subscriber.clone();
                    self.register(&subscriber, at);
                    if self.holds.iter().all(|hold| hold.checkout != *checkout) {
                        self.unwanted(&subscriber, at)?;
                    }
                }
                let checkout = self.checkout_mut(*checkout)?;
                checkout.asks.extend(asks);
                for report in checkout.reports.values_mut() {
                    match &mut report.says {
                        Says::Paid { operation: reported, doubted } if reported.number == *operation => *doubted = true,
                        Says::Paid { .. } | Says::Failed { .. } | Says::Pending => {}
                    }
                }
                Ok(())
            }
            Event::Captured { entry } => self.book_capture(entry),
            Event::Quarantined { checkout, operation, why } => {
                let quarantine = Quarantine { operation: *operation, why: why.clone() };
                self.checkout_mut(*checkout)?.quarantine.push(quarantine);
                Ok(())
            }
            Event::AttemptPlanned { .. }
            | Event::AttemptPostponed { .. }
            | Event::AttemptSent { .. }
            | Event::AttemptAnswered { .. }
            | Event::AttemptAsked { .. }
            | Event::AttemptDropped { .. }
            | Event::GivenBack { .. }
            | Event::Released { .. } => self.apply_attempt(event, at),
            Event::PlanRequested(_)
            | Event::PlanApproved { .. }
            | Event::PlanRefused { .. }
            | Event::PlanWithdrawn { .. }
            | Event::Held(_)
            | Event::CardJudged { .. }
            | Event::PlanActivated { .. }
            | Event::CardChanged { .. }
            | Event::PlanPaused { .. }
            | Event::PlanResumed { .. }
            | Event::PlanEnded { .. }
            | Event::DebitWaits { .. }
            | Event::DebitInArrears { .. }
            | Event::DebitRetried { .. }
            | Event::SubscriberForgotten { .. }
            | Event::SubscriberPostponed { .. } => self.apply_plan(event, at),
            Event::Credited { .. }
            | Event::RefundRequested { .. }
            | Event::Journalled { .. }
            | Event::Rescheduled { .. }
            | Event::SettlementAsked { .. }
            | Event::EntrySettled { .. }
            | Event::SettlementOver { .. }
            | Event::ChargedBack { .. }
            | Event::Blocked
            | Event::Unblocked
            | Event::VerdictGiven(_)
            | Event::QuarantineResolved { .. } => self.apply_correction(event, at),
        }
    }

    fn leave_open(&mut self, status: Status) -> Result<(), Impossible> {
        match self.status {
            Status::Open => {
                self.status = status;
                Ok(())
            }
            Status::Settled { .. } | Status::Cancelled { .. } => Err(Impossible("a final status that changes")),
        }
    }

    fn add_checkout(&mut self, checkout: &Checkout) -> Result<(), Impossible> {
        if self.status != Status::Open || self.checkouts.iter().any(Checkout::is_open) {
            return Err(Impossible("a second open checkout, or one of an order that is not open"));
        }
        self.checkouts.push(checkout.clone());
        Ok(())
    }

    fn book_capture(&mut self, entry: &Entry) -> Result<(), Impossible> {
        let number = entry.operation.number;
        let is_known = self.has_booked(&number);
        match self.holds.iter_mut().find(|hold| hold.operation.number == number && !hold.captured) {
            Some(hold) => {
                hold.captured = true;
                let checkout = hold.checkout;
                if matches!(entry.kind, EntryKind::Surplus { .. }) {
                    let subscriber = self.begins(checkout)?.subscriber.clone();
                    self.unwanted(&subscriber, entry.at)?;
                }
            }
            None if is_known => return Err(Impossible("an operation booked twice")),
            None => {}
        }
        match &entry.kind {
            EntryKind::Capture { .. } | EntryKind::Debit { .. } if self.status != Status::Open => {
                return Err(Impossible("an order paid that is not open"));
            }
            EntryKind::Capture { instalment, rest, .. } => {
                for number in std::iter::once(instalment).chain(rest) {
                    self.pay(*number)?;
                }
            }
            EntryKind::Debit { instalment } => self.pay(*instalment)?,
            EntryKind::Surplus { .. } if planted::is(Bug::SurplusKept) => {}
            EntryKind::Surplus { .. } => self.add_give_back(entry.operation, entry.amount, None),
            EntryKind::GivenBack { .. } | EntryKind::Settlement { .. } | EntryKind::Chargeback { .. } => {
                return Err(Impossible("what is no capture booked as one"));
            }
        }
        self.unsettled.push(Unsettled { operation: entry.operation, since: entry.at, next_look: entry.at });
        self.ledger.push(entry.clone());
        Ok(())
    }

    fn pay(&mut self, number: u32) -> Result<(), Impossible> {
        let due = self.instalment_mut(number)?;
        due.paid = true;
        due.next_on = None;
        due.arrears = None;
        Ok(())
    }

    pub(super) fn add_give_back(&mut self, operation: Operation, amount: Money, hold: Option<u32>) {
        let number = u32::try_from(self.give_backs.len()).unwrap_or(u32::MAX).saturating_add(1);
        let (attempts, refund) = (Vec::new(), None);
        self.give_backs.push(GiveBack {
            number,
            operation,
            amount,
            attempts,
            hold,
            refund,
            partial: false,
            given_up: false,
        });
    }

    fn checkout_mut(&mut self, number: CheckoutNumber) -> Result<&mut Checkout, Impossible> {
        self.checkouts
            .iter_mut()
            .find(|checkout| checkout.number == number)
            .ok_or(Impossible("a checkout that does not exist"))
    }
}
