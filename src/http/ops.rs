//! The operators' port: alive, ready, metrics. Never on the public address.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
    routing::get,
};

use super::Gateway;

/// Renders all metrics in the text format of OpenMetrics.
pub(super) type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// `/livez`, `/readyz`, `/metrics`.
pub fn ops_router(gateway: Arc<Gateway>, metrics: Metrics) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(gateway)
        .route("/metrics", get(move || async move { open_metrics(metrics()) }))
}

/// Ready means that the store reads and writes: without it nothing can be promised.
async fn ready(State(gateway): State<Arc<Gateway>>) -> (StatusCode, String) {
    match gateway.app.health().await {
        Ok(()) if gateway.app.is_frozen().await.unwrap_or_default() => {
            (StatusCode::OK, "ok, but debits are frozen: see /v1/reconciliation\n".to_owned())
        }
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        // Nobody but operators reads it, and no password stands in it.
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
    }
}

fn open_metrics(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
