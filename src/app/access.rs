//! API keys: who may call, for which merchants, in whose name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{App, Error};
use crate::{
    domain::{actor::Actor, ids::MerchantId},
    ports::{Commit, CommitError, Entropy, Key, Store, Write},
};

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Portal,
    Scheduler,
    Accounting,
    Ops,
}

/// Every scope, as a command line and a document write them.
pub const SCOPES: [(&str, Scope); 4] = [
    ("portal", Scope::Portal),
    ("scheduler", Scope::Scheduler),
    ("accounting", Scope::Accounting),
    ("ops", Scope::Ops),
];

/// What the store knows of a key: never the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    /// SHA-256 of the secret part, in hexadecimal. The secret has 256 random bits, so a slow hash would add nothing.
    digest: String,
    pub scopes: Vec<Scope>,
    pub merchants: Vec<MerchantId>,
    /// Whether people act through it, each named by the `Guichet-Actor` header.
    pub acts_for_people: bool,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// A key to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub merchants: Vec<MerchantId>,
    pub acts_for_people: bool,
    pub expires_at: Option<Timestamp>,
}

/// Who is calling, proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub key: String,
    pub scopes: Vec<Scope>,
    pub merchants: Vec<MerchantId>,
    pub actor: Actor,
}

/// Why a caller is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    #[error("no such key, or it was revoked or has expired")]
    Unknown,
    #[error("people act through this key: the header Guichet-Actor must name one")]
    ActorMissing,
    #[error("the store is unavailable")]
    Unavailable,
}

impl Caller {
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// Makes a key in the store; the text returned is shown once and kept nowhere.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn make_key(
    store: &dyn Store,
    entropy: &dyn Entropy,
    new: NewKey,
    mode: super::Mode,
    now: Timestamp,
) -> Result<(ApiKey, String), Error> {
    let id: String = hex(&entropy.secret()).chars().take(12).collect();
    let secret = hex(&entropy.secret());
    let key = ApiKey {
        id: id.clone(),
        name: new.name,
        digest: sha256_hex(secret.as_bytes()),
        scopes: new.scopes,
        merchants: new.merchants,
        acts_for_people: new.acts_for_people,
        created_at: now,
        expires_at: new.expires_at,
        revoked_at: None,
    };
    save(store, &key, 0, "key_made").await?;
    Ok((key, format!("gch_{}_{id}_{secret}", mode.name())))
}

/// Every key, the oldest first by id.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn keys(store: &dyn Store) -> Result<Vec<ApiKey>, Error> {
    let stored = store.list("", KIND, &[], None, MAX_KEYS).await?;
    stored.iter().map(|(_, stored)| Ok(serde_json::from_str(&stored.state)?)).collect()
}

/// From now on nobody gets in with it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Unavailable`].
pub async fn revoke_key(store: &dyn Store, id: &str, now: Timestamp) -> Result<ApiKey, Error> {
    let stored = store.load(&key_of(id)).await?.ok_or(Error::NotFound)?;
    let mut key: ApiKey = serde_json::from_str(&stored.state)?;
    key.revoked_at.get_or_insert(now);
    save(store, &key, stored.version, "key_revoked").await?;
    Ok(key)
}

/// The most keys that are listed.
const MAX_KEYS: usize = 1_000;
const KIND: &str = "key";

fn key_of(id: &str) -> Key {
    Key { merchant: String::new(), kind: KIND, id: id.to_owned() }
}

async fn save(store: &dyn Store, key: &ApiKey, expected_version: u64, event: &str) -> Result<(), Error> {
    let write = Write {
        key: key_of(&key.id),
        expected_version,
        events: vec![serde_json::json!({"type": event, "key": key.id}).to_string()],
        state: serde_json::to_string(key)?,
        wake_at: None,
        ready_on: None,
        labels: Vec::new(),
    };
    store.commit(Commit { writes: vec![write], ..Commit::default() }).await.map_err(|error| match error {
        CommitError::Unavailable(why) => Error::Unavailable(why),
        CommitError::Conflict(_) | CommitError::Taken { .. } | CommitError::Answered => Error::Busy,
    })
}

impl App {
    /// Lets in the holder of `bearer`; `person` and `on_behalf_of` are what the caller's headers say.
    ///
    /// # Errors
    /// [`AccessError`].
    pub async fn authenticate(
        &self,
        bearer: &str,
        person: Option<String>,
        on_behalf_of: Option<String>,
    ) -> Result<Caller, AccessError> {
        let (id, secret) = bearer
            .strip_prefix("gch_")
            .and_then(|rest| rest.strip_prefix(self.mode().name()))
            .and_then(|rest| rest.strip_prefix('_'))
            .and_then(|rest| rest.split_once('_'))
            .ok_or(AccessError::Unknown)?;
        let stored = self.ports.store.load(&key_of(id)).await.map_err(|_| AccessError::Unavailable)?;
        let key: ApiKey =
            stored.and_then(|stored| serde_json::from_str(&stored.state).ok()).ok_or(AccessError::Unknown)?;
        let matches: bool = sha256_hex(secret.as_bytes()).as_bytes().ct_eq(key.digest.as_bytes()).into();
        let expired = key.expires_at.is_some_and(|end| end <= self.now());
        if !matches || expired || key.revoked_at.is_some() {
            return Err(AccessError::Unknown);
        }
        if key.acts_for_people && person.is_none() {
            return Err(AccessError::ActorMissing);
        }
        let actor = Actor::Key { key: key.id.clone(), person, on_behalf_of };
        Ok(Caller { key: key.id, scopes: key.scopes, merchants: key.merchants, actor })
    }
}

/// SHA-256, in hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
