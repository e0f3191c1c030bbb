//! A store in memory that keeps the contract of `ports::Store`, and fails as that allows.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use guichet::{
    domain::{chain::Link, event::Recorded, ids::OrderId, order::Order, reconcile::Mark},
    ports::{Answer, Callback, Commit, CommitError, FeedItem, Key, Store, StoreError, Stored, Write},
};
use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::{
    happening::Happening,
    invariants,
    world::{Doom, Inner, World},
};

/// One aggregate, and what its events make of it when they are applied one by one.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) stored: Stored,
    wake_at: Option<Timestamp>,
    ready_on: Option<Date>,
    labels: Vec<(&'static str, String)>,
    pub(crate) order: Option<Order>,
}

#[derive(Clone, Default)]
pub(crate) struct StoreState {
    pub(crate) rows: BTreeMap<Key, Row>,
    wakes: BTreeSet<(Timestamp, Key)>,
    claims: BTreeMap<(String, &'static str, String), String>,
    answers: BTreeMap<String, Answer>,
    callbacks: Vec<Callback>,
    counters: BTreeMap<String, u32>,
    feed: Vec<FeedItem>,
    skipped: u64,
    /// Changes are refused until it is there again; this one may turn out to have been made.
    limbo: Option<Commit>,
}

impl StoreState {
    /// As a backup keeps it: all that was committed, and nothing of what is under way.
    pub(crate) fn snapshot(&self) -> Self {
        Self { limbo: None, ..self.clone() }
    }

    /// Sets it back to what a backup kept.
    pub(crate) fn restore(&mut self, backup: &Self) {
        *self = backup.clone();
    }

    /// How far it has come, as of the last event that is not after `at`.
    pub(crate) fn mark(&self, at: Option<u64>) -> Mark {
        let last = self.feed.iter().rev().find(|item| at.is_none_or(|at| item.position <= at));
        Mark {
            store: "one".to_owned(),
            position: last.map_or(0, |item| item.position),
            event: Link::to(last.map_or("", |item| &item.event)),
        }
    }

    pub(crate) fn first_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    pub(crate) fn orders(&self) -> impl Iterator<Item = &Order> {
        self.rows.values().filter_map(|row| row.order.as_ref())
    }

    /// The events of an order, oldest first.
    pub(crate) fn events_of(&self, id: OrderId) -> Vec<Recorded> {
        let id = id.to_string();
        let its = self.feed.iter().filter(|item| item.key.kind == "order" && item.key.id == id);
        its.map(|item| serde_json::from_str(&item.event).unwrap()).collect()
    }

    fn select<'a>(&'a self, merchant: &'a str, kind: &'a str) -> impl Iterator<Item = (&'a Key, &'a Row)> {
        self.rows.iter().filter(move |(key, _)| key.merchant == merchant && key.kind == kind)
    }
}

/// What became of it is known now.
pub(crate) fn back(inner: &mut Inner) {
    if let Some(commit) = inner.store.limbo.take()
        && inner.rng.chance(500)
    {
        inner.count("store: a change came back");
        let orders: Vec<String> = commit.writes.iter().map(|write| write.key.id.clone()).collect();
        inner.committing = None;
        if apply(inner, commit).is_ok() {
            inner.untold.extend(orders);
        }
    }
}

fn check(store: &StoreState, commit: &Commit) -> Result<(), CommitError> {
    if commit.answer.as_ref().is_some_and(|answer| store.answers.contains_key(&answer.key)) {
        return Err(CommitError::Answered);
    }
    let mut versions: BTreeMap<&Key, u64> = BTreeMap::new();
    for write in &commit.writes {
        let stored = || store.rows.get(&write.key).map_or(0, |row| row.stored.version);
        let version = versions.get(&write.key).copied().unwrap_or_else(stored);
        if version != write.expected_version {
            return Err(CommitError::Conflict(write.key.clone()));
        }
        versions.insert(&write.key, version + 1);
    }
    let mut owners: BTreeMap<(&str, &str, &str), &str> = BTreeMap::new();
    for claim in &commit.claims {
        let key = (claim.merchant.clone(), claim.kind, claim.value.clone());
        let new = (claim.merchant.as_str(), claim.kind, claim.value.as_str());
        let owner = store.claims.get(&key).map(String::as_str).or(owners.get(&new).copied());
        match owner {
            Some(owner) if owner != claim.owner => {
                return Err(CommitError::Taken { claim: claim.clone(), owner: owner.to_owned() });
            }
            _ => owners.insert(new, &claim.owner),
        };
    }
    Ok(())
}

