//! The file: how it is opened, what is in it, and whose it is.

use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::{Options, departure::moved, rows::INCOMPLETE};
use crate::{
    adapters::kept::{moved_away, unfinished},
    ports::{Mode, StoreError},
};

/// `guic`: what `file` and this program know a store of guichet by.
const APPLICATION_ID: i32 = 0x6775_6963;
/// From 0 to 1, from 1 to 2, …; a migration that was released is never changed.
pub(super) const MIGRATIONS: [&str; 3] =
    [include_str!("schema_1.sql"), include_str!("schema_2.sql"), include_str!("schema_3.sql")];
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 64;
/// Between two tries to turn the log on.
const LOCK_RETRY: Duration = Duration::from_millis(1);

/// The one connection that writes; creates the store, or brings an older one up to date.
pub(super) fn open_to_write(path: &Path, options: &Options) -> Result<Connection, StoreError> {
    // Made first, so that nobody but us can read it; SQLite gives its other files the same mode.
    fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| StoreError(format!("{} cannot be opened: {error}", path.display())))?;
    let mut connection = Connection::open_with_flags(path, writing()).map_err(|error| unusable(path, &error))?;
    prepare(&connection, options).map_err(|error| unusable(path, &error))?;
    // Another program's file is refused before anything in it is changed.
    check_owner(&connection, path)?;
    turn_on_log(&connection, options, path)?;
    migrate(&mut connection, options, path)?;
    if let Some(pages) = options.max_pages {
        connection.pragma_update(None, "max_page_count", pages).map_err(|error| unusable(path, &error))?;
    }
    Ok(connection)
}

/// A connection that can only read.
pub(super) fn open_to_read(path: &Path, options: &Options) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        prepare(&connection, options)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    open().map_err(|error| unusable(path, &error))
}

fn writing() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn prepare(connection: &Connection, options: &Options) -> rusqlite::Result<()> {
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)
}

pub(super) fn check_owner(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let (owner, tables): (i32, i64) = connection
        .query_row(
            "SELECT a.application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id a",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(|error| unusable(path, &error))?;
    if owner == APPLICATION_ID || (owner == 0 && tables == 0) {
        return Ok(());
    }
    Err(StoreError(format!("{} is not a store of guichet", path.display())))
}

/// Write-ahead logging. Turning it on takes the whole file for a moment, for which SQLite does not always wait by
/// itself while another process does the same.
fn turn_on_log(connection: &Connection, options: &Options, path: &Path) -> Result<(), StoreError> {
    let begun = Instant::now();
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(StoreError(format!("{} can only be kept in journal mode {mode}", path.display())));
            }
            Err(error) if is_busy(&error) && begun.elapsed() < options.busy_timeout => thread::sleep(LOCK_RETRY),
            Err(error) => return Err(unusable(path, &error)),
        }
    }
}

/// Under the write lock, so that of two processes that open a new file one makes it and the other finds it made.
fn migrate(connection: &mut Connection, options: &Options, path: &Path) -> Result<(), StoreError> {
    let unusable = |error| unusable(path, &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unusable)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(unusable)?;
    let done = migrations_from(version, path)?;
    for migration in done {
        transaction.execute_batch(migration).map_err(unusable)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(unusable)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64).map_err(unusable)?;
    transaction
        .execute("INSERT INTO meta (name, value) VALUES ('mode', ?1) ON CONFLICT DO NOTHING", [options.mode.name()])
        .map_err(unusable)?;
    let mode: String =
        transaction.query_row("SELECT value FROM meta WHERE name = 'mode'", [], |row| row.get(0)).map_err(unusable)?;
    check_mode(&mode, options.mode, path)?;
    check_whole(&transaction, path)?;
    if !options.even_moved {
        check_here(&transaction, path)?;
    }
    transaction.commit().map_err(unusable)
}

/// What a store of `version` still needs.
pub(super) fn migrations_from(version: i64, path: &Path) -> Result<&'static [&'static str], StoreError> {
    usize::try_from(version).ok().and_then(|done| MIGRATIONS.get(done..)).ok_or_else(|| {
        let known = MIGRATIONS.len();
        StoreError(format!(
            "{} has schema {version}, this program knows up to {known}: run a newer one",
            path.display()
        ))
    })
}

pub(super) fn check_mode(mode: &str, asked: Mode, path: &Path) -> Result<(), StoreError> {
    let asked = asked.name();
    if mode == asked {
        return Ok(());
    }
    Err(StoreError(format!("{} is a store of {mode} mode, not of {asked} mode", path.display())))
}

/// Whether it is not a copy that was never finished.
pub(super) fn check_whole(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: i64 = connection
        .query_row("SELECT count(*) FROM meta WHERE name = ?1", [INCOMPLETE], |row| row.get(0))
        .map_err(|error| unusable(path, &error))?;
    if found == 0 { Ok(()) } else { Err(StoreError(unfinished(&path.display().to_string()))) }
}

/// Whether it was not moved.
pub(super) fn check_here(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found = moved(connection).map_err(|error| unusable(path, &error))?;
    found.map_or(Ok(()), |text| Err(StoreError(moved_away(&path.display().to_string(), &text))))
}

/// Whether somebody else only holds a lock that will be free again.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

pub(super) fn unusable(path: &Path, error: &rusqlite::Error) -> StoreError {
    StoreError(format!("{} cannot be used: {error}", path.display()))
}
