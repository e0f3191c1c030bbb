//! How instalments are debited: `[debits]`.

use jiff::{SignedDuration, civil::Time};

use super::section::Section;
use crate::{
    app::{Mode, merchant::DebitRules},
    domain::retry::RetryRules,
};

/// When, how fast and how often instalments are debited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debits {
    /// How many debits are under way at once.
    pub at_once: usize,
    /// How many debits begin in a minute.
    pub per_minute: u32,
    /// From when in the day, on the clock of the installation's zone, debits may begin.
    pub from: Time,
    /// When in the day debits no longer begin.
    pub until: Time,
    /// When the day's run is begun.
    pub daily_at: Time,
    /// Whether there is a run every day by itself.
    pub daily: bool,
    /// How many days after its date accounting alone may begin a run.
    pub late_days: i32,
    pub retry: RetryRules,
    /// How long an authorisation waits for what is to be known of its card.
    pub card_wait: SignedDuration,
    /// How long after an authorisation it may be captured.
    pub capture_within: SignedDuration,
    /// How often the bank has to deny a debit in doubt before it counts as not executed.
    pub denials: u32,
    /// The least time from the first of these denials to the last.
    pub denials_span: SignedDuration,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// What a test may want.
const SHORTEST: SignedDuration = SignedDuration::from_millis(10);
/// What real money asks of a debit that is said not to exist.
const LIVE_DENIALS: u32 = 4;
const MAX_WAITS: usize = 15;

impl Debits {
    pub(super) fn read(mut section: Section<'_>, mode: Option<Mode>) -> Self {
        let at_once = section.number("at_once", 10, 1..=64);
        let per_minute = section.number("per_minute", 120, 1..=6_000);
        let from = section.optional("from", time).unwrap_or_else(|| Time::constant(6, 0, 0, 0));
        let until = section.optional("until", time).unwrap_or_else(|| Time::constant(22, 0, 0, 0));
        let debits = Self {
            at_once: usize::try_from(at_once).unwrap_or(10),
            per_minute: u32::try_from(per_minute).unwrap_or(120),
            from,
            until,
            daily_at: section.optional("daily_at", time).unwrap_or(from),
            daily: section.flag("daily", true),
            late_days: days(section.number("late_days", 5, 0..=31)),
            retry: read_retry(&mut section),
            card_wait: section.duration("card_wait", SignedDuration::from_mins(30), SHORTEST..=DAY),
            capture_within: section.duration("capture_within", DAY, SHORTEST..=DAY),
            denials: u32::try_from(section.number("denials", u64::from(LIVE_DENIALS), 1..=20)).unwrap_or(LIVE_DENIALS),
            denials_span: section.duration("denials_span", DAY, SignedDuration::ZERO..=DAY * 14),
        };
        debits.check(&section, mode);
        section.end();
        debits
    }

    /// What runs need to know of it.
    pub(super) fn rules(&self) -> DebitRules {
        let Self { at_once, per_minute, from, until, daily_at, daily, late_days, .. } = *self;
        DebitRules { at_once, per_minute, from, until, daily, daily_at, late_days }
    }

    fn check(&self, section: &Section<'_>, mode: Option<Mode>) {
        if self.from >= self.until {
            section.problem("until", "is not later than from: no debit could begin");
        } else if !(self.from..self.until).contains(&self.daily_at) {
            section.problem("daily_at", "is not between from and until: the day's run would wait");
        }
        if self.card_wait >= self.capture_within {
            section.problem("card_wait", "is not shorter than capture_within: nothing would be left to capture in");
        }
        if mode == Some(Mode::Live) {
            if self.denials < LIVE_DENIALS {
                section.problem("denials", format!("is below {LIVE_DENIALS} in live mode"));
            }
            if self.denials_span < DAY {
                section.problem("denials_span", format!("is below {DAY:#} in live mode"));
            }
        }
    }
}

fn read_retry(section: &mut Section<'_>) -> RetryRules {
    let others = RetryRules::default();
    let waits = section.numbers("waits", 1..=60).map(|waits| waits.into_iter().map(days).collect());
    let waits: Vec<i32> = waits.unwrap_or_else(|| others.waits.clone());
    if waits.is_empty() || waits.len() > MAX_WAITS {
        section.problem("waits", format!("has no wait, or more than {MAX_WAITS}"));
    }
    // Fifteen in thirty days is what every card scheme allows.
    RetryRules {
        tries: times(section.number("tries", u64::from(others.tries), 1..=15)),
        within_days: days(section.number("within_days", count(others.within_days), 0..=60)),
        waits,
        stop_before_next: days(section.number("stop_before_next", count(others.stop_before_next), 0..=28)),
        card_tries: times(section.number("card_tries", u64::from(others.card_tries), 1..=15)),
        card_days: days(section.number("card_days", count(others.card_days), 30..=365)),
    }
}

/// The ranges above fit, as in the two below.
fn days(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn times(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(1)
}

fn count(days: i32) -> u64 {
    u64::from(days.unsigned_abs())
}

/// Reads `HH:MM`.
fn time(text: &str) -> Result<Time, String> {
    let time = Time::strptime("%H:%M", text).ok().filter(|_| text.len() == 5);
    time.ok_or_else(|| "is not a time of the day such as \"06:00\"".to_owned())
}
