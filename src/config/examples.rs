//! Keys that everybody knows: those of `keys-example/`, which must never guard real money.

use crate::paybox::rsa::PublicKey;

const SEALING_KEYS: &str = include_str!("../../keys-example/sealing.keys");
const SANDBOX_KEY: &str = include_str!("../../keys-example/sandbox-public.pem");

/// Whether one of the keys in `text` is an example.
pub(super) fn holds_example_sealing_key(text: &str) -> bool {
    let is_example = |key: &str| keys_in(SEALING_KEYS).any(|example| example.eq_ignore_ascii_case(key));
    keys_in(text).any(is_example)
}

/// Whether the key's private half is published with this program.
pub(super) fn is_example_public_key(key: &PublicKey) -> bool {
    PublicKey::from_pem(SANDBOX_KEY).is_ok_and(|example| example.fingerprint() == key.fingerprint())
}

fn keys_in(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| Some(line.trim().split_once(':')?.1))
}
