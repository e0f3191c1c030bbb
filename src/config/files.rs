//! Files that the configuration names.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::section::Reading;

/// Longer than any file of keys or certificates that is read.
const MAX_BYTES: u64 = 1_048_576;

/// Finds files from the folder of the configuration file.
pub(super) struct Files<'a> {
    pub(super) folder: &'a Path,
    pub(super) reading: &'a Reading,
}

impl Files<'_> {
    pub(super) fn find(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The text of a file that `key` names.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn text(&self, name: &str) -> Result<String, String> {
        let path = self.find(name);
        let shown = path.display();
        let length = fs::metadata(&path).map_err(|error| format!("{shown} cannot be read: {error}"))?.len();
        if length > MAX_BYTES {
            return Err(format!("{shown} is longer than {MAX_BYTES} bytes"));
        }
        fs::read_to_string(&path).map_err(|error| format!("{shown} cannot be read: {error}"))
    }

    /// The text of a file with a secret, which not everybody may read.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn secret(&self, key_path: &str, name: &str) -> Result<String, String> {
        let text = self.text(name)?;
        if is_open_to_all(&self.find(name)) {
            let shown = self.find(name).display().to_string();
            self.reading.careless(key_path, format!("everybody on this machine may read {shown}: chmod o-r"));
        }
        Ok(text)
    }
}

#[cfg(unix)]
fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open_to_all(_path: &Path) -> bool {
    false
}
