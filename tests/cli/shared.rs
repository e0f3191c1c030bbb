//! A store on Redis that two gateways serve.

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Said, folder, guichet, run, serve::Running, test_config, write_secret};

pub(super) const SECRET: &str = "s3cr3t-of-the-store";

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A redis-server that wants [`SECRET`], ended should the test fail.
pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
}

impl Server {
    pub(super) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    fn start_with(folder: &Path, arguments: &[&str]) -> Self {
        let port = free_port();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--requirepass", SECRET])
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("redis-server is needed, apt-get install redis-server: {error}"));
        let server = Self { child, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "redis-server does not start");
            thread::sleep(Duration::from_millis(10));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The configuration of a gateway in `folder`, with its lines about the store.
fn on_redis(folder: &Path, lines: &str, password: &str) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let path = test_config(folder);
    write_secret(&folder.join("password"), &format!("{password}\n"));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{lines}\n{text}\n[redis]\npassword_file = \"password\"\n")).unwrap();
    path
}

fn said(arguments: &[&str], config: &Path) -> Said {
    let config = config.display().to_string();
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--config", &config]).collect();
    let said = run(arguments, b"");
    assert!(!said.err.contains(SECRET) && !said.out.contains(SECRET), "{}", said.err);
    said
}

#[test]
fn two_gateways_serve_a_store_on_redis() {
    let folder = folder("shared");
    let server = Server::start(&folder);
    let store = format!("store = \"redis://127.0.0.1:{}/0?name=ecole\"", server.port);
    let own = |name: &str| format!("{store}\njournal = \"own.journal\"\ninstance = \"{name}\"");
    let one = on_redis(&folder.join("one"), &own("one"), SECRET);
    let two = on_redis(&folder.join("two"), &own("two"), SECRET);

    let checked = said(&["check-config"], &one);
    assert_eq!((checked.code, checked.out.lines().last()), (Some(0), Some("ok")), "{}", checked.err);
    let none = said(&["audit"], &one);
    assert_eq!(none.code, Some(1), "checking makes no store");
    assert!(none.err.contains("there is no store"), "{}", none.err);

    let key = said(&["keys", "new", "--scope", "portal", "--merchant", "ecole", "--name", "portal"], &one);
    assert_eq!(key.code, Some(0), "{}", key.err);
    let (first, second) = (Running::start(&one, &[]), Running::start(&two, &[]));
    for running in [&first, &second] {
        assert!(running.get("ops", "/readyz").starts_with("HTTP/1.1 200 OK"));
        let with_key = format!("/v1/events HTTP/1.1\r\nAuthorization: Bearer {}\r\nX-Rest:", key.out.trim());
        assert!(running.get("listen", &with_key).starts_with("HTTP/1.1 200 OK"), "a key of the store serves at both");
    }
    let third = guichet().args(["serve", "--config"]).arg(&one).output().unwrap();
    let why = String::from_utf8(third.stderr).unwrap();
    assert!(!third.status.success() && why.contains("each gateway has a journal of its own"), "{why}");
    assert_eq!(said(&["audit"], &two).out, "orders=0 events=0 operations=0 breaches=0\n");
    assert_eq!((first.stop("TERM"), second.stop("TERM")), (Some(0), Some(0)));
    assert!(folder.join("one/own.journal").exists() && folder.join("two/own.journal").exists());

    for command in [&["backup", "copy.db"][..], &["restore", "copy.db"]] {
        let refused = said(command, &one);
        assert_eq!(refused.code, Some(1));
        assert!(refused.err.contains("the store is on Redis, whose own copies are its backup"), "{}", refused.err);
    }
}

