//! Which of the payment page's two hosts is in service, looked at in the background: a checkout reads what was last seen
//! and waits for nothing.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Url;

use super::ppps::is_in_service;
use crate::{
    domain::{attempt::Host, ids::MerchantId},
    ports::PageHosts,
};

/// The longest page that is read to find out whether its host is in service.
const MAX_PAGE_BYTES: usize = 16 * 1_024;

/// The hosts of one merchant's payment page.
#[derive(Clone)]
pub struct Pages {
    pub merchant: MerchantId,
    pub main: Url,
    /// Without one there is nothing to choose.
    pub backup: Option<Url>,
    pub tls: Arc<ClientConfig>,
}

/// What was last seen of every payment page.
pub struct SeenPages {
    pages: Vec<Pages>,
    within: Duration,
    seen: Mutex<BTreeMap<MerchantId, Host>>,
}

impl SeenPages {
    /// Main hosts until seen otherwise. `within` is how long one look at a host may take.
    pub fn new(pages: Vec<Pages>, within: Duration) -> Self {
        Self { pages, within, seen: Mutex::default() }
    }

    /// Looks at every host once. The backup is chosen only while it is in service and the main host is not.
    pub async fn look(&self) {
        let mut looked: BTreeMap<Url, bool> = BTreeMap::new();
        for pages in &self.pages {
            let Some(backup) = &pages.backup else { continue };
            let main_serves = self.serves(&pages.main, &pages.tls, &mut looked).await;
            let host = if !main_serves && self.serves(backup, &pages.tls, &mut looked).await {
                Host::Backup
            } else {
                Host::Main
            };
            let before = self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(pages.merchant.clone(), host);
            if before.unwrap_or(Host::Main) != host {
                tracing::warn!(merchant = %pages.merchant, ?host, "payers go to another host of the payment page");
            }
        }
    }

    /// Merchants of one platform share its hosts; each is asked once a round.
    async fn serves(&self, page: &Url, tls: &Arc<ClientConfig>, looked: &mut BTreeMap<Url, bool>) -> bool {
        if let Some(serves) = looked.get(page) {
            return *serves;
        }
        let serves = timeout(self.within, load_page(page, tls)).await.ok().flatten();
        let serves = serves.is_some_and(|page| is_in_service(&page));
        looked.insert(page.clone(), serves);
        serves
    }
}

impl PageHosts for SeenPages {
    fn in_service(&self, merchant: &MerchantId) -> Host {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(merchant).copied().unwrap_or(Host::Main)
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// `load.html` of the host of `page`; `None` when it cannot be had.
async fn load_page(page: &Url, tls: &Arc<ClientConfig>) -> Option<Bytes> {
    let host = page.host_str()?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let socket = TcpStream::connect((bare, page.port_or_known_default()?)).await.ok()?;
    let stream: Box<dyn Stream> = if page.scheme() == "https" {
        let name = ServerName::try_from(bare.to_owned()).ok()?;
        Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, socket).await.ok()?)
    } else {
        Box::new(socket)
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let authority = page.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let request = Request::get("/load.html").header(HOST, authority).body(Empty::<Bytes>::new()).ok()?;
    let mut answer = pin!(async {
        let response = sender.send_request(request).await.ok()?;
        if response.status() != StatusCode::OK {
            return None;
        }
        Some(Limited::new(response.into_body(), MAX_PAGE_BYTES).collect().await.ok()?.to_bytes())
    });
    let mut connection = pin!(connection);
    // Driven here and in no task of its own: dropping the wait drops the socket.
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // It has ended; what it had delivered can still be read.
        _ = &mut connection => answer.await,
    }
}
