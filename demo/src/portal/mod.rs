//! A school's portal: a fee category becomes an order, its recap is paid on PAYBOX's page, and the result and the account
//! position are what the gateway's public API says. The backend keeps nothing by itself.

mod accounting;
mod fees;
mod orders_desk;
mod pages;
mod plans;
mod quarantine;
mod remittances;
mod serve;
mod statements;
mod visitor;
mod words;

use hyper::{Method, Request, StatusCode, body::Incoming};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    client::Answer,
    configuration::ECOLE,
    document::Document,
    gateway::{Gateway, Idempotency},
    orders,
    setup::{Scope, Stage},
    trouble::{Outcome, Trouble},
};
use fees::Category;
use pages::{Complaint, Frame, billing};
use serve::{Page, form, html, see_other, typed};
use statements::STATEMENTS;
use visitor::{Visitor, new_student};
use words::Language;

pub(crate) use serve::serve;

const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");

/// The portal's backend.
pub(crate) struct Portal {
    gateway: Gateway,
    /// The office's ways in, one for each desk: people act through them.
    accounting: [Gateway; 2],
    /// For the test clock alone.
    ops: Gateway,
    /// Where this demonstration's bank gives its files.
    manage: String,
    /// `http://127.0.0.1:8000`.
    origin: String,
}

impl Portal {
    /// The school's portal, with keys of its own for the accounting office and the clock.
    pub(crate) fn new(stage: &Stage, gateway: Gateway) -> Outcome<Self> {
        Ok(Self {
            gateway,
            accounting: [stage.gateway_with(Scope::Accounting, ECOLE)?, stage.gateway_with(Scope::Accounting, ECOLE)?],
            ops: stage.gateway_with(Scope::Ops, ECOLE)?,
            manage: stage.sandbox.address("manage")?.trim_end_matches('/').to_owned(),
            origin: stage.portal_origin().to_owned(),
        })
    }

    /// Places a registration of a student nobody knows yet and hands out its payment link.
    pub(crate) async fn payment_link(&self) -> Outcome<String> {
        let student = new_student()?;
        let normal = Category::of("D1").ok_or_else(|| Trouble::of("there is no normal fee"))?;
        let order = self.gateway.place(&normal.order(&student, 1, None, Language::French)).await?;
        let billing = json!({"mode": "prefilled", "address_id": orders::HOME});
        let checkout =
            self.check_out(order.said("/id"), &billing, &Value::Null, Language::French).await?.json_if(201)?;
        let link = checkout.pointer("/redirect").and_then(Value::as_str).map(str::to_owned);
        link.ok_or_else(|| Trouble::of("the checkout has no payment link"))
    }

