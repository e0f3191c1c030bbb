//! The payer's walk and the notifications, over real sockets.

use crate::bench::{Bench, Changes, between, form, keys};
use base64::Engine as _;
use guichet_sandbox::serve::Options;
use hyper::StatusCode;
use rsa::RsaPublicKey;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::DecodePublicKey;
use rsa::signature::Verifier;
use sha1::Sha1;

const RETURN: (&str, &str) = ("id=\"retour_boutique\" href=\"", "\"");

/// Whether what precedes `&K=` is signed by the sandbox's PAYBOX.
fn is_signed(text: &str) -> bool {
    let (signed, escaped) = text.rsplit_once("&K=").unwrap();
    let base64 = percent_encoding::percent_decode_str(escaped).decode_utf8().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64.as_bytes()).unwrap();
    let public = RsaPublicKey::from_public_key_pem(&keys().read("paybox-public.pem").unwrap()).unwrap();
    let signature = Signature::try_from(bytes.as_slice()).unwrap();
    VerifyingKey::<Sha1>::new(public).verify(signed.as_bytes(), &signature).is_ok()
}

fn query(url: &str) -> &str {
    url.split_once('?').unwrap().1
}

#[tokio::test]
async fn an_accepted_card_is_notified_and_led_back() {
    let mut bench = Bench::start(Options::default()).await;
    let page = bench.open("order 1", &[]).await;
    let form_page = bench.get(&page).await.body;
    assert!(form_page.contains("ECOLE DE DEMONSTRATION") && form_page.contains("Paiement de 3770.00 EUR"));
    let receipt = bench.pay(&page, "1111 2222 3333 4444").await;
    assert!(receipt.contains("Paiement accepté"), "{receipt}");

    let back = between(&receipt, RETURN.0, RETURN.1);
    assert!(query(&back).starts_with("shop=1&Mt=377000&Ref=order%201&Auto=XXXXXX&Erreur=00000&Appel="), "{back}");
    assert!(is_signed(query(&back)), "the browser return signs the merchant's parameters too");

    let notified = bench.notification().await;
    let facts = notified.strip_prefix("tok=9&").unwrap();
    assert!(is_signed(facts) && !is_signed(&notified), "the notification signs its own part only");
    assert!(facts.contains("&Fin=44&Deb=111122&Auth=Y&Gar=O&K="), "{facts}");

    let log = bench.log.lock().unwrap().join("\n");
    assert!(log.contains("order 1") && !log.contains("3333") && !log.contains("1111222233334444"), "{log}");
}

#[tokio::test]
async fn a_page_takes_three_cards_under_one_call_number() {
    let mut bench = Bench::start(Options::default()).await;
    let page = bench.open("order-2", &[("PBX_RUF1", "POST"), ("PBX_REPONDRE_A", "")]).await;
    assert!(bench.pay(&page, "4970100000000154").await.contains("<b id=\"code_reponse\">00151</b>"));
    assert!(bench.no_notification_yet(), "no notification URL was given");
    bench.post(&format!("{page}/autre-carte"), "").await;
    assert!(bench.pay(&page, "1111222233335555").await.contains("00004"));
    bench.post(&format!("{page}/autre-carte"), "").await;
    let last = bench.pay(&page, "4970100000000055").await;
    assert!(last.contains("00105") && !last.contains("autre-carte"), "{last}");
    assert!(between(&last, RETURN.0, RETURN.1).contains("/ko?Mt=377000&Ref=order-2&Erreur=00105&"));

    let world = bench.running.sandbox.world();
    let operations: Vec<_> = world.ledger.iter().collect();
    assert_eq!(operations.len(), 3);
    assert!(operations.windows(2).all(|two| two[0].numappel == two[1].numappel && two[0].numtrans < two[1].numtrans));
    assert_eq!(world.ledger.totals(|_| true).net, 0);
}

