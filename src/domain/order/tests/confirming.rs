//! What is heard about a page, and what the bank makes of it.

use super::*;

#[test]
fn a_confirmed_capture_settles_and_a_reported_one_only_waits() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    assert_eq!(world.status(checkout), CheckoutStatus::Issued);
    assert_eq!(world.paid(checkout, operation(1, 10)), Taken::New);
    assert_eq!(world.status(checkout), CheckoutStatus::Confirming);
    assert!(world.order.ledger.is_empty(), "a notification is a hint");
    assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
    assert_eq!(world.check_out(), Err(Refusal::ConfirmationInProgress));
    assert_eq!(world.order.cancel(None, world.now), Err(Refusal::ConfirmationInProgress));
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Captured)]);
    assert_eq!(world.status(checkout), CheckoutStatus::Captured);
    assert_eq!(world.order.paid().minor_units(), 377_000);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    // Hearing it again changes nothing.
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Captured)]);
    assert_eq!(world.order.ledger.len(), 1);
}

#[test]
fn doubles_variants_and_floods_of_reports() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    let failed = || Says::Failed { code: "00151".to_owned() };
    assert_eq!(world.report(checkout, "1/10/00151", "a", failed()), Taken::New);
    assert_eq!(world.report(checkout, "1/10/00151", "a", failed()), Taken::Double);
    assert_eq!(world.report(checkout, "1/10/00151", "b", failed()), Taken::Variant);
    assert_eq!(world.status(checkout), CheckoutStatus::Refused);
    for index in 0..crate::domain::checkout::MAX_REPORTS - 1 {
        assert_eq!(world.report(checkout, &format!("{index}"), "a", failed()), Taken::New);
    }
    assert_eq!(world.report(checkout, "one more", "a", failed()), Taken::TooMany);
}

#[test]
fn a_failure_is_never_final() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.report(checkout, "1/10/00151", "a", Says::Failed { code: "00151".to_owned() });
    world.paid(checkout, operation(2, 10));
    world.hear(checkout, &[(operation(2, 10), OperationStatus::Captured)]);
    world.report(checkout, "3/10/00159", "a", Says::Failed { code: "00159".to_owned() });
    assert_eq!(world.status(checkout), CheckoutStatus::Captured);
}

#[test]
fn what_the_bank_says_of_an_operation() {
    use OperationStatus::{Authorised, Cancelled, Captured, Credited, Other, Refunded, Refused, Rejected};
    for (status, expected) in [
        (Captured, CheckoutStatus::Captured),
        (Authorised, CheckoutStatus::Confirming),
        (Cancelled, CheckoutStatus::Issued),
        (Refused, CheckoutStatus::Issued),
        (Refunded, CheckoutStatus::Quarantined),
        (Credited, CheckoutStatus::Quarantined),
        (Rejected, CheckoutStatus::Quarantined),
        (Other("Volé".to_owned()), CheckoutStatus::Quarantined),
    ] {
        let mut world = World::place(377_000);
        let checkout = world.check_out().unwrap();
        world.hear(checkout, &[(operation(1, 10), status.clone())]);
        assert_eq!(world.status(checkout), expected, "{status:?}");
        let may_pay = world.check_out();
        let refusal = match status {
            Captured => Some(Refusal::Settled),
            Authorised => Some(Refusal::ConfirmationInProgress),
            Cancelled | Refused => None,
            Refunded | Credited | Rejected | Other(_) => Some(Refusal::Quarantined),
        };
        assert_eq!(may_pay.err(), refusal, "{status:?}");
    }
}

#[test]
fn an_authorisation_is_asked_about_again_and_counts_only_where_configured() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.wait(31);
    world.take(world.order.expire(checkout, world.now).unwrap());
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    assert!(world.order.ledger.is_empty());
    world.wait(1);
    assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
    world.policy.authorised_counts = true;
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    assert_eq!(world.order.paid().minor_units(), 377_000);
}

#[test]
fn an_unconfirmed_report_does_not_hold_the_order_for_ever() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.paid(checkout, operation(666, 66));
    world.hear(checkout, &[]);
    assert_eq!(world.status(checkout), CheckoutStatus::Confirming);
    world.wait(10);
    world.hear(checkout, &[]);
    assert_eq!(world.status(checkout), CheckoutStatus::Issued);
    assert!(world.history.iter().any(|(event, _)| matches!(event, Event::ReportDoubted { .. })));
    // The payer pays in another way; should the first be confirmed after all, it is surplus.
    let second = world.check_out().unwrap();
    world.hear(second, &[(operation(2, 20), OperationStatus::Captured)]);
    world.hear(checkout, &[(operation(666, 66), OperationStatus::Captured)]);
    assert_eq!(world.order.paid().minor_units(), 377_000);
    assert_eq!(world.order.surplus().minor_units(), 377_000);
}

