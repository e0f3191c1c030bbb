//! Orders walked through what can happen to them. Every step is replayed from its events, so state and history agree.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::domain::{
    attempt::{AttemptState, Doubt, Host, Sending},
    bank::{ArchiveReference, Finding, Operation, OperationStatus, Ruling},
    checkout::{Billing, Closed, Says},
    fault::FaultKind,
    give_back::{AttemptId, GiveBackStatus},
    ids::TokenDigest,
    money::Currency,
    numbers::{CallNumber, QuestionNumber},
    payer::Email,
    policy::Policy,
};

fn policy() -> Policy {
    let minutes = SignedDuration::from_mins;
    Policy {
        form_lifetime: minutes(15),
        page_lifetime: minutes(15),
        ask_after_issue: vec![minutes(5)],
        ask_after_expiry: vec![minutes(0), minutes(60), minutes(24 * 60)],
        ask_after_news: vec![minutes(0), minutes(1), minutes(10)],
        ask_after_silence: vec![minutes(1), minutes(5)],
        hold_for_report: minutes(10),
        send_within: SignedDuration::from_secs(5),
        doubt_settles: minutes(10),
        doubt_ladder: vec![minutes(1), minutes(11), minutes(60)],
        answer_grace: SignedDuration::from_secs(90),
        send_again: SignedDuration::from_secs(30),
        authorised_counts: false,
        signature_is_enough: false,
        minimum_amount: 100,
    }
}

fn text(raw: &str) -> Text {
    Text::parse(raw, 100).unwrap()
}

fn new_order(unit_price: i64) -> NewOrder {
    NewOrder {
        id: OrderId::from_bits(7),
        merchant: "ecole".parse().unwrap(),
        reference: text("2026-INS-1"),
        payer: Payer {
            reference: text("E1"),
            email: Email::parse("e1@ecole.example").unwrap(),
            first_name: text("Zoé"),
            last_name: text("Martin"),
            addresses: Vec::new(),
        },
        currency: Currency::Eur,
        lines: vec![Line {
            code: text("D1"),
            label: text("Droits de scolarité"),
            beneficiary: None,
            quantity: "1".parse().unwrap(),
            unit_price: Money::new(unit_price, Currency::Eur).unwrap(),
            discount_percent: "0".parse().unwrap(),
            vat_rate: "0".parse().unwrap(),
        }],
        locale: Locale::Fr,
        challenge: None,
        replaces: None,
    }
}

fn operation(number: u64, call: u64) -> Operation {
    Operation { number: OperationNumber::try_from(number).unwrap(), call: CallNumber::try_from(call).unwrap() }
}

/// An order, its clock and its history.
struct World {
    order: Order,
    history: Vec<(Event, Timestamp)>,
    now: Timestamp,
    policy: Policy,
}

impl World {
    fn place(unit_price: i64) -> Self {
        let now: Timestamp = "2026-06-24T08:00:00Z".parse().unwrap();
        let decision = Order::place(new_order(unit_price), "2026-06-24".parse().unwrap(), now, &policy()).unwrap();
        let mut world = Self { order: decision.order.clone(), history: Vec::new(), now, policy: policy() };
        world.take(decision);
        world
    }

    fn take(&mut self, decision: Decision) {
        self.history.extend(decision.events.into_iter().map(|event| (event, self.now)));
        let replayed = Order::replay(self.history.iter().map(|(event, at)| (event, *at))).unwrap();
        assert_eq!(replayed, decision.order, "the events make the order");
        self.order = decision.order;
    }

