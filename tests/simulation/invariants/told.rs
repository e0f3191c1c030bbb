//! I15, I16, I17, C1: who may make what happen, what portals are told, and what nobody may keep silent about.

use guichet::{
    app::event_document,
    domain::{
        actor::Actor,
        attempt::{AttemptState, Conclusion},
        checkout::Closed,
        event::{Event, Recorded},
        ledger::EntryKind,
        order::{Order, Status},
        schedule::Instalment,
    },
    ports::AlarmKind,
};

use crate::world::{Inner, OwedAlarm};

pub(super) fn told(inner: &mut Inner, before: Option<&Order>, after: &Order, recorded: &Recorded) {
    let event = &recorded.event;
    i15_only_the_bank_pays(inner, after, recorded);
    i16_paid_is_said_of_what_is_booked(inner, after, event);
    if before.is_some()
        && let Some(kind) = alarm_for(event)
        && let Some((process, commit)) = inner.committing
    {
        let (kind, order) = (kind.name(), after.id.to_string());
        inner.owed_alarms.push(OwedAlarm { process, commit, kind, order, is_due: false });
    }
}

/// I15, C1: a payer's browser and a notification are reasons to ask, and pay nothing.
fn i15_only_the_bank_pays(inner: &mut Inner, after: &Order, recorded: &Recorded) {
    let may = match &recorded.actor {
        Actor::Payer => match &recorded.event {
            Event::Prompted { .. } | Event::CheckoutHandedOver { .. } | Event::CheckoutIssued(_) => true,
            Event::CheckoutClosed { cause, .. } => *cause == Closed::Superseded,
            _ => false,
        },
        Actor::Bank => matches!(recorded.event, Event::Reported { .. } | Event::Prompted { .. }),
        Actor::Gateway | Actor::Key { .. } => true,
    };
    if !may {
        inner.violate("I15", format!("{:?} of {} by {:?}", recorded.event, after.id, recorded.actor));
    }
}

/// I16: what tells a portal of money is said of what is booked, and of nothing else.
fn i16_paid_is_said_of_what_is_booked(inner: &mut Inner, after: &Order, event: &Event) {
    let Some((kind, _)) = event_document::public(event) else { return };
    let booked = match event {
        Event::Captured { entry } | Event::GivenBack { entry, .. } => {
            after.ledger.contains(entry).then_some(&entry.kind)
        }
        _ => None,
    };
    let holds = match kind {
        "checkout.captured" => matches!(booked, Some(EntryKind::Capture { .. })),
        "instalment.debited" => matches!(booked, Some(EntryKind::Debit { .. })),
        "order.surplus" => matches!(booked, Some(EntryKind::Surplus { .. })),
        "order.given_back" => matches!(booked, Some(EntryKind::GivenBack { .. })),
        "order.settled" => {
            matches!(after.status, Status::Settled { .. }) && !after.schedule.iter().any(Instalment::is_owed)
        }
        _ => booked.is_none(),
    };
    if !holds {
        inner.violate("I16", format!("{} says {kind} of {event:?}", after.id));
    }
}

/// I16: who has read the feed up to a position finds all that follows after it, also when the store went back meanwhile.
pub(crate) fn i16_no_position_is_given_again(inner: &mut Inner, position: u64) {
    let before = std::mem::replace(&mut inner.last_position, position);
    if position <= before && !inner.lost.somebody_was_away {
        inner.violate("I16", format!("an event has position {position}, and others had come to {before}"));
    }
}

/// The alarm that an event owes: whatever is in doubt is never silent.
fn alarm_for(event: &Event) -> Option<AlarmKind> {
    match event {
        Event::AttemptAnswered { state: AttemptState::InDoubt(_), .. } => Some(AlarmKind::InDoubt),
        Event::AttemptAnswered { state: AttemptState::Quarantined { .. }, .. }
        | Event::AttemptAsked { conclusion: Conclusion::Quarantined { .. }, .. }
        | Event::Quarantined { .. } => Some(AlarmKind::Quarantined),
        Event::ReportDoubted { .. } => Some(AlarmKind::ReportDoubted),
        Event::Captured { entry } if matches!(entry.kind, EntryKind::Surplus { .. }) => Some(AlarmKind::Surplus),
        _ => None,
    }
}

/// The alarms of a commit will not be raised: it was not acknowledged, or its process is gone.
pub(crate) fn nobody_was_told(inner: &mut Inner, of: impl Fn(&OwedAlarm) -> bool) {
    let (lost, kept) = std::mem::take(&mut inner.owed_alarms).into_iter().partition(|owed| of(owed));
    inner.owed_alarms = kept;
    let lost: Vec<OwedAlarm> = lost;
    for owed in lost {
        inner.count("alarm: its process was gone before it");
        inner.untold.insert(owed.order);
    }
}

/// I17: what has been committed and acknowledged has been told of, before anything else happens.
pub(crate) fn i17_nothing_is_kept_silent(inner: &mut Inner) {
    if let Some(owed) = inner.owed_alarms.iter().find(|owed| owed.is_due).cloned() {
        inner.violate("I17", format!("nobody was told that {} is {}", owed.order, owed.kind));
    }
}
