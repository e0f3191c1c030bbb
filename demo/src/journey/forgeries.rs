//! Notifications that lie. PAYBOX signs for every merchant with one key, and signs whatever stands in the URL that a
//! browser returns to, so a good signature proves nothing about money.

use std::time::Duration;

use serde_json::Value;

use super::walk::{Handed, Journey, Placed, SOON};
use crate::{
    cards, check,
    client::{FORM, Question},
    document::Document,
    gateway::Gateway,
    orders::{self, FEE},
    trouble::{Outcome, Trouble},
};

/// A call number and an operation number that no bank ever gave.
const INVENTED: (&str, &str) = ("999000111", "999000222");
/// How long a lie may stay "to be confirmed" before it is given up: the reports are held for two seconds here.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(6);

/// Not signed by PAYBOX: refused, and nothing is paid.
pub(super) async fn unsigned(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?;
    let handed = journey.check_out(&journey.ecole, &order, &orders::known_address()).await?;
    let honest = journey.bank().signed(&message(&handed, FEE - 1, INVENTED)?, &signature_name(&handed)?).await?;
    let other_amount = honest.replacen(&(FEE - 1).to_string(), &FEE.to_string(), 1);
    let without = message(&handed, FEE, INVENTED)?;
    let garbage = format!("{without}&{}=AAAA", signature_name(&handed)?);
    let mut seen = Vec::new();
    for lie in [other_amount, without, garbage, String::new()] {
        let status = notify(journey, &journey.ecole, &lie).await?;
        check::equal("the answer to a forgery", status, 400)?;
        seen.push(status.to_string());
    }
    journey.unpaid(&journey.ecole, &order).await?;
    Ok(format!("HTTP {}; order open, paid 0.00", seen.join(", ")))
}

/// PAYBOX's own signature under values that an attacker chose: the right reference, the right amount, success.
pub(super) async fn signed_lie(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?;
    let handed = journey.check_out(&journey.ecole, &order, &orders::known_address()).await?;
    let lie = journey.bank().signed(&message(&handed, FEE, INVENTED)?, &signature_name(&handed)?).await?;
    let status = notify(journey, &journey.ecole, &lie).await?;
    check::equal("the answer to what PAYBOX did sign", status, 200)?;
    let given_up = never_paid(journey, &order).await?;
    // The order is not spoilt for the payer.
    let (_, receipt) = journey.pay_at_once(&journey.ecole, &order, cards::ORDINARY).await?;
    check::equal("the receipt", receipt.answer.status, 200)?;
    let settled = journey.settled(&journey.ecole, &order).await?;
    Ok(format!("HTTP {status}, paid 0.00, {given_up}; then really paid by {}", settled.operation))
}

/// The genuine notification of another merchant's payment of the same amount, sent to this one.
pub(super) async fn of_another_merchant(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?;
    journey.check_out(&journey.ecole, &order, &orders::known_address()).await?;
    let (body, _, _) = annexe_pays(journey).await?;
    let before = journey.ecole.orders("&status=settled").await?.len();
    let status = notify(journey, &journey.ecole, &body).await?;
    check::equal("the answer to another merchant's notification", status, 200)?;
    let after = journey.ecole.orders("&status=settled").await?.len();
    check::equal("settled orders of ecole", after, before)?;
    journey.unpaid(&journey.ecole, &order).await?;
    Ok(format!(
        "HTTP {status}; order of the same amount open, paid 0.00; settled orders {before} before, {after} after"
    ))
}

/// The numbers of that genuine payment, signed again under this merchant's reference.
pub(super) async fn with_another_payment(journey: &Journey) -> Outcome<String> {
    let (_, call, operation) = annexe_pays(journey).await?;
    let order = journey.register(&journey.ecole).await?;
    let handed = journey.check_out(&journey.ecole, &order, &orders::known_address()).await?;
    let message = message(&handed, FEE, (&call, &operation))?;
    let lie = journey.bank().signed(&message, &signature_name(&handed)?).await?;
    let status = notify(journey, &journey.ecole, &lie).await?;
    check::equal("the answer to what PAYBOX did sign", status, 200)?;
    let given_up = never_paid(journey, &order).await?;
    Ok(format!("HTTP {status}, operation {operation} is annexe's: paid 0.00, {given_up}"))
}

