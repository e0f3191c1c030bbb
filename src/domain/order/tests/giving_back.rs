//! Surplus on its way back.

use super::*;

#[test]
fn surplus_goes_back_by_cancellation() {
    let mut world = World::paid_twice();
    assert_eq!(world.order.paid().minor_units(), 377_000);
    world.call(Ruling::Accepted { operation: operation(1, 10) });
    assert_eq!(world.order.surplus().minor_units(), 0);
    assert_eq!(world.order.give_backs[0].status(), GiveBackStatus::Done);
    assert_eq!(world.duty(), None);
}

#[test]
fn a_cancellation_in_doubt_is_asked_about_and_never_sent_again() {
    let doubt = || Ruling::Doubt { why: "no answer".to_owned() };
    let status = |status| Finding::Status(operation(1, 10), status);
    // It was done after all.
    let mut world = World::paid_twice();
    world.call(doubt());
    assert_eq!(world.order.give_backs[0].status(), GiveBackStatus::InDoubt);
    assert!(world.order.plan_call(Purpose::GiveBack(1), new_call(5), world.now, &world.policy).is_err());
    world.wait(1);
    assert!(matches!(world.duty(), Some(Duty::Enquire { .. })));
    world.ask_call(&[status(OperationStatus::Cancelled)]);
    assert_eq!(world.order.give_backs[0].status(), GiveBackStatus::Done);
    // "Not done" counts only once the call can no longer be under way, and never by one answer alone; then it is
    // refunded under a reference of its own.
    let mut world = World::paid_twice();
    world.call(doubt());
    let begun = world.now;
    world.ask_call_until_settled(Some(&[status(OperationStatus::Captured)]));
    assert_eq!(*world.last_attempt(), AttemptState::NotExecuted);
    assert!(world.now >= begun + SignedDuration::from_mins(11), "{}", world.now - begun);
    let asks = world.history.iter().filter(|(event, _)| matches!(event, Event::AttemptAsked { .. })).count();
    assert!(asks >= 3, "{asks} answers");
    world.call(Ruling::Accepted { operation: operation(3, 10) });
    assert_eq!(world.order.surplus().minor_units(), 0);
    // A contradiction is a person's.
    let mut world = World::paid_twice();
    world.call(doubt());
    world.ask_call(&[status(OperationStatus::Refunded)]);
    assert_eq!(world.order.give_backs[0].status(), GiveBackStatus::Quarantined);
    assert_eq!(world.duty(), None);
}

#[test]
fn a_refund_in_doubt_ends_with_proof_or_with_a_person() {
    let doubt = || Ruling::Doubt { why: "no answer".to_owned() };
    for (findings, expected) in [
        (vec![Finding::Found(operation(3, 10))], GiveBackStatus::Done),
        (vec![Finding::Nothing, Finding::Status(operation(1, 10), OperationStatus::Refunded)], GiveBackStatus::Done),
        (
            vec![Finding::Nothing, Finding::Status(operation(1, 10), OperationStatus::Captured)],
            GiveBackStatus::Quarantined,
        ),
    ] {
        let mut world = World::paid_twice();
        world.call(refused());
        world.call(doubt());
        world.ask_call_until_settled(Some(&findings));
        assert_eq!(world.order.give_backs[0].status(), expected, "{findings:?}");
    }
}

#[test]
fn a_call_found_sent_and_a_configuration_fault_are_in_doubt() {
    let mut world = World::paid_twice();
    world.plan();
    let decision =
        world.order.postpone_attempt(world.latest(), world.policy.send_again, "the bank is away", world.now).unwrap();
    world.take(decision);
    assert_eq!(world.duty(), None, "the bank is not there yet");
    world.wait(1);
    assert!(matches!(world.duty(), Some(Duty::Send { .. })));
    let sending = world.send();
    assert!(world.order.send_attempt(world.latest(), sending, world.now, &world.policy).is_err(), "never twice");
    assert_eq!(world.duty(), None);
    world.wait(2);
    assert_eq!(world.duty(), Some(Duty::Doubt { of: world.latest() }));

    let mut world = World::paid_twice();
    world.call(Ruling::Misconfigured { code: "00006".to_owned() });
    assert_eq!(world.order.give_backs[0].status(), GiveBackStatus::InDoubt, "once it is mended, enquiries tell");
}

#[test]
fn a_call_leaves_only_where_the_bank_clearly_shows_it_undone() {
    let shows = |status| vec![Finding::Status(operation(1, 10), status)];
    for (findings, expected) in [
        (shows(OperationStatus::Captured), None),
        (shows(OperationStatus::Authorised), None),
        // A restored backup forgot the cancellation.
        (shows(OperationStatus::Cancelled), Some(GiveBackStatus::Done)),
        // Somebody refunded it, or a restored backup forgot that.
        (shows(OperationStatus::Refunded), Some(GiveBackStatus::Quarantined)),
        (shows(OperationStatus::Refused), Some(GiveBackStatus::Quarantined)),
        // It cannot be told now.
        (vec![Finding::Nothing], Some(GiveBackStatus::Open)),
    ] {
        let mut world = World::paid_twice();
        world.plan();
        let prepared = world.order.prepare_attempt(world.latest(), &findings, world.now, &world.policy).unwrap();
        match (prepared, expected) {
            (Prepared::Go, None) => {}
            (Prepared::Instead(decision), Some(expected)) => {
                world.take(*decision);
                assert_eq!(world.order.give_backs[0].status(), expected, "{findings:?}");
            }
            (prepared, expected) => panic!("{findings:?}: {prepared:?}, not {expected:?}"),
        }
    }
}

#[test]
fn an_answer_belongs_to_the_call_that_was_sent() {
    let accepted = Ruling::Accepted { operation: operation(1, 10) };
    // Late, but still in doubt: it settles the call.
    let mut world = World::paid_twice();
    world.call(Ruling::Doubt { why: "no answer".to_owned() });
    let first = world.latest();
    let decision = world.order.attempt_answered(first, &accepted, world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.order.give_backs[0].status(), GiveBackStatus::Done);
    // Later still, when another call has taken its place: it never speaks for that one.
    let mut world = World::paid_twice();
    world.call(Ruling::Doubt { why: "no answer".to_owned() });
    let first = world.latest();
    world.ask_call_until_settled(Some(&[Finding::Status(operation(1, 10), OperationStatus::Captured)]));
    world.plan();
    let sending = world.send();
    assert!(world.order.attempt_answered(first, &accepted, world.now, &world.policy).is_err());
    assert_eq!(*world.last_attempt(), AttemptState::Sent(sending));
}

#[test]
fn silence_ends_no_ladder() {
    let mut world = World::paid_twice();
    world.call(Ruling::Doubt { why: "no answer".to_owned() });
    world.wait(72 * 60);
    world.ask_call_until_settled(None);
    assert!(matches!(world.last_attempt(), AttemptState::InDoubt(Doubt { asked: 0, .. })));
}
