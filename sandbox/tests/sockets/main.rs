//! The sandbox seen from outside, over real sockets.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod bench;
mod cards;
mod direct;
mod disturbed;
mod subscribers;
mod walk;
