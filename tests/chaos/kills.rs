//! The gateway is killed, at random times and at each failpoint, while a run of hundreds of debits is under way and payers
//! come and go; then the bank's ledger is compared.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use guichet::{domain::attempt::AttemptState, failpoint::PLACES};
use guichet_sandbox::faults::Script;
use jiff::ToSpan;

use serde_json::json;

use crate::{
    bench::Bench,
    calendar::Calendar,
    judge::Verdict,
    life::{Launch, Life},
    number,
    payer::ACCEPTED,
    portal::Portal,
    receiver::Receiver,
    rng::Rng,
    store::Seen,
    traffic::Traffic,
};

/// Kills of one bank and store.
const ROUND: u32 = 60;
/// How long a failpoint is waited for.
const FAILPOINT_WAIT: Duration = Duration::from_secs(8);
/// How many payers are before a page at once.
const AT_ONCE: usize = 10;

/// A campaign under way.
struct Campaign<'a> {
    bench: &'a Bench,
    rng: Rng,
    calendar: Calendar<'a>,
    /// How often each failpoint has ended a life.
    hits: BTreeMap<&'static str, u32>,
    /// How many lives a failpoint was waited for in vain.
    in_vain: BTreeMap<&'static str, u32>,
    by_time: u32,
}

impl Campaign<'_> {
    /// In this round and those before.
    fn kills(&self) -> u32 {
        self.by_time + self.hits.values().sum::<u32>()
    }

    /// One life, from start to kill.
    async fn live(&mut self) {
        // A debit now and then is in doubt for another reason: a connection that broke, before or after it was done.
        let action = if self.rng.chance(500) { "drop_before_commit" } else { "drop_after_commit" };
        let script = json!({"target": "direct", "type": "00053", "action": action});
        let script: Script = serde_json::from_value(script).unwrap();
        self.bench.sandbox.sandbox.world().faults.arm(script).unwrap();
        if self.rng.chance(300) && self.hits.values().all(|hits| *hits > 0) || self.rng.chance(150) {
            let until = Duration::from_millis(self.rng.below(700));
            self.live_until(until).await;
        } else {
            self.live_up_to_a_failpoint().await;
        }
    }

    async fn live_until(&mut self, time: Duration) {
        let mut life = Life::begin(self.bench, &Launch::default());
        let end = Instant::now() + time;
        while Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert!(!life.was_aborted(self.bench));
        }
        life.kill();
        self.by_time += 1;
    }

    /// The place that has ended the fewest lives, of those that are likely to be passed soon.
    async fn live_up_to_a_failpoint(&mut self) {
        let stage = Stage::of(&Seen::read(&self.bench.store));
        let likely: Vec<&'static str> = PLACES.iter().copied().filter(|place| stage.may_pass(place)).collect();
        let times = |place: &&'static str| self.hits[*place] + self.in_vain[*place];
        let least = likely.iter().map(times).min().unwrap();
        let of_least: Vec<&'static str> = likely.into_iter().filter(|place| times(place) == least).collect();
        let place = *self.rng.pick(&of_least);
        // Some are passed once a day, some a hundred times in a second.
        let often = ["store.", "call.", "debit.planned", "debit.asked", "debit.sent", "request.", "webhook.", "page."];
        let often = often.iter().any(|kind| place.starts_with(kind));
        let passing = if often { 1 + u32::try_from(self.rng.below(8)).unwrap() } else { 1 };
        self.live_up_to(place, passing).await;
    }

    async fn live_up_to(&mut self, place: &'static str, passing: u32) {
        let mut life = Life::begin(self.bench, &Launch { failpoint: Some((place, passing)), ..Launch::default() });
        let end = Instant::now() + FAILPOINT_WAIT;
        while !life.was_aborted(self.bench) {
            if Instant::now() > end {
                life.kill();
                *self.in_vain.get_mut(place).unwrap() += 1;
                self.by_time += 1;
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            if life.is_ready() {
                self.calendar.go_on(&mut life).await;
            }
        }
        *self.hits.get_mut(place).unwrap() += 1;
    }
}

/// What is under way, as far as it decides which places are passed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A debit was left by the life before, and its answer with it.
    Left,
    /// A debit is in doubt.
    Doubted,
    /// A run has debits to send.
    Debiting,
    /// Today's run is over.
    Between,
}

impl Stage {
    fn of(seen: &Seen) -> Self {
        let states: Vec<&AttemptState> = seen.debits().map(|debit| &debit.attempt.state).collect();
        let any = |is_so: fn(&AttemptState) -> bool| states.iter().any(|state| is_so(state));
        if any(|state| matches!(state, AttemptState::Sent(_))) {
            Self::Left
        } else if any(|state| matches!(state, AttemptState::Ready { .. })) {
            Self::Debiting
        } else if any(|state| matches!(state, AttemptState::InDoubt(_))) {
            Self::Doubted
        } else {
            Self::Between
        }
    }

