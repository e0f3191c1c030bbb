//! Handing out a page.

use jiff::Timestamp;

use super::{Decision, Order, Refusal};
use crate::domain::{
    bank::ArchiveReference,
    checkout::{Billing, Challenge, Checkout, Closed, Locale},
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
    pub return_url: String,
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
        if self.checkouts.len() >= MAX_CHECKOUTS {
            return Err(Refusal::TooManyCheckouts);
        }
        let instalment = self.schedule.iter().find(|instalment| !instalment.paid).ok_or(Refusal::Settled)?;
        let number = CheckoutNumber(u32::try_from(self.checkouts.len()).unwrap_or(u32::MAX).saturating_add(1));
        let form_until = later(now, policy.form_lifetime);
        // The page counts its own time from when the form reached it, which may be the form's last moment.
        let expires_at = later(form_until, policy.page_lifetime);
        let checkout = Checkout {
            number,
            token: new.token,
            reference: Reference::of_checkout(&new.prefix, self.id, instalment.number, number),
            archive: new.archive,
            instalment: instalment.number,
            amount: instalment.amount,
            billing: new.billing,
            challenge: new.challenge,
            locale: new.locale,
            return_url: new.return_url,
            issued_at: now,
            form_until,
            expires_at,
            closed: None,
            reports: Default::default(),
            asks: Checkout::owed_asks(now, expires_at, policy),
            silences: 0,
            prompts: 0,
            authorised: Default::default(),
            not_yet: 0,
            quarantine: Vec::new(),
        };
        let mut decision = Decision::of(self);
        decision.close_open_checkouts(Closed::Superseded, now)?;
        decision.push(Event::CheckoutIssued(Box::new(checkout)), now)?;
        Ok(decision)
    }
}
