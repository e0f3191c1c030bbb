//! Money given back because accounting wants it: in parts, once, and never more than came in.

use serde_json::{Value, json};

use super::walk::{Plans, refused};
use crate::{
    cards, check,
    document::Document,
    gateway::Gateway,
    journey::{
        losses::{misbehave, struck},
        walk::{Placed, SOON, entries},
    },
    orders::{FEE, eur},
    trouble::Outcome,
};

/// 1 000,00 of 3 770,00, then the rest, which two people ask for at once; then one more cent.
pub(super) async fn in_parts(plans: &Plans<'_>) -> Outcome<String> {
    let (journey, staff) = (plans.journey, &plans.office.ecole);
    let (order, operation) = paid(plans).await?;
    staff.correct(&order.id, "refunds", &of(100_000)).await?;
    let document = refunded(&journey.ecole, &order).await?;
    check::equal("refunded", check::number(&document, "/refunded/amount")?, 100_000)?;
    check::equal("given back at the bank", given_back(plans, &order, &operation).await?, 100_000)?;
    let rest = of(FEE - 100_000);
    let (one, other) =
        tokio::join!(staff.try_correct(&order.id, "refunds", &rest), staff.try_correct(&order.id, "refunds", &rest));
    let (one, other) = (one?, other?);
    let (taken, left) = if one.status == 200 { (one, other) } else { (other, one) };
    taken.json_if(200)?;
    let twice = refused(&left, 409, "not_that_much")?;
    let document = refunded(&journey.ecole, &order).await?;
    check::equal("refunded", check::number(&document, "/refunded/amount")?, FEE)?;
    check::equal("given back at the bank", given_back(plans, &order, &operation).await?, FEE)?;
    let backs = entries(&document, "refund")?.len();
    check::equal("refunds in the ledger", backs, 2)?;
    let third = refused(&staff.try_correct(&order.id, "refunds", &of(1)).await?, 409, "not_that_much")?;
    let calls = journey.bank().calls(&order.prefix, "00014").await?;
    check::equal("refunds sent", calls, 2)?;
    Ok(format!("1000.00, then 2770.00 asked twice at once (one {twice}), then 0.01: {third}; {calls} sent"))
}

/// The bank carries it out and its answer is lost: it is asked about under its own reference, and not sent again.
pub(super) async fn lost_answer(plans: &Plans<'_>) -> Outcome<String> {
    let (journey, staff) = (plans.journey, &plans.office.ecole);
    let (order, operation) = paid(plans).await?;
    let asked_before = journey.bank().calls(&order.prefix, "00011").await?;
    let fault = json!({"target": "direct", "type": "00014", "action": "drop_after_commit"});
    misbehave(journey, &order.prefix, fault).await?;
    // The first question about it fails too, so that the doubt lasts long enough to be seen.
    let silence = json!({"target": "direct", "type": "00011", "action": "drop_before_commit"});
    misbehave(journey, &order.prefix, silence).await?;
    staff.correct(&order.id, "refunds", &of(50_000)).await?;
    let in_doubt = |order: &Value| order.said("/refunds/0/parts/0/status") == "in_doubt";
    journey.ecole.until(&order.id, "the refund is in doubt", SOON, in_doubt).await?;
    let document = refunded(&journey.ecole, &order).await?;
    struck(journey, &order.prefix, 2).await?;
    let sent = journey.bank().calls(&order.prefix, "00014").await?;
    check::equal("refunds sent", sent, 1)?;
    let asked = journey.bank().calls(&order.prefix, "00011").await? - asked_before;
    check::holds("it was asked about", asked > 1, asked)?;
    check::equal("given back at the bank", given_back(plans, &order, &operation).await?, 50_000)?;
    check::equal("refunds in the ledger", entries(&document, "refund")?.len(), 1)?;
    Ok(format!("00014 sent {sent} time, answer lost, in doubt, found by asking; 500.00 given back once"))
}

/// With a plan that runs it has to be said what becomes of the rest.
pub(super) async fn with_the_rest(plans: &Plans<'_>) -> Outcome<String> {
    let (order, staff) = (plans.order("returned")?, plans.staff_for("returned"));
    let mut refund = of(8_999);
    let unsaid = refused(&staff.try_correct(&order.id, "refunds", &refund).await?, 422, "rest_not_said")?;
    if let Some(members) = refund.as_object_mut() {
        members.insert("rest".to_owned(), json!("cancel"));
    }
    let ended = staff.correct(&order.id, "refunds", &refund).await?;
    check::equal("owed", check::number(&ended, "/owed/amount")?, 0)?;
    check::equal("the order", check::text(&ended, "/status")?, "settled")?;
    refunded(plans.portal_of("returned"), order).await?;
    let ledger = plans.journey.bank().ledger(&order.prefix).await?;
    check::equal("kept at the bank", check::number(&ledger, "/totals/net")?, 0)?;
    plans.cards_kept("returned", 0).await?;
    let account = plans.account("returned", None).await?;
    check::equal("position", account.position, 0)?;
    Ok(format!("{unsaid}; with cancel: 89.99 given back, nothing owed: \"{}\"", account.proof))
}

fn of(cents: i64) -> Value {
    json!({"amount": eur(cents), "against": "credit_note", "reason": "désistement"})
}

/// An order of 3 770,00 that was paid at once, and by which operation.
async fn paid(plans: &Plans<'_>) -> Outcome<(Placed, String)> {
    let (journey, portal) = (plans.journey, &plans.journey.ecole);
    let order = journey.register(portal).await?;
    journey.pay_at_once(portal, &order, cards::ORDINARY).await?;
    let settled = journey.settled(portal, &order).await?;
    Ok((order, settled.operation))
}

/// Waits until every refund of the order is done.
async fn refunded(portal: &Gateway, order: &Placed) -> Outcome<Value> {
    let are_done = |order: &Value| {
        let mut parts = order.items("/refunds").iter().flat_map(|refund| refund.items("/parts"));
        parts.all(|part| part.said("/status") == "done")
    };
    Ok(portal.until(&order.id, "the refund is done", 2 * SOON, are_done).await?.0)
}

/// What the bank gave back of one operation.
async fn given_back(plans: &Plans<'_>, order: &Placed, operation: &str) -> Outcome<i64> {
    let ledger = plans.journey.bank().ledger(&order.prefix).await?;
    let operations = check::list(&ledger, "/operations")?.iter();
    let found: Vec<&Value> = operations.filter(|known| known.written("/numtrans") == operation).collect();
    check::number(check::only("operations of this number", &found)?, "/refunded")
}
