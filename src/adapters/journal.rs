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
use uuid::Uuid;

use crate::{
    domain::reconcile::{Leaving, Mark},
    ports::{Journal, JournalError},
};

/// Another on each machine, and after each start of it.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// A line: how far the store had come, and what left then, if anything did.
#[derive(Serialize, Deserialize)]
struct Line {
    /// The journal's name, in its first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    journal: Option<String>,
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
    /// Once it was asked for. A journal that is begun for others to serve with has none.
    name: Mutex<Option<String>>,
    /// After a failed flush nobody knows what is on the disk.
    failure: OnceLock<String>,
}

impl FileJournal {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let (path, file, name) = (path.into(), Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { path, file, name, failure: OnceLock::new() }) }
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
    fn lines(&self) -> io::Result<Vec<Line>> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        // A line without its end was being written when the power went: what it tells of had not left yet.
        let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        whole.map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    fn name(&self) -> io::Result<String> {
        let mut name = self.name.lock().unwrap_or_else(PoisonError::into_inner);
        if name.is_none() {
            *name = self.lines()?.into_iter().find_map(|line| line.journal);
        }
        let name = name.get_or_insert_with(|| Uuid::now_v7().simple().to_string());
        // Whoever sets a machine up as another was may copy its journal too.
        Ok(format!("{name}@{}", fs::read_to_string(BOOT).unwrap_or_default().trim()))
    }

    fn read(&self) -> io::Result<Option<(Mark, Vec<Leaving>)>> {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let (mut latest, mut calls) = (None, Vec::new());
        for Line { mark, call, .. } in self.lines()? {
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

fn line_of(journal: Option<String>, mark: &Mark, call: Option<&Leaving>) -> Result<String, JournalError> {
    let line = Line { journal, mark: mark.clone(), call: call.cloned() };
    let text = serde_json::to_string(&line).map_err(|error| JournalError(error.to_string()))?;
    Ok(text + "\n")
}

#[async_trait]
impl Journal for FileJournal {
    async fn name(&self) -> Result<String, JournalError> {
        self.blocking(Inner::name).await
    }

    async fn read(&self) -> Result<Option<(Mark, Vec<Leaving>)>, JournalError> {
        self.blocking(Inner::read).await
    }

    async fn begin(&self, mark: &Mark, calls: &[Leaving]) -> Result<(), JournalError> {
        let name = self.inner.name.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut lines = line_of(name, mark, None)?;
        for call in calls {
            lines += &line_of(None, mark, Some(call))?;
        }
        let store = mark.store.clone();
        self.blocking(move |inner| inner.begin(store, lines.as_bytes())).await
    }

    async fn note(&self, mark: &Mark, call: Option<&Leaving>) -> Result<(), JournalError> {
        let (store, line) = (mark.store.clone(), line_of(None, mark, call)?);
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
    async fn a_name_is_kept_and_no_other_has_it() {
        let folder = std::env::temp_dir().join(format!("guichet-journal-name-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("journal");
        // As `store copy` begins it, to be put on several machines.
        FileJournal::new(&path).begin(&mark(1), &[Leaving::example(1)]).await.unwrap();
        let (one, other) = (FileJournal::new(&path), FileJournal::new(&path));
        let name = one.name().await.unwrap();
        assert_ne!(name, other.name().await.unwrap(), "each makes its own");
        assert_eq!(name, one.name().await.unwrap());
        one.begin(&mark(2), &[Leaving::example(1)]).await.unwrap();
        one.note(&mark(3), None).await.unwrap();
        assert_eq!(FileJournal::new(&path).name().await.unwrap(), name);
        assert_eq!(FileJournal::new(&path).read().await, Ok(Some((mark(3), vec![Leaving::example(1)]))));
        assert_ne!(FileJournal::new(folder.join("new")).name().await.unwrap(), name);
        fs::remove_dir_all(folder).unwrap();
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
