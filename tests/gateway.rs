//! The gateway as its users meet it: the real binary, real sockets, a sandbox that plays PAYBOX.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should fail loudly"
)]

#[path = "gateway/access.rs"]
mod access;
#[path = "gateway/bench.rs"]
mod bench;
#[path = "gateway/callbacks.rs"]
mod callbacks;
#[path = "gateway/client.rs"]
mod client;
#[path = "gateway/configuration.rs"]
mod configuration;
#[path = "gateway/corrections.rs"]
mod corrections;
#[path = "gateway/debit_runs.rs"]
mod debit_runs;
#[path = "gateway/debit_troubles.rs"]
mod debit_troubles;
#[path = "gateway/debits.rs"]
mod debits;
#[path = "gateway/imports.rs"]
mod imports;
#[path = "gateway/input.rs"]
mod input;
#[path = "gateway/limits.rs"]
mod limits;
#[path = "gateway/payer.rs"]
mod payer;
#[path = "gateway/paying.rs"]
mod paying;
#[path = "gateway/plan_bench.rs"]
mod plan_bench;
#[path = "gateway/plan_cards.rs"]
mod plan_cards;
#[path = "gateway/plans.rs"]
mod plans;
#[path = "gateway/receiver.rs"]
mod receiver;
#[path = "gateway/reconcile.rs"]
mod reconcile;
#[path = "gateway/settlements.rs"]
mod settlements;
#[path = "gateway/shared.rs"]
mod shared;
#[path = "gateway/surplus.rs"]
mod surplus;
#[path = "gateway/test_clock.rs"]
mod test_clock;
#[path = "gateway/webhook_endpoints.rs"]
mod webhook_endpoints;
#[path = "gateway/webhooks.rs"]
mod webhooks;
