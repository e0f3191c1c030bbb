//! What the events of calls to the bank make of an order.

use jiff::{Timestamp, civil::Date};

use super::{Impossible, Order};
use crate::domain::{
    attempt::{Attempt, AttemptState, Conclusion},
    event::Event,
    give_back::Next,
    purpose::{AttemptId, Purpose},
    schedule::Debit,
};

impl Order {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "which events come here is said once, where they are told apart"
    )]
    pub(super) fn apply_attempt(&mut self, event: &Event, at: Timestamp) -> Result<(), Impossible> {
        match event {
            Event::AttemptPlanned { purpose, attempt, run } => self.add_attempt(*purpose, attempt, *run),
            Event::AttemptPostponed { of, until, why: _ } => {
                let AttemptState::Ready { not_before } = &mut self.attempt_mut(*of)?.state else {
                    return Err(Impossible("postponing a call that has left"));
                };
                *not_before = *until;
                Ok(())
            }
            Event::AttemptSent { of, sending, on } => {
                let attempt = self.attempt_mut(*of)?;
                if !matches!(attempt.state, AttemptState::Ready { .. }) {
                    return Err(Impossible("a call sent twice"));
                }
                attempt.state = AttemptState::Sent(*sending);
                self.note_day(*of, *on)
            }
            Event::AttemptAnswered { of, state } => {
                let attempt = self.attempt_mut(*of)?;
                if !attempt.is_open() || matches!(state, AttemptState::Ready { .. } | AttemptState::Sent(_)) {
                    return Err(Impossible("an answer to a call that is not waiting for one"));
                }
                attempt.state = state.clone();
                Ok(())
            }
            Event::AttemptAsked { of, conclusion } => self.attempt_mut(*of)?.asked(conclusion, at),
            Event::AttemptDropped { of, why: _ } => {
                let attempt = self.attempt_mut(*of)?;
                if !matches!(attempt.state, AttemptState::Ready { .. }) {
                    return Err(Impossible("dropping a call that has left"));
                }
                attempt.state = AttemptState::NotExecuted;
                Ok(())
            }
            Event::GivenBack { give_back, entry } => {
                let known = self.ledger.iter().any(|booked| booked.kind == entry.kind);
                let done = self.give_back(*give_back).is_some_and(|given| {
                    given.next() == Next::Nothing
                        && given.amount == entry.amount
                        && !given.given_up
                        && entry.kind == given.entry_kind()
                });
                if known || !done {
                    return Err(Impossible("a give-back booked twice, or of nothing"));
                }
                self.ledger.push(entry.clone());
                Ok(())
            }
            Event::Released { give_back } => {
                let done = self.give_back(*give_back).is_some_and(|given| given.next() == Next::Nothing);
                if done { Ok(()) } else { Err(Impossible("a release of what is still held")) }
            }
            _ => Err(Impossible("not an event of a call")),
        }
    }

    fn attempts_mut(&mut self, purpose: Purpose) -> Option<&mut Vec<Attempt>> {
        match purpose {
            Purpose::GiveBack(number) => {
                self.give_backs.iter_mut().find(|given| given.number == number).map(|given| &mut given.attempts)
            }
            Purpose::Capture(number) => {
                self.holds.iter_mut().find(|hold| hold.number == number).map(|hold| &mut hold.captures)
            }
            Purpose::Debit(_) => None,
        }
    }

    fn add_attempt(&mut self, purpose: Purpose, attempt: &Attempt, run: Option<Date>) -> Result<(), Impossible> {
        let stands_in_the_way = self.attempts(purpose).iter().any(|before| {
            before.is_open() || matches!(before.state, AttemptState::Accepted { .. } | AttemptState::Quarantined { .. })
        });
        // Numbers are left out: those of debits that a store which went back had, and has no more.
        if stands_in_the_way || attempt.number < self.next_attempt(purpose) {
            return Err(Impossible("a second open attempt"));
        }
        match (purpose, run) {
            (Purpose::Debit(number), Some(run)) => {
                let due = self.schedule.iter_mut().find(|due| due.number == number);
                let due = due.ok_or(Impossible("a debit of no instalment"))?;
                if !due.is_owed() {
                    return Err(Impossible("a debit of what is paid"));
                }
                due.by_hand = false;
                due.debits.push(Debit { run, on: None, attempt: attempt.clone() });
                Ok(())
            }
            (Purpose::GiveBack(_) | Purpose::Capture(_), None) => {
                self.attempts_mut(purpose).ok_or(Impossible("an attempt at nothing"))?.push(attempt.clone());
                Ok(())
            }
            _ => Err(Impossible("a debit outside a run, or a run without a debit")),
        }
    }

    fn note_day(&mut self, of: AttemptId, on: Option<Date>) -> Result<(), Impossible> {
        if let Purpose::Debit(number) = of.purpose {
            let debit = self.schedule.iter_mut().find(|due| due.number == number).and_then(|due| due.debits.last_mut());
            debit.ok_or(Impossible("a debit of no instalment"))?.on = on;
        }
        Ok(())
    }

    /// The attempt that is meant, which must be the latest of its purpose.
    pub(super) fn attempt_mut(&mut self, of: AttemptId) -> Result<&mut Attempt, Impossible> {
        let last = match of.purpose {
            Purpose::Debit(number) => {
                let due = self.schedule.iter_mut().find(|due| due.number == number);
                due.and_then(|due| due.debits.last_mut()).map(|debit| &mut debit.attempt)
            }
            Purpose::GiveBack(_) | Purpose::Capture(_) => {
                self.attempts_mut(of.purpose).and_then(|attempts| attempts.last_mut())
            }
        };
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
            Conclusion::Refused { code, class } => {
                self.state = AttemptState::Refused { code: code.clone(), class: *class };
            }
            Conclusion::NotExecuted => self.state = AttemptState::NotExecuted,
            Conclusion::Quarantined { why } => self.state = AttemptState::Quarantined { why: why.clone() },
            Conclusion::AskAgain { at: next, denied_by } => {
                doubt.asked = doubt.asked.saturating_add(1);
                doubt.silences = 0;
                if denied_by.is_some() {
                    doubt.first_denial.get_or_insert(at);
                }
                doubt.denials.extend(denied_by);
                doubt.next_ask = *next;
            }
            Conclusion::Silence { at } => {
                doubt.silences = doubt.silences.saturating_add(1);
                doubt.next_ask = *at;
            }
        }
        Ok(())
    }
}
