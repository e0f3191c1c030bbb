//! Pages and links, open, superseded, late.

use super::*;

#[test]
fn at_most_one_checkout_is_open_and_a_paid_one_closes_the_others() {
    let mut world = World::place(377_000);
    let first = world.check_out().unwrap();
    let second = world.check_out().unwrap();
    assert_eq!(world.order.checkout(first).unwrap().closed, Some(Closed::Superseded));
    world.hear(first, &[(operation(1, 10), OperationStatus::Captured)]);
    assert_eq!(world.status(first), CheckoutStatus::Captured);
    assert_eq!(world.status(second), CheckoutStatus::Superseded);
}

#[test]
fn a_link_is_followed_again_and_again_under_new_references() {
    let mut world = World::place(377_000);
    let link = world.check_out().unwrap();
    let mut references = std::collections::BTreeSet::new();
    for follow in 0..crate::domain::checkout::MAX_FOLLOWS {
        let decision = world.follow(link, follow as u64);
        world.take(decision);
        let page = world.order.page_of(link).unwrap();
        assert!(page.is_open() && page.handed_over);
        references.insert(page.reference.clone());
    }
    assert_eq!(references.len(), crate::domain::checkout::MAX_FOLLOWS, "PAYBOX takes a reference once");
    // Every one of them may be paid; what is too much goes back.
    world.hear(CheckoutNumber(3), &[(operation(3, 30), OperationStatus::Captured)]);
    world.hear(link, &[(operation(1, 10), OperationStatus::Captured)]);
    assert_eq!((world.order.paid().minor_units(), world.order.surplus().minor_units()), (377_000, 377_000));
    let before = world.order.checkouts.len();
    let late = world.follow(link, 7);
    assert_eq!((late.events.len(), late.order.checkouts.len()), (0, before), "nothing is left to pay");

    // A link lives as long as its form may be handed over, however often it is followed.
    let mut world = World::place(377_000);
    let link = world.check_out().unwrap();
    world.wait(15);
    let late = world.follow(link, 7);
    assert!(late.events.is_empty());
}

#[test]
fn late_money_never_reopens_an_order() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.take(world.order.cancel(None, world.now).unwrap());
    assert_eq!(world.status(checkout), CheckoutStatus::Withdrawn);
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Captured)]);
    assert!(matches!(world.order.status, Status::Cancelled { .. }));
    assert_eq!(world.order.surplus().minor_units(), 377_000);
    assert_eq!(world.duty(), Some(Duty::Plan { purpose: Purpose::GiveBack(1) }));
}

#[test]
fn every_checkout_is_asked_for_even_if_nothing_was_ever_heard() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    assert_eq!(world.duty(), None);
    world.wait(5);
    assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
    world.hear(checkout, &[]);
    world.wait(25);
    assert_eq!(world.duty(), Some(Duty::Expire { checkout }));
    world.take(world.order.expire(checkout, world.now).unwrap());
    for wait in [60, 23 * 60] {
        assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
        world.hear(checkout, &[]);
        assert_eq!(world.duty(), None);
        world.wait(wait);
    }
    assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
    world.hear(checkout, &[]);
    assert_eq!(world.order.wake_at(&world.policy), None);
}

#[test]
fn nobody_is_given_a_form_while_money_is_on_its_way_by_another_page() {
    let mut world = World::place(377_000);
    let old = world.check_out().unwrap();
    let link = world.check_out().unwrap();
    world.paid(old, operation(1, 10));
    assert!(world.follow(link, 1).events.is_empty());
    let page = world.order.page_of(link).unwrap();
    assert_eq!(world.order.status_of_link(page), CheckoutStatus::Confirming);
    world.hear(old, &[(operation(1, 10), OperationStatus::Captured)]);
    let page = world.order.page_of(link).unwrap();
    assert_eq!(world.order.status_of_link(page), CheckoutStatus::Captured, "the payer is told that all is paid");
}
