//! The portal's listening side: connections, limits, and the headers that no page goes without.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use url::form_urlencoded;

use super::{Portal, pages::Frame, visitor::Visitor};
use crate::trouble::{Outcome, Trouble};

/// The largest form that is read, in bytes.
const FORM_MAX_BYTES: usize = 32_768;
/// How long a browser may take to send a request.
const READ_WITHIN: Duration = Duration::from_secs(10);

pub(super) type Page = Response<Full<Bytes>>;

/// Serves the portal until it is dropped.
pub(crate) async fn serve(listener: TcpListener, portal: Portal) {
    let portal = Arc::new(portal);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let portal = Arc::clone(&portal);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let portal = Arc::clone(&portal);
                async move { Ok::<_, Infallible>(attend(&portal, request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(READ_WITHIN)
                .serve_connection(TokioIo::new(stream), service);
            // A connection that fails is its browser's affair.
            let _ = connection.await;
        });
    }
}

/// A page for every request, with the headers that no page goes without.
async fn attend(portal: &Portal, request: Request<Incoming>) -> Page {
    let visitor = Visitor::of(request.headers());
    let is_foreign = request.method() == Method::POST && is_sent_by_another_site(request.headers());
    let mut page = match visitor {
        Err(trouble) => failed(&trouble, "temporarily out of service".to_owned()),
        Ok(visitor) if is_foreign => html(StatusCode::FORBIDDEN, Frame { visitor: &visitor, here: "/" }.unknown()),
        Ok(mut visitor) => {
            let outcome = portal.answer(request, &mut visitor).await;
            let mut page = outcome
                .unwrap_or_else(|trouble| failed(&trouble, Frame { visitor: &visitor, here: "/" }.unavailable()));
            for cookie in visitor.cookies() {
                if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                    page.headers_mut().append(header::SET_COOKIE, cookie);
                }
            }
            page
        }
    };
    let headers = page.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Forms are sent here, and may be answered by a redirect to the gateway; browsers hold both against the policy.
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; frame-ancestors 'none'; base-uri 'none'",
        portal.gateway.url
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    page
}

/// Browsers say where a form was sent from; other clients say nothing.
fn is_sent_by_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

fn failed(trouble: &Trouble, body: String) -> Page {
    eprintln!("portal: {trouble}");
    html(StatusCode::BAD_GATEWAY, body)
}

/// The fields of a form as it was sent.
pub(super) async fn form(body: Incoming) -> Outcome<Vec<(String, String)>> {
    let body = bytes(body, FORM_MAX_BYTES).await?;
    Ok(form_urlencoded::parse(&body).into_owned().collect())
}

/// What was sent, up to so many bytes.
pub(super) async fn bytes(body: Incoming, most: usize) -> Outcome<Bytes> {
    let read = tokio::time::timeout(READ_WITHIN, Limited::new(body, most).collect()).await?;
    Ok(read.map_err(|error| Trouble::of(error.to_string()))?.to_bytes())
}

pub(super) fn typed(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Page {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(super) fn html(status: StatusCode, body: String) -> Page {
    typed(status, "text/html; charset=utf-8", body)
}

pub(super) fn see_other(to: &str) -> Page {
    let mut response = typed(StatusCode::SEE_OTHER, "text/plain", "");
    match HeaderValue::from_str(to) {
        Ok(to) => {
            response.headers_mut().insert(header::LOCATION, to);
        }
        Err(_) => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    response
}
