//! Where a stranger's URL may lead: to public addresses, however they are written, and to nothing of our own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hyper::{Uri, header::HeaderValue};
use rustls::pki_types::ServerName;
use url::{Host, Url};

use crate::{domain::fault::FaultKind, ports::NotDelivered};

/// The longest URL, in characters.
pub const MAX_URL: usize = 1_000;

/// Whether this machine may be called, as tests and a demo do. Never in live mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    Refused,
    Allowed,
}

/// A URL that may be delivered to, taken apart once.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// What is looked up; an address stands for itself.
    pub(super) host: String,
    pub(super) port: u16,
    /// What the certificate must be for; `None` for http.
    pub(super) tls: Option<ServerName<'static>>,
    pub(super) authority: HeaderValue,
    pub(super) path: Uri,
}

impl Target {
    /// # Errors
    /// What is wrong with the URL, as far as that can be seen without looking up a name.
    pub(super) fn parse(raw: &str, loopback: Loopback) -> Result<Self, FaultKind> {
        if raw.len() > MAX_URL {
            return Err(FaultKind::UrlTooLong { max: MAX_URL });
        }
        let is_graphic = raw.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let url = Url::parse(raw).ok().filter(|_| is_graphic).ok_or(FaultKind::UrlInvalid)?;
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        // Stricter than the URL standard, which forgives a missing or third slash.
        let authority = raw.split(['/', '?']).nth(2).unwrap_or_default();
        if !plain || authority.is_empty() || authority.contains('@') {
            return Err(FaultKind::UrlInvalid);
        }
        let host = url.host().ok_or(FaultKind::UrlInvalid)?;
        let is_here = match host {
            Host::Domain(name) => is_localhost(name),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let may_be_here = is_here && loopback == Loopback::Allowed;
        if url.scheme() != "https" && !(url.scheme() == "http" && may_be_here) {
            return Err(FaultKind::UrlNotHttps);
        }
        let is_allowed = match host {
            Host::Domain(_) => !is_here,
            Host::Ipv4(address) => is_public_v4(address),
            Host::Ipv6(address) => is_public_v6(address),
        };
        if !is_allowed && !may_be_here {
            return Err(FaultKind::UrlNotPublic);
        }
        let invalid = || FaultKind::UrlInvalid;
        let written = url.host_str().ok_or_else(invalid)?;
        let name = written.trim_start_matches('[').trim_end_matches(']').to_owned();
        let authority = url.port().map_or_else(|| written.to_owned(), |port| format!("{written}:{port}"));
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        // A certificate names no final dot.
        let certified = || ServerName::try_from(name.trim_end_matches('.').to_owned()).map_err(|_| invalid());
        Ok(Self {
            tls: (url.scheme() == "https").then(certified).transpose()?,
            port: url.port_or_known_default().ok_or_else(invalid)?,
            authority: HeaderValue::from_str(&authority).map_err(|_| invalid())?,
            path: Uri::try_from(path).map_err(|_| invalid())?,
            host: name,
        })
    }

    /// The addresses to connect to, when every one may be: a name with one address of our own is not half trusted.
    ///
    /// # Errors
    /// [`NotDelivered::AddressRefused`], [`NotDelivered::NameUnknown`].
    pub(super) fn admit(&self, found: Vec<SocketAddr>, loopback: Loopback) -> Result<Vec<SocketAddr>, NotDelivered> {
        let admitted = |address: &SocketAddr| {
            let is_here = address.ip().is_loopback() && loopback == Loopback::Allowed;
            // What is sent in clear stays on this machine.
            is_here || (self.tls.is_some() && is_public(address.ip()))
        };
        if found.is_empty() {
            return Err(NotDelivered::NameUnknown);
        }
        if found.iter().all(admitted) { Ok(found) } else { Err(NotDelivered::AddressRefused) }
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether it is an address of one machine on the public Internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The blocks of the IANA registry of special addresses that nothing public lives in.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network; private; this machine.
        [0 | 10 | 127, ..] => true,
        // Shared by carriers for their customers.
        [100, second, ..] => (64..128).contains(&second),
        [169, 254, ..] => true,
        [172, second, ..] => (16..32).contains(&second),
        // Protocol assignments, documentation, the old relay of 6to4, private.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [192, 168, ..] => true,
        // Benchmarks, documentation.
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        // Multicast, reserved, broadcast.
        [first, ..] => first >= 224,
    };
    !special
}

/// Global unicast without what is special in it; where an IPv4 address is inside, that one counts.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let inside = |high: u16, low: u16| is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        // NAT64, by its well-known prefix.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inside(high, low),
        // 6to4.
        [0x2002, high, low, ..] => inside(high, low),
        // Protocol assignments (Teredo among them), documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Mapped and compatible IPv4, unique local, link-local and multicast are all outside 2000::/3.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for (address, expected) in [
            ("8.8.8.8", true),
            ("1.1.1.1", true),
            ("100.63.255.255", true),
            ("100.128.0.1", true),
            ("172.15.255.255", true),
            ("172.32.0.1", true),
            ("192.0.1.1", true),
            ("223.255.255.254", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("239.255.255.255", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("2a00:1450:4007:80e::200e", true),
            ("2606:4700:4700::1111", true),
            ("2001:200::1", true),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:8.8.8.8", false),
            ("::127.0.0.1", false),
            ("::8.8.8.8", false),
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::169.254.169.254", false),
            ("64:ff9b:1::8.8.8.8", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:0:5ef5:79fb::1", false),
            ("2001:20::1", false),
            ("2001:db8::1", false),
            ("3fff::1", false),
            ("2002:808:808::1", true),
            ("2002:7f00:1::1", false),
            ("2002:c0a8:101::1", false),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("4000::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }

    /// `None`: it may be delivered to, as far as one can see.
    #[test]
    fn urls_are_refused_in_all_spellings() {
        use FaultKind::{UrlInvalid, UrlNotHttps, UrlNotPublic};
        for (url, refused, here) in [
            ("https://hooks.ecole.example/guichet?a=1", None, None),
            ("https://hooks.ecole.example.:8443/", None, None),
            ("https://8.8.8.8/", None, None),
            ("https://[2606:4700:4700::1111]/", None, None),
            ("http://hooks.ecole.example/", Some(UrlNotHttps), Some(UrlNotHttps)),
            ("http://8.8.8.8/", Some(UrlNotHttps), Some(UrlNotHttps)),
            ("http://127.0.0.1:9/", Some(UrlNotHttps), None),
            ("http://localhost:9/", Some(UrlNotHttps), None),
            ("https://localhost/", Some(UrlNotPublic), None),
            ("https://LOCALHOST./", Some(UrlNotPublic), None),
            ("https://a.localhost/", Some(UrlNotPublic), None),
            ("https://127.0.0.1/", Some(UrlNotPublic), None),
            ("https://127.0.0.1./", Some(UrlNotPublic), None),
            ("https://127.1/", Some(UrlNotPublic), None),
            ("https://2130706433/", Some(UrlNotPublic), None),
            ("https://0x7f.1/", Some(UrlNotPublic), None),
            ("https://0x7f000001/", Some(UrlNotPublic), None),
            ("https://0177.0.0.1/", Some(UrlNotPublic), None),
            ("https://017700000001/", Some(UrlNotPublic), None),
            ("https://%31%32%37.0.0.1/", Some(UrlNotPublic), None),
            ("https://[::1]/", Some(UrlNotPublic), None),
            ("https://[0:0:0:0:0:0:0:1]/", Some(UrlNotPublic), None),
            ("https://[::ffff:127.0.0.1]/", Some(UrlNotPublic), Some(UrlNotPublic)),
            ("https://[::ffff:7f00:1]/", Some(UrlNotPublic), Some(UrlNotPublic)),
            ("https://0.0.0.0/", Some(UrlNotPublic), Some(UrlNotPublic)),
            ("https://0/", Some(UrlNotPublic), Some(UrlNotPublic)),
            ("https://10.1.2.3/", Some(UrlNotPublic), Some(UrlNotPublic)),
            ("https://0xa9fea9fe/latest/meta-data", Some(UrlNotPublic), Some(UrlNotPublic)),
            ("https://169.254.169.254/", Some(UrlNotPublic), Some(UrlNotPublic)),
            ("https://user@8.8.8.8/", Some(UrlInvalid), Some(UrlInvalid)),
            ("https://user:word@8.8.8.8/", Some(UrlInvalid), Some(UrlInvalid)),
            ("https://@8.8.8.8/", Some(UrlInvalid), Some(UrlInvalid)),
            ("https://8.8.8.8\\@127.0.0.1/", Some(UrlInvalid), Some(UrlInvalid)),
            ("https://8.8.8.8/#part", Some(UrlInvalid), Some(UrlInvalid)),
            ("https://8.8.8.8/a b", Some(UrlInvalid), Some(UrlInvalid)),
            ("https:///path", Some(UrlInvalid), Some(UrlInvalid)),
            ("https://", Some(UrlInvalid), Some(UrlInvalid)),
            ("file:///etc/passwd", Some(UrlInvalid), Some(UrlInvalid)),
            ("gopher://127.0.0.1/", Some(UrlNotHttps), Some(UrlNotHttps)),
            ("127.0.0.1", Some(UrlInvalid), Some(UrlInvalid)),
            ("", Some(UrlInvalid), Some(UrlInvalid)),
        ] {
            assert_eq!(Target::parse(url, Loopback::Refused).err(), refused, "{url}");
            assert_eq!(Target::parse(url, Loopback::Allowed).err(), here, "{url}, with loopback");
        }
        let long = format!("https://8.8.8.8/{}", "a".repeat(MAX_URL));
        assert_eq!(Target::parse(&long, Loopback::Refused).err(), Some(FaultKind::UrlTooLong { max: MAX_URL }));
    }

    #[test]
    fn a_name_is_refused_by_one_address_of_our_own() {
        let addresses = |list: &[&str]| list.iter().map(|each| SocketAddr::new(each.parse().unwrap(), 443)).collect();
        let secure = Target::parse("https://hooks.ecole.example/", Loopback::Refused).unwrap();
        let clear = Target::parse("http://localhost/", Loopback::Allowed).unwrap();
        for (target, found, loopback, expected) in [
            (&secure, vec!["8.8.8.8", "2606:4700:4700::1111"], Loopback::Refused, None),
            (&secure, vec![], Loopback::Refused, Some(NotDelivered::NameUnknown)),
            (&secure, vec!["8.8.8.8", "127.0.0.1"], Loopback::Refused, Some(NotDelivered::AddressRefused)),
            (&secure, vec!["::ffff:10.0.0.1"], Loopback::Refused, Some(NotDelivered::AddressRefused)),
            (&secure, vec!["127.0.0.1"], Loopback::Allowed, None),
            (&secure, vec!["10.0.0.1"], Loopback::Allowed, Some(NotDelivered::AddressRefused)),
            (&clear, vec!["127.0.0.1", "::1"], Loopback::Allowed, None),
            (&clear, vec!["8.8.8.8"], Loopback::Allowed, Some(NotDelivered::AddressRefused)),
        ] {
            assert_eq!(target.admit(addresses(&found), loopback).err(), expected, "{found:?}");
        }
    }
}
