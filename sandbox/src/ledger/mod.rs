//! The bank's truth: every operation this PAYBOX has made, in minor units. Tests of "exactly once" are judged here and
//! nowhere else. The rules of what may be captured, cancelled or refunded live beside the numbers they protect.
//!
//! ```text
//! authorised ──(00002, 00052)──▶ captured ──(00014)──▶ refunded
//!     │  └──(7 days)──┐             │
//!     └──(00005, 00055)──▶ cancelled ◀──(before settlement)
//! ```

mod operation;

pub use operation::{Entry, Kind, Merchant, Operation, Origin, Status};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Sums of the whole ledger or of one slice of it, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub captured: u64,
    pub cancelled: u64,
    pub refunded: u64,
    /// captured − cancelled − refunded.
    pub net: i64,
}

/// Why an operation on an operation was refused, as PAYBOX's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// 00010
    Currency,
    /// 00011
    Amount,
    /// 00015
    Reference,
}

/// What a later question aims at.
#[derive(Debug, Clone, Copy)]
pub struct Aim<'a> {
    pub merchant: &'a Merchant,
    pub numtrans: u64,
    pub numappel: u64,
    pub amount: u64,
    /// Empty when the question names none (00013).
    pub currency: &'a str,
    /// The subscriber that the operation must be of, when the question names one.
    pub refabonne: Option<&'a str>,
}

/// All operations, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    /// When each batch was made; the first is number 1.
    remises: Vec<Timestamp>,
}

impl Ledger {
    /// Books an operation of the page of which nothing else is known.
    pub fn add(&mut self, operation: Operation) {
        self.book(operation, Origin::default());
    }

    /// Books an operation.
    pub fn book(&mut self, operation: Operation, origin: Origin) {
        self.entries.push(Entry { operation, origin });
    }

    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Operation> {
        self.entries().map(|entry| &entry.operation)
    }

    /// The merchant's operation of that number.
    #[must_use]
    pub fn find(&self, merchant: &Merchant, numtrans: u64) -> Option<&Entry> {
        self.entries().find(|entry| entry.operation.numtrans == numtrans && entry.operation.merchant == *merchant)
    }

    fn aimed_at(&mut self, aim: &Aim<'_>) -> Result<&mut Entry, Unfit> {
        let entry = self
            .entries
            .iter_mut()
            .find(|entry| entry.operation.numtrans == aim.numtrans && entry.operation.merchant == *aim.merchant)
            .ok_or(Unfit::Reference)?;
        let other_subscriber = aim.refabonne.is_some() && aim.refabonne != entry.origin.refabonne.as_deref();
        if entry.operation.numappel != aim.numappel || other_subscriber {
            return Err(Unfit::Reference);
        }
        if !aim.currency.is_empty() && entry.operation.currency != aim.currency {
            return Err(Unfit::Currency);
        }
        Ok(entry)
    }

    /// TYPE 00002 or 00052: captures at most what was authorised, once, keeping the number.
    pub fn capture(&mut self, aim: &Aim<'_>, settle_from: Timestamp) -> Result<Entry, Unfit> {
        let entry = self.aimed_at(aim)?;
        let found = &mut entry.operation;
        if found.status != Status::Authorised {
            return Err(Unfit::Reference);
        }
        if aim.amount == 0 || aim.amount > found.amount {
            return Err(Unfit::Amount);
        }
        found.status = Status::Captured;
        found.captured = aim.amount;
        found.settle_from = settle_from;
        Ok(entry.clone())
    }

    /// TYPE 00005 or 00055: undoes a whole operation that no settlement has taken yet and that nothing was refunded of.
    pub fn cancel(&mut self, aim: &Aim<'_>) -> Result<Entry, Unfit> {
        let entry = self.aimed_at(aim)?;
        let found = &mut entry.operation;
        let open = matches!(found.status, Status::Authorised | Status::Captured | Status::Credit);
        if !open || found.settled_remise.is_some() || found.refunded > 0 {
            return Err(Unfit::Reference);
        }
        let whole = if found.status == Status::Captured { found.captured } else { found.amount };
        if aim.amount != whole {
            return Err(Unfit::Amount);
        }
        found.status = Status::Cancelled;
        let cancelled = entry.clone();
        if let Some(original) = cancelled.operation.refund_of
            && let Some(entry) = self.entries.iter_mut().find(|entry| entry.operation.numtrans == original)
        {
            let payment = &mut entry.operation;
            payment.refunded = payment.refunded.saturating_sub(cancelled.operation.amount);
            payment.status = Status::Captured;
        }
        Ok(cancelled)
    }

