//! What must hold after every step, each under its number in the design. The judge is the bank's own ledger.
//!
//! | | checked in |
//! |---|---|
//! | I1, A2, I4, S1, I6, I11, I12 | `calls`: when a call is stored as sent, arrives, and is carried out |
//! | A2, S4 | `concluded`: when a call is concluded to be refused, or not to be done |
//! | I2, I3, I8, I19, I22, R1, R3 | `money`, at each commit of an order; `bank` for what is given back twice; `finale` for I3 |
//! | I5, I9, I10 | `finality`, at each commit; the matrix of all states beside all events is `domain/order/tests` |
//! | I7 | `bank::note_number`, at each question that reaches the bank |
//! | I13 | `finale`: all notifications once more, in another order, change nothing; `domain/order/tests` has the property |
//! | I14 | `cards`, at each commit and at each card that is forgotten; `finale` for what is left over |
//! | F1, F2 | `terms`: at each commit, and at each form that reaches the bank's page |
//! | I15, I16, C1 | `told`: what a browser or a notification leads to, what portals are told of, and at which positions |
//! | I17, A3 | `told` and `people`: the alarm that each doubt owes, the two people behind each resolution |
//! | I18, I19 | [`crate::backups`]: at each debit and each refund that is stored as sent |
//! | I8, R3 | `imports` and `drifts`: files that are brought, the drifts they show, what people enter |
//! | I20 | `finale`, and in it what is given back, settled and on accounts, by the bank's ledger |
//! | I21 | `secrets`: all that is stored, and all alarms; bytes on disk and in logs are `tests/gateway` and `tests/ppps` |
//! | replay | here: the events of each commit make its state |

pub(crate) mod calls;
mod cards;
mod concluded;
mod drifts;
mod finality;
pub(crate) mod imports;
mod money;
mod notice;
pub(crate) mod people;
pub(crate) mod secrets;
pub(crate) mod terms;
pub(crate) mod told;

pub(crate) use calls::{arrived, executed};
pub(crate) use cards::forgotten;
pub(crate) use money::given_back;

use guichet::domain::{
    chain::Link,
    event::{Event, Recorded},
    order::Order,
};

use crate::world::Inner;

/// The order as its events make it, which must be the one that is stored.
pub(crate) fn replayed(
    inner: &mut Inner,
    before: Option<&Order>,
    events: &[Recorded],
    (state, chain): (&str, Option<Link>),
) -> Option<Order> {
    let replayed = match before {
        None => Order::replay(events.iter().map(|recorded| (&recorded.event, recorded.at))),
        Some(before) => {
            let mut order = before.clone();
            events.iter().try_for_each(|recorded| order.apply(&recorded.event, recorded.at)).map(|()| order)
        }
    };
    match replayed {
        Ok(mut order) => {
            order.chain = chain;
            // Most commits change what the next one's events have to fit, too.
            if inner.rng.chance(250) && serde_json::to_string(&order).unwrap() != state {
                inner.violate("replay", format!("the events of {} do not make its state", order.id));
            }
            Some(order)
        }
        Err(why) => {
            inner.violate("replay", why.to_string());
            None
        }
    }
}

/// A commit of an order.
pub(crate) fn committed(inner: &mut Inner, before: Option<&Order>, after: &Order, events: &[Recorded]) {
    for recorded in events {
        notice::notice(inner, &recorded.event);
        told::told(inner, before, after, recorded);
        people::said(inner, after, recorded);
        concluded::what_is_done_is_not_denied(inner, after, &recorded.event);
        if let (Some(before), Event::AttemptSent { of, sending, on }) = (before, &recorded.event) {
            calls::stored_as_sent(inner, before, after, *of, sending, *on, recorded.at);
        }
    }
    money::booked(inner, before, after);
    imports::i8_reading_changes_no_order(inner, after.id);
    terms::f1_what_was_accepted_is_debited(inner, before, after, events);
    if let Some(before) = before {
        finality::followed(inner, before, after, events);
    }
    finality::i5_one_open_attempt(inner, after);
    cards::i14_active_with_an_accepted_card(inner, after);
    // What `guichet audit` looks for holds of every order that ever was.
    for breach in after.breaches() {
        inner.violate(breach.invariant, format!("{}: {}", after.id, breach.what));
    }
}
