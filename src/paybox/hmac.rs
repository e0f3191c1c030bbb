//! `PBX_HMAC`: how PAYBOX knows that a form or a question comes from the merchant.
//!
//! The message is `NAME=value` pairs joined by `&`, in the order sent, values unescaped, UTF-8. The key is the text of the
//! back office read as hexadecimal digits. The result is upper-case hexadecimal.

use std::{fmt, str::FromStr};

use ::hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// The fewest hexadecimal digits of a key that the back office accepts.
const MIN_MERCHANT_KEY_HEX_DIGITS: usize = 40;
/// The most that we read; real keys have 128.
const MAX_KEY_HEX_DIGITS: usize = 1024;

/// The key of PAYBOX's public test accounts is this, eight times.
const PUBLIC_TEST_KEY_EIGHTH: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF];

/// A digest that PAYBOX and we both know (`PBX_HASH`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HashName {
    #[default]
    Sha512,
    Sha384,
    Sha256,
    Sha224,
}

/// A digest name we do not sign with. PAYBOX also knows RIPEMD160 and MDC2; both are left out as weaker than any need.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not supported, use SHA512, SHA384, SHA256 or SHA224")]
pub struct UnsupportedHash {
    pub name: String,
}

impl HashName {
    /// The value of `PBX_HASH`.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Sha512 => "SHA512",
            Self::Sha384 => "SHA384",
            Self::Sha256 => "SHA256",
            Self::Sha224 => "SHA224",
        }
    }
}

/// Reads `SHA512` or `sha512`.
impl FromStr for HashName {
    type Err = UnsupportedHash;

    fn from_str(text: &str) -> Result<Self, UnsupportedHash> {
        [Self::Sha512, Self::Sha384, Self::Sha256, Self::Sha224]
            .into_iter()
            .find(|hash| hash.wire().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnsupportedHash { name: text.chars().take(20).collect() })
    }
}

/// A merchant's HMAC key. Never printed, wiped when dropped.
#[derive(Clone)]
pub struct HmacKey(SecretSlice<u8>);

/// Why a text is not a key. The text itself is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HmacKeyError {
    #[error("the HMAC key is empty")]
    Empty,
    #[error("the HMAC key has {digits} characters, at least {MIN_MERCHANT_KEY_HEX_DIGITS} are needed")]
    TooShort { digits: usize },
    #[error("the HMAC key has {digits} characters, at most {MAX_KEY_HEX_DIGITS} are read")]
    TooLong { digits: usize },
    #[error("the HMAC key has an odd number of hexadecimal digits")]
    OddLength,
    #[error("the HMAC key has a character that is not a hexadecimal digit")]
    NotHex,
}

impl HmacKey {
    /// Reads whole bytes in hexadecimal, either case, without blanks.
    ///
    /// # Errors
    /// [`HmacKeyError`].
    pub fn from_hex(text: &str) -> Result<Self, HmacKeyError> {
        let digits = text.chars().count();
        if digits > MAX_KEY_HEX_DIGITS {
            return Err(HmacKeyError::TooLong { digits });
        }
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(HmacKeyError::NotHex);
        }
        if digits == 0 {
            return Err(HmacKeyError::Empty);
        }
        if !digits.is_multiple_of(2) {
            return Err(HmacKeyError::OddLength);
        }
        decode_hex(text).map(|bytes| Self(SecretSlice::from(bytes))).ok_or(HmacKeyError::NotHex)
    }

    /// Reads a key that the back office may have given: as [`HmacKey::from_hex`], and of enough digits.
    ///
    /// # Errors
    /// [`HmacKeyError`].
    pub fn of_merchant(text: &str) -> Result<Self, HmacKeyError> {
        let key = Self::from_hex(text)?;
        let digits = key.0.expose_secret().len() * 2;
        if digits < MIN_MERCHANT_KEY_HEX_DIGITS { Err(HmacKeyError::TooShort { digits }) } else { Ok(key) }
    }

    /// Whether this is the key that PAYBOX publishes for its shared test accounts, so anyone's.
    pub fn is_public_test_key(&self) -> bool {
        self.0.expose_secret() == PUBLIC_TEST_KEY_EIGHTH.repeat(8)
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HmacKey(hidden)")
    }
}

/// The signature of `message`, upper-case hexadecimal.
pub fn sign(key: &HmacKey, hash: HashName, message: &str) -> String {
    let key = key.0.expose_secret();
    match hash {
        HashName::Sha512 => mac::<Hmac<Sha512>>(key, message),
        HashName::Sha384 => mac::<Hmac<Sha384>>(key, message),
        HashName::Sha256 => mac::<Hmac<Sha256>>(key, message),
        HashName::Sha224 => mac::<Hmac<Sha224>>(key, message),
    }
}

/// Why pairs cannot be signed as they stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    #[error("pair {position} has no name")]
    NoName { position: usize },
    #[error("`{name}` is given twice")]
    Duplicate { name: String },
    #[error("pair {position} holds `&`, a control character, or `=` in its name: another message would be signed")]
    Ambiguous { position: usize },
}

