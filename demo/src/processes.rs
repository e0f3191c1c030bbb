//! The two programs that are started beside this one. Each says on one line of its standard output where it listens;
//! everything else it says goes into its log. Whatever ends this program ends them too, by their own ids.

use std::{
    ffi::OsStr,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::oneshot, time::timeout};

use crate::trouble::{Outcome, Trouble};

/// How long a program may take to listen.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How many lines of a log are worth showing.
const TAIL_LINES: usize = 25;

/// A program that is running; it is stopped when this is dropped.
pub(crate) struct Process {
    pub(crate) name: &'static str,
    child: Child,
    log: PathBuf,
    /// What it said when it was ready.
    pub(crate) ready: Value,
}

impl Process {
    /// Starts `program` in `folder` and waits until it says where it listens.
    pub(crate) async fn start(
        name: &'static str,
        program: &Path,
        arguments: &[&OsStr],
        folder: &Path,
    ) -> Outcome<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log)?;
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file.try_clone()?)
            .spawn()
            .map_err(|error| Trouble::from(error).during(&format!("starting {}", program.display())))?;
        let (say, said) = oneshot::channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || listen(BufReader::new(stdout), say, file));
        }
        let mut process = Self { name, child, log, ready: Value::Null };
        process.ready = match timeout(READY_WITHIN, said).await {
            Ok(Ok(line)) => serde_json::from_str(&line)
                .map_err(|error| Trouble::of(format!("{name} said {line:?} when it was ready: {error}")))?,
            Ok(Err(_)) => return Err(Trouble::of(format!("{name} ended before it was ready:\n{}", process.tail()))),
            Err(_) => return Err(Trouble::of(format!("{name} is not ready after {READY_WITHIN:?}"))),
        };
        Ok(process)
    }

    /// The address it gave under this name.
    pub(crate) fn address(&self, name: &str) -> Outcome<String> {
        let address = self.ready.get(name).and_then(Value::as_str);
        let address = address.ok_or_else(|| Trouble::of(format!("{} gave no address {name}", self.name)))?;
        Ok(address.trim_end_matches('/').to_owned())
    }

    pub(crate) fn log(&self) -> Outcome<String> {
        Ok(String::from_utf8_lossy(&std::fs::read(&self.log)?).into_owned())
    }

    /// The last lines of its log.
    pub(crate) fn tail(&self) -> String {
        let log = self.log().unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let skipped = lines.len().saturating_sub(TAIL_LINES);
        lines.into_iter().skip(skipped).map(|line| format!("  {}: {line}\n", self.name)).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hands over the first line and keeps the others in the log.
fn listen(lines: impl BufRead, say: oneshot::Sender<String>, mut log: File) {
    let mut say = Some(say);
    for line in lines.lines().map_while(Result::ok) {
        match say.take() {
            Some(say) => {
                // Nobody may be waiting any more.
                let _ = say.send(line);
            }
            None => {
                let _ = writeln!(log, "{line}");
            }
        }
    }
}

/// Runs a program to its end and returns what it printed.
pub(crate) fn run(program: &Path, arguments: &[&OsStr], folder: &Path) -> Outcome<String> {
    let done = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Trouble::from(error).during(&format!("starting {}", program.display())))?;
    if done.status.success() {
        Ok(String::from_utf8(done.stdout)?)
    } else {
        let said = String::from_utf8_lossy(&done.stderr);
        Err(Trouble::of(format!("{} ended with {}: {said}", program.display(), done.status)))
    }
}
