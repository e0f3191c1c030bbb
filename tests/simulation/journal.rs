//! What each process remembers of the store, apart from it. It outlives a crash.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use guichet::{
    domain::reconcile::{Leaving, Mark},
    ports::{Journal, JournalError},
};

use crate::world::World;

pub(crate) struct SimJournal {
    world: World,
    process: usize,
    /// The store that it was begun with, since it was last read.
    begun: Mutex<Option<String>>,
}

impl SimJournal {
    pub(crate) fn new(world: World, process: usize) -> Self {
        Self { world, process, begun: Mutex::default() }
    }

    fn set_begun(&self, store: Option<&str>) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = store.map(str::to_owned);
    }
}

#[async_trait]
impl Journal for SimJournal {
    async fn name(&self) -> Result<String, JournalError> {
        Ok(format!("the journal of process {}", self.process))
    }

    async fn read(&self) -> Result<Option<(Mark, Vec<Leaving>)>, JournalError> {
        self.set_begun(None);
        self.world.pause().await;
        Ok(self.world.with(|inner| inner.journals.get(&self.process).cloned()))
    }

    async fn begin(&self, mark: &Mark, calls: &[Leaving]) -> Result<(), JournalError> {
        self.world.pause().await;
        self.world.with(|inner| inner.journals.insert(self.process, (mark.clone(), calls.to_vec())));
        self.set_begun(Some(&mark.store));
        Ok(())
    }

    async fn note(&self, mark: &Mark, call: Option<&Leaving>) -> Result<(), JournalError> {
        self.world.pause().await;
        if self.begun.lock().unwrap_or_else(PoisonError::into_inner).as_ref() != Some(&mark.store) {
            return Err(JournalError("it was not begun, or with another store".to_owned()));
        }
        self.world.with(|inner| {
            if let Some((latest, calls)) = inner.journals.get_mut(&self.process) {
                latest.clone_from(mark);
                calls.extend(call.cloned());
            }
        });
        self.world.pause().await;
        Ok(())
    }

    fn health(&self) -> Result<(), JournalError> {
        Ok(())
    }
}
