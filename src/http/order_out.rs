//! Orders as portals read them.

use serde_json::{Value, json};

use super::{
    correction_out,
    plan_out::{self, meaning},
};
use crate::{
    app::{App, Rendered, Versioned, event_document, plans::card_refusal},
    domain::{
        checkout::{Billing, Checkout},
        line::{Line, Totals},
        money::Money,
        order::{Order, Status},
        payer::Payer,
    },
};

/// The document of an order.
pub(super) fn order(app: &App, current: &Versioned) -> Value {
    let Versioned { order, version } = current;
    let (status, replaced_by) = match order.status {
        Status::Open => ("open", None),
        Status::Settled { .. } => ("settled", None),
        Status::Cancelled { replaced_by, .. } => ("cancelled", replaced_by),
    };
    let mut document = json!({
        "id": order.id.to_string(),
        "merchant": order.merchant,
        "reference": order.reference,
        "version": version,
        "status": status,
        "placed_at": order.placed_at,
        "locale": order.locale,
        "challenge": order.challenge,
        "replaces": order.replaces,
        "replaced_by": replaced_by,
        "payer": payer(&order.payer),
        "lines": order.lines.iter().map(line).collect::<Value>(),
        "totals": totals(order.totals),
        "paid": order.paid(),
        "remaining": remaining(order),
        "surplus": order.surplus(),
        "schedule": plan_out::schedule(app, order),
        "ways_to_pay": plan_out::ways_to_pay(app, order),
        "plan": plan_out::plan(app, order),
        "checkouts": order.checkouts.iter().map(|each| checkout(order, each)).collect::<Value>(),
        "ledger": order.ledger.iter().map(event_document::entry).collect::<Value>(),
        "give_backs": order.give_backs.iter().map(|give_back| json!({
            "number": give_back.number,
            "operation": give_back.operation.number.to_string(),
            "amount": give_back.amount,
            "status": give_back.status(),
            "refund": give_back.refund,
        })).collect::<Value>(),
    });
    if let Some(members) = document.as_object_mut() {
        members.extend(correction_out::members(order));
    }
    document
}

/// What of its schedule nobody has paid, and is not waived.
fn remaining(order: &Order) -> Money {
    let zero = Money::zero(order.totals.including_vat.currency());
    let owed = order.schedule.iter().filter(|due| due.is_owed());
    owed.fold(zero, |sum, due| sum.plus(due.amount).unwrap_or(sum))
}

/// An order as an answer.
pub(super) fn rendered(app: &App, current: &Versioned, status: u16) -> Rendered {
    Rendered { status, body: order(app, current).to_string(), version: Some(current.version) }
}

fn payer(payer: &Payer) -> Value {
    let addresses = payer.addresses.iter().map(|known| {
        let mut document = json!(known.address);
        if let Some(members) = document.as_object_mut() {
            members.insert("id".to_owned(), json!(known.id));
        }
        document
    });
    json!({
        "reference": payer.reference,
        "email": payer.email,
        "first_name": payer.first_name,
        "last_name": payer.last_name,
        "addresses": addresses.collect::<Value>(),
    })
}

fn line(line: &Line) -> Value {
    json!({
        "code": line.code,
        "label": line.label,
        "beneficiary": line.beneficiary,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "discount_percent": line.discount_percent,
        "vat_rate": line.vat_rate,
        "totals": line.totals().ok().map(totals),
    })
}

fn totals(totals: Totals) -> Value {
    json!({
        "excluding_vat": totals.excluding_vat,
        "vat": totals.vat,
        "including_vat": totals.including_vat,
    })
}

/// The document of a checkout.
pub(super) fn checkout(order: &Order, checkout: &Checkout) -> Value {
    json!({
        "number": checkout.number,
        "status": order.checkout_status(checkout),
        "reference": checkout.reference,
        "instalment": checkout.instalment,
        "pays": checkout.pays(),
        "amount": checkout.amount,
        "billing": billing_mode(&checkout.billing),
        "issued_at": checkout.issued_at,
        "form_until": checkout.form_until,
        "expires_at": checkout.expires_at,
        "begins_plan": checkout.begins.is_some(),
        "last_failure": checkout.last_failure().map(|code| json!({"code": code, "explanation": meaning(code)})),
        "card_refused": card_refusal(order, |page| page.number == checkout.number).map(plan_out::card_refused),
    })
}

pub(super) fn billing_mode(billing: &Billing) -> &'static str {
    match billing {
        Billing::Address { .. } => "address",
        Billing::Omitted => "omitted",
        Billing::Placeholder => "placeholder",
    }
}
