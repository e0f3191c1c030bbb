//! What two planted bugs do: sending a call again. Nothing else does.

use super::{App, Error, merchant::Merchant};
use crate::{
    domain::{
        attempt::{AttemptState, Sending},
        bank::MoneyCall,
        order::Order,
        purpose::AttemptId,
    },
    ports::Silence,
};

impl App {
    /// Sends a call that stayed without an answer again.
    pub(super) async fn insist(
        &self,
        merchant: &Merchant,
        order: &Order,
        of: AttemptId,
        sending: Sending,
    ) -> Result<(), Error> {
        let call = &order.attempt(of)?.call;
        let is_debit = matches!(call, MoneyCall::Debit { .. });
        let card = is_debit.then(|| self.kept_card(order)).transpose()?;
        let line = match self.ports.bank.connect(&merchant.id, order.only_host(of)).await {
            Ok(line) => line,
            Err(Silence(_)) => return Ok(()),
        };
        let not_after = self.ports.clock.since_boot().saturating_add(merchant.policy.send_within.unsigned_abs());
        line.send(&sending, call, card.as_ref(), not_after).await;
        Ok(())
    }

    /// The same, as if it were another call.
    pub(super) async fn insist_anew(&self, merchant: &Merchant, order: &Order, of: AttemptId) -> Result<(), Error> {
        let AttemptState::Sent(sending) = order.attempt(of)?.state else { return Ok(()) };
        let question = self.question_number(merchant).await?;
        self.insist(merchant, order, of, Sending { question, ..sending }).await
    }
}
