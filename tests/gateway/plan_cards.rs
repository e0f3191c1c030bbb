//! The first instalment of a plan: who may approve it, which card begins it, and what a refused one leaves behind.

use serde_json::{Value, json};

use crate::{
    bench::checkout,
    payer::{ACCEPTED, Payer, follow},
    plan_bench::{Plans, VIRTUAL, amounts, prefix, text},
};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_what_they_asked_for() {
    let plans = Plans::start().await;
    let id = plans.bench.place(60_100).await;
    let both =
        plans.bench.make_key(&["--scope", "portal", "--scope", "accounting", "--for-people", "--merchant", "ecole"]);
    let path = format!("/v1/orders/{id}/plan");
    let asked = plans.send_as("M. Petit", &both, "POST", &path, &json!({"template": "3x"}), &[]).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    let mut early = checkout();
    early["accepted_terms"] = asked.json()["plan"]["offer"]["accepted_terms"].clone();
    let early = plans.bench.post(&format!("/v1/orders/{id}/checkout"), &early).await;
    assert_eq!((early.status, early.code().as_str()), (409, "plan_not_approved"));

    let (approve, terms) = (format!("{path}/approve"), json!({"terms": asked.json()["plan"]["terms"]}));
    for key in [&both, &plans.accounting] {
        let own = plans.send_as("M. Petit", key, "POST", &approve, &terms, &[]).await;
        assert_eq!((own.status, own.code().as_str()), (409, "approver_is_requester"), "{}", own.body);
    }
    let approved = plans.send_as("Mme Durand", &both, "POST", &approve, &terms, &[]).await;
    assert_eq!(approved.status, 200, "{}", approved.body);
    let events = plans.bench.get("/v1/events").await.body;
    assert!(events.contains("plan.requested") && events.contains("plan.approved"), "{events}");
}

