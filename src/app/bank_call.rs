//! Sending a call that moves money, and finding out what became of it. The one place that does either.
//!
//! The order of steps is the promise: connect, take a number, note the clock that counts suspended time, make `sent`
//! durable, check that clock, write once. Nothing is ever sent again.

use jiff::Timestamp;

use super::{
    App, Error,
    commit::{ChangeError, Extras, Versioned},
    merchant::Merchant,
};
use crate::{
    domain::{
        actor::Actor,
        attempt::{Attempt, Host, Sending},
        bank::{Finding, Ruling},
        give_back::AttemptId,
        ids::OrderId,
        order::{Decision, Order, Prepared},
    },
    ports::{Alarm, AlarmKind},
};

impl App {
    /// Sends the call of a give-back that is ready.
    pub(super) async fn send_give_back(
        &self,
        merchant: &Merchant,
        current: &Versioned,
        of: AttemptId,
        attempt: &Attempt,
    ) -> Result<(), Error> {
        let id = current.order.id;
        let findings = match self.findings(merchant, Host::Main, attempt).await? {
            None => self.findings(merchant, Host::Backup, attempt).await?,
            answered => answered,
        };
        let Some(findings) = findings else {
            return self.postpone(merchant, id, of, "the bank cannot be asked beforehand").await;
        };
        let prepare = |order: &Order, now| order.prepare_attempt(of, &findings, now, &merchant.policy);
        if prepare(&current.order, self.now())? != Prepared::Go {
            return self
                .settle(merchant, id, |order, now| match prepare(order, now)? {
                    Prepared::Instead(decision) => Ok(*decision),
                    Prepared::Go => Ok(order.unchanged()),
                })
                .await;
        }
        let line = match self.ports.bank.connect(&merchant.id).await {
            Ok(line) => line,
            Err(silence) => return self.postpone(merchant, id, of, &silence.to_string()).await,
        };
        let question = self.question_number(merchant).await?;
        // Both clocks are read before the commit: a machine that is suspended while the disk writes must find its time
        // up when it wakes.
        let sending = Sending { at: self.now(), question, host: line.host() };
        let not_after = self.ports.clock.since_boot().saturating_add(merchant.policy.send_within.unsigned_abs());
        let version = current.version;
        let sent = self
            .change(&merchant.id, id, &Actor::Gateway, |now_stored, now| {
                // Anything that happened since the decision to send is a reason to decide anew.
                if now_stored.version != version {
                    return Err(Error::Busy);
                }
                Ok((now_stored.order.send_attempt(of, sending, now)?, Extras::default()))
            })
            .await;
        match sent {
            Ok(_) => {}
            Err(ChangeError::Other(Error::Busy)) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let ruling = line.send(question, &attempt.call, not_after).await;
        self.answered(merchant, id, of, ruling).await
    }

    /// Nobody can answer a call found `sent` any more: what became of it has to be asked.
    pub(super) async fn doubt_give_back(&self, merchant: &Merchant, id: OrderId, of: AttemptId) -> Result<(), Error> {
        let why = "found sent, and never answered".to_owned();
        self.answered(merchant, id, of, Ruling::Doubt { why }).await
    }

    /// Asks a host what became of a call in doubt.
    pub(super) async fn ask_give_back(
        &self,
        merchant: &Merchant,
        current: &Versioned,
        of: AttemptId,
        attempt: &Attempt,
        host: Host,
    ) -> Result<(), Error> {
        let asked_at = self.now();
        let findings = self.findings(merchant, host, attempt).await?;
        self.settle(merchant, current.order.id, |order, now| {
            Ok(order.attempt_asked(of, attempt, findings.as_deref(), asked_at, now, &merchant.policy)?)
        })
        .await
    }

    /// All answers to the questions about an attempt; `None` when one stayed without.
    async fn findings(
        &self,
        merchant: &Merchant,
        host: Host,
        attempt: &Attempt,
    ) -> Result<Option<Vec<Finding>>, Error> {
        let mut findings = Vec::new();
        for question in attempt.questions() {
            match self.question(merchant, host, &question).await? {
                Ok(Finding::Unclear(_)) | Err(_) => return Ok(None),
                Ok(finding) => findings.push(finding),
            }
        }
        Ok(Some(findings))
    }

    async fn answered(&self, merchant: &Merchant, id: OrderId, of: AttemptId, ruling: Ruling) -> Result<(), Error> {
        if let Ruling::Misconfigured { code } = &ruling {
            let (merchant, subject) = (merchant.id.to_string(), id.to_string());
            let detail = format!("the bank refuses us: {code}");
            self.ports.alarms.raise(Alarm { kind: AlarmKind::Misconfigured, merchant, subject, detail });
        }
        self.settle(merchant, id, |order, now| Ok(order.attempt_answered(of, &ruling, now, &merchant.policy)?)).await
    }

    async fn postpone(&self, merchant: &Merchant, id: OrderId, of: AttemptId, why: &str) -> Result<(), Error> {
        self.settle(merchant, id, |order, now| Ok(order.postpone_attempt(of, why, now, &merchant.policy)?)).await
    }

    async fn settle<F>(&self, merchant: &Merchant, id: OrderId, mut decide: F) -> Result<(), Error>
    where
        F: FnMut(&Order, Timestamp) -> Result<Decision, Error> + Send,
    {
        self.change(&merchant.id, id, &Actor::Gateway, |current, now| {
            Ok((decide(&current.order, now)?, Extras::default()))
        })
        .await?;
        Ok(())
    }
}
