//! Sockets. Five listeners on 127.0.0.1: two page hosts, two direct hosts over TLS, and the management port, all over
//! one `Sandbox`.

use crate::config::Config;
use crate::direct::exchange;
use crate::error::SetupError;
use crate::faults::{Host, Target};
use crate::http::{Dropped, Reply, Served};
use crate::keys::{KeyDirectory, TlsSet};
use crate::log::Log;
use crate::page::walk;
use crate::wire::signature::BankKey;
use crate::world::Sandbox;
use crate::{load, manage};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How the sandbox starts. Port 0 lets the machine choose.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub config: Config,
    pub ports: Ports,
    pub tls: TlsSet,
    pub seed: u64,
}

/// One port per listener.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ports {
    pub page: u16,
    pub page_backup: u16,
    pub direct: u16,
    pub direct_backup: u16,
    pub manage: u16,
}

/// Where the sandbox listens: the one line that `serve` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Addresses {
    pub page: String,
    pub page_backup: String,
    pub direct: String,
    pub direct_backup: String,
    pub manage: String,
}

/// A running sandbox; it stops when dropped.
#[derive(Debug)]
pub struct Running {
    pub addresses: Addresses,
    pub sandbox: Arc<Sandbox>,
    listeners: JoinSet<()>,
}

impl Running {
    /// Serves until the process ends.
    pub async fn serve_for_ever(mut self) {
        while self.listeners.join_next().await.is_some() {}
    }
}

/// What a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Page(Host),
    Direct(Host),
    Manage,
}

impl Service {
    fn fault_target(self) -> Option<(Target, Host)> {
        match self {
            Self::Page(host) => Some((Target::Page, host)),
            Self::Direct(host) => Some((Target::Direct, host)),
            Self::Manage => None,
        }
    }
}

/// Reads the keys, binds the five ports and starts to serve.
pub async fn start(keys: &KeyDirectory, options: Options, log: Log) -> Result<Running, SetupError> {
    let bank_key = BankKey::from_pem(&keys.read("paybox-private.pem")?)
        .map_err(|error| SetupError::because("paybox-private.pem", &error))?;
    let contracts = options.config.contracts.iter().map(|contract| contract.resolve(keys)).collect::<Result<_, _>>()?;
    let acceptor = acceptor(keys, options.tls)?;
    let read_timeout = Duration::from_millis(options.config.read_timeout_ms);
    let config = options.config;
    let sandbox = Arc::new(Sandbox::new(contracts, bank_key, log, options.seed, config.switches, config.last_numbers));
    let mut listeners = JoinSet::new();
    let mut listen = async |service: Service, port: u16| -> Result<String, SetupError> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .await
            .map_err(|error| SetupError::because(&format!("port {port}"), &error))?;
        let address = listener.local_addr().map_err(|error| SetupError::because("listener", &error))?;
        let tls = matches!(service, Service::Direct(_)).then(|| acceptor.clone());
        let scheme = if tls.is_some() { "https" } else { "http" };
        listeners.spawn(accept(Arc::clone(&sandbox), listener, service, tls, read_timeout));
        Ok(format!("{scheme}://{address}"))
    };
    let addresses = Addresses {
        page: listen(Service::Page(Host::Main), options.ports.page).await?,
        page_backup: listen(Service::Page(Host::Backup), options.ports.page_backup).await?,
        direct: listen(Service::Direct(Host::Main), options.ports.direct).await?,
        direct_backup: listen(Service::Direct(Host::Backup), options.ports.direct_backup).await?,
        manage: listen(Service::Manage, options.ports.manage).await?,
    };
    Ok(Running { addresses, sandbox, listeners })
}

fn acceptor(keys: &KeyDirectory, set: TlsSet) -> Result<TlsAcceptor, SetupError> {
    let (certificate_file, key_file) = set.files();
    let chain = CertificateDer::pem_slice_iter(keys.read(certificate_file)?.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| SetupError::because(certificate_file, &error))?;
    let key = PrivateKeyDer::from_pem_slice(keys.read(key_file)?.as_bytes())
        .map_err(|error| SetupError::because(key_file, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| SetupError::because("TLS", &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Accepts until the listener is dropped; its connections are dropped with it.
async fn accept(
    sandbox: Arc<Sandbox>,
    listener: TcpListener,
    service: Service,
    tls: Option<TlsAcceptor>,
    read_timeout: Duration,
) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: wait for connections to end rather than spin.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if is_dead(&sandbox, service) {
            continue;
        }
        connections.spawn(connection(Arc::clone(&sandbox), stream, service, tls.clone(), read_timeout));
    }
}

/// Whether a fault keeps this host from being there at all.
fn is_dead(sandbox: &Sandbox, service: Service) -> bool {
    let dead = service.fault_target().is_some_and(|(target, host)| sandbox.world().faults.strikes_dead(target, host));
    if dead {
        sandbox.log.line(&format!("{service:?}: dead on purpose"));
    }
    dead
}

async fn connection(
    sandbox: Arc<Sandbox>,
    stream: TcpStream,
    service: Service,
    tls: Option<TlsAcceptor>,
    read_timeout: Duration,
) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => converse(sandbox, stream, service, read_timeout).await,
        Some(acceptor) => match tokio::time::timeout(read_timeout, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => converse(sandbox, stream, service, read_timeout).await,
            Ok(Err(error)) => sandbox.log.line(&format!("{service:?}: TLS: {error}")),
            Err(_) => sandbox.log.line(&format!("{service:?}: TLS handshake timed out")),
        },
    }
}

async fn converse<S>(sandbox: Arc<Sandbox>, stream: S, service: Service, read_timeout: Duration)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let respond = service_fn(|request| respond(Arc::clone(&sandbox), service, request));
    // Errors here are broken connections: the client's affair, or a fault that closed it on purpose.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(read_timeout)
        .serve_connection(TokioIo::new(stream), respond)
        .await;
}

async fn respond(sandbox: Arc<Sandbox>, service: Service, request: Request<Incoming>) -> Served {
    if is_dead(&sandbox, service) {
        return Err(Dropped);
    }
    let is_load = request.uri().path() == "/load.html";
    let response: Response<Reply> = match service {
        Service::Page(host) if is_load => load::answer(&sandbox, "page", host).await?,
        Service::Direct(host) if is_load => load::answer(&sandbox, "direct", host).await?,
        Service::Page(host) => walk::answer(&sandbox, host, request).await?,
        Service::Direct(host) => exchange::answer(&sandbox, host, request).await?,
        Service::Manage => manage::answer(&sandbox, request).await,
    };
    Ok(response)
}
