"""What portals may do, and every way in which the API refuses it."""

import json

import payer
from bench import SCOPES
from documents import address, checkout, edited, line, order
from trial import fresh

UNKNOWN = "ord_" + "0" * 32
UNKNOWN_IMPORT = "imp_" + "0" * 32
UNKNOWN_RUN = "ecole.2001-01-10"
UNKNOWN_WEBHOOK = "whe_" + "0" * 32
#: Something that waits for nobody.
SUBJECT = {"subject": "attempt", "debit": 2, "attempt": 7}
#: Operations that need a key, with values for their paths.
WITH_KEY = {
    "placeOrder": {}, "listOrders": {}, "listEvents": {},
    "listCallbacks": {}, "explainOrder": {"id": UNKNOWN}, "showOrder": {"id": UNKNOWN}, "cancelOrder": {"id": UNKNOWN}, "checkOut": {"id": UNKNOWN},
    "showTestClock": {}, "moveTestClock": {}, "showReconciliation": {}, "endReconciliation": {},
    **{operation: {"id": UNKNOWN}
       for operation in ("requestPlan", "showPlan", "withdrawPlan", "approvePlan", "refusePlan", "pausePlan", "resumePlan",
                         "cancelPlan")},
    "retryInstalment": {"id": UNKNOWN, "number": 2},
    **{operation: {"id": UNKNOWN}
       for operation in ("cancelRest", "defaultPlan", "credit", "refund", "chargeBack", "giveVerdict")},
    **{operation: {"id": UNKNOWN, "number": 2}
       for operation in ("rescheduleInstalment", "writeOffInstalment", "bookPaidElsewhere")},
    "giveVerdicts": {}, "listQuarantine": {}, "listUnsettled": {}, "showSettlement": {"remittance": "987654321"},
    "showPosition": {"reference": "x" * 65},
    "importFile": {}, "listImports": {}, "exportJournal": {},
    "showImport": {"id": UNKNOWN_IMPORT}, "listDrifts": {"id": UNKNOWN_IMPORT},
    "enterDrift": {"id": UNKNOWN_IMPORT, "drift": "fees_not_booked.117"},
    "listPlans": {}, "startDebitRun": {}, "previewDebitRun": {},
    **{operation: {"run": UNKNOWN_RUN} for operation in ("showDebitRun", "listDebitRunItems", "resumeDebitRun")},
    "makeWebhookEndpoint": {}, "listWebhookEndpoints": {}, "listDeliveries": {},
    **{operation: {"id": UNKNOWN_WEBHOOK}
       for operation in ("showWebhookEndpoint", "changeWebhookEndpoint", "deleteWebhookEndpoint",
                         "rotateWebhookSecret", "testWebhookEndpoint", "replayWebhooks")},
}
WRITES = ("placeOrder", "cancelOrder", "checkOut")


def run(trial):
    walk(trial)
    keys(trial)
    forms(trial)
    placing(trial)
    checking_out(trial)


def every_scope():
    return [argument for scope in SCOPES for argument in ("--scope", scope)]


def place(trial, document=None, **more):
    return trial.ask("placeOrder", 201, body=document or order(), **more).json()


def issue(trial, id, document=None):
    return trial.ask("checkOut", 201, values={"id": id}, body=document or checkout()).json()


