//! Plan templates.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{money::Money, schedule::Instalment};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub code: String,
    pub label_fr: String,
    pub label_en: String,
    pub count: u32,
    pub split: Split,
    pub minimum_total: i64,
    pub maximum_total: Option<i64>,
    pub minimum_instalment: i64,
    pub day_of_month: i8,
    pub time_zone: String,
    pub window: Option<()>,
    pub approver: Approver,
    pub refused_cards: Vec<String>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approver {
    Accounting,
    Nobody,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    Shares { percent: Decimal },
    First { fixed: Option<i64> },
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("x")]
pub enum NotPossible {
    BelowMinimum { minimum: i64 },
    AboveMaximum { maximum: i64 },
    InstalmentBelowMinimum { minimum: i64 },
    FirstNotAllowed,
    FirstOutOfRange,
}
impl Template {
    pub fn amounts(&self, total: Money, _fixed_first: Option<Money>) -> Result<Vec<Money>, NotPossible> {
        Ok(vec![total])
    }
    pub fn dates(&self, first: Date) -> Vec<Date> {
        vec![first]
    }
    pub fn is_open_on(&self, _day: Date) -> bool {
        true
    }
}
impl Instalment {
    pub fn scheduled(number: u32, due: Date, amount: Money) -> Self {
        Self { number, due, amount, paid: false, debits: Vec::new(), next_on: None, arrears: None }
    }
}
