//! What follows a refused debit: another try some days later, or arrears.

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

/// What a refusal says about trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalClass {
    /// Never with this card: a repeat may be penalised.
    Hard,
    /// Not before the payer gives the card's new data.
    CardUpdate,
    /// May pass in some days.
    Soft,
    /// Not without the payer, who has to authenticate.
    Authentication,
}

/// How often a refused debit is tried again, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryRules {
    /// The most debits of one instalment, the first one included.
    pub tries: u32,
    /// The last day for a try, counted from the due date.
    pub within_days: i32,
    /// The days from one try to the next, by the number of tries so far; the last for ever.
    pub waits: Vec<i32>,
    /// The least number of days from a try to the next instalment's due date.
    pub stop_before_next: i32,
    /// The most debits of one card in any `card_days` days, as the card schemes limit them.
    pub card_tries: u32,
    pub card_days: i32,
}

impl Default for RetryRules {
    fn default() -> Self {
        Self { tries: 4, within_days: 20, waits: vec![3, 5, 7], stop_before_next: 5, card_tries: 15, card_days: 30 }
    }
}

/// When to debit again, or `None`: then the instalment is in arrears. `tried` has the days of all debits of this
/// instalment, `of_card` those of all debits of its card, `last` is what the latest refusal says.
///
/// It is always after every day in `tried` and `of_card`, and never before `today`.
pub fn next_try(
    due: Date,
    tried: &[Date],
    of_card: &[Date],
    last: RefusalClass,
    today: Date,
    next_due: Option<Date>,
    rules: &RetryRules,
) -> Option<Date> {
    let times = tried.len();
    if last != RefusalClass::Soft || u32::try_from(times).is_ok_and(|times| times >= rules.tries) {
        return None;
    }
    let wait = rules.waits.get(times.saturating_sub(1)).or(rules.waits.last()).copied().unwrap_or(1).max(1);
    let latest = tried.iter().copied().max().unwrap_or(today);
    let day_after = of_card.iter().chain(tried).max().map(|day| plus(*day, 1));
    let earliest = plus(latest, wait).max(today).max(day_after.unwrap_or(today));
    let end = last_day(due, next_due, rules);
    // Once the days of the limit have passed no debit is left in them, so the search ends.
    let search_end = end.min(plus(earliest, rules.card_days.max(0)));
    earliest.series(1.day()).take_while(|day| *day <= search_end).find(|day| card_allows(*day, tried, of_card, rules))
}

/// The last day for another try.
pub fn last_day(due: Date, next_due: Option<Date>, rules: &RetryRules) -> Date {
    let before_next = next_due.map(|next| plus(next, rules.stop_before_next.saturating_neg()));
    plus(due, rules.within_days).min(before_next.unwrap_or(Date::MAX))
}

/// Whether one more debit on `day` stays within what the card schemes allow.
fn card_allows(day: Date, tried: &[Date], of_card: &[Date], rules: &RetryRules) -> bool {
    let after = plus(day, rules.card_days.saturating_neg());
    let within = |days: &[Date]| days.iter().filter(|tried| **tried > after).count();
    // Debits of the instalment should be among those of its card; counting the longer list does not rely on it.
    let spent = within(of_card).max(within(tried));
    u32::try_from(spent).is_ok_and(|spent| spent < rules.card_tries)
}

/// Whether a card has been debited as often as it may be by `day`.
pub fn is_worn(of_card: &[Date], day: Date, rules: &RetryRules) -> bool {
    !card_allows(day, of_card, of_card, rules)
}

fn plus(day: Date, days: i32) -> Date {
    day.saturating_add(jiff::SignedDuration::from_hours(24_i64.saturating_mul(i64::from(days))))
}

