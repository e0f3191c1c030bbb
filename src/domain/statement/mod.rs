//! Files that the bank's side makes of what moved, and what in them does not agree with our ledger.
//!
//! A file is read whole or refused whole. What it shows is compared with the ledger as it stands at the moment of
//! looking; nothing is ever booked from a file but by a person, one drift at a time, and never a payment.

mod compare;
mod drift;
mod remittances;
mod rows;
mod table;
#[cfg(test)]
mod tests;

pub use compare::{Books, compare_operations};
pub use drift::{Booked, Drift, DriftKind, Drifting, EntryName, Side, Standing};
pub use remittances::{Collected, Remittances, compare_remittances};
pub use rows::{Movement, OperationRow, RemittanceRow, parse};

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{actor::Actor, money::Currency};

/// The largest file, in bytes: some ten thousand lines.
pub const MAX_FILE_BYTES: usize = 1_048_576;
/// The most days from a file's first to its last.
pub const MAX_DAYS: i32 = 366;

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// PAYBOX's operations, one on each line.
    Operations,
    /// The bank's remittances, one on each line.
    Remittances,
}

impl FileKind {
    /// As it is written in URLs, documents and labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::Remittances => "remittances",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Operations, Self::Remittances].into_iter().find(|kind| kind.name() == name)
    }
}

/// What a file says, line by line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "file", content = "rows", rename_all = "snake_case")]
pub enum Rows {
    Operations(Vec<OperationRow>),
    Remittances(Vec<RemittanceRow>),
}

impl Rows {
    pub fn kind(&self) -> FileKind {
        match self {
            Self::Operations(_) => FileKind::Operations,
            Self::Remittances(_) => FileKind::Remittances,
        }
    }

    pub fn count(&self) -> usize {
        match self {
            Self::Operations(rows) => rows.len(),
            Self::Remittances(rows) => rows.len(),
        }
    }

    /// The first and the last day that it tells of.
    pub fn period(&self) -> Option<(Date, Date)> {
        let days: Vec<Date> = match self {
            Self::Operations(rows) => rows.iter().map(|row| row.date).collect(),
            Self::Remittances(rows) => rows.iter().map(|row| row.value_date).collect(),
        };
        days.iter().min().copied().zip(days.iter().max().copied())
    }
}

/// A file as it was imported; it never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub id: ImportId,
    pub at: Timestamp,
    pub by: Actor,
    /// SHA-256 of its bytes, in hexadecimal.
    pub digest: String,
    #[serde(flatten)]
    pub rows: Rows,
}

/// A sum that may be below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    pub amount: i64,
    pub currency: Currency,
}

/// An import's id, `imp_` and 32 hexadecimal digits, increasing with time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImportId(u128);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an import is named by imp_ and 32 hexadecimal digits")]
pub struct ImportIdError;

impl ImportId {
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

impl fmt::Display for ImportId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "imp_{:032x}", self.0)
    }
}

impl FromStr for ImportId {
    type Err = ImportIdError;

    fn from_str(raw: &str) -> Result<Self, ImportIdError> {
        let hex = raw.strip_prefix("imp_").ok_or(ImportIdError)?;
        let fits = hex.len() == 32 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !fits {
            return Err(ImportIdError);
        }
        u128::from_str_radix(hex, 16).map(Self).map_err(|_| ImportIdError)
    }
}

impl TryFrom<String> for ImportId {
    type Error = ImportIdError;

    fn try_from(raw: String) -> Result<Self, ImportIdError> {
        raw.parse()
    }
}

impl From<ImportId> for String {
    fn from(id: ImportId) -> Self {
        id.to_string()
    }
}
