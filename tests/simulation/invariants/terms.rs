//! F1, F2: what a payer agreed to, and the name that a card is kept under.

use guichet::domain::{
    event::{Event, Recorded},
    ids::CheckoutNumber,
    order::Order,
    schedule::Instalment,
};

use crate::{bank::Page, world::Inner};

/// F1: a plan begins with the amounts and dates that its payer accepted, and nothing but a correction changes them.
pub(super) fn f1_what_was_accepted_is_debited(
    inner: &mut Inner,
    before: Option<&Order>,
    after: &Order,
    events: &[Recorded],
) {
    let begun = events.iter().find_map(|recorded| match &recorded.event {
        Event::PlanActivated { checkout, .. } => Some(*checkout),
        _ => None,
    });
    let accepted = |checkout: CheckoutNumber| {
        after.checkout(checkout).and_then(|page| page.begins.as_deref()).map(|begins| begins.schedule.as_slice())
    };
    let is_corrected = events.iter().any(|recorded| {
        matches!(recorded.event, Event::Rescheduled { .. } | Event::Credited { .. } | Event::RefundRequested { .. })
    });
    let agreed = match begun {
        Some(checkout) => accepted(checkout),
        None => before.filter(|_| !is_corrected).map(|before| before.schedule.as_slice()),
    };
    if let Some(agreed) = agreed
        && terms(agreed) != terms(&after.schedule)
    {
        let (agreed, now) = (terms(agreed), terms(&after.schedule));
        inner.violate("F1", format!("{} is to be debited {now:?}, agreed is {agreed:?}", after.id));
    }
}

fn terms(schedule: &[Instalment]) -> Vec<(u32, i64, jiff::civil::Date)> {
    schedule.iter().map(|due| (due.number, due.amount.minor_units(), due.due)).collect()
}

/// F2: each page that keeps a card does so under a name of its own.
pub(crate) fn f2_no_name_is_used_again(inner: &mut Inner, page: &Page) {
    let Some(name) = page.subscriber.clone() else { return };
    let known = inner.bank.names.insert((page.merchant.clone(), name.clone()), page.reference.clone());
    // A page that is not on record since a copy came back may have had it.
    if known.as_ref().is_some_and(|known| *known != page.reference) && !inner.lost.was_kept_as(&name) {
        inner.violate("F2", format!("{name} is of {} and was of {known:?}", page.reference));
    }
}
