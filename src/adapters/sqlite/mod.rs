//! The embedded store: one SQLite file in write-ahead mode, one thread that writes in groups, a few connections that
//! read.
//!
//! Several processes may open the same file, each with its own writer: SQLite's write lock puts their transactions one
//! after the other, and a writer that finds it taken waits for the busy timeout. Versions are compared under that lock,
//! so a compare-and-set holds across processes.

mod changes;
mod check;
mod columns;
mod copy;
mod departure;
mod readers;
mod reads;
mod rows;
mod schema;
mod writer;

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{Timestamp, civil::Date};

use self::{
    readers::Readers,
    reads::{List, Ready, Tally},
    writer::Writer,
};
use crate::{
    adapters::{kept::Block, turns::OwnTurns},
    domain::{
        bucket::{Rate, Spent},
        reconcile::Mark,
    },
    ports::{Answer, Callback, Commit, CommitError, FeedItem, Key, Mode, Store, StoreError, Stored, Turns},
};

/// How a store is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What a new store becomes, and an existing one must be.
    pub mode: Mode,
    /// How long one process waits for another that writes.
    pub busy_timeout: Duration,
    /// Connections that read.
    pub readers: NonZeroUsize,
    /// Changes that may wait for the writer; more are refused as [`CommitError::Unavailable`].
    pub queue_max: usize,
    /// Whether one that was moved is opened all the same, to be read.
    pub even_moved: bool,
    /// Pages (of 4 KiB) that the file may grow to; `None` for what SQLite and the disk allow.
    pub max_pages: Option<u32>,
}

impl Options {
    /// What suits a gateway that has the machine to itself.
    pub fn new(mode: Mode) -> Self {
        let readers = const { NonZeroUsize::new(4).unwrap() };
        Self {
            mode,
            busy_timeout: Duration::from_secs(5),
            readers,
            queue_max: 1024,
            even_moved: false,
            max_pages: None,
        }
    }
}

/// The store in one SQLite file. Its methods need a tokio runtime.
///
/// Dropping it finishes the changes that wait and closes the file; that blocks for as long as the disk needs.
pub struct SqliteStore {
    /// Closed before the writer: the last connection to close moves the log into the file, which only the writer may.
    readers: Readers,
    writer: Writer,
    turns: OwnTurns,
}

impl SqliteStore {
    /// Opens the store in the file `path`, made if it is not there. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be used, is another program's, has a schema that this program does not know
    /// yet, or belongs to another mode.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self, StoreError> {
        // A name that SQLite would take for something else, as `:memory:`, is a file like any other.
        let path = &std::path::absolute(path).map_err(|error| StoreError(format!("no file for the store: {error}")))?;
        let connection = schema::open_to_write(path, options)?;
        let readers = Readers::open(path, options)?;
        let writer = Writer::start(connection, options.queue_max)
            .map_err(|error| StoreError(format!("the writer cannot be started: {error}")))?;
        Ok(Self { readers, writer, turns: OwnTurns::new() })
    }

    /// Writes what the store at `from` holds now to the new file `to`, whether it is served or not. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read, or `to` is there already or cannot be written.
    pub fn back_up(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), StoreError> {
        copy::back_up(from.as_ref(), to.as_ref())
    }

    /// Puts a copy of `from` in the place of the store at `to`, which nobody may serve meanwhile; what was there is moved
    /// aside, and where to is returned. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] when `from` is no sound store of this mode; then nothing was changed.
    pub fn restore(
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
        mode: Mode,
        now: Timestamp,
    ) -> Result<Option<PathBuf>, StoreError> {
        copy::restore(from.as_ref(), to.as_ref(), mode, now)
    }

    /// Whether [`SqliteStore::open`] would open the store, without making or changing it; `mode` is what it should be,
    /// if that is known. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] as [`SqliteStore::open`].
    pub fn check(path: impl AsRef<Path>, mode: Option<Mode>) -> Result<(), StoreError> {
        let path = &std::path::absolute(path).map_err(|error| StoreError(format!("no file for the store: {error}")))?;
        check::check(path, mode)
    }
}

#[async_trait]
impl Turns for SqliteStore {
    async fn lease(&self, what: &str, holder: &str, length: Duration) -> Result<bool, StoreError> {
        Ok(self.turns.lease(what, holder, length))
    }

