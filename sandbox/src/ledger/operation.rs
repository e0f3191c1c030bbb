//! One operation of the ledger: its numbers, its amounts, its state, and where it comes from.

use crate::cards::CardUse;
use jiff::Timestamp;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Authorised and captured in one go.
    Payment,
    /// Authorised; captured later, or never.
    Authorisation,
    /// Money back, under the call number of a payment.
    Refund,
    /// Money out without a payment behind it.
    Credit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Authorised,
    Captured,
    Cancelled,
    Refunded,
    Credit,
    Refused,
}

impl Status {
    /// The word that TYPE 00017 answers.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::Authorised => "Autorisé",
            Self::Captured => "Capturé",
            Self::Cancelled => "Annulé",
            Self::Refunded => "Remboursé",
            Self::Credit => "Crédit",
            Self::Refused => "Refusé",
        }
    }
}

/// Who an operation belongs to: a merchant sees its own only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Merchant {
    pub site: String,
    pub rang: u32,
}

/// One operation. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operation {
    pub numtrans: u64,
    pub numappel: u64,
    #[serde(flatten)]
    pub merchant: Merchant,
    pub reference: String,
    pub amount: u64,
    pub currency: String,
    pub kind: Kind,
    pub status: Status,
    /// The answer of the operation, `00000` when accepted.
    pub code: String,
    /// What was captured of `amount`, refunds not deducted.
    pub captured: u64,
    pub refunded: u64,
    /// The settlement batch that took it, once it has been settled.
    pub settled_remise: Option<u64>,
    pub at: Timestamp,
    /// Not sent to settlement before this instant (PBX_DIFF).
    pub settle_from: Timestamp,
    pub authorisation: String,
    pub card_type: String,
    pub card_last2: String,
    pub archivage: String,
    /// The NUMTRANS of the payment that a refund gives back.
    pub refund_of: Option<u64>,
}

/// Where an operation comes from. Apart from [`Operation`], so that a test can book a plain payment without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The TYPE of the question that made it, or `page`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The subscriber that it was made for, or that it registered.
    pub refabonne: Option<String>,
    /// An authorisation that nobody captured in time.
    pub lapsed: bool,
    /// What is known of the card.
    #[serde(skip)]
    pub card: Option<CardUse>,
}

impl Origin {
    /// An operation of the hosted page.
    pub const PAGE: &'static str = "page";

    /// Whether one of the subscriber's TYPEs (00051 to 00061) made it.
    #[must_use]
    pub fn is_of_subscriber_type(&self) -> bool {
        self.kind.starts_with("0005") || self.kind == "00061"
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self { kind: Self::PAGE, refabonne: None, lapsed: false, card: None }
    }
}

/// An operation and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    #[serde(flatten)]
    pub operation: Operation,
    #[serde(flatten)]
    pub origin: Origin,
}
