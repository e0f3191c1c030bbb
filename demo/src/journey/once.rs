//! 3 770,00 € paid once, with each of the three ways to give an address; and nothing to pay at all.

use serde_json::Value;

use super::walk::{Journey, Placed, Settled};
use crate::{
    cards, check, configuration,
    document::Document,
    orders::{self, FEE, written},
    trouble::Outcome,
};

/// The recap that the portal shows is the gateway's arithmetic.
pub(super) async fn recap(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?.document;
    let amounts = ["/totals/excluding_vat/amount", "/totals/vat/amount", "/totals/including_vat/amount"];
    let [before, vat, total] = amounts.map(|pointer| check::number(&order, pointer));
    let (before, vat, total) = (before?, vat?, total?);
    check::equal("totals", (before, vat, total), (FEE, 0, FEE))?;
    check::equal("due at once", check::number(&order, "/schedule/0/amount/amount")?, FEE)?;
    let status = check::text(&order, "/status")?;
    Ok(format!("{} + VAT {} = {} EUR, order {status}", written(before), written(vat), written(total)))
}

/// The known address with an edit; the portal posts the signed fields itself; no challenge.
pub(super) async fn prefilled(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?;
    let handed = journey.check_out(&journey.ecole, &order, &orders::known_address()).await?;
    let said = check::text(&handed.document, "/strong_authentication")?;
    check::equal("strong authentication", said, "possible")?;
    let page = journey.go_by_form(&handed).await?;
    check::holds("the page names the school", page.shows(configuration::ECOLE.name), page.outline())?;
    let receipt = journey.pay(&page, cards::ORDINARY).await?;
    let back = journey.come_back(&receipt, &handed).await?;
    check::holds("the portal says so", back.shows("Paiement accepté"), back.outline())?;
    let settled = journey.settled(&journey.ecole, &order).await?;
    let billing = check::text(&settled.document, "/checkouts/0/billing")?;
    Ok(format!("billing {billing}, {said}: no challenge; {}", seen(&settled)))
}

/// A new address; by the payment link; the card's bank challenges.
pub(super) async fn new_address(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?;
    let handed = journey.check_out(&journey.ecole, &order, &orders::new_address()).await?;
    let page = journey.go_by_link(&handed).await?;
    let receipt = journey.pay_challenged(&page, cards::CHALLENGED).await?;
    journey.come_back(&receipt, &handed).await?;
    let settled = journey.settled(&journey.ecole, &order).await?;
    Ok(format!("3-D Secure passed; {}", seen(&settled)))
}

/// No address: the gateway says that a challenge is likely, and it comes.
pub(super) async fn no_address(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.ecole).await?;
    let handed = journey.check_out(&journey.ecole, &order, &orders::no_address()).await?;
    let said = check::text(&handed.document, "/strong_authentication")?;
    check::equal("strong authentication", said, "likely")?;
    let page = journey.go_by_link(&handed).await?;
    let receipt = journey.pay_challenged(&page, cards::ORDINARY).await?;
    journey.come_back(&receipt, &handed).await?;
    let settled = journey.settled(&journey.ecole, &order).await?;
    let billing = check::text(&settled.document, "/checkouts/0/billing")?;
    Ok(format!("billing {billing}, {said}: challenged; {}", seen(&settled)))
}

/// No address, for merchants that send a neutral one or let nobody pay without.
pub(super) async fn other_merchants(journey: &Journey) -> Outcome<String> {
    let order = journey.register(&journey.neutral).await?;
    let handed = journey.check_out(&journey.neutral, &order, &orders::no_address()).await?;
    let billing = check::text(&handed.document, "/billing")?;
    check::equal("billing", billing, "placeholder")?;
    let page = journey.go_by_link(&handed).await?;
    let answer = journey.browser.pay(&page, cards::ORDINARY).await?;
    let challenged = answer.form_with("CODE").is_ok();
    let receipt = if challenged { journey.browser.authenticate(&answer).await? } else { answer };
    check::holds("the payment is accepted", receipt.shows("Paiement accepté"), receipt.outline())?;
    journey.settled(&journey.neutral, &order).await?;
    let refused = journey.register(&journey.strict).await?;
    let answer = journey.strict.try_checkout(&refused.id, &orders::no_address(), &journey.return_url()).await?;
    let code = answer.json_if(422)?;
    let code = check::text(&code, "/code")?;
    check::equal("problem", code, "billing_required")?;
    journey.unpaid(&journey.strict, &refused).await?;
    let challenged = if challenged { "challenged" } else { "not challenged" };
    Ok(format!("{}: {billing}, {challenged}, paid; {}: 422 {code}", "neutre", "stricte"))
}

/// A total of zero is settled at once, and there is no page for it.
pub(super) async fn nothing_to_pay(journey: &Journey) -> Outcome<String> {
    let order: Placed = journey.place(&journey.ecole, &orders::exempt()?).await?;
    check::equal("status", check::text(&order.document, "/status")?, "settled")?;
    let answer = journey.ecole.try_checkout(&order.id, &orders::known_address(), &journey.return_url()).await?;
    let problem: Value = answer.json_if(409)?;
    let code = check::text(&problem, "/code")?;
    check::equal("problem", code, "order_settled")?;
    Ok(format!("order of 0.00 EUR settled at once; checkout 409 {code}"))
}

fn seen(settled: &Settled) -> String {
    let amount = settled.document.number("/paid/amount").unwrap_or_default();
    format!("settled, paid {} EUR, operation {}", written(amount), settled.operation)
}
