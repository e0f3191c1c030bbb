//! Debits of the later instalments: taken up by a run, sent, refused, in doubt, paid otherwise.

use super::{first_instalment::accepted, planning::template, *};
use crate::domain::{
    plan::{PlanEnd, PlanState},
    purpose::Purpose,
    retry::RefusalClass,
    schedule::InstalmentStatus,
    subscriber::SubscriberState,
};
use jiff::civil::Date;

pub(super) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn soft() -> Ruling {
    Ruling::Refused { code: "00151".to_owned(), class: Some(RefusalClass::Soft) }
}

pub(super) fn doubt() -> Ruling {
    Ruling::Doubt { why: "silence".to_owned() }
}

impl World {
    /// An active plan at seven in the morning of this day in Paris, with all that its first page owed done.
    pub(super) fn active_on(date: &str) -> Self {
        let mut world = Self::active();
        world.settle_page();
        world.at(&format!("{date}T05:00:00Z"));
        world
    }

    /// The bank was asked about the first page as often as it is owed.
    pub(super) fn settle_page(&mut self) {
        self.wait(3 * 24 * 60);
        let numbers: Vec<CheckoutNumber> = self.order.checkouts.iter().map(|page| page.number).collect();
        for number in numbers {
            let page = self.order.checkout(number).unwrap();
            let seen: Vec<_> = match page.begins {
                Some(_) => vec![(operation(1, 10), OperationStatus::Captured)],
                None => Vec::new(),
            };
            self.hear(number, &seen);
        }
    }

    pub(super) fn take_up(&mut self, run: &str) -> Result<AttemptId, LeftOut> {
        let decision = self.order.take_up(day(run), new_call(700), self.now, &self.policy).unwrap()?;
        self.take(decision);
        let due = self.order.schedule.iter().find(|due| due.is_being_debited()).unwrap();
        Ok(AttemptId { purpose: Purpose::Debit(due.number), attempt: due.debit().unwrap().attempt.number })
    }

    pub(super) fn debit(&mut self, run: &str, ruling: &Ruling) -> AttemptId {
        let of = self.take_up(run).unwrap();
        self.send_and_rule(of, ruling);
        of
    }

    pub(super) fn instalment_status(&self, number: u32) -> InstalmentStatus {
        self.order.instalment(number).unwrap().status(self.policy.day(None, self.now))
    }

    /// Asks about a debit in doubt whenever it is due, at most for a week, with what this answers.
    pub(super) fn ask_debit(&mut self, of: AttemptId, control: bool, findings: Option<&[Finding]>) {
        for _ in 0..7 * 24 * 60 {
            let attempt = self.order.attempt(of).unwrap().clone();
            let AttemptState::InDoubt(doubt) = &attempt.state else { return };
            if doubt.next_ask <= self.now {
                let heard = (findings, control);
                let now = self.now;
                let decision = self.order.attempt_asked(of, &attempt, heard, now, now, &self.policy).unwrap();
                self.take(decision);
            }
            self.wait(1);
        }
    }
}

#[test]
fn an_instalment_a_month_until_all_is_paid() {
    let mut world = World::active_on("2026-07-10");
    world.debit("2026-07-10", &accepted(2, 20));
    assert_eq!(world.instalment_status(2), InstalmentStatus::Paid);
    assert_eq!(world.take_up("2026-07-10"), Err(LeftOut::NotDue));
    world.at("2026-08-10T05:00:00Z");
    world.debit("2026-08-10", &accepted(3, 30));
    assert!(matches!(world.order.status, Status::Settled { .. }));
    assert_eq!(world.order.paid().minor_units(), 60_100);
    assert!(matches!(world.order.plan().unwrap().state, PlanState::Ended { how: PlanEnd::Completed, .. }));
    assert!(matches!(world.subscriber_states()[..], [SubscriberState::Unwanted { .. }]), "its card is forgotten");
}

