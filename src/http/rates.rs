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
use tokio::time::{Instant, timeout};

use super::problem::{Code, Problem};
use crate::{
    app::App,
    domain::bucket::{self, Bucket, Spent},
};

/// Requests that one name may make in a minute, and at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub per_minute: u32,
}

impl Rate {
    fn rate(self) -> bucket::Rate {
        bucket::Rate::per_minute(self.per_minute)
    }
}

/// Buckets by name, of this process.
pub(super) struct Rates {
    rate: Rate,
    begun: Instant,
    buckets: Mutex<BTreeMap<String, Bucket>>,
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
/// How long a request waits to hear how many there were at other gateways.
const SHARED_WITHIN: Duration = Duration::from_millis(200);

impl Rates {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, begun: Instant::now(), buckets: Mutex::default() }
    }

    /// Takes a token for the request under way, of those that all gateways share, and has its answer tell what is left.
    /// Where the store does not say in time, what was asked of this process alone counts.
    pub(super) async fn spend(&self, app: &App, name: &str) -> Result<(), Problem> {
        let spent = match timeout(SHARED_WITHIN, app.spend_request(name, self.rate.rate())).await {
            Ok(Ok(spent)) => spent,
            Ok(Err(_)) | Err(_) => self.take(name, Instant::now()),
        };
        let left = left(self.rate, spent);
        // Outside a request there is nobody to tell.
        let _ = LEFT.try_with(|slot| slot.set(Some(left)));
        if left.allowed {
            return Ok(());
        }
        let seconds = u32::try_from(left.more_in.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Err(Problem { retry_after: Some(seconds), ..Problem::of(Code::RateLimited) })
    }

    /// Whether `name` has a token of this process, which is taken.
    pub(super) fn allows(&self, name: &str) -> bool {
        self.take(name, Instant::now()).allowed
    }

    fn take(&self, name: &str, now: Instant) -> Spent {
        let now = now.duration_since(self.begun);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_NAMES {
            buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        buckets.entry(name.to_owned()).or_default().spend(self.rate.rate(), now)
    }
}

fn left(Rate { per_minute }: Rate, Spent { allowed, missing }: Spent) -> Left {
    let limit = per_minute.max(1);
    let price = WINDOW / limit;
    let earned = WINDOW.saturating_sub(missing);
    let remaining = u32::try_from(earned.as_nanos() / price.as_nanos().max(1)).unwrap_or(u32::MAX);
    let full_in = Duration::from_secs(missing.as_millis().div_ceil(1_000).try_into().unwrap_or(60));
    Left { limit, remaining: remaining.min(limit), more_in: price.saturating_sub(earned), full_in, allowed }
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
    fn what_is_left_is_told() {
        let rates = Rates::new(Rate { per_minute: 3 });
        let start = Instant::now();
        let take = |name, at| left(rates.rate, rates.take(name, start + at));
        let remaining: Vec<u32> = (0..3).map(|_| take("a", Duration::ZERO).remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        let empty = take("a", Duration::ZERO);
        assert!(!empty.allowed && empty.more_in == Duration::from_secs(20), "{empty:?}");
        assert_eq!(empty.full_in, WINDOW);
        assert!(take("b", Duration::ZERO).allowed, "another's bucket is another's");
        assert!(take("a", Duration::from_secs(20)).allowed);
        assert!(!take("a", Duration::from_secs(21)).allowed);
        let rested = take("a", Duration::from_secs(3_600));
        assert_eq!((rested.allowed, rested.remaining), (true, 2), "no more than a minute's worth is saved");
    }
}
