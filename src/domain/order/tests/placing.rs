//! Placing an order.

use super::*;

#[test]
fn nothing_to_pay_is_settled_at_once() {
    let mut world = World::place(0);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    assert!(world.order.schedule.is_empty());
    assert_eq!(world.check_out(), Err(Refusal::Settled));
}

#[test]
fn a_total_below_the_minimum_is_refused() {
    let today = "2026-06-24".parse().unwrap();
    let faults = Order::place(new_order(99), today, Timestamp::UNIX_EPOCH, &policy()).unwrap_err();
    assert_eq!(faults[0].kind, FaultKind::BelowMinimum { minimum: 100 });
}
