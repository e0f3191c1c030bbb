//! `/v1/debit-runs`: starting a day's debits, seeing how far they are, going on after the bank refused us.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, Request, Response, header},
};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Gateway,
    body::Received,
    idempotency::json_answer,
    orders::{after, only_merchant, ordered_of, page},
    plan_out::{meaning, next_attempt_on},
    problem::{Code, Problem},
    query::{Query, day},
};
use crate::{
    app::{
        App, Versioned,
        access::Scope,
        debit_run::{OUTCOMES, PreviewItem, StoredRun, outcome},
        orders::MAX_PAGE,
    },
    domain::{attempt::AttemptState, fault::FaultKind, ids::MerchantId, money::Money, order::Order, run::RunState},
};

const MAY_START: [Scope; 2] = [Scope::Scheduler, Scope::Accounting];
const MAY_SEE: [Scope; 3] = [Scope::Scheduler, Scope::Accounting, Scope::Ops];
const MAY_RESUME: [Scope; 2] = [Scope::Accounting, Scope::Ops];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunIn {
    /// May be left out by keys of a single merchant.
    merchant: Option<String>,
    due_date: String,
}

/// Needs no Idempotency-Key: the same merchant and date are the same run.
pub(super) async fn start(
    State(gateway): State<Arc<Gateway>>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(request.headers(), &MAY_START).await?;
    let request = Received::read(request, gateway.limits).await?;
    let RunIn { merchant, due_date } = request.json()?;
    let merchant = ordered_of(&caller, merchant.as_deref())?;
    let date = day(&due_date).ok_or_else(|| Problem::fault("/due_date", FaultKind::WrongType))?;
    let (run, is_new) = gateway.app.start_run(&caller, &merchant, date).await?;
    gateway.news.notify_one();
    let mut response = json_answer(if is_new { 202 } else { 200 }, &document(&gateway.app, &run).await?);
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/debit-runs/{}", id_of(&run))) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &MAY_SEE).await?;
    let (merchant, date) = run_id(&id)?;
    let run = gateway.app.run(&caller, &merchant, date).await?;
    Ok(json_answer(200, &document(&gateway.app, &run).await?))
}

pub(super) async fn resume(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(request.headers(), &MAY_RESUME).await?;
    let request = Received::read(request, gateway.limits).await?;
    let (merchant, date) = run_id(&id)?;
    request.nothing_said()?;
    let run = gateway.app.resume_run(&caller, &merchant, date).await?;
    gateway.news.notify_one();
    Ok(json_answer(200, &document(&gateway.app, &run).await?))
}

pub(super) async fn items(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &MAY_SEE).await?;
    let query = Query::parse(query.as_deref(), &["outcome", "after", "limit"])?;
    let (merchant, date) = run_id(&id)?;
    let wanted = query.get("outcome");
    if wanted.is_some_and(|wanted| !OUTCOMES.contains(&wanted)) {
        return Err(Problem::parameter("outcome"));
    }
    let (limit, after) = (query.limit(MAX_PAGE)?, after(&query)?);
    gateway.app.run(&caller, &merchant, date).await?;
    let found = gateway.app.run_items(&caller, &merchant, date, wanted, after, limit + 1).await?;
    let (found, next) = page(found, limit);
    let items: Value = found.iter().filter_map(|found| item(&found.order, date)).collect();
    Ok(json_answer(200, &json!({"items": items, "next": next})))
}

pub(super) async fn preview(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &MAY_START).await?;
    let query = Query::parse(query.as_deref(), &["merchant", "date", "after", "limit"])?;
    let merchant = only_merchant(&caller, &query)?;
    let date = query.get("date").and_then(day).ok_or_else(|| Problem::parameter("date"))?;
    let (limit, after) = (query.limit(MAX_PAGE)?, after(&query)?);
    let mut found = gateway.app.preview_run(&caller, &merchant, date, after, limit + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|last| last.order.order.id.to_string());
    let items: Value = found.iter().map(previewed).collect();
    Ok(json_answer(200, &json!({"date": date, "items": items, "next": next})))
}

