//! Meeting the store: whether it is still as far as this machine has seen it, asked at the start, at each look of the
//! worker, and before a call that moves money leaves.
//!
//! A store may go back under a running gateway: a primary that fails takes its last changes with it, and what was put on
//! record may be on record no more. Then debits are frozen, and the journal begins anew with its calls kept. Whoever was
//! about to send finds that it is not the store any more which holds its record, and sends nothing.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use jiff::{SignedDuration, Timestamp};

use super::{App, Error, commit::Versioned};
use crate::{
    domain::{
        attempt::Sending,
        purpose::AttemptId,
        reconcile::{Leaving, Mark},
    },
    planted::{self, Bug},
};

/// How long the journal remembers a call: no older backup is worth restoring.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(40 * 24);

/// What this process knows of its store.
#[derive(Default)]
pub(super) struct Meeting {
    seen: Mutex<Seen>,
    /// One at a time: what the journal holds is read, and then begun anew.
    is_under_way: AtomicBool,
    /// The store that lags, for which this process has had debits frozen, and which it has not met since.
    begun: Mutex<Option<String>>,
}

#[derive(Default)]
enum Seen {
    /// This process sends nothing.
    #[default]
    Never,
    Met(Mark),
    /// It is another, and what that means has not been settled yet.
    Lost,
}

struct Turn<'a>(&'a AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Meeting {
    fn with<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self) -> Option<Turn<'_>> {
        let is_taken = self.is_under_way.swap(true, Ordering::SeqCst);
        // One that is not free is not dropped, which would free it.
        if is_taken { None } else { Some(Turn(&self.is_under_way)) }
    }

    /// Whether this process has had debits frozen for this store, and has not met it since.
    pub(super) fn has_begun(&self, store: &str) -> bool {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(store)
    }

    pub(super) fn begun(&self, store: &str) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(store.to_owned());
    }

    fn meets(&self, mark: Mark) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.with(|seen| *seen = Seen::Met(mark));
    }

    /// Whether the store that `mark` is of is the one that was met.
    fn is_of(&self, mark: &Mark) -> bool {
        self.with(|seen| match seen {
            Seen::Met(met) => met.store == mark.store && met.position <= mark.position,
            Seen::Never | Seen::Lost => false,
        })
    }

    fn met(&self) -> Option<Mark> {
        self.with(|seen| match seen {
            Seen::Met(met) => Some(met.clone()),
            Seen::Never | Seen::Lost => None,
        })
    }

    /// Whether the store went back, and debits are not frozen yet where everybody sees it.
    pub(super) fn is_lost(&self) -> bool {
        self.with(|seen| matches!(seen, Seen::Lost))
    }

    fn is_met_at_all(&self) -> bool {
        self.with(|seen| !matches!(seen, Seen::Never))
    }
}

impl App {
    /// Whether the store is as far as it was when this machine last saw it; if not, debits are frozen. To be asked before
    /// anything else is done with it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store or the journal cannot be used; then nothing that moves money leaves.
    pub async fn meet_store(&self) -> Result<(), Error> {
        let _turn = self.meeting.begin().ok_or_else(busy)?;
        self.meet().await
    }

    /// In its turn.
    async fn meet(&self) -> Result<(), Error> {
        self.meeting.with(|seen| {
            if let Seen::Met(_) = seen {
                *seen = Seen::Lost;
            }
        });
        // From here on nothing can be noted until the journal is begun: what is read is all that has left.
        let read = self.ports.journal.read().await?;
        let at = read.as_ref().map(|(mark, _)| mark.position);
        let found = self.ports.store.mark(at).await?;
        let (lag, calls) = match read {
            None => (self.lag_without_journal(&found.store).await?, Vec::new()),
            Some((mark, calls)) => {
                let lag = if found.store != mark.store {
                    Some("it is another store")
                } else if found != mark {
                    Some("it lags what this machine has seen of it")
                } else {
                    None
                };
                (lag, calls)
            }
        };
        if let Some(why) = lag {
            self.begin_reconcile(why, &found.store, at.unwrap_or_default(), &calls).await?;
        }
        let oldest = self.now().checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        let recent: Vec<Leaving> = calls.into_iter().filter(|call| call.sending.at >= oldest).collect();
        let mark = self.ports.store.mark(None).await?;
        if mark.store != found.store {
            return Err(changed());
        }
        self.ports.journal.begin(&mark, &recent).await?;
        self.register(&mark).await?;
        self.meeting.meets(mark);
        Ok(())
    }

