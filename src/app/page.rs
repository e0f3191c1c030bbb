//! The payer's two stops here: on the way to PAYBOX, and on the way back.

use super::{
    App, Error,
    checkout::Form,
    commit::{Extras, Versioned},
    merchant::{Merchant, digest_of_token},
    plans::card_refusal,
};
use crate::domain::{
    actor::Actor,
    card::CardRefusal,
    checkout::{Checkout, CheckoutStatus, Locale},
    ids::{CheckoutNumber, MerchantId, OrderId},
    money::Money,
    order::NewFollower,
    schedule::Instalment,
};

/// What a payment link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayerPage {
    pub merchant: String,
    pub locale: Locale,
    pub amount: Money,
    /// Back to the portal, with `order` and `checkout`.
    pub back: String,
    /// Of a page that begins a plan.
    pub plan: Option<PagePlan>,
    pub content: PageContent,
}

/// What the payer of a plan reads before a card is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagePlan {
    pub schedule: Vec<Instalment>,
    /// Why the last card that this link was followed with did not do.
    pub refused: Option<CardRefusal>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageContent {
    /// To be posted to PAYBOX.
    Form(Form),
    /// Nothing to be paid here any more, and why.
    Over(CheckoutStatus),
}

/// Whose link it is: the merchant, the order, and the checkout that was issued with it.
struct Link<'a> {
    merchant: &'a Merchant,
    order: OrderId,
    checkout: CheckoutNumber,
}

impl App {
    /// The page behind a payment link. Following it uses it up: PAYBOX takes each reference once, so whoever comes
    /// next gets another.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn payer_page(&self, token: &str) -> Result<PayerPage, Error> {
        let Link { merchant, order: id, checkout: link } = self.find_link(token).await?;
        let new = NewFollower {
            prefix: merchant.prefix.clone(),
            archive: self.new_archive_reference(),
            page_host: self.ports.pages.in_service(&merchant.id),
        };
        let mut may_pay = false;
        let current = self
            .change(&merchant.id, id, &Actor::Payer, |current, now| {
                let order = &current.order;
                may_pay = order.page_of(link).is_some_and(|page| order.may_be_followed(page, now));
                let decision = order.follow_link(link, &new, now, &merchant.policy)?;
                Ok((decision, Extras::default()))
            })
            .await?;
        let Versioned { order, .. } = current;
        let page = order.page_of(link).ok_or(Error::NotFound)?;
        let content = if may_pay {
            PageContent::Form(self.signed_form(merchant, &order, page, token)?)
        } else {
            PageContent::Over(order.status_of_link(page))
        };
        let plan = page.begins.as_deref().map(|begins| PagePlan {
            schedule: begins.schedule.clone(),
            refused: card_refusal(&order, |known| known.link == link).cloned(),
        });
        Ok(PayerPage {
            plan,
            merchant: merchant.name.clone(),
            locale: page.locale,
            amount: page.amount,
            back: back_to_portal(id, page),
            content,
        })
    }

    /// The payer is back from PAYBOX: notes that the bank is to be asked about every page of the link, and tells where
    /// the payer goes on to, and which order wants attending. Whatever else the browser brought is not even read.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn payer_returned(&self, token: &str) -> Result<(String, MerchantId, OrderId), Error> {
        let Link { merchant, order: id, checkout: link } = self.find_link(token).await?;
        let current = self
            .change(&merchant.id, id, &Actor::Payer, |current, now| {
                let decision = current.order.payer_returned(link, now, &merchant.policy)?;
                Ok((decision, Extras::default()))
            })
            .await?;
        let page = current.order.page_of(link).ok_or(Error::NotFound)?;
        Ok((back_to_portal(id, page), merchant.id.clone(), id))
    }

    async fn find_link(&self, token: &str) -> Result<Link<'_>, Error> {
        let (merchant, _) = token.split_once('.').ok_or(Error::NotFound)?;
        let merchant = self.merchant(&merchant.parse().map_err(|_| Error::NotFound)?)?;
        let digest = digest_of_token(token);
        let owner = self.ports.store.owner(merchant.id.as_str(), "token", &digest.0).await?.ok_or(Error::NotFound)?;
        let (order, checkout) = parse_owner(&owner).ok_or(Error::NotFound)?;
        Ok(Link { merchant, order, checkout })
    }
}

/// `ord_…/2`, as claims write the owner of a page.
pub(super) fn parse_owner(owner: &str) -> Option<(OrderId, CheckoutNumber)> {
    let (order, checkout) = owner.split_once('/')?;
    Some((order.parse().ok()?, CheckoutNumber(checkout.parse().ok()?)))
}

/// The portal's own URL with the two names it needs to ask the API, and nothing that came from the browser.
fn back_to_portal(order: OrderId, page: &Checkout) -> String {
    let separator = if page.return_url.contains('?') { '&' } else { '?' };
    format!("{}{separator}order={order}&checkout={}", page.return_url, page.number.0)
}