    fn may_pass(self, place: &str) -> bool {
        match place {
            "debit.doubted" => self == Self::Left,
            "debit.enquired" | "debit.enquiry_committed" => self != Self::Between,
            "debit.planned" | "run.start_decided" | "run.started" | "run.taking_up" | "run.taken_up"
            | "run.selected" => matches!(self, Self::Between | Self::Doubted),
            "run.ending" => self != Self::Between,
            "run.asked_back" => matches!(self, Self::Left | Self::Debiting),
            _ if place.starts_with("debit.") => matches!(self, Self::Left | Self::Debiting),
            _ => self != Self::Left,
        }
    }
}

/// What rounds of killing have come to.
#[derive(Default)]
struct Total {
    kills: u32,
    by_time: u32,
    payers: usize,
    hits: BTreeMap<&'static str, u32>,
    verdict: Verdict,
}

/// Kills `kills` lives of a gateway that debits `orders` plans, month after month.
async fn kill(kills: u32, orders: usize, seed: u64, total: &mut Total) {
    let bench = Bench::start().await;
    let receiver = Receiver::start(|_| 200).await;
    let traffic = Traffic::default();
    let mut life = Life::calm(&bench).await;
    let mut campaign = Campaign {
        bench: &bench,
        calendar: Calendar::new(&bench, &traffic),
        rng: Rng::new(seed),
        hits: std::mem::take(&mut total.hits),
        in_vain: PLACES.iter().map(|place| (*place, 0)).collect(),
        by_time: 0,
    };
    let before = campaign.kills();
    // As many again where a place was not passed in time.
    let (enough, at_most) = (before + kills, before + 2 * kills);
    let portal = Portal { bench: &bench };
    portal.listen(&receiver.url()).await;
    // The first debit of all is made in peace: beside it "not found" means something.
    portal.begin_plan("12x", 120_000, &[ACCEPTED]).await;
    let first = Seen::read(&bench.store).next_debit().unwrap();
    campaign.calendar.come_to(first).await;
    campaign.calendar.until_all_is_done(&mut life).await;
    for _ in 0..orders.div_ceil(AT_ONCE) {
        join_all((0..AT_ONCE).map(|_| portal.begin_plan("12x", 120_000, &[ACCEPTED]))).await;
    }
    life.kill();
    let killing = async {
        while campaign.kills() < enough || campaign.hits.values().any(|hits| *hits == 0) && campaign.kills() < at_most {
            campaign.live().await;
        }
        traffic.end();
        Life::calm(&bench).await
    };
    let (payers, mut life) = tokio::join!(traffic.flow(&bench), killing);
    bench.sandbox.sandbox.world().faults.clear();
    campaign.calendar.until_all_is_done(&mut life).await;
    // Pages of yesterday are asked for once more.
    campaign.calendar.come_to(campaign.calendar.today.checked_add(2.days()).unwrap()).await;
    let seen = campaign.calendar.until_all_is_done(&mut life).await;
    let events = portal.events().await;
    let mut verdict = Verdict::of(&bench, &seen, campaign.calendar.today);
    verdict.told(&events, &receiver).await;
    assert!(life.stop(&bench).await.success());
    assert!(verdict.is_clean(), "seed {seed}: {verdict:#?}\n{}", bench.tail());
    bench.audit();
    total.kills += campaign.kills() - before;
    total.by_time += campaign.by_time;
    total.payers += payers;
    total.hits = campaign.hits;
    total.verdict.add(&verdict);
}

/// Rounds of [`ROUND`] kills, each with a bank and a store of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_it_is_killed_each_instalment_is_debited_once() {
    let (kills, seed) = (u32::try_from(number("KILLS", u64::from(ROUND))).unwrap(), number("SEED", 1));
    let orders = if kills > ROUND { 150 } else { 50 };
    let begun = Instant::now();
    let mut total = Total { hits: PLACES.iter().map(|place| (*place, 0)).collect(), ..Total::default() };
    for round in 0.. {
        if total.kills >= kills {
            break;
        }
        kill(ROUND.min(kills - total.kills), orders, seed + round, &mut total).await;
    }
    let places = total.hits.iter().map(|(place, hits)| format!("{place}={hits}")).collect::<Vec<_>>().join(" ");
    let Total { kills, by_time, payers, verdict, .. } = &total;
    let (verdict, seconds) = (verdict.line(), begun.elapsed().as_secs());
    println!("kills={kills} {verdict} payers={payers} by_time={by_time} {places} seed={seed} seconds={seconds}");
    let missed: Vec<_> = total.hits.iter().filter(|(_, hits)| **hits == 0).map(|(place, _)| place).collect();
    assert!(missed.is_empty(), "never ended a life: {missed:?}");
}