fn apply(inner: &mut Inner, commit: Commit) -> Result<(), CommitError> {
    check(&inner.store, &commit)?;
    look_for_secrets(inner, &commit);
    if let Some(answer) = commit.answer {
        inner.store.answers.insert(answer.key.clone(), answer);
    }
    for claim in commit.claims {
        inner.store.claims.insert((claim.merchant, claim.kind, claim.value), claim.owner);
    }
    inner.store.callbacks.extend(commit.callbacks);
    for write in commit.writes {
        replace(inner, write);
    }
    Ok(())
}

/// States are looked at once, at the end: all that is in them comes of events.
fn look_for_secrets(inner: &mut Inner, commit: &Commit) {
    for write in &commit.writes {
        write.events.iter().for_each(|event| invariants::secrets::in_clear(inner, "an event", event));
        write.labels.iter().for_each(|(_, value)| invariants::secrets::in_clear(inner, "a label", value));
    }
    let answers = commit.answer.iter().map(|answer| &answer.sealed);
    for sealed in commit.callbacks.iter().map(|callback| &callback.sealed).chain(answers) {
        invariants::secrets::in_clear(inner, "what is sealed", &String::from_utf8_lossy(sealed));
    }
}

fn replace(inner: &mut Inner, write: Write) {
    let before = inner.store.rows.remove(&write.key);
    if let Some(at) = before.as_ref().and_then(|row| row.wake_at) {
        inner.store.wakes.remove(&(at, write.key.clone()));
    }
    if let Some(at) = write.wake_at {
        inner.store.wakes.insert((at, write.key.clone()));
    }
    let version = write.expected_version + 1;
    for event in &write.events {
        inner.log_event(&write.key.id, event);
        let position = inner.store.skipped + inner.store.feed.len() as u64 + 1;
        invariants::told::i16_no_position_is_given_again(inner, position);
        inner.store.feed.push(FeedItem { position, key: write.key.clone(), version, event: event.clone() });
    }
    let before = before.and_then(|row| row.order);
    let mut order = None;
    if write.key.kind == "order" {
        let events: Vec<Recorded> = write.events.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
        let chain =
            write.events.last().map(|event| Link::to(event)).or(before.as_ref().and_then(|order| order.chain.clone()));
        order = invariants::replayed(inner, before.as_ref(), &events, (&write.state, chain));
        if let Some(after) = &order {
            invariants::committed(inner, before.as_ref(), after, &events);
        }
    } else {
        inner.log(format_args!("{} {} is at version {version}", write.key.kind, write.key.id));
    }
    let Write { key, state, wake_at, ready_on, labels, .. } = write;
    inner.store.rows.insert(key, Row { stored: Stored { version, state }, wake_at, ready_on, labels, order });
}

/// The store as one process reaches it.
pub(crate) struct SimStore {
    pub(crate) world: World,
    pub(crate) process: usize,
}

impl SimStore {
    async fn read<R>(&self, read: impl FnOnce(&StoreState) -> R) -> Result<R, StoreError> {
        self.world.pause().await;
        self.world.with(|inner| {
            if inner.strikes("store: a read fails", 1) {
                return Err(StoreError("a read fails".to_owned()));
            }
            Ok(read(&inner.store))
        })
    }