    async fn answer(&self, request: Request<Incoming>, visitor: &mut Visitor) -> Outcome<Page> {
        if request.method() == Method::POST && request.uri().path() == STATEMENTS {
            return self.bring(visitor, request).await;
        }
        let (parts, body) = request.into_parts();
        let here = parts.uri.path_and_query().map_or("/", |here| here.as_str()).to_owned();
        let query = parts.uri.query().unwrap_or_default();
        let path = parts.uri.path().to_owned();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (&parts.method, segments.as_slice()) {
            (&Method::GET, ["style.css"]) => Ok(typed(StatusCode::OK, "text/css; charset=utf-8", STYLE)),
            (&Method::GET, ["icon.svg"]) => Ok(typed(StatusCode::OK, "image/svg+xml", ICON)),
            (&Method::GET, [""]) => {
                let order = self.present_order(visitor).await?;
                Ok(html(StatusCode::OK, Frame { visitor, here: &here }.home(order.as_ref())))
            }
            (&Method::GET, ["modes-operatoires"]) => Ok(html(StatusCode::OK, Frame { visitor, here: &here }.guide())),
            (&Method::GET, ["langue", letters]) => Ok(speak(visitor, letters, query)),
            (&Method::POST, ["etudiant"]) => {
                visitor.student = new_student()?;
                Ok(see_other("/"))
            }
            (&Method::GET, ["dossier"]) => {
                let order = self.present_order(visitor).await?;
                Ok(html(StatusCode::OK, Frame { visitor, here: &here }.dossier(order.as_ref(), None)))
            }
            (&Method::POST, ["dossier"]) => self.choose(visitor, &form(body).await?).await,
            (&Method::GET, ["reglement"]) => match self.present_order(visitor).await? {
                Some(order) => Ok(see_other(&format!("/commandes/{}", order.said("/id")))),
                None => Ok(html(StatusCode::OK, Frame { visitor, here: &here }.no_order())),
            },
            (&Method::GET, ["commandes", id]) => self.recap(visitor, &here, id).await,
            (&Method::POST, ["commandes", id, "paiement"]) => self.pay(visitor, id, &form(body).await?).await,
            (&Method::GET, ["echelonnement"]) => self.plan_choice(visitor).await,
            (&Method::POST, ["echelonnement"]) => self.ask_for_plan(visitor, &form(body).await?).await,
            (&Method::POST, ["echelonnement", "retrait"]) => self.withdraw_plan(visitor).await,
            (&Method::GET, ["echeances"]) => self.present_schedule(visitor).await,
            (&Method::GET, ["commandes", id, "echeances"]) => self.schedule(visitor, &here, id).await,
            (&Method::POST, ["commandes", id, "echeances"]) => self.pay_first(visitor, id, &form(body).await?).await,
            (&Method::POST, ["commandes", id, "echeances", number]) => self.pay_instalment(visitor, id, number).await,
            (method, ["comptabilite", rest @ ..]) => match (method, rest) {
                (&Method::GET, []) => self.requests(visitor).await,
                (&Method::POST, ["nom"]) => Ok(Self::sign_in(visitor, &form(body).await?)),
                (&Method::POST, ["demandes", id, "accord"]) => self.approve(visitor, id, &form(body).await?).await,
                (&Method::POST, ["demandes", id, "refus"]) => self.refuse(visitor, id, &form(body).await?).await,
                (&Method::POST, ["impayes", id, number]) => {
                    self.debit_again(visitor, (id, number), &form(body).await?).await
                }
                (&Method::GET, ["prelevements"]) => self.debits(visitor, query).await,
                (&Method::POST, ["prelevements"]) => self.start_debits(visitor, &form(body).await?).await,
                (&Method::POST, ["prelevements", day, "reprise"]) => self.resume_debits(visitor, day).await,
                (&Method::GET, ["releves"]) => self.statements(visitor, query).await,
                (&Method::POST, ["releves", import, drift]) => self.settle_drift(visitor, (import, drift), body).await,
                (&Method::POST, ["horloge"]) => self.put_forward(visitor, &form(body).await?).await,
                (&Method::GET, ["commandes"]) => self.orders_list(visitor, query).await,
                (&Method::GET, ["commandes", id]) => self.order_at_office(visitor, id, None).await,
                (&Method::POST, ["commandes", id, what]) => self.correct(visitor, (id, what), &form(body).await?).await,
                (&Method::GET, ["quarantaine"]) => self.quarantine(visitor, None).await,
                (&Method::POST, ["quarantaine", id]) => self.give_verdict(visitor, id, &form(body).await?).await,
                (&Method::GET, ["remises"]) => self.remittances(visitor).await,
                (&Method::GET, ["remises", number]) => self.remittance(visitor, number).await,
                _ => Ok(unknown(visitor)),
            },
            // What the gateway tells: this portal asks the API instead, and only says that it heard.
            (&Method::POST, ["webhook"]) => Ok(typed(StatusCode::NO_CONTENT, "text/plain", "")),
            (&Method::GET, ["retour"]) => self.back(visitor, &here, query).await,
            (&Method::GET, ["position"]) => {
                let orders = self.orders(visitor).await?;
                let path = format!("/v1/payers/{}/position", visitor.student);
                let account = self.gateway.get(&path).await?.json_if(200)?;
                Ok(html(StatusCode::OK, Frame { visitor, here: &here }.position(&account, &orders)))
            }
            _ => Ok(unknown(visitor)),
        }
    }

    /// Entry 1: the category becomes an order, in the place of the one that is not paid yet.
    async fn choose(&self, visitor: &Visitor, form: &[(String, String)]) -> Outcome<Page> {
        let chosen = form.iter().find(|(name, _)| name == "categorie").and_then(|(_, code)| Category::of(code));
        let Some(category) = chosen else { return Ok(see_other("/dossier")) };
        let orders = self.orders(visitor).await?;
        let present = present(&orders);
        let is_open = present.is_some_and(|order| order.said("/status") == "open");
        if let Some(order) = present.filter(|order| order.said("/lines/0/code") == category.code) {
            return Ok(see_other(&format!("/commandes/{}", order.said("/id"))));
        }
        let replaced = present.filter(|_| is_open).map(|order| order.said("/id"));
        let order = category.order(&visitor.student, orders.len() + 1, replaced, visitor.language);
        let gateway = self.gateway.in_language(visitor.language.letters());
        let answer = gateway.post("/v1/orders", Idempotency::Fresh, &order.to_string()).await?;
        let document = answer.json()?;
        if answer.status == 201 {
            return Ok(see_other(&format!("/commandes/{}", document.said("/id"))));
        }
        let frame = Frame { visitor, here: "/dossier" };
        Ok(html(status_of(&answer), frame.dossier(present, Some(document.said("/detail")))))
    }

    async fn recap(&self, visitor: &mut Visitor, here: &str, id: &str) -> Outcome<Page> {
        let Some(order) = self.order(id).await? else { return Ok(unknown(visitor)) };
        become_payer(visitor, &order);
        if has_begun(&order) {
            return Ok(see_other(&plans::schedule_of(id)));
        }
        let frame = Frame { visitor, here };
        let is_free = order.number("/totals/including_vat/amount") == Some(0);
        Ok(html(
            StatusCode::OK,
            match order.said("/status") {
                "open" if !pages::is_confirming(&order) => frame.recap(&order, None, None),
                "settled" if is_free => frame.nothing_to_pay(&order),
                _ => frame.result(&order, None),
            },
        ))
    }

