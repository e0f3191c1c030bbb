//! An HTTP client that hides nothing: plain HTTP to this machine only, one connection per question, redirects reported
//! and not followed. A journey wants to see every hop.

use std::{sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use url::Url;

use crate::{
    transcript::Transcript,
    trouble::{Outcome, Trouble},
};

/// How long one answer may take. The slowest thing asked for here waits for a bank that keeps silent.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);
/// The largest answer that is read, in bytes.
const ANSWER_MAX_BYTES: usize = 8 << 20;

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";

/// Asks, and lets everything that comes back be looked at by the transcript.
#[derive(Clone)]
pub(crate) struct Client {
    transcript: Arc<Transcript>,
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Question {
    pub(crate) fn get(url: impl Into<String>) -> Self {
        Self { method: "GET", url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn post(url: impl Into<String>, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "POST",
            url: url.into(),
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
        }
    }

    pub(crate) fn delete(url: impl Into<String>) -> Self {
        Self { method: "DELETE", ..Self::get(url) }
    }

    pub(crate) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Outcome<Value> {
        serde_json::from_str(&self.body)
            .map_err(|error| Trouble::of(format!("HTTP {} is not JSON ({error}): {}", self.status, self.body)))
    }

    /// The document, when the status is the expected one.
    pub(crate) fn json_if(&self, status: u16) -> Outcome<Value> {
        if self.status == status {
            self.json()
        } else {
            Err(Trouble::of(format!("expected HTTP {status}, saw {}: {}", self.status, self.body)))
        }
    }
}

impl Client {
    pub(crate) fn new(transcript: Arc<Transcript>) -> Self {
        Self { transcript }
    }

    pub(crate) async fn ask(&self, question: Question) -> Outcome<Answer> {
        let what = format!("{} {}", question.method, without_query(&question.url));
        let answer = match timeout(ANSWER_DEADLINE, exchange(question)).await {
            Ok(answer) => answer.map_err(|trouble| trouble.during(&what))?,
            Err(_) => return Err(Trouble::of(format!("{what}: no answer within {ANSWER_DEADLINE:?}"))),
        };
        self.transcript.look_at(&what, &answer.body, answer.headers.iter().map(|(_, value)| value.as_str()));
        Ok(answer)
    }
}

async fn exchange(question: Question) -> Outcome<Answer> {
    let url = Url::parse(&question.url)?;
    if url.scheme() != "http" {
        return Err(Trouble::of(format!("{} is not plain http", without_query(&question.url))));
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut request =
        Request::builder().method(question.method).uri(target).header(header::HOST, format!("{host}:{port}"));
    for (name, value) in question.headers {
        request = request.header(name, value);
    }
    let answer = sender.send_request(request.body(Full::new(Bytes::from(question.body)))?).await?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_MAX_BYTES).collect().await.map_err(|error| Trouble::of(error.to_string()))?;
    driver.abort();
    let headers = parts.headers.iter();
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: String::from_utf8(body.to_bytes().to_vec())?,
    })
}

/// Queries may hold what nobody needs to read in a message.
pub(crate) fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(before, _)| before)
}
