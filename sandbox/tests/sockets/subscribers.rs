//! The life of a stored card: registered on the page or by 00056, debited, replaced, forgotten.

use crate::bench::{Bench, Changes, between, value};
use guichet_sandbox::serve::Options;
use serde_json::json;

const RETOUR: (&str, &str) = ("PBX_RETOUR", "Mt:M;Ref:R;E:E;C:C;U:U;K:K");

/// Pays a page that stores the card, which then expires in 12/30, and gives its token.
async fn stored(bench: &mut Bench, refabonne: &str, number: &str, changes: Changes<'_>) -> String {
    let all = [&[RETOUR, ("PBX_REFABONNE", refabonne)], changes].concat();
    let page = bench.open(&format!("first-{refabonne}"), &all).await;
    assert!(bench.pay(&page, number).await.contains("accept"), "{refabonne}");
    let notified = bench.notification().await;
    let handle = between(&notified, "&U=", "&K=");
    match handle.split("++").collect::<Vec<_>>().as_slice() {
        [token, "3012", "---"] if token.len() == 11 => (*token).to_owned(),
        _ => panic!("{handle}"),
    }
}

fn debit<'a>(reference: &'a str, refabonne: &'a str, token: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("MONTANT", "0000094250"),
        ("DEVISE", "978"),
        ("REFERENCE", reference),
        ("REFABONNE", refabonne),
        ("PORTEUR", token),
        ("DATEVAL", "1230"),
        ("ACTIVITE", "027"),
    ]
}

fn with<'a>(base: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = base.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes).copied().collect()
}

