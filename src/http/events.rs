//! `/v1/events`: what happened, for portals that ask.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Gateway, idempotency::json_response, order_out, problem::Problem, query::Query};
use crate::app::{
    Rendered,
    access::Scope,
    events::{FeedEvent, MAX_PAGE},
};

pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, Scope::Portal).await?;
    let query = Query::parse(query.as_deref(), &["after", "limit"])?;
    let after = query.get("after").map_or(Ok(0), position)?;
    let (events, next) = gateway.app.events(&caller, after, query.limit(MAX_PAGE)?).await?;
    let document = json!({
        "events": events.iter().filter_map(event).collect::<Value>(),
        // To be asked for again and again: it is where this page ended, also when nothing came.
        "next": cursor(next),
    });
    Ok(json_response(&Rendered { status: 200, body: document.to_string(), version: None }))
}

fn event(event: &FeedEvent) -> Option<Value> {
    let (kind, data) = order_out::public_event(&event.recorded.event)?;
    Some(json!({
        "id": cursor(event.position),
        "type": kind,
        "at": event.recorded.at,
        "merchant": event.merchant,
        "order": event.order,
        "order_version": event.order_version,
        "actor": event.recorded.actor,
        "data": data,
    }))
}

/// Opaque to callers, so that it may change.
fn cursor(position: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("e{position}"))
}

fn position(cursor: &str) -> Result<u64, Problem> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.strip_prefix('e').and_then(|digits| digits.parse().ok()))
        .ok_or_else(|| Problem::parameter("after"))
}
