//! The worker: looks at the store for orders and webhook endpoints that have become due and has each attended to, a few at
//! once. Two workers on one store do no harm, since no two can both have their commit. Webhooks have places of their own:
//! however many receivers are slow, no order waits for them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use jiff::SignedDuration;
use tokio::{
    sync::watch,
    task::{self, JoinSet},
    time::{Instant, sleep, timeout},
};

use crate::{
    app::{Error, Ports, Served, attend::Chore},
    domain::policy::later,
    http::Gateway,
    ports::{Alarm, AlarmKind},
};

/// How busily the worker works.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How often it looks at the store.
    pub(super) look_again: Duration,
    /// How many orders are attended to at once.
    pub(super) attend_at_once: usize,
    /// How many webhook endpoints are told at once.
    pub(super) tell_at_once: usize,
    /// The rest of what could not be attended to: its alarm has been raised.
    pub(super) rest_after_failure: Duration,
    /// How long those may take that are under way when it is told to stop.
    pub(super) grace: Duration,
}

/// The longest wait after the store did not answer.
const STORE_FAILED_WAIT: Duration = Duration::from_secs(5);
/// How often it is looked whether a day's debits are to begin.
const DAILY_EVERY: Duration = Duration::from_secs(1);
/// Answers to requests with an Idempotency-Key are given again for so long.
const ANSWERS_KEPT: SignedDuration = SignedDuration::from_hours(31 * 24);
/// How often older ones are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// How often the journal is told how far the store has come. A backup that is younger than that lags nothing.
const MARK_EVERY: Duration = Duration::from_secs(5);

struct Worker {
    gateway: Arc<Gateway>,
    pace: Pace,
    running: JoinSet<bool>,
    /// What each running task attends to.
    tasks: HashMap<task::Id, Chore>,
    /// What was attended to a moment ago: whatever keeps it due, it has its turn once per look.
    rested: BTreeMap<Chore, Instant>,
    /// When it was last looked whether a day's debits are to begin.
    daily_rests_until: Option<Instant>,
    /// How many found no place at the last look. As those that rest, they keep no others from being seen.
    passed_over: usize,
}

/// Attends to what is due until `stop` turns true, then lets what is under way finish.
pub(super) async fn work(gateway: Arc<Gateway>, pace: Pace, mut stop: watch::Receiver<bool>) {
    let running = JoinSet::new();
    let mut worker = Worker {
        gateway,
        pace,
        running,
        tasks: HashMap::new(),
        rested: BTreeMap::new(),
        daily_rests_until: None,
        passed_over: 0,
    };
    while !*stop.borrow() {
        let (more, wait) = match worker.start_what_is_due().await {
            Ok(more) => (more, pace.look_again),
            Err(()) => (false, STORE_FAILED_WAIT.min(pace.rest_after_failure).max(pace.look_again)),
        };
        let gateway = Arc::clone(&worker.gateway);
        tokio::select! {
            () = stopped(&mut stop) => {}
            () = gateway.news.notified() => {}
            () = sleep(wait) => {}
            Some(ended) = worker.running.join_next_with_id(), if more => worker.note(ended),
        }
        while let Some(ended) = worker.running.try_join_next_with_id() {
            worker.note(ended);
        }
    }
    worker.gateway.app.wind_down();
    let rest = async { while worker.running.join_next().await.is_some() {} };
    // What is cut here is found in the store at the next start.
    let _ = timeout(pace.grace, rest).await;
}

impl Worker {
    /// Whether more is due than can be attended to at once.
    async fn start_what_is_due(&mut self) -> Result<bool, ()> {
        let app = &self.gateway.app;
        let due = async {
            // Nothing is asked of the bank whose answer could not be kept.
            app.health().await?;
            app.watch_store().await?;
            app.follow_test_clock().await?;
            app.due(self.rested.len() + self.tasks.len() + self.passed_over).await
        };
        let gateway = Arc::clone(&self.gateway);
        let failed = |error: Error| gateway.store_failed(&error.to_string());
        let mut chores = due.await.map_err(failed)?;
        self.start_daily_runs().await;
        let app = &self.gateway.app;
        // Whatever is wrong with webhooks, orders are attended to.
        chores.extend(app.behind().await.map_err(failed).unwrap_or_default());
        let now = Instant::now();
        self.rested.retain(|_, until| *until > now);
        let mut busy: BTreeSet<Chore> = self.tasks.values().chain(self.rested.keys()).cloned().collect();
        let told = self.tasks.values().filter(|chore| matches!(chore, Chore::Webhook(..))).count();
        let mut free_to_tell = self.pace.tell_at_once.saturating_sub(told);
        let mut free = self.pace.attend_at_once.saturating_sub(self.tasks.len() - told);
        self.passed_over = 0;
        for chore in chores {
            let places = match chore {
                Chore::Order(..) | Chore::Run(..) | Chore::Reconcile => &mut free,
                Chore::Webhook(..) => &mut free_to_tell,
            };
            if busy.contains(&chore) {
                continue;
            }
            if *places == 0 {
                self.passed_over += 1;
                continue;
            }
            *places -= 1;
            busy.insert(chore.clone());
            let gateway = Arc::clone(&self.gateway);
            let running = chore.clone();
            let task = self.running.spawn(async move { gateway.app.do_or_alarm(&running).await });
            self.tasks.insert(task.id(), chore);
        }
        Ok(self.passed_over > 0)
    }

    /// Has the day's debits begin where they begin by themselves; seldom, since a day has many looks.
    async fn start_daily_runs(&mut self) {
        let now = Instant::now();
        if self.daily_rests_until.is_some_and(|until| now < until) {
            return;
        }
        let is_well = self.gateway.app.trigger_daily().await;
        self.daily_rests_until =
            Some(now + if is_well { DAILY_EVERY } else { self.pace.rest_after_failure.max(DAILY_EVERY) });
    }

    fn note(&mut self, ended: Result<(task::Id, bool), task::JoinError>) {
        let (id, attended) = match &ended {
            Ok((id, attended)) => (*id, *attended),
            Err(error) => (error.id(), false),
        };
        let Some(chore) = self.tasks.remove(&id) else { return };
        if ended.is_err() {
            tracing::error!(%chore, "attending panicked");
        }
        let rest = if attended { self.pace.look_again } else { self.pace.rest_after_failure.max(self.pace.look_again) };
        self.rested.insert(chore, Instant::now() + rest);
    }
}

/// Forgets answers that nobody may ask for again, now and every hour until `stop` turns true.
pub(super) async fn forget_answers(ports: Ports, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let before = later(ports.clock.now(), -ANSWERS_KEPT);
        if let Err(error) = ports.store.forget_answers(before).await {
            let (subject, detail) = ("store".to_owned(), error.to_string());
            ports.alarms.raise(Alarm { kind: AlarmKind::StoreFailed, merchant: String::new(), subject, detail });
        }
        tokio::select! {
            () = stopped(&mut stop) => {}
            () = sleep(FORGET_EVERY) => {}
        }
    }
}

/// Notes every few seconds, and at the very end, how far the store has come.
pub(super) async fn keep_mark(gateway: Arc<Gateway>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = stopped(&mut stop) => {}
            () = sleep(MARK_EVERY) => {}
        }
        if let Err(error) = gateway.app.note_mark().await {
            gateway.store_failed(&error.to_string());
        }
        if let Err(error) = gateway.app.serve_store().await.and_then(Served::granted) {
            gateway.store_failed(&error.to_string());
        }
        if *stop.borrow() {
            return;
        }
    }
}

/// Returns when it is time to stop, or nobody is left who could say so.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
