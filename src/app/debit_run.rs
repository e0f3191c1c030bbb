//! Debit runs: starting one, doing it, and telling how far it is.
//!
//! A run takes up every order that is due, then sends debit by debit. It can be left at any point and gone on with by
//! whoever comes next: what is done stands in the orders, and their compare-and-set keeps two who come at once apart.

mod select;
mod waiting;
mod work;

pub(super) use work::ready_debits;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{
    App, Error,
    access::{Caller, Scope},
    commit::Versioned,
    merchant::Merchant,
};
use crate::{
    domain::{
        actor::Actor,
        attempt::AttemptState,
        ids::{MerchantId, OrderId},
        order::{LeftOut, Order},
        run::{Run, RunEvent, RunState},
        schedule::{Debit, Instalment},
    },
    failpoint,
    ports::{Commit, CommitError, Counted, Key, Stored, Write},
};

/// A run as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRun {
    pub merchant: MerchantId,
    pub run: Run,
    pub version: u64,
}

/// How many debits of a run came to what, and how much that is in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunTally(pub BTreeMap<&'static str, (u64, i64)>);

/// An order that a run would take up, or why it would not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewItem {
    pub order: Versioned,
    pub instalment: Result<Instalment, LeftOut>,
}

fn key(merchant: &MerchantId, date: Date) -> Key {
    Key { merchant: merchant.to_string(), kind: "run", id: date.to_string() }
}

/// What a debit of a run came to, as it is counted.
pub fn outcome(debit: &Debit) -> &'static str {
    match debit.attempt.state {
        AttemptState::Ready { .. } => "ready",
        AttemptState::Sent(_) => "sent",
        AttemptState::InDoubt(_) => "in_doubt",
        AttemptState::Accepted { .. } => "paid",
        AttemptState::Refused { .. } => "refused",
        AttemptState::NotExecuted => "not_executed",
        AttemptState::Quarantined { .. } => "quarantined",
    }
}

/// All that a debit of a run can come to.
pub const OUTCOMES: [&str; 7] = ["ready", "sent", "in_doubt", "paid", "refused", "not_executed", "quarantined"];

/// What an order is found and counted by, for each run that took it up.
pub(super) fn run_labels(order: &Order) -> Vec<(&'static str, String)> {
    let debits = order.schedule.iter().flat_map(|due| due.debits.iter().map(move |debit| (due, debit)));
    debits
        .flat_map(|(due, debit)| {
            let (run, outcome, amount) = (debit.run, outcome(debit), due.amount.minor_units());
            [
                ("run", run.to_string()),
                ("run_outcome", format!("{run}/{outcome}")),
                ("run_amount", format!("{run}/{outcome}/{amount}")),
            ]
        })
        .collect()
}

impl App {
    /// Starts the debits of a day, or finds them started: the same merchant and date are the same run, whoever asks and
    /// how often. Tells whether it is new.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a merchant that is not the caller's, [`Error::NotYetDue`], [`Error::DateTooOld`],
    /// [`Error::Unavailable`].
    pub async fn start_run(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        date: Date,
    ) -> Result<(StoredRun, bool), Error> {
        let merchant = self.merchant_of(caller, merchant)?;
        let today = merchant.policy.day(None, self.now());
        if date > today {
            return Err(Error::NotYetDue);
        }
        let oldest = today.saturating_sub(SignedDuration::from_hours(24).saturating_mul(merchant.debits.late_days));
        if date < oldest && !caller.may(Scope::Accounting) && self.find_run(&merchant.id, date).await?.is_none() {
            return Err(Error::DateTooOld);
        }
        self.start(merchant, date, &caller.actor).await
    }

    pub(super) fn merchant_of(&self, caller: &Caller, merchant: &MerchantId) -> Result<&Merchant, Error> {
        if caller.merchants.contains(merchant) { self.merchant(merchant) } else { Err(Error::NotFound) }
    }

    async fn start(&self, merchant: &Merchant, date: Date, by: &Actor) -> Result<(StoredRun, bool), Error> {
        if let Some(known) = self.find_run(&merchant.id, date).await? {
            return Ok((known, false));
        }
        let now = self.now();
        let run = Run::start(date, by.clone(), now);
        let event = RunEvent::Started { date, by: by.clone() };
        failpoint::pass("run.start_decided");
        match self.write_run(merchant, &run, 0, &event, Some(now)).await {
            Ok(()) => {
                failpoint::pass("run.started");
                Ok((StoredRun { merchant: merchant.id.clone(), run, version: 1 }, true))
            }
            Err(Error::Busy) => Ok((self.load_run(&merchant.id, date).await?, false)),
            Err(error) => Err(error),
        }
    }

