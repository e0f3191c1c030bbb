//! Copying a store while it is served, and putting a copy in its place.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::{check, schema::unusable};
use crate::ports::{Mode, StoreError};

/// Writes what the store at `from` holds now to the new file `to`, on disk on return.
pub(super) fn back_up(from: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError(format!("{} cannot be written: {error}", to.display()));
    if to.exists() {
        return Err(StoreError(format!("{} is there already", to.display())));
    }
    let part = beside(to, ".part");
    // Nobody but us may read it, and SQLite takes an empty file for a new one.
    OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&part).map_err(failed)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(from, flags).map_err(|error| unusable(from, &error))?;
    let name = part.to_str().ok_or_else(|| StoreError(format!("{} is no name for a copy", to.display())))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| unusable(from, &error))?;
    sound(&part)?;
    settle(&part, to).map_err(failed)
}

/// Puts a copy of `from` in the place of the store at `to`; what was there is moved aside, and where to is returned.
pub(super) fn restore(from: &Path, to: &Path, mode: Mode, now: Timestamp) -> Result<Option<PathBuf>, StoreError> {
    let failed = |error: io::Error| StoreError(format!("{} cannot be written: {error}", to.display()));
    check::check_file(from, Some(mode))?;
    sound(from)?;
    let part = beside(to, ".part");
    let mut source = File::open(from).map_err(failed)?;
    let mut copy =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&part).map_err(failed)?;
    io::copy(&mut source, &mut copy).map_err(failed)?;
    let mut aside = None;
    if to.exists() {
        let name = beside(to, &format!(".before-{}", now.strftime("%Y%m%dT%H%M%SZ")));
        for suffix in ["-wal", "-shm", ""] {
            let (old, new) = (beside(to, suffix), beside(&name, suffix));
            if old.exists() {
                fs::rename(&old, &new).map_err(failed)?;
            }
        }
        aside = Some(name);
    }
    settle(&part, to).map_err(failed)?;
    Ok(aside)
}

/// Every page and index of the file is what it should be.
fn sound(path: &Path) -> Result<(), StoreError> {
    let connection = check::open(path).map_err(|error| unusable(path, &error))?;
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| unusable(path, &error))?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError(format!("{} is damaged: {verdict}", path.display()))) }
}

/// All of `part` is on disk before it has its name, and the name before anybody relies on it.
fn settle(part: &Path, to: &Path) -> io::Result<()> {
    File::open(part)?.sync_all()?;
    fs::rename(part, to)?;
    File::open(to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_path_buf().into_os_string();
    name.push(suffix);
    name.into()
}
