//! `/v1/webhook-endpoints` and `/v1/deliveries`: where portals want to hear what happened, and how that went.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Request, Response, StatusCode},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{
    Gateway,
    body::Received,
    idempotency::{Asked, json_answer},
    orders::{only_merchant, ordered_of},
    problem::{Code, Problem},
    query::Query,
};
use crate::{
    app::{
        Rendered,
        access::Scope,
        event_document,
        webhooks::{Change, NewEndpoint, Replayed, Revealed, VersionedEndpoint},
    },
    domain::{
        fault::FaultKind,
        webhook::{Because, Endpoint, EndpointId, Errand, Fate, State as EndpointState, Tried},
    },
};

/// The most deliveries on one page.
const MAX_PAGE: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewEndpointIn {
    merchant: Option<String>,
    url: String,
    events: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeIn {
    url: Option<String>,
    /// Null for all, which is not the same as saying nothing.
    #[serde(default, deserialize_with = "said")]
    events: Option<Option<Vec<String>>>,
    state: Option<StateIn>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateIn {
    Enabled,
    Disabled,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplayIn {
    event: Option<String>,
    after: Option<String>,
    until: Option<String>,
}

fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Vec<String>>>, D::Error> {
    Option::<Vec<String>>::deserialize(deserializer).map(Some)
}

pub(super) async fn make(
    State(gateway): State<Arc<Gateway>>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let make = |asked: Asked| async move {
        let NewEndpointIn { merchant, url, events } = asked.request.json()?;
        let merchant = ordered_of(&asked.caller, merchant.as_deref())?;
        let new = NewEndpoint { merchant, url, events };
        Ok(asked.app().make_endpoint(&asked.caller, new, &asked.remember(|made| revealed(made, 201))).await?)
    };
    gateway.once(request, &[Scope::Portal], make).await
}

pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Portal]).await?;
    let query = Query::parse(query.as_deref(), &["merchant"])?;
    let merchant = only_merchant(&caller, &query)?;
    let found = gateway.app.endpoints(&caller, &merchant).await?;
    let endpoints: Value = found.iter().map(|current| document(&current.endpoint)).collect();
    Ok(json_answer(200, &json!({"webhook_endpoints": endpoints})))
}

pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Portal]).await?;
    let found = gateway.app.endpoint(&caller, endpoint_id(&id)?).await?;
    Ok(json_answer(200, &document(&found.endpoint)))
}

pub(super) async fn change(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(request.headers(), &[Scope::Portal]).await?;
    let id = endpoint_id(&id)?;
    let request = Received::read(request, gateway.limits).await?;
    let ChangeIn { url, events, state } = request.json()?;
    let change = Change { url, events, enabled: state.map(|state| state == StateIn::Enabled) };
    let changed = gateway.app.change_endpoint(&caller, id, &change).await?;
    gateway.news.notify_one();
    Ok(json_answer(200, &document(&changed.endpoint)))
}

pub(super) async fn delete(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Portal]).await?;
    gateway.app.delete_endpoint(&caller, endpoint_id(&id)?).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

pub(super) async fn rotate(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let rotate = |asked: Asked| async move {
        let id = endpoint_id(&id)?;
        asked.request.nothing_said()?;
        let remember = asked.remember(|rotated| revealed(rotated, 200));
        Ok(asked.app().rotate_secret(&asked.caller, id, &remember).await?)
    };
    gateway.once(request, &[Scope::Portal], rotate).await
}

pub(super) async fn test(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let test = |asked: Asked| async move {
        let id = endpoint_id(&id)?;
        asked.request.nothing_said()?;
        let remember = asked.remember(move |tried: &Tried| Rendered {
            status: 200,
            body: delivery(id, tried).to_string(),
            version: None,
        });
        Ok(asked.app().test_endpoint(&asked.caller, id, &remember).await?)
    };
    gateway.once(request, &[Scope::Portal], test).await
}

pub(super) async fn replay(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let replay = |asked: Asked| async move {
        let id = endpoint_id(&id)?;
        let what = replayed(&asked.request.json()?)?;
        let remember = asked.remember(|current: &VersionedEndpoint| Rendered {
            status: 202,
            body: document(&current.endpoint).to_string(),
            version: None,
        });
        let outcome = asked.app().replay(&asked.caller, id, what, &remember).await?;
        asked.poke_worker();
        Ok(outcome)
    };
    gateway.once(request, &[Scope::Portal], replay).await
}

