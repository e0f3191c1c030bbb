//! A payer's account: what was ordered, invoiced, paid, credited and refunded, as of a day, and what that comes to.
//!
//! An order is invoiced as a whole at its first payment. The position is what stands to the payer's credit less what
//! stands to their debit: below zero they owe.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    correction::JournalKind,
    ledger::EntryKind,
    money::{Currency, Money},
    order::{Order, Status},
    plan::{Plan, PlanState},
};

/// The account of one payer with one merchant, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    pub currency: Currency,
    pub orders: Vec<OrderAccount>,
    /// What all orders come to.
    pub sums: Sums,
    /// Invoices, refunds paid out, and payments that went back.
    pub debit: i64,
    /// Payments, here and elsewhere, credit notes and write-offs.
    pub credit: i64,
    pub position: i64,
}

/// One order's part of an account, in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderAccount {
    pub order: String,
    pub reference: String,
    pub placed_at: Timestamp,
    /// When it came to be settled, if it has.
    pub settled_at: Option<Timestamp>,
    /// Something of it is past due, now and not as of the day.
    pub blocked: bool,
    #[serde(flatten)]
    pub sums: Sums,
}

/// Amounts in minor units; none is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    pub excluding_vat: i64,
    pub vat: i64,
    pub including_vat: i64,
    /// Covered by an active plan, and not paid yet.
    pub financed: i64,
    pub invoiced: i64,
    pub credited: i64,
    /// Captured, surplus included.
    pub captured: i64,
    pub paid_elsewhere: i64,
    /// Of what was paid, what paid for orders.
    pub allocated: i64,
    /// Of what is invoiced, what nobody has paid.
    pub unpaid: i64,
    pub refunded: i64,
    pub charged_back: i64,
    pub written_off: i64,
}

impl Sums {
    fn plus(self, other: Self) -> Self {
        let add = |one: i64, other: i64| one.saturating_add(other);
        Self {
            excluding_vat: add(self.excluding_vat, other.excluding_vat),
            vat: add(self.vat, other.vat),
            including_vat: add(self.including_vat, other.including_vat),
            financed: add(self.financed, other.financed),
            invoiced: add(self.invoiced, other.invoiced),
            credited: add(self.credited, other.credited),
            captured: add(self.captured, other.captured),
            paid_elsewhere: add(self.paid_elsewhere, other.paid_elsewhere),
            allocated: add(self.allocated, other.allocated),
            unpaid: add(self.unpaid, other.unpaid),
            refunded: add(self.refunded, other.refunded),
            charged_back: add(self.charged_back, other.charged_back),
            written_off: add(self.written_off, other.written_off),
        }
    }

    fn debit(self) -> i64 {
        self.invoiced.saturating_add(self.refunded).saturating_add(self.charged_back)
    }

    fn credit(self) -> i64 {
        let paid = self.captured.saturating_add(self.paid_elsewhere);
        paid.saturating_add(self.credited).saturating_add(self.written_off)
    }
}

impl Position {
    /// The account of these orders as it was at `as_of`: what happened later is left out.
    pub fn of(orders: &[Order], currency: Currency, as_of: Timestamp) -> Self {
        let in_scope = |order: &&Order| order.placed_at <= as_of && order.totals.including_vat.currency() == currency;
        let orders: Vec<OrderAccount> =
            orders.iter().filter(in_scope).filter_map(|order| account(order, as_of)).collect();
        let sums = orders.iter().fold(Sums::default(), |sum, order| sum.plus(order.sums));
        let (debit, credit) = (sums.debit(), sums.credit());
        Self { currency, orders, sums, debit, credit, position: credit.saturating_sub(debit) }
    }
}

/// `None` for an order that was taken back before it was paid: nothing of it is on any account.
fn account(order: &Order, as_of: Timestamp) -> Option<OrderAccount> {
    let ledger = || order.ledger.iter().filter(|entry| entry.at <= as_of);
    let sum = |counts: &dyn Fn(&EntryKind) -> bool| -> i64 {
        ledger().filter(|entry| counts(&entry.kind)).map(|entry| entry.amount.minor_units()).sum()
    };
    let journal = |counts: &dyn Fn(&JournalKind) -> bool| -> i64 {
        let entries = order.journal.iter().filter(|entry| entry.at <= as_of && counts(&entry.kind));
        entries.map(|entry| entry.amount.minor_units()).sum()
    };
    let paying = |kind: &EntryKind| matches!(kind, EntryKind::Capture { .. } | EntryKind::Debit { .. });
    let surplus = sum(&|kind| matches!(kind, EntryKind::Surplus { .. }));
    let captured = sum(&paying).saturating_add(surplus);
    let refunded = sum(&|kind| matches!(kind, EntryKind::GivenBack { .. }));
    let charged_back = sum(&|kind| matches!(kind, EntryKind::Chargeback { .. }));
    let paid_elsewhere = journal(&|kind| matches!(kind, JournalKind::PaidElsewhere { .. }));
    let written_off = journal(&|kind| matches!(kind, JournalKind::WrittenOff));
    let credited: i64 =
        order.credit_notes.iter().filter(|note| note.at <= as_of).map(|note| note.amount.minor_units()).sum();
    let is_cancelled = matches!(order.status, Status::Cancelled { at, .. } if at <= as_of);
    if is_cancelled && captured == 0 {
        return None;
    }
    let total =
        if is_cancelled { Money::zero(order.totals.including_vat.currency()) } else { order.totals.including_vat };
    let total = total.minor_units();
    let is_invoiced = !is_cancelled && (sum(&paying) > 0 || paid_elsewhere > 0);
    let invoiced = if is_invoiced { total } else { 0 };
    let net = captured.saturating_add(paid_elsewhere).saturating_sub(refunded).saturating_sub(charged_back);
    let owed = invoiced.saturating_sub(credited).saturating_sub(written_off);
    let allocated = net.min(owed).max(0);
    let unpaid = owed.saturating_sub(allocated).max(0);
    let was_active = |plan: &Plan| match plan.state {
        PlanState::Active { .. } => true,
        PlanState::Ended { at, .. } => at > as_of,
        PlanState::Requested | PlanState::Approved { .. } | PlanState::Refused { .. } | PlanState::Withdrawn { .. } => {
            false
        }
    };
    // Before it was active nothing was invoiced, and so nothing unpaid.
    let is_financed = order.plans.iter().any(was_active);
    let (excluding_vat, vat) =
        if is_cancelled { (0, 0) } else { (order.totals.excluding_vat.minor_units(), order.totals.vat.minor_units()) };
    let settled_at = match order.status {
        Status::Settled { at } if at <= as_of => Some(at),
        Status::Open | Status::Settled { .. } | Status::Cancelled { .. } => None,
    };
    let sums = Sums {
        excluding_vat,
        vat,
        including_vat: total,
        financed: if is_financed { unpaid } else { 0 },
        invoiced,
        credited,
        captured,
        paid_elsewhere,
        allocated,
        unpaid,
        refunded,
        charged_back,
        written_off,
    };
    Some(OrderAccount {
        order: order.id.to_string(),
        reference: order.reference.as_str().to_owned(),
        placed_at: order.placed_at,
        settled_at,
        blocked: order.blocked,
        sums,
    })
}

/// Minor units as the major unit, with a sign; for the line that proves a position.
pub fn signed(minor_units: i64, currency: Currency) -> String {
    Decimal::new(minor_units, currency.exponent()).to_string()
}
