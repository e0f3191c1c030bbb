//! Server-to-server questions over TLS: the rules, and the ways an answer can lie.

use crate::bench::{Bench, Changes, value};
use guichet_sandbox::keys::TlsSet;
use guichet_sandbox::serve::Options;

/// A paid order; gives its NUMTRANS and NUMAPPEL as PPPS writes them.
async fn paid(bench: &mut Bench, cmd: &str, changes: &[(&str, &str)]) -> (String, String) {
    let page = bench.open(cmd, changes).await;
    assert!(bench.pay(&page, "1111222233334444").await.contains("accepté"));
    let found = bench.ask("00011", &[("MONTANT", "0000377000"), ("DEVISE", "978"), ("REFERENCE", cmd)]).await.unwrap();
    assert_eq!(value(&found, "CODEREPONSE"), "00000");
    (value(&found, "NUMTRANS").to_owned(), value(&found, "NUMAPPEL").to_owned())
}

async fn status(bench: &mut Bench, numtrans: &str) -> String {
    let consulted = bench.ask("00017", &[("NUMTRANS", numtrans)]).await.unwrap();
    value(&consulted, "STATUS").to_owned()
}

#[tokio::test]
async fn questions_are_checked_in_order() {
    let mut bench = Bench::start(Options::default()).await;
    let enquiry = [("MONTANT", "1000"), ("DEVISE", "978"), ("REFERENCE", "none")];
    let rows: [(&str, Changes<'_>, &str); 14] = [
        ("00011", &[], "00018"),
        ("00011", &[("VERSION", "00102"), ("HMAC", "00")], "00013"),
        ("00011", &[("HMAC", "00")], "00006"),
        ("00011", &[("SITE", "1999887")], "00006"),
        ("00011", &[("RANG", "33")], "00006"),
        ("00011", &[("CLE", "wrong")], "00006"),
        ("00011", &[("CLE", "1999888I")], "00018"),
        ("00099", &[], "00009"),
        ("00011", &[("DATEQ", "20261123")], "00007"),
        ("00011", &[("NUMQUESTION", "2147483648")], "00005"),
        ("00011", &[("DEVISE", "EUR")], "00010"),
        ("00011", &[("MONTANT", "0")], "00011"),
        ("00011", &[("REFERENCE", "")], "00012"),
        ("00011", &[("ERRORCODETEST", "00114")], "00114"),
    ];
    for (kind, changes, code) in rows {
        let mut fields = enquiry.to_vec();
        fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        fields.extend_from_slice(changes);
        let answer = bench.ask(kind, &fields).await.unwrap();
        assert_eq!(value(&answer, "CODEREPONSE"), code, "{kind} {changes:?}: {answer}");
        assert_eq!(value(&answer, "NUMTRANS"), "0000000000");
    }
}

#[tokio::test]
async fn a_number_answers_once_a_day_on_both_hosts() {
    let bench = Bench::start(Options::default()).await;
    let hosts = [bench.running.addresses.direct.clone(), bench.running.addresses.direct_backup.clone()];
    let enquiry = [("MONTANT", "1000"), ("DEVISE", "978"), ("REFERENCE", "none")];
    let tomorrow = [enquiry.as_slice(), &[("DATEQ", "24112026000000")]].concat();
    let rows: [(&str, &str, Changes<'_>, &str); 5] = [
        (&hosts[0], "0000000007", &enquiry, "00018"),
        (&hosts[0], "0000000007", &enquiry, "00005"),
        (&hosts[1], "7", &enquiry, "00005"),
        (&hosts[1], "0000000007", &tomorrow, "00018"),
        (&hosts[0], "0000000008", &enquiry, "00018"),
    ];
    for (host, number, fields, code) in rows {
        let answer = bench.ask_as(host, "00011", number, fields).await.unwrap();
        assert_eq!(value(&answer, "CODEREPONSE"), code, "{number} {fields:?}");
        assert_eq!(value(&answer, "NUMQUESTION"), format!("{number:0>10}"));
        assert_eq!(value(&answer, "RANG"), "32");
    }
    bench.switch(r#"{"numquestion_shared": false}"#);
    let answer = bench.ask_as(&hosts[1], "00011", "0000000009", &enquiry).await.unwrap();
    assert_eq!(value(&answer, "CODEREPONSE"), "00018");
    let answer = bench.ask_as(&hosts[0], "00011", "0000000009", &enquiry).await.unwrap();
    assert_eq!(value(&answer, "CODEREPONSE"), "00018", "each host has its own memory now");
}

#[tokio::test]
async fn operations_follow_their_rules() {
    let mut bench = Bench::start(Options::default()).await;
    let (paid_trans, paid_call) = paid(&mut bench, "paid", &[]).await;
    let (auth_trans, auth_call) = paid(&mut bench, "auth", &[("PBX_AUTOSEULE", "O")]).await;
    let (void_trans, void_call) = paid(&mut bench, "void", &[]).await;
    assert_eq!(status(&mut bench, &auth_trans).await, "Autorisé");
    let rows = [
        ("00002", &auth_trans, &auth_call, "377001", "00011", "Autorisé"),
        ("00002", &auth_trans, &paid_call, "377000", "00015", "Autorisé"),
        ("00002", &auth_trans, &auth_call, "377000", "00000", "Capturé"),
        ("00002", &auth_trans, &auth_call, "377000", "00015", "Capturé"),
        ("00005", &void_trans, &void_call, "376999", "00011", "Capturé"),
        ("00005", &void_trans, &void_call, "377000", "00000", "Annulé"),
        ("00005", &void_trans, &void_call, "377000", "00015", "Annulé"),
        ("00014", &void_trans, &void_call, "377000", "00015", "Annulé"),
        ("00014", &paid_trans, &paid_call, "377001", "00011", "Capturé"),
        ("00014", &paid_trans, &paid_call, "77000", "00000", "Capturé"),
        ("00005", &paid_trans, &paid_call, "377000", "00015", "Capturé"),
        ("00014", &paid_trans, &paid_call, "300001", "00011", "Capturé"),
        ("00014", &paid_trans, &paid_call, "300000", "00000", "Remboursé"),
        ("00014", &paid_trans, &paid_call, "1", "00015", "Remboursé"),
    ];
    for (place, (kind, numtrans, numappel, amount, code, after)) in rows.into_iter().enumerate() {
        let reference = format!("step-{place}");
        let fields = [
            ("MONTANT", amount),
            ("DEVISE", "978"),
            ("REFERENCE", reference.as_str()),
            ("NUMAPPEL", numappel.as_str()),
            ("NUMTRANS", numtrans.as_str()),
        ];
        let answer = bench.ask(kind, &fields).await.unwrap();
        assert_eq!(value(&answer, "CODEREPONSE"), code, "step {place}: {answer}");
        assert_eq!(status(&mut bench, numtrans).await, after, "step {place}");
        if kind == "00014" && code == "00000" {
            assert_eq!(value(&answer, "NUMAPPEL"), numappel);
            assert_ne!(value(&answer, "NUMTRANS"), numtrans);
            let found =
                bench.ask("00011", &[("MONTANT", amount), ("DEVISE", "978"), ("REFERENCE", &reference)]).await.unwrap();
            assert_eq!(value(&found, "NUMTRANS"), value(&answer, "NUMTRANS"));
            let refund = value(&found, "NUMTRANS").to_owned();
            assert_eq!(status(&mut bench, &refund).await, "Crédit");
        }
    }
    let totals = bench.running.sandbox.world().ledger.totals(|_| true);
    assert_eq!(
        (totals.captured, totals.cancelled, totals.refunded, totals.net),
        (1_131_000, 377_000, 377_000, 377_000)
    );
}

#[tokio::test]
async fn settlement_closes_the_door_to_cancelling() {
    let mut bench = Bench::start(Options::default()).await;
    let (numtrans, numappel) = paid(&mut bench, "settled", &[]).await;
    let before = bench.ask("00017", &[("NUMTRANS", &numtrans)]).await.unwrap();
    assert_eq!(value(&before, "REMISE"), "000000000");
    assert_eq!(bench.manage("POST", "/settle", "").await.1, serde_json::json!({"remise": 1, "settled": 1}));
    let after = bench.ask("00017", &[("NUMTRANS", &numtrans), ("NUMAPPEL", &numappel)]).await.unwrap();
    assert_eq!((value(&after, "STATUS"), value(&after, "REMISE")), ("Capturé", "000000001"));
    let fields = [
        ("MONTANT", "377000"),
        ("DEVISE", "978"),
        ("REFERENCE", "settled"),
        ("NUMAPPEL", &numappel),
        ("NUMTRANS", &numtrans),
    ];
    let cancelled = bench.ask("00005", &fields).await.unwrap();
    assert_eq!(value(&cancelled, "CODEREPONSE"), "00015");
}

#[tokio::test]
async fn answers_misbehave_on_demand_and_the_ledger_tells_what_was_done() {
    let mut bench = Bench::start(Options::default()).await;
    let (numtrans, numappel) = paid(&mut bench, "faulty", &[]).await;
    // What the client sees: no answer, an HTTP error, or text; and whether a cent was given back all the same.
    let rows = [
        (r#"{"target":"direct","action":"drop_before_commit"}"#, "connection", 0),
        (r#"{"target":"direct","action":"drop_after_commit"}"#, "connection", 1),
        (r#"{"target":"direct","action":"http_500"}"#, "HTTP 500", 0),
        (r#"{"target":"direct","action":"http_500","commit":true}"#, "HTTP 500", 1),
        (r#"{"target":"direct","action":"garbage"}"#, "<html>", 1),
        (r#"{"target":"direct","action":"truncate"}"#, "NUMTRANS=", 1),
        (r#"{"target":"direct","action":"cut"}"#, "body: ", 1),
        (r#"{"target":"direct","action":"code","code":"00001"}"#, "CODEREPONSE=00001", 0),
        (r#"{"target":"direct","action":"code","code":"00001","commit":true}"#, "CODEREPONSE=00001", 1),
        (r#"{"target":"direct","action":"wrong_echo"}"#, "CODEREPONSE=00000", 1),
        (r#"{"target":"direct","action":"double_body"}"#, "PORTEUR=NUMTRANS=", 1),
        (r#"{"target":"direct","action":"delay","ms":20}"#, "CODEREPONSE=00000", 1),
        (r#"{"target":"direct","action":"delay_before_commit","ms":20}"#, "CODEREPONSE=00000", 1),
        (r#"{"target":"direct","type":"00005","action":"garbage"}"#, "CODEREPONSE=00000", 1),
    ];
    for (script, seen, given_back) in rows {
        bench.running.sandbox.world().faults.clear();
        bench.arm(script);
        let before = bench.running.sandbox.world().ledger.totals(|_| true).refunded;
        let fields = [("MONTANT", "1"), ("DEVISE", "978"), ("NUMAPPEL", &numappel), ("NUMTRANS", &numtrans)];
        let answered = bench.ask("00014", &fields).await;
        let text = answered.unwrap_or_else(|error| error);
        assert!(text.contains(seen), "{script}: {text}");
        let after = bench.running.sandbox.world().ledger.totals(|_| true).refunded;
        assert_eq!(after - before, given_back, "{script}");
    }
    let calls = bench.manage("GET", "/calls", "").await.1;
    assert!(calls["calls"].as_array().unwrap().iter().any(|call| call["fault"] == "drop_after_commit"));
}

#[tokio::test]
async fn a_host_can_be_away_while_the_other_serves() {
    let mut bench = Bench::start(Options::default()).await;
    bench.arm(r#"{"target":"direct","host":"main","action":"dead"}"#);
    bench.arm(r#"{"target":"load","host":"main","action":"ko"}"#);
    let enquiry = [("MONTANT", "1000"), ("DEVISE", "978"), ("REFERENCE", "none")];
    assert!(bench.ask("00011", &enquiry).await.is_err());
    let backup = bench.running.addresses.direct_backup.clone();
    assert!(bench.ask_as(&backup, "00011", "99", &enquiry).await.is_ok());
    assert!(bench.get("/load.html").await.body.contains(">KO<"));
    bench.running.sandbox.world().faults.clear();
    assert!(
        bench.get("/load.html").await.body.contains("<div id=\"server_status\" style=\"text-align:center;\">OK</div>")
    );
    assert!(bench.ask("00011", &enquiry).await.is_ok());
}

#[tokio::test]
async fn a_careful_client_refuses_the_bad_certificates() {
    for (tls, taken) in
        [(TlsSet::Good, true), (TlsSet::WrongCa, false), (TlsSet::WrongName, false), (TlsSet::Expired, false)]
    {
        let mut bench = Bench::start(Options { tls, ..Options::default() }).await;
        let answer = bench.ask("00017", &[("NUMTRANS", "1")]).await;
        assert_eq!(answer.is_ok(), taken, "{tls:?}: {answer:?}");
    }
}
