//! What no machine decides: two people at two desks say what became of it, and on what evidence.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    Portal,
    accounting::{OFFICE, Refused, field, is_order, refused},
    pages::Frame,
    remittances::read_on,
    serve::{Page, html, see_other},
    unknown,
    visitor::Visitor,
};
use crate::{configuration::ECOLE, gateway::Idempotency, random, trouble::Outcome};

const QUARANTINE: &str = "/comptabilite/quarantaine";

impl Portal {
    pub(super) async fn quarantine(&self, visitor: &Visitor, why: Option<&Refused>) -> Outcome<Page> {
        let frame = Frame { visitor, here: QUARANTINE };
        if visitor.clerk.is_empty() {
            return Ok(html(StatusCode::OK, frame.who_is_there()));
        }
        let items = read_on(&self.office_of(visitor), &format!("/v1/quarantine?merchant={}", ECOLE.id)).await?;
        let status = why.map_or(StatusCode::OK, |refused| refused.status);
        let why = why.map(|refused| refused.why.as_str());
        Ok(html(status, frame.quarantine(&items, &random::hex(12)?, why)))
    }

    /// One person's verdict, as it was ticked; the subject comes back as it was listed.
    pub(super) async fn give_verdict(&self, visitor: &Visitor, id: &str, form: &[(String, String)]) -> Outcome<Page> {
        let Ok(subject) = serde_json::from_str::<Value>(&field(form, "objet")) else { return Ok(unknown(visitor)) };
        if visitor.clerk.is_empty() || !is_order(id) {
            return Ok(see_other(OFFICE));
        }
        let mut verdict = json!({"verdict": field(form, "avis")});
        let (number, call) = (field(form, "transaction"), field(form, "appel"));
        let is_named = !number.trim().is_empty() || !call.trim().is_empty();
        if let (true, Some(members)) = (is_named, verdict.as_object_mut()) {
            members.insert("operation".to_owned(), json!({"number": number.trim(), "call": call.trim()}));
        }
        let body = json!({"subject": subject, "verdict": verdict, "evidence": field(form, "preuve")});
        let path = format!("/v1/orders/{id}/quarantine/verdicts");
        let once = field(form, "cle");
        let answer = self.office_of(visitor).post(&path, Idempotency::Key(&once), &body.to_string()).await?;
        if answer.status == 200 {
            return Ok(see_other(QUARANTINE));
        }
        self.quarantine(visitor, Some(&refused(&answer)?)).await
    }
}
