//! The bank's truth: every operation this PAYBOX has made, in minor units. Tests of "exactly once" are judged here and
//! nowhere else. The rules of what may be captured, cancelled or refunded live beside the numbers they protect.

use jiff::Timestamp;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Authorised and captured in one go.
    Payment,
    /// Authorised; captured later, or never.
    Authorisation,
    /// Money back, under the call number of a payment.
    Refund,
    /// Money out without a payment behind it.
    Credit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Authorised,
    Captured,
    Cancelled,
    Refunded,
    Credit,
    Refused,
}

impl Status {
    /// The word that TYPE 00017 answers.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::Authorised => "Autorisé",
            Self::Captured => "Capturé",
            Self::Cancelled => "Annulé",
            Self::Refunded => "Remboursé",
            Self::Credit => "Crédit",
            Self::Refused => "Refusé",
        }
    }
}

/// Who an operation belongs to: a merchant sees its own only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Merchant {
    pub site: String,
    pub rang: u32,
}

/// One operation. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operation {
    pub numtrans: u64,
    pub numappel: u64,
    #[serde(flatten)]
    pub merchant: Merchant,
    pub reference: String,
    pub amount: u64,
    pub currency: String,
    pub kind: Kind,
    pub status: Status,
    /// The answer of the operation, `00000` when accepted.
    pub code: String,
    /// What was captured of `amount`, refunds not deducted.
    pub captured: u64,
    pub refunded: u64,
    /// The settlement batch that took it, once it has been settled.
    pub settled_remise: Option<u64>,
    pub at: Timestamp,
    /// Not sent to settlement before this instant (PBX_DIFF).
    pub settle_from: Timestamp,
    pub authorisation: String,
    pub card_type: String,
    pub card_last2: String,
    pub archivage: String,
    /// The NUMTRANS of the payment that a refund gives back.
    pub refund_of: Option<u64>,
}

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
    pub currency: &'a str,
}

/// All operations, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Ledger {
    operations: Vec<Operation>,
    remises: u64,
}

