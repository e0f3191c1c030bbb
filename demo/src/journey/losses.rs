//! Notifications that are lost, doubled or late; a bank that is slow or silent when it is asked.

use std::time::Duration;

use serde_json::{Value, json};

use super::walk::{Journey, SOON, Settled};
use crate::{cards, check, document::Document, gateway::Gateway, trouble::Outcome};

/// How late the late notification is, in milliseconds: long after the payer's return.
const LATE_MS: u64 = 900;

/// The notification is lost; the payer's return makes the gateway ask.
pub(super) async fn lost(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?;
    misbehave(journey, &order.prefix, json!({"target": "ipn", "action": "lose"})).await?;
    let (handed, receipt) = journey.pay_at_once(&journey.ecole, &order, cards::ORDINARY).await?;
    struck(journey, &order.prefix, 1).await?;
    let back = journey.come_back(&receipt, &handed).await?;
    let settled = journey.settled(&journey.ecole, &order).await?;
    let shown = if back.shows("Paiement accepté") { "the portal already says so" } else { "the portal says: wait" };
    Ok(format!("IPN lost; paid by {} at the return, {shown}", settled.operation))
}

/// Neither notification nor return: the gateway asks about every page by itself.
pub(super) async fn lost_altogether(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.neutral).await?;
    misbehave(journey, &order.prefix, json!({"target": "ipn", "action": "lose"})).await?;
    journey.pay_at_once(&journey.neutral, &order, cards::ORDINARY).await?;
    struck(journey, &order.prefix, 1).await?;
    let open = journey.neutral.order(&order.id).await?;
    check::equal("just after the payment", check::text(&open, "/status")?, "open")?;
    let settled = journey.settled(&journey.neutral, &order).await?;
    Ok(format!("IPN lost, browser closed; paid by {} found {} ms later", settled.operation, settled.after.as_millis()))
}

/// The same notification twice, and one after the return: one capture each, one entry each.
pub(super) async fn doubled_and_late(journey: &Journey) -> Outcome<String> {
    let double = journey.register(&journey.ecole).await?;
    misbehave(journey, &double.prefix, json!({"target": "ipn", "action": "double", "ms": 150})).await?;
    let (handed, receipt) = journey.pay_at_once(&journey.ecole, &double, cards::ORDINARY).await?;
    journey.come_back(&receipt, &handed).await?;
    let late = journey.register(&journey.ecole).await?;
    misbehave(journey, &late.prefix, json!({"target": "ipn", "action": "delay", "ms": LATE_MS})).await?;
    let (handed, receipt) = journey.pay_at_once(&journey.ecole, &late, cards::ORDINARY).await?;
    journey.come_back(&receipt, &handed).await?;
    let mut seen = Vec::new();
    for order in [&double, &late] {
        let sent = journey.bank().notifications(&order.prefix, 1).await?;
        let status = sent.first().and_then(|sent| sent.number("/status"));
        check::equal("the answer to the last notification", status, Some(200))?;
        // What a second report leads to would be seen by now: it is asked about at once.
        tokio::time::sleep(Duration::from_millis(400)).await;
        let settled = journey.settled(&journey.ecole, order).await?;
        let entries = check::list(&settled.document, "/ledger")?.len();
        check::equal("ledger entries", entries, 1)?;
        let captures = journey.bank().captures(&order.prefix).await?.len();
        check::equal("captures at the bank", captures, 1)?;
        seen.push(format!("{captures} capture, {entries} entry"));
    }
    Ok(format!(
        "doubled: {}; late: {}",
        seen.first().cloned().unwrap_or_default(),
        seen.last().cloned().unwrap_or_default()
    ))
}

/// The bank hangs up when it is first asked; for another order it is too slow twice, since two may ask at once.
pub(super) async fn silent_bank(journey: &Journey) -> Outcome<String> {
    let dead = json!({"target": "direct", "type": "00011", "action": "drop_before_commit"});
    let slow = json!({"target": "direct", "type": "00011", "action": "delay", "ms": 2500, "times": 2});
    let dead = paid_in_spite_of(journey, &journey.ecole, dead, 1).await?;
    let slow = paid_in_spite_of(journey, &journey.ecole, slow, 2).await?;
    Ok(format!(
        "hung up: paid {} ms later; too slow: paid {} ms later; one capture each",
        dead.after.as_millis(),
        slow.after.as_millis()
    ))
}

async fn paid_in_spite_of(journey: &Journey, gateway: &Gateway, fault: Value, times: i64) -> Outcome<Settled> {
    let order = journey.register(gateway).await?;
    misbehave(journey, &order.prefix, fault).await?;
    journey.pay_at_once(gateway, &order, cards::ORDINARY).await?;
    let is_settled = |order: &Value| order.said("/status") == "settled";
    let (_, after) = gateway.until(&order.id, "paid in spite of the bank's silence", SOON, is_settled).await?;
    struck(journey, &order.prefix, times).await?;
    let settled = journey.settled(gateway, &order).await?;
    Ok(Settled { after, ..settled })
}

/// Arms a fault for the references of one order only.
pub(super) async fn misbehave(journey: &Journey, prefix: &str, mut fault: Value) -> Outcome<()> {
    if let Some(members) = fault.as_object_mut() {
        members.insert("reference".to_owned(), json!(prefix));
    }
    journey.bank().misbehave(fault).await
}

/// The faults armed for these references did strike: without that a step would prove nothing.
pub(super) async fn struck(journey: &Journey, prefix: &str, times: i64) -> Outcome<()> {
    check::equal("faults that struck", journey.bank().struck(prefix).await?, times)
}
