//! A bench for plans: who acts on them, and what the bank has of them.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, checkout, fresh_name},
    client::Answer,
    payer::Payer,
};

/// A card number for one payment.
pub(crate) const VIRTUAL: &str = "4150550000000004";

/// A bench whose debits may begin at any hour and wait for a run that is asked for; and who acts on it.
pub(crate) struct Plans {
    pub(crate) bench: Bench,
    pub(crate) accounting: String,
    pub(crate) scheduler: String,
    pub(crate) operator: String,
}

impl Plans {
    pub(crate) async fn start() -> Self {
        Self::start_with(|configuration| configuration).await
    }

    /// The same, with a configuration that was edited.
    pub(crate) async fn start_with(edit: impl Fn(String) -> String) -> Self {
        let debits = "[debits]\nfrom = \"00:00\"\nuntil = \"23:59\"\ndaily = false\nper_minute = 6000\n\n[timing]";
        let at_ease = "[server]\nrequests_per_minute = 100000";
        let bench = Bench::start_with(|configuration| {
            edit(configuration.replace("[timing]", debits).replace("[server]", at_ease))
        })
        .await;
        let key = |arguments: &[&str]| bench.make_key(&[arguments, &["--merchant", "ecole"]].concat());
        let accounting = key(&["--scope", "accounting", "--for-people"]);
        let scheduler = key(&["--scope", "scheduler"]);
        let operator = key(&["--scope", "ops"]);
        Self { accounting, scheduler, operator, bench }
    }

    pub(crate) async fn send(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: &Value,
        more: &[(&str, &str)],
    ) -> Answer {
        self.send_as("Mme Durand", key, method, path, body, more).await
    }

    pub(crate) async fn send_as(
        &self,
        person: &str,
        key: &str,
        method: &str,
        path: &str,
        body: &Value,
        more: &[(&str, &str)],
    ) -> Answer {
        let (bearer, idempotency) = (format!("Bearer {key}"), fresh_name("key"));
        let mut headers = vec![
            ("authorization", bearer.as_str()),
            ("idempotency-key", idempotency.as_str()),
            ("guichet-actor", person),
        ];
        headers.extend_from_slice(more);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.bench.gateway.send(method, path, &headers, &body).await
    }

