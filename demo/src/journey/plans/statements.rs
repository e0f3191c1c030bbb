//! The accountant's morning after: PAYBOX's operations and the bank's statement beside the ledger, a click for the bank's
//! fees, and the journal.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::walk::{Plans, refused};
use crate::{
    check,
    client::Answer,
    configuration::{ECOLE, SITE},
    document::Document,
    gateway::Idempotency,
    orders::written,
    trouble::{Outcome, Trouble},
};

/// A file that was brought.
struct Brought {
    id: String,
    text: String,
}

/// Both sides agree on everything that the story did; only the bank's fees are not booked.
pub(super) async fn agree(plans: &Plans<'_>) -> Outcome<String> {
    let start = plans.calendar()?.start;
    // What was collected before the story is in a statement of its own.
    bring(plans, "remittances", &format!("until={}", start.yesterday()?)).await?;
    let since = format!("from={start}");
    let operations = bring(plans, "operations", &since).await?;
    check::equal("drifts of PAYBOX's operations", ids(plans, &operations.id).await?, Vec::new())?;
    let statement = bring(plans, "remittances", &since).await?;
    let lines = remittances(&statement.text)?;
    let kept: Vec<String> =
        lines.iter().filter(|(_, line)| line.fees > 0).map(|(number, _)| drift_of(*number)).collect();
    check::equal("drifts of the bank's statement", ids(plans, &statement.id).await?, kept)?;
    let again = post(plans, "remittances", &statement.text).await?;
    let same = (again.status, again.json()?.said("/id").to_owned());
    check::equal("the same file again", same, (200, statement.id))?;
    let gross: i64 = lines.values().map(|line| line.gross).sum();
    Ok(format!(
        "{} operations: no drift; {} remittances, {} EUR: only their fees drift",
        operations.text.lines().count() - 1,
        lines.len(),
        written(gross)
    ))
}

/// The fees of the day's remittance are booked by one click and never again; the journal balances to the cent.
pub(super) async fn journal(plans: &Plans<'_>) -> Outcome<String> {
    let (accounting, start) = (&plans.office.ecole.accounting, plans.calendar()?.start);
    let statement = bring(plans, "remittances", &format!("from={start}")).await?;
    let lines = remittances(&statement.text)?;
    let (number, line) = lines.last_key_value().ok_or_else(|| Trouble::of("no remittance"))?;
    let path = format!("/v1/imports/{}/drifts/{}/journal", statement.id, drift_of(*number));
    let body = json!({"entry": "fees", "reason": "relevé de la banque"}).to_string();
    let made = accounting.post(&path, Idempotency::Key("frais-du-jour"), &body).await?.json_if(200)?;
    check::equal("the drift", check::text(&made, "/status")?, "journalled")?;
    let replayed = accounting.post(&path, Idempotency::Key("frais-du-jour"), &body).await?.json_if(200)?;
    check::equal("the same click", &replayed, &made)?;
    let twice = refused(&accounting.post(&path, Idempotency::Fresh, &body).await?, 409, "entry_not_offered")?;
    let before = table(plans).await?;
    post(plans, "remittances", &statement.text).await?.json_if(200)?;
    check::holds("the same file again books nothing", table(plans).await? == before, &before)?;
    let entries = entries(&before)?;
    let of = |kind: &str| entries.iter().filter(|entry| entry.kind == kind).collect::<Vec<_>>();
    let fees: Vec<(u64, i64)> = of("fees").iter().map(|entry| (entry.remittance, entry.cents)).collect();
    check::equal("fees in the journal", fees, vec![(*number, line.fees)])?;
    let settled: i64 =
        of("settlement").iter().filter(|entry| entry.remittance == *number).map(|entry| entry.cents).sum();
    check::equal("what reached the account", settled - line.fees, line.net)?;
    let (debit, credit) = in_transit(plans, &entries).await?;
    check::equal("debit and credit of what the bank owes", debit, credit)?;
    Ok(format!(
        "remittance {number}: {} − fees {} = {} EUR, {twice}; {} lines, debit = credit = {}",
        written(settled),
        written(line.fees),
        written(line.net),
        entries.len(),
        written(debit)
    ))
}

/// The account of what the bank has captured and not handed over: debited by each capture of the journal, credited by its
/// settlement or its cancellation; what waits for the bank is its balance.
async fn in_transit(plans: &Plans<'_>, entries: &[Entry]) -> Outcome<(i64, i64)> {
    let path = "/v1/settlements/unsettled?older_than_days=0";
    let page = plans.office.ecole.accounting.get(path).await?.json_if(200)?;
    let waiting: BTreeMap<&str, i64> = check::list(&page, "/items")?
        .iter()
        .map(|item| Ok((check::text(item, "/operation")?, check::number(item, "/amount/amount")?)))
        .collect::<Outcome<_>>()?;
    let (mut debit, mut credit) = (0, 0);
    let brought_in = |entry: &&Entry| ["capture", "debit", "surplus"].contains(&entry.kind.as_str());
    for capture in entries.iter().filter(brought_in) {
        let of_it = |kind: &str| -> Vec<i64> {
            let of_it = entries.iter().filter(|entry| entry.kind == kind && entry.operation == capture.operation);
            of_it.map(|entry| entry.cents).collect()
        };
        let mut ends = of_it("settlement");
        ends.extend(waiting.get(capture.operation.as_str()));
        if ends.is_empty() {
            ends = of_it("refund");
        }
        debit += capture.cents;
        credit += ends.iter().sum::<i64>();
        check::equal(&format!("what became of {}", capture.operation), ends, vec![capture.cents])?;
    }
    check::holds("something was captured", debit > 0, entries.len())?;
    Ok((debit, credit))
}

