//! The test clock: in test mode time can be put forward, so that a demo or a test lives through three months in a second.
//! How far it is ahead is kept in the store, where every process that works on it finds it, also after a restart.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{App, Error, access::Caller};
use crate::ports::{ClockHand, Commit, CommitError, Key, NotTold, SandboxClock, Store, Write};

/// What a clock is put forward by.
#[derive(Clone)]
pub struct TestClock {
    pub hand: Arc<dyn ClockHand>,
    /// Who is put forward with it, if anyone.
    pub sandbox: Option<Arc<dyn SandboxClock>>,
}

/// What time it is under a test clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestTime {
    pub now: Timestamp,
    /// How far that is ahead of the machine's own time.
    pub ahead: Duration,
}

/// What became of the sandbox's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxTime {
    /// There is no sandbox to be told.
    None,
    Moved,
    NotMoved(NotTold),
}

/// What the store knows.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Kept {
    ahead_us: u64,
    /// The instant that was asked for last.
    asked: Option<Timestamp>,
}

/// How often a move is tried before its caller is told to come back.
const MAX_TRIES: usize = 16;

/// How far the clock of this store is ahead.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn ahead(store: &dyn Store) -> Result<Duration, Error> {
    let (_, kept) = load(store).await?;
    Ok(Duration::from_micros(kept.ahead_us))
}

/// There is one for the whole store.
fn key() -> Key {
    Key { merchant: String::new(), kind: "clock", id: "test".to_owned() }
}

/// What is kept, and its version, 0 before the first move.
async fn load(store: &dyn Store) -> Result<(u64, Kept), Error> {
    match store.load(&key()).await? {
        None => Ok((0, Kept::default())),
        Some(stored) => Ok((stored.version, serde_json::from_str(&stored.state)?)),
    }
}

impl App {
    /// Sets our clock as the store says: another process may have moved it. Does nothing in live mode.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn follow_test_clock(&self) -> Result<(), Error> {
        if let Some(clock) = &self.ports.test_clock {
            clock.hand.set_ahead(ahead(&*self.ports.store).await?);
        }
        Ok(())
    }

    /// What time it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] in live mode, [`Error::Unavailable`].
    pub async fn test_time(&self) -> Result<TestTime, Error> {
        let clock = self.test_clock()?;
        self.follow_test_clock().await?;
        Ok(TestTime { now: self.now(), ahead: clock.hand.ahead() })
    }

    /// Puts the clock forward to `to`, from where it ticks on, then the sandbox's. Whoever asks for the same instant
    /// once more has the sandbox told once more.
    ///
    /// # Errors
    /// [`Error::ClockOnlyGoesForward`], [`Error::NotFound`] in live mode, [`Error::Busy`], [`Error::Unavailable`].
    pub async fn move_test_clock(&self, caller: &Caller, to: Timestamp) -> Result<(TestTime, SandboxTime), Error> {
        let clock = self.test_clock()?;
        for _ in 0..MAX_TRIES {
            let (version, kept) = load(&*self.ports.store).await?;
            clock.hand.set_ahead(Duration::from_micros(kept.ahead_us));
            // `to` is after now exactly when it is further ahead than now is. What does not convert is in the past.
            let distance = Duration::try_from(to.duration_since(self.ports.clock.wall())).unwrap_or_default();
            let ahead_us = u64::try_from(distance.as_micros()).unwrap_or(u64::MAX);
            if ahead_us <= kept.ahead_us {
                if kept.asked == Some(to) {
                    return self.tell_sandbox(clock).await;
                }
                return Err(Error::ClockOnlyGoesForward);
            }
            let write = Write {
                key: key(),
                expected_version: version,
                events: vec![serde_json::json!({"type": "clock_moved", "to": to, "actor": caller.actor}).to_string()],
                state: serde_json::to_string(&Kept { ahead_us, asked: Some(to) })?,
                wake_at: None,
                ready_on: None,
                labels: Vec::new(),
            };
            match self.ports.store.commit(Commit { writes: vec![write], ..Commit::default() }).await {
                Ok(()) => {
                    clock.hand.set_ahead(Duration::from_micros(ahead_us));
                    return self.tell_sandbox(clock).await;
                }
                // Somebody else moved it.
                Err(CommitError::Conflict(_)) => {}
                Err(CommitError::Unavailable(why)) => return Err(Error::Unavailable(why)),
                Err(error @ (CommitError::Taken { .. } | CommitError::Answered)) => {
                    return Err(Error::Defect(error.to_string()));
                }
            }
        }
        Err(Error::Busy)
    }

    fn test_clock(&self) -> Result<&TestClock, Error> {
        self.ports.test_clock.as_ref().ok_or(Error::NotFound)
    }

    /// What it is told is what time it is here by now: two who are told apart would drift.
    async fn tell_sandbox(&self, clock: &TestClock) -> Result<(TestTime, SandboxTime), Error> {
        let told = match &clock.sandbox {
            None => SandboxTime::None,
            Some(sandbox) => match sandbox.set(self.now()).await {
                Ok(()) => SandboxTime::Moved,
                Err(why) => SandboxTime::NotMoved(why),
            },
        };
        Ok((TestTime { now: self.now(), ahead: clock.hand.ahead() }, told))
    }
}
