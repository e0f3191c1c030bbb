//! Idempotency-Key: the same request gets the same answer, however often it comes.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};

use super::{
    Gateway,
    body::Received,
    problem::{Code, Problem},
    single,
};
use crate::app::{
    Outcome, Remember, Rendered,
    access::{Caller, sha256_hex},
};

static KEY: HeaderName = HeaderName::from_static("idempotency-key");
static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in characters.
const MAX_KEY: usize = 128;

/// The requests that are running in this process.
#[derive(Default)]
pub(super) struct Running(Mutex<HashSet<String>>);

/// A request's place among the running ones; given up when it is dropped.
pub(super) struct Turn<'a> {
    running: &'a Running,
    key: String,
}

impl Running {
    /// `None` when the same key is at work already.
    fn begin(&self, key: &str) -> Option<Turn<'_>> {
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        is_new.then(|| Turn { running: self, key: key.to_owned() })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// What a write begins with: its turn, or the answer it had before.
pub(super) enum Begun<'a> {
    Go { turn: Turn<'a>, key: String, fingerprint: String },
    Answered(Outcome),
}

impl Gateway {
    /// Looks up the request's Idempotency-Key.
    pub(super) async fn begin(&self, caller: &Caller, request: &Received) -> Result<Begun<'_>, Problem> {
        let key = single(&request.headers, &KEY)?.ok_or_else(|| Problem::header(Code::IdempotencyKeyMissing, &KEY))?;
        if !(1..=MAX_KEY).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Problem::header(Code::IdempotencyKeyInvalid, &KEY));
        }
        let key = format!("{}:{key}", caller.key);
        let mut asked = request.target.clone().into_bytes();
        asked.push(b'\n');
        asked.extend_from_slice(&request.body);
        let fingerprint = sha256_hex(&asked);
        // What is answered takes no turn: however many ask for it at once, all are told.
        if let Some(outcome) = self.app.remembered(&key, &fingerprint).await? {
            return Ok(Begun::Answered(outcome));
        }
        let turn = self.running.begin(&key).ok_or_else(|| Problem::of(Code::RequestInProgress))?;
        // It may have been answered between that look and this turn.
        match self.app.remembered(&key, &fingerprint).await? {
            Some(outcome) => Ok(Begun::Answered(outcome)),
            None => Ok(Begun::Go { turn, key, fingerprint }),
        }
    }
}

/// How the use case is to remember its answer.
pub(super) fn remember<T>(
    key: String,
    fingerprint: String,
    render: impl Fn(&T) -> Rendered + Send + Sync + 'static,
) -> Remember<T> {
    Remember { key, fingerprint, render: Arc::new(render) }
}

/// The answer on the wire.
pub(super) fn respond(outcome: Outcome) -> Response<Body> {
    let mut response = json_response(&outcome.rendered);
    if outcome.replayed {
        response.headers_mut().insert(&REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// A rendered document with its ETag.
pub(super) fn json_response(rendered: &Rendered) -> Response<Body> {
    let mut response = Response::new(Body::from(rendered.body.clone()));
    *response.status_mut() = StatusCode::from_u16(rendered.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(etag) = rendered.version.and_then(|version| HeaderValue::from_str(&format!("\"{version}\"")).ok()) {
        headers.insert(header::ETAG, etag);
    }
    response
}
