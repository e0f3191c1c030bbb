//! Whether a store could be served, found out without leaving a trace: who checks may not be who serves, and a file of
//! theirs in the store's folder would keep the gateway out.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process,
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::schema::{check_here, check_mode, check_owner, check_whole, migrations_from, unusable};
use crate::ports::{Mode, StoreError};

pub(super) fn check(path: &Path, mode: Option<Mode>) -> Result<(), StoreError> {
    check_folder(path)?;
    if !path.exists() {
        return Ok(());
    }
    let opened = OpenOptions::new().write(true).open(path);
    opened.map_err(|error| StoreError(format!("{} cannot be opened: {error}", path.display())))?;
    check_file(path, mode)
}

/// The log and the lock are made beside the store, so its folder is written to even if the store is there. Trying is the
/// only way to know: permissions do not say everything.
fn check_folder(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(path);
    let probe = folder.join(format!(".guichet-check-{}", process::id()));
    let made = OpenOptions::new().create_new(true).write(true).open(&probe).and_then(|_| fs::remove_file(&probe));
    made.map_err(|error| StoreError(format!("a store cannot be made in {}: {error}", folder.display())))
}

pub(super) fn check_file(path: &Path, mode: Option<Mode>) -> Result<(), StoreError> {
    let unusable = |error| unusable(path, &error);
    let connection = open(path).map_err(unusable)?;
    check_owner(&connection, path)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(unusable)?;
    migrations_from(version, path)?;
    // A file that is still empty becomes a store of any mode.
    if version == 0 {
        return Ok(());
    }
    check_whole(&connection, path)?;
    check_here(&connection, path)?;
    let query = "SELECT value FROM meta WHERE name = 'mode'";
    let found: Option<String> = connection.query_row(query, [], |row| row.get(0)).optional().map_err(unusable)?;
    found.zip(mode).map_or(Ok(()), |(found, asked)| check_mode(&found, asked, path))
}

/// Without its log the file is all there is, and is read as it lies there: otherwise SQLite would make the log's files.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut log = PathBuf::from(path).into_os_string();
    log.push("-wal");
    match path.to_str() {
        Some(name) if !Path::new(&log).exists() => {
            let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
            Connection::open_with_flags(format!("file:{name}?immutable=1"), flags | OpenFlags::SQLITE_OPEN_URI)
        }
        _ => Connection::open_with_flags(path, flags),
    }
}
