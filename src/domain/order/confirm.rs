//! What is heard about a page, and what the bank's own answers make of it.
//!
//! A notification only ever adds a fact and a reason to ask. Money is booked from answers to questions that we asked
//! under our own credentials, about our own reference and amount.

use jiff::Timestamp;

use super::{Decision, Impossible, Order, Refusal, Status};
use crate::domain::{
    bank::{Operation, OperationStatus},
    checkout::{Checkout, Closed, MAX_PROMPTS, MAX_REPORTS, MAX_VARIANTS, PlanCheckout, Says},
    event::{AskAnswer, Event},
    ids::CheckoutNumber,
    ledger::{Entry, EntryKind},
    numbers::OperationNumber,
    policy::{Policy, later, rung},
    subscriber::{HeardCard, Subscriber, SubscriberState},
};
use crate::planted::{self, Bug};

/// All that one round of questions about a checkout brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub checkout: CheckoutNumber,
    /// When the first question left: news that came later is not answered by it.
    pub asked_at: Timestamp,
    /// What has become of the operation found under our reference, and of those reported under the same call.
    pub seen: Vec<(Operation, OperationStatus)>,
    /// Operations that were reported under other calls, that the bank shows as captured or authorised, and that nobody
    /// has booked.
    pub strays: Vec<Operation>,
    /// The kind of the card that paid, where it begins a plan and the bank tells.
    pub card_type: Option<String>,
    /// What became of a reported operation could not be told.
    pub unclear: bool,
    /// Why a question stayed without a usable answer, when one did.
    pub silence: Option<String>,
}

/// A verified notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// What makes two of them the same: operation, call, code.
    pub identity: String,
    /// SHA-256 of its bytes.
    pub digest: String,
    /// Fingerprint of the key that it was signed with.
    pub key: String,
    pub says: Says,
    /// What it tells of the card, when its payment begins a plan.
    pub card: Option<HeardCard>,
}

/// How a notification was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    New,
    /// The same bytes again.
    Double,
    /// The same identity in other bytes: both are kept.
    Variant,
    /// More than an honest page can send: not kept with the order.
    TooMany,
}

impl Order {
    /// Keeps a verified notification.
    ///
    /// # Errors
    /// [`Refusal::Impossible`] when the checkout is not this order's.
    pub fn report(
        &self,
        number: CheckoutNumber,
        news: News,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<(Decision, Taken), Refusal> {
        let News { identity, digest, key, says, card } = news;
        let checkout = self.checkout(number).ok_or(Impossible("a report for a checkout that does not exist"))?;
        let taken = match checkout.reports.get(&identity) {
            Some(known) if known.digests.contains(&digest) => Taken::Double,
            Some(known) if known.digests.len() >= MAX_VARIANTS => Taken::TooMany,
            None if checkout.reports.len() >= MAX_REPORTS => Taken::TooMany,
            Some(_) => Taken::Variant,
            None => Taken::New,
        };
        let asks = match &says {
            // The last of these is when an unconfirmed report stops holding the order.
            Says::Paid { .. } | Says::Pending => {
                let hold_ends = later(now, policy.hold_for_report);
                Checkout::asks_after_news(now, policy).into_iter().chain(std::iter::once(hold_ends)).collect()
            }
            Says::Failed { .. } => Vec::new(),
        };
        let decision = match taken {
            Taken::Double => Decision::of(self),
            // What cannot be kept is still a reason to ask.
            Taken::TooMany => {
                let mut decision = Decision::of(self);
                decision.prompt(number, asks, now)?;
                decision
            }
            Taken::New | Taken::Variant => {
                let mut decision = Decision::of(self);
                let card = card.map(|card| Box::new(self.useful(checkout, card)));
                decision.push(Event::Reported { checkout: number, identity, digest, key, says, card, asks }, now)?;
                decision
            }
        };
        Ok((decision, taken))
    }

    /// The token of a card that the bank does not keep any more debits nothing, and is not kept either.
    fn useful(&self, page: &Checkout, card: HeardCard) -> HeardCard {
        let is_gone = |known: &Subscriber| {
            matches!(known.state, SubscriberState::Gone { .. })
                && page.begins.as_deref().is_some_and(|begins| begins.subscriber == known.reference)
        };
        if self.subscribers.iter().any(is_gone) { HeardCard { sealed_token: None, ..card } } else { card }
    }

    /// The payer is back: the bank is asked about every page that the link led to. Nothing that the browser brought is
    /// believed or kept.
    ///
    /// # Errors
    /// [`Refusal::Impossible`] when there is no such link.
    pub fn payer_returned(&self, link: CheckoutNumber, now: Timestamp, policy: &Policy) -> Result<Decision, Refusal> {
        let asks: Vec<Timestamp> = Checkout::asks_after_news(now, policy).into_iter().collect();
        let mut decision = Decision::of(self);
        for page in self.checkouts.iter().filter(|checkout| checkout.link == link) {
            decision.prompt(page.number, asks.clone(), now)?;
        }
        Ok(decision)
    }

    /// A person has reason to think that a page was paid: the bank is asked about it.
    ///
    /// # Errors
    /// [`Impossible`] when there is no such page.
    pub fn ask_about(&self, page: CheckoutNumber, now: Timestamp, policy: &Policy) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        decision.prompt(page, Checkout::asks_after_news(now, policy).into_iter().collect(), now)?;
        Ok(decision)
    }

