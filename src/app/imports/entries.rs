//! What a person does about one drift: an entry of the import's, and with it what it books, in one commit.

use jiff::Timestamp;

use super::{Booked, ENTRIES, Entries, Imported, key};
use crate::{
    app::{
        App, Error, Outcome, Remember,
        access::Caller,
        commit::{Versioned, claims_of, write_of},
        merchant::Merchant,
    },
    domain::{
        bank::OperationStatus,
        ids::OrderId,
        order::{Decision, Order, Remitted},
        statement::{Drift, Drifting, EntryName, ImportId},
        text::Text,
    },
    planted::{self, Bug},
    ports::{Claim, Commit, CommitError, Write},
};

/// How often an entry is tried before its caller is told to come back.
const MAX_TRIES: usize = 16;

/// What a person wants done about which drift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entering {
    pub import: ImportId,
    pub drift: String,
    pub entry: EntryName,
    pub reason: Text,
}

impl App {
    /// Does about a drift what a person decided; an entry is made once, and books what it stands for in the same commit.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such drift any more, [`Error::NotOffered`] when it is settled or the entry is
    /// none of its, [`Error::Busy`], [`Error::Unavailable`].
    pub async fn enter(
        &self,
        caller: &Caller,
        entering: &Entering,
        remember: &Remember<Drifting>,
    ) -> Result<Outcome, Error> {
        let imported = self.find_import(caller, entering.import).await?;
        let merchant = self.merchant_of(caller, &imported.merchant)?;
        for _ in 0..MAX_TRIES {
            let (version, entries) = self.load_entries(&merchant.id, &entering.import).await?;
            let drifts = self.drifts_with(caller, merchant, &imported, &entries).await?;
            let drifting = drifts.into_iter().find(|drifting| drifting.drift.id == entering.drift);
            let drifting = drifting.ok_or(Error::NotFound)?;
            let is_planted = planted::is(Bug::DriftSettledTwice) && drifting.drift.entries.contains(&entering.entry);
            if !drifting.entries().contains(&entering.entry) && !is_planted {
                return Err(Error::NotOffered);
            }
            let now = self.now();
            let booked = Booked {
                at: now,
                by: caller.actor.clone(),
                reason: entering.reason.clone(),
                entry: entering.entry,
                drift: drifting.drift.clone(),
            };
            let mut decided = match self.order_of(merchant, &drifting.drift, entering, now).await? {
                Decided::Nothing => None,
                Decided::This(decision, version) => Some((decision, version)),
                // The order has changed since the drift was found.
                Decided::Stale => continue,
            };
            let mut after = drifting;
            after.booked.push(booked);
            let (answer, outcome) = remember.answer(&after, &*self.ports.vault, now)?;
            let mut commit = Commit { answer: Some(answer), ..Commit::default() };
            let made = after.booked.last().ok_or_else(|| Error::Defect("an entry that is not there".to_owned()))?;
            commit.writes.push(write_of_entries(merchant, &imported, version, entries, made)?);
            if let Some((decision, version)) = &mut decided {
                commit.writes.push(write_of(decision, *version, &caller.actor, now, &merchant.policy)?);
                commit.claims.extend(claims_of(decision));
            }
            if let (EntryName::Fees, Some(remittance)) = (entering.entry, after.drift.remittance) {
                let (merchant, owner) = (merchant.id.to_string(), entering.import.to_string());
                commit.claims.push(Claim { merchant, kind: "fees", value: remittance.to_string(), owner });
            }
            match self.ports.store.commit(commit).await {
                Ok(()) => {
                    if let Some((decision, _)) = &decided {
                        self.announce(decision);
                    }
                    return Ok(outcome);
                }
                // Fees that another statement's entry took meanwhile are no drift any more, or another one.
                Err(CommitError::Conflict(_) | CommitError::Taken { .. }) => {}
                Err(CommitError::Answered) => return self.answered_before(remember).await,
                Err(CommitError::Unavailable(why)) => return Err(Error::Unavailable(why)),
            }
        }
        Err(Error::Busy)
    }

    /// What the entry does to an order.
    async fn order_of(
        &self,
        merchant: &Merchant,
        drift: &Drift,
        entering: &Entering,
        now: Timestamp,
    ) -> Result<Decided, Error> {
        let order = match (entering.entry, drift.order) {
            (EntryName::Fees | EntryName::Note, _) => return Ok(Decided::Nothing),
            (EntryName::Settlement | EntryName::Chargeback | EntryName::Question, Some(order)) => order,
            (EntryName::Settlement | EntryName::Chargeback | EntryName::Question, None) => {
                return Err(Error::Defect("an entry of no order".to_owned()));
            }
        };
        let current = self.load_for(merchant, order).await?;
        let decision = decide(&current.order, drift, entering, now, merchant);
        Ok(match decision {
            Some(decision) if !decision.events.is_empty() => Decided::This(Box::new(decision), current.version),
            // A page that was asked about often enough is left in peace; the entry says that a person wanted it.
            Some(_) if entering.entry == EntryName::Question => Decided::Nothing,
            Some(_) | None => Decided::Stale,
        })
    }

    async fn load_for(&self, merchant: &Merchant, order: OrderId) -> Result<Versioned, Error> {
        let found = self.find(&merchant.id, order).await?;
        found.ok_or_else(|| Error::Defect("a drift of no order".to_owned()))
    }
}

/// What becomes of the order that a drift is about.
enum Decided {
    Nothing,
    This(Box<Decision>, u64),
    Stale,
}

fn decide(order: &Order, drift: &Drift, entering: &Entering, now: Timestamp, merchant: &Merchant) -> Option<Decision> {
    match entering.entry {
        EntryName::Settlement => {
            let remitted = Remitted::Status { status: OperationStatus::Captured, remittance: Some(drift.remittance?) };
            order.settlement_asked(&drift.operation?, &remitted, now, &merchant.policy).ok()
        }
        EntryName::Chargeback => order.charge_back(&drift.operation?, entering.reason.clone(), now).ok(),
        EntryName::Question => order.ask_about(drift.page?, now, &merchant.policy).ok(),
        EntryName::Fees | EntryName::Note => None,
    }
}

fn write_of_entries(
    merchant: &Merchant,
    imported: &Imported,
    version: u64,
    mut entries: Entries,
    made: &Booked,
) -> Result<Write, Error> {
    let event = serde_json::json!({
        "type": "entered",
        "entry": made.entry,
        "drift": made.drift.id,
        "reason": made.reason,
        "actor": made.by,
        "at": made.at,
    });
    entries.booked.push(made.clone());
    let day = |booked: &Booked| ("booked_on", merchant.policy.day(None, booked.at).to_string());
    let mut labels: Vec<(&'static str, String)> = entries.booked.iter().map(day).collect();
    labels.dedup();
    Ok(Write {
        key: key(&imported.merchant, ENTRIES, &imported.import.id),
        expected_version: version,
        events: vec![event.to_string()],
        state: serde_json::to_string(&entries)?,
        wake_at: None,
        ready_on: None,
        labels,
    })
}
