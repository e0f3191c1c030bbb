//! At the end three books are laid side by side, to the cent: the bank's ledger, the gateway's, and the payers' accounts;
//! beside them what the payers' banks took back, which stands in the school's own bank's statement only.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{TakenBack, walk::Journey};
use crate::{
    check,
    document::Document,
    gateway::Gateway,
    orders::written,
    trouble::{Outcome, Trouble},
};

/// What came of one order, or of all, in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    captured: i64,
    given_back: i64,
    taken_back: i64,
}

/// Captured and given back of each operation that took money.
type Operations = BTreeMap<String, (i64, i64)>;

/// Per order, per operation, and in total.
pub(super) async fn agree(journey: &Journey, statement: &[TakenBack]) -> Outcome<String> {
    println!(
        "\n    {:<38} {:>27} {:>40}",
        "", "bank: captured  given back", "gateway: captured  given back  taken back"
    );
    let mut ours = Sums::default();
    let mut orders = 0;
    let mut differences = Vec::new();
    for gateway in [&journey.ecole, &journey.annexe, &journey.neutral, &journey.strict] {
        for order in gateway.orders("").await? {
            let sums = booked(&order)?;
            ours.captured += sums.captured;
            ours.given_back += sums.given_back;
            ours.taken_back += sums.taken_back;
            orders += 1;
            differences.extend(compare(journey, gateway, &order, sums).await?);
            differences.extend(compare_statement(&order, statement)?);
            differences.extend(compare_account(gateway, &order, sums).await?);
        }
    }
    let everything = journey.bank().ledger("").await?;
    let banks = at_bank(&everything)?;
    println!("    {:<38} {}", "total", row(banks, ours));
    println!();
    check::holds("all books agree per order", differences.is_empty(), &differences)?;
    check::equal("captured and given back in total", (ours.captured, ours.given_back), banks)?;
    let net = check::number(&everything, "/totals/net")?;
    check::equal("net", ours.captured - ours.given_back, net)?;
    let taken_back: i64 = statement.iter().map(|line| line.cents).sum();
    check::equal("taken back by payers' banks", ours.taken_back, taken_back)?;
    Ok(format!(
        "captured {}, given back {}, net {} EUR on both sides; {} taken back by a payer's bank; {orders} accounts say the same",
        written(banks.0),
        written(banks.1),
        written(net),
        written(taken_back)
    ))
}

/// One order: sums, and each operation of the bank exactly once. Differences are returned, so that all are seen.
async fn compare(journey: &Journey, gateway: &Gateway, order: &Value, ours: Sums) -> Outcome<Option<String>> {
    let id = check::text(order, "/id")?;
    let prefix = format!("{}-{}-", gateway.merchant.prefix, id.strip_prefix("ord_").unwrap_or(id));
    let ledger = journey.bank().ledger(&prefix).await?;
    let banks = at_bank(&ledger)?;
    if banks != (0, 0) || ours != Sums::default() {
        println!("    {id:<38} {}", row(banks, ours));
    }
    let (theirs, known) = (operations_at_bank(&ledger)?, operations_booked(order)?);
    let agrees = banks == (ours.captured, ours.given_back) && theirs == known;
    Ok((!agrees).then(|| format!("{id}: bank {banks:?} {theirs:?}, gateway {ours:?} {known:?}")))
}

/// What a payer's bank took back is booked as the school's statement has it, and nothing else is.
fn compare_statement(order: &Value, statement: &[TakenBack]) -> Outcome<Option<String>> {
    let id = check::text(order, "/id")?;
    let booked: Vec<(&str, i64)> = of_kind(order, &["chargeback"])?
        .map(|entry| Ok((check::text(entry, "/original")?, check::number(entry, "/amount/amount")?)))
        .collect::<Outcome<_>>()?;
    let lines = statement.iter().filter(|line| line.order == id);
    let lines: Vec<(&str, i64)> = lines.map(|line| (line.operation.as_str(), line.cents)).collect();
    Ok((booked != lines).then(|| format!("{id}: the statement has {lines:?}, the gateway {booked:?}")))
}

