//! A school's portal, small: a recap, an address, a button, and the result. Its backend is a client of the gateway's API
//! and keeps nothing by itself.

mod pages;
mod words;

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use url::form_urlencoded;

use crate::{
    document::Document,
    gateway::Gateway,
    orders,
    trouble::{Outcome, Trouble},
};

const STYLE: &str = include_str!("style.css");
/// The largest form that is read, in bytes.
const FORM_MAX_BYTES: usize = 16_384;
/// How long a browser may take to send a request.
const READ_WITHIN: Duration = Duration::from_secs(10);

type Page = Response<Full<Bytes>>;

/// The portal's backend.
pub(crate) struct Portal {
    gateway: Gateway,
    /// `http://127.0.0.1:8000`.
    origin: String,
}

impl Portal {
    pub(crate) fn new(gateway: Gateway, origin: String) -> Self {
        Self { gateway, origin }
    }

    /// Places a registration and hands out its payment link, as the page's button would.
    pub(crate) async fn payment_link(&self) -> Outcome<String> {
        let order = self.gateway.place(&orders::registration()?).await?;
        let id = order.said("/id");
        let billing = json!({"mode": "prefilled", "address_id": orders::HOME});
        let checkout = self.gateway.try_checkout(id, &billing, &self.return_url()).await?.json_if(201)?;
        let link = checkout.pointer("/redirect").and_then(Value::as_str).map(str::to_owned);
        link.ok_or_else(|| Trouble::of("the checkout has no payment link"))
    }

    fn return_url(&self) -> String {
        format!("{}/retour", self.origin)
    }

    async fn answer(&self, request: Request<Incoming>) -> Outcome<Page> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (&parts.method, segments.as_slice()) {
            (&Method::GET, [""]) => Ok(html(StatusCode::OK, pages::home())),
            (&Method::GET, ["style.css"]) => Ok(typed(StatusCode::OK, "text/css; charset=utf-8", STYLE.to_owned())),
            (&Method::POST, ["commandes"]) => {
                let order = self.gateway.place(&orders::registration()?).await?;
                Ok(see_other(&format!("/commandes/{}", order.said("/id"))))
            }
            (&Method::GET, ["commandes", id]) => self.recap(id).await,
            (&Method::POST, ["commandes", id, "paiement"]) => self.pay(id, &form(body).await?).await,
            (&Method::GET, ["retour"]) => self.back(parts.uri.query().unwrap_or_default()).await,
            _ => Ok(unknown()),
        }
    }

    async fn recap(&self, id: &str) -> Outcome<Page> {
        let Some(order) = self.order(id).await? else { return Ok(unknown()) };
        Ok(match order.pointer("/status").and_then(Value::as_str) {
            Some("open") => html(StatusCode::OK, pages::recap(&order, None)),
            _ => html(StatusCode::OK, pages::result(&order, None)),
        })
    }

    async fn pay(&self, id: &str, form: &[(String, String)]) -> Outcome<Page> {
        let Some(order) = self.order(id).await? else { return Ok(unknown()) };
        let answer = self.gateway.try_checkout(id, &billing(form), &self.return_url()).await?;
        let document = answer.json()?;
        match (answer.status, document.pointer("/redirect").and_then(Value::as_str)) {
            (201, Some(redirect)) => Ok(see_other(redirect)),
            (status, _) => {
                let faults = document.items("/errors").iter();
                let details: Vec<&str> =
                    faults.filter_map(|fault| fault.pointer("/detail").and_then(Value::as_str)).collect();
                let said = document.said("/detail");
                let complaint = format!("{said} {}", details.join(" ; "));
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                Ok(html(status, pages::recap(&order, Some(complaint.trim()))))
            }
        }
    }

    /// What the browser brings names an order; what became of it, only the API says.
    async fn back(&self, query: &str) -> Outcome<Page> {
        let value = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
        };
        let Some(order) = self.order(&value("order").unwrap_or_default()).await? else { return Ok(unknown()) };
        let number = value("checkout").and_then(|number| number.parse::<i64>().ok());
        let mut checkouts = order.items("/checkouts").iter();
        let checkout = checkouts.find(|checkout| checkout.number("/number") == number);
        Ok(html(StatusCode::OK, pages::result(&order, checkout)))
    }

    async fn order(&self, id: &str) -> Outcome<Option<Value>> {
        let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !plain {
            return Ok(None);
        }
        let answer = self.gateway.get(&format!("/v1/orders/{id}")).await?;
        if answer.status == 404 { Ok(None) } else { answer.json_if(200).map(Some) }
    }
}

/// Serves the portal until it is dropped.
pub(crate) async fn serve(listener: TcpListener, portal: Portal) {
    let portal = Arc::new(portal);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let portal = Arc::clone(&portal);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let portal = Arc::clone(&portal);
                async move { Ok::<_, Infallible>(guarded(portal.answer(request).await)) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(READ_WITHIN)
                .serve_connection(TokioIo::new(stream), service);
            // A connection that fails is its browser's affair.
            let _ = connection.await;
        });
    }
}

/// A page for every outcome, with the headers that no page goes without.
fn guarded(outcome: Outcome<Page>) -> Page {
    let mut page = outcome.unwrap_or_else(|trouble| {
        eprintln!("portal: {trouble}");
        let text = "Le service de paiement ne répond pas pour le moment. Réessayez dans un instant.";
        html(StatusCode::BAD_GATEWAY, pages::notice("Service indisponible", text))
    });
    let headers = page.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let policy = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    page
}

/// The billing address as the form chose it.
fn billing(form: &[(String, String)]) -> Value {
    let value = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let address: Map<String, Value> =
        pages::ADDRESS.iter().filter_map(|(name, _, _)| Some(((*name).to_owned(), json!(value(name)?)))).collect();
    match value("mode") {
        Some("new") => json!({"mode": "new", "address": address}),
        Some("none") => json!({"mode": "none"}),
        _ => json!({"mode": "prefilled", "address_id": value("address_id"), "address": address}),
    }
}

async fn form(body: Incoming) -> Outcome<Vec<(String, String)>> {
    let read = tokio::time::timeout(READ_WITHIN, Limited::new(body, FORM_MAX_BYTES).collect()).await?;
    let body = read.map_err(|error| Trouble::of(error.to_string()))?.to_bytes();
    Ok(form_urlencoded::parse(&body).into_owned().collect())
}

fn typed(status: StatusCode, content_type: &'static str, body: String) -> Page {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn html(status: StatusCode, body: String) -> Page {
    typed(status, "text/html; charset=utf-8", body)
}

fn unknown() -> Page {
    let text = "Cette page n’existe pas, ou cette commande est inconnue.";
    html(StatusCode::NOT_FOUND, pages::notice("Page inconnue", text))
}

fn see_other(to: &str) -> Page {
    let mut response = typed(StatusCode::SEE_OTHER, "text/plain", String::new());
    match HeaderValue::from_str(to) {
        Ok(to) => {
            response.headers_mut().insert(header::LOCATION, to);
            response
        }
        Err(_) => unknown(),
    }
}
