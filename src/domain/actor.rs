//! Who did it: every write has an actor.

use serde::{Deserialize, Serialize};

/// Who asked for a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Actor {
    /// The holder of an API key, by the key's id; `person` is who it acts for, `on_behalf_of` whose account was used.
    Key {
        key: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<String>,
    },
    /// PAYBOX, by a notification.
    Bank,
    /// Somebody with a payment page's secret link.
    Payer,
    /// This gateway, doing what it owes.
    Gateway,
}

impl Actor {
    /// Whether both are one and the same person, as far as can be told: people are known by their names whatever key they
    /// come with, and a key that acts for nobody is its own person.
    pub fn is_same_person(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Key { person: Some(one), .. }, Self::Key { person: Some(other), .. }) => one == other,
            (Self::Key { key: one, .. }, Self::Key { key: other, .. }) => one == other,
            (one, other) => one == other,
        }
    }

    /// Whether both came with one key.
    pub fn has_same_key(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Key { key: one, .. }, Self::Key { key: other, .. }) if one == other)
    }
}
