//! Which cards a merchant does not take for plans: `[merchant.cards]`.

use super::{files::Files, section::Section};
use crate::domain::card::CardRules;

/// The longest name of a kind of cards.
const MAX_TYPE: usize = 30;
/// How much is known of a card's number.
const MAX_BIN: usize = 6;

pub(super) fn read(mut section: Section<'_>, files: &Files<'_>) -> CardRules {
    let rules = CardRules {
        refused_types: read_types(&mut section, "refused_types"),
        refused_bins: section
            .optional("refused_bins_file", |name| {
                let text = files.text(name)?;
                bins(&text).map_err(|sentence| format!("{}: {sentence}", files.find(name).display()))
            })
            .unwrap_or_default(),
        authentication_required: section.flag("authentication_required", false),
    };
    section.end();
    rules
}

/// Names of kinds of cards.
pub(super) fn read_types(section: &mut Section<'_>, key: &'static str) -> Vec<String> {
    let types = section.texts(key).unwrap_or_default();
    let is_named = |text: &&String| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ');
        text.len() <= MAX_TYPE && text.bytes().all(is_plain) && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
    };
    if let Some(other) = types.iter().find(|text| !is_named(text)) {
        section.problem(key, format!("\"{other}\" is no kind of cards such as \"MAESTRO\""));
    }
    types
}

/// One beginning of numbers per line; what follows a `#` says nothing. A line that is none is not shown: it may be a whole
/// card number.
fn bins(text: &str) -> Result<Vec<String>, String> {
    let mut bins = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let bin = line.split_once('#').map_or(line, |(bin, _)| bin).trim();
        if bin.len() > MAX_BIN || !bin.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("line {number} is not the first 1 to {MAX_BIN} digits of card numbers"));
        }
        if !bin.is_empty() {
            bins.push(bin.to_owned());
        }
    }
    Ok(bins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_numbers_stand_one_on_a_line() {
        for (text, expected) in [
            ("", Ok(&[][..])),
            ("# prepaid\n4012\n\n 497010 # of one bank\n5\r\n", Ok(&["4012", "497010", "5"])),
            ("4012\n4970101\n", Err("line 2 is not the first 1 to 6 digits of card numbers")),
            ("4012001037141112", Err("line 1 is not the first 1 to 6 digits of card numbers")),
            ("4012 00", Err("line 1 is not the first 1 to 6 digits of card numbers")),
            ("٤٠١", Err("line 1 is not the first 1 to 6 digits of card numbers")),
        ] {
            let read = bins(text);
            let read = read.as_ref().map(|bins| bins.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(read.map_err(String::as_str), expected.map(<[&str]>::to_vec), "{text:?}");
        }
    }
}
