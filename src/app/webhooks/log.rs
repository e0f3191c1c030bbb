//! The delivery log: of each endpoint the last tries, in pages that are written over in a ring, so that a try writes one
//! small page and nothing grows.

use super::super::{App, Error, access::Caller};
use crate::{
    domain::{
        ids::MerchantId,
        webhook::{EndpointId, Tried},
    },
    ports::{Key, Write},
};

/// Tries that are kept of an endpoint.
const MAX_LOGGED: u64 = 1_000;
const PAGE: u64 = 50;
/// One more than are kept, for the page that is being written over.
const PAGES: u64 = MAX_LOGGED / PAGE + 1;
const KIND: &str = "delivery_log";
const LABEL: &str = "endpoint";

fn page_key(merchant: &MerchantId, endpoint: EndpointId, number: u64) -> Key {
    let id = format!("{endpoint}-{:02}", (number / PAGE) % PAGES);
    Key { merchant: merchant.to_string(), kind: KIND, id }
}

impl App {
    /// What writes a try down, over the page as it is now.
    pub(super) async fn logged(
        &self,
        merchant: &MerchantId,
        endpoint: EndpointId,
        tried: &Tried,
    ) -> Result<Write, Error> {
        let key = page_key(merchant, endpoint, tried.number);
        let stored = self.ports.store.load(&key).await?;
        let mut page: Vec<Tried> =
            stored.as_ref().map(|stored| serde_json::from_str(&stored.state)).transpose()?.unwrap_or_default();
        page.retain(|other| other.number / PAGE == tried.number / PAGE);
        page.push(tried.clone());
        Ok(Write {
            key,
            expected_version: stored.map_or(0, |stored| stored.version),
            events: Vec::new(),
            state: serde_json::to_string(&page)?,
            wake_at: None,
            ready_on: None,
            labels: vec![(LABEL, endpoint.to_string())],
        })
    }

    /// The tries of an endpoint after the `after`th, the oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn deliveries(
        &self,
        caller: &Caller,
        endpoint: EndpointId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Tried>, Error> {
        let current = self.endpoint_of(caller, endpoint).await?.endpoint;
        let labels = [(LABEL, endpoint.to_string())];
        let pages = usize::try_from(PAGES).unwrap_or(usize::MAX);
        let found = self.ports.store.list(current.merchant.as_str(), KIND, &labels, None, pages).await?;
        let mut tries = Vec::new();
        for (_, stored) in found {
            tries.extend(serde_json::from_str::<Vec<Tried>>(&stored.state)?);
        }
        tries.sort_by_key(|tried| tried.number);
        let first = tries.last().map_or(0, |last| last.number.saturating_sub(MAX_LOGGED));
        tries.retain(|tried| tried.number > after.max(first));
        tries.truncate(limit);
        Ok(tries)
    }
}
