//! Lists and tallies by label, and what is due.

use std::collections::BTreeMap;

use guichet::ports::{Key, Store};
use jiff::Timestamp;

use crate::{
    fixtures::{at, key, write, writes},
    harness::Harness,
};

async fn make(store: &dyn Store, key: &Key, expected: u64, labels: &[(&'static str, &str)], wake: Option<Timestamp>) {
    let mut made = write(key, expected);
    made.labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    made.wake_at = wake;
    store.commit(writes([made])).await.unwrap();
}

async fn ids(
    store: &dyn Store,
    merchant: &str,
    labels: &[(&'static str, &str)],
    after: Option<&str>,
    limit: usize,
) -> Vec<String> {
    let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let listed = store.list(merchant, "order", &labels, after, limit).await.unwrap();
    listed.into_iter().map(|(key, _)| key.id).collect()
}

pub(crate) async fn a_list_is_in_the_order_of_ids(harness: &dyn Harness) {
    let store = harness.open().await;
    for id in ["b", "a", "B", "é", "aa", "10", "9", "c"] {
        make(store.as_ref(), &key("a", id), 0, &[("payer", "p")], None).await;
    }
    make(store.as_ref(), &key("b", "other"), 0, &[("payer", "p")], None).await;
    make(store.as_ref(), &Key { kind: "key", ..key("a", "k") }, 0, &[("payer", "p")], None).await;
    // Of bytes, as ids compare in the program.
    let all = ["10", "9", "B", "a", "aa", "b", "c", "é"];
    for labels in [&[][..], &[("payer", "p")]] {
        for (after, limit, expected) in [
            (None, 99, &all[..]),
            (None, usize::MAX, &all),
            (None, 3, &all[..3]),
            (None, 0, &[]),
            (Some(""), 99, &all),
            (Some("9"), 2, &all[2..4]),
            // The cursor need not be there.
            (Some("a0"), 99, &all[4..]),
            (Some("é"), 99, &[]),
        ] {
            let listed = ids(store.as_ref(), "a", labels, after, limit).await;
            assert_eq!(listed, expected, "{labels:?} {after:?} {limit}");
        }
    }
    let (first, stored) = store.list("a", "order", &[], None, 1).await.unwrap().remove(0);
    assert_eq!(first, key("a", "10"));
    assert_eq!(Some(stored), store.load(&first).await.unwrap());
}

pub(crate) async fn a_list_has_all_labels(harness: &dyn Harness) {
    let store = harness.open().await;
    for (id, labels) in [
        ("1", &[("payer", "p1"), ("status", "open")][..]),
        ("2", &[("payer", "p1"), ("status", "settled")]),
        ("3", &[("payer", "p2"), ("status", "open")]),
        ("4", &[("payer", "p1"), ("payer", "p2"), ("payer", "p1")]),
        ("5", &[]),
    ] {
        make(store.as_ref(), &key("a", id), 0, labels, None).await;
    }
    for (labels, expected) in [
        (&[][..], &["1", "2", "3", "4", "5"][..]),
        (&[("payer", "p1")], &["1", "2", "4"]),
        (&[("status", "open")], &["1", "3"]),
        (&[("payer", "p1"), ("status", "open")], &["1"]),
        (&[("status", "open"), ("payer", "p1")], &["1"]),
        (&[("payer", "p1"), ("payer", "p2")], &["4"]),
        (&[("payer", "p1"), ("payer", "p1")], &["1", "2", "4"]),
        (&[("payer", "P1")], &[]),
        (&[("status", "p1")], &[]),
        (&[("payer", "p1"), ("status", "open"), ("kind", "x")], &[]),
    ] {
        assert_eq!(ids(store.as_ref(), "a", labels, None, 99).await, expected, "{labels:?}");
    }
    assert_eq!(ids(store.as_ref(), "a", &[("payer", "p1")], Some("1"), 1).await, ["2"]);
    assert!(ids(store.as_ref(), "b", &[("payer", "p1")], None, 99).await.is_empty());
}

pub(crate) async fn labels_are_replaced(harness: &dyn Harness) {
    let store = harness.open().await;
    let order = key("a", "1");
    make(store.as_ref(), &order, 0, &[("status", "open"), ("payer", "p1")], None).await;
    make(store.as_ref(), &order, 1, &[("status", "settled"), ("payer", "p1")], None).await;
    for (label, expected) in [(("status", "open"), 0), (("status", "settled"), 1), (("payer", "p1"), 1)] {
        assert_eq!(ids(store.as_ref(), "a", &[label], None, 9).await.len(), expected, "{label:?}");
    }
    make(store.as_ref(), &order, 2, &[], None).await;
    assert!(ids(store.as_ref(), "a", &[("payer", "p1")], None, 9).await.is_empty());
    assert_eq!(ids(store.as_ref(), "a", &[], None, 9).await, ["1"]);
}

pub(crate) async fn due_is_longest_first(harness: &dyn Harness) {
    let store = harness.open().await;
    let micro = Timestamp::from_microsecond(at(10).as_microsecond() + 1).unwrap();
    for (merchant, id, wake) in [
        ("a", "later", Some(micro)),
        ("a", "now", Some(at(10))),
        ("b", "sooner", Some(at(1))),
        ("a", "never", None),
        ("b", "before 1970", Some(Timestamp::from_microsecond(-1).unwrap())),
        ("a", "far", Some(at(1_000))),
    ] {
        make(store.as_ref(), &key(merchant, id), 0, &[], wake).await;
    }
    for (now, limit, expected) in [
        (at(10), 9, &["before 1970", "sooner", "now"][..]),
        (at(10), 2, &["before 1970", "sooner"]),
        (at(10), 0, &[]),
        (micro, usize::MAX, &["before 1970", "sooner", "now", "later"]),
        (at(999), 9, &["before 1970", "sooner", "now", "later"]),
        (at(1_000), 9, &["before 1970", "sooner", "now", "later", "far"]),
        (Timestamp::MAX, 9, &["before 1970", "sooner", "now", "later", "far"]),
        (Timestamp::UNIX_EPOCH, 9, &["before 1970"]),
        (Timestamp::MIN, 9, &[]),
    ] {
        let due: Vec<String> = store.due(now, limit).await.unwrap().into_iter().map(|key| key.id).collect();
        assert_eq!(due, expected, "{now} {limit}");
    }
    assert_eq!(store.due(at(1), 9).await.unwrap()[1], key("b", "sooner"));
}

pub(crate) async fn a_changed_wake_up_replaces_the_old(harness: &dyn Harness) {
    let store = harness.open().await;
    let order = key("a", "1");
    for (version, (wake, due_at_10)) in
        [(Some(at(1)), 1), (Some(at(20)), 0), (Some(at(10)), 1), (None, 0)].into_iter().enumerate()
    {
        make(store.as_ref(), &order, version as u64, &[], wake).await;
        assert_eq!(store.due(at(10), 9).await.unwrap().len(), due_at_10, "{wake:?}");
    }
}

async fn tally(store: &dyn Store, prefix: &str) -> Vec<(String, u64)> {
    Vec::from_iter(store.tally("a", "order", "run", prefix).await.unwrap())
}

fn counts(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
    counts.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect()
}

pub(crate) async fn a_tally_counts_each_value(harness: &dyn Harness) {
    let store = harness.open().await;
    for (id, labels) in [
        ("1", &[("run", "r1:done"), ("payer", "r1:done")][..]),
        ("2", &[("run", "r1:done"), ("run", "r1:done"), ("run", "r2:due")]),
        ("3", &[("run", "r1:due"), ("run", "r1:done"), ("status", "r1:open")]),
        ("4", &[("run", "r10:due")]),
        ("5", &[]),
    ] {
        make(store.as_ref(), &key("a", id), 0, labels, None).await;
    }
    // Another merchant's and another kind's are not counted.
    make(store.as_ref(), &key("b", "1"), 0, &[("run", "r1:due")], None).await;
    make(store.as_ref(), &Key { kind: "key", ..key("a", "1") }, 0, &[("run", "r1:due")], None).await;
    let all = [("r10:due", 1), ("r1:done", 3), ("r1:due", 1), ("r2:due", 1)];
    for (prefix, expected) in [
        ("", &all[..]),
        ("r", &all),
        ("r1", &all[..3]),
        ("r1:", &all[1..3]),
        ("r1:due", &all[2..3]),
        ("r1:due ", &[]),
        ("r2", &all[3..]),
        ("R1:", &[]),
        ("s", &[]),
    ] {
        assert_eq!(tally(store.as_ref(), prefix).await, counts(expected), "{prefix:?}");
    }
    let of = async |merchant, kind, label| store.tally(merchant, kind, label, "r1:d").await.unwrap();
    let one_due = BTreeMap::from([("r1:due".to_owned(), 1)]);
    assert_eq!(of("b", "order", "run").await, one_due);
    assert_eq!(of("a", "key", "run").await, one_due);
    assert_eq!(of("a", "order", "payer").await, BTreeMap::from([("r1:done".to_owned(), 1)]));
    assert_eq!(of("a", "order", "status").await, BTreeMap::new());
    assert_eq!(of("c", "order", "run").await, BTreeMap::new());
}

pub(crate) async fn a_prefix_is_taken_as_it_is(harness: &dyn Harness) {
    let store = harness.open().await;
    let values = [
        "",
        " x",
        "%",
        "%a",
        "*",
        "?x",
        "[a]",
        "\\%",
        "_",
        "_a",
        "a",
        "a\0",
        "a\0b",
        "a%",
        "a_",
        "ab",
        "A",
        "é",
        "éa",
        "e\u{301}",
        "ê",
        "\u{d7ff}x",
        "\u{e000}",
        "🦀",
        "🦀🦀",
        "\u{10ffff}",
        "\u{10ffff}\u{10ffff}x",
    ];
    for (number, value) in values.into_iter().enumerate() {
        make(store.as_ref(), &key("a", &number.to_string()), 0, &[("run", value)], None).await;
    }
    for prefix in values.into_iter().chain(["e", "\u{d7ff}", "\u{10ffff}\u{10ffff}", "%%", "zz", "\0"]) {
        let mut expected: Vec<_> = values.into_iter().filter(|value| value.starts_with(prefix)).collect();
        expected.sort_unstable();
        let expected: Vec<_> = expected.into_iter().map(|value| (value, 1)).collect();
        assert_eq!(tally(store.as_ref(), prefix).await, counts(&expected), "{prefix:?}");
    }
}

pub(crate) async fn a_tally_follows_the_labels(harness: &dyn Harness) {
    let store = harness.open().await;
    let (first, second) = (key("a", "1"), key("a", "2"));
    make(store.as_ref(), &second, 0, &[("run", "r1:due")], None).await;
    for (version, (labels, expected)) in [
        (&[("run", "r1:due")][..], &[("r1:due", 2)][..]),
        (&[("run", "r1:done")], &[("r1:done", 1), ("r1:due", 1)]),
        (&[("run", "r1:done"), ("run", "r1:due"), ("run", "r1:done")], &[("r1:done", 1), ("r1:due", 2)]),
        (&[("payer", "r1:due")], &[("r1:due", 1)]),
        (&[], &[("r1:due", 1)]),
    ]
    .into_iter()
    .enumerate()
    {
        make(store.as_ref(), &first, version as u64, labels, None).await;
        assert_eq!(tally(store.as_ref(), "r1:").await, counts(expected), "{labels:?}");
    }
    make(store.as_ref(), &second, 1, &[], None).await;
    assert!(tally(store.as_ref(), "").await.is_empty());
}
