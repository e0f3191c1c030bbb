//! Corrections that people make: credit notes, refunds, payments elsewhere, write-offs, new dates, chargebacks.

use jiff::{Timestamp, civil::Date};

use super::{Decision, Order, Refusal, Status, next_number};
use crate::domain::{
    actor::Actor,
    checkout::Closed,
    correction::{CreditNote, Cut, JournalEntry, JournalKind, MAX_CORRECTIONS, Refund, Rest},
    event::{Event, RefundPart},
    ledger::{Entry, EntryKind},
    money::Money,
    numbers::OperationNumber,
    plan::{PlanEnd, PlanState, amended_terms},
    policy::Policy,
    retry::RefusalClass,
    schedule::Instalment,
    text::Text,
};

/// Who corrects, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correcting {
    pub by: Actor,
    pub reason: Text,
}

/// What a refund goes against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// A credit note of the same amount, of the same commit.
    CreditNote,
    /// What was paid beyond what is owed.
    Surplus,
}

impl Order {
    /// What the order comes to after its credit notes.
    pub fn owed_in_all(&self) -> Money {
        let credited = self.credited_in_all();
        self.totals.including_vat.minus(credited).unwrap_or(Money::zero(credited.currency()))
    }

    pub fn credited_in_all(&self) -> Money {
        let zero = Money::zero(self.totals.including_vat.currency());
        self.credit_notes.iter().fold(zero, |sum, note| sum.plus(note.amount).unwrap_or(sum))
    }

    /// What is going back, or went, of money that paid for the order.
    pub fn refunded_in_all(&self) -> Money {
        let zero = Money::zero(self.totals.including_vat.currency());
        let parts = self.give_backs.iter().filter(|given| given.refund.is_some() && given.counts_as_spent());
        parts.fold(zero, |sum, part| sum.plus(part.amount).unwrap_or(sum))
    }

    /// What was paid, here and elsewhere, beyond what is owed and is not going back already.
    pub fn overpaid(&self) -> Money {
        let zero = Money::zero(self.totals.including_vat.currency());
        let paid = self.paid().plus(self.paid_elsewhere()).unwrap_or(zero);
        let spent = self.owed_in_all().plus(self.refunded_in_all()).unwrap_or(paid);
        paid.minus(spent).unwrap_or(zero)
    }

    pub fn paid_elsewhere(&self) -> Money {
        let zero = Money::zero(self.totals.including_vat.currency());
        let elsewhere = self.journal.iter().filter(|entry| matches!(entry.kind, JournalKind::PaidElsewhere { .. }));
        elsewhere.fold(zero, |sum, entry| sum.plus(entry.amount).unwrap_or(sum))
    }

    /// Takes part of the order off: what is unpaid is recomputed from the last instalment backwards, and what was paid
    /// too much goes back.
    ///
    /// # Errors
    /// [`Refusal`] when nothing is paid yet (the order is replaced then), it exceeds what is owed, or an instalment that it
    /// would cut is being debited.
    pub fn credit(&self, amount: Money, correcting: &Correcting, now: Timestamp) -> Result<Decision, Refusal> {
        self.may_be_corrected()?;
        let mut decision = Decision::of(self);
        decision.credit(amount, true, correcting, now)?;
        let overpaid = decision.order.overpaid();
        if !overpaid.is_zero() {
            let note = Some(decision.order.credit_notes.last().map_or(0, |note| note.number));
            decision.refund(overpaid, note, correcting, now)?;
        }
        decision.settle_if_paid(now)?;
        Ok(decision)
    }