    fn wait(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    fn check_out(&mut self) -> Result<CheckoutNumber, Refusal> {
        let count = self.order.checkouts.len();
        let new = NewCheckout {
            token: TokenDigest(format!("token{count}")),
            archive: ArchiveReference::from_bits(count as u64),
            prefix: "E1".to_owned(),
            billing: Billing::Omitted,
            challenge: Challenge::NoPreference,
            locale: Locale::Fr,
            page_host: Host::Main,
            return_url: "https://portal.example/retour".to_owned(),
        };
        let decision = self.order.issue_checkout(new, self.now, &self.policy)?;
        self.take(decision);
        Ok(self.order.checkouts.last().unwrap().number)
    }

    fn follow(&self, link: CheckoutNumber, bits: u64) -> Decision {
        let archive = ArchiveReference::from_bits(1_000 + bits);
        let new = NewFollower { prefix: "E1".to_owned(), archive, page_host: Host::Main };
        self.order.follow_link(link, &new, self.now, &self.policy).unwrap()
    }

    fn report(&mut self, checkout: CheckoutNumber, identity: &str, digest: &str, says: Says) -> Taken {
        let (identity, digest) = (identity.to_owned(), digest.to_owned());
        let news = super::News { identity, digest, key: "key".to_owned(), says };
        let (decision, taken) = self.order.report(checkout, news, self.now, &self.policy).unwrap();
        self.take(decision);
        taken
    }

    fn paid(&mut self, checkout: CheckoutNumber, operation: Operation) -> Taken {
        let identity = format!("{}/{}/00000", operation.number, operation.call);
        self.report(checkout, &identity, "d", Says::Paid { operation, doubted: false })
    }

    fn hear(&mut self, checkout: CheckoutNumber, seen: &[(Operation, OperationStatus)]) {
        let heard = Heard { checkout, asked_at: self.now, seen: seen.to_vec(), strays: Vec::new(), silence: None };
        let decision = self.order.hear(&heard, self.now, &self.policy).unwrap();
        self.take(decision);
    }

    fn status(&self, checkout: CheckoutNumber) -> CheckoutStatus {
        self.order.checkout_status(self.order.checkout(checkout).unwrap())
    }

    fn duty(&self) -> Option<Duty> {
        self.order.duty(self.now, &self.policy)
    }

    /// The latest attempt of the first give-back.
    fn latest(&self) -> AttemptId {
        AttemptId { give_back: 1, attempt: self.order.give_backs[0].attempts.last().unwrap().number }
    }

    fn plan(&mut self) {
        let decision = self.order.plan_give_back(1, "E1", ArchiveReference::from_bits(99), self.now).unwrap();
        self.take(decision);
    }

    fn send(&mut self) -> Sending {
        let sending = Sending { at: self.now, question: QuestionNumber::new(1).unwrap(), host: Host::Main };
        let decision = self.order.send_attempt(self.latest(), sending, self.now).unwrap();
        self.take(decision);
        sending
    }

    /// Plans, sends and rules on the next call of the first give-back.
    fn call(&mut self, ruling: Ruling) {
        self.plan();
        self.send();
        let decision = self.order.attempt_answered(self.latest(), &ruling, self.now, &self.policy).unwrap();
        self.take(decision);
    }

    fn ask_call(&mut self, findings: &[Finding]) {
        let decision = self.order.attempt_asked(self.latest(), Some(findings), self.now, &self.policy).unwrap();
        self.take(decision);
    }

    /// Asks about the call whenever it is due, for as long as it is in doubt and at most for three days.
    fn ask_call_until_settled(&mut self, findings: Option<&[Finding]>) {
        for _ in 0..3 * 24 * 60 {
            let AttemptState::InDoubt(doubt) = self.last_attempt() else { return };
            if doubt.next_ask <= self.now {
                let decision = self.order.attempt_asked(self.latest(), findings, self.now, &self.policy).unwrap();
                self.take(decision);
            }
            self.wait(1);
        }
    }

    fn last_attempt(&self) -> &AttemptState {
        &self.order.give_backs[0].attempts.last().unwrap().state
    }

    /// An order paid twice, by two tabs.
    fn paid_twice() -> Self {
        let mut world = Self::place(377_000);
        let first = world.check_out().unwrap();
        let second = world.check_out().unwrap();
        world.hear(second, &[(operation(2, 20), OperationStatus::Captured)]);
        world.hear(first, &[(operation(1, 10), OperationStatus::Captured)]);
        world
    }
}

#[test]
fn nothing_to_pay_is_settled_at_once() {
    let mut world = World::place(0);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    assert!(world.order.schedule.is_empty());
    assert_eq!(world.check_out(), Err(Refusal::Settled));
}

#[test]
fn a_total_below_the_minimum_is_refused() {
    let today = "2026-06-24".parse().unwrap();
    let faults = Order::place(new_order(99), today, Timestamp::UNIX_EPOCH, &policy()).unwrap_err();
    assert_eq!(faults[0].kind, FaultKind::BelowMinimum { minimum: 100 });
}

#[test]
fn a_confirmed_capture_settles_and_a_reported_one_only_waits() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    assert_eq!(world.status(checkout), CheckoutStatus::Issued);
    assert_eq!(world.paid(checkout, operation(1, 10)), Taken::New);
    assert_eq!(world.status(checkout), CheckoutStatus::Confirming);
    assert!(world.order.ledger.is_empty(), "a notification is a hint");
    assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
    assert_eq!(world.check_out(), Err(Refusal::ConfirmationInProgress));
    assert_eq!(world.order.cancel(None, world.now), Err(Refusal::ConfirmationInProgress));
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Captured)]);
    assert_eq!(world.status(checkout), CheckoutStatus::Captured);
    assert_eq!(world.order.paid().minor_units(), 377_000);
    assert!(matches!(world.order.status, Status::Settled { .. }));
    // Hearing it again changes nothing.
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Captured)]);
    assert_eq!(world.order.ledger.len(), 1);
}

