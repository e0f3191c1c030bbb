//! The connections that read. They never wait for the writer, nor it for them: each sees the store as the last commit
//! before its question left it.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{Options, schema::open_to_read};
use crate::ports::StoreError;

pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    /// One permit per connection.
    turns: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self, StoreError> {
        let readers = options.readers.get();
        let idle = (0..readers).map(|_| open_to_read(path, options)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(idle)), turns: Arc::new(Semaphore::new(readers)) })
    }

    /// Asks on a thread that may wait. The turn goes with the question, so that a caller who stops waiting does not give
    /// it to somebody else while the connection is still in use.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let failed = |error: &dyn std::error::Error| StoreError(format!("reading failed: {error}"));
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|error| failed(&error))?;
        let idle = Arc::clone(&self.idle);
        let asked = spawn_blocking(move || {
            let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            // None only after a question panicked and its connection was lost with it.
            let mut connection = taken.ok_or_else(|| StoreError("no connection is left to read with".to_owned()))?;
            let answer = question(&mut connection);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            drop(turn);
            Ok(answer)
        });
        asked.await.map_err(|error| failed(&error))??.map_err(|error| failed(&error))
    }
}
