//! Credit notes, refunds, payments elsewhere, chargebacks, settlement.

use super::{first_instalment::accepted, *};
use crate::domain::{
    bank::MoneyCall,
    correction::{JournalKind, Rest},
    ledger::EntryKind,
    plan::{PlanEnd, PlanState},
    purpose::Purpose,
    schedule::InstalmentStatus,
};

pub(super) fn euros(minor_units: i64) -> Money {
    Money::new(minor_units, Currency::Eur).unwrap()
}

pub(super) fn correcting() -> Correcting {
    Correcting { by: planning::person("Dupont"), reason: text("bourse obtenue") }
}

impl World {
    /// 3 770,00 €, paid at once.
    pub(super) fn paid_at_once() -> Self {
        let mut world = Self::place(377_000);
        let checkout = world.check_out().unwrap();
        world.hear(checkout, &[(operation(1, 10), OperationStatus::Captured)]);
        world
    }

    pub(super) fn credit(&mut self, minor_units: i64) -> Result<(), Refusal> {
        let decision = self.order.credit(euros(minor_units), &correcting(), self.now)?;
        self.take(decision);
        Ok(())
    }

    pub(super) fn refund(&mut self, minor_units: i64, against: Against, rest: Option<Rest>) -> Result<(), Refusal> {
        let decision = self.order.refund(euros(minor_units), against, rest, &correcting(), self.now)?;
        self.take(decision);
        Ok(())
    }

    fn amounts(&self) -> Vec<i64> {
        self.order.schedule.iter().map(|due| due.amount.minor_units()).collect()
    }

    /// The call that the next due give-back or capture makes.
    fn next_call(&mut self, ruling: &Ruling) -> MoneyCall {
        let purpose = self.do_call(ruling);
        self.order.attempts(purpose).last().unwrap().call.clone()
    }
}

#[test]
fn a_credit_note_cuts_the_last_instalments_first_and_changes_the_terms() {
    let mut world = World::active();
    let terms = world.terms();
    world.credit(25_000).unwrap();
    assert_eq!(world.amounts(), [20_031, 15_069, 0]);
    assert_eq!(
        world.order.instalment(3).unwrap().status(world.now.to_zoned(world.policy.zone.clone()).date()),
        InstalmentStatus::Cancelled
    );
    assert_ne!(world.terms(), terms, "the payer is told");
    assert_eq!(world.order.owed_in_all(), euros(35_100));
    assert_eq!(world.credit(35_101), Err(Refusal::NotThatMuch));
    // What is unpaid goes first, then what was paid goes back; nothing is left, and the plan is complete.
    world.credit(35_100).unwrap();
    assert_eq!(world.order.refunded_in_all(), euros(20_031));
    assert!(matches!(world.order.plan().unwrap().state, PlanState::Ended { how: PlanEnd::Completed, .. }));
    assert_eq!(world.order.overpaid(), euros(0));
}

#[test]
fn before_anything_is_paid_an_order_is_replaced_and_not_credited() {
    let mut world = World::place(377_000);
    assert_eq!(world.credit(100), Err(Refusal::NothingPaid));
    assert_eq!(world.refund(100, Against::CreditNote, None), Err(Refusal::NothingPaid));
}