pub(super) async fn deliveries(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Portal]).await?;
    let query = Query::parse(query.as_deref(), &["endpoint", "after", "limit"])?;
    let endpoint = endpoint_id(query.get("endpoint").ok_or_else(|| Problem::parameter("endpoint"))?)?;
    let after = query.get("after").map_or(Some(0), number).ok_or_else(|| Problem::parameter("after"))?;
    let found = gateway.app.deliveries(&caller, endpoint, after, query.limit(MAX_PAGE)?).await?;
    let next = found.last().map_or(after, |last| last.number);
    let tries: Value = found.iter().map(|tried| delivery(endpoint, tried)).collect();
    Ok(json_answer(200, &json!({"deliveries": tries, "next": cursor(next)})))
}

fn endpoint_id(raw: &str) -> Result<EndpointId, Problem> {
    raw.parse().map_err(|_| Problem::of(Code::NotFound))
}

fn replayed(asked: &ReplayIn) -> Result<Replayed, Problem> {
    let position = |pointer: &str, raw: &str| {
        event_document::position(raw).ok_or_else(|| Problem::fault(pointer, FaultKind::Unknown))
    };
    match (&asked.event, &asked.after, &asked.until) {
        (Some(event), None, None) => Ok(Replayed::One { position: position("/event", event)? }),
        (None, Some(after), until) => {
            let until = until.as_deref().map(|until| position("/until", until)).transpose()?;
            Ok(Replayed::Range { after: position("/after", after)?, until })
        }
        (Some(_), Some(_), _) => Err(Problem::fault("/after", FaultKind::NotWithThis)),
        (Some(_), None, Some(_)) => Err(Problem::fault("/until", FaultKind::NotWithThis)),
        (None, None, _) => Err(Problem::fault("/event", FaultKind::Missing)),
    }
}

fn revealed(revealed: &Revealed, status: u16) -> Rendered {
    let mut document = document(&revealed.current.endpoint);
    if let Some(members) = document.as_object_mut() {
        members.insert("secret".to_owned(), json!(revealed.secret));
    }
    Rendered { status, body: document.to_string(), version: None }
}

fn document(endpoint: &Endpoint) -> Value {
    let disabled = match endpoint.state {
        EndpointState::Disabled { at, because } => Some(json!({"at": at, "because": because_name(because)})),
        EndpointState::Enabled | EndpointState::Deleted { .. } => None,
    };
    let progress = &endpoint.progress;
    json!({
        "id": endpoint.id,
        "merchant": endpoint.merchant,
        "url": endpoint.url,
        "events": endpoint.events,
        "state": if endpoint.is_enabled() { "enabled" } else { "disabled" },
        "disabled": disabled,
        "created_at": endpoint.created_at,
        "old_secret_until": endpoint.secrets.get(1).and_then(|secret| secret.until),
        "heard_until": progress.cursor.map(event_document::cursor),
        "orders_waiting": progress.parked.len(),
        "next_try": progress.parked.iter().map(|parked| parked.next_try).min(),
        "replays": progress.replays.iter().map(|replay| json!({
            "after": event_document::cursor(replay.after),
            "until": event_document::cursor(replay.until),
        })).collect::<Value>(),
    })
}

fn because_name(because: Because) -> &'static str {
    match because {
        Because::Asked => "asked",
        Because::Gone => "gone",
    }
}

fn delivery(endpoint: EndpointId, tried: &Tried) -> Value {
    let (outcome, next_try) = match tried.fate {
        Fate::Delivered => ("delivered", None),
        Fate::Retried { at } => ("to_be_retried", Some(at)),
        Fate::GivenUp => ("given_up", None),
    };
    let errand = match tried.errand {
        Errand::Fresh | Errand::Retry => "delivery",
        Errand::Replay => "replay",
        Errand::Test => "test",
    };
    json!({
        "id": cursor(tried.number),
        "endpoint": endpoint,
        "event": tried.event,
        "type": tried.kind,
        "order": tried.order,
        "errand": errand,
        "attempt": tried.attempt,
        "at": tried.at,
        "duration_ms": tried.duration_ms,
        "status": tried.status,
        "error": tried.error,
        "outcome": outcome,
        "next_try": next_try,
    })
}

/// Opaque to callers, so that it may change.
fn cursor(number: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("d{number}"))
}

fn number(cursor: &str) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix('d')?.parse().ok()
}
