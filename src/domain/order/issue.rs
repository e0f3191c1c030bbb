//! Handing out a page, and handing its form to payers.
//!
//! PAYBOX takes a reference once. A link is followed as often as people reload, go back, or try again after a refusal;
//! so its first follower gets the checkout itself, and each later one a checkout that takes its place.

use jiff::Timestamp;

use super::{Decision, Order, Refusal, Status};
use crate::domain::{
    attempt::Host,
    bank::ArchiveReference,
    checkout::{Billing, Challenge, Checkout, CheckoutStatus, Closed, Locale, MAX_FOLLOWS},
    event::Event,
    ids::{CheckoutNumber, Reference, TokenDigest},
    policy::{Policy, later},
};

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

/// What a payer who follows a link may need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFollower {
    pub prefix: String,
    pub archive: ArchiveReference,
    pub page_host: Host,
}

impl Order {
    /// Hands out a page for the instalment that is due online. It supersedes the one before: at most one is open.
    ///
    /// # Errors
    /// [`Refusal`] when nothing is left to pay, money is being confirmed or waits for a person, or there were too many.
    pub fn issue_checkout(&self, new: NewCheckout, now: Timestamp, policy: &Policy) -> Result<Decision, Refusal> {
        self.must_be_open()?;
        if self.is_confirming() {
            return Err(Refusal::ConfirmationInProgress);
        }
        if self.has_quarantine() {
            return Err(Refusal::Quarantined);
        }
        let instalment = self.schedule.iter().find(|instalment| !instalment.paid).ok_or(Refusal::Settled)?;
        let number = self.next_checkout()?;
        let form_until = later(now, policy.form_lifetime);
        // The page counts its own time from when the form reached it, which may be the form's last moment.
        let expires_at = later(form_until, policy.page_lifetime);
        let checkout = Checkout {
            number,
            link: number,
            token: new.token,
            reference: Reference::of_checkout(&new.prefix, self.id, instalment.number, number),
            archive: new.archive,
            instalment: instalment.number,
            amount: instalment.amount,
            billing: new.billing,
            challenge: new.challenge,
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
            quarantine: Vec::new(),
        };
        self.replace_open(checkout, now)
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
            quarantine: Vec::new(),
            ..page.clone()
        };
        self.replace_open(checkout, now)
    }

    /// Whether a payer may be given a form by the link of `page`.
    pub fn may_be_followed(&self, page: &Checkout, now: Timestamp) -> bool {
        let follows = self.checkouts.iter().filter(|checkout| checkout.link == page.link).count();
        let payable = match self.status_of_link(page) {
            CheckoutStatus::Issued | CheckoutStatus::Refused => true,
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
        if matches!(self.status, Status::Settled { .. }) {
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
