//! `/v1/reconciliation`: what a store that lags does not know, and letting debits go on.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Request, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Gateway, body::Received, idempotency::json_answer, plans::ReasonIn, problem::Problem};
use crate::{
    app::access::{Caller, Scope},
    domain::reconcile::{LostCall, LostFinding, Reconcile},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndIn {
    reason: String,
    /// Gateways that are missing and not waited for.
    without: Option<Vec<String>>,
}

pub(super) async fn show(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Ops]).await?;
    let reconcile = gateway.app.reconciliation().await?;
    let missing = match &reconcile {
        Some(reconcile) => gateway.app.missing_instances(reconcile).await?,
        None => Vec::new(),
    };
    Ok(json_answer(200, &document(reconcile.as_ref(), &missing, &caller)))
}

/// Needs no Idempotency-Key: what has ended cannot end twice.
pub(super) async fn end(
    State(gateway): State<Arc<Gateway>>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(request.headers(), &[Scope::Ops]).await?;
    let request = Received::read(request, gateway.limits).await?;
    let EndIn { reason, without } = request.json()?;
    let reason = ReasonIn { reason }.read()?;
    let ended = gateway.app.end_reconcile(&caller, reason, &without.unwrap_or_default()).await?;
    gateway.news.notify_one();
    Ok(json_answer(200, &document(Some(&ended), &[], &caller)))
}

/// Calls of other merchants than the caller's are only counted.
fn document(reconcile: Option<&Reconcile>, missing: &[String], caller: &Caller) -> Value {
    let Some(reconcile) = reconcile else { return json!({"state": "none", "debits_frozen": false}) };
    let state = if !reconcile.is_open() {
        "ended"
    } else if reconcile.is_asking() {
        "asking"
    } else {
        "asked"
    };
    let calls: Vec<Value> =
        reconcile.calls.iter().filter(|call| caller.merchants.contains(&call.left.merchant)).map(lost).collect();
    json!({
        "state": state,
        "debits_frozen": reconcile.is_open(),
        "since": reconcile.since,
        "why": reconcile.why,
        "lost_calls": reconcile.calls.len(),
        "calls": calls,
        "missing_instances": missing,
        "asked_at": reconcile.asked_at,
        "ended_at": reconcile.ended.as_ref().map(|end| end.at),
        "ended_by": reconcile.ended.as_ref().map(|end| end.by.clone()),
        "ended_without": reconcile.ended.as_ref().map(|end| end.without.clone()),
        "reason": reconcile.ended.as_ref().map(|end| end.reason.as_str().to_owned()),
    })
}

fn lost(call: &LostCall) -> Value {
    let (finding, operation) = match call.finding {
        None => (None, None),
        Some(LostFinding::Nothing) => (Some("nothing"), None),
        Some(LostFinding::Found { operation }) => (Some("found"), Some(operation.number.to_string())),
    };
    json!({
        "merchant": call.left.merchant,
        "order": call.left.order,
        "reference": call.left.call.names().0,
        "amount": call.left.call.amount(),
        "finding": finding,
        "operation": operation,
    })
}
