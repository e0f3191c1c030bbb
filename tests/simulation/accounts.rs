//! Payers' accounts of any day, held against what happened until then.

use guichet::{
    app::{App, Error},
    domain::{
        event::Recorded,
        ids::OrderId,
        money::Currency,
        order::Order,
        position::{Position, Sums},
    },
};
use jiff::{Timestamp, ToSpan};

use crate::{
    school::caller,
    world::{Inner, World},
};

/// Asks for the account of an order's payer as it was so many days from today, and compares.
pub(crate) async fn compare(app: &App, world: &World, id: OrderId, days: i64) -> Result<(), Error> {
    let nature = world.with(|inner| inner.nature.clone());
    let caller = caller(&nature, "bertrand");
    let merchant =
        world.with(|inner| inner.store.orders().find(|order| order.id == id).map(|one| one.merchant.clone()));
    let Some(merchant) = merchant else { return Ok(()) };
    let on = world.with(|inner| inner.now.to_zoned(inner.zone.clone()).date().saturating_add(days.days()));
    let account = app.position(&caller, &merchant, "E1", Some(on)).await?;
    world.with(|inner| {
        inner.log(format_args!("account on {on}: {:?}", account.position.sums));
        // What happens today may have come between.
        if account.on < inner.now.to_zoned(inner.zone.clone()).date() {
            check(inner, merchant.as_str(), account.as_of, &account.position);
        }
    });
    Ok(())
}

fn check(inner: &mut Inner, merchant: &str, as_of: Timestamp, told: &Position) {
    let Some(orders) = as_they_were(inner, merchant, as_of) else { return };
    inner.count("account: of an earlier day");
    let then = Position::of(&orders, Currency::Eur, as_of);
    // Who has a plan today need not have had one then: that is told of today only.
    let timeless = |sums: Sums| Sums { financed: 0, ..sums };
    let is_same = timeless(told.sums) == timeless(then.sums) && told.position == then.position;
    if !is_same {
        inner.violate("position", format!("of {as_of}: {:?}, it was {:?}", told.sums, then.sums));
    }
    if told.position != told.credit - told.debit {
        inner.violate("position", format!("{} is not {} less {}", told.position, told.credit, told.debit));
    }
}

/// The orders of a merchant as their events until then make them; none when the clock was set back over that moment.
fn as_they_were(inner: &Inner, merchant: &str, as_of: Timestamp) -> Option<Vec<Order>> {
    let mut orders = Vec::new();
    for order in inner.store.orders().filter(|order| order.merchant.as_str() == merchant) {
        let events: Vec<Recorded> = inner.store.events_of(order.id);
        let until = events.iter().take_while(|recorded| recorded.at <= as_of).count();
        let (past, later) = events.split_at(until);
        if later.iter().any(|recorded| recorded.at <= as_of) {
            return None;
        }
        if !past.is_empty() {
            orders.push(Order::replay(past.iter().map(|recorded| (&recorded.event, recorded.at))).unwrap());
        }
    }
    Some(orders)
}
