//! What has reached the school's account: the bank's remittances, and the captures of which none is known yet.

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde_json::Value;

use super::{
    Portal,
    pages::{Frame, Remittances},
    serve::{Page, html},
    unknown,
    visitor::Visitor,
};
use crate::{check, configuration::ECOLE, document::Document, gateway::Gateway, trouble::Outcome};

const REMITTANCES: &str = "/comptabilite/remises";

impl Portal {
    /// Every remittance that any order names, with the gateway's own sum of it.
    pub(super) async fn remittances(&self, visitor: &Visitor) -> Outcome<Page> {
        let frame = Frame { visitor, here: REMITTANCES };
        if visitor.clerk.is_empty() {
            return Ok(html(StatusCode::OK, frame.who_is_there()));
        }
        let office = self.office_of(visitor);
        let orders = self.gateway.orders("").await?;
        let entries = orders.iter().flat_map(|order| order.items("/ledger"));
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for number in entries.filter_map(|entry| entry.said("/remittance").parse().ok()) {
            *counts.entry(number).or_default() += 1;
        }
        let mut known = Vec::new();
        for (number, captures) in counts {
            let told = office.get(&format!("/v1/settlements/{number}?merchant={}&limit=1", ECOLE.id)).await?;
            known.push((captures, told.json_if(200)?));
        }
        let unsettled = read_on(&office, "/v1/settlements/unsettled?older_than_days=0").await?;
        Ok(html(StatusCode::OK, frame.remittances(&Remittances { known, unsettled })))
    }

    /// What one remittance is made of.
    pub(super) async fn remittance(&self, visitor: &Visitor, number: &str) -> Outcome<Page> {
        let here = format!("{REMITTANCES}/{number}");
        let frame = Frame { visitor, here: &here };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(unknown(visitor));
        }
        if visitor.clerk.is_empty() {
            return Ok(html(StatusCode::OK, frame.who_is_there()));
        }
        let office = self.office_of(visitor);
        let path = format!("/v1/settlements/{number}?merchant={}", ECOLE.id);
        let answer = office.get(&path).await?;
        if answer.status == 404 {
            return Ok(unknown(visitor));
        }
        let items = read_on(&office, &path).await?;
        Ok(html(StatusCode::OK, frame.remittance(&answer.json_if(200)?, &items)))
    }
}

/// The items of all pages of a list whose path has a query.
pub(super) async fn read_on(office: &Gateway, path: &str) -> Outcome<Vec<Value>> {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let page = office.get(&format!("{path}{after}")).await?.json_if(200)?;
        items.extend_from_slice(check::list(&page, "/items")?);
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(items),
        }
    }
}
