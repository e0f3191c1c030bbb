//! What an order may become, and why. Pure: values in, values out; no clock, no I/O, no randomness, no `async`
//! (`tests/tidy.rs` checks it).
//!
//! Every change is `decide(order, command, now) -> events`, then `apply(order, event)`. An order owns all that must
//! agree: its lines, schedule, checkouts, attempts at the bank and ledger.

pub mod actor;
pub mod attempt;
pub mod bank;
pub mod bucket;
pub mod card;
pub mod chain;
pub mod checkout;
pub mod correction;
pub mod event;
pub mod fault;
pub mod give_back;
pub mod hold;
pub mod ids;
pub mod ledger;
pub mod line;
pub mod money;
pub mod numbers;
pub mod order;
pub mod payer;
pub mod plan;
pub mod policy;
pub mod position;
pub mod purpose;
pub mod quarantine;
pub mod reconcile;
pub mod retry;
pub mod run;
pub mod schedule;
pub mod statement;
pub mod subscriber;
pub mod template;
pub mod text;
pub mod webhook;
pub mod witness;
