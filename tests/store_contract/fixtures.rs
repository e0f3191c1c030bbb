//! Commits to try, and all that can be seen of a store.

use guichet::ports::{Answer, Callback, Claim, Commit, Key, Store, Write};
use jiff::{Timestamp, civil::Date};

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(crate) fn key(merchant: &str, id: &str) -> Key {
    Key { merchant: merchant.to_owned(), kind: "order", id: id.to_owned() }
}

/// A write that leads to version `expected + 1`, with one event that says so.
pub(crate) fn write(key: &Key, expected: u64) -> Write {
    Write {
        key: key.clone(),
        expected_version: expected,
        events: vec![format!(r#"{{"made":{}}}"#, u128::from(expected) + 1)],
        state: format!(r#"{{"version":{}}}"#, u128::from(expected) + 1),
        wake_at: None,
        ready_on: None,
        labels: Vec::new(),
    }
}

pub(crate) fn writes(writes: impl IntoIterator<Item = Write>) -> Commit {
    Commit { writes: writes.into_iter().collect(), ..Commit::default() }
}

pub(crate) fn claim(merchant: &str, value: &str, owner: &str) -> Claim {
    Claim { merchant: merchant.to_owned(), kind: "reference", value: value.to_owned(), owner: owner.to_owned() }
}

pub(crate) fn claims(claims: impl IntoIterator<Item = Claim>) -> Commit {
    Commit { claims: claims.into_iter().collect(), ..Commit::default() }
}

pub(crate) fn answer(key: &str, given_at: Timestamp) -> Answer {
    Answer {
        key: key.to_owned(),
        fingerprint: "f0".repeat(32),
        status: 201,
        sealed: r#"{"id":"é"}"#.as_bytes().to_vec(),
        version: Some(1),
        given_at,
    }
}

pub(crate) fn answers(answer: Answer) -> Commit {
    Commit { answer: Some(answer), ..Commit::default() }
}

/// A callback of nobody's, told apart by its bytes.
pub(crate) fn callback(merchant: &str, second: i64) -> Callback {
    Callback {
        merchant: merchant.to_owned(),
        received_at: at(second),
        verdict: "unverified",
        reason: Some("no key matches".to_owned()),
        order: None,
        sealed: second.to_be_bytes().to_vec(),
    }
}

/// All that can be seen of merchants `a` and `b`, and of answers and claims with the names that tests use.
pub(crate) async fn everything(store: &dyn Store) -> String {
    let mut seen = String::new();
    let merchants = ["a".to_owned(), "b".to_owned()];
    seen += &format!("{:?}\n", store.feed(&merchants, 0, usize::MAX).await.unwrap());
    seen += &format!("{:?}\n", store.due(at(1_000_000), usize::MAX).await.unwrap());
    for merchant in &merchants {
        for kind in ["order", "key"] {
            for labels in [vec![], vec![("payer", "p1".to_owned())], vec![("payer", "p2".to_owned())]] {
                seen += &format!("{:?}\n", store.list(merchant, kind, &labels, None, usize::MAX).await.unwrap());
            }
            seen += &format!("{:?}\n", store.ready(merchant, kind, Date::MAX, None, usize::MAX).await.unwrap());
            seen += &format!("{:?}\n", store.tally(merchant, kind, "payer", "").await.unwrap());
        }
        seen += &format!("{:?}\n", store.callbacks(merchant, usize::MAX).await.unwrap());
        for value in ["v1", "v2", "v3"] {
            seen += &format!("{:?}\n", store.owner(merchant, "reference", value).await.unwrap());
        }
    }
    for key in ["k1", "k2"] {
        seen += &format!("{:?}\n", store.answer(key).await.unwrap());
    }
    seen
}
