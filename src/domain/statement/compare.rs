//! PAYBOX's operations against our ledger, as it stands now.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{civil::Date, tz::TimeZone};

use super::{
    Balance, Drift, DriftKind, EntryName, Side,
    rows::{Movement, OperationRow},
};
use crate::domain::{
    attempt::AttemptState,
    bank::{MoneyCall, OperationStatus},
    ids::{CheckoutNumber, OrderId},
    ledger::{Entry, EntryKind},
    money::Money,
    numbers::{CallNumber, OperationNumber},
    order::Order,
};

/// What we know, as far as it may concern a file.
pub struct Books<'a> {
    /// Every order that has something of the file's or of its days in its ledger; each once.
    pub orders: &'a [Order],
    /// Pages of ours by their references, for operations that no ledger has.
    pub pages: &'a BTreeMap<String, (OrderId, CheckoutNumber)>,
    /// Operations that files of the days beside this one's show.
    pub elsewhere: &'a BTreeSet<OperationNumber>,
    /// Whose days count.
    pub zone: &'a TimeZone,
}

/// An order's entry.
type Known<'a> = (&'a Order, &'a Entry);

/// The ledgers, by what a file calls things.
struct Index<'a> {
    money_in: BTreeMap<OperationNumber, Known<'a>>,
    /// Refunds of ours by the numbers that the file has them under.
    refunds: BTreeMap<OperationNumber, Known<'a>>,
    by_call: BTreeMap<CallNumber, &'a Order>,
}

impl<'a> Index<'a> {
    fn of(orders: &'a [Order], rows: &[OperationRow]) -> Self {
        let entries = || orders.iter().flat_map(|order| order.ledger.iter().map(move |entry| (order, entry)));
        Self {
            money_in: entries()
                .filter(|(_, entry)| is_money_in(entry))
                .map(|(order, entry)| (entry.operation.number, (order, entry)))
                .collect(),
            refunds: refunds_of(rows, entries().filter(|(order, entry)| is_refund(order, entry)).collect()),
            by_call: entries().map(|(order, entry)| (entry.operation.call, order)).collect(),
        }
    }
}

/// Our entries of a file's refunds: of their numbers, or else of their call and amount, where a number never reached us.
/// Each is of one line: two refunds of a payment may be of the same amount, and one of them unknown.
fn refunds_of<'a>(rows: &[OperationRow], mut known: Vec<Known<'a>>) -> BTreeMap<OperationNumber, Known<'a>> {
    let by_number = |row: &OperationRow, entry: &Entry| entry.operation.number == row.operation.number;
    let by_call = |row: &OperationRow, entry: &Entry| {
        let is_unnumbered =
            matches!(entry.kind, EntryKind::GivenBack { original, .. } if original == entry.operation.number);
        is_unnumbered && entry.operation.call == row.operation.call && entry.amount == row.amount
    };
    let mut refunds = BTreeMap::new();
    let has_gone = |row: &&OperationRow| row.movement == Movement::Refund && has_moved(&row.status);
    let mut left: Vec<&OperationRow> = rows.iter().filter(has_gone).collect();
    for is_it in [&by_number as &dyn Fn(&OperationRow, &Entry) -> bool, &by_call] {
        left.retain(|row| {
            let place = known.iter().position(|(_, entry)| is_it(row, entry));
            refunds.extend(place.map(|place| (row.operation.number, known.swap_remove(place))));
            place.is_none()
        });
    }
    refunds
}

fn is_money_in(entry: &Entry) -> bool {
    match entry.kind {
        EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::Surplus { .. } => true,
        EntryKind::GivenBack { .. } | EntryKind::Settlement { .. } | EntryKind::Chargeback { .. } => false,
    }
}

/// Whether it gave money back by an operation of its own. A cancellation has its payment's number, as has a refund that
/// only the payment's status told of.
fn is_refund(order: &Order, entry: &Entry) -> bool {
    match entry.kind {
        EntryKind::GivenBack { original, .. } => {
            original != entry.operation.number || is_refunded_by_status(order, original)
        }
        EntryKind::Capture { .. }
        | EntryKind::Debit { .. }
        | EntryKind::Surplus { .. }
        | EntryKind::Settlement { .. }
        | EntryKind::Chargeback { .. } => false,
    }
}

/// Whether a refund of all of it was carried out under a number that never reached us.
fn is_refunded_by_status(order: &Order, number: OperationNumber) -> bool {
    let of_it = order.give_backs.iter().filter(|given| given.operation.number == number);
    of_it.flat_map(|given| &given.attempts).any(|attempt| {
        let is_refund = matches!(attempt.call, MoneyCall::Refund { .. });
        is_refund && matches!(attempt.state, AttemptState::Accepted { operation, .. } if operation.number == number)
    })
}

