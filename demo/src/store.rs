//! What the gateways keep everything in: a file of one gateway, or a Redis of this demo's own that two of them share.

use std::{
    ffi::OsStr,
    fs::DirBuilder,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use clap::ValueEnum;

use crate::trouble::{Outcome, Trouble};

/// How long the server may take to answer.
const READY_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Where the server keeps its files, and the file of the other kind; below the demo's folder.
const FOLDER: &str = "store";
pub(crate) const FILE: &str = "guichet.db";

/// Which kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A file, served by one gateway.
    Sqlite,
    /// A redis-server, served by two gateways behind one port.
    Redis,
}

/// A redis-server that ends with this.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts one that acknowledges nothing before it is on disk.
    pub(crate) async fn start(folder: &Path) -> Outcome<Self> {
        let own = folder.join(FOLDER);
        DirBuilder::new().mode(0o700).create(&own)?;
        let port = free_port()?.to_string();
        let settings = [
            ["--bind", "127.0.0.1"],
            ["--port", &port],
            ["--save", ""],
            ["--appendonly", "yes"],
            ["--appendfsync", "always"],
            ["--no-appendfsync-on-rewrite", "no"],
            ["--maxmemory-policy", "noeviction"],
        ];
        let child = Command::new("redis-server")
            .args(settings.iter().flatten().map(OsStr::new))
            .current_dir(&own)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                Trouble::from(error).during("starting redis-server (as root: apt-get install redis-server)")
            })?;
        let mut server = Self { child, port: port.parse()? };
        let begun = Instant::now();
        while !server.answers() {
            if let Some(status) = server.child.try_wait()? {
                return Err(Trouble::of(format!("redis-server ended with {status}")));
            }
            if begun.elapsed() > READY_WITHIN {
                return Err(Trouble::of(format!("redis-server does not answer after {READY_WITHIN:?}")));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(server)
    }

    fn answers(&self) -> bool {
        let asked = || {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(READY_WITHIN))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = [0; 7];
            stream.read_exact(&mut answer)?;
            Ok::<_, std::io::Error>(answer == *b"+PONG\r\n")
        };
        asked().unwrap_or(false)
    }

    /// As a configuration names the store on it.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0?name=demo", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody has right now.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The files that hold what is stored, of whichever kind.
pub(crate) fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.join(FOLDER)];
    while let Some(folder) = folders.pop().filter(|folder| folder.is_dir()) {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FILE)) {
            files.push(path);
        }
    }
    Ok(files)
}
