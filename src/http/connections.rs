//! The connections that are open. When there are too many, the one that has idled longest makes room: whoever hoards
//! connections that are silent, or slow to say what they want, keeps nobody out, PAYBOX's notifications least of all.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
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
    /// Requests that have arrived and are not answered.
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

/// A request on a connection, which does not idle from its beginning until this is dropped.
pub(super) struct UnderWay {
    connections: Arc<Connections>,
    number: u64,
    begun: AtomicBool,
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
    /// A request whose header is there. It counts as news of the peer, but not yet as work.
    pub(super) fn request(&self) -> UnderWay {
        self.connections.update(self.number, |connection| connection.idle_since = Instant::now());
        UnderWay { connections: Arc::clone(&self.connections), number: self.number, begun: AtomicBool::new(false) }
    }
}

impl UnderWay {
    /// All of the request is there: from now on its connection is at work.
    pub(super) fn begin(&self) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            self.connections.update(self.number, |connection| connection.requests += 1);
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !*self.begun.get_mut() {
            return;
        }
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
        let request = busy.request();
        request.begin();
        request.begin();
        let idle = connections.enter(2).unwrap();
        let _slow = idle.request();
        let newcomer = connections.enter(2).unwrap();
        idle.close.notified().await;
        let another = newcomer.request();
        another.begin();
        assert!(connections.enter(2).is_none(), "both are at work");
        drop(request);
        let _last = connections.enter(2).unwrap();
        busy.close.notified().await;
    }
}
