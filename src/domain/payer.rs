//! Who pays, and the addresses that may go to the cardholder's bank.

use serde::{Deserialize, Serialize};

use super::text::{Text, holds_card_number};

/// The most addresses an order may bring for its payer.
pub const MAX_ADDRESSES: usize = 10;
/// The longest reference of a payer or an order that a portal may use, in characters.
pub const MAX_PORTAL_REFERENCE: usize = 64;
/// The longest name or address line, in characters; PAYBOX takes less, and the answer says what was cut.
pub const MAX_ADDRESS_TEXT: usize = 200;
/// The shortest and longest e-mail address that the payment page takes, in characters.
pub const EMAIL_LENGTH: std::ops::RangeInclusive<usize> = 6..=120;

/// The person who pays, as the portal knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payer {
    /// The portal's own name for the payer.
    pub reference: Text,
    pub email: Email,
    pub first_name: Text,
    pub last_name: Text,
    pub addresses: Vec<KnownAddress>,
}

/// An address that the payer may pick by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAddress {
    pub id: Text,
    pub address: PostalAddress,
}

/// A cardholder's address as a person wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    pub first_name: Text,
    pub last_name: Text,
    pub address1: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address2: Option<Text>,
    pub zip_code: Text,
    pub city: Text,
    /// ISO 3166-1, two letters.
    pub country: Text,
    /// A mobile telephone, international (`+33612345678`) or French.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile_phone: Option<Text>,
}

/// An e-mail address in the form that the payment page takes: plain ASCII, one `@`, a dot after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// `None` when it is not one; PAYBOX would refuse the whole page for it.
    pub fn parse(raw: &str) -> Option<Self> {
        let (local, host) = raw.split_once('@')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+');
        let fits = EMAIL_LENGTH.contains(&raw.len())
            && !local.is_empty()
            && !holds_card_number(raw)
            && raw.bytes().all(|byte| plain(byte) || byte == b'@')
            && host.bytes().all(plain)
            && host.split('.').count() >= 2
            && host.split('.').all(|label| !label.is_empty());
        fits.then(|| Self(raw.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_are_those_that_paybox_takes() {
        for (raw, taken) in [
            ("etudiante@ecole.example", true),
            ("jean-luc.d_1+test@sub.ecole.fr", true),
            ("a@b.c", false), // shorter than six characters
            ("etudiante", false),
            ("etudiante@ecole", false),
            ("a@b@c.example", false),
            ("a b@ecole.example", false),
            ("x&PBX_TOTAL=1@ecole.example", false),
            ("4012001037141112@ecole.example", false),
            ("é@ecole.example", false),
            ("@ecole.example", false),
            ("a@ecole..example", false),
        ] {
            assert_eq!(Email::parse(raw).is_some(), taken, "{raw}");
        }
    }
}
