//! `debits`: what a scheduler sees of it, before a gateway that says exactly what it is told to.

use std::{
    collections::VecDeque,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{Said, folder, run, write_secret};

/// A gateway that gives these answers, the last one for ever, and remembers what it was asked.
struct Fake {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn start(answers: Vec<(u16, Value)>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), answers)
    }

    fn on(listener: TcpListener, answers: Vec<(u16, Value)>) -> Self {
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, mut left) = (Arc::clone(&asked), VecDeque::from(answers));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                seen.lock().unwrap().push(read_request(&mut stream));
                let (status, body) = if left.len() > 1 { left.pop_front() } else { left.front().cloned() }.unwrap();
                let body = body.to_string();
                let head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n", body.len());
                let _ = stream.write_all(format!("{head}Content-Type: application/json\r\n\r\n{body}").as_bytes());
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn run(&self, arguments: &[&str]) -> Said {
        debits(&self.address, &[&["run", "--due=2026-12-10", "--every=20ms"], arguments].concat())
    }
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        match stream.read(&mut chunk).unwrap() {
            0 => return text,
            length => read.extend(&chunk[..length]),
        }
    }
}

fn debits(address: &str, arguments: &[&str]) -> Said {
    let key = folder(&format!("debits-{}", address.replace(':', "-"))).join("scheduler.key");
    write_secret(&key, "gk_test_abc_secret\n");
    let (url, key) = (format!("--url=http://{address}"), format!("--key-file={}", key.display()));
    let (command, rest) = arguments.split_first().unwrap();
    let common = ["debits", command, "--merchant=ecole", &url, &key];
    run(common.iter().chain(rest), b"")
}

/// A run: ready, paid, refused, in doubt.
fn document(state: &str, [ready, paid, refused, in_doubt]: [u64; 4]) -> Value {
    let counts = json!({
        "ready": ready, "sent": 0, "in_doubt": in_doubt, "paid": paid, "refused": refused, "not_executed": 0,
        "quarantined": 0, "total": ready + paid + refused + in_doubt,
    });
    let mut sums = counts.clone();
    for sum in sums.as_object_mut().unwrap().values_mut() {
        *sum = json!({"amount": sum.as_u64().unwrap() * 20_031, "currency": "EUR"});
    }
    let stopped = if state == "stopped_config" { json!("00006") } else { Value::Null };
    json!({
        "id": "ecole.2026-12-10", "merchant": "ecole", "due_date": "2026-12-10", "state": state,
        "started_at": "2026-12-10T06:00:00Z", "started_by": {"actor": "key:abc"}, "stopped_code": stopped,
        "ended_at": null, "counts": counts, "sums": sums,
    })
}

fn problem(status: u16, code: &str) -> (u16, Value) {
    let detail = "It cannot be started before its day.";
    (status, json!({"title": "Not yet due", "status": status, "detail": detail, "code": code}))
}