/// Waits until the lie is no longer believed possible; all that time nothing is paid.
async fn never_paid(journey: &Journey, order: &Placed) -> Outcome<String> {
    let is_given_up = |order: &Value| order.said("/checkouts/0/status") != "confirming";
    let (document, after) = journey.ecole.until(&order.id, "the lie is given up", GIVEN_UP_WITHIN, is_given_up).await?;
    journey.unpaid(&journey.ecole, order).await?;
    let events = journey.ecole.events().await?;
    let doubted =
        events.iter().any(|event| event.said("/order") == order.id && event.said("/type") == "checkout.unconfirmed");
    check::holds("the portal is told of the lie (checkout.unconfirmed)", doubted, order)?;
    let status = check::text(&document, "/checkouts/0/status")?;
    Ok(format!("unconfirmed after {} ms (checkout {status})", after.as_millis()))
}

/// A real payment at the other merchant: its notification, its call number, its operation number.
async fn annexe_pays(journey: &Journey) -> Outcome<(String, String, String)> {
    let order = journey.register(&journey.annexe).await?;
    journey.pay_at_once(&journey.annexe, &order, cards::ORDINARY).await?;
    let settled = journey.settled(&journey.annexe, &order).await?;
    let sent = journey.bank().notifications(&order.prefix, 1).await?;
    let body =
        sent.first().and_then(|sent| sent.pointer("/body").and_then(Value::as_str)).unwrap_or_default().to_owned();
    check::holds("the notification has a body", !body.is_empty(), &sent)?;
    let call = check::text(&settled.document, "/ledger/0/call")?.to_owned();
    Ok((body, call, settled.operation))
}

async fn notify(journey: &Journey, gateway: &Gateway, body: &str) -> Outcome<u16> {
    Ok(journey.stage.client.ask(Question::post(gateway.notification_url(), FORM, body)).await?.status)
}

/// What PAYBOX would say of a success, for a checkout: exactly the facts and the order that the form asked for.
fn message(handed: &Handed, amount: i64, (call, operation): (&str, &str)) -> Outcome<String> {
    let retour = form_field(handed, "PBX_RETOUR")?;
    let values = retour.split(';').filter_map(|pair| {
        let (name, letter) = pair.split_once(':')?;
        let value = match letter {
            "M" => amount.to_string(),
            "R" => handed.reference.clone(),
            "T" => call.to_owned(),
            "S" => operation.to_owned(),
            "A" => "123456".to_owned(),
            "E" => "00000".to_owned(),
            "W" => "01092026".to_owned(),
            "Q" => "12%3A00%3A00".to_owned(),
            "P" => "CARTE".to_owned(),
            "C" => "CB".to_owned(),
            "D" => "3012".to_owned(),
            "J" => "44".to_owned(),
            "N" => "111122".to_owned(),
            "Y" => "FRA".to_owned(),
            "F" | "O" => "Y".to_owned(),
            "G" => "O".to_owned(),
            "v" => "2.2.0".to_owned(),
            _ => return None,
        };
        Some(format!("{name}={value}"))
    });
    Ok(values.collect::<Vec<_>>().join("&"))
}

/// The name under which the form asked for the signature.
fn signature_name(handed: &Handed) -> Outcome<String> {
    let retour = form_field(handed, "PBX_RETOUR")?;
    let name = retour.split(';').find_map(|pair| pair.strip_suffix(":K")).map(str::to_owned);
    name.ok_or_else(|| Trouble::of(format!("PBX_RETOUR asks for no signature: {retour}")))
}

fn form_field<'a>(handed: &'a Handed, name: &str) -> Outcome<&'a str> {
    let fields = check::list(&handed.document, "/form/fields")?;
    let field = fields.iter().find(|field| field.said("/name") == name);
    check::text(field.ok_or_else(|| Trouble::of(format!("the form has no {name}")))?, "/value")
}

/// A signature that PAYBOX's own fault spoilt on the way: the payer's return still gets the payment confirmed.
pub(super) async fn spoilt(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?;
    let fault = serde_json::json!({"target": "ipn", "action": "bad_signature", "reference": order.prefix});
    journey.bank().misbehave(fault).await?;
    let (handed, receipt) = journey.pay_at_once(&journey.ecole, &order, cards::ORDINARY).await?;
    let sent = journey.bank().notifications(&order.prefix, 1).await?;
    let status = sent.first().and_then(|sent| sent.number("/status"));
    check::equal("the answer to a spoilt signature", status, Some(400))?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let waiting = journey.ecole.order(&order.id).await?;
    check::equal("before the return", check::number(&waiting, "/paid/amount")?, 0)?;
    journey.come_back(&receipt, &handed).await?;
    let is_settled = |order: &Value| order.said("/status") == "settled";
    journey.ecole.until(&order.id, "settled by the return's question", SOON, is_settled).await?;
    let settled = journey.settled(&journey.ecole, &order).await?;
    Ok(format!("genuine payment, spoilt IPN: HTTP 400; asked at the return: paid by {}", settled.operation))
}
