//! The bank adapter over real sockets: against the sandbox, whose ledger is the judge, and against a server that says
//! exactly the bytes it is told to.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bench;
mod bytes;
mod kept_cards;
mod lateness;
mod raw;
mod sandbox;
mod secrets;
