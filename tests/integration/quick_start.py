"""Runs docs/integration/README.md as it is written, against the demo, and verifies what arrives in every language."""

import http.server
import json
import pathlib
import queue
import re
import signal
import subprocess
import sys
import threading
import urllib.request

DOCS = pathlib.Path("docs/integration")
PATIENCE_SECONDS = 30
VERIFIERS = {
    "Python": ["python3", DOCS / "verify_webhook.py"],
    "JavaScript": ["node", DOCS / "verify_webhook.js"],
    "PHP": ["php", DOCS / "verify_webhook.php"],
}


class Receiver(http.server.BaseHTTPRequestHandler):
    """A portal that keeps what it is told."""

    arrived = queue.Queue()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.arrived.put((dict(self.headers.items()), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def run_quick_start(demo, webhook_url):
    """The blocks of the page in one shell, as a reader would paste them; what they leave in their variables."""
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / "README.md").read_text(), re.S)
    assert len(blocks) == 6, f"{len(blocks)} blocks"
    script = "set -eu\n" + "\n".join(blocks) + '\nprintf "\\nORDER=%s\\nSTATUS=%s\\nSECRET=%s\\n" "$ORDER" "$STATUS" "$SECRET"\n'
    environment = {"GUICHET": demo["gateway"], "GUICHET_KEY": demo["key"], "WEBHOOK_URL": webhook_url, "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(["sh"], input=script, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return dict(re.findall(r"^(ORDER|STATUS|SECRET)=(.+)$", ran.stdout, re.M))


def place(demo, amount):
    """An order that something is told of."""
    order = {
        "reference": f"webhook-{amount}",
        "currency": "EUR",
        "payer": {"reference": "E1", "email": "zoe.martin@ecole.example", "first_name": "Zoé", "last_name": "Martin"},
        "lines": [{"code": "D5", "label": "Droits de scolarité", "quantity": "1", "vat_rate": "0.00",
                   "unit_price": {"amount": amount, "currency": "EUR"}}],
    }
    headers = {"Authorization": f"Bearer {demo['key']}", "Content-Type": "application/json", "Idempotency-Key": f"w{amount}"}
    request = urllib.request.Request(demo["gateway"] + "/v1/orders", json.dumps(order).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        return json.load(answer)["id"]


def verdicts(secret, headers, body):
    """What each language says of one webhook."""
    head = "".join(f"{name}: {value}\n" for name, value in headers.items())
    said = {}
    for language, command in VERIFIERS.items():
        ran = subprocess.run([*command, secret], input=head.encode() + b"\n" + body, timeout=PATIENCE_SECONDS)
        said[language] = ran.returncode == 0
    return said


def main():
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    demo_process = subprocess.Popen([sys.argv[1], "serve", "--port", "0", "--json"], stdout=subprocess.PIPE, text=True)
    try:
        demo = json.loads(demo_process.stdout.readline())
        left = run_quick_start(demo, f"http://127.0.0.1:{receiver.server_port}/hook")
        assert re.fullmatch(r"ord_[0-9a-f]{32}", left["ORDER"]), left
        assert left["STATUS"] == '"status":"open"', left
        order = place(demo, 0)
        for expected in ("order.placed", "order.settled"):
            headers, body = Receiver.arrived.get(timeout=PATIENCE_SECONDS)
            event = json.loads(body)
            assert (event["type"], event["order"]) == (expected, order), event
            genuine = verdicts(left["SECRET"], headers, body)
            assert all(genuine.values()), f"a genuine {expected} is refused: {genuine}"
            for what, said in (
                ("a changed body", verdicts(left["SECRET"], headers, body + b" ")),
                ("another secret", verdicts("whsec_" + "A" * 43 + "=", headers, body)),
                ("an old time", verdicts(left["SECRET"], headers | {"webhook-timestamp": "1614265330"}, body)),
            ):
                assert not any(said.values()), f"{what} is believed: {said}"
        print(f"quick start: {len(VERIFIERS)} languages, 2 webhooks verified, 6 forgeries refused by each")
    finally:
        demo_process.send_signal(signal.SIGINT)
        demo_process.wait(timeout=PATIENCE_SECONDS)
        receiver.shutdown()


if __name__ == "__main__":
    main()
