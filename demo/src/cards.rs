//! The sandbox's test cards that this demo types. Its own list is in its README and at `/cards` of its management port.

/// A card as a payer types it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) number: &'static str,
    pub(crate) code: &'static str,
    /// What it does, for people.
    pub(crate) note: &'static str,
}

/// Authenticates when the address is missing, or the merchant wants it.
pub(crate) const ORDINARY: Card =
    Card { number: "1111222233334444", code: "123", note: "acceptée ; 3-D Secure seulement sans adresse" };
pub(crate) const CHALLENGED: Card =
    Card { number: "4012001037141112", code: "123", note: "acceptée après authentification 3-D Secure" };
pub(crate) const FRICTIONLESS: Card =
    Card { number: "5200000000000007", code: "123", note: "acceptée sans authentification" };
pub(crate) const INSUFFICIENT: Card =
    Card { number: "4970100000000154", code: "123", note: "refusée : provision insuffisante (00151)" };

/// A number made for one purchase; sellers know it by its type.
pub(crate) const E_CARD: Card = Card {
    number: "4150550000000004",
    code: "123",
    note: "e-Carte Bleue : acceptée en 1 fois, interdite en plusieurs fois",
};
/// Its holder pays; its later debits are refused.
pub(crate) const EMPTY_LATER: Card =
    Card { number: "4970100000000519", code: "123", note: "acceptée ; prélèvements suivants refusés (00151)" };

pub(crate) const ALL: [Card; 6] = [ORDINARY, CHALLENGED, FRICTIONLESS, INSUFFICIENT, E_CARD, EMPTY_LATER];
