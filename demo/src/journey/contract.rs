//! What the API promises to portals: a request twice is one request, and what is wrong changes nothing.

use serde_json::{Value, json};

use super::walk::Journey;
use crate::{
    cards, check,
    client::{Answer, JSON, Question},
    gateway::Idempotency,
    orders::{self, FEE},
    trouble::Outcome,
};

/// The same Idempotency-Key again: the same answer; with another body: a refusal.
pub(super) async fn idempotency(journey: &Journey) -> Outcome<String> {
    let gateway = &journey.ecole;
    let order = orders::registration()?;
    let payer = check::text(&order, "/payer/reference")?;
    let key = format!("once-{payer}");
    let first = gateway.post("/v1/orders", Idempotency::Key(&key), &order.to_string()).await?;
    let second = gateway.post("/v1/orders", Idempotency::Key(&key), &order.to_string()).await?;
    check::equal("both statuses", (first.status, second.status), (201, 201))?;
    check::equal("the second answer", &second.body, &first.body)?;
    check::equal("Idempotency-Replayed", second.header("idempotency-replayed"), Some("true"))?;
    check::equal("on the first answer", first.header("idempotency-replayed"), None)?;
    let other = orders::registration()?;
    let third = gateway.post("/v1/orders", Idempotency::Key(&key), &other.to_string()).await?;
    let third = code_of(&third, 422)?;
    check::equal("another body", third.as_str(), "idempotency_key_reused")?;
    let placed = gateway.orders(&format!("&payer={payer}")).await?.len();
    check::equal("orders of this payer", placed, 1)?;
    Ok(format!("201, 201 replayed, other body 422 {third}; {placed} order"))
}

/// One request that has to be refused: what is wrong with it, the status, the code, where.
struct Bad {
    what: &'static str,
    answer: Answer,
    status: u16,
    code: &'static str,
    /// The pointer and the code of the first fault, when the code is `invalid_request`.
    fault: Option<(&'static str, &'static str)>,
}

/// Requests that are wrong in one way each: the right refusal, and nothing is changed.
pub(super) async fn refusals(journey: &Journey) -> Outcome<String> {
    let before = everything(journey).await?;
    let mut rows = bad_orders(journey).await?;
    rows.extend(bad_checkouts(journey).await?);
    rows.extend(bad_keys(journey).await?);
    for row in &rows {
        let code = code_of(&row.answer, row.status).map_err(|trouble| trouble.during(row.what))?;
        check::equal(row.what, code.as_str(), row.code)?;
        if let Some((pointer, fault)) = row.fault {
            let problem = row.answer.json()?;
            let seen = (check::text(&problem, "/errors/0/pointer")?, check::text(&problem, "/errors/0/code")?);
            check::equal(row.what, seen, (pointer, fault))?;
        }
    }
    // One order was placed on purpose, for the checkouts to be wrong about.
    check::equal("orders and events of all merchants", everything(journey).await?, before + 2)?;
    let mut codes: Vec<String> =
        rows.iter().map(|row| format!("{} {}", row.status, row.fault.map_or(row.code, |f| f.1))).collect();
    codes.dedup();
    Ok(format!("{} rows: {}", rows.len(), codes.join(", ")))
}

