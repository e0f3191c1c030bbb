//! The payer's two stops here: on the way to PAYBOX, and on the way back.

use super::{
    App, Error,
    checkout::Form,
    commit::{Extras, Versioned},
    merchant::{Merchant, digest_of_token},
};
use crate::domain::{
    actor::Actor,
    checkout::{Checkout, CheckoutStatus, Locale},
    ids::{CheckoutNumber, MerchantId, OrderId},
    money::Money,
};

/// What a payment link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayerPage {
    pub merchant: String,
    pub locale: Locale,
    pub amount: Money,
    /// Back to the portal, with `order` and `checkout`.
    pub back: String,
    pub content: PageContent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageContent {
    /// To be posted to PAYBOX.
    Form(Form),
    /// Nothing to be paid here any more, and why.
    Over(CheckoutStatus),
}

struct Found<'a> {
    merchant: &'a Merchant,
    current: Versioned,
    checkout: Checkout,
}

impl App {
    /// The page behind a payment link.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn payer_page(&self, token: &str) -> Result<PayerPage, Error> {
        let found = self.find_page(token).await?;
        let Found { merchant, current: Versioned { order, .. }, checkout } = &found;
        let now = self.now();
        let status = order.checkout_status(checkout);
        let may_pay = match status {
            CheckoutStatus::Issued | CheckoutStatus::Refused => now < checkout.form_until,
            CheckoutStatus::Superseded
            | CheckoutStatus::Expired
            | CheckoutStatus::Withdrawn
            | CheckoutStatus::Confirming
            | CheckoutStatus::Quarantined
            | CheckoutStatus::Captured => false,
        };
        let content = if may_pay {
            PageContent::Form(self.signed_form(merchant, order, checkout, token, now)?)
        } else if matches!(status, CheckoutStatus::Issued | CheckoutStatus::Refused) {
            PageContent::Over(CheckoutStatus::Expired)
        } else {
            PageContent::Over(status)
        };
        Ok(PayerPage {
            merchant: merchant.name.clone(),
            locale: checkout.locale,
            amount: checkout.amount,
            back: back_to_portal(&checkout.return_url, order.id, checkout.number),
            content,
        })
    }

    /// The payer is back from PAYBOX: notes that the bank is to be asked, and tells where the payer goes on to, and
    /// which order wants attending. Whatever else the browser brought is not even read.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn payer_returned(&self, token: &str) -> Result<(String, MerchantId, OrderId), Error> {
        let Found { merchant, current, checkout } = self.find_page(token).await?;
        let id = current.order.id;
        self.change(&merchant.id, id, &Actor::Payer, |current, now| {
            let decision = current.order.payer_returned(checkout.number, now, &merchant.policy)?;
            Ok((decision, Extras::default()))
        })
        .await?;
        Ok((back_to_portal(&checkout.return_url, id, checkout.number), merchant.id.clone(), id))
    }

    async fn find_page(&self, token: &str) -> Result<Found<'_>, Error> {
        let (merchant, _) = token.split_once('.').ok_or(Error::NotFound)?;
        let merchant = self.merchant(&merchant.parse().map_err(|_| Error::NotFound)?)?;
        let digest = digest_of_token(token);
        let owner = self.ports.store.owner(merchant.id.as_str(), "token", &digest.0).await?.ok_or(Error::NotFound)?;
        let (order, checkout) = parse_owner(&owner).ok_or(Error::NotFound)?;
        let current = self.load(&merchant.id, order).await?;
        let checkout = current.order.checkout(checkout).ok_or(Error::NotFound)?.clone();
        Ok(Found { merchant, current, checkout })
    }
}

/// `ord_…/2`, as claims write the owner of a page.
pub(super) fn parse_owner(owner: &str) -> Option<(OrderId, CheckoutNumber)> {
    let (order, checkout) = owner.split_once('/')?;
    Some((order.parse().ok()?, CheckoutNumber(checkout.parse().ok()?)))
}

/// The portal's own URL with the two names it needs to ask the API, and nothing that came from the browser.
fn back_to_portal(return_url: &str, order: OrderId, checkout: CheckoutNumber) -> String {
    let separator = if return_url.contains('?') { '&' } else { '?' };
    format!("{return_url}{separator}order={order}&checkout={}", checkout.0)
}
