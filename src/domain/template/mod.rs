//! Plan templates: in how many parts an order may be paid, how large each is and when it is due. Data, so that a school
//! with other habits needs no other program.

#[cfg(test)]
mod tests;

use jiff::{ToSpan, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    money::{Currency, Money},
    schedule::Instalment,
};

/// The longest code of a template, in characters.
pub const MAX_CODE: usize = 20;
/// The fewest parts there are.
pub const MIN_COUNT: u32 = 2;
/// The most parts there are.
pub const MAX_COUNT: u32 = 12;

/// One way to pay in parts. Amounts are minor units of the order's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// 1 to [`MAX_CODE`] of `a-z0-9-`.
    pub code: String,
    pub label_fr: String,
    pub label_en: String,
    /// How many instalments, [`MIN_COUNT`] to [`MAX_COUNT`].
    pub count: u32,
    pub split: Split,
    /// The least total that may be paid so; that very total may.
    pub minimum_total: i64,
    /// The largest total that may be paid so; that very total may.
    pub maximum_total: Option<i64>,
    /// The least that an instalment may be.
    pub minimum_instalment: i64,
    /// When in its month each instalment but the first is due, 1 to 31; the last day of shorter months.
    pub day_of_month: i8,
    /// The IANA name of the zone whose calendar its dates are of.
    pub time_zone: String,
    /// When in the year a plan may be asked for; always without one.
    pub window: Option<Window>,
    pub approver: Approver,
    /// Kinds of cards that are refused besides virtual ones, which no plan takes.
    pub refused_cards: Vec<String>,
}

/// How a total is shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "split", rename_all = "snake_case")]
pub enum Split {
    /// The same share each, in percent, half-up to the minor unit; the last takes the rest.
    Shares { percent: Decimal },
    /// The others are equal. The first is `fixed`, and what the others cannot share the last takes; or it is what makes
    /// the others equal: the total by their number rounded down, and what is left over.
    First { fixed: Option<i64> },
}

/// Who decides about a plan that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approver {
    Accounting,
    /// It is approved as soon as it is asked for.
    Nobody,
}

/// Days of every year, both ends included; over the new year when it ends before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: MonthDay,
    pub until: MonthDay,
}

/// A day of any year, `MM-DD`. Ordered as in a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MonthDay {
    month: i8,
    day: i8,
}

/// Not a day that some year has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a day of the year such as \"07-01\"")]
pub struct NotADay;

/// Why a total cannot be paid by a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPossible {
    #[error("the total is below {minimum} minor units")]
    BelowMinimum { minimum: i64 },
    #[error("the total is above {maximum} minor units")]
    AboveMaximum { maximum: i64 },
    #[error("an instalment would be below {minimum} minor units")]
    InstalmentBelowMinimum { minimum: i64 },
    #[error("this template does not let its first instalment be fixed")]
    FirstNotAllowed,
    #[error("with this first instalment, it or another would be below the minimum")]
    FirstOutOfRange,
}

impl Template {
    /// The instalments' amounts in their order; their sum is `total`. `fixed_first` is what accounting fixed when it
    /// approved; it goes before the template's own.
    ///
    /// # Errors
    /// [`NotPossible`].
    pub fn amounts(&self, total: Money, fixed_first: Option<Money>) -> Result<Vec<Money>, NotPossible> {
        let units = total.minor_units();
        if units < self.minimum_total {
            return Err(NotPossible::BelowMinimum { minimum: self.minimum_total });
        }
        if let Some(maximum) = self.maximum_total.filter(|maximum| units > *maximum) {
            return Err(NotPossible::AboveMaximum { maximum });
        }
        let parts = match (&self.split, fixed_first) {
            (Split::Shares { .. }, Some(_)) => return Err(NotPossible::FirstNotAllowed),
            (Split::Shares { percent }, None) => self.by_shares(total, *percent),
            (Split::First { .. }, Some(first)) => {
                let parts = (first.currency() == total.currency())
                    .then(|| self.after_first(units, first.minor_units()))
                    .flatten();
                return parts
                    .and_then(|parts| self.checked(&parts, total.currency()))
                    .ok_or(NotPossible::FirstOutOfRange);
            }
            (Split::First { fixed: Some(first) }, None) => self.after_first(units, *first),
            (Split::First { fixed: None }, None) => self.with_equal_others(units),
        };
        parts
            .and_then(|parts| self.checked(&parts, total.currency()))
            .ok_or(NotPossible::InstalmentBelowMinimum { minimum: self.least() })
    }

