//! Leases and rates that all gateways of a store share, by the server's clock.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    RedisStore,
    scripts::{self, Arguments, Reply},
};
use crate::{
    domain::bucket::{Rate, Spent},
    ports::{StoreError, Turns},
};

impl RedisStore {
    async fn leased(&self, what: &str, holder: &str, length: u128) -> Result<bool, StoreError> {
        let arguments = Arguments::new().and(what).and(holder).number(length);
        Ok(self.change(&scripts::LEASE, arguments).await?.text().map_err(StoreError)? == "yes")
    }

    async fn rated(&self, name: &str, price: Duration, saved: Duration) -> Result<(bool, Duration), StoreError> {
        // Whatever costs less than a microsecond costs one.
        let arguments = Arguments::new().and(name).number(price.as_micros().max(1)).number(saved.as_micros());
        let read = |mut reply: Reply| Ok((reply.text()? == "yes", Duration::from_micros(reply.number()?)));
        read(self.change(&scripts::RATE, arguments).await?).map_err(StoreError)
    }
}

#[async_trait]
impl Turns for RedisStore {
    async fn lease(&self, what: &str, holder: &str, length: Duration) -> Result<bool, StoreError> {
        self.leased(what, holder, length.as_millis().max(1)).await
    }

    async fn release(&self, what: &str, holder: &str) -> Result<(), StoreError> {
        self.leased(what, holder, 0).await.map(drop)
    }

    async fn spend(&self, name: &str, rate: Rate) -> Result<Spent, StoreError> {
        let (allowed, missing) = self.rated(name, rate.price, rate.saved).await?;
        Ok(Spent { allowed, missing })
    }

    async fn turn(&self, name: &str, every: Duration) -> Result<Duration, StoreError> {
        Ok(self.rated(name, every, Duration::ZERO).await?.1)
    }
}
