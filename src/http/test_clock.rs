//! `/v1/test-clock`: what time it is in a test, and putting it forward. In live mode there is no such route.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Request, Response},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Gateway, body::Received, idempotency::json_answer, problem::Problem};
use crate::{
    app::{
        access::Scope,
        test_clock::{SandboxTime, TestTime},
    },
    domain::fault::FaultKind,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveIn {
    now: String,
}

pub(super) async fn show(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    gateway.caller(&headers, &[Scope::Ops]).await?;
    Ok(answer(&document(gateway.app.test_time().await?)))
}

/// Needs no Idempotency-Key: an instant that was reached cannot be reached twice.
pub(super) async fn put_forward(
    State(gateway): State<Arc<Gateway>>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(request.headers(), &[Scope::Ops]).await?;
    let request = Received::read(request, gateway.limits).await?;
    let MoveIn { now } = request.json()?;
    let to = instant(&now).ok_or_else(|| Problem::fault("/now", FaultKind::WrongType))?;
    let (time, sandbox) = gateway.app.move_test_clock(&caller, to).await?;
    gateway.news.notify_one();
    let told = match sandbox {
        SandboxTime::None => "none",
        SandboxTime::Moved => "moved",
        SandboxTime::NotMoved(why) => {
            tracing::warn!(%why, "the test clock was moved, the sandbox's was not");
            "not_moved"
        }
    };
    let mut document = document(time);
    if let Some(members) = document.as_object_mut() {
        members.insert("sandbox".to_owned(), json!(told));
    }
    Ok(answer(&document))
}

/// `20YY-MM-DDThh:mm:ss[.fraction]Z`. PAYBOX writes years with two digits, so this century is all there is.
fn instant(text: &str) -> Option<Timestamp> {
    let (seconds, rest) = text.split_at_checked(19)?;
    let is_date = seconds.bytes().zip(*b"20dd-dd-ddTdd:dd:dd").all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit(),
        _ => byte == form,
    });
    let fraction = rest.strip_suffix('Z')?;
    let is_fraction = match fraction.strip_prefix('.') {
        Some(digits) => (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => fraction.is_empty(),
    };
    text.parse().ok().filter(|_| is_date && is_fraction)
}

fn document(time: TestTime) -> Value {
    json!({"now": time.now, "ahead_seconds": time.ahead.as_secs()})
}

fn answer(document: &Value) -> Response<Body> {
    json_answer(200, document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_of_one_form() {
        for (text, expected) in [
            ("2027-01-10T07:00:00Z", true),
            ("2027-01-10T07:00:00.123456789Z", true),
            ("2099-12-31T23:59:59Z", true),
            ("2027-01-10T07:00:00.1234567890Z", false),
            ("2027-01-10T07:00:00.Z", false),
            ("2027-01-10T07:00:00+00:00", false),
            ("2027-01-10T07:00:00", false),
            ("2027-01-10 07:00:00Z", false),
            ("2027-02-30T07:00:00Z", false),
            ("2100-01-01T00:00:00Z", false),
            ("1999-01-01T00:00:00Z", false),
            ("2027-01-10T07:00:0é", false),
            ("", false),
        ] {
            assert_eq!(instant(text).is_some(), expected, "{text}");
        }
    }
}
