//! What is stored is read back, for ever.

use super::*;

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
    let golden = include_str!("../events-v1.json");
    let events: Vec<crate::domain::event::Recorded> = serde_json::from_str(golden).unwrap();
    let order = Order::replay(events.iter().map(|recorded| (&recorded.event, recorded.at))).unwrap();
    assert_eq!(order.paid().minor_units(), 377_000);
    assert_eq!(order.surplus().minor_units(), 0);
    assert_eq!(serde_json::to_value(&events).unwrap(), serde_json::from_str::<serde_json::Value>(golden).unwrap());
}

/// The same of plans: one that was requested twice, refused a card, was debited, refused, paused and is complete.
#[test]
fn events_of_plans_of_version_1_are_still_read() {
    let golden = include_str!("../events-v1-plans.json");
    let events: Vec<crate::domain::event::Recorded> = serde_json::from_str(golden).unwrap();
    let order = Order::replay(events.iter().map(|recorded| (&recorded.event, recorded.at))).unwrap();
    assert_eq!(order.paid().minor_units(), 60_100);
    assert_eq!(planning::kinds(&events).len(), 27);
    assert_eq!(serde_json::to_value(&events).unwrap(), serde_json::from_str::<serde_json::Value>(golden).unwrap());
}