def body_of(operation):
    return {
        "placeOrder": order(), "cancelOrder": {}, "checkOut": checkout(),
        "makeWebhookEndpoint": {"url": "http://127.0.0.1:9/guichet"}, "changeWebhookEndpoint": {"state": "enabled"},
        "rotateWebhookSecret": {}, "testWebhookEndpoint": {}, "replayWebhooks": {"after": "ZTA"},
        "moveTestClock": {"now": "2001-01-01T00:00:00Z"},
        "requestPlan": {"template": "3x"}, "approvePlan": {"terms": "x"}, "refusePlan": {"reason": "dossier incomplet"},
        "pausePlan": {}, "resumePlan": {}, "cancelPlan": {}, "retryInstalment": {"reason": "promesse du payeur"},
        "cancelRest": {"reason": "départ"}, "defaultPlan": {}, "writeOffInstalment": {"reason": "irrécouvrable"},
        "credit": {"amount": {"amount": 1_000, "currency": "EUR"}, "reason": "un module de moins"},
        "refund": {"amount": {"amount": 1_000, "currency": "EUR"}, "against": "credit_note", "reason": "désistement"},
        "chargeBack": {"operation": "987654321", "reason": "contestation du porteur"},
        "rescheduleInstalment": {"due": "2029-01-25", "reason": "le salaire vient le 25"},
        "bookPaidElsewhere": {"on": "2026-12-03", "reference": "CHQ 0012345", "reason": "remis au guichet"},
        "giveVerdict": {"subject": SUBJECT, "verdict": {"verdict": "not_executed"}, "evidence": "relevé du jour"},
        "giveVerdicts": {
            "items": [{"order": UNKNOWN, "subject": SUBJECT, "verdict": {"verdict": "not_executed"}}],
            "evidence": "relevé du jour",
        },
        "endReconciliation": {"reason": "Relu avec la comptabilité."},
        "startDebitRun": {"due_date": "2001-01-10"}, "resumeDebitRun": {},
        "importFile": b"x", "enterDrift": {"entry": "note", "reason": "relevé du jour"},
    }.get(operation)


def walk(trial):
    """What goes well, from the order to the money, with a refusal on the way."""
    placed = place(trial)
    id = placed["id"]
    trial.ask("showOrder", 200, values={"id": id})
    issued = issue(trial, id, checkout(mode="prefilled", address_id="domicile", address={"address2": "Bât. B"}))
    trial.ask("pay", 200, values={"token": payer.token(issued)})
    page = payer.Payer(trial.bench, issued)
    page.pay(payer.REFUSED)
    shown = lambda: trial.ask("showOrder", 200, values={"id": id}).json()
    payer.until("refused", lambda: shown()["checkouts"][0]["status"] == "refused")
    first = payer.Payer(trial.bench, issue(trial, id, checkout(mode="new", address=address())))
    payer.Payer(trial.bench, issue(trial, id)).pay()
    payer.until("settled", lambda: shown()["status"] == "settled")
    # Paid once more on the page that was superseded: that goes back.
    first.pay()
    payer.until("given back", lambda: [back for back in shown()["give_backs"] if back["status"] == "done"])
    trial.ask("pay", 410, values={"token": payer.token(issued)})
    for operation in ("cancelOrder", "checkOut"):
        trial.ask(operation, 409, "order_settled", values={"id": id}, body=body_of(operation))
    trial.ask("placeOrder", 409, "not_replaceable", body=order() | {"replaces": id})

    # The same request under the same key is answered as before; another one is refused.
    again = {"headers": {"Idempotency-Key": fresh()}, "body": order()}
    place(trial, again["body"], headers=again["headers"])
    replayed = trial.ask("placeOrder", 201, **again)
    if replayed.headers.get("idempotency-replayed") != "true":
        trial.failures.append("placeOrder: a replayed answer does not say so")
    for operation in WRITES:
        trial.ask(operation, 422, "idempotency_key_reused", headers=again["headers"], body=body_of(operation) or {},
                  values={"id": id})
    trial.ask("placeOrder", 409, "reference_taken", body=again["body"])

    free = place(trial, order(0))
    trial.ask("showOrder", 200, values={"id": free["id"]})
    for body in (None, {}):
        old = place(trial)
        issued = issue(trial, old["id"])
        trial.ask("cancelOrder", 200, values={"id": old["id"]}, body=body)
        for operation in ("cancelOrder", "checkOut"):
            trial.ask(operation, 409, "order_cancelled", values={"id": old["id"]}, body=body_of(operation))
    place(trial, order() | {"replaces": place(trial)["id"], "challenge": "required", "locale": "en"})
    seen = place(trial)
    for version, status, code in (('"9"', 412, "precondition_failed"), ('"1"', 200, None)):
        trial.ask("cancelOrder", status, code, values={"id": seen["id"]}, headers={"If-Match": version})
    trial.ask("cancelOrder", 400, "malformed_request", values={"id": seen["id"]}, headers={"If-Match": "1"})
    for language in ("fr", "en"):
        trial.ask("explainOrder", 200, values={"id": id}, headers={"Accept-Language": language})
    for query in ("", "limit=1", f"limit=2&after={id}", "status=settled&payer=E2026001", "merchant=ecole"):
        trial.ask("listOrders", 200, query=query)
    after = trial.ask("listEvents", 200, query="limit=3").json()["next"]
    trial.ask("listEvents", 200, query=f"after={after}")
    trial.ask("listEvents", 200)


