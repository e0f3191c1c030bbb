//! What each change does to the tables. Runs inside a savepoint: whatever is returned as an error is undone.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::columns::{number, rows};
use crate::{
    adapters::kept::{Block, days, micros, micros_after},
    ports::{Answer, Callback, Claim, Commit, CommitError, Write},
};

/// What became of a change: the outer error is the file's, the inner one the contract's.
pub(super) type Change<T> = rusqlite::Result<Result<T, CommitError>>;

macro_rules! kept {
    ($change:expr) => {
        if let Err(lost) = $change? {
            return Ok(Err(lost));
        }
    };
}

/// All of a commit. The answer comes first: a request that is repeated hears that it was answered, whatever else its
/// first run has changed or claimed.
pub(super) fn commit(connection: &Connection, commit: &Commit) -> Change<()> {
    if let Some(answer) = &commit.answer {
        kept!(give(connection, answer));
    }
    for write in &commit.writes {
        kept!(replace(connection, write));
    }
    for claim in &commit.claims {
        kept!(take(connection, claim));
    }
    for callback in &commit.callbacks {
        keep(connection, callback)?;
    }
    Ok(Ok(()))
}

pub(super) fn give(connection: &Connection, answer: &Answer) -> Change<()> {
    let given = connection
        .prepare_cached(
            "INSERT INTO answer (key, fingerprint, status, sealed, version, given_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            answer.key,
            answer.fingerprint,
            answer.status,
            answer.sealed,
            answer.version.map(u64::cast_signed),
            micros(answer.given_at)
        ])?;
    Ok(if given == 1 { Ok(()) } else { Err(CommitError::Answered) })
}

/// The compare-and-set. Nobody else can write between its comparison and the end of the transaction, which holds the
/// only write lock of the file.
fn replace(connection: &Connection, write: &Write) -> Change<()> {
    let key = &write.key;
    let (wake_at, ready_on) = (write.wake_at.map(micros_after), write.ready_on.map(days));
    // No aggregate has a version beyond i64, so an expectation beyond it is never met.
    let Some((expected, version)) =
        i64::try_from(write.expected_version).ok().and_then(|expected| Some((expected, expected.checked_add(1)?)))
    else {
        return Ok(Err(CommitError::Conflict(key.clone())));
    };
    let replaced = if expected == 0 {
        connection
            .prepare_cached(
                "INSERT INTO aggregate (merchant, kind, id, version, state, wake_at, ready_on) \
                 VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            )?
            .execute(params![key.merchant, key.kind, key.id, write.state, wake_at, ready_on])?
    } else {
        connection
            .prepare_cached(
                "UPDATE aggregate SET version = ?4 + 1, state = ?5, wake_at = ?6, ready_on = ?7 \
                 WHERE merchant = ?1 AND kind = ?2 AND id = ?3 AND version = ?4",
            )?
            .execute(params![key.merchant, key.kind, key.id, expected, write.state, wake_at, ready_on])?
    };
    if replaced != 1 {
        return Ok(Err(CommitError::Conflict(key.clone())));
    }
    append(connection, write, version)?;
    relabel(connection, write, expected == 0)?;
    Ok(Ok(()))
}

fn append(connection: &Connection, write: &Write, version: i64) -> rusqlite::Result<()> {
    let key = &write.key;
    let mut append = connection
        .prepare_cached("INSERT INTO event (merchant, kind, id, version, event) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for event in &write.events {
        append.execute(params![key.merchant, key.kind, key.id, version, event])?;
    }
    Ok(())
}

/// What SQLite has noted as the last position is the last that it gives to nobody again.
pub(super) fn skip(connection: &Connection, positions: u64) -> Change<()> {
    let positions = number(positions);
    let skipped = connection.execute("UPDATE sqlite_sequence SET seq = seq + ?1 WHERE name = 'event'", [positions])?;
    if skipped == 0 {
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('event', ?1)", [positions])?;
    }
    Ok(Ok(()))
}

fn relabel(connection: &Connection, write: &Write, is_new: bool) -> rusqlite::Result<()> {
    let key = &write.key;
    if !is_new {
        connection
            .prepare_cached("DELETE FROM label WHERE merchant = ?1 AND kind = ?2 AND id = ?3")?
            .execute(params![key.merchant, key.kind, key.id])?;
    }
    // The same label twice is the label once.
    let mut label = connection.prepare_cached(
        "INSERT INTO label (merchant, kind, name, value, id) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?;
    for (name, value) in &write.labels {
        label.execute(params![key.merchant, key.kind, name, value, key.id])?;
    }
    Ok(())
}

fn take(connection: &Connection, claim: &Claim) -> Change<()> {
    let taken = connection
        .prepare_cached(
            "INSERT INTO claim (merchant, kind, value, owner) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![claim.merchant, claim.kind, claim.value, claim.owner])?;
    if taken == 1 {
        return Ok(Ok(()));
    }
    let owner: String = connection
        .prepare_cached("SELECT owner FROM claim WHERE merchant = ?1 AND kind = ?2 AND value = ?3")?
        .query_row(params![claim.merchant, claim.kind, claim.value], |row| row.get(0))?;
    Ok(if owner == claim.owner { Ok(()) } else { Err(CommitError::Taken { claim: claim.clone(), owner }) })
}

pub(super) fn keep(connection: &Connection, callback: &Callback) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO callback (merchant, received_at, verdict, reason, order_id, sealed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            callback.merchant,
            micros(callback.received_at),
            callback.verdict,
            callback.reason,
            callback.order,
            callback.sealed
        ])?;
    Ok(())
}

/// Keeps a callback and forgets the merchant's oldest that belong to no order. The latest are those that were kept last,
/// so that a clock that steps back cannot drop what just came in.
pub(super) fn keep_callback(connection: &Connection, callback: &Callback, at_most: usize) -> Change<()> {
    keep(connection, callback)?;
    connection
        .prepare_cached(
            "DELETE FROM callback WHERE merchant = ?1 AND order_id IS NULL AND position <= (SELECT position \
             FROM callback WHERE merchant = ?1 AND order_id IS NULL ORDER BY position DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![callback.merchant, rows(at_most)])?;
    Ok(Ok(()))
}

pub(super) fn forget_answers(connection: &Connection, before: Timestamp) -> Change<()> {
    connection.prepare_cached("DELETE FROM answer WHERE given_at < ?1")?.execute([micros(before)])?;
    Ok(Ok(()))
}

/// Gives the next block. When fewer numbers than asked for are left up to `last`, those few are skipped and never given,
/// and the block begins at 1.
pub(super) fn reserve(connection: &Connection, counter: &str, block: Block) -> Change<u32> {
    let next: Option<i64> = connection
        .prepare_cached("SELECT next FROM counter WHERE name = ?1")?
        .query_row([counter], |row| row.get(0))
        .optional()?;
    let next = next.unwrap_or(i64::from(block.start));
    let fits = next + i64::from(block.count) - 1 <= i64::from(block.last);
    // What does not fit in u32 is beyond `last`.
    let first = u32::try_from(next).ok().filter(|_| fits).unwrap_or(1);
    connection
        .prepare_cached(
            "INSERT INTO counter (name, next) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET next = excluded.next",
        )?
        .execute(params![counter, number(u64::from(first) + u64::from(block.count))])?;
    Ok(Ok(first))
}