#[test]
fn doubles_variants_and_floods_of_reports() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    let failed = || Says::Failed { code: "00151".to_owned() };
    assert_eq!(world.report(checkout, "1/10/00151", "a", failed()), Taken::New);
    assert_eq!(world.report(checkout, "1/10/00151", "a", failed()), Taken::Double);
    assert_eq!(world.report(checkout, "1/10/00151", "b", failed()), Taken::Variant);
    assert_eq!(world.status(checkout), CheckoutStatus::Refused);
    for index in 0..crate::domain::checkout::MAX_REPORTS - 1 {
        assert_eq!(world.report(checkout, &format!("{index}"), "a", failed()), Taken::New);
    }
    assert_eq!(world.report(checkout, "one more", "a", failed()), Taken::TooMany);
}

#[test]
fn a_failure_is_never_final() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.report(checkout, "1/10/00151", "a", Says::Failed { code: "00151".to_owned() });
    world.paid(checkout, operation(2, 10));
    world.hear(checkout, &[(operation(2, 10), OperationStatus::Captured)]);
    world.report(checkout, "3/10/00159", "a", Says::Failed { code: "00159".to_owned() });
    assert_eq!(world.status(checkout), CheckoutStatus::Captured);
}

#[test]
fn what_the_bank_says_of_an_operation() {
    use OperationStatus::{Authorised, Cancelled, Captured, Credited, Other, Refunded, Refused, Rejected};
    for (status, expected) in [
        (Captured, CheckoutStatus::Captured),
        (Authorised, CheckoutStatus::Confirming),
        (Cancelled, CheckoutStatus::Issued),
        (Refused, CheckoutStatus::Issued),
        (Refunded, CheckoutStatus::Quarantined),
        (Credited, CheckoutStatus::Quarantined),
        (Rejected, CheckoutStatus::Quarantined),
        (Other("Volé".to_owned()), CheckoutStatus::Quarantined),
    ] {
        let mut world = World::place(377_000);
        let checkout = world.check_out().unwrap();
        world.hear(checkout, &[(operation(1, 10), status.clone())]);
        assert_eq!(world.status(checkout), expected, "{status:?}");
        let may_pay = world.check_out();
        let refusal = match status {
            Captured => Some(Refusal::Settled),
            Authorised => Some(Refusal::ConfirmationInProgress),
            Cancelled | Refused => None,
            Refunded | Credited | Rejected | Other(_) => Some(Refusal::Quarantined),
        };
        assert_eq!(may_pay.err(), refusal, "{status:?}");
    }
}

#[test]
fn an_authorisation_is_asked_about_again_and_counts_only_where_configured() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.wait(31);
    world.take(world.order.expire(checkout, world.now).unwrap());
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    assert!(world.order.ledger.is_empty());
    world.wait(1);
    assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
    world.policy.authorised_counts = true;
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    assert_eq!(world.order.paid().minor_units(), 377_000);
}

