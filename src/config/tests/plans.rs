//! `[[plan_template]]`, and what a merchant takes of it.

use super::*;
use crate::domain::{
    money::{Currency, Money},
    template::{Approver, MonthDay, NotPossible, Split, Window},
};

#[test]
fn a_template_is_what_its_table_says() {
    let text = with_templates(
        r#"
[[plan_template]]
code = "4x-automne"
label_fr = "En 4 fois"
label_en = "In 4 instalments"
count = 4
split = "first"
first = 30000
minimum_total = 50000
maximum_total = 900000
minimum_instalment = 2000
day_of_month = 5
time_zone = "indian/reunion"
window = { from = "11-15", until = "01-31" }
approver = "nobody"
refused_cards = ["MAESTRO"]

[[plan_template]]
code = "2x"
label_fr = "En 2 fois"
label_en = "In 2 instalments"
count = 2
split = "shares"
percent = "50"
"#,
    );
    let (config, _) = read(&text, &[]).unwrap();
    let day = |text| MonthDay::parse(text).unwrap();
    let autumn = Template {
        code: "4x-automne".to_owned(),
        label_fr: "En 4 fois".to_owned(),
        label_en: "In 4 instalments".to_owned(),
        count: 4,
        split: Split::First { fixed: Some(30_000) },
        minimum_total: 50_000,
        maximum_total: Some(900_000),
        minimum_instalment: 2_000,
        day_of_month: 5,
        time_zone: "Indian/Reunion".to_owned(),
        window: Some(Window { from: day("11-15"), until: day("01-31") }),
        approver: Approver::Nobody,
        refused_cards: vec!["MAESTRO".to_owned()],
    };
    let two = Template {
        code: "2x".to_owned(),
        label_fr: "En 2 fois".to_owned(),
        label_en: "In 2 instalments".to_owned(),
        count: 2,
        split: Split::Shares { percent: 50.into() },
        minimum_total: 0,
        maximum_total: None,
        minimum_instalment: 100,
        day_of_month: 10,
        time_zone: "Europe/Paris".to_owned(),
        window: None,
        approver: Approver::Accounting,
        refused_cards: Vec::new(),
    };
    assert_eq!(config.templates, [autumn, two]);
    assert_eq!(config.zones.keys().collect::<Vec<_>>(), ["Europe/Paris", "Indian/Reunion"]);
    assert_eq!(config.merchants[0].merchant.templates, config.templates);

    let none = with_templates("").replace("\nstore =", "\nplan_template = []\nstore =");
    let (config, _) = read(&none, &[]).unwrap();
    assert!(config.templates.is_empty() && config.merchants[0].merchant.templates.is_empty());
}

/// The two templates that are shipped make the school's figures.
#[test]
fn the_shipped_templates_make_the_schools_schedules() {
    let (config, _) = read(&with_templates(""), &[]).unwrap();
    let amounts = |place: usize, total: i64| {
        let total = Money::new(total, Currency::Eur).unwrap();
        let amounts = config.templates[place].amounts(total, None)?;
        Ok(amounts.into_iter().map(Money::minor_units).collect::<Vec<_>>())
    };
    assert_eq!(amounts(0, 60_100), Ok(vec![20_031, 20_031, 20_038]));
    assert_eq!(amounts(1, 100_003), Ok(vec![20_003, 20_000, 20_000, 20_000, 20_000]));
    assert_eq!(amounts(1, 100_000), Ok(vec![20_000; 5]));
    assert_eq!(amounts(1, 99_999), Err(NotPossible::BelowMinimum { minimum: 100_000 }));
}

