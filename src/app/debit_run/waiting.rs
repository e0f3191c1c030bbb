//! Which debits of a run may leave now, and when the next may.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{
    super::{App, Error, commit::Versioned, merchant::Merchant},
    StoredRun,
    work::ready_debit,
};
use crate::{
    domain::run::RunState,
    ports::{Key, Stored},
};

/// How many orders are looked at, or sent, before the run is looked at again.
pub(super) const PAGE: usize = 100;

/// Runs of older days look by themselves, a little later.
const WOKEN_DAYS: i32 = 40;

/// What a run has left to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Waiting<T> {
    /// Those that may leave now, as many as are sent in a batch.
    pub(super) now: Vec<T>,
    /// When the first of the others may, among those that were looked at.
    pub(super) next: Option<Timestamp>,
}

impl<T> Waiting<T> {
    fn nothing() -> Self {
        Self { now: Vec::new(), next: None }
    }

    /// Looks at one page; whether there are enough for a batch.
    fn look(&mut self, page: impl IntoIterator<Item = (Timestamp, T)>, now: Timestamp) -> bool {
        for (not_before, item) in page {
            if not_before <= now {
                self.now.push(item);
            } else {
                self.next = Some(self.next.map_or(not_before, |next| next.min(not_before)));
            }
        }
        self.now.len() >= PAGE
    }
}

impl App {
    /// Looks through all pages: those that have to wait may fill the first ones, and hide nobody.
    pub(super) async fn waiting(&self, merchant: &Merchant, date: Date) -> Result<Waiting<Versioned>, Error> {
        let now = self.now();
        let mut waiting = Waiting::nothing();
        let mut after: Option<String> = None;
        loop {
            let page = self.in_run(merchant, date, "ready", after.as_deref()).await?;
            let Some(last) = page.last() else { return Ok(waiting) };
            after = Some(last.order.id.to_string());
            let ready = page.into_iter().filter_map(|each| Some((ready_debit(&each.order, date)?.1, each)));
            if waiting.look(ready, now) {
                return Ok(waiting);
            }
        }
    }

    /// Has the runs that wait go on at once.
    pub(in crate::app) async fn wake_runs(&self, merchant: &Merchant) -> Result<(), Error> {
        let today = merchant.policy.day(None, self.now());
        let oldest = today.saturating_sub(SignedDuration::from_hours(24).saturating_mul(WOKEN_DAYS)).to_string();
        let runs = self.ports.store.list(merchant.id.as_str(), "run", &[], Some(&oldest), usize::from(u8::MAX)).await?;
        for (_, stored) in runs {
            let run = serde_json::from_str(&stored.state)?;
            let current = StoredRun { merchant: merchant.id.clone(), run, version: stored.version };
            if current.run.state == RunState::Running {
                self.wake_run(merchant, &current, self.now()).await?;
            }
        }
        Ok(())
    }

    /// A page of the orders whose debit of this run came to `outcome`.
    pub(super) async fn in_run(
        &self,
        merchant: &Merchant,
        date: Date,
        outcome: &str,
        after: Option<&str>,
    ) -> Result<Vec<Versioned>, Error> {
        let labels = [("run_outcome", format!("{date}/{outcome}"))];
        let found = self.ports.store.list(merchant.id.as_str(), "order", &labels, after, PAGE).await?;
        let read = |(_, stored): &(Key, Stored)| {
            Ok(Versioned { order: serde_json::from_str(&stored.state)?, version: stored.version })
        };
        found.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn those_that_have_to_wait_hide_nobody() {
        let mut waiting = Waiting::nothing();
        assert!(!waiting.look((0..PAGE).map(|index| (second(90), index)), second(60)), "a page of them");
        assert_eq!(waiting, Waiting { now: Vec::new(), next: Some(second(90)) });
        assert!(!waiting.look([(second(60), 100), (second(80), 101), (second(85), 102)], second(60)));
        assert_eq!(waiting, Waiting { now: vec![100], next: Some(second(80)) });
        assert!(waiting.look((0..PAGE).map(|index| (second(0), index)), second(60)), "enough for a batch");
    }
}
