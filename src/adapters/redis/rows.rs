//! The store as rows, poured out and filled in. Nobody serves it meanwhile, so that nobody waits while all keys are gone
//! through.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{
    RedisStore,
    scripts::{self, Arguments, Reply, strange},
    words::{self, escape, header, of, pack_answer, packed, sorted, unescape},
};
use crate::{
    adapters::kept::{self, days, micros, micros_after, moved_text, name},
    ports::{Aggregate, Basin, Claim, FeedItem, Key, Moved, Row, Rows, StoreError, Stored},
};

/// Rows in one page.
const PAGE: usize = 200;
/// Callbacks in one page, of up to a request's body each.
const CALLBACKS: usize = 50;

impl RedisStore {
    async fn rows(&self, arguments: Arguments) -> Result<Reply, StoreError> {
        self.ask(&scripts::ROWS, arguments).await
    }

    /// What stands behind `what` in the names of keys.
    async fn keys(&self, what: &str) -> Result<BTreeSet<String>, StoreError> {
        let (mut names, mut cursor) = (BTreeSet::new(), "0".to_owned());
        loop {
            let mut found = self.rows(Arguments::new().and("keys").and(what).and(&cursor)).await?;
            cursor = found.text().map_err(StoreError)?;
            while found.has_more() {
                names.insert(found.text().map_err(StoreError)?);
            }
            if cursor == "0" {
                return Ok(names);
            }
        }
    }

    async fn size(&self, key: &str) -> Result<u64, StoreError> {
        self.rows(Arguments::new().and("size").and(key)).await?.number().map_err(StoreError)
    }

    async fn pour_aggregates(&self, kind: &str, into: &mut dyn Basin) -> Result<(), StoreError> {
        let mut from = "-".to_owned();
        loop {
            let arguments = Arguments::new().and("aggregates").and(kind).and(&from).number(PAGE);
            let page = self.rows(arguments).await?.lists().map_err(StoreError)?;
            let found = page.iter().len();
            let rows = page.into_iter().map(|row| aggregate(kind, row)).collect::<Result<Vec<_>, _>>();
            let rows = rows.map_err(StoreError)?;
            if let Some(last) = rows.last() {
                from = format!("({}", last.key.id);
            }
            into.take(rows.into_iter().map(Row::Aggregate).collect()).await?;
            if found < PAGE {
                return Ok(());
            }
        }
    }

    async fn pour_events(&self, merchant: &str, into: &mut dyn Basin) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let page = self.all_fed(&[unescape(merchant)], after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.position;
            into.take(page.into_iter().map(Row::Event).collect()).await?;
        }
    }

    async fn pour_claims(&self, kind: &str, into: &mut dyn Basin) -> Result<(), StoreError> {
        let (merchant, short) = merchant_and_kind(kind).map_err(StoreError)?;
        // The server may name one twice, when its table has just grown.
        let (mut seen, mut cursor) = (BTreeSet::new(), "0".to_owned());
        loop {
            let mut found = self.rows(Arguments::new().and("claims").and(kind).and(&cursor)).await?;
            cursor = found.text().map_err(StoreError)?;
            let mut rows = Vec::new();
            while found.has_more() {
                let (value, owner) = (found.text().map_err(StoreError)?, found.text().map_err(StoreError)?);
                if seen.insert(value.clone()) {
                    rows.push(Row::Claim(Claim { merchant: merchant.clone(), kind: short, value, owner }));
                }
            }
            into.take(rows).await?;
            if cursor == "0" {
                return Ok(());
            }
        }
    }

    async fn pour_answers(&self, into: &mut dyn Basin) -> Result<(), StoreError> {
        let mut from = "-".to_owned();
        loop {
            let arguments = Arguments::new().and("answers").and(&from).number(PAGE);
            let page = self.rows(arguments).await?.lists().map_err(StoreError)?;
            let (found, mut rows) = (page.iter().len(), Vec::new());
            for mut entry in page {
                let member = entry.text().map_err(StoreError)?;
                let packed = entry.bytes().map_err(StoreError)?.ok_or_else(|| StoreError(strange()))?;
                let key = member.get(sorted(0).len()..).ok_or_else(|| StoreError(strange()))?;
                rows.push(Row::Answer(words::unpack_answer(key, &packed).map_err(StoreError)?));
                from = format!("({member}");
            }
            into.take(rows).await?;
            if found < PAGE {
                return Ok(());
            }
        }
    }

    async fn pour_callbacks(&self, merchant: &str, into: &mut dyn Basin) -> Result<(), StoreError> {
        let mut from = "-".to_owned();
        loop {
            let arguments = Arguments::new().and("callbacks").and(merchant).and(&from).number(CALLBACKS);
            let page = self.rows(arguments).await?.lists().map_err(StoreError)?;
            let (found, mut rows) = (page.iter().len(), Vec::new());
            for mut entry in page {
                let (number, header) = (entry.text().map_err(StoreError)?, entry.text().map_err(StoreError)?);
                let sealed = entry.bytes().map_err(StoreError)?.ok_or_else(|| StoreError(strange()))?;
                let callback = words::callback(&unescape(merchant), &header, sealed).map_err(StoreError)?;
                rows.push(Row::Callback(callback));
                from = format!("({number}");
            }
            into.take(rows).await?;
            if found < CALLBACKS {
                return Ok(());
            }
        }
    }

    async fn pour_counters(&self, into: &mut dyn Basin) -> Result<(), StoreError> {
        let (mut found, mut rows) = (self.rows(Arguments::new().and("counters")).await?, Vec::new());
        while found.has_more() {
            let (name, next) = (found.text().map_err(StoreError)?, found.number().map_err(StoreError)?);
            rows.push(Row::Counter { name, next });
        }
        into.take(rows).await
    }

    async fn fill_with(&self, arguments: Arguments) -> Result<(), StoreError> {
        let mut reply = self.run(&scripts::FILL, arguments).await.map_err(StoreError)?;
        match reply.text().map_err(StoreError)?.as_str() {
            "done" => Ok(()),
            "gone" => Err(StoreError(self.gone())),
            _ => Err(StoreError("it is no copy that was begun".to_owned())),
        }
    }
}