#[test]
fn a_report_that_the_bank_contradicts_is_doubted_at_once() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.paid(checkout, operation(1, 10));
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Refused)]);
    assert_eq!(world.status(checkout), CheckoutStatus::Issued);
}

#[test]
fn a_silent_bank_doubts_nothing_and_is_asked_again_later_and_later() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.paid(checkout, operation(1, 10));
    world.wait(11);
    for wait in [1, 5, 5] {
        let heard = Heard {
            checkout,
            asked_at: world.now,
            seen: Vec::new(),
            strays: Vec::new(),
            card_type: None,
            unclear: false,
            silence: Some("no answer".to_owned()),
        };
        let decision = world.order.hear(&heard, world.now, &world.policy).unwrap();
        world.take(decision);
        assert_eq!(world.status(checkout), CheckoutStatus::Confirming);
        assert_eq!(world.duty(), None, "nobody hammers a silent bank");
        let next = world.order.wake_at(&world.policy);
        assert_eq!(next, Some(world.now + SignedDuration::from_mins(wait)));
        world.wait(wait);
    }
}

#[test]
fn news_that_come_while_the_bank_is_being_asked_are_not_answered_by_it() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    let heard = Heard {
        checkout,
        asked_at: world.now,
        seen: Vec::new(),
        strays: Vec::new(),
        card_type: None,
        unclear: false,
        silence: None,
    };
    world.wait(1);
    world.paid(checkout, operation(1, 10));
    let decision = world.order.hear(&heard, world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
}

#[test]
fn an_authorisation_holds_the_order_and_is_asked_about_later_and_later() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.paid(checkout, operation(1, 10));
    world.wait(10);
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    assert_eq!(world.status(checkout), CheckoutStatus::Confirming);
    assert_eq!(world.check_out(), Err(Refusal::ConfirmationInProgress));
    world.wait(2 * 24 * 60);
    world.take(world.order.expire(checkout, world.now).unwrap());
    let mut waits = Vec::new();
    for _ in 0..3 {
        world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
        let next = world.order.wake_at(&world.policy).unwrap();
        waits.push((next - world.now).total(jiff::Unit::Minute).unwrap() as i64);
        world.now = next;
    }
    assert_eq!(waits, [5, 5, 5]);
    // It lapsed: the order is free again.
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Cancelled)]);
    assert_eq!(world.status(checkout), CheckoutStatus::Expired);
    assert!(world.check_out().is_ok());
}

/// A payer who pays on an old page, at a bank that finds payments hours later.
#[test]
fn what_was_reported_and_not_found_is_asked_about_again_a_day_later() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.take(world.order.expire(checkout, world.now + SignedDuration::from_hours(1)).unwrap());
    world.wait(3 * 24 * 60);
    world.hear(checkout, &[]);
    assert_eq!(world.order.wake_at(&world.policy), None);
    world.paid(checkout, operation(1, 10));
    let mut waits = Vec::new();
    let reported = world.now;
    while let Some(ask) = world.order.wake_at(&world.policy) {
        world.now = ask;
        world.hear(checkout, &[]);
        waits.push((ask - reported).total(jiff::Unit::Minute).unwrap() as i64);
    }
    assert_eq!(waits, [0, 1, 10, 60, 24 * 60]);
}

#[test]
fn an_authorisation_that_is_not_captured_in_a_week_comes_before_people() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    let shown = [(operation(1, 10), OperationStatus::Authorised)];
    world.hear(checkout, &shown);
    world.wait(7 * 24 * 60 - 1);
    world.hear(checkout, &shown);
    assert_eq!((world.status(checkout), world.order.waiting().len()), (CheckoutStatus::Confirming, 0));
    world.wait(1);
    world.hear(checkout, &shown);
    assert_eq!(world.order.waiting().len(), 1);
    assert_eq!(world.check_out(), Err(Refusal::Quarantined));
    // Nor is one waited for that the bank shows no more.
    let mut lapsed = World::place(377_000);
    let page = lapsed.check_out().unwrap();
    lapsed.hear(page, &shown);
    lapsed.wait(7 * 24 * 60);
    lapsed.hear(page, &[]);
    assert_eq!(lapsed.order.waiting().len(), 1);
    // What people have seen to is not asked for any more, but for the page's own expiry.
    world.take(world.order.expire(checkout, world.now).unwrap());
    world.wait(24 * 60);
    world.hear(checkout, &shown);
    assert_eq!(world.order.wake_at(&world.policy), None);
}

#[test]
fn a_second_session_of_one_page_is_put_before_a_person() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.paid(checkout, operation(1, 10));
    world.paid(checkout, operation(2, 20));
    assert_eq!(world.order.reported(checkout, &operation(2, 20)), [operation(1, 10)]);
    let heard = Heard {
        checkout,
        asked_at: world.now,
        seen: vec![(operation(2, 20), OperationStatus::Captured)],
        strays: vec![operation(1, 10)],
        card_type: None,
        unclear: false,
        silence: None,
    };
    let decision = world.order.hear(&heard, world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.order.paid().minor_units(), 377_000);
    assert!(world.order.has_seen_to(checkout, &operation(1, 10).number));
}

