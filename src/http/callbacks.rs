//! `/v1/callbacks`: what came in under PAYBOX's name, for operators: when, how it was taken, why. The bytes themselves
//! are sealed; `guichet callbacks list --raw` opens them.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, Response},
};
use serde_json::{Value, json};

use super::{Gateway, idempotency::json_answer, orders::only_merchant, problem::Problem, query::Query};
use crate::app::{
    access::Scope,
    callback::{CallbackRecord, MAX_PAGE},
};

pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Ops]).await?;
    let query = Query::parse(query.as_deref(), &["merchant", "limit"])?;
    let merchant = only_merchant(&caller, &query)?;
    let callbacks = gateway.app.callbacks(&caller, &merchant, query.limit(MAX_PAGE)?).await?;
    let document = json!({"callbacks": callbacks.iter().map(callback).collect::<Value>()});
    Ok(json_answer(200, &document))
}

fn callback(callback: &CallbackRecord) -> Value {
    json!({
        "received_at": callback.received_at,
        "verdict": callback.verdict,
        "reason": callback.reason,
        "order": callback.order,
    })
}
