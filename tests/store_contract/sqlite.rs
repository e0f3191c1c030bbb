//! SQLite: the suite, and how its file is opened.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use async_trait::async_trait;
use guichet::{
    adapters::sqlite::{Options, SqliteStore},
    ports::{Mode, Store},
};
use rusqlite::Connection;

use crate::{
    endurance::commit_until_killed,
    fixtures::{claims, key, write, writes},
    harness::{Harness, contract},
};

/// Names the store to a child process.
const CHILD: &str = "GUICHET_TEST_STORE";

contract!(SqliteFile::new());

/// A store's file, in a directory of its own.
pub(crate) struct SqliteFile {
    folder: PathBuf,
}

impl SqliteFile {
    pub(crate) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("guichet-store-{}-{number}", process::id()));
        fs::create_dir(&folder).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join("store.db")
    }

    pub(crate) fn open_with(&self, options: &Options) -> Arc<SqliteStore> {
        Arc::new(SqliteStore::open(self.path(), options).unwrap())
    }

    /// What any other program sees of the file.
    pub(crate) fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("store.db-wal")
    }
}

impl Drop for SqliteFile {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[async_trait]
impl Harness for SqliteFile {
    async fn open(&self) -> Arc<dyn Store> {
        self.open_with(&options())
    }

    fn child(&self) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        let test = "sqlite::child_that_is_killed";
        command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD, self.path());
        command
    }
}

/// Patient, because tests share the disk; a store that waits this long for a lock has failed.
pub(crate) fn options() -> Options {
    Options { busy_timeout: std::time::Duration::from_secs(60), ..Options::new(Mode::Test) }
}

/// Does nothing unless another test started it for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_is_killed() {
    if let Some(path) = env::var_os(CHILD) {
        commit_until_killed(Arc::new(SqliteStore::open(path, &options()).unwrap())).await;
    }
}

fn refusal(path: &Path, options: &Options) -> String {
    SqliteStore::open(path, options).map(drop).unwrap_err().to_string()
}

#[tokio::test]
async fn a_store_keeps_its_mode() {
    for (made, asked) in [(Mode::Live, Mode::Test), (Mode::Test, Mode::Live)] {
        let file = SqliteFile::new();
        drop(file.open_with(&Options::new(made)));
        let refused = refusal(&file.path(), &Options::new(asked));
        assert!(refused.contains(&format!("of {} mode, not of {} mode", made.name(), asked.name())), "{refused}");
        // Nor did asking change it.
        drop(file.open_with(&Options::new(made)));
    }
}

#[tokio::test]
async fn a_newer_or_broken_schema_is_refused() {
    for version in [4, i32::MAX, -1] {
        let file = SqliteFile::new();
        drop(file.open_with(&options()));
        file.raw().pragma_update(None, "user_version", version).unwrap();
        let refused = refusal(&file.path(), &options());
        assert!(refused.contains(&format!("has schema {version}, this program knows up to 3")), "{refused}");
    }
}

#[tokio::test]
async fn a_file_of_something_else_is_refused_and_left_alone() {
    let file = SqliteFile::new();
    let other = file.raw();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(other);
    let before = fs::read(file.path()).unwrap();
    assert!(refusal(&file.path(), &options()).contains("is not a store of guichet"));
    assert_eq!(fs::read(file.path()).unwrap(), before);

    fs::write(file.path(), "order,amount\n".repeat(99)).unwrap();
    assert!(refusal(&file.path(), &options()).contains("cannot be used"));
    assert!(refusal(&file.folder, &options()).contains("cannot be opened"));
    assert!(refusal(&file.folder.join("none/store.db"), &options()).contains("cannot be opened"));
}

#[tokio::test]
async fn a_store_is_one_private_file_when_closed() {
    let file = SqliteFile::new();
    let store = file.open_with(&options());
    store.commit(writes([write(&key("a", "1"), 0)])).await.unwrap();
    for path in [file.path(), file.log()] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
    }
    let pragma = |name| file.raw().pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((pragma("application_id"), pragma("user_version")), (0x6775_6963, 3));
    drop(store);
    assert!(!file.log().exists());
    assert!(file.open_with(&options()).load(&key("a", "1")).await.unwrap().is_some());
}

#[tokio::test]
async fn many_may_open_a_new_file_at_once() {
    let file = SqliteFile::new();
    thread::scope(|scope| {
        let opened: Vec<_> = (0..8).map(|_| scope.spawn(|| file.open_with(&options()))).collect();
        for store in opened {
            drop(store.join().unwrap());
        }
    });
    assert!(file.open_with(&options()).load(&key("a", "1")).await.unwrap().is_none());
}

#[tokio::test]
async fn what_happened_cannot_be_rewritten() {
    let file = SqliteFile::new();
    let store = file.open_with(&options());
    store.commit(writes([write(&key("a", "1"), 0)])).await.unwrap();
    store.commit(claims([crate::fixtures::claim("a", "v1", "one")])).await.unwrap();
    let raw = file.raw();
    for (statement, refused) in [
        ("UPDATE event SET event = '{}'", "an event is never changed"),
        ("UPDATE event SET position = position + 1", "an event is never changed"),
        ("DELETE FROM event", "an event is never deleted"),
        ("UPDATE claim SET owner = 'two'", "a claim is never changed"),
        ("DELETE FROM claim", "a claim is never deleted"),
        ("UPDATE aggregate SET state = '{}'", "a version grows by one"),
        ("UPDATE aggregate SET version = 1", "a version grows by one"),
        ("UPDATE aggregate SET version = version + 2", "a version grows by one"),
        ("DELETE FROM aggregate", "FOREIGN KEY"),
        ("INSERT INTO aggregate VALUES ('a', 'order', '2', 2, '{}', NULL, NULL)", "an aggregate begins with version 1"),
        ("INSERT INTO event (merchant, kind, id, version, event) VALUES ('a', 'order', '9', 1, '{}')", "FOREIGN KEY"),
        ("INSERT INTO counter VALUES ('c', 'many')", "TEXT value in INTEGER column"),
    ] {
        raw.pragma_update(None, "foreign_keys", true).unwrap();
        let error = raw.execute_batch(statement).unwrap_err().to_string();
        assert!(error.contains(refused), "{statement}: {error}");
    }
    assert_eq!(store.history(&key("a", "1")).await.unwrap()[0].event, r#"{"made":1}"#);
}
