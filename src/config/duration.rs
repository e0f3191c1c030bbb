//! Durations as people write them.

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Reads `15m`, `500ms`, `1h 30m`, `2d`; a day is 24 hours.
///
/// # Errors
/// A sentence when it is none, or negative.
pub fn parse(text: &str) -> Result<SignedDuration, String> {
    let fault = || "is not a duration such as \"500ms\", \"15m\", \"1h 30m\" or \"2d\"".to_owned();
    let span: Span = text.parse().map_err(|_| fault())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| fault())?;
    if duration.is_negative() { Err(fault()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, millis) in [
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("15m", Some(900_000)),
            ("1h 30m", Some(5_400_000)),
            ("2d", Some(172_800_000)),
            ("365d", Some(31_536_000_000)),
            ("PT1M", Some(60_000)),
            ("", None),
            ("15", None),
            ("-5m", None),
            ("5m ago", None),
            ("1 month", None),
            ("1y", None),
            ("soon", None),
        ] {
            assert_eq!(parse(text).ok().map(|duration| duration.as_millis()), millis, "{text}");
        }
    }
}
