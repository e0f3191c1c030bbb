//! The first instalment: held, its card judged, captured or let go.

use super::{planning::template, *};
use crate::domain::{
    card::{CardEnd, CardFacts, CardRefusal, CardRules},
    hold::Verdict,
    plan::PlanState,
    purpose::Purpose,
    subscriber::{HeardCard, SubscriberState},
    template::Template,
};

impl World {
    /// 601,00 € in three, approved.
    pub(super) fn approved() -> Self {
        let mut world = Self::place(60_100);
        world.request(&template()).unwrap();
        world.approve(&template(), None).unwrap();
        world
    }

    pub(super) fn begin(&mut self) -> Result<CheckoutNumber, Refusal> {
        let offer = self.order.offer(&template(), self.now, &self.policy)?.hash;
        self.begin_with(&template(), &offer)
    }

    fn begin_with(&mut self, template: &Template, offer: &str) -> Result<CheckoutNumber, Refusal> {
        let new = self.new_checkout();
        let decision = self.order.issue_checkout(new, Way::Begin { template, offer }, self.now, &self.policy)?;
        self.take(decision);
        Ok(self.order.checkouts.last().unwrap().number)
    }

    pub(super) fn report_card(&mut self, checkout: CheckoutNumber, operation: Operation, card: HeardCard) -> Taken {
        let says = Says::Paid { operation, doubted: false };
        let identity = format!("{}/{}/00000", operation.number, operation.call);
        let digest = format!("{card:?}");
        let news = News { identity, digest, key: "key".to_owned(), says, card: Some(card) };
        let (decision, taken) = self.order.report(checkout, news, self.now, &self.policy).unwrap();
        self.take(decision);
        taken
    }

    pub(super) fn judge(&mut self) {
        let judge = self.duty_of(|duty| matches!(duty, Duty::Judge { .. }));
        let Some(Duty::Judge { hold }) = judge else { panic!("{:?}", self.duty()) };
        let decision = self.order.judge_card(hold, self.now, &self.policy).unwrap();
        self.take(decision);
    }

    /// Plans and sends the next call that is due, and rules on it.
    pub(super) fn do_call(&mut self, ruling: &Ruling) -> Purpose {
        let plan = self.duty_of(|duty| matches!(duty, Duty::Plan { .. }));
        let Some(Duty::Plan { purpose }) = plan else { panic!("{:?}", self.duty()) };
        let decision = self.order.plan_call(purpose, new_call(500), self.now, &self.policy).unwrap();
        self.take(decision);
        let attempt = self.order.attempts(purpose).last().unwrap().number;
        self.send_and_rule(AttemptId { purpose, attempt }, ruling);
        purpose
    }

    pub(super) fn send_and_rule(&mut self, of: AttemptId, ruling: &Ruling) {
        let question = QuestionNumber::new(1).unwrap();
        let sending = Sending { at: self.now, question, host: Host::Main, dated: None };
        let decision = self.order.send_attempt(of, sending, self.now, &self.policy).unwrap();
        self.take(decision);
        let decision = self.order.attempt_answered(of, ruling, self.now, &self.policy).unwrap();
        self.take(decision);
    }

    /// 601,00 € in three, begun on 24 June 2026.
    pub(super) fn active() -> Self {
        let mut world = Self::approved();
        let checkout = world.begin().unwrap();
        world.report_card(checkout, operation(1, 10), card("CB,VISA"));
        world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
        world.judge();
        assert_eq!(world.do_call(&accepted(1, 10)), Purpose::Capture(1));
        world
    }

    pub(super) fn subscriber_states(&self) -> Vec<&SubscriberState> {
        self.order.subscribers.iter().map(|subscriber| &subscriber.state).collect()
    }
}

pub(super) fn card(types: &str) -> HeardCard {
    let facts = CardFacts {
        types: types.split(',').map(str::to_owned).collect(),
        end: CardEnd::new(2027, 9),
        first6: Some("401200".to_owned()),
        last2: Some("12".to_owned()),
        authenticated: Some(true),
    };
    HeardCard { facts, sealed_token: Some("sealed".to_owned()), fingerprint: Some("f1".to_owned()) }
}

pub(super) fn accepted(number: u64, call: u64) -> Ruling {
    Ruling::Accepted { operation: operation(number, call) }
}

