//! What of our books concerns a file, and what does not agree with it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{App, Error, Rows};
use crate::{
    app::{access::Caller, merchant::Merchant},
    domain::{
        ids::{CheckoutNumber, OrderId},
        ledger::EntryKind,
        money::Money,
        numbers::OperationNumber,
        order::Order,
        statement::{
            Balance, Books, Collected, Drift, DriftKind, EntryName, ImportId, OperationRow, RemittanceRow, Remittances,
            compare_operations, compare_remittances,
        },
    },
};

/// Every day from one to the other.
pub(in crate::app) fn days(from: Date, until: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), |day| day.tomorrow().ok()).take_while(move |day| *day <= until)
}

fn span(days: impl Iterator<Item = Date> + Clone) -> Option<(Date, Date)> {
    days.clone().min().zip(days.max())
}

impl App {
    pub(super) async fn operation_drifts(
        &self,
        caller: &Caller,
        merchant: &Merchant,
        id: &ImportId,
        rows: &[OperationRow],
    ) -> Result<Vec<Drift>, Error> {
        let Some((from, until)) = span(rows.iter().map(|row| row.date)) else { return Ok(Vec::new()) };
        let mut orders: BTreeMap<OrderId, Order> = BTreeMap::new();
        for day in days(from, until) {
            let found = self.all_labelled(caller, &merchant.id, &[("booked_on", day.to_string())]).await?;
            orders.extend(found.into_iter().map(|found| (found.order.id, found.order)));
        }
        let pages = self.add_named(merchant, rows, &mut orders).await?;
        let orders: Vec<Order> = orders.into_values().collect();
        let zone = &merchant.policy.zone;
        let nowhere = BTreeSet::new();
        let drifts = compare_operations(rows, &Books { orders: &orders, pages: &pages, elsewhere: &nowhere, zone });
        if drifts.iter().all(|drift| drift.kind != DriftKind::NotInFile) {
            return Ok(drifts);
        }
        // What is booked after midnight may be in the file of the day before.
        let elsewhere = self.shown_beside(merchant, id, (from, until)).await?;
        Ok(compare_operations(rows, &Books { orders: &orders, pages: &pages, elsewhere: &elsewhere, zone }))
    }

    /// Adds the orders of operations that are booked on other days than the file's; gives the pages of those that are
    /// booked nowhere, by their references.
    async fn add_named(
        &self,
        merchant: &Merchant,
        rows: &[OperationRow],
        orders: &mut BTreeMap<OrderId, Order>,
    ) -> Result<BTreeMap<String, (OrderId, CheckoutNumber)>, Error> {
        let entries = orders.values().flat_map(|order| &order.ledger);
        let mut booked: BTreeSet<OperationNumber> = entries.map(|entry| entry.operation.number).collect();
        let mut pages = BTreeMap::new();
        for row in rows {
            let number = row.operation.number;
            if booked.contains(&number) {
                continue;
            }
            let store = &self.ports.store;
            let by_number = store.owner(merchant.id.as_str(), "operation", &number.to_string()).await?;
            let owner = match (by_number, &row.reference) {
                (Some(owner), _) => Some(owner),
                (None, Some(reference)) => store.owner(merchant.id.as_str(), "reference", reference.as_str()).await?,
                (None, None) => None,
            };
            let Some(owner) = owner else { continue };
            let (order, part) = owner.split_once('/').unwrap_or((&owner, ""));
            let order: OrderId = order.parse().map_err(|_| Error::Defect("a claim without an owner".to_owned()))?;
            if let (Ok(page), Some(reference)) = (part.parse(), &row.reference) {
                pages.insert(reference.as_str().to_owned(), (order, CheckoutNumber(page)));
            }
            if let Some(found) = self.find(&merchant.id, order).await? {
                booked.extend(found.order.ledger.iter().map(|entry| entry.operation.number));
                orders.insert(order, found.order);
            }
        }
        Ok(pages)
    }

    /// Operations that other files show for these days and those beside them.
    async fn shown_beside(
        &self,
        merchant: &Merchant,
        id: &ImportId,
        (from, until): (Date, Date),
    ) -> Result<BTreeSet<OperationNumber>, Error> {
        let (from, until) = (from.yesterday().unwrap_or(from), until.tomorrow().unwrap_or(until));
        let mut shown = BTreeSet::new();
        let mut seen = BTreeSet::from([*id]);
        for day in days(from, until) {
            for imported in self.all_imports(&merchant.id, &[("operations_of", day.to_string())]).await? {
                if seen.insert(imported.import.id)
                    && let Rows::Operations(rows) = &imported.import.rows
                {
                    shown.extend(rows.iter().map(|row| row.operation.number));
                }
            }
        }
        Ok(shown)
    }

