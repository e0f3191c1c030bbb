//! Several gateways on one Redis primary and its replica, each on a wire of its own.

use std::time::{Duration, Instant};

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::{
    bench::Bench,
    life::Life,
    portal::Portal,
    redis_servers::{Server, until},
    store::Seen,
    switch::Switch,
};

/// Longer than any of it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(20);
/// As configured: how often the worker looks at the store.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Looks of the worker after which debits are frozen at the latest. One or two do; a gateway that has looked for its server
/// in vain looks up to two seconds later, and the machine has other work.
const LOOKS: u32 = 80;
/// As configured: what has left arrives within this.
pub(crate) const ANSWER_GRACE: Duration = Duration::from_millis(1_100);

/// One gateway: its place, its life, its wire.
pub(crate) struct Gateway {
    pub(crate) bench: Bench,
    pub(crate) life: Option<Life>,
    pub(crate) wire: Switch,
}

impl Gateway {
    pub(crate) fn portal(&self) -> Portal<'_> {
        Portal { bench: &self.bench }
    }

    /// What it says of the reconciliation, if it says anything.
    pub(crate) async fn reconciliation(&self, key: &str) -> Option<Value> {
        let headers = [("authorization", format!("Bearer {key}"))];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.bench.gateway.try_send("GET", "/v1/reconciliation", &headers, "").await?;
        (answer.status == 200).then(|| answer.json())
    }

    pub(crate) async fn ready(&self) -> String {
        self.bench.ops.try_send("GET", "/readyz", &[], "").await.map(|answer| answer.body).unwrap_or_default()
    }
}

/// All of it.
pub(crate) struct Gateways {
    pub(crate) all: Vec<Gateway>,
    /// The primary and its replica, whichever of the two it is.
    pub(crate) servers: [Server; 2],
    pub(crate) primary: usize,
    /// On which the replica follows the primary.
    pub(crate) following: Switch,
    pace: u32,
}

fn edit(text: String, wire: u16, name: &str, pace: u32) -> String {
    let store = format!(
        "store = \"redis://127.0.0.1:{wire}/0?name=ecole\"\njournal = \"own.journal\"\ninstance = \"{name}\"\n\n\
         [redis]\nconnect_deadline = \"1s\"\nanswer_deadline = \"800ms\"\n"
    );
    text.replace("store = \"sqlite:guichet.db\"", &store)
        .replace("look_again = \"20ms\"", "look_again = \"100ms\"\nrest_after_failure = \"150ms\"")
        .replace("answer_deadline = \"1s\"", "answer_deadline = \"500ms\"")
        .replace(
            "answer_grace = \"2100ms\"\nsend_again = \"50ms\"\nsend_within = \"1s\"",
            "answer_grace = \"1100ms\"\nsend_again = \"50ms\"\nsend_within = \"500ms\"",
        )
        .replace("per_minute = 1500", &format!("per_minute = {pace}"))
}

impl Gateways {
    /// So many that debit no faster than `pace` in a minute.
    pub(crate) async fn start(count: usize, pace: u32) -> Self {
        let at_once = ["--repl-diskless-sync-delay", "0"];
        let servers = [Server::start(&at_once), Server::start(&at_once)];
        let following = Switch::to(servers[0].port);
        servers[1].tell(&format!("REPLICAOF 127.0.0.1 {}", following.port));
        servers[0].await_replicas(1);
        let wire = Switch::to(servers[0].port);
        let bench = Bench::start_with(|_| None, |text| edit(text, wire.port, "g0", pace)).await;
        let life = Some(Life::calm(&bench).await);
        let mut gateways = Self { all: vec![Gateway { bench, life, wire }], servers, primary: 0, following, pace };
        while gateways.all.len() < count {
            gateways.add().await;
        }
        // What it was made of has come to the replica too, however slow that is: a server without a store is none.
        gateways.follow();
        gateways
    }

    pub(crate) async fn add(&mut self) {
        let wire = Switch::to(self.servers[self.primary].port);
        let name = format!("g{}", self.all.len());
        let bench = self.all[0].bench.beside(|text| edit(text, wire.port, &name, self.pace));
        let life = Some(Life::calm(&bench).await);
        self.all.push(Gateway { bench, life, wire });
    }

    pub(crate) fn first(&self) -> &Gateway {
        &self.all[0]
    }

    pub(crate) fn operator(&self) -> &str {
        &self.first().bench.keys.operator
    }

    pub(crate) fn url(&self) -> String {
        self.servers[self.primary].url("ecole")
    }

