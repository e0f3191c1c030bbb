//! Webhooks out: who is told what, when, and what is kept of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    bench::Bench,
    receiver::{Heard, Receiver},
};

pub(crate) const ENDPOINTS: &str = "/v1/webhook-endpoints";

pub(crate) async fn bench_with(more: &'static str) -> Bench {
    Bench::start_with(move |text| {
        let webhooks = format!("[webhooks]\nallow_loopback = true\ndeadline = \"500ms\"\n{more}\n\n[[platform]]");
        text.replacen("[[platform]]", &webhooks, 1)
    })
    .await
}

pub(crate) async fn bench() -> Bench {
    bench_with("retry_after = [\"100ms\", \"200ms\", \"300ms\", \"500ms\", \"1s\", \"2s\", \"4s\"]").await
}

/// The document of a new endpoint, secret included.
pub(crate) async fn listen(bench: &Bench, url: &str) -> Value {
    let made = bench.post(ENDPOINTS, &json!({"url": url})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.json()
}

pub(crate) fn path(endpoint: &Value, action: &str) -> String {
    format!("{ENDPOINTS}/{}{action}", endpoint["id"].as_str().unwrap())
}

async fn patch(bench: &Bench, endpoint: &Value, body: &Value) -> Value {
    let bearer = bench.bearer();
    let length = body.to_string().len().to_string();
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("content-length", length.as_str())];
    let changed = bench.gateway.send("PATCH", &path(endpoint, ""), &headers, &body.to_string()).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    changed.json()
}

pub(crate) async fn log(bench: &Bench, endpoint: &Value) -> Vec<Value> {
    let path = format!("/v1/deliveries?endpoint={}", endpoint["id"].as_str().unwrap());
    let found = bench.get(&path).await;
    assert_eq!(found.status, 200, "{}", found.body);
    found.json()["deliveries"].as_array().unwrap().clone()
}

