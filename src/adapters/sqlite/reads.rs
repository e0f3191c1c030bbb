//! What is asked of the tables. Each question is one statement, or one transaction, and so sees one moment.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::columns::{after, beyond, instant, number, rows};
use crate::{
    adapters::kept::{days, micros, name},
    domain::{chain::Link, reconcile::Mark},
    ports::{Answer, Callback, FeedItem, Key, Stored},
};

/// Rows that are counted to tell a rare label from a common one.
const COUNTED_MAX: i64 = 1_000;

pub(super) fn load(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Stored>> {
    connection
        .prepare_cached("SELECT version, state FROM aggregate WHERE merchant = ?1 AND kind = ?2 AND id = ?3")?
        .query_row(params![key.merchant, key.kind, key.id], |row| {
            Ok(Stored { version: row.get::<_, i64>(0)?.cast_unsigned(), state: row.get(1)? })
        })
        .optional()
}

pub(super) fn owner(
    connection: &Connection,
    merchant: &str,
    kind: &str,
    value: &str,
) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT owner FROM claim WHERE merchant = ?1 AND kind = ?2 AND value = ?3")?
        .query_row([merchant, kind, value], |row| row.get(0))
        .optional()
}

pub(super) fn due(connection: &Connection, now: Timestamp, limit: usize) -> rusqlite::Result<Vec<Key>> {
    connection
        .prepare_cached(
            "SELECT merchant, kind, id FROM aggregate WHERE wake_at <= ?1 ORDER BY wake_at, merchant, kind, id LIMIT ?2",
        )?
        .query_map(params![micros(now), rows(limit)], |row| key(row, 0))?
        .collect()
}

/// A list of what is asked for: of one kind, of one merchant.
pub(super) struct List {
    pub(super) merchant: String,
    pub(super) kind: &'static str,
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) after: Option<String>,
    pub(super) limit: usize,
}

/// The rarest label is read in the order of its ids, and each of them looked up under the other labels; CROSS JOIN keeps
/// this order of work.
pub(super) fn list(connection: &Connection, list: &List) -> rusqlite::Result<Vec<(Key, Stored)>> {
    let limit = rows(list.limit);
    let mut values: Vec<&dyn ToSql> = vec![&list.merchant, &list.kind, &limit];
    let labels = rarest_first(connection, list)?;
    let mut tables = String::new();
    let mut conditions = "a.merchant = ?1 AND a.kind = ?2".to_owned();
    let first = if labels.is_empty() { "a" } else { "l0" };
    for (at, (label, value)) in labels.into_iter().enumerate() {
        values.push(label);
        values.push(value);
        tables += &format!("label l{at} CROSS JOIN ");
        conditions += &format!(
            " AND l{at}.merchant = ?1 AND l{at}.kind = ?2 AND l{at}.name = ?{} AND l{at}.value = ?{}",
            values.len() - 1,
            values.len()
        );
        conditions += &if at == 0 { " AND a.id = l0.id".to_owned() } else { format!(" AND l{at}.id = l0.id") };
    }
    if let Some(after) = &list.after {
        values.push(after);
        conditions += &format!(" AND {first}.id > ?{}", values.len());
    }
    let statement = format!(
        "SELECT a.id, a.version, a.state FROM {tables}aggregate a WHERE {conditions} ORDER BY {first}.id LIMIT ?3"
    );
    connection
        .prepare_cached(&statement)?
        .query_map(values.as_slice(), |row| listed(row, &list.merchant, list.kind))?
        .collect()
}

/// The labels by how many have them, counted up to [`COUNTED_MAX`]. Another moment than the list's may be counted: it
/// only changes how fast the list is made.
fn rarest_first<'a>(connection: &Connection, list: &'a List) -> rusqlite::Result<Vec<&'a (&'static str, String)>> {
    let mut labels: Vec<_> = list.labels.iter().map(|label| (0, label)).collect();
    if labels.len() > 1 {
        let mut count = connection.prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM label \
             WHERE merchant = ?1 AND kind = ?2 AND name = ?3 AND value = ?4 LIMIT ?5)",
        )?;
        for (counted, (name, value)) in &mut labels {
            *counted =
                count.query_row(params![list.merchant, list.kind, name, value, COUNTED_MAX], |row| row.get(0))?;
        }
        labels.sort_by_key(|(counted, _): &(i64, _)| *counted);
    }
    Ok(labels.into_iter().map(|(_, label)| label).collect())
}

/// What a debit run may take up: of one kind, of one merchant.
pub(super) struct Ready {
    pub(super) merchant: String,
    pub(super) kind: &'static str,
    pub(super) until: Date,
    pub(super) after: Option<String>,
    pub(super) limit: usize,
}

/// The index is named, so that a statement which could not use it fails instead of reading every aggregate.
const READY: &str = "SELECT id, version, state FROM aggregate INDEXED BY aggregate_ready \
     WHERE merchant = ?1 AND kind = ?2 AND id >= ?3 AND ready_on <= ?4 ORDER BY id LIMIT ?5";

pub(super) fn ready(connection: &Connection, ready: &Ready) -> rusqlite::Result<Vec<(Key, Stored)>> {
    let first = ready.after.as_deref().map(after).unwrap_or_default();
    connection
        .prepare_cached(READY)?
        .query_map(params![ready.merchant, ready.kind, first, days(ready.until), rows(ready.limit)], |row| {
            listed(row, &ready.merchant, ready.kind)
        })?
        .collect()
}