#[test]
fn a_run_is_started_watched_and_summed_up() {
    let fake = Fake::start(vec![
        (202, document("running", [3, 0, 0, 0])),
        (200, document("running", [2, 1, 0, 0])),
        (200, document("running", [2, 1, 0, 0])),
        (200, document("done", [0, 3, 0, 0])),
    ]);
    let said = fake.run(&["--watch"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let lines: Vec<&str> = said.err.lines().collect();
    let expected = [
        "2026-12-10 [--------------------] 0/3: 0 paid",
        "2026-12-10 [######--------------] 1/3: 1 paid",
        "2026-12-10 [####################] 3/3: 3 paid",
    ];
    assert_eq!(lines, expected, "a line for each change, and for nothing else");
    assert!(said.out.contains("Debits of ecole due by 2026-12-10: done\n"), "{}", said.out);
    assert!(said.out.contains("  paid               3           600.93 EUR\n"), "{}", said.out);
    let asked = fake.asked();
    assert_eq!(asked.len(), 4);
    assert!(asked[0].starts_with("POST /v1/debit-runs HTTP/1.1\r\n"), "{}", asked[0]);
    assert!(asked[0].contains("authorization: Bearer gk_test_abc_secret\r\n"), "{}", asked[0]);
    let body: Value = serde_json::from_str(asked[0].split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body, json!({"merchant": "ecole", "due_date": "2026-12-10"}));
    assert!(asked[1..].iter().all(|asked| asked.starts_with("GET /v1/debit-runs/ecole.2026-12-10 HTTP/1.1\r\n")));
}

#[test]
fn the_exit_code_tells_the_worst() {
    for (state, counts, code, words) in [
        ("done", [0, 3, 0, 0], 0, "3/3: 3 paid"),
        ("done", [0, 2, 1, 0], 2, "outcome=refused"),
        ("done_with_doubt", [0, 1, 1, 1], 3, "nothing of it is sent again"),
        ("stopped_config", [1, 0, 1, 1], 4, "The bank refuses us with 00006: "),
        ("frozen", [3, 0, 0, 0], 4, "frozen"),
    ] {
        for watch in [&["--watch"][..], &[]] {
            let said = Fake::start(vec![(200, document(state, counts))]).run(watch);
            assert_eq!(said.code, Some(code), "{state} {watch:?}: {}", said.err);
            let text = format!("{}{}", said.err, said.out);
            assert!(watch.is_empty() || text.contains(words), "{state}: {text}");
        }
    }
    let fake = Fake::start(vec![(202, document("running", [3, 0, 1, 1]))]);
    let said = fake.run(&[]);
    assert_eq!((said.code, fake.asked().len()), (Some(0), 1), "nobody watches, and it goes on: {}", said.err);
    assert!(said.out.contains("It goes on by itself"), "{}", said.out);
}

#[test]
fn json_is_the_document_alone() {
    let last = document("done", [0, 2, 1, 0]);
    let said =
        Fake::start(vec![(202, document("running", [3, 0, 0, 0])), (200, last.clone())]).run(&["--watch", "--json"]);
    assert_eq!(said.code, Some(2));
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap(), last);
    assert_eq!(said.out.lines().count(), 1);
}

#[test]
fn what_the_gateway_refuses_is_told_in_its_words() {
    for (status, code) in [(409, "not_yet_due"), (401, "unauthenticated"), (403, "forbidden"), (404, "not_found")] {
        let fake = Fake::start(vec![problem(status, code)]);
        let said = fake.run(&["--watch"]);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{code}");
        let told = format!("Not yet due ({code}) It cannot be started before its day.\n");
        assert!(said.err.ends_with(&told), "{}", said.err);
        assert_eq!(fake.asked().len(), 1, "{code}: asking again changes nothing");
    }
    for (status, body) in [(200, json!("ok")), (200, json!({"state": "done"})), (302, json!(null))] {
        let said = Fake::start(vec![(status, body)]).run(&[]);
        assert_eq!(said.code, Some(1), "{status}: {}", said.err);
    }
}

#[test]
fn a_gateway_that_restarts_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let before = listener.try_clone().unwrap();
    // It answers twice and is gone; a while later another takes its place.
    let first = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = before.accept().unwrap();
            read_request(&mut stream);
            let body = document("running", [3, 0, 0, 0]).to_string();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
        // The third breaks off.
        let (mut stream, _) = before.accept().unwrap();
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\"").unwrap();
    });
    drop(listener);
    let address_of_next = address.clone();
    let second = thread::spawn(move || {
        first.join().unwrap();
        thread::sleep(Duration::from_millis(600));
        let listener = TcpListener::bind(&address_of_next).unwrap();
        let answers = vec![problem(503, "unavailable"), problem(429, "rate_limited")];
        Fake::on(listener, [answers, vec![(200, document("done", [0, 2, 1, 0]))]].concat())
    });
    let said = debits(&address, &["run", "--due=2026-12-10", "--every=20ms", "--watch", "--patience=20s"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert_eq!(said.err.matches("asking again for up to 20s").count(), 1, "said once: {}", said.err);
    assert_eq!(second.join().unwrap().asked().len(), 3);
}

#[test]
fn patience_ends_in_clear_words() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for (patience, remark) in [("--patience=0s", false), ("--patience=300ms", true)] {
        let said = debits(&gone, &["run", "--due=2026-12-10", "--watch", patience]);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
        assert!(said.err.contains("gave no usable answer"), "{}", said.err);
        assert!(said.err.contains("the same command finds it again"), "{}", said.err);
        assert_eq!(said.err.contains("asking again"), remark, "{}", said.err);
    }
    let fake = Fake::start(vec![problem(503, "unavailable")]);
    let said = fake.run(&["--watch", "--patience=300ms"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("Not yet due (unavailable)") && fake.asked().len() > 1, "{}", said.err);
}

#[test]
fn a_preview_lists_page_after_page() {
    let due = json!({
        "order": "ord_1", "reference": "INS-1", "payer": "E2026001", "instalment": 2,
        "amount": {"amount": 20_031, "currency": "EUR"}, "left_out": null
    });
    let out = json!({
        "order": "ord_2", "reference": "INS-2\u{1b}[2J", "payer": "E2026002", "instalment": null, "amount": null,
        "left_out": "payer_paying"
    });
    let pages = || {
        vec![
            (200, json!({"date": "2026-12-10", "items": [due, out], "next": "ord_2"})),
            (200, json!({"date": "2026-12-10", "items": [due], "next": null})),
        ]
    };
    let fake = Fake::start(pages());
    let said = debits(&fake.address, &["preview", "--due=2026-12-10"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", said.out);
    assert!(lines[0].starts_with("INS-1 ") && lines[0].ends_with("instalment 2, 200.31 EUR"), "{}", said.out);
    assert!(lines[1].contains("left out: payer_paying") && !lines[1].contains('\u{1b}'), "{}", said.out);
    assert_eq!(lines[3], "Due by 2026-12-10: 2 to be debited, 400.62 EUR; 1 left out.");
    let asked = fake.asked();
    assert!(asked[0].starts_with("GET /v1/debit-runs/preview?merchant=ecole&date=2026-12-10 HTTP/1.1"), "{}", asked[0]);
    assert!(asked[1].starts_with("GET /v1/debit-runs/preview?merchant=ecole&date=2026-12-10&after=ord_2 "));
    let said = debits(&Fake::start(pages()).address, &["preview", "--due=2026-12-10", "--json"]);
    let items: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(items, [due.clone(), out.clone(), due.clone()]);
}

#[test]
fn wrong_usage_is_never_an_outcome() {
    for arguments in [
        vec!["debits"],
        vec!["debits", "run"],
        vec!["debits", "run", "--merchant=ecole", "--due=2026-13-10"],
        vec!["debits", "run", "--merchant=ecole", "--due=2026-12-10", "--url=gateway"],
        vec!["debits", "run", "--merchant=École", "--due=2026-12-10"],
        vec!["debits", "run", "--merchant=ecole", "--due=2026-12-10", "--patience=long"],
        vec!["debits", "run", "--merchant=ecole", "--due=2026-12-10"],
        vec!["debits", "run", "--merchant=ecole", "--due=2026-12-10", "--key-file=/none"],
    ] {
        let said = run(&arguments, b"");
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{arguments:?}: {}", said.err);
        assert!(!said.err.is_empty());
    }
    for command in ["run", "preview"] {
        let said = run(["debits", command, "--help"], b"");
        assert_eq!(said.code, Some(0));
        assert!(said.out.contains("--key-file") && said.out.contains("GUICHET_KEY"), "{}", said.out);
    }
}
