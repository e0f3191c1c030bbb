//! What those who work on one store arrange between them: who does what, and how fast all of them together may go.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::bucket::{Rate, Spent};

/// Arrangements that save work and keep to a pace. They guard nothing: what must not happen twice is kept from it by the
/// compare-and-set of [`Store::commit`](super::Store::commit) alone, since a lease may lapse while its holder is slow.
#[async_trait]
pub trait Turns: Send + Sync {
    /// Whether `what` is `holder`'s from now on for `length`, by the store's own clock: it was nobody's, or the holder's
    /// already. Whoever dies with a lease has it until then.
    async fn lease(&self, what: &str, holder: &str, length: Duration) -> Result<bool, StoreError>;

    /// Gives up a lease, if it is `holder`'s.
    async fn release(&self, what: &str, holder: &str) -> Result<(), StoreError>;

    /// Spends the price of what `name` has earned at this rate, if as much is there; whoever asks.
    async fn spend(&self, name: &str, rate: Rate) -> Result<Spent, StoreError>;

    /// Takes the next turn of those that `name` has, one every `every`, whoever takes them; how long it is until then.
    async fn turn(&self, name: &str, every: Duration) -> Result<Duration, StoreError>;
}
