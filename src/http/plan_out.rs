//! Plans, instalments and the ways to pay, as portals and accounting read them.

use jiff::{civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::plan_words;
use crate::{
    app::{App, Versioned, explain, plans::plan_status},
    domain::{
        attempt::AttemptState,
        card::CardRefusal,
        checkout::Locale,
        money::Money,
        order::{Offer, Order, Status},
        plan::{CONSENT_VERSION, Plan, PlanState},
        schedule::Instalment,
        template::{Approver, Template},
    },
};

/// The plan of an order, or null.
pub(super) fn plan(app: &App, order: &Order) -> Value {
    let Some(plan) = order.plan() else { return Value::Null };
    let merchant = app.merchant(&order.merchant).ok();
    let template = merchant.and_then(|merchant| merchant.template(&plan.template));
    let (answered_at, reason) = answer(plan);
    let offered = app.offer(order);
    json!({
        "number": plan.number,
        "template": plan.template,
        "label": template.map(label),
        "status": plan_status(order),
        "amounts": plan.amounts,
        "terms": plan.terms,
        "time_zone": plan.time_zone,
        "requested_at": plan.requested_at,
        "requested_by": plan.requested_by,
        "answered_at": answered_at,
        "reason": reason,
        "offer": offered.map(|offered| offer(merchant.map_or("", |merchant| &merchant.name), &offered)),
        "card": plan.card().map(|card| json!({
            "types": card.facts.types,
            "last2": card.facts.last2,
            "expires": card.facts.end.map(String::from),
        })),
    })
}

/// The plan alone, as a document of its own.
pub(super) fn alone(app: &App, current: &Versioned) -> Option<Value> {
    let mut document = plan(app, &current.order);
    document.as_object_mut()?.insert("order".to_owned(), json!(current.order.id.to_string()));
    Some(document)
}

fn answer(plan: &Plan) -> (Value, Value) {
    match &plan.state {
        PlanState::Approved { at, .. } => (json!(at), Value::Null),
        PlanState::Refused { at, reason, .. } => (json!(at), json!(reason)),
        PlanState::Requested | PlanState::Withdrawn { .. } | PlanState::Active { .. } | PlanState::Ended { .. } => {
            (Value::Null, Value::Null)
        }
    }
}

fn offer(merchant: &str, offered: &Offer) -> Value {
    let Offer { schedule, hash } = offered;
    json!({
        "schedule": planned(schedule),
        "accepted_terms": hash,
        "later_total": plan_words::later_total(schedule),
        "text_version": CONSENT_VERSION,
        "text": {
            "fr": plan_words::consent(merchant, schedule, Locale::Fr),
            "en": plan_words::consent(merchant, schedule, Locale::En),
        },
    })
}

fn label(template: &Template) -> Value {
    json!({"fr": template.label_fr, "en": template.label_en})
}

/// What would be due and when.
pub(super) fn planned(schedule: &[Instalment]) -> Value {
    schedule.iter().map(|due| json!({"number": due.number, "due": due.due, "amount": due.amount})).collect()
}

/// What is due, and how each part stands.
pub(super) fn schedule(app: &App, order: &Order) -> Value {
    // A merchant that is configured no more has no calendar.
    let today = app.today(order).unwrap_or_else(|| app.now().to_zoned(TimeZone::UTC).date());
    order.schedule.iter().map(|due| instalment(order, due, today)).collect()
}

fn instalment(order: &Order, due: &Instalment, today: Date) -> Value {
    let remaining = if !due.is_owed() { Money::zero(due.amount.currency()) } else { due.amount };
    let last_refusal = due.debits.iter().rev().find_map(|debit| match &debit.attempt.state {
        AttemptState::Refused { code, .. } => Some(json!({"code": code, "explanation": meaning(code), "on": debit.on})),
        AttemptState::Ready { .. }
        | AttemptState::Sent(_)
        | AttemptState::InDoubt(_)
        | AttemptState::Accepted { .. }
        | AttemptState::NotExecuted
        | AttemptState::Quarantined { .. } => None,
    });
    json!({
        "number": due.number,
        "due": due.due,
        "amount": due.amount,
        "status": due.status(today),
        "remaining": remaining,
        "next_attempt_on": next_attempt_on(order, due),
        "attempts": due.debits.len(),
        "last_refusal": last_refusal,
    })
}

/// From which day on a run takes an instalment up, when one will.
pub(super) fn next_attempt_on(order: &Order, due: &Instalment) -> Option<Date> {
    let is_debited = order.plan().is_some_and(|plan| plan.card().is_some() && !plan.is_paused());
    let waits = due.is_owed() && !due.is_being_debited() && !due.is_quarantined();
    due.next_on.filter(|_| is_debited && waits && order.status == Status::Open)
}

/// In which ways an order may be paid now.
pub(super) fn ways_to_pay(app: &App, order: &Order) -> Value {
    if order.status != Status::Open {
        return json!([]);
    }
    let has_begun =
        order.plan().is_some_and(|plan| matches!(plan.state, PlanState::Active { .. } | PlanState::Ended { .. }));
    if has_begun {
        let payable = |due: &&Instalment| due.is_owed() && !due.is_being_debited() && !due.is_quarantined();
        let way = |due: &Instalment| json!({"kind": "instalment", "instalment": due.number, "amount": due.amount});
        return order.schedule.iter().filter(payable).map(way).collect();
    }
    let once = json!({"kind": "once", "schedule": schedule(app, order)});
    let choices = app.choices(order);
    let choices = choices.iter().map(|(template, schedule)| {
        json!({
            "kind": "plan",
            "template": template.code,
            "label": label(template),
            "schedule": planned(schedule),
            "needs_approval": template.approver == Approver::Accounting,
        })
    });
    let approved = order.plan().filter(|plan| plan.is_approved());
    let begin = approved.and_then(|plan| Some((plan, app.offer(order)?))).map(|(plan, offered)| {
        json!({
            "kind": "first_instalment",
            "template": plan.template,
            "schedule": planned(&offered.schedule),
            "accepted_terms": offered.hash,
        })
    });
    std::iter::once(once).chain(choices).chain(begin).collect()
}

/// Why a plan did not take the card of a page.
pub(super) fn card_refused(why: &CardRefusal) -> Value {
    let words = |locale| plan_words::why_card_refused(why, locale);
    json!({"why": why.name(), "explanation": {"fr": words(Locale::Fr), "en": words(Locale::En)}})
}

/// What a code of the bank means, in both languages.
pub(super) fn meaning(code: &str) -> Value {
    json!({"fr": explain(code, Locale::Fr), "en": explain(code, Locale::En)})
}
