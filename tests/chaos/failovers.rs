//! The server of a shared store fails again and again while several gateways debit, and triggers come from all sides; then
//! the bank's ledger is compared.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use guichet::domain::{attempt::AttemptState, order::Order};
use guichet_sandbox::ledger::Entry;
use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::{
    bench::Bench,
    calendar::noon,
    faults::{FAULTS, Fault, some_leave},
    gateways::{ANSWER_GRACE, Gateways},
    judge::{Verdict, order_of},
    number,
    payer::ACCEPTED,
    store::{Seen, attempts},
};

/// How many payers are before a page at once.
const AT_ONCE: usize = 10;
/// Instalments that are debited after the first is paid.
const MONTHS: usize = 10;
/// After which the clock is put forward for those that still wait: by less than the far rungs of a doubt are apart.
const SOON: Duration = Duration::from_secs(5);
const A_WHILE: SignedDuration = SignedDuration::from_mins(10);
const RUNG: SignedDuration = SignedDuration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(120);
/// From so many failovers on it is the long form, with so many triggers at least.
const LONG: usize = 50;
const TRIGGERS: usize = 200;

struct Campaign {
    gateways: Gateways,
    today: Date,
    triggers: usize,
    faults: BTreeMap<Fault, u32>,
    slowest: Duration,
    found: usize,
}

impl Campaign {
    async fn come_to_next(&mut self) {
        let next = self.gateways.seen().await.next_debit().unwrap();
        self.today = if next > self.today { next } else { self.today.tomorrow().unwrap() };
        self.gateways.first().portal().come_to(noon(self.today)).await;
    }

    async fn fail(&mut self, fault: Fault) {
        fault.befall(&mut self.gateways, self.today).await;
        self.slowest = self.slowest.max(self.gateways.until_frozen().await);
        let before = self.gateways.debited();
        self.triggers += self.gateways.trigger(self.today).await;
        // What was on its way when the store failed may still arrive for so long, and nothing after it.
        tokio::time::sleep(ANSWER_GRACE).await;
        let arrived = self.gateways.debited();
        assert!(arrived <= before + 2 * self.gateways.all.len(), "{before} {arrived}\n{}", self.gateways.tail());
        // With its replica it may be trusted again, and asked; but nothing leaves before a person says so.
        self.gateways.follow();
        self.triggers += self.gateways.trigger(self.today).await;
        let ended = self.gateways.until_asked().await;
        assert!(ended["debits_frozen"] == true, "{ended:#}");
        assert_eq!(self.gateways.debited(), arrived, "debited while frozen, {fault:?}\n{}", self.gateways.tail());
        self.found += usize::try_from(ended["lost_calls"].as_u64().unwrap()).unwrap();
        self.gateways.end().await;
        *self.faults.entry(fault).or_default() += 1;
    }

