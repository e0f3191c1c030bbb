//! Handing out a payment page: a signed form, and a link for portals that build no form.

use super::{
    App, Error, Outcome, Remember,
    access::Caller,
    billing::{self, BillingChoice},
    commit::Versioned,
    merchant::{Merchant, digest_of_token},
};
use crate::{
    domain::{
        attempt::Host,
        bank::ArchiveReference,
        card::CardEnd,
        checkout::{Billing, Checkout, Locale, PlanCheckout},
        fault::Fault,
        ids::{CheckoutNumber, OrderId},
        order::{NewCheckout, Order, Refusal, Way},
    },
    paybox::{
        billing::{Change, placeholder},
        page::{CardRegistration, PageCapture, PageLanguage, PageMeans, PageRequest, PageSource, PageUrls, UrlPolicy},
    },
};

/// What a portal asks a page with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutRequest {
    pub pays: Pays,
    pub billing: BillingChoice,
    pub return_url: String,
    pub locale: Option<Locale>,
}

/// What a page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pays {
    /// What is owed next.
    Next,
    /// This instalment of an active plan.
    Instalment(u32),
    /// All that is unpaid of an active plan.
    Rest,
    /// Another card for an active plan, with what is past due.
    ChangeCard,
    /// The first instalment of an approved plan, on the terms that the payer has accepted.
    FirstInstalment { accepted_terms: String },
}

/// A form that the payer's browser posts to PAYBOX: its fields in the order they were signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

/// A page that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    pub current: Versioned,
    pub checkout: CheckoutNumber,
    /// None for a plan: its form is signed when its link is followed.
    pub form: Option<Form>,
    /// Where a payer may be sent instead of posting the form.
    pub redirect: String,
    /// What was changed in the address so that PAYBOX takes it.
    pub changes: Vec<Change>,
}

impl App {
    /// Hands out a page for what is due online; it supersedes the one before.
    ///
    /// # Errors
    /// [`Error::Faults`], [`Error::Refused`], [`Error::BillingRequired`], …
    pub async fn check_out(
        &self,
        caller: &Caller,
        id: OrderId,
        request: &CheckoutRequest,
        remember: &Remember<Issued>,
    ) -> Result<Outcome, Error> {
        let found = self.order(caller, id).await?;
        let merchant = self.merchant(&found.order.merchant)?;
        let return_url = merchant
            .return_url(&request.return_url, self.allows_loopback())
            .map_err(|kind| Error::Faults(vec![Fault::new("/return_url", kind)]))?;
        let (chosen, changes) = billing::resolve(&request.billing, &found.order.payer, merchant.without_billing)?;
        let secret: [u8; 32] = self.ports.entropy.secret();
        let token = format!("{}.{}", merchant.id, super::access::hex(secret.get(..16).unwrap_or(&secret)));
        let archive = self.new_archive_reference();
        let page_host = self.ports.pages.in_service(&merchant.id);
        self.change_and_answer(&merchant.id, id, &caller.actor, remember, |current, now| {
            let new = NewCheckout {
                token: digest_of_token(&token),
                archive: archive.clone(),
                prefix: merchant.prefix.clone(),
                billing: chosen.clone(),
                challenge: current.order.challenge.unwrap_or(merchant.challenge),
                locale: request.locale.unwrap_or(current.order.locale),
                page_host,
                return_url: return_url.clone(),
            };
            let way = match &request.pays {
                Pays::Next => Way::Next,
                Pays::Instalment(number) => Way::Instalment(*number),
                Pays::Rest => Way::Rest,
                Pays::ChangeCard => Way::ChangeCard,
                Pays::FirstInstalment { accepted_terms } => {
                    let plan = current.order.plan().ok_or(Refusal::PlanNotApproved)?;
                    let template = merchant.template(&plan.template).ok_or(Refusal::TermsChanged)?;
                    Way::Begin { template, offer: accepted_terms }
                }
            };
            let decision = current.order.issue_checkout(new, way, now, &merchant.policy)?;
            let checkout = decision.order.checkouts.last().ok_or(Error::Refused(Refusal::TooManyCheckouts))?;
            let form = match checkout.begins {
                None => Some(self.signed_form(merchant, &decision.order, checkout, &token)?),
                Some(_) => None,
            };
            let issued = Issued {
                current: Versioned { order: decision.order.clone(), version: current.version + 1 },
                checkout: checkout.number,
                form,
                redirect: format!("{}/pay/{token}", self.public_url),
                changes: changes.clone(),
            };
            Ok((decision, issued))
        })
        .await
    }

