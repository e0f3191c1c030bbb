//! What the bank is asked about what came before a debit, and what its answers allow.

use super::*;
use crate::domain::{attempt::Recheck, bank::MoneyCall};

fn heard(seen: &[(Operation, OperationStatus)], strays: &[Operation]) -> Heard {
    Heard {
        checkout: CheckoutNumber(2),
        asked_at: Timestamp::UNIX_EPOCH,
        seen: seen.to_vec(),
        strays: strays.to_vec(),
        card_type: None,
        unclear: false,
        silence: None,
    }
}

/// A payer whose card was refused on the page of an instalment has not paid it: it is debited all the same.
#[test]
fn a_refused_try_on_a_page_is_no_payment() {
    let mut world = World::active_on("2026-07-10");
    let page = world.check_out().unwrap();
    world.wait(31);
    for (status, is_money) in [
        (OperationStatus::Refused, false),
        (OperationStatus::Cancelled, false),
        (OperationStatus::Authorised, true),
        (OperationStatus::Captured, true),
        (OperationStatus::Other("?".to_owned()), true),
    ] {
        let heard = heard(&[(operation(5, 50), status.clone())], &[]);
        assert_eq!(world.order.is_news_of_money(&heard), is_money, "{status:?}");
    }
    assert!(world.order.is_news_of_money(&heard(&[], &[operation(6, 60)])));
    assert!(!world.order.is_news_of_money(&heard(&[(operation(1, 10), OperationStatus::Captured)], &[])), "booked");
    world.hear(page, &[(operation(5, 50), OperationStatus::Refused)]);
    world.take_up("2026-07-10").unwrap();
}

/// Another debit follows an earlier one only when the bank shows clearly that nothing came of that.
#[test]
fn an_earlier_debit_has_come_to_nothing_or_no_other_follows() {
    let world = World::active_on("2026-07-10");
    let due = world.order.instalment(2).unwrap();
    let call = MoneyCall::Debit {
        subscriber: world.order.subscribers[0].reference.clone(),
        amount: due.amount,
        reference: crate::domain::ids::Reference::of_debit("E1", world.order.id, 2, 1),
        archive: ArchiveReference::from_bits(1),
    };
    let earlier = crate::domain::attempt::Attempt { number: 1, call, state: AttemptState::NotExecuted };
    let found = Finding::Found(operation(2, 20));
    let status = |status| vec![found.clone(), Finding::Status(operation(2, 20), status)];
    for findings in [vec![Finding::Nothing], status(OperationStatus::Refused), status(OperationStatus::Cancelled)] {
        assert_eq!(earlier.recheck(&findings), Recheck::NotDone, "{findings:?}");
    }
    for findings in [status(OperationStatus::Authorised), vec![found.clone(), Finding::Nothing], vec![found.clone()]] {
        assert_eq!(earlier.recheck(&findings), Recheck::Unknown, "{findings:?}");
    }
    for shown in [OperationStatus::Captured, OperationStatus::Refunded, OperationStatus::Other("?".to_owned())] {
        let findings = status(shown);
        assert!(matches!(earlier.recheck(&findings), Recheck::Contradiction(_)), "{findings:?}");
    }
}

/// A bank that names an operation for a debit which something else already is: nothing is booked twice, and nothing is
/// decided by a machine.
#[test]
fn an_operation_that_is_known_already_is_not_what_a_debit_made() {
    let captured = [Finding::Found(operation(1, 10)), Finding::Status(operation(1, 10), OperationStatus::Captured)];
    let mut answered = World::active_on("2026-07-10");
    answered.debit("2026-07-10", &Ruling::Accepted { operation: operation(1, 10) });

    let mut asked = World::active_on("2026-07-10");
    let of = asked.debit("2026-07-10", &Ruling::Doubt { why: "silence".to_owned() });
    asked.ask_debit(of, false, Some(&captured));

    let mut prepared = World::active_on("2026-07-10");
    let of = prepared.take_up("2026-07-10").unwrap();
    let instead = prepared.order.prepare_attempt(of, &captured, prepared.now, &prepared.policy).unwrap();
    let Prepared::Instead(decision) = instead else { panic!("it would be sent") };
    prepared.take(*decision);

    // And where it is another order's, which the store knows.
    let mut doubted = World::active_on("2026-07-10");
    let of = doubted.debit("2026-07-10", &Ruling::Doubt { why: "silence".to_owned() });
    let too_late = doubted.order.quarantine_attempt(of, "found beforehand", doubted.now).unwrap();
    assert_eq!(too_late.events, [], "it has left: its answer counts");
    let decision = doubted.order.quarantine_answer(of, "another has it", doubted.now).unwrap();
    doubted.take(decision);

    for world in [answered, asked, prepared, doubted] {
        assert!(world.order.instalment(2).unwrap().is_quarantined());
        assert_eq!(world.order.paid().minor_units(), 20_031);
        assert_eq!(world.order.ledger.len(), 1);
    }
}

/// Its run may be stopped, and never send it: the card is to be forgotten all the same.
#[test]
fn a_debit_that_waits_for_its_run_ends_with_its_order() {
    let mut world = World::active_on("2026-08-10");
    world.debit("2026-08-10", &first_instalment::accepted(2, 20));
    world.at("2026-08-11T05:00:00Z");
    let page = world.check_out().unwrap();
    world.wait(31);
    world.hear(page, &[]);
    let of = world.take_up("2026-08-11").unwrap();
    world.hear(page, &[(operation(5, 50), OperationStatus::Captured)]);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    assert_eq!(world.order.attempt(of).unwrap().state, AttemptState::NotExecuted);
    assert!(world.duty_of(|duty| matches!(duty, Duty::Forget { .. })).is_some());
}

/// What is not executed day after day is nobody's refusal, and schemes count it all the same.
#[test]
fn a_card_is_debited_no_oftener_than_its_scheme_allows() {
    let mut world = World::active_on("2026-07-10");
    world.policy.retry.card_tries = 3;
    let misconfigured = Ruling::Misconfigured { code: "00158".to_owned() };
    for date in ["2026-07-10", "2026-07-11", "2026-07-12"] {
        world.at(&format!("{date}T05:00:00Z"));
        world.debit(date, &misconfigured);
    }
    for (date, left_out) in [("2026-07-13", LeftOut::CardWorn), ("2026-08-08", LeftOut::CardWorn)] {
        world.at(&format!("{date}T05:00:00Z"));
        assert_eq!(world.take_up(date), Err(left_out), "{date}");
    }
    // The first of them is thirty days old.
    world.at("2026-08-09T05:00:00Z");
    world.take_up("2026-08-09").unwrap();
}

/// Its run may be stopped for good: another finds the order, and takes it up once that debit is given up.
#[test]
fn what_has_not_left_is_found_by_another_run() {
    let date = |text: &str| text.parse().unwrap();
    let mut world = World::active_on("2026-07-10");
    let of = world.take_up("2026-07-10").unwrap();
    world.at("2026-07-11T05:00:00Z");
    assert_eq!(world.order.ready_on(), Some(date("2026-07-10")));
    let left_out = world.order.due_for(date("2026-07-11"), world.now, &world.policy).err();
    assert_eq!(left_out, Some(LeftOut::InAttempt), "as long as it may leave");
    let decision = world.order.give_up(of, "its run is over", world.now).unwrap();
    world.take(decision);
    world.debit("2026-07-11", &Ruling::Doubt { why: "silence".to_owned() });
    assert_eq!(world.order.ready_on(), None, "nobody knows what became of it");
}
