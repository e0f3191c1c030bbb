"""Webhook endpoints: what is made of them, and every way in which the API refuses it."""

import meetings
import portal
from trial import fresh

#: Nobody listens there.
NOWHERE = "http://127.0.0.1:9/guichet"
WRITES = {
    "makeWebhookEndpoint": 201, "rotateWebhookSecret": 200, "testWebhookEndpoint": 200, "replayWebhooks": 202,
}


def run(trial):
    walk(trial)
    forms(trial)
    faults(trial)
    meeting(trial)
    limits(trial)


def make(trial, **members):
    return trial.ask("makeWebhookEndpoint", 201, body={"url": NOWHERE} | members).json()


def walk(trial):
    made = make(trial, events=["order.placed"])
    id = {"values": {"id": made["id"]}}
    portal.place(trial)
    trial.ask("showWebhookEndpoint", 200, **id)
    trial.ask("listWebhookEndpoints", 200)
    trial.ask("listWebhookEndpoints", 200, query="merchant=ecole")
    trial.ask("listWebhookEndpoints", 404, query="merchant=annexe")
    trial.ask("rotateWebhookSecret", 200, **id)
    trial.ask("testWebhookEndpoint", 200, body={}, **id)
    trial.ask("testWebhookEndpoint", 200, **id)
    events = trial.ask("listEvents", 200).json()["events"]
    trial.ask("replayWebhooks", 202, body={"event": events[0]["id"]}, **id)
    trial.ask("replayWebhooks", 202, body={"after": events[0]["id"], "until": events[-1]["id"]}, **id)
    trial.ask("changeWebhookEndpoint", 200, body={"state": "disabled", "events": None}, **id)
    trial.ask("changeWebhookEndpoint", 200, body={"state": "enabled", "url": "https://hooks.ecole.example/"}, **id)
    query = f"endpoint={made['id']}"
    after = trial.ask("listDeliveries", 200, query=f"{query}&limit=1").json()["next"]
    trial.ask("listDeliveries", 200, query=f"{query}&after={after}")
    for wrong in ("", "colour=blue", f"{query}&limit=201", f"{query}&after=nonsense"):
        trial.ask("listDeliveries", 400, "malformed_request", query=wrong)
    for unknown in ("nonsense", portal.UNKNOWN_WEBHOOK):
        trial.ask("listDeliveries", 404, query=f"endpoint={unknown}")
    trial.ask("deleteWebhookEndpoint", 204, **id)
    trial.ask("showWebhookEndpoint", 404, **id)


def forms(trial):
    """Requests that are not of the right form, whatever they say."""
    id = make(trial)["id"]
    again = {"Idempotency-Key": fresh()}
    portal.place(trial, headers=again)
    for operation in [*WRITES, "changeWebhookEndpoint"]:
        ask = lambda *expected, **more: trial.ask(operation, *expected, values={"id": id}, **more)
        body = portal.body_of(operation)
        if operation in WRITES:
            ask(400, "idempotency_key_missing", body=body, headers={"Idempotency-Key": None})
            ask(400, "idempotency_key_invalid", body=body, headers={"Idempotency-Key": "two words"})
            ask(422, "idempotency_key_reused", body=body, headers=again)
        ask(400, "malformed_json", body=b"{")
        ask(422, "invalid_request", "wrong_type", body=[])
        ask(422, "invalid_request", "unknown_field", body=body | {"colour": "blue"})
        ask(415, "unsupported_media_type", body=body, headers={"Content-Type": "text/plain"})
        ask(413, "too_large", body=b"{" + b" " * 70_000 + b"}")
        ask(408, "too_slow", body=b"{", headers={"Content-Length": "100"})
    trial.ask("deleteWebhookEndpoint", 204, values={"id": id})


def faults(trial):
    for fault, document in (
        ("url_invalid", {"url": "nonsense"}),
        ("url_invalid", {"url": "https://user@hooks.ecole.example/"}),
        ("url_not_https", {"url": "http://hooks.ecole.example/"}),
        ("url_not_public", {"url": "https://10.0.0.1/"}),
        ("url_too_long", {"url": "https://hooks.ecole.example/" + "x" * 1000}),
        ("missing", {"url": NOWHERE, "events": []}),
        ("not_one_of", {"url": NOWHERE, "events": ["order.lost"]}),
        ("unknown", {"url": NOWHERE, "merchant": "annexe"}),
    ):
        trial.ask("makeWebhookEndpoint", 422, "invalid_request", fault, body=document)
    id = {"values": {"id": make(trial)["id"]}}
    for fault, document in (
        ("missing", {}),
        ("unknown", {"event": "nonsense"}),
        ("not_with_this", {"event": "ZTE", "after": "ZTE"}),
    ):
        trial.ask("replayWebhooks", 422, "invalid_request", fault, body=document, **id)
    trial.ask("deleteWebhookEndpoint", 204, **id)


def meeting(trial):
    """The same request, at the same moment."""
    id = make(trial)["id"]
    for operation in WRITES:
        def requests():
            # What the rounds before have made is taken away: there may be 16.
            listed = trial.ask("listWebhookEndpoints", 200).json()["webhook_endpoints"]
            for each in listed if operation == "makeWebhookEndpoint" else []:
                if each["id"] != id:
                    trial.ask("deleteWebhookEndpoint", 204, values={"id": each["id"]})
            headers = {"Idempotency-Key": fresh()}
            return [{"values": {"id": id}, "body": portal.body_of(operation), "headers": headers}] * 4
        meetings.meet(trial, operation, "request_in_progress", requests)
    trial.ask("deleteWebhookEndpoint", 204, values={"id": id})


def limits(trial):
    id = make(trial)["id"]
    trial.ask("changeWebhookEndpoint", 200, values={"id": id}, body={"state": "disabled"})
    event = trial.ask("listEvents", 200).json()["events"][0]["id"]
    for _ in range(16):
        trial.ask("replayWebhooks", 202, values={"id": id}, body={"event": event})
    trial.ask("replayWebhooks", 409, "too_many_webhooks", values={"id": id}, body={"event": event})
    for _ in range(16 - len(trial.ask("listWebhookEndpoints", 200).json()["webhook_endpoints"])):
        make(trial)
    trial.ask("makeWebhookEndpoint", 409, "too_many_webhooks", body={"url": NOWHERE})
