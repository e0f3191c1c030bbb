//! The tables as rows, poured out and filled in.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    SqliteStore,
    changes::Change,
    columns::{instant, number, rows},
    departure, why,
};
use crate::{
    adapters::kept::{date, days, micros_after, moved, name},
    ports::{
        Aggregate, Answer, Basin, Callback, Claim, CommitError, FeedItem, Key, Moved, Row, Rows, StoreError, Stored,
    },
};

/// Rows that are read, or written in one transaction.
const PAGE: usize = 500;
/// What a store is marked with while it is filled. Its value makes again what was in the way.
pub(super) const INCOMPLETE: &str = "incomplete";
const TABLES: [&str; 6] = ["aggregate", "event", "claim", "answer", "callback", "counter"];
/// The rule that an aggregate begins with version 1, which a copy's does not.
const RULE: &str = "aggregate_is_made";

/// Where the next page begins; empty at first.
type From = (i64, [String; 3]);
type Page = Vec<(From, Row)>;

#[async_trait]
impl Rows for SqliteStore {
    async fn count(&self) -> Result<u64, StoreError> {
        self.readers.ask(|connection| count(connection)).await
    }

    async fn pour(&self, into: &mut dyn Basin) -> Result<(), StoreError> {
        for read in [aggregates, events, claims, answers, callbacks, counters] {
            let mut from = From::default();
            loop {
                let after = from.clone();
                let page: Page = self.readers.ask(move |connection| read(connection, &after)).await?;
                let Some((last, _)) = page.last() else { break };
                from = last.clone();
                into.take(page.into_iter().map(|(_, row)| row).collect()).await?;
            }
        }
        Ok(())
    }

    async fn begin_copy(&self) -> Result<(), StoreError> {
        self.writer.make(begin).await.map_err(why)
    }

    async fn fill(&self, rows: Vec<Row>) -> Result<(), StoreError> {
        self.writer.make(move |connection| fill(connection, &rows)).await.map_err(why)
    }

    async fn end_copy(&self) -> Result<(), StoreError> {
        self.writer.make(end).await.map_err(why)
    }

    async fn moved(&self) -> Result<Option<Moved>, StoreError> {
        let found = self.readers.ask(|connection| departure::moved(connection)).await?;
        found.map(|text| moved(&text)).transpose()
    }

    async fn depart(&self, position: u64, moved: &Moved) -> Result<(), StoreError> {
        let moved = moved.clone();
        self.writer.make(move |connection| departure::depart(connection, position, &moved)).await.map_err(why)
    }

    async fn come_back(&self) -> Result<(), StoreError> {
        self.writer.make(departure::come_back).await.map_err(why)
    }
}

fn count(connection: &Connection) -> rusqlite::Result<u64> {
    let mut all = 0;
    for table in TABLES {
        let counted: i64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        all += counted.cast_unsigned();
    }
    Ok(all)
}

fn refused<T>(sentence: &str) -> Change<T> {
    Ok(Err(CommitError::Unavailable(sentence.to_owned())))
}

fn begin(connection: &Connection) -> Change<()> {
    if count(connection)? > 0 {
        return refused("it is not empty");
    }
    let rule: String =
        connection.query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [RULE], |row| row.get(0))?;
    connection.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", [INCOMPLETE, &rule])?;
    connection.execute_batch(&format!("DROP TRIGGER {RULE}"))?;
    Ok(Ok(()))
}

fn rule(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT value FROM meta WHERE name = ?1", [INCOMPLETE], |row| row.get(0)).optional()
}

fn end(connection: &Connection) -> Change<()> {
    let Some(rule) = rule(connection)? else { return refused("it is no copy that was begun") };
    connection.execute_batch(&rule)?;
    connection.execute("DELETE FROM meta WHERE name = ?1", [INCOMPLETE])?;
    Ok(Ok(()))
}

