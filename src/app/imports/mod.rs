//! Files of PAYBOX's and the bank's: kept once, compared with our ledger whenever somebody looks, and settled drift by
//! drift by a person.

mod entries;
mod gather;

pub use entries::Entering;
pub(super) use gather::days;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    App, Error,
    access::{Caller, hex},
    merchant::Merchant,
};
use crate::{
    domain::{
        ids::MerchantId,
        statement::{Booked, Drifting, Import, ImportId, Rows, parse},
    },
    ports::{Claim, Commit, CommitError, Key, Write},
};

pub use crate::domain::statement::FileKind;

/// The most imports on one page of a list.
pub const MAX_PAGE: usize = 100;
/// A file that was read.
const IMPORT: &str = "import";
/// What people did about its drifts; apart from it, so that no click writes the file again.
const ENTRIES: &str = "import_entries";

/// An import, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub merchant: MerchantId,
    pub import: Import,
}

/// What people did about the drifts of one import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entries {
    pub(super) booked: Vec<Booked>,
}

fn key(merchant: &MerchantId, kind: &'static str, id: &ImportId) -> Key {
    Key { merchant: merchant.to_string(), kind, id: id.to_string() }
}

impl App {
    /// Keeps a file, or finds it kept: the same bytes are the same import, whoever brings them and how often. Tells
    /// whether it is new.
    ///
    /// # Errors
    /// [`Error::Faults`] with the first things that are wrong, [`Error::NotFound`] for a merchant that is not the
    /// caller's, [`Error::Unavailable`].
    pub async fn import(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        kind: FileKind,
        bytes: &[u8],
    ) -> Result<(Imported, bool), Error> {
        let merchant = &self.merchant_of(caller, merchant)?.id;
        let digest = hex(&Sha256::digest(bytes));
        let name = format!("{}/{digest}", kind.name());
        let store = &self.ports.store;
        if let Some(owner) = store.owner(merchant.as_str(), IMPORT, &name).await? {
            return Ok((self.load_owned(merchant, &owner).await?, false));
        }
        let rows = parse(kind, bytes).map_err(Error::Faults)?;
        let now = self.now();
        let id = ImportId::from_bits(self.ports.entropy.id(now));
        let import = Import { id, at: now, by: caller.actor.clone(), digest, rows };
        let event = serde_json::json!({
            "type": "imported",
            "file": kind,
            "digest": import.digest,
            "lines": import.rows.count(),
            "actor": import.by,
            "at": now,
        });
        let write = Write {
            key: key(merchant, IMPORT, &id),
            expected_version: 0,
            events: vec![event.to_string()],
            state: serde_json::to_string(&import)?,
            wake_at: None,
            ready_on: None,
            labels: labels_of(&import.rows),
        };
        let claim = Claim { merchant: merchant.to_string(), kind: IMPORT, value: name, owner: id.to_string() };
        match store.commit(Commit { writes: vec![write], claims: vec![claim], ..Commit::default() }).await {
            Ok(()) => Ok((Imported { merchant: merchant.clone(), import }, true)),
            // The same file came twice at the same time.
            Err(CommitError::Taken { owner, .. }) => Ok((self.load_owned(merchant, &owner).await?, false)),
            Err(CommitError::Unavailable(why)) => Err(Error::Unavailable(why)),
            Err(error @ (CommitError::Conflict(_) | CommitError::Answered)) => Err(Error::Defect(error.to_string())),
        }
    }

    /// Imports of one merchant, in the order in which they came.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a merchant that is not the caller's, [`Error::Unavailable`].
    pub async fn imports(
        &self,
        caller: &Caller,
        merchant: &MerchantId,
        after: Option<ImportId>,
        limit: usize,
    ) -> Result<Vec<Imported>, Error> {
        let merchant = &self.merchant_of(caller, merchant)?.id;
        let after = after.map(|id| id.to_string());
        self.listed_imports(merchant, &[], after.as_deref(), limit.min(MAX_PAGE + 1)).await
    }