#[test]
fn an_unconfirmed_report_does_not_hold_the_order_for_ever() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.paid(checkout, operation(666, 66));
    world.hear(checkout, &[]);
    assert_eq!(world.status(checkout), CheckoutStatus::Confirming);
    world.wait(10);
    world.hear(checkout, &[]);
    assert_eq!(world.status(checkout), CheckoutStatus::Issued);
    assert!(world.history.iter().any(|(event, _)| matches!(event, Event::ReportDoubted { .. })));
    // The payer pays in another way; should the first be confirmed after all, it is surplus.
    let second = world.check_out().unwrap();
    world.hear(second, &[(operation(2, 20), OperationStatus::Captured)]);
    world.hear(checkout, &[(operation(666, 66), OperationStatus::Captured)]);
    assert_eq!(world.order.paid().minor_units(), 377_000);
    assert_eq!(world.order.surplus().minor_units(), 377_000);
}

#[test]
fn a_report_that_the_bank_contradicts_is_doubted_at_once() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.paid(checkout, operation(1, 10));
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Refused)]);
    assert_eq!(world.status(checkout), CheckoutStatus::Issued);
}

#[test]
fn a_silent_bank_doubts_nothing_and_is_asked_again_later_and_later() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.paid(checkout, operation(1, 10));
    world.wait(11);
    for wait in [1, 5, 5] {
        let heard = Heard {
            checkout,
            asked_at: world.now,
            seen: Vec::new(),
            strays: Vec::new(),
            silence: Some("no answer".to_owned()),
        };
        let decision = world.order.hear(&heard, world.now, &world.policy).unwrap();
        world.take(decision);
        assert_eq!(world.status(checkout), CheckoutStatus::Confirming);
        assert_eq!(world.duty(), None, "nobody hammers a silent bank");
        let next = world.order.wake_at(&world.policy);
        assert_eq!(next, Some(world.now + SignedDuration::from_mins(wait)));
        world.wait(wait);
    }
}

#[test]
fn news_that_come_while_the_bank_is_being_asked_are_not_answered_by_it() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    let heard = Heard { checkout, asked_at: world.now, seen: Vec::new(), strays: Vec::new(), silence: None };
    world.wait(1);
    world.paid(checkout, operation(1, 10));
    let decision = world.order.hear(&heard, world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
}

#[test]
fn at_most_one_checkout_is_open_and_a_paid_one_closes_the_others() {
    let mut world = World::place(377_000);
    let first = world.check_out().unwrap();
    let second = world.check_out().unwrap();
    assert_eq!(world.order.checkout(first).unwrap().closed, Some(Closed::Superseded));
    world.hear(first, &[(operation(1, 10), OperationStatus::Captured)]);
    assert_eq!(world.status(first), CheckoutStatus::Captured);
    assert_eq!(world.status(second), CheckoutStatus::Superseded);
}

#[test]
fn a_link_is_followed_again_and_again_under_new_references() {
    let mut world = World::place(377_000);
    let link = world.check_out().unwrap();
    let mut references = std::collections::BTreeSet::new();
    for follow in 0..crate::domain::checkout::MAX_FOLLOWS {
        let decision = world.follow(link, follow as u64);
        world.take(decision);
        let page = world.order.page_of(link).unwrap();
        assert!(page.is_open() && page.handed_over);
        references.insert(page.reference.clone());
    }
    assert_eq!(references.len(), crate::domain::checkout::MAX_FOLLOWS, "PAYBOX takes a reference once");
    // Every one of them may be paid; what is too much goes back.
    world.hear(CheckoutNumber(3), &[(operation(3, 30), OperationStatus::Captured)]);
    world.hear(link, &[(operation(1, 10), OperationStatus::Captured)]);
    assert_eq!((world.order.paid().minor_units(), world.order.surplus().minor_units()), (377_000, 377_000));
    let before = world.order.checkouts.len();
    let late = world.follow(link, 7);
    assert_eq!((late.events.len(), late.order.checkouts.len()), (0, before), "nothing is left to pay");

    // A link lives as long as its form may be handed over, however often it is followed.
    let mut world = World::place(377_000);
    let link = world.check_out().unwrap();
    world.wait(15);
    let late = world.follow(link, 7);
    assert!(late.events.is_empty());
}