fn id_of(run: &StoredRun) -> String {
    format!("{}.{}", run.merchant, run.run.date)
}

/// `<merchant>.<YYYY-MM-DD>`; what is none names nothing.
fn run_id(raw: &str) -> Result<(MerchantId, Date), Problem> {
    let parts = raw.split_once('.').and_then(|(merchant, date)| Some((merchant.parse().ok()?, day(date)?)));
    parts.ok_or_else(|| Problem::of(Code::NotFound))
}

async fn document(app: &App, stored: &StoredRun) -> Result<Value, Problem> {
    let (run, merchant) = (&stored.run, app.merchant(&stored.merchant)?);
    let tally = app.run_tally(&stored.merchant, run.date).await?.0;
    let count = |outcome: &str| tally.get(outcome).map_or(0, |(count, _)| *count);
    let is_doubtful = count("in_doubt") > 0 || count("quarantined") > 0;
    let (state, stopped_code, ended_at) = match &run.state {
        RunState::Selecting | RunState::Running if app.is_frozen().await? => ("frozen", None, None),
        RunState::Selecting | RunState::Running => ("running", None, None),
        RunState::Stopped { code, .. } => ("stopped_config", Some(code), None),
        RunState::Ended { at } => (if is_doubtful { "done_with_doubt" } else { "done" }, None, Some(at)),
    };
    let (mut counts, mut sums) = (json!({}), json!({}));
    let (mut all, mut sum) = (0_u64, 0_i64);
    let money = |units: i64| json!({"amount": units, "currency": merchant.currency});
    for (outcome, (count, units)) in &tally {
        all = all.saturating_add(*count);
        sum = sum.saturating_add(*units);
        set(&mut counts, outcome, json!(count));
        set(&mut sums, outcome, money(*units));
    }
    set(&mut counts, "total", json!(all));
    set(&mut sums, "total", money(sum));
    Ok(json!({
        "id": id_of(stored),
        "merchant": stored.merchant,
        "due_date": run.date,
        "state": state,
        "started_at": run.started_at,
        "started_by": run.started_by,
        "stopped_code": stopped_code,
        "ended_at": ended_at,
        "counts": counts,
        "sums": sums,
    }))
}

fn set(document: &mut Value, name: &str, value: Value) {
    if let Some(members) = document.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// What a run did for an order.
fn item(order: &Order, date: Date) -> Option<Value> {
    let of_run = |due: &&crate::domain::schedule::Instalment| due.debits.iter().any(|debit| debit.run == date);
    let due = order.schedule.iter().find(of_run)?;
    let debit = due.debits.iter().find(|debit| debit.run == date)?;
    let code = match &debit.attempt.state {
        AttemptState::Refused { code, .. } => Some(code),
        AttemptState::Ready { .. }
        | AttemptState::Sent(_)
        | AttemptState::InDoubt(_)
        | AttemptState::Accepted { .. }
        | AttemptState::NotExecuted
        | AttemptState::Quarantined { .. } => None,
    };
    Some(json!({
        "order": order.id.to_string(),
        "reference": order.reference,
        "payer": order.payer.reference,
        "instalment": due.number,
        "amount": due.amount,
        "outcome": outcome(debit),
        "attempt": debit.attempt.number,
        "code": code,
        "explanation": code.map(|code| meaning(code)),
        "next_attempt_on": next_attempt_on(order, due),
    }))
}

fn previewed(item: &PreviewItem) -> Value {
    let PreviewItem { order: Versioned { order, .. }, instalment } = item;
    let due = instalment.as_ref().ok();
    let amount: Option<Money> = due.map(|due| due.amount);
    json!({
        "order": order.id.to_string(),
        "reference": order.reference,
        "payer": order.payer.reference,
        "instalment": due.map(|due| due.number),
        "amount": amount,
        "left_out": instalment.as_ref().err(),
    })
}
