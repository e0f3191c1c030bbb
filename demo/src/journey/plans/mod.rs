//! Paying in instalments: everything is begun on one 24 June, then two months are walked through by the test clock, for
//! all plans together.

mod account;
mod asked;
mod begun;
mod calendar;
mod cards;
mod corrected;
mod ended;
mod july;
mod office;
mod people;
mod refunds;
mod remittance;
mod september;
mod statements;
mod walk;

use super::{TakenBack, report::Report, walk::Journey};
use office::Office;
use walk::Plans;

/// Every step that has to do with plans, and with what becomes of an order once it is paid. Comes to what payers' banks
/// took back, which no bank's ledger tells.
pub(super) async fn steps(journey: &Journey, report: &mut Report) -> Vec<TakenBack> {
    let office = match Office::of(journey) {
        Ok(office) => office,
        Err(trouble) => {
            report.step("keys for accounting, scheduler and operators", Err(trouble));
            return Vec::new();
        }
    };
    let mut plans = Plans::new(journey, office);
    straight(&mut plans, report).await;
    corrections(&mut plans, report).await;
    plans.taken_back
}

/// From the request to the last instalment, with what may happen to a debit.
async fn straight(plans: &mut Plans<'_>, report: &mut Report) {
    report.step("the test clock goes to the next 24 June", plans.begin().await);
    report.step("601.00 in 3 asked for: nothing before an answer", asked::not_before_an_answer(plans).await);
    report.step("approved, but by another person", asked::approved_by_another(plans).await);
    report.step("changed, refused, withdrawn", asked::changed_and_refused(plans).await);
    report.step("what cannot be paid in instalments", asked::too_small(plans).await);
    report.step("601.00 in 3: the first instalment", begun::three(plans).await);
    report.step("3770.00 and 1000.03 in 5, a first one fixed", begun::fives(plans).await);
    report.step("e-card refused, another card on the same plan", cards::e_card(plans).await);
    report.step("plans for what is to go wrong", begun::for_troubles(plans).await);
    report.step("10 July: what the run would find", july::preview(plans).await);
    report.step("10 July: the run, started twice", july::run(plans).await);
    report.step("a debit whose answer is lost", july::lost_answer(plans).await);
    report.step("an instalment paid by link while the run comes", july::paid_by_link(plans).await);
    report.step("a stolen card: arrears, paid with another one", july::in_arrears(plans).await);
    report.step("a refused debit, paid when tried again", july::tried_again(plans).await);
    report.step("10 August: twenty start the same run", begun::august(plans).await);
    report.step("a stolen card is not tried for what follows", july::never_again(plans).await);
    report.step("601.00 in 3: paid, 400.69 by itself", begun::three_is_paid(plans).await);
    report.step("two dues after an outage, one a day", july::after_an_outage(plans).await);
}

/// What accounting does to plans that run, and what the bank does with the money, from 11 August to 11 September.
async fn corrections(plans: &mut Plans<'_>, report: &mut Report) {
    report.step("plans for what is to be corrected", begun::for_corrections(plans).await);
    report.step("a credit note after the first instalment", corrected::credit_note(plans).await);
    report.step("a plan cancelled half-way", ended::cancelled(plans).await);
    report.step("the rest of a plan at once, by card", ended::early(plans).await);
    report.step("another card in the middle of a plan", corrected::another_card(plans).await);
    report.step("paid elsewhere, written off; given up", ended::without_the_bank(plans).await);
    report.step("refunded in part, then whole, then no more", refunds::in_parts(plans).await);
    report.step("a refund whose answer is lost", refunds::lost_answer(plans).await);
    report.step("a refund that ends its plan", refunds::with_the_rest(plans).await);
    report.step("paused, and one instalment moved", corrected::paused(plans).await);
    report.step("10 September: the run after all this", september::run(plans).await);
    report.step("a chargeback, paid again by link", september::chargeback(plans).await);
    report.step("two people clear a quarantine", people::quarantine(plans).await);
    report.step("the day's settlement, told by the bank", remittance::of_the_day(plans).await);
    report.step("PAYBOX's and the bank's files beside the ledger", statements::agree(plans).await);
    report.step("the bank's fees by one click, and the journal", statements::journal(plans).await);
    report.step("resumed: debited the day after", september::resumed(plans).await);
    report.step("the account as of any day", account::as_of(plans).await);
}
