//! Many lives, and what must have been seen in them.

use std::collections::BTreeMap;

use crate::run::{Life, live};

/// How many worlds each of the parts lives through, unless `SEEDS` says how many all do.
const SEEDS_OF_A_PART: u64 = 1_500;
const PARTS: u64 = 2;
/// A part with fewer lives need not have seen everything.
const ENOUGH: u64 = 1_000;

/// What a campaign must have seen: a fault that never strikes proves nothing, nor does a state that is never reached.
const SEEN: &[&str] = &[
    "account: of an earlier day",
    "alarm: its process was gone before it",
    "ask: answered as another",
    "ask: lost after",
    "ask: lost before",
    "ask: mangled",
    "ask: overtaken",
    "ask: told of another operation",
    "ask: unclear",
    "attempt: dropped",
    "attempt: in doubt",
    "attempt: postponed",
    "bank: a debit is found much later than others",
    "bank: a host is down",
    "bank: a part is given back",
    "bank: an authorisation is let go by hand",
    "bank: cancel",
    "bank: capture",
    "bank: captured what a page had authorised",
    "bank: charged back",
    "bank: debit",
    "bank: does not find a debit by its reference",
    "bank: refund",
    "bank: the whole is given back",
    "bank: what was paid late is found a day later",
    "cancel: its answer is lost",
    "cancel: refused beside a debit",
    "capture: awaited too long",
    "capture: charged back",
    "capture: not settled yet",
    "capture: settled",
    "capture: went back before it was settled",
    "captured: by a debit",
    "captured: by a page",
    "captured: surplus",
    "captured: the rest at once",
    "card: checked",
    "card: forgotten, as its money was let go",
    "card: refused",
    "clock: a month has ended",
    "clock: a night on which all clocks change",
    "clock: set back",
    "clock: set forward",
    "crash",
    "crash: between sent and the first byte",
    "credit note: of what was paid",
    "credit note: of what was to be paid",
    "debit: again, as accounting wants",
    "debit: in arrears",
    "debit: refused",
    "debit: will be tried again",
    "doubt: ended before a person",
    "doubt: was accepted",
    "doubt: was not executed",
    "drift: a chargeback is unknown",
    "drift: a refund is unknown",
    "drift: a remittance is unknown",
    "drift: an operation is unknown",
    "drift: another status",
    "drift: fees are not booked",
    "drift: not settled here",
    "entry: a chargeback",
    "entry: a note",
    "entry: a question",
    "entry: a settlement",
    "entry: answered again",
    "entry: fees",
    "entry: made",
    "entry: not offered",
    "entry: twice at once",
    "forged: not signed by the bank",
    "forged: of an order that is none",
    "forged: of another amount",
    "forged: of another's money",
    "forged: of money that never was",
    "forged: with an order before what is signed",
    "forget: done",
    "forget: was gone",
    "freeze",
    "freeze: between sent and the first byte",
    "hold: released",
    "import: a file is new",
    "import: operations beside the bank's ledger",
    "import: remittances beside the bank's ledger",
    "import: the same file again",
    "instalment: paid elsewhere",
    "instalment: rescheduled",
    "instalment: written off",
    "link: leads nowhere",
    "link: leads to a form",
    "notification: again at the end",
    "notification: doubled",
    "notification: forged",
    "notification: late",
    "notification: lost",
    "operation: quarantined",
    "order: blocked",
    "order: cancelled",
    "order: replaced",
    "order: settled",
    "order: unblocked",
    "page: card kept",
    "page: paid twice",
    "page: refused",
    "page: virtual card kept",
    "payer: paid on a page that was over",
    "people: one alone",
    "people: one is mistaken",
    "plan: active",
    "plan: another card",
    "plan: cancelled",
    "plan: completed",
    "plan: defaulted",
    "plan: paused",
    "plan: resumed",
    "plan: withdrawn",
    "reconcile: a lost call is on record again",
    "reconcile: a refund waits",
    "reconcile: ended",
    "refund: against a credit note",
    "refund: and the rest is cancelled",
    "refund: and the rest is kept",
    "refund: asked for twice at once",
    "refund: given back",
    "refund: its answer is lost",
    "refund: of what was overpaid",
    "refused: a debit is under way",
    "refused: more than there is",
    "refused: the same person, or key",
    "report: doubted, and asked for again",
    "run: asked for late",
    "run: asked for many times",
    "run: stopped",
    "send: answered as another",
    "send: answered late",
    "send: configuration",
    "send: done late",
    "send: doubt, and done",
    "send: doubt, and nothing done",
    "send: lost after",
    "send: lost before",
    "send: mangled",
    "send: number seen",
    "send: refused",
    "send: too late, so nothing left",
    "store: a backup came back once more",
    "store: a backup came back",
    "store: a change came back",
    "store: a change is not acknowledged",
    "store: a change is not made",
    "store: a race was lost",
    "store: a read fails",
    "store: lags what has left",
    "surplus: given back",
    "verdict: closed",
    "verdict: executed",
    "verdict: not executed",
];

pub(crate) fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn part(part: u64) {
    if let Some(seed) = variable("SEED") {
        if part == 0 {
            show(seed);
        }
        return;
    }
    let count = variable("SEEDS").map_or(SEEDS_OF_A_PART, |seeds| seeds.div_ceil(PARTS));
    let mut counters: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut failed = Vec::new();
    let first = variable("FIRST_SEED").unwrap_or(0);
    for seed in (0..count).map(|index| first + index * PARTS + part) {
        let life = live(seed, false);
        life.counters.into_iter().for_each(|(name, times)| *counters.entry(name).or_default() += times);
        if !life.violations.is_empty() {
            println!("SEED={seed} {:?}", life.violations);
            failed.push(seed);
        }
    }
    let counted: Vec<String> = counters
        .iter()
        .map(|(name, times)| format!("{}={times}", name.replace([' ', ':', ','], "_").replace("__", "_")))
        .collect();
    println!("seeds={count} violations={} {}", failed.len(), counted.join(" "));
    let unseen: Vec<&&str> = SEEN.iter().filter(|what| !counters.contains_key(**what)).collect();
    assert!(count < ENOUGH || unseen.is_empty(), "never seen: {unseen:?}");
    if let Some(seed) = failed.first() {
        panic!("to see it: SEED={seed} cargo nextest run --test simulation --no-capture ({} failed)", failed.len());
    }
}

fn show(seed: u64) {
    let Life { violations, lines, .. } = live(seed, true);
    for line in &lines {
        println!("{line}");
    }
    assert!(violations.is_empty(), "SEED={seed}: {violations:?}");
}

#[test]
fn lives_with_even_seeds() {
    part(0);
}

#[test]
fn lives_with_odd_seeds() {
    part(1);
}

#[test]
fn a_seed_makes_one_life() {
    if variable("SEED").is_some() {
        return;
    }
    for seed in 0..10 {
        let (once, again) = (live(seed, false), live(seed, false));
        assert_eq!(once.hash, again.hash, "{seed}");
        assert_eq!(once.counters, again.counters, "{seed}");
    }
}