/// The message of any `(name, value)` pairs, for signing lines whose names this program does not send itself.
///
/// # Errors
/// [`PairError`]; positions count from 1.
pub fn message_of_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> Result<String, PairError> {
    let mut names: Vec<&str> = Vec::with_capacity(pairs.len());
    let mut lines: Vec<String> = Vec::with_capacity(pairs.len());
    for (position, (name, value)) in (1..).zip(pairs) {
        let (name, value) = (name.as_ref(), value.as_ref());
        if name.is_empty() {
            return Err(PairError::NoName { position });
        }
        let unclear = |text: &str| text.contains('&') || text.chars().any(char::is_control);
        if name.contains('=') || unclear(name) || unclear(value) {
            return Err(PairError::Ambiguous { position });
        }
        if names.contains(&name) {
            return Err(PairError::Duplicate { name: name.to_owned() });
        }
        names.push(name);
        lines.push(format!("{name}={value}"));
    }
    Ok(lines.join("&"))
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length, so this cannot fail")]
fn mac<M: Mac + KeyInit>(key: &[u8], message: &str) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("any length is a key");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The bytes of an even number of hexadecimal digits.
fn decode_hex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    const PUBLIC_TEST_KEY: &str = "0123456789ABCDEF";

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        params: Vec<(String, String)>,
        message: String,
        key_hex: String,
        hash: String,
        expected_hmac: String,
    }

    fn vectors() -> Vec<Vector> {
        serde_json::from_str(include_str!("../../contracts/hmac-vectors.json")).unwrap()
    }

    /// The one vector that its own manual prints with two digits missing.
    fn is_illustration(vector: &Vector) -> bool {
        vector.expected_hmac.len() == 126
    }

    #[test]
    fn every_vector_reproduces_but_the_illustration() {
        let mut reproduced = 0;
        for vector in vectors() {
            let Ok(hash) = vector.hash.parse::<HashName>() else {
                assert_eq!(vector.hash, "RIPEMD160", "{}", vector.name);
                continue;
            };
            assert_eq!(message_of_pairs(&vector.params).as_ref(), Ok(&vector.message), "{}", vector.name);
            let signature = sign(&HmacKey::from_hex(&vector.key_hex).unwrap(), hash, &vector.message);
            assert_eq!(signature == vector.expected_hmac.to_uppercase(), !is_illustration(&vector), "{}", vector.name);
            reproduced += usize::from(!is_illustration(&vector));
        }
        assert_eq!(reproduced, 16);
    }

    #[test]
    fn weak_digests_are_named_as_unsupported() {
        for name in ["RIPEMD160", "MDC2", "MD5", "MD2", "SHA1", "", "SHA512 "] {
            assert_eq!(name.parse::<HashName>(), Err(UnsupportedHash { name: name.to_owned() }));
        }
        assert_eq!("sha256".parse(), Ok(HashName::Sha256));
        assert_eq!(HashName::default(), HashName::Sha512);
    }

    #[test]
    fn a_key_is_an_even_number_of_hex_digits() {
        for (text, expected) in [
            (String::new(), HmacKeyError::Empty),
            ("a".to_owned(), HmacKeyError::OddLength),
            ("a".repeat(41), HmacKeyError::OddLength),
            (format!("{} ", "a".repeat(41)), HmacKeyError::NotHex),
            (format!("+f{}", "a".repeat(40)), HmacKeyError::NotHex),
            ("a".repeat(1026), HmacKeyError::TooLong { digits: 1026 }),
        ] {
            assert_eq!(HmacKey::from_hex(&text).map(|_| ()), Err(expected), "{text}");
            assert_eq!(HmacKey::of_merchant(&text).map(|_| ()), Err(expected), "{text}");
        }
        assert!(HmacKey::from_hex("ab").is_ok());
        let too_short = HmacKey::of_merchant(&"ab".repeat(19)).map(|_| ());
        assert_eq!(too_short, Err(HmacKeyError::TooShort { digits: 38 }));
        assert!(HmacKey::of_merchant(&"ab".repeat(20)).is_ok());
    }

    #[test]
    fn the_public_test_key_is_known_in_either_case() {
        for (text, public) in [
            (PUBLIC_TEST_KEY.repeat(8), true),
            (PUBLIC_TEST_KEY.to_lowercase().repeat(8), true),
            (PUBLIC_TEST_KEY.repeat(7), false),
            ("AB".repeat(64), false),
        ] {
            let key = HmacKey::from_hex(&text).unwrap();
            assert_eq!(key.is_public_test_key(), public);
            assert_eq!(format!("{key:?}"), "HmacKey(hidden)");
        }
    }

    #[test]
    fn pairs_that_would_sign_something_else_are_refused() {
        for (pairs, expected) in [
            (vec![("", "1")], PairError::NoName { position: 1 }),
            (vec![("A", "1"), ("A", "2")], PairError::Duplicate { name: "A".to_owned() }),
            (vec![("A", "1"), ("B", "2&C=3")], PairError::Ambiguous { position: 2 }),
            (vec![("A=B", "1")], PairError::Ambiguous { position: 1 }),
            (vec![("A", "1\n")], PairError::Ambiguous { position: 1 }),
        ] {
            assert_eq!(message_of_pairs(&pairs), Err(expected));
        }
        assert_eq!(message_of_pairs(&[("thisis", "1=2"), ("B", "")]).as_deref(), Ok("thisis=1=2&B="));
    }
}
