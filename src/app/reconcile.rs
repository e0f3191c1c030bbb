//! A store that lags what has left is dealt with before anything is debited again.
//!
//! The journal beside the store remembers how far the store had come, and every call that moves money. A restored backup
//! knows less. Then debits are frozen: what left is asked for, what is due is asked for as before any debit, and what the
//! bank shows is booked. Only a person lets debits go on, because no bank can tell which plans were cancelled meanwhile.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::{
    App, Error, access::Caller, bank_call::Before, commit::order_key, debit_run::ready_debits, merchant::Merchant,
};
use crate::{
    domain::{
        attempt::{Attempt, Host, Preflight},
        bank::Finding,
        ids::OrderId,
        numbers::QuestionNumber,
        order::Order,
        policy::later,
        purpose::AttemptId,
        reconcile::{End, Leaving, LostCall, LostFinding, Reconcile},
        text::Text,
    },
    planted::{self, Bug},
    ports::{Alarm, AlarmKind, Commit, CommitError, Key, Write},
};

/// The least numbers that are skipped, far more than are used in the two days for which PAYBOX remembers them, and how many
/// times as many it may be: chance decides, because a store that goes back twice to the same place would else give twice
/// what it gave after the first time. And positions of events, far more than any that was lost.
const EPOCH: u32 = 1_000_000;
const MOST_EPOCHS: u32 = 1_000;
/// How often somebody else may write first.
const TRIES: usize = 16;
/// Orders that are looked through at once.
const PAGE: usize = 100;

fn key() -> Key {
    Key { merchant: String::new(), kind: "reconcile", id: "store".to_owned() }
}

