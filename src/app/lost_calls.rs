//! Calls that left before the store went back, and of which it knows nothing: what is done when one like them is about to
//! leave. The bank's "not found" is no proof, least of all where it shows no debits.

use super::{App, Error, commit::Extras, merchant::Merchant};
use crate::{
    domain::{
        actor::Actor,
        bank::MoneyCall,
        ids::OrderId,
        order::Order,
        purpose::AttemptId,
        reconcile::{Known, Leaving},
    },
    planted::{self, Bug},
};

impl App {
    /// What is known of a call that is about to leave, from before the store went back.
    pub(super) async fn known_of(&self, order: OrderId, of: AttemptId, call: &MoneyCall) -> Result<Known, Error> {
        let Some(reconcile) = self.reconciliation().await? else { return Ok(Known::Nothing) };
        Ok(match reconcile.known_of(order, of, call) {
            Known::Frozen if planted::is(Bug::RegressionUnheeded) => Known::Nothing,
            Known::Frozen if planted::is(Bug::RefundsNotFrozen) && matches!(call, MoneyCall::Refund { .. }) => {
                Known::Nothing
            }
            Known::Left(_) | Known::Otherwise(_) if planted::is(Bug::LostCallSentAgain) => Known::Nothing,
            known @ (Known::Nothing | Known::Frozen | Known::Left(_) | Known::Otherwise(_)) => known,
        })
    }

    /// Notes that a call that had left is on record again, or before people. Should that not be noted, it is looked at
    /// once more.
    pub(super) async fn deal_with(&self, left: &Leaving) -> Result<(), Error> {
        let (version, Some(mut reconcile)) = self.load_reconcile().await? else { return Ok(()) };
        reconcile.deal_with(left);
        let wake_at = reconcile.is_asking().then(|| self.now().max(reconcile.asks_from(self.grace())));
        match self.write_reconcile(&reconcile, version, "reconcile_dealt_with", wake_at).await {
            Err(Error::Busy) => Ok(()),
            written => written,
        }
    }

    /// Whether a refund stays: it waits while another gateway's journal may know of it, and what the bank finds under the
    /// name of another refund is not this one.
    pub(super) async fn holds_refund(
        &self,
        merchant: &Merchant,
        id: OrderId,
        of: AttemptId,
        call: &MoneyCall,
    ) -> Result<bool, Error> {
        match self.known_of(id, of, call).await? {
            Known::Nothing | Known::Left(_) => Ok(false),
            Known::Frozen => {
                let why = "the store went back, and what left before is being asked for";
                let wait =
                    |order: &Order, now| Ok(order.postpone_attempt(of, merchant.policy.doubt_settles, why, now)?);
                self.settle(merchant, id, of, wait).await.map(|()| true)
            }
            Known::Otherwise(left) => {
                let why = format!("before the store went back, another refund left as {}", left.call.names().0);
                self.give_up(merchant, id, of, &why).await.map(|()| true)
            }
        }
    }

    /// Has a debit that left before the store went back on record again, as it left. Whether it is.
    pub(super) async fn put_back(&self, left: &Leaving) -> Result<bool, Error> {
        let Ok(merchant) = self.merchant(&left.merchant) else { return Ok(false) };
        let mut is_back = false;
        let changed = self
            .change(&merchant.id, left.order, &Actor::Gateway, |current, now| {
                let decision = current.order.put_back_debit(left, now, &merchant.policy)?;
                is_back = decision.is_some();
                Ok::<_, Error>((decision.unwrap_or_else(|| current.order.unchanged()), Extras::default()))
            })
            .await;
        match changed.map_err(Error::from) {
            Ok(_) => Ok(is_back),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
