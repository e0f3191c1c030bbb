//! What most steps have in common: an order, a page for it, the way there and back, and the proof that it is paid.

use std::time::Duration;

use serde_json::Value;

use crate::{
    browser::{Browser, Page},
    cards::Card,
    check,
    document::Document,
    gateway::Gateway,
    orders,
    sandbox::Sandbox,
    setup::Stage,
    transcript::Secret,
    trouble::{Outcome, Trouble},
};

/// How long the gateway may take to learn of a payment, its hasty delays included.
pub(super) const SOON: Duration = Duration::from_secs(8);

/// Everything a step needs.
pub(super) struct Journey {
    pub(super) stage: Stage,
    pub(super) ecole: Gateway,
    pub(super) annexe: Gateway,
    pub(super) neutral: Gateway,
    pub(super) strict: Gateway,
    pub(super) browser: Browser,
}

/// An order as it was placed.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) id: String,
    /// How all its references at the bank begin.
    pub(super) prefix: String,
    pub(super) document: Value,
}

/// A page as it was handed out.
#[derive(Clone, Debug)]
pub(super) struct Handed {
    pub(super) order: String,
    pub(super) number: i64,
    /// PBX_CMD.
    pub(super) reference: String,
    pub(super) document: Value,
}

impl Journey {
    pub(super) fn bank(&self) -> &Sandbox {
        &self.stage.bank
    }

    pub(super) fn return_url(&self) -> String {
        format!("{}/retour", self.stage.portal_origin())
    }

    /// Places a registration of 3 770,00 €.
    pub(super) async fn register(&self, gateway: &Gateway) -> Outcome<Placed> {
        self.place(gateway, &orders::registration()?).await
    }

    pub(super) async fn place(&self, gateway: &Gateway, order: &Value) -> Outcome<Placed> {
        let document = gateway.place(order).await?;
        let id = check::text(&document, "/id")?.to_owned();
        let hex = id.strip_prefix("ord_").unwrap_or(&id);
        Ok(Placed { prefix: format!("{}-{hex}-", gateway.merchant.prefix), id, document })
    }

    /// Has a page handed out.
    pub(super) async fn check_out(&self, gateway: &Gateway, order: &Placed, billing: &Value) -> Outcome<Handed> {
        let document = gateway.try_checkout(&order.id, billing, &self.return_url()).await?.json_if(201)?;
        let redirect = check::text(&document, "/redirect")?;
        let link = redirect.rsplit('/').next().unwrap_or(redirect);
        self.stage.transcript.keep_out_of_logs(Secret::PaymentLink, link);
        Ok(Handed {
            order: order.id.clone(),
            number: check::number(&document, "/number")?,
            reference: check::text(&document, "/reference")?.to_owned(),
            document,
        })
    }

    /// Goes to the card page as a portal that posts the signed fields itself.
    pub(super) async fn go_by_form(&self, handed: &Handed) -> Outcome<Page> {
        let fields = check::list(&handed.document, "/form/fields")?;
        let pairs: Outcome<Vec<(String, String)>> = fields
            .iter()
            .map(|field| Ok((check::text(field, "/name")?.to_owned(), check::text(field, "/value")?.to_owned())))
            .collect();
        let page = self.browser.post(check::text(&handed.document, "/form/action")?, &pairs?).await?;
        card_page(page)
    }

    /// Goes to the card page by the payment link: the gateway's page, its button, PAYBOX.
    pub(super) async fn go_by_link(&self, handed: &Handed) -> Outcome<Page> {
        let page = self.browser.open(check::text(&handed.document, "/redirect")?).await?;
        check::equal("the payment link", page.answer.status, 200)?;
        let form = page.form_with("PBX_HMAC")?;
        card_page(self.browser.press(&page, &form, None).await?)
    }

    /// Pays on the card page, without a challenge, and sees the receipt.
    pub(super) async fn pay(&self, page: &Page, card: Card) -> Outcome<Page> {
        receipt(self.browser.pay(page, card).await?)
    }

    /// Pays on the card page, passes the challenge, and sees the receipt.
    pub(super) async fn pay_challenged(&self, page: &Page, card: Card) -> Outcome<Page> {
        let challenge = self.browser.pay(page, card).await?;
        receipt(self.browser.authenticate(&challenge).await?)
    }

