//! Handing out a page, and handing its form to payers.
//!
//! PAYBOX takes a reference once. A link is followed as often as people reload, go back, or try again after a refusal;
//! so its first follower gets the checkout itself, and each later one a checkout that takes its place.

use jiff::Timestamp;

use super::{Decision, Order, Refusal, Status};
use crate::domain::{
    attempt::Host,
    bank::ArchiveReference,
    checkout::{
        Billing, Challenge, Checkout, CheckoutStatus, Closed, Locale, MAX_FOLLOWS, NO_INSTALMENT, PlanCheckout,
    },
    event::Event,
    ids::{CheckoutNumber, Reference, SubscriberReference, TokenDigest},
    money::Money,
    plan::{CONSENT_VERSION, Consent, Plan, offer_hash},
    policy::{Policy, later},
    schedule::Instalment,
    template::Template,
};
use crate::planted::{self, Bug};

/// The most checkouts an order may have: nobody pays a bill at the two hundredth try.
pub const MAX_CHECKOUTS: usize = 200;

/// A page as a portal asks for it, with the secrets and random parts that the shell made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCheckout {
    pub token: TokenDigest,
    pub archive: ArchiveReference,
    pub prefix: String,
    pub billing: Billing,
    pub challenge: Challenge,
    pub locale: Locale,
    pub page_host: Host,
    pub return_url: String,
}

/// What a page is to bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way<'a> {
    /// What is owed next: the whole order, or of an active plan the oldest unpaid instalment.
    Next,
    /// This instalment of an active plan.
    Instalment(u32),
    /// All that is unpaid of an active plan, early.
    Rest,
    /// Another card for an active plan, with what is past due.
    ChangeCard,
    /// The first instalment of an approved plan, whose offer was accepted.
    Begin { template: &'a Template, offer: &'a str },
}

/// What a payer who follows a link may need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFollower {
    pub prefix: String,
    pub archive: ArchiveReference,
    pub page_host: Host,
}

impl Order {
    /// Hands out a page. It supersedes the one before: at most one is open.
    ///
    /// # Errors
    /// [`Refusal`] when nothing is left to pay, money is being confirmed or waits for a person, the instalment is being
    /// debited, the plan is not approved or its terms are others, or there were too many.
    pub fn issue_checkout(
        &self,
        new: NewCheckout,
        way: Way<'_>,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Refusal> {
        self.must_be_open()?;
        if self.is_confirming() {
            return Err(Refusal::ConfirmationInProgress);
        }
        if self.has_quarantine() {
            return Err(Refusal::Quarantined);
        }
        let number = self.next_checkout()?;
        let (instalment, amount, rest, begins) = match way {
            Way::Begin { template, offer } => {
                let begins = self.begin(template, offer, &new.prefix, number, now, policy)?;
                let first = begins.schedule.first().ok_or(Refusal::TermsChanged)?;
                (first.number, first.amount, Vec::new(), Some(Box::new(begins)))
            }
            Way::Rest => {
                let all = self.schedule.iter().filter(|due| due.is_owed()).map(|due| due.number).collect();
                let (first, rest, amount) = self.payable_at_once(all)?;
                (first.ok_or(Refusal::Settled)?, amount, rest, None)
            }
            Way::ChangeCard => {
                let (first, rest, past_due) = self.payable_at_once(self.past_due())?;
                let check = Money::new(policy.card_check, past_due.currency()).unwrap_or(past_due);
                let amount = if first.is_some() { past_due } else { check };
                let begins = self.change_of_card(&new.prefix, number, now)?;
                (first.unwrap_or(NO_INSTALMENT), amount, rest, Some(Box::new(begins)))
            }
            Way::Next | Way::Instalment(_) => {
                let due = self.payable(way)?;
                (due.number, due.amount, Vec::new(), None)
            }
        };
        let is_beginning = matches!(way, Way::Begin { .. });
        let (form_until, expires_at) = page_times(is_beginning, self.plan(), now, policy)?;
        let checkout = Checkout {
            number,
            link: number,
            token: new.token,
            reference: Reference::of_checkout(&new.prefix, self.id, instalment, number),
            archive: new.archive,
            instalment,
            amount,
            billing: new.billing,
            // The payment that sets up later debits is to be authenticated.
            challenge: if begins.is_some() { Challenge::Required } else { new.challenge },
            locale: new.locale,
            page_host: new.page_host,
            return_url: new.return_url,
            issued_at: now,
            form_until,
            expires_at,
            handed_over: false,
            closed: None,
            reports: Default::default(),
            asks: Checkout::owed_asks(now, expires_at, policy),
            silences: 0,
            prompts: 0,
            authorised: Default::default(),
            not_yet: 0,
            authorised_since: None,
            quarantine: Vec::new(),
            resolved: Default::default(),
            rest,
            begins,
        };
        self.replace_open(checkout, now)
    }

