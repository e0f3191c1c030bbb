//! The feed of events, and histories.

use std::sync::Arc;

use guichet::{
    domain::chain::Link,
    ports::{FeedItem, Store},
};
use tokio::task::JoinSet;

use crate::{
    fixtures::{key, write, writes},
    harness::Harness,
};

/// Five commits of merchants a and b, one of them with two writes.
async fn fill(store: &dyn Store) {
    for commit in [
        writes([write(&key("a", "1"), 0)]),
        writes([write(&key("b", "1"), 0)]),
        writes([write(&key("a", "2"), 0), write(&key("b", "1"), 1)]),
        writes([write(&key("a", "1"), 1)]),
        writes([write(&key("c", "1"), 0)]),
    ] {
        store.commit(commit).await.unwrap();
    }
}

fn named(merchants: &[&str]) -> Vec<String> {
    merchants.iter().map(|merchant| (*merchant).to_owned()).collect()
}

fn brief(items: &[FeedItem]) -> Vec<String> {
    items.iter().map(|item| format!("{}{}v{}", item.key.merchant, item.key.id, item.version)).collect()
}

pub(crate) async fn the_feed_is_in_the_order_of_commits(harness: &dyn Harness) {
    let store = harness.open().await;
    fill(store.as_ref()).await;
    let merchants = named(&["b", "c", "a"]);
    let all = store.feed(&merchants, 0, 99).await.unwrap();
    assert_eq!(brief(&all), ["a1v1", "b1v1", "a2v1", "b1v2", "a1v2", "c1v1"]);
    assert!(all.iter().all(|item| item.event == format!(r#"{{"made":{}}}"#, item.version)));
    assert!(all[0].position > 0 && all.windows(2).all(|pair| pair[0].position < pair[1].position));
    // Whatever the size of a page, pages are the whole.
    for limit in 1..=7 {
        let mut paged = Vec::new();
        loop {
            let after = paged.last().map_or(0, |item: &FeedItem| item.position);
            let page = store.feed(&merchants, after, limit).await.unwrap();
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, all, "pages of {limit}");
    }
    assert_eq!(store.feed(&merchants, 0, usize::MAX).await.unwrap(), all);
}

pub(crate) async fn a_feed_is_of_its_merchants(harness: &dyn Harness) {
    let store = harness.open().await;
    fill(store.as_ref()).await;
    for (merchants, expected) in [
        (&["a"][..], &["a1v1", "a2v1", "a1v2"][..]),
        (&["b"], &["b1v1", "b1v2"]),
        (&["a", "c"], &["a1v1", "a2v1", "a1v2", "c1v1"]),
        (&["a", "a"], &["a1v1", "a2v1", "a1v2"]),
        (&["A", "", "a%", "a,b", r#"a","b"#, "*"], &[]),
        (&[], &[]),
    ] {
        let feed = store.feed(&named(merchants), 0, 99).await.unwrap();
        assert_eq!(brief(&feed), expected, "{merchants:?}");
        assert!(store.feed(&named(merchants), u64::MAX, 99).await.unwrap().is_empty());
        assert!(store.feed(&named(merchants), 0, 0).await.unwrap().is_empty());
    }
}

pub(crate) async fn a_history_is_of_its_aggregate(harness: &dyn Harness) {
    let store = harness.open().await;
    fill(store.as_ref()).await;
    let history = store.history(&key("a", "1")).await.unwrap();
    assert_eq!(brief(&history), ["a1v1", "a1v2"]);
    // The same items as in the feed.
    let feed = store.feed(&named(&["a"]), 0, 99).await.unwrap();
    assert_eq!(history, [feed[0].clone(), feed[2].clone()]);
    assert!(store.history(&key("a", "none")).await.unwrap().is_empty());
}

pub(crate) async fn a_mark_is_the_last_event(harness: &dyn Harness) {
    let store = harness.open().await;
    let nothing = store.mark(None).await.unwrap();
    assert_eq!((nothing.position, &nothing.event), (0, &Link::to("")));
    fill(store.as_ref()).await;
    let all = store.feed(&named(&["a", "b", "c"]), 0, 99).await.unwrap();
    for item in &all {
        let mark = store.mark(Some(item.position)).await.unwrap();
        assert_eq!((mark.position, mark.event), (item.position, Link::to(&item.event)));
    }
    let latest = store.mark(None).await.unwrap();
    assert_eq!(latest.position, all.last().unwrap().position);
    // Beyond the end is the end: whoever has seen more sees that this store lags.
    assert_eq!(store.mark(Some(latest.position + 1)).await.unwrap(), latest);
    assert_eq!(store.mark(Some(u64::MAX)).await.unwrap(), latest);
    // It is the same store through every handle.
    assert_eq!(harness.open().await.mark(None).await.unwrap(), latest);
    assert_eq!(latest.store, nothing.store);
}

/// As after a store went back: whatever a reader has seen of what is lost, it sees all that comes.
pub(crate) async fn positions_are_skipped(harness: &dyn Harness) {
    const MANY: u64 = 1_000_000;
    let store = harness.open().await;
    // In one without events too.
    store.skip(7).await.unwrap();
    assert_eq!(store.mark(None).await.unwrap().position, 0);
    fill(store.as_ref()).await;
    let merchants = named(&["a", "b", "c"]);
    let all = store.feed(&merchants, 0, 99).await.unwrap();
    assert!(all[0].position > 7);
    let last = store.mark(None).await.unwrap();
    store.skip(MANY).await.unwrap();
    store.skip(MANY).await.unwrap();
    for at in [None, Some(last.position), Some(last.position + 1), Some(last.position + 3 * MANY)] {
        assert_eq!(store.mark(at).await.unwrap(), last, "what is skipped is no event");
    }
    let store = harness.open().await;
    store.commit(writes([write(&key("new", "1"), 0)])).await.unwrap();
    let beyond = last.position + 2 * MANY;
    let new = store.feed(&named(&["a", "new"]), beyond, 99).await.unwrap();
    assert_eq!(brief(&new), ["new1v1"]);
    assert_eq!(store.mark(None).await.unwrap().position, new[0].position);
    assert_eq!(store.mark(Some(beyond)).await.unwrap(), last);
    assert_eq!(store.feed(&merchants, 0, 99).await.unwrap(), all, "what was there stays where it was");
    assert_eq!(store.history(&key("new", "1")).await.unwrap(), new);
}

/// A reader that goes on from the last position it saw, while others write through two handles, sees every event once.
pub(crate) async fn a_reader_of_the_feed_misses_nothing(harness: &dyn Harness) {
    const WRITERS: u64 = 8;
    const COMMITS: u64 = 100;
    let handles = [harness.open().await, harness.open().await];
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&handles[writer as usize % 2]);
        writers.spawn(async move {
            let of = key(["a", "b", "c"][writer as usize % 3], &writer.to_string());
            for version in 0..COMMITS {
                store.commit(writes([write(&of, version)])).await.unwrap();
            }
        });
    }
    let reader = harness.open().await;
    let merchants = named(&["c", "a", "b"]);
    let mut seen: Vec<FeedItem> = Vec::new();
    loop {
        // Looked at first: what is read afterwards then holds all of them.
        let ended = writers.is_empty();
        let after = seen.last().map_or(0, |item| item.position);
        let page = reader.feed(&merchants, after, 50).await.unwrap();
        if ended && page.is_empty() {
            break;
        }
        seen.extend(page);
        while let Some(writer) = writers.try_join_next() {
            writer.unwrap();
        }
    }
    assert_eq!(seen.len() as u64, WRITERS * COMMITS);
    assert_eq!(seen, reader.feed(&merchants, 0, usize::MAX).await.unwrap());
}
