//! The hosted payment page: what is asked of PAYBOX, as signed fields of a form that the payer's browser posts.

use std::fmt;

use jiff::Timestamp;

use crate::{
    domain::{card::CardEnd, checkout::Challenge, money::Money},
    paybox::{
        account::Account,
        billing::{self, CleanAddress},
        expiry,
        field::{FieldError, FieldFault, FieldName, Fields},
        hmac::{self, HashName, HmacKey},
        page_url, paris,
        retour::Retour,
    },
};

/// Everything a page is asked with. Nothing in it is trusted: [`PageRequest::sign`] checks each value.
#[derive(Clone)]
pub struct PageRequest {
    pub account: Account,
    pub total: Money,
    /// Ours, unique per page; comes back as letter `R`.
    pub reference: String,
    pub payer_email: String,
    /// The real time, which PAYBOX compares with its own.
    pub time: Timestamp,
    pub hash: HashName,
    pub language: PageLanguage,
    pub source: PageSource,
    pub urls: PageUrls,
    pub url_policy: UrlPolicy,
    /// How long the page waits for the payer, in seconds; at least 100.
    pub display_seconds: u32,
    /// At most twelve letters and digits, for the bank's statement.
    pub archive_reference: String,
    pub capture: PageCapture,
    pub means: PageMeans,
    pub challenge: Option<Challenge>,
    pub billing: Option<CleanAddress>,
    /// How many things are bought; brought to 1 to 99.
    pub cart_quantity: Option<u32>,
    /// For a plan: keep the card for later debits.
    pub registration: Option<CardRegistration>,
}

/// The reference only: the rest holds a payer's e-mail and address.
impl fmt::Debug for PageRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PageRequest({:?})", self.reference)
    }
}

/// Where PAYBOX sends the payer and its notification. Absolute https, at most 150 characters, everything outside
/// `A–Z a–z 0–9 - . _ ~ : / ? = %` percent-encoded beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageUrls {
    pub accepted: String,
    pub refused: String,
    pub cancelled: String,
    pub pending: String,
    pub notify: String,
}

/// Which URLs may be plain http.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlPolicy {
    HttpsOnly,
    /// Test mode: `localhost` and 127.0.0.0/8 may.
    LoopbackHttpAllowed,
}

/// A card kept for later debits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRegistration {
    /// The subscriber's reference at PAYBOX, never used before.
    pub subscriber: String,
    /// Cards that expire before this month are refused on the page.
    pub last_due_month: CardEnd,
}

/// When the money is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageCapture {
    Immediate,
    /// Authorised only; captured by a question later, or never.
    Later,
}

/// What the payer may choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageMeans {
    /// Every means of the contract.
    Choice,
    /// The card page at once.
    Card,
}

/// The page's look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSource {
    Html,
    /// Fits small screens.
    Responsive,
}

/// The page's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageLanguage {
    French,
    English,
    Spanish,
    Italian,
    German,
    Dutch,
    Swedish,
    Portuguese,
}

impl PageLanguage {
    fn wire(self) -> &'static str {
        match self {
            Self::French => "FRA",
            Self::English => "GBR",
            Self::Spanish => "ESP",
            Self::Italian => "ITA",
            Self::German => "DEU",
            Self::Dutch => "NLD",
            Self::Swedish => "SWE",
            Self::Portuguese => "PRT",
        }
    }
}

/// `PBX_SOUHAITAUTHENT`.
fn challenge_wire(challenge: Challenge) -> &'static str {
    match challenge {
        Challenge::NoPreference => "01",
        Challenge::NotWanted => "02",
        Challenge::Wanted => "03",
        Challenge::Required => "04",
    }
}

impl PageRequest {
    /// What this page asks PAYBOX to report; a callback is read with the same list.
    pub fn retour(&self) -> Retour {
        if self.registration.is_some() { Retour::for_plan() } else { Retour::for_payment() }
    }

