//! An order's whole story, for whoever has to understand it at night.

use super::{
    App, Error,
    access::Caller,
    commit::{Versioned, order_key},
};
use crate::domain::{event::Recorded, ids::OrderId};

impl App {
    /// The order as it is, and everything that happened to it, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn story(&self, caller: &Caller, id: OrderId) -> Result<(Versioned, Vec<Recorded>), Error> {
        let current = self.order(caller, id).await?;
        let history = self.ports.store.history(&order_key(&current.order.merchant, id)).await?;
        let events = history.iter().map(|item| Ok(serde_json::from_str(&item.event)?));
        let events = events.collect::<Result<Vec<Recorded>, Error>>()?;
        Ok((current, events))
    }
}