    /// Starts today's run of every merchant that wants one by itself, when something is due and the hour has come. What
    /// fails for one merchant is told to whoever is on call, and keeps no other from its run. Whether nothing did.
    pub async fn trigger_daily(&self) -> bool {
        let mut is_well = true;
        for merchant in self.merchants.values().filter(|merchant| merchant.debits.daily) {
            let local = self.now().to_zoned(merchant.policy.zone.clone());
            if local.time() >= merchant.debits.daily_at {
                let started = self.start_if_due(merchant, local.date()).await;
                is_well &= self.alarm_if_failed(started, merchant.id.as_str(), &local.date());
            }
        }
        is_well
    }

    async fn start_if_due(&self, merchant: &Merchant, today: Date) -> Result<(), Error> {
        if self.find_run(&merchant.id, today).await?.is_some() {
            return Ok(());
        }
        let mut after: Option<String> = None;
        loop {
            let page =
                self.ports.store.ready(merchant.id.as_str(), "order", today, after.as_deref(), waiting::PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for (_, stored) in &page {
                // A run that would only leave orders out is not worth a record.
                let order: Order = serde_json::from_str(&stored.state)?;
                if order.ready_on().is_some_and(|on| on <= today) {
                    return self.start(merchant, today, &Actor::Gateway).await.map(drop);
                }
            }
        }
    }

    /// Has today's run take up what is due, whether it may send it or not.
    pub(super) async fn take_up_today(&self, merchant: &Merchant) -> Result<(), Error> {
        let today = merchant.policy.day(None, self.now());
        self.start_if_due(merchant, today).await?;
        match self.find_run(&merchant.id, today).await? {
            Some(current) if current.run.state == RunState::Selecting => self.select_all(merchant, &current).await,
            Some(_) | None => Ok(()),
        }
    }

    /// Goes on with a run that stopped because the bank refused us.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::RunNotStopped`], [`Error::Busy`], [`Error::Unavailable`].
    pub async fn resume_run(&self, caller: &Caller, merchant: &MerchantId, date: Date) -> Result<StoredRun, Error> {
        let merchant = self.merchant_of(caller, merchant)?;
        let current = self.load_run(&merchant.id, date).await?;
        if !matches!(current.run.state, RunState::Stopped { .. }) {
            return Err(Error::RunNotStopped);
        }
        self.note(merchant, &current, RunEvent::Resumed { by: caller.actor.clone() }, Some(self.now())).await?;
        self.load_run(&merchant.id, date).await
    }

    /// One run of a merchant of the caller's.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn run(&self, caller: &Caller, merchant: &MerchantId, date: Date) -> Result<StoredRun, Error> {
        let merchant = self.merchant_of(caller, merchant)?;
        self.load_run(&merchant.id, date).await
    }

