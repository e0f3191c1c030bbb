//! The clocks of the machine. Instants are whole microseconds, because that is what stores keep: an instant that comes
//! back from a store equals the one that went in.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

use crate::ports::Clock;

/// The wall clock may be set, and the timer stands still while the machine is suspended; so the wall clock is looked at
/// again this often.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn wall(&self) -> Timestamp {
        self.now()
    }

    fn since_boot(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        // Neither part is ever negative: the clock starts at 0 and nobody can set it.
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    async fn sleep_until(&self, instant: Timestamp) {
        // A negative distance does not convert: the instant has passed. The millisecond is added because the timer
        // counts in them, so that the last round does not spin.
        while let Ok(rest) = Duration::try_from(instant.duration_since(Timestamp::now())) {
            if rest.is_zero() {
                return;
            }
            tokio::time::sleep(rest.saturating_add(Duration::from_millis(1)).min(LOOK_AGAIN)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_whole_microseconds() {
        assert_eq!(SystemClock.now().subsec_nanosecond() % 1_000, 0);
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
            let until = SystemClock.now() + away;
            SystemClock.sleep_until(until).await;
            assert!(SystemClock.now() >= until, "{away:?}");
        }
        SystemClock.sleep_until(Timestamp::MIN).await;
    }
}
