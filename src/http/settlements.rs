//! `/v1/settlements`: which captures have reached the merchant's account, in which remittance, and which have not yet.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Response, header},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Gateway,
    correction_out::is_money_in,
    csv,
    idempotency::json_answer,
    orders::{after, only_merchant, page},
    problem::{Code, Problem},
    query::Query,
};
use crate::{
    app::{
        Versioned,
        access::{Caller, Scope},
        orders::MAX_PAGE,
    },
    domain::{
        ids::{MerchantId, OrderId},
        ledger::{Entry, EntryKind},
        numbers::OperationNumber,
        order::Order,
    },
};

/// What is younger is on its way as usual.
const USUAL_DAYS: i64 = 3;
const MAX_DAYS: i64 = 366;
const CSV: &str = "text/csv";

pub(super) async fn unsettled(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Accounting]).await?;
    let query = Query::parse(query.as_deref(), &["merchant", "older_than_days", "after", "limit"])?;
    let merchant = only_merchant(&caller, &query)?;
    let days = match query.get("older_than_days").map(str::parse) {
        None => USUAL_DAYS,
        Some(Ok(days)) if (0..=MAX_DAYS).contains(&days) => days,
        Some(_) => return Err(Problem::parameter("older_than_days")),
    };
    let (limit, after) = (query.limit(MAX_PAGE)?, after(&query)?);
    let (found, next) = page(gateway.app.unsettled(&caller, &merchant, after, limit + 1).await?, limit);
    let now = gateway.app.now();
    let items: Value = found.iter().flat_map(|found| unsettled_of(&found.order, now, days)).collect();
    Ok(json_answer(200, &json!({"items": items, "next": next})))
}

fn unsettled_of(order: &Order, now: Timestamp, older_than: i64) -> impl Iterator<Item = Value> {
    order.unsettled.iter().filter_map(move |unsettled| {
        let captured = captured(order, &unsettled.operation.number)?;
        let days = now.duration_since(captured.at).as_hours() / 24;
        (days >= older_than).then(|| {
            json!({
                "order": order.id.to_string(),
                "reference": order.reference,
                "payer": order.payer.reference,
                "operation": unsettled.operation.number.to_string(),
                "amount": captured.amount,
                "captured_at": captured.at,
                "days": days,
            })
        })
    })
}

/// The entry by which an operation brought money in.
fn captured<'a>(order: &'a Order, number: &OperationNumber) -> Option<&'a Entry> {
    order.ledger.iter().find(|entry| entry.operation.number == *number && is_money_in(&entry.kind))
}

/// What was collected in one remittance: as a document, page by page, or whole as CSV.
pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    Path(remittance): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Accounting]).await?;
    let query = Query::parse(query.as_deref(), &["merchant", "after", "limit"])?;
    let merchant = only_merchant(&caller, &query)?;
    let (limit, after) = (query.limit(MAX_PAGE)?, after(&query)?);
    let plain = (1..=19).contains(&remittance.len()) && remittance.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<u64> = remittance.parse().ok().filter(|_| plain);
    let number = number.ok_or_else(|| Problem::of(Code::NotFound))?;
    let all = all_of(&gateway, &caller, &merchant, number).await?;
    let lines: Vec<Collected<'_>> = all.iter().flat_map(|found| collected(&found.order, number)).collect();
    if lines.is_empty() {
        return Err(Problem::of(Code::NotFound));
    }
    if wants_csv(&headers) {
        return Ok(as_csv(number, &lines));
    }
    let rest = all.iter().filter(|found| after.is_none_or(|after| found.order.id > after)).take(limit + 1).cloned();
    let (found, next) = page(rest.collect(), limit);
    let sum: i64 = lines.iter().map(|line| line.entry.amount.minor_units()).sum();
    let currency = gateway.app.merchant(&merchant)?.currency;
    let items: Value =
        found.iter().flat_map(|found| collected(&found.order, number)).map(|line| line.document()).collect();
    let document = json!({
        "remittance": number.to_string(),
        "items": items,
        "sum": {"amount": sum, "currency": currency},
        "next": next,
    });
    Ok(json_answer(200, &document))
}

/// Every order of which something was collected in a remittance: what one night brings in.
async fn all_of(
    gateway: &Gateway,
    caller: &Caller,
    merchant: &MerchantId,
    remittance: u64,
) -> Result<Vec<Versioned>, Problem> {
    let mut all: Vec<Versioned> = Vec::new();
    loop {
        let after: Option<OrderId> = all.last().map(|last| last.order.id);
        let found = gateway.app.remitted(caller, merchant, remittance, after, MAX_PAGE).await?;
        let is_last = found.len() < MAX_PAGE;
        all.extend(found);
        if is_last {
            return Ok(all);
        }
    }
}

/// One operation that was collected.
struct Collected<'a> {
    order: &'a Order,
    entry: &'a Entry,
    original: OperationNumber,
    captured_at: Option<Timestamp>,
}

fn collected(order: &Order, wanted: u64) -> impl Iterator<Item = Collected<'_>> {
    order.ledger.iter().filter_map(move |entry| match entry.kind {
        EntryKind::Settlement { original, remittance } if remittance == wanted => {
            let captured_at = captured(order, &original).map(|captured| captured.at);
            Some(Collected { order, entry, original, captured_at })
        }
        EntryKind::Settlement { .. }
        | EntryKind::Capture { .. }
        | EntryKind::Debit { .. }
        | EntryKind::Surplus { .. }
        | EntryKind::GivenBack { .. }
        | EntryKind::Chargeback { .. } => None,
    })
}

impl Collected<'_> {
    fn document(&self) -> Value {
        json!({
            "order": self.order.id.to_string(),
            "reference": self.order.reference,
            "payer": self.order.payer.reference,
            "operation": self.original.to_string(),
            "amount": self.entry.amount,
            "captured_at": self.captured_at,
            "settled_at": self.entry.at,
        })
    }

    fn line(&self) -> String {
        let captured_at = self.captured_at.map(|at| at.to_string()).unwrap_or_default();
        csv::line(&[
            &self.order.id.to_string(),
            self.order.reference.as_str(),
            self.order.payer.reference.as_str(),
            &self.original.to_string(),
            &self.entry.amount.to_major_string(),
            self.entry.amount.currency().letters(),
            &captured_at,
            &self.entry.at.to_string(),
        ])
    }
}

fn as_csv(remittance: u64, lines: &[Collected<'_>]) -> Response<Body> {
    let head = ["order", "reference", "payer", "operation", "amount", "currency", "captured_at", "settled_at"];
    let text: String = std::iter::once(csv::line(&head)).chain(lines.iter().map(Collected::line)).collect();
    csv::table(text, &format!("remittance-{remittance}.csv"))
}

/// Whether the caller names CSV; JSON is what all others get.
fn wants_csv(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds =
        accepted.flat_map(|value| value.split(',')).map(|kind| kind.split(';').next().unwrap_or(kind).trim());
    kinds.any(|kind| kind.eq_ignore_ascii_case(CSV))
}
