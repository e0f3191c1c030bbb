//! Redis when it refuses, is silent, or its answers are lost.

use std::{
    io::{Read, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use guichet::{
    adapters::redis::{Options, RedisStore},
    ports::{Commit, CommitError, Mode, Store},
};
use jiff::Timestamp;

use crate::{
    fixtures::{answers, at, callback, everything, key, write, writes},
    redis::{full, open, open_with, options},
    redis_servers::Server,
};

/// Why a commit was unavailable.
pub(crate) async fn unavailable(store: &RedisStore, commit: Commit) -> String {
    match store.commit(commit).await {
        Err(CommitError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Until a read succeeds.
pub(crate) async fn recovered(store: &RedisStore) {
    let begun = Instant::now();
    while let Err(error) = store.load(&key("a", "0")).await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn forgotten_scripts_are_loaded_again() {
    let server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    for number in 0..3 {
        server.tell("SCRIPT FLUSH");
        store.commit(full(number)).await.unwrap();
        server.tell("SCRIPT FLUSH");
        assert!(store.load(&key("a", &number.to_string())).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_full_memory_refuses_and_changes_nothing() {
    let server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    store.commit(full(0)).await.unwrap();
    store.health().await.unwrap();
    let before = everything(store.as_ref()).await;
    server.tell("CONFIG SET maxmemory 1mb");
    let commits = [full(1), answers(crate::fixtures::answer("x", at(1))), Commit::default()];
    for commit in commits {
        let why = unavailable(&store, commit).await;
        assert!(why.contains("maxmemory") && why.contains(&server.port.to_string()), "{why}");
    }
    assert!(store.keep_callback(callback("a", 9), 9).await.is_err());
    assert!(store.reserve("c", 1, 9, 1).await.is_err());
    assert!(store.health().await.unwrap_err().0.contains("maxmemory"));
    assert_eq!(everything(store.as_ref()).await, before, "reads still answer");
    server.tell("CONFIG SET maxmemory 0");
    store.health().await.unwrap();
    store.commit(full(1)).await.unwrap();
    assert_eq!(store.reserve("c", 1, 9, 1).await.unwrap(), 1);
}

#[tokio::test]
async fn a_replica_is_refused() {
    let (server, other) = (Server::start(&[]), Server::start(&[]));
    let store = open(&server.url("s")).await;
    store.commit(full(0)).await.unwrap();
    let first = store.mark(None).await.unwrap();
    // The connection stays, and what is behind it is a primary no more.
    server.tell(&format!("REPLICAOF 127.0.0.1 {}", other.port));
    let why = unavailable(&store, full(1)).await;
    assert!(why.contains("read only replica"), "{why}");
    assert!(unavailable(&store, full(1)).await.contains("no primary but a slave"));
    assert!(store.health().await.is_err());
    assert!(store.load(&key("a", "0")).await.is_err(), "what it knows may be old");
    assert!(open_with(&server.url("s"), &options()).await.map(drop).unwrap_err().0.contains("no primary but a slave"));
    // What it synchronised with had no store.
    server.tell("REPLICAOF NO ONE");
    tokio::time::sleep(Duration::from_secs(3)).await;
    match store.load(&key("a", "0")).await {
        Ok(found) => {
            assert!(found.is_some());
            assert_ne!(store.mark(None).await.unwrap().store, first.store);
        }
        Err(error) => assert!(error.0.contains("is not there any more"), "{error}"),
    }
}

#[tokio::test]
async fn what_is_not_answered_in_time_is_unknown() {
    let server = Server::start(&[]);
    let soon = Options { answer_deadline: Duration::from_millis(200), ..options() };
    let store = open_with(&server.url("s"), &soon).await.unwrap();
    store.commit(full(0)).await.unwrap();
    server.tell("CLIENT PAUSE 1500 ALL");
    let begun = Instant::now();
    let why = unavailable(&store, full(1)).await;
    assert!(begun.elapsed() < Duration::from_millis(1_400), "{why}");
    // It was made when the pause ended, or not at all; never twice.
    tokio::time::sleep(Duration::from_secs(2)).await;
    recovered(&store).await;
    assert!(store.history(&key("a", "1")).await.unwrap().len() <= 1);
}

#[tokio::test]
async fn too_many_changes_are_refused_at_once() {
    let server = Server::start(&[]);
    let store = Arc::new(open_with(&server.url("s"), &Options { queue_max: 2, ..options() }).await.unwrap());
    server.tell("CLIENT PAUSE 1000 WRITE");
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..9 {
        let store = Arc::clone(&store);
        waiting.spawn(async move { store.commit(full(number)).await });
    }
    let outcomes = waiting.join_all().await;
    let refused = Err(CommitError::Unavailable("too many changes are waiting".to_owned()));
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == refused).count(), 7);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2);
    assert_eq!(store.due(Timestamp::MAX, 99).await.unwrap().len(), 2);
}

/// Passes on what two sides say, until answers are to be lost: then the next one is, and the connection with it.
fn lossy(to: u16) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let loses = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&loses);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", to)).unwrap());
            let told = Arc::clone(&told);
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
            let (mut from_server, mut to_client) = (server, client);
            thread::spawn(move || {
                let mut bytes = [0; 65_536];
                while let Ok(count @ 1..) = from_server.read(&mut bytes) {
                    if told.swap(false, Ordering::SeqCst) {
                        break;
                    }
                    if to_client.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                let _ = to_client.shutdown(std::net::Shutdown::Both);
                let _ = from_server.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (port, loses)
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_nothing_is_made_twice() {
    let server = Server::start(&[]);
    let (port, loses) = lossy(server.port);
    let store = open(&format!("redis://127.0.0.1:{port}?name=s")).await;
    for number in 0..5_u64 {
        // The second write of the same order would conflict if it were sent twice, and be told as that.
        loses.store(true, Ordering::SeqCst);
        let why = unavailable(&store, writes([write(&key("a", "0"), number)])).await;
        assert!(why.contains(&port.to_string()), "{why}");
        // Reads find their connection dead, and another at once.
        assert_eq!(store.load(&key("a", "0")).await.unwrap().unwrap().version, number + 1);
        loses.store(true, Ordering::SeqCst);
        assert!(store.reserve("c", 1, 99, 1).await.is_err());
        recovered(&store).await;
        // A read whose answer is lost is asked again.
        loses.store(true, Ordering::SeqCst);
        assert_eq!(store.history(&key("a", "0")).await.unwrap().len() as u64, number + 1);
    }
    assert_eq!(store.reserve("c", 1, 99, 1).await.unwrap(), 6, "each was given once, to nobody");
}

#[tokio::test]
async fn tls_is_spoken_to_servers_that_are_vouched_for() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (certificate, other) = (made.cert.pem(), rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap());
    let server = Server::start_with(
        &["--tls-port", "0"],
        &[("cert.pem", &certificate), ("key.pem", &made.signing_key.serialize_pem())],
    );
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    for line in ["tls-auth-clients no", "tls-cert-file cert.pem", "tls-key-file key.pem", &format!("tls-port {port}")] {
        server.tell(&format!("CONFIG SET {line}"));
    }
    let url = format!("rediss://127.0.0.1:{port}?name=s");
    let vouched = |pem: String| Options { authorities: Some(pem), ..options() };
    open_with(&url, &vouched(certificate)).await.unwrap().commit(full(0)).await.unwrap();
    for with in [vouched(other.cert.pem()), options()] {
        let why = open_with(&url, &with).await.map(drop).unwrap_err().0;
        assert!(why.contains("certificate") && why.contains(&port.to_string()), "{why}");
    }
    let plain = open_with(&format!("redis://127.0.0.1:{port}?name=s"), &options()).await;
    assert!(plain.is_err());
}

/// The account of docs/OPERATIONS.md is enough, and for its own store only.
#[tokio::test]
async fn an_account_of_its_own_is_enough() {
    let server = Server::start(&[]);
    server.tell("ACL SETUSER guichet on >pw ~{guichet:s}:* +@read +@write +@scripting +info +time");
    let url = |name| format!("redis://guichet:pw@127.0.0.1:{}?name={name}", server.port);
    let store = open(&url("s")).await;
    store.commit(full(0)).await.unwrap();
    store.keep_callback(callback("a", 1), 0).await.unwrap();
    store.reserve("c", 1, 9, 1).await.unwrap();
    store.forget_answers(at(9)).await.unwrap();
    store.health().await.unwrap();
    let seen = everything(store.as_ref()).await;
    assert_eq!(seen, everything(open(&server.url("s")).await.as_ref()).await);
    let refused = open_with(&url("other"), &options()).await.map(drop).unwrap_err();
    assert!(refused.0.contains("NOPERM") || refused.0.contains("permission"), "{refused}");
}

#[tokio::test]
async fn no_error_holds_a_password() {
    const SECRET: &str = "s3cr3t-of-the-store";
    let server = Server::start(&["--requirepass", SECRET]);
    let renamed = Server::start(&["--rename-command", "AUTH", "", "--rename-command", "HELLO", ""]);
    let here = format!("127.0.0.1:{}", server.port);
    let wrong = "not-the-s3cr3t";
    let mut said = Vec::new();
    for url in [
        server.url("s"),
        format!("redis://:{wrong}@{here}?name=s"),
        format!("redis://nobody:{wrong}@{here}?name=s"),
        format!("redis://:{SECRET}@127.0.0.1:{}?name=s", renamed.port),
        format!("redis://nobody:{SECRET}@127.0.0.1:{}?name=s", renamed.port),
        format!("redis://:{SECRET}@127.0.0.1:1?name=s"),
        format!("redis+sentinel://:{SECRET}@{here}/main?name=s"),
    ] {
        said.push(open_with(&url, &options()).await.map(drop).unwrap_err().0);
    }
    let with = Options { password: Some(wrong.to_owned().into()), ..options() };
    said.push(open_with(&server.url("s"), &with).await.map(drop).unwrap_err().0);
    said.push(format!("{with:?}"));
    for error in said {
        assert!(!error.contains(SECRET) && !error.contains(wrong), "{error}");
        assert!(error.contains("127.0.0.1") || error.contains("REDACTED"), "{error}");
    }
    let with = Options { password: Some(SECRET.to_owned().into()), ..Options::new(Mode::Test) };
    open_with(&server.url("s"), &with).await.unwrap().commit(full(0)).await.unwrap();
    open(&format!("redis://default:{SECRET}@{here}?name=s")).await.commit(full(1)).await.unwrap();
}
