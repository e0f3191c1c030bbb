//! The shipped core and use cases under a simulated world: seeded store, bank, clock, payers and crashes. Everything that
//! happens follows from a seed, and the bank's own ledger is the judge.
//!
//! `SEEDS` is how many worlds are lived through, `SEED` shows one of them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a simulation that finds something else than it expects has failed"
)]

mod accounts;
mod answers;
mod backups;
mod bank;
mod campaign;
mod corrections;
mod finale;
mod forger;
mod happening;
mod imports;
mod invariants;
mod journal;
mod line;
mod moves;
mod nature;
mod outside;
mod payer;
mod planted;
mod ports;
mod rng;
mod rounds;
mod run;
mod school;
mod statements;
mod store;
mod wishes;
mod world;
