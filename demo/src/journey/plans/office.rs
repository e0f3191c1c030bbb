//! Those at the school who are not payers: accounting, the scheduler, operators. Each has a key of its own.

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::super::walk::{Journey, SOON};
use crate::{
    check,
    client::Answer,
    configuration::{ANNEXE, ECOLE},
    document::Document,
    gateway::{Gateway, Idempotency},
    setup::Scope,
    trouble::{Outcome, Trouble},
};

/// Who answers requests at the school.
pub(super) const ACCOUNTANT: &str = "Jeanne Éluard";
/// Another one, with a key of their own.
pub(super) const COLLEAGUE: &str = "Marc Le Goff";
/// Who stands at the counter.
pub(super) const CLERK: &str = "Paul Hervé";

/// What one merchant's staff may do.
pub(super) struct Staff {
    pub(super) accounting: Gateway,
    /// Another desk, and somebody else at it.
    pub(super) colleague: Gateway,
    scheduler: Gateway,
}

pub(super) struct Office {
    pub(super) ecole: Staff,
    pub(super) annexe: Staff,
    ops: Gateway,
}

impl Office {
    pub(super) fn of(journey: &Journey) -> Outcome<Self> {
        let staff = |merchant| {
            Ok::<_, Trouble>(Staff {
                accounting: journey.stage.gateway_with(Scope::Accounting, merchant)?.as_person(ACCOUNTANT),
                colleague: journey.stage.gateway_with(Scope::Accounting, merchant)?.as_person(COLLEAGUE),
                scheduler: journey.stage.gateway_with(Scope::Scheduler, merchant)?,
            })
        };
        Ok(Self { ecole: staff(ECOLE)?, annexe: staff(ANNEXE)?, ops: journey.stage.gateway_with(Scope::Ops, ECOLE)? })
    }

    /// What time it is for the gateway.
    pub(super) async fn clock(&self) -> Outcome<Value> {
        self.ops.get("/v1/test-clock").await?.json_if(200)
    }

    /// Puts both clocks forward by so many seconds.
    pub(super) async fn wait(&self, seconds: i64) -> Outcome<()> {
        let now = self.clock().await?;
        let now: Timestamp = check::text(&now, "/now")?.parse()?;
        self.put_forward(&now.checked_add(jiff::SignedDuration::from_secs(seconds))?.to_string()).await
    }

    /// Puts the gateway's clock and the sandbox's forward.
    pub(super) async fn put_forward(&self, to: &str) -> Outcome<()> {
        let body = json!({"now": to}).to_string();
        let told = self.ops.post("/v1/test-clock", Idempotency::Missing, &body).await?.json_if(200)?;
        check::equal("the sandbox's clock", check::text(&told, "/sandbox")?, "moved")
    }
}

impl Staff {
    /// Orders whose plan stands so.
    pub(super) async fn plans(&self, status: &str) -> Outcome<Vec<Value>> {
        let merchant = self.accounting.merchant.id;
        let path = format!("/v1/plans?merchant={merchant}&status={status}&limit=100");
        let page = self.accounting.get(&path).await?.json_if(200)?;
        Ok(check::list(&page, "/orders")?.to_vec())
    }

    /// Approves what is asked for now, as `person`.
    pub(super) async fn approve(&self, order: &str, person: &str, first: Option<i64>) -> Outcome<Answer> {
        let path = format!("/v1/orders/{order}/plan");
        let plan = self.accounting.get(&path).await?.json_if(200)?;
        let mut body = json!({"terms": check::text(&plan, "/terms")?});
        if let (Some(cents), Some(members)) = (first, body.as_object_mut()) {
            members.insert("first_amount".to_owned(), json!({"amount": cents, "currency": "EUR"}));
        }
        let door = self.accounting.as_person(person);
        door.post(&format!("{path}/approve"), Idempotency::Fresh, &body.to_string()).await
    }

    pub(super) async fn refuse(&self, order: &str, reason: &str) -> Outcome<Answer> {
        let body = json!({"reason": reason}).to_string();
        self.accounting.post(&format!("/v1/orders/{order}/plan/refuse"), Idempotency::Fresh, &body).await
    }

    /// Has an instalment in arrears debited once more.
    pub(super) async fn retry(&self, order: &str, instalment: u32, reason: &str) -> Outcome<Answer> {
        let path = format!("/v1/orders/{order}/instalments/{instalment}/retry");
        self.accounting.post(&path, Idempotency::Fresh, &json!({"reason": reason}).to_string()).await
    }

    /// Corrects an order: `credit-notes`, `plan/pause`, `instalments/2/reschedule`. The answer may be a problem.
    pub(super) async fn try_correct(&self, order: &str, what: &str, body: &Value) -> Outcome<Answer> {
        self.accounting.post(&format!("/v1/orders/{order}/{what}"), Idempotency::Fresh, &body.to_string()).await
    }

    /// The same, which has to be done.
    pub(super) async fn correct(&self, order: &str, what: &str, body: &Value) -> Outcome<Value> {
        self.try_correct(order, what, body).await?.json_if(200).map_err(|trouble| trouble.during(what))
    }

    /// Starts the debits of a day, or finds them started.
    pub(super) async fn start_run(&self, day: Date) -> Outcome<Answer> {
        start_run(&self.scheduler, day).await
    }

    /// Starts the same run so often, all at once; what each was answered.
    pub(super) async fn start_run_often(&self, day: Date, times: usize) -> Outcome<Vec<u16>> {
        let mut starts = tokio::task::JoinSet::new();
        for _ in 0..times {
            let scheduler = self.scheduler.clone();
            starts.spawn(async move { start_run(&scheduler, day).await });
        }
        let mut statuses = Vec::new();
        while let Some(done) = starts.join_next().await {
            statuses.push(done??.status);
        }
        statuses.sort_unstable();
        Ok(statuses)
    }

    pub(super) async fn run_of(&self, day: Date) -> Outcome<Value> {
        let path = format!("/v1/debit-runs/{}.{day}", self.scheduler.merchant.id);
        self.scheduler.get(&path).await?.json_if(200)
    }

    /// Waits until nothing of a run is under way or in doubt any more.
    pub(super) async fn run_done(&self, day: Date) -> Outcome<Value> {
        let began = std::time::Instant::now();
        loop {
            let run = self.run_of(day).await?;
            if run.said("/state") == "done" {
                return Ok(run);
            }
            if began.elapsed() > 2 * SOON {
                return Err(Trouble::of(format!("the run of {day} is not done: {run}")));
            }
            tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        }
    }

    /// What a run of this day would take up, and what it would leave out.
    pub(super) async fn preview(&self, day: Date) -> Outcome<Vec<Value>> {
        let merchant = self.scheduler.merchant.id;
        let path = format!("/v1/debit-runs/preview?merchant={merchant}&date={day}&limit=100");
        Ok(check::list(&self.scheduler.get(&path).await?.json_if(200)?, "/items")?.to_vec())
    }
}

async fn start_run(scheduler: &Gateway, day: Date) -> Outcome<Answer> {
    let body = json!({"merchant": scheduler.merchant.id, "due_date": day.to_string()}).to_string();
    scheduler.post("/v1/debit-runs", Idempotency::Missing, &body).await
}
