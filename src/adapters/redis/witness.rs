//! Who answered, and how far it had come: what tells a server that forgot from one that did not.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::{promises::replicas_needed, scripts::Reply};

/// A process of redis-server, and the history that it goes on with: another after each failover, and each restart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Those that answered before it.
    earlier: BTreeSet<Answering>,
    position: u64,
    /// How often it answered with less than it had shown before, or after another had.
    steps_back: u32,
    /// The most replicas that were seen to follow it.
    replicas: u32,
}

/// How far a server was when a question was asked.
pub(super) struct Least {
    of: Option<Answering>,
    position: u64,
}

impl Least {
    /// When so many events have been made since.
    pub(super) fn and(self, events: usize) -> Self {
        Self { position: self.position.saturating_add(events as u64), ..self }
    }
}

/// Who answers now.
#[derive(Debug)]
pub(super) struct Heard {
    /// The store's name as it is now: another after all that may have lost something.
    pub(super) store: String,
    /// How many replicas it has, by what was seen or is said.
    pub(super) replicas: u32,
    role: String,
    good: u32,
}

impl Heard {
    /// Whether it may be cut off from those that others take for the store.
    ///
    /// # Errors
    /// A sentence, when it may.
    pub(super) fn is_not_alone(&self) -> Result<(), String> {
        let needed = replicas_needed(self.replicas);
        if self.role != "master" {
            Err(format!("it is no primary but a {}", self.role))
        } else if self.good < needed {
            Err(format!(
                "{} of its {} replicas follow it, and {needed} must: it may be cut off",
                self.good, self.replicas
            ))
        } else {
            Ok(())
        }
    }
}

impl Witness {
    /// To be held against what is answered to a question asked after this.
    pub(super) fn now(&self) -> Least {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Least { of: seen.answering.clone(), position: seen.position }
    }

    /// How many replicas it has, by what was seen, or `said`.
    pub(super) fn replicas(&self, said: u32) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).replicas.max(said)
    }

    /// Takes note of who answered, which is to be as far as `least` if nothing was lost, and to have `replicas` at least.
    pub(super) fn hear(&self, store: &str, replicas: u32, least: &Least, reply: &mut Reply) -> Result<Heard, String> {
        let answering = Answering { run: reply.text()?, history: reply.text()? };
        let position = reply.number()?;
        let (role, online, good) = (reply.text()?, reply.number()?, reply.number()?);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = seen.answering.as_ref() != Some(&answering);
        let is_back = is_other && seen.earlier.contains(&answering);
        // The name of one that is new says enough, and is the same to all.
        if is_other && !is_back {
            seen.steps_back = 0;
        } else if is_back || least.of.as_ref() == Some(&answering) && position < least.position {
            seen.steps_back += 1;
            tracing::error!(position, least = least.position, "the store went back");
        }
        if is_other || position < least.position {
            seen.position = position;
        }
        seen.position = seen.position.max(position);
        let Answering { run, history } = &answering;
        let mut name = format!("{store}/{run}/{history}");
        if seen.steps_back > 0 {
            name += &format!("/{}", seen.steps_back);
        }
        if is_other {
            if let Some(before) = seen.answering.replace(answering.clone()) {
                tracing::warn!(run, history, "another server answers for the store, or the same after a restart");
                seen.earlier.insert(before);
            }
            seen.replicas = 0;
        }
        seen.replicas = seen.replicas.max(online);
        Ok(Heard { store: name, replicas: seen.replicas.max(replicas), role, good })
    }
}
