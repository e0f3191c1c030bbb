//! One connection, one exchange. The connection is driven by whoever waits for it, in no task of its own: dropping the
//! wait drops the socket, and nothing is left behind that could still write.

use std::{error::Error, fmt::Write, io, pin::pin, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Bytes, Incoming},
    client::conn::http1,
    header::TRANSFER_ENCODING,
};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    endpoint::Endpoint,
    gate::{Gate, Gated},
};
use crate::{paybox::direct_answer::MAX_ANSWER_BYTES, ports::Clock};

/// The longest head of an answer read.
const MAX_HEAD_BYTES: usize = 32 * 1_024;

/// A connection on which nothing was asked yet.
pub(super) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: http1::Connection<TokioIo<TlsStream<Gated>>, Full<Bytes>>,
    gate: Arc<Gate>,
}

/// Why there is no answer. None of these says whether the question was carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("no connection within {} ms", .0.as_millis())]
    ConnectTimeout(Duration),
    #[error("no connection: {0}")]
    Connect(io::Error),
    #[error("no TLS: {0}")]
    Tls(io::Error),
    #[error("the host says that it is not in service")]
    OutOfService,
    #[error("no answer within {} ms", .0.as_millis())]
    AnswerTimeout(Duration),
    #[error("the connection broke: {}", chain(.0))]
    Broken(hyper::Error),
    #[error("HTTP {}", .0.as_u16())]
    Status(StatusCode),
    #[error("the answer is longer than {MAX_ANSWER_BYTES} bytes")]
    TooLong,
    /// Neither Content-Length nor chunks: a whole answer cannot be told from the beginning of one.
    #[error("the answer does not tell where it ends")]
    Endless,
}

impl Connection {
    /// TCP and TLS. Nothing of HTTP is written yet.
    pub(super) async fn open(
        endpoint: &Endpoint,
        tls: &Arc<ClientConfig>,
        clock: &Arc<dyn Clock>,
        within: Duration,
    ) -> Result<Self, Fault> {
        let opening = async {
            let address = (endpoint.host.as_str(), endpoint.port);
            let socket = TcpStream::connect(address).await.map_err(Fault::Connect)?;
            socket.set_nodelay(true).map_err(Fault::Connect)?;
            // Closing discards what the system has not delivered yet: a question must not arrive minutes after it was
            // given up.
            socket.set_zero_linger().map_err(Fault::Connect)?;
            let gate = Arc::new(Gate::open(Arc::clone(clock)));
            let gated = Gated { socket, gate: Arc::clone(&gate) };
            let connector = TlsConnector::from(Arc::clone(tls));
            let stream = connector.connect(endpoint.name.clone(), gated).await.map_err(Fault::Tls)?;
            let (sender, driver) = http1::Builder::new()
                .max_buf_size(MAX_HEAD_BYTES)
                .handshake(TokioIo::new(stream))
                .await
                .map_err(Fault::Broken)?;
            Ok(Self { sender, driver, gate })
        };
        timeout(within, opening).await.unwrap_or(Err(Fault::ConnectTimeout(within)))
    }

    /// What decides until when this connection may still write.
    pub(super) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    /// Writes the request, once, and gives the body of its answer, whole.
    pub(super) async fn exchange(self, request: Request<Full<Bytes>>, within: Duration) -> Result<Bytes, Fault> {
        let Self { mut sender, driver, .. } = self;
        let driven = async {
            let mut driver = pin!(driver);
            let mut answer = pin!(async {
                let response = sender.send_request(request).await.map_err(Fault::Broken)?;
                whole(response).await
            });
            tokio::select! {
                biased;
                answer = &mut answer => answer,
                // The connection has ended; what it had delivered can still be read.
                _ = &mut driver => answer.await,
            }
        };
        timeout(within, driven).await.unwrap_or(Err(Fault::AnswerTimeout(within)))
    }
}

/// The body of a good answer. A redirect is as bad as any other status.
async fn whole(response: Response<Incoming>) -> Result<Bytes, Fault> {
    if response.status() != StatusCode::OK {
        return Err(Fault::Status(response.status()));
    }
    let chunked = response.headers().contains_key(TRANSFER_ENCODING);
    let mut body = response.into_body();
    if !chunked && body.size_hint().exact().is_none() {
        return Err(Fault::Endless);
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(Fault::Broken)?.into_data() {
            if bytes.len().saturating_add(data.len()) > MAX_ANSWER_BYTES {
                return Err(Fault::TooLong);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.into())
}

/// An error and what caused it: hyper's own words leave out the cause.
fn chain(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