    /// Operations that were reported for a checkout and that nothing has settled, other than the one `found` under our
    /// reference. Those of its call are ours; those of other calls are another's money, a forgery, or a second payment
    /// of the same page.
    pub fn reported(&self, number: CheckoutNumber, found: &Operation) -> Vec<Operation> {
        let reports = self.checkout(number).into_iter().flat_map(|checkout| checkout.reports.values());
        reports
            .filter_map(|report| match &report.says {
                Says::Paid { operation, .. } => Some(*operation),
                Says::Failed { .. } | Says::Pending => None,
            })
            .filter(|operation| operation.number != found.number && !self.has_seen_to(number, &operation.number))
            .collect()
    }

    /// Books what the bank answered about a checkout.
    ///
    /// # Errors
    /// [`Impossible`] when it does not fit the order: a defect.
    pub fn hear(&self, heard: &Heard, now: Timestamp, policy: &Policy) -> Result<Decision, Impossible> {
        let checkout = self.checkout(heard.checkout).ok_or(Impossible("an answer about an unknown checkout"))?;
        let mut decision = Decision::of(self);
        let unseen = |number: &&OperationNumber| heard.seen.iter().all(|(seen, _)| seen.number != **number);
        let held = checkout.authorised.iter().filter(|number| !self.has_seen_to(heard.checkout, number));
        let mut authorised: Vec<OperationNumber> = held.filter(unseen).copied().collect();
        for (operation, status) in &heard.seen {
            if decision.order.has_seen_to(heard.checkout, &operation.number) {
                continue;
            }
            match status {
                // What begins a plan is only held: its card is judged before anything is captured.
                OperationStatus::Captured | OperationStatus::Authorised if checkout.begins.is_some() => {
                    decision.hold(heard.checkout, *operation, heard.card_type.clone(), now)?;
                }
                OperationStatus::Captured => decision.capture(heard.checkout, operation, now)?,
                OperationStatus::Authorised if policy.authorised_counts => {
                    decision.capture(heard.checkout, operation, now)?;
                }
                OperationStatus::Authorised => authorised.push(operation.number),
                OperationStatus::Cancelled | OperationStatus::Refused => {}
                OperationStatus::Refunded
                | OperationStatus::Credited
                | OperationStatus::Rejected
                | OperationStatus::Other(_) => {
                    let why = format!("the bank shows this operation as {status:?}, which no page of ours leads to");
                    decision
                        .push(Event::Quarantined { checkout: heard.checkout, operation: operation.number, why }, now)?;
                }
            }
        }
        // Whether the bank still shows it so, or shows it no more.
        let is_overdue = checkout.authorised_since.is_some_and(|since| now >= later(since, policy.capture_awaited));
        if is_overdue && heard.silence.is_none() && !planted::is(Bug::CaptureAwaitedForEver) {
            for operation in std::mem::take(&mut authorised) {
                let why = "it was authorised, and not captured in time".to_owned();
                decision.push(Event::Quarantined { checkout: heard.checkout, operation, why }, now)?;
            }
        }
        for stray in heard.strays.iter().filter(|stray| !self.has_seen_to(heard.checkout, &stray.number)) {
            let why = "its money was taken or is held, it was reported for this page, and the bank finds another under its reference".to_owned();
            decision.push(Event::Quarantined { checkout: heard.checkout, operation: stray.number, why }, now)?;
        }
        decision.doubt_old_reports(heard, now, policy)?;
        let answer = match &heard.silence {
            Some(why) => AskAnswer::Silence { why: why.clone() },
            None if heard.seen.is_empty() => AskAnswer::Nothing,
            None => AskAnswer::Operations { seen: heard.seen.iter().map(|(operation, _)| *operation).collect() },
        };
        // Something is still open when the bank was silent or has not captured yet; a later ask is owed then.
        let times = match (&heard.silence, authorised.is_empty()) {
            (Some(_), _) => Some(checkout.silences),
            (None, false) => Some(checkout.not_yet),
            (None, true) => None,
        };
        let again = times
            .and_then(|times| rung(&policy.ask_after_silence, usize::try_from(times).unwrap_or(usize::MAX)))
            .map(|delay| later(now, delay))
            // One that is owed before will see to the next.
            .filter(|again| !checkout.asks.iter().any(|ask| heard.asked_at < *ask && ask <= again));
        if heard.unclear {
            // Whatever it is, it holds nothing up; and strangers who have it reported do not have it asked for ever.
            decision.prompt(heard.checkout, vec![later(now, policy.hold_for_report)], now)?;
        }
        let is_held = decision.order.holds.iter().any(|hold| hold.checkout == heard.checkout);
        let is_let_go = |(_, status): &(Operation, OperationStatus)| *status == OperationStatus::Cancelled;
        let knows_card =
            |begins: &PlanCheckout| decision.order.subscribers.iter().any(|known| known.reference == begins.subscriber);
        let is_new = checkout.begins.as_deref().is_some_and(|begins| !knows_card(begins));
        let let_go = is_new && !is_held && !heard.seen.is_empty() && heard.seen.iter().all(is_let_go);
        let let_go = let_go && !planted::is(Bug::LetGoCardKept);
        decision.push(
            Event::Asked { checkout: heard.checkout, asked_at: heard.asked_at, answer, authorised, again, let_go },
            now,
        )?;
        Ok(decision)
    }

