//! A bank, and gateways before it that are in nobody's way: no failure, no deadline that a busy machine could miss.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use guichet::domain::order::Order;
use guichet_sandbox::{
    faults::{Action, HostMatch, Script, Target},
    journal::Call,
    world::World,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, fresh_name},
    client::Answer,
    life::Life,
    payer::ACCEPTED,
    portal::{Portal, text},
    redis_servers::Server,
    store::Seen,
};

/// Longer than any of it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(5);
/// A bank that was asked nothing for so long is asked nothing more.
const QUIET: Duration = Duration::from_millis(400);
/// How many payers are before a page at once.
const AT_ONCE: usize = 8;

/// Where the orders are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    OnFile,
    /// A server that flushes each change before it answers, as guichet wants it.
    OnRedis,
}

struct Gateway {
    bench: Bench,
    life: Option<Life>,
}

pub(crate) struct Rig {
    gateways: Vec<Gateway>,
    pub(crate) redis: Option<Server>,
}

/// A day's debits.
pub(crate) struct Run {
    pub(crate) took: Duration,
    pub(crate) debits: usize,
    /// What the bank was asked for them, by TYPE.
    pub(crate) calls: BTreeMap<String, usize>,
    /// From the last question about a debit to the debit: what the store takes before anything may leave. The middle one.
    pub(crate) store_took: Duration,
}

fn edited(text: &str, redis: Option<&Server>, name: &str) -> String {
    let store = match redis {
        None => "store = \"sqlite:guichet.db\"".to_owned(),
        Some(server) => {
            format!("store = \"{}\"\njournal = \"own.journal\"\ninstance = \"{name}\"", server.url("ecole"))
        }
    };
    let mut text = text.to_owned();
    for (before, after) in [
        ("store = \"sqlite:guichet.db\"", store.as_str()),
        ("connect_deadline = \"2s\"\nload_deadline = \"1s\"\nanswer_deadline = \"1s\"", "answer_deadline = \"20s\""),
        ("answer_grace = \"2100ms\"", "answer_grace = \"60s\""),
        ("send_within = \"1s\"", "send_within = \"20s\""),
        // No page is asked about while others are timed.
        ("ask_after_issue = [\"2s\", \"5s\", \"10s\"]", "ask_after_issue = []"),
        // As fast as may be configured, and only when it is told to.
        ("per_minute = 1500", "per_minute = 6000\ndaily = false"),
    ] {
        assert!(text.contains(before), "{before} is not in {text}");
        text = text.replace(before, after);
    }
    text
}

impl Rig {
    pub(crate) async fn start(kept: Kept, count: usize) -> Self {
        Self::start_with(kept, count, str::to_owned).await
    }

    /// The same with a configuration that was edited.
    pub(crate) async fn start_with(kept: Kept, count: usize, edit: impl Fn(&str) -> String) -> Self {
        let redis = (kept == Kept::OnRedis).then(|| Server::start(&[]));
        let configuration = |text: String, name: &str| edit(&edited(&text, redis.as_ref(), name));
        let first = Bench::start_with(|_| None, |text| configuration(text, "g0")).await;
        let others: Vec<Bench> =
            (1..count).map(|number| first.beside(|text| configuration(text, &format!("g{number}")))).collect();
        let gateways = [first].into_iter().chain(others).map(|bench| Gateway { bench, life: None }).collect();
        let mut rig = Self { gateways, redis };
        rig.serve(count).await;
        rig
    }

    /// The first of them serve, and no other.
    pub(crate) async fn serve(&mut self, count: usize) {
        for (number, gateway) in self.gateways.iter_mut().enumerate() {
            match gateway.life.take() {
                Some(life) if number >= count => {
                    assert!(life.stop(&gateway.bench).await.success(), "{}", gateway.bench.tail());
                }
                None if number < count => gateway.life = Some(Life::calm(&gateway.bench).await),
                same => gateway.life = same,
            }
        }
    }

    pub(crate) fn bench(&self) -> &Bench {
        &self.gateways[0].bench
    }

