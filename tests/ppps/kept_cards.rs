//! Cards that the bank keeps: captured, let go, debited and forgotten; and a debit whose answer is wrong by a byte.

use std::{sync::Arc, time::Duration};

use guichet::{
    domain::{
        attempt::{Host, Sending},
        bank::{Finding, MoneyCall, OperationStatus, Question, Ruling},
        card::CardEnd,
        retry::RefusalClass,
    },
    ports::{Bank, Clock, Forgotten, KeptCard, Silence},
};
use guichet_sandbox::{keys::TlsSet, ledger::Status};
use jiff::Timestamp;

use crate::{
    bench::{JumpingClock, bank, cancel, capture, debit, merchant, operation, patient, question, sending, subscriber},
    raw::{RawBank, Script, chunked, http},
    sandbox::{Bench, find},
};

const TOKEN: &str = "SLDLrcsLMPC";
const GOOD: &str = "NUMTRANS=0000000011&NUMAPPEL=0000000006&NUMQUESTION=0000000007&SITE=1999888&RANG=32\
    &AUTORISATION=XXXXXX&CODEREPONSE=00000&COMMENTAIRE=Demande traitée avec succès&REFABONNE=A-s1&PORTEUR=SLDLrcsLMPC";

fn kept() -> KeptCard {
    KeptCard { token: TOKEN.to_owned().into(), end: CardEnd::new(2028, 3).unwrap() }
}

fn of_subscriber(mut call: MoneyCall, name: &str) -> MoneyCall {
    if let MoneyCall::Cancel { subscriber: of, .. } = &mut call {
        *of = Some(subscriber(name));
    }
    call
}

#[tokio::test]
async fn what_is_held_is_captured_or_let_go_with_and_without_its_subscriber() {
    let mut bench = Bench::start(TlsSet::Good, patient()).await;
    for (index, (kind, captured)) in
        [("00002", true), ("00052", true), ("00005", false), ("00055", false)].into_iter().enumerate()
    {
        let name = format!("A-s{index}");
        let (held, _) = bench.held(&format!("{index}-c1"), &name);
        let call = match kind {
            "00002" => capture(held, 377_000, None),
            "00052" => capture(held, 377_000, Some(subscriber(&name))),
            "00005" => cancel(held, 377_000, "A-g1-a1"),
            _ => of_subscriber(cancel(held, 377_000, "A-g1-a1"), &name),
        };
        let look = Question::Look { operation: held };
        let standing = |status| Ok(Finding::Status(held, status));
        assert_eq!(bench.ask(Host::Main, &look).await, standing(OperationStatus::Authorised), "{kind}");
        assert_eq!(bench.send_with(&call, None).await.1, Ruling::Accepted { operation: held }, "{kind}");
        let expected = if captured { OperationStatus::Captured } else { OperationStatus::Cancelled };
        assert_eq!(bench.ask(Host::Backup, &look).await, standing(expected), "{kind}");
        assert_eq!(bench.asked(kind), 1);
        // Done before: that proves nothing about this call.
        assert_eq!(bench.send_with(&call, None).await.1, Ruling::Doubt { why: "00015".to_owned() }, "{kind}");
    }
    let totals = bench.running.sandbox.world().ledger.totals(|_| true);
    assert_eq!((totals.captured, totals.net), (2 * 377_000, 2 * 377_000));
}

