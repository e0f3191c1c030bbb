//! A debit that no question brings to light: it waits for people, and two of them decide.

use serde_json::{Value, json};

use super::{
    office::{ACCOUNTANT, COLLEAGUE},
    walk::{Plans, instalment, refused},
};
use crate::{
    check,
    client::Answer,
    document::Document,
    gateway::{Gateway, Idempotency},
    journey::losses::{misbehave, struck},
    trouble::{Outcome, Trouble},
};

/// So many rungs of the ladder of questions are stepped over at most, each by so many seconds.
const RUNGS: usize = 12;
const RUNG_SECONDS: i64 = 15;
/// What tells whether the bank's enquiries find what it debited by itself.
const SIGHT: &str = "enquiry_sees_subscribers";

/// The answer is lost and the bank's enquiries are blind: people look into the back office, and say the same.
pub(super) async fn quarantine(plans: &Plans<'_>) -> Outcome<String> {
    let bank = plans.journey.bank();
    bank.switch(SIGHT, false).await?;
    let doubted = quarantined(plans).await;
    // The bank has to fail nobody else.
    bank.switch(SIGHT, true).await?;
    doubted?;
    let (order, staff) = (plans.order("doubtful")?, plans.staff_for("doubtful"));
    let listed = staff.accounting.get("/v1/quarantine?merchant=annexe").await?.json_if(200)?;
    let items: Vec<&Value> = check::list(&listed, "/items")?.iter().collect();
    let item = check::only("orders in quarantine", &items)?;
    check::equal("the order", check::text(item, "/order")?, order.id.as_str())?;
    let subject = check::at(item, "/waiting/0/subject")?;
    let booked = bank.captures(&format!("{}2-d", order.prefix)).await?;
    let booked: Vec<&Value> = booked.iter().collect();
    let booked = check::only("debits that the back office shows", &booked)?;
    let operation = json!({"number": booked.written("/numtrans"), "call": booked.written("/numappel")});
    let body = json!({
        "subject": subject,
        "verdict": {"verdict": "executed", "operation": operation},
        "evidence": "journal du back-office, 10/09 à 08:00",
    });
    let before = plans.account("doubtful", None).await?;
    let first = give(&staff.accounting, &order.id, &body).await?.json_if(200)?;
    check::equal("verdicts so far", check::list(&first, "/waiting/0/verdicts")?.len(), 1)?;
    // The same person at another desk, and another person at the same desk.
    let same_person = give(&staff.colleague.as_person(ACCOUNTANT), &order.id, &body).await?;
    let same = refused(&same_person, 409, "second_person_needed")?;
    refused(&give(&staff.accounting.as_person(COLLEAGUE), &order.id, &body).await?, 409, "second_person_needed")?;
    let alone = plans.now_of("doubtful").await?;
    check::equal("after one verdict", instalment(&alone, 2).map(|due| due.said("/status")), Some("quarantined"))?;
    check::equal("one person alone changes no account", &plans.account("doubtful", None).await?, &before)?;
    let second = give(&staff.colleague, &order.id, &body).await?.json_if(200)?;
    check::equal("after two", instalment(&second, 2).map(|due| due.said("/status")), Some("paid"))?;
    check::equal("what waits", check::list(&second, "/waiting")?.len(), 0)?;
    check::equal("portals are told", plans.told("doubtful", "order.quarantine_resolved").await?.len(), 1)?;
    plans.taken_once("doubtful", 2, 8_999).await?;
    check::equal("debits that were sent", plans.debits_sent("doubtful", 2).await?, 1)?;
    let after = plans.account("doubtful", None).await?;
    check::equal("the account", after.position, before.position + 8_999)?;
    Ok(format!(
        "{ACCOUNTANT} alone: nothing; twice, or by one key: {same}; {COLLEAGUE} the same: paid, 00053 sent once"
    ))
}

/// The debit of the day, whose outcome nobody can tell.
async fn quarantined(plans: &Plans<'_>) -> Outcome<()> {
    let (day, staff) = (plans.calendar()?.tenth(3)?, plans.staff_for("doubtful"));
    let prefix = format!("{}2-d", plans.order("doubtful")?.prefix);
    misbehave(plans.journey, &prefix, json!({"target": "direct", "type": "00053", "action": "drop_after_commit"}))
        .await?;
    staff.start_run(day).await?.json_if(202)?;
    plans.instalment_is("doubtful", 2, "in_doubt").await?;
    struck(plans.journey, &prefix, 1).await?;
    for _ in 0..RUNGS {
        let document = plans.now_of("doubtful").await?;
        if instalment(&document, 2).is_some_and(|due| due.said("/status") == "quarantined") {
            return Ok(());
        }
        plans.office.wait(RUNG_SECONDS).await?;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    Err(Trouble::of(format!("it is never quarantined: {}", plans.now_of("doubtful").await?)))
}

async fn give(person: &Gateway, order: &str, verdict: &Value) -> Outcome<Answer> {
    let path = format!("/v1/orders/{order}/quarantine/verdicts");
    person.post(&path, Idempotency::Fresh, &verdict.to_string()).await
}
