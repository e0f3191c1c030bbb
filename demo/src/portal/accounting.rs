//! The accounting office: requests for instalments are answered, debits are begun and followed. People act here, each under
//! a name of their own, which the gateway writes down.

use hyper::StatusCode;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    Portal,
    pages::{Day, Frame, Requests},
    parameter,
    serve::{Page, html, see_other},
    status_of, unknown,
    visitor::{Desk, Visitor, name_of},
    words::typed_cents,
};
use crate::{
    check,
    client::Answer,
    configuration::ECOLE,
    document::Document,
    gateway::{Gateway, Idempotency},
    trouble::Outcome,
};

pub(super) const OFFICE: &str = "/comptabilite";
const DEBITS: &str = "/comptabilite/prelevements";

/// What was not done, and the status that said so.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) why: String,
}

impl Portal {
    /// The gateway as the visitor, who gave a name and stands at a desk, sees it.
    pub(super) fn office_of(&self, visitor: &Visitor) -> Gateway {
        let [first, second] = &self.accounting;
        let desk = match visitor.desk {
            Desk::First => first,
            Desk::Second => second,
        };
        desk.as_person(&visitor.clerk).in_language(visitor.language.letters())
    }

    /// What waits for an answer, and what is past due.
    pub(super) async fn requests(&self, visitor: &Visitor) -> Outcome<Page> {
        self.requests_after(visitor, None).await
    }

    async fn requests_after(&self, visitor: &Visitor, refused: Option<&Refused>) -> Outcome<Page> {
        let frame = Frame { visitor, here: OFFICE };
        if visitor.clerk.is_empty() {
            return Ok(html(StatusCode::OK, frame.who_is_there()));
        }
        let office = self.office_of(visitor);
        let content = Requests {
            requested: plans(&office, "requested").await?,
            past_due: plans(&office, "past_due").await?,
            active: plans(&office, "active").await?,
        };
        let status = refused.map_or(StatusCode::OK, |refused| refused.status);
        Ok(html(status, frame.requests(&content, refused.map(|refused| refused.why.as_str()))))
    }

    pub(super) fn sign_in(visitor: &mut Visitor, form: &[(String, String)]) -> Page {
        visitor.clerk = name_of(&field(form, "nom"));
        visitor.desk = Desk::of(&field(form, "poste")).unwrap_or_default();
        see_other(OFFICE)
    }

    /// Approves what was looked at; accounting may fix the first amount.
    pub(super) async fn approve(&self, visitor: &Visitor, order: &str, form: &[(String, String)]) -> Outcome<Page> {
        let first = field(form, "premiere");
        let mut body = json!({"terms": field(form, "conditions")});
        match (first.trim().is_empty(), typed_cents(&first), body.as_object_mut()) {
            (true, ..) => {}
            (false, Some(cents), Some(members)) => {
                members.insert("first_amount".to_owned(), json!({"amount": cents, "currency": "EUR"}));
            }
            (false, ..) => {
                let why = Frame { visitor, here: OFFICE }.no_amount();
                let refused = Refused { status: StatusCode::UNPROCESSABLE_ENTITY, why };
                return self.requests_after(visitor, Some(&refused)).await;
            }
        }
        self.answer_plan(visitor, order, "approve", &body).await
    }

    pub(super) async fn refuse(&self, visitor: &Visitor, order: &str, form: &[(String, String)]) -> Outcome<Page> {
        self.answer_plan(visitor, order, "refuse", &json!({"reason": field(form, "motif")})).await
    }

    /// Has an instalment in arrears debited once more.
    pub(super) async fn debit_again(
        &self,
        visitor: &Visitor,
        (order, instalment): (&str, &str),
        form: &[(String, String)],
    ) -> Outcome<Page> {
        let Ok(number) = instalment.parse::<u32>() else { return Ok(unknown(visitor)) };
        let what = format!("instalments/{number}/retry");
        self.decide(visitor, order, &what, &json!({"reason": field(form, "motif")})).await
    }

    async fn answer_plan(&self, visitor: &Visitor, order: &str, what: &str, body: &Value) -> Outcome<Page> {
        self.decide(visitor, order, &format!("plan/{what}"), body).await
    }

    async fn decide(&self, visitor: &Visitor, order: &str, what: &str, body: &Value) -> Outcome<Page> {
        if visitor.clerk.is_empty() || !is_order(order) {
            return Ok(see_other(OFFICE));
        }
        let path = format!("/v1/orders/{order}/{what}");
        let answer = self.office_of(visitor).post(&path, Idempotency::Fresh, &body.to_string()).await?;
        if answer.status == 200 {
            return Ok(see_other(OFFICE));
        }
        self.requests_after(visitor, Some(&refused(&answer)?)).await
    }

