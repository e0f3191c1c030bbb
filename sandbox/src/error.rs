//! What stops the sandbox before it serves: a file, a key, a port. Once it serves, every fault is an answer.

use std::fmt::Display;
use std::path::Path;

/// Why the sandbox could not start, as one sentence for the person at the keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupError(String);

impl SetupError {
    /// `what` could not be used, and why.
    pub fn because(what: &str, why: &dyn Display) -> Self {
        Self(format!("{what}: {why}"))
    }

    /// A file could not be read or written.
    pub fn file(path: &Path, why: &dyn Display) -> Self {
        Self(format!("{}: {why}", path.display()))
    }
}

impl Display for SetupError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}
