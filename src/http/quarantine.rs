//! `/v1/quarantine`: what waits for people, and their verdicts.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Request, Response},
};
use serde_json::{Value, json};

use super::{
    Gateway, correction_out,
    idempotency::{Asked, json_answer},
    orders::{after, only_merchant, page},
    problem::{Code, Problem},
    quarantine_in::{Item, VerdictIn, VerdictsIn},
    query::{Query, if_match, order_id},
};
use crate::{
    app::{Outcome, Rendered, Versioned, access::Scope, orders::MAX_PAGE},
    domain::{quarantine::Subject, text::Text},
};

const MAY_DECIDE: [Scope; 2] = [Scope::Accounting, Scope::Ops];

pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &MAY_DECIDE).await?;
    let query = Query::parse(query.as_deref(), &["merchant", "after", "limit"])?;
    let merchant = only_merchant(&caller, &query)?;
    let (limit, after) = (query.limit(MAX_PAGE)?, after(&query)?);
    let (found, next) = page(gateway.app.quarantined(&caller, &merchant, after, limit + 1).await?, limit);
    let items: Value = found.iter().map(item).collect();
    Ok(json_answer(200, &json!({"items": items, "next": next})))
}

fn item(current: &Versioned) -> Value {
    let Versioned { order, version } = current;
    json!({
        "order": order.id.to_string(),
        "reference": order.reference,
        "payer": order.payer.reference,
        "version": version,
        "waiting": correction_out::waiting(order),
    })
}

/// One person's verdict on one thing.
pub(super) async fn give(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let give = |asked: Asked| async move {
        let (id, seen) = (order_id(&id)?, if_match(&asked.request.headers)?);
        let said: VerdictIn = asked.request.json()?;
        let (subject, verdict, evidence) = said.parse().map_err(Problem::faults)?;
        let (given, remember) = ((subject, verdict, &evidence), asked.remember_order(200));
        let outcome = asked.app().give_verdict(&asked.caller, id, given, seen, &remember).await?;
        asked.poke_worker();
        Ok(outcome)
    };
    gateway.once(request, &MAY_DECIDE, give).await
}

/// The same on several, each by itself: what one comes to changes nothing for the others.
pub(super) async fn give_several(
    State(gateway): State<Arc<Gateway>>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let give = |asked: Asked| async move {
        let said: VerdictsIn = asked.request.json()?;
        let (items, evidence) = said.parse().map_err(Problem::faults)?;
        let mut outcomes = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let outcome = match give_one(&asked, index, item, &evidence).await {
                Ok(given) => given.rendered.body,
                Err(problem) if is_its_own(problem.code) => problem.code.name().to_owned(),
                // What is done is remembered item by item: the same request goes on from there.
                Err(problem) => return Err(problem),
            };
            outcomes.push(json!({"order": item.order, "outcome": outcome}));
        }
        asked.poke_worker();
        let rendered =
            |items: &Value| Rendered { status: 200, body: json!({"items": items}).to_string(), version: None };
        Ok(asked.app().remember(&asked.remember(rendered), &Value::Array(outcomes)).await?)
    };
    gateway.once(request, &MAY_DECIDE, give).await
}

/// Remembers as its answer what it came to.
async fn give_one(asked: &Asked, index: usize, item: &Item, evidence: &Text) -> Result<Outcome, Problem> {
    let id = order_id(&item.order)?;
    let subject = item.subject;
    let remember = asked.remember_part(index, move |current: &Versioned| Rendered {
        status: 200,
        body: if waits(current, subject) { "given" } else { "resolved" }.to_owned(),
        version: Some(current.version),
    });
    Ok(asked.app().give_verdict(&asked.caller, id, (subject, item.verdict, evidence), None, &remember).await?)
}

fn waits(current: &Versioned, subject: Subject) -> bool {
    current.order.waiting().iter().any(|waiting| waiting.subject == subject)
}

/// Whether a problem is one item's alone.
fn is_its_own(code: Code) -> bool {
    matches!(
        code,
        Code::NotFound | Code::NothingWaits | Code::VerdictDoesNotFit | Code::SecondPersonNeeded | Code::Busy
    )
}
