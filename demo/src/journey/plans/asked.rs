//! Asking for instalments, and accounting's answer.

use serde_json::json;

use super::{
    office::{ACCOUNTANT, CLERK},
    walk::{Plans, amounts_of, ask, refused, sum},
};
use crate::{
    check, client::Answer, document::Document, gateway::Idempotency, journey::walk::Placed, orders, trouble::Outcome,
};

/// The request stands, with the amounts of the real story, and nothing can be paid by it yet.
pub(super) async fn not_before_an_answer(plans: &mut Plans<'_>) -> Outcome<String> {
    let portal = &plans.journey.ecole;
    let placed = plans.journey.place(portal, &orders::of_fee(60_100)?).await?;
    let offered = check::list(&placed.document, "/ways_to_pay")?;
    let ways: Vec<&str> = offered
        .iter()
        .map(|way| if way.said("/kind") == "plan" { way.said("/template") } else { way.said("/kind") })
        .collect();
    check::equal("ways to pay 601.00", ways, vec!["once", "3x"])?;
    // The clerk at the counter asks for the student.
    let order = Placed { document: ask(&portal.as_person(CLERK), &placed.id, "3x").await?.json_if(201)?, ..placed };
    let amounts = amounts_of(&order.document)?;
    check::equal("601.00 in 3", amounts.clone(), vec![20_031, 20_031, 20_038])?;
    let accepted = check::text(&order.document, "/plan/offer/accepted_terms")?;
    let too_early = plans.check_out(portal, &order, &json!({"accepted_terms": accepted})).await?;
    let too_early = refused(&too_early, 409, "plan_not_approved")?;
    let requested = plans.office.ecole.plans("requested").await?;
    check::equal("requests that accounting sees", requested.len(), 1)?;
    check::holds("it is this one", requested.iter().all(|seen| seen.said("/id") == order.id), &requested)?;
    plans.keep("three", order);
    Ok(format!("{} = 601.00; checkout {too_early}", sum(&amounts)))
}

/// Who asked cannot approve; terms that nobody looked at cannot be approved.
pub(super) async fn approved_by_another(plans: &Plans<'_>) -> Outcome<String> {
    let order = plans.order("three")?;
    let staff = &plans.office.ecole;
    let own = refused(&staff.approve(&order.id, CLERK, None).await?, 409, "approver_is_requester")?;
    let path = format!("/v1/orders/{}/plan/approve", order.id);
    let others = json!({"terms": "0".repeat(64)}).to_string();
    let others = staff.accounting.post(&path, Idempotency::Fresh, &others).await?;
    let others = refused(&others, 409, "terms_changed")?;
    let approved = staff.approve(&order.id, ACCOUNTANT, None).await?.json_if(200)?;
    check::equal("the plan", check::text(&approved, "/plan/status")?, "approved")?;
    let later = check::number(&approved, "/plan/offer/later_total/amount")?;
    check::equal("what is debited by itself", later, 40_069)?;
    Ok(format!("{CLERK}, who asked: {own}; other terms: {others}; {ACCOUNTANT}: approved, 400.69 by itself"))
}

/// Until the answer a request may be changed and withdrawn; a refusal has its reason.
pub(super) async fn changed_and_refused(plans: &Plans<'_>) -> Outcome<String> {
    let portal = &plans.journey.ecole;
    let order = plans.asked(portal, 377_000, "3x").await?;
    let changed = ask(portal, &order.id, "5x").await?.json_if(201)?;
    check::equal("changed to", check::text(&changed, "/plan/template")?, "5x")?;
    let reason = "Le dossier est incomplet : revenez avec un justificatif.";
    plans.office.ecole.refuse(&order.id, reason).await?.json_if(200)?;
    let path = format!("/v1/orders/{}/plan", order.id);
    let seen = portal.get(&path).await?.json_if(200)?;
    check::equal("the answer", (seen.said("/status"), seen.said("/reason")), ("refused", reason))?;
    ask(portal, &order.id, "3x").await?.json_if(201)?;
    let withdrawn = portal.delete(&path).await?.json_if(200)?;
    check::equal("then", check::text(&withdrawn, "/plan/status")?, "withdrawn")?;
    check::equal("the order", check::text(&withdrawn, "/status")?, "open")?;
    Ok(format!("3x changed to 5x, refused: \"{reason}\"; 3x asked again and withdrawn"))
}

/// Five instalments from 1 000,00 € on; no instalment below one euro, and no order either.
pub(super) async fn too_small(plans: &Plans<'_>) -> Outcome<String> {
    let portal = &plans.journey.ecole;
    let nothing = portal.post("/v1/orders", Idempotency::Fresh, &orders::of_fee(2)?.to_string()).await?;
    refused(&nothing, 422, "invalid_request")?;
    let fault = nothing.json()?.said("/errors/0/code").to_owned();
    check::equal("0.02 by card", fault.as_str(), "below_minimum")?;
    let mut seen = vec![format!("an order of 0.02: 422 {fault}")];
    for (cents, template) in [(99_999, "5x"), (200, "3x")] {
        let order = plans.journey.place(portal, &orders::of_fee(cents)?).await?;
        let is_offered = |way: &serde_json::Value| way.said("/template") == template;
        let ways = check::list(&order.document, "/ways_to_pay")?;
        check::holds("it is not offered", !ways.iter().any(is_offered), ways)?;
        let answer: Answer = ask(portal, &order.id, template).await?;
        seen.push(format!("{} in {template}: {}", orders::written(cents), refused(&answer, 422, "below_minimum")?));
    }
    Ok(seen.join("; "))
}