    /// How far a run is, counted from its orders.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn run_tally(&self, merchant: &MerchantId, date: Date) -> Result<RunTally, Error> {
        let prefix = format!("{date}/");
        let counted = self.ports.store.tally(merchant.as_str(), "order", "run_amount", &prefix).await?;
        let mut tally: BTreeMap<&'static str, (u64, i64)> = OUTCOMES.iter().map(|outcome| (*outcome, (0, 0))).collect();
        for (value, count) in counted {
            let parts = value.strip_prefix(&prefix).and_then(|rest| rest.split_once('/'));
            let Some((outcome, amount)) = parts else { continue };
            let amount: i64 = amount.parse().map_err(|_| Error::Defect("a label that is no amount".to_owned()))?;
            for (name, (number, sum)) in &mut tally {
                if *name == outcome {
                    *number = number.saturating_add(count);
                    *sum = sum.saturating_add(amount.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX)));
                }
            }
        }
        Ok(RunTally(tally))
    }

    /// The orders of a run, in the order of their placing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn run_items(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        date: Date,
        outcome: Option<&str>,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<Versioned>, Error> {
        let label = match outcome {
            Some(outcome) => ("run_outcome", format!("{date}/{outcome}")),
            None => ("run", date.to_string()),
        };
        let filter = super::orders::OrderFilter { after, limit, ..Default::default() };
        self.labelled_orders(caller, merchant, &[label], &filter).await
    }

    /// What a run of this date would take up if it started now, and what it would leave out. Changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn preview_run(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        date: Date,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<PreviewItem>, Error> {
        let merchant = self.merchant_of(caller, merchant)?;
        let after = after.map(|id| id.to_string());
        let limit = limit.min(super::orders::MAX_PAGE + 1);
        let now = self.now();
        // A day to come is judged as of its beginning.
        let as_of = now.max(date.to_zoned(merchant.policy.zone.clone()).map_or(now, |start| start.timestamp()));
        let found = self.ports.store.ready(merchant.id.as_str(), "order", date, after.as_deref(), limit).await?;
        let item = |(_, stored): (Key, Stored)| {
            let order = Versioned { order: serde_json::from_str(&stored.state)?, version: stored.version };
            let instalment = order.order.due_for(date, as_of, &merchant.policy).cloned();
            Ok(PreviewItem { order, instalment })
        };
        found.into_iter().map(item).collect()
    }

    async fn find_run(&self, merchant: &MerchantId, date: Date) -> Result<Option<StoredRun>, Error> {
        let stored = self.ports.store.load(&key(merchant, date)).await?;
        let read = |stored: Stored| {
            let (merchant, version) = (merchant.clone(), stored.version);
            Ok(StoredRun { merchant, run: serde_json::from_str(&stored.state)?, version })
        };
        stored.map(read).transpose()
    }

    async fn load_run(&self, merchant: &MerchantId, date: Date) -> Result<StoredRun, Error> {
        self.find_run(merchant, date).await?.ok_or(Error::NotFound)
    }

    /// Notes what happened to a run. Whoever else was here first has noted it already.
    async fn note(
        &self,
        merchant: &Merchant,
        current: &StoredRun,
        event: RunEvent,
        wake_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let mut run = current.run.clone();
        run.apply(&event, self.now())?;
        match self.write_run(merchant, &run, current.version, &event, wake_at).await {
            Err(Error::Busy) | Ok(()) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Notes what happened to a run that is running, whoever else writes it meanwhile; gives up only once it is running
    /// no more, and returns nothing then.
    async fn note_while_running(
        &self,
        merchant: &Merchant,
        date: Date,
        event: &RunEvent,
        wake_at: Timestamp,
    ) -> Result<Option<Run>, Error> {
        loop {
            let StoredRun { mut run, version, .. } = self.load_run(&merchant.id, date).await?;
            if run.state != RunState::Running {
                return Ok(None);
            }
            run.apply(event, self.now())?;
            match self.write_run(merchant, &run, version, event, Some(wake_at)).await {
                Ok(()) => return Ok(Some(run)),
                Err(Error::Busy) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Has the run looked at again at `at`.
    async fn wake_run(&self, merchant: &Merchant, current: &StoredRun, at: Timestamp) -> Result<(), Error> {
        let write = run_write(merchant, &current.run, current.version, Vec::new(), Some(at))?;
        match self.commit_run(write).await {
            Err(Error::Busy) | Ok(()) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn write_run(
        &self,
        merchant: &Merchant,
        run: &Run,
        expected_version: u64,
        event: &RunEvent,
        wake_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let events = vec![serde_json::to_string(event)?];
        self.commit_run(run_write(merchant, run, expected_version, events, wake_at)?).await?;
        let counted = match event {
            RunEvent::Started { .. } => Some("started"),
            RunEvent::Stopped { .. } => Some("stopped"),
            RunEvent::Resumed { .. } => Some("resumed"),
            RunEvent::Ended => Some("ended"),
            RunEvent::Rebuffed { .. } if matches!(run.state, RunState::Stopped { .. }) => Some("stopped"),
            RunEvent::Selected
            | RunEvent::Calibrated
            | RunEvent::Rebuffed { .. }
            | RunEvent::Silenced { .. }
            | RunEvent::Heard => None,
        };
        if let Some(counted) = counted {
            self.ports.alarms.count(merchant.id.as_str(), Counted::Run(counted));
        }
        Ok(())
    }

    async fn commit_run(&self, write: Write) -> Result<(), Error> {
        match self.ports.store.commit(Commit { writes: vec![write], ..Commit::default() }).await {
            Ok(()) => Ok(()),
            Err(CommitError::Conflict(_)) => Err(Error::Busy),
            Err(CommitError::Unavailable(why)) => Err(Error::Unavailable(why)),
            Err(CommitError::Taken { .. } | CommitError::Answered) => {
                Err(Error::Defect("a run that claims something".to_owned()))
            }
        }
    }
}

fn run_write(
    merchant: &Merchant,
    run: &Run,
    expected_version: u64,
    events: Vec<String>,
    wake_at: Option<Timestamp>,
) -> Result<Write, Error> {
    Ok(Write {
        key: key(&merchant.id, run.date),
        expected_version,
        events,
        state: serde_json::to_string(run)?,
        wake_at: wake_at.filter(|_| run.is_open()),
        ready_on: None,
        labels: Vec::new(),
    })
}
