//! What a seed's world is like for its whole life: the weather, and the oddities of its bank.

use jiff::SignedDuration;

use crate::rng::Rng;

#[derive(Clone, Debug)]
pub(crate) struct Nature {
    /// How much goes wrong; 10 is ordinary.
    pub(crate) weather: u64,
    pub(crate) months: i64,
    pub(crate) orders: u64,
    pub(crate) merchants: usize,
    pub(crate) same_site: bool,
    /// How far the clock of the second process is ahead.
    pub(crate) skew: SignedDuration,
    pub(crate) daily: bool,
    /// The bank finds no debit by its reference.
    pub(crate) blind_to_debits: bool,
    /// How long after its making an operation can be found.
    pub(crate) find_lag: SignedDuration,
    pub(crate) finds_refused: bool,
    /// What was given back in part shows as refunded.
    pub(crate) shows_parts_as_refunded: bool,
    /// The page takes cards that end before PBX_DATEVALMAX.
    pub(crate) ignores_last_month: bool,
    /// A name under which a card is kept takes another card.
    pub(crate) registers_again: bool,
    /// What a page captures at once shows as authorised at first.
    pub(crate) captures_late: bool,
    pub(crate) subscriber_calls: bool,
    pub(crate) nobody_approves: bool,
    pub(crate) per_minute: u32,
    /// The day of the month on which instalments fall due.
    pub(crate) due_day: i8,
    pub(crate) begins: Begins,
    /// The clocks of the processes are set now and then.
    pub(crate) clocks_step: bool,
    /// News are asked about again, and pages when they are over: operators choose.
    pub(crate) asks_often: bool,
    /// At the end all notifications come once more.
    pub(crate) echoes: bool,
    /// One day an older copy of the store takes its place.
    pub(crate) restores: bool,
}

/// When a life begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    Anywhere,
    /// A few days before a night on which the clocks change.
    ClocksChange,
    /// In the last hours of a month.
    MonthEnds,
}

impl Nature {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let find_lag =
            if rng.chance(150) { SignedDuration::from_mins(rng.between(1, 360)) } else { SignedDuration::ZERO };
        Self {
            weather: *rng.pick(&[0, 4, 10, 10, 10, 20, 40]),
            months: rng.between(3, 5),
            orders: *rng.pick(&[1, 1, 1, 1, 2, 3]),
            merchants: if rng.chance(250) { 2 } else { 1 },
            same_site: rng.chance(500),
            skew: if rng.chance(300) { SignedDuration::from_millis(rng.between(1, 900)) } else { SignedDuration::ZERO },
            daily: rng.chance(800),
            blind_to_debits: rng.chance(150),
            find_lag,
            finds_refused: rng.chance(500),
            shows_parts_as_refunded: rng.chance(150),
            ignores_last_month: rng.chance(400),
            registers_again: rng.chance(300),
            captures_late: rng.chance(120),
            subscriber_calls: rng.chance(300),
            nobody_approves: rng.chance(300),
            per_minute: *rng.pick(&[120, 120, 1]),
            due_day: *rng.pick(&[10, 10, 10, 10, 1, 29, 30, 31]),
            begins: *rng.pick(&[
                Begins::Anywhere,
                Begins::Anywhere,
                Begins::Anywhere,
                Begins::ClocksChange,
                Begins::MonthEnds,
            ]),
            clocks_step: rng.chance(300),
            asks_often: rng.chance(400),
            echoes: rng.chance(300),
            restores: rng.chance(200),
        }
    }
}