#[test]
fn nothing_is_taken_up_early_twice_or_against_anybodys_will() {
    let mut world = World::active_on("2026-07-09");
    assert_eq!(world.take_up("2026-07-10"), Err(LeftOut::NotDue), "a run of tomorrow, today");
    assert_eq!(world.take_up("2026-07-09"), Err(LeftOut::NotDue));
    // Midnight in Paris is 22:00 UTC.
    world.at("2026-07-09T21:59:59Z");
    assert_eq!(world.take_up("2026-07-10"), Err(LeftOut::NotDue));
    world.at("2026-07-09T22:00:00Z");
    let of = world.take_up("2026-07-10").unwrap();
    assert_eq!(world.take_up("2026-07-10"), Err(LeftOut::InAttempt));
    assert_eq!(world.check_out(), Err(Refusal::DebitInProgress));
    world.send_and_rule(of, &Ruling::Misconfigured { code: "00006".to_owned() });
    assert_eq!(world.order.attempt(of).unwrap().state, AttemptState::NotExecuted, "nobody's refusal");
    assert_eq!(world.take_up("2026-07-10"), Err(LeftOut::InThisRun));
    assert_eq!(world.take_up("2026-07-09"), Err(LeftOut::NotDue));
    world.at("2026-07-11T05:00:00Z");
    world.debit("2026-07-11", &accepted(2, 20));

    let mut world = World::active_on("2026-07-10");
    let decision = world.order.pause_plan(world.now).unwrap();
    world.take(decision);
    assert_eq!(world.take_up("2026-07-10"), Err(LeftOut::Paused));
    let decision = world.order.cancel_plan(world.now).unwrap();
    world.take(decision);
    assert_eq!(world.take_up("2026-07-10"), Err(LeftOut::NoActivePlan));
    assert_eq!(World::place(60_100).take_up("2026-07-10"), Err(LeftOut::NoActivePlan));
}

#[test]
fn what_was_taken_up_does_not_leave_once_it_is_not_wanted() {
    let mut world = World::active_on("2026-07-10");
    let of = world.take_up("2026-07-10").unwrap();
    let decision = world.order.pause_plan(world.now).unwrap();
    world.take(decision);
    assert_eq!(world.order.attempt(of).unwrap().state, AttemptState::NotExecuted, "dropped with the pause");

    let mut world = World::active_on("2026-07-10");
    let of = world.take_up("2026-07-10").unwrap();
    let decision = world.order.cancel_plan(world.now).unwrap();
    world.take(decision);
    let question = QuestionNumber::new(1).unwrap();
    let sending = Sending { at: world.now, question, host: Host::Main, dated: None };
    assert!(world.order.send_attempt(of, sending, world.now, &world.policy).is_err());

    // On its way already: the plan cannot be cancelled before its outcome is known, and can be paused.
    let mut world = World::active_on("2026-07-10");
    let of = world.debit("2026-07-10", &doubt());
    assert_eq!(world.order.cancel_plan(world.now), Err(Refusal::DebitInProgress));
    let decision = world.order.pause_plan(world.now).unwrap();
    world.take(decision);
    let decision = world.order.attempt_answered(of, &accepted(2, 20), world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.instalment_status(2), InstalmentStatus::Paid);
}

#[test]
fn two_dues_after_an_outage_are_debited_one_a_day() {
    let mut world = World::active_on("2026-08-12");
    world.debit("2026-08-12", &accepted(2, 20));
    assert_eq!(world.take_up("2026-08-12"), Err(LeftOut::InThisRun));
    assert_eq!(world.take_up("2026-08-11"), Err(LeftOut::DebitedToday), "another run, the same day");
    world.at("2026-08-13T05:00:00Z");
    world.debit("2026-08-13", &accepted(3, 30));
    assert_eq!(world.order.paid().minor_units(), 60_100);
}

#[test]
fn a_soft_refusal_waits_and_is_tried_again() {
    let mut world = World::active_on("2026-07-10");
    world.debit("2026-07-10", &soft());
    assert_eq!(world.instalment_status(2), InstalmentStatus::RetryWait);
    assert_eq!(world.order.ready_on(), Some(day("2026-07-13")));
    world.at("2026-07-12T05:00:00Z");
    assert_eq!(world.take_up("2026-07-12"), Err(LeftOut::NotDue));
    world.at("2026-07-13T05:00:00Z");
    world.debit("2026-07-13", &accepted(3, 30));
    assert_eq!(world.order.instalment(2).unwrap().debits.len(), 2);
    assert_eq!(world.instalment_status(2), InstalmentStatus::Paid);
}

