//! What two people decide of what waits for them.

use super::{correcting::euros, *};
use crate::domain::{
    actor::Actor,
    bank::MoneyCall,
    ids::Reference,
    ledger::EntryKind,
    purpose::Purpose,
    quarantine::{GivenVerdict, PeoplesVerdict, Subject},
    reconcile::Leaving,
    schedule::OTHER_AMOUNT,
};

impl World {
    fn verdict(&mut self, subject: Subject, verdict: PeoplesVerdict, name: &str, key: &str) -> Result<(), Refusal> {
        let by = Actor::Key { key: key.to_owned(), person: Some(name.to_owned()), on_behalf_of: None };
        let given = GivenVerdict { subject, verdict, at: self.now, by, evidence: text("relevé du 12/07") };
        let decision = self.order.give_verdict(given, self.now, &self.policy)?;
        self.take(decision);
        Ok(())
    }
}

#[test]
fn two_people_lead_out_of_quarantine_and_nothing_else_does() {
    let quarantined = || {
        let mut world = World::active();
        world.at("2026-07-10T05:00:00Z");
        let decision =
            world.order.take_up("2026-07-10".parse().unwrap(), new_call(700), world.now, &world.policy).unwrap();
        world.take(decision.unwrap());
        let of = AttemptId { purpose: Purpose::Debit(2), attempt: 1 };
        world.send_and_rule(of, &Ruling::Doubt { why: "silence".to_owned() });
        let asked = world.order.attempt(of).unwrap().clone();
        let rejected = [Finding::Found(operation(2, 20)), Finding::Status(operation(2, 20), OperationStatus::Rejected)];
        let heard = (Some(&rejected[..]), false);
        let decision = world.order.attempt_asked(of, &asked, heard, world.now, world.now, &world.policy).unwrap();
        world.take(decision);
        (world, Subject::Attempt { of })
    };
    let executed = PeoplesVerdict::Executed { operation: operation(2, 20) };
    let (mut world, subject) = quarantined();
    assert_eq!(world.order.waiting().len(), 1);
    let other = Subject::Attempt { of: AttemptId { purpose: Purpose::Debit(3), attempt: 1 } };
    assert_eq!(world.verdict(other, executed, "Dupont", "k1"), Err(Refusal::NothingWaits));
    assert_eq!(world.verdict(subject, PeoplesVerdict::Closed, "Dupont", "k1"), Err(Refusal::VerdictDoesNotFit));
    let taken = PeoplesVerdict::Executed { operation: operation(1, 10) };
    assert_eq!(world.verdict(subject, taken, "Dupont", "k1"), Err(Refusal::VerdictDoesNotFit), "another's operation");
    world.verdict(subject, executed, "Dupont", "k1").unwrap();
    assert_eq!(world.order.waiting().len(), 1, "one is not enough");
    for (name, key) in [("Dupont", "k1"), ("Dupont", "k2"), ("Durand", "k1")] {
        assert_eq!(world.verdict(subject, executed, name, key), Err(Refusal::SecondPersonNeeded), "{name} {key}");
    }
    world.verdict(subject, PeoplesVerdict::NotExecuted, "Durand", "k2").unwrap();
    assert_eq!(world.order.waiting().len(), 1, "they disagree");
    world.verdict(subject, executed, "Petit", "k3").unwrap();
    assert!(world.order.waiting().is_empty());
    assert_eq!(world.order.paid(), euros(40_062));

    // A day later the first does not count any more.
    let (mut world, subject) = quarantined();
    world.verdict(subject, PeoplesVerdict::NotExecuted, "Dupont", "k1").unwrap();
    world.wait(24 * 60);
    world.verdict(subject, PeoplesVerdict::NotExecuted, "Durand", "k2").unwrap();
    assert_eq!(world.order.waiting().len(), 1);
    world.verdict(subject, PeoplesVerdict::NotExecuted, "Petit", "k3").unwrap();
    assert!(world.order.waiting().is_empty());
    assert_eq!(world.order.ready_on(), Some("2026-07-10".parse().unwrap()), "it is debited again");
}

