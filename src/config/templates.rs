//! Plan templates: `[[plan_template]]`, or the two that are there without any.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::{cards, merchant::display_name, section::Section, zone};
use crate::domain::{
    money::MAX_MINOR_UNITS,
    template::{Approver, MAX_CODE, MAX_COUNT, MIN_COUNT, MonthDay, Split, Template, Window},
};

/// Time zones by their names.
pub(super) type Zones = BTreeMap<String, TimeZone>;

/// More decimals of a percent make no cent of the largest total.
const MAX_DECIMALS: u32 = 8;
const DEFAULT_MINIMUM_INSTALMENT: i64 = 100;
const DEFAULT_DAY: i8 = 10;

/// The templates, and every code, those of templates with problems too. `installation` is the name of its zone; other
/// zones that are named are added to `zones`.
pub(super) fn read(root: &mut Section<'_>, installation: &str, zones: &mut Zones) -> (Vec<Template>, Vec<String>) {
    let is_given = root.has("plan_template");
    let sections = root.sections("plan_template");
    if !is_given {
        let shipped = shipped(installation);
        let codes = shipped.iter().map(|template| template.code.clone()).collect();
        return (shipped, codes);
    }
    let (mut templates, mut codes) = (Vec::new(), Vec::new());
    for section in sections {
        if let Some(code) = section.peek("code") {
            if codes.contains(&code) {
                section.problem("code", "is another template's too");
            } else {
                codes.push(code);
            }
        }
        templates.extend(read_one(section, installation, zones));
    }
    (templates, codes)
}

/// Three equal parts, and five of which the first makes the others equal.
fn shipped(installation: &str) -> Vec<Template> {
    let template = |code: &str, count: u32, split: Split, minimum_total: i64| Template {
        code: code.to_owned(),
        label_fr: format!("En {count} fois"),
        label_en: format!("In {count} instalments"),
        count,
        split,
        minimum_total,
        maximum_total: None,
        minimum_instalment: DEFAULT_MINIMUM_INSTALMENT,
        day_of_month: DEFAULT_DAY,
        time_zone: installation.to_owned(),
        window: None,
        approver: Approver::Accounting,
        refused_cards: Vec::new(),
    };
    let shares = Split::Shares { percent: Decimal::new(33_33, 2) };
    vec![template("3x", 3, shares, 0), template("5x", 5, Split::First { fixed: None }, 100_000)]
}

/// `None` when something that it needs is missing or wrong; that has been noted.
fn read_one(mut section: Section<'_>, installation: &str, zones: &mut Zones) -> Option<Template> {
    let code = section.needed("code", code);
    let label_fr = section.needed("label_fr", display_name);
    let label_en = section.needed("label_en", display_name);
    let count = section.needed_number("count", u64::from(MIN_COUNT)..=u64::from(MAX_COUNT));
    let count = count.and_then(|count| u32::try_from(count).ok());
    let split = read_split(&mut section);
    let minimum_total = units(section.number("minimum_total", 0, 0..=LARGEST));
    let maximum_total = section.optional_number("maximum_total", 1..=LARGEST).map(units);
    let least = DEFAULT_MINIMUM_INSTALMENT.unsigned_abs();
    let minimum_instalment = units(section.number("minimum_instalment", least, 1..=LARGEST));
    let day = section.number("day_of_month", u64::from(DEFAULT_DAY.unsigned_abs()), 1..=31);
    let time_zone = section.optional("time_zone", zone);
    let window = read_window(&mut section);
    let approver = section.optional("approver", |text| match text {
        "accounting" => Ok(Approver::Accounting),
        "nobody" => Ok(Approver::Nobody),
        _ => Err("is neither \"accounting\" nor \"nobody\"".to_owned()),
    });
    let refused_cards = cards::read_types(&mut section, "refused_cards");
    let time_zone = time_zone.map(|(name, zone)| {
        zones.insert(name.clone(), zone);
        name
    });
    if maximum_total.is_some_and(|maximum| maximum < minimum_total) {
        section.problem("maximum_total", "is below minimum_total");
    }
    check_split(&section, split.as_ref(), count, minimum_instalment);
    section.end();
    Some(Template {
        code: code?,
        label_fr: label_fr?,
        label_en: label_en?,
        count: count?,
        split: split?,
        minimum_total,
        maximum_total,
        minimum_instalment,
        day_of_month: i8::try_from(day).unwrap_or(DEFAULT_DAY),
        time_zone: time_zone.unwrap_or_else(|| installation.to_owned()),
        window,
        approver: approver.unwrap_or(Approver::Accounting),
        refused_cards,
    })
}

const LARGEST: u64 = MAX_MINOR_UNITS.unsigned_abs();

/// The ranges above fit.
fn units(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(MAX_MINOR_UNITS)
}

fn read_split(section: &mut Section<'_>) -> Option<Split> {
    let (has_percent, has_first) = (section.has("percent"), section.has("first"));
    let kind = section.needed("split", |text| match text {
        "shares" | "first" => Ok(text.to_owned()),
        _ => Err("is neither \"shares\" nor \"first\"".to_owned()),
    });
    let percent = section.optional("percent", percent);
    let fixed = section.optional_number("first", 1..=LARGEST).map(units);
    let is_shares = kind? == "shares";
    if is_shares && !has_percent {
        section.problem("percent", "is missing: split = \"shares\" needs it");
    }
    if is_shares && has_first {
        section.problem("first", "goes with split = \"first\" only");
    }
    if !is_shares && has_percent {
        section.problem("percent", "goes with split = \"shares\" only");
    }
    if is_shares { percent.map(|percent| Split::Shares { percent }) } else { Some(Split::First { fixed }) }
}

/// What the parts of a split ask of each other.
fn check_split(section: &Section<'_>, split: Option<&Split>, count: Option<u32>, minimum_instalment: i64) {
    match (split, count) {
        (Some(Split::Shares { percent }), Some(count)) => {
            let others = count.saturating_sub(1);
            if percent.saturating_mul(Decimal::from(others)) >= Decimal::ONE_HUNDRED {
                let sentence = format!("leaves nothing for the last instalment: {others} of {percent} come before it");
                section.problem("percent", sentence);
            }
        }
        (Some(Split::First { fixed: Some(first) }), _) if *first < minimum_instalment => {
            section.problem("first", "is below minimum_instalment");
        }
        (Some(Split::First { .. } | Split::Shares { .. }) | None, _) => {}
    }
}

fn read_window(section: &mut Section<'_>) -> Option<Window> {
    let is_given = section.has("window");
    let mut window = section.section("window");
    if !is_given {
        return None;
    }
    let day = |text: &str| MonthDay::parse(text).map_err(|error| error.to_string());
    let (from, until) = (window.needed("from", day), window.needed("until", day));
    window.end();
    Some(Window { from: from?, until: until? })
}

fn code(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (1..=MAX_CODE).contains(&text.len()) && text.bytes().all(is_plain);
    if fits { Ok(text.to_owned()) } else { Err(format!("is not a code of 1 to {MAX_CODE} of a-z, 0-9 and -")) }
}

/// A text, since a float has no place near money.
fn percent(text: &str) -> Result<Decimal, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let percent: Option<Decimal> = text.parse().ok().filter(|_| is_plain);
    percent
        .filter(|percent| *percent > Decimal::ZERO && *percent < Decimal::ONE_HUNDRED)
        .filter(|percent| percent.scale() <= MAX_DECIMALS)
        .ok_or_else(|| "is not a percent such as \"33.33\", above 0 and below 100".to_owned())
}
