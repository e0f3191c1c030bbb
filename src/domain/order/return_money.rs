//! Giving surplus back: each step of the attempt machine, for the order's open give-backs.

use jiff::Timestamp;

use super::{Decision, Impossible, Order};
use crate::domain::{
    attempt::{Attempt, AttemptState, Conclusion, Sending},
    bank::{ArchiveReference, Finding, Operation, Ruling},
    event::Event,
    give_back::{GiveBack, Next},
    ids::Reference,
    ledger::{Entry, EntryKind},
    policy::{Policy, later},
};

impl Order {
    pub fn give_back(&self, number: u32) -> Option<&GiveBack> {
        self.give_backs.iter().find(|give_back| give_back.number == number)
    }

    fn attempt_of(&self, number: u32) -> Result<(&GiveBack, &Attempt), Impossible> {
        let give_back = self.give_back(number).ok_or(Impossible("a give-back that does not exist"))?;
        let attempt = give_back.attempts.last().ok_or(Impossible("a give-back without an attempt"))?;
        Ok((give_back, attempt))
    }

    /// Prepares the next call of a give-back; it leaves later.
    ///
    /// # Errors
    /// [`Impossible`] when no call is to follow.
    pub fn plan_give_back(
        &self,
        number: u32,
        prefix: &str,
        archive: ArchiveReference,
        now: Timestamp,
    ) -> Result<Decision, Impossible> {
        let give_back = self.give_back(number).ok_or(Impossible("a give-back that does not exist"))?;
        let Next::Plan { refund } = give_back.next() else {
            return Err(Impossible("a give-back that needs no other call"));
        };
        let reference = Reference::of_give_back(prefix, self.id, number, give_back.next_number());
        let call = give_back.call(refund, reference, archive);
        let attempt = Attempt::ready(give_back.next_number(), call, now);
        let mut decision = Decision::of(self);
        decision.push(Event::AttemptPlanned { give_back: number, attempt }, now)?;
        Ok(decision)
    }

    /// The call cannot leave now: the bank is not there.
    ///
    /// # Errors
    /// [`Impossible`] when there is no call to postpone.
    pub fn postpone_attempt(&self, number: u32, now: Timestamp, policy: &Policy) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        let until = later(now, policy.send_again);
        decision.push(Event::AttemptPostponed { give_back: number, until }, now)?;
        Ok(decision)
    }

    /// Before sending: when the bank already shows the call as done (a restored backup forgot it), it is adopted.
    ///
    /// # Errors
    /// [`Impossible`] when there is no attempt.
    pub fn adopt_attempt(
        &self,
        number: u32,
        findings: &[Finding],
        now: Timestamp,
    ) -> Result<Option<Decision>, Impossible> {
        let (_, attempt) = self.attempt_of(number)?;
        let Some(operation) = attempt.found_done(findings) else {
            return Ok(None);
        };
        let mut decision = Decision::of(self);
        decision.conclude(number, AttemptState::Accepted { operation, at: now }, now)?;
        Ok(Some(decision))
    }

    /// Writes down that the call leaves; to be durable before its first byte does.
    ///
    /// # Errors
    /// [`Impossible`] when the attempt is not ready.
    pub fn send_attempt(&self, number: u32, sending: Sending, now: Timestamp) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        decision.push(Event::AttemptSent { give_back: number, sending }, now)?;
        Ok(decision)
    }

    /// The bank's answer to the call, or its silence.
    ///
    /// # Errors
    /// [`Impossible`] when no call was sent.
    pub fn attempt_answered(
        &self,
        number: u32,
        ruling: &Ruling,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Impossible> {
        let (_, attempt) = self.attempt_of(number)?;
        let state = attempt.answered(ruling, now, policy);
        let mut decision = Decision::of(self);
        decision.conclude(number, state, now)?;
        Ok(decision)
    }

    /// What enquiries about a call in doubt brought.
    ///
    /// # Errors
    /// [`Impossible`] when nothing is in doubt.
    pub fn attempt_asked(
        &self,
        number: u32,
        findings: &[Finding],
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Impossible> {
        let (_, attempt) = self.attempt_of(number)?;
        let conclusion = attempt.conclude(findings, now, policy);
        let mut decision = Decision::of(self);
        decision.push(Event::AttemptAsked { give_back: number, conclusion: conclusion.clone() }, now)?;
        match conclusion {
            Conclusion::Accepted { operation } => decision.book_give_back(number, operation, now)?,
            Conclusion::NotExecuted | Conclusion::AskAgain { .. } | Conclusion::Quarantined { .. } => {}
        }
        Ok(decision)
    }
}

impl Decision {
    fn conclude(&mut self, number: u32, state: AttemptState, now: Timestamp) -> Result<(), Impossible> {
        let accepted = match &state {
            AttemptState::Accepted { operation, .. } => Some(*operation),
            AttemptState::Ready { .. }
            | AttemptState::Sent(_)
            | AttemptState::InDoubt { .. }
            | AttemptState::Refused { .. }
            | AttemptState::NotExecuted
            | AttemptState::Quarantined { .. } => None,
        };
        self.push(Event::AttemptAnswered { give_back: number, state }, now)?;
        match accepted {
            Some(operation) => self.book_give_back(number, operation, now),
            None => Ok(()),
        }
    }

    fn book_give_back(&mut self, number: u32, operation: Operation, now: Timestamp) -> Result<(), Impossible> {
        let give_back = self.order.give_back(number).ok_or(Impossible("a give-back that does not exist"))?;
        let kind = EntryKind::GivenBack { original: give_back.operation.number };
        let entry = Entry { at: now, operation, amount: give_back.amount, kind };
        self.push(Event::GivenBack { give_back: number, entry }, now)
    }
}
