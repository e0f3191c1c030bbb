//! Telling portals: bringing a document to a URL that a stranger chose.

use async_trait::async_trait;

use crate::domain::fault::FaultKind;

/// Brings a document to whoever asked for it, at a URL that a stranger chose. Nothing is repeated or redirected below
/// this port, and nothing is sent to an address that is not public.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Whether a URL could be delivered to, as far as that can be seen without asking anybody.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, url: &str) -> Result<(), FaultKind>;
    /// Posts the document, once, within a deadline; what the receiver answers beyond a status is thrown away.
    ///
    /// # Errors
    /// [`NotDelivered`] when there was no answer. The receiver may have had the document all the same.
    async fn deliver(&self, delivery: &Delivery) -> Result<u16, NotDelivered>;
}

/// What is posted.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    pub url: String,
    /// Beside those that any document has.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDelivered {
    #[error("the URL cannot be delivered to")]
    UrlRefused,
    #[error("the name has no address")]
    NameUnknown,
    #[error("an address of the name is not public")]
    AddressRefused,
    #[error("no connection")]
    Connect,
    #[error("no secure connection")]
    Tls,
    #[error("no answer in time")]
    Timeout,
    #[error("no HTTP answer")]
    Unreadable,
}

impl NotDelivered {
    /// As the delivery log writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::UrlRefused => "url_refused",
            Self::NameUnknown => "name_unknown",
            Self::AddressRefused => "address_refused",
            Self::Connect => "connect_failed",
            Self::Tls => "tls_failed",
            Self::Timeout => "timeout",
            Self::Unreadable => "unreadable_answer",
        }
    }
}
