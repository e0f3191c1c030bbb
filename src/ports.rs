//! What the use cases need of the world, each with its contract, failure included. Adapters implement these; the
//! simulation does too.

mod bank;
mod journal;
mod notify;
mod rows;
mod test_clock;
mod turns;

pub use bank::{Bank, Forgotten, KeptCard, Line, PageHosts, Silence};
pub use journal::{Journal, JournalError};
pub use notify::{Delivery, NotDelivered, Notifier};
pub use rows::{Aggregate, Basin, Moved, Row, Rows};
pub use test_clock::{ClockHand, NotTold, SandboxClock};
pub use turns::Turns;

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use jiff::{Timestamp, civil::Date};

use crate::domain::reconcile::Mark;

/// Whether real money moves. It belongs to the process and to its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Live,
    Test,
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// The time. The only clock there is. Instants are whole microseconds, which is what stores keep.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now. May step back by a little; nothing relies on it for safety.
    fn now(&self) -> Timestamp;
    /// The machine's own time, which the bank has too. Under a test clock [`Clock::now`] is ahead of it.
    fn wall(&self) -> Timestamp;
    /// Time since some fixed moment, counting the time the machine was suspended; never steps.
    fn since_boot(&self) -> Duration;
    /// Returns when [`Clock::since_boot`] is at `moment` or later; whoever sets the wall clock changes nothing about it.
    async fn sleep_until(&self, moment: Duration);
}

/// Names and secrets that nobody can guess.
pub trait Entropy: Send + Sync {
    /// 128 bits that grow with `now` (a UUID v7).
    fn id(&self, now: Timestamp) -> u128;
    /// 256 bits.
    fn secret(&self) -> [u8; 32];
}

/// What must not be readable in the store.
pub trait Vault: Send + Sync {
    /// Encrypts `plain`, bound to `context`; every call gives other bytes.
    ///
    /// # Errors
    /// [`VaultError`] when the randomness or the key fails.
    fn seal(&self, plain: &[u8], context: &str) -> Result<Vec<u8>, VaultError>;
    /// What [`Vault::seal`] sealed under the same context, with any key that is still configured.
    ///
    /// # Errors
    /// [`VaultError`] when the bytes were changed, or belong to another context or an unknown key.
    fn open(&self, sealed: &[u8], context: &str) -> Result<Vec<u8>, VaultError>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed data cannot be made or read")]
pub struct VaultError;

/// Which aggregate: `kind` is `order`, `key`, `webhook`, `delivery_log`, `clock`, `run`, `reconcile`, `import`,
/// `import_entries`, `instance`; `id` is unique within merchant and kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub merchant: String,
    pub kind: &'static str,
    pub id: String,
}

/// An aggregate as it was last committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// From 1; grows by one with each commit that writes the aggregate.
    pub version: u64,
    /// JSON.
    pub state: String,
}

/// One atomic change. All of it is durable when [`Store::commit`] returns, or none of it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    pub writes: Vec<Write>,
    pub claims: Vec<Claim>,
    pub callbacks: Vec<Callback>,
    pub answer: Option<Answer>,
}

/// The new state of one aggregate and the events that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub key: Key,
    /// 0 when it must not exist yet.
    pub expected_version: u64,
    /// JSON, one document each, in order; never changed afterwards.
    pub events: Vec<String>,
    pub state: String,
    /// When it next wants to be looked after; `None` for never.
    pub wake_at: Option<Timestamp>,
    /// The day from which a debit run may take it up; `None` for never; replaced by each write.
    pub ready_on: Option<Date>,
    /// What it can be listed by, `("payer", "E2026001")`; replaces the labels it had. One name may have several values;
    /// the same label twice is the label once.
    pub labels: Vec<(&'static str, String)>,
}

/// Something that only one owner may have, for ever: within the merchant and kind, `value` is `owner`'s.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    pub merchant: String,
    /// `order_reference`, `reference`, `archive`, `operation`, `token`, `subscriber`, `import`, `fees`.
    pub kind: &'static str,
    pub value: String,
    pub owner: String,
}

