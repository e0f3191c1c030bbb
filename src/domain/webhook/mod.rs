//! A webhook endpoint: where a portal wants to hear what happened, and how far it has heard.
//!
//! The event feed is the outbox: an event is committed with the state it tells of, so nothing can be owed and not be
//! known. An endpoint only remembers how far along the feed it is. An event that cannot be delivered parks its order:
//! later events of that order wait behind it, and those of all others go on.
//!
//! ```text
//! feed ──▶ delivered ──▶ cursor moves on
//!   └─ failed ─▶ parked ──wait, try──▶ delivered, or given up ──▶ the order's next event, or not parked any more
//! ```

mod progress;

pub use progress::{MAX_PARKED, MAX_REPLAYS, Parked, Progress, Replay};

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    ids::{MerchantId, OrderId},
    policy::later,
};

/// Secrets that sign at once: rotating again and again drops the oldest.
pub const MAX_SECRETS: usize = 3;

/// An endpoint's id, `whe_` and 32 hexadecimal digits, increasing with time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndpointId(u128);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a webhook endpoint is named by whe_ and 32 hexadecimal digits")]
pub struct EndpointIdError;

/// An endpoint, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub id: EndpointId,
    pub merchant: MerchantId,
    pub url: String,
    /// The types it wants to hear of; `None` for all, those of later versions included.
    pub events: Option<Vec<String>>,
    /// The current one first.
    pub secrets: Vec<Secret>,
    pub state: State,
    pub created_at: Timestamp,
    pub progress: Progress,
}

/// What signs, as the vault sealed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    pub sealed: String,
    /// Until when a secret that was replaced still signs beside the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    Enabled,
    /// Nothing is delivered; what happens meanwhile is owed and delivered when it is enabled again.
    Disabled {
        at: Timestamp,
        because: Because,
    },
    Deleted {
        at: Timestamp,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Somebody wanted it so.
    Asked,
    /// The receiver answered 410.
    Gone,
}

/// On which account an event is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// For the first time.
    Fresh,
    /// Again, because it failed.
    Retry,
    Replay,
    Test,
}

/// What became of an event by a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Fate {
    Delivered,
    Retried { at: Timestamp },
    GivenUp,
}

/// A line of the delivery log: never a body, never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    pub number: u64,
    pub event: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub order: Option<OrderId>,
    pub errand: Errand,
    /// From 1.
    pub attempt: u32,
    pub at: Timestamp,
    pub duration_ms: u64,
    pub status: Option<u16>,
    /// Why there is no status.
    pub error: Option<String>,
    pub fate: Fate,
}

/// The waits between tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries {
    pub after: Vec<SignedDuration>,
}

impl Retries {
    /// When to try again after `failures` tries in vain, `None` when it is given up. `chance` spreads the wait by a
    /// fifth either way, so that what failed together is not tried together for ever.
    pub fn next(&self, failures: u32, chance: u64, now: Timestamp) -> Option<Timestamp> {
        let step = usize::try_from(failures.checked_sub(1)?).ok()?;
        let wait = self.after.get(step)?;
        let spread = i64::try_from(chance % 401).unwrap_or(0) + 800;
        let micros = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX / 2_000).min(i64::MAX / 2_000);
        Some(later(now, SignedDuration::from_micros(micros * spread / 1_000)))
    }
}

impl Endpoint {
    pub fn is_enabled(&self) -> bool {
        self.state == State::Enabled
    }

    pub fn wants(&self, kind: &str) -> bool {
        self.events.as_ref().is_none_or(|wanted| wanted.iter().any(|each| each == kind))
    }

    /// Puts a new secret first; the one before signs beside it for `grace`.
    pub fn rotate(&mut self, sealed: String, grace: SignedDuration, now: Timestamp) {
        if let Some(current) = self.secrets.first_mut() {
            current.until = Some(later(now, grace));
        }
        self.secrets.insert(0, Secret { sealed, until: None });
        self.secrets.retain(|secret| secret.signs(now));
        self.secrets.truncate(MAX_SECRETS);
    }

    /// When it wants to be attended to though nothing new has happened.
    pub fn wake_at(&self) -> Option<Timestamp> {
        if !self.is_enabled() {
            return None;
        }
        let start = self.progress.cursor.is_none().then_some(self.created_at);
        let replay = self.progress.replays.first().map(|replay| replay.next_try);
        self.progress.parked.iter().map(|parked| parked.next_try).chain(start).chain(replay).min()
    }
}

impl Secret {
    pub fn signs(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl EndpointId {
    /// The id of these 128 bits; a UUID v7 keeps ids in the order of their making.
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "whe_{:032x}", self.0)
    }
}

impl FromStr for EndpointId {
    type Err = EndpointIdError;

    fn from_str(raw: &str) -> Result<Self, EndpointIdError> {
        let hex = raw.strip_prefix("whe_").ok_or(EndpointIdError)?;
        let fits = hex.len() == 32 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let bits = u128::from_str_radix(hex, 16).ok().filter(|_| fits);
        bits.map(Self).ok_or(EndpointIdError)
    }
}

impl Serialize for EndpointId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EndpointId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn waits_are_spread_by_a_fifth_and_end() {
        let seconds = SignedDuration::from_secs;
        let retries = Retries { after: vec![seconds(10), seconds(100)] };
        for (failures, chance, expected) in [
            (0, 0, None),
            (1, 0, Some(8)),
            (1, 200, Some(10)),
            (1, 400, Some(12)),
            (2, 401, Some(80)),
            (2, u64::from(u32::MAX) * 401 + 200, Some(100)),
            (3, 0, None),
        ] {
            let next = retries.next(failures, chance, second(0)).map(Timestamp::as_second);
            assert_eq!(next, expected, "{failures} {chance}");
        }
    }

    #[test]
    fn ids_survive_their_text() {
        let id = EndpointId::from_bits(0x019f_3c2a_7b1e_7c3d_9a55_2b8f_1e0d_4c6a);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "whe_", "ord_019f3c2a7b1e7c3d9a552b8f1e0d4c6a", "whe_+19f3c2a7b1e7c3d9a552b8f1e0d4c6a"] {
            assert_eq!(bad.parse::<EndpointId>(), Err(EndpointIdError), "{bad}");
        }
    }
}
