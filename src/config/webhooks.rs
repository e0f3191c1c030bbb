//! How portals are told what happened.

use std::time::Duration;

use jiff::SignedDuration;

use super::section::Section;
use crate::{
    app::{Mode, webhooks::WebhookPolicy},
    domain::webhook::Retries,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhooks {
    pub policy: WebhookPolicy,
    /// For one delivery, from the look-up of the name to the answer.
    pub deadline: Duration,
    /// How many endpoints are told at once.
    pub tell_at_once: usize,
    /// Whether URLs may lead to this very machine, over http too.
    pub allow_loopback: bool,
}

/// A shorter wait would only be a faster way of giving up.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_millis(10);
/// Waits, and with them tries, of one event.
const MAX_WAITS: usize = 30;

impl Webhooks {
    pub(super) fn read(mut section: Section<'_>, mode: Option<Mode>) -> Self {
        let (seconds, minutes, hours) =
            (SignedDuration::from_secs, SignedDuration::from_mins, SignedDuration::from_hours);
        let after = section.durations("retry_after").unwrap_or_else(|| {
            let first = [seconds(5), seconds(30), minutes(2), minutes(10), minutes(30)];
            [&first[..], &[hours(1), hours(3), hours(6), hours(12)]].concat()
        });
        if after.len() > MAX_WAITS || after.iter().any(|wait| *wait < SHORTEST_WAIT || *wait > hours(7 * 24)) {
            section.problem("retry_after", format!("has more than {MAX_WAITS} waits, or one outside 10ms to 7d"));
        }
        let grace = section.duration("secret_grace", hours(24), SignedDuration::ZERO..=hours(30 * 24));
        let webhooks = Self {
            policy: WebhookPolicy { retries: Retries { after }, secret_grace: grace },
            deadline: section
                .duration("deadline", seconds(10), SignedDuration::from_millis(100)..=seconds(60))
                .unsigned_abs(),
            tell_at_once: usize::try_from(section.number("tell_at_once", 64, 1..=1_024)).unwrap_or(64),
            allow_loopback: section.flag("allow_loopback", false),
        };
        if webhooks.allow_loopback && mode == Some(Mode::Live) {
            section.problem("allow_loopback", "is for test mode only");
        }
        section.end();
        webhooks
    }
}
