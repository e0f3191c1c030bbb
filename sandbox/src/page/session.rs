//! One opened page: the payer may try several cards under one call number.
//!
//! ```text
//!            ┌───────────────(another card)──────────────┐
//!            ▼                                           │
//! open ──▶ card ──▶ challenge ──▶ accepted            refused
//!            │  └──────┴────────────────────(code)───────▲
//!            ├──▶ cancelled
//!            └──▶ timed out (from card, challenge, refused)
//! ```

use crate::cards::CardUse;
use crate::page::request::PageRequest;
use jiff::Timestamp;

/// A page session.
#[derive(Debug)]
pub struct PageSession {
    pub request: PageRequest,
    pub shop_name: String,
    pub numappel: u64,
    /// After this instant the page answers 00030.
    pub closes_at: Timestamp,
    pub tries: u32,
    pub stage: Stage,
}

/// Where the payer stands.
#[derive(Debug)]
pub enum Stage {
    Card,
    Challenge(Challenge),
    Accepted(Attempt),
    /// `final_one` when no other card may be tried.
    Refused {
        attempt: Attempt,
        final_one: bool,
    },
    Cancelled,
    TimedOut,
}

impl Stage {
    /// A word for the management port.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Challenge(_) => "challenge",
            Self::Accepted(_) => "accepted",
            Self::Refused { .. } => "refused",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }
}

/// The issuer waits for the payer's code.
#[derive(Debug, Clone)]
pub struct Challenge {
    pub card: CardUse,
    /// The code that the payer reads on the page itself: there is no telephone here.
    pub expected: String,
    pub wrong_codes: u32,
}

/// The result of 3-D Secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreeDs {
    /// Letter O: Y, N or U.
    pub enrolled: char,
    /// Letter F: Y, A, U or N.
    pub authenticated: char,
    /// Letter G: O or N.
    pub guaranteed: char,
}

/// One concluded try.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub numtrans: u64,
    pub code: String,
    pub authorisation: String,
    /// Absent when the number typed was no card number at all.
    pub card: Option<CardUse>,
    pub three_ds: Option<ThreeDs>,
    /// The handle of the stored card, when letter U asked for one.
    pub token: Option<String>,
}