    /// The instalment that a page may be handed out for.
    fn payable(&self, way: Way<'_>) -> Result<&Instalment, Refusal> {
        let due = match way {
            Way::Instalment(number) => {
                let due = self.instalment(number).filter(|due| due.is_owed());
                due.ok_or(Refusal::NoSuchInstalment)?
            }
            Way::Next | Way::Rest | Way::ChangeCard | Way::Begin { .. } => {
                self.schedule.iter().find(|due| due.is_owed()).ok_or(Refusal::Settled)?
            }
        };
        if due.is_quarantined() {
            return Err(Refusal::Quarantined);
        }
        if due.is_being_debited() {
            return Err(Refusal::DebitInProgress);
        }
        Ok(due)
    }

    /// What one payment of these instalments of an active plan comes to: the first of them, the others, the sum.
    fn payable_at_once(&self, numbers: Vec<u32>) -> Result<(Option<u32>, Vec<u32>, Money), Refusal> {
        if self.plan().and_then(Plan::card).is_none() {
            return Err(Refusal::PlanNotActive);
        }
        let mut sum = Money::zero(self.totals.including_vat.currency());
        for number in &numbers {
            let due = self.payable(Way::Instalment(*number))?;
            sum = sum.plus(due.amount).map_err(|_| Refusal::NoSuchInstalment)?;
        }
        let mut numbers = numbers.into_iter();
        Ok((numbers.next(), numbers.collect(), sum))
    }

    /// What the payer of an active plan has to pay before another card serves it.
    fn past_due(&self) -> Vec<u32> {
        let failed = |due: &&Instalment| due.is_owed() && (due.arrears.is_some() || due.waits_after_refusal());
        self.schedule.iter().filter(failed).map(|due| due.number).collect()
    }

    /// What a page begins by which another card comes to serve an active plan.
    fn change_of_card(&self, prefix: &str, number: CheckoutNumber, now: Timestamp) -> Result<PlanCheckout, Refusal> {
        let plan = self.plan().filter(|plan| plan.card().is_some()).ok_or(Refusal::PlanNotActive)?;
        if self.schedule.iter().any(Instalment::is_being_debited) {
            return Err(Refusal::DebitInProgress);
        }
        let schedule: Vec<Instalment> = self.schedule.iter().filter(|due| due.is_owed()).cloned().collect();
        let offer = offer_hash(&plan.terms, &schedule);
        Ok(PlanCheckout {
            plan: plan.number,
            schedule,
            subscriber: SubscriberReference::of_checkout(prefix, self.id, number),
            consent: Consent { at: now, text_version: CONSENT_VERSION, offer },
            changes_card: true,
        })
    }

