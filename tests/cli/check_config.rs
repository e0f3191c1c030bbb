//! `check-config`: what live mode refuses, row by row.

use std::{fs, path::Path};

use super::{Said, folder, guichet, project, run, test_config, write_secret};

/// A configuration of live mode without a fault.
pub(super) const LIVE: &str = r#"
mode = "live"
public_url = "https://pay.example.org"

[secrets]
sealing_keys_file = "sealing.keys"

[[platform]]
id = "paybox"
page = "https://tpeweb.paybox.com/php/"
page_backup = "https://tpeweb1.paybox.com/cgi/MYchoix_pagepaiement.cgi"
direct = "https://ppps.paybox.com/PPPS.php"
direct_backup = "https://ppps1.paybox.com/PPPS.php"
public_key_files = ["paybox.pem"]

[timing]
form_lifetime = "15m"

[[merchant]]
id = "ecole"
name = "École"
platform = "paybox"
site = "1234567"
rang = "01"
identifiant = "1"
hmac_key_file = "hmac.key"
reference_prefix = "EC"
return_origins = ["https://portal.example.org"]
"#;

const OTHER_KEY: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCGOEnKKlJ3Q1+Zb51AMzh+yEq
2wvdpn5JXOUSdykGr923YetO54LIcqgwCh8xbrGBOibKnYQC4bH94StitrmTrK7Z
NiMMZu89SqaOo+a2Uh6rUPL3uCbI5xyzFETEON06BzIFQQtjfO+aF9j1OoybXS2b
qx2PP5pXTeOQ+i+agwIDAQAB
-----END PUBLIC KEY-----
";

fn check(folder: &Path, text: &str) -> Said {
    let path = folder.join("guichet.toml");
    fs::write(&path, text).unwrap();
    run(["check-config", "--config", &path.display().to_string()], b"")
}

/// `text` with each of `changes` made, every one of which must be possible.
fn changed(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

fn live_folder(name: &str) -> std::path::PathBuf {
    let folder = folder(name);
    test_config(&folder);
    let copy = |from: &str, to: &str| {
        write_secret(&folder.join(to), &fs::read_to_string(project(&format!("keys-example/{from}"))).unwrap());
    };
    copy("hmac.key", "example-hmac.key");
    copy("sealing.keys", "example-sealing.keys");
    copy("sandbox-public.pem", "example-sandbox.pem");
    fs::write(folder.join("other.pem"), OTHER_KEY).unwrap();
    write_secret(&folder.join("short.key"), &"ab".repeat(19));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    fs::write(folder.join("broken-ca.pem"), broken).unwrap();
    folder
}

#[test]
fn a_good_configuration_is_ok() {
    let folder = live_folder("good-live");
    let said = check(&folder, LIVE);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(0), "ok\n", ""));
    let said = run(["check-config", "--config", &test_config(&folder).display().to_string()], b"");
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(0), "ok\n", ""));
    let said: Said =
        guichet().arg("check-config").env("GUICHET_CONFIG", folder.join("guichet.toml")).output().unwrap().into();
    assert_eq!((said.code, said.out.as_str()), (Some(0), "ok\n"));
    let said = run(["check-config", "--config", &project("guichet.example.toml")], b"");
    assert_eq!((said.code, said.out.lines().last()), (Some(0), Some("ok")), "{}", said.err);
}