#[test]
fn a_refund_is_one_call_for_each_operation_the_newest_first() {
    let mut world = World::active();
    world.at("2026-07-10T05:00:00Z");
    let decision = world.order.take_up("2026-07-10".parse().unwrap(), new_call(700), world.now, &world.policy).unwrap();
    world.take(decision.unwrap());
    world.send_and_rule(AttemptId { purpose: Purpose::Debit(2), attempt: 1 }, &accepted(2, 20));
    assert_eq!(world.refund(1, Against::CreditNote, None), Err(Refusal::RestNotSaid));
    assert_eq!(world.refund(40_063, Against::CreditNote, Some(Rest::Keep)), Err(Refusal::NotThatMuch));
    world.refund(30_000, Against::CreditNote, Some(Rest::Keep)).unwrap();
    let parts: Vec<(u64, i64, bool)> = world
        .order
        .give_backs
        .iter()
        .map(|part| (part.operation.number.get(), part.amount.minor_units(), part.partial))
        .collect();
    assert_eq!(parts, [(2, 20_031, false), (1, 9_969, true)]);
    // The whole of one may still be cancelled; a part can only be refunded.
    assert!(matches!(world.next_call(&refused()), MoneyCall::Cancel { .. }));
    let mut kinds = Vec::new();
    for number in [11, 12] {
        kinds.push(matches!(world.next_call(&accepted(number, 20)), MoneyCall::Refund { .. }));
    }
    assert_eq!(kinds, [true, true]);
    assert_eq!(world.order.refunded_in_all(), euros(30_000));
    assert_eq!(world.refund(10_063, Against::CreditNote, Some(Rest::Keep)), Err(Refusal::NotThatMuch), "spent");
    assert_eq!(world.refund(1, Against::Surplus, Some(Rest::Keep)), Err(Refusal::NotThatMuch), "nothing is too much");
    assert_eq!(world.order.plan().unwrap().card().map(|_| ()), Some(()), "the plan goes on");
    assert_eq!(world.amounts()[2], 20_038);
}

#[test]
fn a_refund_that_cancels_the_rest_leaves_nothing_owed() {
    let mut world = World::active();
    world.refund(20_031, Against::CreditNote, Some(Rest::Cancel)).unwrap();
    assert!(matches!(world.order.plan().unwrap().state, PlanState::Ended { how: PlanEnd::Cancelled, .. }));
    assert!(matches!(world.order.status, Status::Settled { .. }));
    assert_eq!(world.order.owed_in_all(), euros(0));
    assert_eq!(world.order.ready_on(), None);
}

#[test]
fn a_refund_whose_answer_is_lost_counts_as_spent_until_it_is_known() {
    let mut world = World::paid_at_once();
    world.refund(300_000, Against::CreditNote, None).unwrap();
    world.do_call(&Ruling::Doubt { why: "silence".to_owned() });
    assert_eq!(world.refund(77_001, Against::CreditNote, None), Err(Refusal::NotThatMuch));
    world.refund(77_000, Against::CreditNote, None).unwrap();
    // The operation shows as refunded: by which of the two it does not tell.
    let of = AttemptId { purpose: Purpose::GiveBack(1), attempt: 1 };
    let asked = world.order.attempt(of).unwrap().clone();
    let findings = [Finding::Nothing, Finding::Status(operation(1, 10), OperationStatus::Refunded)];
    world.wait(61);
    let decision =
        world.order.attempt_asked(of, &asked, (Some(&findings), false), world.now, world.now, &world.policy).unwrap();
    assert!(matches!(
        decision.order.attempt(of).unwrap().state,
        AttemptState::InDoubt(_) | AttemptState::Quarantined { .. }
    ));
    // Its own reference is conclusive.
    let found = [Finding::Found(operation(9, 10)), Finding::Status(operation(1, 10), OperationStatus::Captured)];
    let decision =
        world.order.attempt_asked(of, &asked, (Some(&found), false), world.now, world.now, &world.policy).unwrap();
    world.take(decision);
    assert!(matches!(world.order.attempt(of).unwrap().state, AttemptState::Accepted { .. }));
    assert_eq!(world.order.ledger.iter().filter(|entry| matches!(entry.kind, EntryKind::GivenBack { .. })).count(), 1);
}

#[test]
fn paid_elsewhere_and_written_off() {
    let mut world = World::active();
    let elsewhere = || JournalKind::PaidElsewhere { on: "2026-07-01".parse().unwrap(), reference: text("chèque 12") };
    let decision = world.order.journal(2, elsewhere(), &correcting(), world.now).unwrap();
    world.take(decision);
    assert_eq!(world.order.journal(2, elsewhere(), &correcting(), world.now), Err(Refusal::NoSuchInstalment));
    assert_eq!(world.order.ready_on(), Some("2026-08-10".parse().unwrap()));
    let decision = world.order.journal(3, JournalKind::WrittenOff, &correcting(), world.now).unwrap();
    world.take(decision);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    assert_eq!((world.order.paid(), world.order.paid_elsewhere()), (euros(20_031), euros(20_031)));
    assert_eq!(world.order.overpaid(), euros(0));
}

