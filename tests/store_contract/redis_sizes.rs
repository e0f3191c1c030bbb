//! Redis with much in it: pages, round trips, and what an order takes.

use std::{
    io::{BufRead, BufReader, Write as _},
    net::TcpStream,
};

use guichet::ports::{Answer, Callback, Store};
use jiff::{Timestamp, civil::date};

use crate::{
    fixtures::{answer, answers, at, callback, claim, key, write, writes},
    redis::{full, open},
    redis_servers::Server,
};

/// What `server` is asked by clients while `work` is done, one line each; what its scripts do is left out.
async fn asked(server: &Server, work: impl Future<Output = ()>) -> Vec<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    socket.write_all(b"MONITOR\r\n").unwrap();
    let mut lines = BufReader::new(socket).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "+OK");
    work.await;
    server.tell("ECHO the-end");
    lines.take_while(|line| !line.contains("the-end")).filter(|line| !line.contains(" lua]")).collect()
}

#[tokio::test]
async fn a_commit_is_one_round_trip() {
    let server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    let asked = asked(&server, async {
        store.commit(full(0)).await.unwrap();
        store.commit(full(0)).await.unwrap_err();
        store.load(&key("a", "0")).await.unwrap();
        store.mark(None).await.unwrap();
        store.health().await.unwrap();
    })
    .await;
    let calls = asked.iter().filter(|line| line.contains("\"EVALSHA\"")).count();
    let others: Vec<&String> =
        asked.iter().filter(|line| !line.contains("\"EVALSHA\"") && !line.contains("SETINFO")).collect();
    assert_eq!((calls, others.len()), (5, 0), "{others:?}");
}

#[tokio::test]
async fn pages_are_the_whole() {
    const ORDERS: usize = 1_300;
    let server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    let id = |number: usize| format!("{:05}", (number * 7_919) % ORDERS);
    for group in (0..ORDERS).collect::<Vec<_>>().chunks(50) {
        let made = group.iter().map(|number| {
            let mut made = write(&key(["a", "b"][number % 2], &id(*number)), 0);
            let rare = if number % 100 == 0 { "rare" } else { "common" };
            made.labels = vec![("one", "all".to_owned()), ("two", rare.to_owned())];
            made.wake_at = Some(at((*number / 3) as i64));
            made.ready_on = Some(if number % 50 < 2 { date(2026, 1, 1) } else { date(2027, 1, 1) });
            made
        });
        store.commit(writes(made)).await.unwrap();
    }
    let sorted = |is: &dyn Fn(usize) -> bool| {
        let mut ids: Vec<String> = (0..ORDERS).filter(|number| number % 2 == 0 && is(*number)).map(id).collect();
        ids.sort();
        ids
    };
    let all = |two: &str| [("one", "all".to_owned()), ("two", two.to_owned())];
    for limit in [1, 499, 500, 501, usize::MAX] {
        let ids = |listed: Vec<(guichet::ports::Key, _)>| listed.into_iter().map(|(key, _)| key.id).collect::<Vec<_>>();
        let cut = |mut ids: Vec<String>| {
            ids.truncate(limit);
            ids
        };
        assert_eq!(ids(store.list("a", "order", &[], None, limit).await.unwrap()), cut(sorted(&|_| true)));
        for (two, is) in [("common", false), ("rare", true)] {
            let listed = store.list("a", "order", &all(two), None, limit).await.unwrap();
            assert_eq!(ids(listed), cut(sorted(&|number| (number % 100 == 0) == is)));
        }
        // Nearly all that is looked at is not ready yet.
        let ready = store.ready("a", "order", date(2026, 6, 1), None, limit).await.unwrap();
        assert_eq!(ids(ready), cut(sorted(&|number| number % 50 == 0)));
        assert_eq!(store.due(Timestamp::MAX, limit).await.unwrap().len(), limit.min(ORDERS));
        let fed = store.feed(&["b".to_owned(), "a".to_owned()], 0, limit).await.unwrap();
        assert_eq!(fed.len(), limit.min(ORDERS));
        assert!(fed.windows(2).all(|pair| pair[0].position < pair[1].position));
    }
    assert_eq!(store.tally("a", "order", "two", "").await.unwrap()["rare"], 13);
}

