//! What a machine remembers of its store, apart from it.

use async_trait::async_trait;

use crate::domain::reconcile::{Leaving, Mark};

/// The high-water mark of a store, and the calls that have left since, kept where losing the store does not lose them.
///
/// A store that lags it was restored from a backup, or lost: what left meanwhile is not on its record.
#[async_trait]
pub trait Journal: Send + Sync {
    /// What tells it from every other: the same after a restart, another where it is a copy on another machine. It is
    /// kept from when the journal is begun the next time.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    async fn name(&self) -> Result<String, JournalError>;
    /// What was noted before: the latest mark, and the calls. `None` when there is no journal. From now on nothing can be
    /// noted until it is begun.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    async fn read(&self) -> Result<Option<(Mark, Vec<Leaving>)>, JournalError>;
    /// Keeps this mark, and only these calls, durable on return.
    ///
    /// # Errors
    /// [`JournalError`]; what was kept before is kept then.
    async fn begin(&self, mark: &Mark, calls: &[Leaving]) -> Result<(), JournalError>;
    /// Notes how far the store has come, and the call that leaves now, durable on return.
    ///
    /// # Errors
    /// [`JournalError`] when `mark` is of another store than the journal was begun with, or it was read since. When it
    /// cannot be written, nothing can be noted any more until the process begins anew, as after any failed flush.
    async fn note(&self, mark: &Mark, call: Option<&Leaving>) -> Result<(), JournalError>;
    /// Whether something can be noted, as far as is known.
    ///
    /// # Errors
    /// [`JournalError`] once noting has failed.
    fn health(&self) -> Result<(), JournalError>;
}

/// Why the journal cannot be used, for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal cannot be used: {0}")]
pub struct JournalError(pub String);