#[test]
fn the_schools_own_figures() {
    let world = World::active();
    let due: Vec<(String, i64, bool)> =
        world.order.schedule.iter().map(|due| (due.due.to_string(), due.amount.minor_units(), due.paid)).collect();
    assert_eq!(
        due,
        [
            ("2026-06-24".to_owned(), 20_031, true),
            ("2026-07-10".to_owned(), 20_031, false),
            ("2026-08-10".to_owned(), 20_038, false),
        ]
    );
    assert_eq!(world.order.paid().minor_units(), 20_031);
    assert!(world.order.plan().unwrap().card().is_some());
    assert_eq!(world.subscriber_states(), [&SubscriberState::Kept]);
    assert_eq!(world.order.ready_on(), Some("2026-07-10".parse().unwrap()));
    assert_eq!(world.duty(), None, "what is to be asked about the page is not due yet");
    assert_eq!(world.order.cancel(None, world.now), Err(Refusal::PartlyPaid));
}

#[test]
fn only_an_approved_plan_begins_and_only_on_what_was_accepted() {
    let mut world = World::place(60_100);
    assert_eq!(world.begin(), Err(Refusal::PlanNotApproved));
    world.request(&template()).unwrap();
    assert_eq!(world.begin(), Err(Refusal::PlanNotApproved));
    world.approve(&template(), None).unwrap();
    assert_eq!(world.begin_with(&template(), "yesterday's"), Err(Refusal::TermsChanged));
    let other_day = Template { day_of_month: 5, ..template() };
    let offer = world.order.offer(&template(), world.now, &world.policy).unwrap().hash;
    assert_eq!(world.begin_with(&other_day, &offer), Err(Refusal::TermsChanged));
    // Tomorrow has the same dates but for the first, which the payer reads too.
    world.wait(24 * 60);
    assert_eq!(world.begin_with(&template(), &offer), Err(Refusal::TermsChanged));
    world.begin().unwrap();
}

#[test]
fn a_page_that_begins_a_plan_ends_with_the_month_in_paris() {
    for (now, expires, form_until) in [
        ("2026-06-30T21:00:00Z", "2026-06-30T21:30:00Z", "2026-06-30T21:15:00Z"),
        // Midnight in Paris is 22:00 UTC.
        ("2026-06-30T21:40:00Z", "2026-06-30T22:00:00Z", "2026-06-30T21:45:00Z"),
        ("2026-06-30T22:00:00Z", "2026-06-30T22:30:00Z", "2026-06-30T22:15:00Z"),
    ] {
        let mut world = World::approved();
        world.at(now);
        let checkout = world.begin().unwrap();
        let page = world.order.checkout(checkout).unwrap();
        assert_eq!(
            (page.expires_at, page.form_until),
            (expires.parse().unwrap(), form_until.parse().unwrap()),
            "{now}"
        );
    }
    let mut world = World::approved();
    world.at("2026-06-30T21:45:00Z");
    assert_eq!(world.begin(), Err(Refusal::MonthEnds));
    world.check_out().expect("paying at once has no such end");
    // One minute past midnight the first debit is a month later.
    world.at("2026-06-30T22:01:00Z");
    let checkout = world.begin().unwrap();
    let begins = world.order.checkout(checkout).unwrap().begins.clone().unwrap();
    assert_eq!(begins.schedule[1].due.to_string(), "2026-08-10");
}

#[test]
fn cards_that_a_plan_does_not_take_are_let_go_and_forgotten() {
    let old = HeardCard { facts: CardFacts { end: CardEnd::new(2026, 7), ..card("CB").facts }, ..card("CB") };
    let untold = HeardCard { sealed_token: None, fingerprint: None, ..card("CB") };
    let rules = CardRules { refused_types: vec!["MAESTRO".to_owned()], ..CardRules::default() };
    for (card, expected) in [
        (card("E_CARD"), CardRefusal::VirtualCard),
        (card("CB,E_CARD"), CardRefusal::VirtualCard),
        (old, CardRefusal::ExpiresTooSoon),
        (card("MAESTRO"), CardRefusal::TypeRefused { card_type: "MAESTRO".to_owned() }),
        (untold, CardRefusal::NotKnown),
    ] {
        let mut world = World::approved();
        world.policy.cards = rules.clone();
        let checkout = world.begin().unwrap();
        world.report_card(checkout, operation(1, 10), card);
        world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
        assert_eq!(world.begin(), Err(Refusal::ConfirmationInProgress), "not while it is being judged");
        world.judge();
        assert_eq!(world.order.holds[0].refusal(), Some(&expected));
        assert_eq!(world.status(checkout), CheckoutStatus::CardRefused);
        assert!(world.order.ledger.is_empty());
        assert!(world.order.plan().unwrap().is_approved(), "the plan waits");
        // Let go first, under the card's name; then forgotten.
        assert_eq!(world.do_call(&accepted(1, 10)), Purpose::GiveBack(1));
        let Some(Duty::Forget { subscriber }) = world.duty() else { panic!("{:?}", world.duty()) };
        let silent = world.order.subscriber_answered(&subscriber, Some("silence"), world.now, &world.policy).unwrap();
        world.take(silent);
        assert_eq!(world.duty(), None, "later");
        world.wait(1);
        let gone = world.order.subscriber_answered(&subscriber, None, world.now, &world.policy).unwrap();
        world.take(gone);
        assert!(matches!(world.subscriber_states()[..], [SubscriberState::Gone { .. }]));
        assert!(!serde_json::to_string(&world.order).unwrap().contains("sealed\""), "its token is not kept");
        // Another card.
        let second = world.begin().unwrap();
        assert_ne!(second, checkout);
    }
}

