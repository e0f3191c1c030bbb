//! Who answered, and how far it had come: what tells a server that forgot from one that did not.

use std::sync::{Mutex, PoisonError};

use super::scripts::Reply;

/// A process of redis-server, and the history that it goes on with: another after each failover, and each restart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answering {
    run: String,
    history: String,
}

/// What has been seen of the server so far.
#[derive(Debug, Default)]
pub(super) struct Witness(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    answering: Option<Answering>,
    position: u64,
    /// How often it answered with less than it had shown before.
    steps_back: u32,
}

impl Witness {
    /// To be held against what is answered to a question asked after this.
    pub(super) fn position(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).position
    }

    /// Takes note of who answered, which is to be as far as `least` if nothing was lost, and gives the name of the store
    /// `store` as it is now: another after all that may have lost something.
    pub(super) fn hear(&self, store: &str, least: u64, reply: &mut Reply) -> Result<String, String> {
        let answering = Answering { run: reply.text()?, history: reply.text()? };
        let position = reply.number()?;
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if position < least {
            seen.steps_back += 1;
            seen.position = position;
            tracing::error!(position, least, "the store went back");
        }
        seen.position = seen.position.max(position);
        let Answering { run, history } = &answering;
        let mut name = format!("{store}/{run}/{history}");
        if seen.steps_back > 0 {
            name += &format!("/{}", seen.steps_back);
        }
        if seen.answering.as_ref().is_some_and(|before| *before != answering) {
            tracing::warn!(run, history, "another server answers for the store, or the same after a restart");
        }
        seen.answering = Some(answering);
        Ok(name)
    }
}
