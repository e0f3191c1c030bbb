//! One life of the gateway: how it is started, and how it ends.

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::bench::Bench;

/// How long a gateway may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);
/// What ends a process at a failpoint.
const SIGABRT: i32 = 6;

/// A running gateway; dropping it kills it.
pub(crate) struct Life {
    child: Child,
    is_ready: Arc<AtomicBool>,
}

/// How it is started.
#[derive(Clone, Default)]
pub(crate) struct Launch {
    /// A command that starts the command after it.
    pub(crate) under: Vec<String>,
    /// The failpoint, and the passing of it, at which it ends.
    pub(crate) failpoint: Option<(&'static str, u32)>,
}

impl Life {
    /// Starts a gateway on a bench; it may not be ready yet, or never be.
    pub(crate) fn begin(bench: &Bench, launch: &Launch) -> Self {
        let mut words = launch.under.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_guichet"), "serve"]);
        let mut command = Command::new(words.next().unwrap());
        let log = OpenOptions::new().create(true).append(true).open(bench.folder.join("gateway.log")).unwrap();
        command.args(words).current_dir(&bench.folder).env("GUICHET_CONFIG", bench.folder.join("guichet.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).env_remove("GUICHET_FAILPOINT");
        if let Some((place, passing)) = launch.failpoint {
            command.env("GUICHET_FAILPOINT", format!("{place}:{passing}"));
        }
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let is_ready = Arc::new(AtomicBool::new(false));
        let said = Arc::clone(&is_ready);
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(stdout).read_line(&mut line);
            said.store(line.starts_with('{'), Ordering::SeqCst);
        });
        Self { child, is_ready }
    }

    /// A gateway that is ready, and will not fail by itself.
    pub(crate) async fn calm(bench: &Bench) -> Self {
        let mut life = Self::begin(bench, &Launch::default());
        life.until_ready(bench).await;
        life
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::SeqCst)
    }

    pub(crate) async fn until_ready(&mut self, bench: &Bench) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "not ready: {ended:?}\n{}", bench.tail());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Whether a failpoint has ended it. Nothing else may: whatever a test does to a gateway, it does not fall over.
    pub(crate) fn was_aborted(&mut self, bench: &Bench) -> bool {
        let Some(status) = self.child.try_wait().unwrap() else { return false };
        assert_eq!(status.signal(), Some(SIGABRT), "ended by itself: {status}\n{}", bench.tail());
        true
    }

    /// Ends it without warning.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Who traces it would let it go on.
        let pid = self.pid();
        if pid != self.child.id() {
            let _ = Command::new("kill").args(["-s", "KILL", &pid.to_string()]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop; how it did.
    pub(crate) async fn stop(mut self, bench: &Bench) -> ExitStatus {
        let asked = Command::new("kill").args(["-s", "TERM", &self.pid().to_string()]).status().unwrap();
        assert!(asked.success());
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "does not stop\n{}", bench.tail());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Of the gateway itself, also when another command started it.
    pub(crate) fn pid(&self) -> u32 {
        let own = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        children.split_whitespace().next().map_or(own, |pid| pid.parse().unwrap())
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.end();
    }
}