    /// TYPE 00013: lowers what was authorised, or what was captured and is not settled yet.
    pub fn change_amount(&mut self, aim: &Aim<'_>) -> Result<Entry, Unfit> {
        let entry = self.aimed_at(aim)?;
        let found = &mut entry.operation;
        let open = matches!(found.status, Status::Authorised | Status::Captured);
        if !open || found.settled_remise.is_some() || found.refunded > 0 {
            return Err(Unfit::Reference);
        }
        let most = if found.status == Status::Captured { found.captured } else { found.amount };
        if aim.amount == 0 || aim.amount > most {
            return Err(Unfit::Amount);
        }
        found.amount = aim.amount;
        if found.status == Status::Captured {
            found.captured = aim.amount;
        }
        Ok(entry.clone())
    }

    /// TYPE 00014: takes `aim.amount` of what remains of a captured operation. The caller books the refund itself.
    pub fn refund(&mut self, aim: &Aim<'_>) -> Result<Entry, Unfit> {
        let entry = self.aimed_at(aim)?;
        let found = &mut entry.operation;
        if found.status != Status::Captured {
            return Err(Unfit::Reference);
        }
        if aim.amount == 0 || aim.amount > found.captured.saturating_sub(found.refunded) {
            return Err(Unfit::Amount);
        }
        found.refunded += aim.amount;
        if found.refunded == found.captured {
            found.status = Status::Refunded;
        }
        Ok(entry.clone())
    }

    /// One settlement: every captured or credited operation that is due by `until` gets the number of one batch.
    pub fn settle(&mut self, until: Timestamp) -> Settlement {
        self.remises.push(until);
        let remise = u64::try_from(self.remises.len()).unwrap_or(u64::MAX);
        let mut count = 0;
        for entry in self.entries.iter_mut().filter(|entry| is_due(&entry.operation, until)) {
            entry.operation.settled_remise = Some(remise);
            count += 1;
        }
        Settlement { remise, count }
    }

    /// The settlement of the nights up to `midnight`, when it would take anything.
    pub fn settle_nights(&mut self, midnight: Timestamp) -> Option<Settlement> {
        // What is due at midnight itself belongs to the next night.
        let until = midnight.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(midnight);
        let anything = self.iter().any(|operation| is_due(operation, until));
        if anything { Some(self.settle(until)) } else { None }
    }

    /// Every batch with when it was made.
    pub fn remises(&self) -> impl Iterator<Item = (u64, Timestamp)> {
        (1..).zip(self.remises.iter().copied())
    }

    /// Ends the authorisations made before `before` that nobody captured.
    pub fn lapse(&mut self, before: Timestamp) {
        for Entry { operation, origin } in &mut self.entries {
            if operation.status == Status::Authorised && operation.at <= before {
                operation.status = Status::Cancelled;
                origin.lapsed = true;
            }
        }
    }

    /// Sums of the operations that `keep` accepts.
    pub fn totals(&self, keep: impl Fn(&Operation) -> bool) -> Totals {
        let mut totals = Totals::default();
        for operation in self.iter().filter(|operation| keep(operation)) {
            totals.captured += operation.captured;
            if operation.status == Status::Cancelled {
                totals.cancelled += operation.captured;
            }
            if operation.status == Status::Credit {
                totals.refunded += operation.amount;
            }
        }
        let signed = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
        totals.net = signed(totals.captured) - signed(totals.cancelled) - signed(totals.refunded);
        totals
    }
}

fn is_due(operation: &Operation, until: Timestamp) -> bool {
    matches!(operation.status, Status::Captured | Status::Refunded | Status::Credit)
        && operation.settled_remise.is_none()
        && operation.settle_from <= until
}

/// One settlement batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Settlement {
    pub remise: u64,
    #[serde(rename = "settled")]
    pub count: u64,
}

#[cfg(test)]
mod tests;
