//! Two gateways on one store: what freezes debits, what does not, and what goes on meanwhile.

use std::fs;

use serde_json::json;

use crate::{gateways::Gateways, life::Life, payer::ACCEPTED, portal::text};

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
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
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
