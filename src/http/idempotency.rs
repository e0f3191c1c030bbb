//! Idempotency-Key: the same request gets the same answer, however often it comes.

use std::{
    collections::HashSet,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Request, Response, StatusCode, header},
};

use serde_json::Value;

use super::{
    Gateway,
    body::Received,
    order_out,
    problem::{Code, Problem},
    single,
};
use crate::app::{
    App, Outcome, Remember, Rendered, Versioned,
    access::{Caller, Scope, sha256_hex},
};

static KEY: HeaderName = HeaderName::from_static("idempotency-key");
static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in characters.
const MAX_KEY: usize = 128;

/// The requests that are running in this process.
#[derive(Default)]
pub(super) struct Running(Mutex<HashSet<String>>);

/// A request's place among the running ones; given up when it is dropped.
struct Turn<'a> {
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
enum Begun<'a> {
    Go { _turn: Turn<'a>, key: String, fingerprint: String },
    Answered(Outcome),
}

/// A write that was not answered before: who asks, and what.
pub(super) struct Asked {
    gateway: Arc<Gateway>,
    pub(super) caller: Caller,
    pub(super) request: Received,
    key: String,
    fingerprint: String,
}

impl Asked {
    pub(super) fn app(&self) -> &App {
        &self.gateway.app
    }

    /// Something may have become due by this.
    pub(super) fn poke_worker(&self) {
        self.gateway.news.notify_one();
    }

    /// How the use case is to remember its answer.
    pub(super) fn remember<T>(&self, render: impl Fn(&T) -> Rendered + Send + Sync + 'static) -> Remember<T> {
        Remember { key: self.key.clone(), fingerprint: self.fingerprint.clone(), render: Arc::new(render) }
    }

    /// The same, of one part of what is asked. No Idempotency-Key has a blank, so no other request has this name.
    pub(super) fn remember_part<T>(
        &self,
        index: usize,
        render: impl Fn(&T) -> Rendered + Send + Sync + 'static,
    ) -> Remember<T> {
        Remember { key: format!("{} {index}", self.key), ..self.remember(render) }
    }

    /// The same, of an answer that is the order's document.
    pub(super) fn remember_order(&self, status: u16) -> Remember<Versioned> {
        let gateway = Arc::clone(&self.gateway);
        self.remember(move |current| order_out::rendered(&gateway.app, current, status))
    }
}

impl Gateway {
    /// A write that is done once for each Idempotency-Key: `act` does it, unless it was answered before.
    pub(super) async fn once<F, Fut>(
        self: &Arc<Self>,
        request: Request<Body>,
        scopes: &[Scope],
        act: F,
    ) -> Result<Response<Body>, Problem>
    where
        F: FnOnce(Asked) -> Fut,
        Fut: Future<Output = Result<Outcome, Problem>>,
    {
        let caller = self.caller(request.headers(), scopes).await?;
        let request = Received::read(request, self.limits).await?;
        match self.begin(&caller, &request).await? {
            Begun::Answered(outcome) => Ok(respond(outcome)),
            Begun::Go { _turn, key, fingerprint } => {
                let asked = Asked { gateway: Arc::clone(self), caller, request, key, fingerprint };
                Ok(respond(act(asked).await?))
            }
        }
    }

    /// Looks up the request's Idempotency-Key.
    async fn begin(&self, caller: &Caller, request: &Received) -> Result<Begun<'_>, Problem> {
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
            None => Ok(Begun::Go { _turn: turn, key, fingerprint }),
        }
    }
}

/// The answer on the wire.
fn respond(outcome: Outcome) -> Response<Body> {
    let mut response = json_response(&outcome.rendered);
    if outcome.replayed {
        response.headers_mut().insert(&REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// A document that has no version.
pub(super) fn json_answer(status: u16, document: &Value) -> Response<Body> {
    json_response(&Rendered { status, body: document.to_string(), version: None })
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
