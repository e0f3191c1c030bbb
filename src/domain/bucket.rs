//! How often something may happen: what is earned with time, up to what may be saved, and what is spent of it.

use std::time::Duration;

/// What one name has earned. Kept as the moment at which nothing will be missing any more: no fractions, no floats, and
/// no two numbers that could disagree. Moments are counted from some fixed one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    full_at: Duration,
}

/// What it costs to do something once, and how much may be saved for it: both in the time that it takes to earn it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub price: Duration,
    pub saved: Duration,
}

impl Rate {
    /// So many in a minute, and as many at once.
    pub fn per_minute(number: u32) -> Self {
        let saved = Duration::from_secs(60);
        Self { price: saved / number.max(1), saved }
    }
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    pub allowed: bool,
    /// What is missing until as much is saved as may be.
    pub missing: Duration,
}

impl Bucket {
    /// What the moment is at which it will be full, as [`Bucket::full_at`] told.
    pub fn of(full_at: Duration) -> Self {
        Self { full_at }
    }

    pub fn full_at(self) -> Duration {
        self.full_at
    }

    /// Spends the price, if as much is there.
    pub fn spend(&mut self, rate: Rate, now: Duration) -> Spent {
        let missing = self.full_at.saturating_sub(now).min(rate.saved);
        let allowed = missing.saturating_add(rate.price) <= rate.saved;
        let missing = if allowed { missing.saturating_add(rate.price) } else { missing };
        self.full_at = now.saturating_add(missing);
        Spent { allowed, missing }
    }

    /// Takes the next turn of those that come one every `every`, and tells how long it is until then.
    pub fn turn(&mut self, every: Duration, now: Duration) -> Duration {
        let at = self.full_at.max(now);
        self.full_at = at.saturating_add(every);
        at.saturating_sub(now)
    }

    /// A bucket that is full is as good as none.
    pub fn is_full(self, now: Duration) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let rate = Rate::per_minute(3);
        let (mut bucket, start) = (Bucket::default(), 1_000 * SECOND);
        let mut spend = |at| {
            let spent = bucket.spend(rate, start + at);
            (spent.allowed, spent.missing)
        };
        for missing in [20, 40, 60] {
            assert_eq!(spend(Duration::ZERO), (true, missing * SECOND));
        }
        assert_eq!(spend(Duration::ZERO), (false, 60 * SECOND), "what is refused costs nothing");
        assert_eq!(spend(20 * SECOND), (true, 60 * SECOND));
        assert_eq!(spend(21 * SECOND), (false, 59 * SECOND));
        assert_eq!(spend(3_600 * SECOND), (true, 20 * SECOND), "no more than a minute's worth is saved");
        assert_eq!(spend(Duration::ZERO), (false, 60 * SECOND), "a clock that is set back takes nothing for ever");
    }

    #[test]
    fn turns_come_one_after_the_other() {
        let (mut bucket, start) = (Bucket::default(), 1_000 * SECOND);
        let mut turn = |at| bucket.turn(SECOND, start + at);
        assert_eq!(
            [turn(Duration::ZERO), turn(Duration::ZERO), turn(Duration::ZERO)],
            [Duration::ZERO, SECOND, 2 * SECOND]
        );
        assert_eq!(turn(SECOND / 2), 5 * SECOND / 2);
        assert_eq!(turn(60 * SECOND), Duration::ZERO, "turns that nobody took are not saved");
    }
}
