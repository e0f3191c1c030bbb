//! The end of a day: the bank collects what was captured, and the gateway learns in which remittance.

use std::{collections::BTreeMap, time::Instant};

use serde_json::Value;

use super::walk::Plans;
use crate::{
    check, client::Answer, configuration::ECOLE, document::Document, journey::walk::SOON, orders::written,
    trouble::Outcome,
};

/// The bank collects; the night's look names the remittance, whose sum is the bank's to the cent.
pub(super) async fn of_the_day(plans: &Plans<'_>) -> Outcome<String> {
    let waiting = unsettled(plans).await?;
    let remittance = plans.journey.bank().settle().await?;
    let expected = collected(plans, remittance).await?;
    check::holds("the day brought something in", !expected.is_empty(), &waiting)?;
    let morning = plans.calendar()?.morning_of(plans.calendar()?.tenth(3)?.tomorrow()?)?;
    plans.office.put_forward(&morning).await?;
    let path = format!("/v1/settlements/{remittance}");
    let total: i64 = expected.values().sum();
    let began = Instant::now();
    let told = loop {
        let answer: Answer = plans.office.ecole.accounting.get(&path).await?;
        let told = answer.json()?;
        if answer.status == 200 && told.number("/sum/amount") == Some(total) {
            break told;
        }
        check::holds(&format!("{path} comes to {}", written(total)), began.elapsed() < 2 * SOON, &told)?;
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    };
    let items: BTreeMap<String, i64> = check::list(&told, "/items")?
        .iter()
        .map(|item| Ok((check::text(item, "/operation")?.to_owned(), check::number(item, "/amount/amount")?)))
        .collect::<Outcome<_>>()?;
    check::equal("operations of the remittance", &items, &expected)?;
    check::holds("they were unsettled before", items.keys().all(|operation| waiting.contains(operation)), &waiting)?;
    let left = unsettled(plans).await?;
    check::holds("and are no more", !items.keys().any(|operation| left.contains(operation)), &left)?;
    Ok(format!(
        "remittance {remittance}: {} captures, {} EUR on both sides; {} unsettled before, {} after",
        items.len(),
        written(total),
        waiting.len(),
        left.len()
    ))
}

/// The school's captures that the bank collected in a remittance.
async fn collected(plans: &Plans<'_>, remittance: i64) -> Outcome<BTreeMap<String, i64>> {
    let ledger = plans.journey.bank().ledger("").await?;
    let is_schools = |operation: &&Value| {
        operation.number("/settled_remise") == Some(remittance)
            && operation.written("/rang") == ECOLE.rang
            && operation.number("/captured") > Some(0)
    };
    let operations = check::list(&ledger, "/operations")?.iter().filter(is_schools);
    operations.map(|operation| Ok((operation.written("/numtrans"), check::number(operation, "/captured")?))).collect()
}

/// The operations that have not reached the school's account, as far as the gateway knows.
async fn unsettled(plans: &Plans<'_>) -> Outcome<Vec<String>> {
    let page = plans.office.ecole.accounting.get("/v1/settlements/unsettled?older_than_days=0").await?.json_if(200)?;
    check::list(&page, "/items")?.iter().map(|item| Ok(check::text(item, "/operation")?.to_owned())).collect()
}