#[tokio::test]
async fn the_page_stores_the_card_when_it_is_paid() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T10:00:00Z");
    let token = stored(&mut bench, "plan-1", "1111222233334444", &[]).await;
    let (_, list) = bench.manage("GET", "/subscribers?refabonne_prefix=plan-", "").await;
    let one = &list["subscribers"][0];
    assert_eq!(one["token"], format!("{}…", &token[..2]));
    let seen = ["refabonne", "expiry_aamm", "card_type", "card_last2", "registered_by"].map(|key| one[key].clone());
    assert_eq!(seen, ["plan-1", "3012", "CB", "44", "page"].map(|text| json!(text)));
    let booked = bench.booked("first-plan-1").await;
    assert_eq!((&booked["type"], &booked["refabonne"]), (&json!("page"), &json!("plan-1")));

    // In use, whether or not the notification arrived.
    bench.arm(r#"{"target":"ipn","subscriber":"plan-2","action":"lose"}"#);
    for (refabonne, words) in [("plan-2", "accepté"), ("plan-2", "00016"), ("plan-1", "00016")] {
        let cmd = format!("{refabonne}-{words}");
        let page = bench.open(&cmd, &[RETOUR, ("PBX_REFABONNE", refabonne)]).await;
        assert!(bench.pay(&page, "1111222233334444").await.contains(words), "{refabonne}");
    }
    // A refused card is not stored, nor is a card whose token nobody asks for.
    let page = bench.open("refused", &[RETOUR, ("PBX_REFABONNE", "plan-3")]).await;
    bench.pay(&page, "4970100000000154").await;
    let page = bench.open("no-u", &[("PBX_REFABONNE", "plan-4")]).await;
    bench.pay(&page, "1111222233334444").await;
    let page = bench.open("plan-5", &[RETOUR]).await;
    bench.pay(&page, "1111222233334444").await;
    bench.switch(r#"{"cmd_stands_for_refabonne": false}"#);
    let page = bench.open("plan-6", &[RETOUR]).await;
    bench.pay(&page, "1111222233334444").await;
    let (_, list) = bench.manage("GET", "/subscribers", "").await;
    let names: Vec<&str> =
        list["subscribers"].as_array().unwrap().iter().map(|one| one["refabonne"].as_str().unwrap()).collect();
    assert_eq!(names, ["plan-1", "plan-2", "plan-5"]);
    let log = bench.log.lock().unwrap().join("\n");
    assert!(!log.contains(&token), "{log}");
}

#[tokio::test]
async fn a_page_of_cb_cards_takes_its_group_and_tells_the_type() {
    let mut bench = Bench::start(Options::default()).await;
    let cb = [("PBX_TYPEPAIEMENT", "CARTE"), ("PBX_TYPECARTE", "CB")];
    let rows = [
        ("1111222233334444", "CB", "00000"),
        ("4000000000001091", "VISA", "00000"),
        ("5555555555554444", "EUROCARD_MASTERCARD", "00000"),
        ("4150550000000004", "E_CARD", "00000"),
        ("3569990012000112", "JCB", "00000"),
    ];
    for enforced in [false, true] {
        bench.switch(&format!(r#"{{"card_type_enforced": {enforced}}}"#));
        for (number, card_type, code) in rows {
            let code = if enforced && card_type == "JCB" { "00021" } else { code };
            let page = bench.open(&format!("{number}-{enforced}"), &[cb.as_slice(), &[RETOUR]].concat()).await;
            bench.pay(&page, number).await;
            let notified = bench.notification().await;
            assert!(notified.contains(&format!("&E={code}&C={card_type}&")), "{number}: {notified}");
        }
    }
    bench.switch(r#"{"letter_c_constant": "CB,VISA,EUROCARD_MASTERCARD"}"#);
    let page = bench.open("set", &[cb.as_slice(), &[RETOUR]].concat()).await;
    bench.pay(&page, "4150550000000004").await;
    assert!(bench.notification().await.contains("&C=CB,VISA,EUROCARD_MASTERCARD&"));
}

#[tokio::test]
async fn a_debit_names_the_subscriber_the_token_and_the_expiry() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T10:00:00Z");
    let token = stored(&mut bench, "plan-1", "1111222233334444", &[]).await;
    let other = stored(&mut bench, "plan-2", "1111222233334444", &[]).await;
    assert_ne!(token, other, "each registration has its own token");
    let padded = format!("{token:19}");
    let too_long = format!("{token:20}");
    let swapped: String =
        token.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect();
    let long_name = "x".repeat(251);
    let rows: [(Changes<'_>, &str); 19] = [
        (&[], "00000"),
        (&[("PORTEUR", &padded)], "00000"),
        (&[("CVV", "---")], "00000"),
        (&[("PORTEUR", &too_long)], "00004"),
        (&[("PORTEUR", &swapped)], "00004"),
        (&[("PORTEUR", &other)], "00004"),
        (&[("PORTEUR", "1111222233334444")], "00004"),
        (&[("PORTEUR", "")], "00004"),
        (&[("REFABONNE", "plan-2")], "00004"),
        (&[("REFABONNE", "plan-3")], "00017"),
        (&[("REFABONNE", "")], "00017"),
        (&[("REFABONNE", &long_name)], "00014"),
        (&[("REFABONNE", "plan-3"), ("PORTEUR", "")], "00017"),
        (&[("DATEVAL", "3012")], "00008"),
        (&[("DATEVAL", "0131")], "00008"),
        (&[("REFERENCE", "")], "00012"),
        (&[("DEVISE", "EUR")], "00010"),
        (&[("MONTANT", "0")], "00011"),
        (&[("ERRORCODETEST", "00189")], "00189"),
    ];
    for kind in ["00051", "00053", "00054", "00061"] {
        for (place, (changes, code)) in rows.into_iter().enumerate() {
            let reference = format!("{kind}-{place}-");
            let before = bench.count();
            let fields = with(&debit(&reference, "plan-1", &token), changes);
            let (seen, answer) = bench.code(kind, &fields).await;
            assert_eq!(seen, code, "{kind} {changes:?}: {answer}");
            assert_eq!(bench.count() - before, usize::from(code == "00000"), "{kind} {changes:?}");
            let sent = |name: &str| fields.iter().find(|(known, _)| *known == name).unwrap().1;
            let echoed: String = sent("PORTEUR").chars().take(19).collect();
            assert_eq!(value(&answer, "PORTEUR"), echoed, "{kind} {changes:?}");
            if code == "00000" {
                let booked = bench.booked(&reference).await;
                assert_eq!((&booked["type"], &booked["refabonne"]), (&json!(kind), &json!("plan-1")));
            }
        }
    }
    let statuses = ["00051-0-", "00053-0-", "00054-0-", "00061-0-"];
    for (reference, status) in statuses.into_iter().zip(["authorised", "captured", "credit", "captured"]) {
        assert_eq!(bench.booked(reference).await["status"], status);
    }
}

#[tokio::test]
async fn a_subscriber_is_registered_changed_and_forgotten() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T10:00:00Z");
    let card = [
        ("MONTANT", "0000094250"),
        ("DEVISE", "978"),
        ("REFERENCE", "register"),
        ("REFABONNE", "plan-1"),
        ("PORTEUR", "1111222233334444"),
        ("DATEVAL", "1230"),
    ];
    let rows: [(&str, Changes<'_>, &str); 8] = [
        ("00056", &[("REFABONNE", "")], "00014"),
        ("00056", &[("PORTEUR", "1111222233335555")], "00004"),
        ("00056", &[("DATEVAL", "1025")], "00008"),
        ("00056", &[("MONTANT", "0000000000")], "00011"),
        ("00056", &[("PORTEUR", "4970100000000055")], "00105"),
        ("00057", &[], "00017"),
        ("00058", &[], "00017"),
        ("00056", &[("ERRORCODETEST", "00157")], "00157"),
    ];
    for (kind, changes, code) in rows {
        let (seen, answer) = bench.code(kind, &with(&card, changes)).await;
        assert_eq!(seen, code, "{kind} {changes:?}: {answer}");
    }
    let (code, answer) = bench.code("00056", &card).await;
    assert_eq!(code, "00000");
    let first = value(&answer, "PORTEUR").to_owned();
    assert!(first.len() == 11 && value(&answer, "REFABONNE") == "plan-1", "{answer}");
    let aim = [("NUMTRANS", value(&answer, "NUMTRANS")), ("NUMAPPEL", value(&answer, "NUMAPPEL"))];
    let capture = [with(&card, &[("REFERENCE", "capture")]).as_slice(), &aim].concat();

    let (code, again) = bench.code("00056", &with(&card, &[("PORTEUR", "5555555555554444")])).await;
    assert_eq!((code.as_str(), value(&again, "PORTEUR")), ("00016", "5555555555554444"));
    assert!(again.starts_with("NUMTRANS=0000000000&NUMAPPEL=0000000000&"), "{again}");

    assert_eq!(bench.code("00052", &capture).await.0, "00000", "the registration's authorisation is captured");
    assert_eq!(bench.code("00053", &debit("d-1", "plan-1", &first)).await.0, "00000");

    let (code, changed) =
        bench.code("00057", &with(&card, &[("PORTEUR", "5555555555554444"), ("DATEVAL", "0131")])).await;
    assert_eq!(code, "00000");
    let second = value(&changed, "PORTEUR").to_owned();
    assert_eq!(bench.code("00053", &debit("d-2", "plan-1", &first)).await.0, "00004");
    assert_eq!(bench.code("00053", &debit("d-2", "plan-1", &second)).await.0, "00008");
    let renewed = with(&debit("d-2", "plan-1", &second), &[("DATEVAL", "0131")]);
    assert_eq!(bench.code("00053", &renewed).await.0, "00000");
    assert_eq!(bench.booked("d-2").await["card_last2"], "44");

    let (code, gone) = bench.code("00058", &[("REFABONNE", "plan-1")]).await;
    assert_eq!((code.as_str(), value(&gone, "PORTEUR"), value(&gone, "AUTORISATION")), ("00000", "", ""));
    assert!(gone.starts_with("NUMTRANS=0000000000&NUMAPPEL=0000000000&"), "{gone}");
    for kind in ["00051", "00052", "00053", "00054", "00055", "00057", "00058", "00061"] {
        let fields = [renewed.as_slice(), &aim].concat();
        assert_eq!(bench.code(kind, &fields).await.0, "00017", "{kind}");
    }
    bench.switch(r#"{"forget_answers_token": true, "register_zero_amount": true, "token_follows_card": true}"#);
    let (code, third) = bench.code("00056", &with(&card, &[("MONTANT", "0000000000")])).await;
    assert_eq!(code, "00000");
    let (_, fourth) = bench.code("00056", &with(&card, &[("REFABONNE", "plan-2")])).await;
    assert_eq!(value(&third, "PORTEUR"), value(&fourth, "PORTEUR"));
    let (_, gone) = bench.code("00058", &[("REFABONNE", "plan-1")]).await;
    assert_eq!(value(&gone, "PORTEUR"), value(&third, "PORTEUR"));
}

#[tokio::test]
async fn a_subscriber_s_authorisation_is_captured_or_cancelled_under_its_name() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T10:00:00Z");
    let held = [("PBX_AUTOSEULE", "O"), ("PBX_TOTAL", "94250")];
    let mut tokens = Vec::new();
    for refabonne in ["plan-1", "plan-2", "plan-3", "plan-4"] {
        tokens.push(stored(&mut bench, refabonne, "1111222233334444", &held).await);
    }
    // TYPE, whose authorisation, in whose name, its amount, the code, the state after.
    let rows = [
        ("00052", "plan-1", "plan-1", "94251", "00011", "authorised"),
        ("00052", "plan-1", "plan-2", "94250", "00015", "authorised"),
        ("00052", "plan-1", "nobody", "94250", "00017", "authorised"),
        ("00052", "plan-1", "plan-1", "94250", "00000", "captured"),
        ("00052", "plan-1", "plan-1", "94250", "00015", "captured"),
        ("00055", "plan-2", "plan-1", "94250", "00015", "authorised"),
        ("00055", "plan-2", "plan-2", "94249", "00011", "authorised"),
        ("00055", "plan-2", "plan-2", "94250", "00000", "cancelled"),
        ("00055", "plan-2", "plan-2", "94250", "00015", "cancelled"),
        ("00002", "plan-3", "plan-4", "94250", "00015", "authorised"),
        ("00002", "plan-3", "", "94250", "00000", "captured"),
        ("00005", "plan-4", "plan-4", "94250", "00000", "cancelled"),
    ];
    for (place, (kind, whose, name, amount, code, status)) in rows.into_iter().enumerate() {
        let first = bench.booked(&format!("first-{whose}")).await;
        let (numtrans, numappel) = (first["numtrans"].to_string(), first["numappel"].to_string());
        let fields = [
            ("MONTANT", amount),
            ("DEVISE", "978"),
            ("REFERENCE", "later"),
            ("REFABONNE", name),
            ("NUMAPPEL", &numappel),
            ("NUMTRANS", &numtrans),
            ("PORTEUR", "000000000000000"),
            ("DATEVAL", "0000"),
        ];
        let (seen, answer) = bench.code(kind, &fields).await;
        assert_eq!(seen, code, "row {place}: {answer}");
        assert_eq!(bench.booked(&format!("first-{whose}")).await["status"], status, "row {place}");
    }
    // A debit is given back by 00014, and cancelled the same day only.
    let (_, made) = bench.code("00053", &debit("again", "plan-4", &tokens[3])).await;
    let aim = [("NUMTRANS", value(&made, "NUMTRANS")), ("NUMAPPEL", value(&made, "NUMAPPEL"))];
    let money = [("MONTANT", "94250"), ("DEVISE", "978"), ("REFERENCE", "back"), ("REFABONNE", "plan-4")];
    bench.clock("2026-11-24T10:00:00Z");
    let fields = [money.as_slice(), &aim].concat();
    assert_eq!(bench.code("00055", &fields).await.0, "00015");
    assert_eq!(bench.code("00014", &fields).await.0, "00000");
    assert_eq!(bench.booked("back").await["refabonne"], "plan-4");
}

#[tokio::test]
async fn a_stored_card_ends_with_its_month() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T10:00:00Z");
    let token = stored(&mut bench, "plan-1", "1111222233334444", &[]).await;
    for (now, code) in [("2030-12-31T22:59:00Z", "00000"), ("2030-12-31T23:01:00Z", "00008")] {
        bench.clock(now);
        assert_eq!(bench.code("00053", &debit("last", "plan-1", &token)).await.0, code, "{now}");
    }
    bench.switch(r#"{"expired_subscriber_code": "00154"}"#);
    assert_eq!(bench.code("00053", &debit("last", "plan-1", &token)).await.0, "00154");
}

#[tokio::test]
async fn a_subscriber_of_one_merchant_is_unknown_to_another() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T10:00:00Z");
    let token = stored(&mut bench, "plan-1", "1111222233334444", &[]).await;
    let fields = with(&debit("elsewhere", "plan-1", &token), &[("RANG", "63")]);
    assert_eq!(bench.code("00053", &fields).await.0, "00017");
    assert_eq!(bench.code("00058", &[("REFABONNE", "plan-1"), ("RANG", "63")]).await.0, "00017");
    assert_eq!(bench.code("00053", &debit("here", "plan-1", &token)).await.0, "00000");
}
