//! The merchant's proof: a keyed digest over the fields in the order sent, values raw.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// The digests that PBX_HASH may name. RIPEMD160 and MDC2 exist at PAYBOX and are not simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// Reads PBX_HASH or HASH; an absent one means SHA512.
    #[must_use]
    pub fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("SHA512") => Some(Self::Sha512),
            Some("SHA384") => Some(Self::Sha384),
            Some("SHA256") => Some(Self::Sha256),
            Some("SHA224") => Some(Self::Sha224),
            Some(_) => None,
        }
    }
}

/// A merchant's shared key: the back office shows 128 hexadecimal digits, 64 bytes.
#[derive(Clone)]
pub struct SharedKey(Vec<u8>);

impl std::fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedKey")
    }
}

impl SharedKey {
    /// Reads hexadecimal digits of either case; fewer than 40 are refused, as PAYBOX does.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.trim();
        if digits.len() < 40 { None } else { bytes_of_hex(digits).map(Self) }
    }

    /// Whether `claimed` (hexadecimal, any case) is the digest of `message`. The comparison takes the same time
    /// wherever the first difference lies.
    #[must_use]
    pub fn proves(&self, digest: Digest, message: &str, claimed: &str) -> bool {
        let Some(claimed) = bytes_of_hex(claimed) else { return false };
        match digest {
            Digest::Sha224 => {
                keyed::<Hmac<Sha224>>(&self.0, message).is_some_and(|mac| mac.verify_slice(&claimed).is_ok())
            }
            Digest::Sha256 => {
                keyed::<Hmac<Sha256>>(&self.0, message).is_some_and(|mac| mac.verify_slice(&claimed).is_ok())
            }
            Digest::Sha384 => {
                keyed::<Hmac<Sha384>>(&self.0, message).is_some_and(|mac| mac.verify_slice(&claimed).is_ok())
            }
            Digest::Sha512 => {
                keyed::<Hmac<Sha512>>(&self.0, message).is_some_and(|mac| mac.verify_slice(&claimed).is_ok())
            }
        }
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8], message: &str) -> Option<M> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    mac.update(message.as_bytes());
    Some(mac)
}

/// The bytes of an even number of hexadecimal digits.
#[must_use]
pub fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// Upper-case hexadecimal digits.
#[must_use]
pub fn hex_of_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors published by third parties, none of which share code with this crate.
    #[test]
    fn published_vectors_are_reproduced() {
        let vectors: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../../../contracts/hmac-vectors.json")).unwrap();
        let mut checked = 0;
        for vector in &vectors {
            let Some(digest) = Digest::named(vector["hash"].as_str()) else { continue };
            // One vector is a bare primitive under a key too short for PAYBOX.
            let Some(key) = SharedKey::from_hex(vector["key_hex"].as_str().unwrap()) else { continue };
            let message = vector["message"].as_str().unwrap();
            let computed = vector["computed_hmac"].as_str().unwrap();
            assert!(key.proves(digest, message, computed), "{}", vector["name"]);
            assert!(key.proves(digest, message, &computed.to_lowercase()), "{} in lower case", vector["name"]);
            assert!(!key.proves(digest, &format!("{message}x"), computed), "{} changed", vector["name"]);
            checked += 1;
        }
        assert!(checked >= 15, "only {checked} vectors were read");
    }

    #[test]
    fn short_or_odd_keys_are_refused() {
        for text in ["", "0123", "0123456789ABCDEF0123456789ABCDEF0123456", "zz23456789ABCDEF0123456789ABCDEF01234567"]
        {
            assert!(SharedKey::from_hex(text).is_none(), "{text}");
        }
    }
}
