//! Debits of stored cards that the bank, the gateway of the bank or the line disturbs; judged by the ledger.

use crate::bench::{Bench, Changes, value};
use guichet_sandbox::serve::Options;
use hyper::StatusCode;
use serde_json::json;

const REGISTER: [(&str, &str); 4] = [("MONTANT", "100"), ("DEVISE", "978"), ("DATEVAL", "1230"), ("REFERENCE", "r")];

async fn registered(bench: &mut Bench, refabonne: &str, number: &str) -> String {
    bench.clock("2026-11-23T10:00:00Z");
    let fields = [REGISTER.as_slice(), &[("REFABONNE", refabonne), ("PORTEUR", number)]].concat();
    let (code, answer) = bench.code("00056", &fields).await;
    assert_eq!(code, "00000");
    value(&answer, "PORTEUR").to_owned()
}

fn debit<'a>(reference: &'a str, refabonne: &'a str, token: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("MONTANT", "94250"),
        ("DEVISE", "978"),
        ("REFERENCE", reference),
        ("REFABONNE", refabonne),
        ("PORTEUR", token),
        ("DATEVAL", "1230"),
    ]
}

#[tokio::test]
async fn banks_say_what_they_are_scripted_to_say() {
    let mut bench = Bench::start(Options::default()).await;
    let token = registered(&mut bench, "plan-1", "1111222233334444").await;
    let other = registered(&mut bench, "plan-2", "5555555555554444").await;
    let cases = [
        (
            r#"{"subscriber":"plan-1","type":"00053","outcomes":["00000","00151","00000"]}"#,
            ["00000", "00151", "00000", "00000"],
        ),
        (
            r#"{"card":"1111222233334444","outcomes":["00151","00105"],"then":"last"}"#,
            ["00151", "00105", "00105", "00105"],
        ),
        (
            r#"{"card":"1111222233334444","subscriber":"plan-1","outcomes":["00119"]}"#,
            ["00119", "00000", "00000", "00000"],
        ),
        (r#"{"card":"5555555555554444","outcomes":["00151"],"then":"last"}"#, ["00000"; 4]),
        (r#"{"subscriber":"plan-1","type":"00051","outcomes":["00151"],"then":"last"}"#, ["00000"; 4]),
    ];
    for (place, (script, codes)) in cases.into_iter().enumerate() {
        assert_eq!(bench.manage("DELETE", "/scripts", "").await.1, json!({"scripts": []}));
        assert_eq!(bench.manage("POST", "/scripts", script).await.0, StatusCode::OK);
        for (nth, code) in codes.into_iter().enumerate() {
            let reference = format!("case-{place}-{nth}");
            let (seen, answer) = bench.code("00053", &debit(&reference, "plan-1", &token)).await;
            assert_eq!(seen, code, "{script} {nth}");
            let booked = bench.booked(&reference).await;
            let status = if code == "00000" { "captured" } else { "refused" };
            assert_eq!((&booked["status"], &booked["code"]), (&json!(status), &json!(code)));
            assert_ne!(value(&answer, "NUMTRANS"), "0000000000", "a refused debit is an operation too");
        }
    }
    // A question that comes to nothing before the bank is asked uses no outcome up.
    bench.manage("DELETE", "/scripts", "").await;
    bench.manage("POST", "/scripts", r#"{"subscriber":"plan-2","outcomes":["00151"]}"#).await;
    assert_eq!(bench.code("00053", &debit("wrong", "plan-2", &token)).await.0, "00004");
    bench.arm(r#"{"target":"direct","type":"00053","action":"drop_before_commit"}"#);
    assert!(bench.ask("00053", &debit("lost", "plan-2", &other)).await.is_err());
    assert_eq!(bench.code("00053", &debit("asked", "plan-2", &other)).await.0, "00151");
    let (_, list) = bench.manage("GET", "/scripts", "").await;
    assert_eq!(list["scripts"][0]["used"], 1);
    // The page, by name.
    bench.manage("POST", "/scripts", r#"{"card":"1111222233334444","type":"page","outcomes":["00189"]}"#).await;
    let (_, list) = bench.manage("GET", "/scripts", "").await;
    assert_eq!(list["scripts"][1]["card"], "111122…44");
    let page = bench.open("paged", &[]).await;
    assert!(bench.pay(&page, "1111222233334444").await.contains("00189"));
    assert_eq!(bench.manage("POST", "/scripts", r#"{"outcomes":["00000"]}"#).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn some_cards_pay_once_and_refuse_later_debits() {
    let mut bench = Bench::start(Options::default()).await;
    for (number, code) in [("4970100000000519", "00151"), ("4150550000000004", "00157"), ("4000000000001091", "00000")]
    {
        let token = registered(&mut bench, number, number).await;
        for kind in ["00051", "00053"] {
            assert_eq!(bench.code(kind, &debit("later", number, &token)).await.0, code, "{number}");
        }
        assert_eq!(bench.code("00061", &debit("forced", number, &token)).await.0, "00000", "{number}");
    }
}

#[tokio::test]
async fn a_lost_or_lying_answer_tells_nothing_of_what_was_done() {
    let mut bench = Bench::start(Options::default()).await;
    let token = registered(&mut bench, "plan-1", "1111222233334444").await;
    let hosts = [bench.running.addresses.direct.clone(), bench.running.addresses.direct_backup.clone()];
    // The fault, what the client sees, whether the debit was made, and the code of the same question asked again.
    let rows = [
        (r#""action":"drop_before_commit""#, "connection", false, "00000"),
        (r#""action":"drop_after_commit""#, "connection", true, "00005"),
        (r#""action":"http_500""#, "HTTP 500", false, "00000"),
        (r#""action":"http_500","commit":true"#, "HTTP 500", true, "00005"),
        (r#""action":"code","code":"00001""#, "CODEREPONSE=00001", false, "00005"),
        (r#""action":"code","code":"00001","burns":false"#, "CODEREPONSE=00001", false, "00000"),
        (r#""action":"code","code":"00001","commit":true"#, "CODEREPONSE=00001", true, "00005"),
        (r#""action":"code","code":"00003""#, "CODEREPONSE=00003", false, "00005"),
        (r#""action":"code","code":"00003","commit":true"#, "CODEREPONSE=00003", true, "00005"),
        (r#""action":"code","code":"00097""#, "CODEREPONSE=00097", false, "00005"),
        (r#""action":"code","code":"00097","commit":true"#, "CODEREPONSE=00097", true, "00005"),
        (r#""action":"code","code":"00098""#, "CODEREPONSE=00098", false, "00005"),
        (r#""action":"code","code":"00098","commit":true"#, "CODEREPONSE=00098", true, "00005"),
        (r#""action":"code","code":"00005""#, "CODEREPONSE=00005", false, "00005"),
        (r#""action":"code","code":"00005","commit":true"#, "CODEREPONSE=00005", true, "00005"),
        (r#""action":"garbage""#, "<html>", true, "00005"),
        (r#""action":"truncate""#, "NUMTRANS=", true, "00005"),
        (r#""action":"cut""#, "body: ", true, "00005"),
        (r#""action":"double_body""#, "NUMTRANS=", true, "00005"),
        (r#""action":"wrong_echo""#, "CODEREPONSE=00000", true, "00005"),
        (r#""action":"delay","ms":20"#, "CODEREPONSE=00000", true, "00005"),
        (r#""action":"delay_before_commit","ms":20"#, "CODEREPONSE=00000", true, "00005"),
    ];
    for (place, (fault, seen, made, again)) in rows.into_iter().enumerate() {
        for (which, host) in ["main", "backup"].into_iter().enumerate() {
            let reference = format!("f-{place}-{which}-");
            let number = (1000 + 2 * place + which).to_string();
            let fields = debit(&reference, "plan-1", &token);
            bench.running.sandbox.world().faults.clear();
            bench.arm(&format!(
                r#"{{"target":"direct","host":"{host}","type":"00053","subscriber":"plan-1","count":1,{fault}}}"#
            ));
            let answered = bench.ask_as(&hosts[which], "00053", &number, &fields).await;
            let text = answered.unwrap_or_else(|error| error);
            assert!(text.contains(seen), "{host} {fault}: {text}");
            let count = |bench: &Bench| {
                bench.running.sandbox.world().ledger.iter().filter(|one| one.reference == reference).count()
            };
            assert_eq!(count(&bench), usize::from(made), "{host} {fault}");
            // The same question on the other host.
            let resent = bench.ask_as(&hosts[1 - which], "00053", &number, &fields).await.unwrap();
            assert_eq!(value(&resent, "CODEREPONSE"), again, "{host} {fault}");
            assert_eq!(count(&bench), usize::from(made || again == "00000"), "{host} {fault}");
        }
    }
    let calls = bench.manage("GET", "/calls?reference_prefix=f-1-", "").await.1;
    let seen = ["type", "subscriber", "fault", "applied"].map(|key| calls["calls"][0][key].clone());
    assert_eq!(seen, [json!("00053"), json!("plan-1"), json!("drop_after_commit"), json!(true)]);
}

#[tokio::test]
async fn every_type_can_be_disturbed_before_and_after_it_is_done() {
    let mut bench = Bench::start(Options::default()).await;
    let token = registered(&mut bench, "plan-1", "1111222233334444").await;
    let pan = [("PORTEUR", "1111222233334444"), ("CVV", "123")];
    let rows: [(&str, Changes<'_>); 17] = [
        ("00001", &pan),
        ("00003", &pan),
        ("00004", &pan),
        ("00012", &pan),
        ("00051", &[]),
        ("00053", &[]),
        ("00054", &[]),
        ("00061", &[]),
        ("00002", &[]),
        ("00052", &[]),
        ("00005", &[]),
        ("00055", &[]),
        ("00013", &[("MONTANT", "94249")]),
        ("00014", &[]),
        ("00056", &[pan[0], ("REFABONNE", "plan-9")]),
        ("00057", &pan),
        ("00058", &[]),
    ];
    for (kind, changes) in rows {
        // What a later question aims at: a debit to give back, else an authorisation.
        let aimed = if kind == "00014" { "00053" } else { "00051" };
        let made = bench.ask(aimed, &debit("aimed", "plan-1", &token)).await.unwrap();
        let all = debit("any", "plan-1", &token);
        let aim = [("NUMTRANS", value(&made, "NUMTRANS")), ("NUMAPPEL", value(&made, "NUMAPPEL"))];
        let all = [all.as_slice(), &aim].concat();
        let kept = all.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let fields: Vec<(&str, &str)> = kept.chain(changes).copied().collect();
        let look = |bench: &Bench| {
            let world = bench.running.sandbox.world();
            let tokens: Vec<String> = world.subscribers.iter().map(|(_, _, one)| one.token.clone()).collect();
            (format!("{:?}", world.ledger.entries().collect::<Vec<_>>()), tokens)
        };
        let before = look(&bench);
        for (action, changed) in [("drop_before_commit", false), ("drop_after_commit", true)] {
            bench.arm(&format!(r#"{{"target":"direct","type":"{kind}","action":"{action}"}}"#));
            assert!(bench.ask(kind, &fields).await.is_err(), "{kind} {action}");
            assert_eq!(look(&bench) != before, changed, "{kind} {action}");
        }
        if kind == "00057" {
            // Its new token is the only thing that a lost answer takes away for good.
            assert_eq!(bench.code("00053", &debit("old", "plan-1", &token)).await.0, "00004");
        }
    }
}

#[tokio::test]
async fn enquiries_see_what_their_switches_let_them_see() {
    let mut bench = Bench::start(Options::default()).await;
    let token = registered(&mut bench, "plan-1", "1111222233334444").await;
    bench.manage("POST", "/scripts", r#"{"subscriber":"plan-1","outcomes":["00000","00151"]}"#).await;
    for reference in ["accepted", "refused"] {
        bench.code("00053", &debit(reference, "plan-1", &token)).await;
    }
    let page = bench.open("paged", &[("PBX_TOTAL", "94250")]).await;
    bench.pay(&page, "1111222233334444").await;
    let rows = [
        (r#"{}"#, ["00000", "00000", "00000"]),
        (r#"{"enquiry_sees_refused": false}"#, ["00000", "00018", "00000"]),
        (r#"{"enquiry_sees_refused": true, "enquiry_sees_subscribers": false}"#, ["00018", "00018", "00000"]),
    ];
    for (switches, codes) in rows {
        bench.switch(switches);
        for (reference, code) in ["accepted", "refused", "paged"].into_iter().zip(codes) {
            let fields = [("MONTANT", "94250"), ("DEVISE", "978"), ("REFERENCE", reference)];
            let (seen, answer) = bench.code("00011", &fields).await;
            assert_eq!(seen, code, "{switches} {reference}");
            assert_eq!(value(&answer, "NUMTRANS") == "0000000000", code == "00018");
        }
    }
    let refused = bench.booked("refused").await["numtrans"].to_string();
    assert_eq!(value(&bench.code("00017", &[("NUMTRANS", &refused)]).await.1, "STATUS"), "Refusé");
}

#[tokio::test]
async fn every_type_remembers_its_number() {
    let mut bench = Bench::start(Options::default()).await;
    let token = registered(&mut bench, "plan-1", "1111222233334444").await;
    let hosts = [bench.running.addresses.direct.clone(), bench.running.addresses.direct_backup.clone()];
    // An unknown TYPE and a refused question are authenticated all the same.
    let kinds = [
        "00001", "00002", "00003", "00004", "00005", "00011", "00012", "00013", "00014", "00017", "00051", "00052",
        "00053", "00054", "00055", "00056", "00057", "00061", "00099", "00058",
    ];
    for (place, kind) in kinds.into_iter().enumerate() {
        let number = (5000 + place).to_string();
        let fields = debit("memory", "plan-1", &token);
        let mut codes = Vec::new();
        for host in [&hosts[0], &hosts[1], &hosts[0]] {
            let answer = bench.ask_as(host, kind, &number, &fields).await.unwrap();
            codes.push(value(&answer, "CODEREPONSE").to_owned());
        }
        let again = if kind == "00099" { "00009" } else { "00005" };
        assert!(codes[0] != "00005" && codes[1] == again && codes[2] == again, "{kind}: {codes:?}");
    }
    let late = bench.ask_as(&hosts[0], "00053", "5018", &debit("late", "plan-1", &token)).await.unwrap();
    assert_eq!(value(&late, "CODEREPONSE"), "00005", "the number of an unknown TYPE is used up too");

    let token = registered(&mut bench, "plan-1", "1111222233334444").await;
    bench.switch(r#"{"numquestion_burnt_by_refusals": false, "numquestion_shared": false}"#);
    let debits = [debit("wrong", "plan-1", "nothing"), debit("right", "plan-1", &token)];
    let rows = [(0, 0, "00004"), (0, 1, "00000"), (0, 1, "00005"), (1, 1, "00000"), (1, 1, "00005")];
    for (place, (host, which, code)) in rows.into_iter().enumerate() {
        let answer = bench.ask_as(&hosts[host], "00053", "6000", &debits[which]).await.unwrap();
        assert_eq!(value(&answer, "CODEREPONSE"), code, "row {place}");
    }
}
