use std::collections::BTreeSet;

use super::*;

fn template(count: u32, split: Split) -> Template {
    Template {
        code: "t".to_owned(),
        label_fr: "En plusieurs fois".to_owned(),
        label_en: "In instalments".to_owned(),
        count,
        split,
        minimum_total: 0,
        maximum_total: None,
        minimum_instalment: 100,
        day_of_month: 10,
        time_zone: "Europe/Paris".to_owned(),
        window: None,
        approver: Approver::Accounting,
        refused_cards: Vec::new(),
    }
}

fn three() -> Template {
    template(3, Split::Shares { percent: Decimal::new(3333, 2) })
}

fn five() -> Template {
    Template { minimum_total: 100_000, ..template(5, Split::First { fixed: None }) }
}

fn eur(units: i64) -> Money {
    Money::new(units, Currency::Eur).unwrap()
}

fn units(amounts: &[Money]) -> Vec<i64> {
    amounts.iter().map(|amount| amount.minor_units()).collect()
}

fn split(template: &Template, total: i64, first: Option<i64>) -> Result<Vec<i64>, NotPossible> {
    template.amounts(eur(total), first.map(eur)).map(|amounts| units(&amounts))
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn days(dates: &[Date]) -> Vec<String> {
    dates.iter().map(ToString::to_string).collect()
}

/// The invoice of 24/06/2022 over 601,00 €.
#[test]
fn three_instalments_of_601_euros() {
    let schedule = three().schedule(eur(60_100), None, day("2022-06-24")).unwrap();
    let expected = [(1, "2022-06-24", 20_031), (2, "2022-07-10", 20_031), (3, "2022-08-10", 20_038)];
    assert_eq!(schedule, expected.map(|(number, due, amount)| Instalment::scheduled(number, day(due), eur(amount))));
    let automatic: i64 = schedule.iter().skip(1).map(|instalment| instalment.amount.minor_units()).sum();
    assert_eq!(automatic, 40_069);
}

#[test]
fn totals_are_shared_as_the_template_says() {
    let refused = |minimum| Err(NotPossible::InstalmentBelowMinimum { minimum });
    let fixed = |first| Template { minimum_total: 0, ..template(5, Split::First { fixed: Some(first) }) };
    let most = Template { maximum_total: Some(200_000), ..five() };
    let halves = template(2, Split::Shares { percent: Decimal::new(50, 0) });
    for (template, total, first, expected) in [
        (three(), 377_000, None, Ok(vec![125_654, 125_654, 125_692])),
        (three(), 61_800, None, Ok(vec![20_598, 20_598, 20_604])),
        (three(), 301, None, Ok(vec![100, 100, 101])),
        // 99,99 cents are 100.
        (three(), 300, None, Ok(vec![100, 100, 100])),
        (three(), 298, None, refused(100)),
        (three(), 2, None, refused(100)),
        (three(), 0, None, refused(100)),
        (Template { minimum_instalment: 0, ..three() }, 2, None, refused(1)),
        (Template { minimum_instalment: 1, ..three() }, 3, None, Ok(vec![1, 1, 1])),
        (three(), 60_100, Some(20_000), Err(NotPossible::FirstNotAllowed)),
        (halves.clone(), 20_001, None, Ok(vec![10_001, 10_000])),
        (halves, 20_003, None, Ok(vec![10_002, 10_001])),
        (five(), 377_000, None, Ok(vec![75_400; 5])),
        (five(), 100_003, None, Ok(vec![20_003, 20_000, 20_000, 20_000, 20_000])),
        (five(), 100_000, None, Ok(vec![20_000; 5])),
        (five(), 99_999, None, Err(NotPossible::BelowMinimum { minimum: 100_000 })),
        (most.clone(), 200_000, None, Ok(vec![40_000; 5])),
        (most, 200_001, None, Err(NotPossible::AboveMaximum { maximum: 200_000 })),
        // What four cannot share, the last takes.
        (five(), 100_003, Some(50_000), Ok(vec![50_000, 12_500, 12_500, 12_500, 12_503])),
        (five(), 100_000, Some(20_000), Ok(vec![20_000; 5])),
        (five(), 100_000, Some(100), Ok(vec![100, 24_975, 24_975, 24_975, 24_975])),
        (five(), 100_000, Some(99), Err(NotPossible::FirstOutOfRange)),
        (five(), 100_000, Some(99_600), Ok(vec![99_600, 100, 100, 100, 100])),
        (five(), 100_000, Some(99_601), Err(NotPossible::FirstOutOfRange)),
        (five(), 100_000, Some(100_000), Err(NotPossible::FirstOutOfRange)),
        (five(), 100_000, Some(100_001), Err(NotPossible::FirstOutOfRange)),
        (fixed(30_000), 70_001, None, Ok(vec![30_000, 10_000, 10_000, 10_000, 10_001])),
        (fixed(30_000), 70_001, Some(40_000), Ok(vec![40_000, 7_500, 7_500, 7_500, 7_501])),
        (fixed(30_000), 30_399, None, refused(100)),
        (fixed(30_000), 29_000, None, refused(100)),
    ] {
        assert_eq!(split(&template, total, first), expected, "{total} {first:?} {:?}", template.split);
    }
    let dollars = Money::new(20_000, Currency::Usd).unwrap();
    assert_eq!(five().amounts(eur(100_000), Some(dollars)), Err(NotPossible::FirstOutOfRange));
}

#[test]
fn dates_follow_month_by_month() {
    for (count, due, first, expected) in [
        (2, 10, "2022-07-08", vec!["2022-07-08", "2022-08-10"]),
        (3, 10, "2022-06-24", vec!["2022-06-24", "2022-07-10", "2022-08-10"]),
        (2, 10, "2022-06-30", vec!["2022-06-30", "2022-07-10"]),
        (2, 10, "2022-07-01", vec!["2022-07-01", "2022-08-10"]),
        (3, 5, "2022-11-05", vec!["2022-11-05", "2022-12-05", "2023-01-05"]),
        (4, 31, "2023-01-31", vec!["2023-01-31", "2023-02-28", "2023-03-31", "2023-04-30"]),
        (3, 31, "2024-01-30", vec!["2024-01-30", "2024-02-29", "2024-03-31"]),
        (3, 29, "2023-01-15", vec!["2023-01-15", "2023-02-28", "2023-03-29"]),
    ] {
        let template = Template { day_of_month: due, ..template(count, Split::First { fixed: None }) };
        assert_eq!(days(&template.dates(day(first))), expected, "{first}");
    }
}

#[test]
fn plans_are_asked_for_in_their_window() {
    let window = |from: &str, until: &str| {
        let (from, until) = (MonthDay::parse(from).unwrap(), MonthDay::parse(until).unwrap());
        Template { window: Some(Window { from, until }), ..three() }
    };
    for (template, on, open) in [
        (three(), "2026-02-28", true),
        (window("07-01", "10-31"), "2026-06-30", false),
        (window("07-01", "10-31"), "2026-07-01", true),
        (window("07-01", "10-31"), "2031-10-31", true),
        (window("07-01", "10-31"), "2026-11-01", false),
        (window("11-15", "01-31"), "2026-11-14", false),
        (window("11-15", "01-31"), "2026-12-31", true),
        (window("11-15", "01-31"), "2027-01-31", true),
        (window("11-15", "01-31"), "2027-02-01", false),
        (window("02-29", "02-29"), "2028-02-29", true),
        (window("02-29", "02-29"), "2027-03-01", false),
    ] {
        assert_eq!(template.is_open_on(day(on)), open, "{on} {:?}", template.window);
    }
    for bad in ["", "7-1", "07/01", "13-01", "00-10", "02-30", "04-31", "07-01-01", "2026-07-01", "+7-01"] {
        assert_eq!(MonthDay::parse(bad), Err(NotADay), "{bad}");
    }
}

/// Approvals are bound to what a template says, so how it is stored does not change by accident.
#[test]
fn stored_as_it_is_read() {
    let window = Window { from: MonthDay::new(7, 1).unwrap(), until: MonthDay::new(10, 31).unwrap() };
    let template = Template { window: Some(window), ..three() };
    let stored = serde_json::to_value(&template).unwrap();
    let expected = serde_json::json!({
        "code": "t", "label_fr": "En plusieurs fois", "label_en": "In instalments", "count": 3,
        "split": {"split": "shares", "percent": "33.33"},
        "minimum_total": 0, "maximum_total": null, "minimum_instalment": 100, "day_of_month": 10,
        "time_zone": "Europe/Paris", "window": {"from": "07-01", "until": "10-31"},
        "approver": "accounting", "refused_cards": [],
    });
    assert_eq!(stored, expected);
    assert_eq!(serde_json::from_value::<Template>(stored).unwrap(), template);
}

/// The days of a month, not asked of the calendar that is tested.
fn length(year: i16, month: i8) -> i8 {
    match month {
        2 if year % 4 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn check_dates(template: &Template, first: Date, schedule: &[Instalment]) {
    let (mut year, mut month) = (first.year(), first.month());
    assert_eq!(schedule[0].due, first);
    for instalment in &schedule[1..] {
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let due = instalment.due;
        let expected = (year, month, template.day_of_month.min(length(year, month)));
        assert_eq!((due.year(), due.month(), due.day()), expected, "{first} {}", template.count);
    }
}

fn check_amounts(template: &Template, total: i64, schedule: &[Instalment]) {
    let amounts: Vec<i64> = schedule.iter().map(|instalment| instalment.amount.minor_units()).collect();
    assert_eq!(amounts.iter().sum::<i64>(), total, "{total} {:?}", template.split);
    assert!(amounts.iter().all(|amount| *amount >= template.minimum_instalment), "{amounts:?}");
    let distinct: BTreeSet<&i64> = match template.split {
        Split::Shares { .. } => amounts[..amounts.len() - 1].iter().collect(),
        Split::First { fixed: None } => amounts[1..].iter().collect(),
        Split::First { fixed: Some(first) } => {
            assert_eq!(amounts[0], first);
            amounts[1..amounts.len() - 1].iter().collect()
        }
    };
    assert!(distinct.len() <= 1, "{amounts:?}");
}

/// Every first day of nine years, 2 to 12 instalments, totals that nothing divides, every due day in turn.
#[test]
fn every_schedule_is_exact() {
    const TOTALS: [i64; 9] = [1, 601, 1_199, 1_201, 60_100, 100_003, 377_000, 999_999_937, 9_999_999_999];
    let mut turn: usize = 0;
    let mut possible = 0_u32;
    for first in day("2024-01-01").series(1.day()).take_while(|first| *first <= day("2032-12-31")) {
        for count in MIN_COUNT..=MAX_COUNT {
            turn += 1;
            let total = TOTALS[turn % TOTALS.len()];
            let share = Decimal::ONE_HUNDRED / Decimal::from(count);
            let split = match turn % 4 {
                0 => Split::Shares { percent: share.round_dp(2) },
                1 => Split::Shares { percent: share.trunc() },
                2 => Split::First { fixed: None },
                _ => Split::First { fixed: Some(10_001) },
            };
            let due = i8::try_from(turn % 31 + 1).unwrap();
            let template = Template { day_of_month: due, ..template(count, split) };
            match template.schedule(eur(total), None, first) {
                Ok(schedule) => {
                    possible += 1;
                    assert_eq!(schedule.len(), usize::try_from(count).unwrap());
                    assert!((1..).zip(&schedule).all(|(number, instalment)| instalment.number == number));
                    check_dates(&template, first, &schedule);
                    check_amounts(&template, total, &schedule);
                }
                Err(refusal) => {
                    assert_eq!(refusal, NotPossible::InstalmentBelowMinimum { minimum: 100 });
                    assert!(total < 100 * i64::from(count) + 10_001, "{total} {:?}", template.split);
                }
            }
        }
    }
    assert!(possible > 20_000, "{possible}");
}
