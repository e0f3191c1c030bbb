//! The two files that an accountant fetches: PAYBOX's operations and the bank's remittances, as a French back office
//! writes them.

use crate::ledger::{Kind, Ledger, Operation, Status};
use crate::wire::form::Fields;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// What the bank keeps of each payment, in hundredths of a percent.
const FEE_BASIS_POINTS: i64 = 20;

/// Which operations a file is about.
struct Wanted<'a> {
    from: Option<Date>,
    until: Option<Date>,
    site: &'a str,
    rang: Option<u32>,
    reference_prefix: &'a str,
    zone: TimeZone,
}

impl<'a> Wanted<'a> {
    fn read(query: &'a Fields) -> Result<Self, String> {
        let day = |name: &str| -> Result<Option<Date>, String> {
            let text = query.text(name);
            if text.is_empty() {
                return Ok(None);
            }
            text.parse().map(Some).map_err(|_| format!("{name} is not a day such as 2026-11-23"))
        };
        let rang = query.text("rang");
        let rang = if rang.is_empty() { None } else { Some(rang.parse().map_err(|_| "rang is not a number")?) };
        Ok(Self {
            from: day("from")?,
            until: day("until")?,
            site: query.text("site"),
            rang,
            reference_prefix: query.text("reference_prefix"),
            zone: TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC),
        })
    }

    fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    fn is_within(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    fn is_of_merchant(&self, operation: &Operation) -> bool {
        (self.site.is_empty() || operation.merchant.site == self.site)
            && self.rang.is_none_or(|rang| operation.merchant.rang == rang)
            && operation.reference.starts_with(self.reference_prefix)
    }
}

/// The file of that name, if there is one.
pub fn write(ledger: &Ledger, file: &str, query: &Fields) -> Option<Result<String, String>> {
    let make = match file {
        "operations.csv" => operations,
        "remittances.csv" => remittances,
        _ => return None,
    };
    Some(Wanted::read(query).map(|wanted| make(ledger, &wanted)))
}

fn operations(ledger: &Ledger, wanted: &Wanted<'_>) -> String {
    let mut table = "\u{feff}operation;call;reference;date;type;amount;currency;remittance;status\r\n".to_owned();
    for operation in ledger.iter().filter(|operation| wanted.is_of_merchant(operation)) {
        let day = wanted.day(operation.at);
        if !wanted.is_within(day) {
            continue;
        }
        let movement = match operation.kind {
            Kind::Payment | Kind::Authorisation => "paiement",
            Kind::Refund | Kind::Credit => "remboursement",
        };
        let line = [
            operation.numtrans.to_string(),
            operation.numappel.to_string(),
            quoted(&operation.reference),
            day.strftime("%d/%m/%Y").to_string(),
            movement.to_owned(),
            amount(moved(operation), &operation.currency),
            letters(&operation.currency).to_owned(),
            operation.settled_remise.map(|remise| remise.to_string()).unwrap_or_default(),
            operation.status.wire().to_owned(),
        ];
        table.push_str(&line.join(";"));
        table.push_str("\r\n");
    }
    table
}

/// One line for each batch and currency; its value date is the day on which it was made.
fn remittances(ledger: &Ledger, wanted: &Wanted<'_>) -> String {
    let mut table = "\u{feff}remittance;value_date;gross;fees;net;currency\r\n".to_owned();
    for (remise, at) in ledger.remises() {
        let day = wanted.day(at);
        let of_it = ledger.iter().filter(|operation| {
            operation.settled_remise == Some(remise) && wanted.is_of_merchant(operation) && wanted.is_within(day)
        });
        let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for operation in of_it {
            let (gross, paid) = sums.entry(&operation.currency).or_default();
            match operation.kind {
                Kind::Payment | Kind::Authorisation => {
                    *gross += moved(operation);
                    *paid += moved(operation);
                }
                Kind::Refund | Kind::Credit => *gross -= moved(operation),
            }
        }
        for (currency, (gross, paid)) in sums {
            let fees = (paid * FEE_BASIS_POINTS + 5_000) / 10_000;
            let line = [
                remise.to_string(),
                day.strftime("%d/%m/%Y").to_string(),
                amount(gross, currency),
                amount(fees, currency),
                amount(gross - fees, currency),
                letters(currency).to_owned(),
            ];
            table.push_str(&line.join(";"));
            table.push_str("\r\n");
        }
    }
    table
}

/// What an operation moved, or would have.
fn moved(operation: &Operation) -> i64 {
    let captured = matches!(operation.status, Status::Captured | Status::Refunded);
    let units = if captured { operation.captured } else { operation.amount };
    i64::try_from(units).unwrap_or(i64::MAX)
}

fn quoted(cell: &str) -> String {
    if cell.contains([';', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// Minor units with a comma; yen and CFA francs have none.
fn amount(minor_units: i64, currency: &str) -> String {
    if matches!(currency, "392" | "952") {
        return minor_units.to_string();
    }
    let (sign, units) = (if minor_units < 0 { "-" } else { "" }, minor_units.unsigned_abs());
    format!("{sign}{},{:02}", units / 100, units % 100)
}

fn letters(number: &str) -> &str {
    match number {
        "978" => "EUR",
        "840" => "USD",
        "826" => "GBP",
        "756" => "CHF",
        "124" => "CAD",
        "392" => "JPY",
        "952" => "XOF",
        other => other,
    }
}
