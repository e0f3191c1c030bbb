//! What a gateway of these tests is configured with, and the keys that it and its PAYBOX have.

use std::sync::OnceLock;

use guichet_sandbox::{
    keys::{Existing, KeyDirectory},
    serve::Running,
};

/// Where the keys of all tests are: making RSA keys is slow.
const KEYS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/gateway-keys");

pub(crate) fn keys() -> &'static KeyDirectory {
    static FILLED: OnceLock<KeyDirectory> = OnceLock::new();
    FILLED.get_or_init(|| {
        let directory = KeyDirectory::new(KEYS);
        directory.fill(Existing::Keep).unwrap();
        directory
    })
}

/// The text of a configuration before this sandbox; `extra` is put before the merchants, at the top level of TOML.
pub(crate) fn configuration(sandbox: &Running, edit: &dyn Fn(String) -> String) -> String {
    let keys = KEYS;
    let addresses = &sandbox.addresses;
    edit(format!(
        r#"
mode = "test"
store = "sqlite:guichet.db"

[server]
listen = "127.0.0.1:0"
ops_listen = "127.0.0.1:0"
look_again = "20ms"
return_wait = "2s"
header_deadline = "700ms"
body_deadline = "700ms"
shutdown_grace = "2s"

[log]
level = "debug"

[secrets]
sealing_keys_file = "sealing.keys"

[bank]
connect_deadline = "2s"
load_deadline = "1s"
answer_deadline = "1500ms"
look_every = "100ms"

[test_clock]
sandbox = "{manage}"

[[platform]]
id = "sandbox"
page = "{page}/php/"
page_backup = "{page_backup}/php/"
direct = "{direct}/PPPS.php"
direct_backup = "{direct_backup}/PPPS.php"
ca_file = "{keys}/ca.pem"
public_key_files = ["{keys}/paybox-public.pem"]

[timing]
ask_after_issue = []
ask_after_news = ["0s", "100ms", "400ms", "1s", "2s"]
ask_after_silence = ["100ms", "300ms"]
hold_for_report = "1500ms"
doubt_settles = "500ms"
doubt_ladder = ["50ms", "200ms", "600ms", "1s", "2s", "4s"]
answer_grace = "3s"
send_again = "200ms"
send_within = "1s"

[[merchant]]
id = "ecole"
name = "École de démonstration"
platform = "sandbox"
site = "1999888"
rang = "32"
identifiant = "110647233"
hmac_key_file = "{keys}/hmac.key"
reference_prefix = "ECO"
return_origins = ["http://127.0.0.1:9", "https://portail.ecole.example"]

[[merchant]]
id = "annexe"
name = "Annexe"
platform = "sandbox"
site = "1999888"
rang = "63"
identifiant = "109518543"
hmac_key_file = "{keys}/hmac.key"
reference_prefix = "ANX"
without_billing = "placeholder"
return_origins = ["http://127.0.0.1:9"]
"#,
        manage = addresses.manage,
        page = addresses.page,
        page_backup = addresses.page_backup,
        direct = addresses.direct,
        direct_backup = addresses.direct_backup,
    ))
}