#[test]
fn late_money_never_reopens_an_order() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.take(world.order.cancel(None, world.now).unwrap());
    assert_eq!(world.status(checkout), CheckoutStatus::Withdrawn);
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Captured)]);
    assert!(matches!(world.order.status, Status::Cancelled { .. }));
    assert_eq!(world.order.surplus().minor_units(), 377_000);
    assert_eq!(world.duty(), Some(Duty::PlanGiveBack { give_back: 1 }));
}

#[test]
fn every_checkout_is_asked_for_even_if_nothing_was_ever_heard() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    assert_eq!(world.duty(), None);
    world.wait(5);
    assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
    world.hear(checkout, &[]);
    world.wait(25);
    assert_eq!(world.duty(), Some(Duty::Expire { checkout }));
    world.take(world.order.expire(checkout, world.now).unwrap());
    for wait in [60, 23 * 60] {
        assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
        world.hear(checkout, &[]);
        assert_eq!(world.duty(), None);
        world.wait(wait);
    }
    assert_eq!(world.duty(), Some(Duty::Ask { checkout }));
    world.hear(checkout, &[]);
    assert_eq!(world.order.wake_at(&world.policy), None);
}

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
    assert!(world.order.plan_give_back(1, "E1", ArchiveReference::from_bits(5), world.now).is_err());
    world.wait(1);
    assert!(matches!(world.duty(), Some(Duty::AskGiveBack { .. })));
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
    let refused = || Ruling::Refused { code: "00021".to_owned() };
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
    let decision = world.order.postpone_attempt(world.latest(), world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.duty(), None, "the bank is not there yet");
    world.wait(1);
    assert!(matches!(world.duty(), Some(Duty::SendGiveBack { .. })));
    let sending = world.send();
    assert!(world.order.send_attempt(world.latest(), sending, world.now).is_err(), "never twice");
    assert_eq!(world.duty(), None);
    world.wait(2);
    assert_eq!(world.duty(), Some(Duty::DoubtGiveBack { of: world.latest() }));

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

#[test]
fn an_authorisation_holds_the_order_and_is_asked_about_later_and_later() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.paid(checkout, operation(1, 10));
    world.wait(10);
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
    assert_eq!(world.status(checkout), CheckoutStatus::Confirming);
    assert_eq!(world.check_out(), Err(Refusal::ConfirmationInProgress));
    world.wait(2 * 24 * 60);
    world.take(world.order.expire(checkout, world.now).unwrap());
    let mut waits = Vec::new();
    for _ in 0..3 {
        world.hear(checkout, &[(operation(1, 10), OperationStatus::Authorised)]);
        let next = world.order.wake_at(&world.policy).unwrap();
        waits.push((next - world.now).total(jiff::Unit::Minute).unwrap() as i64);
        world.now = next;
    }
    assert_eq!(waits, [5, 5, 5]);
    // It lapsed: the order is free again.
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Cancelled)]);
    assert_eq!(world.status(checkout), CheckoutStatus::Expired);
    assert!(world.check_out().is_ok());
}

#[test]
fn a_second_session_of_one_page_is_put_before_a_person() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.paid(checkout, operation(1, 10));
    world.paid(checkout, operation(2, 20));
    assert_eq!(world.order.reported(checkout, &operation(2, 20)), [operation(1, 10)]);
    let heard = Heard {
        checkout,
        asked_at: world.now,
        seen: vec![(operation(2, 20), OperationStatus::Captured)],
        strays: vec![operation(1, 10)],
        silence: None,
    };
    let decision = world.order.hear(&heard, world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.order.paid().minor_units(), 377_000);
    assert!(world.order.knows(&operation(1, 10).number));
}

#[test]
fn what_waits_for_a_person_cannot_be_cancelled_away() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Other("Volé".to_owned()))]);
    assert_eq!(world.order.cancel(None, world.now), Err(Refusal::Quarantined));
}

