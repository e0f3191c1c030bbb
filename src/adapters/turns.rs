//! Leases and rates of a store that one process works on, kept in its memory: they end with it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::domain::bucket::{Bucket, Rate, Spent};

/// Names that are remembered; what is over is forgotten when there are as many.
const MAX_NAMES: usize = 10_000;

pub(super) struct OwnTurns {
    begun: Instant,
    leases: Mutex<BTreeMap<String, Lease>>,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

struct Lease {
    holder: String,
    until: Duration,
}

impl OwnTurns {
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), leases: Mutex::default(), buckets: Mutex::default() }
    }

    pub(super) fn lease(&self, what: &str, holder: &str, length: Duration) -> bool {
        let now = self.begun.elapsed();
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.len() >= MAX_NAMES {
            leases.retain(|_, lease| lease.until > now);
        }
        if leases.get(what).is_some_and(|lease| lease.holder != holder && lease.until > now) {
            return false;
        }
        leases.insert(what.to_owned(), Lease { holder: holder.to_owned(), until: now.saturating_add(length) });
        true
    }

    pub(super) fn release(&self, what: &str, holder: &str) {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.get(what).is_some_and(|lease| lease.holder == holder) {
            leases.remove(what);
        }
    }

    pub(super) fn spend(&self, name: &str, rate: Rate) -> Spent {
        self.with(name, |bucket, now| bucket.spend(rate, now))
    }

    pub(super) fn turn(&self, name: &str, every: Duration) -> Duration {
        self.with(name, |bucket, now| bucket.turn(every, now))
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Bucket, Duration) -> T) -> T {
        let now = self.begun.elapsed();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_NAMES {
            buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        act(buckets.entry(name.to_owned()).or_default(), now)
    }
}
