//! Two gateways on one store: what freezes debits, what does not, and what goes on meanwhile.

use std::{fs, time::Duration};

use serde_json::{Value, json};

use crate::{
    client::Answer,
    gateways::{Gateway, Gateways},
    life::Life,
    payer::ACCEPTED,
    portal::text,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_freezes_debits_and_nothing_else() {
    let mut gateways = Gateways::start(2, 6_000).await;
    let portal = gateways.first().portal();
    let id = portal.begin_plan("2x", 40_000, &[ACCEPTED]).await;
    // One that joins later finds orders, and has sent nothing.
    gateways.add().await;
    let found = gateways.first().reconciliation(gateways.operator()).await.unwrap();
    assert_eq!(found["state"], "none", "{found:#}");
    let due = gateways.seen().await.next_debit().unwrap();

    let primary = gateways.primary;
    gateways.servers[primary].kill();
    gateways.servers[primary].start_again();
    gateways.until_frozen().await;
    gateways.follow();
    let portal = gateways.first().portal();
    portal.come_to(crate::calendar::noon(due)).await;
    assert!(gateways.trigger(due).await > 0);
    // Payers pay, and portals read.
    portal.pay_once(10_000).await;
    assert_eq!(portal.order(&id).await["plan"]["status"], "active");
    gateways.until_asked().await;
    assert_eq!(gateways.debited(), 0);
    assert!(gateways.all.iter().all(|gateway| gateway.bench.log().contains("store_regressed")));
    gateways.end().await;
    let is_paid = async |gateways: &Gateways| {
        for _ in 0..500 {
            if gateways.first().portal().order(&id).await["schedule"][1]["status"] == "paid" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("never paid\n{}", gateways.tail());
    };
    is_paid(&gateways).await;
    assert_eq!(gateways.debited(), 1);

    // A known one that has lost its journal may have sent anything.
    let last = gateways.all.last_mut().unwrap();
    last.life.take().unwrap().kill();
    fs::remove_file(last.bench.folder.join("own.journal")).unwrap();
    last.life = Some(Life::calm(&last.bench).await);
    let found = gateways.until_asked().await;
    assert_eq!(text(&found["why"]), "its journal is not there", "{found:#}");
    assert_eq!(found["missing_instances"], json!([]));
    gateways.end().await;
    assert_eq!(gateways.debited(), 1);
}

/// Ends a reconciliation as a person does who says this.
async fn end(gateways: &Gateways, said: Value) -> Answer {
    let first = gateways.first().portal();
    first.ask_as(gateways.operator(), "POST", "/v1/reconciliation/end", &said).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_missing_is_done_without_only_by_name() {
    let mut gateways = Gateways::start(2, 6_000).await;
    gateways.first().portal().pay_once(10_000).await;
    let lost = gateways.all.pop().unwrap();
    lost.life.unwrap().kill();
    let primary = gateways.primary;
    gateways.servers[primary].kill();
    gateways.servers[primary].start_again();
    gateways.until_frozen().await;
    gateways.follow();
    let missing = json!(["g1"]);
    loop {
        let refused = end(&gateways, json!({"reason": "Relu."})).await;
        assert_eq!(refused.status, 409, "{}", refused.body);
        if refused.code() == "instances_missing" {
            assert_eq!(refused.json()["missing_instances"], missing, "{}", refused.body);
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let nobody = end(&gateways, json!({"reason": "Relu.", "without": ["g1", "g7"]})).await;
    assert_eq!((nobody.status, &nobody.json()["errors"][0]["pointer"]), (422, &json!("/without/1")), "{}", nobody.body);
    let here = end(&gateways, json!({"reason": "Relu.", "without": ["g0"]})).await;
    assert_eq!(here.code(), "instances_missing", "{}", here.body);
    let found = gateways.first().reconciliation(gateways.operator()).await.unwrap();
    assert_eq!((&found["debits_frozen"], &found["missing_instances"]), (&json!(true), &missing), "{found:#}");
    let mut ended = end(&gateways, json!({"reason": "Machine perdue.", "without": ["g0", "g1"]})).await;
    while ended.code() == "still_asking" {
        // Its replica came back meanwhile, which began it once more.
        tokio::time::sleep(Duration::from_millis(50)).await;
        ended = end(&gateways, json!({"reason": "Machine perdue.", "without": ["g0", "g1"]})).await;
    }
    assert_eq!(ended.status, 200, "{}", ended.body);
    let found = gateways.first().reconciliation(gateways.operator()).await.unwrap();
    assert_eq!((&found["state"], &found["ended_without"]), (&json!("ended"), &missing), "{found:#}");
    assert!(found["ended_by"]["key"].is_string(), "{found:#}");

    // Should it come back, what it knows is asked for after all.
    let life = Some(Life::calm(&lost.bench).await);
    gateways.all.push(Gateway { life, ..lost });
    let found = gateways.until_asked().await;
    assert_eq!((text(&found["why"]), &found["ended_without"]), ("it is another store", &json!(null)), "{found:#}");
    gateways.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_whose_clock_is_off_sends_nothing() {
    let gateways = Gateways::start(1, 6_000).await;
    let (first, portal) = (gateways.first(), gateways.first().portal());
    let id = portal.begin_plan("2x", 40_000, &[ACCEPTED]).await;
    let due = gateways.seen().await.next_debit().unwrap();
    let wait_for = async |sentence: &str| {
        for _ in 0..500 {
            if first.ready().await.starts_with(sentence) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("never {sentence}: {}\n{}", first.ready().await, gateways.tail());
    };
    first.wire.bend_clock(-60);
    wait_for("the store is unavailable: ").await;
    let said = first.ready().await;
    assert!(said.contains("s ahead of the server's, more than redis.clock_within allows"), "{said}");
    // The test clock may be anywhere.
    portal.come_to(crate::calendar::noon(due)).await;
    gateways.trigger(due).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((gateways.debited(), first.bench.log().contains("store_failed")), (0, true));
    first.wire.bend_clock(0);
    wait_for("ok").await;
    gateways.trigger(due).await;
    for _ in 0..500 {
        if portal.order(&id).await["schedule"][1]["status"] == "paid" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(gateways.debited(), 1);
}

/// A gateway that finds that it does not serve its store any more, or that another has its name, begins nothing, and waits
/// until it does again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_where_another_holds_the_store_or_the_name() {
    let gateways = Gateways::start(1, 6_000).await;
    let portal = gateways.first().portal();
    portal.begin_plan("12x", 120_000, &[ACCEPTED]).await;
    let primary = &gateways.servers[gateways.primary];
    for (debited, lease, said) in
        [(0, "served", "it is being copied"), (1, "instance:g0", "another gateway on it is called g0")]
    {
        let due = gateways.seen().await.next_debit().unwrap();
        primary.tell(&format!("SET {{guichet:ecole}}:lease:{lease} another PX 3600000"));
        gateways.until_logged(said).await;
        portal.come_to(crate::calendar::noon(due)).await;
        assert!(gateways.trigger(due).await > 0);
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(gateways.debited(), debited, "{said}\n{}", gateways.tail());
        primary.tell(&format!("DEL {{guichet:ecole}}:lease:{lease}"));
        gateways.until_debited(debited + 1).await;
    }
}
