//! What stands in a debit's way: the night, a pause, a key that is gone, a bank that did nothing; each is over one day.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    payer::ACCEPTED,
    plan_bench::{Plans, after, due, prefix, text},
};

async fn paid(plans: &Plans, order: &Value, instalment: usize) -> Value {
    let is_paid = |order: &Value| order["schedule"][instalment - 1]["status"] == "paid";
    plans.bench.until(text(&order["id"]), "paid", is_paid).await
}

async fn sent_in_all(plans: &Plans, orders: &[Value]) -> usize {
    join_all(orders.iter().map(|order| plans.sent(order))).await.iter().sum()
}

/// It becomes this time of a day, in Paris.
async fn come_to_time(plans: &Plans, day: &str, time: &str) {
    let local: jiff::civil::DateTime = format!("{day}T{time}").parse().unwrap();
    let now = local.in_tz("Europe/Paris").unwrap().timestamp();
    let moved = plans.send(&plans.operator, "POST", "/v1/test-clock", &json!({"now": now}), &[]).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_debited_at_night_and_the_same_run_goes_on_in_the_morning() {
    let hours = |text: String| text.replace("\"00:00\"", "\"06:00\"").replace("\"23:59\"", "\"22:00\"");
    let plans = Plans::start_with(hours).await;
    let order = plans.active(ACCEPTED).await;
    let day = due(&order, 2);
    come_to_time(&plans, &day, "22:30:00").await;
    plans.run(&day).await;
    plans.bench.until(text(&order["id"]), "taken up", |order| order["schedule"][1]["status"] == "in_attempt").await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(plans.sent(&order).await, 0, "it is night");
    // The next day's run leaves alone what the first one will send.
    let next = after(&day, 1);
    come_to_time(&plans, &next, "05:00:00").await;
    plans.run(&next).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    come_to_time(&plans, &next, "06:00:01").await;
    paid(&plans, &order, 2).await;
    assert_eq!(plans.until_run(&next, "done").await["counts"]["total"], 0);
    let run = plans.until_run(&day, "done").await;
    assert_eq!((&run["counts"]["paid"], plans.sent(&order).await), (&json!(1), 1), "{run:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_paused_in_time_is_not_debited_until_it_is_resumed() {
    // One debit a second: there is time for a pause.
    let plans = Plans::start_with(|text| text.replace("per_minute = 6000", "per_minute = 60")).await;
    let orders = plans.several(3, ACCEPTED).await;
    let day = due(&orders[0], 2);
    plans.come_to(&day).await;
    plans.run(&day).await;
    let last = &orders.iter().max_by_key(|order| text(&order["id"]).to_owned()).unwrap();
    let path = format!("/v1/orders/{}/plan", text(&last["id"]));
    let paused = plans.send(&plans.accounting, "POST", &format!("{path}/pause"), &Value::Null, &[]).await;
    assert_eq!(paused.status, 200, "{}", paused.body);
    let run = plans.until_run(&day, "done").await;
    assert_eq!(run["counts"]["paid"], 2, "{run:#}");
    assert_eq!(plans.sent(last).await, 0);
    let next = after(&day, 1);
    plans.come_to(&next).await;
    let preview = plans.asked(&plans.scheduler, &format!("/v1/debit-runs/preview?date={next}")).await;
    assert_eq!(
        (preview["items"].as_array().map(Vec::len), &preview["items"][0]["left_out"]),
        (Some(1), &json!("paused"))
    );
    let resumed = plans.send(&plans.accounting, "POST", &format!("{path}/resume"), &Value::Null, &[]).await;
    assert_eq!(resumed.status, 200, "{}", resumed.body);
    plans.run(&next).await;
    paid(&plans, last, 2).await;
    assert_eq!((plans.sent(last).await, plans.agreed(last).await), (1, 40_062));
}

/// An answer that is lost before anything was done: the bank denies it often enough, beside a debit that it does know.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_did_not_do_is_debited_another_day() {
    let plans =
        Plans::start_with(|text| text.replace("[debits]", "[debits]\nat_once = 1\ndenials_span = \"0s\"")).await;
    let orders = plans.several(2, ACCEPTED).await;
    let day = due(&orders[0], 2);
    let lost = json!({"target": "direct", "type": "00053", "action": "drop_before_commit", "skip": 1});
    plans.bench.fault(&lost).await;
    plans.come_to(&day).await;
    plans.run(&day).await;
    let run = plans.until_run_has(&day, |run| run["counts"]["not_executed"] == 1).await;
    assert_eq!((&run["counts"]["paid"], &run["counts"]["total"]), (&json!(1), &json!(2)), "{run:#}");
    let next = after(&day, 1);
    plans.come_to(&next).await;
    plans.run(&next).await;
    for order in &orders {
        paid(&plans, order, 2).await;
        assert_eq!((plans.booked(order).await.len(), plans.agreed(order).await), (1, 40_062));
    }
    assert_eq!(sent_in_all(&plans, &orders).await, 3, "one was sent twice, under two names, and done once");
    let (code, said) = plans.bench.command(&["audit", "--bank"]);
    // Two first payments, two debits, and the call that was not done.
    assert_eq!((code, said.contains("breaches=0 asked=5 unanswered=0")), (Some(0), true), "{said}");
}

/// A bank that says it did not take a debit, and did: nobody can know until it is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_debit_that_was_done_against_the_banks_word_is_found_by_the_audit() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let day = due(&order, 2);
    plans
        .bench
        .fault(&json!({"target": "direct", "type": "00053", "action": "code", "code": "00113", "commit": true}))
        .await;
    plans.come_to(&day).await;
    plans.run(&day).await;
    plans.until_run_has(&day, |run| run["counts"]["not_executed"] == 1).await;
    let (code, said) = plans.bench.command(&["audit", "--bank"]);
    assert_eq!(code, Some(2), "{said}");
    let found = " bank: call 1 of instalment 2 is on record as not carried out: carried out after all";
    assert!(said.contains(found) && said.contains("breaches=1 asked=2 unanswered=0"), "{said}");
}

