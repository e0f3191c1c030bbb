//! Several gateways on one store: who does what, and how fast all of them together may go. All of it only saves work and
//! keeps to a pace; what must not happen twice is kept from it by each commit.

use std::time::Duration;

use super::{App, Error, merchant::Merchant};
use crate::{
    domain::{
        bucket::{Rate, Spent},
        ids::{MerchantId, OrderId},
    },
    ports::StoreError,
};

/// What a use case comes to where another gateway does it.
pub(super) trait Elsewhere {
    fn elsewhere() -> Self;
}

/// Attended to, as far as this gateway is concerned.
impl Elsewhere for bool {
    fn elsewhere() -> Self {
        true
    }
}

impl Elsewhere for Result<(), Error> {
    fn elsewhere() -> Self {
        Ok(())
    }
}

/// What a gateway holds that is busy with an order.
pub(super) fn order_lease(merchant: &MerchantId, id: OrderId) -> String {
    format!("order:{merchant}:{id}")
}

impl App {
    /// Spends one of the requests that an API key may make in a minute, at all gateways together.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn spend_request(&self, key: &str, rate: Rate) -> Result<Spent, Error> {
        Ok(self.ports.store.spend(&format!("requests:{key}"), rate).await?)
    }

    /// Does something unless another gateway does it right now.
    pub(super) async fn alone<T: Elsewhere>(
        &self,
        merchant: &MerchantId,
        what: &str,
        work: impl Future<Output = T>,
    ) -> T {
        // Of one that is not configured any more, the work itself says so.
        let Ok(of) = self.merchant(merchant) else { return work.await };
        if !self.lease(of, what).await {
            return T::elsewhere();
        }
        let done = work.await;
        self.release(what).await;
        done
    }

    /// Whether this gateway is to be busy with an order.
    pub(super) async fn lease_order(&self, merchant: &Merchant, id: OrderId) -> bool {
        self.lease(merchant, &order_lease(&merchant.id, id)).await
    }

    pub(super) async fn release_order(&self, merchant: &Merchant, id: OrderId) {
        self.release(&order_lease(&merchant.id, id)).await;
    }

    /// Waits for the merchant's next turn to begin a debit, of those that all gateways share. Without the store there is
    /// none.
    pub(super) async fn await_turn(&self, merchant: &Merchant, id: OrderId) -> Result<(), Error> {
        let (clock, every) = (&self.ports.clock, merchant.debits.pace().unsigned_abs());
        let wait = self.ports.store.turn(&format!("debits:{}", merchant.id), every).await?;
        // Not by the wall clock: set back a day, it would hold the batch for as long.
        let start = clock.since_boot().saturating_add(wait);
        while clock.since_boot() < start {
            clock.sleep_until(start.min(clock.since_boot().saturating_add(length(merchant) / 3))).await;
            // After the last wait enough of it is left: each renewal is a change of the store.
            if clock.since_boot() < start {
                self.lease_order(merchant, id).await;
            }
        }
        Ok(())
    }

    /// A lease that cannot be asked for keeps nobody from anything.
    async fn lease(&self, merchant: &Merchant, what: &str) -> bool {
        let leased: Result<bool, StoreError> = self.ports.store.lease(what, &self.holder, length(merchant)).await;
        leased.unwrap_or(true)
    }

    async fn release(&self, what: &str) {
        // It lapses anyway.
        let _ = self.ports.store.release(what, &self.holder).await;
    }
}

/// For as long as a call that has left may be answered.
fn length(merchant: &Merchant) -> Duration {
    merchant.policy.answer_grace.unsigned_abs()
}
