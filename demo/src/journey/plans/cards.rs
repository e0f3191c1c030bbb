//! Cards that no plan takes: the payer reads why, nothing is captured, the bank forgets the card, and the plan waits.

use serde_json::Value;

use super::walk::Plans;
use crate::{
    cards, check,
    document::Document,
    journey::walk::{Placed, SOON, checkout_of},
    trouble::Outcome,
};

/// An e-card is refused after its authorisation; another card then begins the same plan.
pub(super) async fn e_card(plans: &mut Plans<'_>) -> Outcome<String> {
    let (journey, portal) = (plans.journey, &plans.journey.ecole);
    let order = plans.approved(portal, 60_100, "3x", None).await?;
    let handed = plans.hand_over(portal, &order).await?;
    let page = plans.to_card_page(&handed, 20_031).await?;
    let receipt = plans.pay_first(&page, cards::E_CARD).await?;
    let back = journey.browser.return_to_shop(&receipt).await?;
    let is_refused = |order: &Value| order.said("/checkouts/0/status") == "card_refused";
    let (document, _) = portal.until(&order.id, "the card is refused", SOON, is_refused).await?;
    let checkout = checkout_of(&document, handed.number)?;
    let why = check::text(checkout, "/card_refused/why")?.to_owned();
    check::equal("why", why.as_str(), "virtual_card")?;
    let french = check::text(checkout, "/card_refused/explanation/fr")?;
    let english = check::text(checkout, "/card_refused/explanation/en")?;
    check::holds("both languages say something", french.len() > 20 && english.len() > 20, (french, english))?;
    check::holds("the payer reads why", back.shows(&french.replace('\'', "&#39;")), back.outline())?;
    check::equal("the plan still waits", check::text(&document, "/plan/status")?, "approved")?;
    check::equal("ledger entries", check::list(&document, "/ledger")?.len(), 0)?;
    let french = french.to_owned();
    nothing_is_left(plans, &order).await?;
    let again = plans.hand_over(portal, &order).await?;
    let page = plans.to_card_page(&again, 20_031).await?;
    plans.pay_first(&page, cards::ORDINARY).await?;
    let document = plans.is_active(portal, &order).await?;
    check::equal("paid", check::number(&document, "/paid/amount")?, 20_031)?;
    let kept = journey.bank().subscribers(&order.prefix).await?;
    check::equal("cards that the bank keeps", kept.len(), 1)?;
    plans.keep("e-card", order);
    Ok(format!("{why}: \"{french}\"; captured 0, forgotten by the bank; then paid with another card"))
}

/// Nothing was captured, and the bank keeps no card.
async fn nothing_is_left(plans: &Plans<'_>, order: &Placed) -> Outcome<()> {
    let bank = plans.journey.bank();
    let began = std::time::Instant::now();
    loop {
        let kept = bank.subscribers(&order.prefix).await?;
        let ledger = bank.ledger(&order.prefix).await?;
        let statuses: Vec<&str> =
            check::list(&ledger, "/operations")?.iter().map(|operation| operation.said("/status")).collect();
        if kept.is_empty() && statuses == ["cancelled"] {
            return check::equal("captured at the bank", check::number(&ledger, "/totals/captured")?, 0);
        }
        check::holds("the bank lets go and forgets", began.elapsed() < SOON, (&kept, &statuses))?;
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    }
}
