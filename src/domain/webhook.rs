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

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    ids::{MerchantId, OrderId},
    policy::later,
};

/// Orders that may be parked at one endpoint. Beyond, it hears of nothing new until some are heard or given up.
pub const MAX_PARKED: usize = 1_000;
/// Replays that may wait at one endpoint.
pub const MAX_REPLAYS: usize = 16;
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

/// How far an endpoint has heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Every event up to here was delivered, was given up, is not wanted, or waits at a parked order. `None`: from when
    /// the endpoint was made, which is not looked up yet.
    pub cursor: Option<u64>,
    pub parked: Vec<Parked>,
    /// The first one is at work.
    pub replays: Vec<Replay>,
    /// How many tries there were.
    pub tries: u64,
}

/// An order whose next event could not be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    pub order: OrderId,
    /// What is owed comes after this position…
    pub after: u64,
    /// …and goes up to this one.
    pub latest: u64,
    /// How often the next event was tried in vain.
    pub failures: u32,
    pub next_try: Timestamp,
}

/// A part of the feed to be heard once more, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    pub after: u64,
    pub until: u64,
    /// Whether it was named one by one, and so goes out though the endpoint does not want its type.
    pub named: bool,
    pub failures: u32,
    pub next_try: Timestamp,
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

impl Progress {
    pub fn has_room(&self) -> bool {
        self.parked.len() < MAX_PARKED
    }

    /// The parked order that has waited the longest for a try that is due.
    pub fn due_parked(&self, now: Timestamp) -> Option<&Parked> {
        self.parked.iter().filter(|parked| parked.next_try <= now).min_by_key(|parked| parked.next_try)
    }

    pub fn due_replay(&self, now: Timestamp) -> Option<&Replay> {
        self.replays.first().filter(|replay| replay.next_try <= now)
    }

    /// Moves on over an event that is of no concern.
    pub fn pass(&mut self, position: u64) {
        self.cursor = self.cursor.max(Some(position));
    }

    /// Moves on over an event whose order is parked; whether it is.
    pub fn hold(&mut self, order: OrderId, position: u64) -> bool {
        let Some(parked) = self.parked.iter_mut().find(|parked| parked.order == order) else { return false };
        parked.latest = parked.latest.max(position);
        self.pass(position);
        true
    }

    /// How often this event was tried in vain so far.
    pub fn failures(&self, errand: Errand, order: OrderId) -> u32 {
        match errand {
            Errand::Retry => self.parked.iter().find(|parked| parked.order == order).map_or(0, |it| it.failures),
            Errand::Replay => self.replays.first().map_or(0, |replay| replay.failures),
            Errand::Fresh | Errand::Test => 0,
        }
    }

    /// Takes in what became of the event at `position`.
    pub fn settle(&mut self, errand: Errand, order: OrderId, position: u64, fate: Fate, now: Timestamp) {
        match errand {
            Errand::Fresh => {
                self.pass(position);
                if let Fate::Retried { at } = fate {
                    let after = position.saturating_sub(1);
                    self.parked.push(Parked { order, after, latest: position, failures: 1, next_try: at });
                }
            }
            Errand::Retry => {
                for parked in self.parked.iter_mut().filter(|parked| parked.order == order) {
                    (parked.failures, parked.next_try) = next(parked.failures, fate, now);
                    if !matches!(fate, Fate::Retried { .. }) {
                        parked.after = position;
                    }
                }
                self.parked.retain(|parked| parked.after < parked.latest);
            }
            Errand::Replay => {
                if let Some(replay) = self.replays.first_mut() {
                    (replay.failures, replay.next_try) = next(replay.failures, fate, now);
                    if !matches!(fate, Fate::Retried { .. }) {
                        replay.after = position;
                    }
                }
                self.replays.retain(|replay| replay.after < replay.until);
            }
            Errand::Test => {}
        }
    }

    /// Takes over what others added to `base` meanwhile, replays and tests; `false` when they delivered, too.
    pub fn follow(&mut self, base: &Self, theirs: &Self) -> bool {
        let added = theirs.replays.strip_prefix(base.replays.as_slice());
        let (Some(added), true) = (added, (base.cursor, &base.parked) == (theirs.cursor, &theirs.parked)) else {
            return false;
        };
        self.replays.extend_from_slice(added);
        self.tries = theirs.tries;
        true
    }

    /// Nothing that an order owes is wanted any more.
    pub fn release(&mut self, order: OrderId) {
        self.parked.retain(|parked| parked.order != order);
    }

    /// Nothing is left of the replay at work.
    pub fn end_replay(&mut self) {
        if !self.replays.is_empty() {
            self.replays.remove(0);
        }
    }
}

fn next(failures: u32, fate: Fate, now: Timestamp) -> (u32, Timestamp) {
    match fate {
        Fate::Retried { at } => (failures.saturating_add(1), at),
        Fate::Delivered | Fate::GivenUp => (0, now),
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

    fn order(bits: u128) -> OrderId {
        OrderId::from_bits(bits)
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_failed_event_holds_back_its_order_alone() {
        let mut progress = Progress { cursor: Some(10), ..Progress::default() };
        let retried = Fate::Retried { at: second(5) };
        progress.settle(Errand::Fresh, order(1), 11, retried, second(0));
        assert!(progress.hold(order(1), 12) && !progress.hold(order(2), 13));
        progress.settle(Errand::Fresh, order(2), 13, Fate::Delivered, second(1));
        assert_eq!((progress.cursor, progress.parked.len()), (Some(13), 1));
        assert_eq!(progress.due_parked(second(4)), None);
        progress.settle(Errand::Retry, order(1), 11, Fate::Retried { at: second(9) }, second(5));
        assert_eq!((progress.parked[0].failures, progress.failures(Errand::Retry, order(1))), (2, 2));
        // Delivered or given up: the next event of the order has its turn at once, and its own tries.
        progress.settle(Errand::Retry, order(1), 11, Fate::GivenUp, second(9));
        let parked = progress.due_parked(second(9)).unwrap();
        assert_eq!((parked.after, parked.latest, parked.failures), (11, 12, 0));
        progress.settle(Errand::Retry, order(1), 12, Fate::Delivered, second(9));
        assert!(progress.parked.is_empty());
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
    fn a_replay_ends_where_it_should() {
        let replay = Replay { after: 3, until: 7, named: false, failures: 0, next_try: second(0) };
        let mut progress = Progress { cursor: Some(9), replays: vec![replay], ..Progress::default() };
        progress.settle(Errand::Replay, order(1), 5, Fate::Retried { at: second(2) }, second(0));
        assert_eq!(progress.due_replay(second(1)), None);
        progress.settle(Errand::Replay, order(1), 5, Fate::Delivered, second(2));
        assert_eq!(progress.due_replay(second(2)).map(|replay| replay.after), Some(5));
        progress.settle(Errand::Replay, order(1), 7, Fate::GivenUp, second(2));
        assert!(progress.replays.is_empty() && progress.cursor == Some(9));
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
