//! Taking up what is due.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{
    super::{App, Error, commit::Extras, merchant::Merchant},
    StoredRun,
    waiting::PAGE,
    work::ready_debits,
};
use crate::{
    domain::{
        actor::Actor,
        ids::OrderId,
        order::Order,
        run::{Run, RunEvent, RunState},
    },
    failpoint,
    ports::AlarmKind,
};

impl App {
    /// Takes up every order that is due, and no more from then on.
    pub(super) async fn select_all(&self, merchant: &Merchant, current: &StoredRun) -> Result<(), Error> {
        self.select(merchant, current.run.date).await?;
        failpoint::pass("run.taken_up");
        self.note(merchant, current, RunEvent::Selected, Some(self.now())).await?;
        failpoint::pass("run.selected");
        Ok(())
    }

    /// Takes up every order that is due.
    async fn select(&self, merchant: &Merchant, date: Date) -> Result<(), Error> {
        let mut after: Option<String> = None;
        let mut told = BTreeSet::new();
        loop {
            let page = self.ports.store.ready(merchant.id.as_str(), "order", date, after.as_deref(), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            // Somebody else was faster: what is eligible now is for a later day's run.
            if self.load_run(&merchant.id, date).await?.run.state != RunState::Selecting {
                return Ok(());
            }
            after = Some(last.id.clone());
            for (key, stored) in page {
                let id = key.id.parse().map_err(|_| Error::Defect("an order without an id".to_owned()))?;
                if let Err(error) = self.select_one(merchant, date, id, &stored.state, &mut told).await {
                    self.pass_over(error, merchant, id)?;
                }
            }
        }
    }

    async fn select_one(
        &self,
        merchant: &Merchant,
        date: Date,
        id: OrderId,
        seen: &str,
        told: &mut BTreeSet<Date>,
    ) -> Result<(), Error> {
        self.take_over(merchant, date, &serde_json::from_str(seen)?, told).await?;
        failpoint::pass("run.taking_up");
        let new = self.new_call(merchant);
        self.change(&merchant.id, id, &Actor::Gateway, |current, now| {
            let order = &current.order;
            let decision = match order.take_up(date, new.clone(), now, &merchant.policy)? {
                Ok(decision) => decision,
                Err(_left_out) => order.unchanged(),
            };
            Ok((decision, Extras::default()))
        })
        .await?;
        failpoint::pass("debit.planned");
        Ok(())
    }

    /// What a run that is stopped has not sent does not wait for a person for ever, and its payer with it: the run of
    /// another day takes it over. A run that is only waiting keeps its own.
    async fn take_over(
        &self,
        merchant: &Merchant,
        date: Date,
        order: &Order,
        told: &mut BTreeSet<Date>,
    ) -> Result<(), Error> {
        for (run, of, _) in ready_debits(order).filter(|(run, ..)| *run != date) {
            let Some(Run { state, .. }) = self.find_run(&merchant.id, run).await?.map(|found| found.run) else {
                continue;
            };
            match state {
                RunState::Selecting | RunState::Running => continue,
                RunState::Stopped { .. } if told.insert(run) => {
                    let detail = format!("the run of {run} is stopped; its debits are taken over");
                    self.alarm_of_run(merchant, date, AlarmKind::Misconfigured, detail);
                }
                RunState::Stopped { .. } | RunState::Ended { .. } => {}
            }
            self.give_up(merchant, order.id, of, "its run is over, and another takes it up").await?;
        }
        Ok(())
    }
}
