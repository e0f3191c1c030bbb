//! Whether this gateway may go on sending. It says every few seconds that it serves the store; one that could not say so
//! for a while, being suspended or cut off, asks before it sends anything: the store may have been copied meanwhile.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{App, Error, copy::SERVED};

/// A store counts as served for so long after a gateway last said that it serves it.
const SERVED_FOR: Duration = Duration::from_secs(20);
/// For so long after it was last said it is taken for granted, since boot.
const GRANTED_FOR: Duration = Duration::from_secs(15);
/// All gateways that serve a store, as one holder.
const GATEWAYS: &str = "gateways";

/// What a gateway holds as long as it is called so: by its journal, so that who begins anew with it need not wait.
fn instance_lease(name: &str) -> String {
    format!("instance:{name}")
}

/// Until when it is granted that this gateway serves its store; `None` for a command, which serves nothing.
#[derive(Default)]
pub(super) struct Serving(Mutex<Option<Duration>>);

impl Serving {
    fn set(&self, until: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    fn until(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said to who wants to serve a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    Granted,
    /// `guichet store copy` is busy with it.
    BeingCopied,
    /// A gateway of this name, with another journal, serves it, or did so a moment ago.
    NameTaken(String),
}

impl Served {
    /// # Errors
    /// [`Error::Unavailable`] when it is not granted.
    pub fn granted(self) -> Result<(), Error> {
        match self {
            Self::Granted => Ok(()),
            Self::BeingCopied => Err(Error::Unavailable("it is being copied: serve it when that is over".to_owned())),
            Self::NameTaken(name) => Err(Error::Unavailable(format!(
                "another gateway on it is called {name}: give each an `instance` name of its own"
            ))),
        }
    }
}

impl App {
    /// Tells the store that it is served; to be said again every few seconds.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn serve_store(&self) -> Result<Served, Error> {
        let asked = self.ports.clock.since_boot();
        let is_ours = self.ports.store.lease(SERVED, GATEWAYS, SERVED_FOR).await?;
        let served = if !is_ours {
            Served::BeingCopied
        } else if let Some(name) = &self.instance
            && !self.ports.store.lease(&instance_lease(name), &self.ports.journal.name().await?, SERVED_FOR).await?
        {
            Served::NameTaken(name.clone())
        } else {
            Served::Granted
        };
        let is_granted = served == Served::Granted;
        self.serving.set(if is_granted { asked.saturating_add(GRANTED_FOR) } else { Duration::ZERO });
        Ok(served)
    }

    /// Gives up its name, so that a gateway on another machine may have it at once.
    pub async fn leave_store(&self) {
        if let Some(name) = &self.instance
            && let Ok(journal) = self.ports.journal.name().await
        {
            // It lapses anyway.
            let _ = self.ports.store.release(&instance_lease(name), &journal).await;
        }
    }

    /// That this gateway still serves its store, as was granted lately, or is now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not: nothing that moves money leaves.
    pub(super) async fn still_serves(&self) -> Result<(), Error> {
        match self.serving.until() {
            Some(until) if until <= self.ports.clock.since_boot() => self.serve_store().await?.granted(),
            None | Some(_) => Ok(()),
        }
    }
}