/// The payer's account tells of the order what its ledger does.
async fn compare_account(gateway: &Gateway, order: &Value, ours: Sums) -> Outcome<Option<String>> {
    let (id, payer) = (check::text(order, "/id")?, check::text(order, "/payer/reference")?);
    let account = gateway.get(&format!("/v1/payers/{payer}/position")).await?.json_if(200)?;
    let told = match check::list(&account, "/orders")?.iter().find(|known| known.said("/order") == id) {
        // It was taken back before it was paid.
        None => Sums::default(),
        Some(known) => {
            let sum = |name: &str| check::number(known, &format!("/sums/{name}/amount"));
            Sums { captured: sum("captured")?, given_back: sum("refunded")?, taken_back: sum("charged_back")? }
        }
    };
    Ok((told != ours).then(|| format!("{id}: the account has {told:?}, the ledger {ours:?}")))
}

fn of_kind<'a>(order: &'a Value, kinds: &'a [&str]) -> Outcome<impl Iterator<Item = &'a Value>> {
    Ok(check::list(order, "/ledger")?.iter().filter(move |entry| kinds.contains(&entry.said("/kind"))))
}

/// The kinds of entries by which money came in. That it reached the school's account moves no money of the payer's.
const CAPTURES: [&str; 2] = ["capture", "surplus"];

/// What the gateway has booked of an order.
fn booked(order: &Value) -> Outcome<Sums> {
    let sum = |kinds: &[&str]| -> Outcome<i64> {
        of_kind(order, kinds)?.map(|entry| check::number(entry, "/amount/amount")).sum()
    };
    Ok(Sums { captured: sum(&CAPTURES)?, given_back: sum(&["refund"])?, taken_back: sum(&["chargeback"])? })
}

fn operations_booked(order: &Value) -> Outcome<Operations> {
    let mut operations = Operations::new();
    for entry in of_kind(order, &CAPTURES)? {
        let (number, cents) = (check::text(entry, "/operation")?, check::number(entry, "/amount/amount")?);
        let is_new = operations.insert(number.to_owned(), (cents, 0)).is_none();
        check::holds("an operation is booked once", is_new, order)?;
    }
    for entry in of_kind(order, &["refund"])? {
        let (original, cents) = (check::text(entry, "/original")?, check::number(entry, "/amount/amount")?);
        let of = operations.get_mut(original).ok_or_else(|| Trouble::of(format!("nothing was booked of {entry}")))?;
        of.1 += cents;
    }
    Ok(operations)
}

fn operations_at_bank(ledger: &Value) -> Outcome<Operations> {
    let operations = check::list(ledger, "/operations")?.iter();
    let took_money = operations.filter(|operation| operation.number("/captured") > Some(0));
    took_money
        .map(|operation| {
            let captured = check::number(operation, "/captured")?;
            let is_cancelled = operation.said("/status") == "cancelled";
            let back = if is_cancelled { captured } else { check::number(operation, "/refunded")? };
            Ok((operation.written("/numtrans"), (captured, back)))
        })
        .collect()
}

/// Captured and given back, as the bank has it.
fn at_bank(ledger: &Value) -> Outcome<(i64, i64)> {
    let total = |name: &str| check::number(ledger, &format!("/totals/{name}"));
    Ok((total("captured")?, total("cancelled")? + total("refunded")?))
}

fn row(banks: (i64, i64), ours: Sums) -> String {
    let pair = |captured: i64, back: i64| format!("{:>14} {:>12}", written(captured), written(back));
    let ours = format!("{} {:>12}", pair(ours.captured, ours.given_back), written(ours.taken_back));
    format!("{} {ours}", pair(banks.0, banks.1))
}
