//! The journal in a file of its own: lines of JSON, each flushed to the disk before anybody goes on.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use crate::{
    domain::reconcile::{Leaving, Mark},
    ports::{Journal, JournalError},
};

/// A line: how far the store had come, and what left then, if anything did.
#[derive(Serialize, Deserialize)]
struct Line {
    mark: Mark,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<Leaving>,
}

/// The journal at one path. Of two processes that serve one store, each has its own.
pub struct FileJournal {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    /// Open for appending, once it was begun, of the store of this name.
    file: Mutex<Option<(String, File)>>,
    /// After a failed flush nobody knows what is on the disk.
    failure: OnceLock<String>,
}

impl FileJournal {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { inner: Arc::new(Inner { path: path.into(), file: Mutex::new(None), failure: OnceLock::new() }) }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        let inner = Arc::clone(&self.inner);
        let done = spawn_blocking(move || {
            work(&inner).map_err(|error| JournalError(format!("{}: {error}", inner.path.display())))
        });
        done.await.map_err(|error| JournalError(error.to_string()))?
    }
}

impl Inner {
    fn read(&self) -> io::Result<Option<(Mark, Vec<Leaving>)>> {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let (mut latest, mut calls) = (None, Vec::new());
        // A line without its end was being written when the power went: what it tells of had not left yet.
        for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let Line { mark, call } = serde_json::from_str(line)?;
            latest = Some(mark);
            calls.extend(call);
        }
        Ok(latest.map(|mark| (mark, calls)))
    }

    /// Written beside it and put in its place, so that there is always the one or the other.
    fn begin(&self, store: String, lines: &[u8]) -> io::Result<()> {
        let mut part = self.path.clone().into_os_string();
        part.push(".part");
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&part)?;
        file.write_all(lines)?;
        file.sync_all()?;
        fs::rename(&part, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        let file = OpenOptions::new().append(true).open(&self.path)?;
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some((store, file));
        Ok(())
    }

    fn note(&self, store: &str, line: &[u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = self.failure.get() {
            return Err(io::Error::other(format!("it failed before: {why}")));
        }
        let (begun, file) = file.as_mut().ok_or_else(|| io::Error::other("it was not begun"))?;
        if begun != store {
            return Err(io::Error::other("it is another store's"));
        }
        let noted = file.write_all(line).and_then(|()| {
            crate::failpoint::pass("journal.written");
            file.sync_data()
        });
        if let Err(error) = &noted {
            self.failure.get_or_init(|| error.to_string());
        }
        noted
    }
}

fn line_of(mark: &Mark, call: Option<&Leaving>) -> Result<String, JournalError> {
    let line = Line { mark: mark.clone(), call: call.cloned() };
    let text = serde_json::to_string(&line).map_err(|error| JournalError(error.to_string()))?;
    Ok(text + "\n")
}

#[async_trait]
impl Journal for FileJournal {
    async fn read(&self) -> Result<Option<(Mark, Vec<Leaving>)>, JournalError> {
        self.blocking(Inner::read).await
    }

    async fn begin(&self, mark: &Mark, calls: &[Leaving]) -> Result<(), JournalError> {
        let mut lines = line_of(mark, None)?;
        for call in calls {
            lines += &line_of(mark, Some(call))?;
        }
        let store = mark.store.clone();
        self.blocking(move |inner| inner.begin(store, lines.as_bytes())).await
    }

    async fn note(&self, mark: &Mark, call: Option<&Leaving>) -> Result<(), JournalError> {
        let (store, line) = (mark.store.clone(), line_of(mark, call)?);
        self.blocking(move |inner| inner.note(&store, line.as_bytes())).await
    }

    fn health(&self) -> Result<(), JournalError> {
        self.inner.failure.get().map_or(Ok(()), |why| Err(JournalError(why.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::chain::Link;

    fn mark(position: u64) -> Mark {
        Mark { store: "one".to_owned(), position, event: Link::to("{}") }
    }

    #[tokio::test]
    async fn what_was_noted_is_read_back_and_a_torn_line_is_not() {
        let folder = std::env::temp_dir().join(format!("guichet-journal-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("journal");
        let journal = FileJournal::new(&path);
        assert_eq!(journal.read().await, Ok(None), "there is none yet");
        assert!(journal.note(&mark(1), None).await.is_err(), "it was not begun");
        journal.begin(&mark(2), &[Leaving::example(1)]).await.unwrap();
        journal.note(&mark(3), Some(&Leaving::example(2))).await.unwrap();
        journal.note(&mark(4), None).await.unwrap();
        let other = Mark { store: "two".to_owned(), ..mark(5) };
        assert!(journal.note(&other, None).await.is_err(), "of another store");
        let known = Some((mark(4), vec![Leaving::example(1), Leaving::example(2)]));
        assert_eq!(journal.read().await, Ok(known.clone()));
        assert!(journal.note(&mark(5), None).await.is_err(), "it was read, and not begun again");
        assert_eq!(FileJournal::new(&path).read().await, Ok(known.clone()));
        let mut text = fs::read(&path).unwrap();
        text.extend(b"{\"mark\":{\"store\":\"on");
        fs::write(&path, text).unwrap();
        assert_eq!(FileJournal::new(&path).read().await, Ok(known), "a torn line");
        fs::write(&path, "{}\n").unwrap();
        assert!(FileJournal::new(&path).read().await.is_err(), "a line that is none");
        fs::remove_dir_all(folder).unwrap();
    }
}
