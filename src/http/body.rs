//! Reading what a caller sent, within limits, and saying where it is wrong.

use axum::{
    body::Body,
    http::{HeaderMap, Request, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::{
    RequestLimits,
    problem::{Code, Problem},
};
use crate::domain::fault::FaultKind;

/// The whole body, if it is small and quick enough.
pub(super) async fn bytes(body: Body, limits: RequestLimits) -> Result<Vec<u8>, Problem> {
    let collected = tokio::time::timeout(limits.body_deadline, Limited::new(body, limits.body_bytes).collect());
    match collected.await {
        Err(_) => Err(Problem::of(Code::TooSlow)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::of(Code::TooLarge)),
        Ok(Err(_)) => Err(Problem::of(Code::MalformedRequest)),
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
    }
}

/// A request taken apart, its body read.
pub(super) struct Received {
    pub(super) headers: HeaderMap,
    /// Method and path, for the fingerprint of an idempotent request.
    pub(super) target: String,
    pub(super) body: Vec<u8>,
}

impl Received {
    pub(super) async fn read(request: Request<Body>, limits: RequestLimits) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let target = format!("{} {}", parts.method, parts.uri.path());
        Ok(Self { headers: parts.headers, target, body: bytes(body, limits).await? })
    }

    /// The body as a JSON document of exactly `T`'s fields.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let is_json = super::single(&self.headers, &header::CONTENT_TYPE)?
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(Problem::of(Code::UnsupportedMediaType));
        }
        // serde would also take a list of the fields' values in their order; a document is an object.
        if self.body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte == b'[') {
            return Err(Problem::fault("", FaultKind::WrongType));
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| misfit(&error))?;
        reader.end().map_err(|_| Problem::of(Code::MalformedJson))?;
        Ok(value)
    }
}

/// Where and how a document does not fit. serde's own words are not passed on: they may quote what was sent.
fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    if error.inner().classify() != serde_json::error::Category::Data {
        return Problem::of(Code::MalformedJson);
    }
    let mut pointer = pointer(error.path());
    let words = error.inner().to_string();
    let field = words.split('`').nth(1).unwrap_or_default();
    let kind = if words.starts_with("unknown field") {
        // serde stands on the unknown field itself, or on its parent, depending on the container.
        if !pointer.ends_with(&format!("/{field}")) {
            pointer = format!("{pointer}/{}", escaped(field));
        }
        FaultKind::UnknownField
    } else if words.starts_with("missing field") {
        pointer = format!("{pointer}/{}", escaped(field));
        FaultKind::Missing
    } else {
        FaultKind::WrongType
    };
    Problem::fault(pointer, kind)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escaped(key)),
            Segment::Enum { variant } => format!("/{}", escaped(variant)),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// A JSON Pointer's token, bounded: names of unknown fields come from strangers.
fn escaped(token: &str) -> String {
    const MAX_TOKEN: usize = 60;
    token
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_TOKEN)
        .collect::<String>()
        .replace('~', "~0")
        .replace('/', "~1")
}