/// Bytes that came in under PAYBOX's name, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    pub merchant: String,
    pub received_at: Timestamp,
    /// `accepted`, `variant`, `unusable`, `unverified`.
    pub verdict: &'static str,
    /// Why it was not accepted; never holds what came in.
    pub reason: Option<String>,
    /// The order it belongs to, when that is sure.
    pub order: Option<String>,
    pub sealed: Vec<u8>,
}

/// The answer that was given to a request with an Idempotency-Key, to be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The API key's id and the Idempotency-Key.
    pub key: String,
    /// SHA-256 of method, path and body: another request under the same key is refused.
    pub fingerprint: String,
    pub status: u16,
    /// The body, sealed: it holds a payer's address and the secret link to a page.
    pub sealed: Vec<u8>,
    /// What the ETag header was.
    pub version: Option<u64>,
    pub given_at: Timestamp,
}

/// An event of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedItem {
    /// Grows along the feed; gaps mean nothing.
    pub position: u64,
    pub key: Key,
    /// The version of the aggregate that its commit made.
    pub version: u64,
    pub event: String,
}

/// Where everything is kept.
///
/// A commit is one compare-and-set over all that it carries; that single operation is all that keeps two racers apart.
/// No method holds anything open between calls.
#[async_trait]
pub trait Store: Turns {
    /// The aggregate, if it exists.
    async fn load(&self, key: &Key) -> Result<Option<Stored>, StoreError>;

    /// Makes the change, all or nothing, durable on return.
    ///
    /// # Errors
    /// In this order, and nothing is changed then: [`CommitError::Answered`] when the answer's key exists, so that a
    /// request that comes twice is told its answer and not that its own reference is taken; [`CommitError::Conflict`]
    /// when a version is not the expected one; [`CommitError::Taken`] when a claim has another owner (one that `owner`
    /// already has is no error). [`CommitError::Unavailable`] when it is not known whether it happened: it may still
    /// appear after a restart, even if a read does not show it now.
    async fn commit(&self, commit: Commit) -> Result<(), CommitError>;

