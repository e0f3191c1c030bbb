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
    /// The page takes cards that end before PBX_DATEVALMAX.
    pub(crate) ignores_last_month: bool,
    /// A name under which a card is kept takes another card.
    pub(crate) registers_again: bool,
    /// What a page captures at once shows as authorised at first.
    pub(crate) captures_late: bool,
    pub(crate) subscriber_calls: bool,
    pub(crate) nobody_approves: bool,
    pub(crate) per_minute: u32,
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
            ignores_last_month: rng.chance(400),
            registers_again: rng.chance(300),
            captures_late: rng.chance(120),
            subscriber_calls: rng.chance(300),
            nobody_approves: rng.chance(300),
            per_minute: *rng.pick(&[120, 120, 1]),
        }
    }
}
