//! URLs: what the gateway is reached by, and what PAYBOX must be able to take of that.

use url::Url;

use super::section::Reading;
use crate::{
    app::{Mode, merchant::is_loopback_http},
    domain::ids::MerchantId,
    paybox::field::FieldName,
};

/// The ports that PAYBOX notifies.
const CALLABLE_PORTS: [u16; 8] = [80, 443, 8080, 8081, 8082, 8083, 8084, 8085];

/// An absolute http or https URL without credentials, query or fragment.
///
/// # Errors
/// A sentence.
pub(super) fn absolute(text: &str) -> Result<Url, String> {
    let shaped = text.starts_with("https://") || text.starts_with("http://");
    let url = Url::parse(text).ok().filter(|url| shaped && url.host_str().is_some());
    let url = url.ok_or_else(|| "is not an absolute URL such as \"https://pay.example.org\"".to_owned())?;
    let plain = url.username().is_empty() && url.password().is_none() && !text.contains(['@', '?', '#']);
    if plain { Ok(url) } else { Err("has a user name, a query or a fragment".to_owned()) }
}

/// What payers and PAYBOX reach the gateway by, without a slash at its end.
///
/// # Errors
/// A sentence.
pub(super) fn public(text: &str, mode: Option<Mode>) -> Result<String, String> {
    let url = absolute(text)?;
    match mode {
        Some(Mode::Live) if url.scheme() != "https" => Err("is not https, in live mode".to_owned()),
        Some(Mode::Test) if url.scheme() != "https" && !is_loopback_http(&url) => {
            Err("is not https (http is for this machine only)".to_owned())
        }
        Some(Mode::Live | Mode::Test) | None => Ok(text.trim_end_matches('/').to_owned()),
    }
}

/// Where a portal may send payers back to: an origin, `https://host[:port]`.
///
/// # Errors
/// A sentence.
pub(super) fn origin(text: &str, mode: Option<Mode>) -> Result<String, String> {
    let url = absolute(text).map_err(|sentence| format!("\"{text}\" {sentence}"))?;
    let origin = url.origin().ascii_serialization();
    if text != origin {
        return Err(format!("\"{text}\" is not an origin; it would be \"{origin}\""));
    }
    let plain_allowed = mode != Some(Mode::Live) && is_loopback_http(&url);
    if url.scheme() == "https" || plain_allowed {
        return Ok(origin);
    }
    let except = if mode == Some(Mode::Live) { ", in live mode" } else { " (http is for this machine only)" };
    Err(format!("\"{text}\" is not https{except}"))
}

/// Checks that PAYBOX takes every URL this merchant's forms carry.
pub(super) fn check_forms(reading: &Reading, public_url: &str, merchant: &MerchantId) {
    let zeros = "0".repeat(32);
    let back = format!("{public_url}/return/{merchant}.{zeros}/cancelled");
    let notify = format!("{public_url}/paybox/{merchant}/ipn");
    for (what, field, url) in [("return", FieldName::Annule, &back), ("notification", FieldName::RepondreA, &notify)] {
        if let Err(error) = field.check(url) {
            let fault = error.fault;
            reading.problem("public_url", format!("makes a {what} URL that PAYBOX does not take, {url}: {fault}"));
        }
    }
}

/// Checks that PAYBOX calls the port of `public_url`.
pub(super) fn check_port(reading: &Reading, public_url: &str) {
    let Ok(url) = Url::parse(public_url) else { return };
    let callable = url.port_or_known_default().is_some_and(|port| CALLABLE_PORTS.contains(&port));
    if !callable && !is_loopback_http(&url) {
        reading.problem("public_url", "is on a port that PAYBOX does not notify: 80, 443 and 8080 to 8085 are");
    }
}
