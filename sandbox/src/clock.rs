//! The sandbox's own time: the machine's, or one set from the management port that then runs on. Every date of the
//! simulated bank (operations, card expiry, page time-outs, NUMQUESTION days) comes from here.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// A clock that can be moved. PAYBOX's civil days are those of Paris.
#[derive(Debug, Clone)]
pub struct Clock {
    ahead: SignedDuration,
    paris: TimeZone,
}

impl Default for Clock {
    fn default() -> Self {
        Self { ahead: SignedDuration::ZERO, paris: TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC) }
    }
}

impl Clock {
    /// The present instant of the sandbox.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let machine = Timestamp::now();
        machine.checked_add(self.ahead).unwrap_or(machine)
    }

    /// The present instant as PAYBOX writes it.
    #[must_use]
    pub fn paris(&self) -> Zoned {
        self.now().to_zoned(self.paris.clone())
    }

    /// Moves the clock to `now`, or back to the machine's time.
    pub fn set(&mut self, now: Option<Timestamp>) {
        self.ahead = now.map_or(SignedDuration::ZERO, |now| now.duration_since(Timestamp::now()));
    }
}
