//! How our values are written in columns.

use jiff::Timestamp;

use crate::adapters::kept;

/// What [`kept::micros`] wrote.
pub(super) fn instant(micros: i64) -> rusqlite::Result<Timestamp> {
    kept::instant(micros).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, micros))
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