#[test]
fn live_mode_refuses() {
    let folder = live_folder("live-rows");
    let hosts = "tpeweb.paybox.com, tpeweb1.paybox.com, tpeweb.e-transactions.fr, tpeweb1.e-transactions.fr";
    let direct_hosts = "ppps.paybox.com, ppps1.paybox.com, ppps.e-transactions.fr, ppps1.e-transactions.fr";
    let not_production = format!("is not on a production host of PAYBOX, in live mode: {hosts}");
    let not_production_direct = format!("is not on a production host of PAYBOX, in live mode: {direct_hosts}");
    for (from, to, path, sentence) in [
        ("https://pay.", "http://pay.", "public_url", "is not https, in live mode"),
        ("public_url = \"https://pay.example.org\"", "", "public_url", "is missing, in live mode"),
        ("https://tpeweb.", "http://tpeweb.", "platform[paybox].page", "is not https, in live mode"),
        ("https://tpeweb1.", "http://tpeweb1.", "platform[paybox].page_backup", "is not https, in live mode"),
        ("https://ppps.", "http://ppps.", "platform[paybox].direct", "is not https, in live mode"),
        ("https://ppps1.", "http://ppps1.", "platform[paybox].direct_backup", "is not https, in live mode"),
        (
            "[\"https://portal.",
            "[\"http://portal.",
            "merchant[ecole].return_origins",
            "\"http://portal.example.org\" is not https, in live mode",
        ),
        (
            "https://portal.example.org",
            "http://127.0.0.1:4000",
            "merchant[ecole].return_origins",
            "\"http://127.0.0.1:4000\" is not https, in live mode",
        ),
        ("tpeweb.paybox.com", "recette-tpeweb.paybox.com", "platform[paybox].page", &not_production),
        ("tpeweb.paybox.com", "tpeweb.paybox.com.evil.example", "platform[paybox].page", &not_production),
        ("tpeweb.paybox.com", "tpeweb.paybox.com.", "platform[paybox].page", &not_production),
        ("tpeweb.paybox.com", "tpeweb.paybox.com:8443", "platform[paybox].page", &not_production),
        ("tpeweb.paybox.com", "ppps.paybox.com", "platform[paybox].page", &not_production),
        ("ppps.paybox.com", "preprod-ppps.paybox.com", "platform[paybox].direct", &not_production_direct),
        ("ppps1.paybox.com", "tpeweb1.paybox.com", "platform[paybox].direct_backup", &not_production_direct),
        (
            "com/php/",
            "com/php",
            "platform[paybox].page",
            "has not the path of this service: /php/ or /cgi/MYchoix_pagepaiement.cgi",
        ),
        (
            "ppps.paybox.com/PPPS.php",
            "ppps.paybox.com/",
            "platform[paybox].direct",
            "has not the path of this service: /PPPS.php",
        ),
        (
            "\"hmac.key\"",
            "\"example-hmac.key\"",
            "merchant[ecole].hmac_key_file",
            "is PAYBOX's public test key, in live mode: anybody can sign with it",
        ),
        (
            "\"sealing.keys\"",
            "\"example-sealing.keys\"",
            "secrets.sealing_keys_file",
            "holds a key of keys-example, in live mode: anybody can open what it seals",
        ),
        (
            "[\"paybox.pem\"]",
            "[\"paybox.pem\", \"example-sandbox.pem\"]",
            "platform[paybox].public_key_files",
            "holds the key of keys-example, in live mode: anybody can sign with it",
        ),
        (
            "identifiant = \"1\"",
            "identifiant = \"1\"\nconfirm = \"signature\"",
            "merchant[ecole].confirm",
            "is \"signature\", in live mode: a signature proves no payment, so the bank is asked",
        ),
        ("1234567", "1999888", "merchant[ecole].site", "1999888 is a public test account, in live mode"),
        ("1234567", "1999887", "merchant[ecole].site", "1999887 is a public test account, in live mode"),
        (
            "[timing]",
            "[bank]\nanswer_deadline = \"29s\"\n[timing]",
            "bank.answer_deadline",
            "is below 30s in live mode",
        ),
        ("[timing]", "[debits]\ndenials = 3\n[timing]", "debits.denials", "is below 4 in live mode"),
    ] {
        let said = check(&folder, &changed(LIVE, &[(from, to)]));
        assert_eq!(said.err, format!("{path}: {sentence}\n"), "{from} -> {to}");
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{from} -> {to}");
    }
}

#[test]
fn secrets_that_everybody_may_read_are_refused_in_live_mode_and_warned_of_in_test_mode() {
    let folder = live_folder("open-secrets");
    for name in ["hmac.key", "sealing.keys"] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        fs::set_permissions(folder.join(name), mode).unwrap();
    }
    let said = check(&folder, LIVE);
    assert_eq!((said.code, said.err.matches("everybody on this machine may read").count()), (Some(1), 2));
    let said = check(&folder, super::TEST_CONFIG);
    assert_eq!((said.code, said.out.matches("warning: ").count()), (Some(0), 2), "{}", said.out);
    assert!(said.out.ends_with("\nok\n") && !said.out.contains("abab"));
}

