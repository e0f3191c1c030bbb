//! What was committed stays, as it was.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::Stdio,
    sync::Arc,
};

use guichet::ports::{Callback, Commit, Key, Store, Stored};
use jiff::{Timestamp, ToSpan, civil::date};
use tokio::task::JoinSet;

use crate::{
    fixtures::{answer, at, callback, claim, everything, key, write, writes},
    harness::Harness,
};

pub(crate) async fn everything_is_there_after_reopening(harness: &dyn Harness) {
    let store = harness.open().await;
    for number in 0..50 {
        let mut made = write(&key(["a", "b"][number % 2], &number.to_string()), 0);
        made.labels = vec![("payer", format!("p{}", number % 3))];
        made.wake_at = (number % 4 == 0).then(|| at(number as i64));
        made.ready_on = (number % 5 != 0).then(|| date(2026, 12, 1) + (number as i64).days());
        let commit = Commit {
            writes: vec![made],
            claims: vec![claim("a", &format!("v{number}"), "o")],
            callbacks: vec![callback("b", number as i64)],
            answer: Some(answer(&format!("k{number}"), at(0))),
        };
        store.commit(commit).await.unwrap();
    }
    store.keep_callback(callback("a", 1), 9).await.unwrap();
    let first = store.reserve("c", 5, 100, 10).await.unwrap();
    let before = everything(store.as_ref()).await;
    let last_position = store.feed(&["b".to_owned()], 0, 99).await.unwrap().last().unwrap().position;
    drop(store);

    let store = harness.open().await;
    assert_eq!(everything(store.as_ref()).await, before);
    assert_eq!(store.reserve("c", 5, 100, 10).await.unwrap(), first + 10);
    store.commit(writes([write(&key("a", "0"), 1)])).await.unwrap();
    assert!(store.history(&key("a", "0")).await.unwrap()[1].position > last_position);
}

pub(crate) async fn texts_come_back_as_they_were(harness: &dyn Harness) {
    let store = harness.open().await;
    let long = "é".repeat(1 << 19);
    for (number, text) in
        ["", " ", "\"\\\n\r\t", "a\0b", "Zoë 🦀 \u{202e}x", "'; DROP TABLE event; --", "%_*?[a]", "null", "1e3", &long]
            .into_iter()
            .enumerate()
    {
        let row = format!("row {number}");
        let of = key("a", &format!("{text:.60}{number}"));
        let mut made = write(&of, 0);
        made.state = text.to_owned();
        made.events = vec![text.to_owned(), text.to_owned()];
        made.labels = vec![("payer", format!("{text:.60}"))];
        let mut given = answer(&format!("{text:.60}{number}"), at(0));
        given.sealed = text.as_bytes().to_vec();
        let commit = Commit {
            writes: vec![made],
            claims: vec![claim("a", &format!("{text:.60}{number}"), text)],
            callbacks: vec![Callback { sealed: text.as_bytes().to_vec(), ..callback(&of.id, 0) }],
            answer: Some(given.clone()),
        };
        store.commit(commit.clone()).await.unwrap();
        assert!(store.load(&of).await.unwrap().unwrap().state == text, "{row}");
        assert!(store.history(&of).await.unwrap().iter().all(|item| item.event == text && item.key == of), "{row}");
        let listed = store.list("a", "order", &commit.writes[0].labels, None, 99).await.unwrap();
        assert!(listed.iter().any(|(key, stored)| *key == of && stored.state == text), "{row}");
        let tally = store.tally("a", "order", "payer", &commit.writes[0].labels[0].1).await.unwrap();
        assert_eq!(tally.get(&commit.writes[0].labels[0].1), Some(&1), "{row}");
        assert!(store.owner("a", "reference", &commit.claims[0].value).await.unwrap().unwrap() == text, "{row}");
        assert!(store.callbacks(&of.id, 9).await.unwrap() == commit.callbacks, "{row}");
        assert!(store.answer(&given.key).await.unwrap() == Some(given), "{row}");
    }
}