    fn change(&self, inner: &mut Inner, commit: Commit, id: u64) -> Result<(), CommitError> {
        let unavailable = |why: &str| Err(CommitError::Unavailable(why.to_owned()));
        if inner.store.limbo.is_some() {
            return unavailable("it is not there");
        }
        if inner.strikes("store: a change is not made", 2) {
            return unavailable("nothing was changed");
        }
        if inner.strikes("store: nobody knows", 1) {
            inner.store.limbo = Some(commit);
            inner.after_secs(1, 200, Happening::StoreBack);
            return unavailable("it went away");
        }
        let is_sent = commit.writes.iter().any(|write| write.events.iter().any(|event| event.contains("attempt_sent")));
        let torn = inner.strikes("store: a change is not acknowledged", 2);
        inner.committing = Some((self.process, id));
        let done = apply(inner, commit);
        inner.committing = None;
        if torn {
            invariants::told::nobody_was_told(inner, |owed| owed.commit == id);
        }
        if is_sent && done.is_ok() {
            if inner.strikes("crash: between sent and the first byte", 40) {
                inner.dooms.insert(self.process, Doom::Crash);
            } else if inner.strikes("freeze: between sent and the first byte", 50) {
                let seconds = *inner.rng.pick(&[3, 60, 700, 8_000, 100_000, 200_000]);
                let length = SignedDuration::from_secs(inner.rng.between(1, seconds));
                inner.dooms.insert(self.process, Doom::Freeze(length));
            }
        }
        if torn && done.is_ok() { unavailable("no acknowledgement") } else { done }
    }
}

