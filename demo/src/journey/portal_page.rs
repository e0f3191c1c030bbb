//! The same payment through the demo portal's own pages, by its forms.

use super::walk::{Journey, SOON};
use crate::{
    cards, check,
    document::Document,
    orders::{FEE, written},
    trouble::Outcome,
};

/// From the choice of a category to its "Paiement accepté", with an address typed into its form.
pub(super) async fn paid(journey: &Journey) -> Outcome<String> {
    let browser = &journey.browser;
    let dossier = browser.open(&format!("{}/dossier", journey.stage.portal_origin())).await?;
    let mut choice = dossier.form_with("categorie")?;
    choice.pick("categorie", "D1");
    let recap = browser.press(&dossier, &choice, None).await?;
    check::equal("the recap", recap.answer.status, 200)?;
    let total = recap.text("total")?;
    check::equal("total to pay", total.as_str(), "3\u{202f}770,00\u{a0}€")?;
    let mut form = recap.form_with("new-address1")?;
    form.pick("mode", "new");
    for (name, value) in [
        ("new-first_name", "Zoé"),
        ("new-last_name", "Martin"),
        ("new-address1", "8 bis rue de la Gare"),
        ("new-zip_code", "69003"),
        ("new-city", "Lyon"),
        // Without it the bank would want to authenticate the payer.
        ("new-mobile_phone", "+33698765432"),
    ] {
        form.fill(name, value)?;
    }
    let page = browser.press(&recap, &form, None).await?;
    let hand_over = page.form_with("PBX_HMAC")?;
    let card = browser.press(&page, &hand_over, None).await?;
    let receipt = journey.pay(&card, cards::ORDINARY).await?;
    let back = browser.return_to_shop(&receipt).await?;
    let result = back.text("resultat")?;
    check::equal("the portal's last page", result.as_str(), "Paiement accepté")?;
    let id = back.url.split("order=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let is_settled = |order: &serde_json::Value| order.said("/status") == "settled";
    let (order, _) = journey.ecole.until(id, "settled", SOON, is_settled).await?;
    check::equal("paid", check::number(&order, "/paid/amount")?, FEE)?;
    Ok(format!("recap {total}, address typed, page \"{result}\", API paid {} EUR", written(FEE)))
}
