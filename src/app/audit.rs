//! Whether what is stored still makes sense: each order rebuilt from its events, the chain they form, what must always
//! hold, and on demand what the bank says of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{App, Error, commit::order_key, merchant::Merchant};
use crate::{
    domain::{
        attempt::{Host, Recheck},
        bank::{Finding, Inspection, OperationStatus, Question},
        chain::Link,
        event::{Event, Recorded},
        ids::MerchantId,
        ledger::EntryKind,
        order::{Breach, Order},
        purpose::Purpose,
    },
    ports::{FeedItem, Stored},
};

/// What was looked at, and what was found to be wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub orders: u64,
    pub events: u64,
    pub operations: u64,
    /// Operations and calls that the bank was asked about.
    pub asked: u64,
    /// Of those, the ones that it gave no usable answer about.
    pub unanswered: u64,
    pub findings: Vec<Found>,
}

/// Something wrong with an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub merchant: MerchantId,
    pub order: String,
    pub breach: Breach,
}

/// PAYBOX remembers a question's number for so long.
const NUMBERS_REMEMBERED: SignedDuration = SignedDuration::from_hours(48);
/// Orders that are read at once.
const PAGE: usize = 200;

/// When each question number of a SITE was used.
type Numbers = BTreeMap<(String, u32), Vec<Timestamp>>;

impl App {
    /// Looks through every order. With `ask_bank` the bank is asked about every operation that was booked, too, and about
    /// every call that was concluded not to have been carried out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the store cannot be read.
    pub async fn audit(&self, ask_bank: bool) -> Result<Report, Error> {
        let mut report = Report::default();
        let mut numbers = Numbers::new();
        for merchant in self.merchants.values() {
            let mut after: Option<String> = None;
            loop {
                let page = self.ports.store.list(merchant.id.as_str(), "order", &[], after.as_deref(), PAGE).await?;
                let Some((last, _)) = page.last() else { break };
                after = Some(last.id.clone());
                for (key, stored) in page {
                    report.orders += 1;
                    let mut breaches = Vec::new();
                    let history = self.ports.store.history(&key).await?;
                    report.events += u64::try_from(history.len()).unwrap_or(u64::MAX);
                    if let Some(order) = check_history(&stored, &history, &mut breaches) {
                        note_numbers(merchant, &key.id, &history, &mut numbers, &mut breaches);
                        breaches.extend(order.breaches());
                        self.check_owners(&order, &mut breaches, &mut report).await?;
                        if ask_bank {
                            self.compare(merchant, &order, &mut breaches, &mut report).await?;
                            self.look_for_what_was_not_done(merchant, &order, &mut breaches, &mut report).await?;
                        }
                    }
                    let found = |breach| Found { merchant: merchant.id.clone(), order: key.id.clone(), breach };
                    report.findings.extend(breaches.into_iter().map(found));
                }
            }
        }
        Ok(report)
    }

    /// I3: what an order has booked is its own.
    async fn check_owners(&self, order: &Order, breaches: &mut Vec<Breach>, report: &mut Report) -> Result<(), Error> {
        let key = order_key(&order.merchant, order.id);
        for number in money_in(order).map(|(inspected, ..)| inspected.number).collect::<BTreeSet<_>>() {
            report.operations += 1;
            let owner = self.ports.store.owner(&key.merchant, "operation", &number.to_string()).await?;
            if owner.as_deref() != Some(key.id.as_str()) {
                breaches.push(Breach::new("I3", format!("operation {number} is not on record as this order's")));
            }
        }
        Ok(())
    }

    /// What the bank's own record says of each operation that was booked.
    async fn compare(
        &self,
        merchant: &Merchant,
        order: &Order,
        breaches: &mut Vec<Breach>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let operations: Vec<_> = money_in(order).collect();
        for (operation, is_given_back) in operations {
            report.asked += 1;
            let question = Question::Inspect { operation };
            match self.question(merchant, Host::Main, &question).await? {
                Ok(Finding::Inspected(Inspection { operation: seen, status, .. })) if seen == operation => {
                    let fits = match status {
                        OperationStatus::Captured => true,
                        OperationStatus::Cancelled | OperationStatus::Refunded | OperationStatus::Credited => {
                            is_given_back
                        }
                        // A contract may report its captures so; then it does so for all of them.
                        OperationStatus::Authorised => merchant.policy.authorised_counts,
                        OperationStatus::Refused | OperationStatus::Rejected | OperationStatus::Other(_) => false,
                    };
                    if !fits {
                        let what =
                            format!("operation {} is booked, and the bank shows it as {status:?}", operation.number);
                        breaches.push(Breach::new("bank", what));
                    }
                }
                Ok(Finding::Nothing) => {
                    breaches.push(Breach::new("bank", format!("the bank has no operation {}", operation.number)));
                }
                Ok(Finding::Inspected(_) | Finding::Found(_) | Finding::Status(..) | Finding::Unclear(_)) | Err(_) => {
                    report.unanswered += 1;
                }
            }
        }
        Ok(())
    }

