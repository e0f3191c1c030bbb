//! What surrounds every handler: problems written in the caller's language, headers that no answer goes without, and
//! one line of log that names the route, never the URL: links of payers are secrets.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    middleware::{self, Next},
};

use super::{
    Gateway, payer,
    problem::{Code, Problem},
    rates,
};
use crate::domain::checkout::Locale;

pub(super) fn around(router: Router, gateway: Arc<Gateway>) -> Router {
    router.layer(middleware::from_fn_with_state(gateway, finish))
}

/// Who reads what is answered when something is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// A program: a document.
    Portal,
    /// A person: a page.
    Payer,
    /// PAYBOX reads the status and wants nothing else.
    Bank,
}

impl Reader {
    /// By the first part of the path, whether or not there is anything behind it.
    fn at(path: &str) -> Self {
        match path.split('/').nth(1) {
            Some("pay" | "return") => Self::Payer,
            Some("paybox") => Self::Bank,
            _ => Self::Portal,
        }
    }
}

async fn finish(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response<Body> {
    let started = Instant::now();
    let locale = accepted_language(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let reader = Reader::at(request.uri().path());
    // Another gateway may have put the test clock forward a moment ago, and its caller come here next. Without the store
    // there will be no answer anyway.
    let _ = gateway.app.follow_test_clock().await;
    let mut response = rates::told(next.run(request)).await;
    if let Some(problem) = problem_of(&response) {
        if let Some(why) = &problem.store_failure {
            gateway.store_failed(why);
        }
        match reader {
            Reader::Portal => write_document(&mut response, &problem, locale),
            Reader::Payer => replace(&mut response, payer::notice(&problem, locale)),
            Reader::Bank => write_nothing(&mut response),
        }
    }
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    tracing::info!(
        %method,
        route = route.as_deref().unwrap_or("-"),
        status = response.status().as_u16(),
        ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// The problem that a handler returned, or the one that routing itself stands for.
fn problem_of(response: &Response<Body>) -> Option<Problem> {
    if let Some(problem) = response.extensions().get::<Problem>() {
        return Some(problem.clone());
    }
    let has_content = response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::NOT_FOUND if !has_content => Some(Problem::of(Code::NotFound)),
        StatusCode::METHOD_NOT_ALLOWED => Some(Problem::of(Code::MethodNotAllowed)),
        // axum answers paths that are not UTF-8 in plain words.
        StatusCode::BAD_REQUEST => Some(Problem::of(Code::MalformedRequest)),
        _ => None,
    }
}

fn write_document(response: &mut Response<Body>, problem: &Problem, locale: Locale) {
    *response.body_mut() = Body::from(problem.document(locale).to_string());
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(locale.letters()));
}

fn write_nothing(response: &mut Response<Body>) {
    *response.body_mut() = Body::empty();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().remove(header::CONTENT_TYPE);
}

/// Puts a page in place of what was answered, whose own headers stay: which methods there are, when to come back.
fn replace(response: &mut Response<Body>, page: Response<Body>) {
    let (head, body) = page.into_parts();
    *response.status_mut() = head.status;
    *response.body_mut() = body;
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().extend(head.headers);
}

/// French or English, whichever the caller weighs more; French where neither is asked for.
pub(super) fn accepted_language(headers: &HeaderMap) -> Locale {
    let weigh = |item: &str| {
        let mut parts = item.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1_000, thousandths);
        let locale = match tag.split('-').next() {
            Some("fr") => Some(Locale::Fr),
            Some("en") => Some(Locale::En),
            _ => None,
        };
        locale.filter(|_| quality > 0).map(|locale| (quality, locale))
    };
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .into_iter()
        .flat_map(|value| value.split(',').filter_map(weigh))
        .fold(None, |best: Option<(u32, Locale)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })
        .map_or_else(Locale::default, |(_, locale)| locale)
}

/// A quality such as `0.8`, in thousandths; 0 when it is none.
fn thousandths(quality: &str) -> u32 {
    let (whole, decimals) = quality.split_once('.').unwrap_or((quality, ""));
    match whole {
        "1" => 1_000,
        "0" => format!("{decimals:0<3}").get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_is_answered_in_their_language() {
        for (accepted, expected) in [
            ("", Locale::Fr),
            ("fr", Locale::Fr),
            ("en", Locale::En),
            ("en-GB,en;q=0.9,fr;q=0.8", Locale::En),
            ("fr-FR,fr;q=0.9,en;q=0.8", Locale::Fr),
            ("de, en;q=0.5, fr;q=0.7", Locale::Fr),
            ("en;q=0, fr;q=0.1", Locale::Fr),
            ("*", Locale::Fr),
            ("en;q=rubbish", Locale::Fr),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).unwrap());
            assert_eq!(accepted_language(&headers), expected, "{accepted}");
        }
    }
}
