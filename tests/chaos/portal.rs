//! A portal and its payers, who go on until they have what they came for, whatever happens to the gateway meanwhile.

use std::time::{Duration, Instant};

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, fresh_name},
    client::{Answer, Client},
    payer::{ACCEPTED, Payer},
};

/// A card number for one payment, which no plan takes.
pub(crate) const VIRTUAL: &str = "4150550000000004";
/// Longer than any gateway is away.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long something is waited for before it is asked for in another way.
const A_WHILE: Duration = Duration::from_secs(4);
const AGAIN: Duration = Duration::from_millis(25);

/// Who asks; each request is asked until it is answered.
pub(crate) struct Portal<'a> {
    pub(crate) bench: &'a Bench,
}

impl Portal<'_> {
    pub(crate) async fn once(
        &self,
        key: &str,
        method: &str,
        path: &str,
        idempotency: &str,
        body: &str,
    ) -> Option<Answer> {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("authorization", bearer.as_str()), ("idempotency-key", idempotency)];
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.bench.gateway.try_send(method, path, &headers, body).await
    }

    /// Asks until there is an answer that is not the gateway's own trouble; a write under one Idempotency-Key.
    pub(crate) async fn ask_as(&self, key: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (idempotency, deadline) = (fresh_name("key"), Instant::now() + PATIENCE);
        loop {
            match self.once(key, method, path, &idempotency, &body).await {
                Some(answer)
                    if answer.status < 500 && !(answer.status == 409 && answer.code() == "request_in_progress") =>
                {
                    return answer;
                }
                _ => {}
            }
            assert!(Instant::now() < deadline, "never answered: {method} {path}\n{}", self.bench.tail());
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask_as(&self.bench.keys.portal, "POST", path, body).await
    }

    pub(crate) async fn order(&self, id: &str) -> Value {
        let found = self.ask_as(&self.bench.keys.portal, "GET", &format!("/v1/orders/{id}"), &Value::Null).await;
        assert_eq!(found.status, 200, "{}", found.body);
        found.json()
    }

    /// Every event of the feed.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let (mut events, mut path) = (Vec::new(), "/v1/events?limit=100".to_owned());
        loop {
            let page = self.ask_as(&self.bench.keys.portal, "GET", &path, &Value::Null).await.json();
            events.extend(page["events"].as_array().unwrap().iter().cloned());
            let next = format!("/v1/events?limit=100&after={}", text(&page["next"]));
            if next == path {
                return events;
            }
            path = next;
        }
    }

    pub(crate) async fn listen(&self, url: &str) {
        let made = self.post("/v1/webhook-endpoints", &json!({"url": url})).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }

    async fn place(&self, minor_units: i64) -> String {
        let placed = self.post("/v1/orders", &order(minor_units)).await;
        assert_eq!(placed.status, 201, "{}", placed.body);
        text(&placed.json()["id"]).to_owned()
    }

    /// The order, once `is_so`, or when a while has passed without.
    async fn wait(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + A_WHILE;
        loop {
            let order = self.order(id).await;
            if is_so(&order) || Instant::now() > deadline {
                return order;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// An order that is paid by a page; as many pages as it takes.
    pub(crate) async fn pay_once(&self, minor_units: i64) -> String {
        let id = self.place(minor_units).await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let issued = self.post(&format!("/v1/orders/{id}/checkout"), &checkout()).await;
            if issued.status == 201 {
                Payer::open(self.bench, &issued.json()).await.pay(ACCEPTED).await;
            }
            if self.wait(&id, |order| order["status"] == "settled").await["status"] == "settled" {
                return id;
            }
            assert!(Instant::now() < deadline, "never paid: {:#}\n{}", self.order(&id).await, self.bench.tail());
        }
    }

    /// An order whose plan has begun, with the first of these cards that it takes.
    pub(crate) async fn begin_plan(&self, template: &str, minor_units: i64, cards: &[&str]) -> String {
        let id = self.place(minor_units).await;
        let asked = self.post(&format!("/v1/orders/{id}/plan"), &json!({"template": template})).await;
        assert_eq!(asked.status, 201, "{}", asked.body);
        let (deadline, mut cards) = (Instant::now() + PATIENCE, cards.iter().cycle());
        let mut card = cards.next().unwrap();
        loop {
            let order = self.order(&id).await;
            if order["plan"]["card"].is_object() {
                return id;
            }
            let held_before = order["give_backs"].as_array().unwrap().len();
            if self.pay_first(&order, card).await {
                let is_over = |order: &Value| {
                    order["plan"]["card"].is_object() || order["give_backs"].as_array().unwrap().len() > held_before
                };
                if is_over(&self.wait(&id, is_over).await) {
                    card = cards.next().unwrap();
                }
            } else {
                tokio::time::sleep(AGAIN).await;
            }
            assert!(Instant::now() < deadline, "never begun: {:#}\n{}", self.order(&id).await, self.bench.tail());
        }
    }

    /// Goes to the page that begins a plan, if there is one now.
    async fn pay_first(&self, order: &Value, card: &str) -> bool {
        let terms = &order["plan"]["offer"]["accepted_terms"];
        if terms.is_null() {
            return false;
        }
        let mut request = checkout();
        request["accepted_terms"] = terms.clone();
        let issued = self.post(&format!("/v1/orders/{}/checkout", text(&order["id"])), &request).await;
        if issued.status != 201 {
            return false;
        }
        let issued = issued.json();
        let (host, path) = text(&issued["redirect"]).trim_start_matches("http://").split_once('/').unwrap();
        let page = Client::new(host).try_send("GET", &format!("/{path}"), &[], "").await;
        let Some(page) = page.filter(|page| page.status == 200 && page.body.contains("type=\"hidden\"")) else {
            return false;
        };
        Payer::press(self.bench, &page).await.pay(card).await;
        true
    }

    pub(crate) async fn ask_refund(&self, id: &str, minor_units: i64) {
        let body = json!({"amount": eur(minor_units), "against": "credit_note", "reason": "désistement"});
        let asked = self.post(&format!("/v1/orders/{id}/refunds"), &body).await;
        assert_eq!(asked.status, 200, "{}", asked.body);
    }

    /// Gives money of an order back, and sees for a while whether the payer has it.
    pub(crate) async fn refund(&self, id: &str, minor_units: i64) {
        self.ask_refund(id, minor_units).await;
        let is_done = |order: &Value| {
            let refunds = order["refunds"].as_array().unwrap().iter();
            refunds.flat_map(|refund| refund["parts"].as_array().unwrap()).all(|part| part["status"] == "done")
        };
        self.wait(id, is_done).await;
    }

    /// The day that the gateway takes it for.
    pub(crate) async fn today(&self) -> Date {
        let clock = self.ask_as(&self.bench.keys.operator, "GET", "/v1/test-clock", &Value::Null).await.json();
        let now: Timestamp = text(&clock["now"]).parse().unwrap();
        now.in_tz("Europe/Paris").unwrap().date()
    }

    /// Puts the clock forward, the bank's too; whether it is there.
    pub(crate) async fn come_to(&self, noon: Timestamp) {
        let body = json!({"now": noon});
        let moved = self.ask_as(&self.bench.keys.operator, "POST", "/v1/test-clock", &body).await;
        // It was moved, and the answer was lost.
        assert!(moved.status == 200 || moved.code() == "clock_only_goes_forward", "{}", moved.body);
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

fn eur(units: i64) -> Value {
    json!({"amount": units, "currency": "EUR"})
}

fn checkout() -> Value {
    json!({"billing": {"mode": "none"}, "return_url": "http://127.0.0.1:9/retour"})
}

pub(crate) fn order(minor_units: i64) -> Value {
    json!({
        "reference": fresh_name("INS"),
        "currency": "EUR",
        "payer": {
            "reference": "E2026001", "email": "zoe.martin@ecole.example", "first_name": "Zoé", "last_name": "Martin"
        },
        "lines": [{
            "code": "D1", "label": "Droits de scolarité", "quantity": "1",
            "unit_price": eur(minor_units), "vat_rate": "0.00"
        }]
    })
}
