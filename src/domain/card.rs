//! Whether a card may serve a plan.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The last month in which a card is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CardEnd {
    year: i16,
    month: i8,
}
impl CardEnd {
    pub fn new(year: i16, month: i8) -> Option<Self> {
        Some(Self { year, month })
    }
    pub fn year(self) -> i16 {
        self.year
    }
    pub fn month(self) -> i8 {
        self.month
    }
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardFacts {
    pub types: Vec<String>,
    pub end: Option<CardEnd>,
    pub first6: Option<String>,
    pub last2: Option<String>,
    pub authenticated: Option<bool>,
}
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardRules {
    pub refused_types: Vec<String>,
    pub refused_bins: Vec<String>,
    pub authentication_required: bool,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum CardRefusal {
    VirtualCard,
    ExpiresTooSoon,
    TypeRefused { name: String },
    BinRefused,
    NotAuthenticated,
    NotKnown,
    Contradictory,
    CaptureRefused,
    TooLate,
    NotWanted,
}
pub fn judge(_facts: &CardFacts, _last_due: Date, _rules: &CardRules) -> Result<(), CardRefusal> {
    Ok(())
}

impl CardRefusal {
    pub fn name(&self) -> &'static str {
        "x"
    }
}
