//! 10 July and what follows: the run, and all that may happen to a debit.

use serde_json::{Value, json};

use super::walk::{Plans, captured, instalment, refused};
use crate::{
    check,
    document::Document,
    journey::losses::{misbehave, struck},
    orders::written,
    trouble::{Outcome, Trouble},
};

/// What instalment 2 of each plan comes to in July.
const DUE: [(&str, i64); 9] = [
    ("three", 20_031),
    ("e-card", 20_031),
    ("3770 in 5", 75_400),
    ("1000.03 in 5", 20_000),
    ("1300 in 5", 19_999),
    ("refused", 8_999),
    ("lost", 8_999),
    ("stolen", 8_999),
    ("link", 8_999),
];

/// Before it begins, the run says what it would take up; one payer has a payment page open and is left out.
pub(super) async fn preview(plans: &mut Plans<'_>) -> Outcome<String> {
    let day = plans.calendar()?.tenth(1)?;
    let staff = &plans.office.ecole;
    let early = refused(&staff.start_run(day).await?, 409, "not_yet_due")?;
    plans.office.put_forward(&plans.calendar()?.morning_of(day)?).await?;
    let (order, portal) = (plans.order("link")?, &plans.journey.ecole);
    let answer = plans.check_out(portal, order, &json!({"instalment": 2})).await?;
    let handed = plans.handed(order, answer.json_if(201)?)?;
    let page = plans.to_card_page(&handed, 8_999).await?;
    let items = staff.preview(day).await?;
    check::equal("orders that are due", items.len(), DUE.len())?;
    for (role, cents) in DUE {
        let id = &plans.order(role)?.id;
        let item = items.iter().find(|item| item.said("/order") == id);
        let item = item.ok_or_else(|| Trouble::of(format!("{role:?} is not in the preview")))?;
        if role == "link" {
            check::equal("left out", check::text(item, "/left_out")?, "payer_paying")?;
        } else {
            check::holds(role, item.said("/left_out").is_empty(), item)?;
            let seen = (check::number(item, "/instalment")?, check::number(item, "/amount/amount")?);
            check::equal(role, seen, (2, cents))?;
        }
    }
    let total: i64 = DUE.iter().filter(|(role, _)| *role != "link").map(|(_, cents)| cents).sum();
    plans.open_page = Some(page);
    Ok(format!("before: {early}; then {} to debit, {} EUR, 1 left out: payer_paying", DUE.len() - 1, written(total)))
}

/// One debit is refused by the bank, one loses its answer; the run is started twice and is one.
pub(super) async fn run(plans: &Plans<'_>) -> Outcome<String> {
    let day = plans.calendar()?.tenth(1)?;
    let bank = plans.journey.bank();
    for (role, code) in [("refused", "00151"), ("stolen", "00143")] {
        let kept = bank.subscribers(&plans.order(role)?.prefix).await?;
        let kept: Vec<&Value> = kept.iter().collect();
        let subscriber = check::only(&format!("cards kept for {role:?}"), &kept)?;
        bank.answer_debits(check::text(subscriber, "/refabonne")?, &[code]).await?;
    }
    let lost = format!("{}2-d", plans.order("lost")?.prefix);
    misbehave(plans.journey, &lost, json!({"target": "direct", "type": "00053", "action": "drop_after_commit"}))
        .await?;
    // The first question about it fails too, so that the doubt lasts long enough to be seen.
    misbehave(plans.journey, &lost, json!({"target": "direct", "type": "00011", "action": "drop_before_commit"}))
        .await?;
    let staff = &plans.office.ecole;
    let first = staff.start_run(day).await?;
    let second = staff.start_run(day).await?;
    check::equal("both starts", (first.status, second.status), (202, 200))?;
    check::equal("the same run", second.json()?.said("/id"), first.json()?.said("/id"))?;
    doubted(plans).await?;
    let run = staff.run_done(day).await?;
    for (role, cents) in DUE.into_iter().filter(|(role, _)| !["refused", "stolen", "link"].contains(role)) {
        plans.instalment_is(role, 2, "paid").await?;
        plans.taken_once(role, 2, cents).await?;
        check::equal("debits that were sent", plans.debits_sent(role, 2).await?, 1)?;
    }
    let count = |name: &str| check::number(&run, &format!("/counts/{name}"));
    let counts = (count("paid")?, count("refused")?, count("total")?);
    check::equal("paid, refused and all debits of the run", counts, (6, 2, 8))?;
    let paid = written(check::number(&run, "/sums/paid/amount")?);
    Ok(format!("202, then 200; {} paid ({paid} EUR), {} refused, one debit each", counts.0, counts.1))
}

/// While nobody knows what became of a debit, its instalment cannot be paid in another way.
async fn doubted(plans: &Plans<'_>) -> Outcome<()> {
    let (order, portal) = (plans.order("lost")?, &plans.journey.ecole);
    let is_out = |order: &Value| {
        instalment(order, 2).is_some_and(|due| ["in_attempt", "in_doubt"].contains(&due.said("/status")))
    };
    portal.until(&order.id, "its debit is at the bank", crate::journey::walk::SOON, is_out).await?;
    let answer = plans.check_out(portal, order, &json!({"instalment": 2})).await?;
    refused(&answer, 409, "debit_in_progress").map(|_| ())
}

/// The answer was lost: the debit is found by asking, and was sent once.
pub(super) async fn lost_answer(plans: &Plans<'_>) -> Outcome<String> {
    let prefix = format!("{}2-d", plans.order("lost")?.prefix);
    struck(plans.journey, &prefix, 2).await?;
    let document = plans.now_of("lost").await?;
    check::equal("debits in the ledger", captured(&document, false)?, vec![8_999])?;
    let asked = plans.journey.bank().calls(&prefix, "00011").await?;
    check::holds("it was asked about", asked > 1, asked)?;
    Ok(format!(
        "00053 sent once, its answer lost; checkout meanwhile 409 debit_in_progress; found by {asked} questions"
    ))
}

