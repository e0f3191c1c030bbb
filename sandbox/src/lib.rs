//! A PAYBOX on loopback: the hosted card page with 3-D Secure, signed notifications and browser returns, server-to-server
//! questions over TLS, one ledger that is the bank's truth, and misbehaviour on demand.
//!
//! It shares no code with the gateway that it tests. What both must agree on is written in `contracts/`, as vectors
//! made by third tools. It listens on 127.0.0.1 only, calls loopback only, and holds nothing of value.
//!
//! Start reading at [`serve::start`]; the payer's walk is [`page::walk`], the questions are [`direct::exchange`], the
//! judge of "exactly once" is [`ledger`].

pub mod cards;
pub mod clock;
pub mod config;
pub mod direct;
pub mod error;
pub mod faults;
pub mod files;
pub mod http;
pub mod journal;
pub mod keys;
pub mod ledger;
pub mod load;
pub mod log;
pub mod manage;
pub mod notify;
pub mod outcomes;
pub mod page;
pub mod random;
pub mod serve;
pub mod subscribers;
pub mod switches;
pub mod wire;
pub mod world;
