//! Asking for instalments, and accounting's answer; the helpers that the tests of plans share.

use super::*;
use crate::domain::{
    actor::Actor,
    plan::{PlanState, terms_hash},
    subscriber::SubscriberState,
    template::{Approver, Split, Template},
};

pub(super) fn template() -> Template {
    Template {
        code: "3x".to_owned(),
        label_fr: "3 fois".to_owned(),
        label_en: "3 times".to_owned(),
        count: 3,
        split: Split::Shares { percent: "33.33".parse().unwrap() },
        minimum_total: 0,
        maximum_total: None,
        minimum_instalment: 100,
        day_of_month: 10,
        time_zone: "Europe/Paris".to_owned(),
        window: None,
        approver: Approver::Accounting,
        refused_cards: Vec::new(),
    }
}

fn five() -> Template {
    let split = Split::First { fixed: None };
    Template { code: "5x".to_owned(), count: 5, split, minimum_total: 100_000, ..template() }
}

pub(super) fn person(name: &str) -> Actor {
    Actor::Key { key: "k1".to_owned(), person: Some(name.to_owned()), on_behalf_of: None }
}

impl World {
    pub(super) fn request(&mut self, template: &Template) -> Result<(), Refusal> {
        let portal = Actor::Key { key: "portal".to_owned(), person: None, on_behalf_of: None };
        let decision = self.order.request_plan(template, &portal, self.now, &self.policy)?;
        self.take(decision);
        Ok(())
    }

    pub(super) fn terms(&self) -> String {
        self.order.plan().unwrap().terms.clone()
    }

    pub(super) fn approve(&mut self, template: &Template, first: Option<i64>) -> Result<(), Refusal> {
        let first = first.map(|units| Money::new(units, Currency::Eur).unwrap());
        let terms = self.terms();
        let decision = self.order.approve_plan(template, &terms, first, None, &person("Dupont"), self.now)?;
        self.take(decision);
        Ok(())
    }

    /// Sets the clock.
    pub(super) fn at(&mut self, instant: &str) {
        self.now = instant.parse().unwrap();
    }
}

/// The types of these events.
pub(super) fn kinds(events: &[crate::domain::event::Recorded]) -> std::collections::BTreeSet<String> {
    let kind = |recorded: &crate::domain::event::Recorded| {
        serde_json::to_value(&recorded.event).unwrap()["type"].as_str().unwrap().to_owned()
    };
    events.iter().map(kind).collect()
}

fn amounts(world: &World) -> Vec<i64> {
    world.order.plan().unwrap().amounts.iter().map(|amount| amount.minor_units()).collect()
}

#[test]
fn a_plan_is_requested_changed_and_withdrawn_until_it_is_answered() {
    let mut world = World::place(377_000);
    assert_eq!(world.order.withdraw_plan(world.now), Err(Refusal::PlanNotRequested));
    world.request(&template()).unwrap();
    world.request(&five()).unwrap();
    assert_eq!(world.order.plans.len(), 2);
    assert!(matches!(world.order.plans[0].state, PlanState::Withdrawn { .. }), "the change takes its place");
    assert_eq!(amounts(&world), [75_400; 5]);
    let decision = world.order.withdraw_plan(world.now).unwrap();
    world.take(decision);
    assert_eq!(world.approve(&five(), None), Err(Refusal::PlanNotRequested));
    world.request(&template()).unwrap();
    world.approve(&template(), None).unwrap();
    assert_eq!(world.request(&five()), Err(Refusal::PlanUnderWay));
    let refuse = world.order.refuse_plan(text("trop tard"), &person("Dupont"), world.now);
    assert_eq!(refuse, Err(Refusal::PlanNotRequested));
    // An approved one may still be given up, and another asked for.
    let decision = world.order.withdraw_plan(world.now).unwrap();
    world.take(decision);
    world.request(&five()).unwrap();
}

