//! When all is done: the feed tells the same story, no card number is anywhere, and both ledgers agree to the cent.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::walk::Journey;
use crate::{
    check,
    document::Document,
    gateway::Gateway,
    orders::written,
    trouble::{Outcome, Trouble},
};

/// The feed, read to its end: every order's story begins with its placing, and has its end where the order has.
pub(super) async fn feed(journey: &Journey) -> Outcome<String> {
    let events = journey.ecole.events().await?;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut stories: BTreeMap<&str, Vec<(&str, i64)>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for event in &events {
        let kind = check::text(event, "/type")?;
        *kinds.entry(kind).or_default() += 1;
        check::holds("an event's id is new", ids.insert(check::text(event, "/id")?), event)?;
        let version = check::number(event, "/order_version")?;
        stories.entry(check::text(event, "/order")?).or_default().push((kind, version));
    }
    let orders = journey.ecole.orders("").await?;
    check::equal("orders in the feed", stories.len(), orders.len())?;
    for order in &orders {
        let id = check::text(order, "/id")?;
        let story = stories.get(id).ok_or_else(|| Trouble::of(format!("the feed knows nothing of {id}")))?;
        check::equal("how it begins", story.first().map(|(kind, _)| *kind), Some("order.placed"))?;
        check::holds("versions grow", story.is_sorted_by_key(|(_, version)| *version), story)?;
        let settled = story.iter().filter(|(kind, _)| *kind == "order.settled").count();
        let expected = usize::from(check::text(order, "/status")? == "settled");
        check::equal(&format!("order.settled of {id}"), settled, expected)?;
    }
    let told: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    Ok(format!("{} events of {} orders: {}", events.len(), orders.len(), told.join(", ")))
}

/// Every answer was looked at as it came; now the logs and the store are.
pub(super) fn secrets(journey: &Journey) -> Outcome<String> {
    let transcript = &journey.stage.transcript;
    let leaks = transcript.leaks();
    check::holds("no answer holds a card number", leaks.is_empty(), &leaks)?;
    let mut lines = 0;
    for (name, process) in [("gateway", &journey.stage.gateway), ("sandbox", &journey.stage.sandbox)] {
        let log = process.log()?;
        let found = transcript.found_in(&log);
        check::holds(&format!("the {name}'s log holds nothing secret"), found.is_empty(), &found)?;
        lines += log.lines().count();
    }
    let mut bytes = 0;
    for entry in std::fs::read_dir(journey.stage.folder())? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("guichet.db")) {
            let stored = std::fs::read(&path)?;
            let found = transcript.found_in(&String::from_utf8_lossy(&stored));
            check::holds("the store holds no card number, no key and no payment link", found.is_empty(), &found)?;
            bytes += stored.len();
        }
    }
    check::holds("there is a store", bytes > 0, bytes)?;
    Ok(format!(
        "{} answers, {lines} log lines, {} kB of store: no card number, none of {} keys, no payment link",
        transcript.answers(),
        bytes / 1024,
        transcript.keys(),
    ))
}

/// Both ledgers side by side, per order and in total.
pub(super) async fn ledgers(journey: &Journey) -> Outcome<String> {
    println!("\n    {:<38} {:>27} {:>27}", "", "bank: captured  given back", "gateway: captured  given back");
    let mut ours = (0, 0);
    let mut differences = Vec::new();
    for gateway in [&journey.ecole, &journey.annexe, &journey.neutral, &journey.strict] {
        for order in gateway.orders("").await? {
            let booked = booked(&order)?;
            ours = (ours.0 + booked.0, ours.1 + booked.1);
            differences.extend(compare(journey, gateway, &order, booked).await?);
        }
    }
    let everything = journey.bank().ledger("").await?;
    let banks = at_bank(&everything)?;
    println!("    {:<38} {}", "total", row(banks, ours));
    println!();
    check::holds("both ledgers agree per order", differences.is_empty(), &differences)?;
    check::equal("captured and given back in total", ours, banks)?;
    let net = check::number(&everything, "/totals/net")?;
    check::equal("net", ours.0 - ours.1, net)?;
    Ok(format!(
        "captured {}, given back {}, net {} EUR on both sides",
        written(banks.0),
        written(banks.1),
        written(net)
    ))
}

/// One order: sums, and each operation of the bank exactly once. Differences are returned, so that all are seen.
async fn compare(journey: &Journey, gateway: &Gateway, order: &Value, ours: (i64, i64)) -> Outcome<Option<String>> {
    let id = check::text(order, "/id")?;
    let prefix = format!("{}-{}-", gateway.merchant.prefix, id.strip_prefix("ord_").unwrap_or(id));
    let ledger = journey.bank().ledger(&prefix).await?;
    let banks = at_bank(&ledger)?;
    if banks != (0, 0) || ours != (0, 0) {
        println!("    {id:<38} {}", row(banks, ours));
    }
    let mut captured: Vec<(String, i64)> = check::list(&ledger, "/operations")?
        .iter()
        .filter_map(|operation| Some((operation.written("/numtrans"), operation.number("/captured")?)))
        .filter(|(_, amount)| *amount > 0)
        .collect();
    let mut entries: Vec<(String, i64)> = check::list(order, "/ledger")?
        .iter()
        .filter(|entry| CAPTURES.contains(&entry.said("/kind")))
        .filter_map(|entry| {
            Some((entry.pointer("/operation").and_then(Value::as_str)?.to_owned(), entry.number("/amount/amount")?))
        })
        .collect();
    captured.sort();
    entries.sort();
    let agrees = banks == ours && captured == entries;
    Ok((!agrees).then(|| format!("{id}: bank {banks:?} {captured:?}, gateway {ours:?} {entries:?}")))
}

/// The kinds of entries by which money came in.
const CAPTURES: [&str; 2] = ["capture", "surplus"];

/// Captured and given back, as the gateway has booked them.
fn booked(order: &Value) -> Outcome<(i64, i64)> {
    let mut sums = (0, 0);
    for entry in check::list(order, "/ledger")? {
        let amount = check::number(entry, "/amount/amount")?;
        match entry.said("/kind") {
            "refund" => sums.1 += amount,
            kind if CAPTURES.contains(&kind) => sums.0 += amount,
            // That it reached the school's account moves no money of the payer's.
            _ => {}
        }
    }
    Ok(sums)
}

/// Captured and given back, as the bank has it.
fn at_bank(ledger: &Value) -> Outcome<(i64, i64)> {
    let total = |name: &str| check::number(ledger, &format!("/totals/{name}"));
    Ok((total("captured")?, total("cancelled")? + total("refunded")?))
}

fn row(banks: (i64, i64), ours: (i64, i64)) -> String {
    let pair = |(captured, back): (i64, i64)| format!("{:>14} {:>12}", written(captured), written(back));
    format!("{} {}", pair(banks), pair(ours))
}
