//! Committing decisions: one compare-and-set, tried again from a fresh read when somebody else was first.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};

use super::{App, Error, debit_run::run_labels, journal::booked_labels, plans::plan_status};
use crate::{
    domain::{
        actor::Actor,
        chain::Link,
        event::{EVENT_VERSION, Event, Recorded},
        ids::{MerchantId, OrderId},
        ledger::EntryKind,
        order::{Decision, Order, Status},
        policy::Policy,
        purpose::Purpose,
    },
    planted::{self, Bug},
    ports::{Answer, Callback, Claim, Commit, CommitError, Key, Stored, Vault, Write},
};

/// How often a change is tried before its caller is told to come back.
const MAX_TRIES: usize = 16;

/// How a request's answer is remembered under its Idempotency-Key, in the very commit that does what it asks.
#[derive(Clone)]
pub struct Remember<T> {
    /// The API key's id and the Idempotency-Key.
    pub key: String,
    pub fingerprint: String,
    pub render: Arc<dyn Fn(&T) -> Rendered + Send + Sync>,
}

/// An answer as the caller will read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub status: u16,
    pub body: String,
    /// For the ETag header.
    pub version: Option<u64>,
}

/// An answer, and whether it was given before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub rendered: Rendered,
    pub replayed: bool,
}

/// An order as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    pub order: Order,
    pub version: u64,
}

/// What goes into a commit beside the order.
#[derive(Clone, Debug, Default)]
pub(super) struct Extras {
    pub(super) callbacks: Vec<Callback>,
    pub(super) answer: Option<Answer>,
}

/// Where an order is kept.
pub(super) fn order_key(merchant: &MerchantId, order: OrderId) -> Key {
    Key { merchant: merchant.to_string(), kind: "order", id: order.to_string() }
}

/// Why a change of an order came to nothing.
#[derive(Debug)]
pub(super) enum ChangeError {
    /// An operation, reference or token is another's.
    Taken {
        claim: Claim,
        owner: String,
    },
    /// The request was answered before.
    Answered,
    Other(Error),
}

impl From<Error> for ChangeError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<ChangeError> for Error {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Taken { claim, .. } => Self::Defect(format!("{} is taken", claim.kind)),
            ChangeError::Answered => Self::Busy,
            ChangeError::Other(error) => error,
        }
    }
}

impl App {
    /// The order, if this merchant has it.
    pub(super) async fn find(&self, merchant: &MerchantId, id: OrderId) -> Result<Option<Versioned>, Error> {
        let stored = self.ports.store.load(&order_key(merchant, id)).await?;
        let read =
            |stored: Stored| Ok(Versioned { order: self.read_before.read(id, stored.state)?, version: stored.version });
        stored.map(read).transpose()
    }

    /// The order, which this merchant has.
    pub(super) async fn load(&self, merchant: &MerchantId, id: OrderId) -> Result<Versioned, Error> {
        self.find(merchant, id).await?.ok_or(Error::NotFound)
    }

    /// Decides on the order as it is now and commits; decides again when it was changed meanwhile. A decision without
    /// events, and with nothing beside it, leaves the order alone.
    pub(super) async fn change<F>(
        &self,
        merchant: &MerchantId,
        id: OrderId,
        actor: &Actor,
        mut decide: F,
    ) -> Result<Versioned, ChangeError>
    where
        F: FnMut(&Versioned, Timestamp) -> Result<(Decision, Extras), Error> + Send,
    {
        for _ in 0..MAX_TRIES {
            let current = self.load(merchant, id).await?;
            let now = self.now();
            let (mut decision, extras) = decide(&current, now)?;
            if decision.events.is_empty() && extras.callbacks.is_empty() && extras.answer.is_none() {
                return Ok(current);
            }
            let policy = &self.merchant(merchant)?.policy;
            let write = write_of(&mut decision, current.version, actor, now, policy)?;
            let commit = Commit {
                claims: claims_of(&decision),
                writes: vec![write],
                callbacks: extras.callbacks,
                answer: extras.answer,
            };
            match self.ports.store.commit(commit).await {
                Ok(()) => {
                    self.announce(&decision);
                    return Ok(Versioned { order: decision.order, version: current.version + 1 });
                }
                Err(CommitError::Conflict(_)) if planted::is(Bug::ConflictIgnored) => {
                    return Ok(Versioned { order: decision.order, version: current.version + 1 });
                }
                Err(CommitError::Conflict(_)) => {}
                Err(CommitError::Taken { claim, owner }) => return Err(ChangeError::Taken { claim, owner }),
                Err(CommitError::Answered) => return Err(ChangeError::Answered),
                Err(CommitError::Unavailable(why)) => return Err(ChangeError::Other(Error::Unavailable(why))),
            }
        }
        Err(ChangeError::Other(Error::Busy))
    }

