//! A bench for the sandbox: one running PAYBOX, one shop that receives notifications, and a client that walks pages and
//! asks PPPS, all over real sockets.

use guichet_sandbox::faults::Script;
use guichet_sandbox::keys::{Existing, KeyDirectory};
use guichet_sandbox::log::Log;
use guichet_sandbox::serve::{self, Options, Running};
use guichet_sandbox::wire::mac::{bytes_of_hex, hex_of_bytes};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use sha2::Sha512;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use url::Url;

/// Fields to replace, or by an empty text to leave out.
pub(crate) type Changes<'a> = &'a [(&'a str, &'a str)];

pub(crate) const BILLING: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Billing><Address><FirstName>ANNE</FirstName>\
    <LastName>MARTIN</LastName><Address1>1 RUE DE LA PAIX</Address1><ZipCode>75002</ZipCode><City>PARIS</City>\
    <CountryCode>250</CountryCode><CountryCodeMobilePhone>+33</CountryCodeMobilePhone>\
    <MobilePhone>0612345675</MobilePhone></Address></Billing>";
pub(crate) const CART: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><shoppingcart><total><totalQuantity>1</totalQuantity>\
    </total></shoppingcart>";

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// One key directory for all tests of the process.
pub(crate) fn keys() -> &'static KeyDirectory {
    static KEYS: OnceLock<KeyDirectory> = OnceLock::new();
    KEYS.get_or_init(|| {
        let directory = KeyDirectory::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/sandbox-keys"));
        directory.fill(Existing::Keep).unwrap();
        directory
    })
}

pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

pub(crate) fn digest(fields: &[(String, String)]) -> String {
    let message: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = bytes_of_hex(keys().read("hmac.key").unwrap().trim()).unwrap();
    let mut mac = Hmac::<Sha512>::new_from_slice(&key).unwrap();
    mac.update(message.join("&").as_bytes());
    hex_of_bytes(&mac.finalize().into_bytes())
}

