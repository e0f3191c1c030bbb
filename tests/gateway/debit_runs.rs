//! Runs over several orders: asked for many times, stopped by the bank, late, killed half-way; and the command that
//! watches them.

use std::process::Command;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    payer::ACCEPTED,
    plan_bench::{Plans, after, due, text},
};

/// What `guichet debits run --watch` ends with.
async fn watched(plans: &Plans, day: &str, more: &[&str]) -> (Option<i32>, String) {
    debits(plans, day, &[&["run", "--every=20ms", "--watch", "--patience=5s"], more].concat()).await
}

async fn debits(plans: &Plans, day: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guichet"));
    command.arg("debits").args(arguments).arg("--merchant=ecole");
    command.args([&format!("--due={day}"), &format!("--url={}", plans.bench.gateway.base())]);
    command.env("GUICHET_KEY", &plans.scheduler);
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.code(), String::from_utf8(said).unwrap())
}

async fn statuses(plans: &Plans, orders: &[Value], instalment: usize) -> Vec<String> {
    let orders = join_all(orders.iter().map(|order| plans.bench.order(text(&order["id"])))).await;
    orders.iter().map(|order| text(&order["schedule"][instalment - 1]["status"]).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_asked_for_twenty_times_debits_each_once() {
    let plans = Plans::start().await;
    let orders = plans.several(4, ACCEPTED).await;
    let day = due(&orders[0], 2);
    plans.come_to(&day).await;
    let answers = join_all((0..20).map(|_| plans.run(&day))).await;
    let new = answers.iter().filter(|answer| answer.status == 202).count();
    let known = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((new, known), (1, 19));
    let run = plans.until_run(&day, "done").await;
    assert_eq!((&run["counts"]["paid"], &run["sums"]["paid"]["amount"]), (&json!(4), &json!(4 * 20_031)), "{run:#}");
    for order in &orders {
        assert_eq!((plans.sent(order).await, plans.agreed(order).await), (1, 40_062));
    }
    let (code, said) = watched(&plans, &day, &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("4/4: 4 paid") && said.contains("801.24 EUR"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_refuses_us_stops_the_run_and_nobody_is_in_arrears() {
    let plans = Plans::start_with(|text| text.replace("[debits]", "[debits]\nat_once = 1")).await;
    let orders = plans.several(3, ACCEPTED).await;
    let day = due(&orders[0], 2);
    plans.bench.fault(&json!({"target": "direct", "type": "00053", "action": "code", "code": "00006"})).await;
    plans.come_to(&day).await;
    let (code, said) = watched(&plans, &day, &[]).await;
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("00006") && said.contains("/resume"), "{said}");
    let run = plans.until_run(&day, "stopped_config").await;
    assert_eq!((&run["stopped_code"], &run["counts"]["ready"]), (&json!("00006"), &json!(2)), "{run:#}");
    assert_eq!(run["counts"]["not_executed"], 1, "{run:#}");
    let mut standing = statuses(&plans, &orders, 2).await;
    standing.sort();
    assert_eq!(standing, ["due", "in_attempt", "in_attempt"], "nobody is in arrears");
    assert!(plans.bench.log().contains("misconfigured"));

    let path = format!("/v1/debit-runs/ecole.{day}/resume");
    assert_eq!(plans.send(&plans.scheduler, "POST", &path, &Value::Null, &[]).await.status, 403);
    assert_eq!(plans.send(&plans.operator, "POST", &path, &Value::Null, &[]).await.status, 200);
    let run = plans.until_run(&day, "done").await;
    assert_eq!((&run["counts"]["paid"], &run["counts"]["not_executed"]), (&json!(2), &json!(1)), "{run:#}");
    let next = after(&day, 1);
    plans.come_to(&next).await;
    let (code, said) = watched(&plans, &next, &["--json"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(statuses(&plans, &orders, 2).await, ["paid"; 3]);
    for order in &orders {
        assert_eq!(plans.agreed(order).await, 40_062);
    }
}

/// A stopped run that nobody resumes: the next day's debits what it has left, and each payer once.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_stopped_run_has_left_is_taken_over_the_next_day() {
    let plans = Plans::start_with(|text| text.replace("[debits]", "[debits]\nat_once = 1")).await;
    let orders = plans.several(3, ACCEPTED).await;
    let (day, next) = (due(&orders[0], 2), after(&due(&orders[0], 2), 1));
    plans.bench.fault(&json!({"target": "direct", "type": "00053", "action": "code", "code": "00006"})).await;
    plans.come_to(&day).await;
    plans.run(&day).await;
    assert_eq!(plans.until_run(&day, "stopped_config").await["counts"]["ready"], 2);
    plans.come_to(&next).await;
    plans.run(&next).await;
    let run = plans.until_run(&next, "done").await;
    assert_eq!((&run["counts"]["paid"], &run["counts"]["total"]), (&json!(3), &json!(3)), "{run:#}");
    let stopped = plans.until_run(&day, "stopped_config").await;
    assert_eq!((&stopped["counts"]["ready"], &stopped["counts"]["not_executed"]), (&json!(0), &json!(3)));
    let told = format!("the run of {day} is stopped; its debits are taken over");
    assert_eq!(plans.bench.log().matches(&told).count(), 1);
    for order in &orders {
        assert_eq!(plans.agreed(order).await, 40_062);
    }
    let path = format!("/v1/debit-runs/ecole.{day}/resume");
    assert_eq!(plans.send(&plans.operator, "POST", &path, &Value::Null, &[]).await.status, 200);
    plans.until_run(&day, "done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_payers_bank_says_of_us_stops_nobody_elses_debit() {
    let plans = Plans::start_with(|text| text.replace("[debits]", "[debits]\nat_once = 1")).await;
    let orders = plans.several(5, ACCEPTED).await;
    let day = due(&orders[0], 2);
    let strange =
        |times: u32| json!({"target": "direct", "type": "00053", "action": "code", "code": "00158", "times": times});
    plans.bench.fault(&strange(2)).await;
    plans.come_to(&day).await;
    plans.run(&day).await;
    let run = plans.until_run(&day, "done").await;
    assert_eq!((&run["counts"]["paid"], &run["counts"]["not_executed"]), (&json!(3), &json!(2)), "{run:#}");
    assert!(plans.bench.log().contains("misconfigured"), "nobody was told");
    let standing = statuses(&plans, &orders, 2).await;
    assert_eq!(standing.iter().filter(|status| *status == "due").count(), 2, "nobody is in arrears: {standing:?}");

    let month = due(&orders[0], 3);
    plans.come_to(&month).await;
    plans.bench.fault(&strange(3)).await;
    plans.run(&month).await;
    let run = plans.until_run(&month, "stopped_config").await;
    assert_eq!((&run["stopped_code"], &run["counts"]["not_executed"]), (&json!("00158"), &json!(3)), "{run:#}");
    assert_eq!(run["counts"]["ready"], 2, "{run:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_each_day_debits_one_instalment() {
    let plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let (first, second) = (due(&order, 2), due(&order, 3));
    plans.come_to(&second).await;
    let old = plans.run(&first).await;
    assert_eq!((old.status, old.code().as_str()), (409, "date_too_old"), "a month late: for accounting");
    let run = json!({"merchant": "ecole", "due_date": first});
    assert_eq!(plans.send(&plans.accounting, "POST", "/v1/debit-runs", &run, &[]).await.status, 202);
    plans.until_run(&first, "done").await;
    let orders = [order.clone()];
    assert_eq!(
        (statuses(&plans, &orders, 2).await, statuses(&plans, &orders, 3).await),
        (vec!["paid".to_owned()], vec!["due".to_owned()])
    );
    let preview = plans.asked(&plans.scheduler, &format!("/v1/debit-runs/preview?date={second}")).await;
    assert_eq!(preview["items"][0]["left_out"], "debited_today", "{preview}");
    let (code, said) = debits(&plans, &second, &["preview"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("left out: debited_today") && said.contains(": 0 to be debited; 1 left out."), "{said}");
    plans.run(&second).await;
    assert_eq!(plans.until_run(&second, "done").await["counts"]["total"], 0);
    let next = after(&second, 1);
    plans.come_to(&next).await;
    plans.run(&next).await;
    plans.until_run(&next, "done").await;
    plans.bench.until_settled(text(&order["id"])).await;
    assert_eq!((plans.sent(&order).await, plans.agreed(&order).await), (2, 60_100));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_half_way_a_run_goes_on_and_debits_each_once() {
    let few = |text: String| text.replace("[debits]", "[debits]\nat_once = 2\ndenials_span = \"0s\"");
    let mut plans = Plans::start_with(few).await;
    let orders = plans.several(6, ACCEPTED).await;
    let day = due(&orders[0], 2);
    // Done at once, answered late: the kill comes while calls are on their way.
    let slow = json!({"target": "direct", "type": "00053", "action": "delay", "ms": 400, "times": 6});
    plans.bench.fault(&slow).await;
    plans.come_to(&day).await;
    plans.run(&day).await;
    plans.until_run_has(&day, |run| run["counts"]["paid"].as_u64() >= Some(2)).await;
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    plans.bench.restart();
    let (code, said) = watched(&plans, &day, &[]).await;
    assert!(matches!(code, Some(0 | 3)), "{code:?} {said}");
    let run = plans.until_run(&day, "done").await;
    // One that was killed between its commit and its first byte was not executed, and has its turn the next day.
    let (paid, not_executed) = (&run["counts"]["paid"], &run["counts"]["not_executed"]);
    assert_eq!(paid.as_u64().unwrap() + not_executed.as_u64().unwrap(), 6, "{run:#}");
    let next = after(&day, 1);
    plans.come_to(&next).await;
    plans.run(&next).await;
    let run = plans.until_run(&next, "done").await;
    assert_eq!(&run["counts"]["total"], not_executed, "{run:#}");
    for order in &orders {
        assert_eq!((plans.booked(order).await.len(), plans.agreed(order).await), (1, 40_062));
    }
    assert_eq!(plans.bench.bank_totals().await["net"], 6 * 40_062);
}