    /// Gives captured money back: against a credit note of the same commit, or what was paid beyond what is owed.
    ///
    /// # Errors
    /// [`Refusal`] when that much is not there to give back, or an active plan is not told what becomes of it.
    pub fn refund(
        &self,
        amount: Money,
        against: Against,
        rest: Option<Rest>,
        correcting: &Correcting,
        now: Timestamp,
    ) -> Result<Decision, Refusal> {
        self.may_be_corrected()?;
        let is_active = self.plan().is_some_and(|plan| plan.card().is_some());
        let mut decision = Decision::of(self);
        match (is_active, rest) {
            (true, None) => return Err(Refusal::RestNotSaid),
            (false, Some(_)) => return Err(Refusal::PlanNotActive),
            (true, Some(Rest::Cancel)) => decision.cancel_rest(correcting, now)?,
            (true, Some(Rest::Keep)) | (false, None) => {}
        }
        let note = match against {
            Against::CreditNote => {
                decision.credit(amount, false, correcting, now)?;
                decision.order.credit_notes.last().map(|note| note.number)
            }
            Against::Surplus if amount.exceeds(decision.order.overpaid()) => return Err(Refusal::NotThatMuch),
            Against::Surplus => None,
        };
        decision.refund(amount, note, correcting, now)?;
        decision.settle_if_paid(now)?;
        Ok(decision)
    }

    /// Credits all that is unpaid and ends the plan: nothing more is owed.
    ///
    /// # Errors
    /// [`Refusal`] when no plan is active, or a debit of it is under way.
    pub fn cancel_rest(&self, correcting: &Correcting, now: Timestamp) -> Result<Decision, Refusal> {
        self.may_be_corrected()?;
        if self.plan().and_then(crate::domain::plan::Plan::card).is_none() {
            return Err(Refusal::PlanNotActive);
        }
        let mut decision = Decision::of(self);
        decision.cancel_rest(correcting, now)?;
        decision.settle_if_paid(now)?;
        Ok(decision)
    }

    /// Books an instalment as paid outside PAYBOX, or gives it up.
    ///
    /// # Errors
    /// [`Refusal`] when it is not owed, or is being paid.
    pub fn journal(
        &self,
        instalment: u32,
        kind: JournalKind,
        correcting: &Correcting,
        now: Timestamp,
    ) -> Result<Decision, Refusal> {
        self.must_be_open()?;
        if self.journal.len() >= MAX_CORRECTIONS {
            return Err(Refusal::TooManyCorrections);
        }
        let mut decision = Decision::of(self);
        decision.drop_ready_debits("accounting books it otherwise", now)?;
        let due = decision.order.payable_by_people(instalment, now)?;
        let entry = JournalEntry {
            at: now,
            by: correcting.by.clone(),
            instalment,
            amount: due.amount,
            reason: correcting.reason.clone(),
            kind,
        };
        decision.push(Event::Journalled { entry: Box::new(entry) }, now)?;
        decision.close_checkouts_of(&[instalment], now)?;
        decision.settle_if_paid(now)?;
        Ok(decision)
    }

