//! What reaches the merchant's account, and what waits for two people.

use serde_json::{Value, json};

use crate::{
    client::Answer,
    payer::{ACCEPTED, Payer},
    plan_bench::{Plans, due, text},
};

#[tokio::test(flavor = "multi_thread")]
async fn captures_reach_the_merchant_in_a_remittance() {
    let plans = Plans::start_with(|text| {
        text.replace("[timing]", "[timing]\nsettlement_after = \"200ms\"\nsettlement_every = \"200ms\"")
    })
    .await;
    let id = plans.bench.place(60_100).await;
    let page = plans.bench.check_out(&id).await;
    Payer::open(&plans.bench, &page).await.pay(ACCEPTED).await;
    let order = plans.bench.until_settled(&id).await;
    let operation = &order["ledger"][0]["operation"];
    let waits = plans.asked(&plans.accounting, "/v1/settlements/unsettled?older_than_days=0").await;
    assert_eq!((&waits["items"][0]["operation"], &waits["items"][0]["days"]), (operation, &json!(0)), "{waits}");
    let young = plans.asked(&plans.accounting, "/v1/settlements/unsettled").await;
    assert_eq!((&young["items"], &young["next"]), (&json!([]), &Value::Null));

    plans.tell_sandbox("/settle", &json!({})).await;
    let has_come = |order: &Value| order["ledger"][1]["kind"] == "settlement";
    let order = plans.bench.until(&id, "collected", has_come).await;
    let remittance = text(&order["ledger"][1]["remittance"]);
    assert_eq!((&order["unsettled"], &order["paid"]["amount"]), (&json!([]), &json!(60_100)));
    let path = format!("/v1/settlements/{remittance}");
    let told = plans.asked(&plans.accounting, &path).await;
    assert_eq!((&told["items"][0]["operation"], &told["sum"]["amount"]), (operation, &json!(60_100)), "{told}");
    let sheet = plans.send(&plans.accounting, "GET", &path, &Value::Null, &[("accept", "text/csv")]).await;
    let lines: Vec<&str> = sheet.body.split("\r\n").collect();
    assert_eq!(lines.len(), 3, "{}", sheet.body);
    assert!(lines[1].starts_with(&format!("{id},{},E2026001,", text(&order["reference"]))), "{}", lines[1]);
    assert!(lines[1].contains(",601.00,EUR,"), "{}", lines[1]);
    let unknown = plans.send(&plans.accounting, "GET", "/v1/settlements/987654321", &Value::Null, &[]).await;
    assert_eq!(unknown.status, 404);
}

/// A debit that the bank never shows: two people look into the back office and say the same.
#[tokio::test(flavor = "multi_thread")]
async fn two_people_with_two_keys_decide_what_became_of_a_debit() {
    let ladder = r#"doubt_ladder = ["50ms", "200ms", "500ms", "800ms"]"#;
    let plans = Plans::start_with(|text| {
        text.replace(r#"doubt_ladder = ["50ms", "200ms", "600ms", "1s", "2s", "4s"]"#, ladder)
    })
    .await;
    plans.tell_sandbox("/switches", &json!({"enquiry_sees_subscribers": false})).await;
    let order = plans.active(ACCEPTED).await;
    let (id, day) = (text(&order["id"]), due(&order, 2));
    plans.bench.fault(&json!({"target": "direct", "type": "00053", "action": "drop_after_commit"})).await;
    plans.come_to(&day).await;
    plans.run(&day).await;
    let waits = |order: &Value| order["schedule"][1]["status"] == "quarantined";
    plans.bench.until(id, "quarantined", waits).await;
    let before = plans.position().await;

    let list = plans.asked(&plans.operator, "/v1/quarantine").await;
    let subject = &list["items"][0]["waiting"][0]["subject"];
    assert_eq!(*subject, json!({"subject": "attempt", "debit": 2, "attempt": 1}), "{list}");
    assert_eq!(list["items"][0]["order"], id);
    let booked = plans.booked(&order).await;
    let operation = json!({
        "number": booked[0]["numtrans"].to_string(),
        "call": booked[0]["numappel"].to_string(),
    });
    let verdict = json!({
        "subject": subject,
        "verdict": {"verdict": "executed", "operation": operation},
        "evidence": "journal du back-office, ligne du jour",
    });
    let path = format!("/v1/orders/{id}/quarantine/verdicts");
    let give =
        async |person: &str, key: &str| -> Answer { plans.send_as(person, key, "POST", &path, &verdict, &[]).await };
    let first = give("Mme Durand", &plans.accounting).await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(first.json()["waiting"][0]["verdicts"].as_array().unwrap().len(), 1);
    for (person, key) in [("Mme Durand", &plans.operator), ("M. Petit", &plans.accounting)] {
        let same = give(person, key).await;
        assert_eq!((same.status, same.code().as_str()), (409, "second_person_needed"), "{person}");
    }
    assert_eq!(plans.position().await["digest"], before["digest"], "one person alone changes no account");

    // The other one decides from the list, on two things at once, one of which is none.
    let mut other = verdict["subject"].clone();
    other["debit"] = json!(3);
    let both = json!({
        "items": [
            {"order": id, "subject": verdict["subject"], "verdict": verdict["verdict"]},
            {"order": id, "subject": other, "verdict": {"verdict": "not_executed"}},
        ],
        "evidence": "relevé bancaire",
    });
    let several = "/v1/quarantine/verdicts";
    let again = [("idempotency-key", "two-people-1")];
    let headers = |key: &str| format!("Bearer {key}");
    let bearer = headers(&plans.operator);
    let send = async |body: &Value| {
        let sent = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("guichet-actor", "M. Petit"),
            again[0],
        ];
        plans.bench.gateway.send("POST", several, &sent, &body.to_string()).await
    };
    let decided = send(&both).await;
    let outcomes = json!([{"order": id, "outcome": "resolved"}, {"order": id, "outcome": "nothing_waits"}]);
    assert_eq!((decided.status, &decided.json()["items"]), (200, &outcomes), "{}", decided.body);
    let replayed = send(&both).await;
    assert_eq!(
        (replayed.body.as_str(), replayed.header("idempotency-replayed")),
        (decided.body.as_str(), Some("true"))
    );
    let mut another = both.clone();
    another["evidence"] = json!("autre chose");
    assert_eq!(send(&another).await.code(), "idempotency_key_reused");

    let resolved = plans.bench.order(id).await;
    assert_eq!((&resolved["schedule"][1]["status"], &resolved["waiting"]), (&json!("paid"), &json!([])));
    assert_eq!((plans.sent(&order).await, plans.agreed(&order).await), (1, 40_062));
    let position = plans.position().await;
    assert_eq!(position["sums"]["captured"]["amount"], 40_062, "{position:#}");
    assert_eq!(position["position"]["amount"], before["position"]["amount"].as_i64().unwrap() + 20_031);
}
