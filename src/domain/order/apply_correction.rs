//! What the events of corrections, settlement and people's verdicts make of an order.

use jiff::Timestamp;

use super::{Impossible, Order, Status, Unsettled};
use crate::domain::{
    attempt::AttemptState,
    correction::{CHARGED_BACK, CreditNote, JournalEntry, JournalKind, Refund},
    event::{Event, RefundPart},
    give_back::GiveBack,
    ledger::{Entry, EntryKind},
    money::Money,
    numbers::OperationNumber,
    purpose::Purpose,
    quarantine::{PeoplesVerdict, Subject},
    retry::RefusalClass,
    schedule::{Arrears, Waived},
};

impl Order {
    pub(super) fn apply_correction(&mut self, event: &Event, at: Timestamp) -> Result<(), Impossible> {
        match event {
            Event::Credited { note, terms } => self.credited(note, terms.as_deref()),
            Event::RefundRequested { refund, parts } => self.refunding(refund, parts),
            Event::Journalled { entry } => self.journalled(entry),
            Event::Rescheduled { instalment, due, reason: _ } => {
                let instalment = self.instalment_mut(*instalment)?;
                if instalment.is_being_debited() || instalment.is_quarantined() {
                    return Err(Impossible("rescheduling what is being debited"));
                }
                instalment.due = *due;
                instalment.next_on = Some(*due);
                instalment.arrears = None;
                Ok(())
            }
            Event::SettlementAsked { operation, again, why: _ } => {
                self.unsettled_mut(operation)?.next_look = *again;
                Ok(())
            }
            Event::EntrySettled { entry } => {
                let EntryKind::Settlement { original, .. } = entry.kind else {
                    return Err(Impossible("a settlement that is none"));
                };
                self.no_longer_unsettled(&original)?;
                self.ledger.push(entry.clone());
                Ok(())
            }
            Event::SettlementOver { operation } => self.no_longer_unsettled(operation),
            Event::ChargedBack { entry, reason: _ } => self.charged_back(entry),
            Event::Blocked if !self.blocked => {
                self.blocked = true;
                Ok(())
            }
            Event::Unblocked if self.blocked => {
                self.blocked = false;
                Ok(())
            }
            Event::Blocked | Event::Unblocked => Err(Impossible("blocked or unblocked twice")),
            Event::VerdictGiven(given) => {
                self.verdicts.push((**given).clone());
                Ok(())
            }
            Event::QuarantineResolved { subject, decision } => self.resolve(*subject, *decision, at),
            Event::Placed(_)
            | Event::Settled
            | Event::Cancelled { .. }
            | Event::CheckoutIssued(_)
            | Event::CheckoutHandedOver { .. }
            | Event::CheckoutClosed { .. }
            | Event::Reported { .. }
            | Event::Prompted { .. }
            | Event::Asked { .. }
            | Event::ReportDoubted { .. }
            | Event::Captured { .. }
            | Event::Quarantined { .. }
            | Event::AttemptPlanned { .. }
            | Event::AttemptPostponed { .. }
            | Event::AttemptSent { .. }
            | Event::AttemptAnswered { .. }
            | Event::AttemptAsked { .. }
            | Event::AttemptDropped { .. }
            | Event::GivenBack { .. }
            | Event::Released { .. }
            | Event::PlanRequested(_)
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
            | Event::SubscriberPostponed { .. } => Err(Impossible("not an event of a correction")),
        }
    }

    fn credited(&mut self, note: &CreditNote, terms: Option<&str>) -> Result<(), Impossible> {
        if note.number != super::next_number(self.credit_notes.len()) {
            return Err(Impossible("a credit note that is not the next one"));
        }
        for cut in &note.cuts {
            let due = self.instalment_mut(cut.instalment)?;
            if due.is_being_debited() {
                return Err(Impossible("crediting what is being debited"));
            }
            due.amount = due.amount.minus(cut.amount).map_err(|_| Impossible("crediting more than is due"))?;
            if due.amount.is_zero() {
                due.waived = Some(Waived::Credited);
                due.next_on = None;
                due.arrears = None;
            }
        }
        if let (Some(terms), Some(plan)) = (terms, self.plans.last_mut()) {
            terms.clone_into(&mut plan.terms);
            plan.amounts = self.schedule.iter().map(|due| due.amount).collect();
        }
        self.credit_notes.push(note.clone());
        Ok(())
    }

    fn refunding(&mut self, refund: &Refund, parts: &[RefundPart]) -> Result<(), Impossible> {
        let zero = Money::zero(refund.amount.currency());
        let sum = parts.iter().try_fold(zero, |sum, part| sum.plus(part.amount));
        let fits = parts.iter().all(|part| {
            !part.amount.is_zero()
                && self.refundable(&part.operation.number).is_some_and(|left| !part.amount.exceeds(left))
        });
        if refund.number != super::next_number(self.refunds.len()) || sum != Ok(refund.amount) || !fits {
            return Err(Impossible("a refund of more than was captured, or in other parts"));
        }
        for part in parts {
            self.give_backs.push(GiveBack {
                number: super::next_number(self.give_backs.len()),
                operation: part.operation,
                amount: part.amount,
                attempts: Vec::new(),
                hold: None,
                refund: Some(refund.number),
                partial: part.partial,
                given_up: false,
            });
        }
        self.refunds.push(refund.clone());
        Ok(())
    }

