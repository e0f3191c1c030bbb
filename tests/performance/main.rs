//! How fast the real binary is, as ratios of one run: A B A B on one machine, because absolute figures of a shared one mean
//! nothing. Nothing here fails for being slow: `make bench` prints, and the short form in `make test` sees that all of the
//! work was done. What was found is in docs/PERFORMANCE.md.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should fail loudly"
)]

#[path = "../chaos/bench.rs"]
#[allow(dead_code, reason = "tests/chaos uses the rest")]
mod bench;
mod checkouts;
#[path = "../gateway/client.rs"]
#[allow(dead_code, reason = "tests/gateway uses the rest")]
mod client;
mod debits;
mod flushes;
#[path = "../chaos/life.rs"]
#[allow(dead_code, reason = "tests/chaos uses the rest")]
mod life;
#[path = "../chaos/mortal.rs"]
mod mortal;
mod notifications;
#[path = "../gateway/payer.rs"]
#[allow(dead_code, reason = "tests/gateway uses the rest")]
mod payer;
#[path = "../chaos/portal.rs"]
#[allow(dead_code, reason = "tests/chaos uses the rest")]
mod portal;
mod ratio;
mod reads;
#[path = "../store_contract/redis_servers.rs"]
#[allow(dead_code, reason = "tests/store_contract uses the rest")]
mod redis_servers;
mod rig;
#[path = "../chaos/store.rs"]
#[allow(dead_code, reason = "tests/chaos uses the rest")]
mod store;

/// How much of something there is: in `make test`, and in `make bench`.
fn sized(short: usize, long: usize) -> usize {
    if std::env::var_os("BENCH").is_some() { long } else { short }
}
