//! Each step of the attempt machine, for whatever a call serves: bringing money back, capturing what is held, debiting.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{Decision, Impossible, Order};
use crate::domain::{
    attempt::{Attempt, AttemptState, Conclusion, Host, Preflight, Sending},
    bank::{ArchiveReference, Finding, Operation, Ruling},
    card::CardRefusal,
    event::Event,
    give_back::{GiveBack, Next},
    ids::Reference,
    ledger::Entry,
    policy::{Policy, later},
    purpose::{AttemptId, Purpose},
};

/// Whether a call may leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prepared {
    Go,
    /// Not now, or not ever: to be committed instead.
    Instead(Box<Decision>),
}

/// What the shell brings for a call that is about to be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCall {
    pub prefix: String,
    pub archive: ArchiveReference,
}

impl Order {
    pub fn give_back(&self, number: u32) -> Option<&GiveBack> {
        self.give_backs.iter().find(|give_back| give_back.number == number)
    }

    /// Every attempt at something, the latest last.
    pub fn attempts(&self, purpose: Purpose) -> Vec<&Attempt> {
        match purpose {
            Purpose::GiveBack(number) => {
                self.give_back(number).into_iter().flat_map(|give_back| &give_back.attempts).collect()
            }
            Purpose::Capture(number) => self.hold(number).into_iter().flat_map(|hold| &hold.captures).collect(),
            Purpose::Debit(number) => {
                let debits = self.instalment(number).into_iter().flat_map(|due| &due.debits);
                debits.map(|debit| &debit.attempt).collect()
            }
        }
    }

    /// All that calls of this order have served, or may.
    pub(super) fn purposes(&self) -> impl Iterator<Item = Purpose> {
        let given_back = self.give_backs.iter().map(|given| Purpose::GiveBack(given.number));
        let captured = self.holds.iter().map(|hold| Purpose::Capture(hold.number));
        given_back.chain(captured).chain(self.schedule.iter().map(|due| Purpose::Debit(due.number)))
    }

    pub(super) fn next_attempt(&self, purpose: Purpose) -> u32 {
        self.attempts(purpose).last().map_or(1, |latest| latest.number.saturating_add(1))
    }

    pub fn attempt(&self, of: AttemptId) -> Result<&Attempt, Impossible> {
        let attempts = self.attempts(of.purpose).into_iter();
        attempts.rev().find(|attempt| attempt.number == of.attempt).ok_or(Impossible("an attempt that does not exist"))
    }

    /// What was authorised is captured, or let go, on the platform that authorised it.
    pub fn only_host(&self, of: AttemptId) -> Option<Host> {
        let hold = match of.purpose {
            Purpose::Capture(hold) => Some(hold),
            Purpose::GiveBack(number) => self.give_back(number).and_then(|give_back| give_back.hold),
            Purpose::Debit(_) => None,
        };
        hold.and_then(|hold| self.hold(hold)).and_then(|hold| self.checkout(hold.checkout)).map(|page| page.page_host)
    }

    /// Prepares the next call of a give-back, or of a capture; it leaves later.
    ///
    /// # Errors
    /// [`Impossible`] when no call is to follow.
    pub fn plan_call(
        &self,
        purpose: Purpose,
        new: NewCall,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Impossible> {
        let NewCall { prefix, archive } = new;
        let number = self.next_attempt(purpose);
        let subscriber_of = |checkout| match (policy.subscriber_calls, self.begins(checkout)) {
            (true, Ok(begins)) => Some(begins.subscriber.clone()),
            _ => None,
        };
        let call = match purpose {
            Purpose::GiveBack(give_back) => {
                let given = self.give_back(give_back).ok_or(Impossible("a give-back that does not exist"))?;
                let Next::Plan { refund } = given.next() else {
                    return Err(Impossible("a give-back that needs no other call"));
                };
                let reference = Reference::of_give_back(&prefix, self.id, give_back, number);
                let hold = given.hold.and_then(|hold| self.hold(hold));
                let subscriber = hold.and_then(|hold| subscriber_of(hold.checkout));
                given.call(refund, reference, archive, subscriber)
            }
            Purpose::Capture(hold) => {
                let held = self.hold(hold).ok_or(Impossible("a hold that does not exist"))?;
                let Next::Plan { .. } = held.next() else {
                    return Err(Impossible("a hold that needs no call"));
                };
                held.call(Reference::of_capture(&prefix, self.id, hold, number), archive, subscriber_of(held.checkout))
            }
            Purpose::Debit(_) => return Err(Impossible("a debit that no run took up")),
        };
        let mut decision = Decision::of(self);
        let attempt = Attempt::ready(number, call, now);
        decision.push(Event::AttemptPlanned { purpose, attempt, run: None }, now)?;
        Ok(decision)
    }

    /// The call cannot leave for so long.
    ///
    /// # Errors
    /// [`Impossible`] when there is no call to postpone.
    pub fn postpone_attempt(
        &self,
        of: AttemptId,
        wait: SignedDuration,
        why: &str,
        now: Timestamp,
    ) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        // Another attender may have sent it meanwhile.
        if matches!(self.attempt(of)?.state, AttemptState::Ready { .. }) {
            decision.push(Event::AttemptPostponed { of, until: later(now, wait), why: why.to_owned() }, now)?;
        }
        Ok(decision)
    }

