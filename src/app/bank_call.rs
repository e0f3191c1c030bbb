//! Sending a call that moves money, and finding out what became of it. The one place that does either.
//!
//! The order of steps is the promise: ask what the bank shows, connect, take a number, note the clock that counts
//! suspended time, make `sent` durable, check that clock, write once. Nothing is ever sent again.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use super::{
    App, Error,
    commit::{ChangeError, Extras, Versioned},
    findings::Unheard,
    merchant::Merchant,
};
use crate::{
    domain::{
        actor::Actor,
        attempt::{Attempt, Host, Recheck, Sending},
        bank::{Finding, MoneyCall, Ruling},
        ids::{OrderId, SubscriberReference},
        order::{Decision, NewCall, Order, Prepared},
        plan::Plan,
        purpose::{AttemptId, Purpose},
        reconcile::Known,
        subscriber::card_context,
    },
    failpoint,
    planted::{self, Bug},
    ports::{Alarm, AlarmKind, Forgotten, KeptCard, Silence},
};

/// What became of a call that was to be sent.
pub(super) enum Departure {
    /// It has left, and this is what its answer settles.
    Ruled(Ruling),
    /// It has not left, and its order says why.
    Stayed,
    /// A debit that has not left because the bank does not answer anybody: no order's matter, and written in none.
    Silent(String),
}

/// Whether a call may leave, by what the bank shows beforehand.
pub(super) enum Before {
    /// It may; what the bank said of its name.
    Clear(Vec<Finding>),
    /// It stays, and its order says why.
    Stays,
    /// The bank does not answer anybody.
    Silent(String),
}

impl App {
    /// What a call that is about to be prepared needs from outside.
    pub(super) fn new_call(&self, merchant: &Merchant) -> NewCall {
        NewCall { prefix: merchant.prefix.clone(), archive: self.new_archive_reference() }
    }

    /// Sends a call that is ready, and books its answer.
    pub(super) async fn send(
        &self,
        merchant: &Merchant,
        current: &Versioned,
        of: AttemptId,
        attempt: &Attempt,
    ) -> Result<Departure, Error> {
        let id = current.order.id;
        let only = current.order.only_host(of);
        if matches!(attempt.call, MoneyCall::Refund { .. })
            && self.holds_refund(merchant, id, of, &attempt.call).await?
        {
            return Ok(Departure::Stayed);
        }
        let findings = match self.look_before(merchant, current, of, attempt).await? {
            Before::Clear(findings) => findings,
            Before::Stays => return Ok(Departure::Stayed),
            Before::Silent(why) => return self.wait_for_bank(merchant, id, of, why).await,
        };
        // A store that went back is found out before it is asked what is frozen.
        let seen = self.look_at_store().await?;
        match self.known_of(id, of, &attempt.call).await? {
            Known::Nothing => {}
            Known::Frozen => return Ok(Departure::Stayed),
            // Nobody heard its answer, and that the bank does not find it proves nothing yet.
            Known::Left(left) | Known::Otherwise(left) => {
                let is_back = match of.purpose {
                    Purpose::Debit(_) => self.put_back(&left).await?,
                    Purpose::Capture(_) | Purpose::GiveBack(_) => {
                        let is_it = left.call.moves_the_same(&attempt.call);
                        is_it && self.put_on_record(merchant, current, of, &findings, left.sending).await?.is_some()
                    }
                };
                if is_back {
                    self.deal_with(&left).await?;
                }
                return Ok(Departure::Stayed);
            }
        }
        failpoint::pass_of(kind(of.purpose), "asked_before");
        // What cannot be noted does not leave; found out now, it leaves no doubt behind.
        self.ports.journal.health()?;
        let card = match &attempt.call {
            MoneyCall::Debit { .. } => Some(self.kept_card(&current.order)?),
            MoneyCall::Cancel { .. } | MoneyCall::Refund { .. } | MoneyCall::Capture { .. } => None,
        };
        let line = match self.ports.bank.connect(&merchant.id, only).await {
            Ok(line) => line,
            Err(silence) => return self.wait_for_bank(merchant, id, of, silence.to_string()).await,
        };
        failpoint::pass_of(kind(of.purpose), "connected");
        let question = self.question_number(merchant).await?;
        // Both clocks are read before the commit: a machine that is suspended while the disk writes must find its time
        // up when it wakes.
        let dated = Some(self.ports.clock.wall());
        let sending = Sending { at: self.now(), question, host: line.host(), dated };
        let not_after = self.ports.clock.since_boot().saturating_add(merchant.policy.send_within.unsigned_abs());
        let not_after = if planted::is(Bug::NoDeadline) { Duration::MAX } else { not_after };
        if planted::is(Bug::SendsBeforeTheCommit) {
            line.send(&sending, &attempt.call, card.as_ref(), not_after).await;
            return Ok(Departure::Stayed);
        }
        let Some(sent) = self.put_on_record(merchant, current, of, &findings, sending).await? else {
            return Ok(Departure::Stayed);
        };
        failpoint::pass_of(kind(of.purpose), "sent_committed");
        let ruling = match self.note_leaving(&seen, &sent, of, &sending).await {
            Ok(()) => line.send(&sending, &attempt.call, card.as_ref(), not_after).await,
            Err(error) => Ruling::Doubt { why: format!("it was not sent: {error}") },
        };
        if planted::is(Bug::RetriesOnTimeOut) && matches!(ruling, Ruling::Doubt { .. }) {
            self.insist(merchant, &sent.order, of, sending).await?;
        }
        failpoint::pass_of(kind(of.purpose), "answered");
        self.answered(merchant, id, of, &ruling).await?;
        failpoint::pass_of(kind(of.purpose), "answer_committed");
        Ok(Departure::Ruled(ruling))
    }

