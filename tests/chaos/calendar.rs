//! The days that pass in a test: the clock is put forward once all of a day is done.

use std::time::{Duration, Instant};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    bench::Bench,
    life::Life,
    portal::Portal,
    store::{Seen, attempts, is_for_people},
    traffic::Traffic,
};

/// How often it is looked whether there is something left to do today.
const LOOK: Duration = Duration::from_millis(250);
/// How long all that was begun may take to end: a campaign that cuts at each byte has hundreds of orders, and shares its
/// machine.
const PATIENCE: Duration = Duration::from_secs(600);
const PARIS: &str = "Europe/Paris";

pub(crate) struct Calendar<'a> {
    bench: &'a Bench,
    traffic: &'a Traffic,
    /// It became noon of this day…
    pub(crate) today: Date,
    /// …at this instant.
    noon_was: Instant,
    /// When what is in the store was last looked at.
    looked: Instant,
}

impl<'a> Calendar<'a> {
    pub(crate) fn new(bench: &'a Bench, traffic: &'a Traffic) -> Self {
        let today = Timestamp::now().to_zoned(TimeZone::get(PARIS).unwrap()).date();
        Self { bench, traffic, today, noon_was: Instant::now(), looked: Instant::now() }
    }

    /// Puts the clock forward once all of a day is done; whether there is nothing left for today.
    pub(crate) async fn go_on(&mut self, life: &mut Life) -> bool {
        if self.looked.elapsed() < LOOK {
            return false;
        }
        self.looked = Instant::now();
        let seen = Seen::read(&self.bench.store);
        let Some(next) = seen.next_debit() else { return false };
        // What is due today is taken up by today's run, and what that left by tomorrow's.
        let target = if next > self.today { next } else { self.today.tomorrow().unwrap() };
        let is_over = next > self.today || seen.has_ended(self.today);
        if !is_over || !self.traffic.hold() || seen.open() > 0 {
            return false;
        }
        let bench = self.bench;
        tokio::select! {
            () = self.come_to(target) => {}
            // It may be on record all the same, which the next life tells.
            () = until_dead(life, bench) => return false,
        }
        self.traffic.release();
        true
    }

    /// It becomes noon of a day.
    pub(crate) async fn come_to(&mut self, day: Date) {
        Portal { bench: self.bench }.come_to(noon(day)).await;
        (self.today, self.noon_was) = (day, Instant::now());
    }

    /// Whether each refund that the bank has carried out is known to be.
    fn are_refunds_found(&self, seen: &Seen) -> bool {
        let world = self.bench.sandbox.sandbox.world();
        let at_bank = |reference: &str| world.ledger.iter().any(|operation| operation.reference == reference);
        let mut waiting = seen.orders.iter().flat_map(attempts).filter(|attempt| is_for_people(attempt));
        !waiting.any(|attempt| at_bank(attempt.call.names().0.as_str()))
    }

    /// Waits until there is nothing left that the gateway owes by today, and gives what is in its store then.
    pub(crate) async fn until_all_is_done(&mut self, life: &mut Life) -> Seen {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = noon(self.today).checked_add(self.noon_was.elapsed()).unwrap();
            let seen = Seen::read(&self.bench.store);
            let is_paid = seen.next_debit().is_none_or(|next| next > self.today);
            if is_paid
                && seen.open() == 0
                && self.are_refunds_found(&seen)
                && seen.wakes.iter().all(|wake_at| *wake_at > now)
            {
                return seen;
            }
            if Instant::now() > deadline {
                panic!("never done: {} are under way\n{}", seen.open(), self.bench.tail());
            }
            if is_paid {
                tokio::time::sleep(LOOK).await;
            } else {
                self.go_on(life).await;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

pub(crate) fn noon(day: Date) -> Timestamp {
    day.at(12, 0, 0, 0).to_zoned(TimeZone::get(PARIS).unwrap()).unwrap().timestamp()
}

async fn until_dead(life: &mut Life, bench: &Bench) {
    while !life.was_aborted(bench) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
