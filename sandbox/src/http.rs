//! The little HTTP that every service of the sandbox needs: answers, the ways an answer can break, bounded bodies.

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::{Response, StatusCode, header};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Largest body of any request, in bytes.
const BODY_MAX_BYTES: usize = 262_144;

/// An answer's body, which can be made to promise more than it holds: the connection then breaks half-way.
///
/// The break must come after the half that is sent has left the buffers, hence the one pause before the end.
#[derive(Debug)]
pub struct Reply {
    data: Option<Bytes>,
    promised: u64,
    pause: bool,
}

impl Reply {
    fn whole(data: Bytes) -> Self {
        let promised = u64::try_from(data.len()).unwrap_or(u64::MAX);
        Self { data: Some(data), promised, pause: false }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let reply = self.get_mut();
        let data = reply.data.take().filter(|data| !data.is_empty());
        if data.is_none() && reply.pause {
            reply.pause = false;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(data.map(|data| Ok(Frame::data(data))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

/// The connection is closed without an answer, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

/// What a service gives: an answer or a closed connection.
pub type Served = Result<Response<Reply>, Dropped>;

fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Reply> {
    let mut response = Response::new(Reply::whole(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}

/// A page for a browser, never cached because it changes with every try.
pub fn html(status: StatusCode, body: String) -> Response<Reply> {
    let mut response = answer(status, "text/html; charset=utf-8", body);
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// An answer of the management port.
pub fn json(status: StatusCode, value: &serde_json::Value) -> Response<Reply> {
    answer(status, "application/json", value.to_string())
}

/// A file of the management port.
pub fn csv(table: String) -> Response<Reply> {
    answer(StatusCode::OK, "text/csv; charset=utf-8", table)
}

/// An answer of PPPS, already in Latin-1.
pub fn latin1(body: Vec<u8>) -> Response<Reply> {
    answer(StatusCode::OK, "text/html;charset=ISO-8859-1", body)
}

/// As `latin1`, but the connection breaks after half of the body.
pub fn latin1_cut(mut body: Vec<u8>) -> Response<Reply> {
    let promised = u64::try_from(body.len()).unwrap_or(u64::MAX);
    body.truncate(body.len() / 2);
    let mut response = latin1(Vec::new());
    *response.body_mut() = Reply { data: Some(body.into()), promised, pause: true };
    response
}

/// An HTTP error without meaning.
pub fn broken(status: StatusCode) -> Response<Reply> {
    answer(status, "text/html", format!("<h1>{status}</h1>\n"))
}

/// Sends the browser elsewhere with GET.
pub fn see_other(location: &str) -> Response<Reply> {
    match header::HeaderValue::from_str(location) {
        Ok(value) => {
            let mut response = answer(StatusCode::SEE_OTHER, "text/plain", "");
            response.headers_mut().insert(header::LOCATION, value);
            response
        }
        Err(_) => broken(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The whole body as text, or nothing when it is too long, cut off or not UTF-8.
pub async fn text(body: Incoming) -> Option<String> {
    let bytes = Limited::new(body, BODY_MAX_BYTES).collect().await.ok()?.to_bytes();
    String::from_utf8(bytes.into()).ok()
}
