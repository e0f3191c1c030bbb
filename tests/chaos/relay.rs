//! A relay between the gateway and whom it talks to, which can cut at any byte of what is said. It ends TLS on either side,
//! so a byte is one of HTTP.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use guichet::adapters::ppps::tls_config;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{
    bench::keys,
    cuts::{Cut, Cuts, How, Side},
};

/// Longer than the gateway waits for anybody.
const HANGING: Duration = Duration::from_secs(3);

pub(crate) struct Relay {
    /// `https://host:port` or `http://host:port`, as what is behind it.
    pub(crate) address: String,
    heard: Arc<Mutex<Vec<Asked>>>,
    listening: JoinHandle<()>,
}

/// A whole question, and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) from_port: u16,
    /// Of the request, in bytes.
    pub(crate) length: usize,
    body: String,
}

impl Asked {
    pub(crate) fn field(&self, name: &str) -> &str {
        let mut fields = self.body.split('&').filter_map(|field| field.split_once('='));
        fields.find(|(known, _)| *known == name).map(|(_, value)| value).unwrap_or_default()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Relay {
    /// Before `far`, a URL without a path.
    pub(crate) fn before(far: &str, cuts: &Arc<Cuts>) -> Self {
        let (scheme, far) = far.split_once("://").unwrap();
        // Bound before anybody waits, so that its address can be written into a configuration.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let listener = TcpListener::from_std(listener).unwrap();
        let (is_tls, far, cuts) = (scheme == "https", far.to_owned(), Arc::clone(cuts));
        let (acceptor, connector) = (acceptor(), connector());
        let heard: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let list = Arc::clone(&heard);
        let listening = tokio::spawn(async move {
            while let Ok((near, from)) = listener.accept().await {
                let asked = (from.port(), Arc::clone(&list));
                near.set_nodelay(true).unwrap();
                let (far, cuts, acceptor, connector) =
                    (far.clone(), Arc::clone(&cuts), acceptor.clone(), connector.clone());
                tokio::spawn(async move {
                    let Ok(away) = TcpStream::connect(&far).await else { return };
                    away.set_nodelay(true).unwrap();
                    if !is_tls {
                        return relay(near, away, &cuts, &asked).await;
                    }
                    let Ok(near) = acceptor.accept(near).await else { return };
                    let name = ServerName::try_from("127.0.0.1").unwrap();
                    let Ok(away) = connector.connect(name, away).await else { return };
                    relay(near, away, &cuts, &asked).await;
                });
            }
        });
        Self { address, heard, listening }
    }
}

impl Relay {
    pub(crate) fn port(&self) -> u16 {
        self.address.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// Every question of this TYPE that came through, whole.
    pub(crate) fn asked(&self, kind: &str) -> Vec<Asked> {
        self.heard.lock().unwrap().iter().filter(|asked| asked.field("TYPE") == kind).cloned().collect()
    }
}

/// A stream whose socket can be torn off.
trait Torn: AsyncRead + AsyncWrite + Unpin + Send {
    fn socket(&self) -> &TcpStream;
}

impl Torn for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Torn for tokio_rustls::server::TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl Torn for tokio_rustls::client::TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// One request and its answer, whole or up to where it is cut.
async fn relay(mut near: impl Torn, mut away: impl Torn, cuts: &Cuts, asked: &(u16, Arc<Mutex<Vec<Asked>>>)) {
    let Some(request) = read_message(&mut near).await else { return };
    let body = String::from_utf8_lossy(&request).split_once("\r\n\r\n").unwrap().1.to_owned();
    asked.1.lock().unwrap().push(Asked { from_port: asked.0, length: request.len(), body });
    let (kind, about) = about(&request);
    let cut = kind.as_deref().and_then(|kind| cuts.next(kind, &about));
    if let Some(Cut { side: Side::Request, at, how }) = cut {
        let _ = away.write_all(&request[..at.min(request.len())]).await;
        let _ = away.flush().await;
        if at >= request.len() {
            // All of it has arrived, and is carried out; nothing comes back.
            let _ = read_message(&mut away).await;
        }
        tear(near, how, at).await;
        return tear(away, if how == How::Hang { How::Reset } else { how }, at).await;
    }
    if away.write_all(&request).await.is_err() || away.flush().await.is_err() {
        return;
    }
    let Some(answer) = read_message(&mut away).await else { return };
    let end = cut.map_or(answer.len(), |cut| cut.at.min(answer.len()));
    let _ = near.write_all(&answer[..end]).await;
    let _ = near.flush().await;
    match cut {
        Some(Cut { how, at, .. }) => tear(near, how, at).await,
        None => {
            if let Some(kind) = kind {
                cuts.measure(&kind, &request, &answer);
            }
            let _ = near.shutdown().await;
            // Until the other side has read it all.
            let _ = tokio::time::timeout(HANGING, near.read(&mut [0; 1])).await;
        }
    }
}

async fn tear(mut stream: impl Torn, how: How, at: usize) {
    match how {
        How::Reset => stream.socket().set_zero_linger().unwrap(),
        // With the goodbye of TLS, and without.
        How::Finish if at.is_multiple_of(2) => drop(stream.shutdown().await),
        How::Finish => {}
        How::Hang => {
            let _ = tokio::time::timeout(HANGING, stream.read(&mut [0; 1])).await;
        }
    }
}

/// A head and as much after it as it says; `None` when the stream ends before.
async fn read_message(stream: &mut impl Torn) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if bytes.len() >= end + 4 + length.map_or(0, |length| length.trim().parse().unwrap()) {
                return Some(bytes);
            }
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// What kind of exchange a request begins, if one that is cut, and the order or event that it is about.
fn about(request: &[u8]) -> (Option<String>, String) {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    if let Some(id) = head.lines().find_map(|line| line.strip_prefix("webhook-id: ")) {
        return (Some("webhook".to_owned()), id.to_owned());
    }
    let field = |name: &str| body.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    let reference = field("REFERENCE").unwrap_or_default();
    let kind = field("TYPE").map(str::to_owned);
    // An order has refunds enough for a cut each.
    let order = if kind.as_deref() == Some("00014") { Some(reference) } else { reference.split('-').nth(1) };
    (kind, order.unwrap_or_default().to_owned())
}

fn acceptor() -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(keys().read("server.pem").unwrap().as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(keys().read("server.key").unwrap().as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn connector() -> TlsConnector {
    TlsConnector::from(tls_config(Some(keys().read("ca.pem").unwrap().as_bytes())).unwrap())
}
