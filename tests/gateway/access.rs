//! Who may do what, and whose orders they see.

use serde_json::json;

use crate::bench::{Bench, order};

async fn code_with(bench: &Bench, authorization: Option<&str>, path: &str) -> (u16, String) {
    let headers: Vec<(&str, &str)> = authorization.iter().map(|value| ("authorization", *value)).collect();
    let answer = bench.gateway.send("GET", path, &headers, "").await;
    (answer.status, if answer.status == 200 { String::new() } else { answer.code() })
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_do_not_open() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    let path = format!("/v1/orders/{id}");
    let refused = (401, "unauthenticated".to_owned());
    let shortened = format!("Bearer {}", &bench.key[..bench.key.len() - 1]);
    let live = bench.bearer().replace("gch_test", "gch_live");
    for authorization in [
        None,
        Some(""),
        Some("Bearer "),
        Some("Bearer nonsense"),
        Some("Basic dXNlcjpwYXNz"),
        Some(bench.key.as_str()),
        Some(shortened.as_str()),
        Some(live.as_str()),
    ] {
        assert_eq!(code_with(&bench, authorization, &path).await, refused, "{authorization:?}");
    }
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
        assert_eq!(code_with(&bench, Some(&format!("{scheme} {}", bench.key)), &path).await.0, 200, "{scheme}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_merchants_orders_do_not_exist() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    let other = format!("Bearer {}", bench.make_key(&["--scope", "portal", "--merchant", "annexe"]));
    let unseen = (404, "not_found".to_owned());
    for path in [&format!("/v1/orders/{id}"), "/v1/orders?merchant=ecole", "/v1/orders?merchant=%C3%89cole"] {
        assert_eq!(code_with(&bench, Some(&other), path).await, unseen, "{path}");
    }
    for path in ["cancel", "checkout"] {
        let headers =
            [("authorization", other.as_str()), ("content-type", "application/json"), ("idempotency-key", "theirs")];
        let body = crate::bench::checkout().to_string();
        let body = if path == "checkout" { body.as_str() } else { "" };
        let answer = bench.gateway.send("POST", &format!("/v1/orders/{id}/{path}"), &headers, body).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
    }
    let events = bench.gateway.send("GET", "/v1/events", &[("authorization", &other)], "").await.json();
    assert_eq!(events["events"], json!([]));
    assert_eq!(bench.order(&id).await["status"], "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_and_people() {
    let bench = Bench::start().await;
    let scheduler = format!("Bearer {}", bench.make_key(&["--scope", "scheduler", "--merchant", "ecole"]));
    assert_eq!(code_with(&bench, Some(&scheduler), "/v1/orders").await, (403, "forbidden".to_owned()));
    let counter = format!("Bearer {}", bench.make_key(&["--scope", "portal", "--merchant", "ecole", "--for-people"]));
    assert_eq!(code_with(&bench, Some(&counter), "/v1/orders").await, (400, "actor_missing".to_owned()));
    let headers = [
        ("authorization", counter.as_str()),
        ("guichet-actor", "Zoé Hélène"),
        ("guichet-on-behalf-of", "E2026001"),
        ("content-type", "application/json"),
        ("idempotency-key", "clerk"),
    ];
    let placed = bench.gateway.send("POST", "/v1/orders", &headers, &order(1_000).to_string()).await;
    assert_eq!(placed.status, 201);
    let events = bench.get("/v1/events").await.json();
    let actor = &events["events"][0]["actor"];
    assert_eq!((&actor["person"], &actor["on_behalf_of"]), (&json!("Zoé Hélène"), &json!("E2026001")));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_events_are_read_page_by_page() {
    let bench = Bench::start().await;
    let mut placed = Vec::new();
    for amount in [1_000, 2_000, 0, 3_000, 4_000] {
        placed.push(bench.place(amount).await);
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = bench.get(&format!("/v1/orders?status=open&payer=E2026001&limit=3{after}")).await.json();
        seen.extend(page["orders"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    placed.remove(2);
    assert_eq!(seen, placed);
    let mut types = Vec::new();
    let mut after = String::new();
    loop {
        let page = bench.get(&format!("/v1/events?limit=2{after}")).await.json();
        let events = page["events"].as_array().unwrap();
        if events.is_empty() {
            break;
        }
        types.extend(events.iter().map(|event| event["type"].as_str().unwrap().to_owned()));
        after = format!("&after={}", page["next"].as_str().unwrap());
    }
    let expected = ["order.placed", "order.placed", "order.placed", "order.settled", "order.placed", "order.placed"];
    assert_eq!(types, expected);
}
