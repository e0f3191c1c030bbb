//! What stands in a gateway's store, read from beside it, whether it lives or not.

use std::path::Path;

use guichet::{
    adapters::redis::{Options, Place, RedisStore},
    domain::{
        attempt::{Attempt, AttemptState},
        bank::MoneyCall,
        order::Order,
        run::{Run, RunState},
        schedule::Debit,
    },
    ports::{Key, Mode, Store, Stored},
};
use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, OpenFlags};
use serde::de::DeserializeOwned;

pub(crate) struct Seen {
    pub(crate) orders: Vec<Order>,
    pub(crate) runs: Vec<Run>,
    /// When the gateway looks after something next, for each thing that it looks after.
    pub(crate) wakes: Vec<Timestamp>,
}

impl Seen {
    /// Of a store on Redis; none when it cannot be read now.
    pub(crate) async fn shared(url: &str) -> Option<Self> {
        let store = RedisStore::open(Place::parse(url).unwrap(), &Options::new(Mode::Test)).await.ok()?;
        let orders = store.list("ecole", "order", &[], None, usize::MAX).await.ok()?;
        let runs = store.list("ecole", "run", &[], None, usize::MAX).await.ok()?;
        Some(Self { orders: read(orders), runs: read(runs), wakes: Vec::new() })
    }

    /// Read-only: closing it moves nothing from the log into the file, which is the gateway's to do.
    pub(crate) fn read(path: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        // One state of all of it.
        let snapshot = connection.transaction().unwrap();
        let mut wakes = snapshot.prepare("SELECT wake_at FROM aggregate WHERE wake_at IS NOT NULL").unwrap();
        let wakes = wakes.query_map([], |row| row.get::<_, i64>(0)).unwrap();
        let wakes = wakes.map(|wake_at| Timestamp::from_microsecond(wake_at.unwrap()).unwrap()).collect();
        Self { orders: all(&snapshot, "order"), runs: all(&snapshot, "run"), wakes }
    }

    /// Attempts whose outcome is still to come, and comes without people.
    pub(crate) fn open(&self) -> usize {
        self.orders.iter().flat_map(attempts).filter(|attempt| attempt.is_open() && !is_for_people(attempt)).count()
    }

    pub(crate) fn debits(&self) -> impl Iterator<Item = &Debit> {
        self.orders.iter().flat_map(|order| &order.schedule).flat_map(|due| &due.debits)
    }

    /// The first day from which something that is owed may be debited.
    pub(crate) fn next_debit(&self) -> Option<Date> {
        self.orders.iter().filter_map(Order::ready_on).min()
    }

    /// Whether the day's run has been, and is over.
    pub(crate) fn has_ended(&self, day: Date) -> bool {
        self.runs.iter().any(|run| run.date == day && matches!(run.state, RunState::Ended { .. }))
    }
}

/// A refund is found when it was carried out; nothing shows that it was not, so people decide.
pub(crate) fn is_for_people(attempt: &Attempt) -> bool {
    let is_refund = matches!(attempt.call, MoneyCall::Refund { .. });
    is_refund && matches!(attempt.state, AttemptState::InDoubt(_) | AttemptState::Quarantined { .. })
}

/// Every call of an order that moves money.
pub(crate) fn attempts(order: &Order) -> impl Iterator<Item = &Attempt> {
    let debits = order.schedule.iter().flat_map(|due| &due.debits).map(|debit| &debit.attempt);
    let captures = order.holds.iter().flat_map(|hold| &hold.captures);
    debits.chain(captures).chain(order.give_backs.iter().flat_map(|give_back| &give_back.attempts))
}

fn read<T: DeserializeOwned>(all: Vec<(Key, Stored)>) -> Vec<T> {
    all.iter().map(|(_, stored)| serde_json::from_str(&stored.state).unwrap()).collect()
}

fn all<T: DeserializeOwned>(connection: &Connection, kind: &str) -> Vec<T> {
    let mut statement = connection.prepare("SELECT state FROM aggregate WHERE kind = ?1 ORDER BY id").unwrap();
    let states = statement.query_map([kind], |row| row.get::<_, String>(0)).unwrap();
    states.map(|state| serde_json::from_str(&state.unwrap()).unwrap()).collect()
}
