"""Requests that meet each other, or the bank."""

import http.client
import ssl
import urllib.parse

import payer
import portal
import wire
from documents import checkout, order
from trial import fresh

#: How often two requests are sent at the same moment until they meet.
ROUNDS = 60


def run(trial):
    same_key(trial)
    same_order(trial)
    many_pages(trial)
    silent_bank(trial)
    refunded_behind_our_back(trial)


def meet(trial, operation, code, make):
    """Sends requests at the same moment, again and again, until one is answered by this problem."""
    for _ in range(ROUNDS):
        requests = [trial.request(operation, **each) for each in make()]
        answers = wire.together(trial.bench.address, requests)
        codes = []
        for answer in answers:
            trial.judge(operation, answer)
            codes.append(answer.json().get("code"))
        if code in codes:
            return
    trial.failures.append(f"{operation}: {ROUNDS} times at the same moment, and never {code}")


def same_key(trial):
    bodies = {"placeOrder": order, "cancelOrder": dict, "checkOut": checkout}
    for operation, body in bodies.items():
        def make():
            values = {"id": portal.place(trial)["id"]} if operation != "placeOrder" else {}
            return [{"values": values, "body": body(), "headers": {"Idempotency-Key": fresh()}}] * 4
        meet(trial, operation, "request_in_progress", make)


def same_order(trial):
    """Several orders replace the same one: who comes second finds it changed."""
    def make():
        old = portal.place(trial)["id"]
        return [{"body": order() | {"replaces": old}} for _ in range(4)]
    meet(trial, "placeOrder", "busy", make)


def many_pages(trial):
    id = portal.place(trial)["id"]
    for _ in range(200):
        portal.issue(trial, id)
    trial.ask("checkOut", 409, "too_many_checkouts", values={"id": id}, body=checkout())


def silent_bank(trial):
    """PAYBOX says paid, and the bank does not answer."""
    trial.bench.ask_sandbox("POST", "/faults", {"target": "direct", "host": "both", "action": "dead"})
    id = portal.place(trial)["id"]
    payer.Payer(trial.bench, portal.issue(trial, id)).pay()
    shown = lambda: trial.ask("showOrder", 200, values={"id": id}).json()
    payer.until("confirming", lambda: shown()["checkouts"][0]["status"] == "confirming")
    for operation in ("cancelOrder", "checkOut"):
        trial.ask(operation, 409, "confirmation_in_progress", values={"id": id}, body=portal.body_of(operation))
    trial.bench.ask_sandbox("DELETE", "/faults")
    payer.until("settled", lambda: shown()["status"] == "settled")


def refunded_behind_our_back(trial):
    """The money was refunded by hand before the gateway heard of it: a person has to look."""
    bench = trial.bench
    bench.ask_sandbox("POST", "/faults", {"target": "ipn", "action": "lose", "times": 1})
    id = portal.place(trial)["id"]
    issued = portal.issue(trial, id)
    payer.Payer(bench, issued).pay()
    ledger = lambda: bench.ask_sandbox("GET", f"/ledger?reference_prefix={issued['reference']}")["operations"]
    paid = payer.until("captured", ledger)[0]
    refund(bench, paid)
    trial.ask("returned", 303, values={"token": payer.token(issued), "outcome": "accepted"})
    shown = lambda: trial.ask("showOrder", 200, values={"id": id}).json()
    payer.until("quarantined", lambda: shown()["checkouts"][0]["status"] == "quarantined")
    trial.ask("checkOut", 409, "quarantined", values={"id": id}, body=checkout())
    trial.ask("cancelOrder", 409, "quarantined", values={"id": id})


def refund(bench, paid):
    """As somebody in PAYBOX's back office does."""
    address = urllib.parse.urlsplit(bench.sandbox["direct"])
    trust = ssl.create_default_context(cafile=bench.keys / "ca.pem")
    connection = http.client.HTTPSConnection(address.netloc, context=trust, timeout=30)
    question = {
        "VERSION": "00104", "TYPE": "00014", "SITE": "1999888", "RANG": "32", "CLE": "1999888I",
        "NUMQUESTION": "2000000001", "MONTANT": f"{paid['amount']:010}", "DEVISE": "978", "REFERENCE": "back-office",
        "NUMTRANS": f"{paid['numtrans']:0>10}", "NUMAPPEL": f"{paid['numappel']:0>10}",
        "DATEQ": "24112026120000",
    }
    connection.request("POST", "/PPPS.php", urllib.parse.urlencode(question),
                       {"Content-Type": "application/x-www-form-urlencoded"})
    text = connection.getresponse().read().decode("latin-1")
    connection.close()
    if "CODEREPONSE=00000" not in text:
        raise AssertionError(f"the sandbox does not refund: {text}")
