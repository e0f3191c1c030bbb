//! Paying in instalments: everything is begun on one 24 June, then two months are walked through by the test clock, for
//! all plans together.

mod asked;
mod begun;
mod calendar;
mod cards;
mod july;
mod office;
mod walk;

use super::{report::Report, walk::Journey};
use office::Office;
use walk::Plans;

/// Every step that has to do with plans.
pub(super) async fn steps(journey: &Journey, report: &mut Report) {
    let office = match Office::of(journey) {
        Ok(office) => office,
        Err(trouble) => return report.step("keys for accounting, scheduler and operators", Err(trouble)),
    };
    let mut plans = Plans::new(journey, office);
    report.step("the test clock goes to the next 24 June", plans.begin().await);
    report.step("601.00 in 3 asked for: nothing before an answer", asked::not_before_an_answer(&mut plans).await);
    report.step("approved, but by another person", asked::approved_by_another(&plans).await);
    report.step("changed, refused, withdrawn", asked::changed_and_refused(&plans).await);
    report.step("what cannot be paid in instalments", asked::too_small(&plans).await);
    report.step("601.00 in 3: the first instalment", begun::three(&plans).await);
    report.step("3770.00 and 1000.03 in 5, a first one fixed", begun::fives(&mut plans).await);
    report.step("e-card refused, another card on the same plan", cards::e_card(&mut plans).await);
    report.step("plans for what is to go wrong", begun::for_troubles(&mut plans).await);
    report.step("10 July: what the run would find", july::preview(&mut plans).await);
    report.step("10 July: the run, started twice", july::run(&plans).await);
    report.step("a debit whose answer is lost", july::lost_answer(&plans).await);
    report.step("an instalment paid by link while the run comes", july::paid_by_link(&plans).await);
    report.step("a stolen card: arrears, paid with another one", july::in_arrears(&plans).await);
    report.step("a refused debit, paid when tried again", july::tried_again(&mut plans).await);
    report.step("10 August: twenty start the same run", begun::august(&mut plans).await);
    report.step("a stolen card is not tried for what follows", july::never_again(&plans).await);
    report.step("601.00 in 3: paid, 400.69 by itself", begun::three_is_paid(&plans).await);
    report.step("two dues after an outage, one a day", july::after_an_outage(&mut plans).await);
}
