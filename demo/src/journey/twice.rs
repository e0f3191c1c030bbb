//! Money that comes twice goes back once.

use serde_json::{Value, json};

use super::{
    losses::{misbehave, struck},
    walk::{Handed, Journey, Placed, SOON, entries},
};
use crate::{
    browser::Page,
    cards, check,
    document::Document,
    orders::{self, FEE, written},
    trouble::Outcome,
};

/// Two tabs with a page each, both paid.
pub(super) async fn two_tabs(journey: &Journey) -> Outcome<String> {
    let tabs = open_two_tabs(journey).await?;
    journey.pay(&tabs.first.1, cards::ORDINARY).await?;
    journey.pay(&tabs.second.1, cards::FRICTIONLESS).await?;
    let document = given_back(journey, &tabs.order).await?;
    let ledger = journey.bank().ledger(&tabs.order.prefix).await?;
    let totals = totals(&ledger)?;
    check::equal("captured, cancelled, refunded at the bank", totals, (2 * FEE, FEE, 0))?;
    let statuses: Vec<&str> = check::list(&document, "/checkouts")?
        .iter()
        .filter_map(|c| c.pointer("/status").and_then(Value::as_str))
        .collect();
    Ok(format!("checkouts {}; bank: {}", statuses.join(" and "), told(totals)))
}

/// The bank cancels the surplus, and its answer is lost: it is asked about, never sent again.
pub(super) async fn lost_answer(journey: &Journey) -> Outcome<String> {
    let tabs = open_two_tabs(journey).await?;
    let fault = json!({"target": "direct", "type": "00005", "action": "drop_after_commit"});
    misbehave(journey, &tabs.order.prefix, fault).await?;
    journey.pay(&tabs.first.1, cards::ORDINARY).await?;
    journey.pay(&tabs.second.1, cards::ORDINARY).await?;
    given_back(journey, &tabs.order).await?;
    struck(journey, &tabs.order.prefix, 1).await?;
    let calls = journey.bank().calls(&tabs.order.prefix, "00005").await?;
    check::equal("cancellations sent", calls, 1)?;
    let totals = totals(&journey.bank().ledger(&tabs.order.prefix).await?)?;
    check::equal("captured, cancelled, refunded at the bank", totals, (2 * FEE, FEE, 0))?;
    Ok(format!("00005 sent {calls} time, answer lost, found by asking; bank: {}", told(totals)))
}

/// The bank has settled the surplus before it is known: cancelling is too late, so it is refunded.
pub(super) async fn settled_meanwhile(journey: &Journey) -> Outcome<String> {
    let tabs = open_two_tabs(journey).await?;
    let fault = json!({"target": "ipn", "action": "lose", "times": 2});
    misbehave(journey, &tabs.order.prefix, fault).await?;
    let first = journey.pay(&tabs.first.1, cards::ORDINARY).await?;
    let second = journey.pay(&tabs.second.1, cards::ORDINARY).await?;
    journey.bank().settle().await?;
    journey.come_back(&first, &tabs.first.0).await?;
    journey.come_back(&second, &tabs.second.0).await?;
    given_back(journey, &tabs.order).await?;
    let totals = totals(&journey.bank().ledger(&tabs.order.prefix).await?)?;
    check::equal("captured, cancelled, refunded at the bank", totals, (2 * FEE, 0, FEE))?;
    let refunds = journey.bank().calls(&tabs.order.prefix, "00014").await?;
    check::equal("refunds sent", refunds, 1)?;
    Ok(format!("settled before it was known, so refunded; bank: {}", told(totals)))
}

struct Tabs {
    order: Placed,
    first: (Handed, Page),
    second: (Handed, Page),
}

async fn open_two_tabs(journey: &Journey) -> Outcome<Tabs> {
    let order = journey.register(&journey.ecole).await?;
    let first = journey.check_out(&journey.ecole, &order, &orders::known_address()).await?;
    let first_page = journey.go_by_link(&first).await?;
    let second = journey.check_out(&journey.ecole, &order, &orders::known_address()).await?;
    let second_page = journey.go_by_link(&second).await?;
    // The first link is of no use any more; its page at PAYBOX is open all the same.
    let gone = journey.browser.open(check::text(&first.document, "/redirect")?).await?;
    check::equal("a superseded link", gone.answer.status, 410)?;
    Ok(Tabs { order, first: (first, first_page), second: (second, second_page) })
}

/// Waits until the order is settled and its surplus is back; one entry for each.
async fn given_back(journey: &Journey, order: &Placed) -> Outcome<Value> {
    let is_back = |order: &Value| order.said("/status") == "settled" && order.said("/give_backs/0/status") == "done";
    let (document, _) = journey.ecole.until(&order.id, "the surplus goes back", 2 * SOON, is_back).await?;
    for (kind, count) in [("capture", 1), ("surplus", 1), ("refund", 1)] {
        check::equal(&format!("{kind} entries"), entries(&document, kind)?.len(), count)?;
    }
    check::equal("give-backs", check::list(&document, "/give_backs")?.len(), 1)?;
    check::equal("paid", check::number(&document, "/paid/amount")?, FEE)?;
    check::equal("surplus left", check::number(&document, "/surplus/amount")?, 0)?;
    Ok(document)
}

/// Captured, cancelled, refunded.
fn totals(ledger: &Value) -> Outcome<(i64, i64, i64)> {
    let total = |name: &str| check::number(ledger, &format!("/totals/{name}"));
    Ok((total("captured")?, total("cancelled")?, total("refunded")?))
}

fn told((captured, cancelled, refunded): (i64, i64, i64)) -> String {
    format!("captured {}, cancelled {}, refunded {}", written(captured), written(cancelled), written(refunded))
}
