//! I2, I8, I22, R1, R3: what an order has booked, beside what the bank has.

use guichet::domain::{
    bank::OperationStatus,
    correction::JournalKind,
    ledger::{Entry, EntryKind},
    money::MAX_MINOR_UNITS,
    numbers::OperationNumber,
    order::Order,
    schedule::Instalment,
};

use crate::{bank::Moved, world::Inner};

pub(super) fn booked(inner: &mut Inner, before: Option<&Order>, after: &Order) {
    let known = before.map_or(0, |before| before.ledger.len());
    if after.ledger.len() > known || before.is_none_or(|before| before.give_backs != after.give_backs) {
        i2_never_more_than_owed(inner, after);
        i2_only_what_was_credited_goes_back(inner, after);
        r1_nothing_goes_back_twice(inner, after);
    }
    i8_paid_is_booked(inner, after);
    for entry in after.ledger.iter().skip(known) {
        i8_the_bank_has_it(inner, after, entry);
        i8_of_the_amount_it_pays(inner, after, entry);
    }
    i22_amounts_add_up(inner, after);
}

fn sum(order: &Order, counts: impl Fn(&EntryKind) -> bool) -> i64 {
    order.ledger.iter().filter(|entry| counts(&entry.kind)).map(|entry| entry.amount.minor_units()).sum()
}

fn is_payment(kind: &EntryKind) -> bool {
    matches!(kind, EntryKind::Capture { .. } | EntryKind::Debit { .. })
}

/// I2: what was captured and not given back is no more than the total, and all surplus is on its way back.
fn i2_never_more_than_owed(inner: &mut Inner, after: &Order) {
    let charged_back = sum(after, |kind| matches!(kind, EntryKind::Chargeback { .. }));
    let paid = sum(after, is_payment) - charged_back;
    let surplus = sum(after, |kind| matches!(kind, EntryKind::Surplus { .. }));
    let returned = sum(after, |kind| matches!(kind, EntryKind::GivenBack { give_back: None, .. }));
    if paid > after.totals.including_vat.minor_units() || returned > surplus {
        inner.violate("I2", format!("{}: paid {paid}, surplus {surplus}, given back {returned}", after.id));
    }
    for entry in after.ledger.iter().filter(|entry| matches!(entry.kind, EntryKind::Surplus { .. })) {
        if after.give_backs.iter().all(|given| given.operation != entry.operation) {
            inner.violate("I2", format!("{}: surplus {:?} does not go back", after.id, entry.operation));
        }
        if matches!(entry.kind, EntryKind::Surplus { checkout: None }) {
            let is_excused = after.checkouts.iter().any(|page| {
                let shown = |moved: &Moved| {
                    moved.reference == page.reference.as_str() && moved.status != OperationStatus::Refused
                };
                inner.bank.moved.iter().any(shown) && (inner.nature.captures_late || page.begins.is_none())
            });
            inner.count("a debit of ours is surplus");
            // A copy that came back may not know of a credit, after which less was debited.
            let is_smaller = after.schedule.iter().all(|due| due.amount != entry.amount);
            let is_of_another_amount = is_smaller && inner.lost.orders.contains(&after.id);
            if !is_excused && !is_of_another_amount {
                inner.violate("I2", format!("{}: a debit of ours is surplus", after.id));
            }
        }
    }
}

/// I2: what people have refunded was credited, and not taken off what is unpaid.
fn i2_only_what_was_credited_goes_back(inner: &mut Inner, after: &Order) {
    let credited: i64 = after.credit_notes.iter().map(|note| note.amount.minor_units()).sum();
    let cuts = after.credit_notes.iter().flat_map(|note| &note.cuts);
    let cut: i64 = cuts.map(|cut| cut.amount.minor_units()).sum();
    let refunds = after.give_backs.iter().filter(|given| given.refund.is_some() && !given.given_up);
    let refunded: i64 = refunds.map(|given| given.amount.minor_units()).sum();
    if refunded > credited - cut {
        inner.violate("I2", format!("{}: {refunded} goes back, {credited} is credited, {cut} of it cut", after.id));
    }
}

/// R1: of no operation more is asked back, or booked as back, than it brought.
fn r1_nothing_goes_back_twice(inner: &mut Inner, after: &Order) {
    for entry in after.ledger.iter().filter(|entry| is_payment(&entry.kind) || is_surplus(&entry.kind)) {
        let number = entry.operation.number;
        let asked: i64 = after
            .give_backs
            .iter()
            .filter(|given| given.operation.number == number && given.hold.is_none() && !given.given_up)
            .map(|given| given.amount.minor_units())
            .sum();
        if asked > entry.amount.minor_units() {
            inner.violate("R1", format!("{}: {asked} of {entry:?} is to go back", after.id));
        }
        let booked = given_back(after, number);
        let gone = inner.bank.find(number).map_or(0, Moved::gone_back);
        if booked > gone {
            inner.violate("I8", format!("{}: {booked} of {entry:?} is booked as back, the bank has {gone}", after.id));
        }
    }
}

fn is_surplus(kind: &EntryKind) -> bool {
    matches!(kind, EntryKind::Surplus { .. })
}

/// What is booked as given back of an operation.
pub(crate) fn given_back(order: &Order, number: OperationNumber) -> i64 {
    sum(order, |kind| matches!(kind, EntryKind::GivenBack { original, .. } if *original == number))
}

