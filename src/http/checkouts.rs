//! `/v1/orders/{id}/checkout`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{Request, Response},
};
use serde_json::{Value, json};

use super::{Gateway, idempotency::Asked, order_in::CheckoutIn, order_out, problem::Problem, query::order_id};
use crate::{
    app::{Rendered, access::Scope, checkout::Issued},
    domain::checkout::{Billing, Challenge, Checkout},
};

pub(super) async fn check_out(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let check_out = |asked: Asked| async move {
        let id = order_id(&id)?;
        let checkout: CheckoutIn = asked.request.json()?;
        let checkout = checkout.parse().map_err(Problem::faults)?;
        Ok(asked.app().check_out(&asked.caller, id, &checkout, &asked.remember(issued)).await?)
    };
    gateway.once(request, &[Scope::Portal], check_out).await
}

fn issued(issued: &Issued) -> Rendered {
    let order = &issued.current.order;
    let checkout = order.checkout(issued.checkout);
    let mut document = checkout.map(|checkout| order_out::checkout(order, checkout)).unwrap_or_default();
    if let Some(members) = document.as_object_mut() {
        let form = issued.form.as_ref().map(|form| {
            let fields = form.fields.iter().map(|(name, value)| json!({"name": name, "value": value}));
            json!({"method": "POST", "action": form.action, "fields": fields.collect::<Value>()})
        });
        members.insert("order".to_owned(), json!(order.id));
        members.insert("redirect".to_owned(), json!(issued.redirect));
        members.insert("form".to_owned(), json!(form));
        members.insert("changes".to_owned(), json!(issued.changes));
        members.insert("strong_authentication".to_owned(), json!(checkout.map(strong_authentication)));
    }
    Rendered { status: 201, body: document.to_string(), version: Some(issued.current.version) }
}

/// What the payer has to expect of their bank.
fn strong_authentication(checkout: &Checkout) -> &'static str {
    match (&checkout.billing, checkout.challenge) {
        (_, Challenge::Required) => "required",
        (_, Challenge::Wanted) | (Billing::Omitted | Billing::Placeholder, _) => "likely",
        (Billing::Address { .. }, Challenge::NoPreference | Challenge::NotWanted) => "possible",
    }
}