#[test]
fn two_people_and_the_same_terms() {
    let mut world = World::place(377_000);
    let decision = world.order.request_plan(&template(), &person("Dupont"), world.now, &world.policy).unwrap();
    world.take(decision);
    assert_eq!(world.approve(&template(), None), Err(Refusal::ApproverIsRequester));
    world.request(&template()).unwrap();
    let other_key = Actor::Key { key: "portal".to_owned(), person: Some("Durand".to_owned()), on_behalf_of: None };
    let (order, terms, now) = (world.order.clone(), world.terms(), world.now);
    let approve =
        |template: &Template, terms: &str, by: &Actor| order.approve_plan(template, terms, None, None, by, now);
    assert_eq!(approve(&template(), &terms, &other_key), Err(Refusal::ApproverIsRequester), "its key alone asked");
    assert_eq!(approve(&template(), "other", &person("Dupont")), Err(Refusal::TermsChanged));
    let changed = Template { day_of_month: 5, ..template() };
    assert_eq!(approve(&changed, &terms, &person("Dupont")), Err(Refusal::TermsChanged), "the template changed");
    // What decides who may ask is no part of the terms.
    let reworded = Template { label_fr: "trois fois".to_owned(), minimum_total: 1, ..template() };
    assert!(approve(&reworded, &terms, &person("Dupont")).is_ok());
    let other_order = OrderId::from_bits(8);
    assert_ne!(
        terms_hash(other_order, &template(), &order.plan().unwrap().amounts),
        terms,
        "no order's stands for another's"
    );
}

#[test]
fn accounting_may_fix_the_first_amount() {
    let mut world = World::place(377_000);
    world.request(&five()).unwrap();
    let asked = world.terms();
    world.approve(&five(), Some(100_001)).unwrap();
    assert_eq!(amounts(&world), [100_001, 69_249, 69_249, 69_249, 69_252]);
    assert_ne!(world.terms(), asked, "the payer agrees to what was approved");
    let mut world = World::place(377_000);
    world.request(&template()).unwrap();
    let refusal = world.approve(&template(), Some(100_000));
    assert!(matches!(refusal, Err(Refusal::NotPossible(_))), "shares leave nothing to fix: {refusal:?}");
}

#[test]
fn a_plan_that_nobody_has_to_approve_is_approved_at_once() {
    let mut world = World::place(60_100);
    world.request(&Template { approver: Approver::Nobody, ..template() }).unwrap();
    assert!(world.order.plan().unwrap().is_approved());
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    for (total, template, expected) in [
        (99_999, five(), Refusal::NotPossible(NotPossible::BelowMinimum { minimum: 100_000 })),
        (200, template(), Refusal::NotPossible(NotPossible::InstalmentBelowMinimum { minimum: 100 })),
        (
            60_100,
            Template { maximum_total: Some(60_099), ..template() },
            Refusal::NotPossible(NotPossible::AboveMaximum { maximum: 60_099 }),
        ),
    ] {
        let mut world = World::place(total);
        let before = world.order.clone();
        assert_eq!(world.request(&template), Err(expected));
        assert_eq!(world.order, before);
    }
    let mut free = World::place(0);
    assert_eq!(free.request(&template()), Err(Refusal::Settled));
}

#[test]
fn paying_at_once_withdraws_a_plan_and_cancelling_does_too() {
    let mut world = World::place(60_100);
    world.request(&template()).unwrap();
    world.approve(&template(), None).unwrap();
    let checkout = world.check_out().unwrap();
    world.hear(checkout, &[(operation(1, 10), OperationStatus::Captured)]);
    assert!(matches!(world.order.plan().unwrap().state, PlanState::Withdrawn { .. }));
    assert!(matches!(world.order.status, Status::Settled { .. }));

    let mut world = World::place(60_100);
    world.request(&template()).unwrap();
    let decision = world.order.cancel(None, world.now).unwrap();
    world.take(decision);
    assert!(matches!(world.order.plan().unwrap().state, PlanState::Withdrawn { .. }));
    assert_eq!(world.request(&template()), Err(Refusal::Cancelled));
}

#[test]
fn pausing_resuming_and_cancelling() {
    let waiting = World::approved();
    assert_eq!(waiting.order.pause_plan(waiting.now), Err(Refusal::PlanNotActive));
    let mut world = World::active();
    let decision = world.order.pause_plan(world.now).unwrap();
    world.take(decision);
    assert_eq!(world.order.ready_on(), None);
    assert_eq!(world.order.pause_plan(world.now).unwrap().events, []);
    let decision = world.order.resume_plan(world.now).unwrap();
    world.take(decision);
    assert_eq!(world.order.ready_on(), Some("2026-07-10".parse().unwrap()));
    let decision = world.order.cancel_plan(world.now).unwrap();
    world.take(decision);
    assert_eq!(world.order.ready_on(), None);
    assert!(matches!(world.subscriber_states()[..], [SubscriberState::Unwanted { .. }]));
    assert_eq!(world.order.status, Status::Open, "the rest stays owed");
    assert_eq!(world.check_out().map(|number| world.order.checkout(number).unwrap().instalment), Ok(2));
}