impl Ledger {
    pub fn add(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Operation> {
        self.operations.iter()
    }

    /// The merchant's operation of that number.
    #[must_use]
    pub fn find(&self, merchant: &Merchant, numtrans: u64) -> Option<&Operation> {
        self.iter().find(|operation| operation.numtrans == numtrans && operation.merchant == *merchant)
    }

    fn aimed_at(&mut self, aim: &Aim<'_>) -> Result<&mut Operation, Unfit> {
        let found = self
            .operations
            .iter_mut()
            .find(|operation| operation.numtrans == aim.numtrans && operation.merchant == *aim.merchant)
            .ok_or(Unfit::Reference)?;
        if found.numappel != aim.numappel {
            return Err(Unfit::Reference);
        }
        if found.currency != aim.currency {
            return Err(Unfit::Currency);
        }
        Ok(found)
    }

    /// TYPE 00002: captures at most what was authorised, once, keeping the number.
    pub fn capture(&mut self, aim: &Aim<'_>, settle_from: Timestamp) -> Result<Operation, Unfit> {
        let found = self.aimed_at(aim)?;
        if found.status != Status::Authorised {
            return Err(Unfit::Reference);
        }
        if aim.amount == 0 || aim.amount > found.amount {
            return Err(Unfit::Amount);
        }
        found.status = Status::Captured;
        found.captured = aim.amount;
        found.settle_from = settle_from;
        Ok(found.clone())
    }

    /// TYPE 00005: undoes a whole operation that no settlement has taken yet and that nothing was refunded of.
    pub fn cancel(&mut self, aim: &Aim<'_>) -> Result<Operation, Unfit> {
        let found = self.aimed_at(aim)?;
        let open = matches!(found.status, Status::Authorised | Status::Captured | Status::Credit);
        if !open || found.settled_remise.is_some() || found.refunded > 0 {
            return Err(Unfit::Reference);
        }
        let whole = if found.status == Status::Captured { found.captured } else { found.amount };
        if aim.amount != whole {
            return Err(Unfit::Amount);
        }
        found.status = Status::Cancelled;
        let cancelled = found.clone();
        if let Some(original) = cancelled.refund_of
            && let Some(payment) = self.operations.iter_mut().find(|payment| payment.numtrans == original)
        {
            payment.refunded = payment.refunded.saturating_sub(cancelled.amount);
            payment.status = Status::Captured;
        }
        Ok(cancelled)
    }

    /// TYPE 00014: takes `aim.amount` of what remains of a captured operation. The caller books the refund itself.
    pub fn refund(&mut self, aim: &Aim<'_>) -> Result<Operation, Unfit> {
        let found = self.aimed_at(aim)?;
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
        Ok(found.clone())
    }

    /// The daily settlement: every captured or credited operation that is due gets the number of one batch.
    pub fn settle(&mut self, now: Timestamp) -> Settlement {
        self.remises += 1;
        let remise = self.remises;
        let mut count = 0;
        for operation in &mut self.operations {
            let due = matches!(operation.status, Status::Captured | Status::Refunded | Status::Credit)
                && operation.settled_remise.is_none()
                && operation.settle_from <= now;
            if due {
                operation.settled_remise = Some(remise);
                count += 1;
            }
        }
        Settlement { remise, count }
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

/// One settlement batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Settlement {
    pub remise: u64,
    #[serde(rename = "settled")]
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merchant() -> Merchant {
        Merchant { site: "1999888".into(), rang: 32 }
    }

    fn operation(numtrans: u64, status: Status, amount: u64) -> Operation {
        let captured = if status == Status::Captured { amount } else { 0 };
        Operation {
            numtrans,
            numappel: 7,
            merchant: merchant(),
            reference: "order-1".into(),
            amount,
            currency: "978".into(),
            kind: Kind::Payment,
            status,
            code: "00000".into(),
            captured,
            refunded: 0,
            settled_remise: None,
            at: Timestamp::UNIX_EPOCH,
            settle_from: Timestamp::UNIX_EPOCH,
            authorisation: "XXXXXX".into(),
            card_type: "CB".into(),
            card_last2: "44".into(),
            archivage: String::new(),
            refund_of: None,
        }
    }

    fn aim(merchant: &Merchant, numtrans: u64, amount: u64) -> Aim<'_> {
        Aim { merchant, numtrans, numappel: 7, amount, currency: "978" }
    }

    #[test]
    fn an_authorisation_is_captured_once_and_never_beyond() {
        let (mut ledger, who) = (Ledger::default(), merchant());
        ledger.add(operation(1, Status::Authorised, 5000));
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(ledger.capture(&aim(&who, 1, 5001), now).unwrap_err(), Unfit::Amount);
        assert_eq!(ledger.capture(&aim(&who, 1, 4000), now).unwrap().captured, 4000);
        assert_eq!(ledger.capture(&aim(&who, 1, 1000), now).unwrap_err(), Unfit::Reference);
        assert_eq!(ledger.totals(|_| true).net, 4000);
    }

    #[test]
    fn a_cancelled_operation_is_neither_cancelled_again_nor_refunded() {
        let (mut ledger, who) = (Ledger::default(), merchant());
        ledger.add(operation(1, Status::Captured, 5000));
        assert_eq!(ledger.cancel(&aim(&who, 1, 4999)).unwrap_err(), Unfit::Amount);
        assert_eq!(ledger.cancel(&Aim { numappel: 8, ..aim(&who, 1, 5000) }).unwrap_err(), Unfit::Reference);
        assert_eq!(ledger.cancel(&aim(&who, 1, 5000)).unwrap().status, Status::Cancelled);
        assert_eq!(ledger.cancel(&aim(&who, 1, 5000)).unwrap_err(), Unfit::Reference);
        assert_eq!(ledger.refund(&aim(&who, 1, 5000)).unwrap_err(), Unfit::Reference);
        assert_eq!(ledger.totals(|_| true), Totals { captured: 5000, cancelled: 5000, refunded: 0, net: 0 });
    }

    #[test]
    fn settled_operations_are_refunded_up_to_what_was_captured() {
        let (mut ledger, who) = (Ledger::default(), merchant());
        ledger.add(operation(1, Status::Captured, 5000));
        assert_eq!(ledger.settle(Timestamp::UNIX_EPOCH).count, 1);
        assert_eq!(ledger.cancel(&aim(&who, 1, 5000)).unwrap_err(), Unfit::Reference);
        assert_eq!(ledger.refund(&aim(&who, 1, 3000)).unwrap().status, Status::Captured);
        assert_eq!(ledger.refund(&aim(&who, 1, 2001)).unwrap_err(), Unfit::Amount);
        assert_eq!(ledger.refund(&aim(&who, 1, 2000)).unwrap().status, Status::Refunded);
        assert_eq!(ledger.refund(&aim(&who, 1, 1)).unwrap_err(), Unfit::Reference);
        assert_eq!(ledger.settle(Timestamp::UNIX_EPOCH).count, 0);
    }
}
