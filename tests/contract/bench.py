"""A bench: the built binaries over real sockets on 127.0.0.1, with a store, keys and a PAYBOX of their own."""

import datetime
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import wire

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "debug"

CONFIGURATION = """
mode = "test"
store = "sqlite:guichet.db"

[server]
listen = "127.0.0.1:0"
ops_listen = "127.0.0.1:0"
look_again = "50ms"
return_wait = "2s"
body_deadline = "700ms"
shutdown_grace = "3s"
requests_per_minute = {per_minute}

[secrets]
sealing_keys_file = "sealing.keys"

[bank]
connect_deadline = "2s"
load_deadline = "1s"
answer_deadline = "1500ms"

[webhooks]
allow_loopback = true
deadline = "3s"

[debits]
from = "00:00"
until = "23:59"
daily = false
tries = 2
waits = [1]
{clock}

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
hold_for_report = "10s"
doubt_settles = "500ms"
doubt_ladder = ["50ms", "200ms", "600ms", "1s", "2s", "4s"]
answer_grace = "3s"
send_again = "200ms"
send_within = "1s"
"""

#: One for each reason to refuse one.
TEMPLATES = """
[[plan_template]]
code = "3x"
label_fr = "En 3 fois"
label_en = "In 3 instalments"
count = 3
split = "shares"
percent = "33.33"

[[plan_template]]
code = "5x"
label_fr = "En 5 fois"
label_en = "In 5 instalments"
count = 5
split = "first"
minimum_total = 100000

[[plan_template]]
code = "small"
label_fr = "En 2 fois, petits montants"
label_en = "In 2, small amounts"
count = 2
split = "first"
maximum_total = 50000
approver = "nobody"

[[plan_template]]
code = "another-season"
label_fr = "En 2 fois, en une autre saison"
label_en = "In 2, in another season"
count = 2
split = "first"
window = {{ from = "{day}", until = "{day}" }}
"""

#: Clocks that are put forward take the sandbox's along.
CLOCK = """
[test_clock]
sandbox = "{manage}"
"""

SCOPES = ("portal", "scheduler", "accounting", "ops")

MERCHANT = """
[[merchant]]
id = "{id}"
name = "{id}"
platform = "sandbox"
site = "1999888"
rang = "{rang}"
identifiant = "{identifiant}"
hmac_key_file = "{keys}/hmac.key"
reference_prefix = "{prefix}"
without_billing = "{without_billing}"
return_origins = ["http://127.0.0.1:9", "https://portail.ecole.example"]
"""

MERCHANTS = [
    {"id": "ecole", "rang": "32", "identifiant": "110647233", "prefix": "ECO", "without_billing": "omit"},
    {"id": "annexe", "rang": "63", "identifiant": "109518543", "prefix": "ANX", "without_billing": "refuse"},
]


class Bench:
    """Use it in a `with`: what it started ends with it."""

    def __init__(self, keys, per_minute=600_000, takes_sandbox_along=False):
        self.keys, self.per_minute, self.takes_sandbox_along = keys, per_minute, takes_sandbox_along
        self.children = []

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="guichet-contract-"))
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.kill()
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self):
        self.sandbox = self._spawn("guichet-sandbox", "serve", "--keys", str(self.keys))
        sealing = self.folder / "sealing.keys"
        sealing.touch(mode=0o600)
        sealing.write_text("k1:" + "5a" * 32 + "\n")
        clock = CLOCK.format(**self.sandbox) if self.takes_sandbox_along else ""
        text = CONFIGURATION.format(per_minute=self.per_minute, keys=self.keys, clock=clock, **self.sandbox)
        # Half a year from now, which no test reaches.
        far = datetime.date.today() + datetime.timedelta(days=180)
        text += TEMPLATES.format(day=far.strftime("%m-%d"))
        text += "".join(MERCHANT.format(keys=self.keys, **merchant) for merchant in MERCHANTS)
        (self.folder / "guichet.toml").write_text(text)
        # People act through accounting's: see trial.py.
        people = {"accounting": ["--for-people"]}
        self.key_of = {
            scope: self.make_key("--scope", scope, "--merchant", "ecole", *people.get(scope, [])) for scope in SCOPES
        }
        self._serve()

    def _serve(self):
        ready = self._spawn("guichet", "serve")
        self.gateway = self.children[-1]
        self.address = ready["listen"].removeprefix("http://").rstrip("/")
        self.manage = self.sandbox["manage"].removeprefix("http://")

    def restart_after(self, act):
        """Kills the gateway, does something to its folder, and starts it again."""
        self.gateway.kill()
        self.gateway.wait()
        act(self.folder)
        self._serve()

    def _spawn(self, name, *arguments):
        """Starts a server and gives the line by which it says that it is ready."""
        log = open(self.folder / f"{name}.log", "wb")
        child = subprocess.Popen(
            [BINARIES / name, *arguments], stdout=subprocess.PIPE, stderr=log, env=self.environment, cwd=self.folder
        )
        self.children.append(child)
        line = child.stdout.readline()
        if not line:
            raise SystemExit(f"{name} does not start:\n{(self.folder / f'{name}.log').read_text()}")
        # Whatever else it says is thrown away, so that it never waits for a reader.
        threading.Thread(target=child.stdout.read, daemon=True).start()
        return json.loads(line)

    @property
    def environment(self):
        return {**os.environ, "GUICHET_CONFIG": str(self.folder / "guichet.toml")}

    def make_key(self, *arguments):
        made = subprocess.run(
            [BINARIES / "guichet", "keys", "new", "--name", "contract", *arguments],
            capture_output=True, text=True, env=self.environment, cwd=self.folder,
        )
        if made.returncode != 0:
            raise SystemExit(f"no key can be made: {made.stderr}")
        return made.stdout.strip()

    def log(self):
        return (self.folder / "guichet.log").read_text()

    def send(self, method, path, headers=None, body=b""):
        """Any request, with exactly these headers."""
        return wire.send(self.address, method, path, headers or {}, body)

    def ask_sandbox(self, method, path, document=None):
        connection = http.client.HTTPConnection(self.manage, timeout=30)
        body = None if document is None else json.dumps(document)
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise AssertionError(f"the sandbox refuses {path}: {text}")
        return json.loads(text)

    def spoil_store(self):
        """Makes the store unreadable under the running gateway: nothing can be looked up or recorded any more."""
        for name in ("guichet.db", "guichet.db-wal"):
            path = self.folder / name
            with open(path, "r+b") as file:
                file.write(b"\xff" * path.stat().st_size)


def end_tidily():
    """Lets whoever is told to stop end what it started first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def make_keys(folder):
    """One key directory for all benches: making RSA keys is slow."""
    subprocess.run([BINARIES / "guichet-sandbox", "keys", "--dir", str(folder)], check=True, capture_output=True)
    return pathlib.Path(folder)
