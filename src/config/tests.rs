mod debits;
mod plans;

use std::collections::BTreeSet;

use super::*;

const EXAMPLE: &str = include_str!("../../guichet.example.toml");

/// Leaves it all to those who know.
struct Lenient;

impl Judge for Lenient {
    fn store(&self, _place: &StorePlace, _mode: Option<Mode>) -> Result<Option<String>, String> {
        Ok(None)
    }

    fn direct(&self, _url: &url::Url) -> Result<(), String> {
        Ok(())
    }

    fn authorities(&self, _pem: &str) -> Result<(), String> {
        Ok(())
    }
}

/// `EXAMPLE` with the first `from` changed, which must be there.
fn changed(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "{from}");
    EXAMPLE.replacen(from, to, 1)
}

/// The line that names a merchant's templates.
const PLANS: &str = "plans = [\"3x\", \"5x\"]\n";

/// The example with other templates, all of which its merchant takes.
fn with_templates(templates: &str) -> String {
    let (before, rest) = EXAMPLE.split_once("\n[[plan_template]]\n").unwrap();
    let (_, after) = rest.split_once("\n[[merchant]]\n").unwrap();
    format!("{before}\n{templates}\n[[merchant]]\n{after}").replace(PLANS, "")
}

/// Reads `text` with files found from the project's folder.
fn read(text: &str, env: &[(&str, &str)]) -> Result<(Config, Vec<Problem>), Vec<String>> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let reading = Reading::new(Overrides::from_env(env));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = Files { folder, reading: &reading };
    let config = Config::read(Section::root(&reading, parse(text).unwrap()), &files, &Lenient);
    match reading.end() {
        Ok(warnings) => Ok((config.unwrap(), warnings)),
        Err(ConfigErrors(problems)) => Err(problems.iter().map(ToString::to_string).collect()),
    }
}

fn problems(text: &str, env: &[(&str, &str)]) -> Vec<String> {
    read(text, env).err().unwrap_or_default()
}

#[test]
fn the_example_is_a_configuration() {
    let (config, _) = read(EXAMPLE, &[]).unwrap();
    assert_eq!(config.mode, Mode::Test);
    assert_eq!(config.public_url, None);
    let merchant = &config.merchants[0].merchant;
    assert_eq!((merchant.account.site(), merchant.prefix.as_str()), ("1999888", "EX"));
    assert!(merchant.trusted.keys().all(crate::paybox::rsa::PublicKey::is_paybox_key));
}

/// What the example shows of optional keys is what holds without them.
#[test]
fn the_example_shows_the_defaults() {
    let necessary = [
        "mode",
        "sealing_keys_file",
        "id",
        "page",
        "direct",
        "public_key_files",
        "name",
        "platform",
        "site",
        "rang",
        "identifiant",
        "hmac_key_file",
        "reference_prefix",
        "return_origins",
    ];
    let is_needed = |line: &&str| match line.split_once(" = ") {
        Some((key, _)) => necessary.contains(&key),
        None => true,
    };
    let without_templates = with_templates("");
    let bare: Vec<&str> = without_templates.lines().filter(is_needed).collect();
    let (bare, _) = read(&bare.join("\n"), &[]).unwrap();
    let (full, _) = read(EXAMPLE, &[]).unwrap();
    assert_eq!(bare.time_zone, full.time_zone);
    assert_eq!((bare.store, bare.server, bare.log, bare.bank), (full.store, full.server, full.log, full.bank));
    assert_eq!((bare.webhooks, bare.test_clock), (full.webhooks, full.test_clock));
    assert_eq!((bare.debits, bare.templates, bare.zones), (full.debits, full.templates, full.zones));
    let (bare, full) = (&bare.merchants[0], &full.merchants[0]);
    assert_eq!(bare.platform, full.platform);
    assert_eq!(bare.merchant.templates, full.merchant.templates);
    assert_eq!(bare.merchant.policy, full.merchant.policy);
    let chosen = |served: &Served| {
        let merchant = &served.merchant;
        (
            merchant.hash,
            merchant.currency,
            merchant.challenge,
            merchant.without_billing,
            merchant.notification_signed_whole,
            merchant.policy.clone(),
        )
    };
    assert_eq!(chosen(bare), chosen(full));
}

