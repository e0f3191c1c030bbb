//! `/v1/orders/{id}/plan` and `/v1/plans`: asking for instalments, accounting's answers, and stopping the debits of one.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Request, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Gateway,
    idempotency::{Asked, json_answer, json_response},
    money_in::MoneyIn,
    order_out,
    orders::{after, only_merchant, page},
    plan_out,
    problem::{Code, Problem},
    query::{Query, if_match, order_id},
};
use crate::{
    app::{
        Rendered,
        access::Scope,
        orders::MAX_PAGE,
        plans::{PlanAnswer, PlanFilter, PlanOrder},
    },
    domain::{
        fault::{Fault, FaultKind},
        plan::MAX_REASON,
        text::Text,
    },
};

/// How a plan may stand.
const STATUSES: [&str; 10] = [
    "requested",
    "approved",
    "refused",
    "withdrawn",
    "active",
    "past_due",
    "paused",
    "completed",
    "cancelled",
    "defaulted",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestIn {
    template: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalIn {
    terms: String,
    first_amount: Option<MoneyIn>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonIn {
    pub(super) reason: String,
}

impl ReasonIn {
    pub(super) fn read(self) -> Result<Text, Problem> {
        Text::parse(&self.reason, MAX_REASON).map_err(|fault| Problem::fault("/reason", FaultKind::Text(fault)))
    }
}

pub(super) async fn request(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let ask = |asked: Asked| async move {
        let id = order_id(&id)?;
        let RequestIn { template } = asked.request.json()?;
        let outcome = asked.app().request_plan(&asked.caller, id, &template, &asked.remember_order(201)).await?;
        asked.poke_worker();
        Ok(outcome)
    };
    gateway.once(request, &[Scope::Portal], ask).await
}

pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Portal, Scope::Accounting]).await?;
    let found = gateway.app.order(&caller, order_id(&id)?).await?;
    let document = plan_out::alone(&gateway.app, &found).ok_or_else(|| Problem::of(Code::NotFound))?;
    Ok(json_response(&Rendered { status: 200, body: document.to_string(), version: Some(found.version) }))
}

pub(super) async fn withdraw(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let withdraw = |asked: Asked| async move {
        let (id, seen) = (order_id(&id)?, if_match(&asked.request.headers)?);
        asked.request.nothing_said()?;
        let outcome = asked.app().withdraw_plan(&asked.caller, id, seen, &asked.remember_order(200)).await?;
        asked.poke_worker();
        Ok(outcome)
    };
    gateway.once(request, &[Scope::Portal], withdraw).await
}

pub(super) async fn approve(
    gateway: State<Arc<Gateway>>,
    id: Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    answer(gateway, id, request, |asked| approval(asked.request.json()?)).await
}

pub(super) async fn refuse(
    gateway: State<Arc<Gateway>>,
    id: Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    answer(gateway, id, request, |asked| {
        let said: ReasonIn = asked.request.json()?;
        Ok(PlanAnswer::Refuse { reason: said.read()? })
    })
    .await
}

async fn answer(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
    read: fn(&Asked) -> Result<PlanAnswer, Problem>,
) -> Result<Response<Body>, Problem> {
    let answer = |asked: Asked| async move {
        let (id, seen) = (order_id(&id)?, if_match(&asked.request.headers)?);
        let answer = read(&asked)?;
        let outcome = asked.app().answer_plan(&asked.caller, id, &answer, seen, &asked.remember_order(200)).await?;
        asked.poke_worker();
        Ok(outcome)
    };
    gateway.once(request, &[Scope::Accounting], answer).await
}

fn approval(said: ApprovalIn) -> Result<PlanAnswer, Problem> {
    let mut faults = Vec::new();
    let first = said.first_amount.map(MoneyIn::parse);
    if first == Some(None) {
        faults.push(Fault::new("/first_amount/amount", FaultKind::AmountOutOfRange));
    }
    let reason = said.reason.filter(|reason| !reason.trim().is_empty()).map(|reason| Text::parse(&reason, MAX_REASON));
    if let Some(Err(fault)) = &reason {
        faults.push(Fault::new("/reason", FaultKind::Text(*fault)));
    }
    if !faults.is_empty() {
        return Err(Problem::faults(faults));
    }
    Ok(PlanAnswer::Approve { terms: said.terms, first: first.flatten(), reason: reason.and_then(Result::ok) })
}

pub(super) async fn pause(
    gateway: State<Arc<Gateway>>,
    id: Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    order(gateway, id, request, PlanOrder::Pause).await
}

pub(super) async fn resume(
    gateway: State<Arc<Gateway>>,
    id: Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    order(gateway, id, request, PlanOrder::Resume).await
}

pub(super) async fn cancel(
    gateway: State<Arc<Gateway>>,
    id: Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    order(gateway, id, request, PlanOrder::Cancel).await
}

async fn order(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
    what: PlanOrder,
) -> Result<Response<Body>, Problem> {
    let order = |asked: Asked| async move {
        let (id, seen) = (order_id(&id)?, if_match(&asked.request.headers)?);
        asked.request.nothing_said()?;
        let outcome = asked.app().order_plan(&asked.caller, id, what, seen, &asked.remember_order(200)).await?;
        asked.poke_worker();
        Ok(outcome)
    };
    gateway.once(request, &[Scope::Accounting], order).await
}

/// Has an instalment in arrears debited once more.
pub(super) async fn retry(
    State(gateway): State<Arc<Gateway>>,
    Path((id, number)): Path<(String, String)>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let retry = |asked: Asked| async move {
        let (id, seen) = (order_id(&id)?, if_match(&asked.request.headers)?);
        let number = number.parse().map_err(|_| Problem::of(Code::NotFound))?;
        let said: ReasonIn = asked.request.json()?;
        let (reason, remember) = (said.read()?, asked.remember_order(200));
        let outcome = asked.app().retry_debit(&asked.caller, id, number, reason, seen, &remember).await?;
        asked.poke_worker();
        Ok(outcome)
    };
    gateway.once(request, &[Scope::Accounting], retry).await
}

/// Orders with a plan, as `GET /v1/orders` lists orders.
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Accounting]).await?;
    let query = Query::parse(query.as_deref(), &["merchant", "status", "after", "limit"])?;
    let merchant = only_merchant(&caller, &query)?;
    let status = query.get("status");
    if status.is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(Problem::parameter("status"));
    }
    let limit = query.limit(MAX_PAGE)?;
    let filter = PlanFilter { status: status.map(str::to_owned), after: after(&query)?, limit: limit + 1 };
    let (found, next) = page(gateway.app.plans(&caller, &merchant, &filter).await?, limit);
    let orders: Value = found.iter().map(|found| order_out::order(&gateway.app, found)).collect();
    Ok(json_answer(200, &json!({"orders": orders, "next": next})))
}
