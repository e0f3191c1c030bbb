//! What PAYBOX reports about a payment, by the payer's browser or by its own server.
//!
//! Bytes are verified exactly as they came, before a value is read; only [`UnverifiedCallback::verify`] makes a
//! [`VerifiedCallback`]. Even that is a hint: PAYBOX signs for all merchants with one key, and a return URL's own
//! parameters with it, so what a callback says is asked back under our own credentials before anything is paid.

mod signature;
mod values;

use std::fmt;

use percent_encoding::percent_decode;
use sha2::{Digest, Sha256};

use crate::paybox::{
    codes::Code,
    retour::{Letter, Retour},
    rsa::KeyRing,
};

pub use values::CallbackIdentity;

/// The longest callback read.
pub const MAX_RAW_BYTES: usize = 16 * 1_024;
/// The most parameters in one callback.
pub const MAX_PARAMETERS: usize = 64;

/// Which bytes PAYBOX signs, which depends on how it was told to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A notification to the URL in the form: what we asked for, and nothing else.
    Notification,
    /// A notification to the URL of the back office: that URL's own parameters first, signed too.
    NotificationSignedWhole,
    /// The browser's return: the portal's own parameters first, signed too.
    Return,
}

/// Why a callback is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    #[error("the callback is empty")]
    Empty,
    #[error("the callback is longer than {MAX_RAW_BYTES} bytes")]
    TooLarge,
    #[error("the callback has more than {MAX_PARAMETERS} parameters")]
    TooManyParameters,
    #[error("the callback has no signature")]
    MissingSignature,
    #[error("the callback has its signature more than once")]
    SignatureRepeated,
    #[error("the signature is not the last parameter")]
    SignatureNotLast,
    #[error("the signature is not base64 as PAYBOX writes it")]
    SignatureMalformed,
    #[error("a parameter stands outside the signed part")]
    OutsideSignature,
    #[error("no known key made the signature over these bytes")]
    BadSignature,
    #[error("signed, but not `name=value` pairs joined by `&`")]
    Malformed,
    #[error("signed, but a parameter was not asked for")]
    UnexpectedName,
    #[error("signed, but the parameters are not in the order asked for")]
    OutOfOrder,
    #[error("signed, but a parameter is there twice")]
    Duplicate,
    #[error("signed, but {} is missing", .0.wire())]
    Missing(Letter),
    #[error("signed, but {} is not of its shape", .0.wire())]
    BadValue(Letter),
}

impl CallbackError {
    /// Whether PAYBOX did sign these bytes. `false`: a stranger may have written them.
    pub fn is_signed(self) -> bool {
        match self {
            Self::Empty
            | Self::TooLarge
            | Self::TooManyParameters
            | Self::MissingSignature
            | Self::SignatureRepeated
            | Self::SignatureNotLast
            | Self::SignatureMalformed
            | Self::OutsideSignature
            | Self::BadSignature => false,
            Self::Malformed
            | Self::UnexpectedName
            | Self::OutOfOrder
            | Self::Duplicate
            | Self::Missing(_)
            | Self::BadValue(_) => true,
        }
    }
}

/// Bytes in which the signature was found, and nothing else looked at.
#[derive(Clone)]
pub struct UnverifiedCallback<'a> {
    raw: &'a [u8],
    signed: &'a [u8],
    signature: Vec<u8>,
    retour: &'a Retour,
    scope: Scope,
}

impl<'a> UnverifiedCallback<'a> {
    /// Finds the signature in `raw`: the body of a notification, or a query string without its `?`, as on the wire.
    ///
    /// # Errors
    /// [`CallbackError`]; nothing in it comes from a verified byte.
    pub fn parse(raw: &'a [u8], retour: &'a Retour, scope: Scope) -> Result<Self, CallbackError> {
        if raw.is_empty() {
            return Err(CallbackError::Empty);
        }
        if raw.len() > MAX_RAW_BYTES {
            return Err(CallbackError::TooLarge);
        }
        if raw.split(|byte| *byte == b'&').count() > MAX_PARAMETERS {
            return Err(CallbackError::TooManyParameters);
        }
        let (signed, encoded) = signature::locate(raw, retour)?;
        // Letter for letter what was asked for comes first in a notification: the bytes before it would be unsigned,
        // and nobody but a stranger puts any there.
        if scope == Scope::Notification {
            let first = signed.split(|byte| *byte == b'&').next().unwrap_or_default();
            let (name, _) = split_pair(first).ok_or(CallbackError::OutsideSignature)?;
            if find(retour, name).is_none() {
                return Err(CallbackError::OutsideSignature);
            }
        }
        let signature = signature::decode(encoded)?;
        Ok(Self { raw, signed, signature, retour, scope })
    }

