//! What a server must promise, and what is told when it does not.

use guichet::{
    adapters::redis::Options,
    ports::{Mode, Store},
};

use crate::{
    redis::{full, open_with, options},
    redis_servers::{Server, until},
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
        drop(open_with(&server.url("test"), &options()).await.unwrap());
        server.tell(&format!("CONFIG SET {setting} {good}"));
        until("its file is whole again", || server.info("aof_rewrite_in_progress") == "0");
        store.mark(None).await.unwrap();
    }
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
    store.commit(full(0)).await.unwrap();
    // Nobody has seen this one with more; where it is said, it is known.
    drop(open_with(&replica.url("s"), &options()).await.unwrap().mark(None).await.unwrap());
    let said = open_with(&(replica.url("s") + "&replicas=2"), &options()).await.unwrap();
    assert!(said.mark(None).await.unwrap_err().0.contains("0 of its 2 replicas"));
    replica.tell(&format!("REPLICAOF 127.0.0.1 {}", primary.port));
    primary.await_replicas(1);
    until("it has said so", || primary.info("slave0").contains("lag=0"));
    store.mark(None).await.unwrap();
    store.health().await.unwrap();
}
