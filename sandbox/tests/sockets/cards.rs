//! The TYPEs that present a card number (00001, 00003, 00004, 00012), and what changes an operation later.

use crate::bench::{Bench, Changes, value};
use guichet_sandbox::serve::Options;
use serde_json::json;

const CARD: [(&str, &str); 5] = [
    ("MONTANT", "0000042000"),
    ("DEVISE", "978"),
    ("PORTEUR", "1111222233334444"),
    ("DATEVAL", "1230"),
    ("CVV", "123"),
];

fn with<'a>(base: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = base.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes).copied().collect()
}

#[tokio::test]
async fn each_type_books_what_it_does() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T10:00:00Z");
    // TYPE, kind and status in the ledger, captured, status by 00017.
    let rows = [
        ("00001", "authorisation", "authorised", 0, "Autorisé"),
        ("00003", "payment", "captured", 42_000, "Capturé"),
        ("00004", "credit", "credit", 0, "Crédit"),
        ("00012", "payment", "captured", 42_000, "Capturé"),
    ];
    for (kind, booked_as, status, captured, word) in rows {
        let reference = format!("plain-{kind}");
        let (code, answer) = bench.code(kind, &with(&CARD, &[("REFERENCE", &reference)])).await;
        assert_eq!(code, "00000", "{answer}");
        assert!(answer.contains("&AUTORISATION=XXXXXX&CODEREPONSE=00000&COMMENTAIRE="), "{answer}");
        let booked = bench.booked(&reference).await;
        let numtrans = value(&answer, "NUMTRANS").to_owned();
        assert_eq!(booked["numtrans"].to_string(), numtrans.trim_start_matches('0'));
        let expected = (json!(kind), json!(booked_as), json!(status), json!(captured), json!(null));
        let seen = ["type", "kind", "status", "captured", "refabonne"].map(|key| booked[key].clone());
        assert_eq!(seen, [expected.0, expected.1, expected.2, expected.3, expected.4], "{kind}");
        let (_, consulted) = bench.code("00017", &[("NUMTRANS", &numtrans)]).await;
        assert_eq!(value(&consulted, "STATUS"), word);
    }
    let given = with(&CARD, &[("REFERENCE", "by-phone"), ("AUTORISATION", "A12345")]);
    assert_eq!(value(&bench.code("00012", &given).await.1, "AUTORISATION"), "A12345");
    let totals = bench.running.sandbox.world().ledger.totals(|_| true);
    assert_eq!((totals.captured, totals.refunded, totals.net), (126_000, 42_000, 84_000));
}

