//! `backup` and `restore`: a copy of the store, made while it is served, and put back while it is not.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::Timestamp;

use super::{ConfigFile, Environment, Failure, lock::ServeLock};
use crate::{adapters::sqlite::SqliteStore, config::StorePlace};

#[derive(Debug, Args)]
pub(super) struct Backup {
    #[command(flatten)]
    config: ConfigFile,
    /// The file to make. It holds personal data, as the store does.
    to: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    #[command(flatten)]
    config: ConfigFile,
    /// What `guichet backup` made.
    from: PathBuf,
}

pub(super) fn back_up(command: &Backup, env: Environment) -> Result<(), Failure> {
    let config = command.config.load(env)?.config;
    let store = file(&config.store)?;
    SqliteStore::back_up(store, &command.to).map_err(|error| Failure::Refused(error.to_string()))?;
    // The copy is there: that a comment on it cannot be written changes nothing.
    let _ = writeln!(io::stderr(), "{} holds what {} held a moment ago.", command.to.display(), store.display());
    Ok(())
}

/// A copy of a file can be made by us; what is on a server is copied by whoever keeps the server.
fn file(store: &StorePlace) -> Result<&Path, Failure> {
    match store {
        StorePlace::Sqlite(path) => Ok(path),
        StorePlace::Redis(_) => Err(Failure::Refused(
            "the store is on Redis, whose own copies are its backup: keep its AOF, or the RDB files of BGSAVE"
                .to_owned(),
        )),
    }
}

pub(super) fn restore(command: &Restore, env: Environment) -> Result<(), Failure> {
    let config = command.config.load(env)?.config;
    let store = file(&config.store)?;
    let _lock = ServeLock::take(&config.store, &config.journal)?;
    let aside = SqliteStore::restore(&command.from, store, config.mode, Timestamp::now())
        .map_err(|error| Failure::Refused(error.to_string()))?;
    if let Some(aside) = aside {
        let _ = writeln!(io::stderr(), "What was there before is {} now.", aside.display());
    }
    let _ = writeln!(
        io::stderr(),
        "{} is what {} was. Leave its .journal where it is: when the gateway starts, debits are frozen until the bank \
         was asked for all that has left since, and a person ends it (GET /v1/reconciliation).",
        store.display(),
        command.from.display()
    );
    Ok(())
}
