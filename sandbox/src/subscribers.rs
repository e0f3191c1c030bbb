//! Subscribers (REFABONNE): the stored cards that a merchant debits later. A subscriber is known by three things that a
//! debit must all name: its reference, the token of its card, and the card's expiry.
//!
//! ```text
//! page (letter U), 00056 ──▶ registered ──(00058)──▶ unknown: 00017
//!                             ▲      │
//!                             └(00057: other card, other token)
//! ```

use crate::cards::CardUse;
use crate::ledger::Merchant;
use crate::random::Random;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Letters of a token, in the alphabet of the recorded ones: 11 letters whose case matters.
const TOKEN_LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const TOKEN_SIZE: usize = 11;

/// One stored card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    pub token: String,
    pub card: CardUse,
    pub registered_at: Timestamp,
    /// What registered it: `page`, `00056` or `00057`.
    pub registered_by: &'static str,
    /// The operation that registered it.
    pub numtrans: u64,
}

impl Subscriber {
    /// The token as a list may show it.
    #[must_use]
    pub fn masked_token(&self) -> String {
        format!("{}…", self.token.get(..2).unwrap_or_default())
    }
}

/// Every subscriber of every merchant.
#[derive(Debug, Default)]
pub struct Subscribers(BTreeMap<(Merchant, String), Subscriber>);

impl Subscribers {
    #[must_use]
    pub fn get(&self, merchant: &Merchant, refabonne: &str) -> Option<&Subscriber> {
        self.0.get(&(merchant.clone(), refabonne.to_owned()))
    }

    /// Registers a subscriber, or gives it another card.
    pub fn set(&mut self, merchant: &Merchant, refabonne: &str, subscriber: Subscriber) {
        self.0.insert((merchant.clone(), refabonne.to_owned()), subscriber);
    }

    /// Forgets a subscriber, and gives what was known of it.
    pub fn remove(&mut self, merchant: &Merchant, refabonne: &str) -> Option<Subscriber> {
        self.0.remove(&(merchant.clone(), refabonne.to_owned()))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Merchant, &str, &Subscriber)> {
        self.0.iter().map(|((merchant, refabonne), subscriber)| (merchant, refabonne.as_str(), subscriber))
    }

    /// A token that no subscriber has, or that of the same card of the same site when `follows_card`.
    pub fn token(&self, random: &mut Random, merchant: &Merchant, card: &CardUse, follows_card: bool) -> String {
        let same = |other: &Subscriber| other.card.fingerprint == card.fingerprint;
        let known = self.iter().find(|(owner, _, other)| owner.site == merchant.site && same(other));
        if let Some((_, _, known)) = known.filter(|_| follows_card) {
            return known.token.clone();
        }
        loop {
            let token = letters(random);
            if self.0.values().all(|other| other.token != token) {
                return token;
            }
        }
    }
}

fn letters(random: &mut Random) -> String {
    let count = u64::try_from(TOKEN_LETTERS.len()).unwrap_or(1);
    let mut letter = || {
        let drawn = usize::try_from(random.number() % count).unwrap_or(0);
        TOKEN_LETTERS.get(drawn).copied().map_or('A', char::from)
    };
    (0..TOKEN_SIZE).map(|_| letter()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber(token: &str, number: &str) -> Subscriber {
        Subscriber {
            token: token.into(),
            card: CardUse::new(number, "3012".into()),
            registered_at: Timestamp::UNIX_EPOCH,
            registered_by: "00056",
            numtrans: 1,
        }
    }

    #[test]
    fn tokens_are_eleven_letters_and_follow_the_card_when_asked() {
        let merchant = Merchant { site: "1999888".into(), rang: 32 };
        let (mut all, mut random) = (Subscribers::default(), Random::new(7));
        all.set(&merchant, "plan-1", subscriber("SLDLrcsLMPC", "1111222233334444"));
        let card = CardUse::new("1111222233334444", "3101".into());
        assert_eq!(all.token(&mut random, &merchant, &card, true), "SLDLrcsLMPC");
        let token = all.token(&mut random, &merchant, &card, false);
        assert!(token.len() == 11 && token.bytes().all(|byte| byte.is_ascii_alphabetic()), "{token}");
        assert_ne!(token, "SLDLrcsLMPC");
        assert_eq!(all.get(&merchant, "plan-1").unwrap().masked_token(), "SL…");
    }

    #[test]
    fn a_subscriber_belongs_to_one_merchant() {
        let merchant = Merchant { site: "1999888".into(), rang: 32 };
        let other = Merchant { rang: 63, ..merchant.clone() };
        let mut all = Subscribers::default();
        all.set(&merchant, "plan-1", subscriber("SLDLrcsLMPC", "1111222233334444"));
        assert!(all.get(&other, "plan-1").is_none() && all.remove(&other, "plan-1").is_none());
        assert!(all.remove(&merchant, "plan-1").is_some() && all.get(&merchant, "plan-1").is_none());
    }
}
