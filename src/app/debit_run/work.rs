//! Doing a run: taking up what is due, then sending, a few debits at once.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use jiff::{Timestamp, civil::Date};

use super::{
    super::{
        App, Error,
        commit::{Extras, Versioned},
        controls::Control,
        merchant::Merchant,
    },
    StoredRun,
};
use crate::{
    domain::{
        actor::Actor,
        attempt::AttemptState,
        bank::Ruling,
        ids::{MerchantId, OrderId},
        order::Order,
        policy::later,
        purpose::{AttemptId, Purpose},
        run::{RunEvent, RunState},
    },
    ports::{Alarm, AlarmKind, Key, Stored},
};

/// How many orders are looked at, or sent, before the run is looked at again.
const PAGE: usize = 100;
/// How many accepted debits are asked back to see what the bank finds.
const ASKED_BACK: usize = 2;

impl App {
    /// Goes on with a run, as far as it goes now.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`], [`Error::Busy`], [`Error::Defect`].
    pub async fn attend_run(&self, merchant: &MerchantId, date: Date) -> Result<(), Error> {
        let merchant = self.merchant(merchant)?;
        let mut current = self.load_run(&merchant.id, date).await?;
        if current.run.state == RunState::Selecting {
            self.select(merchant, date).await?;
            self.note(merchant, &current, RunEvent::Selected, Some(self.now())).await?;
            current = self.load_run(&merchant.id, date).await?;
        }
        while current.run.state == RunState::Running && !self.is_winding_down() {
            let now = self.now();
            let opens = merchant.debits.hours(&merchant.policy).next_open(now);
            if opens > now {
                return self.wake_run(merchant, &current, opens).await;
            }
            let ready = self.in_run(merchant, date, "ready").await?;
            if ready.is_empty() {
                return self.end_or_wait(merchant, &current).await;
            }
            let due = |current: &Versioned| ready_debit(&current.order, date).is_some_and(|(_, at)| at <= now);
            let (now_due, later_due): (Vec<Versioned>, Vec<Versioned>) = ready.into_iter().partition(due);
            if now_due.is_empty() {
                let times = later_due.iter().filter_map(|later| ready_debit(&later.order, date)).map(|(_, at)| at);
                let next = times.min().unwrap_or_else(|| later(now, merchant.policy.send_again));
                return self.wake_run(merchant, &current, next).await;
            }
            self.send_batch(merchant, &current, now_due).await?;
            current = self.load_run(&merchant.id, date).await?;
        }
        if let RunState::Ended { .. } = current.run.state {
            self.leave_to_a_later_run(merchant, date).await
        } else {
            Ok(())
        }
    }

    /// Of two who take up orders at once, the slower may do so after the other has ended the run. Nobody would send
    /// those debits, and their orders would wait for ever.
    async fn leave_to_a_later_run(&self, merchant: &Merchant, date: Date) -> Result<(), Error> {
        loop {
            let left = self.in_run(merchant, date, "ready").await?;
            if left.is_empty() {
                return Ok(());
            }
            for Versioned { order, .. } in left {
                let Some((of, _)) = ready_debit(&order, date) else { continue };
                self.give_up(merchant, order.id, of, "its run had ended").await?;
            }
        }
    }

