//! The URLs that PAYBOX is told: absolute, https, without anything that the redirect or the signature could misread.

use url::{Host, Url};

use crate::paybox::{field::FieldFault, page::UrlPolicy};

/// The ports PAYBOX's notifications go to.
fn is_callable(port: u16) -> bool {
    matches!(port, 80 | 443 | 8080..=8085)
}

/// Checks a URL the payer's browser is sent to. Characters and length are the field's to check.
///
/// # Errors
/// [`FieldFault`].
pub(super) fn check_return_url(text: &str, policy: UrlPolicy) -> Result<(), FieldFault> {
    parse(text, policy).map(|_| ())
}

/// Checks the URL PAYBOX's server calls, whose port is one of few unless it is a loopback test.
///
/// # Errors
/// [`FieldFault`].
pub(super) fn check_notify_url(text: &str, policy: UrlPolicy) -> Result<(), FieldFault> {
    let url = parse(text, policy)?;
    let test = policy == UrlPolicy::LoopbackHttpAllowed && is_loopback(&url);
    match url.port_or_known_default() {
        Some(port) if test || is_callable(port) => Ok(()),
        Some(_) | None => Err(FieldFault::Port),
    }
}

fn parse(text: &str, policy: UrlPolicy) -> Result<Url, FieldFault> {
    // Read as written: a lenient parser would take `https:\\host` and `HTTPS:host` too.
    let secure = text.starts_with("https://");
    if !secure && !text.starts_with("http://") {
        return Err(if text.contains("://") { FieldFault::NotHttps } else { FieldFault::NotAbsolute });
    }
    let url = Url::parse(text).map_err(|_| FieldFault::NotAbsolute)?;
    let authority = text.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if authority.is_empty() {
        return Err(FieldFault::NotAbsolute);
    }
    if authority.contains('@') || !url.username().is_empty() || url.password().is_some() {
        return Err(FieldFault::Userinfo);
    }
    if text.contains('#') {
        return Err(FieldFault::Fragment);
    }
    let may_be_plain = policy == UrlPolicy::LoopbackHttpAllowed && is_loopback(&url);
    if secure || may_be_plain { Ok(url) } else { Err(FieldFault::NotHttps) }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn return_urls() {
        use UrlPolicy::{HttpsOnly, LoopbackHttpAllowed};
        for (text, policy, expected) in [
            ("https://pay.univ.example/r/1?x=1", HttpsOnly, Ok(())),
            ("https://pay.univ.example:8443/r", HttpsOnly, Ok(())),
            ("http://pay.univ.example/r", HttpsOnly, Err(FieldFault::NotHttps)),
            ("http://pay.univ.example/r", LoopbackHttpAllowed, Err(FieldFault::NotHttps)),
            ("http://127.0.0.1:4000/r", HttpsOnly, Err(FieldFault::NotHttps)),
            ("http://127.0.0.1:4000/r", LoopbackHttpAllowed, Ok(())),
            ("http://localhost:4000/r", LoopbackHttpAllowed, Ok(())),
            ("http://localhost.evil.example/r", LoopbackHttpAllowed, Err(FieldFault::NotHttps)),
            ("http://127.0.0.1.evil.example/r", LoopbackHttpAllowed, Err(FieldFault::NotHttps)),
            ("ftp://univ.example/", HttpsOnly, Err(FieldFault::NotHttps)),
            ("javascript:alert(1)", HttpsOnly, Err(FieldFault::NotAbsolute)),
            ("/r/1", HttpsOnly, Err(FieldFault::NotAbsolute)),
            ("//univ.example/r", HttpsOnly, Err(FieldFault::NotAbsolute)),
            ("https:///r", HttpsOnly, Err(FieldFault::NotAbsolute)),
            ("https://", HttpsOnly, Err(FieldFault::NotAbsolute)),
            ("https:\\\\univ.example", HttpsOnly, Err(FieldFault::NotAbsolute)),
            ("https://a@univ.example/", HttpsOnly, Err(FieldFault::Userinfo)),
            ("https://@univ.example/", HttpsOnly, Err(FieldFault::Userinfo)),
            ("http://localhost@evil.example/", LoopbackHttpAllowed, Err(FieldFault::Userinfo)),
            ("https://univ.example/#", HttpsOnly, Err(FieldFault::Fragment)),
        ] {
            assert_eq!(check_return_url(text, policy), expected, "{text}");
        }
    }

    #[test]
    fn notifications_go_to_few_ports() {
        use UrlPolicy::{HttpsOnly, LoopbackHttpAllowed};
        for (text, policy, expected) in [
            ("https://univ.example/n", HttpsOnly, Ok(())),
            ("https://univ.example:8083/n", HttpsOnly, Ok(())),
            ("https://univ.example:8443/n", HttpsOnly, Err(FieldFault::Port)),
            ("https://univ.example:8443/n", LoopbackHttpAllowed, Err(FieldFault::Port)),
            ("http://127.0.0.1:45123/n", LoopbackHttpAllowed, Ok(())),
        ] {
            assert_eq!(check_notify_url(text, policy), expected, "{text}");
        }
    }
}
