//! Leases and turns as a store gives them, by its own clock.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use guichet::{
    domain::bucket::{Bucket, Rate, Spent},
    ports::{StoreError, Turns},
};

use crate::store::SimStore;

/// They are not in any backup.
#[derive(Default)]
pub(crate) struct TurnState {
    leases: BTreeMap<String, (String, Duration)>,
    buckets: BTreeMap<String, Bucket>,
}

impl SimStore {
    async fn arrange<T>(&self, act: impl FnOnce(&mut TurnState, Duration) -> T) -> Result<T, StoreError> {
        self.world.pause().await;
        self.world.with(|inner| {
            if inner.strikes("store: a lease fails", 1) {
                return Err(StoreError("a lease fails".to_owned()));
            }
            let now = inner.now.duration_since(inner.booted).unsigned_abs();
            Ok(act(&mut inner.turns, now))
        })
    }
}

#[async_trait]
impl Turns for SimStore {
    async fn lease(&self, what: &str, holder: &str, length: Duration) -> Result<bool, StoreError> {
        self.arrange(|turns, now| {
            let free = turns.leases.get(what).is_none_or(|(held, until)| held == holder || *until <= now);
            if free {
                turns.leases.insert(what.to_owned(), (holder.to_owned(), now + length));
            }
            free
        })
        .await
    }

    async fn release(&self, what: &str, holder: &str) -> Result<(), StoreError> {
        self.arrange(|turns, _| {
            if turns.leases.get(what).is_some_and(|(held, _)| held == holder) {
                turns.leases.remove(what);
            }
        })
        .await
    }

    async fn spend(&self, name: &str, rate: Rate) -> Result<Spent, StoreError> {
        self.arrange(|turns, now| turns.buckets.entry(name.to_owned()).or_default().spend(rate, now)).await
    }

    async fn turn(&self, name: &str, every: Duration) -> Result<Duration, StoreError> {
        self.arrange(|turns, now| turns.buckets.entry(name.to_owned()).or_default().turn(every, now)).await
    }
}
