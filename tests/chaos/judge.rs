//! The verdict: what the bank has done, by its own ledger, held against what the gateway has written.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use guichet::domain::{attempt::AttemptState, ledger::EntryKind, order::Order};
use guichet_sandbox::ledger::{Entry, Status};
use jiff::civil::Date;
use serde_json::Value;

use crate::{
    bench::Bench,
    portal::text,
    receiver::{Heard, Receiver},
    store::{Seen, attempts, is_for_people},
};

/// After so long without anything new, nothing comes any more.
const NO_NEWS: Duration = Duration::from_secs(15);

/// What is wrong, a line each, and what was there to go wrong.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Money that was taken, or asked for, once too often.
    pub(crate) double: Vec<String>,
    /// Money, or news of it, that somebody does not know of.
    pub(crate) lost: Vec<String>,
    pub(crate) debits: usize,
    pub(crate) captures: usize,
    pub(crate) given_back: usize,
    pub(crate) not_executed: usize,
    pub(crate) webhooks: usize,
    /// Refunds that the bank does not know, which people decide on.
    pub(crate) for_people: usize,
}

impl Verdict {
    /// As it is printed at the end of a campaign.
    pub(crate) fn line(&self) -> String {
        format!(
            "double={} lost={} debits={} captures={} given_back={} not_executed={} for_people={} webhooks={}",
            self.double.len(),
            self.lost.len(),
            self.debits,
            self.captures,
            self.given_back,
            self.not_executed,
            self.for_people,
            self.webhooks
        )
    }