    /// A whole payment by link with the known address: page, card, receipt.
    pub(super) async fn pay_at_once(&self, gateway: &Gateway, order: &Placed, card: Card) -> Outcome<(Handed, Page)> {
        let handed = self.check_out(gateway, order, &orders::known_address()).await?;
        let page = self.go_by_link(&handed).await?;
        Ok((handed, self.pay(&page, card).await?))
    }

    /// *Retour boutique*, which has to end at the portal.
    pub(super) async fn come_back(&self, page: &Page, handed: &Handed) -> Outcome<Page> {
        let back = self.browser.return_to_shop(page).await?;
        self.back_at_portal(&back, handed)?;
        Ok(back)
    }

    /// The last redirect leads to the portal's own URL with `order` and `checkout`, and with nothing else.
    pub(super) fn back_at_portal(&self, back: &Page, handed: &Handed) -> Outcome<()> {
        let hop =
            back.hops.last().ok_or_else(|| Trouble::of(format!("no redirect on the way to {}", back.outline())))?;
        check::equal("the gateway's answer to a return", hop.status, 303)?;
        check::holds("the redirect is the gateway's", hop.from.starts_with(&self.ecole.url), &hop.from)?;
        let expected = format!("{}?order={}&checkout={}", self.return_url(), handed.order, handed.number);
        check::equal("the payer's way back", hop.to.as_str(), expected.as_str())?;
        check::equal("the portal's page", back.answer.status, 200)
    }

    /// Waits until the order is settled; then it is paid exactly once, by the operation that the bank booked.
    pub(super) async fn settled(&self, gateway: &Gateway, order: &Placed) -> Outcome<Settled> {
        let is_settled = |document: &Value| document.said("/status") == "settled";
        let (document, after) = gateway.until(&order.id, "settled", SOON, is_settled).await?;
        check::equal("paid", check::number(&document, "/paid/amount")?, orders::FEE)?;
        check::equal("remaining", check::number(&document, "/remaining/amount")?, 0)?;
        let captures = entries(&document, "capture")?;
        let capture = check::only("captures in the gateway's ledger", &captures)?;
        check::equal("captured", check::number(capture, "/amount/amount")?, orders::FEE)?;
        let operation = check::text(capture, "/operation")?.to_owned();
        let booked = self.bank().captures(&order.prefix).await?;
        let is_at_bank = booked.iter().any(|known| known.written("/numtrans") == operation);
        check::holds("the bank knows the operation", is_at_bank, (&operation, &booked))?;
        Ok(Settled { operation, after, document })
    }

    /// Nothing of the order is paid, and the bank has taken nothing for it.
    pub(super) async fn unpaid(&self, gateway: &Gateway, order: &Placed) -> Outcome<Value> {
        let document = gateway.order(&order.id).await?;
        check::equal("the order", check::text(&document, "/status")?, "open")?;
        check::equal("paid", check::number(&document, "/paid/amount")?, 0)?;
        check::equal("ledger entries", check::list(&document, "/ledger")?.len(), 0)?;
        let ledger = self.bank().ledger(&order.prefix).await?;
        check::equal("captured at the bank", check::number(&ledger, "/totals/captured")?, 0)?;
        Ok(document)
    }
}

/// How an order was settled.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    /// The bank's number.
    pub(super) operation: String,
    /// How long it was waited for.
    pub(super) after: Duration,
    pub(super) document: Value,
}

/// The ledger entries of this kind.
pub(super) fn entries<'a>(order: &'a Value, kind: &str) -> Outcome<Vec<&'a Value>> {
    Ok(check::list(order, "/ledger")?.iter().filter(|entry| entry.said("/kind") == kind).collect())
}

/// The checkout of this number within an order.
pub(super) fn checkout_of(order: &Value, number: i64) -> Outcome<&Value> {
    let found = check::list(order, "/checkouts")?.iter().find(|checkout| checkout.number("/number") == Some(number));
    found.ok_or_else(|| Trouble::of(format!("no checkout {number} in {order}")))
}

fn card_page(page: Page) -> Outcome<Page> {
    card_page_of(page, orders::FEE)
}

/// The page that asks for a card and for this amount.
pub(super) fn card_page_of(page: Page, cents: i64) -> Outcome<Page> {
    let amount = format!("Paiement de {} EUR", orders::written(cents));
    check::holds(&format!("the card page shows {amount:?}"), page.shows(&amount), page.outline())?;
    Ok(page)
}

fn receipt(page: Page) -> Outcome<Page> {
    check::holds("the payment is accepted", page.shows("Paiement accepté"), page.outline())?;
    Ok(page)
}
