//! Two operations of one page register one card: what becomes of one must not take the card from the other. And what
//! went wrong with one card must not keep the next from beginning the plan.

use super::{
    first_instalment::{accepted, card},
    *,
};
use crate::domain::{
    card::CardRefusal,
    hold::Verdict,
    subscriber::{HeardCard, SubscriberState},
};

#[test]
fn a_second_operation_of_the_page_does_not_cost_the_plan_its_card() {
    let mut world = World::active();
    let page = world.order.checkouts[0].number;
    world.report_card(page, operation(2, 10), card("CB,VISA"));
    world.hear(page, &[(operation(2, 10), OperationStatus::Authorised)]);
    world.judge();
    assert_eq!(world.order.holds[1].refusal(), Some(&CardRefusal::NotWanted));
    assert_eq!(world.subscriber_states(), [&SubscriberState::Kept], "the plan debits it");
    assert_eq!(world.do_call(&accepted(2, 10)), Purpose::GiveBack(1), "the second is let go all the same");
    // With the plan it goes.
    let decision = world.order.cancel_plan(world.now).unwrap();
    world.take(decision);
    assert!(matches!(world.subscriber_states()[..], [SubscriberState::Unwanted { .. }]));
}

#[test]
fn a_second_operation_does_not_take_the_card_from_a_capture_on_its_way() {
    let mut world = World::approved();
    let page = world.begin().unwrap();
    for number in [1, 2] {
        world.report_card(page, operation(number, 10), card("CB,VISA"));
        world.hear(page, &[(operation(number, 10), OperationStatus::Authorised)]);
    }
    world.judge();
    world.judge();
    assert_eq!(world.order.holds[0].verdict, Some(Verdict::Accepted));
    assert_eq!(world.subscriber_states(), [&SubscriberState::Kept]);
    // The capture is refused: now nothing needs the card.
    while let Some(Duty::Plan { purpose }) = world.duty_of(|duty| matches!(duty, Duty::Plan { .. })) {
        let ruling = if purpose == Purpose::Capture(1) { refused() } else { accepted(2, 10) };
        let decision = world.order.plan_call(purpose, new_call(500), world.now, &world.policy).unwrap();
        world.take(decision);
        let attempt = world.order.attempts(purpose).last().unwrap().number;
        world.send_and_rule(AttemptId { purpose, attempt }, &ruling);
        if purpose == Purpose::Capture(1) {
            break;
        }
    }
    assert!(matches!(world.subscriber_states()[..], [SubscriberState::Unwanted { .. }]));
}

