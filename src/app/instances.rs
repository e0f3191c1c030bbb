//! The gateways that share a store. Each is known to it by a name of its own, so that one that is new is told from one
//! that has lost its journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{App, Error};
use crate::{
    domain::{
        fault::{Fault, FaultKind},
        reconcile::{Mark, Reconcile},
    },
    ports::{Commit, CommitError, Key, Write},
};

const KIND: &str = "instance";
/// More than share any store.
const MOST: usize = 1_000;

/// A gateway, as the store knows it.
#[derive(Serialize, Deserialize)]
struct Instance {
    name: String,
    /// The store that it last met, as a mark names it.
    store: String,
    met_at: Timestamp,
}

fn key(name: &str) -> Key {
    Key { merchant: String::new(), kind: KIND, id: name.to_owned() }
}

impl App {
    /// Says what this gateway is called among those that share its store.
    #[must_use]
    pub fn named(mut self, instance: Option<String>) -> Self {
        self.instance = instance;
        self
    }

    /// Why a store lags of which there is no journal. Where nothing was ever ordered, nothing can have left; and a gateway
    /// that joins others has sent nothing yet. But others must have met this very store, as its marks name it: one that went
    /// back, and that nobody else has looked at since, is not known to be whole by who has never seen it.
    pub(super) async fn lag_without_journal(&self, store: &str) -> Result<Option<&'static str>, Error> {
        const GONE: Option<&str> = Some("its journal is not there");
        if !self.has_orders().await? {
            return Ok(None);
        }
        let Some(name) = &self.instance else { return Ok(GONE) };
        if self.ports.store.load(&key(name)).await?.is_some() {
            return Ok(GONE);
        }
        let is_met = self.instances().await?.iter().any(|instance| instance.store == store);
        Ok(if is_met { None } else { GONE })
    }

    /// Has the store know that this gateway has met it.
    pub(super) async fn register(&self, mark: &Mark) -> Result<(), Error> {
        let Some(name) = &self.instance else { return Ok(()) };
        let version = self.ports.store.load(&key(name)).await?.map_or(0, |stored| stored.version);
        let instance = Instance { name: name.clone(), store: mark.store.clone(), met_at: self.now() };
        let event = serde_json::json!({"type": "instance_met", "at": instance.met_at, "instance": name});
        let write = Write {
            key: key(name),
            expected_version: version,
            events: vec![event.to_string()],
            state: serde_json::to_string(&instance)?,
            wake_at: None,
            ready_on: None,
            labels: Vec::new(),
        };
        match self.ports.store.commit(Commit { writes: vec![write], ..Commit::default() }).await {
            Ok(()) => Ok(()),
            Err(CommitError::Unavailable(why)) => Err(Error::Unavailable(why)),
            Err(error @ (CommitError::Conflict(_) | CommitError::Taken { .. } | CommitError::Answered)) => Err(
                Error::Unavailable(format!("its record was changed by somebody else, a gateway of this name? {error}")),
            ),
        }
    }

    /// The gateways that have not met the store since it was last found to lag: what they have sent is not asked for yet.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn missing_instances(&self, reconcile: &Reconcile) -> Result<Vec<String>, Error> {
        if !reconcile.is_open() {
            return Ok(Vec::new());
        }
        Ok(missing(self.instances().await?, reconcile))
    }

    /// Those that are missing, each of which the caller has named: he has read its journal, or answers for it.
    ///
    /// # Errors
    /// [`Error::InstancesMissing`] for those that he has not, [`Error::Faults`] for a name that no gateway has,
    /// [`Error::Unavailable`].
    pub(super) async fn done_without(&self, reconcile: &Reconcile, without: &[String]) -> Result<Vec<String>, Error> {
        let instances = self.instances().await?;
        let is_unknown = |name: &String| instances.iter().all(|instance| instance.name != *name);
        let unknown = without.iter().enumerate().filter(|(_, name)| is_unknown(name));
        let faults: Vec<Fault> =
            unknown.map(|(place, _)| Fault::new(format!("/without/{place}"), FaultKind::Unknown)).collect();
        if !faults.is_empty() {
            return Err(Error::Faults(faults));
        }
        let (named, unnamed): (Vec<String>, Vec<String>) =
            missing(instances, reconcile).into_iter().partition(|name| without.contains(name));
        if unnamed.is_empty() { Ok(named) } else { Err(Error::InstancesMissing(unnamed)) }
    }

    async fn instances(&self) -> Result<Vec<Instance>, Error> {
        let stored = self.ports.store.list("", KIND, &[], None, MOST).await?;
        stored.into_iter().map(|(_, stored)| Ok(serde_json::from_str(&stored.state)?)).collect()
    }
}

fn missing(instances: Vec<Instance>, reconcile: &Reconcile) -> Vec<String> {
    let missing = instances.into_iter().filter(|instance| instance.store != reconcile.store);
    missing.map(|instance| instance.name).collect()
}
