//! Redis when a server is lost, restarted, emptied, or a slot is on its way: what was is never taken for what is.

use std::collections::BTreeMap;

use guichet::ports::{Commit, CommitError, Key, Store};

use crate::{
    fixtures::{answer, at, callback, claim, everything, key, write, writes},
    redis::{full, open},
    redis_faults::{recovered, unavailable},
    redis_servers::{Cluster, Server, Watched, until},
};

#[tokio::test]
async fn a_restart_shows_in_the_mark() {
    let mut server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    store.commit(full(0)).await.unwrap();
    let before = store.mark(None).await.unwrap();
    server.kill();
    assert!(!unavailable(&store, full(1)).await.is_empty());
    server.start_again();
    recovered(&store).await;
    let after = store.mark(None).await.unwrap();
    assert_eq!((before.position, &before.event), (after.position, &after.event), "nothing was lost");
    assert_ne!(before.store, after.store);
    assert_eq!(before.store.split('/').next(), after.store.split('/').next());
    store.commit(full(1)).await.unwrap();
    assert_eq!(open(&server.url("s")).await.mark(None).await.unwrap(), store.mark(None).await.unwrap());
}

/// Before anybody has met the server that lost something.
#[tokio::test]
async fn no_event_has_the_position_of_one_that_was_lost() {
    let mut server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    for number in 0..3 {
        store.commit(full(number)).await.unwrap();
    }
    let all = store.feed(&["a".to_owned()], 0, 99).await.unwrap();
    let last = all.last().unwrap().position;
    assert_eq!(last, all.len() as u64, "a new store begins with 1");
    server.kill();
    assert!(server.truncate(600) > 0);
    server.start_again();
    assert!(!unavailable(&store, full(9)).await.is_empty());
    recovered(&store).await;
    assert!(store.mark(None).await.unwrap().position < last, "something was lost");
    store.commit(full(9)).await.unwrap();
    let since = store.feed(&["a".to_owned()], last, 99).await.unwrap();
    assert!(!since.is_empty() && since[0].position > 1_000_000, "{since:#?}");
    assert_eq!(since.last().unwrap().position - since[0].position + 1, since.len() as u64, "and go on from there");
}

#[tokio::test]
async fn an_emptied_server_is_not_served() {
    let mut server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    store.commit(full(0)).await.unwrap();
    server.tell("FLUSHALL");
    for _ in 0..2 {
        assert!(unavailable(&store, full(0)).await.contains("is not there any more"));
        assert!(store.load(&key("a", "0")).await.unwrap_err().0.contains("is not there any more"));
        assert!(store.reserve("c", 1, 9, 1).await.is_err() && store.mark(None).await.is_err());
        assert!(store.health().await.is_err() && store.keep_callback(callback("a", 1), 1).await.is_err());
        assert_eq!(server.ask::<Vec<String>>("KEYS *"), [""; 0], "nothing is made in its place");
        server.kill();
        server.start_empty();
        // Finds its connection dead.
        assert!(!unavailable(&store, full(0)).await.is_empty());
    }
    // Another store in its place is not it either.
    let other = open(&server.url("s")).await;
    other.commit(full(1)).await.unwrap();
    assert!(unavailable(&store, full(2)).await.contains("another is in its place"));
}

#[tokio::test]
async fn a_store_that_goes_back_is_another() {
    let server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    for number in 0..3 {
        store.commit(full(number)).await.unwrap();
    }
    let before = store.mark(None).await.unwrap();
    // As if the same process had gone on from less; then it comes as far as it was, with something else.
    server.tell("HSET {guichet:s}:meta position 2");
    server.tell("DEL {guichet:s}:events:a");
    store.commit(full(7)).await.unwrap();
    store.commit(full(8)).await.unwrap();
    let after = store.mark(None).await.unwrap();
    assert_ne!(before.store, after.store, "{after:?}");
    assert!(before.store.starts_with(&after.store) || after.store.starts_with(&before.store));
}

#[tokio::test]
async fn sentinels_lead_to_the_new_primary() {
    let mut servers = Watched::start();
    let store = open(&servers.url("s")).await;
    for number in 0..20 {
        store.commit(full(number)).await.unwrap();
    }
    let before = store.mark(None).await.unwrap();
    until("the replica has all", || {
        servers.primary.info("master_repl_offset") == servers.replica.info("slave_repl_offset")
    });
    let whole = everything(store.as_ref()).await;
    servers.primary.kill();
    assert!(!unavailable(&store, full(99)).await.is_empty());
    recovered(&store).await;
    assert_eq!(everything(store.as_ref()).await, whole);
    let after = store.mark(None).await.unwrap();
    assert_eq!((before.position, &before.event), (after.position, &after.event));
    assert_ne!(before.store, after.store);
    store.commit(full(99)).await.unwrap();
    store.health().await.unwrap();
}

