//! I21: no token and no card number in clear, in anything that is stored or told.

use crate::world::Inner;

/// What every token of the simulated bank begins with; what follows are eight digits.
pub(crate) const TOKEN: &str = "TOK";
/// The card number that a stranger sends.
pub(crate) const CARD: &str = "4970101122334455";

pub(crate) fn in_clear(inner: &mut Inner, what: &str, text: &str) {
    let is_token = |at: usize| {
        let digits = text.as_bytes().iter().skip(at + TOKEN.len()).take(8);
        digits.filter(|byte| byte.is_ascii_digit()).count() == 8
    };
    if text.match_indices(TOKEN).any(|(at, _)| is_token(at)) || text.contains(CARD) {
        inner.violate("I21", format!("a token or card number is in {what}"));
    }
}
