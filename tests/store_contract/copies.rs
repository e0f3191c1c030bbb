//! A store taken apart and put together again, of the same kind and of the other.

use std::sync::Arc;

use async_trait::async_trait;
use guichet::{
    adapters::{
        redis::{self as shared, Place, RedisStore},
        sqlite::{Options, SqliteStore},
    },
    ports::{Basin, CommitError, Mode, Moved, Row, Rows, Store, StoreError, Turns},
};

use crate::{
    fixtures::{callback, everything, key, write, writes},
    redis::{full, open_with, options},
    redis_servers::{Cluster, Server},
};

/// Pours into another store, but for what is to be lost on the way.
struct Into<'a> {
    to: &'a dyn Rows,
    left: usize,
}

#[async_trait]
impl Basin for Into<'_> {
    async fn take(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        self.left = self.left.checked_sub(rows.len()).ok_or_else(|| StoreError("the line is cut".to_owned()))?;
        self.to.fill(rows).await
    }
}

trait Both: Store + Rows {}
impl<T: Store + Rows> Both for T {}

/// Enough for several pages of each, and one of everything that is peculiar.
async fn fill(store: &dyn Both) {
    for number in 0..620 {
        store.commit(full(number)).await.unwrap();
    }
    for number in 0..3 {
        store.keep_callback(callback("b:}{", number), 2).await.unwrap();
    }
    let again = writes([write(&key("a", "7"), 1), write(&key("b%:", "x:y"), 0)]);
    store.commit(again).await.unwrap();
    store.reserve("questions", 1, 99, 7).await.unwrap();
}

async fn seen(store: &dyn Both) -> String {
    let mut seen = everything(store).await;
    for id in ["7", "8", "nobody"] {
        seen += &format!("{:?}\n", store.history(&key("a", id)).await.unwrap());
    }
    seen += &format!("{:?}\n", store.feed(&["b%:".to_owned(), "a".to_owned()], 600, 99).await.unwrap());
    seen += &format!("{:?}\n", store.callbacks("b:}{", 9).await.unwrap());
    let mark = store.mark(None).await.unwrap();
    seen + &format!("{} {:?} {}", mark.position, mark.event, Rows::count(store).await.unwrap())
}

async fn copy(from: &dyn Both, to: &dyn Both) {
    to.begin_copy().await.unwrap();
    from.pour(&mut Into { to, left: usize::MAX }).await.unwrap();
    to.end_copy().await.unwrap();
    let expected = seen(from).await;
    assert_eq!(seen(to).await, expected);
    assert!(to.begin_copy().await.unwrap_err().0.contains("not empty"));
    assert!(to.fill(Vec::new()).await.unwrap_err().0.contains("no copy that was begun"));
}

