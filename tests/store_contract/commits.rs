//! All or nothing.

use std::collections::BTreeMap;

use guichet::ports::{Commit, CommitError, Key, Stored};
use jiff::civil::date;

use crate::{
    fixtures::{answer, at, callback, claim, claims, everything, key, write, writes},
    harness::Harness,
};

/// A commit of everything new, which would succeed.
fn fresh() -> Commit {
    let mut new = write(&key("a", "new"), 0);
    new.wake_at = Some(at(5));
    new.ready_on = Some(date(2026, 10, 5));
    new.labels = vec![("payer", "p2".to_owned())];
    Commit {
        writes: vec![new],
        claims: vec![claim("a", "v2", "new")],
        callbacks: vec![callback("a", 2)],
        answer: Some(answer("k2", at(2))),
    }
}

pub(crate) async fn a_lost_commit_changes_nothing(harness: &dyn Harness) {
    let store = harness.open().await;
    let (old, new) = (key("a", "old"), key("a", "new"));
    let taken = claim("a", "v1", "other");
    let first = Commit {
        writes: vec![write(&old, 0)],
        claims: vec![claim("a", "v1", "old")],
        callbacks: vec![callback("a", 1)],
        answer: Some(answer("k1", at(1))),
    };
    store.commit(first).await.unwrap();
    store.commit(writes([write(&old, 1)])).await.unwrap();
    let before = everything(store.as_ref()).await;

    let conflict = |key: &Key| CommitError::Conflict(key.clone());
    let lost_claim = || CommitError::Taken { claim: taken.clone(), owner: "old".to_owned() };
    let with = |change: &dyn Fn(&mut Commit)| {
        let mut commit = fresh();
        change(&mut commit);
        commit
    };
    let rows = [
        ("made twice", with(&|c| c.writes.push(write(&old, 0))), conflict(&old)),
        ("an old version", with(&|c| c.writes.push(write(&old, 1))), conflict(&old)),
        ("a later version", with(&|c| c.writes.push(write(&old, 3))), conflict(&old)),
        ("the last version", with(&|c| c.writes.push(write(&old, u64::MAX))), conflict(&old)),
        ("the middle version", with(&|c| c.writes.push(write(&old, i64::MAX as u64))), conflict(&old)),
        ("one beyond", with(&|c| c.writes.push(write(&old, i64::MAX as u64 + 1))), conflict(&old)),
        ("not there", with(&|c| c.writes[0].expected_version = 1), conflict(&new)),
        ("first of two", with(&|c| c.writes.insert(0, write(&old, 1))), conflict(&old)),
        ("itself twice", with(&|c| c.writes.push(write(&new, 0))), conflict(&new)),
        ("another's claim", with(&|c| c.claims.push(taken.clone())), lost_claim()),
        ("another's claim first", with(&|c| c.claims.insert(0, taken.clone())), lost_claim()),
        (
            "one claim for two",
            with(&|c| c.claims.push(claim("a", "v2", "second"))),
            CommitError::Taken { claim: claim("a", "v2", "second"), owner: "new".to_owned() },
        ),
        ("answered", with(&|c| c.answer = Some(answer("k1", at(9)))), CommitError::Answered),
        // A repeated request hears that it was answered, whatever else its first run has changed.
        (
            "answered, changed and claimed",
            with(&|c| {
                c.answer = Some(answer("k1", at(9)));
                c.writes.push(write(&old, 0));
                c.claims.push(taken.clone());
            }),
            CommitError::Answered,
        ),
        (
            "changed and claimed",
            with(&|c| {
                c.writes.push(write(&old, 0));
                c.claims.push(taken.clone());
            }),
            conflict(&old),
        ),
    ];
    for (row, commit, error) in rows {
        assert_eq!(store.commit(commit).await, Err(error), "{row}");
        assert_eq!(everything(store.as_ref()).await, before, "{row}");
    }
    // It was lost for those reasons only.
    store.commit(fresh()).await.unwrap();
    assert_ne!(everything(store.as_ref()).await, before);
}

