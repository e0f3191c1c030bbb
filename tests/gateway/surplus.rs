//! Money beyond what an order owes goes back, exactly once.

use serde_json::{Value, json};

use crate::{
    bench::{Bench, order},
    payer::{ACCEPTED, Payer},
};

/// An order paid in two tabs; the faults are set before the second is paid.
async fn pay_twice(bench: &Bench, faults: &[Value]) -> String {
    let id = bench.place(377_000).await;
    let first = Payer::open(bench, &bench.check_out(&id).await).await;
    let second = Payer::open(bench, &bench.check_out(&id).await).await;
    second.pay(ACCEPTED).await;
    bench.until_settled(&id).await;
    for fault in faults {
        bench.fault(fault).await;
    }
    first.pay(ACCEPTED).await;
    id
}

async fn check_given_back(bench: &Bench, id: &str, what: &str) -> Value {
    let order = bench.until(id, "given back", |order| order["give_backs"][0]["status"] == "done").await;
    assert_eq!(order["paid"]["amount"], 377_000, "{what}");
    assert_eq!(order["surplus"]["amount"], 0, "{what}");
    let totals = bench.bank_totals().await;
    assert_eq!(totals["net"], 377_000, "{what}: {totals}");
    order
}

/// How often the bank was asked to do this.
async fn calls(bench: &Bench, kind: &str) -> usize {
    let calls = bench.manage("/calls").await;
    calls["calls"].as_array().unwrap().iter().filter(|call| call["type"] == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_both_paid() {
    let bench = Bench::start().await;
    let id = pay_twice(&bench, &[]).await;
    let order = check_given_back(&bench, &id, "two tabs").await;
    let kinds: Vec<&str> = order["ledger"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["capture", "surplus", "refund"]);
    assert_eq!(calls(&bench, "00005").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_the_answer_is_lost_it_goes_back_once() {
    for (what, action, sent) in [
        ("done, and the answer lost", "drop_after_commit", 1),
        ("not done, and no answer", "drop_before_commit", 1),
        ("done, and the answer mangled", "garbage", 1),
        ("done, and the answer doubled", "double_body", 1),
        ("done, and another's answer", "wrong_echo", 1),
        ("done, and the answer cut", "truncate", 1),
    ] {
        let bench = Bench::start().await;
        let fault = json!({"target": "direct", "type": "00005", "action": action, "times": 1});
        let id = pay_twice(&bench, &[fault]).await;
        check_given_back(&bench, &id, what).await;
        assert_eq!(calls(&bench, "00005").await, sent, "{what}: never sent again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settled_money_is_refunded() {
    let bench = Bench::start().await;
    // The bank settles before the cancellation comes.
    let hold = json!({"target": "direct", "type": "00005", "action": "code", "code": "00015", "times": 1});
    let id = pay_twice(&bench, &[hold]).await;
    let order = check_given_back(&bench, &id, "settled").await;
    assert_eq!(order["ledger"][2]["kind"], "refund");
    assert_eq!(calls(&bench, "00014").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_replaced_order_that_is_paid_late() {
    let bench = Bench::start().await;
    let old = bench.place(377_000).await;
    let page = Payer::open(&bench, &bench.check_out(&old).await).await;
    let mut replacing = order(61_800);
    replacing["replaces"] = json!(old);
    let new = bench.post("/v1/orders", &replacing).await;
    assert_eq!(new.status, 201, "{}", new.body);
    let cancelled = bench.order(&old).await;
    assert_eq!((&cancelled["status"], &cancelled["replaced_by"]), (&json!("cancelled"), &new.json()["id"]));
    page.pay(ACCEPTED).await;
    let order = bench.until(&old, "given back", |order| order["give_backs"][0]["status"] == "done").await;
    assert_eq!((&order["status"], &order["paid"]["amount"]), (&json!("cancelled"), &json!(0)));
    assert_eq!(bench.bank_totals().await["net"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_while_the_answer_is_out_sends_nothing_again() {
    let mut bench = Bench::start().await;
    let slow = json!({"target": "direct", "type": "00005", "action": "delay", "ms": 1_200, "times": 1});
    let id = pay_twice(&bench, &[slow]).await;
    for _ in 0..500 {
        if calls(&bench, "00005").await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    bench.restart();
    check_given_back(&bench, &id, "killed after sending").await;
    assert_eq!(calls(&bench, "00005").await, 1);
}
