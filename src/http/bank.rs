//! PAYBOX's notifications. The answer's body is always empty, as PAYBOX wants it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{Request, Response, StatusCode},
};

use super::{Gateway, body};
use crate::{
    app::{self, callback::Received},
    domain::ids::MerchantId,
};

pub(super) async fn notified_by_query(
    State(gateway): State<Arc<Gateway>>,
    Path(merchant): Path<String>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    notified(&gateway, &merchant, query.unwrap_or_default().as_bytes()).await
}

pub(super) async fn notified_by_body(
    State(gateway): State<Arc<Gateway>>,
    Path(merchant): Path<String>,
    request: Request<Body>,
) -> Response<Body> {
    match body::bytes(request.into_body(), gateway.limits).await {
        Ok(raw) => notified(&gateway, &merchant, &raw).await,
        Err(problem) => empty(problem.code.status()),
    }
}

async fn notified(gateway: &Arc<Gateway>, merchant: &str, raw: &[u8]) -> Response<Body> {
    let Ok(merchant) = merchant.parse::<MerchantId>() else {
        return empty(StatusCode::NOT_FOUND);
    };
    let status = match gateway.app.notified(&merchant, raw).await {
        Ok(Received::News(order)) => {
            // PAYBOX is answered at once, whatever becomes of it.
            let _ = gateway.attend_soon(merchant, order);
            StatusCode::OK
        }
        Ok(Received::Known | Received::Unusable) => StatusCode::OK,
        Ok(Received::Unverified) => StatusCode::BAD_REQUEST,
        Err(app::Error::NotFound) => StatusCode::NOT_FOUND,
        Err(error) => {
            tracing::error!(%error, %merchant, "a notification could not be kept");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    empty(status)
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
