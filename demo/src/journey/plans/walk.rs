//! What the steps of plans have in common: asking, approving, beginning, and looking at what became of an instalment.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    account::Account,
    calendar::Calendar,
    office::{ACCOUNTANT, Office, Staff},
};
use crate::{
    browser::Page,
    cards::{self, Card},
    check,
    client::Answer,
    configuration::ANNEXE,
    document::Document,
    gateway::{Gateway, Idempotency},
    journey::{
        TakenBack,
        walk::{Handed, Journey, Placed, SOON, card_page_of, entries},
    },
    orders::{self, written},
    transcript::Secret,
    trouble::{Outcome, Trouble},
};

/// What the steps leave to each other.
pub(super) struct Plans<'a> {
    pub(super) journey: &'a Journey,
    pub(super) office: Office,
    calendar: Option<Calendar>,
    /// Orders by what they are for.
    cast: BTreeMap<&'static str, Placed>,
    /// A payment page that was opened in one step and is paid in another.
    pub(super) open_page: Option<Page>,
    /// An account as it was told on a day that is to be past.
    pub(super) account_then: Option<Account>,
    /// What payers' banks took back: order, operation and amount, as the school's bank wrote.
    pub(super) taken_back: Vec<TakenBack>,
}

impl<'a> Plans<'a> {
    pub(super) fn new(journey: &'a Journey, office: Office) -> Self {
        Self {
            journey,
            office,
            calendar: None,
            cast: BTreeMap::new(),
            open_page: None,
            account_then: None,
            taken_back: Vec::new(),
        }
    }

    /// Puts the clock to the day on which everything begins.
    pub(super) async fn begin(&mut self) -> Outcome<String> {
        let before = self.office.clock().await?;
        let calendar = Calendar::after(Calendar::instant(check::text(&before, "/now")?)?)?;
        let start = calendar.morning_of(calendar.start)?;
        self.office.put_forward(&start).await?;
        let now = self.office.clock().await?;
        let now = check::text(&now, "/now")?;
        check::holds("the clock stands there and ticks", now.get(..15) == start.get(..15), now)?;
        self.calendar = Some(calendar);
        Ok(format!("{now}; the sandbox's clock goes along"))
    }

    pub(super) fn calendar(&self) -> Outcome<&Calendar> {
        self.calendar.as_ref().ok_or_else(|| Trouble::of("the clock was not moved"))
    }

    pub(super) fn keep(&mut self, role: &'static str, order: Placed) {
        self.cast.insert(role, order);
    }

    pub(super) fn order(&self, role: &str) -> Outcome<&Placed> {
        self.cast.get(role).ok_or_else(|| Trouble::of(format!("the plan for {role:?} was not begun")))
    }

    pub(super) async fn now_of(&self, role: &str) -> Outcome<Value> {
        self.portal_of(role).order(&self.order(role)?.id).await
    }

