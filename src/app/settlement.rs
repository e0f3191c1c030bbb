//! Whether captures have reached the merchant's account.

use super::{
    App, Error,
    access::Caller,
    commit::{Extras, Versioned},
    merchant::Merchant,
    orders::OrderFilter,
};
use crate::{
    domain::{
        actor::Actor,
        attempt::Host,
        bank::{Finding, Inspection, Operation, Question},
        ids::{MerchantId, OrderId},
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
        let remitted = match self.question(merchant, Host::Main, &Question::Inspect { operation }).await? {
            Ok(Finding::Inspected(Inspection { operation: seen, status, remittance, .. })) if seen == operation => {
                Remitted::Status { status, remittance }
            }
            Ok(Finding::Unclear(why)) | Err(Silence(why)) => Remitted::Silence(why),
            Ok(Finding::Inspected(_) | Finding::Status(..) | Finding::Nothing | Finding::Found(_)) => {
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

    /// Orders of a merchant with captures that have not reached its account.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a merchant that is not the caller's, [`Error::Unavailable`].
    pub async fn unsettled(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<Versioned>, Error> {
        let filter = OrderFilter { after, limit, ..OrderFilter::default() };
        self.labelled_orders(caller, merchant, &[("unsettled", "yes".to_owned())], &filter).await
    }

    /// Orders of a merchant of which something was collected in this remittance.
    ///
    /// # Errors
    /// As [`App::unsettled`].
    pub async fn remitted(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        remittance: u64,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<Versioned>, Error> {
        let filter = OrderFilter { after, limit, ..OrderFilter::default() };
        self.labelled_orders(caller, merchant, &[("remittance", remittance.to_string())], &filter).await
    }
}
