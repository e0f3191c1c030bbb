//! `/v1/orders/{id}/explain`: an order's story in plain French or English.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Response, header},
};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{
    Gateway, idempotency::json_response, layer::accepted_language, order_out, problem::Problem, query::order_id,
    story::Teller,
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
    // A merchant that is configured no more has no clocks.
    let zone = gateway.app.merchant(&current.order.merchant).map_or(TimeZone::UTC, |known| known.policy.zone.clone());
    let teller = Teller { locale, zone };
    let steps: Value = events
        .iter()
        .map(|recorded| {
            json!({
                "at": recorded.at,
                "actor": recorded.actor,
                "text": teller.sentence(&recorded.event),
                "event": without_secrets(json!(recorded.event)),
            })
        })
        .collect();
    let document = json!({"order": order_out::order(&gateway.app, &current), "story": steps});
    let mut response =
        json_response(&Rendered { status: 200, body: document.to_string(), version: Some(current.version) });
    response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(locale.letters()));
    Ok(response)
}

/// What even sealed is nobody's to read here.
fn without_secrets(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            members.retain(|name, _| !matches!(name.as_str(), "sealed_token" | "fingerprint"));
            members.values_mut().for_each(|member| *member = without_secrets(member.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_secrets(item.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    value
}