    /// Whether the store is still the one that was met. If not, it is met anew.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn watch_store(&self) -> Result<(), Error> {
        self.look_at_store().await.map(drop)
    }

    /// How far the store is, which is the one that was met.
    pub(super) async fn look_at_store(&self) -> Result<Mark, Error> {
        self.still_serves().await?;
        let mark = self.ports.store.mark(None).await?;
        if self.meeting.is_of(&mark) {
            return Ok(mark);
        }
        let _turn = self.meeting.begin().ok_or_else(busy)?;
        let mark = self.ports.store.mark(None).await?;
        // Somebody else may have met it while this one waited for its answer.
        if self.meeting.is_of(&mark) {
            return Ok(mark);
        }
        self.meet().await?;
        let mark = self.ports.store.mark(None).await?;
        if self.meeting.is_of(&mark) { Ok(mark) } else { Err(changed()) }
    }

    /// Notes in the journal how far the store has come. Not after either has failed: nothing that is said then is sure.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn note_mark(&self) -> Result<(), Error> {
        self.health().await?;
        if let Some(met) = self.meeting.met()
            && self.ports.store.mark(Some(met.position)).await? != met
        {
            return self.meet_store().await;
        }
        let mark = self.look_at_store().await?;
        self.ports.journal.note(&mark, None).await?;
        self.meeting.with(|seen| match seen {
            Seen::Met(met) if met.store == mark.store => *met = mark,
            Seen::Met(_) | Seen::Never | Seen::Lost => {}
        });
        Ok(())
    }

    /// Notes in the journal that a call leaves now, which went on record after the store was seen at `before`.
    pub(super) async fn note_leaving(
        &self,
        before: &Mark,
        current: &Versioned,
        of: AttemptId,
        sending: &Sending,
    ) -> Result<(), Error> {
        self.still_serves().await?;
        let mark = self.ports.store.mark(None).await?;
        // Its record may be in the one that was lost.
        if mark.store != before.store || !self.meeting.is_of(&mark) {
            return Err(changed());
        }
        let order = &current.order;
        let call = order.attempt(of)?.call.clone();
        let leaving = Leaving { merchant: order.merchant.clone(), order: order.id, of, call, sending: *sending };
        let noted = Some(&leaving).filter(|_| !planted::is(Bug::CallsNotNoted));
        Ok(self.ports.journal.note(&mark, noted).await?)
    }

    /// Reserves a block of a counter, in the store that was met: one that went back gives again what it gave before.
    pub(super) async fn reserve(&self, counter: &str, start: u32, last: u32, count: u32) -> Result<u32, Error> {
        // Commands that only ask have no journal.
        if !self.meeting.is_met_at_all() {
            return Ok(self.ports.store.reserve(counter, start, last, count).await?);
        }
        let before = self.look_at_store().await?;
        let first = self.ports.store.reserve(counter, start, last, count).await?;
        let after = self.ports.store.mark(None).await?;
        if after.store == before.store { Ok(first) } else { Err(changed()) }
    }
}

fn busy() -> Error {
    Error::Unavailable("it is being held against the journal".to_owned())
}

fn changed() -> Error {
    Error::Unavailable("it is not the store any more that it was a moment ago".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_meets_the_store() {
        let meeting = Meeting::default();
        let turn = meeting.begin();
        assert!(turn.is_some() && meeting.begin().is_none() && meeting.begin().is_none());
        drop(turn);
        assert!(meeting.begin().is_some());
    }
}
