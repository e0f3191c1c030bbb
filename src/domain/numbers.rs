//! The bank's own numbers. Two types, because integrations that swap them refund the wrong thing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The largest number PAYBOX writes: ten digits.
const MAX: u64 = 9_999_999_999;

/// The digits of `text` as a number; no sign, no blank, at most ten digits.
pub fn digits(text: &str) -> Option<u64> {
    let plain = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Not a number of one to ten digits above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number of one to ten digits above zero")]
pub struct NotANumber;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name(u64);

        impl $name {
            /// Reads digits; leading zeros do not count.
            ///
            /// # Errors
            /// [`NotANumber`], for zero too: PAYBOX writes zeros for "none".
            pub fn parse(text: &str) -> Result<Self, NotANumber> {
                digits(text).ok_or(NotANumber).and_then(Self::try_from)
            }

            /// Ten digits, zero-padded.
            pub fn wire(self) -> String {
                format!("{:010}", self.0)
            }

            pub fn get(self) -> u64 {
                self.0
            }
        }

        impl TryFrom<u64> for $name {
            type Error = NotANumber;

            fn try_from(number: u64) -> Result<Self, NotANumber> {
                if (1..=MAX).contains(&number) { Ok(Self(number)) } else { Err(NotANumber) }
            }
        }

        impl From<$name> for u64 {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }
    };
}

number! {
    /// The number of a call: all tries on one page share it, and a refund has that of its original.
    CallNumber
}

number! {
    /// The number of one operation: another for each try and each refund. It can settle one order only.
    OperationNumber
}

/// The number of a question to the bank: 1 to 2 147 483 647, never used twice within two days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct QuestionNumber(u32);

/// Outside 1 to 2 147 483 647.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a question's number is from 1 to {}", QuestionNumber::MAX)]
pub struct QuestionNumberOutOfRange;

impl QuestionNumber {
    pub const MAX: u32 = 2_147_483_647;

    /// # Errors
    /// [`QuestionNumberOutOfRange`].
    pub fn new(number: u32) -> Result<Self, QuestionNumberOutOfRange> {
        if (1..=Self::MAX).contains(&number) { Ok(Self(number)) } else { Err(QuestionNumberOutOfRange) }
    }

    /// Ten digits, zero-padded.
    pub fn wire(self) -> String {
        format!("{:010}", self.0)
    }

    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for QuestionNumber {
    type Error = QuestionNumberOutOfRange;

    fn try_from(number: u32) -> Result<Self, QuestionNumberOutOfRange> {
        Self::new(number)
    }
}

impl From<QuestionNumber> for u32 {
    fn from(number: QuestionNumber) -> Self {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_one_to_ten_digits_above_zero() {
        for (text, expected) in [
            ("0034813563", Some(34_813_563)),
            ("34813563", Some(34_813_563)),
            ("9999999999", Some(9_999_999_999)),
            ("0000000000", None),
            ("0", None),
            ("", None),
            ("10000000000", None),
            ("00000000001", None),
            ("+1", None),
            ("-1", None),
            (" 1", None),
            ("1.0", None),
            ("١", None),
        ] {
            assert_eq!(OperationNumber::parse(text).ok().map(OperationNumber::get), expected, "{text}");
        }
        assert_eq!(CallNumber::parse("7").unwrap().wire(), "0000000007");
        assert!(serde_json::from_str::<CallNumber>("0").is_err());
    }

    #[test]
    fn question_numbers_stay_in_range() {
        for (number, in_range) in [(0, false), (1, true), (QuestionNumber::MAX, true), (QuestionNumber::MAX + 1, false)]
        {
            assert_eq!(QuestionNumber::new(number).is_ok(), in_range, "{number}");
        }
        assert_eq!(QuestionNumber::new(42).unwrap().wire(), "0000000042");
    }
}
