//! Sealing of what must not be readable in the store: AES-256-GCM under keys that only the configuration holds.
//!
//! Sealed bytes are: the length of the key's id (1 byte), the id, the nonce (12 bytes), the ciphertext, the tag
//! (16 bytes). The context is authenticated and not stored, so that sealed bytes moved to another row do not open.
//! Nonces are random, which is safe for 2^32 sealings under one key; rotate keys long before.

use std::{collections::BTreeSet, fmt};

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};

use crate::ports::{Vault, VaultError};

/// Bytes in a key.
const KEY_LEN: usize = 32;
/// Characters in a key's id, at most.
const ID_LEN_MAX: usize = 32;

/// The keys of the vault. The first one seals, every one opens; so a new key goes to the front, and an old one stays
/// until nothing that it sealed is left.
pub struct SealingKeys {
    /// Never empty, no id twice.
    keys: Vec<(String, LessSafeKey)>,
    random: SystemRandom,
}

/// Keys that cannot be used. Never holds a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    #[error("there is no sealing key")]
    NoKey,
    #[error("a sealing key is named by 1 to 32 characters of a-z, A-Z, 0-9, - and _")]
    BadId,
    #[error("two sealing keys are named {id}")]
    Doubled { id: String },
}

impl SealingKeys {
    /// Of keys and their ids, the sealing one first.
    ///
    /// # Errors
    /// [`KeysError`] when there is none, or an id is not one or is there twice.
    pub fn new(keys: impl IntoIterator<Item = (String, [u8; KEY_LEN])>) -> Result<Self, KeysError> {
        let mut ids = BTreeSet::new();
        let mut usable = Vec::new();
        for (id, key) in keys {
            let named = (1..=ID_LEN_MAX).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            // A key of the algorithm's length is never refused.
            let (true, Ok(key)) = (named, UnboundKey::new(&AES_256_GCM, &key)) else { return Err(KeysError::BadId) };
            if !ids.insert(id.clone()) {
                return Err(KeysError::Doubled { id });
            }
            usable.push((id, LessSafeKey::new(key)));
        }
        if usable.is_empty() {
            return Err(KeysError::NoKey);
        }
        Ok(Self { keys: usable, random: SystemRandom::new() })
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

impl Vault for SealingKeys {
    fn seal(&self, plain: &[u8], context: &str) -> Result<Vec<u8>, VaultError> {
        let (id, key) = self.keys.first().ok_or(VaultError)?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| VaultError)?;
        let mut text = plain.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut text)
            .map_err(|_| VaultError)?;
        let id_len = u8::try_from(id.len()).map_err(|_| VaultError)?;
        Ok([&[id_len], id.as_bytes(), &nonce, &text].concat())
    }

    fn open(&self, sealed: &[u8], context: &str) -> Result<Vec<u8>, VaultError> {
        let (id_len, rest) = sealed.split_first().ok_or(VaultError)?;
        let (id, rest) = rest.split_at_checked(usize::from(*id_len)).ok_or(VaultError)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError)?;
        let (_, key) = self.keys.iter().find(|(name, _)| name.as_bytes() == id).ok_or(VaultError)?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = key.open_in_place(nonce, Aad::from(context), &mut text).map_err(|_| VaultError)?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: (&str, [u8; KEY_LEN]) = ("2026a", [7; KEY_LEN]);
    const NEW: (&str, [u8; KEY_LEN]) = ("2026b", [9; KEY_LEN]);

    fn keys(of: &[(&str, [u8; KEY_LEN])]) -> SealingKeys {
        SealingKeys::new(of.iter().map(|(id, key)| ((*id).to_owned(), *key))).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_under_its_context_only() {
        let vault = keys(&[OLD]);
        for plain in [&b""[..], b"x", b"montant=100&ref=a", &[0xff; 70_000]] {
            let sealed = vault.seal(plain, "callback/a/1").unwrap();
            assert_eq!(vault.open(&sealed, "callback/a/1").unwrap(), plain);
            for other in ["", "callback/a/2", "callback/a/1 "] {
                assert_eq!(vault.open(&sealed, other), Err(VaultError), "{other}");
            }
        }
    }

    #[test]
    fn no_two_seals_are_alike_and_none_shows_what_it_hides() {
        let vault = keys(&[OLD]);
        let (one, two) = (vault.seal(b"1111222233334444", "c").unwrap(), vault.seal(b"1111222233334444", "c").unwrap());
        assert_ne!(one, two);
        assert!(!one.windows(4).any(|bytes| bytes == b"1111"));
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_refused() {
        let vault = keys(&[NEW, OLD]);
        let sealed = vault.seal(b"secret", "c").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(vault.open(&flipped, "c"), Err(VaultError), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert_eq!(vault.open(&sealed[..len], "c"), Err(VaultError), "cut to {len}");
        }
    }

    #[test]
    fn a_rotated_key_still_opens_until_it_is_gone() {
        let sealed = keys(&[OLD]).seal(b"secret", "c").unwrap();
        assert_eq!(keys(&[NEW, OLD]).open(&sealed, "c").unwrap(), b"secret");
        assert_eq!(keys(&[NEW]).open(&sealed, "c"), Err(VaultError));
        let newer = keys(&[NEW, OLD]).seal(b"secret", "c").unwrap();
        assert_eq!(keys(&[OLD]).open(&newer, "c"), Err(VaultError));
        // The id alone does not make it the right key.
        assert_eq!(keys(&[(OLD.0, NEW.1)]).open(&sealed, "c"), Err(VaultError));
    }

    #[test]
    fn keys_that_could_be_mistaken_are_refused() {
        let parsed = keys(&[NEW, OLD]);
        assert_eq!(format!("{parsed:?}"), r#"["2026b", "2026a"]"#);
        for (ids, error) in [
            (vec![], KeysError::NoKey),
            (vec!["a b"], KeysError::BadId),
            (vec![""], KeysError::BadId),
            (vec!["a", &"a".repeat(33)], KeysError::BadId),
            (vec!["a", "a"], KeysError::Doubled { id: "a".to_owned() }),
        ] {
            let keys = ids.iter().map(|id| ((*id).to_owned(), [0; KEY_LEN]));
            assert_eq!(SealingKeys::new(keys).unwrap_err(), error, "{ids:?}");
        }
    }
}
