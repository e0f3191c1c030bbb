//! An order paid once, in all the ways it can go.

use serde_json::{Value, json};

use crate::{
    bench::{Bench, order},
    payer::{ACCEPTED, CHALLENGED, Payer, REFUSED_151, between, follow},
};

async fn check_paid(bench: &Bench, billing: Value, card: &str, strong_authentication: &str) {
    let id = bench.place(377_000).await;
    let request = json!({"billing": billing, "return_url": "http://127.0.0.1:9/retour?dossier=1"});
    let issued = bench.post(&format!("/v1/orders/{id}/checkout"), &request).await;
    assert_eq!(issued.status, 201, "{}", issued.body);
    let issued = issued.json();
    assert_eq!(issued["strong_authentication"], strong_authentication, "{billing}");
    let payer = Payer::open(bench, &issued).await;
    let receipt = payer.pay(card).await;
    assert!(receipt.contains("Paiement accepté"), "{receipt}");
    let back = follow(&payer.way_back().await).await;
    assert_eq!(back.status, 303);
    let location = back.header("location").unwrap();
    assert_eq!(location, format!("http://127.0.0.1:9/retour?dossier=1&order={id}&checkout=1"));
    let paid = bench.until_settled(&id).await;
    assert_eq!(paid["paid"], json!({"amount": 377_000, "currency": "EUR"}));
    assert_eq!(paid["remaining"]["amount"], 0);
    assert_eq!(paid["ledger"].as_array().unwrap().len(), 1);
    assert_eq!(paid["checkouts"][0]["status"], "captured");
    assert_eq!(paid["ways_to_pay"], json!([]));
    let again = bench.post(&format!("/v1/orders/{id}/checkout"), &request).await;
    assert_eq!((again.status, again.code().as_str()), (409, "order_settled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_each_address() {
    let bench = Bench::start().await;
    let new = json!({"mode": "new", "address": {
        "first_name": "Zoé", "last_name": "Martin", "address1": "3 quai Saint-Michel", "zip_code": "75005",
        "city": "Paris", "country": "FR", "mobile_phone": "+33612345675"}});
    let prefilled = json!({"mode": "prefilled", "address_id": "domicile", "address": {"address2": "Bât. B"}});
    check_paid(&bench, json!({"mode": "none"}), ACCEPTED, "likely").await;
    check_paid(&bench, prefilled, ACCEPTED, "possible").await;
    check_paid(&bench, new, CHALLENGED, "possible").await;
    assert_eq!(bench.bank_totals().await["net"], 3 * 377_000);
    for secret in [ACCEPTED, CHALLENGED, bench.key.as_str()] {
        assert!(!bench.log().contains(secret), "the log holds {secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_in_the_address_is_told() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    let billing = json!({"mode": "prefilled", "address_id": "domicile"});
    let request = json!({"billing": billing, "return_url": "http://127.0.0.1:9/"});
    let issued = bench.post(&format!("/v1/orders/{id}/checkout"), &request).await.json();
    let changes = issued["changes"].as_array().unwrap();
    assert!(changes.iter().any(|change| change["field"] == "address1"), "{changes:?}");
    let fields = issued["form"]["fields"].as_array().unwrap();
    let billing = fields.iter().find(|field| field["name"] == "PBX_BILLING").unwrap();
    assert!(billing["value"].as_str().unwrap().contains("<FirstName>Zoe</FirstName>"), "{billing}");
    assert_eq!(fields.last().unwrap()["name"], "PBX_HMAC");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_the_link_for_portals_that_build_no_form() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    let issued = bench.check_out(&id).await;
    let page = follow(issued["redirect"].as_str().unwrap()).await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("form-action {};", bench.sandbox.addresses.page)), "{policy}");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let names: Vec<&str> = page.body.split("name=\"PBX_").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(names.first(), Some(&"SITE"));
    assert_eq!(names.last(), Some(&"HMAC"));
    assert!(page.body.contains("<button>"), "works without script");
    // A newer page takes its place, and says so to whoever still has the old link.
    bench.check_out(&id).await;
    let old = follow(issued["redirect"].as_str().unwrap()).await;
    assert_eq!(old.status, 410);
    assert!(old.body.contains("plus valable"), "{}", old.body);
    let unknown = follow(&format!("{}x", issued["redirect"].as_str().unwrap())).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_followed_again_opens_a_page_again() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    let issued = bench.check_out(&id).await;
    // Reloaded; then refused and tried again; then given up and tried again: PAYBOX never sees a reference twice.
    Payer::follow_link(&bench, &issued).await;
    Payer::follow_link(&bench, &issued).await.pay(REFUSED_151).await;
    follow(&Payer::follow_link(&bench, &issued).await.cancel().await).await;
    let payer = Payer::follow_link(&bench, &issued).await;
    payer.pay(ACCEPTED).await;
    let back = follow(&payer.way_back().await).await;
    let order = bench.until_settled(&id).await;
    let paid = order["checkouts"].as_array().unwrap().iter().find(|page| page["status"] == "captured").unwrap();
    let expected = format!("http://127.0.0.1:9/retour?dossier=1&order={id}&checkout={}", paid["number"]);
    assert_eq!(back.header("location"), Some(expected.as_str()), "the portal is told which page was paid");
    assert_eq!(bench.bank_totals().await["net"], 377_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_then_paid_on_the_same_page() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    let payer = Payer::open(&bench, &bench.check_out(&id).await).await;
    let refusal = payer.pay(REFUSED_151).await;
    assert_eq!(between(&refusal, "id=\"code_reponse\">", "<").as_deref(), Some("00151"));
    let refused = bench.until(&id, "refused", |order| order["checkouts"][0]["status"] == "refused").await;
    assert_eq!(refused["status"], "open");
    assert_eq!(refused["checkouts"][0]["last_failure"]["code"], "00151");
    payer.another_card().await;
    payer.pay(ACCEPTED).await;
    bench.until_settled(&id).await;
    assert_eq!(bench.bank_totals().await["net"], 377_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn given_up_and_paid_later() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    let payer = Payer::open(&bench, &bench.check_out(&id).await).await;
    let back = follow(&payer.cancel().await).await;
    assert_eq!(back.status, 303);
    assert_eq!(bench.order(&id).await["status"], "open");
    let payer = Payer::open(&bench, &bench.check_out(&id).await).await;
    payer.pay(ACCEPTED).await;
    bench.until_settled(&id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_pay_is_settled_without_a_page() {
    let bench = Bench::start().await;
    let placed = bench.post("/v1/orders", &order(0)).await;
    assert_eq!((placed.status, &placed.json()["status"]), (201, &json!("settled")));
    assert_eq!(placed.json()["schedule"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn news_that_are_lost_are_asked_for() {
    // Neither the notification nor the payer comes back.
    let bench =
        Bench::start_with(|text| text.replace("ask_after_issue = []", "ask_after_issue = [\"500ms\", \"1s\"]")).await;
    bench.fault(&json!({"target": "ipn", "action": "lose", "times": 1})).await;
    let id = bench.place(377_000).await;
    let payer = Payer::open(&bench, &bench.check_out(&id).await).await;
    payer.pay(ACCEPTED).await;
    bench.until_settled(&id).await;
    // Only the notification is lost: the return alone makes us ask, and the portal finds it paid at once.
    let bench = Bench::start().await;
    bench.fault(&json!({"target": "ipn", "action": "lose", "times": 1})).await;
    let id = bench.place(377_000).await;
    let payer = Payer::open(&bench, &bench.check_out(&id).await).await;
    payer.pay(ACCEPTED).await;
    assert_eq!(bench.order(&id).await["status"], "open");
    follow(&payer.way_back().await).await;
    assert_eq!(bench.order(&id).await["status"], "settled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_stays_silent_at_first_is_asked_again() {
    for fault in [
        json!({"target": "direct", "type": "00011", "action": "drop_after_commit", "times": 3}),
        json!({"target": "direct", "type": "00011", "action": "http_500", "times": 2}),
        json!({"target": "direct", "type": "00017", "action": "garbage", "times": 2}),
        json!({"target": "direct", "type": "00011", "action": "wrong_echo", "times": 2}),
        json!({"target": "direct", "type": "00011", "action": "code", "code": "00018", "times": 2}),
        json!({"target": "direct", "type": "00017", "action": "code", "code": "00005", "times": 2}),
    ] {
        let bench = Bench::start().await;
        bench.fault(&fault).await;
        let id = bench.place(377_000).await;
        let payer = Payer::open(&bench, &bench.check_out(&id).await).await;
        payer.pay(ACCEPTED).await;
        let paid = bench.until_settled(&id).await;
        assert_eq!(paid["ledger"].as_array().unwrap().len(), 1, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_goes_on_where_it_was() {
    let mut bench = Bench::start().await;
    // The bank answers nothing until the gateway is dead.
    bench.fault(&json!({"target": "direct", "host": "both", "action": "dead"})).await;
    let id = bench.place(377_000).await;
    let payer = Payer::open(&bench, &bench.check_out(&id).await).await;
    payer.pay(ACCEPTED).await;
    bench.until(&id, "confirming", |order| order["checkouts"][0]["status"] == "confirming").await;
    bench.restart();
    bench.manage.send("DELETE", "/faults", &[], "").await;
    bench.until_settled(&id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payers_go_to_the_second_host_while_the_main_one_is_out_of_service() {
    let bench = Bench::start().await;
    let action = |issued: &Value| issued["form"]["action"].as_str().unwrap().to_owned();
    let id = bench.place(377_000).await;
    let before = bench.check_out(&id).await;
    assert_eq!(action(&before), format!("{}/php/", bench.sandbox.addresses.page));
    bench.fault(&json!({"target": "load", "host": "main", "type": "page", "action": "ko"})).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let backup = format!("{}/php/", bench.sandbox.addresses.page_backup);
    while action(&bench.check_out(&id).await) != backup {
        assert!(std::time::Instant::now() < deadline, "the second host is never chosen\n{}", bench.log());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // A link that was given before leads there too.
    let issued = bench.check_out(&id).await;
    let page = follow(issued["redirect"].as_str().unwrap()).await;
    assert!(page.body.contains(&format!("action=\"{backup}\"")), "{}", page.body);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains(&format!("form-action {};", bench.sandbox.addresses.page_backup)), "{policy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orders_story_is_told_in_plain_words() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    let payer = Payer::open(&bench, &bench.check_out(&id).await).await;
    payer.pay(REFUSED_151).await;
    payer.another_card().await;
    payer.pay(ACCEPTED).await;
    bench.until_settled(&id).await;
    let bearer = format!("Bearer {}", bench.make_key(&["--scope", "ops", "--merchant", "ecole"]));
    for (language, expected) in [
        (
            "fr",
            [
                "passée : 3\u{202f}770,00\u{a0}€",
                "signée",
                "code 00151",
                "annonce la page n° 1 payée",
                "La banque confirme",
                "plus rien",
            ],
        ),
        (
            "en",
            [
                "placed: €3,770.00",
                "signed",
                "code 00151",
                "reports page 1 paid",
                "The bank confirms",
                "Nothing is left",
            ],
        ),
    ] {
        let headers = [("authorization", bearer.as_str()), ("accept-language", language)];
        let answer = bench.gateway.send("GET", &format!("/v1/orders/{id}/explain"), &headers, "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let story: Vec<String> =
            answer.json()["story"].as_array().unwrap().iter().map(|step| step["text"].to_string()).collect();
        let mut rest = story.iter();
        for words in expected {
            assert!(rest.any(|text| text.contains(words)), "{words}: {story:#?}");
        }
    }
    assert_eq!(bench.get(&format!("/v1/orders/{id}/explain")).await.status, 403, "for operators only");
}
