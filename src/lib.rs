//! guichet: the counter where you pay. A payment gateway between portals and PAYBOX.
//!
//! `domain` and `paybox` are pure: no clock, no I/O, no randomness, no `async`. `app` performs what they decide through
//! the ports of `ports`, which `adapters` implement; `http` is how strangers reach it. `docs/ARCHITECTURE.md` has the map.

pub mod adapters;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod failpoint;
pub mod http;
pub mod paybox;
pub mod planted;
pub mod ports;
