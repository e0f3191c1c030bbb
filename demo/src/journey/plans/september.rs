//! 10 September: the debits that are left after all corrections, one that its payer's bank takes back, and the day after.

use serde_json::{Value, json};

use super::{
    account::signed,
    walk::{Plans, instalment},
};
use crate::{
    cards, check,
    document::Document,
    journey::{TakenBack, walk::entries},
    trouble::{Outcome, Trouble},
};

/// What is debited: the plan, its instalment, the amount after all corrections.
const DUE: [(&str, i64, i64); 3] = [("1300 in 5", 4, 19_999), ("credited", 2, 15_069), ("contested", 2, 8_999)];
/// What would have been due, and is not any more: the plan and its instalment.
const SPARED: [(&str, i64); 6] =
    [("3770 in 5", 4), ("1000.03 in 5", 4), ("elsewhere", 2), ("given up", 2), ("returned", 2), ("paused", 2)];

/// The run finds what is left, debits the new amounts on the new card, and nothing of what was ended.
pub(super) async fn run(plans: &Plans<'_>) -> Outcome<String> {
    let (day, staff) = (plans.calendar()?.tenth(3)?, &plans.office.ecole);
    plans.office.put_forward(&plans.calendar()?.morning_of(day)?).await?;
    let items = staff.preview(day).await?;
    let left_out: Vec<(&str, &str)> = items
        .iter()
        .filter(|item| !item.said("/left_out").is_empty())
        .map(|item| (item.said("/order"), item.said("/left_out")))
        .collect();
    check::equal("left out", left_out, vec![(plans.order("paused")?.id.as_str(), "paused")])?;
    check::equal("to debit, and left out", items.len(), DUE.len() + 1)?;
    staff.start_run(day).await?.json_if(202)?;
    let run = staff.run_done(day).await?;
    for (role, number, cents) in DUE {
        plans.instalment_is(role, number, "paid").await?;
        plans.taken_once(role, number, cents).await?;
    }
    for (role, number) in SPARED {
        check::equal(&format!("debits sent of {role:?}"), plans.debits_sent(role, number).await?, 0)?;
    }
    let total: i64 = DUE.iter().map(|(_, _, cents)| cents).sum();
    let seen = (check::number(&run, "/counts/paid")?, check::number(&run, "/counts/total")?);
    check::equal("paid and all debits of the run", seen, (3, 3))?;
    check::equal("their sum", check::number(&run, "/sums/paid/amount")?, total)?;
    let prefix = format!("{}4-d", plans.order("1300 in 5")?.prefix);
    let debits = plans.journey.bank().captures(&prefix).await?;
    let debits: Vec<&Value> = debits.iter().collect();
    let debit = check::only("debits of the new card", &debits)?;
    let kept = plans.cards_kept("1300 in 5", 1).await?;
    check::equal("debited under the new name", Some(debit.said("/refabonne")), kept.first().map(String::as_str))?;
    let last2 = cards::CHALLENGED.number.get(14..).unwrap_or_default();
    check::equal("the card that was debited", debit.said("/card_last2"), last2)?;
    let credited = plans.now_of("credited").await?;
    check::equal("the credited plan", check::text(&credited, "/plan/status")?, "completed")?;
    plans.cards_kept("credited", 0).await?;
    Ok(format!(
        "199.99 on the new card **{last2}, 150.69 as credited, 89.99; paused left out; {} ended, 0 sent",
        SPARED.len() - 1
    ))
}

/// The payer's bank takes a debit back: its instalment is past due again, the order blocked until it is paid by link.
pub(super) async fn chargeback(plans: &mut Plans<'_>) -> Outcome<String> {
    let (role, staff) = ("contested", plans.staff_for("contested"));
    let order = plans.order(role)?;
    let before = plans.account(role, None).await?;
    let document = plans.now_of(role).await?;
    let captures = entries(&document, "capture")?;
    let debit = captures.iter().find(|entry| entry.number("/instalment") == Some(2));
    let debit = debit.ok_or_else(|| Trouble::of(format!("no debit of instalment 2 in {document}")))?;
    let operation = check::text(debit, "/operation")?.to_owned();
    let body = json!({"operation": operation, "reason": "contestation du porteur, relevé du 10"});
    let blocked = staff.correct(&order.id, "chargebacks", &body).await?;
    let due = instalment(&blocked, 2).map(|due| due.said("/status"));
    check::equal("its instalment", due, Some("arrears"))?;
    let state = (blocked.pointer("/blocked"), blocked.said("/plan/status"), blocked.number("/paid/amount"));
    check::equal("blocked, plan, paid", state, (Some(&json!(true)), "past_due", Some(8_999)))?;
    let twice = super::walk::refused(&staff.try_correct(&order.id, "chargebacks", &body).await?, 409, "not_that_much")?;
    let during = plans.account(role, None).await?;
    check::equal("the account", (during.position, during.blocked), (before.position - 8_999, true))?;
    let told = (plans.told(role, "order.chargeback").await?.len(), plans.told(role, "order.blocked").await?.len());
    check::equal("portals are told", told, (1, 1))?;
    let again = plans.pay_by_link(role, 2, 8_999).await?;
    let state = (again.pointer("/blocked"), again.said("/plan/status"));
    check::equal("blocked, plan", state, (Some(&json!(false)), "active"))?;
    check::equal("portals are told", plans.told(role, "order.unblocked").await?.len(), 1)?;
    let after = plans.account(role, None).await?;
    check::equal("the account", (after.position, after.blocked), (before.position, false))?;
    let seen = format!(
        "{} → {} blocked, once more: {twice}; paid by link → {} unblocked: \"{}\"",
        signed(before.position),
        signed(during.position),
        signed(after.position),
        after.proof
    );
    let taken_back = TakenBack { order: order.id.clone(), operation, cents: 8_999 };
    plans.taken_back.push(taken_back);
    Ok(seen)
}

/// The plan that was paused goes on: its second instalment is debited by the next run, its third waits for its new date.
pub(super) async fn resumed(plans: &Plans<'_>) -> Outcome<String> {
    let (role, staff) = ("paused", plans.staff_for("paused"));
    let order = plans.order(role)?;
    let resumed = staff.correct(&order.id, "plan/resume", &json!({})).await?;
    check::equal("the plan", check::text(&resumed, "/plan/status")?, "active")?;
    let day = plans.calendar()?.tenth(3)?.tomorrow()?;
    staff.start_run(day).await?.json_if(202)?;
    let run = staff.run_done(day).await?;
    check::equal("debits of the run", check::number(&run, "/counts/total")?, 1)?;
    plans.instalment_is(role, 2, "paid").await?;
    plans.taken_once(role, 2, 8_999).await?;
    let third = plans.now_of(role).await?;
    let third = instalment(&third, 3).map(|due| due.said("/status").to_owned());
    check::equal("the one that was moved", third.as_deref(), Some("scheduled"))?;
    Ok(format!("{day}: 89.99 debited once, the moved one waits"))
}