/// I8: paid if and only if it is in the ledger, or booked by accounting as paid elsewhere.
fn i8_paid_is_booked(inner: &mut Inner, after: &Order) {
    for due in &after.schedule {
        let is_taken_back = |entry: &Entry| {
            after.ledger.iter().any(|other| {
                matches!(other.kind, EntryKind::Chargeback { original, .. } if original == entry.operation.number)
            })
        };
        let pays = |entry: &&Entry| match &entry.kind {
            EntryKind::Capture { instalment, rest, .. } => *instalment == due.number || rest.contains(&due.number),
            EntryKind::Debit { instalment } => *instalment == due.number,
            EntryKind::Surplus { .. }
            | EntryKind::GivenBack { .. }
            | EntryKind::Settlement { .. }
            | EntryKind::Chargeback { .. } => false,
        };
        let booked = after.ledger.iter().filter(pays).filter(|entry| !is_taken_back(entry)).count();
        let elsewhere = after
            .journal
            .iter()
            .filter(|entry| entry.instalment == due.number && matches!(entry.kind, JournalKind::PaidElsewhere { .. }));
        let times = booked + elsewhere.count();
        if times != usize::from(due.paid) {
            let paid = due.paid;
            inner.violate("I8", format!("instalment {} of {}: paid {paid}, {times} times", due.number, after.id));
        }
    }
}

/// I8: in the ledger is only what the bank shows.
fn i8_the_bank_has_it(inner: &mut Inner, after: &Order, entry: &Entry) {
    let number = match entry.kind {
        EntryKind::GivenBack { original, .. }
        | EntryKind::Settlement { original, .. }
        | EntryKind::Chargeback { original, .. } => original,
        EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::Surplus { .. } => entry.operation.number,
    };
    let moved = inner.bank.find(number).filter(|moved| moved.merchant == after.merchant.as_str());
    if let EntryKind::Capture { checkout, .. } | EntryKind::Surplus { checkout: Some(checkout) } = entry.kind
        && let Some(moved) = moved
        && after.checkout(checkout).is_none_or(|page| page.reference.as_str() != moved.reference)
    {
        let reference = moved.reference.clone();
        inner.violate("C1", format!("{} books {entry:?}, which is of {reference}", after.id));
        return;
    }
    let holds = moved.is_some_and(|moved| match entry.kind {
        EntryKind::GivenBack { .. } => moved.gone_back() >= entry.amount.minor_units(),
        EntryKind::Settlement { remittance, .. } => {
            moved.remittance == Some(remittance) && moved.amount == entry.amount
        }
        EntryKind::Chargeback { .. } => moved.charged_back.is_some() && moved.amount == entry.amount,
        EntryKind::Capture { .. } | EntryKind::Debit { .. } | EntryKind::Surplus { .. } => {
            moved.was_captured && moved.amount == entry.amount
        }
    });
    if !holds {
        inner.violate("I8", format!("{} books {entry:?}, the bank has {moved:?}", after.id));
    }
}

/// I8: what pays an instalment is of its amount.
fn i8_of_the_amount_it_pays(inner: &mut Inner, after: &Order, entry: &Entry) {
    let of = |numbers: &[u32]| -> i64 {
        let its = after.schedule.iter().filter(|due| numbers.contains(&due.number));
        its.map(|due| due.amount.minor_units()).sum()
    };
    let owed = match &entry.kind {
        EntryKind::Debit { instalment } => Some(of(&[*instalment])),
        EntryKind::Capture { instalment, rest, .. } => Some(of(&[*instalment]) + of(rest)),
        EntryKind::Surplus { .. }
        | EntryKind::GivenBack { .. }
        | EntryKind::Settlement { .. }
        | EntryKind::Chargeback { .. } => None,
    };
    if owed.is_some_and(|owed| owed != entry.amount.minor_units()) {
        inner.violate("I8", format!("{} books {entry:?} as what pays {owed:?}", after.id));
    }
}

/// I22: amounts are positive and bounded, of one currency, and a schedule comes to its order's total, to the cent.
fn i22_amounts_add_up(inner: &mut Inner, after: &Order) {
    let total = after.totals.including_vat;
    let scheduled: i64 = after.schedule.iter().map(|due| due.amount.minor_units()).sum();
    let cuts = after.credit_notes.iter().flat_map(|note| &note.cuts);
    let cut: i64 = cuts.map(|cut| cut.amount.minor_units()).sum();
    if scheduled + cut != total.minor_units() {
        inner.violate("I22", format!("{}: {scheduled} scheduled and {cut} credited of {total:?}", after.id));
    }
    let is_wrong = |due: &&Instalment| due.amount.is_zero() && due.waived.is_none();
    let amounts = (after.ledger.iter().map(|entry| entry.amount))
        .chain(after.checkouts.iter().map(|page| page.amount))
        .chain(after.give_backs.iter().map(|given| given.amount));
    let is_odd = amounts.into_iter().any(|amount| {
        amount.is_zero() || amount.minor_units() > MAX_MINOR_UNITS || amount.currency() != total.currency()
    });
    if is_odd || after.schedule.iter().find(is_wrong).is_some() || after.credited_in_all().exceeds(total) {
        inner.violate("I22", format!("{} has an amount that cannot be", after.id));
    }
}
