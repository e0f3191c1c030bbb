//! One life of the world: two processes over one store, taking turns as chance has it, crashing, freezing, and woken by
//! what happens outside.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use guichet::app::{App, Ports, attend::Chore};
use jiff::{SignedDuration, Timestamp};

use crate::{
    backups, finale, invariants,
    journal::SimJournal,
    line::SimBank,
    outside,
    ports::{NoNotifier, SimAlarms, SimClock, SimEntropy, SimPages, SimVault},
    school,
    store::SimStore,
    world::{Doom, Inner, World},
};

/// How many steps a life may have; one that has more does not come to rest.
const MAX_STEPS: u64 = 200_000;
const PROCESSES: usize = 2;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Task {
    process: usize,
    what: What,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    flag: Arc<Flag>,
}

/// What a process does.
enum What {
    MeetStore,
    Look,
    Attend(Chore),
    /// What somebody outside wants of it.
    Serve,
}

struct Process {
    app: Arc<App>,
    /// Whether it has compared the store with its journal. Before that it does nothing else.
    has_met_store: bool,
    frozen_until: Timestamp,
    next_look: Timestamp,
    is_looking: bool,
    busy: BTreeSet<Chore>,
    rested: BTreeMap<Chore, Timestamp>,
}

/// What a life came to.
pub(crate) struct Life {
    pub(crate) violations: Vec<String>,
    pub(crate) counters: BTreeMap<&'static str, u64>,
    pub(crate) hash: u64,
    pub(crate) lines: Vec<String>,
}

pub(crate) struct Run {
    pub(crate) world: World,
    processes: Vec<Process>,
    tasks: Vec<Task>,
    steps: u64,
    pub(crate) is_over: bool,
}

/// Lives the life of `seed`.
pub(crate) fn live(seed: u64, is_traced: bool) -> Life {
    let world = World::new(seed, is_traced);
    let mut run = Run { world: world.clone(), processes: Vec::new(), tasks: Vec::new(), steps: 0, is_over: false };
    (0..PROCESSES).for_each(|process| run.start(process));
    world.with(|inner| outside::begin(inner, PROCESSES));
    let lived = catch_unwind(AssertUnwindSafe(|| run.go()));
    drop(run);
    let Ok(()) = lived else {
        return Life { violations: vec!["a panic".to_owned()], counters: BTreeMap::new(), hash: 0, lines: Vec::new() };
    };
    world.with(|inner| {
        if inner.violations.is_empty() {
            finale::check(inner);
        }
        Life {
            violations: std::mem::take(&mut inner.violations),
            counters: std::mem::take(&mut inner.counters),
            hash: inner.trace.hash,
            lines: inner.trace.lines.take().unwrap_or_default(),
        }
    })
}

impl Run {
    /// Starts a process, in the place of one that is gone.
    fn start(&mut self, index: usize) {
        let (world, process) = (self.world.clone(), index);
        let (nature, now) = world.with(|inner| (inner.nature.clone(), inner.now));
        let skew = if process == 0 { SignedDuration::ZERO } else { nature.skew };
        let ports = Ports {
            store: Arc::new(SimStore { world: world.clone(), process }),
            bank: Arc::new(SimBank(world.clone())),
            pages: Arc::new(SimPages(world.clone())),
            clock: Arc::new(SimClock { world: world.clone(), process, skew }),
            entropy: Arc::new(SimEntropy(world.clone())),
            vault: Arc::new(SimVault),
            alarms: Arc::new(SimAlarms(world.clone())),
            journal: Arc::new(SimJournal::new(world.clone(), process)),
            notifier: Arc::new(NoNotifier),
            test_clock: None,
        };
        let app = Arc::new(school::app(ports, &nature));
        let meeting = Arc::clone(&app);
        let process = Process {
            app,
            has_met_store: false,
            frozen_until: now,
            next_look: now,
            is_looking: false,
            busy: BTreeSet::new(),
            rested: BTreeMap::new(),
        };
        if index < self.processes.len() {
            self.processes[index] = process;
        } else {
            self.processes.push(process);
        }
        let meet = async move {
            // Its supervisor starts it again until it can.
            while let Err(error) = meeting.meet_store().await {
                world.with(|inner| inner.log(format_args!("process {index} cannot start: {error:?}")));
                world.sleep_secs(1, 10).await;
            }
        };
        self.add(index, What::MeetStore, Box::pin(meet));
    }

    pub(crate) fn all_have_met_the_store(&self) -> bool {
        self.processes.iter().all(|process| process.has_met_store)
    }

