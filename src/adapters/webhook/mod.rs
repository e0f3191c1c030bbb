//! Delivering webhooks: one connection, one request, no redirect, to the very address that was checked.

mod guard;

pub use guard::{Loopback, MAX_URL};

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request,
    body::Bytes,
    client::conn::http1,
    header::{CONNECTION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT},
    http::HeaderName,
};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsConnector;

use crate::{
    domain::fault::FaultKind,
    ports::{Delivery, NotDelivered, Notifier},
};
use guard::Target;

/// What is read of an answer, so that the receiver can end in peace; it is thrown away.
const MAX_ANSWER: usize = 4_096;
/// How long the rest of an answer is waited for once its status is known.
const END_IN_PEACE: Duration = Duration::from_millis(500);
/// The longest header of an answer, in bytes; hyper takes no less.
const MAX_HEADER: usize = 16_384;

/// A sender of webhooks.
pub struct WebhookSender {
    tls: TlsConnector,
    /// For the whole: name, connection, request, status.
    deadline: Duration,
    loopback: Loopback,
}

impl WebhookSender {
    pub fn new(tls: Arc<ClientConfig>, deadline: Duration, loopback: Loopback) -> Self {
        Self { tls: TlsConnector::from(tls), deadline, loopback }
    }

    async fn exchange(&self, target: &Target, request: Request<Full<Bytes>>) -> Result<u16, NotDelivered> {
        let deadline = Instant::now() + self.deadline;
        let stream = timeout_at(deadline, self.connect(target)).await.map_err(|_| NotDelivered::Timeout)??;
        let Some(name) = target.tls.clone() else { return post(stream, request, deadline).await };
        let stream = timeout_at(deadline, self.tls.connect(name, stream)).await;
        let stream = stream.map_err(|_| NotDelivered::Timeout)?.map_err(|_| NotDelivered::Tls)?;
        post(stream, request, deadline).await
    }

    /// The name is looked up once, and what was found and checked is what is connected to: a second answer that says
    /// otherwise has no effect.
    async fn connect(&self, target: &Target) -> Result<TcpStream, NotDelivered> {
        let found = lookup_host((target.host.as_str(), target.port)).await.map_err(|_| NotDelivered::NameUnknown)?;
        let addresses: Vec<SocketAddr> = target.admit(found.collect(), self.loopback)?;
        for address in addresses {
            if let Ok(stream) = TcpStream::connect(address).await {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
        }
        Err(NotDelivered::Connect)
    }
}

#[async_trait]
impl Notifier for WebhookSender {
    fn check(&self, url: &str) -> Result<(), FaultKind> {
        Target::parse(url, self.loopback).map(|_| ())
    }

    async fn deliver(&self, delivery: &Delivery) -> Result<u16, NotDelivered> {
        // What was allowed when the endpoint was made may not be any more.
        let target = Target::parse(&delivery.url, self.loopback).map_err(|_| NotDelivered::UrlRefused)?;
        let request = request(&target, delivery).ok_or(NotDelivered::UrlRefused)?;
        self.exchange(&target, request).await
    }
}

fn request(target: &Target, delivery: &Delivery) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::new(Full::new(Bytes::from(delivery.body.clone())));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.path.clone();
    let headers = request.headers_mut();
    headers.insert(HOST, target.authority.clone());
    headers.insert(USER_AGENT, HeaderValue::from_static("guichet"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    for (name, value) in &delivery.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).ok()?);
    }
    Some(request)
}

async fn post<S>(stream: S, request: Request<Full<Bytes>>, deadline: Instant) -> Result<u16, NotDelivered>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = http1::Builder::new().max_buf_size(MAX_HEADER).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| NotDelivered::Unreadable)?;
    let answered = async {
        let answer = timeout_at(deadline, sender.send_request(request)).await.map_err(|_| NotDelivered::Timeout)?;
        let answer = answer.map_err(|_| NotDelivered::Unreadable)?;
        let status = answer.status().as_u16();
        let _ = timeout(END_IN_PEACE, Limited::new(answer.into_body(), MAX_ANSWER).collect()).await;
        Ok(status)
    };
    // Both in this task: when it ends, nothing of the connection is left.
    tokio::pin!(connection, answered);
    tokio::select! {
        biased;
        answer = &mut answered => answer,
        _ = &mut connection => answered.await,
    }
}