#[test]
fn another_key_of_payboxs_is_only_worth_a_warning() {
    let folder = live_folder("other-key");
    let said = check(&folder, &changed(LIVE, &[("[\"paybox.pem\"]", "[\"paybox.pem\", \"other.pem\"]")]));
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.contains("is not the key that PAYBOX publishes"), "{}", said.out);
}

#[test]
fn test_mode_never_meets_production() {
    let folder = live_folder("test-rows");
    let real = "is a production host of PAYBOX, in test mode: real money would move";
    for (from, to, path) in [
        ("http://127.0.0.1:9/php/", "https://tpeweb.paybox.com/php/", "page"),
        ("http://127.0.0.1:9/php/", "https://TPEWEB1.e-transactions.fr./php/", "page"),
        ("https://127.0.0.1:9/PPPS.php", "https://ppps.paybox.com/PPPS.php", "direct"),
        ("https://127.0.0.1:9/PPPS.php", "https://ppps2.paybox.com/PPPS.php", "direct"),
    ] {
        let said = check(&folder, &changed(super::TEST_CONFIG, &[(from, to)]));
        assert_eq!(said.err, format!("platform[sandbox].{path}: {real}\n"));
    }
    let preproduction = [
        ("http://127.0.0.1:9/", "https://recette-tpeweb.e-transactions.fr/"),
        ("https://127.0.0.1:9/", "https://preprod-ppps.paybox.com/"),
    ];
    assert_eq!(check(&folder, &changed(super::TEST_CONFIG, &preproduction)).code, Some(0));
}

