//! Doing what orders and webhook endpoints owe. A store keeps one instant for each; whoever comes by at that time does what
//! is due, and two who come at once cannot both have their commit.

use std::fmt;

use jiff::civil::Date;

use super::{App, Error, bank_call::kind, commit::Extras, merchant::Merchant, turns::order_lease};
use crate::{
    domain::{
        actor::Actor,
        ids::{MerchantId, OrderId},
        order::Duty,
        webhook::EndpointId,
    },
    failpoint,
    planted::{self, Bug},
    ports::{Alarm, AlarmKind, Key},
};

/// How many chores one round attends to.
pub const ROUND: usize = 100;
/// How many duties of one order are done in a row before others have their turn.
const MAX_DUTIES: usize = 50;

/// Something that wants to be attended to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chore {
    Order(MerchantId, OrderId),
    Run(MerchantId, Date),
    Webhook(MerchantId, EndpointId),
    /// Finding out what a store that lags does not know.
    Reconcile,
}

impl Chore {
    fn of(key: &Key) -> Option<Self> {
        if key.kind == "reconcile" {
            return Some(Self::Reconcile);
        }
        let merchant = key.merchant.parse().ok()?;
        match key.kind {
            "order" => Some(Self::Order(merchant, key.id.parse().ok()?)),
            "run" => Some(Self::Run(merchant, key.id.parse().ok()?)),
            "webhook" => Some(Self::Webhook(merchant, key.id.parse().ok()?)),
            _ => None,
        }
    }
}

impl fmt::Display for Chore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(merchant, order) => write!(formatter, "{order} of {merchant}"),
            Self::Run(merchant, date) => write!(formatter, "the debits of {date} of {merchant}"),
            Self::Webhook(merchant, endpoint) => write!(formatter, "{endpoint} of {merchant}"),
            Self::Reconcile => formatter.write_str("the reconciliation"),
        }
    }
}

impl App {
    /// What wants to be attended to now, the longest waiting first: a round of them, and `more`. Whoever has some
    /// that stay due asks for as many more, so that those keep no others from their turn.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn due(&self, more: usize) -> Result<Vec<Chore>, Error> {
        let keys = self.ports.store.due(self.now(), ROUND.saturating_add(more)).await?;
        Ok(keys.iter().filter_map(Chore::of).collect())
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
                Duty::Send { of, attempt } => {
                    self.send(merchant, &current, *of, attempt).await?;
                }
                Duty::Doubt { of } if planted::is(Bug::FreshNumberAfterSilence) => {
                    self.insist_anew(merchant, &current.order, *of).await?;
                }
                Duty::Doubt { of } => self.doubt(merchant, id, *of).await?,
                Duty::Enquire { of, attempt, host } => self.enquire(merchant, &current, *of, attempt, *host).await?,
                Duty::LookSettled { operation } => self.look_settled(merchant, id, *operation).await?,
                Duty::Forget { subscriber } => self.forget(merchant, id, subscriber).await?,
                Duty::Expire { .. } | Duty::Plan { .. } | Duty::Judge { .. } => {
                    self.decide(merchant, id, &duty).await?;
                }
            }
        }
        Ok(())
    }

    /// Does a duty that needs nobody else. Whoever else was here first has done it already.
    async fn decide(&self, merchant: &Merchant, id: OrderId, duty: &Duty) -> Result<(), Error> {
        let new = self.new_call(merchant);
        self.change(&merchant.id, id, &Actor::Gateway, |current, now| {
            let order = &current.order;
            let decision = match duty {
                _ if order.duty(now, &merchant.policy).as_ref() != Some(duty) => order.unchanged(),
                Duty::Expire { checkout } => order.expire(*checkout, now)?,
                Duty::Plan { purpose } => order.plan_call(*purpose, new.clone(), now, &merchant.policy)?,
                Duty::Judge { hold } => order.judge_card(*hold, now, &merchant.policy)?,
                Duty::Ask { .. }
                | Duty::Believe { .. }
                | Duty::Send { .. }
                | Duty::Doubt { .. }
                | Duty::Enquire { .. }
                | Duty::LookSettled { .. }
                | Duty::Forget { .. } => order.unchanged(),
            };
            Ok((decision, Extras::default()))
        })
        .await?;
        if let Duty::Plan { purpose } = duty {
            failpoint::pass_of(kind(*purpose), "planned");
        }
        if let Duty::Judge { .. } = duty {
            failpoint::pass("card.judged");
        }
        Ok(())
    }

    /// Attends to an order and tells whoever is on call when that fails; whether it did not.
    pub async fn attend_or_alarm(&self, merchant: &MerchantId, id: OrderId) -> bool {
        let outcome = self.attend(merchant, id).await;
        self.alarm_if_failed(outcome, merchant.as_str(), &id)
    }

    /// Does what is due of a chore, as [`App::attend_or_alarm`].
    pub async fn do_or_alarm(&self, chore: &Chore) -> bool {
        match chore {
            Chore::Order(merchant, order) => {
                let what = order_lease(merchant, *order);
                self.alone(merchant, &what, self.attend_or_alarm(merchant, *order)).await
            }
            Chore::Run(merchant, date) => {
                let outcome = self.attend_run(merchant, *date).await;
                self.alarm_if_failed(outcome, merchant.as_str(), date)
            }
            Chore::Webhook(merchant, endpoint) => {
                let what = format!("webhook:{merchant}:{endpoint}");
                let outcome = self.alone(merchant, &what, self.tell(merchant, *endpoint)).await;
                self.alarm_if_failed(outcome, merchant.as_str(), endpoint)
            }
            Chore::Reconcile => {
                let outcome = self.attend_reconcile().await;
                self.alarm_if_failed(outcome, "", chore)
            }
        }
    }

    pub(super) fn alarm_if_failed(
        &self,
        outcome: Result<(), Error>,
        merchant: &str,
        subject: &dyn fmt::Display,
    ) -> bool {
        let (kind, detail) = match outcome {
            Ok(()) | Err(Error::Busy) => return true,
            Err(Error::Unavailable(why)) => (AlarmKind::StoreFailed, why),
            Err(Error::NotFound) => (AlarmKind::Misconfigured, "its merchant is not configured any more".to_owned()),
            Err(other) => (AlarmKind::Defect, other.to_string()),
        };
        let alarm = Alarm { kind, merchant: merchant.to_string(), subject: subject.to_string(), detail };
        self.ports.alarms.raise(alarm);
        false
    }
}