#[test]
fn an_instalment_gets_another_date() {
    let mut world = World::active();
    let day = |text: &str| text.parse().unwrap();
    let reschedule =
        |world: &World, number, due| world.order.reschedule(number, day(due), text("accord"), world.now, &world.policy);
    assert_eq!(reschedule(&world, 1, "2026-07-20"), Err(Refusal::NoSuchInstalment));
    assert_eq!(reschedule(&world, 2, "2026-06-24"), Err(Refusal::DateHasCome));
    assert_eq!(reschedule(&world, 2, "2027-10-01"), Err(Refusal::CardEndsBefore));
    let decision = reschedule(&world, 2, "2026-07-20").unwrap();
    world.take(decision);
    assert_eq!(world.order.ready_on(), Some(day("2026-07-20")));
}

/// It would be debited on the new day, though it was paid by a debit before, and its payer's bank does not want it.
#[test]
fn what_was_charged_back_gets_no_other_date() {
    let mut world = World::active();
    let decision = world.order.charge_back(&operation(1, 10).number, text("contestation"), world.now).unwrap();
    world.take(decision);
    let due = "2026-08-20".parse().unwrap();
    let rescheduled = world.order.reschedule(1, due, text("accord"), world.now, &world.policy);
    assert_eq!(rescheduled, Err(Refusal::CardUnusable));
}

#[test]
fn the_rest_is_settled_early_by_one_payment() {
    let mut world = World::active();
    let checkout = world.check_out_for(Way::Rest).unwrap();
    let page = world.order.checkout(checkout).unwrap();
    assert_eq!((page.amount, page.pays()), (euros(40_069), vec![2, 3]));
    world.hear(checkout, &[(operation(2, 20), OperationStatus::Captured)]);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    assert!(matches!(world.order.plan().unwrap().state, PlanState::Ended { how: PlanEnd::Completed, .. }));
    assert_eq!(world.order.paid(), euros(60_100));
    // Changed meanwhile: it would pay something else, so all of it goes back.
    let mut world = World::active();
    let checkout = world.check_out_for(Way::Rest).unwrap();
    world.credit(1_000).unwrap();
    assert_eq!(world.status(checkout), CheckoutStatus::Withdrawn);
    world.hear(checkout, &[(operation(2, 20), OperationStatus::Captured)]);
    assert_eq!(world.order.surplus(), euros(40_069));
}

#[test]
fn a_plan_that_is_given_up_is_past_due_until_it_is_paid() {
    let mut world = World::active();
    let decision = world.order.default_plan(world.now).unwrap();
    world.take(decision);
    assert!(world.order.blocked);
    for (number, instalment) in [(2, 2), (3, 3)] {
        let checkout = world.check_out_for(Way::Instalment(instalment)).unwrap();
        world.hear(checkout, &[(operation(number, 20), OperationStatus::Captured)]);
    }
    assert!(!world.order.blocked);
}

#[test]
fn a_chargeback_owes_its_instalment_again() {
    let mut world = World::paid_at_once();
    let number = operation(1, 10).number;
    assert_eq!(world.order.charge_back(&operation(7, 70).number, text("x"), world.now), Err(Refusal::NoSuchCapture));
    let decision = world.order.charge_back(&number, text("contestation"), world.now).unwrap();
    world.take(decision);
    assert_eq!(world.order.status, Status::Open);
    assert!(world.order.blocked);
    assert_eq!(world.order.paid(), euros(0));
    assert_eq!(world.order.charge_back(&number, text("x"), world.now), Err(Refusal::NotThatMuch), "once");
    let checkout = world.check_out().unwrap();
    world.hear(checkout, &[(operation(2, 20), OperationStatus::Captured)]);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    assert!(!world.order.blocked);
}

