//! Payers' accounts: what each event does to them.

use super::{correcting::correcting, first_instalment::accepted, *};
use crate::domain::{correction::JournalKind, position::Position};

fn position(world: &World, as_of: Timestamp) -> Position {
    Position::of(std::slice::from_ref(&world.order), Currency::Eur, as_of)
}

#[test]
fn one_payment_of_618_euros() {
    let mut world = World::place(61_800);
    let placed = world.now;
    world.wait(1);
    let checkout = world.check_out().unwrap();
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Captured)]);
    let now = position(&world, world.now);
    let sums = now.sums;
    assert_eq!(
        (sums.including_vat, sums.invoiced, sums.captured, sums.allocated, sums.unpaid, now.position),
        (61_800, 61_800, 61_800, 61_800, 0, 0)
    );
    let before = position(&world, placed);
    assert_eq!((before.sums.including_vat, before.sums.invoiced, before.position), (61_800, 0, 0), "nothing yet");
    assert!(position(&world, placed - SignedDuration::from_secs(1)).orders.is_empty());
}

#[test]
fn a_plan_is_invoiced_whole_and_financed() {
    let mut world = World::active();
    let at_start = world.now;
    let begun = position(&world, world.now);
    let now = begun.clone();
    assert_eq!((now.sums.invoiced, now.sums.captured, now.sums.financed), (60_100, 20_031, 40_069));
    assert_eq!((now.debit, now.credit, now.position), (60_100, 20_031, -40_069));
    world.wait(1);
    world.credit(45_000).unwrap();
    let now = position(&world, world.now);
    assert_eq!((now.sums.credited, now.sums.refunded, now.sums.unpaid), (45_000, 0, 0));
    assert_eq!(now.position, 4_931, "what is to go back is the payer's until it has");
    world.do_call(&accepted(8, 10));
    let now = position(&world, world.now);
    assert_eq!((now.sums.refunded, now.position), (4_931, 0));
    assert!(world.order.plan().unwrap().card().is_none(), "the plan has ended since");
    assert_eq!(position(&world, at_start), begun, "as it was");
}

#[test]
fn a_surplus_stands_to_the_payers_credit_until_it_is_back() {
    let mut world = World::paid_twice();
    assert_eq!(position(&world, world.now).position, 377_000);
    world.do_call(&accepted(1, 10));
    assert_eq!(position(&world, world.now).position, 0);
}

#[test]
fn a_chargeback_is_owed_and_a_payment_elsewhere_is_not() {
    let mut world = World::paid_at_once();
    let decision = world.order.charge_back(&operation(1, 10).number, text("contestation"), world.now).unwrap();
    world.take(decision);
    let now = position(&world, world.now);
    assert_eq!((now.position, now.sums.unpaid, now.orders[0].blocked), (-377_000, 377_000, true));
    let kind = JournalKind::PaidElsewhere { on: "2026-07-01".parse().unwrap(), reference: text("virement") };
    let decision = world.order.journal(1, kind, &correcting(), world.now).unwrap();
    world.take(decision);
    assert_eq!(position(&world, world.now).position, 0);
}
