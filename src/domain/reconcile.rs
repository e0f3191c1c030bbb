//! What is to be done after a store turned out to lag what has left: ask before anything is debited again.
//!
//! ```text
//!  asking ──every lost call and every debit that is due was asked for──▶ asked ──a person──▶ ended
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    actor::Actor,
    bank::Operation,
    chain::Link,
    ids::{MerchantId, OrderId, Reference},
    money::Money,
    numbers::QuestionNumber,
    purpose::AttemptId,
    text::Text,
};

/// How far a store had come: which one it was, and its last event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The store's own name, given to it when it was made.
    pub store: String,
    /// The event's position in the feed.
    pub position: u64,
    pub event: Link,
}

/// A call that moves money, about to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    pub at: Timestamp,
    pub merchant: MerchantId,
    pub order: OrderId,
    #[serde(flatten)]
    pub of: AttemptId,
    pub reference: Reference,
    pub amount: Money,
    pub question: QuestionNumber,
}

/// One reconciliation. While it is open, debits are frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconcile {
    pub since: Timestamp,
    /// How the store was found out.
    pub why: String,
    /// Calls that left and are not on record.
    pub calls: Vec<LostCall>,
    /// When the last question was answered.
    pub asked_at: Option<Timestamp>,
    pub ended: Option<End>,
}

/// A call that moved money, or was to, of which the store knows nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostCall {
    pub merchant: MerchantId,
    pub order: OrderId,
    pub reference: Reference,
    pub amount: Money,
    pub finding: Option<LostFinding>,
}

/// What the bank knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum LostFinding {
    Found {
        #[serde(flatten)]
        operation: Operation,
    },
    /// Neither host finds it.
    Nothing,
}

/// Who let debits go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub at: Timestamp,
    pub by: Actor,
    pub reason: Text,
}

impl Reconcile {
    /// One that begins now, with what an open one before it still has to find out.
    pub fn begin(before: Option<Self>, why: &str, calls: Vec<LostCall>, now: Timestamp) -> Self {
        let open = before.filter(|before| before.ended.is_none());
        let since = open.as_ref().map_or(now, |open| open.since);
        let mut all = open.map(|open| open.calls).unwrap_or_default();
        for call in calls {
            if all.iter().all(|known| known.reference != call.reference) {
                all.push(call);
            }
        }
        Self { since, why: why.to_owned(), calls: all, asked_at: None, ended: None }
    }

    /// Whether debits are frozen.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether there is still something to be asked.
    pub fn is_asking(&self) -> bool {
        self.is_open() && self.asked_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    fn lost(attempt: u32) -> LostCall {
        let order = OrderId::from_bits(1);
        LostCall {
            merchant: "ecole".parse().unwrap(),
            order,
            reference: Reference::of_debit("ECO", order, 2, attempt),
            amount: Money::new(100, Currency::Eur).unwrap(),
            finding: None,
        }
    }

    #[test]
    fn an_open_one_is_gone_on_with_and_an_ended_one_is_not() {
        let at: Timestamp = "2026-12-10T06:00:00Z".parse().unwrap();
        let later: Timestamp = "2026-12-10T07:00:00Z".parse().unwrap();
        let first = Reconcile { asked_at: Some(at), ..Reconcile::begin(None, "-", vec![lost(1)], at) };
        assert!(first.is_open() && !first.is_asking());
        let second = Reconcile::begin(Some(first.clone()), "again", vec![lost(1), lost(2)], later);
        assert_eq!((second.since, second.calls.len(), second.is_asking()), (at, 2, true));
        let by = Actor::Gateway;
        let end = End { at: later, by, reason: Text::parse("relu", 10).unwrap() };
        let ended = Reconcile { ended: Some(end), ..first };
        assert!(!ended.is_open() && !ended.is_asking());
        assert_eq!(Reconcile::begin(Some(ended), "-", Vec::new(), later).since, later);
    }
}
