//! What everybody in a simulation shares: time, chance, the store, the bank, and the record of what happened.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use guichet::{
    app::attend::Chore,
    domain::{
        actor::Actor,
        ids::OrderId,
        money::Money,
        purpose::Purpose,
        quarantine::{PeoplesVerdict, Subject},
        reconcile::{Leaving, Mark},
    },
};
use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};

use crate::{
    backups::{Backup, Lost},
    bank::BankState,
    happening::Happening,
    imports::Imports,
    nature::{Begins, Nature},
    rng::Rng,
    store::StoreState,
    turns::TurnState,
};

/// What came to pass, as text: a hash of all of it, and the lines themselves when somebody wants to read them.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) hash: u64,
    pub(crate) lines: Option<Vec<String>>,
}

/// What a call is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) order: OrderId,
    pub(crate) purpose: Purpose,
    /// The instalments that it pays.
    pub(crate) instalments: Vec<u32>,
}

/// A call that the store has as sent.
#[derive(Clone, Debug)]
pub(crate) struct OnRecord {
    pub(crate) of: Served,
    pub(crate) reference: String,
    pub(crate) amount: Money,
    /// When it was stored, by the one true clock.
    pub(crate) at: Timestamp,
}

/// A verdict as it was stored.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) by: Actor,
    pub(crate) verdict: PeoplesVerdict,
    pub(crate) at: Timestamp,
}

/// An alarm that a commit owes.
#[derive(Clone, Debug)]
pub(crate) struct OwedAlarm {
    pub(crate) process: usize,
    pub(crate) commit: u64,
    pub(crate) kind: &'static str,
    pub(crate) order: String,
    /// The commit has returned: the alarm is due before anything else happens.
    pub(crate) is_due: bool,
}

/// What people have said of what waits for them.
pub(crate) type SaidBy = BTreeMap<(OrderId, Subject), Vec<Said>>;

/// What is to become of a process at the next opportunity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doom {
    Crash,
    Freeze(SignedDuration),
}

pub(crate) struct Inner {
    pub(crate) rng: Rng,
    /// For names and secrets: what is random there does not change what happens.
    pub(crate) names: Rng,
    pub(crate) nature: Nature,
    pub(crate) booted: Timestamp,
    pub(crate) now: Timestamp,
    /// From some moment on nothing fails any more.
    pub(crate) calm: bool,
    pub(crate) store: StoreState,
    pub(crate) turns: TurnState,
    pub(crate) bank: BankState,
    /// By merchant and question.
    pub(crate) register: BTreeMap<(String, u32), OnRecord>,
    pub(crate) happenings: BTreeMap<(Timestamp, u64), Happening>,
    next_happening: u64,
    sleepers: Vec<(Timestamp, Waker)>,
    pub(crate) dooms: BTreeMap<usize, Doom>,
    /// By process.
    pub(crate) journals: BTreeMap<usize, (Mark, Vec<Leaving>)>,
    /// Chores that a process has found due.
    pub(crate) chores: Vec<(usize, Chore)>,
    pub(crate) counters: BTreeMap<&'static str, u64>,
    pub(crate) violations: Vec<String>,
    pub(crate) trace: Trace,
    /// Alarms by what they are about, so that none is missed and few are kept.
    pub(crate) alarms: BTreeSet<(&'static str, String)>,
    /// Which process commits right now, and its commit's number.
    pub(crate) committing: Option<(usize, u64)>,
    pub(crate) commits: u64,
    /// Alarms that commits owe.
    pub(crate) owed_alarms: Vec<OwedAlarm>,
    /// Orders of which somebody may not have been told: their process ended between a commit and its alarms.
    pub(crate) untold: BTreeSet<String>,
    /// How far the clock of each process has been set from the true time.
    pub(crate) clock_steps: [SignedDuration; 2],
    pub(crate) said: SaidBy,
    /// A copy of the store, until it is put back.
    pub(crate) backup: Option<Backup>,
    pub(crate) lost: Lost,
    /// The last position that an event ever had.
    pub(crate) last_position: u64,
    pub(crate) calm_at: Timestamp,
    /// What people have sent back by other ways.
    pub(crate) sent_back_otherwise: BTreeSet<u64>,
    /// What pages had brought before all notifications came once more.
    pub(crate) before_echo: Vec<(OrderId, String)>,
    /// Every notification that was delivered.
    pub(crate) told: Vec<(String, String)>,
    pub(crate) imports: Imports,
    pub(crate) zone: TimeZone,
}

/// A handle on it. One thread works at a time, so the lock never waits.
#[derive(Clone)]
pub(crate) struct World(Arc<Mutex<Inner>>);

impl Inner {
    pub(crate) fn new(seed: u64, is_traced: bool) -> Self {
        let mut rng = Rng::new(seed);
        let nature = Nature::new(&mut rng);
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let now = beginning(&mut rng, nature.begins, &zone);
        Self {
            names: Rng::new(seed ^ 0xa5a5),
            rng,
            nature,
            booted: now - SignedDuration::from_hours(1),
            now,
            calm: false,
            store: StoreState::default(),
            turns: TurnState::default(),
            bank: BankState::default(),
            register: BTreeMap::new(),
            happenings: BTreeMap::new(),
            next_happening: 0,
            sleepers: Vec::new(),
            dooms: BTreeMap::new(),
            journals: BTreeMap::new(),
            chores: Vec::new(),
            counters: BTreeMap::new(),
            violations: Vec::new(),
            trace: Trace { hash: 0xcbf2_9ce4_8422_2325, lines: is_traced.then(Vec::new) },
            alarms: BTreeSet::new(),
            committing: None,
            commits: 0,
            owed_alarms: Vec::new(),
            untold: BTreeSet::new(),
            clock_steps: [SignedDuration::ZERO; 2],
            said: SaidBy::new(),
            backup: None,
            lost: Lost::default(),
            last_position: 0,
            calm_at: now,
            sent_back_otherwise: BTreeSet::new(),
            before_echo: Vec::new(),
            told: Vec::new(),
            imports: Imports::default(),
            zone,
        }
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counters.entry(what).or_default() += 1;
    }