    /// The due dates: the first on `first`, each other in a month of its own after that.
    pub fn dates(&self, first: Date) -> Vec<Date> {
        let later = (1..self.count).map(|months| {
            // From the first of the month, so that a short month does not shift the ones after it.
            let month = first.first_of_month().saturating_add(i64::from(months).months());
            month.with().day(self.day_of_month.clamp(1, month.days_in_month())).build().unwrap_or(month)
        });
        std::iter::once(first).chain(later).collect()
    }

    /// What is due and when, the first on `first`.
    ///
    /// # Errors
    /// As [`Template::amounts`].
    pub fn schedule(
        &self,
        total: Money,
        fixed_first: Option<Money>,
        first: Date,
    ) -> Result<Vec<Instalment>, NotPossible> {
        let amounts = self.amounts(total, fixed_first)?;
        let numbered = (1..).zip(self.dates(first).into_iter().zip(amounts));
        Ok(numbered.map(|(number, (due, amount))| Instalment::scheduled(number, due, amount)).collect())
    }

    /// Whether a plan may be asked for on `day`, of the template's own zone.
    pub fn is_open_on(&self, day: Date) -> bool {
        self.window.is_none_or(|window| window.holds(day))
    }

    /// How many instalments come after the first.
    fn others(&self) -> i64 {
        i64::from(self.count).saturating_sub(1)
    }

    /// The least that an instalment may be: never nothing.
    fn least(&self) -> i64 {
        self.minimum_instalment.max(1)
    }

    fn by_shares(&self, total: Money, percent: Decimal) -> Option<Vec<i64>> {
        let exact = Decimal::from(total.minor_units()).checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED)?;
        let share = Money::round_half_up(exact, total.currency()).ok()?.minor_units();
        let rest = total.minor_units().checked_sub(share.checked_mul(self.others())?)?;
        Some((0..self.others()).map(|_| share).chain([rest]).collect())
    }

    fn after_first(&self, total: i64, first: i64) -> Option<Vec<i64>> {
        let rest = total.checked_sub(first)?;
        let (share, left) = (rest.checked_div(self.others())?, rest.checked_rem(self.others())?);
        let equal = (1..self.others()).map(|_| share);
        Some(std::iter::once(first).chain(equal).chain([share.checked_add(left)?]).collect())
    }

    fn with_equal_others(&self, total: i64) -> Option<Vec<i64>> {
        let share = total.checked_div(i64::from(self.count))?;
        let first = total.checked_sub(share.checked_mul(self.others())?)?;
        Some(std::iter::once(first).chain((0..self.others()).map(|_| share)).collect())
    }

    /// The parts as money, when each is large enough.
    fn checked(&self, parts: &[i64], currency: Currency) -> Option<Vec<Money>> {
        let large_enough = |part: &i64| *part >= self.least();
        parts.iter().map(|part| Money::new(*part, currency).ok().filter(|_| large_enough(part))).collect()
    }
}

impl Window {
    fn holds(self, day: Date) -> bool {
        let day = MonthDay { month: day.month(), day: day.day() };
        if self.from <= self.until {
            (self.from..=self.until).contains(&day)
        } else {
            day >= self.from || day <= self.until
        }
    }
}

impl MonthDay {
    /// # Errors
    /// [`NotADay`] when no year has it; 29 February is one.
    pub fn new(month: i8, day: i8) -> Result<Self, NotADay> {
        const A_LEAP_YEAR: i16 = 2024;
        Date::new(A_LEAP_YEAR, month, day).map(|_| Self { month, day }).map_err(|_| NotADay)
    }

    /// Reads `MM-DD`.
    ///
    /// # Errors
    /// [`NotADay`].
    pub fn parse(text: &str) -> Result<Self, NotADay> {
        let two_digits = |part: &str| {
            let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            if plain { part.parse().map_err(|_| NotADay) } else { Err(NotADay) }
        };
        let (month, day) = text.split_once('-').ok_or(NotADay)?;
        Self::new(two_digits(month)?, two_digits(day)?)
    }
}

impl From<MonthDay> for String {
    fn from(day: MonthDay) -> Self {
        format!("{:02}-{:02}", day.month, day.day)
    }
}

impl TryFrom<String> for MonthDay {
    type Error = NotADay;

    fn try_from(text: String) -> Result<Self, NotADay> {
        Self::parse(&text)
    }
}