/// Anybody can have any number reported for any page.
#[test]
fn a_debit_that_was_reported_for_a_page_and_put_aside_there_is_still_the_debit() {
    let mut world = World::active_on("2026-07-10");
    let of = world.debit("2026-07-10", &Ruling::Doubt { why: "silence".to_owned() });
    let page = world.order.checkouts[0].number;
    let decision = world.order.quarantine(page, &operation(2, 20), "reported for it", world.now).unwrap();
    world.take(decision);
    let subject = Subject::Operation { checkout: page, operation: operation(2, 20).number };
    world.verdict(subject, PeoplesVerdict::Closed, "Dupont", "k1").unwrap();
    world.verdict(subject, PeoplesVerdict::Closed, "Durand", "k2").unwrap();
    let decision = world.order.quarantine_answer(of, "the ladder ended", world.now).unwrap();
    world.take(decision);
    let executed = PeoplesVerdict::Executed { operation: operation(2, 20) };
    world.verdict(Subject::Attempt { of }, executed, "Dupont", "k1").unwrap();
    world.verdict(Subject::Attempt { of }, executed, "Durand", "k2").unwrap();
    assert_eq!(world.order.paid(), euros(40_062));
}

/// A restored copy does not know of a credit, nor of the smaller debit that left after it.
#[test]
fn a_lost_debit_goes_on_record_as_it_left_and_pays_only_with_its_amount() {
    for (amount, pays) in [(4_361, false), (20_031, true)] {
        let mut world = World::active();
        world.at("2026-07-10T05:00:00Z");
        let ready = world.take_up("2026-07-10").unwrap();
        let MoneyCall::Debit { subscriber, archive, .. } = world.order.attempt(ready).unwrap().call.clone() else {
            panic!("no debit")
        };
        let reference = Reference::of_debit("E1", world.order.id, 2, 3);
        let call = MoneyCall::Debit { subscriber, amount: euros(amount), reference, archive };
        let sending =
            Sending { at: world.now, question: QuestionNumber::new(7).unwrap(), host: Host::Main, dated: None };
        let of = AttemptId { attempt: 3, ..ready };
        let left = Leaving { merchant: world.order.merchant.clone(), order: world.order.id, of, call, sending };
        assert!(!world.order.has_left(&left));
        let decision = world.order.put_back_debit(&left, world.now, &world.policy).unwrap().unwrap();
        world.take(decision);
        assert!(world.order.has_left(&left));
        assert_eq!(world.order.attempt(of).unwrap().call, left.call);
        let again = world.order.put_back_debit(&left, world.now, &world.policy).unwrap().unwrap();
        assert_eq!(again.events, [], "once");
        // Nothing else of the instalment may be paid, nor the order be cancelled, until it is known what became of it.
        assert_eq!(world.order.cancel(None, world.now), Err(Refusal::PartlyPaid));
        assert!(world.take_up("2026-07-11").is_err());
        let other = Leaving { call: world.order.attempt(ready).unwrap().call.clone(), ..left.clone() };
        assert!(!world.order.has_left(&other), "it was dropped before it left");
        assert_eq!(world.order.put_back_debit(&other, world.now, &world.policy).unwrap(), None, "one at a time");

        let ruling = Ruling::Accepted { operation: operation(2, 20) };
        let decision = world.order.attempt_answered(of, &ruling, world.now, &world.policy).unwrap();
        world.take(decision);
        let due = world.order.instalment(2).unwrap();
        let entry = world.order.ledger.last().unwrap();
        assert_eq!((entry.amount, due.paid), (euros(amount), pays));
        if !pays {
            assert_eq!(entry.kind, EntryKind::Surplus { checkout: None });
            assert_eq!(world.order.give_backs.last().unwrap().amount, euros(amount));
            assert_eq!(due.arrears.as_ref().unwrap().code, OTHER_AMOUNT);
            assert_eq!(world.order.ready_on(), Some("2026-08-10".parse().unwrap()), "the next one's day");
        }
        // What is paid, or settled, takes no other.
        assert_eq!(world.order.put_back_debit(&other, world.now, &world.policy).unwrap(), None);
    }
}

#[test]
fn an_operation_of_a_page_is_booked_or_put_aside_by_two_people() {
    for (verdict, paid) in
        [(PeoplesVerdict::Executed { operation: operation(1, 10) }, 377_000), (PeoplesVerdict::Closed, 0)]
    {
        let mut world = World::place(377_000);
        let checkout = world.check_out().unwrap();
        world.hear(checkout, &[(operation(1, 10), OperationStatus::Rejected)]);
        assert_eq!(world.check_out(), Err(Refusal::Quarantined));
        let subject = Subject::Operation { checkout, operation: operation(1, 10).number };
        world.verdict(subject, verdict, "Dupont", "k1").unwrap();
        world.verdict(subject, verdict, "Durand", "k2").unwrap();
        assert_eq!(world.order.paid(), euros(paid));
        // It is not asked about again.
        world.hear(checkout, &[(operation(1, 10), OperationStatus::Rejected)]);
        assert!(world.order.waiting().is_empty());
        assert_eq!(world.check_out().is_ok(), paid == 0);
    }
}