#[test]
fn a_card_that_is_being_forgotten_begins_no_plan() {
    let mut world = World::approved();
    let page = world.begin().unwrap();
    world.report_card(page, operation(1, 10), card("E_CARD"));
    world.hear(page, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.judge();
    assert!(matches!(world.subscriber_states()[..], [SubscriberState::Unwanted { .. }]));
    // A second operation of the same page, of which only good is told.
    world.report_card(page, operation(2, 10), card("CB,VISA"));
    world.hear(page, &[(operation(2, 10), OperationStatus::Authorised)]);
    world.judge();
    assert!(world.order.holds[1].refusal().is_some());
}

#[test]
fn a_first_instalment_that_came_to_be_surplus_leaves_the_plan_to_another_card() {
    let mut world = World::approved();
    let first = world.begin().unwrap();
    world.report_card(first, operation(1, 10), card("CB"));
    world.hear(first, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.judge();
    let Some(Duty::Plan { purpose }) = world.duty_of(|duty| matches!(duty, Duty::Plan { .. })) else { panic!() };
    let decision = world.order.plan_call(purpose, new_call(500), world.now, &world.policy).unwrap();
    world.take(decision);
    // The same payment is told of with another card, before the capture leaves.
    assert_eq!(world.report_card(first, operation(1, 10), card("E_CARD")), Taken::Variant);
    world.send_and_rule(AttemptId { purpose, attempt: 1 }, &accepted(1, 10));
    assert_eq!(world.order.surplus().minor_units(), 20_031, "no plan begins on what is contradictory");
    // What goes back by itself has paid nothing: the plan's amounts are not to be changed beside it.
    assert_eq!(world.credit(100), Err(Refusal::NothingPaid));
    let second = world.begin().unwrap();
    world.report_card(second, operation(3, 30), card("CB"));
    world.hear(second, &[(operation(3, 30), OperationStatus::Authorised)]);
    world.judge();
    assert_eq!(world.order.holds[1].verdict, Some(Verdict::Accepted));
}

/// The bank could not be reached for two days: what is captured now may lapse, and its payer waits.
#[test]
fn a_capture_that_could_not_leave_in_time_does_not_leave() {
    let status = |status| vec![Finding::Status(operation(1, 10), status)];
    let waiting = || {
        let mut world = World::approved();
        let page = world.begin().unwrap();
        world.report_card(page, operation(1, 10), card("CB"));
        world.hear(page, &[(operation(1, 10), OperationStatus::Authorised)]);
        world.judge();
        let capture = Purpose::Capture(1);
        let decision = world.order.plan_call(capture, new_call(500), world.now, &world.policy).unwrap();
        world.take(decision);
        world.wait(48 * 60);
        (world, AttemptId { purpose: capture, attempt: 1 })
    };
    let (mut world, of) = waiting();
    let authorised = status(OperationStatus::Authorised);
    let prepared = world.order.prepare_attempt(of, &authorised, world.now, &world.policy).unwrap();
    let Prepared::Instead(decision) = prepared else { panic!("it would leave") };
    world.take(*decision);
    assert_eq!(world.order.holds[0].refusal(), Some(&CardRefusal::TooLate));
    world.begin().expect("another card may begin the plan");

    // What a restored backup forgot is adopted all the same.
    let (mut world, of) = waiting();
    let captured = status(OperationStatus::Captured);
    let prepared = world.order.prepare_attempt(of, &captured, world.now, &world.policy).unwrap();
    let Prepared::Instead(decision) = prepared else { panic!("it would leave") };
    world.take(*decision);
    assert_eq!(world.order.paid().minor_units(), 20_031);
}

#[test]
fn a_token_that_is_told_of_after_its_card_is_gone_is_not_kept() {
    let mut world = World::approved();
    let page = world.begin().unwrap();
    world.hear(page, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.wait(30);
    world.judge();
    assert_eq!(world.order.holds[0].refusal(), Some(&CardRefusal::NotKnown));
    world.do_call(&accepted(1, 10));
    let subscriber = world.order.subscribers[0].reference.clone();
    let gone = world.order.subscriber_answered(&subscriber, None, world.now, &world.policy).unwrap();
    world.take(gone);
    world.report_card(page, operation(1, 10), card("CB"));
    let history: Vec<&Event> = world.history.iter().map(|(event, _)| event).collect();
    assert!(!serde_json::to_string(&history).unwrap().contains("\"sealed\""));
}

/// The bank keeps a card again under a name that it has forgotten, when the page is paid once more.
#[test]
fn a_card_that_a_second_payment_registers_again_is_forgotten_again() {
    let mut world = World::approved();
    let page = world.begin().unwrap();
    world.report_card(page, operation(1, 10), card("E_CARD"));
    world.hear(page, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.judge();
    world.do_call(&accepted(1, 10));
    let subscriber = world.order.subscribers[0].reference.clone();
    let gone = world.order.subscriber_answered(&subscriber, None, world.now, &world.policy).unwrap();
    world.take(gone);
    world.report_card(page, operation(2, 20), card("CB"));
    world.hear(page, &[(operation(2, 20), OperationStatus::Authorised)]);
    world.judge();
    assert_eq!(world.order.holds[1].refusal(), Some(&CardRefusal::NotWanted));
    world.do_call(&accepted(2, 20));
    assert_eq!(world.duty(), Some(Duty::Forget { subscriber }));
}

/// Nobody could have let it go, and its order could not have been paid in any other way.
#[test]
fn a_capture_that_is_never_carried_out_is_let_go_in_the_end() {
    let mut world = World::approved();
    let page = world.begin().unwrap();
    world.report_card(page, operation(1, 10), card("CB"));
    world.hear(page, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.judge();
    let authorised = [Finding::Status(operation(1, 10), OperationStatus::Authorised)];
    for tries in 1..=crate::domain::give_back::MAX_ATTEMPTS {
        assert!(world.order.holds[0].is_pending(), "{tries}");
        assert_eq!(world.do_call(&Ruling::Doubt { why: "silence".to_owned() }), Purpose::Capture(1));
        let of = AttemptId { purpose: Purpose::Capture(1), attempt: u32::try_from(tries).unwrap() };
        while let AttemptState::InDoubt(_) = world.order.attempt(of).unwrap().state {
            world.wait(11);
            let (asked, now) = (world.order.attempt(of).unwrap().clone(), world.now);
            let heard = (Some(&authorised[..]), false);
            let decision = world.order.attempt_asked(of, &asked, heard, now, now, &world.policy).unwrap();
            world.take(decision);
        }
    }
    assert_eq!(world.order.holds[0].refusal(), Some(&CardRefusal::CaptureRefused));
    assert_eq!(world.do_call(&accepted(1, 10)), Purpose::GiveBack(1));
    world.begin().expect("another card may begin the plan");
}

#[test]
fn two_copies_of_one_notification_agree_and_two_cards_do_not() {
    let other_seal = HeardCard { sealed_token: Some("sealed otherwise".to_owned()), ..card("CB") };
    let other_card = HeardCard { fingerprint: Some("f2".to_owned()), ..card("CB") };
    let other_kind = card("VISA");
    for (second, expected) in [
        (other_seal, None),
        (other_card, Some(CardRefusal::Contradictory)),
        (other_kind, Some(CardRefusal::Contradictory)),
    ] {
        let mut world = World::approved();
        let checkout = world.begin().unwrap();
        world.report_card(checkout, operation(1, 10), card("CB"));
        assert_eq!(world.report_card(checkout, operation(1, 10), second), Taken::Variant);
        world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
        world.judge();
        assert_eq!(world.order.holds[0].refusal(), expected.as_ref());
    }
}