#[async_trait]
impl Rows for RedisStore {
    async fn count(&self) -> Result<u64, StoreError> {
        let mut all = self.size("given").await?.saturating_add(self.size("counters").await?);
        for what in ["ids:", "events:", "claims:", "callbacks:"] {
            for key in self.keys(what).await? {
                all = all.saturating_add(self.size(&format!("{what}{key}")).await?);
            }
        }
        Ok(all)
    }

    async fn pour(&self, into: &mut dyn Basin) -> Result<(), StoreError> {
        for kind in self.keys("ids:").await? {
            self.pour_aggregates(&kind, into).await?;
        }
        for merchant in self.keys("events:").await? {
            self.pour_events(&merchant, into).await?;
        }
        for kind in self.keys("claims:").await? {
            self.pour_claims(&kind, into).await?;
        }
        self.pour_answers(into).await?;
        for merchant in self.keys("callbacks:").await? {
            self.pour_callbacks(&merchant, into).await?;
        }
        self.pour_counters(into).await
    }

    async fn begin_copy(&self) -> Result<(), StoreError> {
        if self.count().await? > 0 {
            return Err(StoreError("it is not empty".to_owned()));
        }
        self.fill_with(Arguments::new().and("begin")).await
    }

    async fn fill(&self, rows: Vec<Row>) -> Result<(), StoreError> {
        let mut arguments = Arguments::new().number(rows.len());
        for row in &rows {
            push(&mut arguments, row);
        }
        self.fill_with(arguments).await
    }

    async fn end_copy(&self) -> Result<(), StoreError> {
        self.fill_with(Arguments::new().and("end")).await
    }

    async fn moved(&self) -> Result<Option<Moved>, StoreError> {
        let found = self.rows(Arguments::new().and("moved")).await?.maybe().map_err(StoreError)?;
        found.map(|text| kept::moved(&text)).transpose()
    }

    async fn depart(&self, position: u64, moved: &Moved) -> Result<(), StoreError> {
        let arguments = Arguments::new().and("away").number(position).and(moved_text(moved));
        self.change(&scripts::MOVE, arguments).await.map(drop)
    }

    async fn come_back(&self) -> Result<(), StoreError> {
        self.change(&scripts::MOVE, Arguments::new().and("back")).await.map(drop)
    }
}

fn merchant_and_kind(of: &str) -> Result<(String, &'static str), String> {
    let mut parts = of.split(':');
    let (merchant, kind) = parts.next().zip(parts.next()).ok_or_else(strange)?;
    Ok((unescape(merchant), name(unescape(kind))))
}

fn aggregate(kind: &str, mut row: Reply) -> Result<Aggregate, String> {
    let (merchant, kind) = merchant_and_kind(kind)?;
    let key = Key { merchant, kind, id: row.text()? };
    let stored = Stored { version: row.number()?, state: row.text()? };
    let wake_at = words::from_sorted(&row.text()?)?;
    let ready = row.text()?;
    let ready_on = match ready.as_str() {
        "" => None,
        days => Some(days.parse().ok().and_then(kept::date).ok_or_else(strange)?),
    };
    Ok(Aggregate { key, stored, wake_at, ready_on, labels: words::unpacked(&row.text()?)? })
}

/// In the order in which the script takes it.
fn push(arguments: &mut Arguments, row: &Row) {
    match row {
        Row::Aggregate(Aggregate { key, stored, wake_at, ready_on, labels }) => {
            arguments.push("aggregate");
            arguments.push(of(&key.merchant, key.kind));
            arguments.push(&key.id);
            arguments.push(stored.version.to_string());
            arguments.push(&stored.state);
            arguments.push(wake_at.map(|at| sorted(micros_after(at))).unwrap_or_default());
            arguments.push(ready_on.map(|day| days(day).to_string()).unwrap_or_default());
            arguments.push(packed(labels));
        }
        Row::Event(FeedItem { position, key, version, event }) => {
            arguments.push("event");
            arguments.push(position.to_string());
            arguments.push(escape(&key.merchant).as_ref());
            arguments.push(escape(key.kind).as_ref());
            arguments.push(&key.id);
            arguments.push(version.to_string());
            arguments.push(event);
        }
        Row::Claim(claim) => {
            arguments.push("claim");
            arguments.push(of(&claim.merchant, claim.kind));
            arguments.push(&claim.value);
            arguments.push(&claim.owner);
        }
        Row::Answer(answer) => {
            arguments.push("answer");
            arguments.push(&answer.key);
            arguments.push(sorted(micros(answer.given_at)));
            arguments.push(pack_answer(answer));
        }
        Row::Callback(callback) => {
            arguments.push("callback");
            arguments.push(escape(&callback.merchant).as_ref());
            arguments.push(if callback.order.is_some() { "1" } else { "" });
            arguments.push(header(callback));
            arguments.push(&callback.sealed);
        }
        Row::Counter { name, next } => {
            arguments.push("counter");
            arguments.push(name);
            arguments.push(next.to_string());
        }
    }
}