    /// SHA-256 of the bytes as they came.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.raw).into()
    }

    /// Verifies the signature, then reads the values.
    ///
    /// # Errors
    /// [`CallbackError`]: [`CallbackError::BadSignature`], or one that [`CallbackError::is_signed`].
    pub fn verify(self, keys: &KeyRing) -> Result<VerifiedCallback, CallbackError> {
        let key = keys.verify(self.signed, &self.signature).ok_or(CallbackError::BadSignature)?;
        let values = read(self.signed, self.retour, self.scope)?;
        VerifiedCallback::new(values, self.digest(), key.fingerprint().to_owned())
    }
}

/// No byte of it: it may hold anything, a card's handle included.
impl fmt::Debug for UnverifiedCallback<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "UnverifiedCallback({:?}, {} bytes)", self.scope, self.raw.len())
    }
}

/// What PAYBOX reported, signed by a pinned key and of the shape asked for. No field is public and `verify` alone makes
/// one.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedCallback {
    values: Vec<(Letter, String)>,
    amount: i64,
    code: Code,
    digest: [u8; 32],
    key_fingerprint: String,
}

/// Name and value of a pair, `None` without `=` or name.
fn split_pair(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let position = pair.iter().position(|byte| *byte == b'=')?;
    let (name, rest) = pair.split_at_checked(position)?;
    if name.is_empty() { None } else { rest.split_first().map(|(_, value)| (name, value)) }
}

/// Where a raw name stands in the list asked for.
fn find(retour: &Retour, name: &[u8]) -> Option<(usize, Letter)> {
    std::str::from_utf8(name).ok().and_then(|name| retour.position(name))
}

/// Whether a reader more lenient than this one could take `name` for one of ours: escaped, with blanks, or as an array.
fn resembles_ours(retour: &Retour, name: &[u8]) -> bool {
    let decoded: Vec<u8> = percent_decode(name).collect();
    let text = String::from_utf8_lossy(&decoded);
    let bare = text.split(['[', '\0']).next().unwrap_or_default();
    let bare =
        bare.trim_matches(|character: char| character.is_whitespace() || character.is_control() || character == '+');
    retour.position(bare).is_some()
}

/// Reads the signed bytes: the caller's own parameters where the scope has them, then ours, in the order asked for.
fn read(signed: &[u8], retour: &Retour, scope: Scope) -> Result<Vec<(Letter, String)>, CallbackError> {
    // Nothing PAYBOX writes needs these unescaped; a semicolon is another separator to some readers.
    if signed.iter().any(|byte| *byte <= b' ' || *byte == 0x7f || *byte == b';') {
        return Err(CallbackError::Malformed);
    }
    let mut values: Vec<(Letter, String)> = Vec::new();
    let mut last_position = None;
    for pair in signed.split(|byte| *byte == b'&') {
        let (name, value) = split_pair(pair).ok_or(CallbackError::Malformed)?;
        let Some((position, letter)) = find(retour, name) else {
            let own = match scope {
                Scope::Notification => false,
                Scope::NotificationSignedWhole | Scope::Return => last_position.is_none(),
            };
            if own && !resembles_ours(retour, name) {
                continue;
            }
            return Err(CallbackError::UnexpectedName);
        };
        if values.iter().any(|(seen, _)| *seen == letter) {
            return Err(CallbackError::Duplicate);
        }
        if last_position.is_some_and(|last| position < last) {
            return Err(CallbackError::OutOfOrder);
        }
        last_position = Some(position);
        values.push((letter, decode_text(value)));
    }
    Ok(values)
}

/// The text of a value: escapes undone, `+` left alone, UTF-8 or else Latin-1, as PAYBOX writes both.
fn decode_text(value: &[u8]) -> String {
    let bytes: Vec<u8> = percent_decode(value).collect();
    String::from_utf8(bytes).unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests;