pub(crate) async fn a_commit_writes_all_it_carries(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut commit = fresh();
    commit.writes.push(write(&key("b", "second"), 0));
    commit.writes[0].events = vec!["1".to_owned(), "2".to_owned(), "3".to_owned()];
    commit.writes[1].events = Vec::new();
    store.commit(commit.clone()).await.unwrap();

    for write in &commit.writes {
        let stored = Stored { version: 1, state: write.state.clone() };
        assert_eq!(store.load(&write.key).await.unwrap(), Some(stored));
        let events: Vec<_> = store.history(&write.key).await.unwrap().into_iter().map(|item| item.event).collect();
        assert_eq!(events, write.events);
    }
    assert_eq!(store.due(at(5), 9).await.unwrap(), [key("a", "new")]);
    assert_eq!(store.list("a", "order", &[("payer", "p2".to_owned())], None, 9).await.unwrap().len(), 1);
    assert_eq!(store.ready("a", "order", date(2026, 10, 5), None, 9).await.unwrap()[0].0, key("a", "new"));
    assert_eq!(store.tally("a", "order", "payer", "").await.unwrap(), BTreeMap::from([("p2".to_owned(), 1)]));
    assert_eq!(store.owner("a", "reference", "v2").await.unwrap().as_deref(), Some("new"));
    assert_eq!(store.callbacks("a", 9).await.unwrap(), commit.callbacks);
    assert_eq!(store.answer("k2").await.unwrap(), commit.answer);
}

pub(crate) async fn a_version_grows_by_one(harness: &dyn Harness) {
    let store = harness.open().await;
    let key = key("a", "o");
    assert_eq!(store.load(&key).await.unwrap(), None);
    for expected in 0..5 {
        store.commit(writes([write(&key, expected)])).await.unwrap();
        let stored = store.load(&key).await.unwrap().unwrap();
        assert_eq!(stored.version, expected + 1);
        assert_eq!(stored.state, write(&key, expected).state);
    }
    let versions: Vec<u64> = store.history(&key).await.unwrap().iter().map(|item| item.version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5]);
}

pub(crate) async fn claims_are_for_ever(harness: &dyn Harness) {
    let store = harness.open().await;
    assert_eq!(store.owner("a", "reference", "v1").await.unwrap(), None);
    // The same owner may claim again, in one commit and in another.
    for _ in 0..2 {
        store.commit(claims([claim("a", "v1", "one"), claim("a", "v1", "one")])).await.unwrap();
    }
    let second = claim("a", "v1", "two");
    let error = store.commit(claims([second.clone()])).await.unwrap_err();
    assert_eq!(error, CommitError::Taken { claim: second, owner: "one".to_owned() });
    // Other merchants, kinds and values are other claims; so is another spelling.
    let other_kind = guichet::ports::Claim { kind: "token", ..claim("a", "v1", "two") };
    let others = [claim("b", "v1", "two"), claim("a", "V1", "two"), claim("a", "v1 ", "two"), other_kind];
    store.commit(claims(others.clone())).await.unwrap();
    for other in others {
        assert_eq!(store.owner(&other.merchant, other.kind, &other.value).await.unwrap().as_deref(), Some("two"));
    }
    assert_eq!(store.owner("a", "reference", "v1").await.unwrap().as_deref(), Some("one"));
}

pub(crate) async fn merchants_and_kinds_are_apart(harness: &dyn Harness) {
    let store = harness.open().await;
    let keys = [
        key("a", "x"),
        key("b", "x"),
        key("a", "y"),
        Key { kind: "key", ..key("a", "x") },
        // Names that run together when they are glued.
        key("a:x", "y"),
        key("a", "x:y"),
        key("", "x"),
        key("a", ""),
    ];
    for (at, key) in keys.iter().enumerate() {
        let mut made = write(key, 0);
        made.state = at.to_string();
        store.commit(writes([made])).await.unwrap();
    }
    for (at, key) in keys.iter().enumerate() {
        let stored = Stored { version: 1, state: at.to_string() };
        assert_eq!(store.load(key).await.unwrap(), Some(stored), "{key:?}");
        assert_eq!(store.history(key).await.unwrap().len(), 1, "{key:?}");
    }
}

pub(crate) async fn an_empty_commit_is_no_error(harness: &dyn Harness) {
    let store = harness.open().await;
    let before = everything(store.as_ref()).await;
    store.commit(Commit::default()).await.unwrap();
    assert_eq!(everything(store.as_ref()).await, before);
}