    fn go(&mut self) {
        while !self.is_over && self.world.with(|inner| inner.violations.is_empty()) {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                self.world.with(|inner| inner.violate("rest", "it does not come to rest".to_owned()));
                return;
            }
            self.happen();
            self.look();
            let now = self.world.with(|inner| inner.now);
            let is_awake = |task: &Task| {
                let process = &self.processes[task.process];
                let may = process.has_met_store || matches!(task.what, What::MeetStore);
                may && process.frozen_until <= now && task.flag.0.load(Ordering::Relaxed)
            };
            let awake: Vec<usize> =
                self.tasks.iter().enumerate().filter(|(_, task)| is_awake(task)).map(|(index, _)| index).collect();
            if awake.is_empty() {
                self.wait(now);
            } else {
                let index = self.world.with(|inner| *inner.rng.pick(&awake));
                self.poll(index);
                self.disturb();
            }
        }
    }

    /// Goes on to the next instant at which there is something to do.
    fn wait(&mut self, now: Timestamp) {
        let frozen = |index: usize| self.processes[index].frozen_until;
        let asleep = self.tasks.iter().filter(|task| task.flag.0.load(Ordering::Relaxed));
        let thaw = asleep.map(|task| frozen(task.process)).min();
        let (first_wake, next) = self.world.with(|inner| {
            let happening = inner.happenings.keys().next().map(|(at, _)| *at);
            (inner.store.first_wake(), [happening, inner.next_wake_up()])
        });
        let looks = self.processes.iter().enumerate().filter(|(_, process)| !process.is_looking);
        let looks = looks.filter_map(|(index, process)| {
            let earliest_rest = process.rested.values().min().copied();
            let at = looked_at(first_wake?, index).max(process.next_look).max(process.frozen_until);
            Some(if at <= now { earliest_rest.unwrap_or(at) } else { at })
        });
        let next = looks.chain(thaw).chain(next.into_iter().flatten()).filter(|at| *at > now).min();
        let later = next.unwrap_or(now + SignedDuration::from_secs(1));
        self.advance(later);
    }

    fn advance(&mut self, instant: Timestamp) {
        let wakers = self.world.with(|inner| inner.advance(instant));
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn spawn(&mut self, process: usize, future: impl Future<Output = ()> + Send + 'static) {
        self.add(process, What::Serve, Box::pin(future));
    }

    fn add(&mut self, process: usize, what: What, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.tasks.push(Task { process, what, future, flag: Arc::new(Flag(AtomicBool::new(true))) });
    }

    /// A process to do something in.
    pub(crate) fn any_process(&mut self) -> (usize, Arc<App>) {
        let process = usize::try_from(self.world.with(|inner| inner.rng.below(PROCESSES as u64))).unwrap();
        (process, Arc::clone(&self.processes[process].app))
    }

    pub(crate) fn app(&self, process: usize) -> Arc<App> {
        Arc::clone(&self.processes[process].app)
    }

    /// Everything outside that is due happens.
    fn happen(&mut self) {
        loop {
            let due = self.world.with(|inner| {
                let first = inner.happenings.first_entry().filter(|first| first.key().0 <= inner.now);
                first.map(std::collections::btree_map::OccupiedEntry::remove)
            });
            let Some(due) = due else { return };
            outside::happen(self, due);
        }
    }

    /// As the worker of `cli`: each process looks for what is due, and attends to it.
    fn look(&mut self) {
        let world = self.world.clone();
        let (now, first_wake) = world.with(|inner| (inner.now, inner.store.first_wake()));
        for index in 0..self.processes.len() {
            let process = &mut self.processes[index];
            let is_due = first_wake.is_some_and(|at| looked_at(at, index) <= now);
            if !is_due
                || !process.has_met_store
                || process.is_looking
                || process.next_look > now
                || process.frozen_until > now
            {
                continue;
            }
            process.is_looking = true;
            process.rested.retain(|_, until| *until > now);
            let (app, world, more) =
                (Arc::clone(&process.app), world.clone(), process.rested.len() + process.busy.len());
            let look = async move {
                let marks = world.with(|inner| inner.rng.chance(250));
                if app.health().await.is_ok()
                    && (!marks || app.note_mark().await.is_ok())
                    && let Ok(due) = app.due(more).await
                {
                    world.with(|inner| inner.chores.extend(due.into_iter().map(|chore| (index, chore))));
                }
            };
            self.add(index, What::Look, Box::pin(look));
        }
        for (index, chore) in world.with(|inner| std::mem::take(&mut inner.chores)) {
            let process = &mut self.processes[index];
            if process.busy.contains(&chore) || process.rested.contains_key(&chore) {
                continue;
            }
            process.busy.insert(chore.clone());
            let (app, running, world) = (Arc::clone(&process.app), chore.clone(), world.clone());
            let attend = async move {
                if !app.do_or_alarm(&running).await {
                    world.with(|inner| inner.count("chore: failed"));
                }
            };
            self.add(index, What::Attend(chore), Box::pin(attend));
        }
    }

    fn poll(&mut self, index: usize) {
        let task = &mut self.tasks[index];
        task.flag.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.flag));
        let polled = task.future.as_mut().poll(&mut Context::from_waker(&waker));
        let millis = self.world.with(|inner| {
            invariants::told::i17_nothing_is_kept_silent(inner);
            inner.rng.between(0, 20)
        });
        if polled == Poll::Ready(()) {
            let task = self.tasks.swap_remove(index);
            let now = self.world.with(|inner| inner.now);
            let process = &mut self.processes[task.process];
            match task.what {
                What::MeetStore => process.has_met_store = true,
                What::Look => {
                    process.is_looking = false;
                    let rest =
                        self.world.with(|inner| if inner.rng.chance(150) { 1 } else { inner.rng.between(1, 60) });
                    process.next_look = now + SignedDuration::from_secs(rest);
                }
                What::Attend(chore) => {
                    process.busy.remove(&chore);
                    process.rested.insert(chore, now + SignedDuration::from_secs(1));
                }
                What::Serve => {}
            }
        }
        let now = self.world.with(|inner| inner.now);
        self.advance(now + SignedDuration::from_millis(millis));
    }

    /// Crashes and freezes, as they are foretold or as they come.
    fn disturb(&mut self) {
        let dooms = self.world.with(|inner| {
            let index = usize::try_from(inner.rng.below(PROCESSES as u64)).unwrap();
            if !inner.calm && inner.rng.chance(1) && inner.strikes("crash", 30) {
                inner.dooms.insert(index, Doom::Crash);
            } else if !inner.calm && inner.rng.chance(1) && inner.strikes("freeze", 30) {
                let length = SignedDuration::from_secs(inner.rng.between(1, 100_000));
                inner.dooms.insert(index, Doom::Freeze(length));
            }
            std::mem::take(&mut inner.dooms)
        });
        for (index, doom) in dooms {
            match doom {
                Doom::Crash => self.crash(index),
                Doom::Freeze(length) => {
                    let until = self.world.with(|inner| inner.now + length);
                    self.processes[index].frozen_until = until;
                }
            }
        }
    }

    pub(crate) fn crash(&mut self, process: usize) {
        self.world.with(|inner| {
            inner.log(format_args!("process {process} is gone, and another starts"));
            invariants::told::nobody_was_told(inner, |owed| owed.process == process);
        });
        self.tasks.retain(|task| task.process != process);
        self.start(process);
    }

    /// Nobody serves while an older copy takes the store's place.
    pub(crate) fn restore(&mut self) {
        let has_met = |index: &usize| self.processes[*index].has_met_store;
        let met: Vec<usize> = (0..PROCESSES).filter(has_met).collect();
        self.world.with(|inner| backups::restore(inner, &met));
        (0..PROCESSES).for_each(|process| self.crash(process));
        // Who serves the other one may start it later.
        let late = self.world.with(|inner| {
            let longest = *inner.rng.pick(&[0, 0, 0, 1_000, 100_000]);
            inner.now + SignedDuration::from_secs(inner.rng.between(0, longest))
        });
        let (process, _) = self.any_process();
        self.processes[process].frozen_until = late;
    }

    /// Nothing is frozen any more, and nothing will be.
    pub(crate) fn calm(&mut self) {
        let now = self.world.with(|inner| {
            calm(inner);
            inner.now
        });
        for process in &mut self.processes {
            process.frozen_until = now;
        }
    }
}

/// When a process comes by for what wants to be woken at `wake`. Workers look each at their own moment: mostly one has
/// done it before the other comes by, and now and then both are there at once.
fn looked_at(wake: Timestamp, process: usize) -> Timestamp {
    let mixed = wake.as_microsecond().cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let is_second = mixed % 2 == process as u64 % 2;
    let together = (mixed / 2).is_multiple_of(4);
    let seconds = if is_second && !together { 1 + mixed / 8 % 20 } else { 0 };
    wake + SignedDuration::from_secs(seconds.cast_signed())
}

fn calm(inner: &mut Inner) {
    inner.log(format_args!("from now on nothing fails"));
    inner.calm = true;
    inner.dooms.clear();
    inner.bank.down_until.clear();
}
