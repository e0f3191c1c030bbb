//! What accounting may want to correct.

use guichet::{
    app::corrections::Correction,
    domain::{
        correction::{JournalKind, Rest},
        money::{Currency, Money},
        order::{Against, Order},
    },
};
use jiff::ToSpan;

use crate::{school::text, wishes::Wish, world::Inner};

/// A correction of an order of which something was paid.
pub(crate) fn wish(inner: &mut Inner, order: &Order) -> Wish {
    let reason = text("à la demande du service");
    let today = inner.now.to_zoned(inner.zone.clone()).date();
    let is_active = order.plan().is_some_and(|plan| plan.card().is_some());
    let owed: Vec<u32> = order.schedule.iter().filter(|due| due.is_owed()).map(|due| due.number).collect();
    let any = u32::try_from(inner.rng.between(1, 5)).unwrap();
    let instalment = if owed.is_empty() || inner.rng.chance(100) { any } else { *inner.rng.pick(&owed) };
    // What was paid too much is given back first.
    let overpaid = !order.overpaid().is_zero();
    let roll = if overpaid { inner.rng.between(20, 59).unsigned_abs() } else { inner.rng.below(100) };
    let correction = match roll {
        0..=19 => Correction::Credit { amount: part(inner, order.owed_in_all()), reason },
        20..=59 => {
            let overpaid = order.overpaid();
            let is_surplus = (!overpaid.is_zero() && inner.rng.chance(700)) || inner.rng.chance(60);
            let (against, amount) = if is_surplus {
                (Against::Surplus, part(inner, overpaid))
            } else {
                (Against::CreditNote, part(inner, order.paid()))
            };
            // Some forget to say what becomes of the plan, or say it of none.
            let is_said = is_active != inner.rng.chance(50);
            let rest = is_said.then(|| *inner.rng.pick(&[Rest::Keep, Rest::Keep, Rest::Cancel]));
            inner.count(match rest {
                Some(Rest::Cancel) => "refund: and the rest is cancelled",
                Some(Rest::Keep) => "refund: and the rest is kept",
                None => "refund: of no plan",
            });
            Correction::Refund { amount, against, rest, reason }
        }
        60..=62 => Correction::CancelRest { reason },
        63..=65 => Correction::Default,
        66..=77 => {
            let on = today.saturating_sub(inner.rng.between(0, 9).days());
            let reference = text("chèque 4711");
            Correction::Journal { instalment, kind: JournalKind::PaidElsewhere { on, reference }, reason }
        }
        78..=83 => Correction::Journal { instalment, kind: JournalKind::WrittenOff, reason },
        84..=95 => {
            let due = today.saturating_add(inner.rng.between(-1, 50).days());
            Correction::Reschedule { instalment, due, reason }
        }
        // What the bank did not take back is not to be booked as taken back: accounting reads its statements.
        _ => return Wish::Account(-1),
    };
    Wish::Correct(correction)
}

/// So much less is owed that the next debit is smaller, and the last.
pub(crate) fn grant(inner: &mut Inner, order: &Order) -> Wish {
    let mut owed = order.schedule.iter().filter(|due| due.is_owed()).map(|due| due.amount.minor_units());
    let next = owed.next().unwrap_or_default();
    let units = owed.sum::<i64>() + inner.rng.between(1, next.max(2) - 1);
    let amount = Money::new(units, Currency::Eur).unwrap();
    Wish::Correct(Correction::Credit { amount, reason: text("bourse") })
}

/// All of it, a part, or a little more than there is.
fn part(inner: &mut Inner, whole: Money) -> Money {
    let units = whole.minor_units();
    let chosen = match inner.rng.below(10) {
        0..=2 => units,
        3..=7 => inner.rng.between(1, units.max(1)),
        8 => inner.rng.between(1, 500).min(units.max(1)),
        _ => units + 1,
    };
    Money::new(chosen, Currency::Eur).unwrap()
}
