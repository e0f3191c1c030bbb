//! What one line of a file says.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

use super::{
    Balance, FileKind, MAX_DAYS, Rows,
    table::{Faults, Line, Table},
};
use crate::domain::{
    bank::{Operation, OperationStatus},
    fault::{Fault, FaultKind},
    ids::{OrderId, Reference},
    money::{Currency, MAX_MINOR_UNITS, Money},
    numbers::{CallNumber, OperationNumber},
    text::Text,
};

/// The columns of PAYBOX's file.
const OPERATIONS: [&str; 9] =
    ["operation", "call", "reference", "date", "type", "amount", "currency", "remittance", "status"];
/// The columns of the bank's file.
const REMITTANCES: [&str; 6] = ["remittance", "value_date", "gross", "fees", "net", "currency"];
/// The longest reference, in characters.
const MAX_REFERENCE: usize = 250;

/// What an operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    Payment,
    Refund,
    /// The payer's bank took a payment back; the line has the payment's own number.
    Chargeback,
}

/// An operation, as PAYBOX's file tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationRow {
    pub line: u32,
    pub operation: Operation,
    pub reference: Option<Reference>,
    pub date: Date,
    pub movement: Movement,
    pub amount: Money,
    /// None while it is in none.
    pub remittance: Option<u64>,
    pub status: OperationStatus,
}

/// A remittance, as the bank's file tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemittanceRow {
    pub line: u32,
    pub remittance: u64,
    pub value_date: Date,
    /// Payments less refunds.
    pub gross: Balance,
    pub fees: Money,
    pub net: Balance,
}

impl OperationRow {
    /// The remittance that it was taken out of, for a refund.
    pub fn refunded_in(&self) -> Option<u64> {
        self.remittance.filter(|_| self.movement == Movement::Refund)
    }
}

/// Words of a column, and what they mean.
type Words<T> = &'static [(&'static str, T)];

const MOVEMENTS: Words<Movement> = &[
    ("payment", Movement::Payment),
    ("paiement", Movement::Payment),
    ("refund", Movement::Refund),
    ("remboursement", Movement::Refund),
    ("chargeback", Movement::Chargeback),
    ("impayé", Movement::Chargeback),
];
/// As PAYBOX writes them, and in English.
const STATUSES: Words<OperationStatus> = &[
    ("capturé", OperationStatus::Captured),
    ("captured", OperationStatus::Captured),
    ("autorisé", OperationStatus::Authorised),
    ("authorised", OperationStatus::Authorised),
    ("annulé", OperationStatus::Cancelled),
    ("cancelled", OperationStatus::Cancelled),
    ("remboursé", OperationStatus::Refunded),
    ("refunded", OperationStatus::Refunded),
    ("crédit", OperationStatus::Credited),
    ("credited", OperationStatus::Credited),
    ("refusé", OperationStatus::Refused),
    ("refused", OperationStatus::Refused),
    ("rejet support", OperationStatus::Rejected),
    ("rejected", OperationStatus::Rejected),
];

/// What a file says.
///
/// # Errors
/// What is wrong with it, the first twenty things, each at `/line/column`.
pub fn parse(kind: FileKind, bytes: &[u8]) -> Result<Rows, Vec<Fault>> {
    match kind {
        FileKind::Operations => operations(bytes).map(Rows::Operations),
        FileKind::Remittances => remittances(bytes).map(Rows::Remittances),
    }
}

fn operations(bytes: &[u8]) -> Result<Vec<OperationRow>, Vec<Fault>> {
    let table = Table::read(bytes, &OPERATIONS)?;
    let mut faults = Faults::default();
    let (mut rows, mut known) = (Vec::new(), BTreeSet::new());
    for line in &table.lines {
        let Some(row) = operation(line, &mut faults) else { continue };
        if !known.insert((row.operation.number, row.movement)) {
            faults.add(row.line, "operation", FaultKind::DuplicateId);
        }
        rows.push(row);
    }
    within_a_year(rows.iter().map(|row| (row.line, row.date)), "date", &mut faults);
    faults.end(rows)
}

fn remittances(bytes: &[u8]) -> Result<Vec<RemittanceRow>, Vec<Fault>> {
    let table = Table::read(bytes, &REMITTANCES)?;
    let mut faults = Faults::default();
    let (mut rows, mut known) = (Vec::new(), BTreeSet::new());
    for line in &table.lines {
        let Some(row) = remittance(line, &mut faults) else { continue };
        if !known.insert(row.remittance) {
            faults.add(row.line, "remittance", FaultKind::DuplicateId);
        }
        if row.gross.amount.checked_sub(row.fees.minor_units()) != Some(row.net.amount) {
            faults.add(row.line, "net", FaultKind::DoesNotAddUp);
        }
        rows.push(row);
    }
    within_a_year(rows.iter().map(|row| (row.line, row.value_date)), "value_date", &mut faults);
    faults.end(rows)
}

fn operation(line: &Line, faults: &mut Faults) -> Option<OperationRow> {
    let [number, call, reference, date, movement, amount, currency, remittance, status] = line.cells.as_slice() else {
        return None;
    };
    let at = line.number;
    let number = OperationNumber::parse(number).map_err(|_| FaultKind::WrongType);
    let number = faults.take(at, "operation", number);
    let call = faults.take(at, "call", CallNumber::parse(call).map_err(|_| FaultKind::WrongType));
    let reference =
        if reference.is_empty() { Some(None) } else { faults.take(at, "reference", received(reference)).map(Some) };
    let date = faults.take(at, "date", day(date));
    let movement = faults.take(at, "type", word(movement, MOVEMENTS, &["payment", "refund", "chargeback"]));
    let currency = faults.take(at, "currency", currency_of(currency));
    let amount = currency.and_then(|currency| faults.take(at, "amount", positive(amount, currency)));
    let remittance = faults.take(at, "remittance", optional_remittance(remittance));
    let status = faults.take(at, "status", word(status, STATUSES, &STATUS_NAMES));
    Some(OperationRow {
        line: at,
        operation: Operation { number: number?, call: call? },
        reference: reference?,
        date: date?,
        movement: movement?,
        amount: amount?,
        remittance: remittance?,
        status: status?,
    })
}