    async fn release(&self, what: &str, holder: &str) -> Result<(), StoreError> {
        self.turns.release(what, holder);
        Ok(())
    }

    async fn spend(&self, name: &str, rate: Rate) -> Result<Spent, StoreError> {
        Ok(self.turns.spend(name, rate))
    }

    async fn turn(&self, name: &str, every: Duration) -> Result<Duration, StoreError> {
        Ok(self.turns.turn(name, every))
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let key = key.clone();
        self.readers.ask(move |connection| reads::load(connection, &key)).await
    }

    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.writer.make(move |connection| changes::commit(connection, &commit)).await
    }

    async fn owner(&self, merchant: &str, kind: &'static str, value: &str) -> Result<Option<String>, StoreError> {
        let (merchant, value) = (merchant.to_owned(), value.to_owned());
        self.readers.ask(move |connection| reads::owner(connection, &merchant, kind, &value)).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.readers.ask(move |connection| reads::due(connection, now, limit)).await
    }

    async fn list(
        &self,
        merchant: &str,
        kind: &'static str,
        labels: &[(&'static str, String)],
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        let (merchant, labels, after) = (merchant.to_owned(), labels.to_vec(), after.map(str::to_owned));
        let list = List { merchant, kind, labels, after, limit };
        self.readers.ask(move |connection| reads::list(connection, &list)).await
    }

    async fn ready(
        &self,
        merchant: &str,
        kind: &'static str,
        until: Date,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        let ready = Ready { merchant: merchant.to_owned(), kind, until, after: after.map(str::to_owned), limit };
        self.readers.ask(move |connection| reads::ready(connection, &ready)).await
    }

    async fn tally(
        &self,
        merchant: &str,
        kind: &'static str,
        label: &'static str,
        prefix: &str,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let tally = Tally { merchant: merchant.to_owned(), kind, label, prefix: prefix.to_owned() };
        self.readers.ask(move |connection| reads::tally(connection, &tally)).await
    }

    async fn feed(&self, merchants: &[String], after: u64, limit: usize) -> Result<Vec<FeedItem>, StoreError> {
        let merchants = merchants.to_vec();
        self.readers.ask(move |connection| reads::feed(connection, &merchants, after, limit)).await
    }

    async fn history(&self, key: &Key) -> Result<Vec<FeedItem>, StoreError> {
        let key = key.clone();
        self.readers.ask(move |connection| reads::history(connection, &key)).await
    }

    async fn mark(&self, at: Option<u64>) -> Result<Mark, StoreError> {
        self.readers.ask(move |connection| reads::mark(connection, at)).await
    }

    async fn skip(&self, positions: u64) -> Result<(), StoreError> {
        self.writer.make(move |connection| changes::skip(connection, positions)).await.map_err(why)
    }

    async fn answer(&self, key: &str) -> Result<Option<Answer>, StoreError> {
        let key = key.to_owned();
        self.readers.ask(move |connection| reads::answer(connection, &key)).await
    }

    async fn reserve(&self, counter: &str, start: u32, last: u32, count: u32) -> Result<u32, StoreError> {
        let block = Block::new(start, last, count)?;
        let counter = counter.to_owned();
        self.writer.make(move |connection| changes::reserve(connection, &counter, block)).await.map_err(why)
    }

    async fn keep_callback(&self, callback: Callback, keep: usize) -> Result<(), StoreError> {
        self.writer.make(move |connection| changes::keep_callback(connection, &callback, keep)).await.map_err(why)
    }

    async fn callbacks(&self, merchant: &str, limit: usize) -> Result<Vec<Callback>, StoreError> {
        let merchant = merchant.to_owned();
        self.readers.ask(move |connection| reads::callbacks(connection, &merchant, limit)).await
    }

    async fn forget_answers(&self, before: Timestamp) -> Result<(), StoreError> {
        self.writer.make(move |connection| changes::forget_answers(connection, before)).await.map_err(why)
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.writer.health().map_err(StoreError)?;
        self.due(Timestamp::MIN, 1).await.map(|_| ())
    }
}

/// The reason of a change that is no commit, and so can only be unavailable.
fn why(error: CommitError) -> StoreError {
    match error {
        CommitError::Unavailable(why) => StoreError(why),
        CommitError::Conflict(_) | CommitError::Taken { .. } | CommitError::Answered => StoreError(error.to_string()),
    }
}
