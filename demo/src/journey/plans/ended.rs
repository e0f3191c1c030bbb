//! Plans that end before their last debit: cancelled, paid at once, paid elsewhere, written off, given up.

use serde_json::json;

use super::walk::{Plans, instalment};
use crate::{cards, check, orders::written, trouble::Outcome};

/// Three of five are paid; nothing more is owed, what was paid stays, and the bank forgets the card.
pub(super) async fn cancelled(plans: &Plans<'_>) -> Outcome<String> {
    let role = "3770 in 5";
    let order = plans.order(role)?;
    let before = plans.account(role, None).await?;
    let body = json!({"reason": "départ en cours de formation"});
    let ended = plans.staff_for(role).correct(&order.id, "plan/cancel-rest", &body).await?;
    check::equal("the order", check::text(&ended, "/status")?, "settled")?;
    let sums = ["owed", "paid", "remaining", "refunded"].map(|name| check::number(&ended, &format!("/{name}/amount")));
    let [owed, paid, remaining, refunded] = sums;
    check::equal("owed, paid, remaining, refunded", (owed?, paid?, remaining?, refunded?), (226_200, 226_200, 0, 0))?;
    let ledger = plans.journey.bank().ledger(&order.prefix).await?;
    check::equal("kept at the bank", check::number(&ledger, "/totals/net")?, 226_200)?;
    plans.cards_kept(role, 0).await?;
    let after = plans.account(role, None).await?;
    check::equal("positions", (before.position, after.position), (-150_800, 0))?;
    Ok(format!("2262.00 paid stay, {} never debited, the bank has forgotten the card", written(150_800)))
}

/// What is left of a plan is paid by card in one go, and the plan is over.
pub(super) async fn early(plans: &Plans<'_>) -> Outcome<String> {
    let (role, portal) = ("1000.03 in 5", &plans.journey.ecole);
    let order = plans.order(role)?;
    let document = plans.check_out(portal, order, &json!({"pays": "rest"})).await?.json_if(201)?;
    let page = plans.to_card_page(&plans.handed(order, document)?, 40_000).await?;
    plans.journey.pay(&page, cards::FRICTIONLESS).await?;
    let is_settled = |order: &serde_json::Value| order.pointer("/status") == Some(&json!("settled"));
    let settled = plans.until(role, "all is paid", is_settled).await?;
    check::equal("the plan", check::text(&settled, "/plan/status")?, "completed")?;
    check::equal("paid", check::number(&settled, "/paid/amount")?, 100_003)?;
    let ledger = plans.journey.bank().ledger(&order.prefix).await?;
    check::equal("kept at the bank", check::number(&ledger, "/totals/net")?, 100_003)?;
    plans.cards_kept(role, 0).await?;
    Ok("600.03 by instalments, 400.00 at once; completed, the bank has forgotten the card".to_owned())
}

/// A cheque for the second instalment, nothing for the third; and a plan whose payer does not pay any more.
pub(super) async fn without_the_bank(plans: &Plans<'_>) -> Outcome<String> {
    let (order, staff) = (plans.order("elsewhere")?, plans.staff_for("elsewhere"));
    let on = plans.calendar()?.tenth(2)?.to_string();
    let cheque = json!({"on": on, "reference": "CHQ 0012345", "reason": "remis au guichet"});
    let paid = staff.correct(&order.id, "instalments/2/paid-elsewhere", &cheque).await?;
    check::equal("paid elsewhere", check::number(&paid, "/paid_elsewhere/amount")?, 8_999)?;
    let over = staff.correct(&order.id, "instalments/3/write-off", &json!({"reason": "irrécouvrable"})).await?;
    check::equal("the order", check::text(&over, "/status")?, "settled")?;
    let third = instalment(&over, 3).map(|due| check::text(due, "/status")).transpose()?;
    check::equal("the last instalment", third, Some("written_off"))?;
    let account = plans.account("elsewhere", None).await?;
    check::equal("position", account.position, 0)?;
    let ledger = plans.journey.bank().ledger(&order.prefix).await?;
    check::equal("kept at the bank", check::number(&ledger, "/totals/net")?, 8_999)?;
    let given_up = plans.order("given up")?;
    let ended = staff.correct(&given_up.id, "plan/default", &json!({})).await?;
    check::equal("the plan", check::text(&ended, "/plan/status")?, "defaulted")?;
    check::equal("it is still owed", check::number(&ended, "/remaining/amount")?, 18_001)?;
    for role in ["elsewhere", "given up"] {
        plans.cards_kept(role, 0).await?;
    }
    Ok(format!("89.99 by cheque, 90.02 written off: \"{}\"; given up: 180.01 owed", account.proof))
}