    pub(super) async fn remittance_drifts(
        &self,
        caller: &Caller,
        merchant: &Merchant,
        id: &ImportId,
        rows: &[RemittanceRow],
    ) -> Result<Vec<Drift>, Error> {
        let Some((from, until)) = span(rows.iter().map(|row| row.value_date)) else { return Ok(Vec::new()) };
        let mut wanted: BTreeSet<u64> = rows.iter().map(|row| row.remittance).collect();
        for day in days(from, until) {
            let found = self.all_labelled(caller, &merchant.id, &[("booked_on", day.to_string())]).await?;
            wanted.extend(found.iter().flat_map(|found| settlements(&found.order)).map(|(remittance, ..)| remittance));
        }
        let mut known = Remittances::default();
        for remittance in wanted {
            if let Some(collected) = self.collected(caller, merchant, remittance).await? {
                known.ours.insert(remittance, collected);
            }
            if let Some(fees) = self.booked_fees(merchant, remittance).await? {
                known.fees.insert(remittance, fees);
            }
            let labels = [("statement_of", remittance.to_string())];
            let shown = self.listed_imports(&merchant.id, &labels, None, 2).await?;
            if shown.iter().any(|imported| imported.import.id != *id) {
                known.elsewhere.insert(remittance);
            }
        }
        Ok(compare_remittances(rows, &known))
    }

    /// What we know to be collected in a remittance, less the refunds that PAYBOX's files show in it.
    async fn collected(
        &self,
        caller: &Caller,
        merchant: &Merchant,
        remittance: u64,
    ) -> Result<Option<Collected>, Error> {
        let found = self.all_labelled(caller, &merchant.id, &[("remittance", remittance.to_string())]).await?;
        let of_it: Vec<(Date, i64)> = found
            .iter()
            .flat_map(|found| settlements(&found.order))
            .filter(|(settled_in, ..)| *settled_in == remittance)
            .map(|(_, at, amount)| (merchant.policy.day(None, at), amount))
            .collect();
        let mut refunds: BTreeMap<OperationNumber, (Date, i64)> = BTreeMap::new();
        for imported in self.all_imports(&merchant.id, &[("refunds_in", remittance.to_string())]).await? {
            if let Rows::Operations(rows) = &imported.import.rows {
                let shown = rows.iter().filter(|row| row.refunded_in() == Some(remittance));
                refunds.extend(shown.map(|row| (row.operation.number, (row.date, row.amount.minor_units()))));
            }
        }
        // Some nights bring nothing in, and only take refunds out.
        let last = of_it.iter().map(|(on, _)| *on).max().or(refunds.values().map(|(on, _)| *on).max());
        let Some(on) = last else { return Ok(None) };
        let sum: i64 = of_it.iter().map(|(_, amount)| amount).sum();
        let amount = sum.saturating_sub(refunds.values().map(|(_, amount)| amount).sum());
        Ok(Some(Collected { sum: Balance { amount, currency: merchant.currency }, on }))
    }

    /// The fees of a remittance that are booked, by whichever statement.
    async fn booked_fees(&self, merchant: &Merchant, remittance: u64) -> Result<Option<Money>, Error> {
        let number = remittance.to_string();
        let Some(owner) = self.ports.store.owner(merchant.id.as_str(), "fees", &number).await? else {
            return Ok(None);
        };
        let owner: ImportId = owner.parse().map_err(|_| Error::Defect("fees without an import".to_owned()))?;
        let (_, entries) = self.load_entries(&merchant.id, &owner).await?;
        let is_it = |entry: EntryName, drift: &Drift| entry == EntryName::Fees && drift.remittance == Some(remittance);
        let booked = entries.booked.iter().find(|booked| is_it(booked.entry, &booked.drift));
        let fees = booked.and_then(|booked| booked.drift.file.as_ref()?.amount);
        Ok(fees.and_then(|fees| Money::new(fees.amount, fees.currency).ok()))
    }
}

/// The remittances in which something of an order was collected, when that was booked, and how much.
fn settlements(order: &Order) -> impl Iterator<Item = (u64, jiff::Timestamp, i64)> {
    order.ledger.iter().filter_map(|entry| match entry.kind {
        EntryKind::Settlement { remittance, .. } => Some((remittance, entry.at, entry.amount.minor_units())),
        EntryKind::Capture { .. }
        | EntryKind::Debit { .. }
        | EntryKind::Surplus { .. }
        | EntryKind::GivenBack { .. }
        | EntryKind::Chargeback { .. } => None,
    })
}
