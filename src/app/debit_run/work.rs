//! Doing a run: once what is due is taken up, sending it, a few debits at once.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{
    super::{App, Error, bank_call::Departure, commit::Versioned, controls::Control, merchant::Merchant},
    StoredRun,
    waiting::Waiting,
};
use crate::{
    domain::{
        attempt::AttemptState,
        bank::Ruling,
        ids::{MerchantId, OrderId},
        order::Order,
        policy::later,
        purpose::{AttemptId, Purpose},
        run::{Run, RunEvent, RunState},
    },
    failpoint,
    ports::{Alarm, AlarmKind},
};

/// How many accepted debits are asked back to see what the bank finds.
const ASKED_BACK: usize = 2;
/// How soon a run looks again whether a person has let debits go on.
const FROZEN_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// How soon a run looks again at what other gateways are busy with.
const LEASED_WAIT: Duration = Duration::from_secs(1);

/// What became of one of a batch.
enum Tried {
    /// There was nothing to send, or it was too late to.
    Not,
    /// Another gateway has taken it on.
    Elsewhere,
    Here(Departure, Control),
}

impl App {
    /// Goes on with a run, as far as it goes now.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`], [`Error::Busy`], [`Error::Defect`].
    pub async fn attend_run(&self, merchant: &MerchantId, date: Date) -> Result<(), Error> {
        let merchant = self.merchant(merchant)?;
        let mut current = self.load_run(&merchant.id, date).await?;
        if current.run.state == RunState::Selecting {
            self.select_all(merchant, &current).await?;
            current = self.load_run(&merchant.id, date).await?;
        }
        while current.run.state == RunState::Running && !self.is_winding_down() {
            let now = self.now();
            if self.is_frozen().await? {
                return self.wake_run(merchant, &current, later(now, FROZEN_WAIT)).await;
            }
            let opens = merchant.debits.hours(&merchant.policy).next_open(now);
            if opens > now {
                return self.wake_run(merchant, &current, opens).await;
            }
            match self.waiting(merchant, date).await? {
                Waiting { now, next: None } if now.is_empty() => return self.end_or_wait(merchant, &current).await,
                Waiting { now, next: Some(next) } if now.is_empty() => {
                    return self.wake_run(merchant, &current, next).await;
                }
                Waiting { now, .. } => {
                    if let Some(why) = self.send_batch(merchant, &current, now).await? {
                        return self.wait_for_bank_again(merchant, date, why).await;
                    }
                }
            }
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
            let left = self.in_run(merchant, date, "ready", None).await?;
            if left.is_empty() {
                return Ok(());
            }
            for Versioned { order, .. } in left {
                let Some((of, _)) = ready_debit(&order, date) else { continue };
                self.give_up(merchant, order.id, of, "its run had ended").await?;
            }
        }
    }