#[async_trait]
impl Store for SimStore {
    async fn load(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.read(|store| store.rows.get(key).map(|row| row.stored.clone())).await
    }

    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.world.pause().await;
        let (id, done) = self.world.with(|inner| {
            inner.commits += 1;
            let id = inner.commits;
            (id, self.change(inner, commit, id))
        });
        if let Err(CommitError::Conflict(_)) = done {
            self.world.with(|inner| inner.count("store: a race was lost"));
        }
        self.world.pause().await;
        self.world.with(|inner| {
            let its = inner.owed_alarms.iter_mut().filter(|owed| owed.commit == id);
            its.for_each(|owed| owed.is_due = true);
        });
        done
    }

    async fn owner(&self, merchant: &str, kind: &'static str, value: &str) -> Result<Option<String>, StoreError> {
        self.read(|store| store.claims.get(&(merchant.to_owned(), kind, value.to_owned())).cloned()).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        let due = |store: &StoreState| {
            let due = store.wakes.iter().take_while(|(at, _)| *at <= now).take(limit);
            due.map(|(_, key)| key.clone()).collect()
        };
        self.read(due).await
    }

    async fn list(
        &self,
        merchant: &str,
        kind: &'static str,
        labels: &[(&'static str, String)],
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        self.read(|store| {
            let found = store.select(merchant, kind).filter(|(key, row)| {
                after.is_none_or(|after| key.id.as_str() > after)
                    && labels.iter().all(|label| row.labels.contains(label))
            });
            found.take(limit).map(|(key, row)| (key.clone(), row.stored.clone())).collect()
        })
        .await
    }

    async fn ready(
        &self,
        merchant: &str,
        kind: &'static str,
        until: Date,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        self.read(|store| {
            let found = store.select(merchant, kind).filter(|(key, row)| {
                after.is_none_or(|after| key.id.as_str() > after) && row.ready_on.is_some_and(|on| on <= until)
            });
            found.take(limit).map(|(key, row)| (key.clone(), row.stored.clone())).collect()
        })
        .await
    }

    async fn tally(
        &self,
        merchant: &str,
        kind: &'static str,
        label: &'static str,
        prefix: &str,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        self.read(|store| {
            let mut tally = BTreeMap::new();
            for (_, row) in store.select(merchant, kind) {
                let values: BTreeSet<&String> =
                    row.labels.iter().filter(|(name, _)| *name == label).map(|(_, value)| value).collect();
                for value in values.into_iter().filter(|value| value.starts_with(prefix)) {
                    *tally.entry(value.clone()).or_default() += 1;
                }
            }
            tally
        })
        .await
    }

    async fn feed(&self, merchants: &[String], after: u64, limit: usize) -> Result<Vec<FeedItem>, StoreError> {
        self.read(|store| {
            let of = |item: &&FeedItem| item.position > after && merchants.contains(&item.key.merchant);
            store.feed.iter().filter(of).take(limit).cloned().collect()
        })
        .await
    }

    async fn history(&self, key: &Key) -> Result<Vec<FeedItem>, StoreError> {
        self.read(|store| store.feed.iter().filter(|item| item.key == *key).cloned().collect()).await
    }

    async fn mark(&self, at: Option<u64>) -> Result<Mark, StoreError> {
        self.read(|store| store.mark(at)).await
    }

    async fn skip(&self, positions: u64) -> Result<(), StoreError> {
        self.world.with(|inner| {
            if inner.store.limbo.is_some() {
                return Err(StoreError("it is not there".to_owned()));
            }
            inner.store.skipped += positions;
            Ok(())
        })
    }

    async fn answer(&self, key: &str) -> Result<Option<Answer>, StoreError> {
        self.read(|store| store.answers.get(key).cloned()).await
    }

    async fn reserve(&self, counter: &str, start: u32, last: u32, count: u32) -> Result<u32, StoreError> {
        self.world.pause().await;
        let reserved = self.world.with(|inner| {
            let unavailable = || Err(StoreError("no numbers".to_owned()));
            if inner.store.limbo.is_some() || inner.strikes("store: a change is not made", 2) {
                return unavailable();
            }
            let next = inner.store.counters.get(counter).copied().unwrap_or(start);
            let first = if next.checked_add(count - 1).is_some_and(|end| end <= last) { next } else { 1 };
            inner.store.counters.insert(counter.to_owned(), first + count);
            if inner.strikes("store: a change is not acknowledged", 2) { unavailable() } else { Ok(first) }
        });
        self.world.pause().await;
        reserved
    }

    async fn keep_callback(&self, callback: Callback, keep: usize) -> Result<(), StoreError> {
        self.world.pause().await;
        self.world.with(|inner| {
            // What nobody vouches for is masked before it is sealed: it may hold anybody's card.
            let unsealed: Vec<u8> = callback.sealed.iter().map(|byte| byte ^ 0x5a).collect();
            if callback.verdict == "unverified" {
                invariants::secrets::in_clear(inner, "a stranger's bytes", &String::from_utf8_lossy(&unsealed));
            }
            let of = |kept: &Callback| kept.merchant == callback.merchant && kept.order.is_none();
            if inner.store.callbacks.iter().filter(|kept| of(kept)).count() >= keep
                && let Some(oldest) = inner.store.callbacks.iter().position(of)
            {
                inner.store.callbacks.remove(oldest);
            }
            inner.store.callbacks.push(callback);
        });
        Ok(())
    }

    async fn callbacks(&self, merchant: &str, limit: usize) -> Result<Vec<Callback>, StoreError> {
        let of = |kept: &&Callback| kept.merchant == merchant;
        self.read(|store| store.callbacks.iter().rev().filter(of).take(limit).cloned().collect()).await
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<(), StoreError> {
        self.world.with(|inner| inner.store.answers.retain(|_, answer| answer.given_at >= before));
        Ok(())
    }

    async fn health(&self) -> Result<(), StoreError> {
        let is_there = self.read(|store| store.limbo.is_none()).await?;
        if is_there { Ok(()) } else { Err(StoreError("it is not there".to_owned())) }
    }
}

#[test]
fn a_store_can_be_set_back() {
    let mut store = StoreState::default();
    store.counters.insert("questions".to_owned(), 7);
    let backup = store.snapshot();
    store.counters.insert("questions".to_owned(), 9);
    store.limbo = Some(Commit::default());
    store.restore(&backup);
    assert_eq!(store.counters.get("questions"), Some(&7));
    assert!(store.limbo.is_none());
}
