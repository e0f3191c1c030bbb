//! Amounts as portals write them: of the right form first, then within bounds, so that each fault has its own name.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, Unexpected, Visitor},
};

use crate::domain::money::{Currency, Money};

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MoneyIn {
    amount: WholeNumber,
    currency: Currency,
}

impl MoneyIn {
    /// `None` when the amount is out of range.
    pub(super) fn parse(self) -> Option<Money> {
        self.amount.0.and_then(|units| Money::new(units, self.currency).ok())
    }
}

/// A whole number, also where it is larger than any that we count with: that is out of range, not of the wrong type.
#[derive(Clone, Copy)]
struct WholeNumber(Option<i64>);

impl<'de> Deserialize<'de> for WholeNumber {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Digits;

        impl Visitor<'_> for Digits {
            type Value = WholeNumber;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a whole number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<WholeNumber, E> {
                Ok(WholeNumber(Some(number)))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<WholeNumber, E> {
                Ok(WholeNumber(i64::try_from(number).ok()))
            }

            /// Also what has more digits than 64 bits hold; those have no decimals left.
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<WholeNumber, E> {
                const LARGEST_WITH_DECIMALS: f64 = 9_007_199_254_740_992.0;
                if number.abs() >= LARGEST_WITH_DECIMALS {
                    Ok(WholeNumber(None))
                } else {
                    Err(E::invalid_type(Unexpected::Float(number), &self))
                }
            }
        }

        reader.deserialize_i64(Digits)
    }
}
