//! The sandbox's management port: the bank's own truth, and misbehaviour on demand.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    check,
    client::{Client, JSON, Question},
    document::Document,
    trouble::{Outcome, Trouble},
};

/// How often the journal is looked at while a notification is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(40);
/// How long a notification may take to be sent and answered.
const NOTIFIED_WITHIN: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct Sandbox {
    client: Client,
    manage: String,
}

impl Sandbox {
    pub(crate) fn new(client: Client, manage: String) -> Self {
        Self { client, manage }
    }

    async fn get(&self, path: &str) -> Outcome<Value> {
        self.client.ask(Question::get(format!("{}{path}", self.manage))).await?.json_if(200)
    }

    async fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.client.ask(Question::post(format!("{}{path}", self.manage), JSON, body.to_string())).await?.json_if(200)
    }

    /// Operations and totals of the references that begin so.
    pub(crate) async fn ledger(&self, prefix: &str) -> Outcome<Value> {
        self.get(&format!("/ledger?reference_prefix={prefix}")).await
    }

    /// The operations of the references that begin so and that took money.
    pub(crate) async fn captures(&self, prefix: &str) -> Outcome<Vec<Value>> {
        let ledger = self.ledger(prefix).await?;
        let operations = check::list(&ledger, "/operations")?;
        Ok(operations.iter().filter(|operation| operation.number("/captured") > Some(0)).cloned().collect())
    }

    /// How many questions of this TYPE were carried out on the references that begin so.
    pub(crate) async fn calls(&self, prefix: &str, kind: &str) -> Outcome<usize> {
        let calls = self.get(&format!("/calls?reference_prefix={prefix}")).await?;
        Ok(check::list(&calls, "/calls")?.iter().filter(|call| call.said("/type") == kind).count())
    }

    /// The notifications of the references that begin so, once `count` of them are over.
    pub(crate) async fn notifications(&self, prefix: &str, count: usize) -> Outcome<Vec<Value>> {
        let began = Instant::now();
        loop {
            let found = self.get(&format!("/notifications?reference_prefix={prefix}")).await?;
            let found = check::list(&found, "/notifications")?;
            if found.iter().filter(|each| each.pointer("/done") == Some(&Value::Bool(true))).count() >= count {
                return Ok(found.to_vec());
            }
            if began.elapsed() > NOTIFIED_WITHIN {
                return Err(Trouble::of(format!("notifications of {prefix}: expected {count}, saw {found:?}")));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Arms one fault.
    pub(crate) async fn misbehave(&self, fault: Value) -> Outcome<()> {
        self.post("/faults", &fault).await.map(|_| ())
    }

    /// How often the faults armed so far for these references have struck; they are cleared.
    pub(crate) async fn struck(&self, prefix: &str) -> Outcome<i64> {
        let faults = self.get("/faults").await?;
        let faults = check::list(&faults, "/faults")?;
        let mine = faults.iter().filter(|fault| fault.said("/reference") == prefix);
        Ok(mine.filter_map(|fault| fault.number("/fired")).sum())
    }

    /// The cards that the bank keeps under names that begin so.
    pub(crate) async fn subscribers(&self, prefix: &str) -> Outcome<Vec<Value>> {
        let found = self.get(&format!("/subscribers?refabonne_prefix={prefix}")).await?;
        Ok(check::list(&found, "/subscribers")?.to_vec())
    }

    /// What the bank will say to the next debits of a card that it keeps, then again what the card says.
    pub(crate) async fn answer_debits(&self, subscriber: &str, outcomes: &[&str]) -> Outcome<()> {
        self.post("/scripts", &json!({"subscriber": subscriber, "outcomes": outcomes})).await.map(|_| ())
    }

    /// `message` with PAYBOX's own signature behind it, as anyone can have it made.
    pub(crate) async fn signed(&self, message: &str, name: &str) -> Outcome<String> {
        let signed = self.post("/sign", &json!({"message": message, "name": name})).await?;
        Ok(check::text(&signed, "/query")?.to_owned())
    }

    /// The bank's end of day: what was captured can only be refunded from now on. Says under which number.
    pub(crate) async fn settle(&self) -> Outcome<i64> {
        check::number(&self.post("/settle", &json!({})).await?, "/remise")
    }

    /// One of the files that an accountant fetches.
    pub(crate) async fn file(&self, name: &str, query: &str) -> Outcome<String> {
        let answer = self.client.ask(Question::get(format!("{}/files/{name}?{query}", self.manage))).await?;
        check::equal(name, answer.status, 200)?;
        Ok(answer.body)
    }

    /// Turns something that is not known for certain of PAYBOX on or off.
    pub(crate) async fn switch(&self, name: &str, is_on: bool) -> Outcome<()> {
        self.post("/switches", &json!({(name): is_on})).await.map(|_| ())
    }
}