#[test]
fn what_waits_for_a_person_cannot_be_cancelled_away() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Other("Volé".to_owned()))]);
    assert_eq!(world.order.cancel(None, world.now), Err(Refusal::Quarantined));
}

#[test]
fn variants_commute_and_a_flood_swallows_no_reason_to_ask() {
    let both = |first: Says, second: Says| {
        let mut world = World::place(377_000);
        let checkout = world.check_out().unwrap();
        world.report(checkout, "1/10/00000", "a", first);
        world.report(checkout, "1/10/00000", "b", second);
        world.status(checkout)
    };
    let paid = || Says::Paid { operation: operation(1, 10), doubted: false };
    assert_eq!(both(paid(), Says::Pending), both(Says::Pending, paid()));

    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.wait(2 * 24 * 60);
    world.hear(checkout, &[]);
    for number in 0..crate::domain::checkout::MAX_REPORTS {
        world.report(checkout, &format!("{number}/1/00151"), "d", Says::Failed { code: "00151".to_owned() });
    }
    assert_eq!(world.paid(checkout, operation(99, 1)), Taken::TooMany);
    assert!(!world.order.checkout(checkout).unwrap().asks.is_empty());
}

#[test]
fn an_operation_of_another_order_is_put_before_a_person_once() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    for _ in 0..2 {
        let decision = world.order.quarantine(checkout, &operation(1, 10), "another order's", world.now).unwrap();
        world.take(decision);
    }
    assert_eq!(world.order.checkout(checkout).unwrap().quarantine.len(), 1);
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Captured)]);
    assert!(world.order.ledger.is_empty());
}

/// News of one order: notifications of two checkouts, and the bank's answers about them.
#[derive(Clone, Debug)]
enum News {
    Failed(u32, u64),
    Paid(u32, u64),
    Heard(u32, u64),
}

fn news() -> impl Strategy<Value = Vec<News>> {
    let all = vec![
        News::Failed(1, 11),
        News::Failed(2, 21),
        News::Paid(1, 12),
        News::Paid(2, 22),
        News::Heard(1, 12),
        News::Heard(2, 22),
    ];
    // Every piece of news comes, some of it twice, in any order.
    let doubled = proptest::sample::subsequence(all.clone(), 0..=all.len());
    doubled.prop_map(move |doubled| all.iter().cloned().chain(doubled).collect::<Vec<_>>()).prop_shuffle()
}

proptest! {
    #[test]
    fn notifications_commute(news in news()) {
        let mut world = World::place(377_000);
        let first = world.check_out().unwrap();
        let second = world.check_out().unwrap();
        for item in news {
            match item {
                News::Failed(checkout, number) => {
                    let says = Says::Failed { code: "00151".to_owned() };
                    world.report(CheckoutNumber(checkout), &format!("{number}/1/00151"), "d", says);
                }
                News::Paid(checkout, number) => {
                    world.paid(CheckoutNumber(checkout), operation(number, 1));
                }
                News::Heard(checkout, number) => {
                    world.hear(CheckoutNumber(checkout), &[(operation(number, 1), OperationStatus::Captured)]);
                }
            }
        }
        prop_assert_eq!(world.status(first), CheckoutStatus::Captured);
        prop_assert_eq!(world.status(second), CheckoutStatus::Captured);
        prop_assert_eq!(world.order.paid().minor_units(), 377_000);
        prop_assert_eq!(world.order.surplus().minor_units(), 377_000);
        let settled = matches!(world.order.status, Status::Settled { .. });
        prop_assert!(settled);
    }
}

/// The only ask that was left found another payment of the page, and nothing about this one.
#[test]
fn what_could_not_be_told_of_a_report_is_asked_again_and_not_for_ever() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.paid(checkout, operation(2, 20));
    let heard = |world: &World, unclear| Heard {
        checkout,
        asked_at: world.now,
        seen: vec![(operation(1, 10), OperationStatus::Captured)],
        strays: Vec::new(),
        card_type: None,
        unclear,
        silence: None,
    };
    let mut times = 0;
    world.wait(60 * 24 * 3);
    let clear = world.order.hear(&heard(&world, false), world.now, &world.policy).unwrap();
    assert!(clear.order.checkout(checkout).unwrap().asks.is_empty());
    loop {
        let decision = world.order.hear(&heard(&world, true), world.now, &world.policy).unwrap();
        world.take(decision);
        if world.order.checkout(checkout).unwrap().asks.is_empty() {
            break;
        }
        times += 1;
        world.wait(60);
    }
    assert_eq!(times, crate::domain::checkout::MAX_PROMPTS);
}
