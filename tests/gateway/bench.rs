//! A bench: the real binary with a store of its own, before a sandbox in this process, over real sockets.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use guichet_sandbox::{
    config::Config,
    keys::TlsSet,
    log::Log,
    serve::{self, Options, Ports, Running},
};
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    configuration::{configuration, keys},
};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway and its PAYBOX.
pub(crate) struct Bench {
    pub(crate) sandbox: Running,
    pub(crate) gateway: Client,
    pub(crate) manage: Client,
    pub(crate) ops: Client,
    /// A key of the merchant `ecole`, scope portal.
    pub(crate) key: String,
    pub(crate) folder: PathBuf,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(|configuration| configuration).await
    }

    /// A bench whose configuration was edited.
    pub(crate) async fn start_with(edit: impl Fn(String) -> String) -> Self {
        Self::start_on(Disk::Sound, edit).await
    }

    /// A bench whose store may not grow beyond a few orders.
    pub(crate) async fn start_on_a_failing_disk() -> Self {
        Self::start_on(Disk::Failing, |configuration| configuration).await
    }

    async fn start_on(disk: Disk, edit: impl Fn(String) -> String) -> Self {
        let ports = Ports { page: 0, page_backup: 0, direct: 0, direct_backup: 0, manage: 0 };
        let options = Options { config: Config::default(), ports, tls: TlsSet::Good, seed: 1 };
        let sandbox = serve::start(keys(), options, Log::to(|_| {})).await.unwrap();
        let folder = fresh_folder();
        std::fs::write(folder.join("sealing.keys"), format!("k1:{}\n", "5a".repeat(32))).unwrap();
        restrict(&folder.join("sealing.keys"));
        std::fs::write(folder.join("guichet.toml"), configuration(&sandbox, &edit)).unwrap();
        let key = make_key(&folder, &["--scope", "portal", "--merchant", "ecole"]);
        let log = Arc::new(Mutex::new(Vec::new()));
        let (child, ready) = spawn(disk, &folder, &log);
        let manage = Client::new(&sandbox.addresses.manage);
        Self {
            gateway: Client::new(ready["listen"].as_str().unwrap()),
            ops: Client::new(ready["ops"].as_str().unwrap()),
            manage,
            sandbox,
            key,
            folder,
            child,
            log,
        }
    }

    /// Another API key of this gateway.
    pub(crate) fn make_key(&self, arguments: &[&str]) -> String {
        make_key(&self.folder, arguments)
    }

    /// Kills the gateway without warning and starts it again on the same store.
    pub(crate) fn restart(&mut self) {
        self.restart_after(|_| {});
    }

    /// The same, with something done to its folder while it is down.
    pub(crate) fn restart_after(&mut self, act: impl FnOnce(&Self)) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        act(self);
        let (child, ready) = spawn(Disk::Sound, &self.folder, &self.log);
        self.child = child;
        self.gateway = Client::new(ready["listen"].as_str().unwrap());
        self.ops = Client::new(ready["ops"].as_str().unwrap());
    }

    /// What another command says about this gateway's store, on both outputs, and how it ends.
    pub(crate) fn command(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = guichet(&self.folder).args(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }

    /// Asks the gateway to stop and tells how long it took.
    pub(crate) fn terminate(&mut self) -> Duration {
        let begun = Instant::now();
        let sent = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap();
        begun.elapsed()
    }

    /// Everything that the gateway has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.gateway.send("GET", path, &[("authorization", &self.bearer())], "").await
    }

    /// A write with a fresh Idempotency-Key.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with_key(path, &fresh_name("key"), &body.to_string()).await
    }

    pub(crate) async fn post_with_key(&self, path: &str, idempotency_key: &str, body: &str) -> Answer {
        let bearer = self.bearer();
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", idempotency_key),
        ];
        self.gateway.send("POST", path, &headers, body).await
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }

    /// Places an order of `minor_units` and gives its id.
    pub(crate) async fn place(&self, minor_units: i64) -> String {
        let placed = self.post("/v1/orders", &order(minor_units)).await;
        assert_eq!(placed.status, 201, "{}", placed.body);
        placed.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn order(&self, id: &str) -> Value {
        let found = self.get(&format!("/v1/orders/{id}")).await;
        assert_eq!(found.status, 200, "{}", found.body);
        found.json()
    }

    /// Asks for a page without an address.
    pub(crate) async fn check_out(&self, order: &str) -> Value {
        let issued = self.post(&format!("/v1/orders/{order}/checkout"), &checkout()).await;
        assert_eq!(issued.status, 201, "{}", issued.body);
        issued.json()
    }

    /// The order, once `is_so`; the test fails when that takes too long.
    pub(crate) async fn until(&self, id: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let order = self.order(id).await;
            if is_so(&order) {
                return order;
            }
            assert!(Instant::now() < deadline, "never {what}: {order:#}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn until_settled(&self, id: &str) -> Value {
        self.until(id, "settled", |order| order["status"] == "settled").await
    }

    /// A line of the sandbox's management port.
    pub(crate) async fn manage(&self, path: &str) -> Value {
        self.manage.send("GET", path, &[], "").await.json()
    }

    pub(crate) async fn fault(&self, script: &Value) {
        let set =
            self.manage.send("POST", "/faults", &[("content-type", "application/json")], &script.to_string()).await;
        assert_eq!(set.status, 200, "{}", set.body);
    }

    /// Anything, signed by PAYBOX's key: a browser return signs whatever is in its URL.
    pub(crate) async fn signed(&self, message: &str) -> String {
        let body = json!({"message": message, "name": "K"}).to_string();
        let signed = self.manage.send("POST", "/sign", &[("content-type", "application/json")], &body).await;
        signed.json()["query"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn notify(&self, merchant: &str, body: &str) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.gateway.send("POST", &format!("/paybox/{merchant}/ipn"), &headers, body).await
    }

    /// What the sandbox's bank holds, in minor units: captured, cancelled, refunded, net.
    pub(crate) async fn bank_totals(&self) -> Value {
        self.manage("/ledger").await["totals"].clone()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn fresh_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(fresh_name("gateway"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A name that no other test uses.
pub(crate) fn fresh_name(kind: &str) -> String {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("{kind}-{}-{count}", std::process::id())
}

fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// What the gateway's files are on.
#[derive(Clone, Copy)]
enum Disk {
    Sound,
    /// The shell lets no file grow further than 512 KiB or 1 MiB.
    Failing,
}

fn guichet(folder: &Path) -> Command {
    placed(Command::new(env!("CARGO_BIN_EXE_guichet")), folder)
}

fn placed(mut command: Command, folder: &Path) -> Command {
    command.current_dir(folder).env("GUICHET_CONFIG", folder.join("guichet.toml"));
    command
}

fn make_key(folder: &Path, arguments: &[&str]) -> String {
    let output = guichet(folder).args(["keys", "new", "--name", "test"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn spawn(disk: Disk, folder: &Path, log: &Arc<Mutex<Vec<String>>>) -> (Child, Value) {
    let mut command = match disk {
        Disk::Sound => guichet(folder),
        Disk::Failing => {
            let mut shell = Command::new("sh");
            shell.args(["-c", r#"trap '' XFSZ; ulimit -f 1024; exec "$0" "$@""#, env!("CARGO_BIN_EXE_guichet")]);
            placed(shell, folder)
        }
    };
    let mut child = command.arg("serve").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let errors = BufReader::new(child.stderr.take().unwrap());
    let lines = Arc::clone(log);
    std::thread::spawn(move || {
        for line in errors.lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    });
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let ready = serde_json::from_str(&ready);
    (child, ready.unwrap_or_else(|error| panic!("not ready: {error}\n{}", log.lock().unwrap().join("\n"))))
}

/// An order of one line.
pub(crate) fn order(minor_units: i64) -> Value {
    json!({
        "reference": fresh_name("INS"),
        "currency": "EUR",
        "payer": {
            "reference": "E2026001",
            "email": "zoe.martin@ecole.example",
            "first_name": "Zoé",
            "last_name": "Martin",
            "addresses": [{
                "id": "domicile",
                "address1": "12 rue de l'Église",
                "zip_code": "75005",
                "city": "Paris",
                "country": "FR",
                "mobile_phone": "0612345675"
            }]
        },
        "lines": [{
            "code": "D1",
            "label": "Droits de scolarité",
            "quantity": "1",
            "unit_price": {"amount": minor_units, "currency": "EUR"},
            "vat_rate": "0.00"
        }]
    })
}

/// A page without an address.
pub(crate) fn checkout() -> Value {
    json!({"billing": {"mode": "none"}, "return_url": "http://127.0.0.1:9/retour?dossier=1"})
}