    /// What a page begins that the payer of an approved plan asks for.
    fn begin(
        &self,
        template: &Template,
        offer: &str,
        prefix: &str,
        number: CheckoutNumber,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<PlanCheckout, Refusal> {
        let plan = self.plan().filter(|plan| plan.is_approved()).ok_or(Refusal::PlanNotApproved)?;
        let offered = self.offer(template, now, policy)?;
        if offered.hash != offer {
            return Err(Refusal::TermsChanged);
        }
        Ok(PlanCheckout {
            plan: plan.number,
            schedule: offered.schedule,
            subscriber: SubscriberReference::of_checkout(prefix, self.id, number),
            consent: Consent { at: now, text_version: CONSENT_VERSION, offer: offered.hash },
            changes_card: false,
        })
    }

    /// The page that a link leads to now: the latest of those it has led to.
    pub fn page_of(&self, link: CheckoutNumber) -> Option<&Checkout> {
        self.checkouts.iter().rev().find(|checkout| checkout.link == link)
    }

    /// A payer follows a link: the form of [`Order::page_of`] is theirs, if it may still be paid. A page that was handed
    /// over before, or whose host is not the one in service now, gives its place to another.
    ///
    /// # Errors
    /// [`Refusal::Impossible`] when there is no such link.
    pub fn follow_link(
        &self,
        link: CheckoutNumber,
        new: &NewFollower,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Decision, Refusal> {
        let page = self.page_of(link).ok_or(super::Impossible("a link that leads nowhere"))?;
        if !self.may_be_followed(page, now) {
            return Ok(self.unchanged());
        }
        if !page.handed_over && page.reports.is_empty() && page.page_host == new.page_host {
            let mut decision = Decision::of(self);
            decision.push(Event::CheckoutHandedOver { checkout: page.number }, now)?;
            return Ok(decision);
        }
        let number = self.next_checkout()?;
        let checkout = Checkout {
            number,
            reference: Reference::of_checkout(&new.prefix, self.id, page.instalment, number),
            archive: new.archive.clone(),
            page_host: new.page_host,
            issued_at: now,
            handed_over: true,
            closed: None,
            reports: Default::default(),
            asks: Checkout::owed_asks(now, page.expires_at, policy),
            silences: 0,
            prompts: 0,
            authorised: Default::default(),
            not_yet: 0,
            authorised_since: None,
            quarantine: Vec::new(),
            resolved: Default::default(),
            // A card is registered under a name of its own, each time.
            begins: page.begins.clone().map(|begins| {
                let name = if planted::is(Bug::CardNameUsedAgain) { page.number } else { number };
                let subscriber = SubscriberReference::of_checkout(&new.prefix, self.id, name);
                Box::new(PlanCheckout { subscriber, ..*begins })
            }),
            ..page.clone()
        };
        self.replace_open(checkout, now)
    }

    /// Whether a payer may be given a form by the link of `page`.
    pub fn may_be_followed(&self, page: &Checkout, now: Timestamp) -> bool {
        let follows = self.checkouts.iter().filter(|checkout| checkout.link == page.link).count();
        let payable = match self.status_of_link(page) {
            CheckoutStatus::Issued | CheckoutStatus::Refused | CheckoutStatus::CardRefused => true,
            CheckoutStatus::Superseded
            | CheckoutStatus::Expired
            | CheckoutStatus::Withdrawn
            | CheckoutStatus::Confirming
            | CheckoutStatus::Quarantined
            | CheckoutStatus::Captured => false,
        };
        payable && now < page.form_until && follows <= MAX_FOLLOWS
    }

    /// How a link stands whose latest page is `page`: money on its way by any other page of the order counts too.
    pub fn status_of_link(&self, page: &Checkout) -> CheckoutStatus {
        let paid = page.begins.is_none()
            && page.pays().iter().all(|number| self.instalment(*number).is_some_and(|due| !due.is_owed()));
        if paid || matches!(self.status, Status::Settled { .. }) {
            CheckoutStatus::Captured
        } else if self.is_confirming() {
            CheckoutStatus::Confirming
        } else if self.has_quarantine() {
            CheckoutStatus::Quarantined
        } else {
            self.checkout_status(page)
        }
    }

    fn replace_open(&self, checkout: Checkout, now: Timestamp) -> Result<Decision, Refusal> {
        let mut decision = Decision::of(self);
        decision.close_open_checkouts(Closed::Superseded, now)?;
        decision.push(Event::CheckoutIssued(Box::new(checkout)), now)?;
        Ok(decision)
    }

    fn next_checkout(&self) -> Result<CheckoutNumber, Refusal> {
        if self.checkouts.len() >= MAX_CHECKOUTS {
            return Err(Refusal::TooManyCheckouts);
        }
        Ok(CheckoutNumber(u32::try_from(self.checkouts.len()).unwrap_or(u32::MAX).saturating_add(1)))
    }
}

/// Until when a form may be handed over, and when its page is over. The page counts its own time from when the form
/// reached it, which may be the form's last moment; a page that begins a plan ends within the month that its dates
/// follow from.
fn page_times(
    begins: bool,
    plan: Option<&Plan>,
    now: Timestamp,
    policy: &Policy,
) -> Result<(Timestamp, Timestamp), Refusal> {
    let form_until = later(now, policy.form_lifetime);
    let expires_at = later(form_until, policy.page_lifetime);
    let month_ends = policy.end_of_month(plan.map(|plan| plan.time_zone.as_str()), now);
    if !begins || expires_at <= month_ends {
        return Ok((form_until, expires_at));
    }
    let form_until = later(month_ends, -policy.page_lifetime);
    if form_until <= now { Err(Refusal::MonthEnds) } else { Ok((form_until, month_ends)) }
}