    pub(crate) async fn asked(&self, key: &str, path: &str) -> Value {
        let answer = self.send(key, "GET", path, &Value::Null, &[]).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// An order of 601,00 € with an approved plan of three instalments.
    pub(crate) async fn approved(&self) -> Value {
        let id = self.bench.place(60_100).await;
        let asked = self.bench.post(&format!("/v1/orders/{id}/plan"), &json!({"template": "3x"})).await;
        assert_eq!(asked.status, 201, "{}", asked.body);
        let terms = asked.json()["plan"]["terms"].clone();
        let path = format!("/v1/orders/{id}/plan/approve");
        let approved = self.send(&self.accounting, "POST", &path, &json!({"terms": terms}), &[]).await;
        assert_eq!(approved.status, 200, "{}", approved.body);
        approved.json()
    }

    /// A page that begins the plan.
    pub(crate) async fn begin(&self, approved: &Value) -> Value {
        let mut request = checkout();
        request["accepted_terms"] = approved["plan"]["offer"]["accepted_terms"].clone();
        let path = format!("/v1/orders/{}/checkout", text(&approved["id"]));
        let issued = self.bench.post(&path, &request).await;
        assert_eq!(issued.status, 201, "{}", issued.body);
        issued.json()
    }

    /// An order whose plan debits this card.
    pub(crate) async fn active(&self, card: &str) -> Value {
        let approved = self.approved().await;
        let issued = self.begin(&approved).await;
        Payer::follow_link(&self.bench, &issued).await.pay(card).await;
        self.bench.until(text(&approved["id"]), "active", |order| order["plan"]["status"] == "active").await
    }

    /// It becomes noon of a day.
    pub(crate) async fn come_to(&self, day: &str) {
        let noon: Date = day.parse().unwrap();
        let noon = noon.at(12, 0, 0, 0).to_zoned(TimeZone::get("Europe/Paris").unwrap()).unwrap().timestamp();
        let moved = self.send(&self.operator, "POST", "/v1/test-clock", &json!({"now": noon}), &[]).await;
        assert_eq!(moved.status, 200, "{}", moved.body);
    }

    /// So many orders whose plans debit this card.
    pub(crate) async fn several(&self, count: usize, card: &str) -> Vec<Value> {
        join_all((0..count).map(|_| self.active(card))).await
    }

    /// Has the sandbox be as told: `/scripts`, `/switches`.
    pub(crate) async fn tell_sandbox(&self, path: &str, what: &Value) {
        let kind = [("content-type", "application/json")];
        let told = self.bench.manage.send("POST", path, &kind, &what.to_string()).await;
        assert_eq!(told.status, 200, "{}", told.body);
    }

    /// The debits of an order that the bank has booked, refused ones included.
    pub(crate) async fn booked(&self, order: &Value) -> Vec<Value> {
        let ledger = self.bench.manage(&format!("/ledger?reference_prefix={}", prefix(order))).await;
        let all = ledger["operations"].as_array().unwrap().iter();
        all.filter(|operation| operation["type"] == "00053").cloned().collect()
    }

    /// How often the bank was asked for a debit of an order.
    pub(crate) async fn sent(&self, order: &Value) -> usize {
        let calls = self.bench.manage(&format!("/calls?reference_prefix={}", prefix(order))).await;
        calls["calls"].as_array().unwrap().iter().filter(|call| call["type"] == "00053").count()
    }

    /// What the bank holds for an order, in cents, which is what its ledger says.
    pub(crate) async fn agreed(&self, order: &Value) -> i64 {
        let order = self.bench.order(text(&order["id"])).await;
        let at_bank = self.bench.manage(&format!("/ledger?reference_prefix={}", prefix(&order))).await;
        let (at_bank, here) = (&at_bank["totals"]["net"], &order["paid"]["amount"]);
        assert_eq!(at_bank, here, "{order:#}");
        here.as_i64().unwrap()
    }

    pub(crate) async fn run(&self, day: &str) -> Answer {
        self.send(&self.scheduler, "POST", "/v1/debit-runs", &json!({"merchant": "ecole", "due_date": day}), &[]).await
    }

    pub(crate) async fn until_run(&self, day: &str, state: &str) -> Value {
        self.until_run_has(day, |run| run["state"] == state).await
    }

    pub(crate) async fn until_run_has(&self, day: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/v1/debit-runs/ecole.{day}");
        for _ in 0..1_000 {
            let run = self.asked(&self.operator, &path).await;
            if is_so(&run) {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("never so: {}\n{}", self.asked(&self.operator, &path).await, self.bench.log());
    }

    /// The bank keeps so many cards of an order.
    pub(crate) async fn until_forgotten(&self, order: &Value, but: usize) {
        let path = format!("/subscribers?refabonne_prefix={}", prefix(order));
        for _ in 0..1_000 {
            if self.bench.manage(&path).await["subscribers"].as_array().unwrap().len() == but {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the bank keeps {}\n{}", self.bench.manage(&path).await, self.bench.log());
    }
}

/// What the references of an order at the bank begin with.
pub(crate) fn prefix(order: &Value) -> String {
    format!("ECO-{}-", text(&order["id"]).trim_start_matches("ord_"))
}

/// The day of an instalment, counted from 1.
pub(crate) fn due(order: &Value, instalment: usize) -> String {
    text(&order["schedule"][instalment - 1]["due"]).to_owned()
}

/// So many days after a day.
pub(crate) fn after(day: &str, days: i32) -> String {
    day.parse::<Date>().unwrap().checked_add(jiff::Span::new().days(days)).unwrap().to_string()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

pub(crate) fn kinds(order: &Value) -> Vec<&str> {
    order["ways_to_pay"].as_array().unwrap().iter().map(|way| text(&way["kind"])).collect()
}

pub(crate) fn amounts(schedule: &Value) -> Vec<i64> {
    schedule.as_array().unwrap().iter().map(|due| due["amount"]["amount"].as_i64().unwrap()).collect()
}
