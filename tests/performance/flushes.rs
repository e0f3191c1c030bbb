//! What leases, turns and shared rates cost on a server that flushes each change: counted, and held against the same server
//! that flushes once a second.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use serde_json::Value;

use crate::{
    ratio::{Took, each, time},
    redis_servers::Server,
    rig::{Kept, Rig, Run},
    sized,
};

/// All that a server is told, a line each.
struct Monitor {
    is_over: Arc<AtomicBool>,
    reading: JoinHandle<Vec<String>>,
    port: u16,
}

impl Monitor {
    fn of(server: &Server) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.write_all(b"MONITOR\r\n").unwrap();
        let mut lines = BufReader::new(stream).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "+OK");
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let until_over = move |line: &String| !(over.load(Ordering::SeqCst) && line.contains("\"PING\""));
        let reading = thread::spawn(move || lines.map_while(Result::ok).take_while(until_over).collect());
        Self { is_over, reading, port: server.port }
    }

    /// Up to now.
    fn lines(self) -> Vec<String> {
        self.is_over.store(true, Ordering::SeqCst);
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(b"PING\r\n").unwrap();
        self.reading.join().unwrap()
    }
}

/// How often scripts ran this command on such a key.
fn count(lines: &[String], command: &str, key: &str) -> usize {
    lines.iter().filter(|line| line.contains("lua] ") && line.contains(command) && line.contains(key)).count()
}

fn count_for_debits(run: &Run, lines: &[String]) {
    let commits = count(lines, "\"HSET\"", ":aggregate:ecole:order:");
    let leases = count(lines, "\"SET\"", ":lease:order:") + count(lines, "\"DEL\"", ":lease:order:");
    let turns = count(lines, "\"SET\"", ":rate:debits:");
    let asked = lines.iter().filter(|line| line.contains("\"EVALSHA\"") && !line.contains("lua] ")).count();
    assert!(commits >= run.debits && leases >= 2 * run.debits && turns >= run.debits, "{commits} {leases} {turns}");
    println!("  debits on Redis: {asked} scripts for {}", run.debits);
    each("commits_per_debit", commits, run.debits);
    each("lease_and_turn_changes_per_debit", leases + turns, run.debits);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushing_each_change_or_once_a_second() {
    let rig = Rig::start(Kept::OnRedis, 1).await;
    let (plans, reads) = (sized(6, 64), sized(10, 300));
    rig.begin_plans(plans).await;
    let path = format!("/v1/orders/{}", rig.place("E2026002").await);
    let read =
        || async { time(1, (0..reads).map(|_| async { drop(rig.ask("GET", &path, &Value::Null, 200).await) })).await };
    let server = rig.redis.as_ref().unwrap();
    let mut took: [[Took; 3]; 2] = Default::default();
    for _ in 0..sized(1, 4) {
        for ([debits, store, requests], setting) in took.iter_mut().zip(["always", "everysec"]) {
            server.tell(&format!("CONFIG SET appendfsync {setting}"));
            let run = rig.run().await;
            debits.note(run.took);
            store.note(run.store_took);
            requests.note(read().await);
        }
    }
    let [[debits, store, requests], [debits_late, store_late, requests_late]] = took;
    debits.show("debits, each change flushed", plans);
    debits_late.show("debits, flushed once a second", plans);
    store.show("before a debit, each change flushed", 1);
    store_late.show("before a debit, flushed once a second", 1);
    requests.show("requests for an order, each change flushed", reads);
    requests_late.show("requests for an order, flushed once a second", reads);
    debits.over(&debits_late, "flushed_debits_over_unflushed");
    store.over(&store_late, "flushed_before_a_debit_over_unflushed");
    requests.over(&requests_late, "flushed_requests_over_unflushed");

    server.tell("CONFIG SET appendfsync always");
    // Not a plan's last debit, after which its card is forgotten.
    let (run, monitor) = rig.run_watched(|| Monitor::of(server)).await;
    count_for_debits(&run, &monitor.lines());
    let monitor = Monitor::of(server);
    read().await;
    each("rate_changes_per_request", count(&monitor.lines(), "\"SET\"", ":rate:requests:"), reads);
}
