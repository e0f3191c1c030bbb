//! One process serves one file, and several a store on Redis, each with a journal of its own: whoever serves holds a lock
//! beside the file, or beside its journal. Commands that only look, or make keys, do not need it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::Failure;
use crate::config::StorePlace;

/// Held until it is dropped, or the process ends in whatever way.
pub(super) struct ServeLock {
    _file: File,
}

impl ServeLock {
    /// # Errors
    /// [`Failure::Refused`] when another process holds it, or the file system has no locks.
    pub(super) fn take(place: &StorePlace, journal: &Path) -> Result<Self, Failure> {
        let (served, rule) = match place {
            StorePlace::Sqlite(store) => (store.as_path(), "one process serves one store"),
            StorePlace::Redis(_) => (journal, "each gateway has a journal of its own"),
        };
        let mut path = served.to_path_buf().into_os_string();
        path.push(".lock");
        let path = Path::new(&path);
        // The file stays: were it removed, two processes could each hold a lock of that name.
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
        let file = file.map_err(|error| Failure::Refused(format!("{} cannot be opened: {error}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Failure::Refused(format!(
                "{} is served by another process, which holds {}: {rule}",
                served.display(),
                path.display()
            ))),
            Err(TryLockError::Error(error)) => {
                Err(Failure::Refused(format!("{} cannot be locked: {error}", path.display())))
            }
        }
    }
}
