//! `/v1/payers/{reference}/position`: a payer's account, and the line that proves it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Response},
};
use serde_json::{Value, json};

use super::{
    Gateway,
    idempotency::json_answer,
    orders::only_merchant,
    problem::{Code, Problem},
    query::{Query, day},
    written,
};
use crate::{
    app::{
        access::{Scope, sha256_hex},
        positions::PositionOn,
    },
    domain::{
        checkout::Locale,
        ids::MerchantId,
        money::Currency,
        payer::MAX_PORTAL_REFERENCE,
        position::{OrderAccount, Position, Sums},
        text::Text,
    },
};

pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    Path(reference): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Portal, Scope::Accounting]).await?;
    let query = Query::parse(query.as_deref(), &["merchant", "as_of"])?;
    let merchant = only_merchant(&caller, &query)?;
    let on = query.get("as_of").map(|text| day(text).ok_or_else(|| Problem::parameter("as_of"))).transpose()?;
    // What no order could name names nobody.
    let payer = Text::parse(&reference, MAX_PORTAL_REFERENCE).ok().filter(|payer| payer.as_str() == reference);
    let payer = payer.ok_or_else(|| Problem::of(Code::NotFound))?;
    let found = gateway.app.position(&caller, &merchant, payer.as_str(), on).await?;
    Ok(json_answer(200, &document(&merchant, &payer, &found)))
}

fn document(merchant: &MerchantId, payer: &Text, found: &PositionOn) -> Value {
    let position = &found.position;
    let money = |units: i64| json!({"amount": units, "currency": position.currency});
    let account = json!({
        "payer": payer,
        "merchant": merchant,
        "currency": position.currency,
        "orders": position.orders.iter().map(|order| order_account(order, position.currency)).collect::<Value>(),
        "sums": sums(&position.sums, position.currency),
        "debit": money(position.debit),
        "credit": money(position.credit),
        "position": money(position.position),
    });
    let digest = sha256_hex(account.to_string().as_bytes());
    let mut document = account;
    if let Some(members) = document.as_object_mut() {
        let more = [
            ("as_of", json!(found.as_of)),
            ("on", json!(found.on)),
            ("proof", json!({"fr": proof(found, Locale::Fr), "en": proof(found, Locale::En)})),
            ("digest", json!(digest)),
        ];
        members.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    document
}

fn order_account(account: &OrderAccount, currency: Currency) -> Value {
    json!({
        "order": account.order,
        "reference": account.reference,
        "placed_at": account.placed_at,
        "settled_at": account.settled_at,
        "blocked": account.blocked,
        "sums": sums(&account.sums, currency),
    })
}

fn sums(sums: &Sums, currency: Currency) -> Value {
    let money = |units: i64| json!({"amount": units, "currency": currency});
    json!({
        "excluding_vat": money(sums.excluding_vat),
        "vat": money(sums.vat),
        "including_vat": money(sums.including_vat),
        "financed": money(sums.financed),
        "invoiced": money(sums.invoiced),
        "credited": money(sums.credited),
        "captured": money(sums.captured),
        "paid_elsewhere": money(sums.paid_elsewhere),
        "allocated": money(sums.allocated),
        "unpaid": money(sums.unpaid),
        "refunded": money(sums.refunded),
        "charged_back": money(sums.charged_back),
        "written_off": money(sums.written_off),
    })
}

/// The position as a sum that anybody can do again.
fn proof(found: &PositionOn, locale: Locale) -> String {
    let Position { sums, currency, position, .. } = &found.position;
    let told = |units: i64| written::signed_amount(units, *currency, locale);
    let Sums { captured, paid_elsewhere, credited, written_off, invoiced, refunded, charged_back, .. } = *sums;
    let day = written::day(found.on, locale);
    match locale {
        Locale::Fr => format!(
            "Au {day} : encaissé {} + payé ailleurs {} + avoirs {} + abandonné {} − facturé {} − remboursé {} − repris par \
             la banque {} = {}",
            told(captured),
            told(paid_elsewhere),
            told(credited),
            told(written_off),
            told(invoiced),
            told(refunded),
            told(charged_back),
            told(*position)
        ),
        Locale::En => format!(
            "On {day}: captured {} + paid elsewhere {} + credit notes {} + written off {} − invoiced {} − refunded {} − \
             charged back {} = {}",
            told(captured),
            told(paid_elsewhere),
            told(credited),
            told(written_off),
            told(invoiced),
            told(refunded),
            told(charged_back),
            told(*position)
        ),
    }
}
