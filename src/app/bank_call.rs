//! Sending a call that moves money, and finding out what became of it. The one place that does either.
//!
//! The order of steps is the promise: connect, take a number, make `sent` durable, check the clock that counts
//! suspended time, write once. Nothing is ever sent again.

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
        ids::OrderId,
        order::{Decision, Order},
    },
    ports::{Alarm, AlarmKind},
};

impl App {
    /// Sends the call of a give-back that is ready.
    pub(super) async fn send_give_back(
        &self,
        merchant: &Merchant,
        current: &Versioned,
        number: u32,
        attempt: &Attempt,
    ) -> Result<(), Error> {
        let id = current.order.id;
        let Some(findings) = self.findings(merchant, Host::Main, attempt).await? else {
            return self.postpone(merchant, current, number, "the bank cannot be asked beforehand").await;
        };
        if current.order.adopt_attempt(number, &findings, self.now())?.is_some() {
            return self
                .settle(merchant, id, |order, now| order.adopt_attempt(number, &findings, now)?.ok_or(Error::Busy))
                .await;
        }
        let line = match self.ports.bank.connect(&merchant.id).await {
            Ok(line) => line,
            Err(silence) => return self.postpone(merchant, current, number, &silence.to_string()).await,
        };
        let question = self.question_number(merchant).await?;
        let sending = Sending { at: self.now(), question, host: line.host() };
        let version = current.version;
        let sent = self
            .change(&merchant.id, id, &Actor::Gateway, |now_stored, now| {
                // Anything that happened since the decision to send is a reason to decide anew.
                if now_stored.version != version {
                    return Err(Error::Busy);
                }
                Ok((now_stored.order.send_attempt(number, sending, now)?, Extras::default()))
            })
            .await;
        match sent {
            Ok(_) => {}
            Err(ChangeError::Other(Error::Busy)) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let not_after = self.ports.clock.since_boot().saturating_add(merchant.policy.send_within.unsigned_abs());
        let ruling = line.send(question, &attempt.call, not_after).await;
        self.answered(merchant, id, number, ruling).await
    }

    /// Nobody can answer a call found `sent` any more: what became of it has to be asked.
    pub(super) async fn doubt_give_back(&self, merchant: &Merchant, id: OrderId, number: u32) -> Result<(), Error> {
        let why = "found sent, and never answered".to_owned();
        self.answered(merchant, id, number, Ruling::Doubt { why }).await
    }

    /// Asks what became of a call in doubt: the host it went to first, then the other, by turns.
    pub(super) async fn ask_give_back(
        &self,
        merchant: &Merchant,
        current: &Versioned,
        number: u32,
        attempt: &Attempt,
        sending: Sending,
        asked: u32,
    ) -> Result<(), Error> {
        let host = if asked.is_multiple_of(2) { sending.host } else { sending.host.other() };
        let findings = self.findings(merchant, host, attempt).await?.unwrap_or_default();
        self.settle(merchant, current.order.id, |order, now| {
            Ok(order.attempt_asked(number, &findings, now, &merchant.policy)?)
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

    async fn answered(&self, merchant: &Merchant, id: OrderId, number: u32, ruling: Ruling) -> Result<(), Error> {
        if let Ruling::Misconfigured { code } = &ruling {
            let (merchant, subject) = (merchant.id.to_string(), id.to_string());
            let detail = format!("the bank refuses us: {code}");
            self.ports.alarms.raise(Alarm { kind: AlarmKind::Misconfigured, merchant, subject, detail });
        }
        self.settle(merchant, id, |order, now| Ok(order.attempt_answered(number, &ruling, now, &merchant.policy)?))
            .await
    }

    async fn postpone(&self, merchant: &Merchant, current: &Versioned, number: u32, why: &str) -> Result<(), Error> {
        self.alarm(AlarmKind::BankSilent, &current.order, why.to_owned());
        self.settle(merchant, current.order.id, |order, now| {
            Ok(order.postpone_attempt(number, now, &merchant.policy)?)
        })
        .await
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