#[tokio::test]
async fn a_cluster_leads_to_the_new_primary() {
    let mut servers = Cluster::start();
    let store = open(&servers.url("s")).await;
    for number in 0..20 {
        store.commit(full(number)).await.unwrap();
    }
    let (_, home) = servers.home("s");
    until("the replica has all", || {
        servers.nodes[home].info("master_repl_offset") == servers.nodes[home + 3].info("slave_repl_offset")
    });
    let (before, whole) = (store.mark(None).await.unwrap(), everything(store.as_ref()).await);
    servers.nodes[home].kill();
    assert!(!unavailable(&store, full(99)).await.is_empty());
    recovered(&store).await;
    assert_eq!(everything(store.as_ref()).await, whole);
    assert_ne!(before.store, store.mark(None).await.unwrap().store);
    store.commit(full(99)).await.unwrap();
}

/// A commit on what is there, and on what is not: labels, an order, a merchant of their own.
fn wide() -> Commit {
    let mut old = write(&key("a", "0"), 1);
    old.labels = vec![("payer", "new".to_owned()), ("other", "x".to_owned())];
    old.wake_at = Some(at(99));
    Commit {
        writes: vec![old, write(&key("z", "new"), 0), write(&Key { kind: "run", ..key("a", "r") }, 0)],
        claims: vec![claim("z", "v", "new")],
        callbacks: vec![callback("z", 1)],
        answer: Some(answer("wide", at(1))),
    }
}

/// While a slot moves, its keys are on two servers, and a script sees those of one only.
#[tokio::test]
async fn a_slot_on_its_way_changes_nothing_by_halves() {
    let servers = Cluster::start();
    let store = open(&servers.url("s")).await;
    store.commit(full(0)).await.unwrap();
    let (slot, home) = servers.home("s");
    let (from, to) = (&servers.nodes[home], &servers.nodes[(home + 1) % 3]);
    let id = |node: &Server| node.ask::<String>("CLUSTER MYID");
    to.tell(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", id(from)));
    from.tell(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", id(to)));
    let keys: Vec<String> = from.ask(&format!("CLUSTER GETKEYSINSLOT {slot} 1000"));
    assert!(keys.len() > 10, "{keys:?}");
    // One key after the other, the store's record last; each moment is tried.
    let (record, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.ends_with(":meta"));
    let (order, mut version) = (key("a", "0"), 1);
    for key in others.iter().chain(&record) {
        for commit in [wide(), full(1)] {
            assert!(!unavailable(&store, commit).await.is_empty());
        }
        // What is all here yet may be changed.
        let mut change = write(&order, version);
        change.labels = vec![("payer", "p0".to_owned()), ("status", "open:{}%".to_owned())];
        match store.commit(writes([change])).await {
            Ok(()) => version += 1,
            Err(error) => assert!(matches!(error, CommitError::Unavailable(_)), "{error}"),
        }
        let mut change = write(&order, version);
        change.labels = vec![("payer", "p1".to_owned())];
        assert!(!unavailable(&store, writes([change])).await.is_empty());
        let mut migrate = redis::Cmd::new();
        migrate.arg("MIGRATE").arg("127.0.0.1").arg(to.port).arg(key).arg(0).arg(5_000);
        migrate.exec(&mut from.raw()).unwrap();
    }
    for node in [to, from] {
        node.tell(&format!("CLUSTER SETSLOT {slot} NODE {}", id(to)));
    }
    recovered(&store).await;
    assert_eq!(store.load(&order).await.unwrap().unwrap().version, version);
    assert_eq!(store.history(&order).await.unwrap().len() as u64, version);
    assert_eq!(store.mark(None).await.unwrap().position, version);
    assert_eq!(store.tally("a", "order", "payer", "").await.unwrap(), BTreeMap::from([("p0".to_owned(), 1)]));
    assert_eq!(store.owner("z", "reference", "v").await.unwrap(), None);
    assert!(store.answer("wide").await.unwrap().is_none() && store.callbacks("z", 9).await.unwrap().is_empty());
    assert_eq!(store.list("a", "order", &[], None, 9).await.unwrap().len(), 1);
    let mut wide = wide();
    wide.writes[0].expected_version = version;
    store.commit(wide).await.unwrap();
    assert!(store.load(&key("z", "new")).await.unwrap().is_some());
}
