//! Many at once. Each race runs through one handle and through two, as in one process and in two.

use std::{collections::BTreeSet, sync::Arc};

use guichet::ports::{CommitError, Store};
use jiff::{ToSpan, civil::date};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    fixtures::{answer, answers, at, claim, claims, key, write, writes},
    harness::Harness,
};

const RACERS: usize = 64;

/// Runs `racer` for 0, 1, … together, shared between the handles, and gives what they came back with.
async fn race<T, F>(handles: &[Arc<dyn Store>], racers: usize, racer: impl Fn(usize, Arc<dyn Store>) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let line = Arc::new(Barrier::new(racers));
    let mut running = JoinSet::new();
    for number in 0..racers {
        let line = Arc::clone(&line);
        let run = racer(number, Arc::clone(&handles[number % handles.len()]));
        running.spawn(async move {
            line.wait().await;
            run.await
        });
    }
    running.join_all().await
}

async fn one_and_two(harness: &dyn Harness) -> [(&'static str, Vec<Arc<dyn Store>>); 2] {
    let first = harness.open().await;
    [("one", vec![Arc::clone(&first)]), ("two", vec![first, harness.open().await])]
}

pub(crate) async fn one_racer_wins_each_version(harness: &dyn Harness) {
    for (id, handles) in one_and_two(harness).await {
        let order = key("a", id);
        let mut won = race(&handles, RACERS, |racer, store| {
            let order = order.clone();
            async move {
                loop {
                    let version = store.load(&order).await.unwrap().map_or(0, |stored| stored.version);
                    let mut change = write(&order, version);
                    change.events = vec![racer.to_string()];
                    change.state = racer.to_string();
                    match store.commit(writes([change])).await {
                        Ok(()) => return (version + 1, racer.to_string()),
                        Err(error) => assert_eq!(error, CommitError::Conflict(order.clone())),
                    }
                }
            }
        })
        .await;
        // Each version was won once, and its event is the winner's.
        won.sort();
        let history = handles[0].history(&order).await.unwrap();
        let written: Vec<_> = history.iter().map(|item| (item.version, item.event.clone())).collect();
        assert_eq!(won, written);
        assert_eq!(
            won.iter().map(|(version, _)| *version).collect::<Vec<_>>(),
            (1..=RACERS as u64).collect::<Vec<_>>()
        );
        let last = handles[0].load(&order).await.unwrap().unwrap();
        assert_eq!((last.version, Some(last.state)), (RACERS as u64, won.last().map(|(_, racer)| racer.clone())));
    }
}

pub(crate) async fn neighbours_of_a_loser_stand(harness: &dyn Harness) {
    for (id, handles) in one_and_two(harness).await {
        let shared = key("b", id);
        handles[0].commit(writes([write(&shared, 0)])).await.unwrap();
        // Every third writes its own order and also something that is long there.
        let outcomes = race(&handles, RACERS, |racer, store| {
            let own = write(&key("a", &format!("{id}{racer}")), 0);
            let commit = if racer % 3 == 0 { writes([own, write(&shared, 0)]) } else { writes([own]) };
            async move { (racer, store.commit(commit).await) }
        })
        .await;
        for (racer, outcome) in outcomes {
            let expected = if racer % 3 == 0 { Err(CommitError::Conflict(shared.clone())) } else { Ok(()) };
            assert_eq!(outcome, expected, "{racer}");
            let there = handles[0].load(&key("a", &format!("{id}{racer}"))).await.unwrap().is_some();
            assert_eq!(there, racer % 3 != 0, "{racer}");
        }
        assert_eq!(handles[0].load(&shared).await.unwrap().unwrap().version, 1);
    }
}

pub(crate) async fn one_racer_gets_a_claim(harness: &dyn Harness) {
    for (value, handles) in one_and_two(harness).await {
        let outcomes = race(&handles, RACERS, |racer, store| {
            let wanted = claim("a", value, &racer.to_string());
            async move { (racer.to_string(), store.commit(claims([wanted])).await) }
        })
        .await;
        let owner = handles[0].owner("a", "reference", value).await.unwrap().unwrap();
        for (racer, outcome) in outcomes {
            let lost = CommitError::Taken { claim: claim("a", value, &racer), owner: owner.clone() };
            assert_eq!(outcome, if racer == owner { Ok(()) } else { Err(lost) });
        }
    }
}

pub(crate) async fn one_racer_answers(harness: &dyn Harness) {
    for (name, handles) in one_and_two(harness).await {
        let outcomes = race(&handles, RACERS, |racer, store| {
            let mut commit = answers(answer(name, at(racer as i64)));
            commit.writes = vec![write(&key("a", &format!("{name}{racer}")), 0)];
            async move { (racer, store.commit(commit).await) }
        })
        .await;
        let given = handles[0].answer(name).await.unwrap().unwrap();
        for (racer, outcome) in outcomes {
            let won = given.given_at == at(racer as i64);
            assert_eq!(outcome, if won { Ok(()) } else { Err(CommitError::Answered) });
            assert_eq!(handles[0].load(&key("a", &format!("{name}{racer}"))).await.unwrap().is_some(), won);
        }
    }
}

pub(crate) async fn numbers_are_given_once(harness: &dyn Harness) {
    const EACH: u32 = 5;
    const TASKS: u32 = 16;
    for (counter, handles) in one_and_two(harness).await {
        for count in [1, 3] {
            let counter = &format!("{counter}{count}");
            // They end exactly at the last number.
            let (start, last) = (21, 20 + TASKS * EACH * count);
            let given = race(&handles, TASKS as usize, |_, store| {
                let counter = counter.clone();
                async move {
                    let mut numbers = Vec::new();
                    for _ in 0..EACH {
                        let first = store.reserve(&counter, start, last, count).await.unwrap();
                        numbers.extend(first..first + count);
                    }
                    numbers
                }
            })
            .await;
            let given: Vec<u32> = given.into_iter().flatten().collect();
            assert_eq!(given.len(), (TASKS * EACH * count) as usize);
            assert_eq!(BTreeSet::from_iter(given), BTreeSet::from_iter(start..=last));
            assert_eq!(handles[0].reserve(counter, start, last, count).await.unwrap(), 1);
        }
    }
}

/// Writers move one order between days and labels, each of which its state says; readers never see a part of that.
pub(crate) async fn a_run_sees_whole_writes(harness: &dyn Harness) {
    const WRITES: u64 = 20;
    for (id, handles) in one_and_two(harness).await {
        let (order, neighbour) = (key(id, "1"), key(id, "2"));
        let first = |key| {
            let mut first = write(key, 0);
            (first.state, first.labels) = ("0".to_owned(), vec![("run", "0".to_owned())]);
            first
        };
        handles[0].commit(writes([first(&order), first(&neighbour)])).await.unwrap();
        let won = race(&handles, 8, |racer, store| {
            let order = order.clone();
            async move {
                let mut won = 0;
                for number in 0..WRITES {
                    let days = (racer as u64 * WRITES + number) % 7;
                    let version = store.load(&order).await.unwrap().unwrap().version;
                    let mut change = write(&order, version);
                    change.state = days.to_string();
                    change.ready_on = (days > 0).then(|| date(2026, 12, 28) + (days as i64).days());
                    change.labels = vec![("run", days.to_string()), ("run", "any".to_owned())];
                    match store.commit(writes([change])).await {
                        Ok(()) => won += 1,
                        Err(error) => assert_eq!(error, CommitError::Conflict(order.clone())),
                    }
                    let until = date(2026, 12, 28) + 3.days();
                    for (ready, stored) in store.ready(&order.merchant, "order", until, None, 9).await.unwrap() {
                        assert!(ready == order && ["1", "2", "3"].contains(&stored.state.as_str()), "{stored:?}");
                    }
                    let mut tally = store.tally(&order.merchant, "order", "run", "").await.unwrap();
                    let any = tally.remove("any").unwrap_or(0);
                    assert!(any <= 1 && tally.values().sum::<u64>() == 2, "{any} {tally:?}");
                }
                won
            }
        })
        .await;
        let last = handles[0].load(&order).await.unwrap().unwrap();
        assert_eq!(last.version, 1 + won.into_iter().sum::<u64>());
        for store in &handles {
            let ready = store.ready(id, "order", date(2027, 1, 3), None, 9).await.unwrap();
            let expected = if last.state == "0" { vec![] } else { vec![(order.clone(), last.clone())] };
            assert_eq!(ready, expected);
            assert!(store.tally(id, "order", "run", &last.state).await.unwrap()[&last.state] >= 1);
        }
    }
}
