//! What every store must do, as one suite. A store joins by implementing `Harness` and naming itself in a `contract!`;
//! what is peculiar to it is tested beside that.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else than it expects has failed"
)]

#[path = "store_contract/commits.rs"]
mod commits;
#[path = "store_contract/copies.rs"]
mod copies;
#[path = "store_contract/endurance.rs"]
mod endurance;
#[path = "store_contract/feeds.rs"]
mod feeds;
#[path = "store_contract/fixtures.rs"]
mod fixtures;
#[path = "store_contract/harness.rs"]
mod harness;
#[path = "store_contract/keeping.rs"]
mod keeping;
#[path = "store_contract/lists.rs"]
mod lists;
#[path = "store_contract/races.rs"]
mod races;
#[path = "store_contract/ready.rs"]
mod ready;
#[path = "store_contract/redis.rs"]
mod redis;
#[path = "store_contract/redis_faults.rs"]
mod redis_faults;
#[path = "store_contract/redis_losses.rs"]
mod redis_losses;
#[path = "store_contract/redis_promises.rs"]
mod redis_promises;
#[path = "store_contract/redis_servers.rs"]
mod redis_servers;
#[path = "store_contract/redis_sizes.rs"]
mod redis_sizes;
#[path = "store_contract/sqlite.rs"]
mod sqlite;
#[path = "store_contract/sqlite_faults.rs"]
mod sqlite_faults;
#[path = "store_contract/sqlite_schema.rs"]
mod sqlite_schema;
#[path = "store_contract/turns.rs"]
mod turns;
