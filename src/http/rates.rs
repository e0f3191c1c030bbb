//! How often each may ask: a bucket of tokens for every API key, so that a portal gone wild keeps no other out, and one
//! for what strangers send under PAYBOX's name.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderValue, Response},
};
use tokio::time::Instant;

use super::problem::{Code, Problem};

/// Requests that one name may make in a minute, and at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub per_minute: u32,
}

/// Buckets by name.
pub(super) struct Rates {
    rate: Rate,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

/// Tokens are counted in the nanoseconds that it takes to earn them: no fractions, no floats.
struct Bucket {
    earned: Duration,
    at: Instant,
}

/// What a name has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    limit: u32,
    remaining: u32,
    /// Until there is one more.
    more_in: Duration,
    /// Until there is a minute's worth again, in whole seconds.
    full_in: Duration,
    allowed: bool,
}

const WINDOW: Duration = Duration::from_secs(60);
/// Names that are remembered; keys and merchants are few.
const MAX_NAMES: usize = 10_000;

impl Rates {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    /// Takes a token for the request under way, and has its answer tell what is left.
    pub(super) fn spend(&self, name: &str) -> Result<(), Problem> {
        let left = self.take(name, Instant::now());
        // Outside a request there is nobody to tell.
        let _ = LEFT.try_with(|slot| slot.set(Some(left)));
        if left.allowed {
            return Ok(());
        }
        let seconds = u32::try_from(left.more_in.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Err(Problem { retry_after: Some(seconds), ..Problem::of(Code::RateLimited) })
    }

    /// Whether `name` has a token, which is taken.
    pub(super) fn allows(&self, name: &str) -> bool {
        self.take(name, Instant::now()).allowed
    }

    /// Takes a token of `name`, if it has one.
    fn take(&self, name: &str, now: Instant) -> Left {
        let limit = self.rate.per_minute.max(1);
        let price = WINDOW / limit;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_NAMES {
            // A full bucket is as good as none.
            buckets.retain(|_, bucket| bucket.earned + now.duration_since(bucket.at) < WINDOW);
        }
        let bucket = buckets.entry(name.to_owned()).or_insert(Bucket { earned: WINDOW, at: now });
        bucket.earned = (bucket.earned + now.duration_since(bucket.at)).min(WINDOW);
        bucket.at = now;
        let allowed = bucket.earned >= price;
        if allowed {
            bucket.earned -= price;
        }
        let remaining = u32::try_from(bucket.earned.as_nanos() / price.as_nanos().max(1)).unwrap_or(u32::MAX);
        let short = price.saturating_sub(bucket.earned);
        let full_in = Duration::from_secs(
            WINDOW.saturating_sub(bucket.earned).as_millis().div_ceil(1_000).try_into().unwrap_or(60),
        );
        Left { limit, remaining: remaining.min(limit), more_in: short, full_in, allowed }
    }
}

/// Runs a request and has its answer tell what its key has left, in the headers of the IETF's draft.
pub(super) async fn told(request: impl Future<Output = Response<Body>>) -> Response<Body> {
    LEFT.scope(Cell::new(None), async {
        let mut response = request.await;
        if let Some(left) = LEFT.with(Cell::get) {
            let policy = format!("\"key\";q={};w={}", left.limit, WINDOW.as_secs());
            let rest = format!("\"key\";r={};t={}", left.remaining, left.full_in.as_secs());
            for (name, value) in [("ratelimit-policy", policy), ("ratelimit", rest)] {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    response.headers_mut().insert(name, value);
                }
            }
        }
        response
    })
    .await
}

tokio::task_local! {
    /// What the key of the request under way has left.
    static LEFT: Cell<Option<Left>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let rates = Rates::new(Rate { per_minute: 3 });
        let start = Instant::now();
        let remaining: Vec<u32> = (0..3).map(|_| rates.take("a", start).remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        let empty = rates.take("a", start);
        assert!(!empty.allowed && empty.more_in == Duration::from_secs(20), "{empty:?}");
        assert!(rates.take("b", start).allowed, "another's bucket is another's");
        assert!(rates.take("a", start + Duration::from_secs(20)).allowed);
        assert!(!rates.take("a", start + Duration::from_secs(21)).allowed);
        let rested = rates.take("a", start + Duration::from_secs(3_600));
        assert_eq!((rested.allowed, rested.remaining), (true, 2), "no more than a minute's worth is saved");
    }
}
