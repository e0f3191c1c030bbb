//! The clock of a test, which can be put forward.

use std::time::Duration;

use jiff::SignedDuration;
use url::Url;

use super::{section::Section, urls};
use crate::app::{Mode, merchant::is_loopback_http};

/// Who is moved along with the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestClock {
    /// The management port of a sandbox.
    pub sandbox: Option<Url>,
    /// How long telling it may take.
    pub deadline: Duration,
}

impl TestClock {
    /// `None` in live mode, where there is no such thing.
    pub(super) fn read(mut section: Section<'_>, mode: Option<Mode>) -> Option<Self> {
        let shortest = SignedDuration::from_millis(50);
        let clock = Self {
            sandbox: section.optional("sandbox", on_this_machine),
            deadline: section
                .duration("deadline", SignedDuration::from_secs(5), shortest..=SignedDuration::from_secs(60))
                .unsigned_abs(),
        };
        let is_live = mode == Some(Mode::Live);
        if is_live && clock.sandbox.is_some() {
            section.problem("sandbox", "is for test mode only");
        }
        section.end();
        (!is_live).then_some(clock)
    }
}

fn on_this_machine(text: &str) -> Result<Url, String> {
    let url = urls::absolute(text)?;
    if is_loopback_http(&url) {
        Ok(url)
    } else {
        Err("is not http on this machine: \"http://127.0.0.1:8091\"".to_owned())
    }
}
