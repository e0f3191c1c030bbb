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
    strict::Strict,
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

/// A document without fields.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

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

    /// Nothing may be said with this request; what is not understood is refused, not ignored.
    pub(super) fn nothing_said(&self) -> Result<(), Problem> {
        if !self.body.is_empty() {
            let Nothing {} = self.json()?;
        }
        Ok(())
    }

    /// The body as a JSON document of exactly `T`'s fields.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let is_json = super::single(&self.headers, &header::CONTENT_TYPE)?
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(Problem::of(Code::UnsupportedMediaType));
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let value = serde_path_to_error::deserialize(Strict(&mut reader)).map_err(|error| misfit(&error))?;
        reader.end().map_err(|_| Problem::of(Code::MalformedJson))?;
        Ok(value)
    }
}

/// Where and how a document does not fit. serde's own words are not passed on: they may quote what was sent.
fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let words = error.inner().to_string();
    let pointer = pointer(error.path());
    // A number that no number of ours can hold is JSON all the same.
    let is_huge_number = words.starts_with("number out of range");
    if error.inner().classify() != serde_json::error::Category::Data && !is_huge_number {
        return Problem::of(Code::MalformedJson);
    }
    if is_huge_number {
        let is_amount = pointer.ends_with("/amount");
        return Problem::fault(pointer, if is_amount { FaultKind::AmountOutOfRange } else { FaultKind::WrongType });
    }
    // An unknown field is where serde stands; of one of our own, absent or there twice, it stands on the parent and says
    // the name.
    let field = || words.split('`').nth(1).unwrap_or_default();
    if words.starts_with("unknown field") {
        Problem::fault(pointer, FaultKind::UnknownField)
    } else if words.starts_with("missing field") {
        Problem::fault(format!("{pointer}/{}", field()), FaultKind::Missing)
    } else if words.starts_with("duplicate field") {
        Problem::fault(format!("{pointer}/{}", field()), FaultKind::WrongType)
    } else {
        Problem::fault(pointer, FaultKind::WrongType)
    }
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

/// A JSON Pointer's token.
fn escaped(token: &str) -> String {
    bounded(token).replace('~', "~0").replace('/', "~1")
}

/// A name that comes from a stranger, as it may be quoted to them.
pub(super) fn bounded(name: &str) -> String {
    const MAX_NAME: usize = 60;
    name.chars().filter(|character| !character.is_control()).take(MAX_NAME).collect()
}