#[test]
fn a_name_is_one_gateways() {
    let folder = folder("names");
    let server = Server::start(&folder);
    let lines = format!(
        "store = \"redis://127.0.0.1:{}/0?name=ecole\"\njournal = \"own.journal\"\ninstance = \"one\"",
        server.port
    );
    let (one, two) = (on_redis(&folder.join("one"), &lines, SECRET), on_redis(&folder.join("two"), &lines, SECRET));
    let first = Running::start(&one, &[]);
    let refused = said(&["serve"], &two);
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.err.contains("another gateway on it is called one"), "{}", refused.err);
    assert!(refused.err.contains("waiting"), "{}", refused.err);

    // Its successor has its journal, and need not wait; nor need another, once it was stopped.
    let at_once = |config: &Path| {
        let begun = Instant::now();
        let running = Running::start(config, &[]);
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        running
    };
    first.signal("KILL");
    drop(first);
    let first = at_once(&one);
    assert_eq!(first.stop("TERM"), Some(0));
    let second = at_once(&two);
    // One that was killed holds its name for as long as its lease.
    second.signal("KILL");
    drop(second);
    let first = Running::start(&one, &[]);
    assert_eq!(first.stop("TERM"), Some(0));
    assert!(fs::read_to_string(one.with_extension("log")).unwrap().contains("died with it: waiting"));
}

#[test]
fn what_cannot_be_such_a_store_is_told() {
    let folder = folder("not-shared");
    let server = Server::start(&folder);
    let (journal, port) = ("journal = \"own.journal\"\ninstance = \"one\"", server.port);
    for (lines, password, sentence) in [
        (format!("store = \"redis://127.0.0.1:{port}?name=x\""), SECRET, "journal: is missing"),
        (format!("store = \"redis://127.0.0.1:{port}?name=x\""), SECRET, "instance: is missing"),
        (
            format!("{journal}\nstore = \"redis://127.0.0.1:{port}?name=x\"").replace("one", "o n e"),
            SECRET,
            "instance: is no name",
        ),
        (format!("{journal}\nstore = \"redis://127.0.0.1:{port}\""), SECRET, "store: does not name its store"),
        (
            format!("{journal}\nstore = \"redis://127.0.0.1:{port}?name=x\""),
            "another",
            "Password authentication failed",
        ),
        (format!("{journal}\nstore = \"redis://127.0.0.1:1?name=x\""), SECRET, "127.0.0.1:1: "),
        (format!("{journal}\nstore = \"rediss://127.0.0.1:{port}?name=x\""), SECRET, &port.to_string()),
        (
            format!("{journal}\nstore = \"redis+sentinel://127.0.0.1:{port}/main?name=x\""),
            SECRET,
            "unknown command 'SENTINEL'",
        ),
        (format!("{journal}\nstore = \"memcache://127.0.0.1\""), SECRET, "is not a store such as"),
        (format!("{journal}\nstore = \"redis://127.0.0.1:{port}?name=x\""), "", "a file without a password"),
    ] {
        let said = said(&["check-config"], &on_redis(&folder, &lines, password));
        assert_eq!(said.code, Some(1), "{lines}");
        assert!(said.err.contains(sentence), "{lines}: {}", said.err);
    }
}

#[test]
fn a_test_is_told_what_live_mode_would_refuse() {
    let folder = folder("unsaid");
    let bus = free_port().to_string();
    let server = Server::start_with(&folder, &["--cluster-enabled", "yes", "--cluster-port", &bus]);
    let tell = format!("AUTH {SECRET}\r\nCLUSTER ADDSLOTSRANGE 0 16383\r\n");
    let mut wire = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    wire.write_all(tell.as_bytes()).unwrap();
    let begun = Instant::now();
    for (rest, is_warned) in [("", true), ("&replicas=1", false)] {
        let store = format!("store = \"redis+cluster://127.0.0.1:{}?name=x{rest}\"", server.port);
        let lines = format!("{store}\njournal = \"own.journal\"\ninstance = \"one\"");
        let config = on_redis(&folder, &lines, SECRET);
        let mut checked = said(&["check-config"], &config);
        // A cluster takes a moment to find itself whole.
        while checked.code != Some(0) {
            assert!(begun.elapsed() < Duration::from_secs(30), "{}", checked.err);
            thread::sleep(Duration::from_millis(200));
            checked = said(&["check-config"], &config);
        }
        let warning = "warning: store: does not say how many replicas its primary has";
        assert_eq!(checked.out.contains(warning), is_warned, "{}", checked.out);
    }
}
