//! One of PAYBOX's hosts, read from its URL once, so that nothing about it can fail when money waits.

use http_body_util::Full;
use hyper::{
    Method, Request, Uri,
    body::Bytes,
    header::{CONTENT_TYPE, HOST, HeaderValue, USER_AGENT},
};
use rustls::pki_types::ServerName;
use url::Url;

/// Where PAYBOX says whether a host may be used; on every host, always under this path.
const LOAD_PATH: &str = "/load.html";

/// A server-to-server host: `https://ppps.paybox.com/PPPS.php`.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// What the certificate must be for.
    pub(super) name: ServerName<'static>,
    authority: HeaderValue,
    path: Uri,
}

/// Why a URL is not one of a server-to-server host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("the bank is asked over https only")]
    NotHttps,
    #[error("the URL names no host that a certificate can be for")]
    NoHost,
    #[error("the URL has credentials, a query or a fragment")]
    NotPlain,
}

impl TryFrom<&Url> for Endpoint {
    type Error = EndpointError;

    fn try_from(url: &Url) -> Result<Self, EndpointError> {
        if url.scheme() != "https" {
            return Err(EndpointError::NotHttps);
        }
        let credentials = !url.username().is_empty() || url.password().is_some();
        if credentials || url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::NotPlain);
        }
        let written = url.host_str().ok_or(EndpointError::NoHost)?;
        let host = written.trim_start_matches('[').trim_end_matches(']').to_owned();
        let authority = match url.port() {
            Some(port) => format!("{written}:{port}"),
            None => written.to_owned(),
        };
        Ok(Self {
            name: ServerName::try_from(host.clone()).map_err(|_| EndpointError::NoHost)?,
            port: url.port_or_known_default().ok_or(EndpointError::NoHost)?,
            authority: HeaderValue::from_str(&authority).map_err(|_| EndpointError::NoHost)?,
            path: Uri::try_from(url.path()).map_err(|_| EndpointError::NotPlain)?,
            host,
        })
    }
}

impl Endpoint {
    /// A question, as a form.
    pub(super) fn question_request(&self, form: String) -> Request<Full<Bytes>> {
        let mut request = self.request(Method::POST, self.path.clone(), Bytes::from(form));
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        request
    }

    /// Whether the host is in service; see [`super::load`].
    pub(super) fn load_request(&self) -> Request<Full<Bytes>> {
        self.request(Method::GET, Uri::from_static(LOAD_PATH), Bytes::new())
    }

    fn request(&self, method: Method, path: Uri, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path;
        let headers = request.headers_mut();
        headers.insert(HOST, self.authority.clone());
        headers.insert(USER_AGENT, HeaderValue::from_static("guichet"));
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_https_urls_lead_to_the_bank() {
        for (url, expected) in [
            ("https://ppps.paybox.com/PPPS.php", Ok(("ppps.paybox.com", 443, "ppps.paybox.com"))),
            ("https://127.0.0.1:8443/PPPS.php", Ok(("127.0.0.1", 8443, "127.0.0.1:8443"))),
            ("https://[::1]:8443/PPPS.php", Ok(("::1", 8443, "[::1]:8443"))),
            ("http://ppps.paybox.com/PPPS.php", Err(EndpointError::NotHttps)),
            ("https://me@ppps.paybox.com/PPPS.php", Err(EndpointError::NotPlain)),
            ("https://ppps.paybox.com/PPPS.php?a=1", Err(EndpointError::NotPlain)),
            ("https://ppps.paybox.com/PPPS.php#a", Err(EndpointError::NotPlain)),
        ] {
            let endpoint = Endpoint::try_from(&Url::parse(url).unwrap());
            let seen = endpoint.as_ref().map(|e| (e.host.as_str(), e.port, e.authority.to_str().unwrap()));
            assert_eq!(seen.map_err(|error| *error), expected, "{url}");
        }
    }
}
