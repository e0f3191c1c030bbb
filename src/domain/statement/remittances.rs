//! The bank's remittances against what we know to be collected in them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Balance, Drift, DriftKind, EntryName, Side, compare::balance, rows::RemittanceRow};
use crate::domain::money::Money;

/// What we know to be collected in one remittance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// Payments, less the refunds that PAYBOX's files show in it.
    pub sum: Balance,
    /// The day on which the last of it was booked.
    pub on: Date,
}

/// What we know of remittances, as far as it may concern a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remittances {
    /// Those of the file and those booked on its days.
    pub ours: BTreeMap<u64, Collected>,
    /// Fees that are booked.
    pub fees: BTreeMap<u64, Money>,
    /// Remittances that other statements show.
    pub elsewhere: BTreeSet<u64>,
}

/// Every place where the file and what we know do not agree. `rows` are all that the file has.
pub fn compare_remittances(rows: &[RemittanceRow], known: &Remittances) -> Vec<Drift> {
    let mut drifts: Vec<Drift> = rows.iter().flat_map(|row| of_row(row, known)).collect();
    let days = rows.iter().map(|row| row.value_date);
    let Some((from, until)) = days.clone().min().zip(days.max()) else { return drifts };
    let shown: BTreeSet<u64> = rows.iter().map(|row| row.remittance).collect();
    for (remittance, ours) in &known.ours {
        let is_shown = shown.contains(remittance) || known.elsewhere.contains(remittance);
        if !is_shown && (from..=until).contains(&ours.on) {
            let ledger = Side { on: Some(ours.on), ..side(*remittance, ours.sum) };
            drifts.push(Drift {
                line: None,
                file: None,
                ledger: Some(ledger),
                ..drift(DriftKind::NotInStatement, *remittance, EntryName::Note)
            });
        }
    }
    drifts
}

fn of_row(row: &RemittanceRow, known: &Remittances) -> Vec<Drift> {
    let file = Side { on: Some(row.value_date), ..side(row.remittance, row.gross) };
    let make = |kind: DriftKind, ledger: Option<Side>| Drift {
        line: Some(row.line),
        file: Some(file.clone()),
        ledger,
        ..drift(kind, row.remittance, EntryName::Note)
    };
    let mut drifts = Vec::new();
    match known.ours.get(&row.remittance) {
        None => drifts.push(make(DriftKind::UnknownRemittance, None)),
        Some(ours) => {
            let ledger = Side { on: Some(ours.on), ..side(row.remittance, ours.sum) };
            if ours.sum.currency != row.gross.currency {
                drifts.push(make(DriftKind::CurrencyDiffers, Some(ledger)));
            } else if ours.sum != row.gross {
                drifts.push(make(DriftKind::GrossDiffers, Some(ledger)));
            }
        }
    }
    let of_fees = |amount: Money| Some(side(row.remittance, balance(amount)));
    match known.fees.get(&row.remittance) {
        None if row.fees.is_zero() => {}
        None => drifts.push(Drift {
            file: of_fees(row.fees),
            entries: vec![EntryName::Fees, EntryName::Note],
            ..make(DriftKind::FeesNotBooked, None)
        }),
        Some(booked) if *booked != row.fees => {
            drifts.push(Drift { file: of_fees(row.fees), ..make(DriftKind::FeesDiffer, of_fees(*booked)) });
        }
        Some(_) => {}
    }
    drifts
}

fn side(remittance: u64, amount: Balance) -> Side {
    Side { amount: Some(amount), remittance: Some(remittance), status: None, on: None }
}

fn drift(kind: DriftKind, remittance: u64, entry: EntryName) -> Drift {
    Drift {
        id: format!("{}.{remittance}", kind.name()),
        kind,
        line: None,
        operation: None,
        remittance: Some(remittance),
        order: None,
        page: None,
        file: None,
        ledger: None,
        entries: vec![entry],
    }
}
