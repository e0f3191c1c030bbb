//! Life after the first debit: credit notes, refunds, another card, the rest at once, chargebacks, payments elsewhere.

use serde_json::{Value, json};

use crate::{
    bench::checkout,
    client::Answer,
    payer::{ACCEPTED, CHALLENGED, Payer},
    plan_bench::{Plans, after, amounts, due, prefix, text},
};

fn eur(units: i64) -> Value {
    json!({"amount": units, "currency": "EUR"})
}

impl Plans {
    /// Accounting corrects an order: `credit-notes`, `instalments/2/write-off`.
    pub(crate) async fn try_correct(&self, id: &str, what: &str, body: &Value) -> Answer {
        self.send(&self.accounting, "POST", &format!("/v1/orders/{id}/{what}"), body, &[]).await
    }

    pub(crate) async fn correct(&self, id: &str, what: &str, body: &Value) -> Value {
        let answer = self.try_correct(id, what, body).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
        answer.json()
    }

    /// What stands to the payer's credit, less what they owe.
    pub(crate) async fn position(&self) -> Value {
        self.asked(&self.accounting, "/v1/payers/E2026001/position").await
    }

    async fn page(&self, id: &str, more: &Value) -> Answer {
        let mut request = checkout();
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.bench.post(&format!("/v1/orders/{id}/checkout"), &request).await
    }

    async fn totals(&self, order: &Value) -> Value {
        self.bench.manage(&format!("/ledger?reference_prefix={}", prefix(order))).await["totals"].clone()
    }

    /// Every refund of an order is done.
    pub(crate) async fn until_refunded(&self, id: &str) -> Value {
        let is_done = |part: &Value| part["status"] == "done";
        self.bench
            .until(id, "refunded", |order| {
                let refunds = order["refunds"].as_array().unwrap().iter();
                let mut parts = refunds.flat_map(|refund| refund["parts"].as_array().unwrap());
                parts.all(is_done)
            })
            .await
    }
}

fn balance(position: &Value) -> i64 {
    position["position"]["amount"].as_i64().unwrap()
}

/// The latest month is credited first, and only what was paid too much goes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_credit_note_shortens_a_plan_from_its_end() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let id = text(&order["id"]);
    assert_eq!(balance(&plans.position().await), 20_031 - 60_100);
    let note = json!({"amount": eur(25_000), "reason": "un module de moins"});
    let credited = plans.correct(id, "credit-notes", &note).await;
    assert_eq!(amounts(&credited["schedule"]), [20_031, 15_069, 0], "{credited:#}");
    assert_eq!((&credited["owed"], &credited["refunded"]), (&eur(35_100), &eur(0)));
    assert_eq!(credited["schedule"][2]["status"], "cancelled");
    assert_ne!(credited["plan"]["terms"], order["plan"]["terms"], "the terms are amended");
    assert_eq!(balance(&plans.position().await), 20_031 - 35_100);

    let day = due(&order, 2);
    plans.come_to(&day).await;
    plans.run(&day).await;
    let settled = plans.bench.until_settled(id).await;
    assert_eq!((&settled["plan"]["status"], plans.agreed(&order).await), (&json!("completed"), 35_100));
    assert_eq!(balance(&plans.position().await), 0);

    let note = json!({"amount": eur(5_000), "reason": "geste commercial"});
    let credited = plans.correct(id, "credit-notes", &note).await;
    assert_eq!(credited["refunds"][0]["amount"], eur(5_000), "what is overpaid goes back by itself: {credited:#}");
    plans.until_refunded(id).await;
    assert_eq!(plans.totals(&order).await["net"], 30_100);
    assert_eq!(balance(&plans.position().await), 0);
    for (amount, code) in [(999_999, "not_that_much"), (0, "not_that_much")] {
        let refused = plans.try_correct(id, "credit-notes", &json!({"amount": eur(amount), "reason": "x"})).await;
        assert_eq!((refused.status, refused.code().as_str()), (409, code));
    }
}

