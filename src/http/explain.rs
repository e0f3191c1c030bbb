//! `/v1/orders/{id}/explain`: an order's story in plain French or English.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Response, header},
};
use serde_json::{Value, json};

use super::{
    Gateway, idempotency::json_response, layer::accepted_language, order_out, problem::Problem, query::order_id, story,
};
use crate::app::{Rendered, access::Scope};

pub(super) async fn explain(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Ops]).await?;
    let (current, events) = gateway.app.story(&caller, order_id(&id)?).await?;
    let locale = accepted_language(&headers);
    let steps: Value = events
        .iter()
        .map(|recorded| {
            json!({
                "at": recorded.at,
                "actor": recorded.actor,
                "text": story::sentence(&recorded.event, locale),
                "event": recorded.event,
            })
        })
        .collect();
    let document = json!({"order": order_out::order(&gateway.app, &current), "story": steps});
    let mut response =
        json_response(&Rendered { status: 200, body: document.to_string(), version: Some(current.version) });
    response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(locale.letters()));
    Ok(response)
}
