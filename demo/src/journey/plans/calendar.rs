//! The days of the story, wherever today is: the next 24 June, and the 10th of the two months that follow.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, date},
    tz::TimeZone,
};

use crate::trouble::{Outcome, Trouble};

/// The school's calendar.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    zone: TimeZone,
    /// The day on which everything is begun.
    pub(super) start: Date,
}

impl Calendar {
    /// With the first 24 June after `now`.
    pub(super) fn after(now: Timestamp) -> Outcome<Self> {
        let zone = TimeZone::get("Europe/Paris")?;
        let today = now.to_zoned(zone.clone()).date();
        let this_year = date(today.year(), 6, 24);
        let start = if today < this_year { this_year } else { this_year.checked_add(1.year())? };
        Ok(Self { zone, start })
    }

    /// The 10th, so many months after the start.
    pub(super) fn tenth(&self, months: i32) -> Outcome<Date> {
        let month = self.start.checked_add(months.months())?;
        Ok(month.with().day(10).build()?)
    }

    /// Eight in the morning of a day in Paris, as the API writes instants.
    pub(super) fn morning_of(&self, day: Date) -> Outcome<String> {
        Ok(day.at(8, 0, 0, 0).to_zoned(self.zone.clone())?.timestamp().to_string())
    }

    pub(super) fn instant(text: &str) -> Outcome<Timestamp> {
        text.parse().map_err(|error: jiff::Error| Trouble::from(error).during(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_is_always_to_come() {
        for (now, start, july) in [
            ("2026-11-23T09:00:00Z", "2027-06-24", "2027-07-10"),
            ("2027-06-23T21:59:59Z", "2027-06-24", "2027-07-10"),
            // Already the 24th in Paris.
            ("2027-06-23T22:00:00Z", "2028-06-24", "2028-07-10"),
        ] {
            let calendar = Calendar::after(now.parse().unwrap()).unwrap();
            assert_eq!(calendar.start.to_string(), start, "{now}");
            assert_eq!(calendar.tenth(1).unwrap().to_string(), july, "{now}");
        }
        let calendar = Calendar::after("2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
        let day = calendar.tenth(1).unwrap();
        assert_eq!(calendar.morning_of(day).unwrap(), "2026-07-10T06:00:00Z");
    }
}
