//! The memory of NUMQUESTION: a number answers once per civil day and per merchant. By PAYBOX's support this is how a
//! resent question is recognised, so a client may lean on it as an accidental idempotency key.

use crate::faults::Host;
use crate::ledger::Merchant;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Numbers already used. The day is that of DATEQ, as sent.
#[derive(Debug, Default)]
pub struct QuestionNumbers(BTreeSet<(Merchant, Option<Host>, Date, u64)>);

/// One use of a number. `host` is absent when both hosts share their memory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    pub merchant: Merchant,
    pub host: Option<Host>,
    pub day: Date,
    pub number: u64,
}

impl QuestionNumbers {
    /// Whether the number is still free.
    #[must_use]
    pub fn is_free(&self, used: &Use) -> bool {
        !self.0.contains(&(used.merchant.clone(), used.host, used.day, used.number))
    }

    /// Uses the number up.
    pub fn burn(&mut self, used: Use) {
        self.0.insert((used.merchant, used.host, used.day, used.number));
    }

    /// Gives the number back.
    pub fn free(&mut self, used: &Use) {
        self.0.remove(&(used.merchant.clone(), used.host, used.day, used.number));
    }
}
