//! What a server must promise, and what is told when it does not.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use guichet::{
    adapters::redis::Options,
    ports::{Mode, Store},
};

use crate::{
    fixtures::key,
    redis::{full, open, open_with, options},
    redis_faults::{recovered, unavailable},
    redis_servers::{Server, Watched, until},
};

fn live() -> Options {
    Options { mode: Mode::Live, ..options() }
}

async fn refused(url: &str, options: &Options) -> String {
    open_with(url, options).await.map(drop).unwrap_err().0
}

#[tokio::test]
async fn a_server_that_keeps_too_little_is_refused_in_live_mode() {
    let server = Server::start(&[]);
    let url = server.url("s");
    let store = open_with(&url, &live()).await.unwrap();
    for (setting, good, bad) in [
        ("appendonly", "yes", "no"),
        ("appendfsync", "always", "everysec"),
        ("no-appendfsync-on-rewrite", "no", "yes"),
        ("maxmemory-policy", "noeviction", "allkeys-lru"),
    ] {
        server.tell(&format!("CONFIG SET {setting} {bad}"));
        let line = format!("CONFIG SET: {setting} {good}");
        assert!(refused(&url, &live()).await.contains(&line));
        // Found out in mid-run too: no mark, and so nothing leaves.
        assert!(store.mark(None).await.unwrap_err().0.contains(&line));
        // As a commit hears of it, and whoever asks whether all is well.
        assert!(unavailable(&store, full(0)).await.contains(&line));
        assert!(store.health().await.unwrap_err().0.contains(&line));
        assert!(store.load(&key("a", "0")).await.unwrap().is_none());
        drop(open_with(&server.url("test"), &options()).await.unwrap());
        server.tell(&format!("CONFIG SET {setting} {good}"));
        until("its file is whole again", || server.info("aof_rewrite_in_progress") == "0");
        store.mark(None).await.unwrap();
    }
    store.commit(full(0)).await.unwrap();
    // One that is reached anew is judged before anything else is asked of it.
    server.tell("CONFIG SET appendfsync everysec");
    server.tell("CLIENT KILL TYPE normal");
    assert!(store.load(&key("a", "0")).await.unwrap_err().0.contains("appendfsync always"));
    assert!(!unavailable(&store, full(1)).await.is_empty());
    server.tell("CONFIG SET appendfsync always");
    recovered(&store).await;
    store.commit(full(1)).await.unwrap();
    let two = format!("{url}&replicas=3");
    assert!(refused(&two, &live()).await.contains("min-replicas-to-write 2"));
    let far = refused("redis://redis.example:1?name=s", &live()).await;
    assert!(far.contains("must be reached by TLS"), "{far}");
}

#[tokio::test]
async fn a_server_that_does_not_say_is_trusted_only_when_somebody_answers_for_it() {
    let server = Server::start(&[]);
    server.tell("ACL SETUSER mute on nopass ~* +@all -config");
    let url = format!("redis://mute@127.0.0.1:{}/0?name=s", server.port);
    let with = |settings_vouched_for| Options { settings_vouched_for, password: Some("x".to_owned().into()), ..live() };
    let said = refused(&url, &with(false)).await;
    assert!(said.contains("redis.settings_vouched_for = true"), "{said}");
    open_with(&url, &with(true)).await.unwrap().mark(None).await.unwrap();
}