#[tokio::test]
async fn long_histories_and_large_states_come_back() {
    let server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    let large = "é".repeat(400_000);
    for number in 0..7 {
        let mut made = write(&key("a", &number.to_string()), 0);
        (made.state, made.events) = (large.clone(), vec![large.clone()]);
        store.commit(writes([made])).await.unwrap();
    }
    let listed = store.list("a", "order", &[], None, 99).await.unwrap();
    assert!(listed.len() == 7 && listed.iter().all(|(_, stored)| stored.state == large));
    let fed = store.feed(&["a".to_owned()], 0, 6).await.unwrap();
    assert!(fed.len() == 6 && fed.iter().all(|item| item.event == large));
    for version in 1..=120 {
        let mut change = write(&key("a", "0"), version);
        change.events = vec!["1".to_owned(), "2".to_owned()];
        store.commit(writes([change])).await.unwrap();
    }
    let history = store.history(&key("a", "0")).await.unwrap();
    assert_eq!(history.len(), 241);
    assert!(history.windows(2).all(|pair| pair[0].position < pair[1].position && pair[0].version <= pair[1].version));
}

#[tokio::test]
async fn many_callbacks_and_answers_are_kept_and_forgotten() {
    let server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    for second in 0..120 {
        store.keep_callback(callback("a", second), 110).await.unwrap();
    }
    let kept = store.callbacks("a", usize::MAX).await.unwrap();
    assert_eq!(kept, (10..120).rev().map(|second| callback("a", second)).collect::<Vec<_>>());
    for number in 0..1_100 {
        store.commit(answers(answer(&number.to_string(), at(number)))).await.unwrap();
    }
    store.forget_answers(at(1_090)).await.unwrap();
    assert_eq!(store.answer("1089").await.unwrap(), None);
    assert!(store.answer("1090").await.unwrap().is_some());
    assert_eq!(server.ask::<u32>("ZCARD {guichet:s}:given"), 10);
}

/// An order that was placed, had a page, and was paid: what `docs/OPERATIONS.md` counts with.
#[tokio::test]
async fn an_order_takes_some_kilobytes() {
    const ORDERS: usize = 1_000;
    let server = Server::start(&[]);
    let store = open(&server.url("s")).await;
    let memory = || server.info("used_memory_dataset").parse::<usize>().unwrap();
    let before = memory();
    for number in 0..ORDERS {
        let id = format!("01936f2e-7c1a-7000-8000-{number:012}");
        for version in 0..4 {
            let mut made = write(&key("ecole", &id), version);
            made.state = "x".repeat(2_000);
            made.events = vec!["y".repeat(400); 2];
            made.labels = vec![("payer", format!("E2026{number:05}")), ("status", "open".to_owned())];
            made.wake_at = Some(at((number * 10) as i64));
            let mut commit = writes([made]);
            if version == 0 {
                let values = ["order_reference", "reference", "archive", "operation", "token"];
                commit.claims = values.map(|of| claim("ecole", &format!("{of}-{number:020}"), &id)).to_vec();
                commit.answer = Some(Answer { sealed: vec![7; 2_000], ..answer(&format!("{id}{id}"), at(0)) });
                commit.callbacks =
                    vec![Callback { order: Some(id.clone()), sealed: vec![7; 900], ..callback("ecole", 0) }];
            }
            store.commit(commit).await.unwrap();
        }
    }
    let each = (memory() - before) / ORDERS;
    println!("an order takes {each} bytes");
    // Its 8 events, its state, its callback and its answer are 8 100 bytes by themselves.
    assert!((8_100..13_000).contains(&each), "{each}");
}