#[test]
fn refusals_end_in_arrears_and_the_next_instalment_goes_on_its_date() {
    let mut world = World::active_on("2026-07-10");
    world.debit("2026-07-10", &soft());
    while let Some(on) = world.order.ready_on().filter(|on| *on < day("2026-08-10")) {
        world.at(&format!("{on}T05:00:00Z"));
        world.debit(&on.to_string(), &soft());
    }
    assert_eq!(world.order.instalment(2).unwrap().debits.len(), 4);
    assert_eq!(world.instalment_status(2), InstalmentStatus::Arrears);
    world.at("2026-08-10T05:00:00Z");
    let of = world.debit("2026-08-10", &accepted(3, 30));
    assert_eq!(of.purpose, Purpose::Debit(3));
    // Arrears are paid by a link, or debited again when accounting says so.
    assert_eq!(world.order.retry_debit(3, text("x"), world.now, &world.policy), Err(Refusal::NoSuchInstalment));
    let decision = world.order.retry_debit(2, text("le payeur a rappelé"), world.now, &world.policy).unwrap();
    let mut retried = World { order: world.order.clone(), history: world.history.clone(), ..World::active() };
    retried.now = world.now;
    retried.take(decision);
    assert_eq!(retried.take_up("2026-08-11"), Err(LeftOut::DebitedToday));
    retried.at("2026-08-11T05:00:00Z");
    retried.debit("2026-08-11", &accepted(4, 40));
    assert!(matches!(retried.order.status, Status::Settled { .. }));

    let checkout = world.check_out().unwrap();
    world.hear(checkout, &[(operation(5, 50), OperationStatus::Captured)]);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    assert!(matches!(world.order.plan().unwrap().state, PlanState::Ended { how: PlanEnd::Completed, .. }));
}

#[test]
fn a_card_that_is_refused_for_good_is_not_debited_again() {
    for (code, class, single_use) in [
        ("00114", RefusalClass::Hard, true),
        ("00143", RefusalClass::Hard, false),
        ("00154", RefusalClass::CardUpdate, false),
        ("00189", RefusalClass::Authentication, false),
    ] {
        let mut world = World::active_on("2026-07-10");
        world.debit("2026-07-10", &Ruling::Refused { code: code.to_owned(), class: Some(class) });
        assert_eq!(world.instalment_status(2), InstalmentStatus::Arrears, "{code}");
        let hint = world.history.iter().find_map(|(event, _)| {
            let Event::DebitInArrears { single_use, .. } = event else { return None };
            Some(*single_use)
        });
        assert_eq!(hint, Some(single_use), "{code}");
        let retry = world.order.retry_debit(2, text("x"), world.now, &world.policy);
        assert_eq!(retry, Err(Refusal::CardUnusable), "{code}");
        assert_eq!(world.order.ready_on(), Some(day("2026-08-10")), "a failed debit ends no plan");
        // A card that is refused for good is not debited for another instalment either.
        world.at("2026-08-10T05:00:00Z");
        let decision =
            world.order.take_up(day("2026-08-10"), new_call(700), world.now, &world.policy).unwrap().unwrap();
        world.take(decision);
        let expected =
            if class == RefusalClass::Authentication { InstalmentStatus::InAttempt } else { InstalmentStatus::Arrears };
        assert_eq!(world.instalment_status(3), expected, "{code}");
    }
}

#[test]
fn an_instalment_that_its_payer_may_be_paying_is_left_alone() {
    let mut world = World::active_on("2026-07-10");
    let checkout = world.check_out().unwrap();
    assert_eq!(world.order.checkout(checkout).unwrap().instalment, 2);
    assert_eq!(world.take_up("2026-07-10"), Err(LeftOut::PayerPaying));
    // Its page is over, and the bank has not been asked yet whether it was paid.
    world.wait(31);
    assert_eq!(world.take_up("2026-07-10"), Err(LeftOut::PayerPaying));
    let mut unpaid = World { order: world.order.clone(), history: world.history.clone(), ..World::active() };
    unpaid.now = world.now;
    unpaid.hear(checkout, &[]);
    unpaid.take_up("2026-07-10").unwrap();
    // It was paid: nothing is left to debit.
    world.hear(checkout, &[(operation(5, 50), OperationStatus::Captured)]);
    assert_eq!(world.take_up("2026-07-10"), Err(LeftOut::NotDue));
    // A page of an instalment to come covers that one only.
    let mut world = World::active_on("2026-07-10");
    world.check_out_for(Way::Instalment(3)).unwrap();
    world.take_up("2026-07-10").unwrap();
    assert_eq!(world.check_out_for(Way::Instalment(9)), Err(Refusal::NoSuchInstalment));
    assert_eq!(world.check_out_for(Way::Instalment(1)), Err(Refusal::NoSuchInstalment), "paid");
}