/// Every key that is read has its line in the example, in its table, set or commented out.
#[test]
fn the_example_has_every_key() {
    let tables = [
        "",
        "[server]",
        "[log]",
        "[secrets]",
        "[bank]",
        "[webhooks]",
        "[test_clock]",
        "[[platform]]",
        "[timing]",
        "[debits]",
        "[[plan_template]]",
        "[[merchant]]",
        "[merchant.cards]",
    ];
    let uncommented: Vec<&str> = EXAMPLE.lines().map(|line| line.strip_prefix('#').unwrap_or(line)).collect();
    for table in tables {
        // An unknown key's problem lists the known ones.
        let spoiled = if table.is_empty() {
            format!("unknown = 1\n{EXAMPLE}")
        } else {
            EXAMPLE.replacen(&format!("\n{table}\n"), &format!("\n{table}\nunknown = 1\n"), 1)
        };
        let found = problems(&spoiled, &[]);
        let [problem] = found.as_slice() else { panic!("{table}: {found:?}") };
        let known = problem.split_once("there are ").unwrap().1.split(", ");
        let in_table: BTreeSet<&str> = uncommented
            .iter()
            .skip_while(|line| !table.is_empty() && **line != table)
            .skip(1)
            .take_while(|line| !line.starts_with('[') || line.starts_with("[merchant."))
            .filter_map(|line| line.split_once(" = ").map(|(key, _)| key))
            .collect();
        for key in known {
            let is_table = uncommented.iter().any(|line| {
                [format!("[{key}]"), format!("[[{key}]]"), format!("[merchant.{key}]")].contains(&(*line).to_owned())
            });
            assert!(in_table.contains(key) || is_table, "{table} {key}");
        }
    }
}

