//! `/v1/orders`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Request, Response},
};
use serde_json::{Value, json};

use super::{
    Gateway,
    body::Received,
    idempotency::{Begun, json_response, remember, respond},
    order_in::OrderIn,
    order_out,
    problem::{Code, Problem},
    query::{Query, if_match, order_id},
};
use crate::{
    app::{
        Rendered,
        access::{Caller, Scope},
        orders::{MAX_PAGE, OrderFilter},
    },
    domain::{fault::FaultKind, ids::MerchantId},
};

pub(super) async fn place(
    State(gateway): State<Arc<Gateway>>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(request.headers(), Scope::Portal).await?;
    let request = Received::read(request, gateway.limits).await?;
    match gateway.begin(&caller, &request).await? {
        Begun::Answered(outcome) => Ok(respond(outcome)),
        Begun::Go { turn: _turn, key, fingerprint } => {
            let order: OrderIn = request.json()?;
            let merchant = ordered_of(&caller, order.merchant.as_deref())?;
            let new = order.parse(gateway.app.new_order_id(), merchant).map_err(Problem::faults)?;
            let remember = remember(key, fingerprint, |placed| order_out::rendered(placed, 201));
            Ok(respond(gateway.app.place_order(&caller, new, &remember).await?))
        }
    }
}

pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, Scope::Portal).await?;
    let found = gateway.app.order(&caller, order_id(&id)?).await?;
    Ok(json_response(&order_out::rendered(&found, 200)))
}

pub(super) async fn cancel(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(request.headers(), Scope::Portal).await?;
    let id = order_id(&id)?;
    let request = Received::read(request, gateway.limits).await?;
    let seen = if_match(&request.headers)?;
    match gateway.begin(&caller, &request).await? {
        Begun::Answered(outcome) => Ok(respond(outcome)),
        Begun::Go { turn: _turn, key, fingerprint } => {
            request.nothing_said()?;
            let remember = remember(key, fingerprint, |cancelled| order_out::rendered(cancelled, 200));
            Ok(respond(gateway.app.cancel_order(&caller, id, seen, &remember).await?))
        }
    }
}

pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, Scope::Portal).await?;
    let query = Query::parse(query.as_deref(), &["merchant", "payer", "status", "after", "limit"])?;
    let merchant = only_merchant(&caller, &query)?;
    let status = query.get("status");
    if status.is_some_and(|status| !["open", "settled", "cancelled"].contains(&status)) {
        return Err(Problem::parameter("status"));
    }
    let limit = query.limit(MAX_PAGE)?;
    let filter = OrderFilter {
        payer: query.get("payer").map(str::to_owned),
        status: status.map(str::to_owned),
        after: query.get("after").map(order_id).transpose().map_err(|_| Problem::parameter("after"))?,
        limit: limit + 1,
    };
    let mut found = gateway.app.orders(&caller, &merchant, &filter).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|last| last.order.id.to_string());
    let document = json!({"orders": found.iter().map(order_out::order).collect::<Value>(), "next": next});
    Ok(json_response(&Rendered { status: 200, body: document.to_string(), version: None }))
}

/// The merchant that is meant in a body: the one named, or the caller's only one.
pub(super) fn ordered_of(caller: &Caller, named: Option<&str>) -> Result<MerchantId, Problem> {
    match named {
        Some(named) => caller
            .merchants
            .iter()
            .find(|merchant| merchant.as_str() == named)
            .cloned()
            .ok_or_else(|| Problem::fault("/merchant", FaultKind::Unknown)),
        None => sole_merchant(caller).ok_or_else(|| Problem::fault("/merchant", FaultKind::Missing)),
    }
}

/// The merchant whose things are listed: the one named in the URL, or the caller's only one.
pub(super) fn only_merchant(caller: &Caller, query: &Query) -> Result<MerchantId, Problem> {
    match query.get("merchant") {
        Some(named) => named.parse().map_err(|_| Problem::of(Code::NotFound)),
        None => sole_merchant(caller).ok_or_else(|| Problem::parameter("merchant")),
    }
}

fn sole_merchant(caller: &Caller) -> Option<MerchantId> {
    match caller.merchants.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}
