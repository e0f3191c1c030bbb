//! The clocks of the machine. Instants are whole microseconds, because that is what stores keep: an instant that comes
//! back from a store equals the one that went in.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use tokio::{sync::watch, time::sleep};

use crate::ports::{Clock, ClockHand};

/// The wall clock may be set, and the timer stands still while the machine is suspended; so the wall clock is looked at
/// again this often.
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

    async fn sleep_until(&self, instant: Timestamp) {
        while let Some(rest) = next_look(instant, self.now()) {
            sleep(rest).await;
        }
    }
}

/// The clock of the operating system, put forward.
#[derive(Debug, Default)]
pub struct TestClock {
    /// In microseconds.
    ahead: watch::Sender<u64>,
}

impl ClockHand for TestClock {
    fn ahead(&self) -> Duration {
        Duration::from_micros(*self.ahead.borrow())
    }

    fn set_ahead(&self, ahead: Duration) {
        let new = u64::try_from(ahead.as_micros()).unwrap_or(u64::MAX);
        self.ahead.send_if_modified(|ahead| {
            let moves = new > *ahead;
            *ahead = new.max(*ahead);
            moves
        });
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

    async fn sleep_until(&self, instant: Timestamp) {
        // Before the first look at the clock: no move is missed.
        let mut moves = self.ahead.subscribe();
        while let Some(rest) = next_look(instant, self.now()) {
            tokio::select! {
                () = sleep(rest) => {}
                _ = moves.changed() => {}
            }
        }
    }
}

/// How long to sleep before the clock is looked at again; `None` when `instant` is there.
fn next_look(instant: Timestamp, now: Timestamp) -> Option<Duration> {
    // A negative distance does not convert: the instant has passed.
    let rest = Duration::try_from(instant.duration_since(now)).ok().filter(|rest| !rest.is_zero())?;
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
    async fn sleeping_ends_at_the_instant_or_later() {
        for away in [Duration::ZERO, Duration::from_micros(300), Duration::from_millis(3)] {
            for clock in [&SystemClock as &dyn Clock, &TestClock::default()] {
                let until = clock.now() + away;
                clock.sleep_until(until).await;
                assert!(clock.now() >= until, "{away:?}");
            }
        }
        SystemClock.sleep_until(Timestamp::MIN).await;
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

    #[tokio::test]
    async fn who_sleeps_wakes_when_the_clock_jumps() {
        let clock = TestClock::default();
        let until = clock.now() + Duration::from_secs(86_400);
        let jumps = async {
            sleep(Duration::from_millis(20)).await;
            clock.set_ahead(Duration::from_secs(10));
            sleep(Duration::from_millis(20)).await;
            clock.set_ahead(Duration::from_secs(86_400));
        };
        let both = async { tokio::join!(clock.sleep_until(until), jumps) };
        tokio::time::timeout(LOOK_AGAIN / 2, both).await.unwrap();
    }
}
