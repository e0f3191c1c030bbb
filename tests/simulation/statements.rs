//! The files that an accountant fetches, written from the bank's own ledger: PAYBOX's operations and the bank's remittances.

use std::collections::{BTreeMap, BTreeSet};

use guichet::domain::{
    bank::OperationStatus,
    statement::{FileKind, Movement},
};
use jiff::{ToSpan, civil::Date};

use crate::{
    bank::{Made, Moved},
    world::Inner,
};

/// What the bank keeps of each payment, in hundredths of a percent.
const FEE_BASIS_POINTS: i64 = 20;

/// One line of PAYBOX's file, and what the bank had of the operation when it wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) movement: Movement,
    pub(crate) on: Date,
    pub(crate) moved: Moved,
}

/// One line of the bank's file, in minor units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remitted {
    pub(crate) on: Date,
    pub(crate) gross: i64,
    pub(crate) fees: i64,
}

/// What a file tells.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Operations(Vec<Shown>),
    Remittances(BTreeMap<u64, Remitted>),
}

#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) merchant: String,
    pub(crate) text: String,
    pub(crate) told: Told,
    /// It tells of everything since the merchant's first day.
    pub(crate) is_whole: bool,
    /// It is known to be kept.
    pub(crate) is_kept: bool,
}

impl File {
    pub(crate) fn kind(&self) -> FileKind {
        match self.told {
            Told::Operations(_) => FileKind::Operations,
            Told::Remittances(_) => FileKind::Remittances,
        }
    }

    pub(crate) fn days(&self) -> (Date, Date) {
        let days: Vec<Date> = match &self.told {
            Told::Operations(shown) => shown.iter().map(|shown| shown.on).collect(),
            Told::Remittances(remitted) => remitted.values().map(|remitted| remitted.on).collect(),
        };
        (*days.iter().min().unwrap(), *days.iter().max().unwrap())
    }
}

/// A merchant's file since a day; none when it would be empty.
pub(crate) fn write(inner: &Inner, merchant: &str, kind: FileKind, since: Option<Date>) -> Option<File> {
    let is_within = |on: Date| since.is_none_or(|since| since <= on);
    let all = operations(inner, merchant);
    let (text, told) = match kind {
        FileKind::Operations => {
            let shown: Vec<Shown> = all.into_iter().filter(|shown| is_within(shown.on)).collect();
            if shown.is_empty() {
                return None;
            }
            let lines = shown.iter().map(operation);
            let head = "\u{feff}operation;call;reference;date;type;amount;currency;remittance;status\r\n";
            (head.to_owned() + &lines.collect::<String>(), Told::Operations(shown))
        }
        FileKind::Remittances => {
            let mut remitted = remittances(&all);
            remitted.retain(|_, remitted| is_within(remitted.on));
            if remitted.is_empty() {
                return None;
            }
            let lines = remitted.iter().map(|(number, remitted)| {
                let (on, gross, fees) = (remitted.on, euros(remitted.gross, "."), euros(remitted.fees, "."));
                format!("{on},{number},{gross},{fees},{},EUR\n", euros(remitted.gross - remitted.fees, "."))
            });
            let head = "value_date,remittance,gross,fees,net,currency\n";
            (head.to_owned() + &lines.collect::<String>(), Told::Remittances(remitted))
        }
    };
    Some(File { merchant: merchant.to_owned(), text, told, is_whole: since.is_none(), is_kept: false })
}

fn operations(inner: &Inner, merchant: &str) -> Vec<Shown> {
    let day = |at: jiff::Timestamp| at.to_zoned(inner.zone.clone()).date();
    let mut all = Vec::new();
    for moved in inner.bank.moved.iter().filter(|moved| moved.merchant == merchant) {
        let movement = if moved.made == Made::Refund { Movement::Refund } else { Movement::Payment };
        all.push(Shown { movement, on: day(moved.at), moved: moved.clone() });
        if let Some(at) = moved.charged_back {
            all.push(Shown { movement: Movement::Chargeback, on: day(at), moved: moved.clone() });
        }
    }
    all
}

fn operation(shown: &Shown) -> String {
    let (moved, on) = (&shown.moved, shown.on.strftime("%d/%m/%Y"));
    let (word, status) = match shown.movement {
        Movement::Payment => ("paiement", status(&moved.status)),
        Movement::Refund => ("remboursement", "Crédit"),
        Movement::Chargeback => ("impayé", "Rejet support"),
    };
    let (number, call) = (moved.operation.number.wire(), moved.operation.call.wire());
    let (reference, amount) = (&moved.reference, euros(moved.amount.minor_units(), ","));
    let remittance = moved.remittance.unwrap_or_default();
    format!("{number};{call};{reference};{on};{word};{amount};EUR;{remittance};{status}\r\n")
}

fn status(status: &OperationStatus) -> &'static str {
    match status {
        OperationStatus::Captured => "Capturé",
        OperationStatus::Authorised => "Autorisé",
        OperationStatus::Cancelled => "Annulé",
        OperationStatus::Refunded => "Remboursé",
        OperationStatus::Refused => "Refusé",
        other => panic!("{other:?}"),
    }
}

/// Payments less refunds of each remittance; its value date is the day that it was made on.
fn remittances(all: &[Shown]) -> BTreeMap<u64, Remitted> {
    let numbers: BTreeSet<u64> = all.iter().filter_map(|shown| shown.moved.remittance).collect();
    let of = |number: u64, movement: Movement| -> i64 {
        let in_it = all.iter().filter(|shown| shown.moved.remittance == Some(number) && shown.movement == movement);
        in_it.map(|shown| shown.moved.amount.minor_units()).sum()
    };
    let remitted = |number: u64| {
        let (paid, refunded) = (of(number, Movement::Payment), of(number, Movement::Refund));
        let fees = (paid * FEE_BASIS_POINTS + 5_000) / 10_000;
        Remitted { on: day_of(number), gross: paid - refunded, fees }
    };
    numbers.into_iter().map(|number| (number, remitted(number))).collect()
}

/// The number of the remittance of a day.
pub(crate) fn remittance_of(day: Date) -> u64 {
    u64::from(day.year().unsigned_abs()) * 1_000 + u64::from(day.day_of_year().unsigned_abs())
}

fn day_of(remittance: u64) -> Date {
    let (year, day) = (i16::try_from(remittance / 1_000).unwrap(), i64::try_from(remittance % 1_000).unwrap());
    Date::new(year, 1, 1).unwrap().checked_add((day - 1).days()).unwrap()
}

fn euros(cents: i64, point: &str) -> String {
    let (sign, units) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
    format!("{sign}{}{point}{:02}", units / 100, units % 100)
}
