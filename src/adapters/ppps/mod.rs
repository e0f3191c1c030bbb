//! The bank over PPPS, PAYBOX's server-to-server interface.
//!
//! A byte sent twice is a double debit, so there is nothing here that could send twice: no pool, no retry, no redirect, one
//! connection per question, consumed by asking it. Every wait has a deadline, and whatever is not a whole, echoed answer
//! is silence (of an enquiry) or doubt (of a call that moves money).

mod contract;
mod endpoint;
mod gate;
mod line;
mod load;
mod tls;
mod translate;
mod wire;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;

pub use self::{
    contract::Contract,
    endpoint::{Endpoint, EndpointError},
    load::is_in_service,
    tls::{TlsError, tls_config},
};
use self::{
    line::PppsLine,
    wire::{Connection, Fault},
};
use crate::{
    domain::{
        attempt::Host,
        bank::{Finding, Question},
        ids::{MerchantId, SubscriberReference},
        numbers::QuestionNumber,
    },
    paybox::{
        direct::{self, CardDetails},
        direct_answer::DirectAnswer,
    },
    ports::{Bank, Clock, Forgotten, Line, Silence},
};

/// How long each wait may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Name, TCP and TLS together.
    pub connect: Duration,
    /// `load.html`, from the request to its last byte.
    pub load: Duration,
    /// An answer, from the question's first byte to the answer's last. PAYBOX asks for thirty seconds at least.
    pub answer: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), load: Duration::from_secs(10), answer: Duration::from_secs(60) }
    }
}

/// The merchants' contracts, and how to reach PAYBOX for each.
pub struct PppsBank {
    contracts: BTreeMap<MerchantId, Arc<Contract>>,
    deadlines: Deadlines,
    clock: Arc<dyn Clock>,
}

impl PppsBank {
    pub fn new(contracts: Vec<Contract>, deadlines: Deadlines, clock: Arc<dyn Clock>) -> Self {
        let contracts = contracts.into_iter().map(|contract| (contract.merchant.clone(), Arc::new(contract))).collect();
        Self { contracts, deadlines, clock }
    }

    fn contract(&self, merchant: &MerchantId) -> Result<&Arc<Contract>, Silence> {
        self.contracts.get(merchant).ok_or_else(|| Silence(format!("merchant {merchant} has no contract")))
    }

    /// The answer to an enquiry, echo checked.
    async fn answer(
        &self,
        contract: &Contract,
        host: Host,
        number: QuestionNumber,
        (question, details): (direct::Operation, CardDetails),
    ) -> Result<DirectAnswer, Silence> {
        let silence = |why: &dyn std::fmt::Display| Silence(format!("{}: {why}", host_name(host)));
        let endpoint = contract.endpoint(host);
        let prepared =
            contract.prepare(host, number, question, details, self.clock.wall()).map_err(|error| silence(&error))?;
        let body = async {
            let connection = Connection::open(endpoint, &contract.tls, &self.clock, self.deadlines.connect).await?;
            connection.exchange(prepared.request, self.deadlines.answer).await
        };
        let body = body.await.map_err(|fault| silence(&fault))?;
        DirectAnswer::parse(&body, &prepared.expected).map_err(|error| silence(&error))
    }

    /// The same, and a line in the log.
    async fn ask_logged(
        &self,
        merchant: &MerchantId,
        host: Host,
        number: QuestionNumber,
        (question, details): (direct::Operation, CardDetails),
    ) -> Result<DirectAnswer, Silence> {
        let contract = self.contract(merchant)?;
        let started = self.clock.since_boot();
        let kind = question.wire_type();
        let answer = self.answer(contract, host, number, (question, details)).await;
        let (host, number) = (host_name(host), number.get());
        let ms = self.clock.since_boot().saturating_sub(started).as_millis();
        match &answer {
            Ok(answer) => {
                tracing::debug!(%merchant, host, kind, number, code = answer.code().as_str(), ms, "the bank was asked");
            }
            Err(Silence(why)) => {
                tracing::info!(%merchant, host, kind, number, why, ms, "the bank was asked and did not answer");
            }
        }
        answer
    }

    /// A connection to a host in service. The probe has a connection of its own: one that already carried an exchange may
    /// be closed by the other side at any moment, and a call that meets such a close is in doubt.
    async fn line(&self, contract: &Arc<Contract>, host: Host) -> Result<PppsLine, Fault> {
        let endpoint = contract.endpoint(host);
        let probe = Connection::open(endpoint, &contract.tls, &self.clock, self.deadlines.connect).await?;
        let page = probe.exchange(endpoint.load_request(), self.deadlines.load).await?;
        if !is_in_service(&page) {
            return Err(Fault::OutOfService);
        }
        let connection = Connection::open(endpoint, &contract.tls, &self.clock, self.deadlines.connect).await?;
        Ok(PppsLine {
            contract: Arc::clone(contract),
            host,
            connection,
            clock: Arc::clone(&self.clock),
            answer_within: self.deadlines.answer,
        })
    }
}

#[async_trait]
impl Bank for PppsBank {
    async fn ask(
        &self,
        merchant: &MerchantId,
        host: Host,
        number: QuestionNumber,
        question: &Question,
    ) -> Result<Finding, Silence> {
        let answer = self
            .ask_logged(merchant, host, number, (translate::enquiry(question), translate::card_details(question)))
            .await?;
        Ok(translate::finding(question, &answer))
    }

    async fn forget(
        &self,
        merchant: &MerchantId,
        host: Host,
        number: QuestionNumber,
        subscriber: &SubscriberReference,
    ) -> Result<Forgotten, Silence> {
        let answer =
            self.ask_logged(merchant, host, number, (translate::deletion(subscriber), CardDetails::NotAsked)).await?;
        Ok(translate::forgotten(&answer))
    }

    async fn connect(&self, merchant: &MerchantId, only: Option<Host>) -> Result<Box<dyn Line>, Silence> {
        let contract = self.contract(merchant)?;
        let mut reasons = Vec::new();
        let hosts = only.map_or_else(|| vec![Host::Main, Host::Backup], |host| vec![host]);
        for host in hosts {
            match self.line(contract, host).await {
                Ok(line) => return Ok(Box::new(line)),
                Err(fault) => {
                    let host = host_name(host);
                    tracing::info!(%merchant, host, why = %fault, "a host of the bank cannot be used");
                    reasons.push(format!("{host}: {fault}"));
                }
            }
        }
        Err(Silence(reasons.join("; ")))
    }
}

/// As logs and records write it.
fn host_name(host: Host) -> &'static str {
    match host {
        Host::Main => "main",
        Host::Backup => "backup",
    }
}
