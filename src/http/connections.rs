//! The connections that are open. When there are too many, the one that has idled longest makes room: whoever hoards
//! silent connections keeps nobody out, PAYBOX's notifications least of all.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{sync::Notify, time::Instant};

/// Every open connection, by a number that is never used again.
#[derive(Default)]
pub(super) struct Connections {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    connections: BTreeMap<u64, Connection>,
}

struct Connection {
    /// Requests under way.
    requests: u32,
    idle_since: Instant,
    close: Arc<Notify>,
}

/// One open connection's place; given up when it is dropped.
pub(super) struct Place {
    connections: Arc<Connections>,
    number: u64,
    /// Told when the connection has to make room.
    pub(super) close: Arc<Notify>,
}

/// A request under way on a connection, which therefore does not idle.
pub(super) struct UnderWay {
    connections: Arc<Connections>,
    number: u64,
}

impl Connections {
    /// A place for a new connection; `None` when all `most` are at work.
    pub(super) fn enter(self: &Arc<Self>, most: usize) -> Option<Place> {
        let mut open = self.lock();
        if open.connections.len() >= most {
            let longest_idle = open
                .connections
                .iter()
                .filter(|(_, connection)| connection.requests == 0)
                .min_by_key(|(_, connection)| connection.idle_since)
                .map(|(number, _)| *number)?;
            if let Some(connection) = open.connections.remove(&longest_idle) {
                connection.close.notify_one();
            }
        }
        let number = open.next;
        open.next += 1;
        let close = Arc::new(Notify::new());
        let connection = Connection { requests: 0, idle_since: Instant::now(), close: Arc::clone(&close) };
        open.connections.insert(number, connection);
        Some(Place { connections: Arc::clone(self), number, close })
    }

    pub(super) fn count(&self) -> usize {
        self.lock().connections.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, number: u64, change: impl FnOnce(&mut Connection)) {
        if let Some(connection) = self.lock().connections.get_mut(&number) {
            change(connection);
        }
    }
}

impl Place {
    /// Marks a request as under way until the result is dropped.
    pub(super) fn request(&self) -> UnderWay {
        self.connections.update(self.number, |connection| connection.requests += 1);
        UnderWay { connections: Arc::clone(&self.connections), number: self.number }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.connections.update(self.number, |connection| {
            connection.requests = connection.requests.saturating_sub(1);
            connection.idle_since = Instant::now();
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().connections.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_longest_idle_connection_makes_room() {
        let connections = Arc::new(Connections::default());
        let busy = connections.enter(2).unwrap();
        let _request = busy.request();
        let idle = connections.enter(2).unwrap();
        let newcomer = connections.enter(2).unwrap();
        idle.close.notified().await;
        let _another = newcomer.request();
        assert!(connections.enter(2).is_none(), "both are at work");
        drop(busy);
        assert!(connections.enter(2).is_some());
    }
}
