//! A connection that carries one call, and what its answer settles.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{contract::Contract, host_name, translate, wire::Connection};
use crate::{
    domain::{
        attempt::{Host, Sending},
        bank::{MoneyCall, Ruling},
    },
    paybox::{direct::CardDetails, direct_answer::DirectAnswer},
    ports::{Clock, KeptCard, Line},
};

pub(super) struct PppsLine {
    pub(super) contract: Arc<Contract>,
    pub(super) host: Host,
    pub(super) connection: Connection,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) answer_within: Duration,
}

impl PppsLine {
    /// The answer, echo checked; `Err` says why there is none.
    async fn answer(
        self,
        sending: &Sending,
        call: &MoneyCall,
        card: Option<&KeptCard>,
        not_after: Duration,
    ) -> Result<DirectAnswer, String> {
        let operation = translate::call(call, card).ok_or("nothing was sent: a debit without its card")?;
        // As it was written down; a record from before dates were kept has its own time.
        let dated = sending.dated.unwrap_or(sending.at);
        let prepared = self
            .contract
            .prepare(self.host, sending.question, operation, CardDetails::NotAsked, dated)
            .map_err(|error| format!("nothing was sent: {error}"))?;
        let gate = self.connection.gate();
        if !gate.close_after(not_after) {
            return Err("nothing was sent: the time to send had passed".to_owned());
        }
        let body = self.connection.exchange(prepared.request, self.answer_within).await.map_err(|fault| {
            if gate.has_passed() { fault.to_string() } else { format!("nothing was sent: {fault}") }
        })?;
        DirectAnswer::parse(&body, &prepared.expected).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Line for PppsLine {
    fn host(&self) -> Host {
        self.host
    }

    async fn send(
        self: Box<Self>,
        sending: &Sending,
        call: &MoneyCall,
        card: Option<&KeptCard>,
        not_after: Duration,
    ) -> Ruling {
        let (clock, merchant, host) = (Arc::clone(&self.clock), self.contract.merchant.clone(), host_name(self.host));
        let (kind, reference) = (translate::wire_type(call), call.names().0);
        let started = clock.since_boot();
        let answer = self.answer(sending, call, card, not_after).await;
        let ms = clock.since_boot().saturating_sub(started).as_millis();
        let number = sending.question.get();
        match answer {
            Ok(answer) => {
                let code = answer.code();
                tracing::info!(%merchant, host, kind, number, %reference, code = code.as_str(), ms, "a call was answered");
                translate::ruling(call, &answer)
            }
            Err(why) => {
                tracing::info!(%merchant, host, kind, number, %reference, why, ms, "a call was not answered");
                Ruling::Doubt { why }
            }
        }
    }
}
