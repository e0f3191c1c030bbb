//! The gateway as a portal's backend uses it: its public HTTP API and nothing else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    check,
    client::{Answer, Client, JSON, Question},
    configuration::Merchant,
    document::Document,
    random,
    trouble::{Outcome, Trouble},
};

/// How often an order is looked at while something is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(40);

/// One merchant's way into the API.
#[derive(Clone)]
pub(crate) struct Gateway {
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) merchant: Merchant,
    /// What its problems are told in.
    language: &'static str,
    /// Who acts, through a key that people act through.
    person: Option<String>,
}

/// What is sent with a write so that it happens once.
#[derive(Clone, Debug)]
pub(crate) enum Idempotency<'a> {
    Fresh,
    Key(&'a str),
    Missing,
}

impl Idempotency<'_> {
    fn on(self, question: Question) -> Outcome<Question> {
        Ok(match self {
            Self::Fresh => question.with("idempotency-key", random::hex(16)?),
            Self::Key(key) => question.with("idempotency-key", key),
            Self::Missing => question,
        })
    }
}

impl Gateway {
    pub(crate) fn new(client: Client, url: &str, key: &str, merchant: Merchant) -> Self {
        Self { client, url: url.to_owned(), key: key.to_owned(), merchant, language: "fr", person: None }
    }

    /// The same door under another key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// The same door, whose problems are told in another language: `fr` or `en`.
    pub(crate) fn in_language(&self, language: &'static str) -> Self {
        Self { language, ..self.clone() }
    }

    /// The same door, through which this person acts.
    pub(crate) fn as_person(&self, person: &str) -> Self {
        Self { person: Some(person.to_owned()), ..self.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Outcome<Answer> {
        self.client.ask(self.signed(Question::get(format!("{}{path}", self.url)))).await
    }

    pub(crate) async fn post(&self, path: &str, idempotency: Idempotency<'_>, body: &str) -> Outcome<Answer> {
        let question = Question::post(format!("{}{path}", self.url), JSON, body);
        self.client.ask(self.signed(idempotency.on(question)?)).await
    }

    /// Brings a file; the same bytes are the same file, so nothing else makes it happen once.
    pub(crate) async fn post_file(&self, path: &str, kind: &str, file: &[u8]) -> Outcome<Answer> {
        self.client.ask(self.signed(Question::post(format!("{}{path}", self.url), kind, file))).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Outcome<Answer> {
        let question = Question::delete(format!("{}{path}", self.url));
        self.client.ask(self.signed(Idempotency::Fresh.on(question)?)).await
    }

    fn signed(&self, question: Question) -> Question {
        let question =
            question.with("authorization", format!("Bearer {}", self.key)).with("accept-language", self.language);
        match &self.person {
            Some(person) => question.with("guichet-actor", person),
            None => question,
        }
    }

    /// Places an order that has to be taken.
    pub(crate) async fn place(&self, order: &Value) -> Outcome<Value> {
        self.post("/v1/orders", Idempotency::Fresh, &order.to_string()).await?.json_if(201)
    }

    /// Asks for a page; the answer may be a problem.
    pub(crate) async fn try_checkout(&self, order: &str, billing: &Value, return_url: &str) -> Outcome<Answer> {
        let body = json!({"billing": billing, "return_url": return_url}).to_string();
        self.post(&format!("/v1/orders/{order}/checkout"), Idempotency::Fresh, &body).await
    }

    pub(crate) async fn order(&self, id: &str) -> Outcome<Value> {
        self.get(&format!("/v1/orders/{id}")).await?.json_if(200)
    }

    /// Looks at an order until it is as wished, and says how long that took.
    pub(crate) async fn until(
        &self,
        id: &str,
        what: &str,
        within: Duration,
        wished: impl Fn(&Value) -> bool,
    ) -> Outcome<(Value, Duration)> {
        let began = Instant::now();
        loop {
            let order = self.order(id).await?;
            if wished(&order) {
                return Ok((order, began.elapsed()));
            }
            if began.elapsed() > within {
                return Err(Trouble::of(format!("{what}: not so within {within:?}, saw {}", summary(&order))));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Every order of the merchant, page by page.
    pub(crate) async fn orders(&self, filter: &str) -> Outcome<Vec<Value>> {
        let mut orders = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("/v1/orders?limit=20{filter}{after}")).await?.json_if(200)?;
            orders.extend_from_slice(check::list(&page, "/orders")?);
            match page.get("next").and_then(Value::as_str) {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(orders),
            }
        }
    }

    /// The feed of events from its beginning to its present end.
    pub(crate) async fn events(&self) -> Outcome<Vec<Value>> {
        let mut events = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("/v1/events?limit=50{after}")).await?.json_if(200)?;
            let found = check::list(&page, "/events")?;
            if found.is_empty() {
                return Ok(events);
            }
            events.extend_from_slice(found);
            after = format!("&after={}", check::text(&page, "/next")?);
        }
    }

    /// Where PAYBOX is told to send this merchant's notifications.
    pub(crate) fn notification_url(&self) -> String {
        format!("{}/paybox/{}/ipn", self.url, self.merchant.id)
    }
}

/// The parts of an order that tell where it stands.
pub(crate) fn summary(order: &Value) -> String {
    let part = |name: &str| order.get(name).cloned().unwrap_or(Value::Null);
    let checkouts: Vec<String> = order
        .items("/checkouts")
        .iter()
        .map(|checkout| format!("{} {}", checkout.said("/status"), checkout.said("/last_failure/code")))
        .collect();
    json!({
        "status": part("status"),
        "paid": part("paid"),
        "surplus": part("surplus"),
        "checkouts": checkouts,
        "ledger": part("ledger"),
        "give_backs": part("give_backs"),
    })
    .to_string()
}