/// Also when the bank's answer is lost: it is asked, and nothing is refunded twice.
#[tokio::test(flavor = "multi_thread")]
async fn refunds_in_part_and_then_whole_reach_the_bank_once() {
    let plans = Plans::start().await;
    let id = plans.bench.place(60_100).await;
    let page = plans.bench.check_out(&id).await;
    Payer::open(&plans.bench, &page).await.pay(ACCEPTED).await;
    let order = plans.bench.until_settled(&id).await;
    let refund = |amount| json!({"amount": eur(amount), "against": "credit_note", "reason": "désistement"});
    plans.correct(&id, "refunds", &refund(10_000)).await;
    plans.until_refunded(&id).await;
    assert_eq!(plans.totals(&order).await["net"], 50_100);

    plans.bench.fault(&json!({"target": "direct", "type": "00014", "action": "drop_after_commit"})).await;
    plans.correct(&id, "refunds", &refund(50_100)).await;
    let refused = plans.try_correct(&id, "refunds", &refund(1)).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "not_that_much"), "it is on its way already");
    let refunded = plans.until_refunded(&id).await;
    assert_eq!((&plans.totals(&order).await["net"], &refunded["refunded"]), (&json!(0), &eur(60_100)));
    let calls = plans.bench.manage(&format!("/calls?reference_prefix={}", prefix(&order))).await;
    let sent = calls["calls"].as_array().unwrap().iter().filter(|call| call["type"] == "00014").count();
    assert_eq!((sent, balance(&plans.position().await)), (2, 0), "{calls}");
    assert!(plans.bench.log().contains("in_doubt"));

    let story = plans.asked(&plans.operator, &format!("/v1/orders/{id}/explain")).await;
    assert!(!story.to_string().contains("\"text\":\"\""), "an event that no sentence tells: {story:#}");
    let portal = format!("/v1/orders/{id}/refunds");
    let refused = plans.bench.post(&portal, &json!({"amount": eur(1), "against": "surplus", "reason": "x"})).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "not_that_much"), "portals may ask for refunds too");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_card_serves_a_plan_and_the_one_before_is_forgotten() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let id = text(&order["id"]);
    let kept = format!("/subscribers?refabonne_prefix={}", prefix(&order));
    let before = plans.bench.manage(&kept).await["subscribers"][0]["refabonne"].clone();
    let issued = plans.page(id, &json!({"pays": "another_card"})).await;
    assert_eq!((issued.status, &issued.json()["form"]), (201, &Value::Null), "{}", issued.body);
    assert_eq!(issued.json()["amount"], eur(100));
    Payer::follow_link(&plans.bench, &issued.json()).await.pay(CHALLENGED).await;
    let changed = plans.bench.until(id, "changed", |order| order["plan"]["card"]["last2"] == CHALLENGED[14..]).await;
    plans.bench.until(id, "let go", |order| order["give_backs"][0]["status"] == "done").await;
    plans.until_forgotten(&order, 1).await;
    assert_ne!(plans.bench.manage(&kept).await["subscribers"][0]["refabonne"], before);
    assert_eq!((plans.agreed(&changed).await, changed["ledger"].as_array().unwrap().len()), (20_031, 1));
    let day = due(&order, 2);
    plans.come_to(&day).await;
    plans.run(&day).await;
    let paid = plans.bench.until(id, "paid", |order| order["schedule"][1]["status"] == "paid").await;
    assert_eq!(plans.agreed(&paid).await, 40_062);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_plan_is_paid_at_once() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let id = text(&order["id"]);
    let both = plans.page(id, &json!({"pays": "rest", "instalment": 2})).await;
    assert_eq!((both.status, both.json()["errors"][0]["pointer"].clone()), (422, json!("/pays")), "{}", both.body);
    let issued = plans.page(id, &json!({"pays": "rest"})).await;
    assert_eq!((issued.status, &issued.json()["amount"]), (201, &eur(40_069)), "{}", issued.body);
    Payer::open(&plans.bench, &issued.json()).await.pay(CHALLENGED).await;
    let settled = plans.bench.until_settled(id).await;
    assert_eq!((&settled["plan"]["status"], plans.agreed(&order).await), (&json!("completed"), 60_100));
    plans.until_forgotten(&order, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_payers_bank_takes_back_blocks_until_it_is_paid_again() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let id = text(&order["id"]);
    let before = plans.position().await;
    let taken_back = json!({"operation": order["ledger"][0]["operation"], "reason": "contestation du porteur"});
    let blocked = plans.correct(id, "chargebacks", &taken_back).await;
    assert_eq!((&blocked["blocked"], &blocked["schedule"][0]["status"]), (&json!(true), &json!("arrears")));
    assert_eq!((&blocked["plan"]["status"], &blocked["paid"]), (&json!("past_due"), &eur(0)), "{blocked:#}");
    assert_eq!(balance(&plans.position().await), balance(&before) - 20_031);
    let twice = plans.try_correct(id, "chargebacks", &taken_back).await;
    assert_eq!((twice.status, twice.code().as_str()), (409, "not_that_much"));

    let issued = plans.page(id, &json!({"instalment": 1})).await;
    Payer::open(&plans.bench, &issued.json()).await.pay(ACCEPTED).await;
    let unblocked = plans.bench.until(id, "unblocked", |order| order["blocked"] == false).await;
    assert_eq!(unblocked["schedule"][0]["status"], "paid");
    assert_eq!(balance(&plans.position().await), balance(&before));
    let events = plans.bench.get("/v1/events").await.body;
    for kind in ["order.chargeback", "order.blocked", "order.unblocked"] {
        assert!(events.contains(kind), "{kind}: {events}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn single_instalments_are_moved_paid_elsewhere_and_written_off() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let id = text(&order["id"]);
    let later = after(&due(&order, 2), 4);
    let moved = plans.correct(id, "instalments/2/reschedule", &json!({"due": later, "reason": "salaire"})).await;
    assert_eq!((due(&moved, 2), &moved["schedule"][1]["next_attempt_on"]), (later.clone(), &json!(later)));
    let version = format!("\"{}\"", order["version"]);
    let path = format!("/v1/orders/{id}/instalments/2/write-off");
    let outdated = [("if-match", version.as_str())];
    let refused = plans.send(&plans.accounting, "POST", &path, &json!({"reason": "x"}), &outdated).await;
    assert_eq!(refused.status, 412, "{}", refused.body);
    let refused = plans.try_correct(id, "instalments/3/reschedule", &json!({"due": "2020-01-01", "reason": "x"})).await;
    assert_eq!(refused.code(), "date_has_come", "{}", refused.body);

    let cheque = json!({"on": "2026-11-20", "reference": "CHQ 0012345", "reason": "remis au guichet"});
    let paid = plans.correct(id, "instalments/2/paid-elsewhere", &cheque).await;
    assert_eq!((&paid["paid_elsewhere"], &paid["remaining"]), (&eur(20_031), &eur(20_038)), "{paid:#}");
    let over = plans.correct(id, "instalments/3/write-off", &json!({"reason": "irrécouvrable"})).await;
    assert_eq!((&over["status"], &over["remaining"]), (&json!("settled"), &eur(0)), "{over:#}");
    assert_eq!((over["journal"].as_array().unwrap().len(), balance(&plans.position().await)), (2, 0));
    assert_eq!(plans.sent(&order).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_ends_with_its_rest_credited_or_owed() {
    let plans = Plans::start().await;
    let orders = plans.several(3, ACCEPTED).await;
    let id = |at: usize| text(&orders[at]["id"]);
    let ended = plans.correct(id(0), "plan/cancel-rest", &json!({"reason": "départ"})).await;
    assert_eq!((&ended["status"], &ended["owed"]), (&json!("settled"), &eur(20_031)), "{ended:#}");
    let given_up = plans.correct(id(1), "plan/default", &Value::Null).await;
    assert_eq!((&given_up["plan"]["status"], &given_up["remaining"]), (&json!("defaulted"), &eur(40_069)));
    let refund = json!({"amount": eur(20_031), "against": "credit_note", "reason": "désistement"});
    let refused = plans.try_correct(id(2), "refunds", &refund).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "rest_not_said"));
    let mut whole = refund;
    whole["rest"] = json!("cancel");
    let whole = plans.correct(id(2), "refunds", &whole).await;
    assert_eq!((&whole["owed"], &whole["status"]), (&eur(0), &json!("settled")), "{whole:#}");
    plans.until_refunded(id(2)).await;
    assert_eq!(plans.totals(&orders[2]).await["net"], 0);
    plans.until_forgotten(&orders[2], 0).await;
}