#[test]
fn variants_commute_and_a_flood_swallows_no_reason_to_ask() {
    let both = |first: Says, second: Says| {
        let mut world = World::place(377_000);
        let checkout = world.check_out().unwrap();
        world.report(checkout, "1/10/00000", "a", first);
        world.report(checkout, "1/10/00000", "b", second);
        world.status(checkout)
    };
    let paid = || Says::Paid { operation: operation(1, 10), doubted: false };
    assert_eq!(both(paid(), Says::Pending), both(Says::Pending, paid()));

    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    world.wait(2 * 24 * 60);
    world.hear(checkout, &[]);
    for number in 0..crate::domain::checkout::MAX_REPORTS {
        world.report(checkout, &format!("{number}/1/00151"), "d", Says::Failed { code: "00151".to_owned() });
    }
    assert_eq!(world.paid(checkout, operation(99, 1)), Taken::TooMany);
    assert!(!world.order.checkout(checkout).unwrap().asks.is_empty());
}

#[test]
fn an_operation_of_another_order_is_put_before_a_person_once() {
    let mut world = World::place(377_000);
    let checkout = world.check_out().unwrap();
    for _ in 0..2 {
        let decision = world.order.quarantine(checkout, &operation(1, 10), "another order's", world.now).unwrap();
        world.take(decision);
    }
    assert_eq!(world.order.checkout(checkout).unwrap().quarantine.len(), 1);
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Captured)]);
    assert!(world.order.ledger.is_empty());
}

/// News of one order: notifications of two checkouts, and the bank's answers about them.
#[derive(Clone, Debug)]
enum News {
    Failed(u32, u64),
    Paid(u32, u64),
    Heard(u32, u64),
}

fn news() -> impl Strategy<Value = Vec<News>> {
    let all = vec![
        News::Failed(1, 11),
        News::Failed(2, 21),
        News::Paid(1, 12),
        News::Paid(2, 22),
        News::Heard(1, 12),
        News::Heard(2, 22),
    ];
    // Every piece of news comes, some of it twice, in any order.
    let doubled = proptest::sample::subsequence(all.clone(), 0..=all.len());
    doubled.prop_map(move |doubled| all.iter().cloned().chain(doubled).collect::<Vec<_>>()).prop_shuffle()
}

proptest! {
    #[test]
    fn notifications_commute(news in news()) {
        let mut world = World::place(377_000);
        let first = world.check_out().unwrap();
        let second = world.check_out().unwrap();
        for item in news {
            match item {
                News::Failed(checkout, number) => {
                    let says = Says::Failed { code: "00151".to_owned() };
                    world.report(CheckoutNumber(checkout), &format!("{number}/1/00151"), "d", says);
                }
                News::Paid(checkout, number) => {
                    world.paid(CheckoutNumber(checkout), operation(number, 1));
                }
                News::Heard(checkout, number) => {
                    world.hear(CheckoutNumber(checkout), &[(operation(number, 1), OperationStatus::Captured)]);
                }
            }
        }
        prop_assert_eq!(world.status(first), CheckoutStatus::Captured);
        prop_assert_eq!(world.status(second), CheckoutStatus::Captured);
        prop_assert_eq!(world.order.paid().minor_units(), 377_000);
        prop_assert_eq!(world.order.surplus().minor_units(), 377_000);
        let settled = matches!(world.order.status, Status::Settled { .. });
        prop_assert!(settled);
    }
}

#[test]
fn stored_orders_and_events_are_read_back_as_they_were() {
    let world = World::paid_twice();
    let stored = serde_json::to_string(&world.order).unwrap();
    assert_eq!(serde_json::from_str::<Order>(&stored).unwrap(), world.order);
    for (event, _) in &world.history {
        let stored = serde_json::to_string(event).unwrap();
        assert_eq!(&serde_json::from_str::<Event>(&stored).unwrap(), event);
    }
}

/// Events written by the first version are read for ever; a change that breaks this file loses history.
#[test]
fn events_of_version_1_are_still_read() {
    let golden = include_str!("events-v1.json");
    let events: Vec<crate::domain::event::Recorded> = serde_json::from_str(golden).unwrap();
    let order = Order::replay(events.iter().map(|recorded| (&recorded.event, recorded.at))).unwrap();
    assert_eq!(order.paid().minor_units(), 377_000);
    assert_eq!(order.surplus().minor_units(), 0);
    assert_eq!(serde_json::to_value(&events).unwrap(), serde_json::from_str::<serde_json::Value>(golden).unwrap());
}
