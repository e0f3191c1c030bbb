//! Moving everything from one store to another that is empty, and seeing that it has arrived.

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::{App, Error};
use crate::ports::{Basin, Moved, Row, Rows, StoreError};

/// What those hold together who serve a store, and who copies it: one or the other.
pub const SERVED: &str = "served";

/// The two sides of a copy.
pub struct Sides<'a> {
    pub from: (&'a App, &'a dyn Rows),
    pub to: (&'a App, &'a dyn Rows),
    /// What the target is called, without its secrets.
    pub name: &'a str,
}

/// How far a copy is: rows that are done, of how many. Each row is written once and read back once.
pub type Progress<'a> = &'a mut (dyn FnMut(u64, u64) -> Result<(), String> + Send);

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    pub rows: u64,
    /// What `audit` says of both sides alike.
    pub report: super::audit::Report,
}

/// What rows come to, in whatever order: how many, and the sum of their digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    lanes: [u64; 4],
}

impl Sum {
    fn add(&mut self, row: &Row) {
        let digest = Sha256::digest(format!("{row:?}"));
        let (words, _) = digest.as_chunks::<8>();
        for (lane, word) in self.lanes.iter_mut().zip(words) {
            *lane = lane.wrapping_add(u64::from_be_bytes(*word));
        }
        self.rows = self.rows.saturating_add(1);
    }
}

/// Counts what is poured, and fills another store with it, if there is one.
struct Through<'a, 'b> {
    sum: Sum,
    into: Option<&'a dyn Rows>,
    done: u64,
    all: u64,
    progress: Progress<'b>,
}

#[async_trait]
impl Basin for Through<'_, '_> {
    async fn take(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        rows.iter().for_each(|row| self.sum.add(row));
        self.done = self.done.saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        if let Some(into) = self.into {
            into.fill(rows).await?;
        }
        (self.progress)(self.done, self.all).map_err(StoreError)
    }
}

impl Sides<'_> {
    /// Copies everything. The target is a store only once both sides are found to be equal: same rows, same events up to
    /// the last, and the same to say for `audit`. Before that the source is noted as moved: at no time both can be served.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with what is wrong. What has been written by then is refused as unfinished.
    pub async fn copy(&self, progress: Progress<'_>) -> Result<Copied, Error> {
        let ((source, from), (target, to)) = (self.from, self.to);
        let wrong = |what: String| Error::Unavailable(what);
        let (before, all) = (source.ports.store.mark(None).await?, from.count().await?.saturating_mul(2));
        to.begin_copy().await?;
        let mut through = Through { sum: Sum::default(), into: Some(to), done: 0, all, progress };
        from.pour(&mut through).await?;
        let Through { sum: poured, done, progress, .. } = through;
        let mut back = Through { sum: Sum::default(), into: None, done, all, progress };
        to.pour(&mut back).await?;
        let (arrived, kept) = (back.sum, to.count().await?);
        if arrived != poured || kept != poured.rows {
            return Err(wrong(format!(
                "{} rows left, {} arrived, {kept} are kept, or not as they were",
                poured.rows, arrived.rows
            )));
        }
        let (after, there) = (source.ports.store.mark(None).await?, target.ports.store.mark(None).await?);
        if after != before {
            return Err(wrong("somebody changed the store while it was copied".to_owned()));
        }
        if (after.position, &after.event) != (there.position, &there.event) {
            return Err(wrong(format!("the last event is {} there and {} here", there.position, after.position)));
        }
        let (here, report) = (source.audit(false).await?, target.audit(false).await?);
        if here != report {
            return Err(wrong(format!("audit says {here:?} here and {report:?} there")));
        }
        from.depart(after.position, &Moved { to: self.name.to_owned(), at: source.now() }).await?;
        to.end_copy().await?;
        Ok(Copied { rows: poured.rows, report })
    }
}
