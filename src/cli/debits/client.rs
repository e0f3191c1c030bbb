//! A client of the gateway's API, for commands that may stand on another machine: one connection per question, no redirect.

use std::{sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request,
    body::Bytes,
    client::conn::http1,
    header::{
        ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT,
    },
    http::response::Parts,
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// For a whole exchange, name and connection included.
const DEADLINE: Duration = Duration::from_secs(60);
/// The longest answer, in bytes: a page of a thousand debits is a tenth of it.
const MAX_ANSWER: usize = 4 << 20;
const ACTOR: &str = "guichet-actor";

/// Where a gateway is reached.
#[derive(Clone, Debug)]
pub(super) struct Address(Url);

/// Why there is no answer that can be used.
pub(super) enum NoAnswer {
    /// It may be there in a moment: the gateway restarts, or has too much to do. Not before `after`, if it said so.
    NotNow { why: String, after: Option<Duration> },
    /// Asking again changes nothing.
    Never(String),
}

pub(super) struct Client {
    address: Address,
    tls: TlsConnector,
    bearer: HeaderValue,
    actor: Option<HeaderValue>,
}

impl std::str::FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
        let is_plain = url.username().is_empty() && url.password().is_none();
        if is_web && is_plain && url.query().is_none() && url.fragment().is_none() {
            Ok(Self(url))
        } else {
            Err("is not http:// or https:// with a host, and nothing but a path behind it".to_owned())
        }
    }
}

impl Address {
    /// Whether a key would cross a network for all to read.
    pub(super) fn is_open_to_all(&self) -> bool {
        let is_here = match self.0.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        self.0.scheme() == "http" && !is_here
    }

    fn host(&self) -> String {
        match self.0.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        }
    }

    fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl Client {
    /// # Errors
    /// A sentence when the key, or the name of a person, cannot be sent.
    pub(super) fn new(
        address: Address,
        tls: Arc<ClientConfig>,
        key: &SecretString,
        actor: Option<&str>,
    ) -> Result<Self, String> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
            .map_err(|_| "the key has characters that no key has".to_owned())?;
        bearer.set_sensitive(true);
        let actor = actor.map(|person| HeaderValue::from_bytes(person.as_bytes())).transpose();
        let actor = actor.map_err(|_| "the actor's name has characters that cannot be sent".to_owned())?;
        Ok(Self { address, tls: TlsConnector::from(tls), bearer, actor })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, NoAnswer> {
        self.ask(self.request(Method::GET, path, Bytes::new())?).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, NoAnswer> {
        self.ask(self.request(Method::POST, path, Bytes::from(body.to_string()))?).await
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, NoAnswer> {
        let unfit = |_| NoAnswer::Never(format!("{} cannot be asked for {path}", self.address));
        let mut host = self.address.0.host_str().unwrap_or_default().to_owned();
        if let Some(port) = self.address.0.port() {
            host = format!("{host}:{port}");
        }
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address.0.path().trim_end_matches('/')))
            .header(HOST, host)
            .header(USER_AGENT, "guichet")
            .header(ACCEPT, "application/json")
            .header(ACCEPT_LANGUAGE, "en")
            .header(CONTENT_TYPE, "application/json")
            .header(CONNECTION, "close")
            .header(AUTHORIZATION, self.bearer.clone())
            .body(Full::new(body))
            .map_err(unfit)?;
        if let Some(actor) = &self.actor {
            request.headers_mut().insert(ACTOR, actor.clone());
        }
        Ok(request)
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<Value, NoAnswer> {
        let answer = timeout(DEADLINE, self.exchange(request)).await;
        let (head, body) = answer.map_err(|_| not_now(&format!("no answer within {} s", DEADLINE.as_secs())))??;
        read(&head, &body)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(Parts, Bytes), NoAnswer> {
        let (host, port) = (self.address.host(), self.address.port());
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|error| not_now(&error))?;
        if self.address.0.scheme() == "http" {
            return converse(stream, request).await;
        }
        let name = ServerName::try_from(host).map_err(|error| NoAnswer::Never(error.to_string()))?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| {
            let why = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match why {
                Some(rustls::Error::InvalidCertificate(_)) => NoAnswer::Never(format!("no TLS: {error}")),
                _ => not_now(&format!("no TLS: {error}")),
            }
        })?;
        converse(stream, request).await
    }
}

async fn converse<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(Parts, Bytes), NoAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| not_now(&error))?;
    let answered = async {
        let answer = sender.send_request(request).await.map_err(|error| not_now(&error))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| not_now(&format!("the answer broke off: {error}")))?;
        Ok((head, body.to_bytes()))
    };
    tokio::pin!(connection, answered);
    tokio::select! {
        biased;
        answer = &mut answered => answer,
        _ = &mut connection => answered.await,
    }
}

fn read(head: &Parts, body: &[u8]) -> Result<Value, NoAnswer> {
    let document: Option<Value> = serde_json::from_slice(body).ok();
    let status = head.status;
    if status.is_success() {
        return document.ok_or_else(|| NoAnswer::Never(format!("{status}, and no JSON: is this the gateway?")));
    }
    let why = document.as_ref().and_then(problem).unwrap_or_else(|| status.to_string());
    if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
        let after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Err(NoAnswer::NotNow { why, after: after.map(Duration::from_secs) })
    } else {
        Err(NoAnswer::Never(why))
    }
}

/// What a problem document says: title, detail, code, and each place that is wrong.
fn problem(document: &Value) -> Option<String> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let title = document.get("title")?.as_str()?;
    let mut said = format!("{title} ({}) {}", text(document, "code"), text(document, "detail"));
    for error in document.get("errors").and_then(Value::as_array).into_iter().flatten() {
        said.push_str(&format!("\n  {}: {}", text(error, "pointer"), text(error, "detail")));
    }
    Some(said.trim_end().to_owned())
}

fn not_now(why: &dyn std::fmt::Display) -> NoAnswer {
    NoAnswer::NotNow { why: why.to_string(), after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_web_addresses_without_secrets() {
        for (text, expected) in [
            ("http://127.0.0.1:8080", Some((false, "127.0.0.1", 8080))),
            ("http://[::1]:8080/", Some((false, "::1", 8080))),
            ("http://localhost", Some((false, "localhost", 80))),
            ("http://guichet:8080", Some((true, "guichet", 8080))),
            ("https://pay.example.org/guichet/", Some((false, "pay.example.org", 443))),
            ("pay.example.org", None),
            ("ftp://pay.example.org", None),
            ("https://", None),
            ("https://key@pay.example.org", None),
            ("https://pay.example.org/?a=b", None),
            ("https://pay.example.org/#a", None),
        ] {
            let address: Option<Address> = text.parse().ok();
            let seen = address.map(|address| (address.is_open_to_all(), address.host(), address.port()));
            let expected = expected.map(|(open, host, port)| (open, host.to_owned(), port));
            assert_eq!(seen, expected, "{text}");
        }
    }

    #[test]
    fn a_problem_is_told_with_its_places() {
        let document = serde_json::json!({
            "title": "Invalid request", "code": "invalid_request", "detail": "Something is wrong.",
            "errors": [{"pointer": "/due_date", "code": "wrong_type", "detail": "must be a date"}]
        });
        let told = problem(&document).unwrap();
        assert_eq!(told, "Invalid request (invalid_request) Something is wrong.\n  /due_date: must be a date");
        assert_eq!(problem(&serde_json::json!({"error": "x"})), None);
    }
}
