//! What follows a refused debit.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What a refusal means for another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalClass {
    Hard,
    CardUpdate,
    Soft,
    Authentication,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryRules {
    pub tries: u32,
    pub within_days: i32,
    pub waits: Vec<i32>,
    pub stop_before_next: i32,
    pub card_tries: u32,
    pub card_days: i32,
}
pub fn next_try(
    _due: Date,
    _tried: &[Date],
    _of_card: &[Date],
    _last: RefusalClass,
    _today: Date,
    _next_due: Option<Date>,
    _rules: &RetryRules,
) -> Option<Date> {
    None
}
pub fn is_single_use_hint(code: &str) -> bool {
    matches!(code, "00105" | "00114" | "00157")
}
