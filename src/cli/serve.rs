//! `serve`: from a configuration to a gateway that answers, and back to nothing without losing anything.

use std::{
    future::Future,
    io::{self, Write},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::{JoinError, JoinSet},
    time::Instant,
};

use super::{Failure, lock::ServeLock, log, wiring, worker};
use crate::{
    adapters::{alarms::Metrics, page_hosts::SeenPages},
    app::{App, Error, Ports, Served},
    config::{Config, Loaded, Server},
    http::{self, Gateway, Limits, Rate, RequestLimits},
};

/// How long threads that still read the store may take at the very end.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// How long a gateway's name is waited for, a little longer than it is anybody's who does not say so any more.
const NAME_WAIT: Duration = Duration::from_secs(25);
const NAME_LOOK: Duration = Duration::from_millis(500);
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// [`Failure::Refused`] when the store or an address cannot be used, somebody else serves the store, or a part of the gateway ended by itself.
pub(super) fn serve(loaded: Loaded) -> Result<(), Failure> {
    log::start(&loaded.config.log)?;
    for warning in &loaded.warnings {
        tracing::warn!(key = warning.path, "{}", warning.sentence);
    }
    let lock = ServeLock::take(&loaded.config.store, &loaded.config.journal)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(loaded.config));
    runtime.shutdown_timeout(LAST_WAIT);
    drop(lock);
    outcome
}

async fn run(config: Config) -> Result<(), Failure> {
    // From here on a signal is not lost, and does not end the process by itself.
    let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let metrics = Metrics::new(config.merchants.iter().map(|served| &served.merchant.id));
    let (ports, pages) = wiring::world(&config, &metrics).await?;
    let Config { mode, instance, public_url, server, bank, webhooks, merchants, .. } = config;
    let public = listen(server.listen, server.reuse_port)?;
    let ops = listen(server.ops_listen, false)?;
    let (here, ops_here) = (http_address(&public)?, http_address(&ops)?);
    let public_url = public_url.unwrap_or_else(|| here.clone());
    let merchants = merchants.into_iter().map(|served| served.merchant).collect();
    let app =
        App::new(ports.clone(), mode, merchants, webhooks.policy, bank.first_question, &public_url).named(instance);
    take_place(&app).await.map_err(|error| Failure::Refused(error.to_string()))?;
    // No moment is lived twice: what was put forward stays so, from the first question on.
    app.follow_test_clock().await.map_err(|error| Failure::Refused(error.to_string()))?;
    app.meet_store().await.map_err(|error| Failure::Refused(error.to_string()))?;
    let gateway = Arc::new(Gateway::new(app, request_limits(&server)));
    let ready = serde_json::json!({"listen": here, "ops": ops_here, "public_url": public_url, "mode": mode.name()});
    writeln!(io::stdout(), "{ready}")?;
    tracing::info!(listen = here, ops = ops_here, public_url, mode = mode.name(), "serving");
    let tell_at_once = webhooks.tell_at_once;
    let looking = Looking { pages, every: bank.look_every.unsigned_abs() };
    let parts = Parts { tell_at_once, gateway, ports, looking, metrics: Arc::new(metrics), public, ops };
    parts.run(&server, signals).await
}

/// Begins to serve the store. Whoever died with this gateway's name, and another journal, has it for a little while yet.
async fn take_place(app: &App) -> Result<(), Error> {
    let deadline = Instant::now() + NAME_WAIT;
    let mut is_said = false;
    loop {
        match app.serve_store().await? {
            Served::NameTaken(name) if Instant::now() < deadline => {
                if !is_said {
                    tracing::warn!(instance = name, "another gateway has this name, or died with it: waiting");
                }
                is_said = true;
                tokio::time::sleep(NAME_LOOK).await;
            }
            served @ (Served::Granted | Served::BeingCopied | Served::NameTaken(_)) => return served.granted(),
        }
    }
}

/// With `shares`, other processes of the same user may listen on the address too; the kernel spreads connections.
fn listen(address: SocketAddr, shares: bool) -> Result<TcpListener, Failure> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // What was on it a moment ago keeps nobody from listening.
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(shares)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|error: io::Error| Failure::Refused(format!("{address} cannot be listened on: {error}")))
}

