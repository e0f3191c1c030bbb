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
    policy::{Policy, later, rung},
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
    InDoubt(Doubt),
    Accepted { operation: Operation, at: Timestamp },
    Refused { code: String },
    NotExecuted,
    Quarantined { why: String },
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
            Ruling::Refused { code } => Some(AttemptState::Refused { code: code.clone() }),
            Ruling::Misconfigured { .. } | Ruling::Doubt { .. } => None,
        };
        match (&self.state, settled) {
            (AttemptState::Sent(_) | AttemptState::InDoubt(_), Some(settled)) => Some(settled),
            (AttemptState::Sent(sending), None) => Some(in_doubt(*sending, ruling, now, policy)),
            _ => None,
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

    /// What one round of questions to [`Doubt::host`], which left at `asked_at`, settles; no findings when a question
    /// stayed without an answer.
    pub fn conclude(
        &self,
        findings: Option<&[Finding]>,
        asked_at: Timestamp,
        now: Timestamp,
        policy: &Policy,
    ) -> Option<Conclusion> {
        let AttemptState::InDoubt(doubt) = &self.state else {
            return None;
        };
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
            // Before this the call may still be on its way.
            Done::No if asked_at < later(doubt.sending.at, policy.doubt_settles) => on_the_ladder(None),
            Done::No if is_denied(doubt) => Conclusion::NotExecuted,
            Done::No => on_the_ladder(Some(doubt.host())),
            Done::Contradiction(why) => Conclusion::Quarantined { why },
            Done::Unknown => on_the_ladder(None),
        })
    }

    /// Whether the call may leave, by what the bank shows beforehand.
    pub fn preflight(&self, findings: &[Finding]) -> Preflight {
        match done(&self.call, findings) {
            // Found by no reference of ours: it may be somebody else's, and a part only.
            Done::Yes(operation)
                if matches!(self.call, MoneyCall::Refund { .. }) && operation == *target(&self.call) =>
            {
                Preflight::Contradiction("it was given back, and not under our reference".to_owned())
            }
            Done::Yes(operation) => Preflight::Done(operation),
            Done::No => Preflight::Go,
            Done::Contradiction(why) => Preflight::Contradiction(why),
            Done::Unknown => match (&self.call, status_of(target(&self.call), findings)) {
                // A refund is not done while its original is captured, as far as one can tell before it left.
                (MoneyCall::Refund { .. }, Some(OperationStatus::Captured | OperationStatus::Authorised)) => {
                    Preflight::Go
                }
                (MoneyCall::Refund { .. }, Some(other)) => {
                    Preflight::Contradiction(format!("the operation to refund is {other:?}"))
                }
                _ => Preflight::Unknown,
            },
        }
    }
}

/// What the bank shows before a call leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preflight {
    Go,
    /// It was carried out already: a restored backup forgot it.
    Done(Operation),
    Contradiction(String),
    /// It cannot be told now.
    Unknown,
}

/// With one more "not done" now: the host that the call went to has said so, and that not by one answer alone.
fn is_denied(doubt: &Doubt) -> bool {
    !doubt.denials.is_empty() && (doubt.denials.contains(&doubt.sending.host) || doubt.host() == doubt.sending.host)
}

fn in_doubt(sending: Sending, ruling: &Ruling, now: Timestamp, policy: &Policy) -> AttemptState {
    let why = match ruling {
        // A fault of ours proves nothing about the money either; once it is mended, enquiries tell.
        Ruling::Misconfigured { code } => format!("the bank refuses us: {code}"),
        Ruling::Doubt { why } => why.clone(),
        Ruling::Accepted { .. } | Ruling::Refused { .. } => String::new(),
    };
    let next_ask = next_rung(sending.at, 0, now, policy).unwrap_or(now);
    AttemptState::InDoubt(Doubt { sending, why, asked: 0, silences: 0, denials: Vec::new(), next_ask })
}

/// The operation that a call is about.
fn target(call: &MoneyCall) -> &Operation {
    match call {
        MoneyCall::Cancel { operation, .. } | MoneyCall::Refund { operation, .. } => operation,
    }
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
