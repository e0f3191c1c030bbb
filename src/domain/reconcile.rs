//! What is to be done after a store turned out to lag what has left: ask before anything is debited again.
//!
//! ```text
//!  asking ──every lost call and every debit that is due was asked for──▶ asked ──a person──▶ ended
//! ```

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    actor::Actor,
    attempt::Sending,
    bank::{MoneyCall, Operation},
    chain::Link,
    ids::{MerchantId, OrderId},
    policy::later,
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
    pub merchant: MerchantId,
    pub order: OrderId,
    #[serde(flatten)]
    pub of: AttemptId,
    #[serde(flatten)]
    pub call: MoneyCall,
    pub sending: Sending,
}

/// One reconciliation. While it is open, debits are frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconcile {
    pub since: Timestamp,
    /// When the store was last found to lag; of one that lagged again before all was asked, later than `since`.
    #[serde(default)]
    pub again_at: Option<Timestamp>,
    /// The store that was found then, as a mark names it.
    #[serde(default)]
    pub store: String,
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
    #[serde(flatten)]
    pub left: Leaving,
    pub finding: Option<LostFinding>,
    /// It is on record again, or before people, or the bank has refused it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_dealt_with: bool,
}

impl From<Leaving> for LostCall {
    fn from(left: Leaving) -> Self {
        Self { left, finding: None, is_dealt_with: false }
    }
}

/// What is known of a call that is about to leave, from before the store went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    Nothing,
    /// No debit and no refund may leave.
    Frozen,
    /// It has left.
    Left(Box<Leaving>),
    /// Another left, which its name, or its instalment, would be taken for.
    Otherwise(Box<Leaving>),
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
    /// The gateways that were missing, by name: what only their journals know was not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

impl Reconcile {
    /// One that begins now, with what the one before it has not dealt with: no other journal may know of that.
    pub fn begin(before: Option<Self>, why: &str, store: &str, calls: Vec<LostCall>, now: Timestamp) -> Self {
        let since = before.as_ref().filter(|before| before.is_open()).map_or(now, |open| open.since);
        let mut all = match before {
            Some(open) if open.is_open() => open.calls,
            Some(ended) => ended.calls.into_iter().filter(|call| !call.is_dealt_with).collect(),
            None => Vec::new(),
        };
        for call in calls {
            if all.iter().all(|known| known.left.call.names().0 != call.left.call.names().0) {
                all.push(call);
            }
        }
        let (again_at, store) = (Some(now), store.to_owned());
        Self { since, again_at, store, why: why.to_owned(), calls: all, asked_at: None, ended: None }
    }

    /// From when the bank's answers mean something: not before `grace` is over, in which calls that others had under way
    /// when the store went back may still be carried out.
    pub fn asks_from(&self, grace: SignedDuration) -> Timestamp {
        later(self.again_at.unwrap_or(self.since), grace)
    }

    /// Whether it is open for this store, and has all these calls.
    pub fn covers(&self, store: &str, calls: &[LostCall]) -> bool {
        let names = |lost: &LostCall| lost.left.call.names().0.clone();
        let has = |call: &LostCall| self.calls.iter().any(|known| names(known) == names(call));
        self.is_open() && self.store == store && calls.iter().all(has)
    }

    /// Whether debits and refunds are frozen.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// What is known of a call that is about to leave.
    pub fn known_of(&self, order: OrderId, of: AttemptId, call: &MoneyCall) -> Known {
        // What another gateway has sent, and has not said yet, may be this very debit or refund. Of an operation that is
        // cancelled or captured the bank shows it.
        if self.is_open() && matches!(call, MoneyCall::Debit { .. } | MoneyCall::Refund { .. }) {
            return Known::Frozen;
        }
        let open = || self.calls.iter().filter(|lost| !lost.is_dealt_with).map(|lost| &lost.left);
        let of_this_name = open().find(|left| left.call.names().0 == call.names().0);
        if let Some(left) = of_this_name.filter(|left| left.call.moves_the_same(call)) {
            return Known::Left(Box::new(left.clone()));
        }
        let other = match call {
            // Whatever it was called, the payer may have paid this instalment by it.
            MoneyCall::Debit { .. } => open().find(|left| left.order == order && left.of.purpose == of.purpose),
            MoneyCall::Refund { .. } => of_this_name,
            // These are seen on their operation, whatever their name.
            MoneyCall::Cancel { .. } | MoneyCall::Capture { .. } => None,
        };
        other.map_or(Known::Nothing, |left| Known::Otherwise(Box::new(left.clone())))
    }

    /// The call is on record again, or before people.
    pub fn deal_with(&mut self, left: &Leaving) {
        let is_it = |lost: &&mut LostCall| lost.left.call.names() == left.call.names();
        self.calls.iter_mut().filter(is_it).for_each(|lost| lost.is_dealt_with = true);
    }

