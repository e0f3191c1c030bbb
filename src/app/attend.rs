//! Doing what orders owe. A store keeps one instant per order; whoever comes by at that time does what is due, and two
//! who come at once cannot both have their commit.

use super::{App, Error, commit::Extras};
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
    /// [`Error::Unavailable`] when the store fails; [`Error::Defect`].
    pub async fn attend(&self, merchant: &MerchantId, id: OrderId) -> Result<(), Error> {
        for _ in 0..MAX_DUTIES {
            let merchant = self.merchant(merchant)?;
            let current = self.load(&merchant.id, id).await?;
            let Some(duty) = current.order.duty(self.now(), &merchant.policy) else {
                return Ok(());
            };
            match duty {
                Duty::Expire { checkout } => {
                    self.change(&merchant.id, id, &Actor::Gateway, |current, now| {
                        Ok((current.order.expire(checkout, now)?, Extras::default()))
                    })
                    .await?;
                }
                Duty::Ask { checkout } => self.ask(merchant, &current, checkout).await?,
                Duty::Believe { checkout } => self.believe(merchant, &current.order, checkout).await?,
                Duty::PlanGiveBack { give_back } => {
                    let archive = self.new_archive_reference();
                    self.change(&merchant.id, id, &Actor::Gateway, |current, now| {
                        let (prefix, archive) = (&merchant.prefix, archive.clone());
                        Ok((current.order.plan_give_back(give_back, prefix, archive, now)?, Extras::default()))
                    })
                    .await?;
                }
                Duty::SendGiveBack { give_back, attempt } => {
                    self.send_give_back(merchant, &current, give_back, &attempt).await?;
                }
                Duty::DoubtGiveBack { give_back } => self.doubt_give_back(merchant, id, give_back).await?,
                Duty::AskGiveBack { give_back, attempt, sending, asked } => {
                    self.ask_give_back(merchant, &current, give_back, &attempt, sending, asked).await?;
                }
            }
        }
        Ok(())
    }

    /// Attends to an order and tells whoever is on call when that fails.
    pub async fn attend_or_alarm(&self, merchant: &MerchantId, id: OrderId) {
        let (kind, detail) = match self.attend(merchant, id).await {
            Ok(()) | Err(Error::Busy | Error::NotFound) => return,
            Err(Error::Unavailable(why)) => (AlarmKind::StoreFailed, why),
            Err(other) => (AlarmKind::Defect, other.to_string()),
        };
        self.ports.alarms.raise(Alarm { kind, merchant: merchant.to_string(), subject: id.to_string(), detail });
    }
}