#[tokio::test]
async fn a_kept_card_is_debited_found_again_and_forgotten() {
    let mut bench = Bench::start(TlsSet::Good, patient()).await;
    let (_, card) = bench.held("A-c1", "A-s1");
    let call = debit(&subscriber("A-s1"), 20_031, "A-i2-d1");
    let Ruling::Accepted { operation: made } = bench.send_with(&call, Some(&card)).await.1 else {
        panic!("the debit was not accepted")
    };
    for host in [Host::Main, Host::Backup] {
        assert_eq!(bench.ask(host, &find("A-i2-d1", 20_031)).await, Ok(Finding::Found(made)));
        let captured = Finding::Status(made, OperationStatus::Captured);
        assert_eq!(bench.ask(host, &Question::Look { operation: made }).await, Ok(captured));
    }
    let (activity, archived) = {
        let world = bench.running.sandbox.world();
        let call = world.journal.calls.iter().find(|call| call.kind == "00053").unwrap().clone();
        let entry = world.ledger.entries().find(|entry| entry.operation.numtrans == made.number.get()).unwrap();
        assert_eq!((entry.operation.status, entry.operation.captured), (Status::Captured, 20_031));
        (call.activite, entry.operation.archivage.clone())
    };
    assert_eq!((activity.as_str(), archived.as_str()), ("027", call.names().1.as_str()));

    let refused = |code: &str, class| Ruling::Refused { code: code.to_owned(), class: Some(class) };
    let other_token = KeptCard { token: card_of(&card, str::to_lowercase), end: card.end };
    let other_end = KeptCard { end: CardEnd::new(2028, 4).unwrap(), ..card.clone() };
    let call = |number: u32| debit(&subscriber("A-s1"), 20_031, &format!("A-i2-d{number}"));
    assert_eq!(bench.send_with(&call(2), Some(&other_token)).await.1, refused("00004", RefusalClass::Hard));
    assert_eq!(bench.send_with(&call(3), Some(&other_end)).await.1, refused("00008", RefusalClass::CardUpdate));
    let before = bench.asked("00053");
    let without = bench.send_with(&call(4), None).await.1;
    assert_eq!(without, Ruling::Doubt { why: "nothing was sent: a debit without its card".to_owned() });
    assert_eq!(bench.asked("00053"), before);

    for number in 101..104 {
        let told = bench.bank.forget(&merchant(), Host::Main, question(number), &subscriber("A-s1")).await;
        assert_eq!(told, Ok(Forgotten::Gone), "{number}");
    }
    let gone = bench.send_with(&call(5), Some(&card)).await.1;
    assert_eq!(gone, refused("00017", RefusalClass::CardUpdate));
}

fn card_of(card: &KeptCard, change: impl Fn(&str) -> String) -> secrecy::SecretString {
    change(secrecy::ExposeSecret::expose_secret(&card.token)).into()
}