    /// Whether there is still something to be asked.
    pub fn is_asking(&self) -> bool {
        self.is_open() && self.asked_at.is_none()
    }
}

#[cfg(test)]
impl Leaving {
    /// A debit of a second instalment.
    pub(crate) fn example(attempt: u32) -> Self {
        use super::{
            attempt::Host,
            bank::ArchiveReference,
            ids::{CheckoutNumber, Reference, SubscriberReference},
            money::{Currency, Money},
            numbers::QuestionNumber,
            purpose::Purpose,
        };
        let order = OrderId::from_bits(7);
        let call = MoneyCall::Debit {
            subscriber: SubscriberReference::of_checkout("ECO", order, CheckoutNumber(1)),
            amount: Money::new(20_038, Currency::Eur).unwrap(),
            reference: Reference::of_debit("ECO", order, 2, attempt),
            archive: ArchiveReference::from_bits(u64::from(attempt)),
        };
        let question = QuestionNumber::new(attempt).unwrap();
        let at = "2026-12-10T06:00:00Z".parse().unwrap();
        let sending = Sending { at, question, host: Host::Main, dated: None };
        let of = AttemptId { purpose: Purpose::Debit(2), attempt };
        Self { merchant: "ecole".parse().unwrap(), order, of, call, sending }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::purpose::Purpose;

    fn lost(attempt: u32) -> LostCall {
        Leaving::example(attempt).into()
    }

    fn ended(at: Timestamp, calls: Vec<LostCall>) -> Reconcile {
        let end = End { at, by: Actor::Gateway, reason: Text::parse("relu", 10).unwrap(), without: Vec::new() };
        Reconcile { ended: Some(end), ..Reconcile::begin(None, "-", "s", calls, at) }
    }

    #[test]
    fn what_left_before_the_store_went_back_is_known_by_its_name_or_its_instalment() {
        let at: Timestamp = "2026-12-10T06:00:00Z".parse().unwrap();
        let (first, second, third) = (Leaving::example(1), Leaving::example(2), Leaving::example(3));
        let known = |reconcile: &Reconcile, left: &Leaving| reconcile.known_of(left.order, left.of, &left.call);
        let open = Reconcile::begin(None, "-", "s", vec![lost(2)], at);
        assert_eq!(known(&open, &third), Known::Frozen);

        let mut ended = ended(at, vec![lost(2)]);
        assert_eq!(known(&ended, &second), Known::Left(Box::new(second.clone())));
        for other in [&first, &third] {
            assert_eq!(known(&ended, other), Known::Otherwise(Box::new(second.clone())), "the same instalment");
        }
        let elsewhere = AttemptId { purpose: Purpose::Debit(3), attempt: 1 };
        assert_eq!(ended.known_of(first.order, elsewhere, &first.call), Known::Nothing, "another instalment");
        ended.deal_with(&second);
        assert_eq!((known(&ended, &first), known(&ended, &second)), (Known::Nothing, Known::Nothing));
    }

    #[test]
    fn a_lost_call_comes_back_as_it_was_written() {
        let lost = lost(2);
        let text = serde_json::to_string(&lost).unwrap();
        assert_eq!(serde_json::from_str::<LostCall>(&text).unwrap(), lost);
    }

    #[test]
    fn an_open_one_is_gone_on_with_and_an_ended_one_is_not() {
        let at: Timestamp = "2026-12-10T06:00:00Z".parse().unwrap();
        let later: Timestamp = "2026-12-10T07:00:00Z".parse().unwrap();
        let first = Reconcile { asked_at: Some(at), ..Reconcile::begin(None, "-", "s", vec![lost(1)], at) };
        assert!(first.is_open() && !first.is_asking());
        let second = Reconcile::begin(Some(first.clone()), "again", "s", vec![lost(1), lost(2)], later);
        assert_eq!((second.since, second.calls.len(), second.is_asking()), (at, 2, true));
        let grace = SignedDuration::from_secs(90);
        assert_eq!((first.asks_from(grace), second.asks_from(grace)), (at + grace, later + grace));
        let mut ended = ended(later, vec![lost(1), lost(2)]);
        assert!(!ended.is_open() && !ended.is_asking());
        ended.deal_with(&lost(1).left);
        let third = Reconcile::begin(Some(ended), "-", "s", Vec::new(), later);
        assert_eq!((third.since, &third.calls[..]), (later, &[lost(2)][..]), "nobody has dealt with it");
        assert!(third.covers("s", &[lost(2)]) && !third.covers("t", &[]) && !third.covers("s", &[lost(3)]));
    }
}
