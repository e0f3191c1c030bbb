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
    idempotency::{Asked, json_answer, json_response},
    order_in::OrderIn,
    order_out,
    problem::{Code, Problem},
    query::{Query, if_match, order_id},
};
use crate::{
    app::{
        Versioned,
        access::{Caller, Scope},
        orders::{MAX_PAGE, OrderFilter},
    },
    domain::{
        fault::FaultKind,
        ids::{MerchantId, OrderId},
    },
};

pub(super) async fn place(
    State(gateway): State<Arc<Gateway>>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let place = |asked: Asked| async move {
        let order: OrderIn = asked.request.json()?;
        let merchant = ordered_of(&asked.caller, order.merchant.as_deref())?;
        let new = order.parse(asked.app().new_order_id(), merchant).map_err(Problem::faults)?;
        Ok(asked.app().place_order(&asked.caller, new, &asked.remember_order(201)).await?)
    };
    gateway.once(request, &[Scope::Portal], place).await
}

pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Portal, Scope::Accounting]).await?;
    let found = gateway.app.order(&caller, order_id(&id)?).await?;
    Ok(json_response(&order_out::rendered(&gateway.app, &found, 200)))
}

pub(super) async fn cancel(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let cancel = |asked: Asked| async move {
        let (id, seen) = (order_id(&id)?, if_match(&asked.request.headers)?);
        asked.request.nothing_said()?;
        Ok(asked.app().cancel_order(&asked.caller, id, seen, &asked.remember_order(200)).await?)
    };
    gateway.once(request, &[Scope::Portal], cancel).await
}

pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Portal]).await?;
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
        after: after(&query)?,
        limit: limit + 1,
    };
    let (found, next) = page(gateway.app.orders(&caller, &merchant, &filter).await?, limit);
    let orders: Value = found.iter().map(|found| order_out::order(&gateway.app, found)).collect();
    Ok(json_answer(200, &json!({"orders": orders, "next": next})))
}

/// The first `limit` of what was found, of which one more was asked for, and after which order to read on.
pub(super) fn page(mut found: Vec<Versioned>, limit: usize) -> (Vec<Versioned>, Option<String>) {
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|last| last.order.id.to_string());
    (found, next)
}

/// `after`, of a list of orders.
pub(super) fn after(query: &Query) -> Result<Option<OrderId>, Problem> {
    query.get("after").map(order_id).transpose().map_err(|_| Problem::parameter("after"))
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
