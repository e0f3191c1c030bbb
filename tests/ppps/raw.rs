//! A server that answers `load.html` well and a question with exactly the bytes it was given.

use std::sync::{Arc, Mutex};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::bench::{PATIENCE, keys};

/// What a question meets.
#[derive(Clone)]
pub(crate) enum Script {
    /// These bytes, then the connection closes as TLS wants it.
    Say(Vec<u8>),
    /// These bytes, then the connection breaks.
    Break(Vec<u8>),
    /// These bytes, then nothing more ever.
    Hang(Vec<u8>),
    /// The connection closes as soon as it is there, when it is not the probe's.
    CloseAtOnce,
}

pub(crate) struct RawBank {
    pub(crate) address: String,
    script: Arc<Mutex<Script>>,
    established: mpsc::UnboundedReceiver<()>,
    connections: mpsc::UnboundedReceiver<Vec<u8>>,
    listening: JoinHandle<()>,
}

impl Drop for RawBank {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

const LOAD: &str = "<html><body><div id=\"server_status\" style=\"text-align:center;\">OK</div></body></html>";

impl RawBank {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::Say(Vec::new())));
        let (sender, connections) = mpsc::unbounded_channel();
        let (ready, established) = mpsc::unbounded_channel();
        let (acceptor, current) = (acceptor(), Arc::clone(&script));
        let listening = tokio::spawn(async move {
            let mut met = 0_u64;
            while let Ok((stream, _)) = listener.accept().await {
                // Without it, each answer waits for the acknowledgement of the TLS tickets before it.
                stream.set_nodelay(true).unwrap();
                met += 1;
                let (acceptor, sender, ready) = (acceptor.clone(), sender.clone(), ready.clone());
                let script = current.lock().unwrap().clone();
                // A line takes two connections: the probe's, then its own.
                let is_probe = met % 2 == 1;
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let _ = ready.send(());
                    let _ = sender.send(converse(stream, script, is_probe).await);
                });
            }
        });
        Self { address, script, established, connections, listening }
    }

    pub(crate) fn next_answer(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }

    /// Waits until this side, too, has TLS on one more connection.
    pub(crate) async fn established(&mut self) {
        tokio::time::timeout(PATIENCE, self.established.recv()).await.unwrap().unwrap();
    }

    /// What the next connection that has ended had brought.
    pub(crate) async fn ended(&mut self) -> String {
        let bytes = tokio::time::timeout(PATIENCE, self.connections.recv()).await.unwrap().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Whether no connection is left to tell of.
    pub(crate) fn nothing_else(&mut self) -> bool {
        self.connections.try_recv().is_err()
    }
}

/// One connection; returns all that came in after TLS.
async fn converse(mut stream: TlsStream<TcpStream>, script: Script, is_probe: bool) -> Vec<u8> {
    let mut read = Vec::new();
    if matches!(script, Script::CloseAtOnce) && !is_probe {
        let _ = stream.shutdown().await;
    }
    read_request(&mut stream, &mut read).await;
    if read.starts_with(b"GET /load.html HTTP/1.1\r\n") {
        let _ = stream.write_all(&http("200 OK", LOAD)).await;
    } else if read.starts_with(b"POST") {
        let bytes = match &script {
            Script::Say(bytes) | Script::Break(bytes) | Script::Hang(bytes) => bytes.clone(),
            Script::CloseAtOnce => Vec::new(),
        };
        let _ = stream.write_all(&bytes).await;
        let _ = stream.flush().await;
        match script {
            Script::Say(_) => drop(stream.shutdown().await),
            // Dropped without the goodbye of TLS.
            Script::Break(_) => return read,
            Script::Hang(_) | Script::CloseAtOnce => {}
        }
    }
    // Anything that still comes would be a byte too many: wait for the other side to close.
    let _ = stream.read_to_end(&mut read).await;
    read
}

/// Reads until a request is whole or the connection ends.
async fn read_request(stream: &mut TlsStream<TcpStream>, read: &mut Vec<u8>) {
    loop {
        let text = String::from_utf8_lossy(read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return;
            }
        }
        match stream.read_buf(read).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// A whole answer of HTTP.
pub(crate) fn http(status: &str, body: &str) -> Vec<u8> {
    with_head(&format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", latin1(body).len()), body)
}

/// An answer in two chunks.
pub(crate) fn chunked(body: &str) -> Vec<u8> {
    let bytes = latin1(body);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut all = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in [first, second, b""] {
        all.extend(format!("{:x}\r\n", chunk.len()).bytes());
        all.extend(chunk);
        all.extend(b"\r\n");
    }
    all
}

pub(crate) fn with_head(head: &str, body: &str) -> Vec<u8> {
    let mut all = head.as_bytes().to_vec();
    all.extend(latin1(body));
    all
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
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