/// The payer pays on the page that was open when the run came: once, and the run has nothing of it.
pub(super) async fn paid_by_link(plans: &Plans<'_>) -> Outcome<String> {
    let page = plans.open_page.as_ref().ok_or_else(|| Trouble::of("no page is open"))?;
    plans.journey.pay(page, crate::cards::ORDINARY).await?;
    let document = plans.instalment_is("link", 2, "paid").await?;
    plans.taken_once("link", 2, 8_999).await?;
    check::equal("debits that were sent", plans.debits_sent("link", 2).await?, 0)?;
    check::equal("the plan goes on", check::text(&document, "/plan/status")?, "active")?;
    Ok("left out by the run, paid 89.99 on its page; debited 0 times".to_owned())
}

/// A stolen card is not tried again, not even when accounting wants it; the payer pays with another one.
pub(super) async fn in_arrears(plans: &Plans<'_>) -> Outcome<String> {
    let document = plans.instalment_is("stolen", 2, "arrears").await?;
    let due = instalment(&document, 2).ok_or_else(|| Trouble::of("no instalment 2"))?;
    check::holds("no other try", check::at(due, "/next_attempt_on")?.is_null(), due)?;
    let why = check::text(due, "/last_refusal/explanation/fr")?.to_owned();
    let order = plans.order("stolen")?;
    let again = plans.office.ecole.retry(&order.id, 2, "La banque aurait accepté.").await?;
    let again = refused(&again, 409, "card_unusable")?;
    let document = plans.pay_by_link("stolen", 2, 8_999).await?;
    plans.taken_once("stolen", 2, 8_999).await?;
    check::equal("the plan", check::text(&document, "/plan/status")?, "active")?;
    check::equal("debits that were sent", plans.debits_sent("stolen", 2).await?, 1)?;
    Ok(format!("00143 \"{why}\"; tried again by accounting: {again}; paid by link with another card"))
}

/// A month later the stolen card is not even tried; the payer pays the last instalment by link too.
pub(super) async fn never_again(plans: &Plans<'_>) -> Outcome<String> {
    plans.instalment_is("stolen", 3, "arrears").await?;
    check::equal("debits that were sent", plans.debits_sent("stolen", 3).await?, 0)?;
    let document = plans.pay_by_link("stolen", 3, 9_002).await?;
    plans.taken_once("stolen", 3, 9_002).await?;
    check::equal("the order", check::text(&document, "/status")?, "settled")?;
    Ok("00143 in July: not debited in August, in arrears at once; paid by link".to_owned())
}

/// 00151 on the 10th; three days later the same instalment is tried once more, and paid.
pub(super) async fn tried_again(plans: &mut Plans<'_>) -> Outcome<String> {
    let document = plans.instalment_is("refused", 2, "retry_wait").await?;
    check::equal("the plan", check::text(&document, "/plan/status")?, "past_due")?;
    let due = instalment(&document, 2).ok_or_else(|| Trouble::of("no instalment 2"))?;
    check::equal("the bank's code", check::text(due, "/last_refusal/code")?, "00151")?;
    let why = check::text(due, "/last_refusal/explanation/fr")?.to_owned();
    let next = check::text(due, "/next_attempt_on")?;
    let day = plans.calendar()?.tenth(1)?.checked_add(jiff::Span::new().days(3))?;
    check::equal("the next try", next, day.to_string().as_str())?;
    plans.office.put_forward(&plans.calendar()?.morning_of(day)?).await?;
    let staff = &plans.office.ecole;
    check::equal("the run of that day", staff.start_run(day).await?.status, 202)?;
    staff.run_done(day).await?;
    let document = plans.instalment_is("refused", 2, "paid").await?;
    check::equal("the plan", check::text(&document, "/plan/status")?, "active")?;
    plans.taken_once("refused", 2, 8_999).await?;
    check::equal("debits that were sent", plans.debits_sent("refused", 2).await?, 2)?;
    Ok(format!("00151 \"{why}\", tried again on {day}: paid; 2 sent, 1 captured"))
}

/// No run came in July. In August two instalments are due: one is debited, the other the day after, though two runs are
/// started on the first day.
pub(super) async fn after_an_outage(plans: &mut Plans<'_>) -> Outcome<String> {
    let staff = &plans.office.annexe;
    let day = plans.calendar()?.tenth(2)?;
    let (before, after) = (day.yesterday()?, day.tomorrow()?);
    staff.start_run(before).await?.json_if(202)?;
    staff.run_done(before).await?;
    plans.instalment_is("outage", 2, "paid").await?;
    plans.taken_once("outage", 2, 8_999).await?;
    let items = staff.preview(day).await?;
    let items: Vec<&Value> = items.iter().collect();
    let item = check::only("orders that are due", &items)?;
    check::equal("left out", check::text(item, "/left_out")?, "debited_today")?;
    staff.start_run(day).await?.json_if(202)?;
    let run = staff.run_done(day).await?;
    check::equal("debits of the second run", check::number(&run, "/counts/total")?, 0)?;
    plans.office.put_forward(&plans.calendar()?.morning_of(after)?).await?;
    staff.start_run(after).await?.json_if(202)?;
    staff.run_done(after).await?;
    plans.instalment_is("outage", 3, "paid").await?;
    plans.taken_once("outage", 3, 9_002).await?;
    let document = plans.now_of("outage").await?;
    check::equal("the order", check::text(&document, "/status")?, "settled")?;
    Ok(format!("{day}: two runs, 89.99, left out debited_today; {after}: 90.02"))
}
