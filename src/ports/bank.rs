//! What is asked of the bank.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::{
    attempt::{Host, Sending},
    bank::{Finding, MoneyCall, Question, Ruling},
    card::CardEnd,
    ids::{MerchantId, SubscriberReference},
    numbers::QuestionNumber,
};

/// PAYBOX's server-to-server side, in our words. One method call is one question on the wire; nothing is ever repeated
/// or redirected below this port.
#[async_trait]
pub trait Bank: Send + Sync {
    /// Asks a question that moves no money.
    ///
    /// # Errors
    /// [`Silence`] when no usable answer came within the deadline.
    async fn ask(
        &self,
        merchant: &MerchantId,
        host: Host,
        number: QuestionNumber,
        question: &Question,
    ) -> Result<Finding, Silence>;

    /// Connects to a host that says it is in service, TLS included, and sends nothing that could move money: to `only`
    /// where one is named, to the main one or else the backup where none is.
    ///
    /// # Errors
    /// [`Silence`] when no such host can be reached or is in service.
    async fn connect(&self, merchant: &MerchantId, only: Option<Host>) -> Result<Box<dyn Line>, Silence>;

    /// Has the bank forget a card that it keeps. Moves no money, so it may be asked for again.
    ///
    /// # Errors
    /// [`Silence`] when no usable answer came within the deadline.
    async fn forget(
        &self,
        merchant: &MerchantId,
        host: Host,
        number: QuestionNumber,
        subscriber: &SubscriberReference,
    ) -> Result<Forgotten, Silence>;
}

/// The answer to [`Bank::forget`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// It keeps the card no more, now or since earlier.
    Gone,
    /// The bank answered something else; its code.
    Unclear(String),
}

/// A card that the bank keeps: what a debit needs beside its call. Never stored or printed in clear.
#[derive(Clone)]
pub struct KeptCard {
    pub token: SecretString,
    pub end: CardEnd,
}

/// Which host of the payment page is in service, as last seen. Never waits: a payer does.
pub trait PageHosts: Send + Sync {
    fn in_service(&self, merchant: &MerchantId) -> Host;
}

/// A connection that is ready for exactly one call.
#[async_trait]
pub trait Line: Send {
    fn host(&self) -> Host;
    /// Sends the call, numbered and dated as `sending` says, unless `not_after` (of [`Clock::since_boot`](super::Clock::since_boot)) has passed when
    /// its first byte would leave. A debit needs its card. Everything but a clear answer is [`Ruling::Doubt`].
    async fn send(
        self: Box<Self>,
        sending: &Sending,
        call: &MoneyCall,
        card: Option<&KeptCard>,
        not_after: Duration,
    ) -> Ruling;
}

/// No usable answer; `0` says why, for the log and the record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bank did not answer: {0}")]
pub struct Silence(pub String);
