//! The one writer. Durability costs a flush of the disk, and a flush costs the same for one change as for sixty-four; so
//! changes that wait while the disk flushes are written together, in one transaction, with a savepoint each.
//!
//! Nobody is answered before the transaction is on disk. When it is not sure that it is, everybody in it hears
//! [`CommitError::Unavailable`], and the writer stops for good: after a failed flush the operating system may have
//! dropped the pages and report success the next time, so trying again could confirm what is lost. Reads go on; a
//! restart reads what is really there.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, ErrorCode, config::DbConfig};
use tokio::sync::oneshot;

use super::{changes::Change, schema::is_busy};
use crate::{failpoint, ports::CommitError};

/// Changes in one transaction, at most.
const GROUP_MAX: usize = 64;

/// The thread that writes, and the queue before it. Dropping it finishes what is queued.
pub(super) struct Writer {
    queue: Option<SyncSender<Box<dyn Task>>>,
    thread: Option<JoinHandle<()>>,
    failure: Failure,
}

/// Why the writer takes no more changes, once it does not.
type Failure = Arc<OnceLock<String>>;

impl Writer {
    pub(super) fn start(connection: Connection, queue_max: usize) -> io::Result<Self> {
        let (queue, tasks) = sync_channel(queue_max);
        let failure = Failure::default();
        let noted = Arc::clone(&failure);
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || work(connection, &tasks, &noted))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), failure })
    }

    /// Says why no more changes are taken, if that is so.
    pub(super) fn health(&self) -> Result<(), String> {
        match self.failure.get() {
            Some(why) => Err(refusal(why)),
            // It ends before its time only by a panic.
            None if self.thread.as_ref().is_none_or(JoinHandle::is_finished) => Err(STOPPED.to_owned()),
            None => Ok(()),
        }
    }

    /// Makes one change, durable on return. A caller that stops waiting does not stop the change: it is as after a
    /// crash, nobody knows until they look.
    pub(super) async fn make<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Change<T> + Send + 'static,
    ) -> Result<T, CommitError> {
        let (reply, answer) = oneshot::channel();
        let Some(queue) = &self.queue else { return Err(stopped()) };
        queue.try_send(Box::new(Single { change: Some(change), outcome: None, reply })).map_err(
            |error| match error {
                TrySendError::Full(_) => CommitError::Unavailable("too many changes are waiting".to_owned()),
                TrySendError::Disconnected(_) => stopped(),
            },
        )?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // An error is a panic of the writer, which its own thread has reported.
            let _ = thread.join();
        }
    }
}

const STOPPED: &str = "the writer has stopped";

fn stopped() -> CommitError {
    CommitError::Unavailable(STOPPED.to_owned())
}

fn refusal(why: &str) -> String {
    format!("it failed before and takes no more changes: {why}")
}

/// A change with somebody who waits for it.
trait Task: Send {
    /// Makes the change; `false` when it is to be undone.
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<bool>;
    /// Tells the one who waits: what [`Task::run`] found if the group is on disk, else why that is not known.
    fn answer(self: Box<Self>, group: &Result<(), String>);
}

struct Single<T, F> {
    change: Option<F>,
    outcome: Option<Result<T, CommitError>>,
    reply: oneshot::Sender<Result<T, CommitError>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Change<T> + Send> Task for Single<T, F> {
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let Some(change) = self.change.take() else { return Ok(false) };
        let outcome = match change(connection) {
            Err(error) if is_about_the_value(&error) => Err(CommitError::Unavailable(error.to_string())),
            made => made?,
        };
        let stands = outcome.is_ok();
        self.outcome = Some(outcome);
        Ok(stands)
    }

    fn answer(self: Box<Self>, group: &Result<(), String>) {
        let outcome = match (group, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(stopped()),
            (Err(why), _) => Err(CommitError::Unavailable(why.clone())),
        };
        // Nobody waits any more when this fails; what is on disk stays there.
        let _ = self.reply.send(outcome);
    }
}

fn work(connection: Connection, tasks: &Receiver<Box<dyn Task>>, failure: &OnceLock<String>) {
    while let Ok(first) = tasks.recv() {
        let mut group = vec![first];
        group.extend(tasks.try_iter().take(GROUP_MAX - 1));
        let fate = match failure.get() {
            Some(why) => Err(refusal(why)),
            None => write(&connection, &mut group).map_err(|error| {
                if !is_busy(&error) {
                    failure.get_or_init(|| error.to_string());
                }
                error.to_string()
            }),
        };
        failpoint::pass("store.committed");
        for task in group {
            task.answer(&fate);
        }
    }
    if failure.get().is_some() {
        // Closing would move the log into the file on a disk that cannot be trusted; the next start does it.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
}

/// One transaction. It waits for another process that writes as long as the busy timeout says; only then is an error
/// [`is_busy`].
fn write(connection: &Connection, group: &mut [Box<dyn Task>]) -> rusqlite::Result<()> {
    let written = execute(connection, "BEGIN IMMEDIATE")
        .and_then(|()| group.iter_mut().try_for_each(|task| try_one(connection, task.as_mut())))
        .and_then(|()| {
            failpoint::pass("store.written");
            execute(connection, "COMMIT")
        });
    if written.is_err() && !connection.is_autocommit() {
        execute(connection, "ROLLBACK")?;
    }
    written
}

fn try_one(connection: &Connection, task: &mut dyn Task) -> rusqlite::Result<()> {
    execute(connection, "SAVEPOINT one")?;
    if !task.run(connection)? {
        execute(connection, "ROLLBACK TO one")?;
    }
    execute(connection, "RELEASE one")
}

fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}

/// Whether SQLite refused what it was given, and nothing else is wrong: such a change is undone alone.
fn is_about_the_value(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch)
    )
}
