//! PAYBOX's signatures: RSA, PKCS#1 v1.5, over a SHA-1 digest.
//!
//! One key signs for every merchant and for the public test platform, so a good signature says that PAYBOX wrote the
//! bytes, never for whom. Keys are pinned: the current one, and the next should PAYBOX announce a change. This program
//! only verifies, and every fault is a refusal.

use std::fmt;

use ::rsa::{
    BigUint, Pkcs1v15Sign, RsaPublicKey,
    pkcs8::{DecodePublicKey, EncodePublicKey},
    traits::PublicKeyParts,
};
use sha1::{Digest as _, Sha1};
use sha2::{Digest as _, Sha256};

/// Smaller exponents invite forgeries that only a flawless check of the padding stops.
const MIN_EXPONENT: u32 = 65_537;
const MIN_MODULUS_BITS: usize = 1_024;
const MAX_MODULUS_BITS: usize = 4_096;
/// Longer than any PEM of such a key.
const MAX_PEM_BYTES: usize = 4_096;

/// SHA-256 of the DER of the key that PAYBOX publishes, the same for its live and its test platform.
const PAYBOX_FINGERPRINT: &str = "e3e24366a97653cb40f9ed2ee2b91fe6d8c28ee81d062ca1508c9e32abe141bb";

/// The key that PAYBOX publishes; it verifies callbacks from 2011 to today.
pub const PAYBOX_KEY_PEM: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDe+hkicNP7ROHUssGNtHwiT2Ew
HFrSk/qwrcq8v5metRtTTFPE/nmzSkRnTs3GMpi57rBdxBBJW5W9cpNyGUh0jNXc
VrOSClpD5Ri2hER/GcNrxVRP7RlWOqB1C03q4QYmwjHZ+zlM4OUhCCAtSWflB4wC
Ka1g88CjFwRw/PB9kwIDAQAB
-----END PUBLIC KEY-----
";

/// A key that callbacks may be signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: RsaPublicKey,
    fingerprint: String,
}

/// Why a text is not a key to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    #[error("not an RSA public key in PEM (`BEGIN PUBLIC KEY`)")]
    Unreadable,
    #[error("the key's modulus has {bits} bits, {MIN_MODULUS_BITS} to {MAX_MODULUS_BITS} are accepted")]
    ModulusSize { bits: usize },
    #[error("the key's exponent is even or below {MIN_EXPONENT}")]
    Exponent,
}

impl PublicKey {
    /// Reads a key in PEM, `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    /// [`PublicKeyError`].
    pub fn from_pem(text: &str) -> Result<Self, PublicKeyError> {
        if text.len() > MAX_PEM_BYTES {
            return Err(PublicKeyError::Unreadable);
        }
        let key = RsaPublicKey::from_public_key_pem(text.trim()).map_err(|_| PublicKeyError::Unreadable)?;
        let bits = key.n().bits();
        if !(MIN_MODULUS_BITS..=MAX_MODULUS_BITS).contains(&bits) {
            return Err(PublicKeyError::ModulusSize { bits });
        }
        let is_odd = key.e().to_bytes_le().first().is_some_and(|byte| byte % 2 == 1);
        if !is_odd || *key.e() < BigUint::from(MIN_EXPONENT) {
            return Err(PublicKeyError::Exponent);
        }
        let der = key.to_public_key_der().map_err(|_| PublicKeyError::Unreadable)?;
        let fingerprint = Sha256::digest(der.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { key, fingerprint })
    }

    /// SHA-256 of the key's DER, 64 lower-case hexadecimal digits: which key it is, for logs.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether this is the key PAYBOX publishes.
    pub fn is_paybox_key(&self) -> bool {
        self.fingerprint == PAYBOX_FINGERPRINT
    }

    /// Whether `signature` is this key's over `message`: exactly the modulus' length, and exactly the one encoding.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        signature.len() == self.key.size()
            && self.key.verify(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(message), signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({})", self.fingerprint)
    }
}

/// The keys callbacks may be signed with: the current one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    current: PublicKey,
    next: Vec<PublicKey>,
}

impl KeyRing {
    pub fn new(current: PublicKey, next: Vec<PublicKey>) -> Self {
        Self { current, next }
    }

    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        std::iter::once(&self.current).chain(&self.next)
    }

    /// The key that signed `message`, if any did.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Option<&PublicKey> {
        self.keys().find(|key| key.verifies(message, signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_OF_512_BITS: &str = "-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALr6XcZ5DDGvg6yi/QHiOvE8zFYeb59o
246YfgDc9UuEPpV80HN/GdKdC0f8d5QshdJPhW/ZUO4gwLiGnjGMfDUCAwEAAQ==
-----END PUBLIC KEY-----
";

    #[test]
    fn weak_and_unreadable_keys_are_refused() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../contracts/callback-vectors.json")).unwrap();
        let exponent_3 = vectors["keys"]["exponent_3"]["public_pem"].as_str().unwrap();
        let private = vectors["keys"]["current"]["private_pem"].as_str().unwrap();
        let cut = PAYBOX_KEY_PEM.replace("Ka1g88CjFwRw", "");
        for (text, expected) in [
            (exponent_3, PublicKeyError::Exponent),
            (KEY_OF_512_BITS, PublicKeyError::ModulusSize { bits: 512 }),
            (private, PublicKeyError::Unreadable),
            (&cut, PublicKeyError::Unreadable),
            ("", PublicKeyError::Unreadable),
            (&"A".repeat(5_000), PublicKeyError::Unreadable),
        ] {
            assert_eq!(PublicKey::from_pem(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn payboxs_own_key_is_known() {
        let key = PublicKey::from_pem(PAYBOX_KEY_PEM).unwrap();
        assert_eq!(key.fingerprint(), PAYBOX_FINGERPRINT);
        assert!(key.is_paybox_key());
        assert_eq!(format!("{key:?}"), format!("PublicKey({PAYBOX_FINGERPRINT})"));
    }
}
