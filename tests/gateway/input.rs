//! Bad input: a clear problem, a 4xx, and nothing changed.

use serde_json::{Value, json};

use crate::bench::{Bench, checkout, fresh_name, order};

fn edited(edit: impl FnOnce(&mut Value)) -> Value {
    let mut body = order(377_000);
    edit(&mut body);
    body
}

const AMOUNT: &str = "/lines/0/unit_price/amount";

fn with_amount(amount: Value) -> Value {
    edited(|order| order["lines"][0]["unit_price"]["amount"] = amount)
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_cannot_be_placed() {
    let bench = Bench::start().await;
    let rows: Vec<(Value, u16, &str, &str)> = vec![
        (edited(|o| o["lines"] = json!([])), 422, "/lines", "no_lines"),
        (edited(|o| o["surprise"] = json!(1)), 422, "/surprise", "unknown_field"),
        (edited(|o| o["payer"]["admin"] = json!(true)), 422, "/payer/admin", "unknown_field"),
        (
            edited(|o| {
                o.as_object_mut().unwrap().remove("payer");
            }),
            422,
            "/payer",
            "missing",
        ),
        (
            edited(|o| o["lines"][0]["unit_price"]["amount"] = json!(1.5)),
            422,
            "/lines/0/unit_price/amount",
            "wrong_type",
        ),
        (with_amount(json!("100")), 422, AMOUNT, "wrong_type"),
        (with_amount(json!(null)), 422, AMOUNT, "wrong_type"),
        (with_amount(json!(-1)), 422, AMOUNT, "amount_out_of_range"),
        (with_amount(json!(10_000_000_000_i64)), 422, AMOUNT, "amount_out_of_range"),
        (with_amount(json!(u64::MAX)), 422, AMOUNT, "amount_out_of_range"),
        (with_amount(json!(1e30)), 422, AMOUNT, "amount_out_of_range"),
        // A document is not a list of its values, and a name is not a document.
        (edited(|o| o["lines"][0]["unit_price"] = json!([100, "EUR"])), 422, "/lines/0/unit_price", "wrong_type"),
        (edited(|o| o["payer"] = json!(["r", "a@b.example", "f", "l", []])), 422, "/payer", "wrong_type"),
        (edited(|o| o["lines"] = json!([["D1"]])), 422, "/lines/0", "wrong_type"),
        (edited(|o| o["lines"] = json!({})), 422, "/lines", "wrong_type"),
        (edited(|o| o["currency"] = json!({"EUR": null})), 422, "/currency", "wrong_type"),
        (edited(|o| o["currency"] = json!(0)), 422, "/currency", "wrong_type"),
        (edited(|o| o["locale"] = json!({"fr": null})), 422, "/locale", "wrong_type"),
        (
            edited(|o| o["lines"][0]["unit_price"]["currency"] = json!({"EUR": null})),
            422,
            "/lines/0/unit_price/currency",
            "wrong_type",
        ),
        // Names of strangers are escaped, and quoted once.
        (edited(|o| o["a/b"] = json!(1)), 422, "/a~1b", "unknown_field"),
        (edited(|o| o["a~b"] = json!(1)), 422, "/a~0b", "unknown_field"),
        (edited(|o| o["a`b"] = json!(1)), 422, "/a`b", "unknown_field"),
        (edited(|o| o["lines"][0]["unit_price"]["a`/b"] = json!(1)), 422, "/lines/0/unit_price/a`~1b", "unknown_field"),
        (edited(|o| o[""] = json!(1)), 422, "/", "unknown_field"),
        (
            edited(|o| o["lines"][0]["unit_price"]["currency"] = json!("USD")),
            422,
            "/lines/0/unit_price/currency",
            "currency_mismatch",
        ),
        (edited(|o| o["currency"] = json!("EURO")), 422, "/currency", "wrong_type"),
        (edited(|o| o["lines"][0]["quantity"] = json!(1)), 422, "/lines/0/quantity", "wrong_type"),
        (edited(|o| o["lines"][0]["quantity"] = json!("1e3")), 422, "/lines/0/quantity", "wrong_type"),
        (edited(|o| o["lines"][0]["quantity"] = json!("-1")), 422, "/lines/0/quantity", "wrong_type"),
        (edited(|o| o["lines"][0]["quantity"] = json!(".5")), 422, "/lines/0/quantity", "wrong_type"),
        (edited(|o| o["lines"][0]["quantity"] = json!("5.")), 422, "/lines/0/quantity", "wrong_type"),
        (edited(|o| o["lines"][0]["quantity"] = json!("1.2.3")), 422, "/lines/0/quantity", "wrong_type"),
        (edited(|o| o["lines"][0]["quantity"] = json!("1.00001")), 422, "/lines/0/quantity", "decimal_out_of_range"),
        (edited(|o| o["lines"][0]["vat_rate"] = json!("101")), 422, "/lines/0/vat_rate", "decimal_out_of_range"),
        (edited(|o| o["lines"][0]["label"] = json!("carte 4012 0010 3714 1112")), 422, "/lines/0/label", "card_number"),
        (edited(|o| o["lines"][0]["label"] = json!("a\nb")), 422, "/lines/0/label", "control_character"),
        (edited(|o| o["reference"] = json!("x".repeat(65))), 422, "/reference", "too_long"),
        (edited(|o| o["reference"] = json!("  ")), 422, "/reference", "blank"),
        (edited(|o| o["payer"]["email"] = json!("nobody")), 422, "/payer/email", "email_invalid"),
        (edited(|o| o["payer"]["email"] = json!("a&PBX_TOTAL=1@ecole.example")), 422, "/payer/email", "email_invalid"),
        (
            edited(|o| {
                let twin = o["payer"]["addresses"][0].clone();
                o["payer"]["addresses"].as_array_mut().unwrap().push(twin);
            }),
            422,
            "/payer/addresses/1/id",
            "duplicate_id",
        ),
        (edited(|o| o["lines"][0]["unit_price"]["amount"] = json!(50)), 422, "/lines", "below_minimum"),
        (edited(|o| o["merchant"] = json!("annexe")), 422, "/merchant", "unknown"),
        (edited(|o| o["replaces"] = json!("ord_00000000000000000000000000000000")), 422, "/replaces", "unknown"),
        (edited(|o| o["replaces"] = json!("nonsense")), 422, "/replaces", "wrong_type"),
    ];
    for (body, status, pointer, code) in rows {
        let answer = bench.post("/v1/orders", &body).await;
        assert_eq!(answer.status, status, "{pointer} {code}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let errors = answer.json()["errors"].clone();
        let found = errors.as_array().unwrap().iter().any(|e| e["pointer"] == pointer && e["code"] == code);
        assert!(found, "{pointer} {code}: {errors}");
    }
    let list = bench.get("/v1/orders").await.json();
    assert_eq!(list["orders"], json!([]), "nothing was placed");
}

#[tokio::test(flavor = "multi_thread")]
async fn checkouts_that_cannot_be_issued() {
    let bench = Bench::start().await;
    let id = bench.place(377_000).await;
    let path = format!("/v1/orders/{id}/checkout");
    let with_url = |url: &str| json!({"billing": {"mode": "none"}, "return_url": url});
    let with_billing = |billing: Value| json!({"billing": billing, "return_url": "http://127.0.0.1:9/"});
    let rows: Vec<(Value, &str, &str)> = vec![
        (with_url("https://evil.example/"), "/return_url", "url_origin_not_allowed"),
        (with_url("https://portail.ecole.example.evil.example/"), "/return_url", "url_origin_not_allowed"),
        (with_url("https://portail.ecole.example@evil.example/"), "/return_url", "url_invalid"),
        (with_url("http://portail.ecole.example/"), "/return_url", "url_not_https"),
        (with_url("http://127.0.0.1:10/"), "/return_url", "url_origin_not_allowed"),
        (with_url("//evil.example/"), "/return_url", "url_invalid"),
        (with_url("javascript:alert(1)"), "/return_url", "url_not_https"),
        (with_url("/retour"), "/return_url", "url_invalid"),
        (with_url("https://portail.ecole.example/#x"), "/return_url", "url_invalid"),
        (with_url("https://portail.ecole.example/a b"), "/return_url", "url_invalid"),
        (with_billing(json!({"mode": "prefilled"})), "/billing/address_id", "missing"),
        (with_billing(json!({"mode": "prefilled", "address_id": "nowhere"})), "/billing/address_id", "unknown"),
        (with_billing(json!({"mode": "new"})), "/billing/address", "missing"),
        (with_billing(json!({"mode": "none", "address_id": "domicile"})), "/billing/address_id", "not_with_this"),
        (
            with_billing(json!({"mode": "prefilled", "address_id": "domicile", "address": {"country": "XX"}})),
            "/billing/address/country",
            "country_unknown",
        ),
        (
            with_billing(json!({"mode": "prefilled", "address_id": "domicile", "address": {"mobile_phone": "12"}})),
            "/billing/address/mobile_phone",
            "phone_invalid",
        ),
        (
            with_billing(json!({"mode": "prefilled", "address_id": "domicile", "address": {"city": "???"}})),
            "/billing/address/city",
            "nothing_left",
        ),
        (with_billing(json!({"mode": "somehow"})), "/billing/mode", "wrong_type"),
        (with_billing(json!({"mode": {"none": null}})), "/billing/mode", "wrong_type"),
        (with_billing(json!(["none"])), "/billing", "wrong_type"),
    ];
    for (body, pointer, code) in rows {
        let answer = bench.post(&path, &body).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.body);
        let errors = answer.json()["errors"].clone();
        let found = errors.as_array().unwrap().iter().any(|e| e["pointer"] == pointer && e["code"] == code);
        assert!(found, "{pointer} {code}: {errors}");
    }
    assert_eq!(bench.order(&id).await["checkouts"], json!([]), "nothing was issued");
}

/// What cannot be built as a document: it is written as it goes over the wire.
#[tokio::test(flavor = "multi_thread")]
async fn documents_that_no_library_would_write() {
    let bench = Bench::start().await;
    let good = order(377_000).to_string();
    let huge = format!("1{}", "0".repeat(400));
    let id = bench.place(1_000).await;
    let cancel = format!("/v1/orders/{id}/cancel");
    let long = format!("{{\"{}\":1}}", "x".repeat(500));
    let cut = format!("/{}", "x".repeat(60));
    for (path, body, pointer, code) in [
        ("/v1/orders", good.replacen("377000", &huge, 1), AMOUNT, "amount_out_of_range"),
        ("/v1/orders", good.replacen("377000", &format!("-{huge}"), 1), AMOUNT, "amount_out_of_range"),
        ("/v1/orders", good.replacen("\"EUR\"", &huge, 1), "/currency", "wrong_type"),
        ("/v1/orders", good.replacen('{', r#"{"reference":"a","reference":"b","#, 1), "/reference", "wrong_type"),
        ("/v1/orders", good.replacen(r#""amount""#, r#""amount":1,"amount""#, 1), AMOUNT, "wrong_type"),
        (cancel.as_str(), "[]".to_owned(), "", "wrong_type"),
        (cancel.as_str(), "null".to_owned(), "", "wrong_type"),
        (cancel.as_str(), r#"{"a/b~":1}"#.to_owned(), "/a~1b~0", "unknown_field"),
        (cancel.as_str(), long, cut.as_str(), "unknown_field"),
    ] {
        let answer = bench.post_with_key(path, &fresh_name("key"), &body).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.body);
        let errors = answer.json()["errors"].clone();
        assert_eq!((&errors[0]["pointer"], &errors[0]["code"]), (&json!(pointer), &json!(code)), "{body}");
    }
    assert_eq!(bench.order(&id).await["status"], "open");
    assert_eq!(bench.post_with_key(&cancel, "empty", "{}").await.status, 200, "an empty document says nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_not_understood() {
    let bench = Bench::start().await;
    let bearer = bench.bearer();
    let json_headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", "k1")];
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    for (method, path, headers, body, status, code) in [
        ("POST", "/v1/orders", &json_headers[..], "{", 400, "malformed_json"),
        ("POST", "/v1/orders", &json_headers[..], "", 400, "malformed_json"),
        ("POST", "/v1/orders", &json_headers[..], deep.as_str(), 422, "invalid_request"),
        ("POST", "/v1/orders", &json_headers[..], "[]", 422, "invalid_request"),
        ("POST", "/v1/orders", &json_headers[..], "{}{}", 422, "invalid_request"),
        ("POST", "/v1/orders", &json_headers[..1], "{}", 400, "idempotency_key_missing"),
        ("GET", "/v1/orders/nonsense", &json_headers[..1], "", 404, "not_found"),
        ("GET", "/nowhere", &json_headers[..1], "", 404, "not_found"),
        ("PUT", "/v1/orders", &json_headers[..1], "", 405, "method_not_allowed"),
    ] {
        let answer = bench.gateway.send(method, path, headers, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {path} {}", answer.body);
    }
    let no_type = [("authorization", bearer.as_str()), ("idempotency-key", "k2"), ("content-type", "text/plain")];
    let answer = bench.gateway.send("POST", "/v1/orders", &no_type, "{}").await;
    assert_eq!((answer.status, answer.code().as_str()), (415, "unsupported_media_type"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_url_or_a_header_is_named() {
    let bench = Bench::start().await;
    let two =
        format!("Bearer {}", bench.make_key(&["--scope", "portal", "--merchant", "ecole", "--merchant", "annexe"]));
    let bearer = bench.bearer();
    for (key, path, parameter) in [
        (&bearer, "/v1/orders?after=x", "after"),
        (&bearer, "/v1/orders?limit=0", "limit"),
        (&bearer, "/v1/orders?limit=101", "limit"),
        (&bearer, "/v1/orders?status=paid", "status"),
        (&bearer, "/v1/orders?payer=a&payer=b", "payer"),
        (&bearer, "/v1/orders?payer=%0A", "payer"),
        (&bearer, "/v1/orders?unknown=1", "unknown"),
        (&two, "/v1/orders", "merchant"),
        (&bearer, "/v1/events?after=%FF", "after"),
        (&bearer, "/v1/events?limit=x", "limit"),
    ] {
        let answer = bench.gateway.send("GET", path, &[("authorization", key)], "").await;
        let document = answer.json();
        assert_eq!((answer.status, answer.code().as_str()), (400, "malformed_request"), "{path}");
        assert_eq!((&document["parameter"], &document["errors"]), (&json!(parameter), &Value::Null), "{path}");
    }
    let unknown = format!("/v1/orders?{}=1", "x".repeat(500));
    let answer = bench.gateway.send("GET", &unknown, &[("authorization", &bearer)], "").await;
    assert_eq!(answer.json()["parameter"].as_str().unwrap().len(), 60, "names of strangers are cut");
    let people = format!("Bearer {}", bench.make_key(&["--scope", "portal", "--merchant", "ecole", "--for-people"]));
    for (headers, status, code, header) in [
        (vec![("guichet-actor", "a\tb")], 400, "malformed_request", "Guichet-Actor"),
        (vec![("guichet-actor", "a"), ("guichet-actor", "b")], 400, "malformed_request", "Guichet-Actor"),
        (vec![("guichet-on-behalf-of", "4012 0010 3714 1112")], 400, "malformed_request", "Guichet-On-Behalf-Of"),
        (vec![("authorization", "Bearer x")], 400, "malformed_request", "Authorization"),
        (vec![("idempotency-key", "a"), ("idempotency-key", "b")], 400, "malformed_request", "Idempotency-Key"),
        (vec![], 400, "idempotency_key_missing", "Idempotency-Key"),
        (vec![("idempotency-key", "é")], 400, "idempotency_key_invalid", "Idempotency-Key"),
    ] {
        let mut all = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        all.extend(headers.iter().copied());
        let answer = bench.gateway.send("POST", "/v1/orders", &all, "{}").await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{headers:?}");
        assert_eq!(answer.json()["header"], header, "{headers:?}");
    }
    let answer = bench.gateway.send("GET", "/v1/orders", &[("authorization", &people)], "").await;
    assert_eq!((answer.code().as_str(), &answer.json()["header"]), ("actor_missing", &json!("Guichet-Actor")));
}

/// Payers read pages, PAYBOX reads nothing, only portals read documents.
#[tokio::test(flavor = "multi_thread")]
async fn payers_and_paybox_are_not_shown_documents() {
    let bench = Bench::start().await;
    for (method, path, status) in [
        ("GET", "/pay", 404),
        ("GET", "/pay/", 404),
        ("GET", "/pay/x", 404),
        ("GET", "/pay/x/", 404),
        ("GET", "/pay/%ff", 404),
        ("GET", "/return/x/accepted", 404),
        ("GET", "/return/%ff/accepted", 404),
        ("GET", "/return/x/accepted/more", 404),
        ("POST", "/pay/x", 405),
        ("POST", "/return/x/accepted", 405),
    ] {
        for (language, words) in [("fr", "<html lang=\"fr\">"), ("en", "<html lang=\"en\">")] {
            let answer = bench.gateway.send(method, path, &[("accept-language", language)], "").await;
            assert_eq!(answer.status, status, "{method} {path}");
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{method} {path}");
            assert_eq!(answer.header("content-language"), Some(language), "{method} {path}");
            assert!(answer.header("content-security-policy").is_some(), "{method} {path}");
            assert!(answer.body.contains(words) && answer.body.contains("</html>"), "{method} {path}: {}", answer.body);
        }
    }
    for (method, path, body, status) in [
        ("GET", "/paybox/%ff/ipn", "", 400),
        ("GET", "/paybox/nobody/ipn", "", 404),
        ("GET", "/paybox/nobody/ipn?x=1", "", 404),
        ("GET", "/paybox/ecole", "", 404),
        ("PUT", "/paybox/ecole/ipn", "", 405),
        ("GET", "/paybox/ecole/ipn", "", 400),
        ("GET", "/paybox/ecole/ipn?", "", 400),
        ("HEAD", "/paybox/ecole/ipn", "", 400),
        ("POST", "/paybox/ecole/ipn", "", 400),
    ] {
        let answer = bench.gateway.send(method, path, &[], body).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, ""), "{method} {path}");
        assert_eq!(answer.header("content-type"), None, "{method} {path}");
    }
    assert!(!bench.log().contains("callback_unverified"), "nothing came, so nobody is called");
    assert_eq!(bench.notify("ecole", "x=1").await.status, 400);
    assert!(bench.log().contains("callback_unverified"));
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_come_in_french_and_english() {
    let bench = Bench::start().await;
    for (language, title) in [("fr", "Introuvable"), ("en", "Not found"), ("de", "Introuvable")] {
        let bearer = bench.bearer();
        let headers = [("authorization", bearer.as_str()), ("accept-language", language)];
        let answer = bench.gateway.send("GET", "/v1/orders/x", &headers, "").await;
        assert_eq!(answer.json()["title"], title);
        assert_eq!(answer.json()["type"], "urn:guichet:problem:not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_gets_the_same_answer() {
    let bench = Bench::start().await;
    let body = order(377_000).to_string();
    let first = bench.post_with_key("/v1/orders", "one", &body).await;
    let second = bench.post_with_key("/v1/orders", "one", &body).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
    assert_eq!((second.status, second.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(first.body, second.body);
    let other = bench.post_with_key("/v1/orders", "one", &order(1_000).to_string()).await;
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency_key_reused"));
    // The same reference under another key is another intention.
    let taken = bench.post_with_key("/v1/orders", "two", &body).await;
    assert_eq!((taken.status, taken.code().as_str()), (409, "reference_taken"));
    assert_eq!(taken.json()["order"], first.json()["id"]);
    // Twenty at once: one order.
    let racing = order(61_800).to_string();
    let answers = futures_of(20, || bench.post_with_key("/v1/orders", "race", &racing)).await;
    let ids: std::collections::BTreeSet<String> =
        answers.iter().filter(|a| a.status == 201).map(|a| a.json()["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1);
    assert!(answers.iter().all(|a| a.status == 201 || a.code() == "request_in_progress"), "{answers:?}");
    // Whoever asks again gets the answer, however many ask at once.
    let again = futures_of(60, || bench.post_with_key("/v1/orders", "one", &body)).await;
    assert!(again.iter().all(|a| (a.status, &a.body) == (201, &first.body)), "{again:?}");
    // A checkout that is asked for twice is one checkout.
    let id = first.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/orders/{id}/checkout");
    let one = bench.post_with_key(&path, "page", &checkout().to_string()).await;
    let two = bench.post_with_key(&path, "page", &checkout().to_string()).await;
    assert_eq!(one.body, two.body);
    assert_eq!(bench.order(&id).await["checkouts"].as_array().unwrap().len(), 1);
}

async fn futures_of<F: Future>(count: usize, make: impl Fn() -> F) -> Vec<F::Output> {
    futures_util::future::join_all((0..count).map(|_| make())).await
}