/// Whether this refusal of a debit, right after a first payment that passed, is what a card number made for one payment
/// looks like.
pub fn is_single_use_hint(code: &str) -> bool {
    matches!(code, "00105" | "00114" | "00157")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// A day of July 2022, or of the months after it.
    fn july(number: i32) -> Date {
        plus(day("2022-06-30"), number)
    }

    fn days(numbers: &[i32]) -> Vec<Date> {
        numbers.iter().map(|number| july(*number)).collect()
    }

    /// With the default rules, an instalment due on 10 July and another on 10 August.
    fn after(tried: &[i32], today: i32) -> Option<Date> {
        let tried = days(tried);
        let rules = RetryRules::default();
        next_try(july(10), &tried, &tried, RefusalClass::Soft, july(today), Some(july(41)), &rules)
    }

    #[test]
    fn tries_grow_apart_and_end() {
        for (tried, today, expected) in [
            (&[10][..], 10, Some(13)),
            (&[10, 13], 13, Some(18)),
            (&[10, 13, 18], 18, Some(25)),
            (&[10, 13, 18, 25], 25, None),
            // The answer was in doubt for a while.
            (&[10], 12, Some(13)),
            (&[10], 15, Some(15)),
            // Thirty is the twentieth day.
            (&[10, 13, 23], 23, Some(30)),
            (&[10, 13, 24], 24, None),
            (&[10], 30, Some(30)),
            (&[10], 31, None),
        ] {
            assert_eq!(after(tried, today), expected.map(july), "{tried:?} {today}");
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let tried = days(&[10]);
        for class in [RefusalClass::Hard, RefusalClass::CardUpdate, RefusalClass::Authentication] {
            let next = next_try(july(10), &tried, &tried, class, july(10), None, &RetryRules::default());
            assert_eq!(next, None, "{class:?}");
        }
    }

    #[test]
    fn the_next_instalment_is_left_alone() {
        let tried = days(&[10]);
        for (next_due, expected) in [(None, Some(13)), (Some(18), Some(13)), (Some(17), None), (Some(10), None)] {
            let next_due = next_due.map(july);
            let rules = RetryRules::default();
            let next = next_try(july(10), &tried, &tried, RefusalClass::Soft, july(10), next_due, &rules);
            assert_eq!(next, expected.map(july), "{next_due:?}");
        }
    }

    #[test]
    fn a_card_is_not_debited_more_than_its_scheme_allows() {
        let rules = RetryRules { card_tries: 3, card_days: 10, ..RetryRules::default() };
        for (of_card, expected) in [
            (&[10][..], Some(13)),
            // Another instalment's debit of the same card on the day it would have been.
            (&[10, 13], Some(14)),
            (&[3, 4, 10], Some(13)),
            (&[4, 5, 10], Some(14)),
            (&[8, 9, 10], Some(18)),
            (&[10, 11, 12], Some(20)),
        ] {
            let next = next_try(july(10), &days(&[10]), &days(of_card), RefusalClass::Soft, july(10), None, &rules);
            assert_eq!(next, expected.map(july), "{of_card:?}");
        }
        let never = RetryRules { card_tries: 0, ..RetryRules::default() };
        assert_eq!(next_try(july(10), &[], &[], RefusalClass::Soft, july(10), None, &never), None);
    }

    #[test]
    fn hints_of_single_use() {
        for (code, hint) in [("00105", true), ("00114", true), ("00157", true), ("00151", false), ("105", false)] {
            assert_eq!(is_single_use_hint(code), hint, "{code}");
        }
    }

    prop_compose! {
        fn rules()(tries in 1..8_u32, within_days in 0..40, waits in prop::collection::vec(-2..12, 0..4),
                   stop_before_next in 0..15, card_tries in 0..20_u32, card_days in 0..60) -> RetryRules {
            RetryRules { tries, within_days, waits, stop_before_next, card_tries, card_days }
        }
    }

    proptest! {
        #[test]
        fn it_is_the_first_day_that_breaks_no_rule(
            rules in rules(),
            late in prop::collection::vec(0..25, 1..6),
            others in prop::collection::vec(-40..25, 0..25),
            now in 0..30,
            next in prop::option::of(20..40),
        ) {
            let due = day("2026-01-31");
            let tried: Vec<Date> = late.iter().map(|days| plus(due, *days)).collect();
            let of_card: Vec<Date> = others.iter().map(|days| plus(due, *days)).chain(tried.clone()).collect();
            let (today, next_due) = (plus(due, now), next.map(|days| plus(due, days)));
            let found = next_try(due, &tried, &of_card, RefusalClass::Soft, today, next_due, &rules);
            // The first day that breaks no rule, each rule said once more.
            let latest = tried.iter().max().copied().unwrap();
            let wait = rules.waits.iter().take(tried.len()).next_back().copied().unwrap_or(1);
            let is_free = |found: &Date| {
                let window = plus(*found, -rules.card_days);
                tried.len() < rules.tries as usize
                    && *found >= plus(latest, wait)
                    && of_card.iter().all(|day| day < found)
                    && *found <= plus(due, rules.within_days)
                    && next_due.is_none_or(|next| plus(*found, rules.stop_before_next) <= next)
                    && of_card.iter().filter(|day| **day > window).count() < rules.card_tries as usize
            };
            let first_free = (0..100).map(|days| plus(today, days)).find(is_free);
            prop_assert_eq!(found, first_free);
        }
    }
}
