//! One call that moves money, sent at most once.
//!
//! ```text
//!  ready ──`sent` is committed, then one write──▶ sent ──answer──▶ accepted | refused
//!    ▲ │                                           │ anything else, or found `sent` too late
//!    └─┘ never left                                ▼
//!                                               in doubt ──enquiries──▶ accepted | refused | not executed
//!                                                  └─ ladder ends, or contradiction ─▶ quarantined
//! ```
//! No answer is not a refusal, and nothing here ever sends again: what follows a `refused` or a `not executed` is
//! another attempt with a reference of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    bank::{Finding, MoneyCall, Operation, OperationStatus, Question, Ruling},
    ids::Reference,
    numbers::QuestionNumber,
    policy::{Policy, later, rung},
    retry::RefusalClass,
    witness::{Done, done, status_of},
};
use crate::planted::{self, Bug};

/// Which of the bank's two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    Main,
    Backup,
}

impl Host {
    pub fn other(self) -> Self {
        match self {
            Self::Main => Self::Backup,
            Self::Backup => Self::Main,
        }
    }
}

/// What was written down before the first byte left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    pub at: Timestamp,
    pub question: QuestionNumber,
    /// Where it went; never changed afterwards.
    pub host: Host,
    /// The time that the bank reads on it; `at` is ahead of it under a test clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated: Option<Timestamp>,
}

/// A call and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1 within what it serves.
    pub number: u32,
    pub call: MoneyCall,
    pub state: AttemptState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AttemptState {
    Ready {
        not_before: Timestamp,
    },
    Sent(Sending),
    InDoubt(Doubt),
    Accepted {
        operation: Operation,
        at: Timestamp,
    },
    Refused {
        code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<RefusalClass>,
    },
    NotExecuted,
    Quarantined {
        why: String,
    },
}

/// A call whose outcome is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    pub sending: Sending,
    pub why: String,
    /// Rounds of questions that were answered.
    pub asked: u32,
    /// Rounds since then that were not.
    pub silences: u32,
    /// Which host said "not done" after the call could no longer be under way, each time it did.
    pub denials: Vec<Host>,
    /// When the first of them did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_denial: Option<Timestamp>,
    pub next_ask: Timestamp,
}

impl Doubt {
    /// Whom to ask next: the host that the call went to first, then the other, by turns.
    pub fn host(&self) -> Host {
        let turn = self.asked.saturating_add(self.silences);
        if turn.is_multiple_of(2) { self.sending.host } else { self.sending.host.other() }
    }
}

/// What an enquiry about an attempt in doubt leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "conclusion", rename_all = "snake_case")]
pub enum Conclusion {
    Accepted {
        operation: Operation,
    },
    /// The bank shows that it refused; it does not tell again why.
    Refused {
        code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<RefusalClass>,
    },
    NotExecuted,
    AskAgain {
        at: Timestamp,
        /// The host that said "not done" just now, when that counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        denied_by: Option<Host>,
    },
    /// Nobody answered.
    Silence {
        at: Timestamp,
    },
    Quarantined {
        why: String,
    },
}

impl Attempt {
    /// A call that has not left yet.
    pub fn ready(number: u32, call: MoneyCall, not_before: Timestamp) -> Self {
        Self { number, call, state: AttemptState::Ready { not_before } }
    }

    /// When it next wants to be looked after.
    pub fn wake_at(&self, policy: &Policy) -> Option<Timestamp> {
        match &self.state {
            AttemptState::Ready { not_before } => Some(*not_before),
            AttemptState::Sent(sending) => Some(later(sending.at, policy.answer_grace)),
            AttemptState::InDoubt(doubt) => Some(doubt.next_ask),
            AttemptState::Accepted { .. }
            | AttemptState::Refused { .. }
            | AttemptState::NotExecuted
            | AttemptState::Quarantined { .. } => None,
        }
    }

    /// The state after the bank's answer to the call, or after its silence; `None` when it tells nothing new. An answer
    /// that comes after the call was doubted still settles it.
    pub fn answered(&self, ruling: &Ruling, now: Timestamp, policy: &Policy) -> Option<AttemptState> {
        let settled = match ruling {
            Ruling::Accepted { operation } => Some(AttemptState::Accepted { operation: *operation, at: now }),
            Ruling::Refused { code, class } => Some(AttemptState::Refused { code: code.clone(), class: *class }),
            // The bank says that it did not take the call. For a debit there is no better witness: whether one can be
            // found by asking is the very thing that a contract at fault leaves open.
            Ruling::Misconfigured { .. } if matches!(self.call, MoneyCall::Debit { .. }) => {
                Some(AttemptState::NotExecuted)
            }
            Ruling::Misconfigured { .. } | Ruling::Doubt { .. } => None,
        };
        match (&self.state, settled) {
            (AttemptState::Sent(_) | AttemptState::InDoubt(_), Some(settled)) => Some(settled),
            (AttemptState::Sent(sending), None) => Some(in_doubt(*sending, ruling, now, policy)),
            _ => None,
        }
    }

