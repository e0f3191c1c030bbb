//! What is read of a small store, and of one with many times as many orders: nothing scans.

use serde_json::Value;

use crate::{
    portal::text,
    ratio::{Took, time},
    rig::{Kept, Rig},
    sized,
};

/// Orders of the payer who is looked at; all others are of others.
const OWN: usize = 5;
const PAYER: &str = "E2026001";
const CLIENTS: usize = 16;

/// A store with so many orders, and what is read of it.
struct Shelf {
    rig: Rig,
    paths: Vec<(&'static str, String)>,
}

impl Shelf {
    async fn fill(kept: Kept, orders: usize) -> Self {
        let rig = Rig::start(kept, 1).await;
        let place = |number: usize| {
            let payer = if number.is_multiple_of(orders / OWN) { PAYER.to_owned() } else { format!("E{number}") };
            let rig = &rig;
            async move { drop(rig.place(&payer).await) }
        };
        time(CLIENTS, (0..orders).map(place)).await;
        let own = rig.ask("GET", &format!("/v1/orders?payer={PAYER}"), &Value::Null, 200).await.json();
        let own = own["orders"].as_array().unwrap();
        assert_eq!(own.len(), OWN);
        let mut end = String::new();
        loop {
            let page = rig.ask("GET", &format!("/v1/events?limit=100{end}"), &Value::Null, 200).await.json();
            if page["events"].as_array().unwrap().is_empty() {
                break;
            }
            end = format!("&after={}", text(&page["next"]));
        }
        let paths = vec![
            ("an order", format!("/v1/orders/{}", text(&own[OWN / 2]["id"]))),
            ("a payer's account", format!("/v1/payers/{PAYER}/position")),
            ("a payer's orders", format!("/v1/orders?payer={PAYER}")),
            ("a page of open orders", "/v1/orders?status=open&limit=20".to_owned()),
            ("an empty page of settled ones", "/v1/orders?status=settled".to_owned()),
            ("the end of the feed", format!("/v1/events?limit=100{end}")),
        ];
        Self { rig, paths }
    }

    async fn read(&self, path: &str, times: usize) -> std::time::Duration {
        time(1, (0..times).map(|_| async { drop(self.rig.ask("GET", path, &Value::Null, 200).await) })).await
    }
}

async fn compare(kept: Kept, store: &str) {
    let (small, large) = (sized(20, 100), sized(200, 10_000));
    let (less, more) = (Shelf::fill(kept, small).await, Shelf::fill(kept, large).await);
    let times = sized(5, 100);
    let (mut all_less, mut all_more) = (Took::default(), Took::default());
    let mut each: Vec<[Took; 2]> = less.paths.iter().map(|_| Default::default()).collect();
    for _ in 0..sized(1, 7) {
        let (mut sum_less, mut sum_more) = Default::default();
        for (number, took) in each.iter_mut().enumerate() {
            let [of_less, of_more] =
                [less.read(&less.paths[number].1, times).await, more.read(&more.paths[number].1, times).await];
            took[0].note(of_less);
            took[1].note(of_more);
            sum_less += of_less;
            sum_more += of_more;
        }
        all_less.note(sum_less);
        all_more.note(sum_more);
    }
    for ([of_less, of_more], (what, _)) in each.iter().zip(&less.paths) {
        of_less.show(&format!("{what}, {store} with {small} orders"), times);
        of_more.show(&format!("{what}, {store} with {large} orders"), times);
        of_more.over(of_less, &format!("{}_{store}", what.replace([' ', '\''], "_")));
    }
    all_more.over(&all_less, &format!("reads_of_a_large_store_over_a_small_one_{store}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_of_a_small_and_a_large_file() {
    compare(Kept::OnFile, "sqlite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_of_a_small_and_a_large_redis() {
    compare(Kept::OnRedis, "redis").await;
}
