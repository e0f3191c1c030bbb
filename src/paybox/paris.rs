//! Dates on the wire are those of a clock in Paris.

use jiff::{Timestamp, Zoned, tz::TimeZone};

/// `instant` on a clock in Paris.
#[expect(clippy::expect_used, reason = "the time zone database is compiled in and has Paris; a test reads it")]
fn in_paris(instant: Timestamp) -> Zoned {
    instant.to_zoned(TimeZone::get("Europe/Paris").expect("Paris is in the compiled database"))
}

/// ISO 8601 with offset, `2026-11-23T10:20:30+01:00` (`PBX_TIME`).
pub(super) fn iso8601(instant: Timestamp) -> String {
    in_paris(instant).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `ddmmyyyyHHMMSS` (`DATEQ`).
pub(super) fn day_first(instant: Timestamp) -> String {
    in_paris(instant).strftime("%d%m%Y%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_and_winter() {
        for (instant, iso, first) in [
            ("2026-11-23T09:20:30.999Z", "2026-11-23T10:20:30+01:00", "23112026102030"),
            ("2026-06-30T22:30:00Z", "2026-07-01T00:30:00+02:00", "01072026003000"),
            // The hour that happens twice.
            ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00", "25102026023000"),
            ("2026-10-25T01:30:00Z", "2026-10-25T02:30:00+01:00", "25102026023000"),
        ] {
            let instant: Timestamp = instant.parse().unwrap();
            assert_eq!((iso8601(instant).as_str(), day_first(instant).as_str()), (iso, first));
        }
    }
}
