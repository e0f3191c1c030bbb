//! What the two programs are told: the sandbox's contracts in JSON, the gateway's configuration in TOML.

use std::path::Path;

use serde_json::json;

use crate::{processes::Process, trouble::Outcome};

/// A school with its own PAYBOX contract.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Merchant {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) rang: &'static str,
    identifiant: &'static str,
    /// Put before each of its references.
    pub(crate) prefix: &'static str,
    /// What it does for payers who give no address.
    without_billing: &'static str,
}

/// The school whose payers walk through this demo.
pub(crate) const ECOLE: Merchant = Merchant {
    id: "ecole",
    name: "École de démonstration",
    rang: "32",
    identifiant: "110647233",
    prefix: "ECO",
    without_billing: "omit",
};
/// Another school on the same platform, under the same keys: whoever pays it has not paid the first.
pub(crate) const ANNEXE: Merchant = Merchant {
    id: "annexe",
    name: "Autre école",
    rang: "63",
    identifiant: "109518543",
    prefix: "ANX",
    without_billing: "omit",
};
/// Sends a neutral address for payers who give none, and asks about a page soon after it was handed out.
pub(crate) const NEUTRAL: Merchant = Merchant {
    id: "neutre",
    name: "École à adresse neutre",
    rang: "64",
    identifiant: "109518544",
    prefix: "NEU",
    without_billing: "placeholder",
};
/// Lets nobody pay without an address.
pub(crate) const STRICT: Merchant = Merchant {
    id: "stricte",
    name: "École stricte",
    rang: "65",
    identifiant: "109518545",
    prefix: "STR",
    without_billing: "refuse",
};

pub(crate) const MERCHANTS: [Merchant; 4] = [ECOLE, ANNEXE, NEUTRAL, STRICT];

pub(crate) const SITE: &str = "1999888";

/// How patient everybody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Seconds where a real gateway waits minutes, so that a whole journey can be watched.
    Hasty,
    /// Forms and pages live as long as people need; the bank is still asked quickly.
    Human,
}

/// Where the gateway listens and whom it serves.
pub(crate) struct Gateway<'a> {
    pub(crate) store: String,
    pub(crate) journal: String,
    /// What it is called among those that share its store, if any do.
    pub(crate) instance: Option<&'a str>,
    /// Whether another gateway listens where this one does.
    pub(crate) shares_port: bool,
    pub(crate) port: u16,
    pub(crate) ops_port: u16,
    pub(crate) portal_origin: &'a str,
    pub(crate) keys: &'a Path,
    pub(crate) pace: Pace,
}

/// The sandbox's configuration.
pub(crate) fn of_sandbox() -> String {
    let contracts = MERCHANTS.map(|merchant| {
        json!({
            "site": SITE,
            "rang": merchant.rang,
            "identifiant": merchant.identifiant,
            "shop_name": merchant.name,
        })
    });
    json!({"contracts": contracts}).to_string()
}

/// The gateway's configuration, once the sandbox has said where it listens.
pub(crate) fn of_gateway(gateway: &Gateway<'_>, sandbox: &Process) -> Outcome<String> {
    let key = |name: &str| quoted(&gateway.keys.join(name).to_string_lossy());
    let mut text = format!(
        r#"mode = "test"
time_zone = "Europe/Paris"
store = "{store}"
journal = "{journal}"
{instance}

[server]
reuse_port = {shares_port}
listen = "127.0.0.1:{port}"
ops_listen = "127.0.0.1:{ops_port}"
look_again = "100ms"
return_wait = "2s"

[secrets]
sealing_keys_file = {sealing}

[bank]
connect_deadline = "1s"
load_deadline = "1s"
look_every = "200ms"
answer_deadline = "{answer_deadline}"

[webhooks]
allow_loopback = true

{debits}

[test_clock]
sandbox = "{manage}"

[[platform]]
id = "sandbox"
page = "{page}/php/"
page_backup = "{page_backup}/php/"
direct = "{direct}/PPPS.php"
direct_backup = "{direct_backup}/PPPS.php"
ca_file = {ca}
public_key_files = [{paybox}]

{timing}
"#,
        store = gateway.store,
        journal = gateway.journal,
        instance = gateway.instance.map_or(String::new(), |name| format!("instance = \"{name}\"")),
        shares_port = gateway.shares_port,
        port = gateway.port,
        ops_port = gateway.ops_port,
        sealing = key("sealing.keys"),
        answer_deadline = answer_deadline(gateway.pace),
        manage = sandbox.address("manage")?,
        page = sandbox.address("page")?,
        page_backup = sandbox.address("page_backup")?,
        direct = sandbox.address("direct")?,
        direct_backup = sandbox.address("direct_backup")?,
        ca = key("ca.pem"),
        paybox = key("paybox-public.pem"),
        debits = debits(gateway.pace),
        timing = timing(gateway.pace),
    );
    for merchant in MERCHANTS {
        text.push_str(&format!(
            r#"
[[merchant]]
id = "{id}"
name = {name}
platform = "sandbox"
site = "{SITE}"
rang = "{rang}"
identifiant = "{identifiant}"
hmac_key_file = {hmac}
reference_prefix = "{prefix}"
currency = "EUR"
without_billing = "{without_billing}"
return_origins = ["{origin}"]
"#,
            id = merchant.id,
            name = quoted(merchant.name),
            rang = merchant.rang,
            identifiant = merchant.identifiant,
            hmac = key("hmac.key"),
            prefix = merchant.prefix,
            without_billing = merchant.without_billing,
            origin = gateway.portal_origin,
        ));
        if merchant.id == NEUTRAL.id && gateway.pace == Pace::Hasty {
            text.push_str("[merchant.timing]\nask_after_issue = [\"2s\"]\n");
        }
    }
    Ok(text)
}

fn answer_deadline(pace: Pace) -> &'static str {
    match pace {
        Pace::Hasty => "800ms",
        Pace::Human => "10s",
    }
}

fn timing(pace: Pace) -> &'static str {
    match pace {
        Pace::Hasty => {
            r#"[timing]
form_lifetime = "5s"
page_lifetime = "100s"
ask_after_expiry = ["0s", "2s", "10s"]
ask_after_news = ["0s", "300ms", "1s", "3s"]
ask_after_silence = ["1s", "2s"]
hold_for_report = "2s"
doubt_settles = "1500ms"
doubt_ladder = ["300ms", "1600ms", "3s", "6s", "12s"]
answer_grace = "3s"
send_again = "1s"
send_within = "500ms""#
        }
        Pace::Human => {
            r#"[timing]
form_lifetime = "4h"
page_lifetime = "30m"
ask_after_news = ["0s", "2s", "10s", "1m"]
ask_after_silence = ["2s", "10s", "1m"]
doubt_settles = "1m"
doubt_ladder = ["10s", "70s", "5m", "1h"]"#
        }
    }
}

fn debits(pace: Pace) -> &'static str {
    match pace {
        // Whoever watches begins each run, and sees first what it would find.
        Pace::Hasty => {
            r#"[debits]
per_minute = 6000
daily = false
card_wait = "3s"
denials = 2
denials_span = "0s""#
        }
        Pace::Human => {
            r#"[debits]
per_minute = 600
daily = false"#
        }
    }
}

/// A text as TOML writes it: JSON's escapes are a part of TOML's.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}
