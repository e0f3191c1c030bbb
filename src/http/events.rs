//! `/v1/events`: what happened, for portals that ask.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, Response},
};
use serde_json::{Value, json};

use super::{Gateway, idempotency::json_answer, problem::Problem, query::Query};
use crate::app::{access::Scope, event_document, events::MAX_PAGE};

pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Portal]).await?;
    let query = Query::parse(query.as_deref(), &["after", "limit"])?;
    let after = query.get("after").map_or(Some(0), event_document::position);
    let after = after.ok_or_else(|| Problem::parameter("after"))?;
    let (events, next) = gateway.app.events(&caller, after, query.limit(MAX_PAGE)?).await?;
    let document = json!({
        "events": events.iter().filter_map(event_document::document).collect::<Value>(),
        // To be asked for again and again: it is where this page ended, also when nothing came.
        "next": event_document::cursor(next),
    });
    Ok(json_answer(200, &document))
}
