//! All that was booked in a period, for the accounting software.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    App, Error,
    access::Caller,
    imports::{Entries, days},
};
use crate::domain::{
    actor::Actor,
    correction::JournalKind,
    ids::{MerchantId, OrderId},
    ledger::EntryKind,
    numbers::OperationNumber,
    order::Order,
    statement::{Balance, EntryName},
};

/// The most days of one journal.
pub const MAX_DAYS: usize = 92;

/// One thing that was booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLine {
    pub at: Timestamp,
    pub entry: &'static str,
    pub order: Option<OrderId>,
    pub reference: Option<String>,
    pub payer: Option<String>,
    pub instalment: Option<u32>,
    pub operation: Option<OperationNumber>,
    pub remittance: Option<u64>,
    /// None for a note that changes no account.
    pub amount: Option<Balance>,
    pub by: Option<Actor>,
    pub reason: Option<String>,
}

/// The days on which something of an order was booked.
pub(super) fn booked_labels(order: &Order, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let moments = (order.ledger.iter().map(|entry| entry.at))
        .chain(order.journal.iter().map(|entry| entry.at))
        .chain(order.credit_notes.iter().map(|note| note.at));
    let mut labels: Vec<(&'static str, String)> =
        moments.map(|at| ("booked_on", at.to_zoned(zone.clone()).date().to_string())).collect();
    labels.sort();
    labels.dedup();
    labels
}

impl App {
    /// All that was booked from one day to another, in the order of time.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a merchant that is not the caller's, [`Error::Unavailable`].
    pub async fn journal(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        (from, until): (Date, Date),
    ) -> Result<Vec<JournalLine>, Error> {
        let merchant = self.merchant_of(caller, merchant)?;
        let mut lines = Vec::new();
        for day in days(from, until).take(MAX_DAYS) {
            let is_of_day = |line: &JournalLine| merchant.policy.day(None, line.at) == day;
            let labels = [("booked_on", day.to_string())];
            for found in self.all_labelled(caller, &merchant.id, &labels).await? {
                lines.extend(of_order(&found.order).into_iter().filter(is_of_day));
            }
            for entries in self.all_entries(&merchant.id, &labels).await? {
                lines.extend(of_import(&entries).into_iter().filter(is_of_day));
            }
        }
        lines.sort_by_key(|line| (line.at, line.order, line.operation));
        Ok(lines)
    }
}

/// What was booked in an order.
fn of_order(order: &Order) -> Vec<JournalLine> {
    let line = |at: Timestamp, entry: &'static str, amount: crate::domain::money::Money| JournalLine {
        at,
        entry,
        order: Some(order.id),
        reference: Some(order.reference.as_str().to_owned()),
        payer: Some(order.payer.reference.as_str().to_owned()),
        instalment: None,
        operation: None,
        remittance: None,
        amount: Some(Balance { amount: amount.minor_units(), currency: amount.currency() }),
        by: None,
        reason: None,
    };
    let ledger = order.ledger.iter().map(|entry| {
        let (name, instalment, operation, remittance) = match &entry.kind {
            EntryKind::Capture { instalment, .. } => ("capture", Some(*instalment), entry.operation.number, None),
            EntryKind::Debit { instalment } => ("debit", Some(*instalment), entry.operation.number, None),
            EntryKind::Surplus { .. } => ("surplus", None, entry.operation.number, None),
            EntryKind::GivenBack { .. } => ("refund", None, entry.operation.number, None),
            EntryKind::Settlement { original, remittance } => ("settlement", None, *original, Some(*remittance)),
            EntryKind::Chargeback { original, instalment } => ("chargeback", Some(*instalment), *original, None),
        };
        JournalLine { instalment, operation: Some(operation), remittance, ..line(entry.at, name, entry.amount) }
    });
    let journal = order.journal.iter().map(|entry| {
        let name = match entry.kind {
            JournalKind::PaidElsewhere { .. } => "paid_elsewhere",
            JournalKind::WrittenOff => "written_off",
        };
        JournalLine {
            instalment: Some(entry.instalment),
            by: Some(entry.by.clone()),
            reason: Some(entry.reason.as_str().to_owned()),
            ..line(entry.at, name, entry.amount)
        }
    });
    let credit_notes = order.credit_notes.iter().map(|note| JournalLine {
        by: Some(note.by.clone()),
        reason: Some(note.reason.as_str().to_owned()),
        ..line(note.at, "credit_note", note.amount)
    });
    ledger.chain(journal).chain(credit_notes).collect()
}

/// What people entered about a file. Settlements and chargebacks are in their orders; questions book nothing.
fn of_import(entries: &Entries) -> Vec<JournalLine> {
    let line = |booked: &crate::domain::statement::Booked| {
        let (entry, amount) = match booked.entry {
            EntryName::Fees => ("fees", booked.drift.file.as_ref().and_then(|side| side.amount)),
            EntryName::Note => ("note", None),
            EntryName::Settlement | EntryName::Chargeback | EntryName::Question => return None,
        };
        Some(JournalLine {
            at: booked.at,
            entry,
            order: booked.drift.order,
            reference: None,
            payer: None,
            instalment: None,
            operation: booked.drift.operation,
            remittance: booked.drift.remittance,
            amount,
            by: Some(booked.by.clone()),
            reason: Some(booked.reason.as_str().to_owned()),
        })
    };
    entries.booked.iter().filter_map(line).collect()
}
