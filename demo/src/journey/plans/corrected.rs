//! Plans that go on, but otherwise: a credit note, another card, a pause, another date.

use serde_json::{Value, json};

use super::{
    account::signed,
    walk::{Plans, instalment},
};
use crate::{
    cards, check,
    document::Document,
    orders::{eur, written},
    trouble::{Outcome, Trouble},
};

/// 250,00 € less on 601,00 € of which 200,31 are paid: the last instalment goes first, then a part of the second.
pub(super) async fn credit_note(plans: &mut Plans<'_>) -> Outcome<String> {
    let order = plans.order("credited")?;
    let terms = check::text(&order.document, "/plan/terms")?;
    let before = plans.account("credited", None).await?;
    check::equal("owed before", before.position, 20_031 - 60_100)?;
    let note = json!({"amount": eur(25_000), "reason": "un module de moins"});
    let credited = plans.staff_for("credited").correct(&order.id, "credit-notes", &note).await?;
    let schedule: Vec<(&str, i64)> = check::list(&credited, "/schedule")?
        .iter()
        .map(|due| Ok((check::text(due, "/status")?, check::number(due, "/amount/amount")?)))
        .collect::<Outcome<_>>()?;
    check::equal("the schedule", schedule, vec![("paid", 20_031), ("scheduled", 15_069), ("cancelled", 0)])?;
    check::equal("owed", check::number(&credited, "/owed/amount")?, 35_100)?;
    let amended = check::text(&credited, "/plan/terms")?;
    check::holds("the terms are others", amended != terms && amended.len() == terms.len(), amended)?;
    let told = plans.told("credited", "order.credited").await?;
    let told: Vec<&Value> = told.iter().collect();
    let notice = check::only("notices", &told)?;
    check::equal("the terms that portals are told", check::text(notice, "/data/terms")?, amended)?;
    let cuts: Vec<(i64, i64)> = check::list(notice, "/data/cuts")?
        .iter()
        .map(|cut| Ok((check::number(cut, "/instalment")?, check::number(cut, "/amount/amount")?)))
        .collect::<Outcome<_>>()?;
    let mut backwards = cuts.clone();
    backwards.sort_unstable();
    check::equal("what it cuts", backwards, vec![(2, 4_962), (3, 20_038)])?;
    let after = plans.account("credited", None).await?;
    check::equal("owed after", after.position, before.position + 25_000)?;
    let cut: Vec<String> = cuts.iter().map(|(number, cents)| format!("no. {number} -{}", written(*cents))).collect();
    let (was, is) = (signed(before.position), signed(after.position));
    let seen = format!("{}; new terms told; {was} → {is}: \"{}\"", cut.join(", "), after.proof);
    plans.account_then = Some(after);
    Ok(seen)
}

/// The payer shows another card on the bank's page; the plan debits that one, and the bank forgets the first.
pub(super) async fn another_card(plans: &Plans<'_>) -> Outcome<String> {
    let (role, portal) = ("1300 in 5", &plans.journey.ecole);
    let order = plans.order(role)?;
    let old = plans.cards_kept(role, 1).await?;
    let before = plans.journey.bank().ledger(&order.prefix).await?;
    let document = plans.check_out(portal, order, &json!({"pays": "another_card"})).await?.json_if(201)?;
    check::equal("nothing is past due", check::number(&document, "/amount/amount")?, 100)?;
    let page = plans.to_card_page(&plans.handed(order, document)?, 100).await?;
    plans.pay_first(&page, cards::CHALLENGED).await?;
    let last2 = cards::CHALLENGED.number.get(14..).unwrap_or_default();
    let is_changed = |order: &Value| order.said("/plan/card/last2") == last2;
    let changed = plans.until(role, "its card is another", is_changed).await?;
    check::equal("the plan", check::text(&changed, "/plan/status")?, "active")?;
    let let_go = |order: &Value| order.said("/give_backs/0/status") == "done";
    plans.until(role, "the euro is let go", let_go).await?;
    let kept = plans.cards_kept(role, 1).await?;
    check::holds("the bank keeps the new card, not the old one", kept != old, (&kept, &old))?;
    let after = plans.journey.bank().ledger(&order.prefix).await?;
    check::equal("captured", check::number(&after, "/totals/captured")?, check::number(&before, "/totals/captured")?)?;
    let euro = check::list(&after, "/operations")?.iter().find(|operation| operation.number("/amount") == Some(100));
    check::equal("the euro", euro.map(|euro| euro.said("/status")), Some("cancelled"))?;
    check::equal("portals are told", plans.told(role, "plan.card_changed").await?.len(), 1)?;
    Ok(format!("1.00 authorised, then cancelled; the plan debits **{last2}; the bank has forgotten the first card"))
}

/// A plan that is paused, and whose last instalment is moved meanwhile.
pub(super) async fn paused(plans: &Plans<'_>) -> Outcome<String> {
    let (order, staff) = (plans.order("paused")?, plans.staff_for("paused"));
    let paused = staff.correct(&order.id, "plan/pause", &json!({})).await?;
    check::equal("the plan", check::text(&paused, "/plan/status")?, "paused")?;
    let day = plans.calendar()?.tenth(4)?.checked_add(jiff::Span::new().days(5))?;
    let moved = json!({"due": day.to_string(), "reason": "le salaire arrive le 14"});
    let moved = staff.correct(&order.id, "instalments/3/reschedule", &moved).await?;
    let due = instalment(&moved, 3).ok_or_else(|| Trouble::of("no instalment 3"))?;
    check::equal("the last instalment", check::text(due, "/due")?, day.to_string().as_str())?;
    check::equal("portals are told", plans.told("paused", "instalment.rescheduled").await?.len(), 1)?;
    Ok(format!("paused before its second instalment; the third moved to {day}"))
}
