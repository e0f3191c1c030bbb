//! What puts a test's clock forward. In live mode there is none of it.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// The hand of a clock that can be put forward.
pub trait ClockHand: Send + Sync {
    /// How far [`Clock::now`](super::Clock::now) is ahead of [`Clock::wall`](super::Clock::wall).
    fn ahead(&self) -> Duration;
    /// From now on it is ahead by so much, in whole microseconds, but never by less than before: who read the store
    /// first may come here last.
    fn set_ahead(&self, ahead: Duration);
}

/// The clock of a sandbox that plays the bank.
#[async_trait]
pub trait SandboxClock: Send + Sync {
    /// Puts it to `now`, from where it ticks on. Saying it twice does no harm.
    ///
    /// # Errors
    /// [`NotTold`] when that did not happen, or is not known to have.
    async fn set(&self, now: Timestamp) -> Result<(), NotTold>;
}

/// The sandbox still has another time, most likely; `0` says why, for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox was not told the time: {0}")]
pub struct NotTold(pub String);