    /// Changes an order and remembers the answer to the request in the same commit.
    pub(super) async fn change_and_answer<T, F>(
        &self,
        merchant: &MerchantId,
        id: OrderId,
        actor: &Actor,
        remember: &Remember<T>,
        mut decide: F,
    ) -> Result<Outcome, Error>
    where
        T: Sync,
        F: FnMut(&Versioned, Timestamp) -> Result<(Decision, T), Error> + Send,
    {
        let mut outcome = None;
        let changed = self
            .change(merchant, id, actor, |current, now| {
                let (decision, result) = decide(current, now)?;
                let (answer, given) = remember.answer(&result, &*self.ports.vault, now)?;
                outcome = Some(given);
                Ok((decision, Extras { answer: Some(answer), ..Extras::default() }))
            })
            .await;
        crate::failpoint::pass("request.committed");
        match changed {
            Ok(_) => outcome.ok_or(Error::Busy),
            Err(ChangeError::Answered) => self.answered_before(remember).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers the answer to a request whose parts were committed one by one.
    ///
    /// # Errors
    /// [`Error::KeyReused`], [`Error::Unavailable`], …
    pub async fn remember<T>(&self, remember: &Remember<T>, result: &T) -> Result<Outcome, Error> {
        let (answer, outcome) = remember.answer(result, &*self.ports.vault, self.now())?;
        let commit = Commit { writes: Vec::new(), claims: Vec::new(), callbacks: Vec::new(), answer: Some(answer) };
        match self.ports.store.commit(commit).await {
            Ok(()) => Ok(outcome),
            Err(CommitError::Answered) => self.answered_before(remember).await,
            Err(CommitError::Conflict(_) | CommitError::Taken { .. }) => Err(Error::Busy),
            Err(CommitError::Unavailable(why)) => Err(Error::Unavailable(why)),
        }
    }

    /// Somebody asked the same at the same time and was first.
    pub(super) async fn answered_before<T>(&self, remember: &Remember<T>) -> Result<Outcome, Error> {
        self.remembered(&remember.key, &remember.fingerprint).await?.ok_or(Error::Busy)
    }

    /// The answer that was given under this Idempotency-Key, if this is the same request.
    ///
    /// # Errors
    /// [`Error::KeyReused`] when it was another request, [`Error::Unavailable`].
    pub async fn remembered(&self, key: &str, fingerprint: &str) -> Result<Option<Outcome>, Error> {
        match self.ports.store.answer(key).await? {
            None => Ok(None),
            Some(answer) if answer.fingerprint != fingerprint => Err(Error::KeyReused),
            Some(answer) => {
                let body = self.ports.vault.open(&answer.sealed, &answer_context(key))?;
                let body = String::from_utf8(body).map_err(|_| Error::Defect("an answer is not text".to_owned()))?;
                let rendered = Rendered { status: answer.status, body, version: answer.version };
                Ok(Some(Outcome { rendered, replayed: true }))
            }
        }
    }
}

/// An answer can be opened only under the key that it was given to.
fn answer_context(key: &str) -> String {
    format!("answer:{key}")
}

impl<T> Remember<T> {
    /// What is remembered of `result`, and what is answered now.
    pub(super) fn answer(&self, result: &T, vault: &dyn Vault, now: Timestamp) -> Result<(Answer, Outcome), Error> {
        let rendered = (self.render)(result);
        let answer = Answer {
            key: self.key.clone(),
            fingerprint: self.fingerprint.clone(),
            status: rendered.status,
            sealed: vault.seal(rendered.body.as_bytes(), &answer_context(&self.key))?,
            version: rendered.version,
            given_at: now,
        };
        Ok((answer, Outcome { rendered, replayed: false }))
    }
}

/// What a decision writes. Its order is chained to the events that are stored.
pub(super) fn write_of(
    decision: &mut Decision,
    expected_version: u64,
    actor: &Actor,
    now: Timestamp,
    policy: &Policy,
) -> Result<Write, Error> {
    let mut events = Vec::with_capacity(decision.events.len());
    for event in &decision.events {
        let after = decision.order.chain.take();
        let recorded = Recorded { v: EVENT_VERSION, at: now, actor: actor.clone(), event: event.clone(), after };
        let stored = serde_json::to_string(&recorded)?;
        decision.order.chain = Some(Link::to(&stored));
        events.push(stored);
    }
    let order = &decision.order;
    Ok(Write {
        key: order_key(&order.merchant, order.id),
        expected_version,
        events,
        state: serde_json::to_string(order)?,
        wake_at: order.wake_at(policy),
        ready_on: order.looked_at_on(),
        labels: labels_of(order, &policy.zone),
    })
}

/// What an order can be listed by.
fn labels_of(order: &Order, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let mut labels =
        vec![("payer", order.payer.reference.as_str().to_owned()), ("status", status_label(order.status).to_owned())];
    if let Some(status) = plan_status(order) {
        labels.push(("has_plan", "yes".to_owned()));
        labels.push(("plan", status.to_owned()));
    }
    if !order.waiting().is_empty() {
        labels.push(("quarantine", "yes".to_owned()));
    }
    if !order.unsettled.is_empty() {
        labels.push(("unsettled", "yes".to_owned()));
    }
    labels.extend(order.ledger.iter().filter_map(|entry| match entry.kind {
        EntryKind::Settlement { remittance, .. } => Some(("remittance", remittance.to_string())),
        EntryKind::Capture { .. }
        | EntryKind::Debit { .. }
        | EntryKind::Surplus { .. }
        | EntryKind::GivenBack { .. }
        | EntryKind::Chargeback { .. } => None,
    }));
    labels.extend(run_labels(order));
    labels.extend(booked_labels(order, zone));
    labels
}

/// The status an order is listed by.
pub(super) fn status_label(status: Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Settled { .. } => "settled",
        Status::Cancelled { .. } => "cancelled",
    }
}

/// What only this order may have from now on.
pub(super) fn claims_of(decision: &Decision) -> Vec<Claim> {
    let order = &decision.order;
    let claim = |kind: &'static str, value: &str, owner: String| Claim {
        merchant: order.merchant.to_string(),
        kind,
        value: value.to_owned(),
        owner,
    };
    decision
        .events
        .iter()
        .flat_map(|event| match event {
            Event::Placed(placed) => vec![claim("order_reference", placed.reference.as_str(), order.id.to_string())],
            Event::CheckoutIssued(checkout) => {
                let owner = format!("{}/{}", order.id, checkout.number.0);
                // A page that follows another has the other's link, which is claimed already.
                let token =
                    (checkout.link == checkout.number).then(|| claim("token", &checkout.token.0, owner.clone()));
                let reference = claim("reference", checkout.reference.as_str(), owner.clone());
                let begins = checkout.begins.as_deref().filter(|_| !planted::is(Bug::CardNameUsedAgain));
                let subscriber = begins.map(|begins| claim("subscriber", begins.subscriber.as_str(), owner.clone()));
                [Some(reference), Some(claim("archive", checkout.archive.as_str(), owner)), token, subscriber]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Event::Captured { entry } => {
                vec![claim("operation", &entry.operation.number.to_string(), order.id.to_string())]
            }
            Event::Held(hold) => {
                vec![claim("operation", &hold.operation.number.to_string(), order.id.to_string())]
            }
            Event::AttemptPlanned { purpose, attempt, .. } => {
                let owner = match purpose {
                    Purpose::GiveBack(number) => format!("{}/g{number}", order.id),
                    Purpose::Capture(number) => format!("{}/h{number}", order.id),
                    Purpose::Debit(number) => format!("{}/d{number}", order.id),
                };
                let (reference, archive) = attempt.call.names();
                vec![claim("reference", reference.as_str(), owner.clone()), claim("archive", archive.as_str(), owner)]
            }
            Event::Settled
            | Event::Cancelled { .. }
            | Event::CheckoutHandedOver { .. }
            | Event::CheckoutClosed { .. }
            | Event::Reported { .. }
            | Event::Prompted { .. }
            | Event::Asked { .. }
            | Event::ReportDoubted { .. }
            | Event::Quarantined { .. }
            | Event::AttemptPostponed { .. }
            | Event::AttemptSent { .. }
            | Event::AttemptAnswered { .. }
            | Event::AttemptAsked { .. }
            | Event::AttemptDropped { .. }
            | Event::GivenBack { .. }
            | Event::Released { .. }
            | Event::PlanRequested(_)
            | Event::PlanApproved { .. }
            | Event::PlanRefused { .. }
            | Event::PlanWithdrawn { .. }
            | Event::CardJudged { .. }
            | Event::PlanActivated { .. }
            | Event::CardChanged { .. }
            | Event::PlanPaused { .. }
            | Event::PlanResumed { .. }
            | Event::PlanEnded { .. }
            | Event::DebitWaits { .. }
            | Event::DebitInArrears { .. }
            | Event::DebitRetried { .. }
            | Event::Credited { .. }
            | Event::RefundRequested { .. }
            | Event::Journalled { .. }
            | Event::Rescheduled { .. }
            | Event::SettlementAsked { .. }
            | Event::EntrySettled { .. }
            | Event::SettlementOver { .. }
            | Event::ChargedBack { .. }
            | Event::Blocked
            | Event::Unblocked
            | Event::VerdictGiven(_)
            | Event::QuarantineResolved { .. }
            | Event::SubscriberForgotten { .. }
            | Event::SubscriberPostponed { .. } => Vec::new(),
        })
        .collect()
}
