//! Paying in instalments: asked for by the payer, answered by accounting, begun by a card payment.
//!
//! ```text
//!  requested ──▶ approved ──first instalment captured──▶ active ──▶ ended
//!    │  └──▶ refused  └──▶ withdrawn
//!    └──▶ withdrawn
//! ```
//! A failed debit does not end a plan: its instalment waits, or is in arrears, and the plan is past due.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    actor::Actor,
    correction::Cut,
    ids::OrderId,
    money::Money,
    subscriber::PlanCard,
    template::{Split, Template},
    text::Text,
};

/// The most plans that may be asked for one order, one after the other.
pub const MAX_PLANS: usize = 50;
/// The longest reason that accounting gives, in characters.
pub const MAX_REASON: usize = 500;
/// The version of the words that payers accept; whoever changes them raises it.
pub const CONSENT_VERSION: u32 = 1;

/// One request to pay in instalments, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// From 1 within the order.
    pub number: u32,
    /// The template's code.
    pub template: String,
    /// In which its dates are meant.
    pub time_zone: String,
    /// Card types that it does not take, besides those that no plan takes.
    pub refused_cards: Vec<String>,
    pub requested_at: Timestamp,
    pub requested_by: Actor,
    pub amounts: Vec<Money>,
    /// What approval and consent are bound to.
    pub terms: String,
    pub state: PlanState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PlanState {
    Requested,
    Approved { at: Timestamp, by: Actor },
    Refused { at: Timestamp, by: Actor, reason: Text },
    Withdrawn { at: Timestamp },
    Active { since: Timestamp, card: Box<PlanCard>, paused: bool },
    Ended { at: Timestamp, how: PlanEnd },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanEnd {
    /// All is paid.
    Completed,
    /// Accounting ended it; what is unpaid stays owed.
    Cancelled,
    /// Its payer does not pay; all that is unpaid is owed at once.
    Defaulted,
}

/// What the payer agreed to: proof of the mandate to debit the card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub at: Timestamp,
    pub text_version: u32,
    /// [`offer_hash`] of what was shown.
    pub offer: String,
}

impl Plan {
    /// Whether accounting may still answer it.
    pub fn is_requested(&self) -> bool {
        matches!(self.state, PlanState::Requested)
    }

    pub fn is_approved(&self) -> bool {
        matches!(self.state, PlanState::Approved { .. })
    }

    /// The card that it debits, while it does.
    pub fn card(&self) -> Option<&PlanCard> {
        match &self.state {
            PlanState::Active { card, .. } => Some(card),
            PlanState::Requested
            | PlanState::Approved { .. }
            | PlanState::Refused { .. }
            | PlanState::Withdrawn { .. }
            | PlanState::Ended { .. } => None,
        }
    }

    pub fn is_paused(&self) -> bool {
        matches!(self.state, PlanState::Active { paused: true, .. })
    }
}

/// What approval is bound to: the order, the template as it is configured, the amounts.
pub fn terms_hash(order: OrderId, template: &Template, amounts: &[Money]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("guichet plan terms 1\n{order}\n{}\n", deal_of(template)));
    for amount in amounts {
        hash.update(format!("{} {}\n", amount.minor_units(), amount.currency().letters()));
    }
    hex(&hash.finalize())
}

/// The terms after a credit note: a chain, so that each version names the one before.
pub fn amended_terms(terms: &str, note: u32, cuts: &[Cut]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("guichet plan amended 1\n{terms}\n{note}\n"));
    for cut in cuts {
        hash.update(format!("{} {}\n", cut.instalment, cut.amount.minor_units()));
    }
    hex(&hash.finalize())
}

/// What a template decides of the deal itself; who may ask for it, and when, is no part of what was approved.
fn deal_of(template: &Template) -> String {
    let Template { code, count, split, day_of_month, time_zone, refused_cards, .. } = template;
    let split = match split {
        Split::Shares { percent } => format!("shares {}", percent.normalize()),
        Split::First { fixed } => format!("first {fixed:?}"),
    };
    format!("{code} {count} {split} {day_of_month} {time_zone} {}", refused_cards.join(","))
}

/// What a payer accepts on a given day: the terms, the dates that follow from that day, the words.
pub fn offer_hash(terms: &str, schedule: &[super::schedule::Instalment]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("guichet plan offer {CONSENT_VERSION}\n{terms}\n"));
    for due in schedule {
        hash.update(format!("{} {} {}\n", due.number, due.due, due.amount.minor_units()));
    }
    hex(&hash.finalize())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
