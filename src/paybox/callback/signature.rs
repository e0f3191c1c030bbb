//! Where the signature stands in a callback, and its bytes.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::CallbackError;
use crate::paybox::retour::{Letter, Retour};

/// Splits `raw` into the bytes signed and the signature as written. The signature is the parameter of the configured name,
/// there once, last; whatever else the last parameter may be is not taken for it.
pub(super) fn locate<'a>(raw: &'a [u8], retour: &Retour) -> Result<(&'a [u8], &'a [u8]), CallbackError> {
    let name = retour.name_of(Letter::K).ok_or(CallbackError::MissingSignature)?;
    let prefix = format!("{name}=");
    let is_signature = |pair: &[u8]| pair.starts_with(prefix.as_bytes());
    match raw.split(|byte| *byte == b'&').filter(|pair| is_signature(pair)).count() {
        0 => return Err(CallbackError::MissingSignature),
        1 => {}
        _ => return Err(CallbackError::SignatureRepeated),
    }
    let last = raw.rsplit(|byte| *byte == b'&').next().unwrap_or_default();
    let encoded = last.strip_prefix(prefix.as_bytes()).ok_or(CallbackError::SignatureNotLast)?;
    // A signature alone signs nothing.
    let end = raw.len().checked_sub(last.len() + 1).ok_or(CallbackError::Empty)?;
    raw.get(..end).map(|signed| (signed, encoded)).ok_or(CallbackError::Empty)
}

/// The signature's bytes: standard base64 with exact padding, of which `+`, `/` and `=` may be escaped once. A blank is
/// a blank, not a `+`: nothing is repaired.
pub(super) fn decode(encoded: &[u8]) -> Result<Vec<u8>, CallbackError> {
    let mut text = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            text.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or(CallbackError::SignatureMalformed)?;
        text.push(match digits.to_ascii_uppercase().as_slice() {
            b"2B" => b'+',
            b"2F" => b'/',
            b"3D" => b'=',
            _ => return Err(CallbackError::SignatureMalformed),
        });
        rest = after;
    }
    let bytes = STANDARD.decode(&text).map_err(|_| CallbackError::SignatureMalformed)?;
    if bytes.is_empty() { Err(CallbackError::SignatureMalformed) } else { Ok(bytes) }
}
