//! I14: which cards are debited, and which are kept.

use guichet::domain::{
    hold::{Hold, Verdict},
    order::Order,
    plan::{Plan, PlanState},
    schedule::Instalment,
};

use crate::world::Inner;

/// I14: who is debited has a card that was accepted, and that deserves it.
pub(super) fn i14_active_with_an_accepted_card(inner: &mut Inner, after: &Order) {
    let Some(PlanState::Active { card, .. }) = after.plan().map(|plan| &plan.state) else { return };
    let is_its = |hold: &&Hold| {
        let begins = after.checkout(hold.checkout).and_then(|page| page.begins.as_deref());
        begins.is_some_and(|begins| begins.subscriber == card.subscriber)
    };
    let is_accepted = |hold: &&Hold| match hold.verdict {
        Some(Verdict::Accepted) => hold.captured,
        Some(Verdict::Checked) => true,
        Some(Verdict::Refused { .. }) | None => false,
    };
    let hold = after.holds.iter().filter(is_its).find(is_accepted);
    let Some(hold) = hold else {
        inner.violate("I14", format!("the plan of {} is active without an accepted card", after.id));
        return;
    };
    // What is in arrears, by a refusal or a chargeback, is not debited any more.
    let is_to_be_debited = |due: &&Instalment| due.is_owed() && due.arrears.is_none();
    let last_due = after.schedule.iter().filter(is_to_be_debited).map(|due| due.due).max();
    let paid_with = inner.bank.find(hold.operation.number).map(|moved| moved.card.clone());
    let is_good = paid_with.is_some_and(|card| !card.is_virtual() && last_due.is_none_or(|last| card.end.covers(last)));
    if !is_good {
        inner.violate("I14", format!("the plan of {} is active with a card that no plan takes", after.id));
    }
}

/// I14: the card of an active plan stays at the bank.
pub(crate) fn forgotten(inner: &mut Inner, merchant: &str, subscriber: &str) {
    let debits = |order: &&Order| {
        let card = order.plan().and_then(Plan::card);
        order.merchant.as_str() == merchant && card.is_some_and(|card| card.subscriber.as_str() == subscriber)
    };
    let whose = inner.store.orders().find(debits).map(|order| order.id);
    if let Some(id) = whose {
        inner.violate("I14", format!("the card of the active plan of {id} is forgotten"));
    }
}
