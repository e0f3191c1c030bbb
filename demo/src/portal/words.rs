//! How people read what the API writes, in their language, and text made harmless for a page.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::document::Document;

/// What the visitor reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Language {
    #[default]
    French,
    English,
}

impl Language {
    pub(super) fn of(letters: &str) -> Option<Self> {
        match letters {
            "fr" => Some(Self::French),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    pub(super) fn letters(self) -> &'static str {
        self.pick("fr", "en")
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::French => Self::English,
            Self::English => Self::French,
        }
    }

    /// The text that belongs to this language.
    pub(super) fn pick<'a>(self, french: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::French => french,
            Self::English => english,
        }
    }

    /// `3 770,00 €` or `€3,770.00`; what is owed has its minus. This school is paid in euros.
    pub(super) fn cents(self, cents: i64) -> String {
        let minus = if cents < 0 { "\u{2212}" } else { "" };
        let (whole, cents) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
        let whole = grouped(&whole.to_string(), self.pick("\u{202f}", ","));
        match self {
            Self::French => format!("{minus}{whole},{cents:02}\u{a0}€"),
            Self::English => format!("{minus}€{whole}.{cents:02}"),
        }
    }

    /// The money at a pointer.
    pub(super) fn money(self, document: &Value, pointer: &str) -> String {
        self.cents(amount(document, pointer))
    }

    /// A decimal with two decimals at least: `0,00` or `0.00`.
    pub(super) fn rate(self, text: &str) -> String {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        format!("{}{}{:0<2}", escaped(whole), self.pick(",", "."), escaped(decimals))
    }

    /// The day of an instant as it is in Paris, where the school is: `24/06/2022`.
    pub(super) fn day(self, instant: &str) -> String {
        let in_paris = || Some(instant.parse::<Timestamp>().ok()?.to_zoned(TimeZone::get("Europe/Paris").ok()?));
        in_paris().map(|day| day.strftime("%d/%m/%Y").to_string()).unwrap_or_default()
    }
    /// A civil date: `2022-07-10` as `10/07/2022`.
    pub(super) fn date(self, date: &str) -> String {
        let date = date.parse::<jiff::civil::Date>().map(|date| date.strftime("%d/%m/%Y").to_string());
        date.unwrap_or_default()
    }
}

/// Cents of an amount as people type it: `500`, `500,5`, `1 300.00 €`.
pub(super) fn typed_cents(text: &str) -> Option<i64> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != '€').collect();
    let (whole, cents) = plain.split_once([',', '.']).unwrap_or((&plain, ""));
    let is_number = |part: &str, most: usize| part.len() <= most && part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole, 9) || !is_number(cents, 2) {
        return None;
    }
    format!("{whole}{cents:0<2}").parse().ok()
}

/// The minor units of the money at a pointer; 0 where there is none.
pub(super) fn amount(document: &Value, pointer: &str) -> i64 {
    document.number(&format!("{pointer}/amount")).unwrap_or_default()
}

fn grouped(whole: &str, separator: &str) -> String {
    let mut out = String::new();
    for (place, digit) in whole.char_indices() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push_str(separator);
        }
        out.push(digit);
    }
    out
}

/// `text` as the content of an element or of a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

/// The text at a pointer, escaped; empty when there is none.
pub(super) fn shown(document: &Value, pointer: &str) -> String {
    escaped(document.said(pointer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        for (cents, french, english) in [
            (377_000, "3\u{202f}770,00\u{a0}€", "€3,770.00"),
            (5, "0,05\u{a0}€", "€0.05"),
            (-61_800, "\u{2212}618,00\u{a0}€", "\u{2212}€618.00"),
            (123_456_789, "1\u{202f}234\u{202f}567,89\u{a0}€", "€1,234,567.89"),
        ] {
            assert_eq!(Language::French.cents(cents), french);
            assert_eq!(Language::English.cents(cents), english);
        }
        assert_eq!(Language::French.rate("0"), "0,00");
        assert_eq!(Language::English.rate("5.5"), "5.50");
    }

    #[test]
    fn amounts_are_read_as_people_type_them() {
        for (text, cents) in [
            ("500", Some(50_000)),
            ("500,5", Some(50_050)),
            ("1\u{202f}300.00\u{a0}€", Some(130_000)),
            ("0,02", Some(2)),
            ("", None),
            (",50", None),
            ("1,234", None),
            ("-5", None),
            ("1234567890", None),
            ("cinq", None),
        ] {
            assert_eq!(typed_cents(text), cents, "{text}");
        }
        assert_eq!(Language::French.date("2022-07-10"), "10/07/2022");
    }

    #[test]
    fn days_are_those_of_paris() {
        for (instant, day) in [
            ("2022-06-24T21:59:59Z", "24/06/2022"),
            ("2022-06-24T22:00:00Z", "25/06/2022"),
            ("2022-12-31T23:30:00.123Z", "01/01/2023"),
            ("", ""),
        ] {
            assert_eq!(Language::French.day(instant), day);
        }
    }

    #[test]
    fn outside_text_cannot_become_markup() {
        assert_eq!(escaped("<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
    }
}
