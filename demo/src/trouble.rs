//! What can go wrong here: always something to read, never something to handle. So there is one error, and it is text.

use std::fmt;

/// Why the demo cannot go on, in words for whoever runs it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Trouble(String);

pub(crate) type Outcome<T> = Result<T, Trouble>;

impl Trouble {
    pub(crate) fn of(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// The same trouble, with what was being done when it came.
    pub(crate) fn during(self, what: &str) -> Self {
        Self(format!("{what}: {}", self.0))
    }
}

/// Makes any error readable here. `Trouble` is no `Error` itself, which is what allows this.
impl<E: std::error::Error> From<E> for Trouble {
    fn from(error: E) -> Self {
        let mut words = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            words = format!("{words}: {cause}");
            source = cause.source();
        }
        Self(words)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
