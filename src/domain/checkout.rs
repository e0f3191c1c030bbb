//! One signed form handed out, and all that was ever heard about it.
//!
//! ```text
//!  issued ──▶ refused ──▶ …                      a failure is never final while the page lives
//!    │  └──▶ superseded | expired | withdrawn    the page may still be paid: late money
//!    └──────any of these──▶ confirming ──▶ captured
//! ```
//! What was heard is kept as facts, never as a current state: the status is computed from all of them, so notifications
//! may come in any order, doubled or late, and end in the same place. A report of success is a hint; only what the
//! bank answers to our own question makes money.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    attempt::Host,
    bank::{ArchiveReference, Operation},
    ids::{CheckoutNumber, Reference, SubscriberReference, TokenDigest},
    money::Money,
    numbers::OperationNumber,
    payer::PostalAddress,
    plan::Consent,
    policy::{Policy, later},
    schedule::Instalment,
    subscriber::HeardCard,
};
use crate::planted::{self, Bug};

/// The most reports of one checkout that are kept; a page allows a handful of tries.
pub const MAX_REPORTS: usize = 40;
/// The most different byte strings of one report that are kept.
pub const MAX_VARIANTS: usize = 8;
/// The most times that a payer's return, or news that cannot be kept, makes us ask again.
pub const MAX_PROMPTS: u32 = 60;

/// The instalment of a page that pays none.
pub const NO_INSTALMENT: u32 = 0;

/// How often one link may be followed.
pub const MAX_FOLLOWS: usize = 20;

/// A page handed out for one instalment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    pub number: CheckoutNumber,
    /// The checkout whose link leads here: its own number, or that of the one it follows when a link is used again.
    pub link: CheckoutNumber,
    pub token: TokenDigest,
    pub reference: Reference,
    pub archive: ArchiveReference,
    pub instalment: u32,
    pub amount: Money,
    pub billing: Billing,
    /// How much authentication is asked of the payer's bank.
    pub challenge: Challenge,
    pub locale: Locale,
    /// Which host of the payment page the form goes to.
    pub page_host: Host,
    /// Where the payer goes afterwards: an origin of the merchant's.
    pub return_url: String,
    pub issued_at: Timestamp,
    /// Until when the form may be handed to the payment page.
    pub form_until: Timestamp,
    /// After this no page can still be open.
    pub expires_at: Timestamp,
    /// The form was handed to a payer by the link. PAYBOX takes a reference once, so the next payer gets another.
    #[serde(default)]
    pub handed_over: bool,
    #[serde(default)]
    pub closed: Option<Closed>,
    #[serde(default)]
    pub reports: BTreeMap<String, Report>,
    /// When the bank is to be asked about it.
    #[serde(default)]
    pub asks: BTreeSet<Timestamp>,
    /// Silences of the bank since it last answered.
    #[serde(default)]
    pub silences: u32,
    #[serde(default)]
    pub prompts: u32,
    /// Operations that the bank shows as authorised and has not captured yet: money on its way, which holds the order.
    #[serde(default)]
    pub authorised: BTreeSet<OperationNumber>,
    /// Answers in a row that showed such operations.
    #[serde(default)]
    pub not_yet: u32,
    /// Since when its answers show any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorised_since: Option<Timestamp>,
    /// Operations that contradict what we know; a person decides.
    #[serde(default)]
    pub quarantine: Vec<Quarantine>,
    /// Operations that people have decided on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub resolved: BTreeSet<OperationNumber>,
    /// Further instalments that its payment pays: the rest of a plan at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rest: Vec<u32>,
    /// The plan that its payment begins; it authorises only, and registers the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Box<PlanCheckout>>,
}

/// A checkout whose payment begins a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCheckout {
    pub plan: u32,
    /// With the dates as the payer accepted them.
    pub schedule: Vec<Instalment>,
    /// What PAYBOX keeps the card under.
    pub subscriber: SubscriberReference,
    pub consent: Consent,
    /// The plan is active, and goes on with this card.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changes_card: bool,
}

/// What is told to the payer's bank about where they live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Billing {
    /// An address, picked from the known ones or written anew.
    Address { address: PostalAddress },
    /// None was wanted, and none is sent.
    Omitted,
    /// None was wanted, and a neutral one is sent.
    Placeholder,
}

/// The strong authentication that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Challenge {
    NoPreference,
    NotWanted,
    Wanted,
    Required,
}

/// The payer's language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    #[default]
    Fr,
    En,
}

/// Why a page is not to be used any more. It may have been open already, and be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// A newer checkout took its place.
    Superseded,
    /// What it was for is paid, by this page or by another.
    Paid,
    Expired,
    /// Its order was cancelled or replaced.
    Withdrawn,
}

/// What one verified notification says. Its identity is the key it is kept under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub received_at: Timestamp,
    pub says: Says,
    /// SHA-256 of each different byte string that said so; more than one is suspicious.
    pub digests: BTreeSet<String>,
    /// What each of them told of the card.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<HeardCard>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub enum Says {
    Paid {
        operation: Operation,
        /// It was not confirmed within its time: an alarm, and no longer a reason to wait.
        #[serde(default)]
        doubted: bool,
    },
    Failed {
        code: String,
    },
    /// The means of payment has not decided yet.
    Pending,
}