    /// Stores a call as sent, if nothing has happened since it was decided on; what the order became then.
    async fn put_on_record(
        &self,
        merchant: &Merchant,
        current: &Versioned,
        of: AttemptId,
        findings: &[Finding],
        sending: Sending,
    ) -> Result<Option<Versioned>, Error> {
        let prepare = |order: &Order, now| order.prepare_attempt(of, findings, now, &merchant.policy);
        let sent = self
            .change(&merchant.id, current.order.id, &Actor::Gateway, |now_stored, now| {
                // Anything that happened since the decision to send is a reason to decide anew; so is the time that passed.
                if now_stored.version != current.version || prepare(&now_stored.order, now)? != Prepared::Go {
                    return Err(Error::Busy);
                }
                let decision = now_stored.order.send_attempt(of, sending, now, &merchant.policy)?;
                failpoint::pass_of(kind(of.purpose), "sent_decided");
                Ok((decision, Extras::default()))
            })
            .await;
        match sent {
            Ok(sent) => Ok(Some(sent)),
            Err(ChangeError::Other(Error::Busy)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks the bank before a call leaves: for its own name first, since a bank that says nothing of it says nothing of
    /// others either; before a debit, for every earlier payment of its instalment too. What it knows is booked.
    pub(super) async fn look_before(
        &self,
        merchant: &Merchant,
        current: &Versioned,
        of: AttemptId,
        attempt: &Attempt,
    ) -> Result<Before, Error> {
        let id = current.order.id;
        let first = current.order.only_host(of).unwrap_or(Host::Main);
        let findings = match self.findings_of_either(merchant, first, attempt).await? {
            Ok(findings) => findings,
            Err(Unheard::Silence(why)) => return Ok(Before::Silent(why)),
            Err(Unheard::Unclear) => {
                self.postpone(merchant, id, of, "the bank cannot be asked beforehand").await?;
                return Ok(Before::Stays);
            }
        };
        let prepare = |order: &Order, now| order.prepare_attempt(of, &findings, now, &merchant.policy);
        if prepare(&current.order, self.now())? != Prepared::Go {
            self.settle(merchant, id, of, |order, now| match prepare(order, now)? {
                Prepared::Instead(decision) => Ok(*decision),
                Prepared::Go => Ok(order.unchanged()),
            })
            .await?;
            return Ok(Before::Stays);
        }
        if let Purpose::Debit(instalment) = of.purpose
            && !self.is_unpaid_at_bank(merchant, current, of, instalment).await?
        {
            return Ok(Before::Stays);
        }
        Ok(Before::Clear(findings))
    }

    /// A call cannot leave because the bank does not answer: a debit's run waits, any other call by itself.
    async fn wait_for_bank(
        &self,
        merchant: &Merchant,
        id: OrderId,
        of: AttemptId,
        why: String,
    ) -> Result<Departure, Error> {
        if let Purpose::Debit(_) = of.purpose {
            return Ok(Departure::Silent(why));
        }
        self.postpone(merchant, id, of, &why).await?;
        Ok(Departure::Stayed)
    }

    /// Whether the bank knows of no earlier payment of an instalment: by a page, or by a debit that was not to have been
    /// carried out. What it does know of is booked, or put before a person; then, or when it does not answer, nothing
    /// is to be sent.
    async fn is_unpaid_at_bank(
        &self,
        merchant: &Merchant,
        current: &Versioned,
        of: AttemptId,
        instalment: u32,
    ) -> Result<bool, Error> {
        let order = &current.order;
        let id = order.id;
        let silent = "the bank cannot be asked about what came before";
        for page in order.checkouts.iter().filter(|page| page.pays().contains(&instalment)) {
            let mut heard = self.hear_from_bank(merchant, order, page, Host::Main).await?;
            if heard.silence.is_some() {
                heard = self.hear_from_bank(merchant, order, page, Host::Backup).await?;
            }
            if heard.silence.is_some() {
                self.postpone(merchant, id, of, silent).await?;
                return Ok(false);
            }
            if order.is_news_of_money(&heard) {
                self.book(merchant, order, &heard).await?;
                self.give_up(merchant, id, of, "the bank knows of a payment by a page").await?;
                return Ok(false);
            }
        }
        for earlier in order.attempts(of.purpose).into_iter().filter(|earlier| earlier.number < of.attempt) {
            let findings = self.findings_of_either(merchant, Host::Main, earlier).await?;
            match findings.map_or(Recheck::Unknown, |findings| earlier.recheck(&findings)) {
                Recheck::NotDone => {}
                Recheck::Unknown => {
                    self.postpone(merchant, id, of, silent).await?;
                    return Ok(false);
                }
                Recheck::Contradiction(what) => {
                    let why = format!("the bank shows of debit {}, which came before: {what}", earlier.number);
                    self.settle(merchant, id, of, |order, now| Ok(order.quarantine_attempt(of, &why, now)?)).await?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The card of an order's plan, readable.
    pub(super) fn kept_card(&self, order: &Order) -> Result<KeptCard, Error> {
        let defect = |why: &str| Error::Defect(why.to_owned());
        let card = order.plan().and_then(Plan::card).ok_or_else(|| defect("a debit without a card"))?;
        let sealed = STANDARD.decode(&card.sealed_token).map_err(|_| defect("a sealed token that is not base64"))?;
        let token = self.ports.vault.open(&sealed, &card_context(&card.subscriber))?;
        let token = String::from_utf8(token).map_err(|_| defect("a token that is not text"))?;
        let end = card.facts.end.ok_or_else(|| defect("a card without an end"))?;
        Ok(KeptCard { token: token.into(), end })
    }

    /// Nobody can answer a call found `sent` any more: what became of it has to be asked.
    pub(super) async fn doubt(&self, merchant: &Merchant, id: OrderId, of: AttemptId) -> Result<(), Error> {
        let why = "found sent, and never answered".to_owned();
        self.answered(merchant, id, of, &Ruling::Doubt { why }).await?;
        failpoint::pass_of(kind(of.purpose), "doubted");
        Ok(())
    }

    /// Asks a host what became of a call in doubt.
    pub(super) async fn enquire(
        &self,
        merchant: &Merchant,
        current: &Versioned,
        of: AttemptId,
        attempt: &Attempt,
        host: Host,
    ) -> Result<(), Error> {
        let asked_at = self.now();
        let findings = self.findings(merchant, host, attempt).await?.ok();
        let control = match (&attempt.call, findings.as_deref()) {
            (MoneyCall::Debit { .. }, Some([Finding::Nothing])) => self.finds_a_control(merchant, host).await?,
            _ => false,
        };
        failpoint::pass_of(kind(of.purpose), "enquired");
        self.settle(merchant, current.order.id, of, |order, now| {
            let heard = (findings.as_deref(), control);
            Ok(order.attempt_asked(of, attempt, heard, asked_at, now, &merchant.policy)?)
        })
        .await?;
        failpoint::pass_of(kind(of.purpose), "enquiry_committed");
        Ok(())
    }

    async fn answered(&self, merchant: &Merchant, id: OrderId, of: AttemptId, ruling: &Ruling) -> Result<(), Error> {
        if let Ruling::Misconfigured { code } = ruling {
            let (merchant, subject) = (merchant.id.to_string(), id.to_string());
            let detail = format!("the bank refuses us: {code}");
            self.ports.alarms.raise(Alarm { kind: AlarmKind::Misconfigured, merchant, subject, detail });
        }
        self.settle(merchant, id, of, |order, now| Ok(order.attempt_answered(of, ruling, now, &merchant.policy)?)).await
    }

    /// A call that is ready does not leave after all.
    pub(super) async fn give_up(
        &self,
        merchant: &Merchant,
        id: OrderId,
        of: AttemptId,
        why: &str,
    ) -> Result<(), Error> {
        self.settle(merchant, id, of, |order, now| Ok(order.give_up(of, why, now)?)).await
    }

    async fn postpone(&self, merchant: &Merchant, id: OrderId, of: AttemptId, why: &str) -> Result<(), Error> {
        let wait = merchant.policy.send_again;
        self.settle(merchant, id, of, |order, now| Ok(order.postpone_attempt(of, wait, why, now)?)).await
    }

    /// Has the bank forget a card that nothing needs any more.
    pub(super) async fn forget(
        &self,
        merchant: &Merchant,
        id: OrderId,
        subscriber: &SubscriberReference,
    ) -> Result<(), Error> {
        let number = self.question_number(merchant).await?;
        let silence = match self.ports.bank.forget(&merchant.id, Host::Main, number, subscriber).await {
            Ok(Forgotten::Gone) => None,
            Ok(Forgotten::Unclear(code)) => Some(code),
            Err(Silence(why)) => Some(why),
        };
        failpoint::pass("card.forgotten");
        self.change(&merchant.id, id, &Actor::Gateway, |current, now| {
            let order = &current.order;
            let decision = order.subscriber_answered(subscriber, silence.as_deref(), now, &merchant.policy)?;
            Ok((decision, Extras::default()))
        })
        .await?;
        Ok(())
    }

    /// Commits what an answer about an attempt makes of its order. An operation that another order has is nobody's to
    /// book: a person decides.
    pub(super) async fn settle<F>(
        &self,
        merchant: &Merchant,
        id: OrderId,
        of: AttemptId,
        mut decide: F,
    ) -> Result<(), Error>
    where
        F: FnMut(&Order, Timestamp) -> Result<Decision, Error> + Send,
    {
        let settled = self
            .change(&merchant.id, id, &Actor::Gateway, |current, now| {
                Ok((decide(&current.order, now)?, Extras::default()))
            })
            .await;
        match settled {
            Err(ChangeError::Taken { claim, owner }) if claim.kind == "operation" => {
                let why = format!("operation {} already belongs to {owner}", claim.value);
                self.change(&merchant.id, id, &Actor::Gateway, |current, now| {
                    Ok((current.order.quarantine_answer(of, &why, now)?, Extras::default()))
                })
                .await?;
                Ok(())
            }
            other => Ok(other.map(drop)?),
        }
    }
}

/// What kind of call a failpoint is passed by.
pub(super) fn kind(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Debit(_) => "debit",
        Purpose::Capture(_) => "capture",
        Purpose::GiveBack(_) => "give_back",
    }
}
