//! Doing what orders owe. A store keeps one instant per order; whoever comes by at that time does what is due, and two
//! who come at once cannot both have their commit.

use super::{App, Error, commit::Extras, merchant::Merchant};
use crate::{
    domain::{
        actor::Actor,
        ids::{MerchantId, OrderId},
        order::Duty,
    },
    ports::{Alarm, AlarmKind},
};

/// How many orders one round attends to.
pub const ROUND: usize = 100;
/// How many duties of one order are done in a row before others have their turn.
const MAX_DUTIES: usize = 50;

impl App {
    /// Orders that want to be attended to now, the longest waiting first: a round of them, and `more`. Whoever has some
    /// that stay due asks for as many more, so that those keep no others from their turn.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn due(&self, more: usize) -> Result<Vec<(MerchantId, OrderId)>, Error> {
        let keys = self.ports.store.due(self.now(), ROUND.saturating_add(more)).await?;
        Ok(keys.iter().filter_map(|key| Some((key.merchant.parse().ok()?, key.id.parse().ok()?))).collect())
    }

    /// Does everything that an order owes now.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a merchant that is not configured, [`Error::Unavailable`], [`Error::Defect`].
    pub async fn attend(&self, merchant: &MerchantId, id: OrderId) -> Result<(), Error> {
        let merchant = self.merchant(merchant)?;
        for _ in 0..MAX_DUTIES {
            let current = self.load(&merchant.id, id).await?;
            let Some(duty) = current.order.duty(self.now(), &merchant.policy) else {
                return Ok(());
            };
            match &duty {
                Duty::Ask { checkout } => self.ask(merchant, &current, *checkout).await?,
                Duty::Believe { checkout } => self.believe(merchant, &current.order, *checkout).await?,
                Duty::SendGiveBack { of, attempt } => self.send_give_back(merchant, &current, *of, attempt).await?,
                Duty::DoubtGiveBack { of } => self.doubt_give_back(merchant, id, *of).await?,
                Duty::AskGiveBack { of, attempt, host } => {
                    self.ask_give_back(merchant, &current, *of, attempt, *host).await?;
                }
                Duty::Expire { .. } | Duty::PlanGiveBack { .. } => self.decide(merchant, id, &duty).await?,
            }
        }
        Ok(())
    }

    /// Does a duty that needs nobody else. Whoever else was here first has done it already.
    async fn decide(&self, merchant: &Merchant, id: OrderId, duty: &Duty) -> Result<(), Error> {
        let archive = self.new_archive_reference();
        self.change(&merchant.id, id, &Actor::Gateway, |current, now| {
            let order = &current.order;
            let decision = match duty {
                _ if order.duty(now, &merchant.policy).as_ref() != Some(duty) => order.unchanged(),
                Duty::Expire { checkout } => order.expire(*checkout, now)?,
                Duty::PlanGiveBack { give_back } => {
                    order.plan_give_back(*give_back, &merchant.prefix, archive.clone(), now)?
                }
                Duty::Ask { .. }
                | Duty::Believe { .. }
                | Duty::SendGiveBack { .. }
                | Duty::DoubtGiveBack { .. }
                | Duty::AskGiveBack { .. } => order.unchanged(),
            };
            Ok((decision, Extras::default()))
        })
        .await?;
        Ok(())
    }

    /// Attends to an order and tells whoever is on call when that fails; whether it did not.
    pub async fn attend_or_alarm(&self, merchant: &MerchantId, id: OrderId) -> bool {
        let (kind, detail) = match self.attend(merchant, id).await {
            Ok(()) | Err(Error::Busy) => return true,
            Err(Error::Unavailable(why)) => (AlarmKind::StoreFailed, why),
            Err(Error::NotFound) => (AlarmKind::Misconfigured, "its merchant is not configured any more".to_owned()),
            Err(other) => (AlarmKind::Defect, other.to_string()),
        };
        self.ports.alarms.raise(Alarm { kind, merchant: merchant.to_string(), subject: id.to_string(), detail });
        false
    }
}
