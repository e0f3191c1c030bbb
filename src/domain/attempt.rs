//! One call that moves money, sent at most once.
//!
//! ```text
//!  ready ──`sent` is committed, then one write──▶ sent ──answer──▶ accepted | refused
//!    ▲ │                                           │ anything else, or found `sent` too late
//!    └─┘ never left                                ▼
//!                                               in doubt ──enquiries──▶ accepted | not executed
//!                                                  └─ ladder ends, or contradiction ─▶ quarantined
//! ```
//! No answer is not a refusal, and nothing here ever sends again: what follows a `refused` or a `not executed` is
//! another attempt with a reference of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    bank::{Finding, MoneyCall, Operation, OperationStatus, Question, Ruling},
    numbers::QuestionNumber,
    policy::{Policy, later},
};

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
    Ready { not_before: Timestamp },
    Sent(Sending),
    InDoubt { sending: Sending, why: String, asked: u32, next_ask: Timestamp },
    Accepted { operation: Operation, at: Timestamp },
    Refused { code: String },
    NotExecuted,
    Quarantined { why: String },
}

/// What an enquiry about an attempt in doubt leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "conclusion", rename_all = "snake_case")]
pub enum Conclusion {
    Accepted { operation: Operation },
    NotExecuted,
    AskAgain { at: Timestamp },
    Quarantined { why: String },
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
            AttemptState::InDoubt { next_ask, .. } => Some(*next_ask),
            AttemptState::Accepted { .. }
            | AttemptState::Refused { .. }
            | AttemptState::NotExecuted
            | AttemptState::Quarantined { .. } => None,
        }
    }

    /// The state after the bank's answer to the call, or after its silence.
    pub fn answered(&self, ruling: &Ruling, now: Timestamp, policy: &Policy) -> AttemptState {
        let AttemptState::Sent(sending) = &self.state else {
            return self.state.clone();
        };
        match ruling {
            Ruling::Accepted { operation } => AttemptState::Accepted { operation: *operation, at: now },
            Ruling::Refused { code } => AttemptState::Refused { code: code.clone() },
            // A fault of ours proves nothing about the money either; once it is mended, enquiries tell.
            Ruling::Misconfigured { code } => in_doubt(*sending, format!("the bank refuses us: {code}"), now, policy),
            Ruling::Doubt { why } => in_doubt(*sending, why.clone(), now, policy),
        }
    }

    /// The questions that tell what became of the call, in the order to ask them.
    ///
    /// A cancellation keeps its original's numbers, so it is seen on the original; a refund has a reference of its own.
    pub fn questions(&self) -> Vec<Question> {
        match &self.call {
            MoneyCall::Cancel { operation, .. } => vec![Question::Look { operation: *operation }],
            MoneyCall::Refund { operation, amount, reference, .. } => vec![
                Question::Find { reference: reference.clone(), amount: *amount },
                Question::Look { operation: *operation },
            ],
        }
    }

    /// What the answers to [`Attempt::questions`] settle.
    pub fn conclude(&self, findings: &[Finding], now: Timestamp, policy: &Policy) -> Conclusion {
        let AttemptState::InDoubt { sending, asked, .. } = &self.state else {
            return Conclusion::AskAgain { at: now };
        };
        let on_the_ladder = || match next_rung(sending.at, asked.saturating_add(1), now, policy) {
            Some(at) => Conclusion::AskAgain { at },
            None => Conclusion::Quarantined { why: "the ladder of enquiries ended without an answer".to_owned() },
        };
        match done(&self.call, findings) {
            Done::Yes(operation) => Conclusion::Accepted { operation },
            Done::No if now >= later(sending.at, policy.doubt_settles) => Conclusion::NotExecuted,
            Done::Contradiction(why) => Conclusion::Quarantined { why },
            Done::No | Done::Unknown => on_the_ladder(),
        }
    }

    /// Before anything is sent: whether the bank already shows the call as done, because a restored backup forgot it.
    pub fn found_done(&self, findings: &[Finding]) -> Option<Operation> {
        match done(&self.call, findings) {
            Done::Yes(operation) => Some(operation),
            Done::No | Done::Unknown | Done::Contradiction(_) => None,
        }
    }
}

fn in_doubt(sending: Sending, why: String, now: Timestamp, policy: &Policy) -> AttemptState {
    let next_ask = next_rung(sending.at, 0, now, policy).unwrap_or(now);
    AttemptState::InDoubt { sending, why, asked: 0, next_ask }
}

/// Whether findings show a call as carried out.
enum Done {
    Yes(Operation),
    No,
    Unknown,
    Contradiction(String),
}

fn done(call: &MoneyCall, findings: &[Finding]) -> Done {
    match call {
        MoneyCall::Cancel { operation, .. } => match status_of(operation, findings) {
            Some(OperationStatus::Cancelled) => Done::Yes(*operation),
            Some(OperationStatus::Captured | OperationStatus::Authorised) => Done::No,
            Some(
                other @ (OperationStatus::Refunded
                | OperationStatus::Credited
                | OperationStatus::Refused
                | OperationStatus::Rejected
                | OperationStatus::Other(_)),
            ) => Done::Contradiction(format!("the operation to cancel is {other:?}")),
            None => Done::Unknown,
        },
        // Every refund made here is the sole and full one of its operation, so its status on the original is conclusive.
        // "Not found" is not: nothing shows yet that the bank finds refunds by their reference.
        MoneyCall::Refund { operation, .. } => {
            let found = findings.iter().find_map(|finding| match finding {
                Finding::Found(operation) => Some(*operation),
                Finding::Nothing | Finding::Status(..) | Finding::Unclear(_) => None,
            });
            match (found, status_of(operation, findings)) {
                (Some(refund), _) => Done::Yes(refund),
                (None, Some(OperationStatus::Refunded | OperationStatus::Cancelled)) => Done::Yes(*operation),
                (
                    None,
                    Some(
                        OperationStatus::Captured
                        | OperationStatus::Authorised
                        | OperationStatus::Credited
                        | OperationStatus::Refused
                        | OperationStatus::Rejected
                        | OperationStatus::Other(_),
                    )
                    | None,
                ) => Done::Unknown,
            }
        }
    }
}

fn status_of<'a>(operation: &Operation, findings: &'a [Finding]) -> Option<&'a OperationStatus> {
    findings.iter().find_map(|finding| match finding {
        Finding::Status(seen, status) if seen.number == operation.number => Some(status),
        Finding::Status(..) | Finding::Found(_) | Finding::Nothing | Finding::Unclear(_) => None,
    })
}

/// The first rung from `step` on that is not already past; `None` when the ladder has ended.
fn next_rung(from: Timestamp, step: u32, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    policy.doubt_ladder.get(step).map(|delay| later(from, *delay).max(now))
}
