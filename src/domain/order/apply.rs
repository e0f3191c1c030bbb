//! What each event makes of an order. The only place where an order changes; an event that does not fit is refused, so
//! a transition that is not drawn cannot be stored.

use jiff::Timestamp;

use super::{Order, Status};
use crate::domain::{
    attempt::{Attempt, AttemptState, Conclusion},
    checkout::{Checkout, Quarantine, Report, Says},
    event::{AskAnswer, Event, Placed},
    give_back::{AttemptId, GiveBack, Next},
    ids::CheckoutNumber,
    ledger::{Entry, EntryKind},
};

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
            Event::Settled if self.schedule.iter().any(|due| !due.paid) => {
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
            Event::Reported { checkout, identity, digest, key: _, says, asks } => {
                let checkout = self.checkout_mut(*checkout)?;
                let report = checkout.reports.entry(identity.clone()).or_insert_with(|| Report {
                    received_at: at,
                    says: says.clone(),
                    digests: Default::default(),
                });
                report.digests.insert(digest.clone());
                report.says.at_least(says);
                checkout.asks.extend(asks);
                Ok(())
            }
            Event::Prompted { checkout, asks } => {
                let checkout = self.checkout_mut(*checkout)?;
                checkout.prompts = checkout.prompts.saturating_add(1);
                checkout.asks.extend(asks);
                Ok(())
            }
            Event::Asked { checkout, asked_at, answer, authorised, again } => {
                let checkout = self.checkout_mut(*checkout)?;
                checkout.asks.retain(|ask| ask > asked_at);
                checkout.asks.extend(again);
                match answer {
                    AskAnswer::Silence { .. } => {
                        checkout.silences = checkout.silences.saturating_add(1);
                        checkout.authorised.extend(authorised);
                    }
                    AskAnswer::Nothing | AskAnswer::Operations { .. } => {
                        checkout.silences = 0;
                        checkout.authorised = authorised.iter().copied().collect();
                        checkout.not_yet = if authorised.is_empty() { 0 } else { checkout.not_yet.saturating_add(1) };
                    }
                }
                Ok(())
            }
            Event::ReportDoubted { checkout, operation } => {
                let checkout = self.checkout_mut(*checkout)?;
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
            Event::AttemptPlanned { give_back, attempt } => self.add_attempt(*give_back, attempt),
            Event::AttemptPostponed { of, until, why: _ } => {
                let AttemptState::Ready { not_before } = &mut self.attempt_mut(*of)?.state else {
                    return Err(Impossible("postponing a call that has left"));
                };
                *not_before = *until;
                Ok(())
            }
            Event::AttemptSent { of, sending } => {
                let attempt = self.attempt_mut(*of)?;
                if !matches!(attempt.state, AttemptState::Ready { .. }) {
                    return Err(Impossible("a call sent twice"));
                }
                attempt.state = AttemptState::Sent(*sending);
                Ok(())
            }
            Event::AttemptAnswered { of, state } => {
                let attempt = self.attempt_mut(*of)?;
                let waits = matches!(
                    attempt.state,
                    AttemptState::Ready { .. } | AttemptState::Sent(_) | AttemptState::InDoubt(_)
                );
                if !waits || matches!(state, AttemptState::Ready { .. } | AttemptState::Sent(_)) {
                    return Err(Impossible("an answer to a call that is not waiting for one"));
                }
                attempt.state = state.clone();
                Ok(())
            }
            Event::AttemptAsked { of, conclusion } => self.attempt_mut(*of)?.asked(conclusion, at),
            Event::GivenBack { give_back, entry } => {
                let known = self.ledger.iter().any(|booked| booked.kind == entry.kind);
                let done = self.give_back(*give_back).is_some_and(|given| {
                    given.next() == Next::Nothing
                        && given.amount == entry.amount
                        && entry.kind == EntryKind::GivenBack { original: given.operation.number }
                });
                if known || !done {
                    return Err(Impossible("a give-back booked twice, or of nothing"));
                }
                self.ledger.push(entry.clone());
                Ok(())
            }
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
        if self.knows(&entry.operation.number) {
            return Err(Impossible("an operation booked twice"));
        }
        match &entry.kind {
            EntryKind::Capture { .. } if self.status != Status::Open => {
                return Err(Impossible("an order paid that is not open"));
            }
            EntryKind::Capture { instalment, .. } => {
                let due = self.schedule.iter_mut().find(|due| due.number == *instalment && !due.paid);
                due.ok_or(Impossible("a capture for an instalment that is not owed"))?.paid = true;
            }
            EntryKind::Surplus { .. } => {
                let number = u32::try_from(self.give_backs.len()).unwrap_or(u32::MAX).saturating_add(1);
                let (operation, amount) = (entry.operation, entry.amount);
                self.give_backs.push(GiveBack { number, operation, amount, attempts: Vec::new() });
            }
            EntryKind::GivenBack { .. } => return Err(Impossible("a give-back booked as a capture")),
        }
        self.ledger.push(entry.clone());
        Ok(())
    }

    fn add_attempt(&mut self, number: u32, attempt: &Attempt) -> Result<(), Impossible> {
        let give_back = self.give_back_mut(number)?;
        let one_is_open = give_back.attempts.iter().any(|attempt| match attempt.state {
            AttemptState::Refused { .. } | AttemptState::NotExecuted => false,
            AttemptState::Ready { .. }
            | AttemptState::Sent(_)
            | AttemptState::InDoubt(_)
            | AttemptState::Accepted { .. }
            | AttemptState::Quarantined { .. } => true,
        });
        if one_is_open || attempt.number != give_back.next_number() {
            return Err(Impossible("a second open attempt"));
        }
        give_back.attempts.push(attempt.clone());
        Ok(())
    }

    fn checkout_mut(&mut self, number: CheckoutNumber) -> Result<&mut Checkout, Impossible> {
        self.checkouts
            .iter_mut()
            .find(|checkout| checkout.number == number)
            .ok_or(Impossible("a checkout that does not exist"))
    }

    fn give_back_mut(&mut self, number: u32) -> Result<&mut GiveBack, Impossible> {
        self.give_backs
            .iter_mut()
            .find(|give_back| give_back.number == number)
            .ok_or(Impossible("a give-back that does not exist"))
    }

    /// The attempt that is meant, which must be the latest of its give-back.
    fn attempt_mut(&mut self, of: AttemptId) -> Result<&mut Attempt, Impossible> {
        let last = self.give_back_mut(of.give_back)?.attempts.last_mut();
        last.filter(|attempt| attempt.number == of.attempt).ok_or(Impossible("an attempt that is not the latest"))
    }
}

impl Attempt {
    fn asked(&mut self, conclusion: &Conclusion, at: Timestamp) -> Result<(), Impossible> {
        let AttemptState::InDoubt(doubt) = &mut self.state else {
            return Err(Impossible("an enquiry about a call that is not in doubt"));
        };
        match conclusion {
            Conclusion::Accepted { operation } => self.state = AttemptState::Accepted { operation: *operation, at },
            Conclusion::NotExecuted => self.state = AttemptState::NotExecuted,
            Conclusion::Quarantined { why } => self.state = AttemptState::Quarantined { why: why.clone() },
            Conclusion::AskAgain { at, denied_by } => {
                doubt.asked = doubt.asked.saturating_add(1);
                doubt.silences = 0;
                doubt.denials.extend(denied_by);
                doubt.next_ask = *at;
            }
            Conclusion::Silence { at } => {
                doubt.silences = doubt.silences.saturating_add(1);
                doubt.next_ask = *at;
            }
        }
        Ok(())
    }
}
