//! Servers of Redis, as one, with Sentinels, and as a cluster: started on free ports of this machine, each in a folder of
//! its own, and ended when they are dropped. What cannot start fails the test.

use std::{
    env, fs,
    net::TcpListener,
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use redis::{Connection, FromRedisValue, RedisResult};

/// Longer than any of this takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// In milliseconds: how long a server is silent before others take it for dead.
const SILENCE: u32 = 1_000;

/// Waits until `is` says yes.
pub(crate) fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// One process of redis-server.
pub(crate) struct Server {
    pub(crate) child: Option<Child>,
    pub(crate) folder: PathBuf,
    arguments: Vec<String>,
    pub(crate) port: u16,
}

impl Server {
    /// One on its own that keeps everything, with more `arguments`.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let kept = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"];
        Self::begin(&[&kept, arguments].concat(), &[])
    }

    /// One with `files` in its folder.
    pub(crate) fn start_with(arguments: &[&str], files: &[(&str, &str)]) -> Self {
        Self::begin(arguments, files)
    }

    fn begin(arguments: &[&str], files: &[(&str, &str)]) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        // Somebody else may take the port before the server does.
        for _ in 0..10 {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let folder = env::temp_dir().join(format!("guichet-redis-{}-{number}", process::id()));
            fs::create_dir(&folder).unwrap();
            let port = free_port();
            fs::write(folder.join("redis.conf"), "").unwrap();
            for (name, text) in files {
                fs::write(folder.join(name), text).unwrap();
            }
            let mut all = vec!["redis.conf".to_owned()];
            for own in ["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--logfile", "log"] {
                all.push(own.to_owned());
            }
            all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
            let mut server = Self { child: None, folder, arguments: all, port };
            if server.run() {
                return server;
            }
        }
        panic!("redis-server does not start");
    }

    /// Whether it answers; not, when it has ended.
    fn run(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        let command =
            command.args(&self.arguments).current_dir(&self.folder).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("redis-server is needed, apt-get install redis-server: {error}"));
        let mut is_there = false;
        until("redis-server answers or ends", || {
            // Whatever it answers: a password may be wanted.
            is_there = self.log().contains("Ready to accept connections") || self.log().contains("Sentinel ID is");
            is_there || child.try_wait().unwrap().is_some()
        });
        self.child = Some(child);
        is_there
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Starts it again with the files it left, after [`Server::kill`].
    pub(crate) fn start_again(&mut self) {
        fs::remove_file(self.folder.join("log")).unwrap();
        assert!(self.run(), "{}", self.log());
    }

    /// Starts it again with nothing.
    pub(crate) fn start_empty(&mut self) {
        fs::remove_dir_all(self.folder.join("appendonlydir")).unwrap();
        self.start_again();
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Takes so many bytes from the end of what it has kept, or a third of it; how many.
    pub(crate) fn truncate(&self, bytes: u64) -> u64 {
        let folder = fs::read_dir(self.folder.join("appendonlydir")).unwrap();
        let files = folder.map(|file| file.unwrap().path());
        let last = files.filter(|path| path.to_string_lossy().ends_with(".incr.aof")).max().unwrap();
        let length = fs::metadata(&last).unwrap().len();
        let cut = bytes.min(length / 3);
        fs::File::options().write(true).open(&last).unwrap().set_len(length - cut).unwrap();
        cut
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("redis://127.0.0.1:{}/0?name={name}", self.port)
    }

    pub(crate) fn raw(&self) -> Connection {
        redis::Client::open(("127.0.0.1", self.port)).unwrap().get_connection().unwrap()
    }

    /// Asks with a command in one line.
    pub(crate) fn try_ask<T: FromRedisValue>(&self, line: &str) -> RedisResult<T> {
        let mut command = redis::Cmd::new();
        for word in line.split(' ') {
            command.arg(word);
        }
        command.query(&mut self.raw())
    }

    pub(crate) fn ask<T: FromRedisValue>(&self, line: &str) -> T {
        self.try_ask(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    pub(crate) fn tell(&self, line: &str) {
        self.ask::<redis::Value>(line);
    }

    /// A figure of INFO.
    pub(crate) fn info(&self, name: &str) -> String {
        let info: String = self.ask("INFO");
        let prefix = format!("{name}:");
        info.lines().find_map(|line| line.trim().strip_prefix(&prefix)).unwrap_or_default().to_owned()
    }

    /// Until as many replicas follow it, which changes the name of its history.
    pub(crate) fn await_replicas(&self, replicas: usize) {
        until("replicas are there", || {
            self.info("connected_slaves") == replicas.to_string()
                && (0..replicas).all(|number| self.info(&format!("slave{number}")).contains("state=online"))
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A primary, a replica, and three Sentinels that watch them.
pub(crate) struct Watched {
    sentinels: Vec<Server>,
    pub(crate) primary: Server,
    pub(crate) replica: Server,
}

impl Watched {
    pub(crate) fn start() -> Self {
        let primary = Server::start(&[]);
        let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
        primary.await_replicas(1);
        let watched = primary.port;
        let config = format!(
            "sentinel monitor main 127.0.0.1 {watched} 2\nsentinel down-after-milliseconds main {SILENCE}\n\
             sentinel failover-timeout main 5000\n"
        );
        let files = [("redis.conf", config.as_str())];
        let sentinels: Vec<Server> = (0..3).map(|_| Server::begin(&["--sentinel"], &files)).collect();
        for sentinel in &sentinels {
            until("the Sentinels know each other and the replica", || {
                let known: Vec<(String, String)> = pairs(sentinel.ask("SENTINEL MASTER main"));
                let is = |name: &str, value: &str| known.iter().any(|(n, v)| n == name && v == value);
                is("num-other-sentinels", "2") && is("num-slaves", "1")
            });
        }
        Self { sentinels, primary, replica }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        let sentinels: Vec<String> = self.sentinels.iter().map(|at| format!("127.0.0.1:{}", at.port)).collect();
        format!("redis+sentinel://{}/main?name={name}", sentinels.join(","))
    }
}

fn pairs(flat: Vec<String>) -> Vec<(String, String)> {
    flat.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

/// Six servers, three of which hold a third of the slots each and have a replica.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
}

/// Slots of a cluster, and how they are shared between its primaries.
const SLOTS: [(u32, u32); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];

impl Cluster {
    pub(crate) fn start() -> Self {
        let timeout = SILENCE.to_string();
        let nodes: Vec<Server> = (1..=6)
            .map(|epoch| {
                let bus = free_port().to_string();
                let node = Server::start(&[
                    "--cluster-enabled",
                    "yes",
                    "--cluster-port",
                    &bus,
                    "--cluster-node-timeout",
                    &timeout,
                ]);
                node.tell(&format!("CLUSTER SET-CONFIG-EPOCH {epoch}"));
                node
            })
            .collect();
        for (node, (first, last)) in nodes.iter().zip(SLOTS) {
            node.tell(&format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
        }
        for node in &nodes[1..] {
            let bus = node.arguments.iter().skip_while(|argument| *argument != "--cluster-port").nth(1).unwrap();
            nodes[0].tell(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port));
        }
        let cluster = Self { nodes };
        cluster.await_all("cluster_known_nodes:6");
        for (replica, primary) in cluster.nodes[3..].iter().zip(&cluster.nodes) {
            let id: String = primary.ask("CLUSTER MYID");
            until("a node follows", || replica.try_ask::<redis::Value>(&format!("CLUSTER REPLICATE {id}")).is_ok());
        }
        cluster.await_all("cluster_state:ok");
        cluster.nodes[..3].iter().for_each(|primary| primary.await_replicas(1));
        cluster
    }

    fn await_all(&self, line: &str) {
        for node in &self.nodes {
            until(line, || node.ask::<String>("CLUSTER INFO").contains(line));
        }
    }

    /// All nodes but the last are named, so that a store is mostly elsewhere than the first that is asked.
    pub(crate) fn url(&self, name: &str) -> String {
        let nodes: Vec<String> = self.nodes.iter().map(|at| format!("127.0.0.1:{}", at.port)).collect();
        format!("redis+cluster://{}?name={name}", nodes[..5].join(","))
    }

    /// The slot of a store, and the place of the primary that holds it.
    pub(crate) fn home(&self, name: &str) -> (u32, usize) {
        let slot: u32 = self.nodes[0].ask(&format!("CLUSTER KEYSLOT {{guichet:{name}}}:meta"));
        (slot, SLOTS.iter().position(|(_, last)| slot <= *last).unwrap())
    }
}
