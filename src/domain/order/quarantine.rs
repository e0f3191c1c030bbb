//! What waits for people, and what two of them make of it.

use jiff::Timestamp;

use super::{Decision, Order, Refusal};
use crate::domain::{
    attempt::AttemptState,
    event::Event,
    give_back::Next,
    policy::{Policy, later},
    purpose::{AttemptId, Purpose},
    quarantine::{GivenVerdict, PeoplesVerdict, Subject},
};
use crate::planted::{self, Bug};

/// Something that waits, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub subject: Subject,
    pub why: String,
}

impl Order {
    /// All that waits for people.
    pub fn waiting(&self) -> Vec<Waiting> {
        let operations = self.checkouts.iter().flat_map(|page| {
            page.quarantine.iter().map(|waiting| Waiting {
                subject: Subject::Operation { checkout: page.number, operation: waiting.operation },
                why: waiting.why.clone(),
            })
        });
        let attempts = self.purposes().filter_map(|purpose| {
            let attempt = self.attempts(purpose).into_iter().next_back()?;
            let AttemptState::Quarantined { why } = &attempt.state else { return None };
            let of = AttemptId { purpose, attempt: attempt.number };
            Some(Waiting { subject: Subject::Attempt { of }, why: why.clone() })
        });
        let stuck = self.give_backs.iter().filter(|given| {
            let last = given.attempts.last().map(|attempt| &attempt.state);
            given.next() == Next::Person && !matches!(last, Some(AttemptState::Quarantined { .. }))
        });
        let stuck = stuck.map(|given| Waiting {
            subject: Subject::Stuck { purpose: Purpose::GiveBack(given.number) },
            why: "the bank would not carry it out".to_owned(),
        });
        operations.chain(attempts).chain(stuck).collect()
    }

    /// One person's verdict. The second of another person, with another key, that says the same within a day decides.
    ///
    /// # Errors
    /// [`Refusal`] when nothing like it waits, the verdict does not fit it, or the same person gave one.
    pub fn give_verdict(&self, given: GivenVerdict, now: Timestamp, policy: &Policy) -> Result<Decision, Refusal> {
        let waits = self.waiting().into_iter().any(|waiting| waiting.subject == given.subject);
        if !waits {
            return Err(Refusal::NothingWaits);
        }
        let fits = match (given.subject, given.verdict) {
            (Subject::Stuck { .. }, PeoplesVerdict::Closed) => true,
            (Subject::Stuck { .. }, _) => false,
            (Subject::Operation { .. }, PeoplesVerdict::NotExecuted) => false,
            (Subject::Operation { operation, .. }, PeoplesVerdict::Executed { operation: seen }) => {
                // It may have been booked meanwhile, for the page that it paid.
                seen.number == operation && !self.has_booked(&operation)
            }
            (Subject::Attempt { of }, PeoplesVerdict::Closed) => matches!(of.purpose, Purpose::GiveBack(_)),
            // A debit makes an operation of its own; what undoes or captures one keeps its number.
            (Subject::Attempt { of }, PeoplesVerdict::Executed { operation }) => {
                self.attempt(of)?.call.target() == Some(&operation) || !self.has_booked(&operation.number)
            }
            (Subject::Operation { .. }, PeoplesVerdict::Closed)
            | (Subject::Attempt { .. }, PeoplesVerdict::NotExecuted) => true,
        };
        if !fits {
            return Err(Refusal::VerdictDoesNotFit);
        }
        let recent =
            |other: &&GivenVerdict| other.subject == given.subject && now < later(other.at, policy.verdicts_within);
        let recent: Vec<&GivenVerdict> = self.verdicts.iter().filter(recent).collect();
        if recent.iter().any(|other| other.by.is_same_person(&given.by) || other.by.has_same_key(&given.by)) {
            return Err(Refusal::SecondPersonNeeded);
        }
        let agrees = recent.iter().any(|other| other.verdict == given.verdict) || planted::is(Bug::OnePersonDecides);
        let (subject, verdict) = (given.subject, given.verdict);
        let mut decision = Decision::of(self);
        decision.push(Event::VerdictGiven(Box::new(given)), now)?;
        if agrees {
            decision.resolve(subject, verdict, now, policy)?;
        }
        Ok(decision)
    }
}

impl Decision {
    fn resolve(
        &mut self,
        subject: Subject,
        verdict: PeoplesVerdict,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<(), super::Impossible> {
        self.push(Event::QuarantineResolved { subject, decision: verdict }, now)?;
        match (subject, verdict) {
            (Subject::Operation { checkout, .. }, PeoplesVerdict::Executed { operation }) => {
                self.book_found(checkout, &operation, now)
            }
            (Subject::Attempt { of }, PeoplesVerdict::Executed { operation }) => {
                self.follow_acceptance(of, operation, now)
            }
            (Subject::Attempt { of }, PeoplesVerdict::NotExecuted) => self.follow_refusal(of, now, policy),
            (_, PeoplesVerdict::Closed) | (Subject::Operation { .. } | Subject::Stuck { .. }, _) => Ok(()),
        }
    }
}
