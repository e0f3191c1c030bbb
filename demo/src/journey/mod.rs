//! The whole journey, headless: what a payer, a portal, a bank and an attacker can do, judged by what the two programs
//! answer and by the bank's own ledger.

mod afterwards;
mod contract;
mod forgeries;
mod hosts;
mod ledgers;
mod losses;
mod once;
mod plans;
mod portal_page;
mod report;
mod tries;
mod twice;
mod walk;

use tokio::net::TcpListener;

use crate::{
    browser::Browser,
    configuration::{ANNEXE, ECOLE, NEUTRAL, STRICT},
    portal,
    setup::Stage,
    trouble::Outcome,
};
use report::Report;
use walk::Journey;

/// A payment that the payer's bank took back, as a school reads it on its own bank's statement: PAYBOX tells of none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TakenBack {
    order: String,
    operation: String,
    cents: i64,
}

/// Walks every step and returns what failed. `portal` is where the portal's pages are to be served.
pub(crate) async fn walk(stage: Stage, portal: TcpListener) -> Outcome<Vec<String>> {
    let journey = Journey {
        ecole: stage.gateway_for(ECOLE)?,
        annexe: stage.gateway_for(ANNEXE)?,
        neutral: stage.gateway_for(NEUTRAL)?,
        strict: stage.gateway_for(STRICT)?,
        browser: Browser::new(stage.client.clone()),
        stage,
    };
    let served = tokio::spawn(portal::serve(portal, portal::Portal::new(&journey.stage, journey.ecole.clone())?));
    let failures = steps(&journey).await;
    served.abort();
    for failure in &failures {
        eprintln!("\nFAILED {failure}");
    }
    if !failures.is_empty() {
        let tails: String = journey.stage.processes().map(|process| process.tail()).collect();
        eprintln!("\n{tails}");
    }
    Ok(failures)
}

async fn steps(journey: &Journey) -> Vec<String> {
    let mut report = Report::begin();
    report.step("order recap", once::recap(journey).await);
    report.step("paid once, known address, portal's own form", once::prefilled(journey).await);
    report.step("paid once, new address, payment link", once::new_address(journey).await);
    report.step("paid once, no address", once::no_address(journey).await);
    report.step("no address, as other merchants want it", once::other_merchants(journey).await);
    report.step("nothing to pay", once::nothing_to_pay(journey).await);
    report.step("through the portal's pages", portal_page::paid(journey).await);
    report.step("refused, then another card, same page", tries::second_card(journey).await);
    report.step("3-D Secure failed, then a new checkout", tries::failed_challenge(journey).await);
    report.step("Annuler, then paid", tries::gives_up(journey).await);
    report.step("replaced while its page is open, paid late", tries::replaced(journey).await);
    report.step("forged notification", forgeries::unsigned(journey).await);
    report.step("spoilt signature on a real payment", forgeries::spoilt(journey).await);
    report.step("signed by PAYBOX, invented by an attacker", forgeries::signed_lie(journey).await);
    report.step("another merchant's notification replayed", forgeries::of_another_merchant(journey).await);
    report.step("another merchant's payment, our reference", forgeries::with_another_payment(journey).await);
    report.step("lost notification, payer returns", losses::lost(journey).await);
    report.step("lost notification, browser closed", losses::lost_altogether(journey).await);
    report.step("doubled and late notifications", losses::doubled_and_late(journey).await);
    report.step("bank silent when first asked", losses::silent_bank(journey).await);
    report.step("the page's main host out of service", hosts::main_out_of_service(journey).await);
    report.step("two tabs, both paid", twice::two_tabs(journey).await);
    report.step("give-back whose answer is lost", twice::lost_answer(journey).await);
    report.step("surplus settled before it is known", twice::settled_meanwhile(journey).await);
    report.step("the same request twice", contract::idempotency(journey).await);
    report.step("requests that are wrong", contract::refusals(journey).await);
    let taken_back = plans::steps(journey, &mut report).await;
    report.step("events to the end of the feed", afterwards::feed(journey).await);
    report.step("no card number, key or link in sight", afterwards::secrets(journey));
    report.step("the bank's ledger and the gateway's", ledgers::agree(journey, &taken_back).await);
    report.end()
}