#[test]
fn bad_templates_are_refused() {
    for (from, to, expected) in [
        ("\"5x\"\nlabel", "\"3x\"\nlabel", &["plan_template[3x].code: is another template's too"][..]),
        ("code = \"3x\"", "code = \"3 X\"", &["plan_template[3 X].code: is not a code of 1 to 20 of a-z, 0-9 and -"]),
        ("label_fr = \"En 3 fois\"\n", "", &["plan_template[3x].label_fr: is missing"]),
        ("label_en = \"In 3", "label_en = \" 3", &["plan_template[3x].label_en: is not a name of 1 to 60 characters"]),
        ("count = 3\n", "", &["plan_template[3x].count: is missing"]),
        ("count = 3\n", "count = 1\n", &["plan_template[3x].count: a whole number from 2 to 12 is expected here"]),
        (
            "count = 3\n",
            "count = 5\n",
            &["plan_template[3x].percent: leaves nothing for the last instalment: 4 of 33.33 come before it"],
        ),
        (
            "percent = \"33.33\"",
            "percent = \"50\"",
            &["plan_template[3x].percent: leaves nothing for the last instalment: 2 of 50 come before it"],
        ),
        ("percent = \"33.33\"\n", "", &["plan_template[3x].percent: is missing: split = \"shares\" needs it"]),
        ("\"33.33\"", "33.33", &["plan_template[3x].percent: a text in quotes is expected here"]),
        (
            "\"33.33\"",
            "\"1e1\"",
            &["plan_template[3x].percent: is not a percent such as \"33.33\", above 0 and below 100"],
        ),
        (
            "\"33.33\"",
            "\"0.00\"",
            &["plan_template[3x].percent: is not a percent such as \"33.33\", above 0 and below 100"],
        ),
        (
            "\"33.33\"",
            "\"100\"",
            &["plan_template[3x].percent: is not a percent such as \"33.33\", above 0 and below 100"],
        ),
        ("split = \"first\"\n", "", &["plan_template[5x].split: is missing"]),
        (
            "split = \"first\"\n",
            "split = \"last\"\n",
            &["plan_template[5x].split: is neither \"shares\" nor \"first\""],
        ),
        (
            "split = \"first\"\n",
            "split = \"first\"\npercent = \"20\"\n",
            &["plan_template[5x].percent: goes with split = \"shares\" only"],
        ),
        ("#first = 30000", "first = 30000", &["plan_template[3x].first: goes with split = \"first\" only"]),
        (
            "split = \"first\"\n",
            "split = \"first\"\nfirst = 99\n",
            &["plan_template[5x].first: is below minimum_instalment"],
        ),
        (
            "minimum_total = 100000\n",
            "minimum_total = 100000\nmaximum_total = 99999\n",
            &["plan_template[5x].maximum_total: is below minimum_total"],
        ),
        (
            "day_of_month = 10",
            "day_of_month = 32",
            &["plan_template[3x].day_of_month: a whole number from 1 to 31 is expected here"],
        ),
        (
            "# The time zone of its dates. The default is the installation's.\ntime_zone = \"Europe/Paris\"",
            "time_zone = \"Paris\"",
            &["plan_template[3x].time_zone: is not a time zone such as \"Europe/Paris\""],
        ),
        (
            "#window = { from = \"07-01\", until = \"10-31\" }",
            "window = { from = \"07-32\", to = \"10-31\" }",
            &[
                "plan_template[3x].window.from: is not a day of the year such as \"07-01\"",
                "plan_template[3x].window.until: is missing",
                "plan_template[3x].window.to: is no key of this table; there are from, until",
            ],
        ),
        (
            "#window = { from = \"07-01\", until = \"10-31\" }",
            "window = \"07-01\"",
            &[
                "plan_template[3x].window: a table is expected here",
                "plan_template[3x].window.from: is missing",
                "plan_template[3x].window.until: is missing",
            ],
        ),
        (
            "approver = \"accounting\"",
            "approver = \"anybody\"",
            &["plan_template[3x].approver: is neither \"accounting\" nor \"nobody\""],
        ),
        (
            "refused_cards = []",
            "refused_cards = [\"MAESTRO\", \"\"]",
            &["plan_template[3x].refused_cards: \"\" is no kind of cards such as \"MAESTRO\""],
        ),
    ] {
        let text = changed(from, to).replace(PLANS, "");
        assert_eq!(problems(&text, &[]), expected, "{from} -> {to}");
    }
}

#[test]
fn a_merchants_plans_are_templates_that_are_there() {
    assert_eq!(
        problems(&changed(PLANS, "plans = [\"3x\", \"4x\", \"3x\"]\n"), &[]),
        [
            "merchant[ecole].plans: there is no [[plan_template]] with the code \"4x\"",
            "merchant[ecole].plans: names \"3x\" twice",
        ]
    );
    let (config, _) = read(&changed(PLANS, "plans = [\"5x\"]\n"), &[]).unwrap();
    assert_eq!(config.merchants[0].merchant.templates, config.templates[1..]);
    let (config, warnings) = read(&changed("minimum_amount = 100", "minimum_amount = 101"), &[]).unwrap();
    assert_eq!(config.merchants[0].merchant.templates, config.templates);
    let said: Vec<String> = warnings.iter().map(ToString::to_string).filter(|said| said.contains("plans")).collect();
    assert_eq!(
        said,
        ["3x", "5x"].map(|code| format!("merchant[ecole].plans: \"{code}\" has instalments below minimum_amount"))
    );
}

#[test]
fn a_merchants_cards() {
    let text = changed("refused_types = []", "refused_types = [\"MAESTRO\"]")
        .replace("authentication_required = false", "authentication_required = true");
    let cards = &read(&text, &[]).unwrap().0.merchants[0].merchant.policy.cards;
    assert_eq!((cards.refused_types.as_slice(), cards.authentication_required), (&["MAESTRO".to_owned()][..], true));
    for (from, to, expected) in [
        (
            "refused_types = []",
            "refused_types = [\"CB,VISA\"]",
            "refused_types: \"CB,VISA\" is no kind of cards such as",
        ),
        ("#refused_bins_file", "refused_bins_file", "refused_bins_file: "),
        (
            "#refused_bins_file = \"refused.bins\"",
            "refused_bins_file = \"keys-example/hmac.key\"",
            "refused_bins_file: ",
        ),
        ("authentication_required = false", "authentication_required = 1", "authentication_required: true or false is"),
    ] {
        let found = problems(&changed(from, to), &[]);
        let [problem] = found.as_slice() else { panic!("{to}: {found:?}") };
        assert!(problem.starts_with(&format!("merchant[ecole].cards.{expected}")), "{problem}");
    }
}