#[tokio::test]
async fn a_card_counts_as_forgotten_only_when_the_bank_says_so() {
    let bench = Bench::start(TlsSet::Good, patient()).await;
    bench.held("A-c1", "A-s1");
    for (index, (script, expected)) in [
        (r#"{"target":"direct","action":"code","code":"00003"}"#, Some("00003")),
        (r#"{"target":"direct","action":"code","code":"00006"}"#, Some("00006")),
        (r#"{"target":"direct","action":"drop_before_commit"}"#, None),
        (r#"{"target":"direct","action":"http_500"}"#, None),
        (r#"{"target":"direct","action":"wrong_echo","commit":false}"#, None),
    ]
    .into_iter()
    .enumerate()
    {
        bench.arm(script);
        let number = question(u32::try_from(index).unwrap() + 1);
        let told = bench.bank.forget(&merchant(), Host::Main, number, &subscriber("A-s1")).await;
        match expected {
            Some(code) => assert_eq!(told, Ok(Forgotten::Unclear(code.to_owned())), "{script}"),
            None => assert!(told.is_err(), "{script}: {told:?}"),
        }
    }
    assert_eq!(bench.running.sandbox.world().subscribers.iter().count(), 1, "it is still there");
}

#[tokio::test]
async fn a_named_host_is_the_only_one_that_is_tried() {
    for (script, only, expected) in [
        (r#"{"target":"load","host":"main","action":"ko"}"#, Host::Main, None),
        (r#"{"target":"load","host":"main","action":"ko"}"#, Host::Backup, Some(Host::Backup)),
        (r#"{"target":"load","host":"backup","action":"ko"}"#, Host::Backup, None),
        (r#"{"target":"direct","host":"backup","action":"dead"}"#, Host::Backup, None),
        (r#"{"target":"direct","host":"backup","action":"dead"}"#, Host::Main, Some(Host::Main)),
    ] {
        let bench = Bench::start(TlsSet::Good, patient()).await;
        bench.arm(script);
        let line = bench.bank.connect(&merchant(), Some(only)).await;
        match (expected, line.map(|line| line.host())) {
            (Some(expected), host) => assert_eq!(host, Ok(expected), "{script}"),
            (None, Err(Silence(why))) => {
                let other = if only == Host::Main { "backup: " } else { "main: " };
                assert!(!why.contains(other), "{script}: {why}");
            }
            (None, Ok(host)) => panic!("{script}: {host:?}"),
        }
    }
}

/// Sends a debit that meets `script`; what the server saw of it, and what it was ruled.
async fn debited(server: &mut RawBank, script: Script, dated: Option<Timestamp>) -> (String, Ruling) {
    let clock = JumpingClock::steady();
    let bank = bank(&server.address, &server.address, patient(), Arc::clone(&clock));
    server.next_answer(script);
    let line = bank.connect(&merchant(), None).await.unwrap();
    let sending = match dated {
        Some(_) => Sending { dated, ..sending(7, &*clock) },
        None => sending(7, &*clock),
    };
    let call = debit(&subscriber("A-s1"), 20_031, "A-i2-d1");
    let ruling = line.send(&sending, &call, Some(&kept()), clock.since_boot() + Duration::from_secs(60)).await;
    let seen = [server.ended().await, server.ended().await].concat();
    let counted = (seen.matches("GET /load.html").count(), seen.matches("POST /PPPS.php").count());
    assert_eq!(counted, (1, 1), "{seen}");
    assert_eq!(seen.matches("TYPE=00053").count(), 1, "{seen}");
    assert!(server.nothing_else());
    (seen, ruling)
}

fn accepted() -> Ruling {
    Ruling::Accepted { operation: operation(11, 6) }
}

#[tokio::test]
async fn a_debit_whose_answer_is_cut_anywhere_is_in_doubt() {
    let mut server = RawBank::start().await;
    for whole in [http("200 OK", GOOD), chunked(GOOD)] {
        for length in 0..=whole.len() {
            let cut = whole[..length].to_vec();
            let script = if length % 2 == 0 { Script::Say(cut) } else { Script::Break(cut) };
            let (_, ruling) = debited(&mut server, script, None).await;
            if length == whole.len() {
                assert_eq!(ruling, accepted());
            } else {
                assert!(matches!(ruling, Ruling::Doubt { .. }), "{length} of {}: {ruling:?}", whole.len());
            }
        }
    }
}

#[tokio::test]
async fn a_beginning_of_a_debits_answer_is_never_another_debit() {
    let mut server = RawBank::start().await;
    for (length, _) in GOOD.char_indices() {
        let (_, ruling) = debited(&mut server, Script::Say(http("200 OK", &GOOD[..length])), None).await;
        assert!(ruling == accepted() || matches!(ruling, Ruling::Doubt { .. }), "{length}: {ruling:?}");
        assert!(ruling != accepted() || GOOD[..length].contains("CODEREPONSE=00000"), "{length}");
    }
}

#[tokio::test]
async fn a_debit_without_its_numbers_is_in_doubt() {
    let mut server = RawBank::start().await;
    for (from, to) in [
        ("NUMTRANS=0000000011", "NUMTRANS=0000000000"),
        ("NUMTRANS=0000000011", "NUMTRANS="),
        ("NUMTRANS=0000000011&", ""),
        ("NUMAPPEL=0000000006", "NUMAPPEL=0000000000"),
        ("NUMAPPEL=0000000006", "NUMAPPEL="),
        ("NUMAPPEL=0000000006&", ""),
        ("NUMTRANS=0000000011", "NUMTRANS=00000000x1"),
        ("NUMTRANS=0000000011", "NUMTRANS=0000000011&NUMTRANS=0000000012"),
        ("NUMQUESTION=0000000007", "NUMQUESTION=0000000006"),
        ("CODEREPONSE=00000", "CODEREPONSE=00000&CODEREPONSE=00151"),
        ("CODEREPONSE=00000", "CODEREPONSE=0000"),
        ("CODEREPONSE=00000&", ""),
    ] {
        assert!(GOOD.contains(from));
        let (_, ruling) = debited(&mut server, Script::Say(http("200 OK", &GOOD.replace(from, to))), None).await;
        assert!(matches!(ruling, Ruling::Doubt { .. }), "{from} → {to}: {ruling:?}");
    }
}

#[tokio::test]
async fn a_debit_bears_the_date_that_was_written_down_in_paris() {
    let mut server = RawBank::start().await;
    for (dated, expected) in [
        ("2026-12-09T22:59:59Z", "09122026235959"),
        ("2026-12-09T23:00:00Z", "10122026000000"),
        ("2027-07-09T21:59:59Z", "09072027235959"),
        ("2027-07-09T22:00:00Z", "10072027000000"),
        ("2026-12-31T23:30:00Z", "01012027003000"),
    ] {
        let script = Script::Say(http("200 OK", GOOD));
        let (seen, ruling) = debited(&mut server, script, Some(dated.parse().unwrap())).await;
        assert_eq!(ruling, accepted());
        assert!(seen.contains(&format!("&DATEQ={expected}&")), "{dated}: {seen}");
    }
    let (seen, _) = debited(&mut server, Script::Say(http("200 OK", GOOD)), None).await;
    for field in ["MONTANT=0000020031", "DEVISE=978", "REFABONNE=A-s1", "DATEVAL=0328", "ACTIVITE=027", "ARCHIVAGE="] {
        assert!(seen.contains(field), "{field}: {seen}");
    }
}
