//! Single values from the environment: `GUICHET__SERVER__LISTEN` is `server.listen`.

use std::collections::BTreeMap;

const PREFIX: &str = "GUICHET__";

/// Values that replace the file's, by the key's path; each can be taken once.
#[derive(Debug, Default)]
pub(super) struct Overrides(BTreeMap<String, String>);

impl Overrides {
    pub(super) fn from_env(env: impl IntoIterator<Item = (String, String)>) -> Self {
        let overrides = env.into_iter().filter_map(|(name, value)| {
            let path = name.strip_prefix(PREFIX)?.split("__").map(str::to_ascii_lowercase).collect::<Vec<_>>();
            Some((path.join("."), value))
        });
        Self(overrides.collect())
    }

    pub(super) fn take(&mut self, path: &str) -> Option<String> {
        self.0.remove(path)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Names of variables that nobody took.
    pub(super) fn left(&self) -> Vec<String> {
        self.0.keys().map(|path| format!("{PREFIX}{}", path.replace('.', "__").to_ascii_uppercase())).collect()
    }
}
