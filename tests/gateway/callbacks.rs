//! What arrives under PAYBOX's name and must not be believed.

use serde_json::{Value, json};

use crate::{
    bench::Bench,
    payer::{ACCEPTED, Payer},
};

/// The reference under which PAYBOX knows an order's only checkout.
async fn reference(bench: &Bench, id: &str) -> String {
    bench.order(id).await["checkouts"][0]["reference"].as_str().unwrap().to_owned()
}

fn success(reference: &str, amount: i64, operation: &str, call: &str) -> String {
    format!("M={amount}&R={reference}&T={call}&S={operation}&A=123456&E=00000")
}

async fn check_unpaid(bench: &Bench, id: &str, what: &str) {
    let order = bench.order(id).await;
    assert_eq!(order["status"], "open", "{what}");
    assert_eq!(order["paid"]["amount"], 0, "{what}");
    assert_eq!(order["ledger"], json!([]), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_verify_is_refused_and_kept_apart() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    bench.check_out(&id).await;
    let reference = reference(&bench, &id).await;
    let genuine = bench.signed(&success(&reference, 377_000, "1", "2")).await;
    let (message, signature) = genuine.split_once("&K=").unwrap();
    for (what, body) in [
        ("nothing", String::new()),
        ("no signature", message.to_owned()),
        ("an empty signature", format!("{message}&K=")),
        ("another signature", format!("{message}&K={}", "A".repeat(172))),
        ("another amount", genuine.replace("M=377000", "M=1")),
        ("another order's reference", genuine.replace(&reference, "ECO-other")),
        ("the signature twice", format!("{genuine}&K={signature}")),
        ("something after the signature", format!("{genuine}&S=9")),
        ("something before the signed part", format!("order={id}&{genuine}")),
        ("values encoded anew", genuine.replace("E=00000", "E=%30%30000")),
        ("a card number", format!("N=4012001037141112&{genuine}")),
    ] {
        let answer = bench.notify("ecole", &body).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, ""), "{what}");
        check_unpaid(&bench, &id, what).await;
    }
    assert_eq!(bench.notify("nobody", &genuine).await.status, 404);
    assert!(!bench.log().contains("4012001037141112"));
    assert!(bench.ops.send("GET", "/metrics", &[], "").await.body.contains("callback_unverified"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_alone_pays_nothing() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    bench.check_out(&id).await;
    let reference = reference(&bench, &id).await;
    for (what, message) in [
        ("an unknown reference", success("ECO-unknown", 377_000, "1", "2")),
        ("another amount", success(&reference, 1, "1", "2")),
        ("no numbers", format!("M=377000&R={reference}&E=00000")),
        ("a missing code", format!("M=377000&R={reference}&T=2&S=1&A=123456")),
        ("every value right, and no such operation", success(&reference, 377_000, "1", "2")),
    ] {
        let body = bench.signed(&message).await;
        let answer = bench.notify("ecole", &body).await;
        assert!(matches!(answer.status, 200 | 400), "{what}: {}", answer.status);
        check_unpaid(&bench, &id, what).await;
    }
    // The bank is asked and knows of nothing; after a while the order can be paid in earnest.
    bench.until(&id, "given up", |order| order["checkouts"][0]["status"] == "issued").await;
    check_unpaid(&bench, &id, "after the hold").await;
    let payer = Payer::open(&bench, &bench.check_out(&id).await).await;
    payer.pay(ACCEPTED).await;
    let paid = bench.until_settled(&id).await;
    assert_eq!(paid["surplus"]["amount"], 0);
}

/// Pays an order of the other merchant; gives the genuine notification that PAYBOX sent for it.
async fn other_merchants_notification(bench: &Bench) -> Value {
    let key = bench.make_key(&["--scope", "portal", "--merchant", "annexe"]);
    let other = |method: &'static str, path: String, body: String| {
        let bearer = format!("Bearer {key}");
        async move {
            let idempotency_key = crate::bench::fresh_name("other");
            let headers = [
                ("authorization", bearer.as_str()),
                ("content-type", "application/json"),
                ("idempotency-key", idempotency_key.as_str()),
            ];
            bench.gateway.send(method, &path, &headers, &body).await.json()
        }
    };
    let placed = other("POST", "/v1/orders".to_owned(), crate::bench::order(377_000).to_string()).await;
    let id = placed["id"].as_str().unwrap().to_owned();
    let issued = other("POST", format!("/v1/orders/{id}/checkout"), crate::bench::checkout().to_string()).await;
    assert_eq!(issued["billing"], "placeholder");
    Payer::open(bench, &issued).await.pay(ACCEPTED).await;
    for _ in 0..500 {
        let sent = bench.manage("/notifications").await;
        if let Some(found) = sent["notifications"].as_array().unwrap().iter().find(|sent| sent["done"] == true) {
            return found.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("PAYBOX notified nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_merchants_money_pays_nothing_here() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    bench.check_out(&id).await;
    let foreign = other_merchants_notification(&bench).await;
    let replayed = bench.notify("ecole", foreign["body"].as_str().unwrap()).await;
    assert_eq!((replayed.status, replayed.body.as_str()), (200, ""));
    check_unpaid(&bench, &id, "a genuine notification of another merchant").await;
    // Their operation under our reference, signed by PAYBOX's own key.
    let mine = reference(&bench, &id).await;
    let body = foreign["body"].as_str().unwrap();
    let value =
        |name: &str| body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap().to_owned();
    let stolen = bench.signed(&success(&mine, 377_000, &value("S"), &value("T"))).await;
    assert_eq!(bench.notify("ecole", &stolen).await.status, 200);
    bench.until(&id, "given up", |order| order["checkouts"][0]["status"] == "issued").await;
    check_unpaid(&bench, &id, "their operation under our reference").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doubled_late_and_reversed_news_end_in_one_capture() {
    for action in ["double", "delay", "reverse"] {
        let bench = Bench::start().await;
        bench.fault(&json!({"target": "ipn", "action": action, "ms": 300, "times": 2})).await;
        let id = bench.place(377_000).await;
        let payer = Payer::open(&bench, &bench.check_out(&id).await).await;
        payer.pay(crate::payer::REFUSED_151).await;
        payer.another_card().await;
        payer.pay(ACCEPTED).await;
        crate::payer::follow(&payer.way_back().await).await;
        let paid = bench.until_settled(&id).await;
        assert_eq!(paid["ledger"].as_array().unwrap().len(), 1, "{action}");
        assert_eq!(paid["checkouts"][0]["status"], "captured", "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_is_not_even_read() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    let issued = bench.check_out(&id).await;
    let accepted = issued["form"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|field| field["name"] == "PBX_EFFECTUE")
        .unwrap()["value"]
        .as_str()
        .unwrap()
        .to_owned();
    let signed = bench.signed(&success(&reference(&bench, &id).await, 377_000, "1", "2")).await;
    let back = crate::payer::follow(&format!("{accepted}?{signed}")).await;
    assert_eq!(back.status, 303);
    assert_eq!(back.header("location").unwrap(), format!("http://127.0.0.1:9/retour?dossier=1&order={id}&checkout=1"));
    check_unpaid(&bench, &id, "a return").await;
}
