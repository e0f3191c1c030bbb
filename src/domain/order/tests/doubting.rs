//! Debits in doubt: what settles them, and what does not.

use super::{debiting::doubt, first_instalment::accepted, *};
use crate::domain::{attempt::Conclusion, purpose::Purpose, schedule::InstalmentStatus};

#[test]
fn a_doubt_is_settled_by_asking_and_never_by_sending_again() {
    let status = |status| [Finding::Found(operation(2, 20)), Finding::Status(operation(2, 20), status)];
    for (findings, expected) in [
        (status(OperationStatus::Captured), InstalmentStatus::Paid),
        (status(OperationStatus::Refused), InstalmentStatus::RetryWait),
        (status(OperationStatus::Authorised), InstalmentStatus::Quarantined),
        (status(OperationStatus::Cancelled), InstalmentStatus::Quarantined),
        (status(OperationStatus::Refunded), InstalmentStatus::Quarantined),
    ] {
        let mut world = World::active_on("2026-07-10");
        let of = world.debit("2026-07-10", &doubt());
        assert_eq!(world.instalment_status(2), InstalmentStatus::InDoubt);
        assert_eq!(world.order.ready_on(), None, "doubt blocks the order");
        assert_eq!(world.order.looked_at_on(), Some("2026-07-10".parse().unwrap()), "a preview says so");
        assert_eq!(world.take_up("2026-07-11"), Err(LeftOut::InDoubt));
        assert_eq!(world.check_out(), Err(Refusal::DebitInProgress));
        world.ask_debit(of, false, Some(&findings));
        assert_eq!(world.instalment_status(2), expected, "{findings:?}");
        assert_eq!(world.order.instalment(2).unwrap().debits.len(), 1);
    }
}

/// "Not found" is believed beside a control, from both hosts, often enough and for long enough; never otherwise.
#[test]
fn not_found_counts_only_where_it_means_something() {
    let ladder = |world: &mut World| {
        world.policy.doubt_ladder = [1, 11, 60, 360, 720, 1_440, 2_160, 2_880].map(SignedDuration::from_mins).to_vec();
    };
    let mut world = World::active_on("2026-07-10");
    ladder(&mut world);
    let sent_at = world.now;
    let of = world.debit("2026-07-10", &doubt());
    world.ask_debit(of, true, Some(&[Finding::Nothing]));
    assert_eq!(world.order.attempt(of).unwrap().state, AttemptState::NotExecuted);
    let took = world.now.duration_since(sent_at);
    assert!(took >= SignedDuration::from_hours(24), "{took}");
    let hosts = world.history.iter().filter_map(|(event, _)| {
        let Event::AttemptAsked { conclusion: Conclusion::AskAgain { denied_by, .. }, .. } = event else { return None };
        *denied_by
    });
    assert_eq!(hosts.collect::<std::collections::BTreeSet<_>>().len(), 2);
    // It was nobody's refusal: a later run takes it up again, with a reference of its own.
    world.at("2026-07-13T05:00:00Z");
    let again = world.debit("2026-07-13", &accepted(3, 30));
    assert_eq!(again.attempt, 2);

    let mut world = World::active_on("2026-07-10");
    ladder(&mut world);
    let of = world.debit("2026-07-10", &doubt());
    world.ask_debit(of, false, Some(&[Finding::Nothing]));
    assert_eq!(world.instalment_status(2), InstalmentStatus::Quarantined, "without a control it proves nothing");
    assert_eq!(world.take_up("2026-07-20"), Err(LeftOut::Quarantined));
    assert_eq!(world.check_out(), Err(Refusal::Quarantined));
    world.at("2026-08-10T05:00:00Z");
    let next = world.debit("2026-08-10", &accepted(4, 40));
    assert_eq!(next.purpose, Purpose::Debit(3), "quarantine blocks its instalment only");
    assert!(matches!(world.order.status, Status::Open));
}

#[test]
fn a_late_answer_settles_a_doubt() {
    let mut world = World::active_on("2026-07-10");
    let of = world.debit("2026-07-10", &doubt());
    let decision = world.order.attempt_answered(of, &accepted(2, 20), world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.instalment_status(2), InstalmentStatus::Paid);
}

/// However many tell of it, it is asked for once at a time.
#[test]
fn what_is_not_captured_yet_is_asked_for_on_one_ladder() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    let shown = [(operation(1, 10), OperationStatus::Authorised)];
    world.hear(checkout, &shown);
    let asks = |world: &World| world.order.checkout(checkout).unwrap().asks.len();
    let before = asks(&world);
    for _ in 0..5 {
        world.now += SignedDuration::from_secs(1);
        world.hear(checkout, &shown);
    }
    assert_eq!(asks(&world), before);
}
