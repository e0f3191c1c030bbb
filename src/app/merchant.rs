//! A merchant: one contract with PAYBOX, and how this school wants it used.

use jiff::{SignedDuration, civil::Time};
use url::Url;

use crate::{
    domain::{
        checkout::Challenge,
        fault::FaultKind,
        ids::{MerchantId, TokenDigest},
        money::Currency,
        policy::Policy,
        run::Hours,
        template::Template,
    },
    paybox::{
        account::Account,
        hmac::{HashName, HmacKey},
        rsa::KeyRing,
    },
};

/// The longest return URL of a portal, in characters.
pub const MAX_RETURN_URL: usize = 1_000;

/// What the gateway knows of a merchant.
pub struct Merchant {
    pub id: MerchantId,
    /// As payers read it.
    pub name: String,
    pub account: Account,
    pub key: HmacKey,
    pub hash: HashName,
    /// Put before every reference, so that two installations on one SITE cannot collide.
    pub prefix: String,
    pub currency: Currency,
    /// How much authentication is asked for where the order does not say.
    pub challenge: Challenge,
    pub without_billing: WithoutBilling,
    /// Where payers may be sent back to, as `https://host[:port]`.
    pub return_origins: Vec<String>,
    /// Whether the merchant's notification URL is set in PAYBOX's back office, and so signs every parameter.
    pub notification_signed_whole: bool,
    /// PAYBOX's keys, current and next.
    pub trusted: KeyRing,
    /// The payment page: the full URL of `/php/`.
    pub page: Url,
    /// The same on PAYBOX's second host, where there is one.
    pub page_backup: Option<Url>,
    pub policy: Policy,
    /// The plans that its payers may ask for.
    pub templates: Vec<Template>,
    pub debits: DebitRules,
}

/// When and how fast cards are debited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebitRules {
    /// How many debits are under way at once.
    pub at_once: usize,
    /// How many are begun in a minute, at most.
    pub per_minute: u32,
    /// The hours in which debits may begin, in the merchant's zone.
    pub from: Time,
    pub until: Time,
    /// Whether each day's run starts by itself, and at what time.
    pub daily: bool,
    pub daily_at: Time,
    /// How many days late a run may be started by others than accounting.
    pub late_days: i32,
}

impl DebitRules {
    pub(super) fn hours(&self, policy: &Policy) -> Hours {
        Hours { from: self.from, until: self.until, zone: policy.zone.clone() }
    }

    /// From one begin to the next.
    pub(super) fn pace(&self) -> SignedDuration {
        SignedDuration::from_millis(60_000 / i64::from(self.per_minute.max(1)))
    }
}

/// What is done for a payer who gives no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutBilling {
    Omit,
    Placeholder,
    Refuse,
}

impl Merchant {
    pub fn template(&self, code: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.code == code)
    }

    /// The URL to send payers back to, if it is one that this merchant uses.
    ///
    /// # Errors
    /// [`FaultKind`] when it is not absolute, not https (http is for loopback in test mode), too long, carries
    /// credentials or a fragment, or leads elsewhere.
    pub fn return_url(&self, raw: &str, allow_loopback_http: bool) -> Result<String, FaultKind> {
        if raw.len() > MAX_RETURN_URL {
            return Err(FaultKind::UrlTooLong { max: MAX_RETURN_URL });
        }
        let url = Url::parse(raw).map_err(|_| FaultKind::UrlInvalid)?;
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !plain || raw.chars().any(|character| character.is_control() || character == ' ') {
            return Err(FaultKind::UrlInvalid);
        }
        if !(url.scheme() == "https" || (allow_loopback_http && is_loopback_http(&url))) {
            return Err(FaultKind::UrlNotHttps);
        }
        let origin = url.origin().ascii_serialization();
        if self.return_origins.contains(&origin) { Ok(url.into()) } else { Err(FaultKind::UrlOriginNotAllowed) }
    }
}

/// Whether it is plain http to this very machine.
pub fn is_loopback_http(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "http" && is_loopback
}

/// What the store may know of a page's secret token.
pub fn digest_of_token(secret: &str) -> TokenDigest {
    TokenDigest(super::access::sha256_hex(secret.as_bytes()))
}
