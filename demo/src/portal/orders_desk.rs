//! The office's view of single orders: what became of one, and what may be corrected in it.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    Portal,
    accounting::{OFFICE, Refused, field, is_order, refused},
    pages::Frame,
    parameter,
    serve::{Page, html, see_other},
    unknown,
    visitor::Visitor,
    words::typed_cents,
};
use crate::{document::Document, gateway::Idempotency, orders::eur, random, trouble::Outcome};

const ORDERS: &str = "/comptabilite/commandes";

impl Portal {
    /// The orders whose reference or student holds what was typed, the latest first.
    pub(super) async fn orders_list(&self, visitor: &Visitor, query: &str) -> Outcome<Page> {
        let frame = Frame { visitor, here: ORDERS };
        if visitor.clerk.is_empty() {
            return Ok(html(StatusCode::OK, frame.who_is_there()));
        }
        let typed = parameter(query, "recherche").unwrap_or_default();
        let wanted = typed.trim().to_lowercase();
        // Accounting's keys read single orders; which there are, the portal's own key lists.
        let mut orders = self.gateway.orders("").await?;
        orders.retain(|order| {
            let told = ["/reference", "/payer/reference", "/payer/last_name"].map(|place| order.said(place));
            told.iter().any(|text| text.to_lowercase().contains(&wanted))
        });
        orders.reverse();
        Ok(html(StatusCode::OK, frame.office_orders(&orders, &typed)))
    }

    pub(super) async fn order_at_office(&self, visitor: &Visitor, id: &str, why: Option<&Refused>) -> Outcome<Page> {
        let here = format!("{ORDERS}/{id}");
        let frame = Frame { visitor, here: &here };
        if !is_order(id) {
            return Ok(unknown(visitor));
        }
        if visitor.clerk.is_empty() {
            return Ok(html(StatusCode::OK, frame.who_is_there()));
        }
        let answer = self.office_of(visitor).get(&format!("/v1/orders/{id}")).await?;
        if answer.status == 404 {
            return Ok(unknown(visitor));
        }
        let order = answer.json_if(200)?;
        let status = why.map_or(StatusCode::OK, |refused| refused.status);
        // Whoever presses a button twice has it done once.
        let once = random::hex(12)?;
        Ok(html(status, frame.office_order(&order, &once, why.map(|refused| refused.why.as_str()))))
    }

    /// Does one of the corrections that the order's page offers.
    pub(super) async fn correct(
        &self,
        visitor: &Visitor,
        (id, what): (&str, &str),
        form: &[(String, String)],
    ) -> Outcome<Page> {
        if visitor.clerk.is_empty() || !is_order(id) {
            return Ok(see_other(OFFICE));
        }
        let reason = field(form, "motif");
        let (path, body) = match what {
            "suspension" => ("plan/pause", json!({})),
            "reprise" => ("plan/resume", json!({})),
            "annulation" => ("plan/cancel-rest", json!({"reason": reason})),
            "contestation" => ("chargebacks", json!({"operation": field(form, "operation"), "reason": reason})),
            "avoir" | "remboursement" => {
                let Some(cents) = typed_cents(&field(form, "montant")) else {
                    let why = Frame { visitor, here: ORDERS }.no_amount();
                    let refused = Refused { status: StatusCode::UNPROCESSABLE_ENTITY, why };
                    return self.order_at_office(visitor, id, Some(&refused)).await;
                };
                if what == "avoir" {
                    ("credit-notes", json!({"amount": eur(cents), "reason": reason}))
                } else {
                    ("refunds", refund(cents, &reason, form))
                }
            }
            _ => return Ok(unknown(visitor)),
        };
        let once = format!("{}-{what}", field(form, "cle"));
        let path = format!("/v1/orders/{id}/{path}");
        let answer = self.office_of(visitor).post(&path, Idempotency::Key(&once), &body.to_string()).await?;
        if answer.status == 200 {
            return Ok(see_other(&format!("{ORDERS}/{id}")));
        }
        self.order_at_office(visitor, id, Some(&refused(&answer)?)).await
    }
}

fn refund(cents: i64, reason: &str, form: &[(String, String)]) -> Value {
    let mut refund = json!({"amount": eur(cents), "against": field(form, "contre"), "reason": reason});
    let rest = field(form, "suite");
    if let (false, Some(members)) = (rest.is_empty(), refund.as_object_mut()) {
        members.insert("rest".to_owned(), json!(rest));
    }
    refund
}
