//! How people read what the API writes, and text made harmless for a page.

use serde_json::Value;

use crate::document::Document;

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
    escaped(document.pointer(pointer).and_then(Value::as_str).unwrap_or_default())
}

/// The money at a pointer as the French write it: `3 770,00 €`. This school is paid in euros.
pub(super) fn money(document: &Value, pointer: &str) -> String {
    let cents = document.number(&format!("{pointer}/amount")).unwrap_or_default();
    let whole = (cents / 100).to_string();
    let size = whole.len();
    let grouped: String = whole
        .char_indices()
        .flat_map(|(place, digit)| {
            let separator = (place > 0 && (size - place).is_multiple_of(3)).then_some('\u{202f}');
            separator.into_iter().chain(std::iter::once(digit))
        })
        .collect();
    format!("{grouped},{:02}\u{a0}€", cents % 100)
}

/// A decimal with a comma and two decimals at least: `0,00`.
pub(super) fn rate(text: &str) -> String {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    format!("{},{:0<2}", escaped(whole), escaped(decimals))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_are_written_in_french() {
        let amount = |cents: i64| money(&json!({"paid": {"amount": cents, "currency": "EUR"}}), "/paid");
        assert_eq!(amount(377_000), "3\u{202f}770,00\u{a0}€");
        assert_eq!(amount(5), "0,05\u{a0}€");
        assert_eq!(amount(123_456_789), "1\u{202f}234\u{202f}567,89\u{a0}€");
        assert_eq!(rate("0"), "0,00");
        assert_eq!(rate("5.5"), "5,50");
        assert_eq!(escaped("<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
    }
}
