//! Amounts and dates as people read them, in French and in English.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::domain::{
    checkout::Locale,
    money::{Currency, Money},
    position::signed,
};

/// `3 770,00 €` in French, `€3,770.00` in English; other currencies by their letters.
pub(super) fn amount(amount: Money, locale: Locale) -> String {
    signed_amount(amount.minor_units(), amount.currency(), locale)
}

/// The same of minor units that may be below zero, and of any size: `−20,00 €`.
pub(super) fn signed_amount(minor_units: i64, currency: Currency, locale: Locale) -> String {
    let sign = if minor_units < 0 { "\u{2212}" } else { "" };
    let major = signed(minor_units, currency);
    let major = major.trim_start_matches('-').to_owned();
    let (whole, decimals) = major.split_once('.').unwrap_or((&major, ""));
    let separator = match locale {
        Locale::Fr => '\u{202f}',
        Locale::En => ',',
    };
    let grouped: String = whole
        .char_indices()
        .flat_map(|(index, digit)| {
            let starts_group = index > 0 && (whole.len() - index).is_multiple_of(3);
            starts_group.then_some(separator).into_iter().chain(std::iter::once(digit))
        })
        .collect();
    let number = match (decimals, locale) {
        ("", _) => grouped,
        (decimals, Locale::Fr) => format!("{grouped},{decimals}"),
        (decimals, Locale::En) => format!("{grouped}.{decimals}"),
    };
    match (currency, locale) {
        (Currency::Eur, Locale::Fr) => format!("{sign}{number}\u{a0}€"),
        (Currency::Eur, Locale::En) => format!("{sign}€{number}"),
        (currency, _) => format!("{sign}{number}\u{a0}{}", currency.letters()),
    }
}

const MONTHS_FR: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `10 juillet 2022`, `1er août 2022`; `10 July 2022`.
pub(super) fn day(day: Date, locale: Locale) -> String {
    let names = match locale {
        Locale::Fr => MONTHS_FR,
        Locale::En => MONTHS_EN,
    };
    let month = usize::try_from(day.month()).ok().and_then(|month| names.get(month.checked_sub(1)?)).unwrap_or(&"");
    match (day.day(), locale) {
        (1, Locale::Fr) => format!("1er {month} {}", day.year()),
        (number, _) => format!("{number} {month} {}", day.year()),
    }
}

/// `10 juillet 2022 à 9 h 05`; `10 July 2022 at 09:05`: what clocks show in `zone`.
pub(super) fn moment(at: Timestamp, zone: &TimeZone, locale: Locale) -> String {
    let local = at.to_zoned(zone.clone());
    let (date, hour, minute) = (day(local.date(), locale), local.hour(), local.minute());
    match locale {
        Locale::Fr => format!("{date} à {hour}\u{a0}h\u{a0}{minute:02}"),
        Locale::En => format!("{date} at {hour:02}:{minute:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_read_them() {
        for (minor_units, currency, locale, expected) in [
            (377_000, Currency::Eur, Locale::Fr, "3\u{202f}770,00\u{a0}€"),
            (377_000, Currency::Eur, Locale::En, "€3,770.00"),
            (5, Currency::Eur, Locale::Fr, "0,05\u{a0}€"),
            (100_000_000, Currency::Chf, Locale::Fr, "1\u{202f}000\u{202f}000,00\u{a0}CHF"),
            (1_500, Currency::Jpy, Locale::En, "1,500\u{a0}JPY"),
        ] {
            assert_eq!(amount(Money::new(minor_units, currency).unwrap(), locale), expected);
        }
    }

    #[test]
    fn amounts_may_be_below_zero() {
        assert_eq!(signed_amount(-2_005, Currency::Eur, Locale::Fr), "\u{2212}20,05\u{a0}€");
        assert_eq!(signed_amount(-123_456_789_012, Currency::Eur, Locale::En), "\u{2212}€1,234,567,890.12");
    }

    #[test]
    fn dates_and_moments_too() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        for (at, locale, expected_day, expected_moment) in [
            ("2022-07-10T07:05:00Z", Locale::Fr, "10 juillet 2022", "10 juillet 2022 à 9\u{a0}h\u{a0}05"),
            ("2022-07-10T07:05:00Z", Locale::En, "10 July 2022", "10 July 2022 at 09:05"),
            ("2022-07-31T22:00:00Z", Locale::Fr, "1er août 2022", "1er août 2022 à 0\u{a0}h\u{a0}00"),
            ("2022-12-31T23:30:00Z", Locale::En, "1 January 2023", "1 January 2023 at 00:30"),
        ] {
            let at: Timestamp = at.parse().unwrap();
            assert_eq!(day(at.to_zoned(paris.clone()).date(), locale), expected_day);
            assert_eq!(moment(at, &paris, locale), expected_moment);
        }
    }
}
