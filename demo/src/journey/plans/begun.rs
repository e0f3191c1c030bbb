//! The plans of the real story, from the first instalment by card to the last one.

use serde_json::Value;

use super::walk::{Plans, amounts_of, captured, sum};
use crate::{
    cards, check,
    document::Document,
    journey::walk::{Journey, SOON},
    trouble::Outcome,
};

/// The amounts of each five-fold plan, what is asked for, and what accounting fixes for the first.
const FIVES: [(&str, i64, Option<i64>, [i64; 5]); 3] = [
    ("3770 in 5", 377_000, None, [75_400; 5]),
    ("1000.03 in 5", 100_003, None, [20_003, 20_000, 20_000, 20_000, 20_000]),
    ("1300 in 5", 130_000, Some(50_001), [50_001, 19_999, 19_999, 19_999, 20_002]),
];

/// The payer reads what will be debited and when, and pays the first.
pub(super) async fn three(plans: &Plans<'_>) -> Outcome<String> {
    let (journey, portal) = (plans.journey, &plans.journey.ecole);
    let order = plans.order("three")?;
    let handed = plans.hand_over(portal, order).await?;
    let page = plans.follow(&handed).await?;
    let year = plans.calendar()?.start.year();
    let (july, august) = (format!("10 juillet {year}"), format!("10 août {year}"));
    for text in [july.as_str(), &august, "200,31", "200,38", "400,69"] {
        check::holds(&format!("the page shows {text}"), page.shows(text), &page.answer.body)?;
    }
    let words = page.answer.body.to_lowercase();
    check::holds("it says that e-cards are refused", words.contains("e-cart"), &page.answer.body)?;
    let card = plans.press_on(&page, 20_031).await?;
    let receipt = plans.pay_first(&card, cards::ORDINARY).await?;
    journey.come_back(&receipt, &handed).await?;
    let document = plans.is_active(portal, order).await?;
    check::equal("paid", check::number(&document, "/paid/amount")?, 20_031)?;
    let kept = journey.bank().subscribers(&order.prefix).await?;
    check::equal("cards that the bank keeps", kept.len(), 1)?;
    let dues: Vec<(&str, i64)> = check::list(&document, "/schedule")?
        .iter()
        .map(|due| Ok((check::text(due, "/status")?, check::number(due, "/amount/amount")?)))
        .collect::<Outcome<_>>()?;
    check::equal("the schedule", dues, vec![("paid", 20_031), ("scheduled", 20_031), ("scheduled", 20_038)])?;
    Ok(format!("page: {july} 200,31, {august} 200,38, 400,69 by itself, no e-card; 200.31 paid"))
}

/// Five parts: equal, or such that the others are equal, or with a first one that accounting fixes.
pub(super) async fn fives(plans: &mut Plans<'_>) -> Outcome<String> {
    let portal = &plans.journey.ecole;
    let mut seen = Vec::new();
    for (role, cents, first, amounts) in FIVES {
        let order = plans.begun(portal, (cents, "5x", first), cards::FRICTIONLESS, &amounts).await?;
        seen.push(sum(&amounts_of(&order.document)?));
        plans.keep(role, order);
    }
    Ok(seen.join("; "))
}

/// Three parts of 90,00 € each, for the troubles of the months to come; one at a school whose debits will fail to run.
pub(super) async fn for_troubles(plans: &mut Plans<'_>) -> Outcome<String> {
    let Journey { ecole, annexe, .. } = plans.journey;
    let troubles = [("refused", ecole), ("stolen", ecole), ("lost", ecole), ("link", ecole), ("outage", annexe)];
    for (role, portal) in troubles {
        let thirds = [8_999, 8_999, 9_002];
        let order = plans.begun(portal, (27_000, "3x", None), cards::ORDINARY, &thirds).await?;
        plans.keep(role, order);
    }
    Ok("five plans of 270.00, each first instalment paid".to_owned())
}

/// What is corrected in the weeks to come, begun on one day in August; one at a school whose bank keeps silent.
pub(super) async fn for_corrections(plans: &mut Plans<'_>) -> Outcome<String> {
    let Journey { ecole, annexe, .. } = plans.journey;
    let thirds = [8_999, 8_999, 9_002];
    let whole = plans.begun(ecole, (60_100, "3x", None), cards::FRICTIONLESS, &[20_031, 20_031, 20_038]).await?;
    plans.keep("credited", whole);
    let roles = ["contested", "paused", "elsewhere", "given up", "returned"].map(|role| (role, ecole));
    for (role, portal) in roles.into_iter().chain([("doubtful", annexe)]) {
        let order = plans.begun(portal, (27_000, "3x", None), cards::ORDINARY, &thirds).await?;
        plans.keep(role, order);
    }
    Ok("one of 601.00, six of 270.00, each first instalment paid".to_owned())
}

/// Twenty start the run of 10 August at once: one run, one debit of each.
pub(super) async fn august(plans: &mut Plans<'_>) -> Outcome<String> {
    let day = plans.calendar()?.tenth(2)?;
    plans.office.put_forward(&plans.calendar()?.morning_of(day)?).await?;
    let statuses = plans.office.ecole.start_run_often(day, 20).await?;
    let known = statuses.iter().filter(|status| **status == 200).count();
    check::equal("one run was new, the others knew it", (known, statuses.last()), (19, Some(&202)))?;
    let run = plans.office.ecole.run_done(day).await?;
    let mut expected = vec![("three", 3, 20_038), ("e-card", 3, 20_038)];
    expected.extend(["refused", "lost", "link"].map(|role| (role, 3, 9_002)));
    expected.extend(FIVES.map(|(role, _, _, amounts)| (role, 3, amounts[2])));
    let total: i64 = expected.iter().map(|(_, _, cents)| cents).sum();
    for (role, number, cents) in &expected {
        plans.instalment_is(role, *number, "paid").await?;
        plans.taken_once(role, *number, *cents).await?;
        check::equal("debits that were sent", plans.debits_sent(role, *number).await?, 1)?;
    }
    let paid = check::number(&run, "/counts/paid")?;
    check::equal("debits of the run", usize::try_from(paid)?, expected.len())?;
    check::equal("their sum", check::number(&run, "/sums/paid/amount")?, total)?;
    Ok(format!("1 × 202, 19 × 200; {paid} debits, {} EUR, one each", crate::orders::written(total)))
}

/// All is paid: 200,31 by the payer and the announced 400,69 by itself.
pub(super) async fn three_is_paid(plans: &Plans<'_>) -> Outcome<String> {
    let order = plans.order("three")?;
    let is_settled = |order: &Value| order.said("/status") == "settled";
    let (document, _) = plans.journey.ecole.until(&order.id, "settled", SOON, is_settled).await?;
    check::equal("the plan", check::text(&document, "/plan/status")?, "completed")?;
    check::equal("paid", check::number(&document, "/paid/amount")?, 60_100)?;
    let debits = captured(&document, false)?;
    check::equal("by card", captured(&document, true)?, vec![20_031])?;
    check::equal("by itself", debits.clone(), vec![20_031, 20_038])?;
    let bank = plans.journey.bank();
    let ledger = bank.ledger(&order.prefix).await?;
    check::equal("kept at the bank", check::number(&ledger, "/totals/net")?, 60_100)?;
    plans.cards_kept("three", 0).await?;
    Ok(format!("200.31 by card, {} = 400.69 by itself; settled, the bank has forgotten the card", sum(&debits)))
}