/// What went back of a payment, in all.
fn given_back(order: &Order, number: OperationNumber) -> i64 {
    let of_it = order
        .ledger
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::GivenBack { original, .. } if original == number));
    of_it.map(|entry| entry.amount.minor_units()).sum()
}

fn is_cancelled(order: &Order, entry: &Entry) -> bool {
    let number = entry.operation.number;
    order.ledger.iter().any(|other| {
        other.operation.number == number
            && matches!(other.kind, EntryKind::GivenBack { original, .. } if original == number)
            && !is_refund(order, other)
    })
}

fn settled_in(order: &Order, number: OperationNumber) -> Option<u64> {
    order.ledger.iter().find_map(|entry| match entry.kind {
        EntryKind::Settlement { original, remittance } if original == number => Some(remittance),
        EntryKind::Settlement { .. }
        | EntryKind::Capture { .. }
        | EntryKind::Debit { .. }
        | EntryKind::Surplus { .. }
        | EntryKind::GivenBack { .. }
        | EntryKind::Chargeback { .. } => None,
    })
}

fn is_charged_back(order: &Order, number: OperationNumber) -> bool {
    let of_it = |entry: &Entry| matches!(entry.kind, EntryKind::Chargeback { original, .. } if original == number);
    order.ledger.iter().any(of_it)
}

/// Whether an operation of this status moved money, or may have.
fn has_moved(status: &OperationStatus) -> bool {
    match status {
        OperationStatus::Captured
        | OperationStatus::Refunded
        | OperationStatus::Credited
        | OperationStatus::Rejected
        | OperationStatus::Other(_) => true,
        OperationStatus::Authorised | OperationStatus::Cancelled | OperationStatus::Refused => false,
    }
}

pub(super) fn balance(amount: Money) -> Balance {
    Balance { amount: amount.minor_units(), currency: amount.currency() }
}

/// Every place where the file and the ledger do not agree. `rows` are all that the file has.
pub fn compare_operations(rows: &[OperationRow], books: &Books<'_>) -> Vec<Drift> {
    let index = Index::of(books.orders, rows);
    let mut drifts = Vec::new();
    for row in rows {
        match row.movement {
            Movement::Payment => payment(row, &index, books, &mut drifts),
            Movement::Refund => refund(row, &index, &mut drifts),
            Movement::Chargeback => chargeback(row, &index, &mut drifts),
        }
    }
    not_in_file(rows, books, &mut drifts);
    drifts
}

/// A drift of a line that our ledger has, or has not.
fn of_row(kind: DriftKind, row: &OperationRow, known: Option<Known<'_>>, entries: &[EntryName]) -> Drift {
    let number = row.operation.number;
    Drift {
        id: format!("{}.{number}", kind.name()),
        kind,
        line: Some(row.line),
        operation: Some(number),
        remittance: row.remittance,
        order: known.map(|(order, _)| order.id),
        page: None,
        file: Some(Side {
            amount: Some(balance(row.amount)),
            remittance: row.remittance,
            status: Some(row.status.clone()),
            on: Some(row.date),
        }),
        ledger: known.map(|(order, entry)| of_ledger(order, entry)),
        entries: entries.to_vec(),
    }
}

fn of_ledger(order: &Order, entry: &Entry) -> Side {
    let status = if is_refund(order, entry) {
        OperationStatus::Credited
    } else if is_cancelled(order, entry) {
        OperationStatus::Cancelled
    } else if given_back(order, entry.operation.number) == entry.amount.minor_units() {
        OperationStatus::Refunded
    } else {
        OperationStatus::Captured
    };
    let remittance = settled_in(order, entry.operation.number);
    Side { amount: Some(balance(entry.amount)), remittance, status: Some(status), on: None }
}