    /// The next question that tells what became of the call, after those that brought `so_far`; `None` when all were asked.
    ///
    /// A cancellation and a capture keep their original's numbers, so they are seen on the original; a refund and a
    /// debit have references of their own, and a debit that is found has a status.
    pub fn question(&self, so_far: &[Finding]) -> Option<Question> {
        let find = |reference: &Reference, amount| Question::Find { reference: reference.clone(), amount };
        match (&self.call, so_far) {
            (MoneyCall::Cancel { operation, .. } | MoneyCall::Capture { operation, .. }, []) => {
                Some(Question::Look { operation: *operation })
            }
            (MoneyCall::Refund { amount, reference, .. } | MoneyCall::Debit { amount, reference, .. }, []) => {
                Some(find(reference, *amount))
            }
            (MoneyCall::Refund { operation, .. }, [_]) => Some(Question::Look { operation: *operation }),
            (MoneyCall::Debit { .. }, [Finding::Found(operation)]) => Some(Question::Look { operation: *operation }),
            _ => None,
        }
    }

    /// What one round of questions to [`Doubt::host`], which left at `asked_at`, settles; no findings when a question
    /// stayed without an answer. `control` tells whether that host then found another debit that was accepted: only
    /// beside it does "not found" mean anything for a debit.
    pub fn conclude(
        &self,
        findings: Option<&[Finding]>,
        control: bool,
        asked_at: Timestamp,
        now: Timestamp,
        policy: &Policy,
    ) -> Option<Conclusion> {
        let AttemptState::InDoubt(doubt) = &self.state else {
            return None;
        };
        let control = control || planted::is(Bug::NotFoundNeedsNoControl);
        let Some(findings) = findings else {
            let silences = usize::try_from(doubt.silences).unwrap_or(usize::MAX);
            let wait = rung(&policy.ask_after_silence, silences).unwrap_or(policy.doubt_settles);
            return Some(Conclusion::Silence { at: later(now, wait) });
        };
        let on_the_ladder = |denied_by| match next_rung(doubt.sending.at, doubt.asked.saturating_add(1), now, policy) {
            Some(at) => Conclusion::AskAgain { at, denied_by },
            None => Conclusion::Quarantined { why: "the ladder of enquiries ended without an answer".to_owned() },
        };
        Some(match done(&self.call, findings) {
            Done::Yes(operation) => Conclusion::Accepted { operation },
            Done::Refused(code, class) => Conclusion::Refused { code: code.to_owned(), class },
            // Before this the call may still be on its way.
            Done::No if asked_at < later(doubt.sending.at, policy.doubt_settles) => on_the_ladder(None),
            Done::No if matches!(self.call, MoneyCall::Debit { .. }) && !control => on_the_ladder(None),
            Done::No if planted::is(Bug::NotFoundOnceIsEnough) => Conclusion::NotExecuted,
            Done::No if self.is_denied(doubt, asked_at, policy) => Conclusion::NotExecuted,
            Done::No => on_the_ladder(Some(doubt.host())),
            Done::Contradiction(why) => Conclusion::Quarantined { why },
            Done::Unknown => on_the_ladder(None),
        })
    }

    /// Whether one more "not done" is enough. Where the original shows it: the host that the call went to has said so, and
    /// not by one answer alone. Where only a search does: both hosts, often enough and for long enough.
    fn is_denied(&self, doubt: &Doubt, asked_at: Timestamp, policy: &Policy) -> bool {
        let said_by = |host| doubt.host() == host || doubt.denials.contains(&host);
        let times = doubt.denials.len().saturating_add(1);
        if matches!(self.call, MoneyCall::Debit { .. }) {
            let long_enough = doubt.first_denial.is_some_and(|first| asked_at >= later(first, policy.denials_span));
            long_enough && times >= policy.denials && said_by(Host::Main) && said_by(Host::Backup)
        } else {
            times >= 2 && said_by(doubt.sending.host)
        }
    }

