//! `callbacks list`: what was kept, and what it was.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
};

use serde_json::Value;

use super::{Said, folder, run, serve::Running, test_config, write_secret};

/// Sends these bodies as notifications of the merchant `ecole`; none is signed.
fn notify(config: &Path, bodies: &[&[u8]]) {
    let running = Running::start(config, &[]);
    let address = running.ready["listen"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    for body in bodies {
        let mut stream = TcpStream::connect(&address).unwrap();
        let length = body.len();
        let head = format!(
            "POST /paybox/ecole/ipn HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    assert_eq!(running.stop("TERM"), Some(0));
}

fn list(config: &Path, arguments: &[&str]) -> Said {
    let config = config.display().to_string();
    run(["callbacks", "list", "--config", &config].iter().chain(arguments), b"")
}

fn lines(said: &Said) -> Vec<Value> {
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn kept_callbacks_are_listed_and_opened_on_demand() {
    let folder = folder("callbacks-list");
    let config = test_config(&folder);
    assert_eq!(list(&config, &["--merchant=ecole"]).out, "");
    notify(&config, &[b"M=100&R=first&K=AA", b"M=100&R=4012001037141112"]);
    let said = list(&config, &["--merchant=ecole"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let all = lines(&said);
    assert_eq!(all.len(), 2);
    for line in &all {
        let names: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(names, ["order", "reason", "received_at", "verdict"]);
        assert_eq!((&line["verdict"], &line["order"]), (&"unverified".into(), &Value::Null));
        assert!(line["reason"].is_string() && line["received_at"].is_string());
    }
    assert!(!said.out.contains("first"), "without --raw nothing of what came in is shown");
    let opened = lines(&list(&config, &["--merchant=ecole", "--raw"]));
    assert_eq!(opened[1]["raw"], "M=100&R=first&K=AA", "the latest comes first");
    let masked = opened[0]["raw"].as_str().unwrap();
    assert!(masked.starts_with("M=100&R=") && !masked.contains("4012001037141112"), "{masked}");
    let latest = lines(&list(&config, &["--merchant=ecole", "--raw", "--limit=1"]));
    assert_eq!(latest, opened[..1]);
}

#[test]
fn a_callback_that_cannot_be_opened_is_said_to_be_there() {
    let folder = folder("callbacks-closed");
    let config = test_config(&folder);
    notify(&config, &[b"M=100&R=first&K=AA"]);
    write_secret(&folder.join("sealing.keys"), &format!("b:{}", "ef".repeat(32)));
    assert_eq!(list(&config, &["--merchant=ecole"]).code, Some(0), "nothing is opened");
    let said = list(&config, &["--merchant=ecole", "--raw"]);
    assert_eq!((said.code, said.err.contains("1 cannot be opened")), (Some(1), true), "{}", said.err);
    assert_eq!((lines(&said)[0]["raw"].is_null(), &lines(&said)[0]["verdict"]), (true, &"unverified".into()));
    let said = list(&config, &["--merchant=other"]);
    assert_eq!((said.code, said.err.as_str()), (Some(1), "there is no merchant other in the configuration\n"));
}
