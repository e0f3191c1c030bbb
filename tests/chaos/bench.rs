//! A bench: a sandbox in this process, which lives through everything, and a folder for a gateway that does not.

use std::{
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use guichet_sandbox::{
    config::Config,
    keys::{Existing, KeyDirectory, TlsSet},
    log::Log,
    serve::{self, Options, Ports, Running},
};

use crate::client::Client;

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

/// A bank, and where its gateway keeps its things.
pub(crate) struct Bench {
    pub(crate) sandbox: Arc<Running>,
    /// The gateway listens on the same ports in each of its lives: payers and PAYBOX know them.
    pub(crate) gateway: Client,
    pub(crate) ops: Client,
    pub(crate) folder: PathBuf,
    /// The store's file.
    pub(crate) store: PathBuf,
    pub(crate) keys: Keys,
}

/// Who acts on the gateway.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) portal: String,
    pub(crate) operator: String,
    pub(crate) scheduler: String,
}

/// Where the bank's two servers are for the gateway, when not at the sandbox's own.
pub(crate) struct Direct {
    pub(crate) main: String,
    pub(crate) backup: String,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| None, |configuration| configuration).await
    }

    /// The same, with something between gateway and bank, and a configuration that was edited.
    pub(crate) async fn start_with(
        between: impl FnOnce(&Running) -> Option<Direct>,
        edit: impl Fn(String) -> String,
    ) -> Self {
        let ports = Ports { page: 0, page_backup: 0, direct: 0, direct_backup: 0, manage: 0 };
        let options = Options { config: Config::default(), ports, tls: TlsSet::Good, seed: 1 };
        let sandbox = Arc::new(serve::start(keys(), options, Log::to(|_| {})).await.unwrap());
        Self::before(sandbox, between, edit)
    }

    /// The place of one more gateway before the same bank.
    pub(crate) fn beside(&self, edit: impl Fn(String) -> String) -> Self {
        Self::before(Arc::clone(&self.sandbox), |_| None, edit)
    }

    fn before(
        sandbox: Arc<Running>,
        between: impl FnOnce(&Running) -> Option<Direct>,
        edit: impl Fn(String) -> String,
    ) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(fresh_name("chaos"));
        std::fs::create_dir_all(&folder).unwrap();
        write_secret(&folder.join("sealing.keys"), &format!("k1:{}\n", "5a".repeat(32)));
        let direct = between(&sandbox).unwrap_or_else(|| Direct {
            main: sandbox.addresses.direct.clone(),
            backup: sandbox.addresses.direct_backup.clone(),
        });
        let (port, ops_port) = (free_port(), free_port());
        let text = edit(configuration(&sandbox, &direct, port, ops_port));
        // Of one that is elsewhere there is no file.
        let store = text.lines().find_map(|line| line.strip_prefix("store = \"sqlite:")).unwrap_or("none");
        let store = folder.join(store.trim_end_matches('"'));
        std::fs::write(folder.join("guichet.toml"), text).unwrap();
        let key = |scope: &str| make_key(&folder, scope);
        let keys = Keys { portal: key("portal"), operator: key("ops"), scheduler: key("scheduler") };
        let client = |port| Client::new(&format!("http://127.0.0.1:{port}"));
        Self { sandbox, gateway: client(port), ops: client(ops_port), store, folder, keys }
    }

    /// Everything that the gateway has logged, in all its lives.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.join("gateway.log")).unwrap_or_default()).into_owned()
    }

    /// The books make sense, to the bank too.
    pub(crate) fn audit(&self) {
        println!("{}", command(&self.folder, &["audit", "--bank"]));
    }

    /// The last lines of its log.
    pub(crate) fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // What a failed test leaves is worth a look.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// A name that no other test uses.