/// A reference that holds no card number. An order's id in it may look like one by chance, and is none.
fn received(cell: &str) -> Result<Reference, FaultKind> {
    let is_id = |part: &&str| format!("ord_{part}").parse::<OrderId>().is_ok();
    let judged = cell.split('-').find(is_id).map_or(cell.to_owned(), |id| cell.replacen(id, "id", 1));
    Text::parse(&judged, MAX_REFERENCE).map_err(FaultKind::Text)?;
    Ok(Reference::received(cell))
}

const STATUS_NAMES: [&str; 7] = ["captured", "authorised", "cancelled", "refunded", "credited", "refused", "rejected"];

fn remittance(line: &Line, faults: &mut Faults) -> Option<RemittanceRow> {
    let [remittance, value_date, gross, fees, net, currency] = line.cells.as_slice() else { return None };
    let at = line.number;
    let remittance = optional_remittance(remittance).and_then(|number| number.ok_or(FaultKind::Missing));
    let remittance = faults.take(at, "remittance", remittance);
    let value_date = faults.take(at, "value_date", day(value_date));
    let currency = faults.take(at, "currency", currency_of(currency))?;
    let sum = |cell: &str| signed(cell, currency).map(|amount| Balance { amount, currency });
    let gross = faults.take(at, "gross", sum(gross));
    let fees = faults.take(at, "fees", positive(fees, currency));
    let net = faults.take(at, "net", sum(net));
    let (remittance, value_date, gross, fees, net) = (remittance?, value_date?, gross?, fees?, net?);
    Some(RemittanceRow { line: at, remittance, value_date, gross, fees, net })
}

/// A file of more than a year is a file of something else.
fn within_a_year(days: impl Iterator<Item = (u32, Date)> + Clone, column: &str, faults: &mut Faults) {
    let Some(first) = days.clone().map(|(_, day)| day).min() else { return };
    let span = |day: Date| first.until(day).map_or(i32::MAX, |span| span.get_days());
    for (line, _) in days.filter(|(_, day)| span(*day) >= MAX_DAYS) {
        faults.add(line, column, FaultKind::NotWithThis);
    }
}

/// `2026-11-23` or `23/11/2026`, of this century.
fn day(cell: &str) -> Result<Date, FaultKind> {
    let has_form = |form: &str| {
        cell.len() == form.len()
            && cell.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'd' => byte.is_ascii_digit(),
                _ => byte == form,
            })
    };
    let iso = if has_form("20dd-dd-dd") {
        Some(cell.to_owned())
    } else if has_form("dd/dd/20dd") {
        let mut parts = cell.split('/').rev();
        Some([parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default).join("-"))
    } else {
        None
    };
    iso.and_then(|iso| iso.parse().ok()).ok_or(FaultKind::NotADay)
}

fn word<T: Clone>(cell: &str, words: Words<T>, names: &'static [&'static str]) -> Result<T, FaultKind> {
    let cell = cell.to_lowercase();
    let found = words.iter().find(|(word, _)| *word == cell);
    found.map(|(_, meaning)| meaning.clone()).ok_or(FaultKind::NotOneOf(names))
}

fn currency_of(cell: &str) -> Result<Currency, FaultKind> {
    let found = Currency::ALL.into_iter().find(|currency| currency.letters().eq_ignore_ascii_case(cell));
    found.ok_or(FaultKind::NotOneOf(&["EUR", "USD", "GBP", "CHF", "CAD", "JPY", "XOF"]))
}

/// A remittance's number; PAYBOX writes zeros for "none".
fn optional_remittance(cell: &str) -> Result<Option<u64>, FaultKind> {
    if cell.is_empty() {
        return Ok(None);
    }
    let plain = cell.len() <= 19 && cell.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = cell.parse().ok().filter(|_| plain).ok_or(FaultKind::WrongType)?;
    Ok(Some(number).filter(|number| *number > 0))
}

fn positive(cell: &str, currency: Currency) -> Result<Money, FaultKind> {
    signed(cell, currency).and_then(|units| Money::new(units, currency).map_err(|_| FaultKind::AmountOutOfRange))
}

/// `1234.56` or `1234,56`, in minor units; no blanks, no more decimals than the currency has.
fn signed(cell: &str, currency: Currency) -> Result<i64, FaultKind> {
    let not_an_amount = FaultKind::NotAnAmount { decimals: currency.exponent() };
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let (whole, decimals) = digits.split_once(['.', ',']).map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = usize::try_from(currency.exponent()).unwrap_or_default();
    let fits = is_digits(whole) && decimals.is_none_or(|rest| is_digits(rest) && rest.len() <= exponent);
    if !fits {
        return Err(not_an_amount);
    }
    let major: Decimal = cell.replace(',', ".").parse().map_err(|_| FaultKind::AmountOutOfRange)?;
    let scale = Decimal::from(10_u32.pow(currency.exponent()));
    let units = major.checked_mul(scale).and_then(|units| units.to_i64());
    units.filter(|units| units.unsigned_abs() <= MAX_MINOR_UNITS.unsigned_abs()).ok_or(FaultKind::AmountOutOfRange)
}
