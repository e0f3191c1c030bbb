//! When all is done: the feed tells the same story, and no card number is anywhere.

use std::collections::{BTreeMap, BTreeSet};

use super::walk::Journey;
use crate::{
    check, store,
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
    for process in journey.stage.processes() {
        let (name, log) = (process.name, process.log()?);
        let found = transcript.found_in(&log);
        check::holds(&format!("the {name}'s log holds nothing secret"), found.is_empty(), &found)?;
        lines += log.lines().count();
    }
    let mut bytes = 0;
    for path in store::files(journey.stage.folder())? {
        let stored = std::fs::read(&path)?;
        let found = transcript.found_in(&String::from_utf8_lossy(&stored));
        check::holds("the store holds no card number, no key and no payment link", found.is_empty(), &found)?;
        bytes += stored.len();
    }
    check::holds("there is a store", bytes > 0, bytes)?;
    Ok(format!(
        "{} answers, {lines} log lines, {} kB of store: no card number, none of {} keys, no payment link",
        transcript.answers(),
        bytes / 1024,
        transcript.keys(),
    ))
}
