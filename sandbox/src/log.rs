//! One line per event, wherever the host of the sandbox wants it. Every line passes through the mask, so that no code
//! path can print a card number.

use std::sync::Arc;

/// Fewest digits in a row that are taken for a card number.
const CARD_DIGITS_MIN: usize = 13;

/// Where the lines go.
#[derive(Clone)]
pub struct Log(Arc<dyn Fn(&str) + Send + Sync>);

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log")
    }
}

impl Log {
    /// Lines to the standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self::to(|line| eprintln!("{line}"))
    }

    /// Lines to `sink`.
    #[must_use]
    pub fn to(sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Writes one event.
    pub fn line(&self, text: &str) {
        (self.0)(&masked(text));
    }
}

/// `text` with every run of 13 digits or more reduced to its first six and last two.
#[must_use]
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut digits = String::new();
    for character in text.chars().chain(std::iter::once('\n')) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        if digits.len() >= CARD_DIGITS_MIN {
            out.push_str(digits.get(..6).unwrap_or_default());
            out.push_str("******");
            out.push_str(digits.get(digits.len() - 2..).unwrap_or_default());
        } else {
            out.push_str(&digits);
        }
        digits.clear();
        out.push(character);
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_masked_and_nothing_else() {
        for (text, shown) in [
            ("card 1111222233334444 refused", "card 111122******44 refused"),
            ("374907403001005", "374907******05"),
            ("numtrans 0000617104 amount 377000", "numtrans 0000617104 amount 377000"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }
}