pub(crate) fn fresh_name(kind: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{kind}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A port below those that the system gives to outgoing connections: nobody takes it between two lives.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(31) % 10_000;
    loop {
        let offset = (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        let port = u16::try_from(20_000 + offset).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn write_secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// What a command of the gateway says, which must end well.
fn command(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guichet"));
    command.current_dir(folder).env("GUICHET_CONFIG", folder.join("guichet.toml")).args(arguments);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}\n{said}{}", String::from_utf8_lossy(&output.stderr));
    said.trim().to_owned()
}

fn make_key(folder: &Path, scope: &str) -> String {
    command(folder, &["keys", "new", "--name", "test", "--scope", scope, "--merchant", "ecole"])
}

/// Rungs close enough that a doubt that can end is over in seconds, and then so far apart that those which cannot leave
/// the gateway time for the others; and so many that no kill makes it a person's.
fn ladder() -> String {
    let close = (0..=10).map(|step| 1_600 + 100 * step);
    let far = [3_000, 4_000, 6_000].into_iter().chain((1..60).map(|step| 60_000 * step));
    let rungs = [200].into_iter().chain(close).chain(far);
    rungs.map(|rung| format!("\"{rung}ms\"")).collect::<Vec<_>>().join(", ")
}

fn configuration(sandbox: &Running, direct: &Direct, port: u16, ops_port: u16) -> String {
    let addresses = &sandbox.addresses;
    format!(
        r#"
mode = "test"
store = "sqlite:guichet.db"

[server]
listen = "127.0.0.1:{port}"
ops_listen = "127.0.0.1:{ops_port}"
requests_per_minute = 1000000
look_again = "20ms"
attend_at_once = 48
return_wait = "2s"
shutdown_grace = "3s"

[log]
level = "info,guichet::http=warn"

[secrets]
sealing_keys_file = "sealing.keys"

[bank]
connect_deadline = "2s"
load_deadline = "1s"
answer_deadline = "1s"
look_every = "1s"

[webhooks]
allow_loopback = true
deadline = "1s"
retry_after = ["20ms", "50ms", "100ms", "200ms", "400ms", "800ms", "1s", "1s", "1s", "1s", "1s", "1s", "1s", "1s", "1s"]

[test_clock]
sandbox = "{manage}"

[[platform]]
id = "sandbox"
page = "{page}/php/"
page_backup = "{page_backup}/php/"
direct = "{main}/PPPS.php"
direct_backup = "{backup}/PPPS.php"
ca_file = "{KEYS}/ca.pem"
public_key_files = ["{KEYS}/paybox-public.pem"]

[timing]
ask_after_issue = ["2s", "5s", "10s"]
ask_after_news = ["0s", "100ms", "400ms", "1s", "2s"]
ask_after_silence = ["50ms", "100ms", "200ms"]
hold_for_report = "1500ms"
doubt_settles = "1500ms"
doubt_ladder = [{ladder}]
answer_grace = "2100ms"
send_again = "50ms"
send_within = "1s"
settlement_after = "7d"
settlement_every = "7d"

[debits]
from = "00:00"
until = "23:59"
daily_at = "00:00"
per_minute = 1500
denials_span = "0s"
card_wait = "2s"

[[plan_template]]
code = "12x"
label_fr = "En 12 fois"
label_en = "In 12 instalments"
count = 12
split = "first"
approver = "nobody"

[[plan_template]]
code = "2x"
label_fr = "En 2 fois"
label_en = "In 2 instalments"
count = 2
split = "first"
approver = "nobody"

[[merchant]]
id = "ecole"
name = "École de démonstration"
platform = "sandbox"
site = "1999888"
rang = "32"
identifiant = "110647233"
hmac_key_file = "{KEYS}/hmac.key"
reference_prefix = "ECO"
plans = ["12x", "2x"]
return_origins = ["http://127.0.0.1:9"]
"#,
        manage = addresses.manage,
        page = addresses.page,
        page_backup = addresses.page_backup,
        main = direct.main,
        backup = direct.backup,
        ladder = ladder(),
    )
}
