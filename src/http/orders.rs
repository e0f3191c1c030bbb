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
};
use crate::{
    app::{
        Rendered,
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
    let caller = gateway.caller(request.headers(), Scope::Portal).await?;
    let request = Received::read(request, gateway.limits).await?;
    let Begun::Go { turn: _turn, key, fingerprint } = gateway.begin(&caller, &request).await? else {
        return replay(&gateway, &caller, &request).await;
    };
    let order: OrderIn = request.json()?;
    let merchant = pick_merchant(&caller, order.merchant.as_deref())?;
    let new = order.parse(gateway.app.new_order_id(), merchant).map_err(Problem::faults)?;
    let remember = remember(key, fingerprint, |placed| order_out::rendered(placed, 201));
    Ok(respond(gateway.app.place_order(&caller, new, &remember).await?))
}

/// The answer that the request had before.
pub(super) async fn replay(gateway: &Gateway, caller: &Caller, request: &Received) -> Result<Response<Body>, Problem> {
    match gateway.begin(caller, request).await? {
        Begun::Answered(outcome) => Ok(respond(outcome)),
        Begun::Go { .. } => Err(Problem::of(Code::RequestInProgress)),
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
    match gateway.begin(&caller, &request).await? {
        Begun::Answered(outcome) => Ok(respond(outcome)),
        Begun::Go { turn: _turn, key, fingerprint } => {
            if !request.body.is_empty() {
                // Nothing may be said with a cancellation; what is not understood is refused, not ignored.
                let members: serde_json::Map<String, Value> = request.json()?;
                if let Some(name) = members.keys().next() {
                    return Err(Problem::fault(format!("/{name}"), FaultKind::UnknownField));
                }
            }
            let remember = remember(key, fingerprint, |cancelled| order_out::rendered(cancelled, 200));
            Ok(respond(gateway.app.cancel_order(&caller, id, &remember).await?))
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
    let merchant = pick_merchant(&caller, query.get("merchant"))?;
    let status = query.get("status");
    if status.is_some_and(|status| !["open", "settled", "cancelled"].contains(&status)) {
        return Err(Problem::of(Code::MalformedRequest));
    }
    let limit = query.limit(MAX_PAGE)?;
    let filter = OrderFilter {
        payer: query.get("payer").map(str::to_owned),
        status: status.map(str::to_owned),
        after: query.get("after").map(order_id).transpose().map_err(|_| Problem::of(Code::MalformedRequest))?,
        limit: limit + 1,
    };
    let mut found = gateway.app.orders(&caller, &merchant, &filter).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|last| last.order.id.to_string());
    let document = json!({"orders": found.iter().map(order_out::order).collect::<Value>(), "next": next});
    Ok(json_response(&Rendered { status: 200, body: document.to_string(), version: None }))
}

pub(super) fn order_id(raw: &str) -> Result<OrderId, Problem> {
    raw.parse().map_err(|_| Problem::of(Code::NotFound))
}

/// The merchant that is meant: the one named, or the caller's only one.
pub(super) fn pick_merchant(caller: &Caller, named: Option<&str>) -> Result<MerchantId, Problem> {
    match (named, caller.merchants.as_slice()) {
        (Some(named), mine) => mine
            .iter()
            .find(|merchant| merchant.as_str() == named)
            .cloned()
            .ok_or_else(|| Problem::fault("/merchant", FaultKind::Unknown)),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Problem::fault("/merchant", FaultKind::Missing)),
    }
}

/// The parameters of a URL, each known and there once.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(raw: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            let is_double = pairs.iter().any(|(other, _)| *other == name);
            let fits = known.contains(&name.as_ref()) && !is_double && value.chars().count() <= 200;
            if !fits || value.chars().any(char::is_control) {
                return Err(Problem::of(Code::MalformedRequest));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `limit`, from 1 to `max`; `max` when it is not given.
    pub(super) fn limit(&self, max: usize) -> Result<usize, Problem> {
        match self.get("limit").map(str::parse::<usize>) {
            None => Ok(max),
            Some(Ok(limit)) if (1..=max).contains(&limit) => Ok(limit),
            Some(_) => Err(Problem::of(Code::MalformedRequest)),
        }
    }
}
