//! `keys`: making, listing and revoking API keys in the store.

use std::{
    io::{self, Write},
    sync::Arc,
};

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};

use super::{ConfigFile, Environment, Failure, wiring};
use crate::{
    adapters::entropy::SystemEntropy,
    app::{
        Error,
        access::{self, ApiKey, NewKey, SCOPES, Scope},
    },
    config::{Config, duration},
    domain::{ids::MerchantId, text::Text},
    ports::Store,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes a key and prints it, once, alone on its line.
    New(New),
    /// Prints every key as one line of JSON, without its secret.
    List(ConfigFile),
    /// From now on nobody gets in with the key.
    Revoke {
        #[command(flatten)]
        config: ConfigFile,
        /// The key's id: what stands between the second and the third `_` of the key.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct New {
    #[command(flatten)]
    config: ConfigFile,
    /// What the key may do: portal, scheduler, accounting or ops. May be given several times.
    #[arg(long = "scope", required = true, value_parser = scope)]
    scopes: Vec<Scope>,
    /// For which merchant, by its id. May be given several times.
    #[arg(long = "merchant", required = true)]
    merchants: Vec<MerchantId>,
    /// What the key is called in lists.
    #[arg(long)]
    name: String,
    /// People act through it: each request must name one in the header Guichet-Actor.
    #[arg(long)]
    for_people: bool,
    /// When it ends by itself, such as 365d; never, without it.
    #[arg(long, value_parser = lifetime)]
    expires_in: Option<SignedDuration>,
}

const SHORTEST_LIFE: SignedDuration = SignedDuration::from_secs(1);
/// The longest name of a key, in characters.
const MAX_NAME: usize = 100;

pub(super) fn run(command: Command, env: Environment) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match command {
        Command::New(new) => {
            let (config, store) = runtime.block_on(open(&new.config, env))?;
            runtime.block_on(make(&*store, &config, new))
        }
        Command::List(file) => {
            let config = file.load(env)?.config;
            let store = runtime.block_on(wiring::open_to_read(&config.store, config.mode))?;
            runtime.block_on(list(&*store, &config))
        }
        Command::Revoke { config, id } => {
            let (config, store) = runtime.block_on(open(&config, env))?;
            runtime.block_on(revoke(&*store, &config, &id))
        }
    }
}

async fn open(file: &ConfigFile, env: Environment) -> Result<(Config, Arc<dyn Store>), Failure> {
    let config = file.load(env)?.config;
    let store = wiring::open_store(&config.store, config.mode).await?;
    Ok((config, store))
}

async fn make(store: &dyn Store, config: &Config, new: New) -> Result<(), Failure> {
    let known = |id: &MerchantId| config.merchants.iter().any(|served| served.merchant.id == *id);
    if let Some(unknown) = new.merchants.iter().find(|id| !known(id)) {
        return Err(Failure::Refused(format!("there is no merchant {unknown} in the configuration")));
    }
    let name = Text::parse(&new.name, MAX_NAME)
        .map_err(|error| Failure::Refused(format!("the key cannot be named so: {error}")))?;
    let now = wiring::now(store, config.mode).await.map_err(refused)?;
    let expires_at = new.expires_in.map(|time| now.checked_add(time)).transpose();
    let expires_at = expires_at.map_err(|_| Failure::Refused("the key would outlive the calendar".to_owned()))?;
    let new = NewKey {
        name: name.as_str().to_owned(),
        scopes: without_doubles(new.scopes),
        merchants: without_doubles(new.merchants),
        acts_for_people: new.for_people,
        expires_at,
    };
    let (key, secret) =
        access::make_key(store, &SystemEntropy::default(), new, config.mode, now).await.map_err(refused)?;
    writeln!(io::stdout(), "{secret}")?;
    let id = key.id;
    // The key is made and shown: that a comment on it cannot be written changes nothing.
    let _ = writeln!(
        io::stderr(),
        "This key is shown once and kept nowhere. Its holder sends it as `Authorization: Bearer …`; \
         `guichet keys revoke {id}` ends it."
    );
    Ok(())
}

async fn list(store: &dyn Store, config: &Config) -> Result<(), Failure> {
    let now = wiring::now(store, config.mode).await.map_err(refused)?;
    let mut stdout = io::stdout().lock();
    for key in access::keys(store).await.map_err(refused)? {
        writeln!(stdout, "{}", describe(&key, now))?;
    }
    Ok(())
}

async fn revoke(store: &dyn Store, config: &Config, id: &str) -> Result<(), Failure> {
    let now = wiring::now(store, config.mode).await.map_err(refused)?;
    let key = access::revoke_key(store, id, now).await.map_err(|error| {
        if error == Error::NotFound { Failure::Refused(format!("there is no key {id}")) } else { refused(error) }
    })?;
    let _ = writeln!(io::stderr(), "The key {}, {}, is revoked.", key.id, key.name);
    Ok(())
}

fn describe(key: &ApiKey, now: Timestamp) -> serde_json::Value {
    let state = if key.revoked_at.is_some() {
        "revoked"
    } else if key.expires_at.is_some_and(|end| end <= now) {
        "expired"
    } else {
        "valid"
    };
    serde_json::json!({
        "id": key.id,
        "name": key.name,
        "state": state,
        "scopes": key.scopes,
        "merchants": key.merchants,
        "acts_for_people": key.acts_for_people,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    })
}

fn scope(text: &str) -> Result<Scope, String> {
    let names: Vec<&str> = SCOPES.iter().map(|(name, _)| *name).collect();
    let found = SCOPES.iter().find(|(name, _)| *name == text).map(|(_, scope)| *scope);
    found.ok_or_else(|| format!("a scope is one of {}", names.join(", ")))
}

fn lifetime(text: &str) -> Result<SignedDuration, String> {
    let lifetime = duration::parse(text)?;
    if lifetime < SHORTEST_LIFE { Err("is over before the key could be used".to_owned()) } else { Ok(lifetime) }
}

fn without_doubles<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list.dedup();
    list
}

fn refused(error: Error) -> Failure {
    Failure::Refused(error.to_string())
}