/// What begins a plan is held whoever found it: its card is judged before anything counts.
#[test]
fn an_operation_that_begins_a_plan_is_held_by_two_people() {
    let mut world = World::approved();
    let checkout = world.begin().unwrap();
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Rejected)]);
    let subject = Subject::Operation { checkout, operation: operation(1, 10).number };
    let executed = PeoplesVerdict::Executed { operation: operation(1, 10) };
    world.verdict(subject, executed, "Dupont", "k1").unwrap();
    world.verdict(subject, executed, "Durand", "k2").unwrap();
    assert_eq!((world.order.holds.len(), world.order.ledger.len()), (1, 0));
}

#[test]
fn a_give_back_that_the_bank_refuses_is_closed_by_two_people() {
    let mut world = World::paid_twice();
    world.do_call(&refused());
    world.do_call(&refused());
    let subject = Subject::Stuck { purpose: Purpose::GiveBack(1) };
    assert_eq!(world.order.waiting().iter().map(|waiting| waiting.subject).collect::<Vec<_>>(), [subject]);
    let executed = PeoplesVerdict::Executed { operation: operation(1, 10) };
    assert_eq!(world.verdict(subject, executed, "Dupont", "k1"), Err(Refusal::VerdictDoesNotFit));
    world.verdict(subject, PeoplesVerdict::Closed, "Dupont", "k1").unwrap();
    world.verdict(subject, PeoplesVerdict::Closed, "Durand", "k2").unwrap();
    assert!(world.order.waiting().is_empty());
    assert!(world.duty_of(|duty| matches!(duty, Duty::Plan { .. })).is_none());
}

/// A cancellation keeps the number of what it undoes, which is known: people may name it all the same.
#[test]
fn a_cancellation_is_found_to_be_done_by_two_people() {
    let mut world = World::paid_twice();
    let purpose = world.do_call(&Ruling::Doubt { why: "silence".to_owned() });
    let of = AttemptId { purpose, attempt: 1 };
    let (asked, undone) = (world.order.attempt(of).unwrap().clone(), operation(2, 20));
    let MoneyCall::Cancel { operation: original, .. } = asked.call else { panic!("{asked:?}") };
    let rejected = [Finding::Status(original, OperationStatus::Rejected)];
    let heard = (Some(&rejected[..]), false);
    let decision = world.order.attempt_asked(of, &asked, heard, world.now, world.now, &world.policy).unwrap();
    world.take(decision);
    let subject = Subject::Attempt { of };
    let others = PeoplesVerdict::Executed { operation: if original == undone { operation(1, 10) } else { undone } };
    assert_eq!(world.verdict(subject, others, "Dupont", "k1"), Err(Refusal::VerdictDoesNotFit));
    let executed = PeoplesVerdict::Executed { operation: original };
    world.verdict(subject, executed, "Dupont", "k1").unwrap();
    world.verdict(subject, executed, "Durand", "k2").unwrap();
    assert!(world.order.waiting().is_empty());
    assert_eq!(world.order.surplus(), euros(0));
}

/// Anybody can have the money of one page reported for another: that it was put aside there costs the first nothing.
#[test]
fn what_is_put_aside_at_one_page_is_booked_for_the_page_that_it_paid() {
    let mut world = World::place(377_000);
    let first = world.check_out().unwrap();
    let second = world.check_out().unwrap();
    world.paid(second, operation(1, 10));
    let heard = Heard {
        checkout: second,
        asked_at: world.now,
        seen: vec![(operation(3, 30), OperationStatus::Refused)],
        strays: vec![operation(1, 10)],
        card_type: None,
        unclear: false,
        silence: None,
    };
    let decision = world.order.hear(&heard, world.now, &world.policy).unwrap();
    world.take(decision);
    let subject = Subject::Operation { checkout: second, operation: operation(1, 10).number };
    let waiting = |world: &World| world.order.waiting().iter().map(|one| one.subject).collect::<Vec<_>>();
    assert_eq!(waiting(&world), [subject]);
    for is_judged_first in [true, false] {
        let mut world = World { order: world.order.clone(), history: world.history.clone(), ..World::place(377_000) };
        if is_judged_first {
            world.verdict(subject, PeoplesVerdict::Closed, "Dupont", "k1").unwrap();
            world.verdict(subject, PeoplesVerdict::Closed, "Durand", "k2").unwrap();
        }
        world.hear(first, &[(operation(1, 10), OperationStatus::Captured)]);
        assert_eq!(world.order.paid(), euros(377_000));
        if !is_judged_first {
            let executed = PeoplesVerdict::Executed { operation: operation(1, 10) };
            assert_eq!(world.verdict(subject, executed, "Dupont", "k1"), Err(Refusal::VerdictDoesNotFit));
        }
    }
}
