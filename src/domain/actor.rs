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