impl App {
    /// The latest reconciliation, if there ever was one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn reconciliation(&self) -> Result<Option<Reconcile>, Error> {
        Ok(self.load_reconcile().await?.1)
    }

    /// Whether no debit may leave.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn is_frozen(&self) -> Result<bool, Error> {
        let is_open = self.reconciliation().await?.is_some_and(|reconcile| reconcile.is_open());
        Ok((is_open || self.meeting.is_lost()) && !planted::is(Bug::RegressionUnheeded))
    }

    /// Lets debits go on, once all has been asked, and every gateway is there that is not named in `without`.
    ///
    /// # Errors
    /// [`Error::NotReconciling`], [`Error::StillAsking`], [`Error::InstancesMissing`], [`Error::Faults`], [`Error::Busy`],
    /// [`Error::Unavailable`].
    pub async fn end_reconcile(&self, caller: &Caller, reason: Text, without: &[String]) -> Result<Reconcile, Error> {
        let (version, found) = self.load_reconcile().await?;
        let reconcile = found.filter(Reconcile::is_open).ok_or(Error::NotReconciling)?;
        if reconcile.is_asking() {
            return Err(Error::StillAsking);
        }
        let without = self.done_without(&reconcile, without).await?;
        let end = End { at: self.now(), by: caller.actor.clone(), reason, without };
        let ended = Reconcile { ended: Some(end), ..reconcile };
        self.write_reconcile(&ended, version, "reconcile_ended", None).await?;
        for merchant in self.merchants.values() {
            self.wake_runs(merchant).await?;
        }
        Ok(ended)
    }

    /// How long a call that had left, or was about to, may still be carried out.
    pub(super) fn grace(&self) -> SignedDuration {
        self.merchants.values().map(|merchant| merchant.policy.answer_grace).max().unwrap_or_default()
    }

    pub(super) async fn has_orders(&self) -> Result<bool, Error> {
        for merchant in self.merchants.keys() {
            if !self.ports.store.list(merchant.as_str(), "order", &[], None, 1).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) async fn load_reconcile(&self) -> Result<(u64, Option<Reconcile>), Error> {
        match self.ports.store.load(&key()).await? {
            None => Ok((0, None)),
            Some(stored) => Ok((stored.version, Some(serde_json::from_str(&stored.state)?))),
        }
    }

    pub(super) async fn write_reconcile(
        &self,
        reconcile: &Reconcile,
        expected_version: u64,
        event: &str,
        wake_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let state = serde_json::to_string(reconcile)?;
        let event = serde_json::json!({"type": event, "at": self.now(), "reconcile": reconcile}).to_string();
        let (ready_on, labels) = (None, Vec::new());
        let write = Write { key: key(), expected_version, events: vec![event], state, wake_at, ready_on, labels };
        match self.ports.store.commit(Commit { writes: vec![write], ..Commit::default() }).await {
            Ok(()) => Ok(()),
            Err(CommitError::Conflict(_)) => Err(Error::Busy),
            Err(CommitError::Unavailable(why)) => Err(Error::Unavailable(why)),
            Err(error @ (CommitError::Taken { .. } | CommitError::Answered)) => Err(Error::Defect(error.to_string())),
        }
    }

    /// Freezes debits. `store` is what its marks name it, `seen` how far it had come, and `calls` what has left.
    pub(super) async fn begin_reconcile(
        &self,
        why: &str,
        store: &str,
        seen: u64,
        calls: &[Leaving],
    ) -> Result<(), Error> {
        let mut lost = Vec::new();
        for call in calls {
            if !self.is_on_record(call).await? {
                lost.push(LostCall::from(call.clone()));
            }
        }
        // What could not be finished the last time, a full disk's journal perhaps, freezes nobody for longer.
        if self.meeting.has_begun(store)
            && let (_, Some(open)) = self.load_reconcile().await?
            && open.covers(store, &lost)
        {
            return Ok(());
        }
        self.skip_numbers(seen).await?;
        for _ in 0..TRIES {
            let (version, before) = self.load_reconcile().await?;
            let reconcile = Reconcile::begin(before, why, store, lost.clone(), self.now());
            let asked_from = reconcile.asks_from(self.grace());
            match self.write_reconcile(&reconcile, version, "reconcile_begun", Some(asked_from)).await {
                // Another gateway has found it out too.
                Err(Error::Busy) => {}
                written => {
                    written?;
                    let calls = reconcile.calls.len();
                    self.alarm_of_store(format!("{why}; {calls} calls are not on its record; debits are frozen"));
                    self.meeting.begun(store);
                    return Ok(());
                }
            }
        }
        Err(Error::Busy)
    }

    /// Gives no number, and no position of an event, again that was given before the store went back. Positions go on
    /// behind all that was `seen`: also behind what followed when the store had gone back before, to the same place perhaps.
    async fn skip_numbers(&self, seen: u64) -> Result<(), Error> {
        let seen = if planted::is(Bug::PositionsSkippedAlike) { 0 } else { seen };
        let lost = seen.saturating_sub(self.ports.store.mark(None).await?.position);
        if !planted::is(Bug::PositionsNotSkipped) {
            self.ports.store.skip(lost.saturating_add(u64::from(EPOCH))).await?;
        }
        let counters: BTreeSet<String> =
            self.merchants.values().map(|merchant| format!("question:{}", merchant.account.site())).collect();
        for counter in counters {
            let [a, b, c, d, ..] = self.ports.entropy.secret();
            let chance = if planted::is(Bug::NumbersSkippedAlike) { 0 } else { u32::from_be_bytes([a, b, c, d]) };
            let skipped = EPOCH.saturating_add(chance % EPOCH.saturating_mul(MOST_EPOCHS));
            let skipped = if planted::is(Bug::NumbersNotSkipped) { 1 } else { skipped };
            self.ports.store.reserve(&counter, self.numbers.first(), QuestionNumber::MAX, skipped).await?;
        }
        Ok(())
    }

    fn alarm_of_store(&self, detail: String) {
        let (merchant, subject) = (String::new(), "store".to_owned());
        self.ports.alarms.raise(Alarm { kind: AlarmKind::StoreRegressed, merchant, subject, detail });
    }

    async fn is_on_record(&self, call: &Leaving) -> Result<bool, Error> {
        let Some(stored) = self.ports.store.load(&order_key(&call.merchant, call.order)).await? else {
            return Ok(false);
        };
        let order: Order = serde_json::from_str(&stored.state)?;
        Ok(order.has_left(call))
    }

    /// Asks the bank for all that may have left. What stays without an answer is asked again a little later.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Busy`], [`Error::Defect`].
    pub async fn attend_reconcile(&self) -> Result<(), Error> {
        let (version, Some(mut reconcile)) = self.load_reconcile().await? else { return Ok(()) };
        if !reconcile.is_asking() || self.now() < reconcile.asks_from(self.grace()) {
            return Ok(());
        }
        let mut is_heard = true;
        for call in reconcile.calls.iter_mut().filter(|call| call.finding.is_none()) {
            self.find_lost(call).await?;
            is_heard &= call.finding.is_some();
        }
        if is_heard && !planted::is(Bug::LostCallSentAgain) {
            // The latest first: those before it had been concluded on when it left.
            for call in reconcile.calls.iter_mut().rev().filter(|call| !call.is_dealt_with) {
                call.is_dealt_with = self.put_back(&call.left).await?;
            }
        }
        for merchant in self.merchants.values() {
            is_heard &= self.ask_for_what_is_due(merchant).await?;
        }
        let now = self.now();
        if is_heard {
            reconcile.asked_at = Some(now);
            return self.write_reconcile(&reconcile, version, "reconcile_asked", None).await;
        }
        let again = SignedDuration::from_secs(30);
        let again = self.merchants.values().map(|merchant| merchant.policy.send_again).min().unwrap_or(again);
        self.write_reconcile(&reconcile, version, "reconcile_waits", Some(later(now, again))).await
    }

    /// Asks both hosts about a call; nothing is noted when one does not say.
    async fn find_lost(&self, call: &mut LostCall) -> Result<(), Error> {
        // Of a merchant that is not configured any more nothing can be asked; a person reads it on the list.
        if let Ok(merchant) = self.merchant(&call.left.merchant) {
            let attempt = Attempt::ready(call.left.of.attempt, call.left.call.clone(), call.left.sending.at);
            for host in [Host::Main, Host::Backup] {
                let Ok(findings) = self.findings(merchant, host, &attempt).await? else { return Ok(()) };
                let found = match attempt.preflight(&findings) {
                    Preflight::Done(operation) => Some(operation),
                    Preflight::Go => None,
                    Preflight::Refused { .. } => {
                        call.is_dealt_with = true;
                        None
                    }
                    // It is there, whatever became of it since.
                    Preflight::Contradiction(_) | Preflight::Unknown => findings.iter().find_map(Finding::found),
                };
                if let Some(operation) = found {
                    let name = call.left.call.names().0;
                    self.alarm_of_store(format!("{name} is operation {} and not on record", operation.number));
                    call.finding = Some(LostFinding::Found { operation });
                    return Ok(());
                }
            }
        }
        call.finding = Some(LostFinding::Nothing);
        Ok(())
    }

    /// Takes up what is due today and asks for each debit that is ready to leave, as before it would. Whether all was
    /// answered.
    async fn ask_for_what_is_due(&self, merchant: &Merchant) -> Result<bool, Error> {
        self.take_up_today(merchant).await?;
        let mut after: Option<String> = None;
        loop {
            let active = [("plan", "active".to_owned())];
            let page = self.ports.store.list(merchant.id.as_str(), "order", &active, after.as_deref(), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(true) };
            after = Some(last.id.clone());
            let mut ids = Vec::new();
            for (_, stored) in &page {
                let order: Order = serde_json::from_str(&stored.state)?;
                ids.extend(ready_debits(&order).map(|(_, of, _)| (order.id, of)));
            }
            let asked = stream::iter(ids).map(|(id, of)| self.ask_before(merchant, id, of));
            let answers: Vec<Result<bool, Error>> =
                asked.buffer_unordered(merchant.debits.at_once.max(1)).collect().await;
            for answered in answers {
                if !answered? {
                    return Ok(false);
                }
            }
        }
    }

    async fn ask_before(&self, merchant: &Merchant, id: OrderId, of: AttemptId) -> Result<bool, Error> {
        let current = self.load(&merchant.id, id).await?;
        let Ok(attempt) = current.order.attempt(of).cloned() else { return Ok(true) };
        match self.look_before(merchant, &current, of, &attempt).await {
            Ok(Before::Silent(_)) => Ok(false),
            Ok(Before::Clear(_) | Before::Stays) | Err(Error::Busy) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
