//! Answers that are wrong by a byte: whatever comes back, the call left once, and only a whole answer settles it.

use std::{sync::Arc, time::Duration};

use guichet::{
    adapters::ppps::{Deadlines, PppsBank},
    domain::{
        attempt::Host,
        bank::{Finding, Question, Ruling},
        ids::Reference,
    },
    ports::{Bank, Clock},
};

use crate::{
    bench::{JumpingClock, bank, euros, merchant, operation, patient, question, refund, sending},
    raw::{RawBank, Script, chunked, http, with_head},
};

const GOOD: &str = "NUMTRANS=0000000011&NUMAPPEL=0000000005&NUMQUESTION=0000000007&SITE=1999888&RANG=32\
    &AUTORISATION=XXXXXX&CODEREPONSE=00000&COMMENTAIRE=Demande traitée avec succès&REFABONNE=&PORTEUR=";

/// A server, and a bank that knows it under both hosts.
async fn bench(deadlines: Deadlines) -> (RawBank, PppsBank, Arc<JumpingClock>) {
    let server = RawBank::start().await;
    let clock = JumpingClock::steady();
    let bank = bank(&server.address, &server.address, deadlines, Arc::clone(&clock));
    (server, bank, clock)
}

/// Sends a refund that meets `script`, and checks that it left exactly once.
async fn sent(server: &mut RawBank, bank: &PppsBank, clock: &JumpingClock, script: Script) -> Ruling {
    server.next_answer(script);
    let line = bank.connect(&merchant(), None).await.unwrap();
    let call = refund(operation(10, 5), 377_000, "A-g1-a1");
    let ruling = line.send(&sending(7, clock), &call, None, clock.since_boot() + Duration::from_secs(60)).await;
    let (mut posts, mut probes) = (0, 0);
    for _ in 0..2 {
        let seen = server.ended().await;
        posts += seen.matches("POST /PPPS.php HTTP/1.1\r\n").count();
        probes += seen.matches("GET /load.html").count();
        assert_eq!(seen.matches("TYPE=00014").count(), seen.matches("POST").count(), "{seen}");
    }
    assert_eq!((probes, posts), (1, 1), "{ruling:?}");
    assert!(server.nothing_else());
    ruling
}

fn accepted() -> Ruling {
    Ruling::Accepted { operation: operation(11, 5) }
}

#[tokio::test]
async fn an_answer_cut_anywhere_settles_nothing() {
    let (mut server, bank, clock) = bench(patient()).await;
    for whole in [http("200 OK", GOOD), chunked(GOOD)] {
        for length in 0..=whole.len() {
            let cut = whole[..length].to_vec();
            let script = if length % 2 == 0 { Script::Say(cut) } else { Script::Break(cut) };
            let ruling = sent(&mut server, &bank, &clock, script).await;
            let is_whole = length == whole.len();
            assert_eq!(ruling == accepted(), is_whole, "{length} of {}: {ruling:?}", whole.len());
            assert!(is_whole || matches!(ruling, Ruling::Doubt { .. }), "{length}: {ruling:?}");
        }
    }
}

#[tokio::test]
async fn a_beginning_that_calls_itself_whole_is_never_another_operation() {
    let (mut server, bank, clock) = bench(patient()).await;
    for (length, _) in GOOD.char_indices() {
        let ruling = sent(&mut server, &bank, &clock, Script::Say(http("200 OK", &GOOD[..length]))).await;
        assert!(ruling == accepted() || matches!(ruling, Ruling::Doubt { .. }), "{length}: {ruling:?}");
        assert!(ruling != accepted() || GOOD[..length].contains("CODEREPONSE=00000"), "{length}");
    }
}

