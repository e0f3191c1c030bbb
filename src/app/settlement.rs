//! Whether captures have reached the merchant's account.

use super::{App, Error, commit::Extras, merchant::Merchant};
use crate::{
    domain::{
        actor::Actor,
        attempt::Host,
        bank::{Finding, Operation, Question},
        ids::OrderId,
        order::Remitted,
    },
    ports::Silence,
};

impl App {
    /// Asks the bank about one capture and books what it says.
    pub(super) async fn look_settled(
        &self,
        merchant: &Merchant,
        id: OrderId,
        operation: Operation,
    ) -> Result<(), Error> {
        let remitted = match self.question(merchant, Host::Main, &Question::Remittance { operation }).await? {
            Ok(Finding::Remitted(seen, status, remittance)) if seen == operation => {
                Remitted::Status { status, remittance }
            }
            Ok(Finding::Unclear(why)) | Err(Silence(why)) => Remitted::Silence(why),
            Ok(Finding::Remitted(..) | Finding::Status(..) | Finding::Nothing | Finding::Found(_)) => {
                Remitted::Silence("the bank does not know what it has captured".to_owned())
            }
        };
        self.change(&merchant.id, id, &Actor::Gateway, |current, now| {
            let decision = current.order.settlement_asked(&operation.number, &remitted, now, &merchant.policy)?;
            Ok((decision, Extras::default()))
        })
        .await?;
        Ok(())
    }
}
