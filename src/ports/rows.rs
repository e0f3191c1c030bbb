//! A store taken apart into rows, from which another store, of whatever kind, can be filled.

use async_trait::async_trait;
use jiff::{Timestamp, civil::Date};

use super::{Answer, Callback, Claim, FeedItem, Key, StoreError, Stored};

/// One thing that a store keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    Aggregate(Aggregate),
    Event(FeedItem),
    Claim(Claim),
    Answer(Answer),
    Callback(Callback),
    /// The number that a counter gives next.
    Counter {
        name: String,
        next: u64,
    },
}

/// An aggregate and all that it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    pub key: Key,
    pub stored: Stored,
    pub wake_at: Option<Timestamp>,
    pub ready_on: Option<Date>,
    /// In order, each once.
    pub labels: Vec<(&'static str, String)>,
}

/// That a store was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The store that is served in its place, without any secret.
    pub to: String,
    pub at: Timestamp,
}

/// A store that nobody serves, as rows.
#[async_trait]
pub trait Rows: Send + Sync {
    /// How many rows there are.
    async fn count(&self) -> Result<u64, StoreError>;

    /// Hands over every row once, a page at a time: aggregates first; the events of a merchant and its callbacks in the
    /// order in which they came.
    async fn pour(&self, into: &mut dyn Basin) -> Result<(), StoreError>;

    /// From now on the store is the beginning of a copy, which nobody can open before it is whole.
    ///
    /// # Errors
    /// [`StoreError`] when it holds anything.
    async fn begin_copy(&self) -> Result<(), StoreError>;

    /// Keeps rows as they are, in the order of [`Rows::pour`]; durable on return.
    ///
    /// # Errors
    /// [`StoreError`] when [`Rows::begin_copy`] did not come before, or a row is there already.
    async fn fill(&self, rows: Vec<Row>) -> Result<(), StoreError>;

    /// The copy is whole: from now on it is a store as any other.
    async fn end_copy(&self) -> Result<(), StoreError>;

    /// Where it was moved, if it was.
    async fn moved(&self) -> Result<Option<Moved>, StoreError>;

    /// From now on another store is served in its place: it is opened only to be read, and where several processes share
    /// it, those that have it open change nothing any more.
    ///
    /// # Errors
    /// [`StoreError`] when its last event is not the one at `position`, which is the last that went along.
    async fn depart(&self, position: u64, moved: &Moved) -> Result<(), StoreError>;

    /// It is served again, because nobody serves the other any more.
    async fn come_back(&self) -> Result<(), StoreError>;
}

/// What rows are poured into.
#[async_trait]
pub trait Basin: Send {
    /// Takes a page of rows.
    ///
    /// # Errors
    /// [`StoreError`] ends the pouring.
    async fn take(&mut self, rows: Vec<Row>) -> Result<(), StoreError>;
}
