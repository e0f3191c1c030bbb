//! What an order may become, and why. Pure: values in, values out; no clock, no I/O, no randomness, no `async`
//! (`tests/tidy.rs` checks it).

pub mod money;
