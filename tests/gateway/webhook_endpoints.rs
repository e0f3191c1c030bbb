//! Webhook endpoints: made, changed, tested, and what is kept of their deliveries.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    bench::{Bench, fresh_name},
    receiver::Receiver,
    webhooks::{ENDPOINTS, bench, bench_with, listen, log, path},
};

#[tokio::test]
async fn a_rotated_secret_signs_beside_the_new_one() {
    let bench = bench_with("secret_grace = \"4s\"").await;
    let receiver = Receiver::start(|_| 200).await;
    let endpoint = listen(&bench, &receiver.url()).await;
    let old = endpoint["secret"].as_str().unwrap();
    let key = fresh_name("key");
    let rotated = bench.post_with_key(&path(&endpoint, "/rotate"), &key, "").await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let again = bench.post_with_key(&path(&endpoint, "/rotate"), &key, "").await;
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &rotated.body));
    let rotated = rotated.json();
    let new = rotated["secret"].as_str().unwrap();
    assert!(new != old && rotated["old_secret_until"] != Value::Null);
    bench.place(1_000).await;
    let heard = receiver.until("told", |heard| heard.len() == 1).await;
    assert!(heard[0].is_signed_by(old) && heard[0].is_signed_by(new));
    // Until the grace has passed, and no longer.
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        assert!(Instant::now() < deadline, "the old secret signs for ever");
        bench.post(&path(&endpoint, "/test"), &json!({})).await;
        let heard = receiver.heard();
        let last = heard.last().unwrap();
        assert!(last.is_signed_by(new));
        if !last.is_signed_by(old) {
            break;
        }
    }
    // Shown once.
    assert_eq!(bench.get(&path(&endpoint, "")).await.json()["secret"], Value::Null);
}

#[tokio::test]
async fn a_test_event_tells_how_it_went() {
    let bench = bench().await;
    let receiver = Receiver::start(|heard| if heard.kind() == "webhook.test" { 202 } else { 500 }).await;
    let endpoint = listen(&bench, &receiver.url()).await;
    let tested = bench.post(&path(&endpoint, "/test"), &json!({})).await;
    assert_eq!(tested.status, 200, "{}", tested.body);
    let tested = tested.json();
    assert_eq!(
        (&tested["outcome"], &tested["status"], &tested["errand"]),
        (&json!("delivered"), &json!(202), &json!("test"))
    );
    let heard = receiver.taken();
    assert!(heard.len() == 1 && heard[0].is_signed_by(endpoint["secret"].as_str().unwrap()));
    assert_eq!(heard[0].header("webhook-id"), tested["event"]);
    let dead = listen(&bench, "http://127.0.0.1:9/").await;
    let tested = bench.post(&path(&dead, "/test"), &json!({})).await.json();
    assert_eq!((&tested["outcome"], &tested["error"]), (&json!("given_up"), &json!("connect_failed")));
    assert_eq!(log(&bench, &dead).await.len(), 1);
}