#[tokio::test]
async fn each_refusal_of_a_card_has_its_code_and_books_nothing_but_the_bank_s() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T10:00:00Z");
    let rows: [(Changes<'_>, &str, usize); 15] = [
        (&[("DEVISE", "")], "00010", 0),
        (&[("MONTANT", "0000000000")], "00011", 0),
        (&[("REFERENCE", "")], "00012", 0),
        (&[("PORTEUR", "1111222233335555")], "00004", 0),
        (&[("PORTEUR", "SLDLrcsLMPC")], "00004", 0),
        (&[("PORTEUR", "1111222233335555"), ("DATEVAL", "0101")], "00004", 0),
        (&[("DATEVAL", "0101")], "00008", 0),
        (&[("DATEVAL", "1026")], "00008", 0),
        (&[("DATEVAL", "3012")], "00008", 0),
        (&[("DATEVAL", "0101"), ("CVV", "")], "00008", 0),
        (&[("CVV", "")], "00020", 0),
        (&[("CVV", "---")], "00020", 0),
        (&[("DIFFERE", "x")], "00014", 0),
        (&[("ERRORCODETEST", "00114")], "00114", 0),
        (&[("PORTEUR", "4970100000000154")], "00151", 1),
    ];
    for kind in ["00001", "00003"] {
        for (changes, code, booked) in rows {
            let before = bench.count();
            let fields = with(&with(&CARD, &[("REFERENCE", "refused")]), changes);
            let (seen, answer) = bench.code(kind, &fields).await;
            assert_eq!(seen, code, "{kind} {changes:?}: {answer}");
            assert_eq!(bench.count() - before, booked, "{kind} {changes:?}");
            assert_eq!(value(&answer, "NUMTRANS") != "0000000000", booked == 1, "{kind} {changes:?}: {answer}");
            assert_eq!(value(&answer, "AUTORISATION"), "");
        }
    }
    // No bank is asked for a credit or a forced debit.
    for kind in ["00004", "00012"] {
        let fields = with(&CARD, &[("REFERENCE", "unasked"), ("PORTEUR", "4970100000000154")]);
        assert_eq!(bench.code(kind, &fields).await.0, "00000");
    }
    assert_eq!(bench.code("00003", &with(&CARD, &[("REFERENCE", "x"), ("VERSION", "00103")])).await.0, "00000");
    for kind in ["00051", "00052", "00053", "00054", "00055", "00056", "00057", "00058", "00061"] {
        assert_eq!(bench.code(kind, &with(&CARD, &[("REFERENCE", "x"), ("VERSION", "00103")])).await.0, "00009");
    }
    bench.switch(r#"{"cvv_required": false, "activite_required": true}"#);
    let silent = with(&CARD, &[("REFERENCE", "no-cvv"), ("CVV", "")]);
    assert_eq!(bench.code("00003", &silent).await.0, "00014");
    assert_eq!(bench.code("00003", &with(&silent, &[("ACTIVITE", "027")])).await.0, "00000");
    let calls = bench.manage("GET", "/calls?reference_prefix=no-cvv", "").await.1;
    assert_eq!((&calls["calls"][1]["activite"], &calls["calls"][1]["code"]), (&json!("027"), &json!("00000")));
}

#[tokio::test]
async fn amounts_are_lowered_before_the_settlement() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T10:00:00Z");
    let (_, made) = bench.code("00003", &with(&CARD, &[("REFERENCE", "lowered")])).await;
    let (numtrans, numappel) = (value(&made, "NUMTRANS"), value(&made, "NUMAPPEL"));
    let aim = [("NUMTRANS", numtrans), ("NUMAPPEL", numappel)];
    let rows: [(&str, Changes<'_>, &str, u64); 6] = [
        ("42001", &[], "00011", 42_000),
        ("41000", &[("DEVISE", "840")], "00010", 42_000),
        ("41000", &[("NUMAPPEL", "1")], "00015", 42_000),
        ("41000", &[], "00000", 41_000),
        ("42000", &[], "00011", 41_000),
        ("40000", &[("DEVISE", "978")], "00000", 40_000),
    ];
    for (amount, changes, code, captured) in rows {
        let fields = with(&with(&aim, &[("MONTANT", amount)]), changes);
        assert_eq!(bench.code("00013", &fields).await.0, code, "{amount} {changes:?}");
        assert_eq!(bench.booked("lowered").await["captured"], captured);
    }
    bench.manage("POST", "/settle", "").await;
    assert_eq!(bench.code("00013", &with(&aim, &[("MONTANT", "39000")])).await.0, "00015");
}

#[tokio::test]
async fn an_authorisation_is_captured_cancelled_or_lapses() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T10:00:00Z");
    let mut made = Vec::new();
    for reference in ["auth-a", "auth-b", "auth-c", "auth-d"] {
        let (_, answer) = bench.code("00001", &with(&CARD, &[("REFERENCE", reference)])).await;
        made.push((value(&answer, "NUMTRANS").to_owned(), value(&answer, "NUMAPPEL").to_owned()));
    }
    // When, what, of which authorisation, its amount, the code, the state after.
    let rows = [
        ("2026-11-23T10:01:00Z", "00002", 0, "42001", "00011", "authorised"),
        ("2026-11-23T10:01:00Z", "00002", 0, "30000", "00000", "captured"),
        ("2026-11-23T10:01:00Z", "00002", 0, "12000", "00015", "captured"),
        ("2026-11-23T10:02:00Z", "00005", 1, "42000", "00000", "cancelled"),
        ("2026-11-23T10:02:00Z", "00002", 1, "42000", "00015", "cancelled"),
        ("2026-11-30T09:59:00Z", "00002", 2, "42000", "00000", "captured"),
        ("2026-11-30T10:01:00Z", "00002", 3, "42000", "00015", "cancelled"),
        ("2026-11-30T10:01:00Z", "00005", 3, "42000", "00015", "cancelled"),
    ];
    let references = ["auth-a", "auth-b", "auth-c", "auth-d"];
    for (place, (now, kind, which, amount, code, status)) in rows.into_iter().enumerate() {
        bench.clock(now);
        let (numtrans, numappel) = made[which].clone();
        let fields = [
            ("MONTANT", amount),
            ("DEVISE", "978"),
            ("REFERENCE", "later"),
            ("NUMTRANS", &numtrans),
            ("NUMAPPEL", &numappel),
        ];
        let (seen, answer) = bench.code(kind, &fields).await;
        assert_eq!(seen, code, "row {place}: {answer}");
        let booked = bench.booked(references[which]).await;
        assert_eq!((&booked["status"], &booked["lapsed"]), (&json!(status), &json!(which == 3)), "row {place}");
    }
    bench.switch(r#"{"authorisation_lapses_after_days": 0}"#);
    bench.code("00001", &with(&CARD, &[("REFERENCE", "kept")])).await;
    bench.clock("2027-11-30T10:00:00Z");
    assert_eq!(bench.booked("kept").await["status"], "authorised");
}

#[tokio::test]
async fn the_night_settles_and_closes_the_door_to_cancelling() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T22:30:00Z");
    let mut made = Vec::new();
    for (reference, deferred) in [("night-a", "0"), ("night-b", "2"), ("night-c", "0"), ("night-d", "0")] {
        let fields = with(&CARD, &[("REFERENCE", reference), ("DIFFERE", deferred)]);
        let (_, answer) = bench.code("00003", &fields).await;
        made.push((value(&answer, "NUMTRANS").to_owned(), value(&answer, "NUMAPPEL").to_owned()));
    }
    let rows = [
        ("2026-11-23T22:45:00Z", 0, "00000", "000000000"),
        ("2026-11-23T23:15:00Z", 2, "00015", "000000001"),
        ("2026-11-25T23:15:00Z", 1, "00015", "000000002"),
    ];
    for (now, which, code, remise) in rows {
        bench.clock(now);
        let (numtrans, numappel) = made[which].clone();
        let fields = [
            ("MONTANT", "42000"),
            ("DEVISE", "978"),
            ("REFERENCE", "night"),
            ("NUMTRANS", &numtrans),
            ("NUMAPPEL", &numappel),
        ];
        assert_eq!(bench.code("00005", &fields).await.0, code, "{now}");
        assert_eq!(value(&bench.code("00017", &[("NUMTRANS", &numtrans)]).await.1, "REMISE"), remise, "{now}");
    }
    bench.switch(r#"{"settle_nightly": false}"#);
    bench.code("00003", &with(&CARD, &[("REFERENCE", "open")])).await;
    bench.clock("2026-12-25T10:00:00Z");
    assert_eq!(bench.booked("open").await["settled_remise"], json!(null));
}

#[tokio::test]
async fn facts_of_the_card_are_told_to_those_who_ask() {
    let mut bench = Bench::start(Options::default()).await;
    bench.clock("2026-11-23T10:00:00Z");
    let asked = [("PAYS", ""), ("SHA-1", ""), ("TYPECARTE", "")];
    let belgian = with(&CARD, &[("REFERENCE", "facts"), ("PORTEUR", "4236861588423130")]);
    let (_, made) = bench.code("00001", &with(&belgian, &asked)).await;
    let print = value(&made, "SHA-1").to_owned();
    assert!(print.len() == 40 && print.bytes().all(|byte| byte.is_ascii_hexdigit()), "{made}");
    let expected = format!("&REFABONNE=&PORTEUR=4236861588423130&PAYS=BEL&SHA-1={print}&TYPECARTE=VISA");
    assert!(made.ends_with(&expected), "{made}");
    let aim = [("NUMTRANS", value(&made, "NUMTRANS")), ("NUMAPPEL", value(&made, "NUMAPPEL"))];
    let money = [("MONTANT", "42000"), ("DEVISE", "978"), ("REFERENCE", "facts")];
    for kind in ["00011", "00017", "00002", "00014"] {
        let fields = [money.as_slice(), &aim, &asked].concat();
        let (code, answer) = bench.code(kind, &fields).await;
        assert_eq!(code, "00000", "{kind}: {answer}");
        let told = ["PAYS", "SHA-1", "TYPECARTE"].map(|name| value(&answer, name).to_owned());
        assert_eq!(told, ["BEL", &print, "VISA"], "{kind}");
        let place = |name: &str| answer.find(&format!("&{name}=")).unwrap_or(usize::MAX);
        assert!(place("PORTEUR") < place("PAYS") && place("TYPECARTE") < place("STATUS"), "{answer}");
    }
    let (_, unasked) = bench.code("00017", &aim).await;
    assert!(!unasked.contains("PAYS") && !unasked.contains("SHA-1") && !unasked.contains("TYPECARTE"), "{unasked}");
    let (_, nothing) = bench.code("00017", &[("NUMTRANS", "1"), ("PAYS", "")]).await;
    assert!(!nothing.contains("PAYS"), "{nothing}");
    bench.switch(r#"{"card_type_constant": "odd"}"#);
    assert!(bench.code("00017", &[aim.as_slice(), &asked].concat()).await.1.contains("&TYPECARTE=odd&STATUS="));
}
