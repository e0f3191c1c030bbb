//! How our values are written in columns.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use jiff::{Timestamp, civil::Date};

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

/// What [`micros`] wrote.
pub(super) fn instant(micros: i64) -> rusqlite::Result<Timestamp> {
    // In two parts, because jiff takes no lone microseconds of its very last second.
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000);
    nanos
        .ok()
        .and_then(|nanos| Timestamp::new(micros.div_euclid(1_000_000), nanos).ok())
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(0, micros))
}

/// Days from 1970 to `date`, which compare as dates do.
pub(super) fn days(date: Date) -> i64 {
    date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24
}

/// The first text that is after `text`.
pub(super) fn after(text: &str) -> String {
    format!("{text}\0")
}

/// The first text that is after all those that begin with `prefix`; `None` when none is.
pub(super) fn beyond(prefix: &str) -> Option<String> {
    let mut beyond = prefix.to_owned();
    while let Some(last) = beyond.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            beyond.push(next);
            return Some(beyond);
        }
    }
    None
}

/// A number of rows; no table has more than `i64::MAX`.
pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A position or version to compare with; none in the store is beyond `i64::MAX`.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
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
        }
        // Of the proleptic Gregorian calendar: 400 years are 146 097 days.
        assert_eq!(days(Date::MAX) - days(Date::MIN), 50 * 146_097 - 366 - 1);
    }

    #[test]
    fn what_begins_with_a_prefix_is_before_what_is_beyond() {
        for (prefix, next) in [
            ("a", Some("b")),
            ("é%", Some("é&")),
            // Over the gap that UTF-16 needs, and past the last character.
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(beyond(prefix).as_deref(), next, "{prefix:?}");
        }
    }

    #[test]
    fn a_name_is_kept_once() {
        assert!(std::ptr::eq(name("order".to_owned()), name("order".to_owned())));
    }
}
