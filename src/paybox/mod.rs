//! The facts of PAYBOX's wire. Pure: bytes in, values out; no clock, no I/O, no randomness, no `async`
//! (`tests/tidy.rs` checks it). Nothing outside this folder uses PAYBOX's own names.
//!
//! Out: [`page`] (the hosted payment page) and [`direct`] (server-to-server questions), both signed with [`hmac`].
//! In: [`callback`] (what the page reports, signed by PAYBOX, see [`rsa`]) and [`direct_answer`].

pub mod account;
pub mod billing;
pub mod callback;
pub mod calling_code;
pub mod card_token;
pub mod codes;
mod codes_table;
pub mod country;
pub mod direct;
pub mod direct_answer;
pub mod expiry;
pub mod field;
pub mod hmac;
pub mod page;
mod page_url;
mod paris;
pub mod phone;
pub mod retour;
pub mod rsa;
