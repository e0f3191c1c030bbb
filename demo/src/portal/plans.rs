//! Entries 2b and 3: asking for instalments, and paying them.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    Portal, become_payer,
    pages::{Complaint, Frame, billing, pay_so},
    present,
    serve::{Page, html, see_other},
    status_of, unknown,
    visitor::Visitor,
};
use crate::{
    document::Document,
    gateway::{Gateway, Idempotency},
    trouble::Outcome,
};

/// Where entry 2b is.
pub(super) const CHOICE: &str = "/echelonnement";

/// Where an order's schedule is.
pub(super) fn schedule_of(order: &str) -> String {
    format!("/commandes/{order}/echeances")
}

impl Portal {
    /// Entry 2b: what may be asked for, and how the request stands.
    pub(super) async fn plan_choice(&self, visitor: &Visitor) -> Outcome<Page> {
        let frame = Frame { visitor, here: CHOICE };
        let page = match self.present_order(visitor).await? {
            Some(order) => frame.plan_choice(&order, None),
            None => frame.no_order(),
        };
        Ok(html(StatusCode::OK, page))
    }

    /// Asks for instalments, or changes what was asked for.
    pub(super) async fn ask_for_plan(&self, visitor: &Visitor, form: &[(String, String)]) -> Outcome<Page> {
        let Some((_, template)) = form.iter().find(|(name, _)| name == "formule") else {
            return Ok(see_other(CHOICE));
        };
        let body = json!({"template": template}).to_string();
        self.change_plan(visitor, async |gateway, path| gateway.post(path, Idempotency::Fresh, &body).await).await
    }

    /// Takes the request back.
    pub(super) async fn withdraw_plan(&self, visitor: &Visitor) -> Outcome<Page> {
        self.change_plan(visitor, async |gateway, path| gateway.delete(path).await).await
    }

    async fn change_plan<F>(&self, visitor: &Visitor, change: F) -> Outcome<Page>
    where
        F: AsyncFnOnce(&Gateway, &str) -> Outcome<crate::client::Answer>,
    {
        let orders = self.orders(visitor).await?;
        let Some(order) = present(&orders) else { return Ok(see_other(CHOICE)) };
        let gateway = self.gateway.in_language(visitor.language.letters());
        let answer = change(&gateway, &format!("/v1/orders/{}/plan", order.said("/id"))).await?;
        if answer.status < 300 {
            return Ok(see_other(CHOICE));
        }
        let problem = answer.json()?;
        let frame = Frame { visitor, here: CHOICE };
        Ok(html(status_of(&answer), frame.plan_choice(order, Some(problem.said("/detail")))))
    }

    /// Entry 3 of the student's present order.
    pub(super) async fn present_schedule(&self, visitor: &Visitor) -> Outcome<Page> {
        Ok(match self.present_order(visitor).await? {
            Some(order) => see_other(&schedule_of(order.said("/id"))),
            None => see_other(CHOICE),
        })
    }

    /// Entry 3: what is due and when, and the way to pay it. Before accounting has approved there is none.
    pub(super) async fn schedule(&self, visitor: &mut Visitor, here: &str, id: &str) -> Outcome<Page> {
        let Some(order) = self.order(id).await? else { return Ok(unknown(visitor)) };
        become_payer(visitor, &order);
        let frame = Frame { visitor, here };
        Ok(match order.said("/plan/status") {
            "approved" if order.said("/status") == "open" => html(StatusCode::OK, frame.offer(&order, None, None)),
            "active" | "past_due" | "paused" | "completed" | "cancelled" | "defaulted" => {
                html(StatusCode::OK, frame.schedule(&order, None))
            }
            _ => see_other(CHOICE),
        })
    }

    /// The payer accepts the schedule and goes to pay its first instalment.
    pub(super) async fn pay_first(&self, visitor: &mut Visitor, id: &str, form: &[(String, String)]) -> Outcome<Page> {
        let Some(order) = self.order(id).await? else { return Ok(unknown(visitor)) };
        become_payer(visitor, &order);
        let here = schedule_of(id);
        let frame = Frame { visitor, here: &here };
        let Some((_, accepted)) = form.iter().find(|(name, _)| name == "accord") else {
            let complaint = frame.no_consent();
            let page = frame.offer(&order, Some(form), Some(&complaint));
            return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, page));
        };
        let way = json!({"accepted_terms": accepted});
        let answer = self.check_out(id, &billing(&order, form), &way, visitor.language).await?;
        let document = answer.json()?;
        if let (201, Some(redirect)) = (answer.status, document.pointer("/redirect").and_then(Value::as_str)) {
            return Ok(see_other(redirect));
        }
        let mode = form.iter().find(|(name, _)| name == "mode").map_or("", |(_, mode)| mode.as_str());
        let complaint = Complaint::of(&document, mode);
        // What has changed meanwhile is what the page is to show.
        match self.order(id).await? {
            Some(order) if order.said("/plan/status") == "approved" => {
                Ok(html(status_of(&answer), frame.offer(&order, Some(form), Some(&complaint))))
            }
            Some(order) if order.pointer("/plan").is_some_and(Value::is_object) => {
                Ok(html(status_of(&answer), frame.schedule(&order, Some(document.said("/detail")))))
            }
            _ => Ok(see_other(CHOICE)),
        }
    }

    /// The payer pays one instalment of a plan that is under way.
    pub(super) async fn pay_instalment(&self, visitor: &mut Visitor, id: &str, number: &str) -> Outcome<Page> {
        let Some(order) = self.order(id).await? else { return Ok(unknown(visitor)) };
        become_payer(visitor, &order);
        let Ok(number) = number.parse::<u32>() else { return Ok(unknown(visitor)) };
        let way = json!({"instalment": number});
        let answer = self.check_out(id, &pay_so(&order), &way, visitor.language).await?;
        let document = answer.json()?;
        if let (201, Some(redirect)) = (answer.status, document.pointer("/redirect").and_then(Value::as_str)) {
            return Ok(see_other(redirect));
        }
        let Some(order) = self.order(id).await? else { return Ok(unknown(visitor)) };
        let frame = Frame { visitor, here: &schedule_of(id) };
        Ok(html(status_of(&answer), frame.schedule(&order, Some(document.said("/detail")))))
    }
}