#[test]
fn a_refused_card_may_be_followed_by_another_on_the_same_link() {
    let mut world = World::approved();
    let link = world.begin().unwrap();
    world.take(world.follow(link, 0));
    world.report_card(link, operation(1, 10), card("E_CARD"));
    world.hear(link, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.judge();
    world.take(world.follow(link, 1));
    let page = world.order.page_of(link).unwrap().clone();
    assert_ne!(page.number, link);
    let subscriber = |number| world.order.checkout(number).unwrap().begins.as_ref().unwrap().subscriber.clone();
    assert_ne!(subscriber(page.number), subscriber(link), "a card's name is never used again");
    world.report_card(page.number, operation(2, 20), card("CB"));
    world.hear(page.number, &[(operation(2, 20), OperationStatus::Authorised)]);
    // The first is still being let go; whichever is due first is done first.
    while let Some(duty) = world.duty() {
        match &duty {
            Duty::Judge { .. } => world.judge(),
            Duty::Plan { purpose: Purpose::Capture(_) } => drop(world.do_call(&accepted(2, 20))),
            Duty::Plan { .. } => drop(world.do_call(&accepted(1, 10))),
            Duty::Forget { subscriber } => {
                let gone = world.order.subscriber_answered(subscriber, None, world.now, &world.policy).unwrap();
                world.take(gone);
            }
            Duty::LookSettled { operation } => {
                let collected = Remitted::Status { status: OperationStatus::Captured, remittance: Some(7) };
                let policy = &world.policy;
                let looked = world.order.settlement_asked(&operation.number, &collected, world.now, policy).unwrap();
                world.take(looked);
            }
            Duty::Expire { .. }
            | Duty::Ask { .. }
            | Duty::Believe { .. }
            | Duty::Send { .. }
            | Duty::Doubt { .. }
            | Duty::Enquire { .. } => panic!("{duty:?}"),
        }
    }
    assert_eq!(world.order.paid().minor_units(), 20_031);
    assert!(matches!(world.subscriber_states()[..], [SubscriberState::Gone { .. }, SubscriberState::Kept]));
}

#[test]
fn without_a_notification_the_money_is_let_go_after_a_while() {
    let mut world = World::approved();
    let checkout = world.begin().unwrap();
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    assert!(!matches!(world.duty(), Some(Duty::Judge { .. })), "its data may still come");
    world.wait(29);
    let late = card("CB");
    let mut heard_in_time = World { order: world.order.clone(), history: world.history.clone(), ..World::approved() };
    heard_in_time.now = world.now;
    heard_in_time.report_card(checkout, operation(1, 10), late);
    let decision = heard_in_time.order.judge_card(1, heard_in_time.now, &heard_in_time.policy).unwrap();
    assert_eq!(decision.order.holds[0].verdict, Some(Verdict::Accepted));
    world.wait(1);
    let decision = world.order.judge_card(1, world.now, &world.policy).unwrap();
    assert_eq!(decision.order.holds[0].refusal(), Some(&CardRefusal::NotKnown));
}

#[test]
fn two_tabs_both_held_one_begins_the_plan_and_one_is_let_go() {
    let mut world = World::approved();
    let first = world.begin().unwrap();
    let second = world.begin().unwrap();
    for (checkout, number) in [(first, 1), (second, 2)] {
        world.report_card(checkout, operation(number, number * 10), card("CB"));
        world.hear(checkout, &[(operation(number, number * 10), OperationStatus::Authorised)]);
    }
    world.judge();
    world.judge();
    let verdicts: Vec<_> = world.order.holds.iter().map(|hold| hold.verdict.clone()).collect();
    assert_eq!(verdicts, [Some(Verdict::Accepted), Some(Verdict::Refused { why: CardRefusal::NotWanted })]);
    assert!(matches!(world.subscriber_states()[..], [SubscriberState::Kept, SubscriberState::Unwanted { .. }]));
}

#[test]
fn a_capture_that_is_refused_lets_go_and_one_that_was_not_executed_is_tried_again() {
    let mut world = World::approved();
    let checkout = world.begin().unwrap();
    world.report_card(checkout, operation(1, 10), card("CB"));
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.judge();
    world.do_call(&refused());
    assert_eq!(world.order.holds[0].refusal(), Some(&CardRefusal::CaptureRefused));
    assert!(world.order.plan().unwrap().is_approved());
    assert_eq!(world.do_call(&accepted(1, 10)), Purpose::GiveBack(1));

    // In doubt: the bank still shows it authorised, twice; so it was not captured, and may be.
    let mut world = World::approved();
    let checkout = world.begin().unwrap();
    world.report_card(checkout, operation(1, 10), card("CB"));
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.judge();
    world.do_call(&Ruling::Doubt { why: "silence".to_owned() });
    assert_eq!(world.begin(), Err(Refusal::ConfirmationInProgress));
    let of = AttemptId { purpose: Purpose::Capture(1), attempt: 1 };
    for _ in 0..3 {
        world.wait(11);
        let asked = world.order.attempt(of).unwrap().clone();
        let status = [Finding::Status(operation(1, 10), OperationStatus::Authorised)];
        let decision =
            world.order.attempt_asked(of, &asked, (Some(&status), false), world.now, world.now, &world.policy).unwrap();
        world.take(decision);
    }
    assert_eq!(world.order.attempt(of).unwrap().state, AttemptState::NotExecuted);
    assert_eq!(world.do_call(&accepted(1, 10)), Purpose::Capture(1));
    assert_eq!(world.order.paid().minor_units(), 20_031);
}

#[test]
fn an_order_paid_at_once_while_its_first_instalment_is_held() {
    let mut world = World::approved();
    let at_once = world.check_out().unwrap();
    let checkout = world.begin().unwrap();
    world.report_card(checkout, operation(1, 10), card("CB"));
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.judge();
    let Some(Duty::Plan { purpose }) = world.duty() else { panic!("{:?}", world.duty()) };
    let decision = world.order.plan_call(purpose, new_call(500), world.now, &world.policy).unwrap();
    world.take(decision);
    // The old page of the whole sum is paid now.
    world.hear(at_once, &[(operation(2, 20), OperationStatus::Captured)]);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    assert!(matches!(world.order.plan().unwrap().state, PlanState::Withdrawn { .. }));
    assert_eq!(world.order.holds[0].refusal(), Some(&CardRefusal::NotWanted));
    assert_eq!(world.do_call(&accepted(1, 10)), Purpose::GiveBack(1));
    assert_eq!(world.order.paid().minor_units(), 60_100);
    assert_eq!(world.order.surplus().minor_units(), 0);
}

#[test]
fn a_capture_on_its_way_when_the_order_is_paid_otherwise_is_surplus() {
    let mut world = World::approved();
    let at_once = world.check_out().unwrap();
    let checkout = world.begin().unwrap();
    world.report_card(checkout, operation(1, 10), card("CB"));
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.judge();
    world.do_call(&Ruling::Doubt { why: "silence".to_owned() });
    world.hear(at_once, &[(operation(2, 20), OperationStatus::Captured)]);
    let of = AttemptId { purpose: Purpose::Capture(1), attempt: 1 };
    let decision = world.order.attempt_answered(of, &accepted(1, 10), world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.order.surplus().minor_units(), 20_031);
    assert!(matches!(world.subscriber_states()[..], [SubscriberState::Unwanted { .. }]), "and its card is not wanted");
    assert_eq!(world.do_call(&accepted(1, 10)), Purpose::GiveBack(1));
    assert_eq!(world.order.surplus().minor_units(), 0);
}

#[test]
fn what_a_withdrawn_or_changed_plan_left_open_begins_nothing() {
    let mut world = World::approved();
    let checkout = world.begin().unwrap();
    let decision = world.order.withdraw_plan(world.now).unwrap();
    world.take(decision);
    assert_eq!(world.status(checkout), CheckoutStatus::Withdrawn);
    world.request(&template()).unwrap();
    world.approve(&template(), None).unwrap();
    // The old page was open, and is paid.
    world.report_card(checkout, operation(1, 10), card("CB"));
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.judge();
    assert_eq!(world.order.holds[0].refusal(), Some(&CardRefusal::NotWanted));
}

#[test]
fn an_authorisation_learnt_of_too_late_is_let_go() {
    let mut world = World::approved();
    let checkout = world.begin().unwrap();
    world.report_card(checkout, operation(1, 10), card("CB"));
    world.wait(25 * 60);
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    world.judge();
    assert_eq!(world.order.holds[0].refusal(), Some(&CardRefusal::TooLate));
}