    /// Whether the call may leave, by what the bank shows beforehand.
    pub fn preflight(&self, findings: &[Finding]) -> Preflight {
        match done(&self.call, findings) {
            Done::Yes(operation) if self.undoes(&operation) => {
                Preflight::Contradiction("it was given back, and not under our reference".to_owned())
            }
            Done::Yes(operation) => Preflight::Done(operation),
            Done::Refused(code, class) => Preflight::Refused { code: code.to_owned(), class },
            Done::No => Preflight::Go,
            Done::Contradiction(why) => Preflight::Contradiction(why),
            Done::Unknown => {
                match (&self.call, self.call.target().and_then(|operation| status_of(operation, findings))) {
                    // A refund is not done while its original is captured, as far as one can tell before it left.
                    (MoneyCall::Refund { .. }, Some(OperationStatus::Captured | OperationStatus::Authorised)) => {
                        Preflight::Go
                    }
                    (MoneyCall::Refund { .. }, Some(other)) => {
                        Preflight::Contradiction(format!("the operation to refund is {other:?}"))
                    }
                    _ => Preflight::Unknown,
                }
            }
        }
    }

    /// What the bank shows of a call that was concluded not to have been carried out, before another follows it, or later.
    pub fn recheck(&self, findings: &[Finding]) -> Recheck {
        match done(&self.call, findings) {
            Done::No | Done::Refused(..) => Recheck::NotDone,
            Done::Yes(operation) if self.undoes(&operation) => Recheck::Unknown,
            Done::Yes(_) => Recheck::Contradiction("carried out after all".to_owned()),
            Done::Unknown => Recheck::Unknown,
            Done::Contradiction(_) if is_cancelled(findings) => Recheck::NotDone,
            Done::Contradiction(why) => Recheck::Contradiction(why),
        }
    }

    /// Whether this operation is what a refund is to undo. That it went back tells of no reference of ours: it may be
    /// somebody else's doing, and a part only.
    fn undoes(&self, operation: &Operation) -> bool {
        matches!(self.call, MoneyCall::Refund { .. }) && self.call.target() == Some(operation)
    }

    /// Whether the call may be at the bank, with nobody knowing what became of it.
    pub fn is_open(&self) -> bool {
        match self.state {
            AttemptState::Ready { .. } | AttemptState::Sent(_) | AttemptState::InDoubt(_) => true,
            AttemptState::Accepted { .. }
            | AttemptState::Refused { .. }
            | AttemptState::NotExecuted
            | AttemptState::Quarantined { .. } => false,
        }
    }
}

/// What the bank shows before a call leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preflight {
    Go,
    /// It was carried out already: a restored backup forgot it.
    Done(Operation),
    /// It was refused already, or cannot be done any more.
    Refused {
        code: String,
        class: Option<RefusalClass>,
    },
    Contradiction(String),
    /// It cannot be told now.
    Unknown,
}

/// What the bank shows of a call that came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recheck {
    NotDone,
    Contradiction(String),
    /// It cannot be told now.
    Unknown,
}

/// Somebody undid it at the bank: no money is left of it.
fn is_cancelled(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| matches!(finding, Finding::Status(_, OperationStatus::Cancelled)))
}

fn in_doubt(sending: Sending, ruling: &Ruling, now: Timestamp, policy: &Policy) -> AttemptState {
    let why = match ruling {
        // A fault of ours proves nothing about the money either; once it is mended, enquiries tell.
        Ruling::Misconfigured { code } => format!("the bank refuses us: {code}"),
        Ruling::Doubt { why } => why.clone(),
        Ruling::Accepted { .. } | Ruling::Refused { .. } => String::new(),
    };
    let next_ask = next_rung(sending.at, 0, now, policy).unwrap_or(now);
    AttemptState::InDoubt(Doubt {
        sending,
        why,
        asked: 0,
        silences: 0,
        denials: Vec::new(),
        first_denial: None,
        next_ask,
    })
}

/// When rung `step` is due, or `None` when the ladder has ended. A rung that passed unasked keeps its distance from the one
/// before: after an outage the bank, too, needs its time.
fn next_rung(from: Timestamp, step: u32, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    let delay = *policy.doubt_ladder.get(step)?;
    let due = later(from, delay);
    if due > now {
        return Some(due);
    }
    let before = step.checked_sub(1).and_then(|before| policy.doubt_ladder.get(before));
    Some(before.map_or(now, |before| later(now, delay.saturating_sub(*before))))
}
