//! That a store was moved: noted in it, so that it is not served beside the one that took its place.

use rusqlite::{Connection, OptionalExtension};

use super::{changes::Change, columns::number};
use crate::{
    adapters::kept::{CHANGED_MEANWHILE, moved_text},
    ports::{CommitError, Moved},
};

/// What it is noted under.
const MOVED: &str = "moved";

pub(super) fn moved(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT value FROM meta WHERE name = ?1", [MOVED], |row| row.get(0)).optional()
}

pub(super) fn depart(connection: &Connection, position: u64, moved: &Moved) -> Change<()> {
    let last: i64 = connection.query_row("SELECT coalesce(max(position), 0) FROM event", [], |row| row.get(0))?;
    if last != number(position) {
        return Ok(Err(CommitError::Unavailable(CHANGED_MEANWHILE.to_owned())));
    }
    let note = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
    connection.execute(note, [MOVED, &moved_text(moved)])?;
    Ok(Ok(()))
}

pub(super) fn come_back(connection: &Connection) -> Change<()> {
    connection.execute("DELETE FROM meta WHERE name = ?1", [MOVED])?;
    Ok(Ok(()))
}
