//! What must never be seen again once it was used: card numbers in any answer or log, keys and payment links in a log.
//! Every answer is looked at as it comes, so nothing has to be kept for it.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::cards;

/// What must stay unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Secret {
    CardNumber,
    ApiKey,
    /// The key shared with PAYBOX.
    BankKey,
    /// The secret part of a link that a payer is sent to.
    PaymentLink,
}

#[derive(Default)]
pub(crate) struct Transcript {
    answers: AtomicUsize,
    /// Where a card number came back.
    leaks: Mutex<Vec<String>>,
    /// What no log may hold: what it is, and the thing itself.
    secrets: Mutex<Vec<(Secret, String)>>,
}

impl Transcript {
    /// Looks for card numbers in an answer.
    pub(crate) fn look_at<'a>(&self, what: &str, body: &str, headers: impl Iterator<Item = &'a str>) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        if holds_card(body) || headers.into_iter().any(holds_card) {
            self.leaks.lock().unwrap_or_else(PoisonError::into_inner).push(what.to_owned());
        }
    }

    /// From now on `secret` is looked for in the logs.
    pub(crate) fn keep_out_of_logs(&self, what: Secret, secret: &str) {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).push((what, secret.to_owned()));
    }

    pub(crate) fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }

    pub(crate) fn leaks(&self) -> Vec<String> {
        self.leaks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many keys are looked for.
    pub(crate) fn keys(&self) -> usize {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().filter(|(what, _)| *what != Secret::PaymentLink).count()
    }

    /// What `text` holds and should not, each kind once.
    pub(crate) fn found_in(&self, text: &str) -> Vec<Secret> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = secrets.iter().filter(|(_, secret)| text.contains(secret.as_str())).map(|(what, _)| *what);
        let cards = holds_card(text).then_some(Secret::CardNumber);
        let mut found: Vec<Secret> = known.chain(cards).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn holds_card(text: &str) -> bool {
    cards::ALL.iter().any(|card| text.contains(card.number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_stay_unseen_is_seen() {
        let transcript = Transcript::default();
        transcript.keep_out_of_logs(Secret::ApiKey, "gch_test_1_2");
        transcript.keep_out_of_logs(Secret::PaymentLink, "ecole.0123");
        assert_eq!(transcript.found_in("nothing"), []);
        assert_eq!(transcript.found_in("Bearer gch_test_1_2, gch_test_1_2"), [Secret::ApiKey]);
        let card = cards::ORDINARY.number;
        let both = format!("/pay/ecole.0123 {card}");
        assert_eq!(transcript.found_in(&both), [Secret::CardNumber, Secret::PaymentLink]);
        transcript.look_at("a body", card, std::iter::empty());
        transcript.look_at("a header", "", [card].into_iter());
        transcript.look_at("neither", "1111", std::iter::empty());
        assert_eq!((transcript.answers(), transcript.leaks()), (3, vec!["a body".to_owned(), "a header".to_owned()]));
    }
}
