//! A store that an older guichet made is brought up to date, with all that is in it.

use std::thread;

use guichet::{
    adapters::sqlite::SqliteStore,
    ports::{Callback, Commit, Mode, Store},
};
use jiff::civil::date;
use rusqlite::Connection;

use crate::{
    fixtures::{answer, at, callback, claim, everything, key, write, writes},
    sqlite::{SqliteFile, options},
};

/// As it was released.
const SCHEMA_1: &str = include_str!("../../src/adapters/sqlite/schema_1.sql");

/// Everything a store of schema 1 could hold.
async fn fill(store: &dyn Store) {
    for number in 0..20 {
        let mut made = write(&key(["a", "b"][number % 2], &number.to_string()), 0);
        made.labels = vec![("payer", format!("p{}", number % 3)), ("status", "open".to_owned())];
        made.wake_at = (number % 4 == 0).then(|| at(number as i64));
        let commit = Commit {
            writes: vec![made],
            claims: vec![claim("a", &format!("v{number}"), "o")],
            callbacks: vec![Callback { order: Some("o".to_owned()), ..callback("b", number as i64) }],
            answer: Some(answer(&format!("k{number}"), at(0))),
        };
        store.commit(commit).await.unwrap();
    }
    store.keep_callback(callback("a", 1), 9).await.unwrap();
    store.reserve("c", 5, 100, 10).await.unwrap();
}

/// Puts all that `from` holds into a store of schema 1.
fn write_as_schema_1(from: &SqliteFile, file: &SqliteFile) {
    let old = file.raw();
    old.execute_batch(SCHEMA_1).unwrap();
    old.pragma_update(None, "journal_mode", "WAL").unwrap();
    old.pragma_update(None, "application_id", 0x6775_6963).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.pragma_update(None, "foreign_keys", false).unwrap();
    old.execute("ATTACH ?1 AS now", [from.path().to_str().unwrap()]).unwrap();
    for table in texts(&old, "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
        let columns = texts(&old, &format!("SELECT name FROM pragma_table_info('{table}', 'main')")).join(", ");
        let copied = old
            .execute(&format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}"), [])
            .unwrap();
        assert!(copied > 0, "{table} is not tested");
    }
}

fn texts(connection: &Connection, query: &str) -> Vec<String> {
    let mut statement = connection.prepare(query).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_store_of_schema_1_is_brought_up_to_date() {
    let (new, old) = (SqliteFile::new(), SqliteFile::new());
    let store = new.open_with(&options());
    fill(store.as_ref()).await;
    write_as_schema_1(&new, &old);
    let before = everything(store.as_ref()).await;

    // Checking finds nothing to refuse, and changes nothing.
    SqliteStore::check(old.path(), Some(Mode::Test)).unwrap();
    let version = |file: &SqliteFile| file.raw().pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    assert_eq!(version(&old).unwrap(), 1);
    // Of several that open it at once, one brings it up to date.
    let stores = thread::scope(|scope| {
        let opened: Vec<_> = (0..4).map(|_| scope.spawn(|| old.open_with(&options()))).collect();
        opened.into_iter().map(|store| store.join().unwrap()).collect::<Vec<_>>()
    });
    for store in &stores {
        assert_eq!(everything(store.as_ref()).await, before);
        assert!(store.ready("a", "order", date(9999, 12, 31), None, 9).await.unwrap().is_empty());
    }
    assert_eq!(version(&old).unwrap(), version(&new).unwrap());
    let schema = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name";
    assert_eq!(texts(&old.raw(), schema), texts(&new.raw(), schema));

    // It goes on from where it was.
    let mut change = write(&key("a", "0"), 1);
    change.ready_on = Some(date(2026, 10, 5));
    stores[0].commit(writes([change])).await.unwrap();
    assert_eq!(stores[1].ready("a", "order", date(2026, 10, 5), None, 9).await.unwrap().len(), 1);
    assert_eq!(stores[1].history(&key("a", "0")).await.unwrap().len(), 2);
    assert_eq!(stores[1].reserve("c", 5, 100, 10).await.unwrap(), 15);
    drop(stores);
    let ready = old.open_with(&options()).ready("a", "order", date(2026, 10, 5), None, 9).await.unwrap();
    assert_eq!(ready[0].0, key("a", "0"));
}