pub(crate) fn form(fields: &[(String, String)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// What came back from one HTTP exchange.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) body: String,
}

pub(crate) struct Bench {
    pub(crate) running: Running,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    shop: String,
    notified: mpsc::UnboundedReceiver<String>,
    tls: Arc<rustls::ClientConfig>,
    last_question: u64,
}

impl Bench {
    pub(crate) async fn start(options: Options) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let sink = Log::to(move |line| lines.lock().unwrap().push(line.to_owned()));
        let running = serve::start(keys(), options, sink).await.unwrap();
        let (shop, notified) = shop().await;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(keys().read("ca.pem").unwrap().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { running, log, shop, notified, tls: Arc::new(tls), last_question: 0 }
    }

    pub(crate) fn arm(&self, script: &str) {
        let script: Script = serde_json::from_str(script).unwrap();
        self.running.sandbox.world().faults.arm(script).unwrap();
    }

    pub(crate) fn switch(&self, changes: &str) {
        let mut world = self.running.sandbox.world();
        let changed = world.switches.changed(&serde_json::from_str(changes).unwrap()).unwrap();
        world.switches = changed;
    }

    /// Moves the sandbox's clock.
    pub(crate) fn clock(&self, now: &str) {
        self.running.sandbox.world().clock.set(Some(now.parse().unwrap()));
    }

    /// The one operation of that reference, as the management port shows it.
    pub(crate) async fn booked(&self, reference: &str) -> serde_json::Value {
        let (_, ledger) = self.manage("GET", &format!("/ledger?reference_prefix={reference}"), "").await;
        match ledger.get("operations").and_then(serde_json::Value::as_array).map(Vec::as_slice) {
            Some([only]) => only.clone(),
            _ => panic!("not one operation of {reference}: {ledger}"),
        }
    }

    /// How many operations the ledger holds.
    pub(crate) fn count(&self) -> usize {
        self.running.sandbox.world().ledger.iter().count()
    }

    /// The next notification: query of a GET, body of a POST.
    pub(crate) async fn notification(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.notified.recv()).await.unwrap().unwrap()
    }

    pub(crate) fn no_notification_yet(&mut self) -> bool {
        self.notified.try_recv().is_err()
    }

    /// The fields of a signed request, with some replaced or (by an empty text) left out.
    pub(crate) fn request(&self, cmd: &str, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut fields: Vec<(String, String)> = [
            ("PBX_SITE", "1999888"),
            ("PBX_RANG", "032"),
            ("PBX_IDENTIFIANT", "110647233"),
            ("PBX_TOTAL", "377000"),
            ("PBX_DEVISE", "978"),
            ("PBX_CMD", cmd),
            ("PBX_PORTEUR", "anne@example.fr"),
            ("PBX_RETOUR", "Mt:M;Ref:R;Auto:A;Erreur:E;Appel:T;Trans:S;Fin:J;Deb:N;Auth:F;Gar:G;K:K"),
            ("PBX_HASH", "SHA512"),
            ("PBX_TIME", "2026-11-23T10:00:00+01:00"),
            ("PBX_EFFECTUE", &format!("{}/ok?shop=1", self.shop)),
            ("PBX_REFUSE", &format!("{}/ko", self.shop)),
            ("PBX_ANNULE", &format!("{}/cancel", self.shop)),
            ("PBX_REPONDRE_A", &format!("{}/ipn?tok=9", self.shop)),
            ("PBX_BILLING", BILLING),
            ("PBX_SHOPPINGCART", CART),
        ]
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            if !value.is_empty() {
                fields.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        let hmac = digest(&fields);
        fields.push(("PBX_HMAC".into(), hmac));
        fields
    }

    /// Opens a page and gives its path.
    pub(crate) async fn open(&self, cmd: &str, changes: &[(&str, &str)]) -> String {
        let answered = self.post("/php/", &form(&self.request(cmd, changes))).await;
        assert_eq!(answered.status, StatusCode::SEE_OTHER, "{}", answered.body);
        answered.location
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answered {
        page_exchange(&self.running.addresses.page, "POST", path, body).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        page_exchange(&self.running.addresses.page, "GET", path, "").await.unwrap()
    }

    pub(crate) async fn manage(&self, method: &str, path: &str, body: &str) -> (StatusCode, serde_json::Value) {
        let answered = page_exchange(&self.running.addresses.manage, method, path, body).await.unwrap();
        (answered.status, serde_json::from_str(&answered.body).unwrap())
    }

    /// Types a card and gives the page that follows.
    pub(crate) async fn pay(&self, page: &str, number: &str) -> String {
        let card = format!("NUMERO_CARTE={number}&MOIS_VALIDITE=12&AN_VALIDITE=30&CVVX=123&ACTION=VALIDER");
        let answered = self.post(&format!("{page}/card"), &card).await;
        assert_eq!((answered.status, answered.location.as_str()), (StatusCode::SEE_OTHER, page));
        self.get(page).await.body
    }

    /// Asks PPPS with a fresh NUMQUESTION. `Err` when no answer came.
    pub(crate) async fn ask(&mut self, kind: &str, fields: &[(&str, &str)]) -> Result<String, String> {
        self.last_question += 1;
        let number = format!("{:010}", self.last_question);
        let address = self.running.addresses.direct.clone();
        self.ask_as(&address, kind, &number, fields).await
    }

    /// Asks with a fresh NUMQUESTION, and gives the code and the whole answer.
    pub(crate) async fn code(&mut self, kind: &str, fields: &[(&str, &str)]) -> (String, String) {
        let answer = self.ask(kind, fields).await.unwrap();
        (value(&answer, "CODEREPONSE").to_owned(), answer)
    }

    pub(crate) async fn ask_as(
        &self,
        address: &str,
        kind: &str,
        number: &str,
        fields: &[(&str, &str)],
    ) -> Result<String, String> {
        let common = [
            ("VERSION", "00104"),
            ("TYPE", kind),
            ("SITE", "1999888"),
            ("RANG", "032"),
            ("NUMQUESTION", number),
            ("DATEQ", "23112026104500"),
            ("HASH", "SHA512"),
        ];
        let mut all: Vec<(String, String)> = common.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        for (name, value) in fields {
            all.retain(|(known, _)| known != name);
            all.push(((*name).into(), (*value).into()));
        }
        if !all.iter().any(|(name, _)| name == "HMAC") {
            let hmac = digest(&all);
            all.push(("HMAC".into(), hmac));
        }
        let url = Url::parse(address).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.map_err(|e| e.to_string())?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(name, stream).await.map_err(|error| error.to_string())?;
        let (status, _, body) = exchange(stream, "POST", "/PPPS.php", &form(&all)).await?;
        if status != StatusCode::OK {
            return Err(format!("HTTP {}", status.as_u16()));
        }
        Ok(body.iter().map(|byte| char::from(*byte)).collect())
    }
}

/// One value of a PPPS answer.
pub(crate) fn value<'a>(answer: &'a str, name: &str) -> &'a str {
    let wanted = answer.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    wanted.unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// What stands between two marks of a page, HTML entities of URLs undone.
pub(crate) fn between(page: &str, before: &str, after: &str) -> String {
    let rest = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}")).1;
    rest.split_once(after).unwrap().0.replace("&amp;", "&")
}

async fn page_exchange(address: &str, method: &str, path: &str, body: &str) -> Result<Answered, String> {
    let url = Url::parse(address).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.map_err(|error| error.to_string())?;
    let (status, location, body) = exchange(stream, method, path, body).await?;
    Ok(Answered { status, location, body: String::from_utf8(body).unwrap() })
}

async fn exchange<S>(stream: S, method: &str, path: &str, body: &str) -> Result<(StatusCode, String, Vec<u8>), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap();
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = response.status();
    let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    let body = response.into_body().collect().await.map_err(|error| format!("body: {error}"))?;
    Ok((status, location.unwrap_or_default(), body.to_bytes().to_vec()))
}

/// A merchant that takes every notification.
async fn shop() -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let sender = sender.clone();
                async move {
                    let query = request.uri().query().unwrap_or_default().to_owned();
                    let body = request.into_body().collect().await?.to_bytes();
                    let body = String::from_utf8(body.to_vec()).unwrap();
                    let _ = sender.send(if body.is_empty() { query } else { body });
                    Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::new())))
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (address, receiver)
}