    /// The debits of a day: what a run would find, or what it came to.
    pub(super) async fn debits(&self, visitor: &Visitor, query: &str) -> Outcome<Page> {
        self.debits_after(visitor, parameter(query, "jour").as_deref(), None).await
    }

    async fn debits_after(&self, visitor: &Visitor, day: Option<&str>, refused: Option<&Refused>) -> Outcome<Page> {
        let today = self.today().await?;
        let day = day.and_then(|day| day.parse::<Date>().ok()).unwrap_or(today);
        let here = format!("{DEBITS}?jour={day}");
        let frame = Frame { visitor, here: &here };
        if visitor.clerk.is_empty() {
            return Ok(html(StatusCode::OK, frame.who_is_there()));
        }
        let office = self.office_of(visitor);
        let merchant = ECOLE.id;
        let run = office.get(&format!("/v1/debit-runs/{merchant}.{day}")).await?;
        let run = if run.status == 404 { None } else { Some(run.json_if(200)?) };
        let items = match run {
            Some(_) => office.get(&format!("/v1/debit-runs/{merchant}.{day}/items?limit=100")).await?,
            None => office.get(&format!("/v1/debit-runs/preview?merchant={merchant}&date={day}&limit=100")).await?,
        };
        let content = Day { today, day, run, items: check::list(&items.json_if(200)?, "/items")?.to_vec() };
        let status = refused.map_or(StatusCode::OK, |refused| refused.status);
        Ok(html(status, frame.debits(&content, refused.map(|refused| refused.why.as_str()))))
    }

    pub(super) async fn start_debits(&self, visitor: &Visitor, form: &[(String, String)]) -> Outcome<Page> {
        let day = field(form, "jour");
        let body = json!({"merchant": ECOLE.id, "due_date": day}).to_string();
        if visitor.clerk.is_empty() {
            return Ok(see_other(DEBITS));
        }
        let answer = self.office_of(visitor).post("/v1/debit-runs", Idempotency::Missing, &body).await?;
        self.after_debits(visitor, &day, &answer).await
    }

    /// Goes on with a run that stopped because the bank refused the school.
    pub(super) async fn resume_debits(&self, visitor: &Visitor, day: &str) -> Outcome<Page> {
        let Ok(day) = day.parse::<Date>() else { return Ok(unknown(visitor)) };
        if visitor.clerk.is_empty() {
            return Ok(see_other(DEBITS));
        }
        let path = format!("/v1/debit-runs/{}.{day}/resume", ECOLE.id);
        let answer = self.office_of(visitor).post(&path, Idempotency::Fresh, "{}").await?;
        self.after_debits(visitor, &day.to_string(), &answer).await
    }

    async fn after_debits(&self, visitor: &Visitor, day: &str, answer: &Answer) -> Outcome<Page> {
        if answer.status < 300 {
            // It is a date: the gateway has taken it.
            return Ok(see_other(&format!("{DEBITS}?jour={day}")));
        }
        self.debits_after(visitor, Some(day), Some(&refused(answer)?)).await
    }

    /// Puts the test clock forward to eight in the morning of a day; a real school waits for it.
    pub(super) async fn put_forward(&self, visitor: &Visitor, form: &[(String, String)]) -> Outcome<Page> {
        let day = field(form, "jour");
        let Ok(date) = day.parse::<Date>() else { return Ok(see_other(DEBITS)) };
        let to = date.at(8, 0, 0, 0).to_zoned(TimeZone::get("Europe/Paris")?)?.timestamp();
        let body = json!({"now": to.to_string()}).to_string();
        let door = self.ops.in_language(visitor.language.letters());
        let answer = door.post("/v1/test-clock", Idempotency::Missing, &body).await?;
        self.after_debits(visitor, &day, &answer).await
    }

    async fn today(&self) -> Outcome<Date> {
        let clock = self.ops.get("/v1/test-clock").await?.json_if(200)?;
        let now: Timestamp = check::text(&clock, "/now")?.parse()?;
        Ok(now.to_zoned(TimeZone::get("Europe/Paris")?).date())
    }
}

async fn plans(office: &Gateway, status: &str) -> Outcome<Vec<Value>> {
    let path = format!("/v1/plans?merchant={}&status={status}&limit=100", ECOLE.id);
    Ok(check::list(&office.get(&path).await?.json_if(200)?, "/orders")?.to_vec())
}

/// Whether it can be an order's id, which goes into a path.
pub(super) fn is_order(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(super) fn field(form: &[(String, String)], name: &str) -> String {
    form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

/// What the gateway says against it, as it says it.
pub(super) fn refused(answer: &Answer) -> Outcome<Refused> {
    let problem = answer.json()?;
    let faults = problem.items("/errors").iter().map(|fault| format!(" {}", fault.said("/detail")));
    Ok(Refused { status: status_of(answer), why: format!("{}{}", problem.said("/detail"), faults.collect::<String>()) })
}
