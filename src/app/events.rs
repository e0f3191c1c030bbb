//! The feed of what happened: order per order, at least once, with a cursor.

use super::{App, Error, access::Caller};
use crate::{
    domain::{event::Recorded, ids::OrderId},
    ports::FeedItem,
};

/// The most events on one page.
pub const MAX_PAGE: usize = 200;

/// One event of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEvent {
    pub position: u64,
    pub merchant: String,
    pub order: OrderId,
    /// The version of the order that the event belongs to.
    pub order_version: u64,
    pub recorded: Recorded,
}

impl FeedEvent {
    /// `None` when it is not of an order.
    pub(super) fn read(item: FeedItem) -> Result<Option<Self>, Error> {
        let Ok(order) = item.key.id.parse() else { return Ok(None) };
        Ok(Some(Self {
            position: item.position,
            merchant: item.key.merchant,
            order,
            order_version: item.version,
            recorded: serde_json::from_str(&item.event)?,
        }))
    }
}

impl App {
    /// Events of the caller's merchants after `position`, and where to read on.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn events(&self, caller: &Caller, after: u64, limit: usize) -> Result<(Vec<FeedEvent>, u64), Error> {
        let merchants: Vec<String> = caller.merchants.iter().map(ToString::to_string).collect();
        let items = self.ports.store.feed(&merchants, after, limit.min(MAX_PAGE)).await?;
        let next = items.last().map_or(after, |item| item.position);
        let events = items.into_iter().filter_map(|item| FeedEvent::read(item).transpose());
        let events = events.collect::<Result<Vec<_>, Error>>()?;
        Ok((events, next))
    }
}
