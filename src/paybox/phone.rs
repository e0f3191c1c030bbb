//! A payer's mobile number, in the two pieces PAYBOX wants.

use std::fmt;

use crate::paybox::calling_code;

/// The longest national number PAYBOX takes.
const MAX_NATIONAL_DIGITS: usize = 10;
/// Longer than any telephone number with its blanks.
const MAX_TEXT_BYTES: usize = 40;
const FRANCE: u16 = 33;

/// A mobile number: country code, and at most ten digits. Never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MobilePhone {
    calling_code: u16,
    national: String,
}

impl fmt::Debug for MobilePhone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MobilePhone(hidden)")
    }
}

/// Why a text is not a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("the number has a character that is neither a digit nor a separator")]
    NotANumber,
    #[error("the number is neither international (+33…) nor French (0…, ten digits)")]
    NoCountry,
    #[error("no country has this calling code")]
    UnknownCallingCode,
    #[error("the number is too short")]
    TooShort,
    #[error("the number is longer than PAYBOX takes: {MAX_NATIONAL_DIGITS} digits after the country code")]
    TooLong,
}

impl MobilePhone {
    /// Reads `+33612345678`, `0033 6 12 34 56 78`, `+33 (0)6.12.34.56.78` or, French, `06 12 34 56 78`.
    ///
    /// # Errors
    /// [`PhoneError`].
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(PhoneError::TooLong);
        }
        // Written after a country code, "(0)" says what is dialled at home instead of it.
        let text = text.replace("(0)", "");
        let compact: String =
            text.chars().filter(|character| !character.is_whitespace() && !"./-()".contains(*character)).collect();
        let international = compact.strip_prefix('+').or_else(|| compact.strip_prefix("00"));
        let digits = international.unwrap_or(&compact);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PhoneError::NotANumber);
        }
        if international.is_none() {
            return if digits.len() == 10 && digits.starts_with('0') {
                Self::new(FRANCE, digits)
            } else {
                Err(PhoneError::NoCountry)
            };
        }
        let (calling_code, national) = calling_code::split(digits).ok_or(PhoneError::UnknownCallingCode)?;
        Self::new(calling_code, national)
    }

    fn new(calling_code: u16, national: &str) -> Result<Self, PhoneError> {
        if calling_code == FRANCE {
            // France dials a zero first, and PAYBOX's samples keep it.
            let significant = national.strip_prefix('0').unwrap_or(national);
            return match significant.len() {
                0..9 => Err(PhoneError::TooShort),
                9 => Ok(Self { calling_code, national: format!("0{significant}") }),
                10.. => Err(PhoneError::TooLong),
            };
        }
        match national.len() {
            0..4 => Err(PhoneError::TooShort),
            4..=MAX_NATIONAL_DIGITS => Ok(Self { calling_code, national: national.to_owned() }),
            _ => Err(PhoneError::TooLong),
        }
    }

    /// `+` and one to three digits.
    pub fn country_code(&self) -> String {
        format!("+{}", self.calling_code)
    }

    /// At most ten digits.
    pub fn national(&self) -> &str {
        &self.national
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(&str, &str), PhoneError>) {
        let pieces = MobilePhone::parse(text).map(|phone| (phone.country_code(), phone.national));
        assert_eq!(pieces, expected.map(|(code, national)| (code.to_owned(), national.to_owned())), "{text}");
    }

    #[test]
    fn french_numbers_in_every_spelling() {
        for text in [
            "+33612345678",
            "+33 6 12 34 56 78",
            "+33 (0)6.12.34.56.78",
            "+330612345678",
            "0033612345678",
            "0612345678",
            "06 12 34 56 78",
            "06.12.34.56.78",
            "06-12-34-56-78",
            "06\u{a0}12\u{a0}34\u{a0}56\u{a0}78",
        ] {
            check(text, Ok(("+33", "0612345678")));
        }
    }

    #[test]
    fn numbers_of_other_countries() {
        check("+32 470 12 34 56", Ok(("+32", "470123456")));
        check("+1 (202) 555-0123", Ok(("+1", "2025550123")));
        check("+262 692 12 34 56", Ok(("+262", "692123456")));
    }

    #[test]
    fn what_is_not_a_number() {
        check("", Err(PhoneError::NoCountry));
        check("612345678", Err(PhoneError::NoCountry));
        check("061234567", Err(PhoneError::NoCountry));
        check("+", Err(PhoneError::UnknownCallingCode));
        check("+999123456", Err(PhoneError::UnknownCallingCode));
        check("+3361234567", Err(PhoneError::TooShort));
        check("+336123456789", Err(PhoneError::TooLong));
        check("+32", Err(PhoneError::TooShort));
        check("+49 1512 3456789", Err(PhoneError::TooLong));
        check("06 12 34 56 7x", Err(PhoneError::NotANumber));
        check("+33+612345678", Err(PhoneError::NotANumber));
        check("٠٦١٢٣٤٥٦٧٨", Err(PhoneError::NotANumber));
        check(&"0".repeat(41), Err(PhoneError::TooLong));
    }
}