    /// One import, if it is of a merchant of the caller's.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn find_import(&self, caller: &Caller, id: ImportId) -> Result<Imported, Error> {
        for merchant in &caller.merchants {
            if let Some(stored) = self.ports.store.load(&key(merchant, IMPORT, &id)).await? {
                return Ok(Imported { merchant: merchant.clone(), import: serde_json::from_str(&stored.state)? });
            }
        }
        Err(Error::NotFound)
    }

    /// Where a file and our ledger do not agree now, and what was done about it, by id.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn drifts(&self, caller: &Caller, imported: &Imported) -> Result<Vec<Drifting>, Error> {
        let merchant = self.merchant_of(caller, &imported.merchant)?;
        let (_, entries) = self.load_entries(&merchant.id, &imported.import.id).await?;
        self.drifts_with(caller, merchant, imported, &entries).await
    }

    async fn drifts_with(
        &self,
        caller: &Caller,
        merchant: &Merchant,
        imported: &Imported,
        entries: &Entries,
    ) -> Result<Vec<Drifting>, Error> {
        let now = match &imported.import.rows {
            Rows::Operations(rows) => self.operation_drifts(caller, merchant, &imported.import.id, rows).await?,
            Rows::Remittances(rows) => self.remittance_drifts(caller, merchant, &imported.import.id, rows).await?,
        };
        Ok(Drifting::of(now, &entries.booked))
    }

    async fn load_owned(&self, merchant: &MerchantId, owner: &str) -> Result<Imported, Error> {
        let lost = || Error::Defect("an import that is claimed is not there".to_owned());
        let id: ImportId = owner.parse().map_err(|_| lost())?;
        let stored = self.ports.store.load(&key(merchant, IMPORT, &id)).await?.ok_or_else(lost)?;
        Ok(Imported { merchant: merchant.clone(), import: serde_json::from_str(&stored.state)? })
    }

    /// What was done about an import's drifts, and in which version.
    async fn load_entries(&self, merchant: &MerchantId, id: &ImportId) -> Result<(u64, Entries), Error> {
        match self.ports.store.load(&key(merchant, ENTRIES, id)).await? {
            None => Ok((0, Entries::default())),
            Some(stored) => Ok((stored.version, serde_json::from_str(&stored.state)?)),
        }
    }

    /// What was done about drifts, of every import that has these labels.
    pub(super) async fn all_entries(
        &self,
        merchant: &MerchantId,
        labels: &[(&'static str, String)],
    ) -> Result<Vec<Entries>, Error> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let store = &self.ports.store;
            let page = store.list(merchant.as_str(), ENTRIES, labels, after.as_deref(), MAX_PAGE).await?;
            for (_, stored) in &page {
                all.push(serde_json::from_str(&stored.state)?);
            }
            match page.last() {
                Some((key, _)) if page.len() == MAX_PAGE => after = Some(key.id.clone()),
                Some(_) | None => return Ok(all),
            }
        }
    }

    async fn listed_imports(
        &self,
        merchant: &MerchantId,
        labels: &[(&'static str, String)],
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Imported>, Error> {
        let found = self.ports.store.list(merchant.as_str(), IMPORT, labels, after, limit).await?;
        let read = |stored: &str| Ok(Imported { merchant: merchant.clone(), import: serde_json::from_str(stored)? });
        found.iter().map(|(_, stored)| read(&stored.state)).collect()
    }

    /// Every import that has these labels.
    async fn all_imports(
        &self,
        merchant: &MerchantId,
        labels: &[(&'static str, String)],
    ) -> Result<Vec<Imported>, Error> {
        let mut all: Vec<Imported> = Vec::new();
        loop {
            let after = all.last().map(|last| last.import.id.to_string());
            let page = self.listed_imports(merchant, labels, after.as_deref(), MAX_PAGE).await?;
            let is_last = page.len() < MAX_PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }
}

/// What a file is found by: its days, and the remittances that it tells of.
fn labels_of(rows: &Rows) -> Vec<(&'static str, String)> {
    let mut labels: Vec<(&'static str, String)> = match rows {
        Rows::Operations(rows) => {
            let days = rows.iter().map(|row| ("operations_of", row.date.to_string()));
            days.chain(rows.iter().filter_map(|row| Some(("refunds_in", row.refunded_in()?.to_string())))).collect()
        }
        Rows::Remittances(rows) => rows.iter().map(|row| ("statement_of", row.remittance.to_string())).collect(),
    };
    labels.sort();
    labels.dedup();
    labels
}