#[test]
fn whatever_the_mode_these_are_refused() {
    let folder = live_folder("rows");
    let long = format!("https://{}.{}.example.org", "a".repeat(60), "b".repeat(20));
    let second = |id: &str, site: &str, prefix: &str| {
        let start = LIVE.find("[[merchant]]").unwrap();
        let text = LIVE[start..].replace("\"ecole\"", &format!("\"{id}\"")).replace("1234567", site);
        format!("{LIVE}{}", text.replace("\"EC\"", &format!("\"{prefix}\"")))
    };
    for (text, expected) in [
        (
            changed(LIVE, &[("[timing]", "[timing]\nform_lifetine = \"1m\"")]),
            "timing.form_lifetine: is no key of this table; there are form_lifetime, ",
        ),
        (changed(LIVE, &[("[secrets]", "[secret]")]), "secrets.sealing_keys_file: is missing"),
        (changed(LIVE, &[("\"live\"", "\"production\"")]), "mode: is neither \"live\" nor \"test\""),
        (
            changed(LIVE, &[("[secrets]", "[server]\nlisten = 8080\n[secrets]")]),
            "server.listen: a text in quotes is expected here",
        ),
        (changed(LIVE, &[("\"15m\"", "\"900\"")]), "timing.form_lifetime: is not a duration such as"),
        (
            changed(LIVE, &[("[timing]", "[timing]\npage_lifetime = \"99s\"")]),
            "timing.page_lifetime: is not between 1m 40s and ",
        ),
        (
            changed(LIVE, &[("[timing]", "[timing]\ndoubt_ladder = [\"5m\", \"1m\"]")]),
            "timing.doubt_ladder: does not grow from each step to the next",
        ),
        (
            changed(LIVE, &[("[timing]", "[timing]\ndoubt_ladder = [\"5m\"]")]),
            "timing.doubt_ladder: ends before doubt_settles",
        ),
        (changed(LIVE, &[("[timing]", "[timing]\nask_after_news = []")]), "timing.ask_after_news: is empty"),
        (
            changed(LIVE, &[("[timing]", "[timing]\nanswer_grace = \"1m\"")]),
            "timing.answer_grace: is not longer than bank.answer_deadline and send_within, 1m 5s",
        ),
        (
            changed(LIVE, &[("pay.example.org", "pay.example.org:8443")]),
            "public_url: is on a port that PAYBOX does not notify",
        ),
        (changed(LIVE, &[("https://pay.example.org", "https://me:pw@pay.example.org")]), "public_url: has a user name"),
        (changed(LIVE, &[("https://pay.example.org", "pay.example.org")]), "public_url: is not an absolute URL"),
        (
            changed(LIVE, &[("https://pay.example.org", &long)]),
            "public_url: makes a return URL that PAYBOX does not take",
        ),
        (
            changed(LIVE, &[("https://pay.example.org", "https://pay.example.org/a;b")]),
            "public_url: makes a return URL that PAYBOX does not take",
        ),
        (
            changed(LIVE, &[("https://portal.example.org", "https://portal.example.org/")]),
            "merchant[ecole].return_origins: \"https://portal.example.org/\" is not an origin",
        ),
        (
            changed(LIVE, &[("platform = \"paybox\"", "platform = \"other\"")]),
            "merchant[ecole].platform: there is no [[platform]] with the id \"other\"",
        ),
        (changed(LIVE, &[("\"EC\"", "\"EC-\"")]), "merchant[ecole].reference_prefix: is not 1 to 6 letters and digits"),
        (changed(LIVE, &[("1234567", "123456")]), "merchant[ecole].site: shorter than 7 characters"),
        (
            changed(LIVE, &[("\"hmac.key\"", "\"paybox.pem\"")]),
            "merchant[ecole].hmac_key_file: the HMAC key has a character that is not a hexadecimal digit",
        ),
        (
            changed(LIVE, &[("\"hmac.key\"", "\"short.key\"")]),
            "merchant[ecole].hmac_key_file: the HMAC key has 38 characters, at least 40 are needed",
        ),
        (changed(LIVE, &[("\"paybox.pem\"", "\"hmac.key\"")]), "platform[paybox].public_key_files: "),
        (changed(LIVE, &[("direct =", "ca_file = \"hmac.key\"\ndirect =")]), "platform[paybox].ca_file: "),
        (
            format!("{LIVE}plans = [\"4x\"]"),
            "merchant[ecole].plans: there is no [[plan_template]] with the code \"4x\"",
        ),
        (
            format!("{LIVE}[merchant.cards]\nrefused_bins_file = \"short.key\""),
            "short.key: line 1 is not the first 1 to 6 digits of card numbers",
        ),
        (second("ecole", "7654321", "EC"), "merchant[ecole].id: is another merchant's too"),
        (second("autre", "1234567", "ec"), "merchant[autre].reference_prefix: is another merchant's on this site too"),
        ("mode = 1".replace('1', "\"live"), "is not TOML: line 1: "),
    ] {
        let said = check(&folder, &text);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{expected}");
        assert!(said.err.contains(expected), "{expected}: {}", said.err);
        assert!(!said.err.contains("abab") && !said.err.contains("cdcd"), "{}", said.err);
    }
    assert_eq!(check(&folder, &second("autre", "1234567", "AU")).code, Some(0));
    fs::write(folder.join("refused.bins"), "# prepaid\n4012\n").unwrap();
    let said = check(&folder, &format!("{LIVE}[merchant.cards]\nrefused_bins_file = \"refused.bins\""));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_eq!(check(&folder, &second("autre", "7654321", "EC")).code, Some(0));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let folder = live_folder("all-at-once");
    let text = changed(
        LIVE,
        &[
            ("https://pay.", "http://pay."),
            ("\"sealing.keys\"", "\"none.keys\""),
            ("tpeweb.paybox.com", "tpeweb.example.org"),
            ("direct =", "ca_file = \"broken-ca.pem\"\ndirect ="),
            ("\"15m\"", "15"),
            ("rang = \"01\"\n", ""),
            ("\"EC\"", "\"\""),
            ("identifiant", "hash = \"MD5\"\nidentifiant"),
            ("public_url", "store = \"sqlite:none/guichet.db\"\npublic_url"),
            ("reference_prefix", "colour = \"red\"\nreference_prefix"),
        ],
    );
    let said = check(&folder, &text);
    let paths: Vec<&str> = said.err.lines().filter_map(|line| line.split_once(": ").map(|(path, _)| path)).collect();
    assert_eq!(
        paths,
        [
            "public_url",
            "store",
            "secrets.sealing_keys_file",
            "platform[paybox].page",
            "platform[paybox].ca_file",
            "timing.form_lifetime",
            "merchant[ecole].rang",
            "merchant[ecole].hash",
            "merchant[ecole].reference_prefix",
            "merchant[ecole].colour",
        ]
    );
}
