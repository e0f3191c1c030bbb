//! The world behind the ports: where things are kept, what time it is, what nobody can guess.

pub mod clock;
pub mod entropy;
pub mod sqlite;
pub mod vault;