    /// The form's fields, signed.
    ///
    /// # Errors
    /// [`FieldError`] naming the first field that cannot be sent.
    pub fn sign(self, key: &HmacKey) -> Result<SignedPage, FieldError> {
        let mut fields = self.fields()?;
        let signature = hmac::sign(key, self.hash, &fields.message());
        fields.push(FieldName::Hmac, signature)?;
        Ok(SignedPage { fields })
    }

    fn fields(&self) -> Result<Fields, FieldError> {
        if self.total.is_zero() {
            return Err(FieldName::Total.error(FieldFault::ZeroAmount));
        }
        let mut fields = Fields::new();
        fields.push(FieldName::Site, self.account.site())?;
        fields.push(FieldName::Rang, self.account.rang())?;
        fields.push(FieldName::Identifiant, self.account.identifiant())?;
        fields.push(FieldName::Total, format!("{:03}", self.total.minor_units()))?;
        fields.push(FieldName::Devise, self.total.currency().number())?;
        fields.push(FieldName::Cmd, self.reference.as_str())?;
        fields.push(FieldName::Porteur, self.payer_email.as_str())?;
        fields.push(FieldName::Retour, self.retour().wire())?;
        fields.push(FieldName::Hash, self.hash.wire())?;
        fields.push(FieldName::Time, paris::iso8601(self.time))?;
        fields.push(FieldName::Langue, self.language.wire())?;
        fields.push(FieldName::Source, self.source.wire())?;
        self.push_urls(&mut fields)?;
        fields.push(FieldName::Display, format!("{:03}", self.display_seconds))?;
        fields.push(FieldName::Archivage, self.archive_reference.as_str())?;
        if self.means == PageMeans::Card {
            fields.push(FieldName::TypePaiement, "CARTE")?;
            fields.push(FieldName::TypeCarte, "CB")?;
        }
        if let Some(challenge) = self.challenge {
            fields.push(FieldName::SouhaitAuthent, challenge_wire(challenge))?;
        }
        if self.capture == PageCapture::Later {
            fields.push(FieldName::AutoSeule, "O")?;
        }
        if let Some(registration) = &self.registration {
            fields.push(FieldName::DateValMax, expiry::to_yymm(registration.last_due_month))?;
            fields.push(FieldName::RefAbonne, registration.subscriber.as_str())?;
        }
        if let Some(quantity) = self.cart_quantity {
            fields.push(FieldName::ShoppingCart, billing::shopping_cart_xml(quantity))?;
        }
        if let Some(address) = &self.billing {
            fields.push(FieldName::Billing, billing::billing_xml(address))?;
        }
        Ok(fields)
    }

    /// The notification is a POST, so that the card's handle stays out of the logs of whatever stands in between.
    fn push_urls(&self, fields: &mut Fields) -> Result<(), FieldError> {
        let policy = self.url_policy;
        for (field, url) in [
            (FieldName::Effectue, &self.urls.accepted),
            (FieldName::Refuse, &self.urls.refused),
            (FieldName::Annule, &self.urls.cancelled),
            (FieldName::Attente, &self.urls.pending),
        ] {
            page_url::check_return_url(url, policy).map_err(|fault| field.error(fault))?;
            fields.push(field, url.as_str())?;
        }
        let notify = FieldName::RepondreA;
        page_url::check_notify_url(&self.urls.notify, policy).map_err(|fault| notify.error(fault))?;
        fields.push(notify, self.urls.notify.as_str())?;
        fields.push(FieldName::Ruf1, "POST")
    }
}

impl PageSource {
    fn wire(self) -> &'static str {
        match self {
            Self::Html => "HTML",
            Self::Responsive => "RWD",
        }
    }
}

/// The fields of a form, in order, `PBX_HMAC` last. Values are raw: whoever writes the form escapes them.
#[derive(Clone)]
pub struct SignedPage {
    fields: Fields,
}

impl SignedPage {
    /// `(name, value)` in the order signed.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields.iter().map(|(name, value)| (name.wire(), value))
    }
}

/// Names only, as for [`Fields`].
impl fmt::Debug for SignedPage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.fmt(formatter)
    }
}

#[cfg(test)]
mod tests;
