//! Amounts: whole minor units of one currency, never a float.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

/// The largest amount there is, in minor units: PAYBOX carries amounts in ten digits.
pub const MAX_MINOR_UNITS: i64 = 9_999_999_999;

/// The currencies a merchant may be paid in. Serialised as ISO 4217 letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    Eur,
    Usd,
    Gbp,
    Chf,
    Cad,
    Jpy,
    Xof,
}

impl Currency {
    pub const ALL: [Self; 7] = [Self::Eur, Self::Usd, Self::Gbp, Self::Chf, Self::Cad, Self::Jpy, Self::Xof];

    /// ISO 4217 letters.
    pub fn letters(self) -> &'static str {
        match self {
            Self::Eur => "EUR",
            Self::Usd => "USD",
            Self::Gbp => "GBP",
            Self::Chf => "CHF",
            Self::Cad => "CAD",
            Self::Jpy => "JPY",
            Self::Xof => "XOF",
        }
    }

    /// ISO 4217 number, three digits.
    pub fn number(self) -> &'static str {
        match self {
            Self::Eur => "978",
            Self::Usd => "840",
            Self::Gbp => "826",
            Self::Chf => "756",
            Self::Cad => "124",
            Self::Jpy => "392",
            Self::Xof => "952",
        }
    }

    /// How many decimals its major unit is written with.
    pub fn exponent(self) -> u32 {
        match self {
            Self::Eur | Self::Usd | Self::Gbp | Self::Chf | Self::Cad => 2,
            Self::Jpy | Self::Xof => 0,
        }
    }
}

/// An amount of money, `{"amount": 377000, "currency": "EUR"}`: minor units, from 0 to [`MAX_MINOR_UNITS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Money {
    amount: i64,
    currency: Currency,
}

/// Why two amounts could not be made into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("the amount is outside 0 to {MAX_MINOR_UNITS} minor units")]
    OutOfRange,
    #[error("the amounts are of different currencies")]
    CurrencyMismatch,
}

impl Money {
    /// An amount of `minor_units`.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] below zero or above [`MAX_MINOR_UNITS`].
    pub fn new(minor_units: i64, currency: Currency) -> Result<Self, MoneyError> {
        if (0..=MAX_MINOR_UNITS).contains(&minor_units) {
            Ok(Self { amount: minor_units, currency })
        } else {
            Err(MoneyError::OutOfRange)
        }
    }

    /// Nothing, in `currency`.
    pub fn zero(currency: Currency) -> Self {
        Self { amount: 0, currency }
    }

    /// The nearest amount to `minor_units`; halves go up, as French invoices do.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] as in [`Money::new`].
    pub fn round_half_up(minor_units: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        minor_units
            .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
            .to_i64()
            .ok_or(MoneyError::OutOfRange)
            .and_then(|units| Self::new(units, currency))
    }

    /// Minor units.
    pub fn minor_units(self) -> i64 {
        self.amount
    }

    pub fn currency(self) -> Currency {
        self.currency
    }

    pub fn is_zero(self) -> bool {
        self.amount == 0
    }

    /// The sum of both.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ or the sum is too large.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// Whether it is more than `other`; amounts of different currencies are not compared, so each exceeds the other.
    pub fn exceeds(self, other: Self) -> bool {
        other.minus(self).is_err()
    }

    /// What is left of `self` when `other` is taken away.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ or `other` is the larger.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    fn combine(self, other: Self, operation: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        operation(self.amount, other.amount)
            .ok_or(MoneyError::OutOfRange)
            .and_then(|units| Self::new(units, self.currency))
    }

    /// The major unit with its decimals, `3770.00`; no separator, no sign.
    pub fn to_major_string(self) -> String {
        Decimal::new(self.amount, self.currency.exponent()).to_string()
    }
}

/// Stored and received amounts pass the same gate as made ones.
impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Wire {
            amount: i64,
            currency: Currency,
        }
        let wire = Wire::deserialize(deserializer)?;
        Self::new(wire.amount, wire.currency).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(minor_units: i64) -> Money {
        Money::new(minor_units, Currency::Eur).unwrap()
    }

    #[test]
    fn halves_go_up() {
        for (exact, rounded) in [("0.4", 0), ("0.5", 1), ("1.5", 2), ("2.4999", 2), ("20030.5", 20031)] {
            let money = Money::round_half_up(exact.parse().unwrap(), Currency::Eur).unwrap();
            assert_eq!(money, eur(rounded), "{exact}");
        }
    }

    #[test]
    fn amounts_stay_within_their_limits() {
        assert_eq!(Money::new(-1, Currency::Eur), Err(MoneyError::OutOfRange));
        assert_eq!(Money::new(MAX_MINOR_UNITS + 1, Currency::Eur), Err(MoneyError::OutOfRange));
        assert_eq!(eur(MAX_MINOR_UNITS).plus(eur(1)), Err(MoneyError::OutOfRange));
        assert_eq!(eur(1).minus(eur(2)), Err(MoneyError::OutOfRange));
        assert_eq!(eur(1).plus(Money::zero(Currency::Usd)), Err(MoneyError::CurrencyMismatch));
        assert!(serde_json::from_str::<Money>(r#"{"amount":-1,"currency":"EUR"}"#).is_err());
        assert!(serde_json::from_str::<Money>(r#"{"amount":1.5,"currency":"EUR"}"#).is_err());
    }

    #[test]
    fn written_with_the_decimals_of_its_currency() {
        assert_eq!(eur(377_000).to_major_string(), "3770.00");
        assert_eq!(Money::new(1_500, Currency::Jpy).unwrap().to_major_string(), "1500");
    }
}
