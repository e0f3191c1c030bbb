//! Several attenders, a bank that lags, other people's hands: what must not happen then.

use super::*;

#[test]
fn no_form_while_another_page_of_the_order_is_being_confirmed_or_waits_for_a_person() {
    for quarantined in [false, true] {
        let mut world = World::place(377_000);
        let link = world.check_out().unwrap();
        world.take(world.follow(link, 1));
        world.take(world.follow(link, 2));
        assert_eq!(world.order.checkouts.len(), 2, "a reload gave the link another page");
        if quarantined {
            world.hear(link, &[(operation(1, 10), OperationStatus::Refunded)]);
        } else {
            world.paid(link, operation(1, 10));
        }
        assert!(world.check_out().is_err(), "the portal is refused");
        let again = world.follow(link, 3);
        assert!(again.events.is_empty(), "quarantined: {quarantined}; a form that can be paid a second time");
    }
}

#[test]
fn one_round_that_two_attenders_asked_is_one_answer() {
    let mut world = World::paid_twice();
    world.call(Ruling::Doubt { why: "no answer".to_owned() });
    let captured = [Finding::Status(operation(1, 10), OperationStatus::Captured)];
    world.wait(1);
    world.ask_call(&captured);
    world.wait(10);
    assert!(matches!(world.last_attempt(), AttemptState::InDoubt(doubt) if doubt.host() == Host::Backup));
    let asked = world.order.give_backs[0].attempts.last().unwrap().clone();
    for _ in 0..2 {
        let (of, now) = (world.latest(), world.now);
        world.take(world.order.attempt_asked(of, &asked, (Some(&captured), false), now, now, &world.policy).unwrap());
    }
    assert!(matches!(world.last_attempt(), AttemptState::InDoubt(_)), "{:?}", world.last_attempt());
}

#[test]
fn postponing_or_preparing_what_another_attender_sent_is_no_defect() {
    let mut sent = World::paid_twice();
    sent.plan();
    sent.send();
    let mut answered = World::paid_twice();
    answered.call(Ruling::Accepted { operation: operation(1, 10) });
    // What the bank shows was asked before, or after: whoever sent it hears its answer.
    for world in [&sent, &answered] {
        for status in [None, Some(OperationStatus::Cancelled), Some(OperationStatus::Refunded)] {
            let found = status.map_or(Finding::Nothing, |status| Finding::Status(operation(1, 10), status));
            let found = [found];
            let prepared = world.order.prepare_attempt(world.latest(), &found, world.now, &world.policy);
            assert_eq!(prepared, Ok(Prepared::Instead(Box::new(world.order.unchanged()))), "{found:?}");
        }
        assert!(
            world
                .order
                .postpone_attempt(world.latest(), world.policy.send_again, "the bank is away", world.now)
                .is_ok()
        );
    }
}

#[test]
fn nothing_found_does_not_end_the_questions_about_an_authorisation() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.wait(2 * 24 * 60);
    world.take(world.order.expire(checkout, world.now).unwrap());
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.now = world.order.wake_at(&world.policy).unwrap();
    world.hear(checkout, &[]);
    assert!(world.order.wake_at(&world.policy).is_some(), "nobody will ever ask for this money again");
    assert_eq!(world.status(checkout), CheckoutStatus::Confirming);
}

#[test]
fn an_authorisation_seen_beside_a_silence_holds_the_order() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    let heard = Heard {
        checkout,
        asked_at: world.now,
        seen: vec![(operation(1, 10), OperationStatus::Authorised)],
        strays: Vec::new(),
        card_type: None,
        unclear: false,
        silence: Some("about a reported one".to_owned()),
    };
    world.take(world.order.hear(&heard, world.now, &world.policy).unwrap());
    assert_eq!(world.check_out(), Err(Refusal::ConfirmationInProgress));
}

#[test]
fn a_refund_that_cannot_be_prepared_becomes_a_persons() {
    use OperationStatus::{Credited, Other, Refused, Rejected};
    for status in [Rejected, Credited, Refused, Other("Volé".to_owned())] {
        let mut world = World::paid_twice();
        world.call(refused());
        world.plan();
        let findings = [Finding::Nothing, Finding::Status(operation(1, 10), status.clone())];
        let mut looks = 0;
        while world.order.give_backs[0].status() == GiveBackStatus::Open && looks < 1_000 {
            looks += 1;
            match world.order.prepare_attempt(world.latest(), &findings, world.now, &world.policy).unwrap() {
                Prepared::Go => panic!("it leaves"),
                Prepared::Instead(decision) => world.take(*decision),
            }
            world.wait(1);
        }
        assert_eq!(world.order.give_backs[0].status(), GiveBackStatus::Quarantined, "{status:?}, {looks} looks");
    }
}

#[test]
fn a_refund_that_somebody_else_made_is_no_proof_of_ours() {
    let mut world = World::paid_twice();
    world.call(refused());
    world.plan();
    let findings = [Finding::Nothing, Finding::Status(operation(1, 10), OperationStatus::Refunded)];
    let prepared = world.order.prepare_attempt(world.latest(), &findings, world.now, &world.policy).unwrap();
    let Prepared::Instead(decision) = prepared else { panic!("it leaves") };
    world.take(*decision);
    assert_eq!(world.order.give_backs[0].status(), GiveBackStatus::Quarantined);
}

#[test]
fn rungs_that_passed_unasked_are_not_burnt_at_once() {
    let mut world = World::paid_twice();
    world.call(refused());
    world.call(Ruling::Doubt { why: "no answer".to_owned() });
    world.wait(72 * 60);
    let behind = [Finding::Nothing, Finding::Status(operation(1, 10), OperationStatus::Captured)];
    for _ in 0..5 {
        if matches!(world.last_attempt(), AttemptState::InDoubt(doubt) if doubt.next_ask <= world.now) {
            world.ask_call(&behind);
        }
    }
    assert!(matches!(world.last_attempt(), AttemptState::InDoubt(_)), "a whole ladder within one instant");
}

#[test]
fn apply_refuses_what_is_not_drawn() {
    let mut world = World::paid_twice();
    world.plan();
    let sending = world.send();
    let (of, now) = (world.latest(), world.now);
    for state in [AttemptState::Ready { not_before: now }, AttemptState::Sent(sending)] {
        let answered = world.order.clone().apply(&Event::AttemptAnswered { of, state: state.clone() }, now);
        assert!(answered.is_err(), "{state:?} would leave again");
    }
    let entry = Entry {
        at: now,
        operation: operation(1, 10),
        amount: Money::new(1, Currency::Eur).unwrap(),
        kind: EntryKind::GivenBack { original: operation(1, 10).number, give_back: None },
    };
    assert!(world.order.clone().apply(&Event::GivenBack { give_back: 1, entry }, now).is_err());
    let mut unpaid = World::place(377_000);
    let checkout = unpaid.check_out().unwrap();
    assert!(unpaid.order.clone().apply(&Event::Settled, now).is_err(), "settled and unpaid");
    unpaid.take(unpaid.order.cancel(None, now).unwrap());
    let kind = EntryKind::Capture { checkout, instalment: 1, rest: Vec::new() };
    let entry = Entry { at: now, operation: operation(5, 50), amount: Money::new(1, Currency::Eur).unwrap(), kind };
    assert!(unpaid.order.apply(&Event::Captured { entry }, now).is_err(), "a cancelled order is not paid");
}
