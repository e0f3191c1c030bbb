//! The clocks of the machine. Instants are whole microseconds, because that is what stores keep: an instant that comes
//! back from a store equals the one that went in.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::sleep;

use crate::ports::{Clock, ClockHand};

/// The timer stands still while the machine is suspended; so the time is looked at again this often.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.wall()
    }

    fn wall(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn since_boot(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        // Neither part is ever negative: the clock starts at 0 and nobody can set it.
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    async fn sleep_until(&self, moment: Duration) {
        while let Some(rest) = next_look(moment, self.since_boot()) {
            sleep(rest).await;
        }
    }
}

/// The clock of the operating system, put forward.
#[derive(Debug, Default)]
pub struct TestClock {
    /// In microseconds.
    ahead: AtomicU64,
}

impl ClockHand for TestClock {
    fn ahead(&self) -> Duration {
        Duration::from_micros(self.ahead.load(Ordering::SeqCst))
    }

    fn set_ahead(&self, ahead: Duration) {
        self.ahead.fetch_max(u64::try_from(ahead.as_micros()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let ahead = SignedDuration::try_from(self.ahead()).unwrap_or(SignedDuration::MAX);
        self.wall().checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    fn wall(&self) -> Timestamp {
        SystemClock.wall()
    }

    fn since_boot(&self) -> Duration {
        SystemClock.since_boot()
    }

    async fn sleep_until(&self, moment: Duration) {
        SystemClock.sleep_until(moment).await;
    }
}

/// How long to sleep before the time is looked at again; `None` when `moment` is there.
fn next_look(moment: Duration, now: Duration) -> Option<Duration> {
    let rest = moment.checked_sub(now).filter(|rest| !rest.is_zero())?;
    // The millisecond is added because the timer counts in them, so that the last round does not spin.
    Some(rest.saturating_add(Duration::from_millis(1)).min(LOOK_AGAIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_whole_microseconds() {
        let ahead = TestClock::default();
        ahead.set_ahead(Duration::from_nanos(86_400_000_001_999));
        for now in [SystemClock.now(), ahead.now(), ahead.wall()] {
            assert_eq!(now.subsec_nanosecond() % 1_000, 0);
        }
    }

    #[test]
    fn time_since_boot_never_goes_back() {
        let first = SystemClock.since_boot();
        assert!(first > Duration::ZERO);
        assert!(SystemClock.since_boot() >= first);
    }

    #[tokio::test]
    async fn sleeping_ends_at_the_moment_or_later_whatever_the_wall_clock_says() {
        for away in [Duration::ZERO, Duration::from_micros(300), Duration::from_millis(3)] {
            for clock in [&SystemClock as &dyn Clock, &TestClock::default()] {
                let until = clock.since_boot() + away;
                clock.sleep_until(until).await;
                assert!(clock.since_boot() >= until, "{away:?}");
            }
        }
        SystemClock.sleep_until(Duration::ZERO).await;
    }

    #[test]
    fn nobody_sleeps_longer_than_the_time_that_is_left() {
        let seconds = Duration::from_secs;
        let but_a_millisecond = |rest: Duration| rest + Duration::from_millis(1);
        for (moment, now, rest) in [(10, 7, Some(but_a_millisecond(seconds(3)))), (10, 10, None), (10, 11, None)] {
            assert_eq!(next_look(seconds(moment), seconds(now)), rest);
        }
        assert_eq!(next_look(seconds(86_400), seconds(0)), Some(LOOK_AGAIN));
    }

    #[test]
    fn a_test_clock_only_goes_forward_and_leaves_the_machine_alone() {
        let clock = TestClock::default();
        let hours = |hours: u64| Duration::from_secs(3_600 * hours);
        for (set, expected) in [(0, 0), (48, 48), (1, 48), (49, 49)] {
            clock.set_ahead(hours(set));
            assert_eq!(clock.ahead(), hours(expected), "{set}");
        }
        let apart = clock.now().duration_since(clock.wall());
        assert!((SignedDuration::from_hours(49) - apart).abs() < SignedDuration::from_secs(5), "{apart}");
        clock.set_ahead(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }
}
