//! PAYBOX's hosts: the payment page, and the server-to-server side.

use url::Url;

use super::{examples, files::Files, judge::Judge, section::Section, urls};
use crate::{
    app::Mode,
    paybox::rsa::{KeyRing, PublicKey},
};

/// Where one platform of PAYBOX is, and which keys it signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    pub id: String,
    /// The payment page.
    pub page: Url,
    pub page_backup: Option<Url>,
    /// The server-to-server side.
    pub direct: Url,
    pub direct_backup: Option<Url>,
    /// PEM of the certificate authorities to trust instead of the public ones.
    pub authorities: Option<String>,
    /// Keys that sign callbacks, current first.
    pub trusted: KeyRing,
}

/// What PAYBOX offers at a URL.
struct Service {
    /// Where real money moves.
    production: [&'static str; 4],
    paths: &'static [&'static str],
    /// What a test may reach it by.
    test_schemes: &'static [&'static str],
}

const PAGE: Service = Service {
    production: ["tpeweb.paybox.com", "tpeweb1.paybox.com", "tpeweb.e-transactions.fr", "tpeweb1.e-transactions.fr"],
    paths: &["/php/", "/cgi/MYchoix_pagepaiement.cgi"],
    test_schemes: &["https", "http"],
};
const DIRECT: Service = Service {
    production: ["ppps.paybox.com", "ppps1.paybox.com", "ppps.e-transactions.fr", "ppps1.e-transactions.fr"],
    paths: &["/PPPS.php"],
    test_schemes: &["https"],
};

impl Platform {
    /// `None` when something that it needs is missing or wrong; that has been noted.
    pub(super) fn read(
        mut section: Section<'_>,
        files: &Files<'_>,
        judge: &dyn Judge,
        mode: Option<Mode>,
    ) -> Option<Self> {
        let direct_url = |text: &str| {
            let url = DIRECT.check(text, mode)?;
            judge.direct(&url).map(|()| url)
        };
        let id = section.needed("id", name);
        let page = section.needed("page", |text| PAGE.check(text, mode));
        let page_backup = section.optional("page_backup", |text| PAGE.check(text, mode));
        let direct = section.needed("direct", direct_url);
        let direct_backup = section.optional("direct_backup", direct_url);
        let authorities = section.optional("ca_file", |name| {
            let text = files.text(name)?;
            let unusable = |sentence| format!("{} is unusable: {sentence}", files.find(name).display());
            judge.authorities(&text).map(|()| text).map_err(unusable)
        });
        let trusted = read_keys(&mut section, files, mode);
        section.end();
        Some(Self { id: id?, page: page?, page_backup, direct: direct?, direct_backup, authorities, trusted: trusted? })
    }
}

impl Service {
    /// What the service is reached by. Live mode knows PAYBOX's production hosts and no other; test mode any but those.
    fn check(&self, text: &str, mode: Option<Mode>) -> Result<Url, String> {
        let url = urls::absolute(text)?;
        let host = url.host_str().unwrap_or_default();
        match mode {
            Some(Mode::Live) if url.scheme() != "https" => Err("is not https, in live mode".to_owned()),
            Some(Mode::Live) if !self.production.contains(&host) || url.port().is_some() => {
                let hosts = self.production.join(", ");
                Err(format!("is not on a production host of PAYBOX, in live mode: {hosts}"))
            }
            Some(Mode::Live) if !self.paths.contains(&url.path()) => {
                Err(format!("has not the path of this service: {}", self.paths.join(" or ")))
            }
            Some(Mode::Test) if is_production(host) => {
                Err("is a production host of PAYBOX, in test mode: real money would move".to_owned())
            }
            Some(Mode::Test) if !self.test_schemes.contains(&url.scheme()) => Err("is not https".to_owned()),
            Some(Mode::Live | Mode::Test) | None => Ok(url),
        }
    }
}

/// Whether real money may move there: any host of PAYBOX's but those that are named as tests.
fn is_production(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let is_payboxs = [".paybox.com", ".e-transactions.fr"].iter().any(|domain| host.ends_with(domain));
    is_payboxs && !["preprod-", "recette-"].iter().any(|test| host.starts_with(test))
}

fn read_keys(section: &mut Section<'_>, files: &Files<'_>, mode: Option<Mode>) -> Option<KeyRing> {
    let names = section.texts("public_key_files").unwrap_or_default();
    let mut keys = Vec::new();
    for name in &names {
        match files.text(name).and_then(|text| {
            PublicKey::from_pem(&text).map_err(|error| format!("{} is unusable: {error}", files.find(name).display()))
        }) {
            Ok(key) => keys.push(key),
            Err(sentence) => section.problem("public_key_files", sentence),
        }
    }
    for key in keys.iter().filter(|_| mode == Some(Mode::Live)) {
        if examples::is_example_public_key(key) {
            section
                .problem("public_key_files", "holds the key of keys-example, in live mode: anybody can sign with it");
        } else if !key.is_paybox_key() {
            let sentence = format!("{} is not the key that PAYBOX publishes", key.fingerprint());
            section.reading.warning(section.path("public_key_files"), sentence);
        }
    }
    if names.is_empty() {
        section.problem("public_key_files", "is missing or empty: no callback could be believed");
    }
    let mut keys = keys.into_iter();
    keys.next().map(|current| KeyRing::new(current, keys.collect()))
}

/// A name within the configuration.
pub(super) fn name(text: &str) -> Result<String, String> {
    let plain = (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if plain { Ok(text.to_owned()) } else { Err("is not a name of 1 to 32 letters, digits, - and _".to_owned()) }
}
