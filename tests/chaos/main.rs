//! The real binary when the world fails it: killed, cut off, traced, and on bad disks. Whatever happens, the bank's own
//! ledger is the judge.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should fail loudly"
)]

mod bench;
mod calendar;
#[path = "../gateway/client.rs"]
#[allow(dead_code, reason = "tests/gateway uses the rest")]
mod client;
mod cuts;
mod disk;
mod disks;
mod durability;
mod failovers;
mod faults;
mod gateways;
mod judge;
mod kills;
mod life;
mod mortal;
#[path = "../gateway/payer.rs"]
#[allow(dead_code, reason = "tests/gateway uses the rest")]
mod payer;
mod portal;
#[path = "../gateway/receiver.rs"]
#[allow(dead_code, reason = "tests/gateway uses the rest")]
mod receiver;
#[path = "../store_contract/redis_servers.rs"]
#[allow(dead_code, reason = "tests/store_contract uses the rest")]
mod redis_servers;
mod relay;
#[path = "../simulation/rng.rs"]
#[allow(dead_code, reason = "tests/simulation uses the rest")]
mod rng;
mod shared;
mod store;
mod switch;
mod trace;
mod traffic;
mod wire;

/// A number from the environment, as `make chaos` gives it.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map_or(otherwise, |text| text.parse().unwrap())
}
