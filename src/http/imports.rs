//! `/v1/imports`: files of PAYBOX's and the bank's, where they do not agree with our ledger, and what is done about it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, Request, Response, header},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Gateway, RequestLimits,
    body::Received,
    drift_out,
    idempotency::{Asked, json_answer},
    orders::only_merchant,
    problem::{Code, Problem},
    query::Query,
    single,
};
use crate::{
    app::{
        Error, Rendered,
        access::Scope,
        imports::{Entering, FileKind, Imported, MAX_PAGE},
    },
    domain::{
        fault::FaultKind,
        plan::MAX_REASON,
        statement::{Drifting, EntryName, ImportId, MAX_FILE_BYTES, Standing},
        text::Text,
    },
};

const BY_ACCOUNTING: [Scope; 1] = [Scope::Accounting];
/// The most drifts on one page: all are found anew for each.
const MAX_DRIFTS: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryIn {
    entry: EntryName,
    reason: String,
}

/// Needs no Idempotency-Key: the same bytes are the same import.
pub(super) async fn import(
    State(gateway): State<Arc<Gateway>>,
    RawQuery(query): RawQuery,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(request.headers(), &BY_ACCOUNTING).await?;
    let query = Query::parse(query.as_deref(), &["merchant", "file"])?;
    let merchant = only_merchant(&caller, &query)?;
    let kind = query.get("file").and_then(FileKind::parse).ok_or_else(|| Problem::parameter("file"))?;
    let limits = RequestLimits { body_bytes: MAX_FILE_BYTES, ..gateway.limits };
    let request = Received::read(request, limits).await?;
    is_csv(&request.headers)?;
    let (imported, is_new) = gateway.app.import(&caller, &merchant, kind, &request.body).await.map_err(refused)?;
    let mut response = json_answer(if is_new { 201 } else { 200 }, &document(&imported));
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/imports/{}", imported.import.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// What is wrong with a file is at its lines and columns.
fn refused(error: Error) -> Problem {
    if let Error::Faults(faults) = error { Problem { faults, ..Problem::of(Code::FileRefused) } } else { error.into() }
}

fn is_csv(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = single(headers, &header::CONTENT_TYPE)?.and_then(|value| value.split(';').next());
    let fits = kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/csv"));
    if fits { Ok(()) } else { Err(Problem::of(Code::UnsupportedMediaType)) }
}

pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &BY_ACCOUNTING).await?;
    let query = Query::parse(query.as_deref(), &["merchant", "after", "limit"])?;
    let merchant = only_merchant(&caller, &query)?;
    let limit = query.limit(MAX_PAGE)?;
    let after: Option<ImportId> =
        query.get("after").map(str::parse).transpose().map_err(|_| Problem::parameter("after"))?;
    let mut found = gateway.app.imports(&caller, &merchant, after, limit + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|last| last.import.id.to_string());
    let items: Value = found.iter().map(document).collect();
    Ok(json_answer(200, &json!({"items": items, "next": next})))
}

pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &BY_ACCOUNTING).await?;
    Ok(json_answer(200, &document(&gateway.app.find_import(&caller, import_id(&id)?).await?)))
}

pub(super) async fn drifts(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &BY_ACCOUNTING).await?;
    let query = Query::parse(query.as_deref(), &["after", "limit"])?;
    let limit = query.limit(MAX_DRIFTS)?;
    let after = query.get("after");
    if after.is_some_and(|after| !is_drift_id(after)) {
        return Err(Problem::parameter("after"));
    }
    let after = after.unwrap_or_default();
    let imported = gateway.app.find_import(&caller, import_id(&id)?).await?;
    let all = gateway.app.drifts(&caller, &imported).await?;
    let count = |standing: Standing| all.iter().filter(|drifting| drifting.standing() == standing).count();
    let mut rest = all.iter().filter(|drifting| drifting.drift.id.as_str() > after);
    let shown: Vec<&Drifting> = rest.by_ref().take(limit).collect();
    let next = shown.last().filter(|_| rest.next().is_some()).map(|last| last.drift.id.as_str());
    let document = json!({
        "open": count(Standing::Open),
        "asked": count(Standing::Asked),
        "journalled": count(Standing::Journalled),
        "items": shown.iter().copied().map(drift_out::drifting).collect::<Value>(),
        "next": next,
    });
    Ok(json_answer(200, &document))
}

/// A person settles one drift.
pub(super) async fn enter(
    State(gateway): State<Arc<Gateway>>,
    Path((id, drift)): Path<(String, String)>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let enter = |asked: Asked| async move {
        let import = import_id(&id)?;
        let EntryIn { entry, reason } = asked.request.json()?;
        let reason =
            Text::parse(&reason, MAX_REASON).map_err(|fault| Problem::fault("/reason", FaultKind::Text(fault)))?;
        let remember = asked.remember(|drifting: &Drifting| Rendered {
            status: 200,
            body: drift_out::drifting(drifting).to_string(),
            version: None,
        });
        let outcome = asked.app().enter(&asked.caller, &Entering { import, drift, entry, reason }, &remember).await?;
        asked.poke_worker();
        Ok(outcome)
    };
    gateway.once(request, &BY_ACCOUNTING, enter).await
}

/// `not_settled_here.8041237`.
fn is_drift_id(raw: &str) -> bool {
    raw.split_once('.').is_some_and(|(kind, number)| {
        let is_kind = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_kind && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn import_id(raw: &str) -> Result<ImportId, Problem> {
    raw.parse().map_err(|_| Problem::of(Code::NotFound))
}

fn document(imported: &Imported) -> Value {
    let Imported { merchant, import } = imported;
    let period = import.rows.period();
    json!({
        "id": import.id.to_string(),
        "merchant": merchant,
        "file": import.rows.kind().name(),
        "imported_at": import.at,
        "by": import.by,
        "digest": import.digest,
        "lines": import.rows.count(),
        "from": period.map(|(from, _)| from),
        "until": period.map(|(_, until)| until),
    })
}
