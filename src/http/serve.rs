//! Our own accept loop: every wait on a stranger has a deadline, and stopping lets requests under way finish.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tower::ServiceExt;

use super::{
    arrival::Arriving,
    connections::{Connections, Place},
    patience::Patient,
};

/// Limits on connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once.
    pub connections: usize,
    /// How long a request's header may take, from the connection's opening or the answer before it.
    pub header_deadline: Duration,
    /// The most bytes of a request's header.
    pub header_bytes: usize,
    /// How long a peer may leave an answer unread before the connection is cut.
    pub write_deadline: Duration,
    /// How long requests under way may take once the server is told to stop.
    pub shutdown_grace: Duration,
}

/// The wait after an accept that failed, for want of file descriptors for instance.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);
/// The most headers of a request.
const MAX_HEADERS: usize = 64;
/// The smallest buffer that hyper allows.
const MIN_BUFFER: usize = 8_192;

/// Serves `router` until `stop` turns true, then lets requests under way finish.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, mut stop: watch::Receiver<bool>) {
    let connections = Arc::new(Connections::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        // Without a place the connection is dropped at once: everybody is at work.
        if let Some(place) = connections.enter(limits.connections) {
            tokio::spawn(serve_connection(stream, router.clone(), limits, place, stop.clone()));
        }
    }
    drop(listener);
    let all_done = async {
        while connections.count() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // What is still running after the grace is cut: nothing that matters lives in a connection.
    let _ = tokio::time::timeout(limits.shutdown_grace, all_done).await;
}

async fn serve_connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    place: Place,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small and wanted at once; where the option is refused they are merely later.
    let _ = stream.set_nodelay(true);
    let close = Arc::clone(&place.close);
    let service = service_fn(|request: Request<Incoming>| {
        let under_way = Arc::new(place.request());
        let arriving = |body| Body::new(Arriving::new(body, Arc::clone(&under_way)));
        let answer = router.clone().oneshot(request.map(arriving));
        async move {
            let answer = answer.await;
            drop(under_way);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_deadline)
        .max_buf_size(limits.header_bytes.max(MIN_BUFFER))
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Patient::new(stream, limits.write_deadline)), service);
    tokio::pin!(connection);
    // A connection that fails is its peer's affair; there is nobody left to tell.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = close.notified() => return,
        () = stopped(&mut stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Returns when the server is to stop, or nobody is left who could say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