    /// Gives an instalment of an active plan another date.
    ///
    /// # Errors
    /// [`Refusal`] when no plan is active, it is not owed or is being paid, its card was refused for
    /// good, the date has come, or the card ends before it.
    pub fn reschedule(
        &self,
        instalment: u32,
        due: Date,
        reason: Text,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Refusal> {
        let card = self.plan().and_then(crate::domain::plan::Plan::card).ok_or(Refusal::PlanNotActive)?;
        let mut decision = Decision::of(self);
        decision.drop_ready_debits("it is rescheduled", now)?;
        let owed = decision.order.payable_by_people(instalment, now)?;
        // What was refused for good, or charged back, would be debited on the new day.
        if owed.arrears.as_ref().is_some_and(|arrears| arrears.class != RefusalClass::Soft) {
            return Err(Refusal::CardUnusable);
        }
        if due <= self.debit_day(now, policy) {
            return Err(Refusal::DateHasCome);
        }
        if card.facts.end.is_some_and(|end| !end.covers(due)) {
            return Err(Refusal::CardEndsBefore);
        }
        decision.push(Event::Rescheduled { instalment, due, reason }, now)?;
        decision.update_block(now)?;
        Ok(decision)
    }

    /// Gives a plan up whose payer does not pay: nothing is debited any more, and all that is unpaid is owed.
    ///
    /// # Errors
    /// [`Refusal`] when it is not active, or a debit of it is under way.
    pub fn default_plan(&self, now: Timestamp) -> Result<Decision, Refusal> {
        self.end_plan(PlanEnd::Defaulted, now)
    }

    /// The payer's bank took a captured payment back: its instalment is owed again.
    ///
    /// # Errors
    /// [`Refusal`] when there is no such capture, or part of it went back already.
    pub fn charge_back(&self, operation: &OperationNumber, reason: Text, now: Timestamp) -> Result<Decision, Refusal> {
        let entry = self.ledger.iter().find(|entry| entry.operation.number == *operation);
        let (entry, instalment) = match entry.map(|entry| (entry, &entry.kind)) {
            Some((entry, EntryKind::Capture { instalment, .. } | EntryKind::Debit { instalment })) => {
                (entry, *instalment)
            }
            _ => return Err(Refusal::NoSuchCapture),
        };
        if self.refundable(operation) != Some(entry.amount) {
            return Err(Refusal::NotThatMuch);
        }
        let kind = EntryKind::Chargeback { original: *operation, instalment };
        let entry = Entry { at: now, operation: entry.operation, amount: entry.amount, kind };
        let mut decision = Decision::of(self);
        decision.push(Event::ChargedBack { entry, reason }, now)?;
        decision.update_block(now)?;
        Ok(decision)
    }

    /// Whether anything of it was paid, be it charged back since; surplus is none of it.
    pub(super) fn was_ever_paid(&self) -> bool {
        let is_payment = |entry: &Entry| matches!(entry.kind, EntryKind::Capture { .. } | EntryKind::Debit { .. });
        self.ledger.iter().any(is_payment) || self.schedule.iter().any(|due| due.paid)
    }

    fn may_be_corrected(&self) -> Result<(), Refusal> {
        if matches!(self.status, Status::Cancelled { .. }) {
            return Err(Refusal::Cancelled);
        }
        if !self.was_ever_paid() {
            return Err(Refusal::NothingPaid);
        }
        if self.is_confirming() {
            return Err(Refusal::ConfirmationInProgress);
        }
        if self.credit_notes.len().max(self.refunds.len()) >= MAX_CORRECTIONS {
            return Err(Refusal::TooManyCorrections);
        }
        Ok(())
    }

    /// An instalment that people may book otherwise.
    fn payable_by_people(&self, number: u32, now: Timestamp) -> Result<&Instalment, Refusal> {
        let due = self.instalment(number).filter(|due| due.is_owed()).ok_or(Refusal::NoSuchInstalment)?;
        if due.is_quarantined() {
            return Err(Refusal::Quarantined);
        }
        if due.is_being_debited() {
            return Err(Refusal::DebitInProgress);
        }
        if self.is_covered(number, now) && self.is_confirming() {
            return Err(Refusal::ConfirmationInProgress);
        }
        Ok(due)
    }
}

impl Decision {
    /// One credit note. With `cut` it takes what it can off unpaid instalments, the last first; without, it is for money
    /// that goes back.
    fn credit(&mut self, amount: Money, cut: bool, correcting: &Correcting, now: Timestamp) -> Result<(), Refusal> {
        if amount.is_zero() || amount.exceeds(self.order.owed_in_all()) {
            return Err(Refusal::NotThatMuch);
        }
        self.drop_ready_debits("the order was credited", now)?;
        let mut left = amount;
        let mut cuts = Vec::new();
        for due in self.order.schedule.iter().rev().filter(|due| cut && due.is_owed()) {
            if left.is_zero() {
                break;
            }
            if due.is_being_debited() || due.is_quarantined() {
                return Err(Refusal::DebitInProgress);
            }
            let taken = if left.exceeds(due.amount) { due.amount } else { left };
            left = left.minus(taken).map_err(|_| Refusal::NotThatMuch)?;
            cuts.push(Cut { instalment: due.number, amount: taken });
        }
        let numbers: Vec<u32> = cuts.iter().map(|cut| cut.instalment).collect();
        let is_active = self.order.plan().is_some_and(|plan| plan.card().is_some());
        let note = CreditNote {
            number: next_number(self.order.credit_notes.len()),
            at: now,
            by: correcting.by.clone(),
            amount,
            reason: correcting.reason.clone(),
            cuts,
        };
        let terms = self.order.plan().filter(|_| is_active && !numbers.is_empty());
        let terms = terms.map(|plan| amended_terms(&plan.terms, note.number, &note.cuts));
        self.push(Event::Credited { note: Box::new(note), terms }, now)?;
        self.close_checkouts_of(&numbers, now)?;
        Ok(())
    }