fn fill(connection: &Connection, rows: &[Row]) -> Change<()> {
    if rule(connection)?.is_none() {
        return refused("it is no copy that was begun");
    }
    for row in rows {
        match row {
            Row::Aggregate(aggregate) => fill_aggregate(connection, aggregate)?,
            Row::Event(FeedItem { position, key, version, event }) => connection
                .prepare_cached(
                    "INSERT INTO event (position, merchant, kind, id, version, event) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![number(*position), key.merchant, key.kind, key.id, number(*version), event])
                .map(drop)?,
            Row::Claim(Claim { merchant, kind, value, owner }) => connection
                .prepare_cached("INSERT INTO claim (merchant, kind, value, owner) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![merchant, kind, value, owner])
                .map(drop)?,
            Row::Answer(answer) => {
                if let Err(lost) = super::changes::give(connection, answer)? {
                    return Ok(Err(lost));
                }
            }
            Row::Callback(callback) => super::changes::keep(connection, callback)?,
            Row::Counter { name, next } => connection
                .prepare_cached("INSERT INTO counter (name, next) VALUES (?1, ?2)")?
                .execute(params![name, number(*next)])
                .map(drop)?,
        }
    }
    Ok(Ok(()))
}

fn fill_aggregate(connection: &Connection, aggregate: &Aggregate) -> rusqlite::Result<()> {
    let Aggregate { key, stored, wake_at, ready_on, labels } = aggregate;
    connection
        .prepare_cached(
            "INSERT INTO aggregate (merchant, kind, id, version, state, wake_at, ready_on) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            key.merchant,
            key.kind,
            key.id,
            number(stored.version),
            stored.state,
            wake_at.map(micros_after),
            ready_on.map(days)
        ])?;
    let mut label =
        connection.prepare_cached("INSERT INTO label (merchant, kind, name, value, id) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (name, value) in labels {
        label.execute(params![key.merchant, key.kind, name, value, key.id])?;
    }
    Ok(())
}

fn aggregates(connection: &mut Connection, (after, _): &From) -> rusqlite::Result<Page> {
    let mut labels = connection.prepare_cached(
        "SELECT name, value FROM label WHERE merchant = ?1 AND kind = ?2 AND id = ?3 ORDER BY name, value",
    )?;
    connection
        .prepare_cached(
            "SELECT rowid, merchant, kind, id, version, state, wake_at, ready_on FROM aggregate \
             WHERE rowid > ?1 ORDER BY rowid LIMIT ?2",
        )?
        .query_map(params![after, rows(PAGE)], |row| {
            let key = Key { merchant: row.get(1)?, kind: name(row.get(2)?), id: row.get(3)? };
            let stored = Stored { version: row.get::<_, i64>(4)?.cast_unsigned(), state: row.get(5)? };
            let wake_at = row.get::<_, Option<i64>>(6)?.map(instant).transpose()?;
            let ready_on = row.get::<_, Option<i64>>(7)?;
            let ready_on =
                ready_on.map(|days| date(days).ok_or(rusqlite::Error::IntegralValueOutOfRange(7, days))).transpose()?;
            let labels = labels
                .query_map(params![key.merchant, key.kind, key.id], |label| Ok((name(label.get(0)?), label.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let aggregate = Aggregate { key, stored, wake_at, ready_on, labels };
            Ok(((row.get(0)?, Default::default()), Row::Aggregate(aggregate)))
        })?
        .collect()
}

fn events(connection: &mut Connection, (after, _): &From) -> rusqlite::Result<Page> {
    connection
        .prepare_cached(
            "SELECT position, merchant, kind, id, version, event FROM event WHERE position > ?1 ORDER BY position LIMIT ?2",
        )?
        .query_map(params![after, rows(PAGE)], |row| {
            let position: i64 = row.get(0)?;
            let key = Key { merchant: row.get(1)?, kind: name(row.get(2)?), id: row.get(3)? };
            let (version, event) = (row.get::<_, i64>(4)?.cast_unsigned(), row.get(5)?);
            let item = FeedItem { position: position.cast_unsigned(), key, version, event };
            Ok(((position, Default::default()), Row::Event(item)))
        })?
        .collect()
}

fn claims(connection: &mut Connection, (_, [merchant, kind, value]): &From) -> rusqlite::Result<Page> {
    connection
        .prepare_cached(
            "SELECT merchant, kind, value, owner FROM claim WHERE (merchant, kind, value) > (?1, ?2, ?3) \
             ORDER BY merchant, kind, value LIMIT ?4",
        )?
        .query_map(params![merchant, kind, value, rows(PAGE)], |row| {
            let from = (0, [row.get(0)?, row.get(1)?, row.get(2)?]);
            let [merchant, kind, value] = from.1.clone();
            Ok((from, Row::Claim(Claim { merchant, kind: name(kind), value, owner: row.get(3)? })))
        })?
        .collect()
}

fn answers(connection: &mut Connection, (after, _): &From) -> rusqlite::Result<Page> {
    connection
        .prepare_cached(
            "SELECT rowid, key, fingerprint, status, sealed, version, given_at FROM answer \
             WHERE rowid > ?1 ORDER BY rowid LIMIT ?2",
        )?
        .query_map(params![after, rows(PAGE)], |row| {
            let answer = Answer {
                key: row.get(1)?,
                fingerprint: row.get(2)?,
                status: row.get(3)?,
                sealed: row.get(4)?,
                version: row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned),
                given_at: instant(row.get(6)?)?,
            };
            Ok(((row.get(0)?, Default::default()), Row::Answer(answer)))
        })?
        .collect()
}

fn callbacks(connection: &mut Connection, (after, _): &From) -> rusqlite::Result<Page> {
    connection
        .prepare_cached(
            "SELECT position, merchant, received_at, verdict, reason, order_id, sealed FROM callback \
             WHERE position > ?1 ORDER BY position LIMIT ?2",
        )?
        .query_map(params![after, rows(PAGE)], |row| {
            let callback = Callback {
                merchant: row.get(1)?,
                received_at: instant(row.get(2)?)?,
                verdict: name(row.get(3)?),
                reason: row.get(4)?,
                order: row.get(5)?,
                sealed: row.get(6)?,
            };
            Ok(((row.get(0)?, Default::default()), Row::Callback(callback)))
        })?
        .collect()
}

fn counters(connection: &mut Connection, (_, [after, ..]): &From) -> rusqlite::Result<Page> {
    connection
        .prepare_cached("SELECT name, next FROM counter WHERE name > ?1 ORDER BY name LIMIT ?2")?
        .query_map(params![after, rows(PAGE)], |row| {
            let name: String = row.get(0)?;
            let next = row.get::<_, i64>(1)?.cast_unsigned();
            Ok(((0, [name.clone(), String::new(), String::new()]), Row::Counter { name, next }))
        })?
        .collect()
}