/// Which labels are counted: of one kind, of one merchant.
pub(super) struct Tally {
    pub(super) merchant: String,
    pub(super) kind: &'static str,
    pub(super) label: &'static str,
    pub(super) prefix: String,
}

/// Up to what is beyond the prefix, if anything is. Any text is below a blob.
const TALLY: &str = "SELECT value, count(*) FROM label \
     WHERE merchant = ?1 AND kind = ?2 AND name = ?3 AND value >= ?4 AND value < coalesce(?5, x'') GROUP BY value";

pub(super) fn tally(connection: &Connection, tally: &Tally) -> rusqlite::Result<BTreeMap<String, u64>> {
    connection
        .prepare_cached(TALLY)?
        .query_map(params![tally.merchant, tally.kind, tally.label, tally.prefix, beyond(&tally.prefix)], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
        })?
        .collect()
}

/// Each merchant's events are read from where its own begin, and put in order here. One transaction, because a commit
/// between two of these statements could put an earlier event behind the position that the reader goes on from.
pub(super) fn feed(
    connection: &mut Connection,
    merchants: &[String],
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<FeedItem>> {
    let moment = connection.transaction()?;
    let mut merchants: Vec<&String> = merchants.iter().collect();
    merchants.sort_unstable();
    merchants.dedup();
    let mut items = Vec::new();
    for merchant in merchants {
        let mut statement = moment.prepare_cached(
            "SELECT position, version, event, merchant, kind, id FROM event \
             WHERE merchant = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
        )?;
        for item in statement.query_map(params![merchant, number(after), rows(limit)], feed_item)? {
            items.push(item?);
        }
    }
    items.sort_unstable_by_key(|item| item.position);
    items.truncate(limit);
    Ok(items)
}

pub(super) fn history(connection: &Connection, key: &Key) -> rusqlite::Result<Vec<FeedItem>> {
    connection
        .prepare_cached(
            "SELECT position, version, event, merchant, kind, id FROM event \
             WHERE merchant = ?1 AND kind = ?2 AND id = ?3 ORDER BY position",
        )?
        .query_map(params![key.merchant, key.kind, key.id], feed_item)?
        .collect()
}

/// The last event that is not after `at`.
pub(super) fn mark(connection: &mut Connection, at: Option<u64>) -> rusqlite::Result<Mark> {
    let moment = connection.transaction()?;
    let store = moment.query_row("SELECT value FROM meta WHERE name = 'store'", [], |row| row.get(0))?;
    let found: Option<(i64, String)> = moment
        .prepare_cached("SELECT position, event FROM event WHERE position <= ?1 ORDER BY position DESC LIMIT 1")?
        .query_row([at.map_or(i64::MAX, number)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (position, event) = found.unwrap_or_default();
    Ok(Mark { store, position: position.cast_unsigned(), event: Link::to(&event) })
}

pub(super) fn answer(connection: &Connection, key: &str) -> rusqlite::Result<Option<Answer>> {
    connection
        .prepare_cached("SELECT key, fingerprint, status, sealed, version, given_at FROM answer WHERE key = ?1")?
        .query_row([key], |row| {
            Ok(Answer {
                key: row.get(0)?,
                fingerprint: row.get(1)?,
                status: row.get(2)?,
                sealed: row.get(3)?,
                version: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
                given_at: instant(row.get(5)?)?,
            })
        })
        .optional()
}

pub(super) fn callbacks(connection: &Connection, merchant: &str, limit: usize) -> rusqlite::Result<Vec<Callback>> {
    connection
        .prepare_cached(
            "SELECT merchant, received_at, verdict, reason, order_id, sealed FROM callback \
             WHERE merchant = ?1 ORDER BY position DESC LIMIT ?2",
        )?
        .query_map(params![merchant, rows(limit)], |row| {
            Ok(Callback {
                merchant: row.get(0)?,
                received_at: instant(row.get(1)?)?,
                verdict: name(row.get(2)?),
                reason: row.get(3)?,
                order: row.get(4)?,
                sealed: row.get(5)?,
            })
        })?
        .collect()
}

fn listed(row: &Row<'_>, merchant: &str, kind: &'static str) -> rusqlite::Result<(Key, Stored)> {
    let key = Key { merchant: merchant.to_owned(), kind, id: row.get(0)? };
    Ok((key, Stored { version: row.get::<_, i64>(1)?.cast_unsigned(), state: row.get(2)? }))
}

fn feed_item(row: &Row<'_>) -> rusqlite::Result<FeedItem> {
    Ok(FeedItem {
        position: row.get::<_, i64>(0)?.cast_unsigned(),
        key: key(row, 3)?,
        version: row.get::<_, i64>(1)?.cast_unsigned(),
        event: row.get(2)?,
    })
}

fn key(row: &Row<'_>, at: usize) -> rusqlite::Result<Key> {
    Ok(Key { merchant: row.get(at)?, kind: name(row.get(at + 1)?), id: row.get(at + 2)? })
}

#[cfg(test)]
mod tests {
    use super::{super::schema::MIGRATIONS, *};

    #[test]
    fn a_run_reads_only_from_its_index_where_it_goes_on() {
        let connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
        for (statement, plan) in [
            (READY, "SEARCH aggregate USING INDEX aggregate_ready (merchant=? AND kind=? AND id>?)"),
            (TALLY, "SEARCH label USING PRIMARY KEY (merchant=? AND kind=? AND name=? AND value>? AND value<?)"),
        ] {
            let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
            let steps = explained.raw_query().mapped(|row| row.get(3)).collect::<Result<Vec<String>, _>>();
            assert_eq!(steps.unwrap(), [plan], "one step, nothing sorted");
        }
    }
}