fn http_address(listener: &TcpListener) -> Result<String, Failure> {
    Ok(format!("http://{}", listener.local_addr()?))
}

/// Looks at the payment page's hosts again and again.
struct Looking {
    pages: Arc<SeenPages>,
    every: Duration,
}

impl Looking {
    async fn look(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = self.pages.look() => {}
                () = worker::stopped(&mut stop) => return,
            }
            tokio::select! {
                () = tokio::time::sleep(self.every) => {}
                () = worker::stopped(&mut stop) => return,
            }
        }
    }
}

/// What runs.
struct Parts {
    tell_at_once: usize,
    gateway: Arc<Gateway>,
    ports: Ports,
    looking: Looking,
    metrics: Arc<Metrics>,
    public: TcpListener,
    ops: TcpListener,
}

impl Parts {
    async fn run(self, server: &Server, signals: (Signal, Signal)) -> Result<(), Failure> {
        let (stop, stopping) = watch::channel(false);
        let Self { tell_at_once, gateway, ports, looking, metrics, public, ops } = self;
        let router = http::router(Arc::clone(&gateway));
        let ops_router = http::ops_router(Arc::clone(&gateway), Arc::new(move || metrics.encode()));
        let limits = limits(server);
        let pace = worker::Pace {
            look_again: server.look_again,
            attend_at_once: server.attend_at_once,
            tell_at_once,
            rest_after_failure: server.rest_after_failure,
            grace: server.shutdown_grace,
        };
        let mut parts = JoinSet::new();
        parts.spawn(named("public server", http::serve(public, router, limits, stopping.clone())));
        parts.spawn(named("ops server", http::serve(ops, ops_router, limits, stopping.clone())));
        let work = worker::work(Arc::clone(&gateway), pace, stopping.clone());
        parts.spawn(named("worker", work));
        parts.spawn(named("look-out", looking.look(stopping.clone())));
        parts.spawn(named("marker", worker::keep_mark(Arc::clone(&gateway), stopping.clone())));
        parts.spawn(named("forgetter", worker::forget_answers(ports, stopping)));
        let early = tokio::select! {
            () = told_to_stop(signals) => None,
            ended = parts.join_next() => Some(name_of(ended)),
        };
        tracing::info!("stopping");
        let deadline = Instant::now() + server.shutdown_grace;
        // Nobody listens any more only if everything has ended already.
        let _ = stop.send(true);
        while let Some(ended) = parts.join_next().await {
            tracing::debug!(part = name_of(Some(ended)), "ended");
        }
        wait_for_others(&gateway, deadline).await;
        gateway.app.leave_store().await;
        tracing::info!("stopped");
        match early {
            None => Ok(()),
            Some(part) => Err(Failure::Refused(format!("the {part} ended by itself, so the gateway stopped"))),
        }
    }
}

fn limits(server: &Server) -> Limits {
    Limits {
        connections: server.connections,
        header_deadline: server.header_deadline,
        header_bytes: server.header_bytes,
        write_deadline: server.write_deadline,
        shutdown_grace: server.shutdown_grace,
    }
}

fn request_limits(server: &Server) -> RequestLimits {
    RequestLimits {
        body_bytes: server.body_bytes,
        body_deadline: server.body_deadline,
        requests: Rate { per_minute: server.requests_per_minute },
        strays: Rate { per_minute: server.stray_notifications_per_minute },
        return_wait: server.return_wait,
    }
}

async fn named(name: &'static str, part: impl Future<Output = ()>) -> &'static str {
    part.await;
    name
}

fn name_of(ended: Option<Result<&'static str, JoinError>>) -> &'static str {
    match ended {
        Some(Ok(name)) => name,
        // Which one is in the log: a panic says where it was.
        Some(Err(_)) | None => "part that panicked",
    }
}

async fn told_to_stop((mut terminate, mut interrupt): (Signal, Signal)) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Questions that a notification or a returning payer set off may still be under way; whoever holds the gateway is.
async fn wait_for_others(gateway: &Arc<Gateway>, deadline: Instant) {
    let all_done = async {
        while Arc::strong_count(gateway) > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // What is cut here is taken up at the next start.
    let _ = tokio::time::timeout_at(deadline, all_done).await;
}
