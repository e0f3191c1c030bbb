//! One day's debits of one merchant: started once, whoever asks and how often.
//!
//! ```text
//!  selecting ──every order that is due was asked──▶ running ──nothing is left to send──▶ ended
//!                                                     │ ▲
//!     PAYBOX refuses us, or the banks of three cards  ▼ │ mended, and resumed by a person
//!                                                   stopped
//! ```
//! What became of each debit is its order's business; a run holds only what is true of the whole, so that it is written a
//! few times and not once for each debit.

use std::collections::BTreeSet;

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::{actor::Actor, ids::OrderId, order::Impossible};

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
    /// Orders whose debit came back, since the run was started or resumed, with a fault of ours that may be a matter of
    /// one card.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rebuffed: BTreeSet<OrderId>,
    /// The bank has not answered anybody since it was last asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

/// PAYBOX's own code for a card that is not the one it should be.
const CARD_DIFFERS: &str = "00029";
/// From so many orders on it is no matter of their cards.
const REBUFFS: usize = 3;

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
    /// The bank says that the fault is ours, by a code that comes from the side of the card.
    Rebuffed {
        order: OrderId,
        code: String,
    },
    /// The bank does not answer: nothing leaves until it does.
    Silenced {
        why: String,
    },
    /// It answers again.
    Heard,
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
        Self {
            date,
            started_at: now,
            started_by: by,
            state: RunState::Selecting,
            calibrated: false,
            rebuffed: BTreeSet::new(),
            silent: false,
        }
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
            (RunEvent::Silenced { .. }, RunState::Running) => self.silent = true,
            (RunEvent::Heard, RunState::Running) => self.silent = false,
            (RunEvent::Rebuffed { order, code }, RunState::Running) => {
                self.rebuffed.insert(*order);
                if self.rebuffed.len() >= REBUFFS {
                    self.state = RunState::Stopped { at, code: code.clone() };
                }
            }
            (RunEvent::Resumed { .. }, RunState::Stopped { .. }) => {
                self.rebuffed.clear();
                self.state = RunState::Running;
            }
            (RunEvent::Ended, RunState::Running) => self.state = RunState::Ended { at },
            _ => return Err(Impossible("what happened does not fit the run")),
        }
        Ok(())
    }

    /// What it means for a run that the debit of `order` was answered with a code which says that we are at fault. PAYBOX
    /// itself knows us by our contract alone; what comes from beyond it may be what one bank makes of one card.
    pub fn refused_us(order: OrderId, code: &str) -> RunEvent {
        let code = code.to_owned();
        if code.starts_with("000") && code != CARD_DIFFERS {
            RunEvent::Stopped { code }
        } else {
            RunEvent::Rebuffed { order, code }
        }
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
        let (silenced, heard) = (RunEvent::Silenced { why: "-".to_owned() }, RunEvent::Heard);
        let running = vec![silenced.clone(), heard.clone(), RunEvent::Calibrated, stop.clone(), RunEvent::Ended];
        let all =
            [RunEvent::Selected, silenced, heard, RunEvent::Calibrated, stop.clone(), resume.clone(), RunEvent::Ended];
        for (so_far, fitting) in [
            (vec![], vec![RunEvent::Selected]),
            (vec![RunEvent::Selected], running),
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

    #[test]
    fn one_payers_bank_stops_nobody_elses_debits() {
        let at: Timestamp = "2026-12-10T06:00:00Z".parse().unwrap();
        let mut run = Run::start(Date::constant(2026, 12, 10), Actor::Gateway, at);
        run.apply(&RunEvent::Selected, at).unwrap();
        for code in ["00002", "00006", "00007", "00010", "00011", "00012", "00013", "00014", "00020", "00026"] {
            assert_eq!(Run::refused_us(OrderId::from_bits(1), code), RunEvent::Stopped { code: code.to_owned() });
        }
        for round in 0..2_u8 {
            let codes = [(1, "00103"), (1, "00113"), (2, "00029"), (1, "00158"), (3, "00160")];
            for (order, code) in codes {
                assert_eq!(run.state, RunState::Running, "{round}: before {code} of {order}");
                run.apply(&Run::refused_us(OrderId::from_bits(order), code), at).unwrap();
            }
            assert_eq!(run.state, RunState::Stopped { at, code: "00160".to_owned() }, "the third order");
            run.apply(&RunEvent::Resumed { by: Actor::Gateway }, at).unwrap();
        }
    }
}