    pub(super) fn new_archive_reference(&self) -> ArchiveReference {
        let secret = self.ports.entropy.secret();
        let bits = secret.iter().take(8).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        ArchiveReference::from_bits(bits)
    }

    pub(super) fn allows_loopback(&self) -> bool {
        match self.mode {
            super::Mode::Test => true,
            super::Mode::Live => false,
        }
    }

    /// The form of a checkout, signed now; only its time differs from one signing to the next, and that is the bank's.
    pub(super) fn signed_form(
        &self,
        merchant: &Merchant,
        order: &Order,
        checkout: &Checkout,
        token: &str,
    ) -> Result<Form, Error> {
        let back = |outcome: &str| format!("{}/return/{token}/{outcome}", self.public_url);
        let billing = match &checkout.billing {
            Billing::Address { address } => Some(billing::clean(address, "/billing/address").map_err(Error::Faults)?.0),
            Billing::Placeholder => Some(placeholder()),
            Billing::Omitted => None,
        };
        let request = PageRequest {
            account: merchant.account.clone(),
            total: checkout.amount,
            reference: checkout.reference.as_str().to_owned(),
            payer_email: order.payer.email.as_str().to_owned(),
            time: self.ports.clock.wall(),
            hash: merchant.hash,
            language: match checkout.locale {
                Locale::Fr => PageLanguage::French,
                Locale::En => PageLanguage::English,
            },
            source: PageSource::Responsive,
            urls: PageUrls {
                accepted: back("accepted"),
                refused: back("refused"),
                cancelled: back("cancelled"),
                pending: back("pending"),
                notify: format!("{}/paybox/{}/ipn", self.public_url, merchant.id),
            },
            url_policy: if self.allows_loopback() { UrlPolicy::LoopbackHttpAllowed } else { UrlPolicy::HttpsOnly },
            display_seconds: u32::try_from(merchant.policy.page_lifetime.as_secs()).unwrap_or(u32::MAX),
            archive_reference: checkout.archive.as_str().to_owned(),
            capture: if checkout.begins.is_some() { PageCapture::Later } else { PageCapture::Immediate },
            means: PageMeans::Card,
            challenge: Some(checkout.challenge),
            billing,
            cart_quantity: Some(order.item_count()),
            registration: checkout.begins.as_deref().map(registration).transpose()?,
        };
        let signed = request.sign(&merchant.key).map_err(|error| Error::Defect(error.to_string()))?;
        let action = match checkout.page_host {
            Host::Main => &merchant.page,
            Host::Backup => merchant.page_backup.as_ref().unwrap_or(&merchant.page),
        }
        .to_string();
        let fields = signed.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Form { action, fields })
    }
}

/// What a page that begins a plan registers: a card that is good until the last instalment.
fn registration(begins: &PlanCheckout) -> Result<CardRegistration, Error> {
    let last = begins.schedule.iter().map(|due| due.due).max();
    let good_until = last.and_then(CardEnd::month_of);
    let good_until = good_until.ok_or_else(|| Error::Defect("a plan that ends in no month".to_owned()))?;
    Ok(CardRegistration { subscriber: begins.subscriber.as_str().to_owned(), last_due_month: good_until })
}