async fn bad_orders(journey: &Journey) -> Outcome<Vec<Bad>> {
    let line = |member: &str, value: Value| -> Outcome<Value> {
        let mut order = orders::registration()?;
        if let Some(place) = order.pointer_mut("/lines/0").and_then(Value::as_object_mut) {
            place.insert(member.to_owned(), value);
        }
        Ok(order)
    };
    let mut unknown = orders::registration()?;
    if let Some(members) = unknown.as_object_mut() {
        members.insert("montant".to_owned(), json!(1));
    }
    let card = format!("carte {}", cards::CHALLENGED.number);
    let rows = [
        ("no lines", orders::with_lines(json!([]))?, ("/lines", "no_lines")),
        ("an unknown field", unknown, ("/montant", "unknown_field")),
        ("a card number in a label", line("label", json!(card))?, ("/lines/0/label", "card_number")),
        (
            "another currency in a line",
            line("unit_price", json!({"amount": FEE, "currency": "USD"}))?,
            ("/lines/0/unit_price/currency", "currency_mismatch"),
        ),
        ("an amount as a fraction", line("quantity", json!(1.5))?, ("/lines/0/quantity", "wrong_type")),
    ];
    let mut bad = Vec::new();
    for (what, order, fault) in rows {
        let answer = journey.ecole.post("/v1/orders", Idempotency::Fresh, &order.to_string()).await?;
        bad.push(Bad { what, answer, status: 422, code: "invalid_request", fault: Some(fault) });
    }
    let order = orders::registration()?.to_string();
    let answer = journey.ecole.post("/v1/orders", Idempotency::Missing, &order).await?;
    bad.push(Bad { what: "no Idempotency-Key", answer, status: 400, code: "idempotency_key_missing", fault: None });
    let answer = journey.ecole.post("/v1/orders", Idempotency::Fresh, "{\"reference\":").await?;
    bad.push(Bad { what: "half a document", answer, status: 400, code: "malformed_json", fault: None });
    Ok(bad)
}

async fn bad_checkouts(journey: &Journey) -> Outcome<Vec<Bad>> {
    let order = journey.register(&journey.ecole).await?;
    let mut bad = Vec::new();
    for (what, billing, return_url, fault) in [
        (
            "a return over plain http to another host",
            orders::known_address(),
            "http://portail.example/retour".to_owned(),
            ("/return_url", "url_not_https"),
        ),
        (
            "a return to a foreign host",
            orders::known_address(),
            "https://portail.example/retour".to_owned(),
            ("/return_url", "url_origin_not_allowed"),
        ),
        (
            "an address that is not known",
            json!({"mode": "prefilled", "address_id": "ailleurs"}),
            journey.return_url(),
            ("/billing/address_id", "unknown"),
        ),
    ] {
        let answer = journey.ecole.try_checkout(&order.id, &billing, &return_url).await?;
        bad.push(Bad { what, answer, status: 422, code: "invalid_request", fault: Some(fault) });
    }
    let answer = journey.annexe.try_checkout(&order.id, &orders::no_address(), &journey.return_url()).await?;
    bad.push(Bad { what: "a checkout by another merchant's key", answer, status: 404, code: "not_found", fault: None });
    let answer = journey.annexe.get(&format!("/v1/orders/{}", order.id)).await?;
    bad.push(Bad { what: "a look by another merchant's key", answer, status: 404, code: "not_found", fault: None });
    Ok(bad)
}

async fn bad_keys(journey: &Journey) -> Outcome<Vec<Bad>> {
    let order = orders::registration()?.to_string();
    let mut key = journey.ecole.key.clone();
    let last = key.pop();
    key.push(if last == Some('0') { '1' } else { '0' });
    let mut bad = Vec::new();
    for (what, key) in [("a wrong key", key), ("no key at all", String::new())] {
        let answer = journey.ecole.with_key(&key).post("/v1/orders", Idempotency::Fresh, &order).await?;
        bad.push(Bad { what, answer, status: 401, code: "unauthenticated", fault: None });
    }
    let url = format!("{}/v1/orders", journey.ecole.url);
    let answer = journey.stage.client.ask(Question::post(url, JSON, order.as_str())).await?;
    bad.push(Bad { what: "no Authorization", answer, status: 401, code: "unauthenticated", fault: None });
    Ok(bad)
}

/// How many orders and events there are, over all merchants.
async fn everything(journey: &Journey) -> Outcome<usize> {
    let mut count = 0;
    for gateway in [&journey.ecole, &journey.annexe, &journey.neutral, &journey.strict] {
        count += gateway.orders("").await?.len() + gateway.events().await?.len();
    }
    Ok(count)
}

fn code_of(answer: &Answer, status: u16) -> Outcome<String> {
    let problem = answer.json_if(status)?;
    let kind = answer.header("content-type").unwrap_or_default();
    check::equal("content type", kind, "application/problem+json")?;
    Ok(check::text(&problem, "/code")?.to_owned())
}
