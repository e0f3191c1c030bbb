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

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_what_came_in_under_payboxs_name() {
    let bench = Bench::start().await;
    bench.notify("ecole", "M=1&R=x&E=00000&K=forged").await;
    let ops = format!("Bearer {}", bench.make_key(&["--scope", "ops", "--merchant", "ecole"]));
    let listed = bench.gateway.send("GET", "/v1/callbacks", &[("authorization", &ops)], "").await.json();
    assert_eq!(listed["callbacks"][0]["verdict"], "unverified", "{listed}");
    assert!(!listed.to_string().contains("forged"), "the bytes stay sealed");
    assert_eq!(bench.get("/v1/callbacks").await.status, 403);
    let foreign = bench.gateway.send("GET", "/v1/callbacks?merchant=annexe", &[("authorization", &ops)], "").await;
    assert_eq!(foreign.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_cancelled_in_the_version_that_was_seen() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    let bearer = bench.bearer();
    let cancel = |version: &'static str, key: &'static str| {
        let (bench, bearer, id) = (&bench, bearer.as_str(), id.as_str());
        async move {
            let headers = [("authorization", bearer), ("idempotency-key", key), ("if-match", version)];
            bench.gateway.send("POST", &format!("/v1/orders/{id}/cancel"), &headers, "").await
        }
    };
    bench.check_out(&id).await;
    let outdated = cancel("\"1\"", "c1").await;
    assert_eq!((outdated.status, outdated.code().as_str()), (412, "precondition_failed"));
    assert_eq!(cancel("nonsense", "c2").await.status, 400);
    let shown = bench.get(&format!("/v1/orders/{id}")).await;
    assert_eq!((shown.header("etag"), shown.json()["status"].as_str()), (Some("\"2\""), Some("open")));
    assert_eq!(cancel("\"2\"", "c3").await.json()["status"], "cancelled");
}
