//! Two gateways on one Redis, and what they have together: a run, its pace, a key's requests, the test clock, webhooks.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    client::Client,
    payer::ACCEPTED,
    plan_bench::{Plans, due, prefix, text},
    receiver::Receiver,
};

/// A redis-server and a second gateway; ended, should the test fail.
struct Children(Vec<Child>);

impl Drop for Children {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn redis() -> (Children, u16) {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("redis-server is needed, apt-get install redis-server: {error}"));
    let server = Children(vec![child]);
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "redis-server does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    (server, port)
}

struct Two {
    /// Before what it is on.
    second: Children,
    other: Client,
    plans: Plans,
    _server: Children,
}

impl Two {
    async fn start(edit: impl Fn(String) -> String) -> Self {
        let (server, port) = redis();
        let place = format!(
            "store = \"redis://127.0.0.1:{port}/0?name=ecole\"\njournal = \"first.journal\"\ninstance = \"first\""
        );
        let plans = Plans::start_with(|text| edit(text.replace("store = \"sqlite:guichet.db\"", &place))).await;
        let (child, ready) = start_second(&plans.bench.folder);
        let other = Client::new(text(&ready["listen"]));
        Self { second: Children(vec![child]), other, plans, _server: server }
    }

    /// Asks the second gateway.
    async fn asked(&self, key: &str, path: &str) -> crate::client::Answer {
        self.other.send("GET", path, &[("authorization", &format!("Bearer {key}"))], "").await
    }

    fn kill_second(&mut self) {
        self.second.0.iter_mut().for_each(|child| child.kill().unwrap());
    }

    /// The reference of an order's debit, and how often the bank was asked what it knows of it.
    async fn about_debit(&self, order: &Value) -> (String, usize) {
        let calls = self.plans.bench.manage(&format!("/calls?reference_prefix={}", prefix(order))).await;
        let calls = calls["calls"].as_array().unwrap();
        let debit = calls.iter().find(|call| call["type"] == "00053").unwrap()["reference"].clone();
        let asked = calls.iter().filter(|call| call["type"] == "00011" && call["reference"] == debit).count();
        (text(&debit).to_owned(), asked)
    }

    /// How often the bank was asked for each of these orders' debits.
    async fn debits_asked(&self, orders: &[Value]) -> Vec<usize> {
        join_all(orders.iter().map(|order| self.plans.sent(order))).await
    }
}

fn start_second(folder: &Path) -> (Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_guichet"))
        .arg("serve")
        .current_dir(folder)
        .env("GUICHET_CONFIG", folder.join("guichet.toml"))
        .env("GUICHET__JOURNAL", "second.journal")
        .env("GUICHET__INSTANCE", "second")
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(folder.join("second.log")).unwrap())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let log = || std::fs::read_to_string(folder.join("second.log")).unwrap();
    let ready = serde_json::from_str(&ready).unwrap_or_else(|error| panic!("not ready: {error}\n{}", log()));
    (child, ready)
}

