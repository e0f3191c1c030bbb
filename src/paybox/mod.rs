//! The facts of PAYBOX's wire. Pure: bytes in, values out; no clock, no I/O, no randomness, no `async`
//! (`tests/tidy.rs` checks it). Nothing outside this folder uses PAYBOX's own names.
