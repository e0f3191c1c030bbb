//! Captured is not received: each capture is looked at, night by night, until the bank names its remittance.

use jiff::Timestamp;

use super::{Decision, Impossible, Order, Unsettled};
use crate::domain::{
    bank::{Operation, OperationStatus},
    event::Event,
    ledger::{Entry, EntryKind},
    numbers::OperationNumber,
    policy::{Policy, later},
};

/// What the bank shows of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remitted {
    /// It stands, and was collected in this remittance if there is one yet.
    Status { status: OperationStatus, remittance: Option<u64> },
    /// The bank did not tell; why.
    Silence(String),
}

impl Order {
    /// Books what the bank shows of a capture that is not settled.
    ///
    /// # Errors
    /// [`Impossible`] when it does not fit the order: a defect.
    pub fn settlement_asked(
        &self,
        operation: &OperationNumber,
        remitted: &Remitted,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        // Another attender was first.
        let Some(unsettled) = self.unsettled.iter().find(|unsettled| unsettled.operation.number == *operation) else {
            return Ok(decision);
        };
        let ask_again = |why: String| {
            let again = later(now, policy.settlement_every);
            Event::SettlementAsked { operation: *operation, again, why }
        };
        match remitted {
            Remitted::Status { remittance: Some(remittance), .. } => {
                let entry = self.settlement_entry(unsettled, *remittance, now)?;
                decision.push(Event::EntrySettled { entry }, now)?;
            }
            Remitted::Status { status: OperationStatus::Cancelled | OperationStatus::Refunded, .. }
                if self.went_back(&unsettled.operation) =>
            {
                decision.push(Event::SettlementOver { operation: *operation }, now)?;
            }
            Remitted::Status { status, .. } => decision.push(ask_again(format!("the bank shows {status:?}")), now)?,
            Remitted::Silence(why) => decision.push(ask_again(why.clone()), now)?,
        }
        Ok(decision)
    }

    fn settlement_entry(&self, unsettled: &Unsettled, remittance: u64, now: Timestamp) -> Result<Entry, Impossible> {
        let original = unsettled.operation.number;
        let booked = self.ledger.iter().find(|entry| entry.operation.number == original);
        let amount = booked.ok_or(Impossible("settling what was not booked"))?.amount;
        let kind = EntryKind::Settlement { original, remittance };
        Ok(Entry { at: now, operation: unsettled.operation, amount, kind })
    }

    /// Whether all of it went back before it was collected.
    fn went_back(&self, operation: &Operation) -> bool {
        self.ledger.iter().any(|entry| match entry.kind {
            EntryKind::GivenBack { original, .. } => original == operation.number,
            EntryKind::Capture { .. }
            | EntryKind::Debit { .. }
            | EntryKind::Surplus { .. }
            | EntryKind::Settlement { .. }
            | EntryKind::Chargeback { .. } => false,
        })
    }
}
