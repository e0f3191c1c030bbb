//! Which card serves a plan: another one than before, or another than was reported.

use super::{
    correcting::euros,
    first_instalment::{accepted, card},
    *,
};
use crate::domain::{
    card::CardRefusal, checkout::NO_INSTALMENT, purpose::Purpose, retry::RefusalClass, subscriber::SubscriberState,
};

fn subscriber(world: &World) -> String {
    world.order.plan().unwrap().card().unwrap().subscriber.to_string()
}

#[test]
fn without_arrears_a_euro_is_held_and_let_go() {
    let mut world = World::active();
    let before = subscriber(&world);
    let checkout = world.check_out_for(Way::ChangeCard).unwrap();
    let page = world.order.checkout(checkout).unwrap();
    assert_eq!((page.amount, page.instalment, page.pays()), (euros(100), NO_INSTALMENT, vec![]));
    world.report_card(checkout, operation(7, 70), card("CB"));
    world.hear(checkout, &[(operation(7, 70), OperationStatus::Authorised)]);
    world.judge();
    assert_ne!(subscriber(&world), before);
    assert_eq!(world.status(checkout), CheckoutStatus::Captured);
    let states = world.subscriber_states();
    assert!(matches!(states[..], [SubscriberState::Unwanted { .. }, SubscriberState::Kept]), "{states:?}");
    assert_eq!(world.do_call(&accepted(7, 70)), Purpose::GiveBack(1));
    assert_eq!((world.order.paid(), world.order.surplus()), (euros(20_031), euros(0)));
    let states = world.subscriber_states();
    assert!(matches!(states[1], SubscriberState::Kept), "letting the euro go costs no card");
}

#[test]
fn what_is_past_due_is_paid_by_the_new_card_in_one_commit() {
    let mut world = World::active();
    world.at("2026-07-10T05:00:00Z");
    let decision = world.order.take_up("2026-07-10".parse().unwrap(), new_call(700), world.now, &world.policy).unwrap();
    world.take(decision.unwrap());
    let lost = Ruling::Refused { code: "00141".to_owned(), class: Some(RefusalClass::Hard) };
    world.send_and_rule(AttemptId { purpose: Purpose::Debit(2), attempt: 1 }, &lost);
    assert!(world.order.blocked);
    let before = subscriber(&world);
    let checkout = world.check_out_for(Way::ChangeCard).unwrap();
    assert_eq!(world.order.checkout(checkout).unwrap().amount, euros(20_031));
    world.report_card(checkout, operation(7, 70), card("CB"));
    world.hear(checkout, &[(operation(7, 70), OperationStatus::Authorised)]);
    assert_eq!(subscriber(&world), before, "not before it is captured");
    world.judge();
    assert_eq!(world.do_call(&accepted(7, 70)), Purpose::Capture(2));
    assert_ne!(subscriber(&world), before);
    assert_eq!(world.order.paid(), euros(40_062));
    assert!(!world.order.blocked);
    assert_eq!(world.order.ready_on(), Some("2026-08-10".parse().unwrap()));
}

#[test]
fn a_card_that_will_not_do_changes_nothing() {
    let mut world = World::active();
    let before = subscriber(&world);
    let checkout = world.check_out_for(Way::ChangeCard).unwrap();
    world.report_card(checkout, operation(7, 70), card("E_CARD"));
    world.hear(checkout, &[(operation(7, 70), OperationStatus::Authorised)]);
    world.judge();
    assert_eq!(world.order.holds[1].refusal(), Some(&CardRefusal::VirtualCard));
    assert_eq!(subscriber(&world), before);
    assert_eq!(world.do_call(&accepted(7, 70)), Purpose::GiveBack(1));
    assert!(matches!(world.subscriber_states()[..], [SubscriberState::Kept, SubscriberState::Unwanted { .. }]));
    // Not while a debit is under way, and not without a plan.
    assert_eq!(World::paid_at_once().check_out_for(Way::ChangeCard), Err(Refusal::Settled));
    assert_eq!(World::approved().check_out_for(Way::ChangeCard), Err(Refusal::PlanNotActive));
}

/// The bank's own word counts beside a report, which a payer may have forged.
#[test]
fn an_e_card_that_was_reported_as_another_is_refused() {
    let mut world = World::approved();
    let checkout = world.begin().unwrap();
    world.report_card(checkout, operation(1, 10), card("CB"));
    let heard = Heard {
        checkout,
        asked_at: world.now,
        seen: vec![(operation(1, 10), OperationStatus::Authorised)],
        strays: Vec::new(),
        card_type: Some("E_CARD".to_owned()),
        unclear: false,
        silence: None,
    };
    let decision = world.order.hear(&heard, world.now, &world.policy).unwrap();
    world.take(decision);
    world.judge();
    assert_eq!(world.order.holds[0].refusal(), Some(&CardRefusal::VirtualCard));
}

#[test]
fn a_card_whose_money_was_let_go_by_hand_before_anybody_held_it_is_forgotten() {
    let mut world = World::approved();
    let checkout = world.begin().unwrap();
    world.hear(checkout, &[]);
    assert!(world.subscriber_states().is_empty());
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Cancelled)]);
    assert!(world.duty_of(|duty| matches!(duty, Duty::Forget { .. })).is_some());
    // What waits for people may be executed yet; after a refused try the payer may try another card on the same page.
    for status in [OperationStatus::Rejected, OperationStatus::Refused] {
        let mut world = World::approved();
        let checkout = world.begin().unwrap();
        world.hear(checkout, &[(operation(1, 10), status)]);
        assert_eq!(world.duty_of(|duty| matches!(duty, Duty::Forget { .. })), None);
    }
}