/// A plan's amounts are those of the whole order: what was credited would be debited all the same.
#[test]
fn what_was_charged_back_is_not_paid_in_instalments() {
    let mut world = World::paid_at_once();
    let decision = world.order.charge_back(&operation(1, 10).number, text("contestation"), world.now).unwrap();
    world.take(decision);
    world.credit(100_000).unwrap();
    let template = planning::template();
    let asked = world.order.request_plan(&template, &planning::person("Martin"), world.now, &world.policy);
    assert_eq!(asked, Err(Refusal::PartlyPaid));
    let checkout = world.check_out().unwrap();
    assert_eq!(world.order.checkout(checkout).unwrap().amount, euros(277_000));
}

/// A debit that nobody has heard of since may have been carried out: cancelling would make it surplus.
#[test]
fn an_order_that_was_charged_back_is_cancelled_once_nothing_of_it_is_debited() {
    let charged_back = || {
        let mut world = World::active_on("2026-07-10");
        let decision = world.order.charge_back(&operation(1, 10).number, text("contestation"), world.now).unwrap();
        world.take(decision);
        world
    };
    for ends_before_people in [false, true] {
        let mut world = charged_back();
        let of = world.debit("2026-07-10", &Ruling::Doubt { why: "silence".to_owned() });
        if ends_before_people {
            let decision = world.order.quarantine_answer(of, "the ladder ended", world.now).unwrap();
            world.take(decision);
        }
        assert_eq!(world.order.cancel(None, world.now), Err(Refusal::DebitInProgress), "{ends_before_people}");
    }
    let mut world = charged_back();
    world.take_up("2026-07-10").unwrap();
    assert!(world.order.blocked);
    let decision = world.order.cancel(None, world.now).unwrap();
    world.take(decision);
    assert_eq!((world.order.ready_on(), world.order.blocked), (None, false));
    assert!(world.order.plan().unwrap().card().is_none(), "its card is not kept");
}

#[test]
fn a_chargeback_of_the_rest_owes_all_of_it_again() {
    let mut world = World::active();
    let checkout = world.check_out_for(Way::Rest).unwrap();
    world.hear(checkout, &[(operation(2, 20), OperationStatus::Captured)]);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    let decision = world.order.charge_back(&operation(2, 20).number, text("contestation"), world.now).unwrap();
    world.take(decision);
    let owed: Vec<u32> = world.order.schedule.iter().filter(|due| due.is_owed()).map(|due| due.number).collect();
    assert_eq!(owed, [2, 3]);
    assert_eq!(world.order.paid(), euros(20_031));
}

#[test]
fn captures_are_asked_for_until_they_have_reached_the_merchant() {
    let mut world = World::paid_at_once();
    let operation = operation(1, 10);
    let look = |world: &World| world.duty_of(|duty| matches!(duty, Duty::LookSettled { .. }));
    assert_eq!(look(&world), None);
    world.wait(20 * 60);
    assert_eq!(look(&world), Some(Duty::LookSettled { operation }));
    let asked = |world: &World, remitted| {
        world.order.settlement_asked(&operation.number, &remitted, world.now, &world.policy).unwrap()
    };
    world.take(asked(&world, Remitted::Silence("silence".to_owned())));
    assert_eq!(look(&world), None, "the next night");
    world.wait(24 * 60);
    world.take(asked(&world, Remitted::Status { status: OperationStatus::Captured, remittance: None }));
    world.wait(24 * 60);
    world.take(asked(&world, Remitted::Status { status: OperationStatus::Captured, remittance: Some(42) }));
    let settled = world.order.ledger.last().unwrap();
    assert_eq!(settled.kind, EntryKind::Settlement { original: operation.number, remittance: 42 });
    assert_eq!(settled.amount, euros(377_000));
    assert!(world.order.unsettled.is_empty());
    assert_eq!(world.order.paid(), euros(377_000), "paid once");
}

#[test]
fn what_went_back_before_it_was_collected_is_not_waited_for() {
    let mut world = World::paid_twice();
    let purpose = world.do_call(&accepted(1, 10));
    assert_eq!(purpose, Purpose::GiveBack(1));
    let cancelled = Remitted::Status { status: OperationStatus::Cancelled, remittance: None };
    let number = operation(1, 10).number;
    let decision = world.order.settlement_asked(&number, &cancelled, world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.order.unsettled.len(), 1);
}