/// Whatever the card was refused for: the authorisation is let go, the bank keeps no card, and another card begins the plan.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_card_leaves_nothing_behind() {
    let plans = Plans::start_with(|text| {
        text.replacen("[[merchant]]", "[[merchant]]\ncards = { refused_types = [\"VISA\"] }", 1)
    })
    .await;
    for (card, why) in [(VIRTUAL, "virtual_card"), ("4012001038443335", "type_refused")] {
        let approved = plans.approved().await;
        let (id, issued) = (text(&approved["id"]), plans.begin(&approved).await);
        Payer::follow_link(&plans.bench, &issued).await.pay(card).await;
        let let_go = |order: &Value| order["give_backs"][0]["status"] == "done";
        let order = plans.bench.until(id, "let go", let_go).await;
        assert_eq!(order["checkouts"][0]["card_refused"]["why"], why, "{order:#}");
        assert_eq!((&order["paid"]["amount"], &order["plan"]["status"]), (&json!(0), &json!("approved")));
        let ledger = plans.bench.manage(&format!("/ledger?reference_prefix={}", prefix(&order))).await;
        assert_eq!(ledger["operations"][0]["status"], "cancelled", "{ledger}");
        assert_eq!((&ledger["totals"]["captured"], &ledger["totals"]["net"]), (&json!(0), &json!(0)));
        plans.until_forgotten(&order, 0).await;
        Payer::follow_link(&plans.bench, &issued).await.pay(ACCEPTED).await;
        let active = plans.bench.until(id, "active", |order| order["plan"]["status"] == "active").await;
        assert_eq!(amounts(&active["schedule"]), [20_031, 20_031, 20_038]);
        assert_eq!(plans.agreed(&active).await, 20_031);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_ends_before_the_last_instalment_is_not_even_authorised() {
    let plans = Plans::start().await;
    let approved = plans.approved().await;
    let issued = plans.begin(&approved).await;
    let payer = Payer::follow_link(&plans.bench, &issued).await;
    let last = text(&approved["plan"]["offer"]["schedule"][2]["due"]);
    let month_before: jiff::civil::Date = last.parse().unwrap();
    let month_before = month_before.first_of_month().yesterday().unwrap();
    let (month, year) = (month_before.strftime("%m").to_string(), month_before.strftime("%y").to_string());
    let page = payer.pay_until(ACCEPTED, &month, &year).await;
    assert!(page.contains("00008"), "{page}");
    payer.another_card().await;
    payer.pay(ACCEPTED).await;
    let id = text(&approved["id"]);
    let active = plans.bench.until(id, "active", |order| order["plan"]["status"] == "active").await;
    assert_eq!((active["paid"]["amount"].clone(), plans.agreed(&active).await), (json!(20_031), 20_031));
}

/// Whatever becomes of the answer to a capture, it is made once; and a lost notification delays it only.
#[tokio::test(flavor = "multi_thread")]
async fn a_capture_whose_answer_is_lost_is_made_once() {
    let plans = Plans::start().await;
    for fault in [
        json!({"target": "direct", "type": "00002", "action": "drop_after_commit"}),
        json!({"target": "direct", "type": "00002", "action": "drop_before_commit"}),
        json!({"target": "direct", "type": "00002", "action": "wrong_echo"}),
        json!({"target": "ipn", "action": "double", "ms": 50}),
    ] {
        let approved = plans.approved().await;
        plans.bench.fault(&fault).await;
        let issued = plans.begin(&approved).await;
        Payer::follow_link(&plans.bench, &issued).await.pay(ACCEPTED).await;
        let id = text(&approved["id"]);
        let active = plans.bench.until(id, "active", |order| order["plan"]["status"] == "active").await;
        assert_eq!(plans.agreed(&active).await, 20_031, "{fault}");
        assert_eq!(active["surplus"]["amount"], 0, "{fault}");
    }
}

/// Two pages of one plan are paid: one begins it, the other's authorisation is let go and its card forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_begin_a_plan_once() {
    let plans = Plans::start().await;
    let approved = plans.approved().await;
    let first = plans.begin(&approved).await;
    let tab = Payer::follow_link(&plans.bench, &first).await;
    let second = plans.begin(&approved).await;
    let other = Payer::follow_link(&plans.bench, &second).await;
    assert_ne!(follow(text(&first["redirect"])).await.status, 404);
    tokio::join!(tab.pay(ACCEPTED), other.pay(ACCEPTED));
    let id = text(&approved["id"]);
    let both_known = |order: &Value| order["plan"]["status"] == "active" && order["give_backs"][0]["status"] == "done";
    let order = plans.bench.until(id, "begun once", both_known).await;
    assert_eq!(plans.agreed(&order).await, 20_031);
    plans.until_forgotten(&order, 1).await;
}

/// The payer takes the wish back while a card page is open, and pays there all the same.
#[tokio::test(flavor = "multi_thread")]
async fn money_for_a_plan_that_was_withdrawn_is_let_go() {
    let plans = Plans::start().await;
    let approved = plans.approved().await;
    let (id, issued) = (text(&approved["id"]), plans.begin(&approved).await);
    let tab = Payer::follow_link(&plans.bench, &issued).await;
    let path = format!("/v1/orders/{id}/plan");
    let withdrawn = plans.send(&plans.bench.key, "DELETE", &path, &Value::Null, &[]).await;
    assert_eq!((withdrawn.status, &withdrawn.json()["plan"]["status"]), (200, &json!("withdrawn")));
    tab.pay(ACCEPTED).await;
    let let_go = |order: &Value| order["give_backs"][0]["status"] == "done";
    let order = plans.bench.until(id, "let go", let_go).await;
    assert_eq!((&order["status"], plans.agreed(&order).await), (&json!("open"), 0), "{order:#}");
    plans.until_forgotten(&order, 0).await;
    let once = plans.bench.check_out(id).await;
    Payer::open(&plans.bench, &once).await.pay(ACCEPTED).await;
    plans.bench.until_settled(id).await;
    assert_eq!(plans.agreed(&order).await, 60_100);
}