def keys(trial):
    """Who may not."""
    people = trial.bench.make_key(*every_scope(), "--merchant", "ecole", "--for-people")
    both = trial.bench.make_key("--scope", "portal", "--merchant", "ecole", "--merchant", "annexe")
    for operation, values in WITH_KEY.items():
        ask = lambda *expected, **more: trial.ask(operation, *expected, values=values, body=body_of(operation), **more)
        ask(401, "unauthenticated", headers={"Authorization": None})
        ask(401, "unauthenticated", key="gch_test_nobody_" + "0" * 64)
        others = [scope for scope in ("scheduler", "portal") if scope not in trial.scopes(operation)]
        ask(403, "forbidden", key=trial.bench.key_of[others[0]])
        ask(400, "actor_missing", key=people)
        ask(400, "malformed_request", headers={"Guichet-Actor": "x" * 101})
        if values:
            ask(404, "not_found")
    named = {"Guichet-Actor": "Zoe Helene", "Guichet-On-Behalf-Of": "E2026001"}
    place(trial, key=people, headers=named)
    trial.ask("listEvents", 200, key=people, headers=named)
    for operation in ("listOrders", "listCallbacks", "listPlans", "previewDebitRun"):
        trial.ask(operation, 404, "not_found", query="merchant=annexe&date=2027-01-10" if operation == "previewDebitRun" else "merchant=annexe")
    trial.ask("listOrders", 400, "malformed_request", key=both)
    trial.ask("placeOrder", 422, fault="missing", key=both, body=order())
    trial.ask("placeOrder", 422, fault="unknown", body=order() | {"merchant": "annexe"})
    theirs = place(trial, order() | {"merchant": "annexe"}, key=both)
    trial.ask("showOrder", 404, "not_found", values={"id": theirs["id"]})
    trial.ask("checkOut", 422, "billing_required", values={"id": theirs["id"]}, key=both, body=checkout())


def forms(trial):
    """Requests that are not of the right form, whatever they say."""
    for query in ("limit=0", "limit=101", "limit=x", "after=nonsense", "status=paid", "colour=blue", "limit=1&limit=1"):
        trial.ask("listOrders", 400, "malformed_request", query=query)
    for query in ("limit=201", "after=nonsense", "colour=blue"):
        trial.ask("listEvents", 400, "malformed_request", query=query)
    for query in ("limit=201", "merchant=ecole&merchant=ecole", "colour=blue"):
        trial.ask("listCallbacks", 400, "malformed_request", query=query)
    for query in ("limit=101", "after=nonsense", "status=late", "colour=blue"):
        trial.ask("listPlans", 400, "malformed_request", query=query)
    for query in ("", "date=10/01/2027", "date=2027-02-30", "date=1999-01-10", "date=2027-01-10&limit=0"):
        trial.ask("previewDebitRun", 400, "malformed_request", query=query)
    for query in ("limit=101", "after=nonsense", "outcome=lost"):
        trial.ask("listDebitRunItems", 400, "malformed_request", values={"run": UNKNOWN_RUN}, query=query)
    for run in ("nonsense", "ecole.2027-02-30", "annexe.2001-01-10", "ecole.2001-01-10x"):
        trial.ask("showDebitRun", 404, "not_found", values={"run": run})
    trial.ask("showOrder", 400, "malformed_request", values={"id": "%FF"})
    trial.ask("showOrder", 404, "not_found", values={"id": "nonsense"})
    id = place(trial)["id"]
    for operation in WRITES:
        ask = lambda *expected, **more: trial.ask(operation, *expected, values={"id": id}, **more)
        body = body_of(operation)
        ask(400, "idempotency_key_missing", body=body, headers={"Idempotency-Key": None})
        for key in ("", "é", "two words", "x" * 129):
            ask(400, "idempotency_key_invalid", body=body, headers={"Idempotency-Key": key})
        for raw in (b"{", b"nonsense", json.dumps(body).encode() + b"{}"):
            ask(400, "malformed_json", body=raw)
        ask(422, "invalid_request", "wrong_type", body=[])
        ask(422, "invalid_request", "unknown_field", body=body | {"colour": "blue"})
        for media in (None, "text/plain"):
            ask(415, "unsupported_media_type", body=body, headers={"Content-Type": media})
        ask(413, "too_large", body=b"{" + b" " * 70_000 + b"}")
        ask(408, "too_slow", body=b"{", headers={"Content-Length": "100"})


