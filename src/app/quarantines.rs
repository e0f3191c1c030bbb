//! What waits for people, over all orders of a merchant, and their verdicts.

use super::{App, Error, Outcome, Remember, access::Caller, commit::Versioned, orders::OrderFilter};
use crate::domain::{
    ids::{MerchantId, OrderId},
    quarantine::{GivenVerdict, PeoplesVerdict, Subject},
    text::Text,
};

impl App {
    /// Orders of a merchant in which something waits for people.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a merchant that is not the caller's, [`Error::Unavailable`].
    pub async fn quarantined(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<Versioned>, Error> {
        let filter = OrderFilter { after, limit, ..OrderFilter::default() };
        self.labelled_orders(caller, merchant, &[("quarantine", "yes".to_owned())], &filter).await
    }

    /// One person's verdict on one thing. The second of another person that says the same within the configured time
    /// decides it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Refused`], …
    pub async fn give_verdict(
        &self,
        caller: &Caller,
        id: OrderId,
        (subject, verdict, evidence): (Subject, PeoplesVerdict, &Text),
        seen: Option<u64>,
        remember: &Remember<Versioned>,
    ) -> Result<Outcome, Error> {
        self.change_order(caller, id, seen, remember, |merchant, order, now| {
            let by = caller.actor.clone();
            let given = GivenVerdict { subject, verdict, at: now, by, evidence: evidence.clone() };
            Ok(order.give_verdict(given, now, &merchant.policy)?)
        })
        .await
    }
}