/// What comes next goes on where the original was.
async fn goes_on(store: &dyn Both) {
    assert_eq!(store.reserve("questions", 1, 99, 1).await.unwrap(), 8);
    let before = store.mark(None).await.unwrap().position;
    store.commit(writes([write(&key("a", "7"), 2)])).await.unwrap();
    store.commit(writes([write(&key("a", "7"), 2)])).await.unwrap_err();
    assert!(store.mark(None).await.unwrap().position > before);
    store.commit(full(3)).await.unwrap_err();
    store.keep_callback(callback("b:}{", 9), 2).await.unwrap();
    assert_eq!(store.callbacks("b:}{", 9).await.unwrap(), [callback("b:}{", 9), callback("b:}{", 2)]);
    store.commit(writes([write(&key("new", "1"), 0)])).await.unwrap();
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("guichet-copies-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn file(folder: &std::path::Path, name: &str) -> SqliteStore {
    SqliteStore::open(folder.join(name), &Options::new(Mode::Test)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_what_the_original_was_whatever_keeps_it() {
    let (folder, server, cluster) = (folder("all"), Server::start(&[]), Cluster::start());
    let first = file(&folder, "first.db");
    fill(&first).await;
    let shared = open_with(&server.url("one"), &options()).await.unwrap();
    copy(&first, &shared).await;
    let other = open_with(&cluster.url("two"), &options()).await.unwrap();
    copy(&shared, &other).await;
    let last = file(&folder, "last.db");
    copy(&other, &last).await;
    let very_last = file(&folder, "very-last.db");
    copy(&last, &very_last).await;
    for store in [&first as &dyn Both, &shared, &other, &last, &very_last] {
        goes_on(store).await;
    }
    drop((last, shared));
    goes_on_refused(&file(&folder, "last.db")).await;
    goes_on_refused(&open_with(&server.url("one"), &options()).await.unwrap()).await;
    std::fs::remove_dir_all(folder).unwrap();
}

/// After opening it anew, a rule that a copy suspends is a rule again.
async fn goes_on_refused(store: &dyn Both) {
    assert!(store.begin_copy().await.is_err() && store.fill(Vec::new()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_cut_off_is_no_store() {
    let (folder, server) = (folder("cut"), Server::start(&[]));
    let first = file(&folder, "first.db");
    fill(&first).await;
    let (half, shared) = (file(&folder, "half.db"), open_with(&server.url("half"), &options()).await.unwrap());
    for to in [Arc::new(half) as Arc<dyn Both>, Arc::new(shared)] {
        to.begin_copy().await.unwrap();
        assert!(first.pour(&mut Into { to: &*to, left: 1_000 }).await.unwrap_err().0.contains("the line is cut"));
    }
    let unfinished = "holds a copy that was not finished";
    let refused = SqliteStore::open(folder.join("half.db"), &Options::new(Mode::Test)).map(drop).unwrap_err();
    assert!(refused.0.contains(unfinished), "{refused}");
    let refused = SqliteStore::check(folder.join("half.db"), Some(Mode::Test)).unwrap_err();
    assert!(refused.0.contains(unfinished), "{refused}");
    let refused = open_with(&server.url("half"), &options()).await.map(drop).unwrap_err();
    assert!(refused.0.contains(unfinished), "{refused}");
    let place = Place::parse(&server.url("half")).unwrap();
    let refused = RedisStore::check(place, &options(), None).await.unwrap_err();
    assert!(refused.0.contains(unfinished), "{refused}");
    std::fs::remove_dir_all(folder).unwrap();
}

fn away() -> Moved {
    Moved { to: "the other at h:1".to_owned(), at: "2026-03-02T08:00:00Z".parse().unwrap() }
}

const AWAY: &str = "was moved at 2026-03-02T08:00:00Z, and the other at h:1 is served instead";

/// Its only handle is given up before it is opened again.
async fn departs(store: &dyn Both) {
    fill(store).await;
    let last = store.mark(None).await.unwrap().position;
    assert_eq!(store.moved().await, Ok(None));
    for other in [0, last - 1, last + 1] {
        assert!(store.depart(other, &away()).await.unwrap_err().0.contains("changed the store"), "{other}");
    }
    assert_eq!(store.moved().await, Ok(None), "what was refused is not noted");
    store.depart(last, &away()).await.unwrap();
    assert_eq!(store.moved().await, Ok(Some(away())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_was_moved_is_opened_to_be_read_only() {
    let (folder, server) = (folder("moved"), Server::start(&[]));
    let path = folder.join("first.db");
    departs(&file(&folder, "first.db")).await;
    let refused = SqliteStore::open(&path, &Options::new(Mode::Test)).map(drop).unwrap_err();
    assert!(refused.0.contains(AWAY), "{refused}");
    let refused = SqliteStore::check(&path, Some(Mode::Test)).unwrap_err();
    assert!(refused.0.contains(AWAY), "{refused}");
    let store = SqliteStore::open(&path, &Options { even_moved: true, ..Options::new(Mode::Test) }).unwrap();
    assert!(store.mark(None).await.is_ok() && store.moved().await == Ok(Some(away())));
    store.come_back().await.unwrap();
    drop(store);
    goes_on(&file(&folder, "first.db")).await;

    let (url, even) = (server.url("one"), shared::Options { even_moved: true, ..options() });
    departs(&open_with(&url, &options()).await.unwrap()).await;
    let refused = open_with(&url, &options()).await.map(drop).unwrap_err();
    assert!(refused.0.contains(AWAY), "{refused}");
    let refused = RedisStore::check(Place::parse(&url).unwrap(), &options(), None).await.unwrap_err();
    assert!(refused.0.contains(AWAY), "{refused}");
    assert_eq!(RedisStore::check(Place::parse(&url).unwrap(), &even, None).await, Ok(true));
    let store = open_with(&url, &even).await.unwrap();
    let expected = seen(&store).await;
    store.come_back().await.unwrap();
    assert_eq!(seen(&store).await, expected);
    goes_on(&open_with(&url, &options()).await.unwrap()).await;
    std::fs::remove_dir_all(folder).unwrap();
}

/// A gateway that slept while its store was copied has it open still.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_it_open_changes_nothing_in_a_store_that_was_moved() {
    let server = Server::start(&[]);
    let url = server.url("one");
    let mover = open_with(&url, &options()).await.unwrap();
    let sleeper = open_with(&url, &options()).await.unwrap();
    departs(&mover).await;
    let expected = format!("{:?}", sleeper.feed(&["a".to_owned()], 0, 9).await.unwrap());
    match sleeper.commit(writes([write(&key("new", "1"), 0)])).await {
        Err(CommitError::Unavailable(why)) => assert!(why.contains(AWAY), "{why}"),
        other => panic!("{other:?}"),
    }
    let hour = std::time::Duration::from_secs(3_600);
    for refused in [
        sleeper.mark(None).await.map(drop),
        sleeper.health().await,
        sleeper.lease("x", "sleeper", hour).await.map(drop),
        sleeper.reserve("questions", 1, 99, 1).await.map(drop),
        sleeper.keep_callback(callback("b", 1), 2).await,
        sleeper.fill(Vec::new()).await,
    ] {
        let why = refused.unwrap_err().0;
        assert!(why.contains(AWAY), "{why}");
    }
    assert_eq!(format!("{:?}", sleeper.feed(&["a".to_owned()], 0, 9).await.unwrap()), expected, "it can be read");
    mover.come_back().await.unwrap();
    sleeper.commit(writes([write(&key("new", "1"), 0)])).await.unwrap();
}
