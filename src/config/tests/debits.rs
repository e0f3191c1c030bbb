//! `[debits]`.

use jiff::civil;

use super::*;
use crate::domain::retry::RetryRules;

#[test]
fn debits_keep_their_hours_and_limits() {
    let (config, _) =
        read(&changed("from = \"06:00\"", "from = \"07:30\"").replace("daily_at = \"06:00\"\n", ""), &[]).unwrap();
    assert_eq!((config.debits.from, config.debits.daily_at), (civil::time(7, 30, 0, 0), civil::time(7, 30, 0, 0)));
    let env =
        [("GUICHET__DEBITS__AT_ONCE", "3"), ("GUICHET__DEBITS__UNTIL", "23:59"), ("GUICHET__DEBITS__DAILY", "false")];
    let debits = read(&changed("waits = [3, 5, 7]", "waits = [1]"), &env).unwrap().0.debits;
    assert_eq!((debits.at_once, debits.until, debits.daily), (3, civil::time(23, 59, 0, 0), false));
    assert_eq!(debits.retry, RetryRules { waits: vec![1], ..RetryRules::default() });
    for (from, to, expected) in [
        ("until = \"22:00\"", "until = \"06:00\"", "until: is not later than from: no debit could begin"),
        ("until = \"22:00\"", "until = \"24:00\"", "until: is not a time of the day such as \"06:00\""),
        ("from = \"06:00\"", "from = \"6:00\"", "from: is not a time of the day such as \"06:00\""),
        ("from = \"06:00\"", "from = \"06:01\"", "daily_at: is not between from and until: the day's run would wait"),
        (
            "daily_at = \"06:00\"",
            "daily_at = \"22:00\"",
            "daily_at: is not between from and until: the day's run would wait",
        ),
        ("\nat_once = 10", "\nat_once = 0", "at_once: a whole number from 1 to 64 is expected here"),
        ("\nper_minute = 120", "\nper_minute = 0", "per_minute: a whole number from 1 to 6000 is expected here"),
        ("late_days = 5", "late_days = -1", "late_days: a whole number from 0 to 31 is expected here"),
        ("tries = 4", "tries = 16", "tries: a whole number from 1 to 15 is expected here"),
        ("card_tries = 15", "card_tries = 20", "card_tries: a whole number from 1 to 15 is expected here"),
        ("card_days = 30", "card_days = 29", "card_days: a whole number from 30 to 365 is expected here"),
        ("within_days = 20", "within_days = 61", "within_days: a whole number from 0 to 60 is expected here"),
        ("waits = [3, 5, 7]", "waits = []", "waits: has no wait, or more than 15"),
        ("waits = [3, 5, 7]", "waits = [3, 0]", "waits: a list of whole numbers from 1 to 60 is expected here"),
        ("waits = [3, 5, 7]", "waits = 3", "waits: a list of whole numbers from 1 to 60 is expected here"),
        (
            "card_wait = \"30m\"",
            "card_wait = \"24h\"",
            "card_wait: is not shorter than capture_within: nothing would be left to capture in",
        ),
        ("capture_within = \"24h\"", "capture_within = \"25h\"", "capture_within: is not between 10ms and 24h"),
    ] {
        assert_eq!(problems(&changed(from, to), &[]), [format!("debits.{expected}")], "{from} -> {to}");
    }
    let quick = changed("denials = 4", "denials = 3").replace("denials_span = \"24h\"", "denials_span = \"23h\"");
    assert_eq!(read(&quick, &[]).unwrap().0.debits.denials, 3);
    let live = problems(&quick.replace("mode = \"test\"", "mode = \"live\""), &[]);
    for expected in ["debits.denials: is below 4 in live mode", "debits.denials_span: is below 24h in live mode"] {
        assert!(live.contains(&expected.to_owned()), "{expected}: {live:?}");
    }
}