/// Whether a gateway has sent the call of this reference, by its own log.
fn is_sent_in(log: &str, reference: &str) -> bool {
    log.lines().any(|line| line.contains("a call was answered") && line.contains(reference))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_share_a_run_and_the_bank_is_asked_once_about_each_debit() {
    let few = |text: String| text.replace("[debits]", "[debits]\nat_once = 2");
    let two = Two::start(few).await;
    let plans = &two.plans;
    let orders = plans.several(10, ACCEPTED).await;
    let day = due(&orders[0], 2);
    let slow = json!({"target": "direct", "type": "00053", "action": "delay", "ms": 150, "times": 10});
    plans.bench.fault(&slow).await;
    plans.come_to(&day).await;
    plans.run(&day).await;
    let run = plans.until_run(&day, "done").await;
    assert_eq!((&run["counts"]["paid"], &run["counts"]["total"]), (&json!(10), &json!(10)), "{run:#}");
    assert_eq!(two.debits_asked(&orders).await, [1; 10]);
    for order in &orders {
        assert_eq!((plans.booked(order).await.len(), plans.agreed(order).await), (1, 40_062));
    }
    let (mut asked, mut here, mut there) = (0, 0, 0);
    let (first, second) = (plans.bench.log(), std::fs::read_to_string(plans.bench.folder.join("second.log")).unwrap());
    for order in &orders {
        let (debit, calls) = two.about_debit(order).await;
        asked += calls;
        here += usize::from(is_sent_in(&first, &debit));
        there += usize::from(is_sent_in(&second, &debit));
    }
    assert!(here > 0 && there > 0 && here + there == 10, "{here} here and {there} there");
    // Beforehand about each; and each gateway asks back a few of its first. Each by itself, they would ask twice as often.
    assert!((10..18).contains(&asked), "asked {asked} times");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_gateway_was_busy_with_is_done_by_the_other() {
    let few = |text: String| text.replace("[debits]", "[debits]\nat_once = 2\ndenials_span = \"0s\"");
    let mut two = Two::start(few).await;
    let orders = two.plans.several(8, ACCEPTED).await;
    let day = due(&orders[0], 2);
    let slow = json!({"target": "direct", "type": "00053", "action": "delay", "ms": 400, "times": 8});
    two.plans.bench.fault(&slow).await;
    two.plans.come_to(&day).await;
    two.plans.run(&day).await;
    two.plans.until_run_has(&day, |run| run["counts"]["paid"].as_u64() >= Some(1)).await;
    two.kill_second();
    let run = two.plans.until_run(&day, "done").await;
    let (paid, not_executed) = (&run["counts"]["paid"], &run["counts"]["not_executed"]);
    let doubtful = run["counts"]["in_doubt"].as_u64().unwrap();
    assert_eq!(paid.as_u64().unwrap() + not_executed.as_u64().unwrap() + doubtful, 8, "{run:#}");
    for order in &orders {
        let is_clear = |order: &Value| order["schedule"][1]["status"] != "in_doubt";
        two.plans.bench.until(text(&order["id"]), "clear", is_clear).await;
        let booked = two.plans.booked(order).await.len();
        assert!(booked <= 1, "{} was debited {booked} times", prefix(order));
        assert_eq!(two.plans.agreed(order).await, 20_031 + 20_031 * i64::try_from(booked).unwrap());
    }
}

/// 60 a minute is one each second, of both together.
#[tokio::test(flavor = "multi_thread")]
async fn both_together_keep_the_pace() {
    let two = Two::start(|text| text.replace("per_minute = 6000", "per_minute = 120")).await;
    let orders = two.plans.several(5, ACCEPTED).await;
    let day = due(&orders[0], 2);
    two.plans.come_to(&day).await;
    let begun = Instant::now();
    two.plans.run(&day).await;
    two.plans.until_run(&day, "done").await;
    assert!(begun.elapsed() >= Duration::from_secs(2), "five are begun in two seconds: {:?}", begun.elapsed());
    assert_eq!(two.debits_asked(&orders).await, [1; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_its_requests_once_and_the_clock_is_one() {
    let two = Two::start(|text| text.replace("requests_per_minute = 100000", "requests_per_minute = 40")).await;
    let moved = two.plans.bench.make_key(&["--scope", "ops", "--merchant", "ecole"]);
    let later = "2031-03-01T12:00:00Z";
    let bearer = format!("Bearer {moved}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", "k")];
    let body = json!({"now": later}).to_string();
    assert_eq!(two.other.send("POST", "/v1/test-clock", &headers, &body).await.status, 200);
    let seen = two.plans.asked(&moved, "/v1/test-clock").await;
    assert!(text(&seen["now"]).starts_with("2031-03-01T12:0"), "at once at the other: {seen}");

    let key = two.plans.bench.make_key(&["--scope", "portal", "--merchant", "ecole"]);
    let mut allowed = 0;
    for number in 0..60 {
        let answer = match number % 2 {
            0 => two.asked(&key, "/v1/events").await,
            _ => two.plans.send(&key, "GET", "/v1/events", &Value::Null, &[]).await,
        };
        allowed += usize::from(answer.status == 200);
        assert!(answer.status == 200 || answer.status == 429, "{}", answer.body);
    }
    // Some are earned again meanwhile.
    assert!((40..52).contains(&allowed), "{allowed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_each_event_by_one_of_them() {
    let webhooks = "[webhooks]\nallow_loopback = true\n\n[[platform]]";
    let two = Two::start(|text| text.replacen("[[platform]]", webhooks, 1)).await;
    let receiver = Receiver::start(|_| 200).await;
    let made = two.plans.bench.post("/v1/webhook-endpoints", &json!({"url": receiver.url()})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let placed: Vec<String> = join_all((0..30).map(|_| two.plans.bench.place(1_000))).await;
    let heard = receiver.until("all", |heard| heard.len() >= placed.len()).await;
    // Whatever else is on its way has come by then.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut orders: Vec<String> = receiver.heard().iter().map(|heard| heard.order()).collect();
    orders.sort();
    let mut expected = placed.clone();
    expected.sort();
    assert_eq!(orders, expected, "{} at first", heard.len());
}