fn drift_of(remittance: u64) -> String {
    format!("fees_not_booked.{remittance}")
}

/// Fetches a file of the school's at the bank, and imports it.
async fn bring(plans: &Plans<'_>, kind: &str, period: &str) -> Outcome<Brought> {
    let query = format!("site={SITE}&rang={}&{period}", ECOLE.rang);
    let text = plans.journey.bank().file(&format!("{kind}.csv"), &query).await?;
    let answer = post(plans, kind, &text).await?;
    check::holds(&format!("{kind} of {period} are taken"), [200, 201].contains(&answer.status), &answer.body)?;
    Ok(Brought { id: check::text(&answer.json()?, "/id")?.to_owned(), text })
}

async fn post(plans: &Plans<'_>, kind: &str, text: &str) -> Outcome<Answer> {
    plans.office.ecole.accounting.post_file(&format!("/v1/imports?file={kind}"), "text/csv", text.as_bytes()).await
}

/// The drifts of an import that somebody has to see to.
async fn ids(plans: &Plans<'_>, import: &str) -> Outcome<Vec<String>> {
    let told = plans.office.ecole.accounting.get(&format!("/v1/imports/{import}/drifts")).await?.json_if(200)?;
    let items = check::list(&told, "/items")?.iter().filter(|item| item.said("/status") == "open");
    let mut ids: Vec<(u64, String)> = items
        .map(|item: &Value| {
            let id = check::text(item, "/id")?;
            Ok((id.rsplit('.').next().unwrap_or_default().parse()?, id.to_owned()))
        })
        .collect::<Outcome<_>>()?;
    ids.sort();
    Ok(ids.into_iter().map(|(_, id)| id).collect())
}

/// One line of the bank's statement, in cents.
struct Line {
    gross: i64,
    fees: i64,
    net: i64,
}

fn remittances(text: &str) -> Outcome<BTreeMap<u64, Line>> {
    let rows = text.lines().skip(1).map(|line| line.split(';').collect::<Vec<_>>());
    rows.map(|row| match row.as_slice() {
        [number, _, gross, fees, net, "EUR"] => {
            Ok((number.parse()?, Line { gross: cents(gross)?, fees: cents(fees)?, net: cents(net)? }))
        }
        _ => Err(Trouble::of(format!("no remittance: {row:?}"))),
    })
    .collect()
}

/// One line of the journal.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    kind: String,
    operation: String,
    remittance: u64,
    cents: i64,
}

/// The journal of the story so far.
async fn table(plans: &Plans<'_>) -> Outcome<String> {
    let calendar = plans.calendar()?;
    let path = format!("/v1/journal?from={}&until={}", calendar.start, calendar.tenth(3)?.tomorrow()?);
    let answer = plans.office.ecole.accounting.get(&path).await?;
    check::equal("the journal", answer.status, 200)?;
    Ok(answer.body)
}

fn entries(table: &str) -> Outcome<Vec<Entry>> {
    let mut lines = table.lines().map(cells);
    let head = lines.next().unwrap_or_default();
    lines
        .map(|line| {
            let cell = |name: &str| {
                let place = head.iter().position(|column| column == name);
                let cell = place.and_then(|place| line.get(place));
                cell.cloned().ok_or_else(|| Trouble::of(format!("no {name} in {line:?}")))
            };
            let amount = cell("amount")?;
            Ok(Entry {
                kind: cell("entry")?,
                operation: cell("operation")?,
                remittance: cell("remittance")?.parse().unwrap_or_default(),
                cents: if amount.is_empty() { 0 } else { cents(&amount)? },
            })
        })
        .collect()
}

/// The cells of a line of comma-separated values.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for character in line.chars() {
        match (character, cells.last_mut()) {
            ('"', _) => quoted = !quoted,
            (',', _) if !quoted => cells.push(String::new()),
            (other, Some(cell)) => cell.push(other),
            (_, None) => {}
        }
    }
    cells
}

/// `1234,56` or `1234.56`.
fn cents(amount: &str) -> Outcome<i64> {
    let is_amount = amount.split_once([',', '.']).is_some_and(|(_, decimals)| decimals.len() == 2);
    check::holds("two decimals", is_amount, amount)?;
    Ok(amount.replace([',', '.'], "").parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read() {
        assert_eq!(cells("a,\"b, c\",,d"), ["a", "b, c", "", "d"]);
        for (amount, expected) in [("601,00", Some(60_100)), ("-1.20", Some(-120)), ("0,05", Some(5)), ("6", None)] {
            assert_eq!(cents(amount).ok(), expected, "{amount}");
        }
        let table = "entry,reference,operation,remittance,amount\nfees,\"a, b\",,7,1.20\nnote,,8,,\n";
        let entry = |kind: &str, operation: &str, remittance, cents| Entry {
            kind: kind.to_owned(),
            operation: operation.to_owned(),
            remittance,
            cents,
        };
        assert_eq!(entries(table).unwrap(), [entry("fees", "", 7, 120), entry("note", "8", 0, 0)]);
        let lines = remittances("remittance;value_date;gross;fees;net;currency\n7;x;601,00;1,20;599,80;EUR\n").unwrap();
        assert_eq!(lines.get(&7).map(|line| (line.gross, line.fees, line.net)), Some((60_100, 120, 59_980)));
    }
}