#[test]
fn the_environment_replaces_single_values() {
    let (config, _) = read(
        EXAMPLE,
        &[
            ("GUICHET__SERVER__LISTEN", "127.0.0.1:0"),
            ("GUICHET__SERVER__ATTEND_AT_ONCE", "3"),
            ("GUICHET__PUBLIC_URL", "https://pay.example.org/"),
            ("GUICHET__LOG__FORMAT", "json"),
            ("GUICHET__TIMING__SEND_AGAIN", "1s"),
            ("GUICHET_CONFIG", "not ours to read"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.listen.port(), 0);
    assert_eq!(config.server.attend_at_once, 3);
    assert_eq!(config.public_url.as_deref(), Some("https://pay.example.org"));
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.merchants[0].merchant.policy.send_again, jiff::SignedDuration::from_secs(1));
    for (name, value, expected) in [
        ("GUICHET__SERVER__LISTEM", "x", "GUICHET__SERVER__LISTEM: names no single value of the configuration"),
        (
            "GUICHET__TIMING__DOUBT_LADDER",
            "1s",
            "GUICHET__TIMING__DOUBT_LADDER: names no single value of the configuration",
        ),
        ("GUICHET__MERCHANT", "x", "GUICHET__MERCHANT: names no single value of the configuration"),
        (
            "GUICHET__SERVER__CONNECTIONS",
            "many",
            "server.connections: a whole number from 8 to 100000 is expected here",
        ),
        ("GUICHET__MODE", "LIVE", "mode: is neither \"live\" nor \"test\""),
    ] {
        assert_eq!(problems(EXAMPLE, &[(name, value)]), [expected], "{name}");
    }
}

#[test]
fn a_file_that_is_not_toml_is_not_shown() {
    let fault = parse("mode = \"test\"\nhmac_key = 0123SECRET\n").unwrap_err();
    assert!(fault.starts_with("line 2: ") && !fault.contains("SECRET"), "{fault}");
}

#[test]
fn a_merchants_timing_replaces_the_general_one() {
    let text = format!("{EXAMPLE}[merchant.timing]\nform_lifetime = \"10m\"\nanswer_grace = \"60s\"\n");
    assert_eq!(
        problems(&text, &[]),
        ["merchant[ecole].timing.answer_grace: is not longer than bank.answer_deadline and send_within, 1m 5s"]
    );
    let text = format!("{EXAMPLE}[merchant.timing]\nform_lifetime = \"10m\"\n");
    let (config, _) = read(&text, &[]).unwrap();
    let policy = &config.merchants[0].merchant.policy;
    assert_eq!((policy.form_lifetime.as_mins(), policy.page_lifetime.as_mins()), (10, 15));
}

#[test]
fn what_follows_a_capture_is_configured_within_limits() {
    let policy = |text: &str| read(text, &[]).unwrap().0.merchants[0].merchant.policy.clone();
    let text = changed("settlement_after = \"20h\"", "settlement_after = \"10s\"");
    assert_eq!(policy(&text).settlement_after.as_secs(), 10);
    assert_eq!(policy(&changed("card_check = 100", "card_check = 150")).card_check, 150);
    let one = format!("{EXAMPLE}[merchant.timing]\nverdicts_within = \"2h\"\nsettlement_every = \"1h\"\n");
    assert_eq!((policy(&one).verdicts_within.as_hours(), policy(&one).settlement_every.as_hours()), (2, 1));
    for (from, to, sentence) in [
        (
            "card_check = 100",
            "card_check = 99",
            "merchant[ecole].card_check: a whole number from 100 to 10000 is expected here",
        ),
        ("settlement_after = \"20h\"", "settlement_after = \"8d\"", "timing.settlement_after: "),
        ("settlement_every = \"24h\"", "settlement_every = \"0s\"", "timing.settlement_every: "),
        ("verdicts_within = \"24h\"", "verdicts_within = \"15d\"", "timing.verdicts_within: "),
    ] {
        let found = problems(&changed(from, to), &[]);
        assert!(matches!(found.as_slice(), [only] if only.starts_with(sentence)), "{to}: {found:?}");
    }
}

#[test]
fn webhooks_stay_on_the_outside_in_live_mode() {
    let text = EXAMPLE.replace("allow_loopback = false", "allow_loopback = true");
    assert!(read(&text, &[]).unwrap().0.webhooks.allow_loopback);
    let live = text.replace("mode = \"test\"", "mode = \"live\"");
    assert!(problems(&live, &[]).contains(&"webhooks.allow_loopback: is for test mode only".to_owned()));
    for waits in ["[\"1ms\"]", "[\"8d\"]"] {
        let text =
            EXAMPLE.replace("[\"5s\", \"30s\", \"2m\", \"10m\", \"30m\", \"1h\", \"3h\", \"6h\", \"12h\"]", waits);
        let expected = ["webhooks.retry_after: has more than 30 waits, or one outside 10ms to 7d"];
        assert_eq!(problems(&text, &[]), expected, "{waits}");
    }
}

#[test]
fn a_test_clock_is_of_test_mode_and_moves_this_machines_sandbox_only() {
    let with = |sandbox: &str| EXAMPLE.replace("#sandbox = \"http://127.0.0.1:8091\"", sandbox);
    let (config, _) = read(&with("sandbox = \"http://127.0.0.1:8091/\""), &[]).unwrap();
    let clock = config.test_clock.unwrap();
    assert_eq!(clock.sandbox.unwrap().as_str(), "http://127.0.0.1:8091/");
    for (sandbox, sentence) in [
        ("\"http://192.0.2.1:8091\"", "is not http on this machine: \"http://127.0.0.1:8091\""),
        ("\"https://127.0.0.1:8091\"", "is not http on this machine: \"http://127.0.0.1:8091\""),
        ("\"127.0.0.1:8091\"", "is not an absolute URL such as \"https://pay.example.org\""),
    ] {
        let found = problems(&with(&format!("sandbox = {sandbox}")), &[]);
        assert_eq!(found, [format!("test_clock.sandbox: {sentence}")], "{sandbox}");
    }
    let live = |text: String| problems(&text.replace("mode = \"test\"", "mode = \"live\""), &[]);
    let refused = "test_clock.sandbox: is for test mode only".to_owned();
    assert!(live(with("sandbox = \"http://127.0.0.1:8091\"")).contains(&refused));
    assert!(!live(EXAMPLE.to_owned()).iter().any(|problem| problem.contains("test_clock")));
}
