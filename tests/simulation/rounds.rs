//! What accounting does each morning: it judges what waits for people by what the bank shows, and books what the bank has
//! taken back. People are right, but for one who is mistaken now and then, and whom nobody follows.

use guichet::{
    app::corrections::Correction,
    domain::{
        bank::{MoneyCall, OperationStatus},
        ids::OrderId,
        ledger::EntryKind,
        numbers::OperationNumber,
        order::Order,
        purpose::{AttemptId, Purpose},
        quarantine::{PeoplesVerdict, Subject},
        schedule::Instalment,
    },
};
use jiff::SignedDuration;

use crate::{
    bank::{self, Made, Moved},
    happening::Happening,
    imports,
    school::text,
    world::Inner,
};

/// Key and person. The third has the first one's key, the fourth is the first with the second one's key.
const PEOPLE: [(&str, &str); 4] =
    [("compta-1", "claire"), ("compta-2", "denis"), ("compta-1", "emile"), ("compta-2", "claire")];

pub(crate) fn go(inner: &mut Inner) {
    let is_taken_back =
        |number: OperationNumber| inner.bank.find(number).is_some_and(|moved| moved.charged_back.is_some());
    let concerns = |order: &&Order| {
        let has_chargeback = || order.ledger.iter().any(|entry| is_taken_back(entry.operation.number));
        !order.waiting().is_empty() || has_chargeback()
    };
    let orders: Vec<Order> = inner.store.orders().filter(concerns).cloned().collect();
    for order in &orders {
        for waiting in order.waiting() {
            if let Some(verdict) = truth(inner, order, waiting.subject) {
                inner.count("people: something waits for them");
                judge(inner, order.id, waiting.subject, verdict);
            }
        }
        if inner.rng.chance(600) || inner.calm {
            book_chargebacks(inner, order);
        }
    }
}

fn judge(inner: &mut Inner, order: OrderId, subject: Subject, verdict: PeoplesVerdict) {
    let says = |inner: &mut Inner, verdict, who: usize| {
        inner.after_secs(1, 20_000, Happening::Judge { order, subject, verdict, by: PEOPLE[who] });
    };
    let roll = if inner.calm { 0 } else { inner.rng.below(100) };
    match roll {
        0..=39 => {
            says(inner, verdict, 0);
            says(inner, verdict, 1);
        }
        40..=59 => {
            inner.count("people: one alone");
            let who = usize::try_from(inner.rng.below(2)).unwrap();
            says(inner, verdict, who);
        }
        60..=69 => {
            says(inner, verdict, 0);
            says(inner, verdict, 2);
        }
        70..=79 => {
            says(inner, verdict, 0);
            says(inner, verdict, 3);
        }
        80..=89 => {
            inner.count("people: one is mistaken");
            let wrong = match verdict {
                PeoplesVerdict::Executed { .. } | PeoplesVerdict::Closed => PeoplesVerdict::NotExecuted,
                PeoplesVerdict::NotExecuted => PeoplesVerdict::Closed,
            };
            says(inner, wrong, 0);
            says(inner, verdict, 1);
        }
        _ => {}
    }
}

/// What the bank's ledger shows; nothing while it may yet show something else.
fn truth(inner: &mut Inner, order: &Order, subject: Subject) -> Option<PeoplesVerdict> {
    let executed = |moved: &Moved| PeoplesVerdict::Executed { operation: moved.operation };
    match subject {
        Subject::Operation { checkout, operation } => {
            let page = order.checkout(checkout)?;
            let is_its = |moved: &&Moved| {
                moved.reference == page.reference.as_str() && moved.merchant == order.merchant.as_str()
            };
            let Some(moved) = inner.bank.find(operation).filter(is_its) else {
                return Some(PeoplesVerdict::Closed);
            };
            match moved.status {
                OperationStatus::Captured => Some(executed(moved)),
                OperationStatus::Authorised if page.begins.is_some() => Some(executed(moved)),
                // It may yet be captured, until somebody lets it go.
                OperationStatus::Authorised => {
                    let is_old = inner.now.duration_since(moved.at) > SignedDuration::from_hours(7 * 24);
                    is_old.then(|| {
                        bank::let_go_by_hand(inner, operation);
                        PeoplesVerdict::Closed
                    })
                }
                _ => Some(PeoplesVerdict::Closed),
            }
        }
        Subject::Attempt { of } => truth_of_call(inner, order, of),
        Subject::Stuck { purpose } => {
            // The payer has it back by a transfer.
            if let Purpose::GiveBack(number) = purpose
                && let Some(given) = order.give_back(number)
            {
                inner.sent_back_otherwise.insert(given.operation.number.get());
            }
            Some(PeoplesVerdict::Closed)
        }
    }
}