    pub(crate) fn violate(&mut self, invariant: &str, what: String) {
        self.log(format_args!("VIOLATION {invariant}: {what}"));
        self.violations.push(format!("{invariant}: {what}"));
    }

    /// Writes down what happened.
    pub(crate) fn log(&mut self, what: std::fmt::Arguments<'_>) {
        let text = what.as_str().map_or_else(|| what.to_string(), str::to_owned);
        self.mix(text.as_bytes());
        if let Some(lines) = &mut self.trace.lines {
            lines.push(format!("{} {text}", self.now));
        }
    }

    /// Makes the hash of the trace depend on these bytes and on the time.
    fn mix(&mut self, bytes: &[u8]) {
        let mut hash = self.trace.hash ^ self.now.as_microsecond().cast_unsigned();
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
            hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
        self.trace.hash = hash;
    }

    /// Writes down the events of an aggregate, as it stores them.
    pub(crate) fn log_event(&mut self, id: &str, event: &str) {
        self.mix(event.as_bytes());
        if let Some(lines) = &mut self.trace.lines {
            lines.push(format!("{} {id} {event}", self.now));
        }
    }

    /// Whether a fault of this kind strikes now; `per_mille` is for ordinary weather.
    pub(crate) fn strikes(&mut self, fault: &'static str, per_mille: u64) -> bool {
        let strikes = !self.calm && self.rng.chance((per_mille * self.nature.weather / 10).min(600));
        if strikes {
            self.count(fault);
            self.log(format_args!("fault {fault}"));
        }
        strikes
    }

    pub(crate) fn at(&mut self, when: Timestamp, what: Happening) {
        self.next_happening += 1;
        self.happenings.insert((when, self.next_happening), what);
    }

    pub(crate) fn after_secs(&mut self, from: i64, to: i64, what: Happening) {
        let when = self.now + SignedDuration::from_secs(self.rng.between(from, to));
        self.at(when, what);
    }

    /// The clock goes on to `instant`, and wakes whoever slept until then.
    pub(crate) fn advance(&mut self, instant: Timestamp) -> Vec<Waker> {
        self.now = self.now.max(instant);
        let now = self.now;
        let (due, later) = std::mem::take(&mut self.sleepers).into_iter().partition(|(at, _)| *at <= now);
        self.sleepers = later;
        let due: Vec<(Timestamp, Waker)> = due;
        due.into_iter().map(|(_, waker)| waker).collect()
    }

    pub(crate) fn next_wake_up(&self) -> Option<Timestamp> {
        self.sleepers.iter().map(|(at, _)| *at).min()
    }
}

fn beginning(rng: &mut Rng, begins: Begins, zone: &TimeZone) -> Timestamp {
    let start: Timestamp = "2026-01-02T09:00:00Z".parse().unwrap();
    let anywhere = start + SignedDuration::from_mins(rng.between(0, 60 * 24 * 790));
    match begins {
        Begins::Anywhere => anywhere,
        Begins::ClocksChange => {
            let nights =
                ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2027-03-28T01:00:00Z", "2027-10-31T01:00:00Z"];
            let night: Timestamp = rng.pick(&nights).parse().unwrap();
            night - SignedDuration::from_mins(rng.between(0, 60 * 24 * 4))
        }
        Begins::MonthEnds => {
            let next = anywhere.to_zoned(zone.clone()).last_of_month().unwrap().saturating_add(1.day());
            let ends = next.start_of_day().unwrap().timestamp();
            ends - SignedDuration::from_mins(rng.between(1, 60 * 30))
        }
    }
}

impl World {
    pub(crate) fn new(seed: u64, is_traced: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner::new(seed, is_traced))))
    }

    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self.0.lock().unwrap())
    }

    /// A moment at which others may go on, or this process may end.
    pub(crate) fn pause(&self) -> Pause {
        let times = self.with(|inner| if inner.rng.chance(300) { inner.rng.below(4) } else { 1 });
        Pause(times)
    }

    pub(crate) fn sleep_until(&self, instant: Timestamp) -> Sleep {
        Sleep { world: self.clone(), until: instant }
    }

    pub(crate) async fn sleep_secs(&self, from: i64, to: i64) {
        let until = self.with(|inner| inner.now + SignedDuration::from_secs(inner.rng.between(from, to)));
        self.sleep_until(until).await;
    }
}

/// Gives way so many times.
pub(crate) struct Pause(u64);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

pub(crate) struct Sleep {
    world: World,
    until: Timestamp,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.world.with(|inner| {
            if inner.now >= self.until {
                return Poll::Ready(());
            }
            inner.sleepers.push((self.until, context.waker().clone()));
            Poll::Pending
        })
    }
}
