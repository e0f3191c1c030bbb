//! Text that a person or a portal typed: bounded, printable, and never a card number.

use serde::{Deserialize, Serialize};

/// Text without control characters, not blank, within the limit it was parsed with, holding no card number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(String);

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    #[error("the text is blank")]
    Blank,
    #[error("the text is longer than {max} characters")]
    TooLong { max: usize },
    #[error("the text holds a control character")]
    ControlCharacter,
    #[error("the text holds what looks like a card number")]
    CardNumber,
}

impl Text {
    /// `raw` without the blanks around it.
    ///
    /// # Errors
    /// [`TextFault`] when it is blank, has more than `max` characters, a control character or a card number.
    pub fn parse(raw: &str, max: usize) -> Result<Self, TextFault> {
        let trimmed = raw.trim();
        if trimmed.is_empty() {
            Err(TextFault::Blank)
        } else if trimmed.chars().count() > max {
            Err(TextFault::TooLong { max })
        } else if trimmed.chars().any(is_unprintable) {
            Err(TextFault::ControlCharacter)
        } else if holds_card_number(trimmed) {
            Err(TextFault::CardNumber)
        } else {
            Ok(Self(trimmed.to_owned()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` holds the number of a payment card: digits of a card scheme's range and length with a right check
/// digit, written in one piece or in groups. Ranges matter: a check digit alone would refuse a tenth of all time stamps.
pub fn holds_card_number(text: &str) -> bool {
    let mut run: Vec<(u8, bool)> = Vec::new();
    let mut group_starts = true;
    for character in text.chars().chain(std::iter::once('\n')) {
        match digit(character) {
            Some(digit) => {
                run.push((digit, group_starts));
                group_starts = false;
            }
            // Whatever is put between the groups; a letter ends the number.
            None if !character.is_alphabetic() && character != '\n' && !run.is_empty() => group_starts = true,
            None => {
                if run_holds_card(&run) {
                    return true;
                }
                run.clear();
                group_starts = true;
            }
        }
    }
    false
}

/// A digit as ASCII or in the full width that some keyboards give.
fn digit(character: char) -> Option<u8> {
    const FULL_WIDTH_ZERO: u32 = 0xff10;
    let full_width = u32::from(character).checked_sub(FULL_WIDTH_ZERO).filter(|digit| *digit < 10);
    character.to_digit(10).or(full_width).and_then(|digit| u8::try_from(digit).ok())
}

/// Controls, line separators, and marks that turn the direction of what follows.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` with every run of thirteen or more digits replaced: for bytes of strangers that are kept as evidence.
pub fn mask_long_numbers(text: &str) -> String {
    const SHORTEST_CARD: usize = 13;
    let mut masked = String::with_capacity(text.len());
    let mut run = String::new();
    for character in text.chars().chain(std::iter::once('\n')) {
        if character.is_ascii_digit() {
            run.push(character);
            continue;
        }
        if run.len() >= SHORTEST_CARD {
            masked.push_str("[number]");
        } else {
            masked.push_str(&run);
        }
        run.clear();
        masked.push(character);
    }
    masked.pop();
    masked
}

/// Looks at every stretch of whole groups, so that a number before or after a card does not hide it.
fn run_holds_card(run: &[(u8, bool)]) -> bool {
    let starts = run.iter().enumerate().filter(|(_, (_, starts_group))| *starts_group).map(|(index, _)| index);
    let ends: Vec<usize> = starts.clone().skip(1).chain(std::iter::once(run.len())).collect();
    starts.into_iter().any(|start| {
        ends.iter().filter(|end| **end > start).any(|end| {
            let digits: Vec<u8> = run.get(start..*end).unwrap_or_default().iter().map(|(digit, _)| *digit).collect();
            is_card_number(&digits)
        })
    })
}

fn is_card_number(digits: &[u8]) -> bool {
    let prefix =
        |length: usize| digits.iter().take(length).fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let in_range = match digits.len() {
        13 | 19 => prefix(1) == 4 || prefix(1) == 6,
        14 => matches!(prefix(2), 30 | 36 | 38 | 39),
        15 => matches!(prefix(2), 34 | 37),
        16 => {
            matches!(prefix(1), 4 | 6)
                || matches!(prefix(2), 50..=59)
                || matches!(prefix(2), 35 | 36)
                || matches!(prefix(4), 2221..=2720)
        }
        _ => false,
    };
    in_range && passes_luhn(digits)
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let weighted = u32::from(*digit) * if place % 2 == 1 { 2 } else { 1 };
            weighted / 10 + weighted % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_or_says_why_not() {
        for (raw, expected) in [
            (" Droits de scolarité ", Ok("Droits de scolarité")),
            ("", Err(TextFault::Blank)),
            ("   ", Err(TextFault::Blank)),
            ("a\u{0}b", Err(TextFault::ControlCharacter)),
            ("a\r\nb", Err(TextFault::ControlCharacter)),
            ("a\u{2028}b", Err(TextFault::ControlCharacter)),
            ("a\u{202e}b", Err(TextFault::ControlCharacter)),
            ("abcdefghijklmnopqrstuvwxyz", Err(TextFault::TooLong { max: 24 })),
            ("4012001037141112", Err(TextFault::CardNumber)),
        ] {
            assert_eq!(Text::parse(raw, 24).as_ref().map(Text::as_str), expected.as_ref().copied(), "{raw:?}");
        }
    }

    #[test]
    fn card_numbers_are_seen_however_they_are_written() {
        for (text, holds) in [
            ("4012001037141112", true),
            ("ma carte 4012 0010 3714 1112 merci", true),
            ("4012-0010-3714-1112", true),
            ("4012_0010_3714_1112", true),
            ("4012 / 0010 / 3714 / 1112", true),
            ("４０１２００１０３７１４１１１２", true),
            ("4012001037141112@ecole.example", true),
            ("dossier 12 4012 0010 3714 1112 34", true),
            ("374907403001005", true),
            ("5476852056843079", true),
            ("4012001037141113", false),                     // wrong check digit
            ("20261123102030", false),                       // a time stamp
            ("+33 6 12 34 56 78", false),                    // a telephone number
            ("FR76 3000 6000 0112 3456 7890 189", false),    // a bank account
            ("019f3c2a-7b1e-7c3d-9a55-2b8f1e0d4c6a", false), // an id
        ] {
            assert_eq!(holds_card_number(text), holds, "{text}");
        }
    }

    #[test]
    fn long_numbers_are_masked_in_evidence() {
        for (text, masked) in [
            ("Mt=377000&N=4012001037141112&x", "Mt=377000&N=[number]&x"),
            ("4012001037141112", "[number]"),
            ("", ""),
            ("E=00000", "E=00000"),
        ] {
            assert_eq!(mask_long_numbers(text), masked);
        }
    }
}