pub(crate) async fn numbers_come_back_as_they_were(harness: &dyn Harness) {
    let store = harness.open().await;
    let micros =
        |instant: Timestamp| Timestamp::new(instant.as_second(), instant.subsec_microsecond() * 1_000).unwrap();
    let instants = [micros(Timestamp::MIN), Timestamp::UNIX_EPOCH, at(0), micros(Timestamp::MAX)];
    let versions = [None, Some(0), Some(1), Some(i64::MAX as u64), Some(i64::MAX as u64 + 1), Some(u64::MAX)];
    for (row, version) in versions.into_iter().enumerate() {
        let instant = instants[row % instants.len()];
        let mut given = answer(&row.to_string(), instant);
        given.version = version;
        given.status = [0, 200, u16::MAX][row % 3];
        let mut made = write(&key("a", &row.to_string()), 0);
        made.wake_at = Some(instant);
        let kept = Callback { received_at: instant, ..callback(&row.to_string(), 0) };
        let commit = Commit {
            writes: vec![made],
            callbacks: vec![kept.clone()],
            answer: Some(given.clone()),
            ..Commit::default()
        };
        store.commit(commit).await.unwrap();
        assert_eq!(store.answer(&given.key).await.unwrap(), Some(given));
        assert_eq!(store.callbacks(&kept.merchant, 9).await.unwrap(), [kept]);
    }
    for (instant, due) in instants.into_iter().zip([2, 4, 5, 6]) {
        assert_eq!(store.due(instant, 99).await.unwrap().len(), due, "{instant}");
    }
}

/// Writers in [`commit_until_killed`].
const WRITERS: usize = 8;
/// What is acknowledged before the kill.
const ACKNOWLEDGED: usize = 300;

/// The other process: commits pairs of orders and says which are acknowledged, for ever.
pub(crate) async fn commit_until_killed(store: Arc<dyn Store>) {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for number in 0.. {
                let id = format!("{writer}.{number}");
                store.commit(writes([write(&key("a", &id), 0), write(&key("b", &id), 0)])).await.unwrap();
                println!("\nacknowledged {id}");
            }
        });
    }
    writers.join_all().await;
}

pub(crate) async fn what_was_acknowledged_survives_a_kill(harness: &dyn Harness) {
    // Another process works on the same store all the while, and goes on after the kill.
    let ours = harness.open().await;
    let mut child = harness.child().stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged: Vec<String> = Vec::new();
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        let said = std::mem::take(&mut line);
        // A line that the kill cut acknowledges nothing.
        let Some(id) = said.strip_prefix("acknowledged ").and_then(|id| id.strip_suffix('\n')) else { continue };
        acknowledged.push(id.to_owned());
        if acknowledged.len() == ACKNOWLEDGED {
            child.kill().unwrap();
        } else if acknowledged.len().is_multiple_of(50) {
            ours.commit(writes([write(&key("c", &acknowledged.len().to_string()), 0)])).await.unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= ACKNOWLEDGED, "it ended after {}", acknowledged.len());
    let ids = |listed: Vec<(Key, Stored)>| listed.into_iter().map(|(key, _)| key.id).collect::<BTreeSet<String>>();
    for reopened in [false, true] {
        let store = if reopened { harness.open().await } else { Arc::clone(&ours) };
        let in_a = ids(store.list("a", "order", &[], None, usize::MAX).await.unwrap());
        let in_b = ids(store.list("b", "order", &[], None, usize::MAX).await.unwrap());
        assert_eq!(in_a, in_b, "both of a pair, or none");
        let lost: Vec<_> = acknowledged.iter().filter(|id| !in_a.contains(*id)).collect();
        assert!(lost.is_empty(), "{lost:?}");
        // What was not acknowledged may be there, one per writer at most.
        assert!(in_a.len() <= acknowledged.len() + WRITERS);
        store.commit(writes([write(&key("d", &reopened.to_string()), 0)])).await.unwrap();
    }
    assert!(ours.load(&key("c", "50")).await.unwrap().is_some());
}
