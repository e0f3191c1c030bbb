//! What must always hold of an order, looked for in what is stored of it.

use std::collections::BTreeSet;

use super::Order;
use crate::domain::{
    attempt::{Attempt, AttemptState},
    bank::{MoneyCall, Operation},
    correction::JournalKind,
    give_back::{GiveBack, GiveBackStatus},
    hold::Verdict,
    ledger::{Entry, EntryKind},
    numbers::OperationNumber,
    plan::Plan,
    purpose::Purpose,
    schedule::Instalment,
};

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Its number in the design's list of invariants.
    pub invariant: &'static str,
    pub what: String,
}

impl Breach {
    pub fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into() }
    }
}

impl Order {
    /// Every call that was concluded not to have been carried out, and would bring or take money that is not booked. Not of
    /// cancellations: what became of their original tells nothing of them.
    pub fn calls_not_done(&self) -> impl Iterator<Item = (Purpose, &Attempt)> {
        let all = self.purposes().flat_map(|purpose| self.attempts(purpose).into_iter().map(move |it| (purpose, it)));
        all.filter(|(_, attempt)| {
            let is_not_done = matches!(attempt.state, AttemptState::NotExecuted | AttemptState::Refused { .. });
            is_not_done
                && match &attempt.call {
                    MoneyCall::Debit { .. } | MoneyCall::Refund { .. } => true,
                    MoneyCall::Capture { operation, .. } => !self.is_seen_to(operation),
                    MoneyCall::Cancel { .. } => false,
                }
        })
    }

    /// Whether an operation is booked, or was given back or let go.
    fn is_seen_to(&self, operation: &Operation) -> bool {
        let is_over = |given: &GiveBack| matches!(given.status(), GiveBackStatus::Done | GiveBackStatus::GivenUp);
        self.ledger.iter().any(|entry| entry.operation == *operation)
            || self.give_backs.iter().any(|given| given.operation == *operation && is_over(given))
    }

    /// Every invariant that this order by itself does not keep.
    pub fn breaches(&self) -> Vec<Breach> {
        let mut found = Vec::new();
        self.schedule.iter().for_each(|due| self.audit_instalment(due, &mut found));
        self.audit_ledger(&mut found);
        self.audit_returns(&mut found);
        self.audit_attempts(&mut found);
        self.audit_days(&mut found);
        self.audit_card(&mut found);
        self.audit_amounts(&mut found);
        found
    }

    /// I1, I8: paid once, and if and only if something stands for it.
    fn audit_instalment(&self, due: &Instalment, found: &mut Vec<Breach>) {
        let pays = |kind: &EntryKind| match kind {
            EntryKind::Capture { instalment, rest, .. } => *instalment == due.number || rest.contains(&due.number),
            EntryKind::Debit { instalment } => *instalment == due.number,
            EntryKind::Surplus { .. }
            | EntryKind::GivenBack { .. }
            | EntryKind::Settlement { .. }
            | EntryKind::Chargeback { .. } => false,
        };
        let paid: Vec<OperationNumber> =
            self.ledger.iter().filter(|entry| pays(&entry.kind)).map(|entry| entry.operation.number).collect();
        // What a bank takes back of a payment is all of it, and with it every instalment that it paid.
        let takes_back =
            |entry: &&Entry| matches!(entry.kind, EntryKind::Chargeback { original, .. } if paid.contains(&original));
        let back = self.ledger.iter().filter(takes_back).count();
        let elsewhere = self
            .journal
            .iter()
            .filter(|entry| entry.instalment == due.number && matches!(entry.kind, JournalKind::PaidElsewhere { .. }));
        if paid.len() + elsewhere.count() != back + usize::from(due.paid) {
            let what = format!("instalment {}: paid is {}, the ledger says otherwise", due.number, due.paid);
            found.push(Breach::new("I8", what));
        }
        let accepted = due.debits.iter().filter(|debit| is_accepted(&debit.attempt)).count();
        if accepted > 1 + back {
            found.push(Breach::new("I1", format!("instalment {} was debited {accepted} times", due.number)));
        }
    }

    /// I2, I3: what paid for the order is no more than it owes, and each operation stands once.
    fn audit_ledger(&self, found: &mut Vec<Breach>) {
        let mut seen = BTreeSet::new();
        for entry in self.ledger.iter().filter(|entry| is_money_in(entry)) {
            if !seen.insert(entry.operation.number) {
                found.push(Breach::new("I3", format!("operation {} is booked twice", entry.operation.number)));
            }
        }
        for entry in &self.ledger {
            if let EntryKind::Settlement { original, .. } | EntryKind::Chargeback { original, .. } = entry.kind
                && !seen.contains(&original)
            {
                found.push(Breach::new("I3", format!("operation {original} was never booked, and this follows it")));
            }
        }
        let sum = |counts: fn(&EntryKind) -> bool| -> i64 {
            let counted = self.ledger.iter().filter(|entry| counts(&entry.kind));
            counted.map(|entry| entry.amount.minor_units()).fold(0, i64::saturating_add)
        };
        let kept = sum(|kind| matches!(kind, EntryKind::Capture { .. } | EntryKind::Debit { .. }))
            .saturating_sub(sum(|kind| matches!(kind, EntryKind::Chargeback { .. })));
        if kept > self.totals.including_vat.minor_units() {
            found.push(Breach::new(
                "I2",
                format!("{kept} was taken for an order of {}", self.totals.including_vat.minor_units()),
            ));
        }
    }