fn truth_of_call(inner: &mut Inner, order: &Order, of: AttemptId) -> Option<PeoplesVerdict> {
    let attempt = order.attempt(of).unwrap();
    let (reference, _) = attempt.call.names();
    let left = inner.register.values().filter(|record| record.reference == reference.as_str()).map(|record| record.at);
    // What has just left may still arrive.
    if left.max().is_some_and(|at| inner.now.duration_since(at) < SignedDuration::from_hours(20)) {
        return None;
    }
    let merchant = order.merchant.as_str();
    let find = |inner: &Inner, made: Made, reference: &str| {
        let is_it = |moved: &&Moved| moved.merchant == merchant && moved.made == made && moved.reference == reference;
        inner.bank.moved.iter().filter(is_it).find(|moved| moved.status != OperationStatus::Refused).cloned()
    };
    let executed = |moved: &Moved| PeoplesVerdict::Executed { operation: moved.operation };
    let found = match &attempt.call {
        // An earlier one may turn out to have been carried out after all.
        MoneyCall::Debit { .. } => {
            let names = order.attempts(of.purpose).into_iter().map(|attempt| attempt.call.names().0.as_str());
            // A restored copy may not know the name that it left under.
            let lost = inner.lost.names_of(order.id);
            let found = names.chain(lost.iter().copied()).filter_map(|name| find(inner, Made::Debit, name));
            let amount = attempt.call.amount();
            let its = |moved: &Moved| {
                moved.amount == amount && moved.captured_for.as_ref().is_none_or(|of_it| of_it.purpose == of.purpose)
            };
            found.into_iter().find(|moved| !order.has_booked(&moved.operation.number) && its(moved))
        }
        MoneyCall::Refund { .. } => find(inner, Made::Refund, reference.as_str()),
        MoneyCall::Capture { operation, .. } => {
            inner.bank.find(operation.number).filter(|moved| moved.was_captured).cloned()
        }
        MoneyCall::Cancel { operation, .. } => {
            let moved = inner.bank.find(operation.number);
            if moved.is_some_and(|moved| moved.status == OperationStatus::Refunded) {
                inner.sent_back_otherwise.insert(operation.number.get());
                return Some(PeoplesVerdict::Closed);
            }
            inner.bank.find(operation.number).filter(|moved| moved.status == OperationStatus::Cancelled).cloned()
        }
    };
    Some(found.as_ref().map_or(PeoplesVerdict::NotExecuted, executed))
}

fn book_chargebacks(inner: &mut Inner, order: &Order) {
    for entry in &order.ledger {
        let number = entry.operation.number;
        let is_payment = matches!(entry.kind, EntryKind::Capture { .. } | EntryKind::Debit { .. });
        let is_booked = |other: &guichet::domain::ledger::Entry| matches!(other.kind, EntryKind::Chargeback { original, .. } if original == number);
        let is_taken_back = inner.bank.find(number).is_some_and(|moved| moved.charged_back.is_some());
        if is_payment && is_taken_back && !order.ledger.iter().any(is_booked) {
            let correction = Correction::ChargeBack { operation: number, reason: text("impayé") };
            inner.after_secs(1, 10_000, Happening::Correct { order: order.id, correction });
        }
    }
}

/// The payers' banks take something back, now and then.
pub(crate) fn charge_back(inner: &mut Inner) {
    let is_standing = |moved: &Moved| moved.status == OperationStatus::Captured && moved.gone_back() == 0;
    // Who does not know what became of a debit disputes what came before.
    let is_in_doubt = |order: &&Order| order.schedule.iter().any(Instalment::is_at_bank);
    let in_doubt = inner.store.orders().filter(is_in_doubt).map(|order| order.id.to_string().replace("ord_", ""));
    let in_doubt: Vec<String> = in_doubt.collect();
    for index in 0..inner.bank.moved.len() {
        let moved = &inner.bank.moved[index];
        let often = if in_doubt.iter().any(|order| moved.reference.contains(order)) { 150 } else { 6 };
        if is_standing(moved) && moved.charged_back.is_none() && moved.made != Made::Refund && inner.rng.chance(often) {
            inner.bank.moved[index].charged_back = Some(inner.now);
            inner.count("bank: charged back");
            let operation = inner.bank.moved[index].operation;
            inner.log(format_args!("bank: {operation:?} is charged back"));
            imports::moved(inner, 600);
        }
    }
}
