//! Orders walked through what can happen to them. Every step is replayed from its events, so state and history agree.

mod accounts;
mod before_a_debit;
mod cards;
mod confirming;
mod correcting;
mod debiting;
mod doubting;
mod first_instalment;
mod giving_back;
mod hostile;
mod judging;
mod links;
mod placing;
mod planning;
mod same_page;
mod stored;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::domain::{
    attempt::{AttemptState, Doubt, Host, Sending},
    bank::{ArchiveReference, Finding, Operation, OperationStatus, Ruling},
    checkout::{Billing, Closed, Says},
    fault::FaultKind,
    give_back::GiveBackStatus,
    ids::TokenDigest,
    money::Currency,
    numbers::{CallNumber, QuestionNumber},
    payer::Email,
    policy::Policy,
    purpose::{AttemptId, Purpose},
};

pub(in crate::domain) fn policy() -> Policy {
    let minutes = SignedDuration::from_mins;
    Policy {
        form_lifetime: minutes(15),
        page_lifetime: minutes(15),
        ask_after_issue: vec![minutes(5)],
        ask_after_expiry: vec![minutes(0), minutes(60), minutes(24 * 60)],
        ask_after_news: vec![minutes(0), minutes(1), minutes(10)],
        ask_after_silence: vec![minutes(1), minutes(5)],
        hold_for_report: minutes(10),
        capture_awaited: SignedDuration::from_hours(7 * 24),
        send_within: SignedDuration::from_secs(5),
        doubt_settles: minutes(10),
        doubt_ladder: vec![minutes(1), minutes(11), minutes(60)],
        answer_grace: SignedDuration::from_secs(90),
        send_again: SignedDuration::from_secs(30),
        authorised_counts: false,
        signature_is_enough: false,
        minimum_amount: 100,
        denials: 4,
        denials_span: minutes(24 * 60),
        card_wait: minutes(30),
        capture_within: minutes(24 * 60),
        cards: Default::default(),
        retry: Default::default(),
        card_check: 100,
        settlement_after: minutes(20 * 60),
        settlement_every: minutes(24 * 60),
        verdicts_within: minutes(24 * 60),
        subscriber_calls: false,
        zone: jiff::tz::TimeZone::get("Europe/Paris").unwrap(),
        zones: Default::default(),
    }
}

fn text(raw: &str) -> Text {
    Text::parse(raw, 100).unwrap()
}

pub(in crate::domain) fn new_order(unit_price: i64) -> NewOrder {
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

pub(in crate::domain) fn operation(number: u64, call: u64) -> Operation {
    Operation { number: OperationNumber::try_from(number).unwrap(), call: CallNumber::try_from(call).unwrap() }
}

fn new_call(bits: u64) -> NewCall {
    NewCall { prefix: "E1".to_owned(), archive: ArchiveReference::from_bits(bits) }
}

fn refused() -> Ruling {
    Ruling::Refused { code: "00021".to_owned(), class: None }
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
        assert_eq!(decision.order.breaches(), Vec::new());
        self.order = decision.order;
    }

    fn wait(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    fn new_checkout(&self) -> NewCheckout {
        let count = self.order.checkouts.len();
        NewCheckout {
            token: TokenDigest(format!("token{count}")),
            archive: ArchiveReference::from_bits(count as u64),
            prefix: "E1".to_owned(),
            billing: Billing::Omitted,
            challenge: Challenge::NoPreference,
            locale: Locale::Fr,
            page_host: Host::Main,
            return_url: "https://portal.example/retour".to_owned(),
        }
    }

    fn check_out(&mut self) -> Result<CheckoutNumber, Refusal> {
        self.check_out_for(Way::Next)
    }

    fn check_out_for(&mut self, way: Way<'_>) -> Result<CheckoutNumber, Refusal> {
        let new = self.new_checkout();
        let decision = self.order.issue_checkout(new, way, self.now, &self.policy)?;
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
        let news = News { identity, digest, key: "key".to_owned(), says, card: None };
        let (decision, taken) = self.order.report(checkout, news, self.now, &self.policy).unwrap();
        self.take(decision);
        taken
    }

    fn paid(&mut self, checkout: CheckoutNumber, operation: Operation) -> Taken {
        let identity = format!("{}/{}/00000", operation.number, operation.call);
        self.report(checkout, &identity, "d", Says::Paid { operation, doubted: false })
    }

    fn hear(&mut self, checkout: CheckoutNumber, seen: &[(Operation, OperationStatus)]) {
        let heard = Heard {
            checkout,
            asked_at: self.now,
            seen: seen.to_vec(),
            strays: Vec::new(),
            card_type: None,
            unclear: false,
            silence: None,
        };
        let decision = self.order.hear(&heard, self.now, &self.policy).unwrap();
        self.take(decision);
    }

    fn status(&self, checkout: CheckoutNumber) -> CheckoutStatus {
        self.order.checkout_status(self.order.checkout(checkout).unwrap())
    }

    fn duty(&self) -> Option<Duty> {
        self.order.duty(self.now, &self.policy)
    }

    /// The first duty of this kind, whatever else is due.
    fn duty_of(&self, kind: impl Fn(&Duty) -> bool) -> Option<Duty> {
        let due = self.order.duties(&self.policy).filter(|(at, duty)| *at <= self.now && kind(duty));
        due.min_by_key(|(at, _)| *at).map(|(_, duty)| duty)
    }

    /// The latest attempt of the first give-back.
    fn latest(&self) -> AttemptId {
        let attempt = self.order.give_backs[0].attempts.last().unwrap().number;
        AttemptId { purpose: Purpose::GiveBack(1), attempt }
    }

    fn plan(&mut self) {
        let decision = self.order.plan_call(Purpose::GiveBack(1), new_call(99), self.now, &self.policy).unwrap();
        self.take(decision);
    }

    fn send(&mut self) -> Sending {
        let sending =
            Sending { at: self.now, question: QuestionNumber::new(1).unwrap(), host: Host::Main, dated: None };
        let decision = self.order.send_attempt(self.latest(), sending, self.now, &self.policy).unwrap();
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
        let asked = self.order.give_backs[0].attempts.last().unwrap().clone();
        let (of, now) = (self.latest(), self.now);
        let decision = self.order.attempt_asked(of, &asked, (Some(findings), false), now, now, &self.policy).unwrap();
        self.take(decision);
    }

    /// Asks about the call whenever it is due, for as long as it is in doubt and at most for three days.
    fn ask_call_until_settled(&mut self, findings: Option<&[Finding]>) {
        for _ in 0..3 * 24 * 60 {
            let AttemptState::InDoubt(doubt) = self.last_attempt() else { return };
            if doubt.next_ask <= self.now {
                let asked = self.order.give_backs[0].attempts.last().unwrap().clone();
                let (of, now) = (self.latest(), self.now);
                let decision = self.order.attempt_asked(of, &asked, (findings, false), now, now, &self.policy).unwrap();
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