    async fn pay(&self, visitor: &mut Visitor, id: &str, form: &[(String, String)]) -> Outcome<Page> {
        let Some(order) = self.order(id).await? else { return Ok(unknown(visitor)) };
        become_payer(visitor, &order);
        let answer = self.check_out(id, &billing(&order, form), &Value::Null, visitor.language).await?;
        let document = answer.json()?;
        let here = format!("/commandes/{id}");
        match (answer.status, document.pointer("/redirect").and_then(Value::as_str)) {
            (201, Some(redirect)) => Ok(see_other(redirect)),
            // Settled, cancelled or being confirmed meanwhile: the order's own page says which.
            (409, _)
                if matches!(
                    document.said("/code"),
                    "order_settled" | "order_cancelled" | "confirmation_in_progress"
                ) =>
            {
                Ok(see_other(&here))
            }
            _ => {
                let mode = form.iter().find(|(name, _)| name == "mode").map_or("", |(_, mode)| mode.as_str());
                let complaint = Complaint::of(&document, mode);
                let frame = Frame { visitor, here: &here };
                Ok(html(status_of(&answer), frame.recap(&order, Some(form), Some(&complaint))))
            }
        }
    }

    /// What the browser brings names an order; what became of it, only the API says.
    async fn back(&self, visitor: &mut Visitor, here: &str, query: &str) -> Outcome<Page> {
        let Some(order) = self.order(&parameter(query, "order").unwrap_or_default()).await? else {
            return Ok(unknown(visitor));
        };
        become_payer(visitor, &order);
        let number = parameter(query, "checkout").and_then(|number| number.parse::<i64>().ok());
        let mut checkouts = order.items("/checkouts").iter();
        let checkout = checkouts.find(|checkout| checkout.number("/number") == number);
        Ok(html(StatusCode::OK, Frame { visitor, here }.result(&order, checkout)))
    }

    /// `way` says what is to be paid where that is not the whole order: more members of the request.
    async fn check_out(&self, order: &str, billing: &Value, way: &Value, language: Language) -> Outcome<Answer> {
        let return_url = format!("{}/retour", self.origin);
        let mut body = json!({"billing": billing, "return_url": return_url, "locale": language.letters()});
        if let (Some(members), Some(way)) = (body.as_object_mut(), way.as_object()) {
            members.extend(way.clone());
        }
        let gateway = self.gateway.in_language(language.letters());
        gateway.post(&format!("/v1/orders/{order}/checkout"), Idempotency::Fresh, &body.to_string()).await
    }

    async fn order(&self, id: &str) -> Outcome<Option<Value>> {
        if !accounting::is_order(id) {
            return Ok(None);
        }
        let answer = self.gateway.get(&format!("/v1/orders/{id}")).await?;
        if answer.status == 404 { Ok(None) } else { answer.json_if(200).map(Some) }
    }

    /// All that the student ever ordered, the oldest first.
    async fn orders(&self, visitor: &Visitor) -> Outcome<Vec<Value>> {
        self.gateway.orders(&format!("&payer={}", visitor.student)).await
    }

    async fn present_order(&self, visitor: &Visitor) -> Outcome<Option<Value>> {
        Ok(present(&self.orders(visitor).await?).cloned())
    }
}

/// The order that counts: the last one that was not taken back.
fn present(orders: &[Value]) -> Option<&Value> {
    orders.iter().rev().find(|order| order.said("/status") != "cancelled")
}

/// Whether the first instalment of a plan was paid, and the others are not.
fn has_begun(order: &Value) -> bool {
    order.said("/status") == "open"
        && matches!(order.said("/plan/status"), "active" | "past_due" | "paused" | "cancelled" | "defaulted")
}

/// Whoever knows an order's id is its student here.
fn become_payer(visitor: &mut Visitor, order: &Value) {
    order.said("/payer/reference").clone_into(&mut visitor.student);
}

/// The same page in another language. Only pages of this portal are led to.
fn speak(visitor: &mut Visitor, letters: &str, query: &str) -> Page {
    let Some(language) = Language::of(letters) else { return unknown(visitor) };
    visitor.language = language;
    let towards = parameter(query, "vers").filter(|towards| is_own_path(towards));
    see_other(towards.as_deref().unwrap_or("/"))
}

/// Whether browsers take it for a path here, and not for another host's address.
fn is_own_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn status_of(answer: &Answer) -> StatusCode {
    StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY)
}

fn unknown(visitor: &Visitor) -> Page {
    html(StatusCode::NOT_FOUND, Frame { visitor, here: "/" }.unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_changed_on_own_pages_only() {
        for (path, is_own) in [
            ("/", true),
            ("/retour?order=ord_1&checkout=2", true),
            ("//ailleurs.example", false),
            ("/\\ailleurs.example", false),
            ("https://ailleurs.example/", false),
            ("/a\nb", false),
            ("", false),
        ] {
            assert_eq!(is_own_path(path), is_own, "{path}");
        }
    }
}
