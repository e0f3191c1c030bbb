//! One day's debits of one merchant: started once, whoever asks and how often.
//!
//! ```text
//!  selecting ──every order that is due was asked──▶ running ──nothing is left to send──▶ ended
//!                                                     │ ▲
//!                        the bank refuses us, no card ▼ │ mended, and resumed by a person
//!                                                   stopped
//! ```
//! What became of each debit is its order's business; a run holds only what is true of the whole, so that it is written a
//! few times and not once for each debit.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::{actor::Actor, order::Impossible};

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// With its merchant, its name.
    pub date: Date,
    pub started_at: Timestamp,
    pub started_by: Actor,
    pub state: RunState,
    /// Debits of it that were accepted have been asked back.
    pub calibrated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunState {
    Selecting,
    Running,
    Stopped {
        at: Timestamp,
        /// The bank's code.
        code: String,
    },
    Ended {
        at: Timestamp,
    },
}

/// What happens to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunEvent {
    Started {
        date: Date,
        by: Actor,
    },
    /// From now on it takes up no more orders.
    Selected,
    Calibrated,
    Stopped {
        code: String,
    },
    Resumed {
        by: Actor,
    },
    Ended,
}

/// When debits may be sent, in the merchant's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    pub from: Time,
    pub until: Time,
    pub zone: TimeZone,
}

impl Run {
    pub fn start(date: Date, by: Actor, now: Timestamp) -> Self {
        Self { date, started_at: now, started_by: by, state: RunState::Selecting, calibrated: false }
    }

    /// Changes the run as `event` says.
    ///
    /// # Errors
    /// [`Impossible`] when it does not fit.
    pub fn apply(&mut self, event: &RunEvent, at: Timestamp) -> Result<(), Impossible> {
        match (event, &self.state) {
            (RunEvent::Selected, RunState::Selecting) => self.state = RunState::Running,
            (RunEvent::Calibrated, RunState::Running) => self.calibrated = true,
            (RunEvent::Stopped { code }, RunState::Running) => {
                self.state = RunState::Stopped { at, code: code.clone() };
            }
            (RunEvent::Resumed { .. }, RunState::Stopped { .. }) => self.state = RunState::Running,
            (RunEvent::Ended, RunState::Running) => self.state = RunState::Ended { at },
            _ => return Err(Impossible("what happened does not fit the run")),
        }
        Ok(())
    }

    /// Whether there is something to do for it.
    pub fn is_open(&self) -> bool {
        matches!(self.state, RunState::Selecting | RunState::Running)
    }
}

impl Hours {
    /// The first instant from `now` on at which a debit may be sent.
    pub fn next_open(&self, now: Timestamp) -> Timestamp {
        let local = now.to_zoned(self.zone.clone());
        let opening = |day: Date| day.to_datetime(self.from).to_zoned(self.zone.clone()).map(|zoned| zoned.timestamp());
        let next = if local.time() < self.from {
            opening(local.date())
        } else if local.time() < self.until {
            return now;
        } else {
            local.date().tomorrow().and_then(opening)
        };
        // Only the last day that there is has no tomorrow.
        next.unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paris() -> TimeZone {
        TimeZone::get("Europe/Paris").unwrap()
    }

    #[test]
    fn debits_are_sent_within_hours() {
        let hours = Hours { from: Time::constant(6, 0, 0, 0), until: Time::constant(22, 0, 0, 0), zone: paris() };
        for (now, expected) in [
            ("2026-12-10T04:59:59Z", "2026-12-10T05:00:00Z"),
            ("2026-12-10T05:00:00Z", "2026-12-10T05:00:00Z"),
            ("2026-12-10T20:59:59Z", "2026-12-10T20:59:59Z"),
            ("2026-12-10T21:00:00Z", "2026-12-11T05:00:00Z"),
            // The night on which clocks go forward: six o'clock comes an hour sooner.
            ("2027-03-27T22:00:00Z", "2027-03-28T04:00:00Z"),
        ] {
            assert_eq!(hours.next_open(now.parse().unwrap()), expected.parse().unwrap(), "{now}");
        }
    }

    #[test]
    fn a_run_goes_only_the_ways_that_are_drawn() {
        let at: Timestamp = "2026-12-10T06:00:00Z".parse().unwrap();
        let fresh = || Run::start(Date::constant(2026, 12, 10), Actor::Gateway, at);
        let stop = RunEvent::Stopped { code: "00006".to_owned() };
        let resume = RunEvent::Resumed { by: Actor::Gateway };
        let all = [RunEvent::Selected, RunEvent::Calibrated, stop.clone(), resume.clone(), RunEvent::Ended];
        for (so_far, fitting) in [
            (vec![], vec![RunEvent::Selected]),
            (vec![RunEvent::Selected], vec![RunEvent::Calibrated, stop.clone(), RunEvent::Ended]),
            (vec![RunEvent::Selected, stop.clone()], vec![resume]),
            (vec![RunEvent::Selected, RunEvent::Ended], vec![]),
        ] {
            for event in &all {
                let mut run = fresh();
                so_far.iter().for_each(|event| run.apply(event, at).unwrap());
                assert_eq!(run.apply(event, at).is_ok(), fitting.contains(event), "{so_far:?} then {event:?}");
            }
        }
    }
}
