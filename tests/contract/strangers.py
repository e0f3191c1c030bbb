"""Payers' links and PAYBOX's notifications, genuine and not."""

import payer
import portal
from trial import fresh


def run(trial):
    links(trial)
    notifications(trial)


def links(trial):
    issued = portal.issue(trial, portal.place(trial)["id"])
    token = payer.token(issued)
    for language in ("fr", "en"):
        headers = {"Accept-Language": language}
        trial.ask("pay", 200, values={"token": token}, headers=headers)
        for wrong in (token + "x", "nonsense", "%FF"):
            trial.ask("pay", 404, values={"token": wrong}, headers=headers)
            trial.ask("returned", 404, values={"token": wrong, "outcome": "refused"}, headers=headers)
    back = trial.ask("returned", 303, values={"token": token, "outcome": "cancelled"}, query="E=00000")
    if back.headers["location"].split("&order=")[0] != "http://127.0.0.1:9/retour?dossier=1":
        trial.failures.append(f"returned: the payer is sent to {back.headers['location']}")


def notifications(trial):
    issued = portal.issue(trial, portal.place(trial)["id"])
    paid = f"M=377000&R={issued['reference']}&T=2&S=1&A=123456&E=00000"
    signed = lambda message: trial.bench.ask_sandbox("POST", "/sign", {"message": message, "name": "K"})["query"]
    genuine, foreign = signed(paid), signed(paid.replace(issued["reference"], fresh("ECO")))
    large = b"x" * 70_000
    for operation, carried in (("notifiedByQuery", "query"), ("notifiedByBody", "body")):
        def ask(expected, message, merchant="ecole"):
            sent = {carried: message if carried == "query" else message.encode()} if message else {}
            trial.ask(operation, expected, values={"merchant": merchant}, **sent)
        for message in (foreign, genuine, genuine):
            ask(200, message)
        for message in ("", "x=1", genuine.replace("M=377000", "M=1")):
            ask(400, message)
        ask(404, genuine, merchant="nobody")
        ask(404, genuine, merchant="%C3%89cole")
    trial.ask("listCallbacks", 200)
    trial.ask("listCallbacks", 200, query="merchant=ecole&limit=2")
    trial.ask("notifiedByBody", 413, values={"merchant": "ecole"}, body=large)
    trial.ask("notifiedByBody", 408, values={"merchant": "ecole"}, body=b"x", headers={"Content-Length": "100"})
