//! How long things take, as configured: the core never knows a number of minutes by itself.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, Zoned, civil::Date, tz::TimeZone};

use super::{card::CardRules, retry::RetryRules};

/// The delays, and the merchant's rules, that govern an order's checkouts and calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a signed form may be handed to the payment page.
    pub form_lifetime: SignedDuration,
    /// How long the payment page itself waits for the payer.
    pub page_lifetime: SignedDuration,
    /// When, counted from a checkout's issue, the bank is asked about it whether or not anything was heard: a payer who
    /// closed the browser after paying should not wait for the expiry when the notification was lost too.
    pub ask_after_issue: Vec<SignedDuration>,
    /// When, counted from a checkout's expiry, the bank is asked about it whether or not anything was heard.
    pub ask_after_expiry: Vec<SignedDuration>,
    /// When, counted from a report or a payer's return, the bank is asked about it.
    pub ask_after_news: Vec<SignedDuration>,
    /// The wait before asking again when the bank did not answer: by the number of silences so far, the last for ever.
    pub ask_after_silence: Vec<SignedDuration>,
    /// How long an unconfirmed report of success keeps the order from being paid in another way.
    pub hold_for_report: SignedDuration,
    /// How long the bank may show a payment as authorised and not captured: after that people have to look.
    pub capture_awaited: SignedDuration,
    /// How long after `sent` is durable the call's first byte may still leave: a process that was frozen longer sends
    /// nothing.
    pub send_within: SignedDuration,
    /// How long after it was sent a call may still be carried out; only later does "not done" count.
    pub doubt_settles: SignedDuration,
    /// When, counted from the sending, a call in doubt is asked for. After the last it is a person's turn.
    pub doubt_ladder: Vec<SignedDuration>,
    /// How many times, and over how long a time, the bank must not find a debit before it counts as not executed.
    pub denials: usize,
    pub denials_span: SignedDuration,
    /// How long a call found `sent` may still be answered by the process that sent it.
    pub answer_grace: SignedDuration,
    /// The wait before another try at a call that never left.
    pub send_again: SignedDuration,
    /// What is held, and let go, to see that another card is good; in minor units.
    pub card_check: i64,
    /// How long money held for a plan waits for the data of its card.
    pub card_wait: SignedDuration,
    /// How long after its page is over an authorisation may still be captured.
    pub capture_within: SignedDuration,
    /// Which cards a plan takes.
    pub cards: CardRules,
    /// What follows a refused debit.
    pub retry: RetryRules,
    /// How long after a capture, and how often from then on, the bank is asked whether it has reached the merchant.
    pub settlement_after: SignedDuration,
    pub settlement_every: SignedDuration,
    /// How long one person's verdict waits for a second.
    pub verdicts_within: SignedDuration,
    /// Whether subscribers' operations are captured and cancelled by calls of their own: some contracts want that.
    pub subscriber_calls: bool,
    /// The zone in which instalments fall due.
    pub zone: TimeZone,
    /// The zones that plan templates name.
    pub zones: BTreeMap<String, TimeZone>,
    /// Whether an authorisation that the bank has not captured yet counts as paid: some contracts report captures so.
    pub authorised_counts: bool,
    /// Whether a verified notification is enough (test mode only; never configurable in live mode).
    pub signature_is_enough: bool,
    /// The least that may be paid by card, in minor units.
    pub minimum_amount: i64,
}

impl Policy {
    /// The day that `now` is in the zone of that name; in the merchant's own when none is named, or it is not configured
    /// any more.
    pub fn day(&self, zone: Option<&str>, now: Timestamp) -> Date {
        self.zoned(zone, now).date()
    }

    /// When the month of `now` ends there.
    pub fn end_of_month(&self, zone: Option<&str>, now: Timestamp) -> Timestamp {
        let zoned = self.zoned(zone, now);
        let next = zoned.date().last_of_month().tomorrow().and_then(|first| first.to_zoned(zoned.time_zone().clone()));
        next.map_or(Timestamp::MAX, |first| first.timestamp())
    }

    fn zoned(&self, zone: Option<&str>, now: Timestamp) -> Zoned {
        let zone = zone.and_then(|name| self.zones.get(name)).unwrap_or(&self.zone);
        now.to_zoned(zone.clone())
    }
}

/// The entry of `ladder` for the `step`th time, the last one for all beyond.
pub fn rung(ladder: &[SignedDuration], step: usize) -> Option<SignedDuration> {
    ladder.get(step).or(ladder.last()).copied()
}

/// `from` plus `delay`, and the end of time where that overflows.
pub fn later(from: Timestamp, delay: SignedDuration) -> Timestamp {
    from.checked_add(delay).unwrap_or(Timestamp::MAX)
}