#[tokio::test]
async fn endpoints_belong_to_their_merchant() {
    let bench = bench().await;
    let receiver = Receiver::start(|_| 200).await;
    let endpoint = listen(&bench, &receiver.url()).await;
    let other = bench.make_key(&["--scope", "portal", "--merchant", "annexe"]);
    let clerk = bench.make_key(&["--scope", "accounting", "--merchant", "ecole"]);
    let id = endpoint["id"].as_str().unwrap();
    let (one, deliveries) = (path(&endpoint, ""), format!("/v1/deliveries?endpoint={id}"));
    let (rotate, test, replay) = (path(&endpoint, "/rotate"), path(&endpoint, "/test"), path(&endpoint, "/replay"));
    let cases = [
        ("GET", &one, ""),
        ("GET", &deliveries, ""),
        ("PATCH", &one, r#"{"state":"disabled"}"#),
        ("POST", &rotate, "{}"),
        ("POST", &test, "{}"),
        ("POST", &replay, r#"{"after":"ZTA"}"#),
        ("DELETE", &one, ""),
    ];
    for (key, status) in [(&other, 404), (&clerk, 403)] {
        let bearer = format!("Bearer {key}");
        for (method, path, body) in cases {
            let (name, length) = (fresh_name("key"), body.len().to_string());
            let mut headers = vec![
                ("authorization", bearer.as_str()),
                ("content-type", "application/json"),
                ("idempotency-key", name.as_str()),
            ];
            if method != "POST" {
                headers.push(("content-length", length.as_str()));
            }
            let answer = bench.gateway.send(method, path, &headers, body).await;
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        }
    }
    // A key of another merchant lists its own, which are none, and makes none here.
    let headers = [("authorization", format!("Bearer {other}"))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let listed = bench.gateway.send("GET", ENDPOINTS, &headers, "").await;
    assert_eq!(listed.json()["webhook_endpoints"], json!([]));
    assert_eq!(bench.get(ENDPOINTS).await.json()["webhook_endpoints"].as_array().unwrap().len(), 1);
    let bearer = bench.bearer();
    let deleted = bench.gateway.send("DELETE", &one, &[("authorization", &bearer)], "").await;
    assert_eq!(deleted.status, 204);
    assert_eq!(bench.get(&one).await.status, 404);
    bench.place(1_000).await;
    assert!(receiver.heard().is_empty());
}

#[tokio::test]
async fn only_what_could_be_delivered_to_is_taken() {
    let bench = Bench::start().await;
    for (body, pointer, code) in [
        (json!({"url": "http://127.0.0.1:9/"}), "/url", "url_not_https"),
        (json!({"url": "https://127.0.0.1/"}), "/url", "url_not_public"),
        (json!({"url": "https://0x7f.1/"}), "/url", "url_not_public"),
        (json!({"url": "https://[::ffff:10.0.0.1]/"}), "/url", "url_not_public"),
        (json!({"url": "https://metadata@8.8.8.8/"}), "/url", "url_invalid"),
        (json!({"url": "https://hooks.example/", "events": []}), "/events", "missing"),
        (json!({"url": "https://hooks.example/", "events": ["order.lost"]}), "/events/0", "not_one_of"),
        (json!({"url": "https://hooks.example/", "merchant": "annexe"}), "/merchant", "unknown"),
        (json!({"url": "https://hooks.example/", "secret": "mine"}), "/secret", "unknown_field"),
        (json!({}), "/url", "missing"),
    ] {
        let refused = bench.post(ENDPOINTS, &body).await;
        let error = &refused.json()["errors"][0];
        assert_eq!((refused.status, &error["pointer"], &error["code"]), (422, &json!(pointer), &json!(code)), "{body}");
    }
    // A name that leads here is found out when it is looked up, and is never called.
    let receiver = Receiver::start(|_| 200).await;
    let port = receiver.address.rsplit(':').next().unwrap();
    let url = format!("https://ip6-localhost:{port}/");
    let endpoint = listen(&bench, &url).await;
    let tested = bench.post(&path(&endpoint, "/test"), &json!({})).await.json();
    assert!(["address_refused", "name_unknown"].contains(&tested["error"].as_str().unwrap()), "{tested}");
    for _ in 1..16 {
        listen(&bench, "https://hooks.ecole.example/").await;
    }
    let beyond = bench.post(ENDPOINTS, &json!({"url": "https://hooks.ecole.example/"})).await;
    assert_eq!((beyond.status, beyond.code().as_str()), (409, "too_many_webhooks"));
}

#[tokio::test]
async fn the_log_says_why_there_was_no_answer() {
    let bench = bench().await;
    let silent = Receiver::start(|_| 0).await;
    let secure = bench.sandbox.addresses.direct.clone();
    for (url, error) in [
        (silent.url(), "timeout"),
        ("http://127.0.0.1:9/".to_owned(), "connect_failed"),
        // A certificate of an authority that nobody trusts; and a server that speaks no plain HTTP.
        (secure.clone(), "tls_failed"),
        (secure.replace("https:", "http:"), "unreadable_answer"),
        ("https://no-such-name.invalid/".to_owned(), "name_unknown"),
    ] {
        let endpoint = listen(&bench, &url).await;
        let tested = bench.post(&path(&endpoint, "/test"), &json!({})).await.json();
        assert_eq!((&tested["error"], &tested["status"]), (&json!(error), &Value::Null), "{url}");
    }
}
