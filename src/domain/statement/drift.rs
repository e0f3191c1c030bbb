//! A place where a file and our ledger do not agree, and what a person did about it.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::Balance;
use crate::domain::{
    actor::Actor,
    bank::OperationStatus,
    ids::{CheckoutNumber, OrderId},
    numbers::OperationNumber,
    text::Text,
};

/// How they do not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// PAYBOX shows a payment that no order of ours has.
    UnknownOperation,
    /// PAYBOX shows a refund that we did not ask for.
    UnknownRefund,
    /// The payer's bank took a payment back, and our ledger does not say so.
    UnknownChargeback,
    /// Our ledger has it on a day of the file's, and the file does not.
    NotInFile,
    AmountDiffers,
    CurrencyDiffers,
    StatusDiffers,
    /// Both name a remittance, and not the same.
    RemittanceDiffers,
    /// The file names its remittance, and 00017 has not shown us one yet.
    NotSettledHere,
    /// The bank's sum of a remittance is not ours.
    GrossDiffers,
    /// None of our payments is in this remittance, as far as we know.
    UnknownRemittance,
    /// Payments of ours were collected in a remittance that no statement shows.
    NotInStatement,
    FeesNotBooked,
    /// Other fees of it are booked.
    FeesDiffer,
}

impl DriftKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownOperation => "unknown_operation",
            Self::UnknownRefund => "unknown_refund",
            Self::UnknownChargeback => "unknown_chargeback",
            Self::NotInFile => "not_in_file",
            Self::AmountDiffers => "amount_differs",
            Self::CurrencyDiffers => "currency_differs",
            Self::StatusDiffers => "status_differs",
            Self::RemittanceDiffers => "remittance_differs",
            Self::NotSettledHere => "not_settled_here",
            Self::GrossDiffers => "gross_differs",
            Self::UnknownRemittance => "unknown_remittance",
            Self::NotInStatement => "not_in_statement",
            Self::FeesNotBooked => "fees_not_booked",
            Self::FeesDiffer => "fees_differ",
        }
    }
}

/// What a person may do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryName {
    /// The payment is booked as collected in the remittance that the file names.
    Settlement,
    /// The payment is booked as taken back.
    Chargeback,
    /// The bank is asked under our own credentials; only its answer books a payment.
    Question,
    /// The bank's fees are booked.
    Fees,
    /// It was looked at, and why it stands; no account changes.
    Note,
}

/// What one side says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    pub amount: Option<Balance>,
    pub remittance: Option<u64>,
    pub status: Option<OperationStatus>,
    pub on: Option<Date>,
}

/// A drift, as it stands when it is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The same whenever the file is looked at: `not_settled_here.8041237`.
    pub id: String,
    pub kind: DriftKind,
    /// The line of the file, where one tells of it.
    pub line: Option<u32>,
    pub operation: Option<OperationNumber>,
    pub remittance: Option<u64>,
    pub order: Option<OrderId>,
    /// The page that the bank can be asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<CheckoutNumber>,
    pub file: Option<Side>,
    pub ledger: Option<Side>,
    /// The entries that would settle it, the best first.
    pub entries: Vec<EntryName>,
}

/// What a person did about a drift, and what they saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booked {
    pub at: Timestamp,
    pub by: Actor,
    pub reason: Text,
    pub entry: EntryName,
    pub drift: Drift,
}

/// A drift, and what was done about it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drifting {
    pub drift: Drift,
    pub booked: Vec<Booked>,
}

/// Where a drift stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Somebody has to do something.
    Open,
    /// The bank was asked and has not confirmed it.
    Asked,
    /// A person settled it.
    Journalled,
}

impl Standing {
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Asked => "asked",
            Self::Journalled => "journalled",
        }
    }
}

impl Drifting {
    /// A question settles nothing by itself.
    pub fn standing(&self) -> Standing {
        match self.booked.last() {
            None => Standing::Open,
            Some(_) if self.booked.iter().all(|booked| booked.entry == EntryName::Question) => Standing::Asked,
            Some(_) => Standing::Journalled,
        }
    }

    /// What may still be done about it.
    pub fn entries(&self) -> Vec<EntryName> {
        let is_new = |entry: &&EntryName| self.booked.iter().all(|booked| booked.entry != **entry);
        match self.standing() {
            Standing::Journalled => Vec::new(),
            Standing::Open | Standing::Asked => self.drift.entries.iter().filter(is_new).copied().collect(),
        }
    }

    /// Drifts as they stand now, with what people did; those that a person settled are shown as they were then.
    pub fn of(now: Vec<Drift>, booked: &[Booked]) -> Vec<Self> {
        let mut all: Vec<Self> = now.into_iter().map(|drift| Self { drift, booked: Vec::new() }).collect();
        for each in booked {
            match all.iter_mut().find(|drifting| drifting.drift.id == each.drift.id) {
                Some(known) => known.booked.push(each.clone()),
                // Asked, and confirmed since: there is nothing left to tell.
                None if each.entry == EntryName::Question => {}
                None => all.push(Self { drift: each.drift.clone(), booked: vec![each.clone()] }),
            }
        }
        for drifting in &mut all {
            if let (Standing::Journalled, Some(last)) = (drifting.standing(), drifting.booked.last()) {
                drifting.drift = last.drift.clone();
            }
        }
        all.sort_by(|one, other| one.drift.id.cmp(&other.drift.id));
        all
    }
}
