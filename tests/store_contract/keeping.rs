//! Answers, callbacks and counters.

use guichet::ports::{Answer, Callback, Commit, CommitError};

use crate::{
    fixtures::{answer, answers, at, callback},
    harness::Harness,
};

pub(crate) async fn an_answer_is_given_again(harness: &dyn Harness) {
    let store = harness.open().await;
    assert_eq!(store.answer("k1").await.unwrap(), None);
    let first = answer("k1", at(1));
    store.commit(answers(first.clone())).await.unwrap();
    let another = Answer { status: 409, sealed: b"other".to_vec(), version: None, ..answer("k1", at(2)) };
    assert_eq!(store.commit(answers(another)).await, Err(CommitError::Answered));
    // The very same one too: that it was given is all that counts.
    assert_eq!(store.commit(answers(first.clone())).await, Err(CommitError::Answered));
    assert_eq!(store.answer("k1").await.unwrap(), Some(first));
    assert_eq!(store.answer("K1").await.unwrap(), None);
}

pub(crate) async fn answers_are_forgotten(harness: &dyn Harness) {
    let store = harness.open().await;
    for second in 1..=4 {
        store.commit(answers(answer(&format!("k{second}"), at(second)))).await.unwrap();
    }
    for (before, left) in [(at(0), 4), (at(1), 4), (at(3), 2), (at(3), 2), (at(9), 0)] {
        store.forget_answers(before).await.unwrap();
        let mut there = Vec::new();
        for second in 1..=4 {
            there.extend(store.answer(&format!("k{second}")).await.unwrap());
        }
        assert_eq!(there.len(), left, "before {before}");
        assert!(there.iter().all(|answer| answer.given_at >= before));
    }
    // A forgotten key may be used again.
    store.commit(answers(answer("k1", at(10)))).await.unwrap();
}

pub(crate) async fn callbacks_are_latest_first(harness: &dyn Harness) {
    let store = harness.open().await;
    let accepted = Callback {
        verdict: "accepted",
        reason: None,
        order: Some("o".to_owned()),
        sealed: (0..=255).collect(),
        ..callback("a", 1)
    };
    let empty = Callback { sealed: Vec::new(), ..callback("a", 3) };
    let carried = Commit { callbacks: vec![accepted.clone(), callback("a", 2)], ..Commit::default() };
    store.commit(carried).await.unwrap();
    store.keep_callback(empty.clone(), 9).await.unwrap();
    store.keep_callback(callback("b", 4), 9).await.unwrap();
    let latest = [empty, callback("a", 2), accepted];
    for limit in [0, 1, 2, 3, usize::MAX] {
        assert_eq!(store.callbacks("a", limit).await.unwrap(), latest[..limit.min(3)], "{limit}");
    }
    assert_eq!(store.callbacks("b", 9).await.unwrap(), [callback("b", 4)]);
    assert!(store.callbacks("c", 9).await.unwrap().is_empty());
}

pub(crate) async fn callbacks_of_nobody_are_bounded(harness: &dyn Harness) {
    let store = harness.open().await;
    let of_order = Callback { order: Some("o".to_owned()), ..callback("a", 0) };
    store.commit(Commit { callbacks: vec![of_order.clone()], ..Commit::default() }).await.unwrap();
    store.keep_callback(callback("b", 1), 2).await.unwrap();
    for second in 1..=5 {
        store.keep_callback(callback("a", second), 3).await.unwrap();
    }
    // One that belongs to an order does not count and is never dropped, nor is another merchant's.
    let kept = store.callbacks("a", 99).await.unwrap();
    assert_eq!(kept, [callback("a", 5), callback("a", 4), callback("a", 3), of_order.clone()]);
    for (keep, left) in [(1, vec![callback("a", 6), of_order.clone()]), (0, vec![of_order])] {
        store.keep_callback(callback("a", 6), keep).await.unwrap();
        assert_eq!(store.callbacks("a", 99).await.unwrap(), left);
    }
    assert_eq!(store.callbacks("b", 99).await.unwrap(), [callback("b", 1)]);
}

pub(crate) async fn a_counter_gives_blocks(harness: &dyn Harness) {
    const MAX: u32 = u32::MAX;
    let store = harness.open().await;
    for (counter, start, last, blocks) in [
        ("one by one", 8, 10, &[(1, 8), (1, 9), (1, 10), (1, 1), (1, 2)][..]),
        // 9 and 10 are too few for a block of four, and are never given.
        ("skipping", 1, 10, &[(4, 1), (4, 5), (4, 1), (2, 5)]),
        ("to the last", 1, 10, &[(5, 1), (5, 6), (5, 1)]),
        ("beginning too late", 9, 10, &[(3, 1), (3, 4)]),
        ("all at once", 1, 7, &[(7, 1), (7, 1)]),
        ("only one", 1, 1, &[(1, 1), (1, 1)]),
        ("widest", MAX - 1, MAX, &[(1, MAX - 1), (1, MAX), (1, 1), (MAX - 1, 2), (2, 1)]),
        ("widest at once", 1, MAX, &[(MAX, 1), (1, 1)]),
    ] {
        for (count, first) in blocks {
            let given = store.reserve(counter, start, last, *count).await.unwrap();
            assert_eq!(given, *first, "{counter}, {count} of them");
        }
    }
    // A counter that goes on does not begin again, and one whose last comes nearer does not pass it.
    assert_eq!(store.reserve("moved", 5, 100, 10).await.unwrap(), 5);
    assert_eq!(store.reserve("moved", 50, 100, 10).await.unwrap(), 15);
    assert_eq!(store.reserve("moved", 5, 20, 1).await.unwrap(), 1);
}

pub(crate) async fn a_counter_refuses_what_it_cannot_give(harness: &dyn Harness) {
    let store = harness.open().await;
    for (start, last, count) in
        [(1, 10, 0), (1, 10, 11), (0, 10, 1), (11, 10, 1), (1, 0, 1), (0, 0, 0), (1, 1, u32::MAX)]
    {
        assert!(store.reserve("c", start, last, count).await.is_err(), "{start} {last} {count}");
    }
    assert_eq!(store.reserve("c", 3, 10, 1).await.unwrap(), 3);
}
