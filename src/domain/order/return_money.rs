//! Giving surplus back: each step of the attempt machine, for the order's open give-backs.

use jiff::Timestamp;

use super::{Decision, Impossible, Order};
use crate::domain::{
    attempt::{Attempt, AttemptState, Conclusion, Preflight, Sending},
    bank::{ArchiveReference, Finding, Operation, Ruling},
    event::Event,
    give_back::{AttemptId, GiveBack, Next},
    ids::Reference,
    ledger::{Entry, EntryKind},
    policy::{Policy, later},
};

/// Whether a call may leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prepared {
    Go,
    /// Not now, or not ever: to be committed instead.
    Instead(Box<Decision>),
}

impl Order {
    pub fn give_back(&self, number: u32) -> Option<&GiveBack> {
        self.give_backs.iter().find(|give_back| give_back.number == number)
    }

    fn attempt(&self, of: AttemptId) -> Result<&Attempt, Impossible> {
        let attempts = self.give_back(of.give_back).map(|give_back| give_back.attempts.as_slice()).unwrap_or_default();
        attempts.iter().find(|attempt| attempt.number == of.attempt).ok_or(Impossible("an attempt that does not exist"))
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
    pub fn postpone_attempt(
        &self,
        of: AttemptId,
        why: &str,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        // Another attender may have sent it meanwhile.
        if matches!(self.attempt(of)?.state, AttemptState::Ready { .. }) {
            let until = later(now, policy.send_again);
            decision.push(Event::AttemptPostponed { of, until, why: why.to_owned() }, now)?;
        }
        Ok(decision)
    }

    /// Whether the call may leave, by what the bank shows beforehand. Only a clear "not done" lets it: what a restored
    /// backup forgot is adopted, a contradiction is a person's, and what cannot be told waits.
    ///
    /// # Errors
    /// [`Impossible`] when there is no such attempt, or it has left.
    pub fn prepare_attempt(
        &self,
        of: AttemptId,
        findings: &[Finding],
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Prepared, Impossible> {
        let state = match self.attempt(of)?.preflight(findings) {
            Preflight::Go => return Ok(Prepared::Go),
            Preflight::Unknown => {
                let why = "what the bank shows does not tell whether it was done";
                return Ok(Prepared::Instead(Box::new(self.postpone_attempt(of, why, now, policy)?)));
            }
            Preflight::Done(operation) => AttemptState::Accepted { operation, at: now },
            Preflight::Contradiction(why) => AttemptState::Quarantined { why },
        };
        let mut decision = Decision::of(self);
        decision.conclude(of, state, now)?;
        Ok(Prepared::Instead(Box::new(decision)))
    }

    /// Writes down that the call leaves; to be durable before its first byte does.
    ///
    /// # Errors
    /// [`Impossible`] when the attempt is not ready.
    pub fn send_attempt(&self, of: AttemptId, sending: Sending, now: Timestamp) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        decision.push(Event::AttemptSent { of, sending }, now)?;
        Ok(decision)
    }

    /// The bank's answer to the call, or its silence.
    ///
    /// # Errors
    /// [`Impossible`] when there is no such attempt, or the bank accepts what was concluded not to be done.
    pub fn attempt_answered(
        &self,
        of: AttemptId,
        ruling: &Ruling,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Impossible> {
        let attempt = self.attempt(of)?;
        let mut decision = Decision::of(self);
        match (attempt.answered(ruling, now, policy), &attempt.state, ruling) {
            (Some(state), _, _) => decision.conclude(of, state, now)?,
            (None, AttemptState::NotExecuted | AttemptState::Refused { .. }, Ruling::Accepted { .. }) => {
                return Err(Impossible("the bank accepts a call that was concluded not to be done"));
            }
            // It was settled by asking before its answer came.
            (None, _, _) => {}
        }
        Ok(decision)
    }

    /// What one round of enquiries about a call in doubt brought, which left at `asked_at` when the attempt was as in
    /// `asked`; no findings when a question stayed without an answer.
    ///
    /// # Errors
    /// [`Impossible`] when there is no such attempt.
    pub fn attempt_asked(
        &self,
        of: AttemptId,
        asked: &Attempt,
        findings: Option<&[Finding]>,
        asked_at: Timestamp,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        // Another attender was first: what was asked for an earlier round speaks for no later one.
        if self.attempt(of)? != asked {
            return Ok(decision);
        }
        let Some(conclusion) = self.attempt(of)?.conclude(findings, asked_at, now, policy) else {
            return Ok(decision);
        };
        decision.push(Event::AttemptAsked { of, conclusion: conclusion.clone() }, now)?;
        match conclusion {
            Conclusion::Accepted { operation } => decision.book_give_back(of.give_back, operation, now)?,
            Conclusion::NotExecuted
            | Conclusion::AskAgain { .. }
            | Conclusion::Silence { .. }
            | Conclusion::Quarantined { .. } => {}
        }
        Ok(decision)
    }
}

impl Decision {
    fn conclude(&mut self, of: AttemptId, state: AttemptState, now: Timestamp) -> Result<(), Impossible> {
        let accepted = match &state {
            AttemptState::Accepted { operation, .. } => Some(*operation),
            AttemptState::Ready { .. }
            | AttemptState::Sent(_)
            | AttemptState::InDoubt(_)
            | AttemptState::Refused { .. }
            | AttemptState::NotExecuted
            | AttemptState::Quarantined { .. } => None,
        };
        self.push(Event::AttemptAnswered { of, state }, now)?;
        match accepted {
            Some(operation) => self.book_give_back(of.give_back, operation, now),
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