    /// What the bank shows under the name of each call that is on record as not carried out.
    async fn look_for_what_was_not_done(
        &self,
        merchant: &Merchant,
        order: &Order,
        breaches: &mut Vec<Breach>,
        report: &mut Report,
    ) -> Result<(), Error> {
        for (purpose, attempt) in order.calls_not_done() {
            report.asked += 1;
            let Ok(findings) = self.findings_of_either(merchant, Host::Main, attempt).await? else {
                report.unanswered += 1;
                continue;
            };
            // People, or a later call, may have had it booked since.
            let is_booked = findings.iter().filter_map(Finding::found).any(|found| order.has_booked(&found.number));
            match attempt.recheck(&findings) {
                Recheck::Contradiction(what) if !is_booked => {
                    let number = attempt.number;
                    let what = format!("call {number} of {purpose} is on record as not carried out: {what}");
                    breaches.push(Breach::new("bank", what));
                }
                // Nothing shows yet that the bank finds refunds by their reference.
                Recheck::Unknown if !matches!(purpose, Purpose::GiveBack(_)) => report.unanswered += 1,
                Recheck::Contradiction(_) | Recheck::NotDone | Recheck::Unknown => {}
            }
        }
        Ok(())
    }
}

/// Every operation that brought money in, and whether any of it went back.
fn money_in(order: &Order) -> impl Iterator<Item = (crate::domain::bank::Operation, bool)> {
    order.ledger.iter().filter_map(|entry| match entry.kind {
        EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::Surplus { .. } => {
            let is_back = order.ledger.iter().any(|other| {
                matches!(other.kind, EntryKind::GivenBack { original, .. } | EntryKind::Chargeback { original, .. }
                    if original == entry.operation.number)
            });
            Some((entry.operation, is_back))
        }
        EntryKind::GivenBack { .. } | EntryKind::Settlement { .. } | EntryKind::Chargeback { .. } => None,
    })
}

/// The chain is whole, and the events make the state. None when there is no state that could be read.
fn check_history(stored: &Stored, history: &[FeedItem], breaches: &mut Vec<Breach>) -> Option<Order> {
    let Ok(order) = serde_json::from_str::<Order>(&stored.state) else {
        breaches.push(Breach::new("state", "the state cannot be read"));
        return None;
    };
    let mut recorded = Vec::with_capacity(history.len());
    let mut before: Option<Link> = None;
    for item in history {
        let Ok(event) = serde_json::from_str::<Recorded>(&item.event) else {
            breaches.push(Breach::new("chain", format!("the event at {} cannot be read", item.position)));
            return Some(order);
        };
        // Before there was a chain, events named none before them.
        if event.after != before && (event.after.is_some() || order.chain.is_some() && before.is_some()) {
            let what = format!("the event at {} does not follow the one before it as it is stored", item.position);
            breaches.push(Breach::new("chain", what));
        }
        before = Some(Link::to(&item.event));
        recorded.push(event);
    }
    if order.chain.is_some() && order.chain != before {
        breaches.push(Breach::new("chain", "the last event is not the one that the state was stored with"));
    }
    match Order::replay(recorded.iter().map(|recorded| (&recorded.event, recorded.at))) {
        Ok(mut replayed) => {
            replayed.chain.clone_from(&order.chain);
            if replayed != order {
                breaches.push(Breach::new("replay", "the events do not make the state"));
            }
        }
        Err(why) => breaches.push(Breach::new("replay", format!("the events do not fit: {why}"))),
    }
    Some(order)
}

/// I7: no question number twice while the bank remembers it.
fn note_numbers(
    merchant: &Merchant,
    order: &str,
    history: &[FeedItem],
    numbers: &mut Numbers,
    breaches: &mut Vec<Breach>,
) {
    for recorded in history.iter().filter_map(|item| serde_json::from_str::<Recorded>(&item.event).ok()) {
        let Event::AttemptSent { sending, .. } = recorded.event else { continue };
        let at = sending.dated.unwrap_or(sending.at);
        let used = numbers.entry((merchant.account.site().to_owned(), sending.question.get())).or_default();
        if used.iter().any(|other| at.duration_since(*other).abs() < NUMBERS_REMEMBERED) {
            let what = format!("question {} was used twice within 48 hours, once by {order}", sending.question.get());
            breaches.push(Breach::new("I7", what));
        }
        used.push(at);
    }
}