    /// Sends debits, a few at once and no faster than allowed, until the bank refuses us, or does not answer: then it is
    /// told why.
    async fn send_batch(
        &self,
        merchant: &Merchant,
        run: &StoredRun,
        due: Vec<Versioned>,
    ) -> Result<Option<String>, Error> {
        let date = run.run.date;
        let stop = AtomicBool::new(false);
        let sends = stream::iter(due).map(|seen| {
            let (stop, id) = (&stop, seen.order.id);
            async move {
                if self.is_over(merchant, stop) {
                    return Ok(Tried::Not);
                }
                // Of several gateways, one asks the bank about it; which, only the commit before sending decides.
                if !self.lease_order(merchant, id).await {
                    return Ok(Tried::Elsewhere);
                }
                let tried = self.send_leased(merchant, date, id, stop).await;
                self.release_order(merchant, id).await;
                tried
            }
        });
        let mut answers = std::pin::pin!(sends.buffer_unordered(merchant.debits.at_once.max(1)));
        let (mut accepted, mut silence, mut is_heard, mut failed) = (Vec::new(), None, false, None);
        let (mut elsewhere, mut here) = (false, false);
        while let Some(answer) = answers.next().await {
            here |= !matches!(answer, Ok(Tried::Elsewhere));
            match answer {
                Ok(Tried::Not) => {}
                Ok(Tried::Elsewhere) => elsewhere = true,
                Ok(Tried::Here(Departure::Silent(why), _)) => silence = Some(why),
                Ok(Tried::Here(departure, control)) => {
                    is_heard = true;
                    if let Departure::Ruled(Ruling::Accepted { .. }) = departure {
                        accepted.push(control);
                    }
                }
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
        if run.run.silent && is_heard && silence.is_none() {
            self.note_while_running(merchant, date, &RunEvent::Heard, self.now()).await?;
        }
        if !run.run.calibrated && !accepted.is_empty() && !stop.load(Ordering::SeqCst) {
            for control in accepted.into_iter().take(ASKED_BACK) {
                self.calibrate(merchant, control).await?;
            }
            failpoint::pass("run.asked_back");
            self.note_while_running(merchant, date, &RunEvent::Calibrated, self.now()).await?;
        }
        if elsewhere && !here {
            // All that is left is at other gateways. What one of them died with is free again when its lease has ended.
            self.ports.clock.sleep_until(self.ports.clock.since_boot().saturating_add(LEASED_WAIT)).await;
        }
        failed.map_or(Ok(silence), Err)
    }

    /// Whether no more debits of a batch are to begin.
    fn is_over(&self, merchant: &Merchant, stop: &AtomicBool) -> bool {
        let now = self.now();
        let is_late = merchant.debits.hours(&merchant.policy).next_open(now) > now;
        is_late || stop.load(Ordering::SeqCst) || self.is_winding_down()
    }

    /// Sends the debit of an order, if there still is one, when its turn has come.
    async fn send_leased(
        &self,
        merchant: &Merchant,
        date: Date,
        id: OrderId,
        stop: &AtomicBool,
    ) -> Result<Tried, Error> {
        // Another gateway may have sent it since the batch was read.
        if self.ready_now(merchant, date, id).await?.is_none() {
            return Ok(Tried::Not);
        }
        self.await_turn(merchant, id).await?;
        // The hours may have ended meanwhile, or somebody has paused the plan.
        if self.is_over(merchant, stop) {
            return Ok(Tried::Not);
        }
        let Some((current, of)) = self.ready_now(merchant, date, id).await? else { return Ok(Tried::Not) };
        let attempt = current.order.attempt(of)?.clone();
        let departure = match self.send(merchant, &current, of, &attempt).await {
            Ok(departure) => departure,
            Err(error) => {
                let why = format!("it cannot be sent: {error}");
                self.pass_over(error, merchant, id)?;
                self.give_up(merchant, id, of, &why).await?;
                return Ok(Tried::Not);
            }
        };
        let stops = match &departure {
            Departure::Ruled(Ruling::Misconfigured { code }) => self.refused_us(merchant, date, id, code).await?,
            Departure::Silent(_) => true,
            Departure::Ruled(_) | Departure::Stayed => false,
        };
        stop.fetch_or(stops, Ordering::SeqCst);
        let (reference, _) = attempt.call.names();
        let control = Control { reference: reference.clone(), amount: attempt.call.amount() };
        Ok(Tried::Here(departure, control))
    }

    /// The order, and its debit of this run that may leave now, if it has one.
    async fn ready_now(
        &self,
        merchant: &Merchant,
        date: Date,
        id: OrderId,
    ) -> Result<Option<(Versioned, AttemptId)>, Error> {
        let current = self.load(&merchant.id, id).await?;
        let ready = ready_debit(&current.order, date).filter(|(_, not_before)| *not_before <= self.now());
        Ok(ready.map(|(of, _)| (current, of)))
    }

    /// The bank answers nobody: the run looks again a little later. Whoever is on call hears of it once.
    async fn wait_for_bank_again(&self, merchant: &Merchant, date: Date, why: String) -> Result<(), Error> {
        let again = later(self.now(), merchant.policy.send_again);
        let current = self.load_run(&merchant.id, date).await?;
        if current.run.silent {
            return self.wake_run(merchant, &current, again).await;
        }
        let detail = format!("the debits of {date} wait: {why}");
        if self.note_while_running(merchant, date, &RunEvent::Silenced { why }, again).await?.is_some() {
            self.alarm_of_run(merchant, date, AlarmKind::BankSilent, detail);
        }
        Ok(())
    }

    /// A debit came back with a fault of ours. Whether the run is stopped, which is told once.
    async fn refused_us(&self, merchant: &Merchant, date: Date, order: OrderId, code: &str) -> Result<bool, Error> {
        let event = Run::refused_us(order, code);
        let noted = self.note_while_running(merchant, date, &event, self.now()).await?;
        let goes_on = noted.as_ref().is_some_and(|run| run.state == RunState::Running);
        if !goes_on && noted.is_some() {
            let detail = format!("the debit run of {date} is stopped: the bank refuses us with {code}");
            self.alarm_of_run(merchant, date, AlarmKind::Misconfigured, detail);
        }
        Ok(!goes_on)
    }

    pub(super) fn alarm_of_run(&self, merchant: &Merchant, date: Date, kind: AlarmKind, detail: String) {
        let (merchant, subject) = (merchant.id.to_string(), date.to_string());
        self.ports.alarms.raise(Alarm { kind, merchant, subject, detail });
    }

    /// What is wrong with one order stops no other: whoever is on call hears of it. What is wrong with the store stops all.
    pub(super) fn pass_over(&self, error: Error, merchant: &Merchant, order: OrderId) -> Result<(), Error> {
        if matches!(error, Error::Unavailable(_) | Error::Busy) {
            return Err(error);
        }
        self.alarm_if_failed(Err(error), merchant.id.as_str(), &order);
        Ok(())
    }

    /// Nothing is left to send. What has left and was not answered yet is waited for a little; what is in doubt is its
    /// order's own care.
    async fn end_or_wait(&self, merchant: &Merchant, current: &StoredRun) -> Result<(), Error> {
        let date = current.run.date;
        if self.in_run(merchant, date, "sent", None).await?.is_empty() {
            failpoint::pass("run.ending");
            return self.note(merchant, current, RunEvent::Ended, None).await;
        }
        self.wake_run(merchant, current, later(self.now(), merchant.policy.send_again)).await
    }
}

/// The debit of this run that is ready, and from when it may leave.
pub(super) fn ready_debit(order: &Order, date: Date) -> Option<(AttemptId, Timestamp)> {
    ready_debits(order).find(|(run, ..)| *run == date).map(|(_, of, not_before)| (of, not_before))
}

/// The debits of an order that are ready, each with its run.
pub(in crate::app) fn ready_debits(order: &Order) -> impl Iterator<Item = (Date, AttemptId, Timestamp)> {
    order.schedule.iter().filter_map(|due| {
        let debit = due.debit()?;
        let AttemptState::Ready { not_before } = debit.attempt.state else { return None };
        Some((debit.run, AttemptId { purpose: Purpose::Debit(due.number), attempt: debit.attempt.number }, not_before))
    })
}