    /// Takes up every order that is due.
    async fn select(&self, merchant: &Merchant, date: Date) -> Result<(), Error> {
        let mut after: Option<String> = None;
        loop {
            let page = self.ports.store.ready(merchant.id.as_str(), "order", date, after.as_deref(), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            // Somebody else was faster: what is eligible now is for a later day's run.
            if self.load_run(&merchant.id, date).await?.run.state != RunState::Selecting {
                return Ok(());
            }
            after = Some(last.id.clone());
            for (key, _) in page {
                let id = key.id.parse().map_err(|_| Error::Defect("an order without an id".to_owned()))?;
                let new = self.new_call(merchant);
                let taken_up = self
                    .change(&merchant.id, id, &Actor::Gateway, |current, now| {
                        let order = &current.order;
                        let decision = match order.take_up(date, new.clone(), now, &merchant.policy)? {
                            Ok(decision) => decision,
                            Err(_left_out) => order.unchanged(),
                        };
                        Ok((decision, Extras::default()))
                    })
                    .await;
                if let Err(error) = taken_up {
                    self.pass_over(error.into(), merchant, id)?;
                }
            }
        }
    }

    /// Sends debits, a few at once and no faster than allowed, until the bank refuses us.
    async fn send_batch(&self, merchant: &Merchant, run: &StoredRun, due: Vec<Versioned>) -> Result<(), Error> {
        let date = run.run.date;
        let stop = AtomicBool::new(false);
        let begun = self.now();
        let starts = (0..).map(|index: i32| later(begun, merchant.debits.pace().saturating_mul(index)));
        let sends = stream::iter(due.into_iter().zip(starts)).map(|(current, start)| {
            let stop = &stop;
            async move {
                self.ports.clock.sleep_until(start).await;
                // The hours may end while a batch is under way.
                let now = self.now();
                let is_over = merchant.debits.hours(&merchant.policy).next_open(now) > now;
                if is_over || stop.load(Ordering::SeqCst) || self.is_winding_down() {
                    return Ok(None);
                }
                let Some((of, _)) = ready_debit(&current.order, date) else { return Ok(None) };
                let attempt = current.order.attempt(of)?.clone();
                let ruling = match self.send(merchant, &current, of, &attempt).await {
                    Ok(ruling) => ruling,
                    Err(error) => {
                        let (id, why) = (current.order.id, format!("it cannot be sent: {error}"));
                        self.pass_over(error, merchant, id)?;
                        self.give_up(merchant, id, of, &why).await?;
                        return Ok(None);
                    }
                };
                if let Some(Ruling::Misconfigured { .. }) = ruling {
                    stop.store(true, Ordering::SeqCst);
                }
                let (reference, _) = attempt.call.names();
                let control = Control { reference: reference.clone(), amount: attempt.call.amount() };
                Ok::<_, Error>(ruling.map(|ruling| (ruling, control)))
            }
        });
        let mut answers = std::pin::pin!(sends.buffer_unordered(merchant.debits.at_once.max(1)));
        let (mut refused_us, mut accepted, mut failed) = (None, Vec::new(), None);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(Some((Ruling::Misconfigured { code }, _))) => refused_us = Some(code),
                Ok(Some((Ruling::Accepted { .. }, control))) => accepted.push(control),
                Ok(Some((Ruling::Refused { .. } | Ruling::Doubt { .. }, _)) | None) => {}
                // What has left is to be booked. Without its store nothing may leave; what is wrong with one order is
                // no reason to debit no other.
                Err(error) => {
                    if let Error::Unavailable(_) = error {
                        stop.store(true, Ordering::SeqCst);
                    }
                    failed = Some(error);
                }
            }
        }
        if let Some(code) = refused_us {
            let detail = format!("the debit run of {date} is stopped: the bank refuses us with {code}");
            let (name, subject) = (merchant.id.to_string(), date.to_string());
            self.ports.alarms.raise(Alarm { kind: AlarmKind::Misconfigured, merchant: name, subject, detail });
            let current = self.load_run(&merchant.id, date).await?;
            if current.run.state == RunState::Running {
                self.note(merchant, &current, RunEvent::Stopped { code }, None).await?;
            }
        } else if !run.run.calibrated && !accepted.is_empty() {
            for control in accepted.into_iter().take(ASKED_BACK) {
                self.calibrate(merchant, control).await?;
            }
            let current = self.load_run(&merchant.id, date).await?;
            if current.run.state == RunState::Running && !current.run.calibrated {
                self.note(merchant, &current, RunEvent::Calibrated, Some(self.now())).await?;
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// What is wrong with one order stops no other: whoever is on call hears of it. What is wrong with the store stops all.
    fn pass_over(&self, error: Error, merchant: &Merchant, order: OrderId) -> Result<(), Error> {
        if matches!(error, Error::Unavailable(_) | Error::Busy) {
            return Err(error);
        }
        self.alarm_if_failed(Err(error), &merchant.id, &order);
        Ok(())
    }

    /// Nothing is left to send. What has left and was not answered yet is waited for a little; what is in doubt is its
    /// order's own care.
    async fn end_or_wait(&self, merchant: &Merchant, current: &StoredRun) -> Result<(), Error> {
        let date = current.run.date;
        if self.in_run(merchant, date, "sent").await?.is_empty() {
            return self.note(merchant, current, RunEvent::Ended, None).await;
        }
        self.wake_run(merchant, current, later(self.now(), merchant.policy.send_again)).await
    }

    async fn in_run(&self, merchant: &Merchant, date: Date, outcome: &str) -> Result<Vec<Versioned>, Error> {
        let labels = [("run_outcome", format!("{date}/{outcome}"))];
        let found = self.ports.store.list(merchant.id.as_str(), "order", &labels, None, PAGE).await?;
        let read = |(_, stored): &(Key, Stored)| {
            Ok(Versioned { order: serde_json::from_str(&stored.state)?, version: stored.version })
        };
        found.iter().map(read).collect()
    }
}

/// The debit of this run that is ready, and from when it may leave.
fn ready_debit(order: &Order, date: Date) -> Option<(AttemptId, Timestamp)> {
    order.schedule.iter().find_map(|due| {
        let debit = due.debit().filter(|debit| debit.run == date)?;
        let AttemptState::Ready { not_before } = debit.attempt.state else { return None };
        Some((AttemptId { purpose: Purpose::Debit(due.number), attempt: debit.attempt.number }, not_before))
    })
}
