//! What only the adapters can judge. They are not known here, so whoever loads a configuration brings them; what they
//! refuse stands among the other problems, at its place.

use url::Url;

use super::StorePlace;
use crate::app::Mode;

/// Each answers with a sentence about what it refuses. None changes anything.
pub trait Judge {
    /// Whether the store could be served. Without a mode, whatever its own is. Of one that could be, what would have to be
    /// said of it too in live mode.
    ///
    /// # Errors
    /// A sentence.
    fn store(&self, place: &StorePlace, mode: Option<Mode>) -> Result<Option<String>, String>;

    /// Whether the bank can be asked at this URL.
    ///
    /// # Errors
    /// A sentence.
    fn direct(&self, url: &Url) -> Result<(), String>;

    /// Whether these certificate authorities, in PEM, can vouch for the bank.
    ///
    /// # Errors
    /// A sentence.
    fn authorities(&self, pem: &str) -> Result<(), String>;
}
