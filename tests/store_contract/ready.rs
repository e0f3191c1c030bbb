//! What a debit run may take up.

use guichet::ports::{Key, Store};
use jiff::civil::{Date, date};

use crate::{
    fixtures::{key, write, writes},
    harness::Harness,
};

async fn make(store: &dyn Store, key: &Key, expected: u64, ready_on: Option<Date>) {
    let mut made = write(key, expected);
    made.ready_on = ready_on;
    store.commit(writes([made])).await.unwrap();
}

/// Orders of `merchant` that are ready.
async fn ids(store: &dyn Store, merchant: &str, until: Date, after: Option<&str>, limit: usize) -> Vec<String> {
    let ready = store.ready(merchant, "order", until, after, limit).await.unwrap();
    ready.into_iter().map(|(key, _)| key.id).collect()
}

pub(crate) async fn what_is_ready_is_in_the_order_of_ids(harness: &dyn Harness) {
    let store = harness.open().await;
    let day = date(2026, 10, 5);
    // In the order neither of their days nor of their making.
    for (id, ready_on) in [
        ("b", Some(date(2026, 3, 1))),
        ("a\0", Some(date(2026, 4, 1))),
        ("é", Some(date(1999, 1, 1))),
        ("10", Some(day)),
        ("a", Some(date(2026, 5, 1))),
        ("B", Some(date(2026, 9, 9))),
        ("", Some(day)),
        ("9", None),
        ("a1", Some(date(2026, 10, 6))),
    ] {
        make(store.as_ref(), &key("a", id), 0, ready_on).await;
    }
    let all = ["", "10", "B", "a", "a\0", "b", "é"];
    for (after, limit, expected) in [
        (None, 99, &all[..]),
        (None, usize::MAX, &all),
        (None, 3, &all[..3]),
        (None, 0, &[]),
        (Some(""), 99, &all[1..]),
        (Some("10"), 2, &all[2..4]),
        (Some("a"), 1, &all[4..5]),
        // The cursor need not be there, nor be ready.
        (Some("9"), 99, &all[2..]),
        (Some("a1"), 99, &all[5..]),
        (Some("é"), 99, &[]),
    ] {
        assert_eq!(ids(store.as_ref(), "a", day, after, limit).await, expected, "{after:?} {limit}");
    }
    for (ready, stored) in store.ready("a", "order", day, None, 99).await.unwrap() {
        assert_eq!(store.load(&ready).await.unwrap(), Some(stored));
    }
}

pub(crate) async fn ready_days_compare_as_dates(harness: &dyn Harness) {
    let store = harness.open().await;
    let days = [
        Date::MIN,
        date(-44, 3, 15),
        date(-43, 3, 15),
        date(0, 1, 1),
        date(999, 12, 31),
        date(1969, 12, 31),
        date(1970, 1, 1),
        date(2026, 2, 28),
        date(2026, 9, 30),
        date(2026, 10, 1),
        date(2026, 12, 31),
        date(2027, 1, 1),
        date(2028, 2, 29),
        Date::MAX,
    ];
    for (number, day) in days.into_iter().enumerate() {
        make(store.as_ref(), &key("a", &format!("{number:02}")), 0, Some(day)).await;
    }
    make(store.as_ref(), &key("a", "never"), 0, None).await;
    for (number, day) in days.into_iter().enumerate() {
        let expected: Vec<String> = (0..=number).map(|number| format!("{number:02}")).collect();
        assert_eq!(ids(store.as_ref(), "a", day, None, 99).await, expected, "until {day}, which is included");
        let Ok(yesterday) = day.yesterday() else { continue };
        assert_eq!(ids(store.as_ref(), "a", yesterday, None, 99).await, expected[..number], "before {day}");
    }
}

pub(crate) async fn ready_is_of_its_merchant_and_kind(harness: &dyn Harness) {
    let store = harness.open().await;
    let day = date(2026, 10, 5);
    let keys =
        [key("a", "x"), key("b", "x"), key("a", "y"), Key { kind: "plan", ..key("a", "x") }, key("a:order", "x")];
    for key in &keys {
        make(store.as_ref(), key, 0, Some(day)).await;
    }
    for (merchant, kind, expected) in [
        ("a", "order", vec![keys[0].clone(), keys[2].clone()]),
        ("b", "order", vec![keys[1].clone()]),
        ("a", "plan", vec![keys[3].clone()]),
        ("a:order", "order", vec![keys[4].clone()]),
        ("b", "plan", vec![]),
        ("", "order", vec![]),
        ("A", "order", vec![]),
    ] {
        let ready = store.ready(merchant, kind, day, None, 9).await.unwrap();
        assert_eq!(ready.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), expected, "{merchant} {kind}");
    }
}

pub(crate) async fn a_changed_day_replaces_the_old(harness: &dyn Harness) {
    let store = harness.open().await;
    let (order, other) = (key("a", "1"), key("a", "2"));
    make(store.as_ref(), &other, 0, None).await;
    for (version, (ready_on, in_october, ever)) in [
        (Some(date(2026, 10, 5)), true, true),
        (Some(date(2026, 11, 5)), false, true),
        (Some(date(2026, 9, 5)), true, true),
        (None, false, false),
        (None, false, false),
        (Some(date(2026, 10, 31)), true, true),
    ]
    .into_iter()
    .enumerate()
    {
        make(store.as_ref(), &order, version as u64, ready_on).await;
        for (until, is_ready) in [(date(2026, 10, 31), in_october), (Date::MAX, ever)] {
            let ready = store.ready("a", "order", until, None, 9).await.unwrap();
            let expected = if is_ready { vec![(order.clone(), version as u64 + 1)] } else { vec![] };
            let found: Vec<_> = ready.into_iter().map(|(key, stored)| (key, stored.version)).collect();
            assert_eq!(found, expected, "{ready_on:?} until {until}");
        }
    }
    // The other's day is its own.
    make(store.as_ref(), &other, 1, Some(date(2026, 10, 5))).await;
    assert_eq!(ids(store.as_ref(), "a", Date::MAX, None, 9).await, ["1", "2"]);
}