#[tokio::test]
async fn only_one_whole_answer_of_http_counts() {
    let (mut server, bank, clock) = bench(patient()).await;
    let elsewhere = |status: &str| {
        let head = format!("HTTP/1.1 {status}\r\nLocation: {}/PPPS.php\r\nContent-Length: 0\r\n\r\n", server.address);
        with_head(&head, "")
    };
    let rows = [
        ("good", http("200 OK", GOOD), true),
        ("good, ended by a line", http("200 OK", &format!("{GOOD}\r\n")), true),
        ("good, in chunks", chunked(GOOD), true),
        ("good, after a hint", [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), http("200 OK", GOOD)].concat(), true),
        ("moved", elsewhere("301 Moved Permanently"), false),
        ("found", elsewhere("302 Found"), false),
        ("see other", elsewhere("303 See Other"), false),
        ("temporary", elsewhere("307 Temporary Redirect"), false),
        ("permanent", elsewhere("308 Permanent Redirect"), false),
        ("retry later", http("503 Service Unavailable", GOOD), false),
        ("request timed out", http("408 Request Timeout", ""), false),
        ("no content", http("204 No Content", ""), false),
        ("accepted", http("202 Accepted", GOOD), false),
        ("server error", http("500 Internal Server Error", GOOD), false),
        ("endless", with_head("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", GOOD), false),
        ("two lengths", with_head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\n", GOOD), false),
        ("empty", http("200 OK", ""), false),
        ("a page", http("200 OK", "<html>Service indisponible</html>"), false),
        ("too long", http("200 OK", &format!("{GOOD}{}", "x".repeat(20_000))), false),
        ("twice in one body", http("200 OK", &format!("{GOOD}{GOOD}")), false),
        ("twice, joined", http("200 OK", &format!("{GOOD}&{GOOD}")), false),
        ("another question", http("200 OK", &GOOD.replace("0000000007", "0000000008")), false),
        ("another site", http("200 OK", &GOOD.replace("1999888", "1999887")), false),
        ("another rank", http("200 OK", &GOOD.replace("RANG=32", "RANG=33")), false),
        ("no HTTP", GOOD.as_bytes().to_vec(), false),
        ("nothing", Vec::new(), false),
    ];
    for (name, bytes, is_good) in rows {
        let ruling = sent(&mut server, &bank, &clock, Script::Say(bytes)).await;
        assert_eq!(ruling == accepted(), is_good, "{name}: {ruling:?}");
        assert!(is_good || matches!(ruling, Ruling::Doubt { .. }), "{name}: {ruling:?}");
    }
}

#[tokio::test]
async fn a_silent_bank_is_given_up() {
    let (mut server, bank, clock) = bench(Deadlines { answer: Duration::from_millis(500), ..patient() }).await;
    for beginning in [Vec::new(), b"HTTP/1.1 200".to_vec(), http("200 OK", GOOD)[..100].to_vec()] {
        let ruling = sent(&mut server, &bank, &clock, Script::Hang(beginning)).await;
        assert_eq!(ruling, Ruling::Doubt { why: "no answer within 500 ms".to_owned() });
    }
}

#[tokio::test]
async fn the_banks_date_is_the_machines() {
    let (mut server, bank, clock) = bench(patient()).await;
    let today = || clock.wall().in_tz("Europe/Paris").unwrap().strftime("&DATEQ=%d%m%Y").to_string();
    let dated = |seen: &str, days: &[String; 2]| days.iter().any(|day| seen.contains(day));
    let midnight_may_be = today();
    server.next_answer(Script::Say(http("200 OK", GOOD)));
    let find = Question::Find { reference: Reference::received("A-c1"), amount: euros(377_000) };
    bank.ask(&merchant(), Host::Main, question(7), &find).await.unwrap();
    let asked = server.ended().await;
    server.next_answer(Script::Say(http("200 OK", GOOD)));
    let line = bank.connect(&merchant(), None).await.unwrap();
    let call = refund(operation(10, 5), 377_000, "A-g1-a1");
    line.send(&sending(7, &*clock), &call, None, clock.since_boot() + Duration::from_secs(60)).await;
    let sent = [server.ended().await, server.ended().await].concat();
    let days = [midnight_may_be, today()];
    assert!(dated(&asked, &days), "{asked}");
    assert!(dated(&sent, &days), "{sent}");
}

#[tokio::test]
async fn an_enquiry_is_one_connection_and_one_request() {
    let (mut server, bank, _) = bench(patient()).await;
    let find = Question::Find { reference: Reference::received("A-c1"), amount: euros(377_000) };
    let redirect = with_head("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", "");
    for (script, found) in [
        (Script::Say(http("200 OK", GOOD)), true),
        (Script::Break(http("200 OK", GOOD)[..120].to_vec()), false),
        (Script::Say(redirect), false),
        (Script::Say(http("200 OK", &GOOD.replace("0000000007", "0000000006"))), false),
    ] {
        server.next_answer(script);
        let finding = bank.ask(&merchant(), Host::Backup, question(7), &find).await;
        assert_eq!(finding == Ok(Finding::Found(operation(11, 5))), found, "{finding:?}");
        assert!(found || finding.is_err(), "{finding:?}");
        let seen = server.ended().await;
        assert_eq!((seen.matches("POST ").count(), seen.matches("GET ").count()), (1, 0), "{seen}");
        assert!(server.nothing_else());
    }
}