fn payment(row: &OperationRow, index: &Index<'_>, books: &Books<'_>, drifts: &mut Vec<Drift>) {
    let number = row.operation.number;
    let Some((order, entry)) = index.money_in.get(&number).copied() else {
        if has_moved(&row.status) {
            let page = row.reference.as_ref().and_then(|reference| books.pages.get(reference.as_str()));
            // Only the bank's answer to us books a payment, whatever a file says.
            let entries: &[EntryName] =
                if page.is_some() { &[EntryName::Question, EntryName::Note] } else { &[EntryName::Note] };
            let mut drift = of_row(DriftKind::UnknownOperation, row, None, entries);
            (drift.order, drift.page) = (page.map(|(order, _)| *order), page.map(|(_, page)| *page));
            drifts.push(drift);
        }
        return;
    };
    let mut differs =
        |kind: DriftKind, entries: &[EntryName]| drifts.push(of_row(kind, row, Some((order, entry)), entries));
    let same_money = row.amount == entry.amount;
    if row.amount.currency() != entry.amount.currency() {
        differs(DriftKind::CurrencyDiffers, &[EntryName::Note]);
    } else if !same_money {
        differs(DriftKind::AmountDiffers, &[EntryName::Note]);
    }
    let same_status = match row.status {
        // A file may be older than what was cancelled since; what was collected cannot be cancelled.
        OperationStatus::Captured => !is_cancelled(order, entry) || row.remittance.is_none(),
        OperationStatus::Cancelled => is_cancelled(order, entry),
        OperationStatus::Refunded => given_back(order, number) == entry.amount.minor_units(),
        OperationStatus::Authorised
        | OperationStatus::Credited
        | OperationStatus::Refused
        | OperationStatus::Rejected
        | OperationStatus::Other(_) => false,
    };
    if !same_status {
        differs(DriftKind::StatusDiffers, &[EntryName::Note]);
    }
    // A file without a remittance was made before there was one.
    let Some(remittance) = row.remittance else { return };
    let is_unsettled = order.unsettled.iter().any(|unsettled| unsettled.operation.number == number);
    match settled_in(order, number) {
        Some(known) if known != remittance => differs(DriftKind::RemittanceDiffers, &[EntryName::Note]),
        None if is_unsettled && same_money && same_status => {
            differs(DriftKind::NotSettledHere, &[EntryName::Settlement, EntryName::Note]);
        }
        Some(_) | None => {}
    }
}

fn refund(row: &OperationRow, index: &Index<'_>, drifts: &mut Vec<Drift>) {
    if !has_moved(&row.status) {
        return;
    }
    match index.refunds.get(&row.operation.number).copied() {
        Some(known) if known.1.amount.currency() != row.amount.currency() => {
            drifts.push(of_row(DriftKind::CurrencyDiffers, row, Some(known), &[EntryName::Note]));
        }
        Some(known) if known.1.amount != row.amount => {
            drifts.push(of_row(DriftKind::AmountDiffers, row, Some(known), &[EntryName::Note]));
        }
        Some(_) => {}
        None => {
            let mut drift = of_row(DriftKind::UnknownRefund, row, None, &[EntryName::Note]);
            drift.order = index.by_call.get(&row.operation.call).map(|order| order.id);
            drifts.push(drift);
        }
    }
}

fn chargeback(row: &OperationRow, index: &Index<'_>, drifts: &mut Vec<Drift>) {
    let number = row.operation.number;
    let known = index.money_in.get(&number).copied();
    if !has_moved(&row.status) || known.is_some_and(|(order, _)| is_charged_back(order, number)) {
        return;
    }
    // Surplus pays no instalment, and a part of a payment reopens none: a person looks.
    let can_be_booked = known.is_some_and(|(order, entry)| {
        let pays = matches!(entry.kind, EntryKind::Capture { .. } | EntryKind::Debit { .. });
        pays && entry.amount == row.amount && order.refundable(&number) == Some(entry.amount)
    });
    let entries: &[EntryName] =
        if can_be_booked { &[EntryName::Chargeback, EntryName::Note] } else { &[EntryName::Note] };
    drifts.push(of_row(DriftKind::UnknownChargeback, row, known, entries));
}

/// What our ledger has on the file's days, and neither it nor the files beside it have.
fn not_in_file(rows: &[OperationRow], books: &Books<'_>, drifts: &mut Vec<Drift>) {
    let days = rows.iter().map(|row| row.date);
    let Some((from, until)) = days.clone().min().zip(days.max()) else { return };
    // Also what only a chargeback names: its payment is in the file of another day.
    let shown: BTreeSet<OperationNumber> = rows.iter().map(|row| row.operation.number).collect();
    let day = |entry: &Entry| -> Date { entry.at.to_zoned(books.zone.clone()).date() };
    for order in books.orders {
        for entry in &order.ledger {
            let number = entry.operation.number;
            let has_number = !matches!(entry.kind, EntryKind::GivenBack { original, .. } if original == number);
            let counts = (is_money_in(entry) && !is_cancelled(order, entry)) || (is_refund(order, entry) && has_number);
            let is_shown = shown.contains(&number) || books.elsewhere.contains(&number);
            if counts && !is_shown && (from..=until).contains(&day(entry)) {
                drifts.push(Drift {
                    id: format!("{}.{number}", DriftKind::NotInFile.name()),
                    kind: DriftKind::NotInFile,
                    line: None,
                    operation: Some(number),
                    remittance: settled_in(order, number),
                    order: Some(order.id),
                    page: None,
                    file: None,
                    ledger: Some(Side { on: Some(day(entry)), ..of_ledger(order, entry) }),
                    entries: vec![EntryName::Note],
                });
            }
        }
    }
}