    /// What of a captured operation can still be given back: what was given, is on its way, or is not known to have
    /// failed counts as spent.
    pub fn refundable(&self, number: &OperationNumber) -> Option<Money> {
        let entry = self.ledger.iter().find(|entry| {
            let is_money_in =
                matches!(entry.kind, EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::Surplus { .. });
            is_money_in && entry.operation.number == *number
        })?;
        let is_spent = |given: &&GiveBack| given.operation.number == *number && given.counts_as_spent();
        let mut spent = self.give_backs.iter().filter(is_spent);
        let charged_back = self
            .ledger
            .iter()
            .any(|other| matches!(other.kind, EntryKind::Chargeback { original, .. } if original == *number));
        if charged_back {
            return None;
        }
        spent.try_fold(entry.amount, |left, given| left.minus(given.amount).ok())
    }

    fn journalled(&mut self, entry: &JournalEntry) -> Result<(), Impossible> {
        let due = self.instalment_mut(entry.instalment)?;
        if due.is_being_debited() || due.amount != entry.amount {
            return Err(Impossible("a journal entry of what is being debited, or of another amount"));
        }
        match entry.kind {
            JournalKind::PaidElsewhere { .. } => due.paid = true,
            JournalKind::WrittenOff => due.waived = Some(Waived::WrittenOff),
        }
        due.next_on = None;
        due.arrears = None;
        self.journal.push(entry.clone());
        Ok(())
    }

    fn unsettled_mut(&mut self, operation: &OperationNumber) -> Result<&mut Unsettled, Impossible> {
        let found = self.unsettled.iter_mut().find(|unsettled| unsettled.operation.number == *operation);
        found.ok_or(Impossible("asking whether what is settled is settled"))
    }

    fn no_longer_unsettled(&mut self, operation: &OperationNumber) -> Result<(), Impossible> {
        let before = self.unsettled.len();
        self.unsettled.retain(|unsettled| unsettled.operation.number != *operation);
        if self.unsettled.len() < before { Ok(()) } else { Err(Impossible("settled twice")) }
    }

    fn charged_back(&mut self, entry: &Entry) -> Result<(), Impossible> {
        let EntryKind::Chargeback { original, instalment } = entry.kind else {
            return Err(Impossible("a chargeback that is none"));
        };
        if self.refundable(&original).is_none_or(|left| entry.amount.exceeds(left)) {
            return Err(Impossible("charging back what is not there"));
        }
        let since = entry.at.to_zoned(jiff::tz::TimeZone::UTC).date();
        for number in std::iter::once(instalment).chain(self.paid_beside(&original)) {
            let due = self.schedule.iter_mut().find(|due| due.number == number && due.paid);
            let due = due.ok_or(Impossible("a chargeback of an instalment that is not paid"))?;
            due.paid = false;
            due.arrears = Some(Arrears { since, code: CHARGED_BACK.to_owned(), class: RefusalClass::Hard });
        }
        // What was settled is owed again: the one way back that there is.
        if let Status::Settled { .. } = self.status {
            self.status = Status::Open;
        }
        self.ledger.push(entry.clone());
        Ok(())
    }

    /// The further instalments that an operation paid.
    fn paid_beside(&self, number: &OperationNumber) -> Vec<u32> {
        let entries = self.ledger.iter().filter(|entry| entry.operation.number == *number);
        entries
            .filter_map(|entry| match &entry.kind {
                EntryKind::Capture { rest, .. } => Some(rest.clone()),
                EntryKind::Debit { .. }
                | EntryKind::Surplus { .. }
                | EntryKind::GivenBack { .. }
                | EntryKind::Settlement { .. }
                | EntryKind::Chargeback { .. } => None,
            })
            .flatten()
            .collect()
    }

    fn resolve(&mut self, subject: Subject, verdict: PeoplesVerdict, at: Timestamp) -> Result<(), Impossible> {
        self.verdicts.retain(|given| given.subject != subject);
        match subject {
            Subject::Operation { checkout, operation } => {
                let page = self.checkouts.iter_mut().find(|page| page.number == checkout);
                let page = page.ok_or(Impossible("resolving a page that does not exist"))?;
                let before = page.quarantine.len();
                page.quarantine.retain(|waiting| waiting.operation != operation);
                // It is known from now on, and not asked about again; what was carried out is known by its booking.
                if verdict == PeoplesVerdict::Closed {
                    page.resolved.insert(operation);
                }
                if page.quarantine.len() < before { Ok(()) } else { Err(Impossible("resolving what does not wait")) }
            }
            Subject::Attempt { of } => {
                let attempt = self.attempt_mut(of)?;
                let AttemptState::Quarantined { .. } = attempt.state else {
                    return Err(Impossible("resolving a call that does not wait for people"));
                };
                attempt.state = match verdict {
                    PeoplesVerdict::Executed { operation } => AttemptState::Accepted { operation, at },
                    PeoplesVerdict::NotExecuted | PeoplesVerdict::Closed => AttemptState::NotExecuted,
                };
                if let (Purpose::GiveBack(number), PeoplesVerdict::Closed) = (of.purpose, verdict) {
                    return self.give_up_give_back(number);
                }
                Ok(())
            }
            Subject::Stuck { purpose: Purpose::GiveBack(number) } => self.give_up_give_back(number),
            Subject::Stuck { .. } => Err(Impossible("resolving what is not stuck")),
        }
    }

    fn give_up_give_back(&mut self, number: u32) -> Result<(), Impossible> {
        let given = self.give_backs.iter_mut().find(|given| given.number == number);
        given.ok_or(Impossible("a give-back that does not exist"))?.given_up = true;
        Ok(())
    }
}
