//! SQLite when something is wrong: the lock is held, the queue is full, the disk is full or fails.
//!
//! On the one thread of these tests a spawned commit is in the queue after [`queued`], so that who shares a transaction
//! with whom does not depend on time.

use std::{env, process::Command, sync::Arc, time::Duration};

use guichet::{
    adapters::sqlite::{Options, SqliteStore},
    ports::{Commit, CommitError, Store, Write},
};
use rusqlite::Connection;
use tokio::task::JoinHandle;

use crate::{
    fixtures::{key, write, writes},
    sqlite::{SqliteFile, options},
};

/// Names the store to a child process whose files may not grow.
const CHILD: &str = "GUICHET_TEST_STORE_ON_A_FAILING_DISK";
/// More than one transaction takes.
const MANY: usize = 100;

/// Takes the write lock, as another process does.
fn lock(file: &SqliteFile) -> Connection {
    let other = file.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

/// Puts commits in the queue; they are there on return.
async fn queued(
    store: &Arc<SqliteStore>,
    commits: impl IntoIterator<Item = Commit>,
) -> Vec<JoinHandle<Result<(), CommitError>>> {
    let mut waiting = Vec::new();
    for commit in commits {
        let store = Arc::clone(store);
        waiting.push(tokio::spawn(async move { store.commit(commit).await }));
    }
    // A thread runs its tasks in the order they were spawned, each up to where it waits.
    tokio::spawn(async {}).await.unwrap();
    waiting
}

async fn outcomes(waiting: Vec<JoinHandle<Result<(), CommitError>>>) -> Vec<Result<(), CommitError>> {
    let mut outcomes = Vec::new();
    for commit in waiting {
        outcomes.push(commit.await.unwrap());
    }
    outcomes
}

fn order(number: usize) -> Write {
    write(&key("a", &number.to_string()), 0)
}

/// Which of `0..MANY` are there.
async fn there(store: &SqliteStore) -> Vec<usize> {
    let listed = store.list("a", "order", &[], None, usize::MAX).await.unwrap();
    let mut numbers: Vec<usize> = listed.iter().map(|(key, _)| key.id.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

fn is_unavailable(outcome: &Result<(), CommitError>) -> bool {
    matches!(outcome, Err(CommitError::Unavailable(_)))
}

#[tokio::test]
async fn a_loser_in_a_group_is_undone_alone() {
    let file = SqliteFile::new();
    let store = file.open_with(&options());
    let shared = key("b", "shared");
    store.commit(writes([write(&shared, 0)])).await.unwrap();
    let other = lock(&file);
    let commits = (0..MANY).map(|number| match number % 10 {
        3 => writes([order(number), write(&shared, 0)]),
        _ => writes([order(number)]),
    });
    let waiting = queued(&store, commits).await;
    other.execute_batch("ROLLBACK").unwrap();
    for (number, outcome) in outcomes(waiting).await.into_iter().enumerate() {
        let lost = number % 10 == 3;
        assert_eq!(outcome, if lost { Err(CommitError::Conflict(shared.clone())) } else { Ok(()) }, "{number}");
    }
    assert_eq!(there(&store).await, (0..MANY).filter(|number| number % 10 != 3).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_is_no_failure() {
    let file = SqliteFile::new();
    let store = file.open_with(&Options { busy_timeout: Duration::from_millis(20), ..options() });
    let other = lock(&file);
    assert!(is_unavailable(&store.commit(writes([order(0)])).await));
    assert!(store.reserve("c", 1, 9, 1).await.is_err());
    assert!(there(&store).await.is_empty(), "reading does not wait");
    assert_eq!(store.health().await, Ok(()), "busy is not ill");
    other.execute_batch("ROLLBACK").unwrap();
    store.commit(writes([order(0)])).await.unwrap();
    assert_eq!(store.reserve("c", 1, 9, 1).await.unwrap(), 1);
}

#[tokio::test]
async fn a_full_queue_refuses_and_changes_nothing() {
    let file = SqliteFile::new();
    let store = file.open_with(&Options { queue_max: 1, ..options() });
    let other = lock(&file);
    let waiting = queued(&store, (0..MANY).map(|number| writes([order(number)]))).await;
    let refused_at_once = waiting.iter().filter(|commit| commit.is_finished()).count();
    other.execute_batch("ROLLBACK").unwrap();
    let outcomes = outcomes(waiting).await;
    let refused = outcomes.iter().filter(|outcome| is_unavailable(outcome)).count();
    assert!(refused > 0 && refused == refused_at_once, "{refused}, {refused_at_once}");
    let done: Vec<usize> = (0..MANY).filter(|number| outcomes[*number].is_ok()).collect();
    assert_eq!(there(&store).await, done);
}

#[tokio::test]
async fn closing_finishes_what_is_queued() {
    let file = SqliteFile::new();
    let store = file.open_with(&options());
    let other = lock(&file);
    for waiting in queued(&store, (0..MANY).map(|number| writes([order(number)]))).await {
        // Nobody waits for the answer any more.
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
    }
    other.execute_batch("ROLLBACK").unwrap();
    // The lock's connection too, so that the store is the last to close.
    drop(other);
    drop(Arc::into_inner(store).unwrap());
    assert!(!file.log().exists());
    assert_eq!(there(&file.open_with(&options())).await, (0..MANY).collect::<Vec<_>>());
}

/// A commit larger than the store may grow, among small ones that would fit.
#[tokio::test]
async fn a_full_disk_fails_its_group_and_all_that_come_later() {
    let file = SqliteFile::new();
    let store = file.open_with(&Options { max_pages: Some(200), ..options() });
    store.commit(writes([order(0)])).await.unwrap();
    assert_eq!(store.health().await, Ok(()));
    let other = lock(&file);
    let mut large = order(50);
    large.state = "x".repeat(1 << 20);
    let commits = (1..=9).map(|number| if number == 5 { writes([large.clone()]) } else { writes([order(number)]) });
    let waiting = queued(&store, commits).await;
    other.execute_batch("ROLLBACK").unwrap();
    let outcomes = outcomes(waiting).await;
    // Those before it may have had a transaction of their own; nobody after it is served.
    for (outcome, number) in outcomes.iter().zip(1..) {
        assert!(outcome.is_ok() && number < 5 || is_unavailable(outcome), "{number}: {outcome:?}");
    }
    let done: Vec<usize> = (0..=9).filter(|number| *number == 0 || outcomes[*number - 1].is_ok()).collect();

    for _ in 0..3 {
        assert!(is_unavailable(&store.commit(writes([order(99)])).await));
        assert!(is_unavailable(&store.commit(Commit::default()).await));
    }
    assert!(store.reserve("c", 1, 9, 1).await.is_err());
    assert!(store.forget_answers(crate::fixtures::at(0)).await.is_err());
    assert_eq!(there(&store).await, done, "reads still answer");
    assert!(store.health().await.unwrap_err().0.contains("it failed before"));
    drop(store);

    let store = file.open_with(&options());
    assert_eq!(store.health().await, Ok(()));
    assert_eq!(there(&store).await, done);
    store.commit(writes([large])).await.unwrap();
}

/// A disk on which writing the log fails while a commit is made durable: the shell lets no file of the child grow
/// further than 512 KiB or 1 MiB.
#[tokio::test]
async fn a_failing_disk_loses_nothing_that_was_acknowledged() {
    let file = SqliteFile::new();
    let child = Command::new("sh")
        .args(["-c", r#"trap '' XFSZ; ulimit -f 1024; exec "$0" "$@""#])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "sqlite_faults::child_on_a_failing_disk", "--nocapture", "--test-threads=1"])
        .env(CHILD, file.path())
        .output()
        .unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
    let numbers = |prefix| said.lines().filter_map(move |line| line.strip_prefix(prefix)?.parse::<usize>().ok());
    let acknowledged: Vec<usize> = numbers("acknowledged ").collect();
    let failed: Vec<usize> = numbers("failed ").collect();
    assert!(acknowledged.len() > 5 && failed.len() == 1, "{said}");

    // The one that failed may be there or not; nothing later is.
    let there = there(&file.open_with(&options())).await;
    assert!(there == acknowledged || there == [acknowledged, failed].concat(), "{there:?}\n{said}");
}

/// Does nothing unless another test started it for that.
#[tokio::test]
async fn child_on_a_failing_disk() {
    let Some(path) = env::var_os(CHILD) else { return };
    let store = SqliteStore::open(path, &options()).unwrap();
    let large = |number| {
        let mut order = order(number);
        order.state = "x".repeat(20_000);
        writes([order])
    };
    let mut number = 0;
    while let Ok(()) = store.commit(large(number)).await {
        println!("\nacknowledged {number}");
        number += 1;
        assert!(number < MANY, "the disk does not fail");
    }
    println!("\nfailed {number}");
    assert!(store.health().await.is_err(), "before anybody tries again");
    // Smaller, so that they would fit; they are not tried.
    for later in number + 1..number + 4 {
        let Err(CommitError::Unavailable(why)) = store.commit(writes([order(later)])).await else {
            panic!("{later} was tried")
        };
        assert!(why.contains("it failed before"), "{why}");
    }
    assert_eq!(there(&store).await, (0..number).collect::<Vec<_>>());
    assert!(store.health().await.unwrap_err().0.contains("it failed before"));
}