    /// Whether what was heard may be money that nobody has dealt with. A try that the bank refused is none, however
    /// often it is found.
    pub fn is_news_of_money(&self, heard: &Heard) -> bool {
        let is_news = |(operation, status): &(Operation, OperationStatus)| {
            !self.has_seen_to(heard.checkout, &operation.number)
                && !matches!(status, OperationStatus::Cancelled | OperationStatus::Refused)
        };
        !heard.strays.is_empty() || heard.seen.iter().any(is_news)
    }

    /// Puts an operation before a person, because another order already has it.
    ///
    /// # Errors
    /// [`Impossible`] when the checkout is not this order's.
    pub fn quarantine(
        &self,
        checkout: CheckoutNumber,
        operation: &Operation,
        why: &str,
        now: Timestamp,
    ) -> Result<Decision, Impossible> {
        let mut decision = Decision::of(self);
        if !self.has_seen_to(checkout, &operation.number) {
            let (operation, why) = (operation.number, why.to_owned());
            decision.push(Event::Quarantined { checkout, operation, why }, now)?;
        }
        Ok(decision)
    }

    /// The operations that verified notifications report and nothing has settled yet.
    pub fn believed(&self, number: CheckoutNumber) -> Vec<Operation> {
        self.checkout(number)
            .into_iter()
            .flat_map(|checkout| {
                checkout
                    .pending_operations(&|operation| self.has_seen_to(number, operation))
                    .map(|(_, operation)| *operation)
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

impl Decision {
    /// Has the bank asked, for a reason that leaves nothing else behind; only so often.
    fn prompt(&mut self, number: CheckoutNumber, asks: Vec<Timestamp>, now: Timestamp) -> Result<(), Impossible> {
        let checkout = self.order.checkout(number).ok_or(Impossible("asking about a checkout that does not exist"))?;
        if checkout.prompts < MAX_PROMPTS && !asks.is_empty() {
            self.push(Event::Prompted { checkout: number, asks }, now)?;
        }
        Ok(())
    }

    /// What people found to be captured for a page: held when it begins a plan, booked otherwise.
    pub(super) fn book_found(
        &mut self,
        number: CheckoutNumber,
        operation: &Operation,
        now: Timestamp,
    ) -> Result<(), Impossible> {
        match self.order.begins(number) {
            Ok(_) => self.hold(number, *operation, None, now),
            Err(_) => self.capture(number, operation, now),
        }
    }

    /// One capture, confirmed: it pays its instalment when that is still owed, and is surplus otherwise.
    fn capture(&mut self, number: CheckoutNumber, operation: &Operation, now: Timestamp) -> Result<(), Impossible> {
        let checkout = self.order.checkout(number).ok_or(Impossible("a capture of an unknown checkout"))?;
        let (amount, instalment) = (checkout.amount, checkout.instalment);
        let rest = checkout.rest.clone();
        let is_owed = self.order.status == Status::Open && self.order.pays_what_is_owed(number);
        let kind = if is_owed {
            EntryKind::Capture { checkout: number, instalment, rest }
        } else {
            EntryKind::Surplus { checkout: Some(number) }
        };
        self.push(Event::Captured { entry: Entry { at: now, operation: *operation, amount, kind } }, now)?;
        if is_owed {
            self.close_open_checkouts(Closed::Paid, now)?;
            self.settle_if_paid(now)?;
        }
        Ok(())
    }

    /// A report of success that the bank contradicts, or has not confirmed for too long, no longer holds the order. The
    /// latter may be of money that the bank finds late: it is asked about as after an expiry.
    fn doubt_old_reports(&mut self, heard: &Heard, now: Timestamp, policy: &Policy) -> Result<(), Impossible> {
        let order = self.order.clone();
        let Some(checkout) = order.checkout(heard.checkout) else {
            return Ok(());
        };
        for (report, operation) in checkout.pending_operations(&|number| order.has_seen_to(heard.checkout, number)) {
            let status = heard.seen.iter().find(|(seen, _)| seen.number == operation.number).map(|(_, status)| status);
            if status == Some(&OperationStatus::Authorised) {
                continue;
            }
            let contradicted = matches!(status, Some(OperationStatus::Cancelled | OperationStatus::Refused));
            let too_old = heard.silence.is_none() && now >= later(report.received_at, policy.hold_for_report);
            if contradicted || too_old {
                let later_on = policy.ask_after_expiry.iter().map(|delay| later(report.received_at, *delay));
                let is_asked = !contradicted && !planted::is(Bug::DoubtedNotAskedAgain);
                let asks = later_on.filter(|ask| is_asked && *ask > now).collect();
                let operation = operation.number;
                self.push(Event::ReportDoubted { checkout: heard.checkout, operation, asks }, now)?;
            }
        }
        Ok(())
    }
}
