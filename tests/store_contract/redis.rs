//! Redis: the suite on one server, with Sentinels and on a cluster, and how a store is opened.

use std::{
    env,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use guichet::{
    adapters::redis::{Options, Place, RedisStore},
    ports::{Commit, Mode, Store, StoreError},
};
use jiff::civil::date;

use crate::{
    endurance::commit_until_killed,
    fixtures::{answer, at, callback, claim, everything, key, write, writes},
    harness::{Harness, contract},
    redis_servers::{Cluster, Server, Watched},
};

/// Names the store to a child process.
const CHILD: &str = "GUICHET_TEST_REDIS_STORE";

contract!(SharedStore::alone());
contract!(as with_sentinels, {
    let servers = Arc::new(Watched::start());
    move || SharedStore::on(Arc::clone(&servers), Watched::url)
});
contract!(as on_a_cluster, {
    let servers = Arc::new(Cluster::start());
    move || SharedStore::on(Arc::clone(&servers), Cluster::url)
});

/// A store of a name that no other has, on servers that live as long.
struct SharedStore<T> {
    _servers: Arc<T>,
    url: String,
}

impl SharedStore<Server> {
    fn alone() -> Self {
        Self::on(Arc::new(Server::start(&[])), Server::url)
    }
}

impl<T> SharedStore<T> {
    fn on(servers: Arc<T>, url: impl Fn(&T, &str) -> String) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let url = url(&servers, &format!("store-{}", MADE.fetch_add(1, Ordering::Relaxed)));
        Self { _servers: servers, url }
    }
}

#[async_trait]
impl<T: Send + Sync> Harness for SharedStore<T> {
    async fn open(&self) -> Arc<dyn Store> {
        open(&self.url).await
    }

    fn child(&self) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        let test = "redis::child_that_is_killed";
        command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD, &self.url);
        command
    }
}

/// Patient, because tests share the disk.
pub(crate) fn options() -> Options {
    let patient = Duration::from_secs(60);
    Options { connect_deadline: patient, answer_deadline: patient, ..Options::new(Mode::Test) }
}

pub(crate) async fn open_with(url: &str, options: &Options) -> Result<RedisStore, StoreError> {
    RedisStore::open(Place::parse(url).unwrap(), options).await
}

pub(crate) async fn open(url: &str) -> Arc<RedisStore> {
    Arc::new(open_with(url, &options()).await.unwrap())
}

/// Does nothing unless another test started it for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_is_killed() {
    if let Ok(url) = env::var(CHILD) {
        commit_until_killed(open(&url).await).await;
    }
}

/// One of everything that a commit can carry.
pub(crate) fn full(number: usize) -> Commit {
    let mut made = write(&key("a", &number.to_string()), 0);
    made.labels = vec![("payer", format!("p{}", number % 3)), ("status", "open:{}%".to_owned())];
    made.wake_at = Some(at(number as i64));
    made.ready_on = Some(date(2026, 12, 1));
    Commit {
        writes: vec![made],
        claims: vec![claim("a", &format!("v{number}"), "o")],
        callbacks: vec![callback("a", number as i64)],
        answer: Some(answer(&format!("k{number}"), at(0))),
    }
}

#[tokio::test]
async fn a_store_keeps_its_mode() {
    let server = Server::start(&[]);
    for (made, asked) in [(Mode::Live, Mode::Test), (Mode::Test, Mode::Live)] {
        let url = server.url(made.name());
        let place = || Place::parse(&url).unwrap();
        RedisStore::check(place(), &options(), Some(asked)).await.unwrap();
        assert_eq!(server.ask::<u32>(&format!("EXISTS {{guichet:{}}}:meta", made.name())), 0, "checking makes nothing");
        drop(open_with(&url, &Options::new(made)).await.unwrap());
        let opened = open_with(&url, &Options::new(asked)).await.map(drop).unwrap_err();
        let checked = RedisStore::check(place(), &options(), Some(asked)).await.unwrap_err();
        for refused in [opened, checked] {
            let said = format!("of {} mode, not of {} mode", made.name(), asked.name());
            assert!(refused.0.contains(&said), "{refused}");
        }
        drop(open_with(&url, &Options::new(made)).await.unwrap());
        RedisStore::check(place(), &options(), None).await.unwrap();
    }
}

#[tokio::test]
async fn another_schema_is_refused() {
    let server = Server::start(&[]);
    drop(open(&server.url("s")).await);
    server.tell("HSET {guichet:s}:meta schema 2");
    let refused = open_with(&server.url("s"), &options()).await.map(drop).unwrap_err();
    assert!(refused.0.contains("has schema 2, this program knows 1"), "{refused}");
}

#[tokio::test]
async fn all_keys_are_in_one_slot_and_another_store_is_apart() {
    let server = Server::start(&[]);
    let (one, other) = (open(&server.url("one")).await, open(&server.url("other")).await);
    let before = everything(other.as_ref()).await;
    for number in 0..9 {
        one.commit(full(number)).await.unwrap();
    }
    one.keep_callback(callback("a:}{", 1), 3).await.unwrap();
    one.commit(writes([write(&key("a}{:b", "{x}"), 0)])).await.unwrap();
    one.reserve("c", 1, 9, 1).await.unwrap();
    let keys: Vec<String> = server.ask("KEYS *");
    let theirs = keys.iter().filter(|key| key.starts_with("{guichet:other}:")).count();
    assert_eq!(theirs, 1, "{keys:?}");
    assert!(keys.len() > 30 && keys.iter().all(|key| key.starts_with("{guichet:")), "{keys:?}");
    assert_eq!(everything(other.as_ref()).await, before);
    assert_ne!(one.mark(None).await.unwrap().store, other.mark(None).await.unwrap().store);
}

#[tokio::test]
async fn many_may_make_a_new_store_at_once() {
    let server = Server::start(&[]);
    let mut opening = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let url = server.url("new");
        opening.spawn(async move { open(&url).await.mark(None).await.unwrap().store });
    }
    let mut names = opening.join_all().await;
    names.dedup();
    assert_eq!(names.len(), 1, "{names:?}");
}