    /// Whether the call may leave, by what the order has come to and by what the bank shows beforehand. Only a clear "not
    /// done" lets it: what a restored backup forgot is adopted, a contradiction is a person's, and what cannot be told
    /// waits.
    ///
    /// # Errors
    /// [`Impossible`] when there is no such attempt.
    pub fn prepare_attempt(
        &self,
        of: AttemptId,
        findings: &[Finding],
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Prepared, Impossible> {
        // Another attender may have sent it meanwhile, and hears its answer.
        if !matches!(self.attempt(of)?.state, AttemptState::Ready { .. }) {
            return Ok(Prepared::Instead(Box::new(self.unchanged())));
        }
        let state = match self.attempt(of)?.preflight(findings) {
            Preflight::Go => {
                return Ok(match self.why_not_now(of, now, policy) {
                    None => Prepared::Go,
                    Some(why) => Prepared::Instead(Box::new(self.drop_attempt(of, why, now)?)),
                });
            }
            Preflight::Unknown => {
                let why = "what the bank shows does not tell whether it was done";
                return Ok(Prepared::Instead(Box::new(self.postpone_attempt(of, policy.send_again, why, now)?)));
            }
            Preflight::Done(operation) => AttemptState::Accepted { operation, at: now },
            Preflight::Refused { code, class } => AttemptState::Refused { code, class },
            Preflight::Contradiction(why) => AttemptState::Quarantined { why },
        };
        let mut decision = Decision::of(self);
        decision.conclude(of, state, now, policy)?;
        Ok(Prepared::Instead(Box::new(decision)))
    }

    /// Why a call that is ready is not wanted any more.
    fn why_not_now(&self, of: AttemptId, now: Timestamp, policy: &Policy) -> Option<&'static str> {
        match of.purpose {
            Purpose::GiveBack(_) => None,
            Purpose::Capture(hold) if !self.wants_hold(hold) => Some("the plan does not need it any more"),
            Purpose::Capture(hold) => self.is_too_late(hold, now, policy).then_some("it is too late to capture it"),
            Purpose::Debit(instalment) => self.why_not_debit(instalment, now, policy),
        }
    }

