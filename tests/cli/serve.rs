//! `serve`: from the start to a graceful end.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::{Said, check_config::LIVE, folder, guichet, run, test_config};

/// A gateway that runs, killed should the test fail.
pub(super) struct Running {
    child: Child,
    pub(super) ready: Value,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub(super) fn start(config: &Path, env: &[(&str, &str)]) -> Self {
        let log = fs::File::create(config.with_extension("log")).unwrap();
        let mut child = guichet()
            .args(["serve", "--config"])
            .arg(config)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("{line}{}", fs::read_to_string(config.with_extension("log")).unwrap()));
        Self { child, ready }
    }

    pub(super) fn get(&self, port: &str, path: &str) -> String {
        let address = self.ready[port].as_str().unwrap().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(super) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Sends `signal` and returns the exit code.
    pub(super) fn stop(mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.child.wait().unwrap().code()
    }
}

#[test]
fn it_says_where_it_is_answers_and_stops() {
    let config = test_config(&folder("serve"));
    for signal in ["TERM", "INT"] {
        let running = Running::start(&config, &[("GUICHET__LOG__FORMAT", "json")]);
        let listen = running.ready["listen"].as_str().unwrap().to_owned();
        assert!(listen.starts_with("http://127.0.0.1:") && !listen.ends_with(":0"), "{listen}");
        assert_eq!(running.ready["public_url"], listen.as_str(), "without a public URL it is the address listened on");
        assert_eq!(running.ready["mode"], "test");
        assert!(running.get("ops", "/livez").starts_with("HTTP/1.1 200 OK"));
        assert!(running.get("ops", "/readyz").starts_with("HTTP/1.1 200 OK"));
        assert!(running.get("ops", "/metrics").contains("guichet_alarms_total"));
        assert!(running.get("listen", "/v1/orders").starts_with("HTTP/1.1 401 "));
        assert!(running.get("listen", "/livez").starts_with("HTTP/1.1 404 "), "operators have a port of their own");
        assert!(running.get("listen", "/pay/ecole.5ecre7").starts_with("HTTP/1.1 404 "));
        assert_eq!(running.stop(signal), Some(0), "{signal}");
        let log = fs::read_to_string(config.with_extension("log")).unwrap();
        assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
        assert!(log.contains("/pay/{token}") && !log.contains("5ecre7"), "{log}");
        assert!(log.contains("\"stopped\""), "{log}");
    }
}

/// Nobody puts the clock of real money forward: live mode does not even know the route.
#[test]
fn a_test_clock_does_not_exist_in_live_mode() {
    let config = test_config(&folder("serve-live"));
    let test = Running::start(&config, &[]);
    assert!(test.get("listen", "/v1/test-clock").starts_with("HTTP/1.1 401 "));
    assert_eq!(test.stop("TERM"), Some(0));
    // Without a second host of the page nobody looks at the first.
    let text = LIVE.lines().filter(|line| !line.starts_with("page_backup")).collect::<Vec<_>>().join("\n");
    fs::write(&config, text).unwrap();
    let live = Running::start(
        &config,
        &[
            ("GUICHET__SERVER__LISTEN", "127.0.0.1:0"),
            ("GUICHET__SERVER__OPS_LISTEN", "127.0.0.1:0"),
            ("GUICHET__STORE", "sqlite:live.db"),
        ],
    );
    assert_eq!(live.ready["mode"], "live");
    let unknown = live.get("listen", "/v1/nothing");
    assert!(unknown.starts_with("HTTP/1.1 404 "), "{unknown}");
    let body = |answer: &str| answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    let answer = live.get("listen", "/v1/test-clock");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert_eq!(body(&answer), body(&unknown));
    assert_eq!(live.stop("TERM"), Some(0));
}

#[test]
fn a_public_url_is_told_as_configured() {
    let config = test_config(&folder("serve-public"));
    let running = Running::start(&config, &[("GUICHET__PUBLIC_URL", "https://pay.example.org/")]);
    assert_eq!(running.ready["public_url"], "https://pay.example.org");
    assert_eq!(running.stop("TERM"), Some(0));
}

/// A key made beside a gateway that runs opens its door at once, and is shut out as soon as it is revoked.
#[test]
fn keys_work_while_the_gateway_runs() {
    let config = test_config(&folder("serve-keys"));
    let running = Running::start(&config, &[]);
    let path = config.display().to_string();
    let made =
        run(["keys", "new", "--config", &path, "--scope", "portal", "--merchant", "ecole", "--name", "Portail"], b"");
    let key = made.out.trim();
    let ask = || {
        let address = running.ready["listen"].as_str().unwrap().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET /v1/orders?merchant=ecole HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(ask(), "200");
    let id = key.split('_').nth(2).unwrap();
    assert_eq!(run(["keys", "revoke", "--config", &path, id], b"").code, Some(0));
    assert_eq!(ask(), "401");
    assert_eq!(running.stop("TERM"), Some(0));
}

#[test]
fn what_cannot_be_used_stops_the_start() {
    let config = test_config(&folder("serve-refused"));
    let running = Running::start(&config, &[]);
    let address = running.ready["listen"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    let said: Said = guichet()
        .args(["serve", "--config"])
        .arg(&config)
        .env("GUICHET__SERVER__LISTEN", &address)
        .env("GUICHET__STORE", "sqlite:other.db")
        .output()
        .unwrap()
        .into();
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains(&format!("{address} cannot be listened on")), "{}", said.err);
    assert_eq!(running.stop("TERM"), Some(0));
    // Another program's file is not a store.
    let said: Said = guichet()
        .args(["serve", "--config"])
        .arg(&config)
        .env("GUICHET__STORE", "sqlite:guichet.toml")
        .output()
        .unwrap()
        .into();
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    let said: Said = guichet()
        .args(["serve", "--config"])
        .arg(&config)
        .env("GUICHET__SERVER__LISTEN", "everywhere")
        .output()
        .unwrap()
        .into();
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""));
}

/// One process serves one store. Who only reads it, or makes keys in it, is welcome; so is the next one to serve it.
#[test]
fn a_second_gateway_on_the_same_store_does_not_start() {
    let config = test_config(&folder("serve-twice"));
    let path = config.display().to_string();
    for _ in 0..2 {
        let running = Running::start(&config, &[]);
        let said = run(["serve", "--config", &path], b"");
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
        assert!(said.err.contains("guichet.db is served by another process"), "{}", said.err);
        assert!(running.get("ops", "/readyz").starts_with("HTTP/1.1 200 OK"));
        for command in [
            vec!["check-config", "--config", &path],
            vec!["keys", "list", "--config", &path],
            vec!["keys", "new", "--config", &path, "--scope=ops", "--merchant=ecole", "--name=x"],
        ] {
            let said = run(&command, b"");
            assert_eq!(said.code, Some(0), "{command:?}: {}", said.err);
        }
        // The second time it is killed: a lock does not outlive its process.
        drop(running);
    }
    assert_eq!(Running::start(&config, &[]).stop("TERM"), Some(0));
}