    /// The door of the portal that placed the order.
    pub(super) fn portal_of(&self, role: &str) -> &'a Gateway {
        let is_annexe = self.cast.get(role).is_some_and(|order| order.prefix.starts_with(ANNEXE.prefix));
        if is_annexe { &self.journey.annexe } else { &self.journey.ecole }
    }

    /// Those at the school of this order.
    pub(super) fn staff_for(&self, role: &str) -> &Staff {
        self.staff_of(self.portal_of(role))
    }

    fn staff_of(&self, portal: &Gateway) -> &Staff {
        if portal.merchant.id == ANNEXE.id { &self.office.annexe } else { &self.office.ecole }
    }

    /// Places an order and asks for instalments.
    pub(super) async fn asked(&self, portal: &Gateway, cents: i64, template: &str) -> Outcome<Placed> {
        let order = self.journey.place(portal, &orders::of_fee(cents)?).await?;
        let document = ask(portal, &order.id, template).await?.json_if(201)?;
        check::equal("the plan", check::text(&document, "/plan/status")?, "requested")?;
        Ok(Placed { document, ..order })
    }

    /// Places, asks and has it approved.
    pub(super) async fn approved(
        &self,
        portal: &Gateway,
        cents: i64,
        template: &str,
        first: Option<i64>,
    ) -> Outcome<Placed> {
        let order = self.asked(portal, cents, template).await?;
        let answer = self.staff_of(portal).approve(&order.id, ACCOUNTANT, first).await?;
        Ok(Placed { document: answer.json_if(200)?, ..order })
    }

    /// From nothing to an active plan of these amounts.
    pub(super) async fn begun(
        &self,
        portal: &Gateway,
        (cents, template, first): (i64, &str, Option<i64>),
        card: Card,
        amounts: &[i64],
    ) -> Outcome<Placed> {
        let order = self.approved(portal, cents, template, first).await?;
        check::equal("the plan's amounts", amounts_of(&order.document)?, amounts.to_vec())?;
        let handed = self.hand_over(portal, &order).await?;
        let page = self.to_card_page(&handed, *amounts.first().unwrap_or(&cents)).await?;
        self.pay_first(&page, card).await?;
        Ok(Placed { document: self.is_active(portal, &order).await?, ..order })
    }

    /// A page for the first instalment, whose offer is accepted.
    pub(super) async fn hand_over(&self, portal: &Gateway, order: &Placed) -> Outcome<Handed> {
        let document = portal.order(&order.id).await?;
        let accepted = check::text(&document, "/plan/offer/accepted_terms")?;
        let answer = self.check_out(portal, order, &json!({"accepted_terms": accepted})).await?;
        let document = answer.json_if(201)?;
        check::holds("the way is the gateway's page", document.pointer("/form").is_none_or(Value::is_null), &document)?;
        self.handed(order, document)
    }

    pub(super) fn handed(&self, order: &Placed, document: Value) -> Outcome<Handed> {
        let redirect = check::text(&document, "/redirect")?;
        let link = redirect.rsplit('/').next().unwrap_or(redirect);
        self.journey.stage.transcript.keep_out_of_logs(Secret::PaymentLink, link);
        Ok(Handed {
            order: order.id.clone(),
            number: check::number(&document, "/number")?,
            reference: check::text(&document, "/reference")?.to_owned(),
            document,
        })
    }

    /// Asks for a page with `more` members; the answer may be a problem.
    pub(super) async fn check_out(&self, portal: &Gateway, order: &Placed, more: &Value) -> Outcome<Answer> {
        let mut body = json!({"billing": orders::known_address(), "return_url": self.journey.return_url()});
        if let (Some(members), Some(more)) = (body.as_object_mut(), more.as_object()) {
            members.extend(more.clone());
        }
        portal.post(&format!("/v1/orders/{}/checkout", order.id), Idempotency::Fresh, &body.to_string()).await
    }

    /// The gateway's own page behind a payment link.
    pub(super) async fn follow(&self, handed: &Handed) -> Outcome<Page> {
        let page = self.journey.browser.open(check::text(&handed.document, "/redirect")?).await?;
        check::equal("the payment link", page.answer.status, 200)?;
        Ok(page)
    }

    /// From there to the page that asks for a card and this amount.
    pub(super) async fn press_on(&self, page: &Page, cents: i64) -> Outcome<Page> {
        let form = page.form_with("PBX_HMAC")?;
        card_page_of(self.journey.browser.press(page, &form, None).await?, cents)
    }

    /// Pays there, and is authenticated where the card's bank wants it; the shop is told before it captures anything.
    pub(super) async fn pay_first(&self, page: &Page, card: Card) -> Outcome<Page> {
        let browser = &self.journey.browser;
        let answer = browser.pay(page, card).await?;
        let receipt = if answer.form_with("CODE").is_ok() { browser.authenticate(&answer).await? } else { answer };
        check::holds("the bank authorises", receipt.shows("Autorisation acceptée"), receipt.outline())?;
        Ok(receipt)
    }

    /// Both at once.
    pub(super) async fn to_card_page(&self, handed: &Handed, cents: i64) -> Outcome<Page> {
        self.press_on(&self.follow(handed).await?, cents).await
    }

    /// Waits until the plan's card is debited by itself.
    pub(super) async fn is_active(&self, portal: &Gateway, order: &Placed) -> Outcome<Value> {
        let is_active = |order: &Value| order.said("/plan/status") == "active";
        Ok(portal.until(&order.id, "the plan is active", SOON, is_active).await?.0)
    }

    /// Waits until an instalment stands so.
    pub(super) async fn instalment_is(&self, role: &str, number: i64, status: &str) -> Outcome<Value> {
        let (portal, order) = (self.portal_of(role), self.order(role)?);
        let what = format!("instalment {number} of {role:?} is {status}");
        let stands = |order: &Value| instalment(order, number).is_some_and(|due| due.said("/status") == status);
        Ok(portal.until(&order.id, &what, 2 * SOON, stands).await?.0)
    }

    /// The payer of an instalment pays it by a link, with whatever card.
    pub(super) async fn pay_by_link(&self, role: &str, number: i64, cents: i64) -> Outcome<Value> {
        let order = self.order(role)?;
        let answer = self.check_out(self.portal_of(role), order, &json!({"instalment": number})).await?;
        let handed = self.handed(order, answer.json_if(201)?)?;
        let page = self.to_card_page(&handed, cents).await?;
        self.journey.pay(&page, cards::FRICTIONLESS).await?;
        self.instalment_is(role, number, "paid").await
    }

    /// Waits until the order of this role is as wished.
    pub(super) async fn until(&self, role: &str, what: &str, wished: impl Fn(&Value) -> bool) -> Outcome<Value> {
        let id = &self.order(role)?.id;
        Ok(self.portal_of(role).until(id, &format!("{role:?}: {what}"), 2 * SOON, wished).await?.0)
    }

    /// Waits until the bank keeps so many cards of the order, and says under which names.
    pub(super) async fn cards_kept(&self, role: &str, count: usize) -> Outcome<Vec<String>> {
        let prefix = &self.order(role)?.prefix;
        let began = std::time::Instant::now();
        loop {
            let kept = self.journey.bank().subscribers(prefix).await?;
            if kept.len() == count {
                return kept.iter().map(|kept| Ok(check::text(kept, "/refabonne")?.to_owned())).collect();
            }
            check::holds(&format!("the bank keeps {count} cards of {role:?}"), began.elapsed() < SOON, &kept)?;
            tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        }
    }

    /// What the feed tells of the order, and how often.
    pub(super) async fn told(&self, role: &str, kind: &str) -> Outcome<Vec<Value>> {
        let id = &self.order(role)?.id;
        let events = self.portal_of(role).events().await?;
        Ok(events.into_iter().filter(|event| event.said("/order") == id && event.said("/type") == kind).collect())
    }

    /// The bank took the money of an instalment once, and this much; by a debit, or by a page.
    pub(super) async fn taken_once(&self, role: &str, number: i64, cents: i64) -> Outcome<()> {
        let prefix = format!("{}{number}-", self.order(role)?.prefix);
        let captures = self.journey.bank().captures(&prefix).await?;
        let captures: Vec<&Value> = captures.iter().collect();
        let capture = check::only(&format!("captures of instalment {number} of {role:?}"), &captures)?;
        check::equal("captured", check::number(capture, "/captured")?, cents)
    }

    /// How many debits of an instalment reached the bank.
    pub(super) async fn debits_sent(&self, role: &str, number: i64) -> Outcome<usize> {
        let prefix = format!("{}{number}-d", self.order(role)?.prefix);
        self.journey.bank().calls(&prefix, "00053").await
    }
}