#[tokio::test]
async fn the_issuer_challenges_by_card_by_wish_and_by_missing_address() {
    let mut bench = Bench::start(Options::default()).await;
    let rows: [(&str, Changes<'_>, bool); 7] = [
        ("1111222233334444", &[], false),
        ("1111222233334444", &[("PBX_BILLING", "")], true),
        ("1111222233334444", &[("PBX_SOUHAITAUTHENT", "04")], true),
        ("1111222233334444", &[("PBX_SOUHAITAUTHENT", "02"), ("PBX_BILLING", "")], false),
        ("4012001037141112", &[("PBX_SOUHAITAUTHENT", "02")], true),
        ("5200000000000007", &[("PBX_SOUHAITAUTHENT", "04")], false),
        ("4012001038443335", &[("PBX_SOUHAITAUTHENT", "04")], false),
    ];
    for (place, (card, changes, challenged)) in rows.into_iter().enumerate() {
        let page = bench.open(&format!("order-{place}"), changes).await;
        let next = bench.pay(&page, card).await;
        assert_eq!(next.contains("Authentification de votre banque"), challenged, "row {place}");
        if challenged {
            let code = between(&next, "id=\"code_attendu\">", "<");
            bench.post(&format!("{page}/authentification"), &format!("CODE={code}&ACTION=VALIDER")).await;
        }
        assert!(bench.get(&page).await.body.contains("Paiement accepté"), "row {place}");
        assert!(bench.notification().await.contains("Erreur=00000"), "row {place}");
    }
    let page = bench.open("order-failed", &[("PBX_SOUHAITAUTHENT", "03")]).await;
    bench.pay(&page, "1111222233334444").await;
    bench.post(&format!("{page}/authentification"), "ACTION=ECHOUER").await;
    assert!(bench.notification().await.contains("Erreur=00001"));
}

#[tokio::test]
async fn cancelling_and_waiting_too_long_lead_back_without_a_payment() {
    let mut bench = Bench::start(Options::default()).await;
    let page = bench.open("order-c", &[]).await;
    let away = bench.post(&format!("{page}/card"), "ACTION=ANNULER").await;
    assert_eq!(away.status, StatusCode::SEE_OTHER);
    assert!(away.location.contains("/cancel?Mt=377000&Ref=order-c&Erreur=00001&Appel="), "{}", away.location);
    assert!(away.location.contains("&Trans=0&Deb=&K=") && is_signed(query(&away.location)), "{}", away.location);

    let page = bench.open("order-t", &[("PBX_DISPLAY", "300")]).await;
    let later = bench.running.sandbox.world().clock.now() + jiff::SignedDuration::from_secs(301);
    bench.running.sandbox.world().clock.set(Some(later));
    let late = bench.pay(&page, "1111222233334444").await;
    assert!(between(&late, RETURN.0, RETURN.1).contains("/ko?Mt=377000&Ref=order-t&Erreur=00030&"), "{late}");
    assert!(bench.no_notification_yet());
    assert_eq!(bench.running.sandbox.world().ledger.iter().count(), 0);
}

#[tokio::test]
async fn a_paid_reference_cannot_be_paid_again() {
    let bench = Bench::start(Options::default()).await;
    bench.switch(r#"{"cmd_must_be_unique": false}"#);
    let (first, second) = (bench.open("order-d", &[]).await, bench.open("order-d", &[]).await);
    assert!(bench.pay(&first, "1111222233334444").await.contains("Paiement accepté"));
    for page in [&second, &first] {
        assert!(bench.pay(page, "1111222233334444").await.contains("00015"));
    }
    assert_eq!(bench.running.sandbox.world().ledger.totals(|_| true).net, 377_000);
}

#[tokio::test]
async fn faulty_requests_are_denied_with_a_hint() {
    let bench = Bench::start(Options::default()).await;
    bench.open("order-once", &[]).await;
    let rows: [(&str, Changes<'_>, &str); 10] = [
        ("order-once", &[], "PBX_CMD déjà utilisée"),
        ("o", &[("PBX_IDENTIFIANT", "1")], "PBX_IDENTIFIANT inconnu"),
        ("o", &[("PBX_RANG", "63")], "PBX_IDENTIFIANT inconnu"),
        ("o", &[("PBX_EFFECTUE", "/relative")], "/relative"),
        ("o", &[("PBX_TOTAL", "25")], "PBX_TOTAL"),
        ("o", &[("PBX_RETOUR", "Mt:?")], "lettre inconnue"),
        ("o", &[("PBX_TIME", "")], "PBX_TIME manque"),
        ("o", &[("PBX_HASH", "MD5")], "PBX_HASH"),
        ("o", &[("PBX_FOO", "1")], "PBX_FOO"),
        ("o", &[("PBX_BILLING", "<Billing/>")], "PBX_BILLING"),
    ];
    for (cmd, changes, hint) in rows {
        let answered = bench.post("/php/", &form(&bench.request(cmd, changes))).await;
        assert_eq!(answered.status, StatusCode::FORBIDDEN, "{changes:?}");
        assert!(answered.body.contains("Problème d'identification du commerce. Accès refusé !"), "{changes:?}");
        assert!(answered.body.contains(hint), "{changes:?}: {}", answered.body);
    }
    let mut changed_after_signing = bench.request("o", &[]);
    changed_after_signing[3].1 = "100".into();
    let answered = bench.post("/php/", &form(&changed_after_signing)).await;
    assert!(answered.body.contains("PBX_HMAC ne correspond pas"), "{}", answered.body);
    let by_get = bench.get(&format!("/php/?{}", form(&bench.request("by-get", &[])))).await;
    assert_eq!(by_get.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn notifications_misbehave_on_demand() {
    let mut bench = Bench::start(Options::default()).await;
    bench.arm(r#"{"target":"ipn","reference":"lost","action":"lose"}"#);
    bench.arm(r#"{"target":"ipn","reference":"twice","action":"double"}"#);
    bench.arm(r#"{"target":"ipn","reference":"spoiled","action":"bad_signature"}"#);
    bench.arm(r#"{"target":"ipn","reference":"late","action":"reverse"}"#);
    for (cmd, expected) in [
        ("lost", &[][..]),
        ("twice", &["twice", "twice"][..]),
        ("spoiled", &["spoiled"][..]),
        ("late", &[][..]),
        ("early", &["early", "late"][..]),
    ] {
        let page = bench.open(cmd, &[]).await;
        assert!(bench.pay(&page, "1111222233334444").await.contains("Paiement accepté"), "{cmd}");
        for reference in expected {
            let notified = bench.notification().await;
            assert!(notified.contains(&format!("&Ref={reference}&")), "{cmd}: {notified}");
            assert_eq!(is_signed(notified.strip_prefix("tok=9&").unwrap()), *reference != "spoiled");
        }
    }
    assert!(bench.no_notification_yet());
    assert!(bench.running.sandbox.world().faults.list().iter().all(|armed| armed.fired == 1));
}

#[tokio::test]
async fn the_bank_can_be_seen_and_moved_from_the_management_port() {
    let bench = Bench::start(Options::default()).await;
    let page = bench.open("order-m", &[("PBX_AUTOSEULE", "O")]).await;
    bench.pay(&page, "1111222233334444").await;
    let (_, ledger) = bench.manage("GET", "/ledger?reference_prefix=order-", "").await;
    assert_eq!(ledger["operations"][0]["status"], "authorised");
    assert_eq!(ledger["totals"]["net"], 0);
    let (_, signed) = bench.manage("POST", "/sign", r#"{"message":"Mt=1&Ref=x"}"#).await;
    assert!(is_signed(signed["query"].as_str().unwrap()));
    for (method, path, body, status) in [
        ("POST", "/switches", r#"{"nope":1}"#, StatusCode::BAD_REQUEST),
        ("POST", "/faults", r#"{"target":"ipn","action":"garbage"}"#, StatusCode::BAD_REQUEST),
        ("POST", "/clock", r#"{"now":"2027-01-01T00:00:00Z"}"#, StatusCode::OK),
        ("POST", "/settle", "", StatusCode::OK),
        ("DELETE", "/faults", "", StatusCode::OK),
        ("GET", "/nothing", "", StatusCode::NOT_FOUND),
        ("POST", "/reset", "", StatusCode::OK),
    ] {
        assert_eq!(bench.manage(method, path, body).await.0, status, "{method} {path}");
    }
    assert_eq!(bench.manage("GET", "/ledger", "").await.1["operations"], serde_json::json!([]));
}

#[tokio::test]
async fn some_cards_are_refused_before_any_bank_is_asked() {
    let mut bench = Bench::start(Options::default()).await;
    let typed = |number: &str, month: &str, year: &str, cvv: &str| {
        format!("NUMERO_CARTE={number}&MOIS_VALIDITE={month}&AN_VALIDITE={year}&CVVX={cvv}&ACTION=VALIDER")
    };
    bench.running.sandbox.world().clock.set(Some("2026-11-23T10:00:00Z".parse().unwrap()));
    let rows: [(&str, Changes<'_>, &str); 9] = [
        (&typed("1111222233334444", "11", "26", "123"), &[], "00000"),
        (&typed("1111222233334444", "10", "26", "123"), &[], "00008"),
        (&typed("1111222233334444", "13", "30", "123"), &[], "00008"),
        (&typed("1111222233334444", "12", "30", "123"), &[("PBX_DATEVALMAX", "3101")], "00008"),
        (&typed("1111222233334444", "12", "30", "12"), &[], "00004"),
        (&typed("374907403001005", "12", "30", "1234"), &[], "00000"),
        (&typed("1111222233334444", "12", "30", "123"), &[("PBX_ERRORCODETEST", "00133")], "00133"),
        (&typed("1111222233334444", "12", "30", "123"), &[("PBX_REFABONNE", "plan-1")], "00000"),
        (&typed("1111222233334444", "12", "30", "123"), &[("PBX_REFABONNE", "plan-1")], "00016"),
    ];
    for (place, (card, changes, code)) in rows.into_iter().enumerate() {
        let retour = ("PBX_RETOUR", "E:E;A:A;D:D;U:U;K:K");
        let page = bench.open(&format!("order-{place}"), &[changes, &[retour]].concat()).await;
        bench.post(&format!("{page}/card"), card).await;
        let notified = bench.notification().await;
        assert!(notified.contains(&format!("&E={code}&")), "row {place}: {notified}");
        assert_eq!(notified.contains("&A=XXXXXX&D="), code == "00000", "row {place}: {notified}");
        // Without PBX_REFABONNE the card is stored under PBX_CMD.
        let stored = code == "00000" && notified.contains("&D=3012&");
        assert_eq!(notified.contains("++3012++---&K="), stored, "row {place}: {notified}");
    }
}

#[tokio::test]
async fn the_way_back_follows_its_switches() {
    let mut bench = Bench::start(Options::default()).await;
    bench.switch(
        r#"{"immediate_return": true, "ipn_set_in_back_office": true, "ipn_on_cancel": true, "authorisation_numbers": true}"#,
    );
    let page = bench.open("at-once", &[]).await;
    let card = "NUMERO_CARTE=1111222233334444&MOIS_VALIDITE=12&AN_VALIDITE=30&CVVX=123&ACTION=VALIDER";
    let away = bench.post(&format!("{page}/card"), card).await;
    assert!(away.location.contains("/ok?shop=1&Mt=377000") && is_signed(query(&away.location)), "{}", away.location);
    let notified = bench.notification().await;
    assert!(notified.starts_with("tok=9&") && is_signed(&notified), "all parameters are signed");
    assert!(!notified.contains("XXXXXX"), "{notified}");

    let page = bench.open("by-post", &[("PBX_RUF1", "POST")]).await;
    bench.post(&format!("{page}/card"), "ACTION=ANNULER").await;
    let posted = bench.notification().await;
    assert!(posted.starts_with("Mt=377000&Ref=by-post&Erreur=00001&"), "{posted}");
}
