//! The world behind the ports: the bank, where things are kept, what time it is, what nobody can guess, who is
//! told.

pub mod alarms;
pub mod clock;
pub mod entropy;
pub mod journal;
mod kept;
pub mod page_hosts;
pub mod ppps;
pub mod redis;
pub mod sandbox_clock;
pub mod sqlite;
mod turns;
pub mod vault;
pub mod webhook;