    /// Who owns `value`, if anyone.
    async fn owner(&self, merchant: &str, kind: &'static str, value: &str) -> Result<Option<String>, StoreError>;

    /// Up to `limit` aggregates whose `wake_at` is not after `now`, the longest due first.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError>;

    /// Up to `limit` aggregates of `kind` that have all `labels`, of one merchant, in the order of their ids, after
    /// `after`.
    async fn list(
        &self,
        merchant: &str,
        kind: &'static str,
        labels: &[(&'static str, String)],
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError>;

    /// Up to `limit` aggregates of the merchant and `kind` whose `ready_on` is not after `until`, in the order of their
    /// ids, after `after`.
    async fn ready(
        &self,
        merchant: &str,
        kind: &'static str,
        until: Date,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError>;

    /// For each value of `label` which begins with `prefix`, how many aggregates of the merchant and `kind` have it now.
    /// The prefix is taken as it is, and every value begins with an empty one. States are not read.
    async fn tally(
        &self,
        merchant: &str,
        kind: &'static str,
        label: &'static str,
        prefix: &str,
    ) -> Result<BTreeMap<String, u64>, StoreError>;

    /// Up to `limit` events of these merchants after `position`, in the order of their commits.
    async fn feed(&self, merchants: &[String], after: u64, limit: usize) -> Result<Vec<FeedItem>, StoreError>;

    /// The events of one aggregate, oldest first.
    async fn history(&self, key: &Key) -> Result<Vec<FeedItem>, StoreError>;

    /// How far the store has come; as of the last event that is not after `at`, if a position is named. Before the first
    /// event that is position 0, and the link to nothing.
    async fn mark(&self, at: Option<u64>) -> Result<Mark, StoreError>;

    /// From now on events have positions beyond so many more: what comes is behind all that a reader of the feed has
    /// seen, even if the store has lost some of it.
    async fn skip(&self, positions: u64) -> Result<(), StoreError>;

    /// The answer that was given under this key.
    async fn answer(&self, key: &str) -> Result<Option<Answer>, StoreError>;

    /// The first of `count` numbers that this counter has not given before. A new counter begins at `start`. A block
    /// never crosses `last`: when fewer than `count` are left below it, they are skipped and the block begins at 1.
    async fn reserve(&self, counter: &str, start: u32, last: u32, count: u32) -> Result<u32, StoreError>;

    /// Keeps a callback that belongs to no order, and of those no more than the `keep` of the merchant that came last;
    /// the order is that of their coming here, so that a clock that steps back drops nothing new.
    async fn keep_callback(&self, callback: Callback, keep: usize) -> Result<(), StoreError>;

    /// The callbacks of a merchant, latest first.
    async fn callbacks(&self, merchant: &str, limit: usize) -> Result<Vec<Callback>, StoreError>;

    /// Forgets answers given before `instant`.
    async fn forget_answers(&self, before: Timestamp) -> Result<(), StoreError>;

    /// Whether changes can be made and reads are answered, as far as the store knows without making a change; cheap
    /// enough to be asked every second.
    ///
    /// # Errors
    /// [`StoreError`] when no change can be made any more, or a read fails. A store that is merely busy is well.
    async fn health(&self) -> Result<(), StoreError>;
}

/// The store cannot be used now; `0` says why, for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store is unavailable: {0}")]
pub struct StoreError(pub String);

/// Why a commit changed nothing, or may not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    #[error("{0:?} was changed by somebody else")]
    Conflict(Key),
    #[error("{} {} is another's", claim.kind, claim.value)]
    Taken { claim: Claim, owner: String },
    #[error("the request was answered before")]
    Answered,
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

/// Tells whoever is on call.
pub trait Alarms: Send + Sync {
    fn raise(&self, alarm: Alarm);
    /// Something that operators watch the number of; nobody is told.
    fn count(&self, _merchant: &str, _what: Counted) {}
}

/// What is counted, by what it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// A debit: `paid`, `refused`, `in_doubt`, `not_executed`, `quarantined`.
    Debit(&'static str),
    /// A debit run: `started`, `stopped`, `resumed`, `ended`.
    Run(&'static str),
}

/// What somebody should look at. `subject` is an id, never a secret or a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub kind: AlarmKind,
    pub merchant: String,
    pub subject: String,
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmKind {
    /// Bytes under PAYBOX's name that do not verify.
    CallbackUnverified,
    /// A verified callback that fits no checkout, amount or mode of ours.
    CallbackUnusable,
    /// The same notification in other bytes.
    CallbackVariant,
    /// A report of success that the bank does not confirm.
    ReportDoubted,
    /// Money that the bank has authorised and not captured, though it was to be captured at once.
    NotCaptured,
    /// Money that was captured and has not reached the merchant's account for days.
    NotSettled,
    /// Money that was captured beyond what is owed.
    Surplus,
    /// A call whose outcome is not known.
    InDoubt,
    /// Something that only people may decide.
    Quarantined,
    /// The bank refuses us, not a card.
    Misconfigured,
    /// The bank does not answer.
    BankSilent,
    /// A call that is ready cannot leave yet.
    CallWaits,
    /// A portal could not be told of something, or does not want to be told any more.
    WebhookFailed,
    /// The store does not work.
    StoreFailed,
    /// The store is not what it was: it lags what has left, and debits are frozen.
    StoreRegressed,
    /// A defect of ours.
    Defect,
}

impl AlarmKind {
    /// As logs and metrics write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CallbackUnverified => "callback_unverified",
            Self::CallbackUnusable => "callback_unusable",
            Self::CallbackVariant => "callback_variant",
            Self::ReportDoubted => "report_doubted",
            Self::NotCaptured => "not_captured",
            Self::NotSettled => "not_settled",
            Self::Surplus => "surplus",
            Self::InDoubt => "in_doubt",
            Self::Quarantined => "quarantined",
            Self::Misconfigured => "misconfigured",
            Self::BankSilent => "bank_silent",
            Self::CallWaits => "call_waits",
            Self::WebhookFailed => "webhook_failed",
            Self::StoreFailed => "store_failed",
            Self::StoreRegressed => "store_regressed",
            Self::Defect => "defect",
        }
    }
}
