//! What is asked for in pages, each small enough that nobody waits long for it, and put together here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    RedisStore,
    scripts::{self, Arguments, Reply, strange},
    words::{self, escape, of, sorted},
};
use crate::{
    adapters::kept::micros,
    domain::{chain::Link, reconcile::Mark},
    ports::{Callback, FeedItem, Key, StoreError, Stored},
};

/// Keys, aggregates and events in one page.
const PAGE: usize = 500;
/// Callbacks in one page, of up to a request's body each.
const CALLBACKS: usize = 50;

/// A list of what is asked for: of one kind, of one merchant.
pub(super) struct List<'a> {
    pub(super) merchant: &'a str,
    pub(super) kind: &'static str,
    pub(super) labels: &'a [(&'static str, String)],
    /// Only what is ready on this day, counted from 1970.
    pub(super) until: Option<i64>,
    pub(super) after: Option<&'a str>,
    pub(super) limit: usize,
}

impl RedisStore {
    pub(super) async fn all_listed(&self, list: &List<'_>) -> Result<Vec<(Key, Stored)>, StoreError> {
        let mut listed = Vec::new();
        let mut from = list.after.map_or("-".to_owned(), |after| format!("({after}"));
        while listed.len() < list.limit {
            let mut arguments = Arguments::new().and(of(list.merchant, list.kind)).and(&from);
            arguments = arguments.number((list.limit - listed.len()).min(PAGE));
            arguments.push(list.until.map(|day| day.to_string()).unwrap_or_default());
            arguments.push(list.labels.len().to_string());
            for (name, value) in list.labels {
                arguments.push(format!("{}:{}", escape(name), escape(value)));
            }
            let mut page = self.ask(&scripts::LIST, arguments).await?;
            let (more, last) = next(&mut page).map_err(StoreError)?;
            while page.has_more() {
                let id = page.text().map_err(StoreError)?;
                let stored = stored(&mut page).and_then(|stored| stored.ok_or_else(strange)).map_err(StoreError)?;
                listed.push((Key { merchant: list.merchant.to_owned(), kind: list.kind, id }, stored));
            }
            if !more {
                break;
            }
            from = format!("({last}");
        }
        Ok(listed)
    }

    pub(super) async fn all_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        // Behind an instant stands a colon, and behind that in order a semicolon.
        let until = format!("({};", sorted(micros(now)));
        let mut from = "-".to_owned();
        let mut due = Vec::new();
        while due.len() < limit {
            let asked = (limit - due.len()).min(PAGE);
            let arguments = Arguments::new().and(&from).and(&until).number(asked);
            let mut page = self.ask(&scripts::DUE, arguments).await?;
            let before = due.len();
            while page.has_more() {
                let member = page.text().map_err(StoreError)?;
                due.push(words::due(&member).map_err(StoreError)?);
                from = format!("({member}");
            }
            if due.len() - before < asked {
                break;
            }
        }
        Ok(due)
    }

    pub(super) async fn all_fed(
        &self,
        merchants: &[String],
        after: u64,
        limit: usize,
    ) -> Result<Vec<FeedItem>, StoreError> {
        let merchants: BTreeSet<&String> = merchants.iter().collect();
        let mut items: Vec<FeedItem> = Vec::new();
        while items.len() < limit {
            let after = items.last().map_or(after, |item| item.position);
            let mut arguments = Arguments::new().number(after).number((limit - items.len()).min(PAGE));
            arguments.push(merchants.len().to_string());
            for merchant in &merchants {
                arguments.push(escape(merchant).as_ref());
            }
            let mut page = self.ask(&scripts::FEED, arguments).await?;
            let more = push_items(&mut page, &mut items).map_err(StoreError)?;
            if !more {
                break;
            }
        }
        Ok(items)
    }

    pub(super) async fn all_history(&self, key: &Key) -> Result<Vec<FeedItem>, StoreError> {
        let mut items = Vec::new();
        loop {
            let arguments = Arguments::new().and(escape(&key.merchant).as_ref()).and(escape(key.kind).as_ref());
            let arguments = arguments.and(&key.id).number(items.len());
            let mut page = self.ask(&scripts::HISTORY, arguments).await?;
            if !push_items(&mut page, &mut items).map_err(StoreError)? {
                return Ok(items);
            }
        }
    }

    pub(super) async fn all_callbacks(&self, merchant: &str, limit: usize) -> Result<Vec<Callback>, StoreError> {
        let mut callbacks = Vec::new();
        let mut from = "+".to_owned();
        while callbacks.len() < limit {
            let asked = (limit - callbacks.len()).min(CALLBACKS);
            let arguments = Arguments::new().and(escape(merchant).as_ref()).and(&from).number(asked);
            let page = self.ask(&scripts::CALLBACKS, arguments).await?.lists().map_err(StoreError)?;
            let found = page.len();
            for mut entry in page {
                let (number, header) = (entry.text().map_err(StoreError)?, entry.text().map_err(StoreError)?);
                let sealed = entry.bytes().map_err(StoreError)?.ok_or_else(|| StoreError(strange()))?;
                callbacks.push(words::callback(merchant, &header, sealed).map_err(StoreError)?);
                from = format!("({number}");
            }
            if found < asked {
                break;
            }
        }
        Ok(callbacks)
    }
}

/// Whether there is more, and after what.
fn next(page: &mut Reply) -> Result<(bool, String), String> {
    Ok((page.text()? == "more", page.text()?))
}

/// Whether there is more behind the page's items.
fn push_items(page: &mut Reply, items: &mut Vec<FeedItem>) -> Result<bool, String> {
    let more = page.text()? == "more";
    for item in page.lists()? {
        items.push(words::feed_item(item)?);
    }
    Ok(more)
}

pub(super) fn stored(reply: &mut Reply) -> Result<Option<Stored>, String> {
    let (version, state) = (reply.maybe()?, reply.maybe()?);
    let Some((version, state)) = version.zip(state) else { return Ok(None) };
    Ok(Some(Stored { version: version.parse().map_err(|_| strange())?, state }))
}

pub(super) fn tally(mut reply: Reply) -> Result<BTreeMap<String, u64>, String> {
    let counted = |mut count: Reply| Ok((words::unescape(&count.text()?), count.number()?));
    reply.lists()?.into_iter().map(counted).collect()
}

pub(super) fn mark(store: String, reply: &mut Reply) -> Result<Mark, String> {
    let position = reply.number()?;
    Ok(Mark { store, position, event: Link::to(&reply.text()?) })
}
