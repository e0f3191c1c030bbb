//! `/v1/journal`: all that was booked in a period, as one table for the accounting software.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, Response},
};
use jiff::civil::Date;

use super::{
    Gateway, csv,
    orders::only_merchant,
    problem::Problem,
    query::{Query, day},
};
use crate::{
    app::{
        access::Scope,
        journal::{JournalLine, MAX_DAYS},
    },
    domain::{actor::Actor, position::signed},
};

const HEAD: [&str; 13] = [
    "at",
    "entry",
    "order",
    "reference",
    "payer",
    "instalment",
    "operation",
    "remittance",
    "amount",
    "currency",
    "by",
    "key",
    "reason",
];

pub(super) async fn export(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, Problem> {
    let caller = gateway.caller(&headers, &[Scope::Accounting]).await?;
    let query = Query::parse(query.as_deref(), &["merchant", "from", "until"])?;
    let merchant = only_merchant(&caller, &query)?;
    let named = |name: &str| query.get(name).and_then(day).ok_or_else(|| Problem::parameter(name));
    let (from, until) = (named("from")?, named("until")?);
    if !is_period(from, until) {
        return Err(Problem::parameter("until"));
    }
    let lines = gateway.app.journal(&caller, &merchant, (from, until)).await?;
    let text: String = std::iter::once(csv::line(&HEAD)).chain(lines.iter().map(line)).collect();
    Ok(csv::table(text, &format!("journal-{from}-{until}.csv")))
}

/// One day or more, and not too many.
fn is_period(from: Date, until: Date) -> bool {
    let days = from.until(until).map_or(-1, |span| span.get_days());
    usize::try_from(days).is_ok_and(|days| days < MAX_DAYS)
}

fn line(line: &JournalLine) -> String {
    let (person, key) = match &line.by {
        Some(Actor::Key { key, person, .. }) => (person.clone(), Some(key.clone())),
        Some(Actor::Bank | Actor::Payer | Actor::Gateway) | None => (None, None),
    };
    let text = |value: Option<String>| value.unwrap_or_default();
    csv::line(&[
        &line.at.to_string(),
        line.entry,
        &text(line.order.map(|order| order.to_string())),
        &text(line.reference.clone()),
        &text(line.payer.clone()),
        &text(line.instalment.map(|number| number.to_string())),
        &text(line.operation.map(|number| number.to_string())),
        &text(line.remittance.map(|number| number.to_string())),
        &text(line.amount.map(|sum| signed(sum.amount, sum.currency))),
        line.amount.map(|sum| sum.currency.letters()).unwrap_or_default(),
        &text(person),
        &text(key),
        &text(line.reason.clone()),
    ])
}
