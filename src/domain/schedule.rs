//! What is due, and when. An order paid once has a schedule of one instalment.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::money::Money;

/// One part of an order's total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instalment {
    /// From 1.
    pub number: u32,
    /// A civil date in the merchant's time zone.
    pub due: Date,
    pub amount: Money,
    pub paid: bool,
}

impl Instalment {
    /// One that nothing has happened to yet.
    pub fn scheduled(number: u32, due: Date, amount: Money) -> Self {
        Self { number, due, amount, paid: false }
    }
}

/// The whole total at once, due on the day of the order; nothing at all when there is nothing to pay.
pub fn once(total: Money, today: Date) -> Vec<Instalment> {
    if total.is_zero() { Vec::new() } else { vec![Instalment::scheduled(1, today, total)] }
}