/// The endpoint, once `is_so`.
async fn until(bench: &Bench, endpoint: &Value, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let seen = bench.get(&path(endpoint, "")).await.json();
        if is_so(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "never {what}: {seen:#}\n{}", bench.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every event that a portal can read, by its id.
async fn events(bench: &Bench) -> Vec<Value> {
    bench.get("/v1/events").await.json()["events"].as_array().unwrap().clone()
}

/// Two events each: placed and cancelled.
async fn place_and_cancel(bench: &Bench) -> String {
    let order = bench.place(1_000).await;
    let cancelled = bench.post(&format!("/v1/orders/{order}/cancel"), &json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    order
}

/// The log, once `is_so`: a delivery is heard before it is on record.
async fn until_logged(bench: &Bench, endpoint: &Value, what: &str, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let log = log(bench, endpoint).await;
        if is_so(&log) {
            return log;
        }
        assert!(Instant::now() < deadline, "never {what}: {log:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn kinds_by_order(heard: &[Heard]) -> BTreeMap<String, Vec<String>> {
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for heard in heard {
        kinds.entry(heard.order()).or_default().push(heard.kind());
    }
    kinds
}

const BOTH: [&str; 2] = ["order.placed", "order.cancelled"];

#[tokio::test]
async fn every_event_is_delivered_once_in_order_and_signed() {
    let bench = bench().await;
    let before = bench.place(1_000).await;
    let receiver = Receiver::start(|_| 204).await;
    let endpoint = listen(&bench, &receiver.url()).await;
    let secret = endpoint["secret"].as_str().unwrap();
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(place_and_cancel(&bench).await);
    }
    let heard = receiver.until("all told", |heard| heard.len() >= 10).await;
    let kinds = kinds_by_order(&heard);
    assert!(!kinds.contains_key(&before), "it listens from when it was made");
    assert!(orders.iter().all(|order| kinds[order] == BOTH), "{kinds:?}");
    let events = events(&bench).await;
    for heard in &heard {
        assert!(heard.is_signed_by(secret));
        assert_eq!((heard.header("content-type"), heard.path.as_str()), ("application/json", "/hooks"));
        // The very document that can be read, under the same id.
        let read = events.iter().find(|event| event["id"] == heard.header("webhook-id")).unwrap();
        assert_eq!(&heard.json(), read);
        assert_eq!(read["object_version"], read["order_version"]);
    }
    until(&bench, &endpoint, "all heard", |seen| seen["heard_until"] != Value::Null).await;
    let log = until_logged(&bench, &endpoint, "all on record", |log| log.len() >= 10).await;
    assert_eq!((log.len(), receiver.heard().len()), (10, 10));
    assert!(log.iter().all(|tried| tried["outcome"] == "delivered" && tried["attempt"] == 1 && tried["status"] == 204));
}

#[tokio::test]
async fn a_receiver_that_was_down_hears_all_of_it_in_order() {
    let bench = bench().await;
    let is_up = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&is_up);
    let receiver = Receiver::start(move |_| if state.load(Ordering::SeqCst) { 200 } else { 503 }).await;
    let endpoint = listen(&bench, &receiver.url()).await;
    let orders = [place_and_cancel(&bench).await, place_and_cancel(&bench).await];
    until(&bench, &endpoint, "both waiting", |seen| seen["orders_waiting"] == 2).await;
    is_up.store(true, Ordering::SeqCst);
    let heard = receiver.until("all told", |heard| heard.len() >= 4).await;
    let kinds = kinds_by_order(&heard);
    assert!(heard.len() == 4 && orders.iter().all(|order| kinds[order] == BOTH), "{kinds:?}");
    until(&bench, &endpoint, "nothing waiting", |seen| seen["orders_waiting"] == 0).await;
    let late = |tried: &Value| tried["outcome"] == "delivered" && tried["attempt"].as_u64() > Some(1);
    let log = until_logged(&bench, &endpoint, "delivered late", |log| log.iter().any(late)).await;
    assert!(log.iter().any(|tried| tried["status"] == 503 && tried["outcome"] == "to_be_retried"));
}

#[tokio::test]
async fn an_event_that_fails_delays_its_own_order_alone() {
    let bench = bench_with("retry_after = [\"300ms\", \"300ms\"]").await;
    let poisoned = Arc::new(std::sync::Mutex::new(String::new()));
    let refused = Arc::clone(&poisoned);
    let receiver = Receiver::start(move |heard| {
        if heard.order() == *refused.lock().unwrap() && heard.kind() == "order.placed" { 500 } else { 200 }
    })
    .await;
    let endpoint = listen(&bench, &receiver.url()).await;
    patch(&bench, &endpoint, &json!({"state": "disabled"})).await;
    let bad = place_and_cancel(&bench).await;
    (*poisoned.lock().unwrap()).clone_from(&bad);
    let good = place_and_cancel(&bench).await;
    let enabled = patch(&bench, &endpoint, &json!({"state": "enabled"})).await;
    assert_eq!(enabled["state"], "enabled");
    let heard = receiver.until("all told", |heard| heard.len() >= 3).await;
    let (kinds, last) = (kinds_by_order(&heard), heard.last().unwrap().order());
    assert_eq!(
        (kinds[&good].as_slice(), kinds[&bad].as_slice()),
        (&BOTH.map(str::to_owned)[..], &BOTH.map(str::to_owned)[1..])
    );
    assert_eq!(last, bad, "the other order did not wait");
    // Three tries, then it is given up, told to whoever is on call, and the order goes on.
    until(&bench, &endpoint, "nothing waiting", |seen| seen["orders_waiting"] == 0).await;
    let log = log(&bench, &endpoint).await;
    let of_bad: Vec<&str> = log
        .iter()
        .filter(|tried| tried["order"] == bad.as_str())
        .map(|tried| tried["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(of_bad, ["to_be_retried", "to_be_retried", "given_up", "delivered"]);
    let metrics = bench.ops.send("GET", "/metrics", &[], "").await.body;
    assert!(metrics.contains("guichet_alarms_total{kind=\"webhook_failed\",merchant=\"ecole\"} 1"), "{metrics}");
}

#[tokio::test]
async fn a_dead_endpoint_delays_no_other() {
    let bench = bench_with("tell_at_once = 2").await;
    let dead = Receiver::start(|_| 0).await;
    let alive = Receiver::start(|_| 200).await;
    let silent = listen(&bench, &dead.url()).await;
    let closed = listen(&bench, "http://127.0.0.1:9/").await;
    let endpoint = listen(&bench, &alive.url()).await;
    for _ in 0..5 {
        place_and_cancel(&bench).await;
    }
    let heard = alive.until("all told", |heard| heard.len() >= 10).await;
    assert_eq!(heard.len(), 10);
    until(&bench, &silent, "waiting", |seen| seen["orders_waiting"] == 5).await;
    until_logged(&bench, &endpoint, "all on record", |log| log.len() == 10).await;
    let errors = |log: Vec<Value>| log.iter().map(|tried| tried["error"].clone()).collect::<Vec<_>>();
    assert!(errors(log(&bench, &silent).await).iter().all(|error| error == "timeout"));
    until(&bench, &closed, "waiting", |seen| seen["orders_waiting"] == 5).await;
    assert!(errors(log(&bench, &closed).await).iter().all(|error| error == "connect_failed"));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_disabled_and_redirects_are_not_followed() {
    let bench = bench().await;
    let is_gone = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&is_gone);
    let gone = Receiver::start(move |_| if state.load(Ordering::SeqCst) { 410 } else { 200 }).await;
    let moved = Receiver::start(|_| 307).await;
    let endpoint = listen(&bench, &gone.url()).await;
    let redirected = listen(&bench, &moved.url()).await;
    place_and_cancel(&bench).await;
    let disabled = until(&bench, &endpoint, "disabled", |seen| seen["state"] == "disabled").await;
    assert_eq!(disabled["disabled"]["because"], "gone");
    until(&bench, &redirected, "waiting", |seen| seen["orders_waiting"] == 1).await;
    assert!(moved.heard().iter().all(|heard| heard.path == "/hooks"));
    place_and_cancel(&bench).await;
    assert_eq!(gone.heard().len(), 1, "nothing is sent to one that is disabled");
    // Enabled again, it is told of what it missed.
    is_gone.store(false, Ordering::SeqCst);
    patch(&bench, &endpoint, &json!({"state": "enabled"})).await;
    let heard = gone.until("all told", |heard| heard.len() >= 4).await;
    assert!(heard.len() == 4 && kinds_by_order(&heard).values().all(|kinds| kinds == &BOTH));
}

#[tokio::test]
async fn what_was_told_can_be_told_again() {
    let bench = bench().await;
    let receiver = Receiver::start(|_| 200).await;
    let start = bench.get("/v1/events").await.json()["next"].clone();
    let made = bench.post(ENDPOINTS, &json!({"url": receiver.url(), "events": ["order.cancelled"]})).await;
    let endpoint = made.json();
    place_and_cancel(&bench).await;
    place_and_cancel(&bench).await;
    receiver.until("told of what is wanted", |heard| heard.len() == 2).await;
    let events = events(&bench).await;
    until(&bench, &endpoint, "all heard", |seen| seen["heard_until"] == events.last().unwrap()["id"]).await;
    // One, though its type is not wanted; then a range, of what is wanted.
    let placed = events.iter().find(|event| event["type"] == "order.placed").unwrap();
    for (body, status) in [
        (json!({"event": placed["id"]}), 202),
        (json!({"after": start}), 202),
        (json!({"after": start, "until": events[1]["id"]}), 202),
        (json!({"event": "bm8"}), 422),
        (json!({"event": "ZTk5OTk5"}), 422),
        (json!({"event": placed["id"], "after": start}), 422),
        (json!({}), 422),
    ] {
        let asked = bench.post(&path(&endpoint, "/replay"), &body).await;
        assert_eq!(asked.status, status, "{body} {}", asked.body);
    }
    let heard = receiver.until("told again", |heard| heard.len() >= 6).await;
    let kinds: Vec<String> = heard[2..].iter().map(Heard::kind).collect();
    assert_eq!(kinds, ["order.placed", "order.cancelled", "order.cancelled", "order.cancelled"]);
    assert_eq!(heard[2].header("webhook-id"), placed["id"]);
    assert_eq!(heard[0].header("webhook-id"), heard[3].header("webhook-id"), "the same event has the same id");
    let replayed = |log: &[Value]| log.iter().filter(|tried| tried["errand"] == "replay").count();
    let log = until_logged(&bench, &endpoint, "all on record", |log| replayed(log) >= 4).await;
    assert_eq!(replayed(&log), 4);
}

#[tokio::test]
async fn what_was_owed_when_the_gateway_died_is_delivered() {
    let mut bench = bench().await;
    let place = {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        free.local_addr().unwrap().to_string()
    };
    let endpoint = listen(&bench, &format!("http://{place}/hooks")).await;
    let secret = endpoint["secret"].as_str().unwrap().to_owned();
    let orders = [place_and_cancel(&bench).await, place_and_cancel(&bench).await];
    bench.restart();
    let receiver = Receiver::start_at(&place, |_| 200).await;
    let heard = receiver.until("all told", |heard| heard.len() >= 4).await;
    let kinds = kinds_by_order(&heard);
    assert!(orders.iter().all(|order| kinds[order] == BOTH), "{kinds:?}");
    assert!(heard.iter().all(|heard| heard.is_signed_by(&secret)));
    // Neither the secret nor its bytes are anywhere in the store or in the log.
    let raw =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, secret.strip_prefix("whsec_").unwrap());
    let raw = raw.unwrap();
    let mut searched = 0;
    for file in std::fs::read_dir(&bench.folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        searched += bytes.len();
        for secret in [secret.as_bytes()[6..30].to_vec(), raw.clone()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }
    assert!(searched > 10_000 && !bench.log().contains(&secret[6..30]));
}

#[tokio::test]
async fn a_gateway_killed_while_it_delivers_forgets_nothing() {
    let mut bench = bench().await;
    let receiver = Receiver::start(|_| 200).await;
    let endpoint = listen(&bench, &receiver.url()).await;
    patch(&bench, &endpoint, &json!({"state": "disabled"})).await;
    let mut orders = Vec::new();
    for _ in 0..30 {
        orders.push(place_and_cancel(&bench).await);
    }
    patch(&bench, &endpoint, &json!({"state": "enabled"})).await;
    for part in [5, 25, 45] {
        receiver.until("some told", |heard| heard.len() >= part).await;
        bench.restart();
    }
    let distinct =
        |heard: &[Heard]| heard.iter().map(|heard| heard.header("webhook-id").to_owned()).collect::<BTreeSet<_>>();
    let heard = receiver.until("all told", |heard| distinct(heard).len() >= 60).await;
    assert!(heard.len() <= 63, "at most one more for each time it was killed: {}", heard.len());
    for (order, kinds) in kinds_by_order(&heard) {
        let mut kinds = kinds;
        kinds.dedup();
        assert!(orders.contains(&order) && kinds == BOTH, "{kinds:?}");
    }
}
