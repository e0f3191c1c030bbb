//! Files read well and badly, and ledgers held against them.

mod drifts;
mod files;