/// Two tabs: one pays all at once, the other the first instalment.
#[tokio::test(flavor = "multi_thread")]
async fn paying_once_ends_the_plan_that_has_not_begun() {
    let plans = Plans::start().await;
    let approved = plans.approved().await;
    let (id, issued) = (text(&approved["id"]), plans.begin(&approved).await);
    let tab = Payer::follow_link(&plans.bench, &issued).await;
    let once = plans.bench.check_out(id).await;
    Payer::open(&plans.bench, &once).await.pay(ACCEPTED).await;
    let settled = plans.bench.until_settled(id).await;
    assert_eq!(settled["plan"]["status"], "withdrawn", "{settled:#}");
    tab.pay(ACCEPTED).await;
    let let_go = |order: &Value| order["give_backs"][0]["status"] == "done";
    let order = plans.bench.until(id, "let go", let_go).await;
    assert_eq!((plans.agreed(&order).await, &order["surplus"]["amount"]), (60_100, &json!(0)));
    plans.until_forgotten(&order, 0).await;
}

/// Its dates follow from the month: a page that could be paid in the next one is not handed out.
#[tokio::test(flavor = "multi_thread")]
async fn no_plan_begins_in_the_last_minutes_of_a_month() {
    let plans = Plans::start().await;
    let approved = plans.approved().await;
    let now = jiff::Zoned::now().in_tz("Europe/Paris").unwrap();
    let last = now.date().last_of_month().at(23, 55, 0, 0).in_tz("Europe/Paris").unwrap();
    let late = plans.send(&plans.operator, "POST", "/v1/test-clock", &json!({"now": last.timestamp()}), &[]).await;
    assert_eq!(late.status, 200, "{}", late.body);
    let id = text(&approved["id"]);
    let begin = async || {
        let mut request = checkout();
        let order = plans.bench.order(id).await;
        request["accepted_terms"] = order["plan"]["offer"]["accepted_terms"].clone();
        plans.bench.post(&format!("/v1/orders/{id}/checkout"), &request).await
    };
    let refused = begin().await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "month_ends"));
    let outdated = plans.bench.order(id).await["plan"]["offer"]["accepted_terms"].clone();
    plans.come_to(&last.date().tomorrow().unwrap().to_string()).await;
    let mut request = checkout();
    request["accepted_terms"] = outdated;
    let refused = plans.bench.post(&format!("/v1/orders/{id}/checkout"), &request).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "terms_changed"), "the dates are others now");
    let issued = begin().await;
    assert_eq!(issued.status, 201, "{}", issued.body);
    Payer::follow_link(&plans.bench, &issued.json()).await.pay(ACCEPTED).await;
    plans.bench.until(id, "active", |order| order["plan"]["status"] == "active").await;
}

/// Some contracts want subscribers' operations captured and cancelled by calls of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_wants_subscribers_calls_gets_them() {
    let plans =
        Plans::start_with(|text| text.replacen("[[merchant]]", "[[merchant]]\nsubscriber_calls = true", 1)).await;
    for (card, kind, net) in [(VIRTUAL, "00055", 0), (ACCEPTED, "00052", 20_031)] {
        let approved = plans.approved().await;
        let (id, issued) = (text(&approved["id"]), plans.begin(&approved).await);
        Payer::follow_link(&plans.bench, &issued).await.pay(card).await;
        let over = |order: &Value| order["plan"]["status"] == "active" || order["give_backs"][0]["status"] == "done";
        let order = plans.bench.until(id, "over", over).await;
        let calls = plans.bench.manage(&format!("/calls?reference_prefix={}", prefix(&order))).await;
        let moved = calls["calls"].as_array().unwrap().iter().map(|call| text(&call["type"]));
        let moved: Vec<&str> = moved.filter(|kind| !["00011", "00017", "00058"].contains(kind)).collect();
        assert_eq!((moved, plans.agreed(&order).await), (vec![kind], net));
    }
}
