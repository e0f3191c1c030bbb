//! Form fields in the order in which they were sent: PAYBOX's digests are computed over that order, so a map would
//! lose the very thing that is checked.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What PAYBOX leaves literal in a value that it returns: genuine signed samples show `@ / : ,` bare and the space as
/// `%20`. How it writes `& + # %` is not known; they are escaped here.
const RETURNED_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'@')
    .remove(b'/')
    .remove(b':')
    .remove(b',');

/// Base64 inside a URL: `+`, `/` and `=` must all be escaped, as in the genuine samples.
const SIGNATURE: &AsciiSet = NON_ALPHANUMERIC;

/// The decoded fields of a form body or of a query, in the received order, repeated names included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

/// The text was not a form: a bad escape sequence gave bytes that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotUtf8;

impl Fields {
    /// Splits `name=value&…` and decodes `+` and `%xx`.
    pub fn parse(text: &str) -> Result<Self, NotUtf8> {
        let mut fields = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.push((decode(name)?, decode(value)?));
        }
        Ok(Self(fields))
    }

    /// The first value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first value of `name`, or nothing at all.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Every field, as received.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `NAME=value&…` with raw values, of the fields that `keep` accepts: the text under PAYBOX's keyed digests.
    pub fn message(&self, keep: impl Fn(&str) -> bool) -> String {
        let kept: Vec<String> =
            self.iter().filter(|(name, _)| keep(name)).map(|(name, value)| format!("{name}={value}")).collect();
        kept.join("&")
    }
}

fn decode(text: &str) -> Result<String, NotUtf8> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map(|text| text.into_owned()).map_err(|_| NotUtf8)
}

/// A value as PAYBOX writes it in a return URL.
#[must_use]
pub fn returned_value(value: &str) -> String {
    utf8_percent_encode(value, RETURNED_VALUE).to_string()
}

/// A base64 signature as PAYBOX writes it in a return URL.
#[must_use]
pub fn signature_value(signature: &str) -> String {
    utf8_percent_encode(signature, SIGNATURE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_raw_values() {
        let fields = Fields::parse("B=2%2B2&A=a+b&C=&D").unwrap();
        assert_eq!(fields.message(|name| name != "D"), "B=2+2&A=a b&C=");
        assert_eq!(fields.get("D"), Some(""));
        assert_eq!(Fields::parse("A=%FF"), Err(NotUtf8));
    }

    #[test]
    fn returned_values_look_like_the_genuine_samples() {
        for (value, wire) in [
            ("order.test 123", "order.test%20123"),
            ("TPSa-44c079476f@1468408561", "TPSa-44c079476f@1468408561"),
            ("201100000006/16080", "201100000006/16080"),
            ("CB,VISA,EUROCARD_MASTERCARD", "CB,VISA,EUROCARD_MASTERCARD"),
            ("12:30:00", "12:30:00"),
            ("a&b+c", "a%26b%2Bc"),
        ] {
            assert_eq!(returned_value(value), wire);
        }
    }
}
