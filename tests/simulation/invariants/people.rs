//! A3: what waits for people is resolved by two of them, and by nothing else.

use guichet::domain::{
    actor::Actor,
    event::{Event, Recorded},
    order::Order,
};
use jiff::SignedDuration;

use crate::world::{Inner, Said};

/// Notes what people say, and looks for the two behind each resolution.
pub(super) fn said(inner: &mut Inner, after: &Order, recorded: &Recorded) {
    match &recorded.event {
        Event::VerdictGiven(given) => {
            let said = Said { by: recorded.actor.clone(), verdict: given.verdict, at: recorded.at };
            inner.said.entry((after.id, given.subject)).or_default().push(said);
        }
        Event::QuarantineResolved { subject, decision } => {
            let said = inner.said.remove(&(after.id, *subject)).unwrap_or_default();
            let recent = said.iter().filter(|said| {
                let age = recorded.at.duration_since(said.at);
                said.verdict == *decision && age < SignedDuration::from_hours(24)
            });
            let recent: Vec<(&str, &str)> = recent.filter_map(|said| person(&said.by)).collect();
            let are_two = recent.iter().any(|one| recent.iter().any(|other| one.0 != other.0 && one.1 != other.1));
            if !are_two {
                inner.violate("A3", format!("{subject:?} of {} is resolved as {decision:?} after {said:?}", after.id));
            }
        }
        _ => {}
    }
}

fn person(actor: &Actor) -> Option<(&str, &str)> {
    match actor {
        Actor::Key { key, person: Some(person), .. } => Some((key, person)),
        Actor::Key { .. } | Actor::Bank | Actor::Payer | Actor::Gateway => None,
    }
}