    /// Takes over what another verdict has counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.double.extend(other.double.iter().cloned());
        self.lost.extend(other.lost.iter().cloned());
        self.debits += other.debits;
        self.captures += other.captures;
        self.given_back += other.given_back;
        self.not_executed += other.not_executed;
        self.webhooks += other.webhooks;
        self.for_people += other.for_people;
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.double.is_empty() && self.lost.is_empty()
    }

    /// Judges a gateway that was left in peace long enough for all to be over, on `today`.
    pub(crate) fn of(bench: &Bench, seen: &Seen, today: Date) -> Self {
        let mut verdict = Self::default();
        let entries: Vec<Entry> = bench.sandbox.sandbox.world().ledger.entries().cloned().collect();
        let mut by_order: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in &entries {
            by_order.entry(order_of(&entry.operation.reference)).or_default().push(entry);
        }
        for order in &seen.orders {
            let name = order.id.to_string();
            let at_bank = by_order.remove(name.trim_start_matches("ord_")).unwrap_or_default();
            verdict.hold_against(order, &at_bank);
            verdict.is_done(order, &at_bank, today);
        }
        let strays = by_order.into_values().flatten().filter(|entry| entry.operation.captured > 0);
        verdict.lost.extend(strays.map(|entry| format!("of no order: {entry:?}")));
        verdict.asked_once(bench);
        verdict
    }

    /// What the bank holds of an order is what its ledger says, each operation once.
    pub(crate) fn hold_against(&mut self, order: &Order, at_bank: &[&Entry]) {
        let id = order.id;
        let taken = at_bank.iter().filter(|entry| entry.operation.captured > 0);
        let taken: BTreeSet<u64> = taken.map(|entry| entry.operation.numtrans).collect();
        let mut booked: Vec<u64> = Vec::new();
        let mut net = 0;
        for entry in &order.ledger {
            match entry.kind {
                EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::Surplus { .. } => {
                    booked.push(entry.operation.number.to_string().parse().unwrap());
                    net += entry.amount.minor_units();
                }
                EntryKind::GivenBack { .. } => net -= entry.amount.minor_units(),
                EntryKind::Settlement { .. } | EntryKind::Chargeback { .. } => {}
            }
        }
        let once: BTreeSet<u64> = booked.iter().copied().collect();
        if once.len() < booked.len() {
            self.double.push(format!("{id}: booked twice: {booked:?}"));
        }
        self.lost.extend(taken.difference(&once).map(|number| format!("{id}: {number} is taken and not booked")));
        self.double.extend(once.difference(&taken).map(|number| format!("{id}: {number} is booked and not taken")));
        let bank_net: i64 = at_bank.iter().map(|entry| net_of(entry)).sum();
        if bank_net != net {
            self.lost.push(format!("{id}: the bank holds {bank_net}, the ledger {net}"));
        }
        let mut debited: BTreeMap<&str, usize> = BTreeMap::new();
        let debits = at_bank.iter().filter(|entry| entry.origin.kind == "00053" && entry.operation.captured > 0);
        for entry in debits.filter(|entry| entry.operation.status != Status::Cancelled) {
            *debited.entry(entry.operation.reference.rsplit_once("-d").unwrap().0).or_default() += 1;
            self.debits += 1;
        }
        let twice = debited.iter().filter(|(_, times)| **times > 1);
        self.double.extend(twice.map(|(what, times)| format!("{id}: {what} was debited {times} times")));
        self.captures += taken.len();
        self.given_back +=
            order.ledger.iter().filter(|entry| matches!(entry.kind, EntryKind::GivenBack { .. })).count();
    }

    /// Nothing is under way, in doubt or a person's, and what was due is paid.
    fn is_done(&mut self, order: &Order, at_bank: &[&Entry], today: Date) {
        let id = order.id;
        for attempt in attempts(order) {
            self.not_executed += usize::from(attempt.state == AttemptState::NotExecuted);
            let (reference, _) = attempt.call.names();
            let is_at_bank = at_bank.iter().any(|entry| entry.operation.reference == reference.as_str());
            if is_for_people(attempt) && !is_at_bank {
                self.for_people += 1;
            } else if attempt.is_open() || matches!(attempt.state, AttemptState::Quarantined { .. }) {
                self.lost.push(format!("{id}: left in {:?}", attempt.state));
            }
        }
        if !order.waiting().is_empty() && !attempts(order).any(is_for_people) {
            self.lost.push(format!("{id}: {:?} waits for people", order.waiting()));
        }
        let unpaid = order.schedule.iter().filter(|due| due.is_owed() && due.due <= today);
        self.lost.extend(unpaid.map(|due| format!("{id}: instalment {} of {} is not paid", due.number, due.due)));
    }

    /// No call that moves money, and no question number, has reached the bank twice.
    pub(crate) fn asked_once(&mut self, bench: &Bench) {
        let world = bench.sandbox.sandbox.world();
        let (mut calls, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for call in &world.journal.calls {
            let moves_money = matches!(call.kind.as_str(), "00002" | "00005" | "00014" | "00052" | "00053" | "00055");
            // A cancellation and a capture name their operation.
            let name = (call.kind.clone(), call.reference.clone(), call.numtrans.clone());
            if moves_money && call.applied && call.kind != "00002" && call.kind != "00005" && !calls.insert(name) {
                self.double.push(format!("sent twice: {call:?}"));
            }
            if !numbers.insert(call.numquestion.clone()) {
                self.double.push(format!("a number used twice: {call:?}"));
            }
        }
    }

    /// Every event of the feed was taken by the receiver, or is on its way there; and always told in the same words.
    pub(crate) async fn told(&mut self, events: &[Value], receiver: &Receiver) {
        let (mut known, mut since) = (0, Instant::now());
        let bodies = loop {
            let bodies = self.bodies(&receiver.taken());
            let untold: Vec<&Value> = events.iter().filter(|event| !bodies.contains_key(text(&event["id"]))).collect();
            if bodies.len() > known {
                (known, since) = (bodies.len(), Instant::now());
            }
            if untold.is_empty() || since.elapsed() > NO_NEWS {
                self.lost.extend(untold.iter().map(|event| format!("nobody was told of {event}")));
                break bodies;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        };
        self.webhooks = bodies.len();
    }

    fn bodies(&mut self, heard: &[Heard]) -> BTreeMap<String, String> {
        let mut bodies: BTreeMap<String, String> = BTreeMap::new();
        for heard in heard {
            let id = heard.header("webhook-id").to_owned();
            if *bodies.entry(id.clone()).or_insert_with(|| heard.body.clone()) != heard.body {
                self.double.push(format!("event {id} in two versions"));
            }
        }
        bodies
    }
}

/// The hexadecimal digits of the order that a reference belongs to.
pub(crate) fn order_of(reference: &str) -> &str {
    reference.split('-').nth(1).unwrap_or_default()
}

fn net_of(entry: &Entry) -> i64 {
    let operation = &entry.operation;
    let captured = i64::try_from(operation.captured).unwrap();
    match operation.status {
        Status::Cancelled => 0,
        Status::Credit => -i64::try_from(operation.amount).unwrap(),
        Status::Authorised | Status::Captured | Status::Refunded | Status::Refused => captured,
    }
}
