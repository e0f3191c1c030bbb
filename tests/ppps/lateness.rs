//! A process can be frozen anywhere. Whatever leaves, leaves before the deadline, and whole; or nothing does.

use std::{sync::Arc, time::Duration};

use guichet::{
    domain::bank::Ruling,
    ports::{Bank, Clock},
};

use crate::{
    bench::{JumpingClock, bank, merchant, operation, patient, refund, sending},
    raw::{RawBank, Script, http},
};

const GOOD: &str =
    "NUMTRANS=0000000011&NUMAPPEL=0000000005&NUMQUESTION=0000000007&SITE=1999888&RANG=32&CODEREPONSE=00000";

/// What the connections of one line brought, and what became of the call. `prepare` is the last thing before sending.
async fn sent(script: Script, prepare: impl FnOnce(&JumpingClock) -> Duration) -> (Vec<String>, Ruling) {
    let mut server = RawBank::start().await;
    let clock = JumpingClock::steady();
    let bank = bank(&server.address, &server.address, patient(), Arc::clone(&clock));
    server.next_answer(script.clone());
    let line = bank.connect(&merchant(), None).await.unwrap();
    let mut seen = vec![server.ended().await];
    server.established().await;
    server.established().await;
    let not_after = prepare(&clock);
    let ruling = line.send(&sending(7, &*clock), &refund(operation(10, 5), 100, "A-g1-a1"), None, not_after).await;
    seen.push(server.ended().await);
    (seen, ruling)
}

fn nothing_sent(ruling: &Ruling) -> bool {
    matches!(ruling, Ruling::Doubt { why } if why.starts_with("nothing was sent"))
}

#[tokio::test]
async fn a_call_that_is_late_leaves_no_byte() {
    for late_by_ms in [1, 1_000, 80_000_000] {
        let good = Script::Say(http("200 OK", GOOD));
        let (seen, ruling) = sent(good, |clock| clock.since_boot() - Duration::from_millis(late_by_ms)).await;
        assert!(seen[0].starts_with("GET /load.html"), "{seen:?}");
        assert_eq!(seen[1], "", "{ruling:?}");
        assert!(nothing_sent(&ruling), "{ruling:?}");
    }
}

#[tokio::test]
async fn wherever_the_process_is_frozen_all_leaves_in_time_or_nothing() {
    let mut went = Vec::new();
    for reads in 0..6 {
        let good = Script::Say(http("200 OK", GOOD));
        let (seen, ruling) = sent(good, |clock| {
            let not_after = clock.since_boot() + Duration::from_secs(5);
            clock.jump_after(reads);
            not_after
        })
        .await;
        if seen[1].is_empty() {
            assert!(nothing_sent(&ruling), "{reads}: {ruling:?}");
        } else {
            assert!(seen[1].starts_with("POST /PPPS.php") && seen[1].contains("&HMAC="), "{reads}: {seen:?}");
            assert_eq!(ruling, Ruling::Accepted { operation: operation(11, 5) }, "{reads}");
        }
        went.push(!seen[1].is_empty());
    }
    assert!(went.is_sorted() && !went[0] && went[5], "{went:?}");
    // Frozen after the last look of the line itself, before the socket's: the case that the gate is for.
    assert!(!went[2], "{went:?}");
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_doubt_and_never_replaced() {
    let (seen, ruling) = sent(Script::CloseAtOnce, |clock| clock.since_boot() + Duration::from_secs(60)).await;
    assert!(matches!(ruling, Ruling::Doubt { .. }), "{ruling:?}");
    assert!(seen[1].matches("POST").count() <= 1, "{seen:?}");
}