#[test]
fn what_a_restored_backup_forgot_is_adopted() {
    let mut world = World::active_on("2026-07-10");
    let of = world.take_up("2026-07-10").unwrap();
    let findings = [Finding::Found(operation(2, 20)), Finding::Status(operation(2, 20), OperationStatus::Captured)];
    let prepared = world.order.prepare_attempt(of, &findings, world.now, &world.policy).unwrap();
    let Prepared::Instead(decision) = prepared else { panic!("it would be sent again") };
    world.take(*decision);
    assert_eq!(world.instalment_status(2), InstalmentStatus::Paid);

    let mut world = World::active_on("2026-07-10");
    let of = world.take_up("2026-07-10").unwrap();
    assert_eq!(world.order.prepare_attempt(of, &[Finding::Nothing], world.now, &world.policy), Ok(Prepared::Go));
}

#[test]
fn a_debit_of_what_was_paid_meanwhile_is_surplus_and_goes_back() {
    let mut world = World::active_on("2026-07-10");
    // A page of instalment 2 whose payment nobody reported.
    let checkout = world.check_out().unwrap();
    world.wait(31);
    world.hear(checkout, &[]);
    let of = world.debit("2026-07-10", &doubt());
    world.hear(checkout, &[(operation(5, 50), OperationStatus::Captured)]);
    assert_eq!(world.instalment_status(2), InstalmentStatus::Paid);
    let decision = world.order.attempt_answered(of, &accepted(2, 20), world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.order.surplus().minor_units(), 20_031);
    assert_eq!(world.order.paid().minor_units(), 40_062);
    assert_eq!(world.do_call(&accepted(2, 20)), Purpose::GiveBack(1));
    assert_eq!(world.order.surplus().minor_units(), 0);
}

#[test]
fn a_card_is_not_forgotten_while_a_debit_of_it_is_open() {
    let mut world = World::active_on("2026-08-10");
    world.debit("2026-08-10", &accepted(2, 20));
    world.at("2026-08-11T05:00:00Z");
    let checkout = world.check_out().unwrap();
    world.wait(31);
    world.hear(checkout, &[]);
    let of = world.debit("2026-08-11", &doubt());
    world.hear(checkout, &[(operation(5, 50), OperationStatus::Captured)]);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    let is_forgetting = |world: &World| {
        let later = world.now + SignedDuration::from_hours(1);
        (0..50).any(|_| matches!(world.order.duty(later, &world.policy), Some(Duty::Forget { .. })))
    };
    assert!(!is_forgetting(&world));
    let decision = world.order.attempt_answered(of, &refused(), world.now, &world.policy).unwrap();
    world.take(decision);
    assert!(is_forgetting(&world));
}

#[test]
fn the_plan_page_itself_is_no_cover() {
    let world = World::active();
    assert!(world.order.offer(&template(), world.now, &world.policy).is_ok());
    assert_eq!(world.order.due_for(day("2026-06-24"), world.now, &world.policy).err(), Some(LeftOut::NotDue));
}

#[test]
fn what_was_not_executed_is_no_try() {
    let mut world = World::active_on("2026-07-10");
    let misconfigured = Ruling::Misconfigured { code: "00006".to_owned() };
    for date in ["2026-07-10", "2026-07-11", "2026-07-12", "2026-07-13"] {
        world.at(&format!("{date}T05:00:00Z"));
        world.debit(date, &misconfigured);
    }
    // The first refusal is followed as a first one is, for all that went before.
    world.at("2026-07-14T05:00:00Z");
    world.debit("2026-07-14", &soft());
    assert_eq!(world.instalment_status(2), InstalmentStatus::RetryWait);
    assert_eq!(world.order.instalment(2).unwrap().next_on, Some(day("2026-07-17")));
}

#[test]
fn a_retry_whose_days_have_passed_is_arrears() {
    let mut world = World::active_on("2026-07-10");
    world.debit("2026-07-10", &soft());
    // No run came on the 13th; five days before the next due date it is too late.
    world.at("2026-08-06T05:00:00Z");
    let decision = world.order.take_up(day("2026-08-06"), new_call(700), world.now, &world.policy).unwrap().unwrap();
    world.take(decision);
    assert_eq!(world.instalment_status(2), InstalmentStatus::Arrears);
    // A person may insist.
    let decision = world.order.retry_debit(2, text("accord"), world.now, &world.policy).unwrap();
    world.take(decision);
    world.debit("2026-08-06", &accepted(3, 30));
    assert_eq!(world.instalment_status(2), InstalmentStatus::Paid);
}
