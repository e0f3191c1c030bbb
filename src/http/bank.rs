//! PAYBOX's notifications. The answer's body is always empty, as PAYBOX wants it; `layer` sees to that for problems.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{Request, StatusCode},
};

use super::{
    Gateway, body,
    problem::{Code, Problem},
};
use crate::{
    app::{self, callback::Received},
    domain::ids::MerchantId,
};

pub(super) async fn notified_by_query(
    State(gateway): State<Arc<Gateway>>,
    Path(merchant): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    notified(&gateway, &merchant, query.unwrap_or_default().as_bytes()).await
}

pub(super) async fn notified_by_body(
    State(gateway): State<Arc<Gateway>>,
    Path(merchant): Path<String>,
    request: Request<Body>,
) -> Result<StatusCode, Problem> {
    let raw = body::bytes(request.into_body(), gateway.limits).await?;
    notified(&gateway, &merchant, &raw).await
}

async fn notified(gateway: &Arc<Gateway>, merchant: &str, raw: &[u8]) -> Result<StatusCode, Problem> {
    let merchant: MerchantId = merchant.parse().map_err(|_| Problem::of(Code::NotFound))?;
    gateway.app.merchant(&merchant)?;
    // Monitors and the curious: nothing was said under PAYBOX's name, so there is nothing to keep and nobody to call.
    if raw.is_empty() {
        return Ok(StatusCode::BAD_REQUEST);
    }
    // What belongs to a checkout is always taken. Anything else can be sent by anybody, as often as they like; only so
    // much of it is kept, and wakes somebody.
    let may_keep = || gateway.strays.allows(merchant.as_str());
    match gateway.app.notified(&merchant, raw, &may_keep).await {
        Ok(Received::News(order)) => {
            // PAYBOX is answered at once, whatever becomes of it.
            let _ = gateway.attend_soon(merchant, order);
            Ok(StatusCode::OK)
        }
        Ok(Received::Known | Received::Unusable) => Ok(StatusCode::OK),
        Ok(Received::Unverified) => Ok(StatusCode::BAD_REQUEST),
        Err(error @ (app::Error::NotFound | app::Error::Unavailable(_))) => Err(error.into()),
        Err(error) => {
            tracing::error!(%error, %merchant, "a notification could not be kept");
            Err(Problem::of(Code::Unavailable))
        }
    }
}