    pub(crate) fn portal(&self) -> Portal<'_> {
        Portal { bench: self.bench() }
    }

    /// A request of the portal's, which is answered as it should be.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value, status: u16) -> Answer {
        let key = &self.bench().keys.portal;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.portal().once(key, method, path, &fresh_name("key"), &body).await.unwrap();
        assert_eq!(answer.status, status, "{method} {path}: {}\n{}", answer.body, self.bench().tail());
        answer
    }

    pub(crate) async fn place(&self, payer: &str) -> String {
        let mut order = crate::portal::order(60_000);
        order["payer"]["reference"] = json!(payer);
        text(&self.ask("POST", "/v1/orders", &order, 201).await.json()["id"]).to_owned()
    }

    pub(crate) async fn check_out(&self, order: &str) -> Value {
        let body = json!({"billing": {"mode": "none"}, "return_url": "http://127.0.0.1:9/retour"});
        self.ask("POST", &format!("/v1/orders/{order}/checkout"), &body, 201).await.json()
    }

    async fn seen(&self) -> Seen {
        match &self.redis {
            None => Seen::read(&self.bench().store),
            Some(server) => Seen::shared(&server.url("ecole")).await.unwrap(),
        }
    }

    /// Plans of which an instalment is due each month.
    pub(crate) async fn begin_plans(&self, count: usize) {
        for part in 0..count.div_ceil(AT_ONCE) {
            let more = AT_ONCE.min(count - part * AT_ONCE);
            let portal = self.portal();
            join_all((0..more).map(|_| portal.begin_plan("12x", 120_000, &[ACCEPTED]))).await;
        }
    }

    /// Each answer of the bank takes so long from now on.
    pub(crate) fn slow_down(&self, ms: u64) {
        let script = Script {
            target: Target::Direct,
            host: HostMatch::Both,
            kind: None,
            reference: None,
            subscriber: None,
            skip: 0,
            action: Action::Delay,
            ms,
            code: None,
            commit: None,
            burns: None,
            times: Some(u32::MAX),
        };
        self.bench().sandbox.sandbox.world().faults.arm(script).unwrap();
    }

    /// How much the bank was asked.
    fn asked(&self) -> usize {
        self.bench().sandbox.sandbox.world().journal.calls.len()
    }

    fn debited(&self) -> usize {
        debited_in(&self.bench().sandbox.sandbox.world())
    }

    /// What a month brings with it by itself is over.
    async fn until_quiet(&self) {
        let (mut asked, mut since) = (self.asked(), Instant::now());
        while since.elapsed() < QUIET {
            tokio::time::sleep(LOOK).await;
            if self.asked() > asked {
                (asked, since) = (self.asked(), Instant::now());
            }
        }
    }

    /// The next day on which something is due: its debits, from the request for them until the bank has carried out all.
    pub(crate) async fn run(&self) -> Run {
        self.run_watched(|| ()).await.0
    }

    /// The same, with something that is begun just before.
    pub(crate) async fn run_watched<T>(&self, begin: impl FnOnce() -> T) -> (Run, T) {
        let seen = self.seen().await;
        let day = seen.orders.iter().filter_map(Order::ready_on).max().unwrap();
        let debits = seen.orders.iter().filter(|order| order.ready_on().is_some()).count();
        self.portal().come_to(noon(day)).await;
        self.until_quiet().await;
        let (asked, all) = (self.asked(), self.debited() + debits);
        let watched = begin();
        let begun = Instant::now();
        let (key, body) = (&self.bench().keys.scheduler, json!({"merchant": "ecole", "due_date": day}));
        let started = self.portal().ask_as(key, "POST", "/v1/debit-runs", &body).await;
        assert_eq!(started.status, 202, "{}", started.body);
        while self.debited() < all {
            assert!(begun.elapsed() < PATIENCE, "never debited\n{}", self.bench().tail());
            tokio::time::sleep(LOOK).await;
        }
        let took = begun.elapsed();
        let path = format!("/v1/debit-runs/{}", text(&started.json()["id"]));
        loop {
            let run = self.portal().ask_as(key, "GET", &path, &Value::Null).await.json();
            if run["state"] == "done" {
                assert_eq!(run["counts"]["paid"], json!(debits), "{run:#}");
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "never done: {run:#}\n{}", self.bench().tail());
            tokio::time::sleep(LOOK).await;
        }
        let world = self.bench().sandbox.sandbox.world();
        let calls = &world.journal.calls[asked..];
        let sent: Vec<&Call> = calls.iter().filter(|call| call.kind == "00053").collect();
        assert_eq!((sent.len(), debited_in(&world)), (debits, all));
        let mut store_took: Vec<Duration> = sent.iter().map(|debit| since_asked(calls, debit)).collect();
        store_took.sort_unstable();
        let mut by_type: BTreeMap<String, usize> = BTreeMap::new();
        for call in calls {
            *by_type.entry(call.kind.clone()).or_default() += 1;
        }
        (Run { took, debits, calls: by_type, store_took: store_took[debits / 2] }, watched)
    }
}

fn debited_in(world: &World) -> usize {
    world.ledger.entries().filter(|entry| entry.origin.kind == "00053" && entry.operation.captured > 0).count()
}

/// How long after the last question about it a debit has come.
fn since_asked(calls: &[Call], debit: &Call) -> Duration {
    let questions = calls.iter().filter(|call| call.kind == "00011" && call.reference == debit.reference);
    let last = questions.map(|call| call.at).filter(|at| *at <= debit.at).max().unwrap();
    debit.at.duration_since(last).unsigned_abs()
}

fn noon(day: Date) -> Timestamp {
    day.at(12, 0, 0, 0).to_zoned(TimeZone::get("Europe/Paris").unwrap()).unwrap().timestamp()
}
