//! Leases, rates and turns.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use guichet::domain::bucket::Rate;
use tokio::{task::JoinSet, time::sleep};

use crate::harness::Harness;

const LONG: Duration = Duration::from_secs(3_600);

pub(crate) async fn a_lease_is_one_holders(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut racing = JoinSet::new();
    for racer in 0..16 {
        let store = Arc::clone(&store);
        racing.spawn(async move { store.lease("x", &racer.to_string(), LONG).await.unwrap().then_some(racer) });
    }
    let won: Vec<i32> = racing.join_all().await.into_iter().flatten().collect();
    assert_eq!(won.len(), 1, "{won:?}");
    let (winner, other) = (won[0].to_string(), (won[0] + 1).to_string());
    assert!(store.lease("x", &winner, LONG).await.unwrap(), "its holder renews it");
    assert!(store.lease("y", &other, LONG).await.unwrap(), "another lease is another's");
    store.release("x", &other).await.unwrap();
    assert!(!store.lease("x", &other, LONG).await.unwrap(), "nobody gives up another's");
    store.release("x", &winner).await.unwrap();
    store.release("x", &winner).await.unwrap();
    assert!(store.lease("x", &other, LONG).await.unwrap());
}

pub(crate) async fn a_lease_lapses(harness: &dyn Harness) {
    let store = harness.open().await;
    let (length, begun) = (Duration::from_millis(300), Instant::now());
    assert!(store.lease("x", "dead", length).await.unwrap());
    while !store.lease("x", "next", LONG).await.unwrap() {
        sleep(Duration::from_millis(10)).await;
    }
    // The server's clock counts milliseconds.
    assert!(begun.elapsed() + Duration::from_millis(5) > length, "{:?}", begun.elapsed());
    assert!(!store.lease("x", "dead", LONG).await.unwrap());
}

pub(crate) async fn what_is_earned_is_spent_once(harness: &dyn Harness) {
    let store = harness.open().await;
    // One an hour is earned: nothing that matters while this runs.
    let rate = Rate { price: LONG, saved: 10 * LONG };
    let mut spending = JoinSet::new();
    for _ in 0..25 {
        let store = Arc::clone(&store);
        spending.spawn(async move { store.spend("x", rate).await.unwrap() });
    }
    let spent = spending.join_all().await;
    assert_eq!(spent.iter().filter(|spent| spent.allowed).count(), 10);
    let refused = store.spend("x", rate).await.unwrap();
    assert!(!refused.allowed && refused.missing > 10 * LONG - Duration::from_secs(600), "{refused:?}");
    let fresh = store.spend("y", rate).await.unwrap();
    assert!(fresh.allowed && fresh.missing <= LONG && fresh.missing > LONG - Duration::from_secs(600), "{fresh:?}");
    let fast = Rate { price: Duration::from_millis(20), saved: Duration::from_millis(20) };
    assert!(store.spend("z", fast).await.unwrap().allowed);
    sleep(Duration::from_millis(25)).await;
    assert!(store.spend("z", fast).await.unwrap().allowed, "it is earned again");
}

pub(crate) async fn turns_are_taken_in_order(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut taking = JoinSet::new();
    for _ in 0..5 {
        let store = Arc::clone(&store);
        taking.spawn(async move { store.turn("x", LONG).await.unwrap() });
    }
    let mut waits = taking.join_all().await;
    waits.sort();
    for (number, wait) in (0..).zip(waits) {
        let (least, most) = ((number * LONG).saturating_sub(Duration::from_secs(600)), number * LONG);
        assert!((least..=most).contains(&wait), "turn {number}: {wait:?}");
    }
    assert_eq!(store.turn("y", LONG).await.unwrap(), Duration::ZERO, "another's turns are another's");
}
