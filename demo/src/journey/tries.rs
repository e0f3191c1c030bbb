//! Not every try succeeds: refusals, failed authentications, payers who change their mind, orders that change.

use serde_json::{Value, json};

use super::walk::{Journey, SOON, checkout_of, entries};
use crate::{cards, check, document::Document, orders, trouble::Outcome};

/// Refused for lack of funds, then paid with another card on the same page.
pub(super) async fn second_card(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?;
    let handed = journey.check_out(&journey.ecole, &order, &orders::known_address()).await?;
    let page = journey.go_by_link(&handed).await?;
    let refused = journey.browser.pay(&page, cards::INSUFFICIENT).await?;
    let code = refused.text("code_reponse")?;
    check::equal("the page's code", code.as_str(), "00151")?;
    let is_refused = |order: &Value| order.said("/checkouts/0/status") == "refused";
    let (document, _) = journey.ecole.until(&order.id, "the checkout is refused", SOON, is_refused).await?;
    let failure = check::text(&document, "/checkouts/0/last_failure/code")?;
    check::equal("the API's code", failure, "00151")?;
    let explained = check::text(&document, "/checkouts/0/last_failure/explanation/fr")?.to_owned();
    journey.unpaid(&journey.ecole, &order).await?;
    let again = journey.browser.try_another_card(&refused).await?;
    let receipt = journey.pay(&again, cards::ORDINARY).await?;
    journey.come_back(&receipt, &handed).await?;
    let settled = journey.settled(&journey.ecole, &order).await?;
    Ok(format!("{failure} \"{explained}\", order open; then operation {} settled it", settled.operation))
}

/// The bank's challenge failed; a new checkout is paid.
pub(super) async fn failed_challenge(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?;
    let first = journey.check_out(&journey.ecole, &order, &orders::known_address()).await?;
    let page = journey.go_by_link(&first).await?;
    let challenge = journey.browser.pay(&page, cards::CHALLENGED).await?;
    let refused = journey.browser.fail_to_authenticate(&challenge).await?;
    let code = refused.text("code_reponse")?;
    journey.come_back(&refused, &first).await?;
    let document = journey.unpaid(&journey.ecole, &order).await?;
    let status = check::text(checkout_of(&document, first.number)?, "/status")?.to_owned();
    let (second, receipt) = journey.pay_at_once(&journey.ecole, &order, cards::ORDINARY).await?;
    journey.come_back(&receipt, &second).await?;
    let settled = journey.settled(&journey.ecole, &order).await?;
    Ok(format!("code {code}, checkout 1 {status}; checkout {} paid by {}", second.number, settled.operation))
}

/// *Annuler*: nothing is captured, the order stays open and is paid later.
pub(super) async fn gives_up(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?;
    let first = journey.check_out(&journey.ecole, &order, &orders::known_address()).await?;
    let page = journey.go_by_link(&first).await?;
    let back = journey.browser.give_up(&page).await?;
    journey.back_at_portal(&back, &first)?;
    let document = journey.unpaid(&journey.ecole, &order).await?;
    let status = check::text(checkout_of(&document, first.number)?, "/status")?.to_owned();
    let is_waiting = ["issued", "refused"].contains(&status.as_str());
    check::holds("the checkout of a payer who gave up", is_waiting, &status)?;
    let (second, receipt) = journey.pay_at_once(&journey.ecole, &order, cards::FRICTIONLESS).await?;
    journey.come_back(&receipt, &second).await?;
    let settled = journey.settled(&journey.ecole, &order).await?;
    Ok(format!("order open, checkout 1 {status}, captured 0; checkout {} paid by {}", second.number, settled.operation))
}

/// Another order takes its place while its page is open; the page is paid all the same.
pub(super) async fn replaced(journey: &Journey) -> Outcome<String> {
    let old = journey.register(&journey.ecole).await?;
    let handed = journey.check_out(&journey.ecole, &old, &orders::known_address()).await?;
    let page = journey.go_by_link(&handed).await?;
    let mut order = orders::registration()?;
    if let Some(members) = order.as_object_mut() {
        members.insert("replaces".to_owned(), json!(old.id));
        members.insert("payer".to_owned(), check::at(&old.document, "/payer")?.clone());
    }
    let new = journey.place(&journey.ecole, &order).await?;
    let document = journey.ecole.order(&old.id).await?;
    check::equal("the old order", check::text(&document, "/status")?, "cancelled")?;
    check::equal("replaced by", check::text(&document, "/replaced_by")?, new.id.as_str())?;
    journey.pay(&page, cards::ORDINARY).await?;
    let gone_back = |order: &Value| order.said("/give_backs/0/status") == "done";
    let (document, _) = journey.ecole.until(&old.id, "the late money goes back", SOON, gone_back).await?;
    check::equal("still", check::text(&document, "/status")?, "cancelled")?;
    check::equal("surplus entries", entries(&document, "surplus")?.len(), 1)?;
    check::equal("surplus left", check::number(&document, "/surplus/amount")?, 0)?;
    let ledger = journey.bank().ledger(&old.prefix).await?;
    let status = check::text(&ledger, "/operations/0/status")?.to_owned();
    check::equal("at the bank", status.as_str(), "cancelled")?;
    let (handed, receipt) = journey.pay_at_once(&journey.ecole, &new, cards::ORDINARY).await?;
    journey.come_back(&receipt, &handed).await?;
    let settled = journey.settled(&journey.ecole, &new).await?;
    Ok(format!("old cancelled, its late money {status} at the bank; new paid by {}", settled.operation))
}
