//! Placing, reading, listing and cancelling orders.

use super::{
    App, Error, Outcome, Remember,
    access::Caller,
    billing::clean,
    commit::{Versioned, claims_of, write_of},
};
use crate::{
    domain::{
        fault::{Fault, FaultKind},
        ids::{MerchantId, OrderId},
        order::{NewOrder, Order},
    },
    ports::{Commit, CommitError},
};

/// The most orders on one page of a list.
pub const MAX_PAGE: usize = 100;

/// Which orders to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    pub payer: Option<String>,
    pub status: Option<String>,
    pub after: Option<OrderId>,
    pub limit: usize,
}

impl App {
    /// An id for an order that is about to be placed.
    pub fn new_order_id(&self) -> OrderId {
        OrderId::from_bits(self.ports.entropy.id(self.now()))
    }

    /// Places an order. One that replaces another cancels it in the same commit.
    ///
    /// # Errors
    /// [`Error::Faults`], [`Error::ReferenceTaken`], [`Error::NotReplaceable`], [`Error::KeyReused`], …
    pub async fn place_order(
        &self,
        caller: &Caller,
        new: NewOrder,
        remember: &Remember<Versioned>,
    ) -> Result<Outcome, Error> {
        let merchant = self.merchant(&new.merchant)?;
        if new.currency != merchant.currency {
            return Err(Error::Faults(vec![Fault::new("/currency", FaultKind::CurrencyNotAccepted)]));
        }
        let faults: Vec<Fault> = new
            .payer
            .addresses
            .iter()
            .enumerate()
            .filter_map(|(index, known)| clean(&known.address, &format!("/payer/addresses/{index}")).err())
            .flatten()
            .collect();
        if !faults.is_empty() {
            return Err(Error::Faults(faults));
        }
        let now = self.now();
        let mut decision =
            Order::place(new.clone(), merchant.policy.day(None, now), now, &merchant.policy).map_err(Error::Faults)?;
        let mut writes = vec![write_of(&mut decision, 0, &caller.actor, now, &merchant.policy)?];
        let mut claims = claims_of(&decision);
        let mut decisions = vec![decision.clone()];
        if let Some(replaced) = new.replaces {
            let unknown = || Error::Faults(vec![Fault::new("/replaces", FaultKind::Unknown)]);
            let old = self.find(&new.merchant, replaced).await?.ok_or_else(unknown)?;
            if old.order.payer.reference != new.payer.reference {
                return Err(Error::Faults(vec![Fault::new("/replaces", FaultKind::NotWithThis)]));
            }
            let mut cancel = old.order.cancel(Some(new.id), now).map_err(Error::NotReplaceable)?;
            writes.push(write_of(&mut cancel, old.version, &caller.actor, now, &merchant.policy)?);
            claims.extend(claims_of(&cancel));
            decisions.push(cancel);
        }
        let (answer, outcome) =
            remember.answer(&Versioned { order: decision.order.clone(), version: 1 }, &*self.ports.vault, now)?;
        let commit = Commit { writes, claims, callbacks: Vec::new(), answer: Some(answer) };
        match self.ports.store.commit(commit).await {
            Ok(()) => {
                decisions.iter().for_each(|decision| self.announce(decision));
                Ok(outcome)
            }
            Err(CommitError::Answered) => self.answered_before(remember).await,
            Err(CommitError::Taken { owner, .. }) => {
                // The same request may have won the race a moment ago; then its answer is ours too.
                match self.remembered(&remember.key, &remember.fingerprint).await? {
                    Some(outcome) => Ok(outcome),
                    None => Err(owner.parse().map_or_else(
                        |_| Error::Defect("a claim without an owner".to_owned()),
                        |order| Error::ReferenceTaken { order },
                    )),
                }
            }
            Err(CommitError::Conflict(_)) => Err(Error::Busy),
            Err(CommitError::Unavailable(why)) => Err(Error::Unavailable(why)),
        }
    }

    /// One order, if it is of a merchant of the caller's.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn order(&self, caller: &Caller, id: OrderId) -> Result<Versioned, Error> {
        for merchant in &caller.merchants {
            if let Some(found) = self.find(merchant, id).await? {
                return Ok(found);
            }
        }
        Err(Error::NotFound)
    }

    /// Orders of one merchant, in the order of their placing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a merchant that is not the caller's, [`Error::Unavailable`].
    pub async fn orders(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        filter: &OrderFilter,
    ) -> Result<Vec<Versioned>, Error> {
        let labels: Vec<(&'static str, String)> = [("payer", &filter.payer), ("status", &filter.status)]
            .into_iter()
            .filter_map(|(label, value)| value.clone().map(|value| (label, value)))
            .collect();
        self.labelled_orders(caller, merchant, &labels, filter).await
    }

    /// Orders of one merchant that have all `labels`; of `filter` only where to begin and how many counts.
    pub(super) async fn labelled_orders(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        labels: &[(&'static str, String)],
        filter: &OrderFilter,
    ) -> Result<Vec<Versioned>, Error> {
        if !caller.merchants.contains(merchant) {
            return Err(Error::NotFound);
        }
        let after = filter.after.map(|id| id.to_string());
        let limit = filter.limit.min(MAX_PAGE + 1);
        let found = self.ports.store.list(merchant.as_str(), "order", labels, after.as_deref(), limit).await?;
        found
            .iter()
            .map(|(_, stored)| Ok(Versioned { order: serde_json::from_str(&stored.state)?, version: stored.version }))
            .collect()
    }

    /// Every order of one merchant that has all `labels`.
    pub(super) async fn all_labelled(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        labels: &[(&'static str, String)],
    ) -> Result<Vec<Versioned>, Error> {
        let mut all: Vec<Versioned> = Vec::new();
        loop {
            let after = all.last().map(|last| last.order.id);
            let filter = OrderFilter { after, limit: MAX_PAGE, ..OrderFilter::default() };
            let page = self.labelled_orders(caller, merchant, labels, &filter).await?;
            let is_last = page.len() < MAX_PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Takes an order back before it is paid; only in the version that was looked at, when one is named.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Refused`], …
    pub async fn cancel_order(
        &self,
        caller: &Caller,
        id: OrderId,
        seen: Option<u64>,
        remember: &Remember<Versioned>,
    ) -> Result<Outcome, Error> {
        self.change_order(caller, id, seen, remember, |_, order, now| Ok(order.cancel(None, now)?)).await
    }
}