    fn drop_attempt(&self, of: AttemptId, why: &str, now: Timestamp) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        decision.push(Event::AttemptDropped { of, why: why.to_owned() }, now)?;
        if let Purpose::Capture(hold) = of.purpose {
            let why = if self.wants_hold(hold) { CardRefusal::TooLate } else { CardRefusal::NotWanted };
            decision.refuse_hold(hold, why, now)?;
        }
        Ok(decision)
    }

    /// A call that is ready does not leave after all; nothing when it has left.
    ///
    /// # Errors
    /// [`Impossible`] when there is no such attempt.
    pub fn give_up(&self, of: AttemptId, why: &str, now: Timestamp) -> Result<Decision, Impossible> {
        let is_ready = matches!(self.attempt(of)?.state, AttemptState::Ready { .. });
        if is_ready { self.drop_attempt(of, why, now) } else { Ok(self.unchanged()) }
    }

    /// Whether an operation cannot be what a debit has made: it is booked. That it was reported for a page, and waits there
    /// or was put aside, tells nothing: anybody can have any number reported for any page.
    fn is_anothers(&self, of: AttemptId, operation: &Operation) -> bool {
        matches!(of.purpose, Purpose::Debit(_)) && self.has_booked(&operation.number)
    }

    /// A call that is ready is put before a person instead; nothing when it has left.
    ///
    /// # Errors
    /// [`Impossible`] when there is no such attempt.
    pub fn quarantine_attempt(&self, of: AttemptId, why: &str, now: Timestamp) -> Result<Decision, Impossible> {
        let is_ready = matches!(self.attempt(of)?.state, AttemptState::Ready { .. });
        if is_ready { self.quarantine_answer(of, why, now) } else { Ok(self.unchanged()) }
    }

    /// What the bank says of a call cannot be booked: a person decides.
    ///
    /// # Errors
    /// [`Impossible`] when there is no such attempt.
    pub fn quarantine_answer(&self, of: AttemptId, why: &str, now: Timestamp) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        if self.attempt(of)?.is_open() {
            let state = AttemptState::Quarantined { why: why.to_owned() };
            decision.push(Event::AttemptAnswered { of, state }, now)?;
        }
        Ok(decision)
    }

    /// Writes down that the call leaves; to be durable before its first byte does.
    ///
    /// # Errors
    /// [`Impossible`] when the attempt is not ready, or its call is not wanted.
    pub fn send_attempt(
        &self,
        of: AttemptId,
        sending: Sending,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Impossible> {
        if self.why_not_now(of, now, policy).is_some() {
            return Err(Impossible("sending what is not wanted"));
        }
        let on: Option<Date> = match of.purpose {
            Purpose::Debit(_) => Some(self.debit_day(sending.at, policy)),
            Purpose::GiveBack(_) | Purpose::Capture(_) => None,
        };
        let mut decision = Decision::of(self);
        decision.push(Event::AttemptSent { of, sending, on }, now)?;
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
            (Some(state), _, _) => decision.conclude(of, state, now, policy)?,
            (None, AttemptState::NotExecuted | AttemptState::Refused { .. }, Ruling::Accepted { .. }) => {
                return Err(Impossible("the bank accepts a call that was concluded not to be done"));
            }
            // It was settled by asking before its answer came.
            (None, _, _) => {}
        }
        Ok(decision)
    }

    /// What one round of enquiries about a call in doubt brought, which left at `asked_at` when the attempt was as in
    /// `asked`; no findings when a question stayed without an answer. For `control` see [`Attempt::conclude`].
    ///
    /// # Errors
    /// [`Impossible`] when there is no such attempt.
    pub fn attempt_asked(
        &self,
        of: AttemptId,
        asked: &Attempt,
        (findings, control): (Option<&[Finding]>, bool),
        asked_at: Timestamp,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        // Another attender was first: what was asked for an earlier round speaks for no later one.
        if self.attempt(of)? != asked {
            return Ok(decision);
        }
        let Some(conclusion) = self.attempt(of)?.conclude(findings, control, asked_at, now, policy) else {
            return Ok(decision);
        };
        let conclusion = if let Conclusion::Accepted { operation } = &conclusion
            && self.is_anothers(of, operation)
        {
            Conclusion::Quarantined { why: known_before(operation) }
        } else {
            conclusion
        };
        decision.push(Event::AttemptAsked { of, conclusion: conclusion.clone() }, now)?;
        match conclusion {
            Conclusion::Accepted { operation } => decision.follow_acceptance(of, operation, now)?,
            Conclusion::Refused { .. } | Conclusion::NotExecuted => decision.follow_refusal(of, now, policy)?,
            Conclusion::AskAgain { .. } | Conclusion::Silence { .. } | Conclusion::Quarantined { .. } => {}
        }
        Ok(decision)
    }
}

impl Decision {
    fn conclude(
        &mut self,
        of: AttemptId,
        state: AttemptState,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<(), Impossible> {
        let state = if let AttemptState::Accepted { operation, .. } = &state
            && self.order.is_anothers(of, operation)
        {
            AttemptState::Quarantined { why: known_before(operation) }
        } else {
            state
        };
        self.push(Event::AttemptAnswered { of, state: state.clone() }, now)?;
        match state {
            AttemptState::Accepted { operation, .. } => self.follow_acceptance(of, operation, now),
            AttemptState::Refused { .. } | AttemptState::NotExecuted => self.follow_refusal(of, now, policy),
            AttemptState::Ready { .. }
            | AttemptState::Sent(_)
            | AttemptState::InDoubt(_)
            | AttemptState::Quarantined { .. } => Ok(()),
        }
    }

    /// What follows from a call that was carried out.
    pub(super) fn follow_acceptance(
        &mut self,
        of: AttemptId,
        operation: Operation,
        now: Timestamp,
    ) -> Result<(), Impossible> {
        match of.purpose {
            Purpose::GiveBack(number) => self.book_give_back(number, operation, now),
            Purpose::Capture(hold) => self.book_held(hold, now),
            Purpose::Debit(instalment) => self.book_debit(of, instalment, operation, now),
        }
    }

    /// What follows from a call that was not.
    pub(super) fn follow_refusal(&mut self, of: AttemptId, now: Timestamp, policy: &Policy) -> Result<(), Impossible> {
        match of.purpose {
            Purpose::GiveBack(_) => Ok(()),
            Purpose::Capture(hold) => self.capture_refused(of, hold, now),
            Purpose::Debit(instalment) => self.debit_refused(instalment, now, policy),
        }
    }

    fn book_give_back(&mut self, number: u32, operation: Operation, now: Timestamp) -> Result<(), Impossible> {
        let give_back = self.order.give_back(number).ok_or(Impossible("a give-back that does not exist"))?;
        if give_back.hold.is_some() {
            return self.push(Event::Released { give_back: number }, now);
        }
        let entry = Entry { at: now, operation, amount: give_back.amount, kind: give_back.entry_kind() };
        self.push(Event::GivenBack { give_back: number, entry }, now)
    }
}

fn known_before(operation: &Operation) -> String {
    format!("the bank names operation {} for it, which was known before", operation.number)
}