def placing(trial):
    """Every fault of an order."""
    whole = order()
    at = lambda pointer, value: edited(order(), pointer, value)
    price = "/lines/0/unit_price"
    for fault, document in (
        ("blank", at("/reference", "  ")),
        ("too_long", at("/lines/0/code", "x" * 41)),
        ("control_character", at("/payer/last_name", "a\nb")),
        ("card_number", at("/lines/0/label", "4012 0010 3714 1112")),
        ("no_lines", at("/lines", [])),
        ("too_many", at("/lines", [line(1)] * 101)),
        ("too_many", at("/payer/addresses", [address() | {"id": str(number)} for number in range(11)])),
        ("duplicate_id", at("/payer/addresses", whole["payer"]["addresses"] * 2)),
        ("decimal_out_of_range", at("/lines/0/quantity", "100001")),
        ("decimal_out_of_range", at("/lines/0/vat_rate", "1.00001")),
        ("amount_out_of_range", at(f"{price}/amount", -1)),
        ("amount_out_of_range", at(f"{price}/amount", 10**10)),
        ("amount_out_of_range", at(f"{price}/amount", 10**25)),
        ("amount_out_of_range", at("/lines", [line(9_999_999_999)] * 2)),
        ("currency_mismatch", at(f"{price}/currency", "USD")),
        ("currency_not_accepted", at("/currency", "CHF")),
        ("below_minimum", order(99)),
        ("email_invalid", at("/payer/email", "nobody")),
        ("unknown", at("/replaces", UNKNOWN)),
        ("wrong_type", at("/replaces", "nonsense")),
        ("wrong_type", at("/lines/0/quantity", "1,5")),
        ("wrong_type", at("/lines/0/quantity", 1)),
        ("wrong_type", at("/lines", {})),
        ("missing", at("/payer", {"reference": "E1"})),
        ("unknown_field", at("/payer/iban", "FR76")),
    ):
        trial.ask("placeOrder", 422, "invalid_request", fault, body=document)
    # Another payer's order cannot be replaced.
    other = at("/payer/reference", "E2026999") | {"replaces": place(trial)["id"]}
    trial.ask("placeOrder", 422, "invalid_request", "not_with_this", body=other)


def checking_out(trial):
    """Every fault of a checkout."""
    id = place(trial)["id"]
    new = lambda **edits: checkout(mode="new", address=address() | edits)
    for fault, document in (
        ("unknown", checkout(mode="prefilled", address_id="nowhere")),
        ("missing", checkout(mode="prefilled")),
        ("missing", checkout(mode="new")),
        ("missing", new(city=None)),
        ("not_with_this", checkout(mode="none", address=address())),
        ("not_with_this", checkout(mode="new", address_id="domicile")),
        ("wrong_type", checkout(mode="other")),
        ("country_unknown", new(country="XX")),
        ("phone_invalid", new(mobile_phone="12")),
        ("nothing_left", new(city="!")),
        ("url_invalid", checkout() | {"return_url": "nonsense"}),
        ("url_invalid", checkout() | {"return_url": "https://portail.ecole.example/#x"}),
        ("url_not_https", checkout() | {"return_url": "http://portail.ecole.example/"}),
        ("url_too_long", checkout() | {"return_url": "https://portail.ecole.example/" + "x" * 1000}),
        ("url_origin_not_allowed", checkout() | {"return_url": "https://elsewhere.example/"}),
    ):
        trial.ask("checkOut", 422, "invalid_request", fault, values={"id": id}, body=document)