    /// Gives `amount` back, from the newest operations first.
    fn refund(
        &mut self,
        amount: Money,
        credit_note: Option<u32>,
        correcting: &Correcting,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let mut left = amount;
        let mut parts = Vec::new();
        let paying = |kind: &EntryKind| matches!(kind, EntryKind::Capture { .. } | EntryKind::Debit { .. });
        for entry in self.order.ledger.iter().rev().filter(|entry| paying(&entry.kind)) {
            let available = self.order.refundable(&entry.operation.number);
            let Some(available) = available.filter(|available| !available.is_zero() && !left.is_zero()) else {
                continue;
            };
            let taken = if left.exceeds(available) { available } else { left };
            left = left.minus(taken).map_err(|_| Refusal::NotThatMuch)?;
            let partial = taken != entry.amount;
            parts.push(RefundPart { operation: entry.operation, amount: taken, partial });
        }
        if amount.is_zero() || !left.is_zero() {
            return Err(Refusal::NotThatMuch);
        }
        let refund = Refund {
            number: next_number(self.order.refunds.len()),
            at: now,
            by: correcting.by.clone(),
            amount,
            reason: correcting.reason.clone(),
            credit_note,
        };
        self.push(Event::RefundRequested { refund: Box::new(refund), parts }, now)?;
        Ok(())
    }

    fn cancel_rest(&mut self, correcting: &Correcting, now: Timestamp) -> Result<(), Refusal> {
        self.drop_ready_debits("the rest was cancelled", now)?;
        if self.order.schedule.iter().any(|due| due.is_being_debited() || (due.is_owed() && due.is_quarantined())) {
            return Err(Refusal::DebitInProgress);
        }
        let zero = Money::zero(self.order.totals.including_vat.currency());
        let owed = self.order.schedule.iter().filter(|due| due.is_owed());
        let rest = owed.fold(zero, |sum, due| sum.plus(due.amount).unwrap_or(sum));
        if !rest.is_zero() {
            self.credit(rest, true, correcting, now)?;
        }
        let plan = self.order.plan().filter(|plan| plan.card().is_some()).map(|plan| plan.number);
        if let Some(plan) = plan {
            self.push(Event::PlanEnded { plan, how: PlanEnd::Cancelled }, now)?;
        }
        Ok(())
    }

    /// Pages of these instalments ask for what is not owed any more.
    fn close_checkouts_of(&mut self, instalments: &[u32], now: Timestamp) -> Result<(), super::Impossible> {
        let open: Vec<_> = self
            .order
            .checkouts
            .iter()
            .filter(|page| page.is_open() && page.pays().iter().any(|number| instalments.contains(number)))
            .map(|page| page.number)
            .collect();
        let cause = Closed::Withdrawn;
        open.into_iter().try_for_each(|checkout| self.push(Event::CheckoutClosed { checkout, cause }, now))
    }

    /// Says so when something becomes past due, or stops being.
    pub(super) fn update_block(&mut self, now: Timestamp) -> Result<(), super::Impossible> {
        let failed = |due: &Instalment| due.is_owed() && (due.arrears.is_some() || due.waits_after_refusal());
        let state = self.order.plan().map(|plan| &plan.state);
        let is_given_up = matches!(state, Some(PlanState::Ended { how: PlanEnd::Defaulted, .. }));
        let is_cancelled = matches!(self.order.status, Status::Cancelled { .. });
        let is_past_due =
            !is_cancelled && self.order.schedule.iter().any(|due| failed(due) || (is_given_up && due.is_owed()));
        match (self.order.blocked, is_past_due) {
            (false, true) => self.push(Event::Blocked, now),
            (true, false) => self.push(Event::Unblocked, now),
            (true, true) | (false, false) => Ok(()),
        }
    }
}
