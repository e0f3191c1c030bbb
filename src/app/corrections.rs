//! What accounting corrects: credit notes, refunds, payments elsewhere, write-offs, new dates, chargebacks.

use jiff::civil::Date;

use super::{App, Error, Outcome, Remember, access::Caller, commit::Versioned};
use crate::domain::{
    correction::{JournalKind, Rest},
    ids::OrderId,
    money::Money,
    numbers::OperationNumber,
    order::{Against, Correcting},
    text::Text,
};

/// One correction of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Correction {
    Credit { amount: Money, reason: Text },
    Refund { amount: Money, against: Against, rest: Option<Rest>, reason: Text },
    CancelRest { reason: Text },
    Default,
    Journal { instalment: u32, kind: JournalKind, reason: Text },
    Reschedule { instalment: u32, due: Date, reason: Text },
    ChargeBack { operation: OperationNumber, reason: Text },
}

impl App {
    /// Corrects an order, in the version that was looked at when one is named.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Refused`], [`Error::Faults`] for another currency, …
    pub async fn correct(
        &self,
        caller: &Caller,
        id: OrderId,
        correction: &Correction,
        seen: Option<u64>,
        remember: &Remember<Versioned>,
    ) -> Result<Outcome, Error> {
        let why = |reason: &Text| Correcting { by: caller.actor.clone(), reason: reason.clone() };
        self.change_order(caller, id, seen, remember, |merchant, order, now| {
            Ok(match correction {
                Correction::Credit { amount, reason } => {
                    order.credit(self.in_its_currency(*amount, order)?, &why(reason), now)?
                }
                Correction::Refund { amount, against, rest, reason } => {
                    order.refund(self.in_its_currency(*amount, order)?, *against, *rest, &why(reason), now)?
                }
                Correction::CancelRest { reason } => order.cancel_rest(&why(reason), now)?,
                Correction::Default => order.default_plan(now)?,
                Correction::Journal { instalment, kind, reason } => {
                    order.journal(*instalment, kind.clone(), &why(reason), now)?
                }
                Correction::Reschedule { instalment, due, reason } => {
                    order.reschedule(*instalment, *due, reason.clone(), now, &merchant.policy)?
                }
                Correction::ChargeBack { operation, reason } => order.charge_back(operation, reason.clone(), now)?,
            })
        })
        .await
    }

    fn in_its_currency(&self, amount: Money, order: &crate::domain::order::Order) -> Result<Money, Error> {
        use crate::domain::fault::{Fault, FaultKind};
        if amount.currency() == order.totals.including_vat.currency() {
            Ok(amount)
        } else {
            Err(Error::Faults(vec![Fault::new("/amount/currency", FaultKind::CurrencyMismatch)]))
        }
    }
}