pub(super) async fn ask(portal: &Gateway, order: &str, template: &str) -> Outcome<Answer> {
    let body = json!({"template": template}).to_string();
    portal.post(&format!("/v1/orders/{order}/plan"), Idempotency::Fresh, &body).await
}

/// The problem's code, if this was its status.
pub(super) fn refused(answer: &Answer, status: u16, code: &str) -> Outcome<String> {
    let problem = answer.json_if(status)?;
    check::equal("problem", check::text(&problem, "/code")?, code)?;
    Ok(format!("{status} {code}"))
}

pub(super) fn amounts_of(order: &Value) -> Outcome<Vec<i64>> {
    check::list(order, "/plan/amounts")?.iter().map(|amount| check::number(amount, "/amount")).collect()
}

/// The amounts that were captured: by pages that the payer was at, or by debits.
pub(super) fn captured(order: &Value, by_page: bool) -> Outcome<Vec<i64>> {
    let has_page = |entry: &&&Value| entry.number("/checkout").is_some() == by_page;
    entries(order, "capture")?.iter().filter(has_page).map(|entry| check::number(entry, "/amount/amount")).collect()
}

pub(super) fn instalment(order: &Value, number: i64) -> Option<&Value> {
    order.items("/schedule").iter().find(|due| due.number("/number") == Some(number))
}

/// `200.31 + 200.31 + 200.38`.
pub(super) fn sum(amounts: &[i64]) -> String {
    amounts.iter().map(|cents| written(*cents)).collect::<Vec<_>>().join(" + ")
}
