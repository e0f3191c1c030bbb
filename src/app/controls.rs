//! Whether "not found" means anything: it does only of a bank that finds what is known to be there.

use serde::{Deserialize, Serialize};

use super::{App, Error, merchant::Merchant};
use crate::{
    domain::{
        attempt::Host,
        bank::{Finding, Question},
        ids::Reference,
        money::Money,
    },
    ports::{Commit, CommitError, Key, Write},
};

/// How many debits that were accepted are kept to ask for.
const KEPT: usize = 3;

/// A debit that the bank accepted, and found again when it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Control {
    pub(super) reference: Reference,
    pub(super) amount: Money,
}

/// A merchant's controls, the latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Register {
    controls: Vec<Control>,
}

fn key(merchant: &Merchant) -> Key {
    Key { merchant: merchant.id.to_string(), kind: "register", id: "controls".to_owned() }
}

impl App {
    /// Whether this host finds, now, a debit that is known to have been accepted.
    pub(super) async fn finds_a_control(&self, merchant: &Merchant, host: Host) -> Result<bool, Error> {
        let Some(stored) = self.ports.store.load(&key(merchant)).await? else {
            return Ok(false);
        };
        let register: Register = serde_json::from_str(&stored.state)?;
        for control in &register.controls {
            if self.finds(merchant, host, control).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn finds(&self, merchant: &Merchant, host: Host, control: &Control) -> Result<bool, Error> {
        let question = Question::Find { reference: control.reference.clone(), amount: control.amount };
        Ok(matches!(self.question(merchant, host, &question).await?, Ok(Finding::Found(_))))
    }

    /// Asks a debit back that was just accepted, and keeps it as a control when the bank finds it.
    pub(super) async fn calibrate(&self, merchant: &Merchant, control: Control) -> Result<(), Error> {
        if !self.finds(merchant, Host::Main, &control).await? {
            return Ok(());
        }
        let stored = self.ports.store.load(&key(merchant)).await?;
        let mut register: Register =
            stored.as_ref().map(|stored| serde_json::from_str(&stored.state)).transpose()?.unwrap_or_default();
        register.controls.insert(0, control);
        register.controls.truncate(KEPT);
        let write = Write {
            key: key(merchant),
            expected_version: stored.map_or(0, |stored| stored.version),
            events: Vec::new(),
            state: serde_json::to_string(&register)?,
            wake_at: None,
            ready_on: None,
            labels: Vec::new(),
        };
        match self.ports.store.commit(Commit { writes: vec![write], ..Commit::default() }).await {
            // Somebody else kept one at the same time, which does as well.
            Ok(()) | Err(CommitError::Conflict(_)) => Ok(()),
            Err(CommitError::Unavailable(why)) => Err(Error::Unavailable(why)),
            Err(CommitError::Taken { .. } | CommitError::Answered) => {
                Err(Error::Defect("a register that claims something".to_owned()))
            }
        }
    }
}