    /// I2, I19: what is beyond goes back, and no more than came.
    fn audit_returns(&self, found: &mut Vec<Breach>) {
        for entry in self.ledger.iter().filter(|entry| is_money_in(entry)) {
            let number = entry.operation.number;
            let is_surplus = matches!(entry.kind, EntryKind::Surplus { .. });
            if is_surplus && self.give_backs.iter().all(|given| given.operation.number != number) {
                found.push(Breach::new("I2", format!("surplus {number} does not go back")));
            }
            let returned = self.returned(number);
            if returned > entry.amount.minor_units() {
                let what =
                    format!("{returned} of operation {number} went back, which was {}", entry.amount.minor_units());
                found.push(Breach::new("I19", what));
            }
        }
    }

    fn returned(&self, number: OperationNumber) -> i64 {
        let back = self.ledger.iter().filter(|entry| match entry.kind {
            EntryKind::GivenBack { original, .. } | EntryKind::Chargeback { original, .. } => original == number,
            EntryKind::Capture { .. }
            | EntryKind::Debit { .. }
            | EntryKind::Surplus { .. }
            | EntryKind::Settlement { .. } => false,
        });
        back.map(|entry| entry.amount.minor_units()).fold(0, i64::saturating_add)
    }

    /// I5, I6: one call at a time, and no debit beside one that nobody knows the end of.
    fn audit_attempts(&self, found: &mut Vec<Breach>) {
        for purpose in self.purposes() {
            if self.attempts(purpose).iter().filter(|attempt| attempt.is_open()).count() > 1 {
                found.push(Breach::new("I5", format!("{purpose} has two calls under way")));
            }
        }
        for due in &self.schedule {
            let is = |wanted: fn(&Attempt) -> bool| due.debits.iter().any(|debit| wanted(&debit.attempt));
            if is(Attempt::is_open) && is(|attempt| matches!(attempt.state, AttemptState::Quarantined { .. })) {
                found.push(Breach::new("I6", format!("instalment {} is debited beside a quarantine", due.number)));
            }
        }
    }

    /// I11: one debit of an order in each run and on each day.
    fn audit_days(&self, found: &mut Vec<Breach>) {
        let (mut days, mut runs) = (BTreeSet::new(), BTreeSet::new());
        for debit in self.schedule.iter().flat_map(|due| &due.debits) {
            if let Some(on) = debit.on {
                if !days.insert(on) {
                    found.push(Breach::new("I11", format!("two debits on {on}")));
                }
                if !runs.insert(debit.run) {
                    found.push(Breach::new("I11", format!("two debits in the run of {}", debit.run)));
                }
            }
        }
    }

    /// I14: who is debited has a card that was accepted.
    fn audit_card(&self, found: &mut Vec<Breach>) {
        let Some(card) = self.plan().and_then(Plan::card) else { return };
        let is_its = |checkout| {
            let page = self.checkout(checkout).and_then(|page| page.begins.as_deref());
            page.is_some_and(|begins| begins.subscriber == card.subscriber)
        };
        let is_good = |verdict: &Option<Verdict>| matches!(verdict, Some(Verdict::Accepted | Verdict::Checked));
        if !self.holds.iter().any(|hold| is_its(hold.checkout) && is_good(&hold.verdict)) {
            found.push(Breach::new("I14", "the active plan has no card that was accepted"));
        }
    }

    /// I22: one currency, and a schedule that comes to what is ordered less what was credited.
    fn audit_amounts(&self, found: &mut Vec<Breach>) {
        let total = self.totals.including_vat;
        let all = self.schedule.iter().map(|due| due.amount).chain(self.ledger.iter().map(|entry| entry.amount));
        if all.into_iter().any(|amount| amount.currency() != total.currency()) {
            found.push(Breach::new("I22", "amounts in two currencies"));
        }
        let credited = self.credit_notes.iter().flat_map(|note| &note.cuts).map(|cut| cut.amount);
        let sum = self.schedule.iter().map(|due| due.amount).chain(credited);
        let sum = sum.map(|amount| amount.minor_units()).fold(0, i64::saturating_add);
        if sum != total.minor_units() {
            found.push(Breach::new(
                "I22",
                format!("the schedule comes to {sum}, and {} is ordered", total.minor_units()),
            ));
        }
    }
}

fn is_accepted(attempt: &Attempt) -> bool {
    matches!(attempt.state, AttemptState::Accepted { .. })
}

fn is_money_in(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::Surplus { .. })
}