/// The key that sealed some cards is not configured any more: those wait, everybody else is debited.
#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_cannot_be_read_stops_nobody_else() {
    let mut plans = Plans::start_with(|text| text.replace("[debits]", "[debits]\nat_once = 1")).await;
    let before = plans.several(2, ACCEPTED).await;
    let keys = plans.bench.folder.join("sealing.keys");
    let (old, new) = (std::fs::read_to_string(&keys).unwrap(), format!("k2:{}\n", "6b".repeat(32)));
    std::fs::write(&keys, &new).unwrap();
    plans.bench.restart();
    let since = plans.several(2, ACCEPTED).await;
    let day = due(&since[0], 2);
    plans.come_to(&day).await;
    plans.run(&day).await;
    for order in &since {
        paid(&plans, order, 2).await;
    }
    let run = plans.until_run(&day, "done").await;
    assert_eq!((&run["counts"]["paid"], &run["counts"]["not_executed"]), (&json!(2), &json!(2)), "{run:#}");
    assert_eq!(sent_in_all(&plans, &before).await, 0);
    assert!(plans.bench.log().contains("defect"), "nobody was told");
    for order in &before {
        assert_eq!(plans.bench.order(text(&order["id"])).await["schedule"][1]["status"], "due", "no arrears");
    }
    std::fs::write(&keys, format!("{new}{old}")).unwrap();
    plans.bench.restart();
    let next = after(&day, 1);
    plans.come_to(&next).await;
    plans.run(&next).await;
    for order in &before {
        paid(&plans, order, 2).await;
        assert_eq!((plans.sent(order).await, plans.agreed(order).await), (1, 40_062));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bank_forgets_the_card_of_a_plan_that_is_done_however_often_that_takes() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    for action in ["drop_before_commit", "http_500", "drop_after_commit"] {
        plans.bench.fault(&json!({"target": "direct", "type": "00058", "action": action})).await;
    }
    for instalment in [2, 3] {
        let day = due(&order, instalment);
        plans.come_to(&day).await;
        plans.run(&day).await;
        paid(&plans, &order, instalment).await;
    }
    plans.bench.until_settled(text(&order["id"])).await;
    plans.until_forgotten(&order, 0).await;
    let deletions = async || {
        let calls = plans.bench.manage(&format!("/calls?reference_prefix={}", "")).await;
        let calls = calls["calls"].as_array().unwrap().iter().filter(|call| call["type"] == "00058");
        calls.map(|call| text(&call["subscriber"]).starts_with(&prefix(&order))).collect::<Vec<bool>>()
    };
    for _ in 0..200 {
        if deletions().await.len() >= 4 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(deletions().await, [true; 4], "asked until the bank said so, then no more");
}

/// A record of one merchant that cannot be read is told of, and keeps no other merchant's debits from beginning.
#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_whose_record_is_broken_stops_no_other() {
    let plans = Plans::start_with(|text| text.replace("daily = false", "daily = true\ndaily_at = \"00:00\"")).await;
    let order = plans.active(ACCEPTED).await;
    let day = due(&order, 2);
    let store = rusqlite::Connection::open(plans.bench.folder.join("guichet.db")).unwrap();
    let broken = "INSERT INTO aggregate (merchant, kind, id, version, state) VALUES ('annexe', 'run', ?1, 1, '{}')";
    store.execute(broken, [&day]).unwrap();
    plans.come_to(&day).await;
    paid(&plans, &order, 2).await;
    assert!(plans.bench.log().contains("defect"), "nobody was told");
}

/// While the bank is away a run waits, and writes in no order that it does.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_bank_is_the_runs_matter_and_told_once() {
    let plans = Plans::start().await;
    let orders = plans.several(3, ACCEPTED).await;
    let day = due(&orders[0], 2);
    plans.come_to(&day).await;
    // What the first pages still owe is asked before the outage.
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    plans.bench.fault(&json!({"target": "direct", "host": "both", "action": "dead"})).await;
    plans.run(&day).await;
    plans.until_run_has(&day, |run| run["counts"]["ready"] == 3).await;
    // Long enough to look again a few times.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let log = plans.bench.log();
    let of_run = |line: &&str| line.contains("bank_silent") && line.contains(&format!("the debits of {day} wait"));
    assert_eq!(log.lines().filter(of_run).count(), 1, "{log}");
    assert!(!log.contains("a call has to wait"), "{log}");
    assert_eq!(plans.bench.manage.send("DELETE", "/faults", &[], "").await.status, 200);
    let run = plans.until_run(&day, "done").await;
    assert_eq!(run["counts"]["paid"], 3, "{run:#}");
    assert_eq!(sent_in_all(&plans, &orders).await, 3);
}