impl Says {
    /// What one notification says, when another of the same identity said otherwise: the one that promises more is
    /// looked into, whichever came first.
    pub fn at_least(&mut self, other: &Self) {
        let rank = |says: &Self| match says {
            Self::Failed { .. } => 0,
            Self::Pending => 1,
            Self::Paid { .. } => 2,
        };
        if rank(other) > rank(self) {
            *self = other.clone();
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    pub operation: OperationNumber,
    pub why: String,
}

/// What a portal sees of a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStatus {
    Issued,
    Refused,
    /// Its payer's bank agreed; the plan does not take the card.
    CardRefused,
    Superseded,
    Expired,
    Withdrawn,
    Confirming,
    Quarantined,
    Captured,
}

impl Checkout {
    /// What the notifications of an operation told of its card. `Err` when they contradict each other.
    #[expect(clippy::result_unit_err, reason = "there is nothing to tell of a contradiction")]
    pub fn card_of(&self, operation: &Operation) -> Result<Option<&HeardCard>, ()> {
        let said = |report: &&Report| matches!(&report.says, Says::Paid { operation: of, .. } if of == operation);
        let mut cards = self.reports.values().filter(said).flat_map(|report| &report.cards);
        let Some(first) = cards.next() else { return Ok(None) };
        if cards.all(|card| card.agrees_with(first)) { Ok(Some(first)) } else { Err(()) }
    }

    /// The instalments that its payment pays; none when it only shows that a card is good.
    pub fn pays(&self) -> Vec<u32> {
        let first = (self.instalment != NO_INSTALMENT).then_some(self.instalment);
        first.into_iter().chain(self.rest.iter().copied()).collect()
    }

    /// Whether an operation waits for people here, or was put aside by them.
    pub fn has_put_aside(&self, number: &OperationNumber) -> bool {
        self.quarantine.iter().any(|waiting| waiting.operation == *number) || self.resolved.contains(number)
    }

    /// Whether a payer may still be on its page with our consent.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Reports of success that the bank has neither confirmed nor left unconfirmed for too long.
    pub fn pending_operations<'a>(
        &'a self,
        is_known: &'a dyn Fn(&OperationNumber) -> bool,
    ) -> impl Iterator<Item = (&'a Report, &'a Operation)> {
        self.reports.values().filter_map(move |report| match &report.says {
            Says::Paid { operation, doubted: false } if !is_known(&operation.number) => Some((report, operation)),
            Says::Paid { .. } | Says::Failed { .. } | Says::Pending => None,
        })
    }

    /// Whether money is on its way: reported and not settled, or authorised and not captured.
    pub fn is_confirming(&self, is_known: &dyn Fn(&OperationNumber) -> bool) -> bool {
        self.pending_operations(is_known).next().is_some() || self.authorised.iter().any(|number| !is_known(number))
    }

    /// The bank's code of the latest failure that was reported.
    pub fn last_failure(&self) -> Option<&str> {
        self.reports
            .values()
            .filter_map(|report| match &report.says {
                Says::Failed { code } => Some((report.received_at, code.as_str())),
                Says::Paid { .. } | Says::Pending => None,
            })
            .max()
            .map(|(_, code)| code)
    }

    /// Where it stands; `is_known` tells whether an operation is in the ledger or in quarantine.
    pub fn status(&self, captured: bool, is_known: &dyn Fn(&OperationNumber) -> bool) -> CheckoutStatus {
        if captured {
            CheckoutStatus::Captured
        } else if !self.quarantine.is_empty() {
            CheckoutStatus::Quarantined
        } else if self.is_confirming(is_known) {
            CheckoutStatus::Confirming
        } else {
            match self.closed {
                Some(Closed::Superseded | Closed::Paid) => CheckoutStatus::Superseded,
                Some(Closed::Expired) => CheckoutStatus::Expired,
                Some(Closed::Withdrawn) => CheckoutStatus::Withdrawn,
                None if self.last_failure().is_some() => CheckoutStatus::Refused,
                None => CheckoutStatus::Issued,
            }
        }
    }

    /// The asks that a checkout is owed from the moment it exists, callback or not.
    pub fn owed_asks(issued_at: Timestamp, expires_at: Timestamp, policy: &Policy) -> BTreeSet<Timestamp> {
        if planted::is(Bug::NotAskedAtExpiry) {
            return BTreeSet::new();
        }
        let while_open = policy.ask_after_issue.iter().map(|delay| later(issued_at, *delay));
        while_open.chain(policy.ask_after_expiry.iter().map(|delay| later(expires_at, *delay))).collect()
    }

    /// The asks that news at `now` lead to.
    pub fn asks_after_news(now: Timestamp, policy: &Policy) -> BTreeSet<Timestamp> {
        policy.ask_after_news.iter().map(|delay| later(now, *delay)).collect()
    }
}

impl Locale {
    pub fn letters(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }
}
