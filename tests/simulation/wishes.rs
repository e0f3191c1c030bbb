//! What portals, accounting and payers want of an order, as far as it makes sense where the order stands; and sometimes
//! where it does not.

use guichet::{
    app::{checkout::Pays, corrections::Correction, plans::PlanOrder},
    domain::{
        order::{Offer, Order, Status},
        plan::PlanState,
        retry::RefusalClass,
        schedule::Instalment,
    },
};

use crate::{corrections, world::Inner};

#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Nothing,
    CheckOut(Pays),
    Request(&'static str),
    Withdraw,
    Approve(String),
    Refuse,
    Plan(PlanOrder),
    Retry(u32),
    Correct(Correction),
    Cancel,
    /// Another order takes its place.
    Replace,
    Preview,
    /// The payer's account, of a day so many days from today.
    Account(i64),
}

/// What somebody wants now, and in how many seconds somebody looks again.
pub(crate) fn wish(inner: &mut Inner, order: &Order, offer: Option<&Offer>) -> (Wish, i64) {
    let (minute, hour, day) = (60, 3_600, 86_400);
    let wish = wish_of(inner, order, offer);
    let soon = match (&order.status, order.plan().map(|plan| &plan.state)) {
        (Status::Open, Some(PlanState::Active { .. } | PlanState::Ended { .. })) => inner.rng.between(hour, 9 * day),
        (Status::Open, _) => *inner.rng.pick(&[5 * minute, 20 * minute, hour, 8 * hour, day, 2 * day]),
        _ => inner.rng.between(day, 20 * day),
    };
    (wish, soon)
}

fn wish_of(inner: &mut Inner, order: &Order, offer: Option<&Offer>) -> Wish {
    if inner.rng.chance(20) {
        return Wish::Account(inner.rng.between(-60, 3));
    }
    let is_over = !matches!(order.status, Status::Open);
    if !order.overpaid().is_zero() && inner.rng.chance(300) {
        return corrections::wish(inner, order);
    }
    // Who heard nothing of a debit wants none of it any more.
    let is_unpaid = order.schedule.iter().all(|due| !due.paid);
    let often = if is_unpaid { 900 } else { 50 };
    if !is_over && order.schedule.iter().any(Instalment::is_at_bank) && inner.rng.chance(often) {
        return Wish::Cancel;
    }
    // A grant that is known late, when a copy of before may yet come back.
    let is_active = matches!(order.plan().map(|plan| &plan.state), Some(PlanState::Active { .. }));
    if is_active && inner.backup.is_some() && inner.rng.chance(60) {
        return corrections::grant(inner, order);
    }
    let is_soft = |due: &&Instalment| due.arrears.as_ref().is_some_and(|why| why.class == RefusalClass::Soft);
    if let Some(due) = order.schedule.iter().find(is_soft)
        && inner.rng.chance(150)
    {
        return Wish::Retry(due.number);
    }
    if !order.ledger.is_empty() && inner.rng.chance(if is_over { 120 } else { 40 }) {
        return corrections::wish(inner, order);
    }
    let roll = inner.rng.below(100);
    let pages = order.checkouts.iter().filter(|page| page.link == page.number).count();
    // Who was just given a page mostly uses it.
    let was_given = order.checkouts.last().is_some_and(|page| inner.now < page.expires_at);
    if (was_given && roll < 85) || (pages > 6 && roll < 95) {
        return Wish::Nothing;
    }
    let roll = inner.rng.below(100);
    let template = *inner.rng.pick(&["three", "five"]);
    let Some(plan) = order.plan() else {
        return match roll {
            0..=9 => Wish::CheckOut(Pays::Next),
            10..=89 => Wish::Request(template),
            90..=92 => Wish::Cancel,
            93..=95 => Wish::Replace,
            _ => Wish::Nothing,
        };
    };
    if !matches!(order.status, Status::Open) {
        return if roll < 20 { Wish::CheckOut(Pays::Next) } else { Wish::Nothing };
    }
    match &plan.state {
        PlanState::Requested => match roll {
            0..=69 => Wish::Approve(plan.terms.clone()),
            70..=74 => Wish::Refuse,
            75..=79 => Wish::Withdraw,
            80..=84 => Wish::Request(template),
            85..=89 => Wish::CheckOut(Pays::Next),
            _ => Wish::Nothing,
        },
        PlanState::Approved { .. } => match roll {
            0..=79 => offer.map_or(Wish::Nothing, |offer| {
                Wish::CheckOut(Pays::FirstInstalment { accepted_terms: offer.hash.clone() })
            }),
            80..=82 => Wish::CheckOut(Pays::Next),
            83..=86 => Wish::Withdraw,
            87..=88 => Wish::Cancel,
            89..=90 => Wish::Replace,
            _ => Wish::Nothing,
        },
        PlanState::Refused { .. } | PlanState::Withdrawn { .. } => match roll {
            0..=59 => Wish::Request(template),
            60..=79 => Wish::CheckOut(Pays::Next),
            _ => Wish::Nothing,
        },
        PlanState::Active { paused: true, .. } if roll < 10 => Wish::Plan(PlanOrder::Resume),
        PlanState::Active { paused: true, .. } if roll < 80 => Wish::Nothing,
        // When a debit is due, payers and accounting are in its way most.
        PlanState::Active { .. } if roll < 60 && is_due(inner, order) => match roll {
            0..=25 => Wish::CheckOut(Pays::Next),
            26 => Wish::CheckOut(Pays::Rest),
            27..=29 => Wish::CheckOut(Pays::ChangeCard),
            30..=37 => Wish::Plan(PlanOrder::Pause),
            38..=41 => Wish::Plan(PlanOrder::Cancel),
            42..=46 => corrections::wish(inner, order),
            _ => Wish::Nothing,
        },
        PlanState::Active { .. } => match roll {
            0..=2 => Wish::Plan(PlanOrder::Pause),
            3..=4 => Wish::Plan(PlanOrder::Cancel),
            11..=14 => Wish::CheckOut(Pays::Next),
            18..=21 => Wish::CheckOut(Pays::Instalment(u32::try_from(inner.rng.between(1, 5)).unwrap())),
            25..=59 => match order.schedule.iter().find(|due| due.arrears.is_some()) {
                Some(due) if roll < 36 => Wish::Retry(due.number),
                Some(_) if roll < 44 => Wish::CheckOut(Pays::ChangeCard),
                Some(due) => Wish::CheckOut(Pays::Instalment(due.number)),
                None => Wish::Nothing,
            },
            60..=65 => Wish::Preview,
            66 => Wish::Cancel,
            67 => Wish::CheckOut(Pays::Rest),
            68..=70 => Wish::CheckOut(Pays::ChangeCard),
            _ => Wish::Nothing,
        },
        PlanState::Ended { .. } => match roll {
            0..=29 => Wish::CheckOut(Pays::Next),
            30 => Wish::Plan(PlanOrder::Resume),
            _ => Wish::Nothing,
        },
    }
}

fn is_due(inner: &Inner, order: &Order) -> bool {
    let today = inner.now.to_zoned(inner.zone.clone()).date();
    order.schedule.iter().any(|due| !due.paid && due.next_on.is_some_and(|on| on <= today))
}
