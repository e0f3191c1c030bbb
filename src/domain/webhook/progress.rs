//! How far an endpoint has heard: a cursor into the feed, the orders that wait behind a failed event, and what is to be
//! heard once more.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Errand, Fate};
use crate::domain::ids::OrderId;

/// Orders that may be parked at one endpoint. Beyond, it hears of nothing new until some are heard or given up.
pub const MAX_PARKED: usize = 1_000;
/// Replays that may wait at one endpoint.
pub const MAX_REPLAYS: usize = 16;
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
    fn what_others_added_is_taken_over_and_what_they_delivered_is_not() {
        let base = Progress { cursor: Some(10), tries: 4, ..Progress::default() };
        let replay = Replay { after: 3, until: 7, named: false, failures: 0, next_try: second(0) };
        let asked = Progress { replays: vec![replay], tries: 5, ..base.clone() };
        let mut mine = base.clone();
        mine.settle(Errand::Fresh, order(1), 11, Fate::Delivered, second(0));
        assert!(mine.follow(&base, &asked));
        assert_eq!((mine.cursor, mine.replays.len(), mine.tries), (Some(11), 1, 5));
        let delivered = Progress { cursor: Some(11), ..base.clone() };
        assert!(!mine.clone().follow(&base, &delivered));
        // The replay at work was another's.
        assert!(!base.clone().follow(&asked, &base));
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
}
