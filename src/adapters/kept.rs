//! How values of ours are kept, whatever the store.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::ports::{Moved, StoreError};

/// Every name that was read so far, see [`name`].
static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The microsecond that `instant` is in.
pub(super) fn micros(instant: Timestamp) -> i64 {
    let truncated = instant.as_microsecond();
    if instant.subsec_nanosecond() % 1_000 < 0 { truncated - 1 } else { truncated }
}

/// The first microsecond that is not before `instant`: something that wants to be woken is never woken early.
pub(super) fn micros_after(instant: Timestamp) -> i64 {
    let truncated = instant.as_microsecond();
    if instant.subsec_nanosecond() % 1_000 > 0 { truncated + 1 } else { truncated }
}

/// What [`micros`] wrote; `None` of what it never writes.
pub(super) fn instant(micros: i64) -> Option<Timestamp> {
    // In two parts, because jiff takes no lone microseconds of its very last second.
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).ok()?;
    Timestamp::new(micros.div_euclid(1_000_000), nanos).ok()
}

/// Days from 1970 to `date`, which compare as dates do.
pub(super) fn days(date: Date) -> i64 {
    date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24
}

/// What [`days`] wrote; `None` of what it never writes.
pub(super) fn date(days: i64) -> Option<Date> {
    let hours = i64::from(i32::try_from(days).ok()?) * 24;
    Date::constant(1970, 1, 1).checked_add(SignedDuration::from_hours(hours)).ok()
}

/// A name of our own that comes back from the store, such as the kind of an aggregate.
///
/// The ports want it `'static`, because it is always written in the source. What is written to the store was in some
/// source, so the names that are kept here for ever are few.
pub(super) fn name(text: String) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(text.as_str()) {
        return known;
    }
    let kept: &'static str = String::leak(text);
    names.insert(kept);
    kept
}

/// What is said of a store that a copy was begun in and never finished.
pub(super) fn unfinished(store: &str) -> String {
    format!("{store} holds a copy that was not finished: remove it, and copy again")
}

/// How it is kept that a store was moved.
pub(super) fn moved_text(moved: &Moved) -> String {
    format!("{} {}", moved.at, moved.to)
}

/// What [`moved_text`] wrote.
pub(super) fn moved(text: &str) -> Result<Moved, StoreError> {
    let parsed = text.split_once(' ').and_then(|(at, to)| Some(Moved { at: at.parse().ok()?, to: to.to_owned() }));
    parsed.ok_or_else(|| StoreError("where it was moved cannot be read".to_owned()))
}

/// What is said of a store that was moved, to whom wants to do more than read it.
pub(super) fn moved_away(store: &str, text: &str) -> String {
    let (at, to) = text.split_once(' ').unwrap_or(("", text));
    format!("{store} was moved at {at}, and {to} is served instead: what was paid since is there only")
}

/// What is said when a store that was copied is not as it was.
pub(super) const CHANGED_MEANWHILE: &str = "somebody changed the store while it was copied";

/// The numbers a counter is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) start: u32,
    pub(super) last: u32,
    pub(super) count: u32,
}

impl Block {
    /// A block that some counter could give: `count` numbers fit between 1 and `last`, and so does `start`.
    pub(super) fn new(start: u32, last: u32, count: u32) -> Result<Self, StoreError> {
        if (1..=last).contains(&start) && (1..=last).contains(&count) {
            return Ok(Self { start, last, count });
        }
        Err(StoreError(format!("a counter from {start} to {last} cannot give {count} numbers")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_round_to_microseconds_on_either_side_of_1970() {
        for (nanos, down, up) in [(0, 0, 0), (1, 0, 1), (1_000, 1, 1), (1_999, 1, 2), (-1, -1, 0), (-1_001, -2, -1)] {
            let instant = Timestamp::from_nanosecond(nanos).unwrap();
            assert_eq!((micros(instant), micros_after(instant)), (down, up), "{nanos}");
        }
        for extreme in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(instant(micros(extreme)).unwrap().as_microsecond(), extreme.as_microsecond());
        }
    }

    #[test]
    fn days_count_from_1970() {
        let rows = [((1970, 1, 1), 0), ((1969, 12, 31), -1), ((2000, 3, 1), 11_017), ((2026, 12, 31), 20_818)];
        for ((year, month, day), count) in rows {
            assert_eq!(days(Date::constant(year, month, day)), count);
            assert_eq!(date(count), Some(Date::constant(year, month, day)));
        }
        for extreme in [Date::MIN, Date::MAX] {
            assert_eq!(date(days(extreme)), Some(extreme));
        }
        assert_eq!((date(days(Date::MAX) + 1), date(i64::MIN)), (None, None));
        // Of the proleptic Gregorian calendar: 400 years are 146 097 days.
        assert_eq!(days(Date::MAX) - days(Date::MIN), 50 * 146_097 - 366 - 1);
    }

    #[test]
    fn a_name_is_kept_once() {
        assert!(std::ptr::eq(name("order".to_owned()), name("order".to_owned())));
    }
}