#[tokio::test]
async fn a_primary_without_its_replica_may_be_cut_off() {
    let primary = Server::start(&[]);
    let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    primary.await_replicas(1);
    let store = open_with(&primary.url("s"), &options()).await.unwrap();
    store.mark(None).await.unwrap();
    replica.tell("REPLICAOF NO ONE");
    until("it has left", || primary.info("connected_slaves") == "0");
    for said in [store.mark(None).await.unwrap_err().0, store.health().await.unwrap_err().0] {
        assert!(said.contains("0 of its 1 replicas follow it, and 1 must"), "{said}");
    }
    assert!(unavailable(&store, full(0)).await.contains("0 of its 1 replicas"));
    assert!(store.load(&key("a", "0")).await.unwrap().is_none());
    // Nobody has seen this one with more; where it is said, it is known.
    drop(open_with(&replica.url("s"), &options()).await.unwrap().mark(None).await.unwrap());
    let said = open_with(&(replica.url("s") + "&replicas=2"), &options()).await.unwrap();
    assert!(said.mark(None).await.unwrap_err().0.contains("0 of its 2 replicas"));
    replica.tell(&format!("REPLICAOF 127.0.0.1 {}", primary.port));
    primary.await_replicas(1);
    until("it has said so", || primary.info("slave0").contains("lag=0"));
    store.mark(None).await.unwrap();
    store.health().await.unwrap();
    store.commit(full(0)).await.unwrap();
}

/// A change that was made ready on what one server said is not made by another before that is known.
#[tokio::test]
async fn a_commit_goes_to_the_server_that_was_heard_last() {
    let mut server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    store.commit(full(0)).await.unwrap();
    server.kill();
    server.start_again();
    recovered(&store).await;
    assert!(unavailable(&store, full(1)).await.contains("another server answers"));
    assert!(store.load(&key("a", "1")).await.unwrap().is_none(), "nothing was changed");
    store.commit(full(1)).await.unwrap();
}

#[tokio::test]
async fn behind_sentinels_live_mode_wants_to_know_how_many_replicas_there_are() {
    let servers = Watched::start();
    let url = servers.url("s");
    for (unsaid, said) in
        [(url.clone(), true), (format!("{url}&replicas=0"), true), (format!("{url}&replicas=1"), false)]
    {
        let refused = refused(&unsaid, &live()).await;
        assert_eq!(refused.contains("write \"?name=s&replicas=1\""), said, "{refused}");
        assert_eq!(refused.contains("min-replicas-to-write 1"), !said, "{refused}");
    }
    servers.primary.tell("CONFIG SET min-replicas-to-write 1");
    open_with(&format!("{url}&replicas=1"), &live()).await.unwrap().mark(None).await.unwrap();
    open_with(&servers.url("test"), &options()).await.unwrap().mark(None).await.unwrap();
}

/// Passes on what two sides say, but for the server's clock, which is so many seconds ahead of what it was.
fn bent(to: u16, by: i64) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", to)).unwrap());
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
            let (mut from_server, mut to_client) = (server, client);
            thread::spawn(move || {
                let mut bytes = [0; 65_536];
                while let Ok(count @ 1..) = from_server.read(&mut bytes) {
                    let mut said = bytes[..count].to_vec();
                    // A clock in microseconds has 16 digits.
                    let clock = b"\r\n$16\r\n1";
                    if let Some(at) = said.windows(clock.len()).position(|window| window == clock) {
                        let digits = &mut said[at + clock.len() - 1..][..16];
                        let time: i64 = std::str::from_utf8(digits).unwrap().parse().unwrap();
                        digits.copy_from_slice((time + by * 1_000_000).to_string().as_bytes());
                    }
                    if to_client.write_all(&said).is_err() {
                        break;
                    }
                }
                let _ = to_client.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    port
}

#[tokio::test]
async fn a_clock_that_is_off_moves_no_money() {
    let server = Server::start(&[]);
    for (by, sentence) in [(1_000, "s behind the server's"), (-1_000, "s ahead of the server's"), (0, ""), (20, "")] {
        let store = open(&format!("redis://127.0.0.1:{}?name=s", bent(server.port, by))).await;
        let said = [store.mark(None).await.map(drop), store.health().await];
        for said in said {
            match said {
                Ok(()) => assert_eq!(sentence, "", "{by}"),
                Err(why) => assert!(!sentence.is_empty() && why.0.contains(sentence), "{by}: {why}"),
            }
        }
    }
}
