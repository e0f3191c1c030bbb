//! Webhooks out: telling portals what happened, as Standard Webhooks 1.0. `manage` is what portals ask for, `turn` what
//! the worker does, `log` what is kept of it.

mod log;
mod manage;
mod sign;
mod turn;

pub use manage::{Change, NewEndpoint, Replayed, Revealed};

use jiff::SignedDuration;

use super::{App, Error, access::Caller, attend::Chore};
use crate::{
    domain::{
        ids::MerchantId,
        webhook::{Endpoint, EndpointId, Retries, Tried},
    },
    ports::{Answer, Commit, CommitError, Key, Write},
};

/// Endpoints that a merchant may have.
pub const MAX_ENDPOINTS: usize = 16;
const KIND: &str = "webhook";
/// What an endpoint is listed by until it is deleted.
const LISTED: (&str, &str) = ("listed", "yes");
/// How often a change is tried before its caller is told to come back.
const MAX_TRIES: usize = 16;

/// How portals are told, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookPolicy {
    pub retries: Retries,
    /// How long a secret that was replaced still signs beside the new one.
    pub secret_grace: SignedDuration,
}

/// An endpoint as it was last committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionedEndpoint {
    pub endpoint: Endpoint,
    pub version: u64,
}

/// What goes into a commit beside the endpoint.
#[derive(Default)]
struct Beside {
    /// For the history of the endpoint: who did what.
    events: Vec<String>,
    tried: Option<Tried>,
    answer: Option<Answer>,
}

/// Why a commit did not happen.
enum Lost {
    /// Somebody else changed the endpoint or its log.
    Conflict,
    /// The request was answered before.
    Answered,
    Other(Error),
}

fn key_of(merchant: &MerchantId, id: EndpointId) -> Key {
    Key { merchant: merchant.to_string(), kind: KIND, id: id.to_string() }
}

impl App {
    /// Endpoints that have not heard of all that happened, and could. The worker asks at each look: one question for
    /// each merchant, and one for each different cursor of its endpoints, which is one when all is delivered.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn behind(&self) -> Result<Vec<Chore>, Error> {
        let mut behind = Vec::new();
        for merchant in self.merchants.keys() {
            let mut looked: Option<(u64, bool)> = None;
            let mut endpoints = self.listed(merchant).await?;
            endpoints.retain(|current| current.endpoint.is_enabled() && current.endpoint.progress.has_room());
            endpoints.sort_by_key(|current| current.endpoint.progress.cursor);
            for VersionedEndpoint { endpoint, .. } in endpoints {
                // One that was just made is due anyway.
                let Some(cursor) = endpoint.progress.cursor else { continue };
                let has_grown = match looked {
                    Some((same, has_grown)) if same == cursor => has_grown,
                    _ => !self.ports.store.feed(&[merchant.to_string()], cursor, 1).await?.is_empty(),
                };
                looked = Some((cursor, has_grown));
                if has_grown {
                    behind.push(Chore::Webhook(merchant.clone(), endpoint.id));
                }
            }
        }
        Ok(behind)
    }

    /// The endpoints of a merchant, the oldest first.
    async fn listed(&self, merchant: &MerchantId) -> Result<Vec<VersionedEndpoint>, Error> {
        let labels = [(LISTED.0, LISTED.1.to_owned())];
        let found = self.ports.store.list(merchant.as_str(), KIND, &labels, None, MAX_ENDPOINTS * 2).await?;
        let read = found.iter().map(|(_, stored)| {
            Ok(VersionedEndpoint { endpoint: serde_json::from_str(&stored.state)?, version: stored.version })
        });
        read.collect()
    }

    async fn find_endpoint(&self, merchant: &MerchantId, id: EndpointId) -> Result<VersionedEndpoint, Error> {
        let stored = self.ports.store.load(&key_of(merchant, id)).await?.ok_or(Error::NotFound)?;
        Ok(VersionedEndpoint { endpoint: serde_json::from_str(&stored.state)?, version: stored.version })
    }

    /// An endpoint of one of the caller's merchants.
    async fn endpoint_of(&self, caller: &Caller, id: EndpointId) -> Result<VersionedEndpoint, Error> {
        for merchant in &caller.merchants {
            match self.find_endpoint(merchant, id).await {
                Err(Error::NotFound) => {}
                Ok(found) if matches!(found.endpoint.state, crate::domain::webhook::State::Deleted { .. }) => {}
                other => return other,
            }
        }
        Err(Error::NotFound)
    }

    /// Writes an endpoint over what it was at `expected`, 0 for nothing.
    async fn save_endpoint(
        &self,
        endpoint: &Endpoint,
        expected: u64,
        beside: &Beside,
    ) -> Result<VersionedEndpoint, Lost> {
        let is_listed = !matches!(endpoint.state, crate::domain::webhook::State::Deleted { .. });
        let write = Write {
            key: key_of(&endpoint.merchant, endpoint.id),
            expected_version: expected,
            events: beside.events.clone(),
            state: serde_json::to_string(endpoint).map_err(|error| Lost::Other(error.into()))?,
            wake_at: endpoint.wake_at(),
            ready_on: None,
            labels: is_listed.then(|| (LISTED.0, LISTED.1.to_owned())).into_iter().collect(),
        };
        let mut writes = vec![write];
        if let Some(tried) = &beside.tried {
            writes.push(self.logged(&endpoint.merchant, endpoint.id, tried).await.map_err(Lost::Other)?);
        }
        let commit = Commit { writes, answer: beside.answer.clone(), ..Commit::default() };
        match self.ports.store.commit(commit).await {
            Ok(()) => Ok(VersionedEndpoint { endpoint: endpoint.clone(), version: expected + 1 }),
            Err(CommitError::Conflict(_)) => Err(Lost::Conflict),
            Err(CommitError::Answered) => Err(Lost::Answered),
            Err(CommitError::Taken { .. }) => Err(Lost::Other(Error::Defect("a webhook claims nothing".to_owned()))),
            Err(CommitError::Unavailable(why)) => Err(Lost::Other(Error::Unavailable(why))),
        }
    }
}
