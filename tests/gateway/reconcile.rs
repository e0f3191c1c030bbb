//! A store that lags what has left: yesterday's backup put back, or its file lost.

use std::fs;

use serde_json::{Value, json};

use crate::{
    payer::ACCEPTED,
    plan_bench::{Plans, due, text},
};

async fn reconciliation(plans: &Plans) -> Value {
    plans.asked(&plans.operator, "/v1/reconciliation").await
}

async fn until_asked(plans: &Plans) -> Value {
    for _ in 0..500 {
        let found = reconciliation(plans).await;
        if found["state"] == "asked" {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("never asked: {}\n{}", reconciliation(plans).await, plans.bench.log());
}

async fn end(plans: &Plans) -> crate::client::Answer {
    let reason = json!({"reason": "Relu avec la comptabilité."});
    plans.send(&plans.operator, "POST", "/v1/reconciliation/end", &reason, &[]).await
}

/// All events behind a cursor, and the cursor behind them.
async fn events(plans: &Plans, after: &str) -> (Vec<Value>, String) {
    let (mut events, mut next) = (Vec::new(), after.to_owned());
    loop {
        let after = if next.is_empty() { String::new() } else { format!("&after={next}") };
        let page = plans.bench.get(&format!("/v1/events?limit=100{after}")).await.json();
        next = text(&page["next"]).to_owned();
        match page["events"].as_array().unwrap() {
            page if page.is_empty() => return (events, next),
            page => events.extend(page.iter().cloned()),
        }
    }
}

/// Who polls goes on where he was, and sees all that happened since; no event has the id of one that was lost.
async fn goes_on(plans: &Plans, told: &[Value], cursor: &str) {
    let (all, _) = events(plans, "").await;
    let new: Vec<Value> = all.into_iter().filter(|event| !told.contains(event)).collect();
    let since = events(plans, cursor).await.0;
    assert!(!since.is_empty() && since == new, "{since:#?}");
    assert!(since.iter().all(|new| told.iter().all(|old| old["id"] != new["id"])), "{since:#?}");
}

async fn ready(plans: &Plans) -> String {
    plans.bench.ops.send("GET", "/readyz", &[], "").await.body
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_debited_after_a_backup_is_found_and_not_debited_again() {
    let mut plans = Plans::start().await;
    let [debited, cancelled] = [plans.active(ACCEPTED).await, plans.active(ACCEPTED).await];
    let day = due(&debited, 2);
    plans.come_to(&day).await;
    let copy = plans.bench.folder.join("copy.db");
    let copy = copy.to_str().unwrap();
    let (code, said) = plans.bench.command(&["backup", copy]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(plans.bench.command(&["backup", copy]).0, Some(1), "nothing is written over");

    let path = format!("/v1/orders/{}/plan/pause", text(&cancelled["id"]));
    let paused = plans.send(&plans.accounting, "POST", &path, &json!({}), &[]).await;
    assert_eq!(paused.status, 200, "{}", paused.body);
    assert_eq!(plans.run(&day).await.status, 202);
    plans.until_run(&day, "done").await;
    assert_eq!(plans.sent(&debited).await, 1);
    assert_eq!(plans.bench.command(&["restore", copy]).0, Some(1), "not under a gateway that serves");
    assert_eq!(reconciliation(&plans).await["state"], "none");
    assert_eq!(end(&plans).await.code(), "not_reconciling");

    let (told, cursor) = events(&plans, "").await;
    plans.bench.restart_after(|bench| {
        let (code, said) = bench.command(&["restore", copy]);
        assert_eq!(code, Some(0), "{said}");
    });
    let found = until_asked(&plans).await;
    assert_eq!((&found["debits_frozen"], &found["lost_calls"]), (&json!(true), &json!(1)), "{found:#}");
    assert_eq!(found["calls"][0]["finding"], "found", "{found:#}");
    assert!(plans.bench.log().contains("store_regressed"));
    assert!(ready(&plans).await.contains("debits are frozen"));
    // What the bank shows is booked; nothing leaves, whoever asks.
    let adopted = plans.bench.until(text(&debited["id"]), "adopted", |order| order["schedule"][1]["status"] == "paid");
    assert_eq!(adopted.await["paid"]["amount"], 40_062);
    plans.run(&day).await;
    assert_eq!(plans.until_run(&day, "frozen").await["counts"]["paid"], 1);
    // The pause was forgotten with the rest: only a person can know, and enters it again before ending.
    let paused = plans.send(&plans.accounting, "POST", &path, &json!({}), &[]).await;
    assert_eq!(paused.status, 200, "{}", paused.body);
    let ended = end(&plans).await;
    assert_eq!((ended.status, &ended.json()["state"]), (200, &json!("ended")), "{}", ended.body);
    plans.until_run(&day, "done").await;
    assert_eq!((plans.sent(&debited).await, plans.sent(&cancelled).await), (1, 0));
    assert_eq!(plans.agreed(&debited).await, 40_062);
    assert_eq!(ready(&plans).await, "ok\n");

    goes_on(&plans, &told, &cursor).await;

    // It stays ended, and what is stored makes sense, to the bank too.
    plans.bench.restart();
    assert_eq!(reconciliation(&plans).await["state"], "ended");
    let (code, said) = plans.bench.command(&["audit", "--bank"]);
    assert_eq!(code, Some(0), "{said}");
    // Three operations, and the debit that the pause kept from leaving.
    assert!(said.contains("breaches=0 asked=4 unanswered=0"), "{said}");

    // The same copy once more: what followed after it came back the first time is behind nobody's cursor either.
    let (told, cursor) = events(&plans, "").await;
    plans.bench.restart_after(|bench| assert_eq!(bench.command(&["restore", copy]).0, Some(0)));
    until_asked(&plans).await;
    assert_eq!(end(&plans).await.status, 200);
    goes_on(&plans, &told, &cursor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_journal_or_another_store_freezes_debits_too() {
    let mut plans = Plans::start().await;
    let order = plans.active(ACCEPTED).await;
    let day = due(&order, 2);
    plans.come_to(&day).await;
    plans.bench.restart_after(|bench| fs::remove_file(bench.folder.join("guichet.db.journal")).unwrap());
    let found = until_asked(&plans).await;
    assert_eq!((&found["why"], &found["lost_calls"]), (&json!("its journal is not there"), &json!(0)));
    plans.run(&day).await;
    plans.until_run(&day, "frozen").await;
    assert_eq!(plans.sent(&order).await, 0);
    assert_eq!(end(&plans).await.status, 200);
    plans.until_run(&day, "done").await;
    assert_eq!((plans.sent(&order).await, plans.agreed(&order).await), (1, 40_062));

    // An empty store in its place: keys and orders are gone, and what left is told.
    plans.bench.restart_after(|bench| {
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(bench.folder.join(format!("guichet.db{suffix}")));
        }
    });
    plans.operator = plans.bench.make_key(&["--scope", "ops", "--merchant", "ecole"]);
    let found = until_asked(&plans).await;
    assert_eq!(found["why"], "it is another store", "{found:#}");
    assert!(found["calls"].as_array().unwrap().iter().any(|call| call["finding"] == "found"), "{found:#}");
    assert_eq!(end(&plans).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_changed_is_found_by_the_audit() {
    let plans = Plans::start().await;
    let id = plans.bench.place(60_100).await;
    plans.bench.check_out(&id).await;
    let (code, said) = plans.bench.command(&["audit"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("orders=1 events=") && said.contains("breaches=0"), "{said}");
    let file = rusqlite::Connection::open(plans.bench.folder.join("guichet.db")).unwrap();
    let forge = "DROP TRIGGER event_is_never_changed; \
                 UPDATE event SET event = replace(event, 'Zoé', 'Zoe') WHERE kind = 'order' AND event LIKE '%Zoé%'";
    file.execute_batch(forge).unwrap();
    let (code, said) = plans.bench.command(&["audit"]);
    assert_eq!(code, Some(2), "{said}");
    for wrong in [" chain: the event at ", " replay: the events do not make the state"] {
        assert!(said.contains(wrong), "{wrong}: {said}");
    }
    assert_eq!(plans.bench.command(&["audit", "--nonsense"]).0, Some(1));
}