    pub(crate) async fn seen(&self) -> Seen {
        let begun = Instant::now();
        loop {
            if let Some(seen) = Seen::shared(&self.url()).await {
                return seen;
            }
            assert!(begun.elapsed() < PATIENCE, "the store cannot be read\n{}", self.tail());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What all have logged last.
    pub(crate) fn tail(&self) -> String {
        self.all.iter().map(|gateway| gateway.bench.tail()).collect::<Vec<_>>().join("\n----\n")
    }

    /// Debits that the bank has carried out.
    pub(crate) fn debited(&self) -> usize {
        let world = self.first().bench.sandbox.sandbox.world();
        world.ledger.entries().filter(|entry| entry.origin.kind == "00053" && entry.operation.captured > 0).count()
    }

    pub(crate) async fn until_debited(&self, debits: usize) {
        let begun = Instant::now();
        while self.debited() < debits {
            assert!(begun.elapsed() < PATIENCE, "{} debits only\n{}", self.debited(), self.tail());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until one has logged this.
    pub(crate) async fn until_logged(&self, words: &str) {
        let begun = Instant::now();
        while !self.all.iter().any(|gateway| gateway.bench.log().contains(words)) {
            assert!(begun.elapsed() < PATIENCE, "nobody says {words}\n{}", self.tail());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Each gateway is asked for the day's debits; how many took it.
    pub(crate) async fn trigger(&self, day: Date) -> usize {
        let mut taken = 0;
        for gateway in &self.all {
            let body = json!({"merchant": "ecole", "due_date": day}).to_string();
            let key = self.first().bench.keys.scheduler.clone();
            let answer =
                gateway.portal().once(&key, "POST", "/v1/debit-runs", &crate::bench::fresh_name("key"), &body).await;
            taken += usize::from(answer.is_some_and(|answer| answer.status < 300));
        }
        taken
    }

    /// The other takes changes now, and all are led there.
    pub(crate) fn promote(&mut self) {
        self.promote_for_new();
        self.lead_all();
    }

    /// The other takes changes now, and whoever connects anew is led there.
    pub(crate) fn promote_for_new(&mut self) {
        let next = &self.servers[1 - self.primary];
        next.tell("REPLICAOF NO ONE");
        self.all.iter().for_each(|gateway| gateway.wire.turn_to(next.port));
        self.primary = 1 - self.primary;
    }

    pub(crate) fn lead_all(&self) {
        let port = self.servers[self.primary].port;
        self.all.iter().for_each(|gateway| gateway.wire.lead_to(port));
    }

    /// The other follows, with all that the primary has.
    pub(crate) fn follow(&self) {
        self.following.hold(false);
        let (primary, replica) = (&self.servers[self.primary], &self.servers[1 - self.primary]);
        self.following.lead_to(primary.port);
        replica.tell(&format!("REPLICAOF 127.0.0.1 {}", self.following.port));
        let heard = |server: &Server, name| server.info(name).parse::<u64>().unwrap_or_default();
        until("the replica follows", || {
            let made = heard(primary, "master_repl_offset");
            replica.info("master_link_status") == "up"
                && primary.info("slave0").contains("state=online")
                && heard(replica, "slave_repl_offset") >= made
        });
    }

    /// Waits until every gateway says that debits are frozen, within a few looks of its worker; how long that took.
    pub(crate) async fn until_frozen(&self) -> Duration {
        let begun = Instant::now();
        for gateway in &self.all {
            while !gateway.ready().await.contains("frozen") {
                assert!(begun.elapsed() < LOOK_AGAIN * LOOKS, "not frozen: {}\n{}", gateway.ready().await, self.tail());
                tokio::time::sleep(LOOK).await;
            }
        }
        begun.elapsed()
    }

    /// Waits until the bank was asked for all, by all.
    pub(crate) async fn until_asked(&self) -> Value {
        let begun = Instant::now();
        loop {
            let found = self.first().reconciliation(self.operator()).await.unwrap_or_default();
            if found["state"] == "asked" && found["missing_instances"] == json!([]) {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "never asked: {found:#}\n{}", self.tail());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A person who has seen that all are there lets debits go on. A store that lagged again meanwhile is waited for.
    pub(crate) async fn end(&self) -> Value {
        loop {
            let found = self.until_asked().await;
            let reason = json!({"reason": "Relu."});
            let path = "/v1/reconciliation/end";
            let ended = self.first().portal().ask_as(self.operator(), "POST", path, &reason).await;
            if ended.status == 200 {
                return found;
            }
            assert!(["still_asking", "busy"].contains(&ended.code().as_str()), "{}", ended.body);
        }
    }
}
