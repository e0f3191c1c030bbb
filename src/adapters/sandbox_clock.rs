//! Telling a sandbox what time it is, on its management port.

use std::{pin::pin, time::Duration};

use async_trait::async_trait;
use http_body_util::Full;
use hyper::{
    Request, StatusCode,
    body::Bytes,
    client::conn::http1,
    header::{CONNECTION, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::{net::TcpStream, time::timeout};
use url::Url;

use crate::ports::{NotTold, SandboxClock};

/// A sandbox of this machine, by the URL of its management port.
pub struct ManagedSandbox {
    url: Url,
    /// For the whole: connection, question, status.
    deadline: Duration,
}

impl ManagedSandbox {
    pub fn new(url: Url, deadline: Duration) -> Self {
        Self { url, deadline }
    }

    async fn post(&self, body: String) -> Result<StatusCode, String> {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((bare, port)).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        let request = Request::post(format!("{}/clock", self.url.path().trim_end_matches('/')))
            .header(HOST, format!("{host}:{port}"))
            .header(CONTENT_TYPE, "application/json")
            .header(CONNECTION, "close")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let mut answer = pin!(sender.send_request(request));
        let mut connection = pin!(connection);
        // Both in this task: when it ends, nothing of the connection is left.
        let answer = tokio::select! {
            biased;
            answer = &mut answer => answer,
            _ = &mut connection => answer.await,
        };
        Ok(answer.map_err(|error| error.to_string())?.status())
    }
}

#[async_trait]
impl SandboxClock for ManagedSandbox {
    async fn set(&self, now: Timestamp) -> Result<(), NotTold> {
        let posted = timeout(self.deadline, self.post(serde_json::json!({"now": now}).to_string())).await;
        match posted.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
            Ok(StatusCode::OK) => Ok(()),
            Ok(status) => Err(NotTold(format!("it answers {status}"))),
            Err(why) => Err(NotTold(why)),
        }
    }
}
