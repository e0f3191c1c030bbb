//! What some planted bugs do. Nothing else sends a call again, or books what was not looked for under our own reference.

use super::{App, Error, merchant::Merchant};
use crate::{
    domain::{
        attempt::{AttemptState, Host, Sending},
        bank::{Finding, MoneyCall, Question},
        order::{Heard, Order},
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

    /// Looks at what was reported for a page, and at nothing else.
    pub(super) async fn look_only(
        &self,
        merchant: &Merchant,
        order: &Order,
        host: Host,
        mut heard: Heard,
    ) -> Result<Heard, Error> {
        for operation in order.believed(heard.checkout) {
            let found = self.question(merchant, host, &Question::Look { operation }).await?;
            if let Ok(Finding::Status(seen, status)) = found {
                heard.seen.push((seen, status));
            }
        }
        Ok(heard)
    }
}