    /// Waits until nothing is left that is due today.
    async fn until_all_is_done(&mut self) -> Seen {
        let (begun, mut passed) = (Instant::now(), noon(self.today) + A_WHILE);
        loop {
            self.triggers += self.gateways.trigger(self.today).await;
            let seen = self.gateways.seen().await;
            let is_open = |order: &&Order| {
                attempts(order).any(|attempt| attempt.is_open() && !is_before_a_person(order))
                    || order
                        .schedule
                        .iter()
                        .any(|due| due.is_owed() && due.due <= self.today && !is_before_a_person(order))
            };
            let open: Vec<&Order> = seen.orders.iter().filter(is_open).collect();
            if open.is_empty() {
                return seen;
            }
            let today = self.today;
            let is_for_tomorrow = |order: &&Order| {
                // A card is debited once a day, whatever came of it.
                let was_debited =
                    order.schedule.iter().flat_map(|due| &due.debits).any(|debit| debit.on == Some(today));
                order.ready_on().is_some_and(|on| on > today || was_debited)
            };
            if open.iter().all(is_for_tomorrow) {
                self.today = self.today.tomorrow().unwrap();
                self.gateways.first().portal().come_to(noon(self.today)).await;
            }
            if begun.elapsed() > SOON {
                // A doubt whose close questions fell into failures is asked about again a little later.
                passed += RUNG;
                self.gateways.first().portal().come_to(passed.max(noon(self.today) + A_WHILE)).await;
            }
            assert!(begun.elapsed() < PATIENCE, "never done: {:#?}\n{}", open.first(), self.gateways.tail());
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

fn is_before_a_person(order: &Order) -> bool {
    !order.waiting().is_empty()
        || attempts(order).any(|attempt| matches!(attempt.state, AttemptState::Quarantined { .. }))
}

/// What the bank has done by its own ledger: each instalment that was due was debited once, or is before a person.
fn judge(bench: &Bench, seen: &Seen, today: Date) -> Verdict {
    let mut verdict = Verdict::default();
    let entries: Vec<Entry> = bench.sandbox.sandbox.world().ledger.entries().cloned().collect();
    let mut by_order: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in &entries {
        by_order.entry(order_of(&entry.operation.reference)).or_default().push(entry);
    }
    for order in &seen.orders {
        let id = order.id.to_string();
        let at_bank = by_order.remove(id.trim_start_matches("ord_")).unwrap_or_default();
        let known = verdict.lost.len();
        verdict.hold_against(order, &at_bank);
        if is_before_a_person(order) {
            verdict.lost.truncate(known);
            verdict.for_people += 1;
            continue;
        }
        let owed = order.schedule.iter().filter(|due| due.is_owed() && due.due <= today);
        verdict.lost.extend(owed.map(|due| format!("{id}: instalment {} is not paid", due.number)));
    }
    let strays = by_order.into_values().flatten().filter(|entry| entry.operation.captured > 0);
    verdict.lost.extend(strays.map(|entry| format!("of no order: {entry:?}")));
    verdict.asked_once(bench);
    verdict
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_the_store_fails_each_instalment_is_debited_once() {
    let (failovers, debits) =
        (usize::try_from(number("FAILOVERS", FAULTS.len() as u64)).unwrap(), number("DEBITS", 32));
    let begun = Instant::now();
    let months = if failovers > FAULTS.len() { MONTHS } else { 2 };
    let orders = usize::try_from(debits).unwrap().div_ceil(months);
    let gateways = Gateways::start(2, if months == MONTHS { 300 } else { 120 }).await;
    let portal = gateways.first().portal();
    for part in 0..orders.div_ceil(AT_ONCE) {
        let count = AT_ONCE.min(orders - part * AT_ONCE);
        join_all((0..count).map(|_| portal.begin_plan("12x", 120_000, &[ACCEPTED]))).await;
    }
    let today = Timestamp::now().in_tz("Europe/Paris").unwrap().date();
    let (triggers, found, faults, slowest) = (0, 0, BTreeMap::new(), Duration::ZERO);
    let mut campaign = Campaign { gateways, today, triggers, faults, slowest, found };
    let mut left = FAULTS.iter().copied().cycle().take(failovers);
    let each_month = failovers.div_ceil(months);
    for month in 0..months {
        if month == months / 2 {
            // New ones join those that are there.
            campaign.gateways.add().await;
            campaign.gateways.add().await;
        }
        campaign.come_to_next().await;
        for fault in left.by_ref().take(each_month).collect::<Vec<_>>() {
            some_leave(&campaign.gateways, campaign.today, Duration::from_secs(2)).await;
            campaign.fail(fault).await;
        }
        campaign.until_all_is_done().await;
    }
    let seen = campaign.until_all_is_done().await;
    let Campaign { gateways, today, triggers, faults, slowest, found } = campaign;
    let verdict = judge(&gateways.first().bench, &seen, today);
    let faults: Vec<String> = faults.iter().map(|(fault, times)| format!("{}={times}", fault.name())).collect();
    println!(
        "failovers={failovers} debits={} double={} lost={} for_people={} lost_calls={found} triggers={triggers} gateways={} \
         slowest_freeze_ms={} {} seconds={}",
        verdict.debits,
        verdict.double.len(),
        verdict.lost.len(),
        verdict.for_people,
        gateways.all.len(),
        slowest.as_millis(),
        faults.join(" "),
        begun.elapsed().as_secs()
    );
    assert!(verdict.is_clean(), "{verdict:#?}\n{}", gateways.tail());
    gateways.first().bench.audit();
    assert!(verdict.debits + verdict.for_people >= usize::try_from(debits).unwrap(), "{verdict:#?}");
    assert!(verdict.for_people <= found, "for_people={} lost_calls={found}", verdict.for_people);
    let least = if failovers < LONG { failovers } else { failovers.max(TRIGGERS) };
    assert!(triggers >= least, "triggers={triggers}");
}
