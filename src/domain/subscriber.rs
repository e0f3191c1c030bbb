//! Cards that the bank keeps under a name of ours. One that no plan uses is forgotten there, however often that takes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{card::CardFacts, ids::SubscriberReference};

/// A card that a page registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriber {
    pub reference: SubscriberReference,
    pub state: SubscriberState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SubscriberState {
    /// Registered, and perhaps wanted.
    Kept,
    /// To be forgotten at the bank; `next_try` is when to ask for it.
    Unwanted { next_try: Timestamp, tries: u32 },
    /// The bank keeps it no more.
    Gone { at: Timestamp },
}

/// What a notification told of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardCard {
    pub facts: CardFacts,
    /// The token, sealed under [`card_context`] and written in base64; `None` when none came, or it is of no use any more.
    pub sealed_token: Option<String>,
    /// What tells two tokens apart without telling either: sealing gives other bytes each time.
    pub fingerprint: Option<String>,
}

impl HeardCard {
    /// Whether both tell the same of the same card.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.facts == other.facts && self.fingerprint == other.fingerprint
    }
}

/// The card of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCard {
    pub subscriber: SubscriberReference,
    pub facts: CardFacts,
    /// As in [`HeardCard`].
    pub sealed_token: String,
}

/// What a card's token is sealed under, so that one order's cannot be opened as another's.
pub fn card_context(subscriber: &SubscriberReference) -> String {
    format!("card:{subscriber}")
}
