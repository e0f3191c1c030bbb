//! What each process remembers of the store, apart from it. It outlives a crash.

use async_trait::async_trait;
use guichet::{
    domain::reconcile::{Leaving, Mark},
    ports::{Journal, JournalError},
};

use crate::world::World;

pub(crate) struct SimJournal {
    pub(crate) world: World,
    pub(crate) process: usize,
}

#[async_trait]
impl Journal for SimJournal {
    async fn read(&self) -> Result<Option<(Mark, Vec<Leaving>)>, JournalError> {
        self.world.pause().await;
        Ok(self.world.with(|inner| inner.journals.get(&self.process).cloned()))
    }

    async fn begin(&self, mark: &Mark, calls: &[Leaving]) -> Result<(), JournalError> {
        self.world.pause().await;
        self.world.with(|inner| inner.journals.insert(self.process, (mark.clone(), calls.to_vec())));
        Ok(())
    }

    async fn note(&self, mark: &Mark, call: Option<&Leaving>) -> Result<(), JournalError> {
        self.world.pause().await;
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
