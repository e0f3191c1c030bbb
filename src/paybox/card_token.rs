//! A card that PAYBOX keeps for later debits.

use std::fmt;

use secrecy::SecretString;

use crate::domain::card::CardEnd;

/// The handle that debits the card, case-sensitive, at most nineteen characters, and the card's expiry. The page gives it
/// (letter `U`), debits need both. Never printed.
#[derive(Clone)]
pub struct CardToken {
    pub handle: SecretString,
    pub end: CardEnd,
}

impl fmt::Debug for CardToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CardToken(hidden)")
    }
}
