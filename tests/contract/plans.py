"""Instalments before their first payment: asked for, answered, taken back, and every way in which the API refuses it."""

import limits
import meetings
import payer
import portal
from documents import checkout, edited, order
from trial import ACCOUNTANT, fresh

TOTAL = 60_100
#: Writes on an order's plan, with whether they take an If-Match.
WRITES = ("requestPlan", "withdrawPlan", "approvePlan", "refusePlan", "pausePlan", "resumePlan", "cancelPlan",
          "retryInstalment")
#: A card that no plan takes.
VIRTUAL = "4150550000000004"


def run(trial):
    asking(trial)
    answering(trial)
    taking_back(trial)
    beginning(trial)
    forms(trial)
    edges(trial)
    meeting(trial)


def place(trial, total=TOTAL):
    return portal.place(trial, order(total))["id"]


def shown(trial, id):
    return trial.ask("showOrder", 200, values={"id": id}).json()


def request(trial, id, template="3x"):
    return trial.ask("requestPlan", 201, values={"id": id}, body={"template": template}).json()


def approve(trial, asked, **more):
    body = {"terms": asked["plan"]["terms"]} | more
    return trial.ask("approvePlan", 200, values={"id": asked["id"]}, body=body).json()


def approved(trial, total=TOTAL):
    return approve(trial, request(trial, place(trial, total)))


def begin(trial, order):
    """A page that begins the order's plan, and what stands on it."""
    body = checkout() | {"accepted_terms": order["plan"]["offer"]["accepted_terms"]}
    issued = trial.ask("checkOut", 201, values={"id": order["id"]}, body=body).json()
    page = trial.ask("pay", 200, values={"token": payer.token(issued)}).body.decode()
    return issued, page


def active(trial, card=payer.ACCEPTED):
    """An order whose plan debits this card."""
    order = approved(trial)
    payer.Payer(trial.bench, *begin(trial, order)).pay(card)
    return payer.until("active", lambda: is_plan(shown(trial, order["id"]), "active"))


def is_plan(order, status):
    return order if order["plan"]["status"] == status else None


def asking(trial):
    free, gone, plain = place(trial, 0), place(trial), place(trial)
    trial.ask("cancelOrder", 200, values={"id": gone})
    trial.ask("showPlan", 404, "not_found", values={"id": plain})
    ask = lambda *expected, id=plain, template="3x", **more: trial.ask(
        "requestPlan", *expected, values={"id": id}, body={"template": template}, **more)
    ask(409, "order_settled", id=free)
    ask(409, "order_cancelled", id=gone)
    ask(409, "outside_window", template="another-season")
    ask(422, "below_minimum", template="5x")
    ask(422, "above_maximum", template="small")
    ask(422, "invalid_request", "unknown", template="12x")
    asked = request(trial, plain)
    for key in (None, trial.bench.key_of["accounting"]):
        headers = {"Guichet-Actor": ACCOUNTANT} if key else {}
        trial.ask("showPlan", 200, values={"id": plain}, key=key, headers=headers)
    # Where nobody has to approve, it is approved at once.
    if request(trial, place(trial, 40_000), "small")["plan"]["status"] != "approved":
        trial.failures.append("requestPlan: a plan that nobody approves is not approved")
    for query in ("", "status=requested", "status=requested&limit=1", f"after={asked['id']}&merchant=ecole"):
        trial.ask("listPlans", 200, query=query)
    for _ in range(49):
        request(trial, plain)
    ask(409, "too_many_plans")


def answering(trial):
    asked = request(trial, place(trial))
    values = {"values": {"id": asked["id"]}}
    terms = {"terms": asked["plan"]["terms"]}
    for operation in ("approvePlan", "refusePlan"):
        body = portal.body_of(operation)
        trial.ask(operation, 409, "plan_not_requested", values={"id": place(trial)}, body=body)
        trial.ask(operation, 412, "precondition_failed", headers={"If-Match": '"9"'}, body=body, **values)
        trial.ask(operation, 400, "malformed_request", headers={"If-Match": "9"}, body=body, **values)
        for ended, code in ((paid_once, "order_settled"), (cancelled, "order_cancelled")):
            trial.ask(operation, 409, code, values={"id": ended(trial)}, body=body)
    ask = lambda *expected, body, **more: trial.ask("approvePlan", *expected, body=body, **values, **more)
    ask(409, "terms_changed", body={"terms": "others"})
    first = {"first_amount": {"amount": 30_000, "currency": "EUR"}}
    ask(422, "first_amount_refused", body=terms | first)
    ask(422, "invalid_request", "amount_out_of_range", body=edited(terms | first, "/first_amount/amount", -1))
    ask(422, "invalid_request", "card_number", body=terms | {"reason": "4012 0010 3714 1112"})
    trial.ask("refusePlan", 422, "invalid_request", "blank", body={"reason": " "}, **values)
    trial.ask("refusePlan", 200, body={"reason": "dossier incomplet"}, headers={"If-Match": '"2"'}, **values)
    again = request(trial, asked["id"])
    approve(trial, again, reason="dossier complété")
    ask(409, "plan_not_requested", body=terms)
    approve(trial, request(trial, place(trial, 377_000), "5x"), first_amount={"amount": 100_000, "currency": "EUR"})
    # Who asked is not who approves, whatever key they come with.
    own = place(trial)
    headers = {"Guichet-Actor": ACCOUNTANT}
    asked = trial.ask("requestPlan", 201, values={"id": own}, body={"template": "3x"}, headers=headers).json()
    trial.ask("approvePlan", 409, "approver_is_requester", values={"id": own}, body={"terms": asked["plan"]["terms"]})


def paid_once(trial):
    """An order that was paid at once while its plan waited for an answer."""
    id = request(trial, place(trial))["id"]
    payer.Payer(trial.bench, portal.issue(trial, id)).pay()
    payer.until("settled", lambda: shown(trial, id)["status"] == "settled")
    return id


def cancelled(trial):
    id = request(trial, place(trial))["id"]
    trial.ask("cancelOrder", 200, values={"id": id})
    return id


def taking_back(trial):
    order = approved(trial)
    values = {"values": {"id": order["id"]}}
    trial.ask("requestPlan", 409, "plan_under_way", body={"template": "3x"}, **values)
    trial.ask("withdrawPlan", 409, "plan_not_requested", values={"id": place(trial)})
    trial.ask("withdrawPlan", 412, "precondition_failed", headers={"If-Match": '"9"'}, **values)
    trial.ask("withdrawPlan", 200, headers={"If-Match": "*"}, **values)
    trial.ask("withdrawPlan", 409, "plan_not_requested", **values)
    # PAYBOX says paid, and the bank does not answer.
    order = approved(trial)
    page = payer.Payer(trial.bench, *begin(trial, order))
    trial.bench.ask_sandbox("POST", "/faults", {"target": "direct", "host": "both", "action": "dead"})
    page.pay()
    payer.until("confirming", lambda: shown(trial, order["id"])["checkouts"][0]["status"] == "confirming")
    trial.ask("withdrawPlan", 409, "confirmation_in_progress", values={"id": order["id"]})
    trial.bench.ask_sandbox("DELETE", "/faults")
    payer.until("active", lambda: is_plan(shown(trial, order["id"]), "active"))
    trial.ask("withdrawPlan", 409, "plan_under_way", values={"id": order["id"]})
    for operation in ("requestPlan", "cancelOrder"):
        trial.ask(operation, 409, "order_partly_paid", values={"id": order["id"]}, body=portal.body_of(operation))


def beginning(trial):
    id = place(trial)
    ask = lambda *expected, terms: trial.ask(
        "checkOut", *expected, values={"id": id}, body=checkout() | {"accepted_terms": terms})
    ask(409, "plan_not_approved", terms="x")
    asked = request(trial, id)
    ask(409, "plan_not_approved", terms=asked["plan"]["offer"]["accepted_terms"])
    order = approve(trial, asked)
    ask(409, "terms_changed", terms="x")
    body = checkout() | {"accepted_terms": "x", "instalment": 2}
    trial.ask("checkOut", 422, "invalid_request", "not_with_this", values={"id": id}, body=body)
    issued, page = begin(trial, order)
    for told in ("automatiquement", "400,69", "e-Carte Bleue"):
        if told not in page:
            trial.failures.append(f"pay: the page of a plan does not say {told}: {page}")
    payer.Payer(trial.bench, issued, page).pay(VIRTUAL)
    payer.until("card_refused", lambda: shown(trial, id)["checkouts"][0]["status"] == "card_refused")
    page = trial.ask("pay", 200, values={"token": payer.token(issued)}).body.decode()
    if "cartes virtuelles" not in page:
        trial.failures.append(f"pay: the page does not say why the card was refused: {page}")
    payer.Payer(trial.bench, issued, page).pay()
    payer.until("active", lambda: is_plan(shown(trial, id), "active"))
    trial.ask("showPlan", 200, values={"id": id})


def forms(trial):
    """Requests that are not of the right form, whatever they say."""
    id = place(trial)
    again = {"Idempotency-Key": fresh()}
    for operation in WRITES:
        values = {"values": {"id": id, "number": 2}}
        ask = lambda *expected, **more: trial.ask(operation, *expected, **values, **more)
        body = portal.body_of(operation)
        ask(400, "idempotency_key_missing", body=body, headers={"Idempotency-Key": None})
        ask(400, "idempotency_key_invalid", body=body, headers={"Idempotency-Key": "two words"})
        # Keys belong to who asks: portal and accounting have each their own.
        used = again if trial.scopes(operation) == ["portal"] else {"Idempotency-Key": trial_key(trial)}
        if operation == "requestPlan":
            portal.place(trial, headers=again)
        ask(422, "idempotency_key_reused", body=body, headers=used)
        if operation != "withdrawPlan":
            bodies(ask, body)
    for operation in ("startDebitRun", "resumeDebitRun"):
        ask = lambda *expected, **more: trial.ask(operation, *expected, values={"run": portal.UNKNOWN_RUN}, **more)
        bodies(ask, portal.body_of(operation))


def trial_key(trial):
    """An Idempotency-Key under which accounting has asked something else."""
    if not hasattr(trial, "used_by_accounting"):
        trial.used_by_accounting = fresh()
        approve_headers = {"Idempotency-Key": trial.used_by_accounting}
        asked = request(trial, place(trial))
        trial.ask("approvePlan", 200, values={"id": asked["id"]}, body={"terms": asked["plan"]["terms"]},
                  headers=approve_headers)
    return trial.used_by_accounting


def bodies(ask, body):
    ask(400, "malformed_json", body=b"{")
    ask(422, "invalid_request", "wrong_type", body=[])
    ask(422, "invalid_request", "unknown_field", body=body | {"colour": "blue"})
    ask(415, "unsupported_media_type", body=body, headers={"Content-Type": "text/plain"})
    ask(413, "too_large", body=b"{" + b" " * 70_000 + b"}")
    ask(408, "too_slow", body=b"{", headers={"Content-Length": "100"})


def edges(trial):
    """Every limit of every field, from both sides; what is within may be refused for what it means."""
    values = {"id": place(trial), "number": 2}
    terms = {"terms": "x", "first_amount": {"amount": 1, "currency": "EUR"}, "reason": "x"}
    for operation, schema, document in (
        ("requestPlan", "PlanRequest", {"template": "3x"}),
        ("approvePlan", "PlanApproval", terms),
        ("refusePlan", "Reasoned", {"reason": "x"}),
        ("retryInstalment", "Reasoned", {"reason": "x"}),
        ("startDebitRun", "NewDebitRun", {"merchant": "ecole", "due_date": "2001-01-10"}),
        ("checkOut", "NewCheckout", checkout() | {"instalment": 1}),
        ("checkOut", "NewCheckout", checkout() | {"accepted_terms": "x"}),
    ):
        for value, is_within, what in limits.variations(trial.contract, schema, document):
            answer = trial.ask(operation, None, values=values, body=value)
            faults = {fault["code"] for fault in answer.json().get("errors", [])}
            is_taken = answer.status in (200, 201, 202, 409) or faults == {"unknown"}
            if is_taken != is_within:
                trial.failures.append(f"{operation}: {what} is {'taken' if is_taken else 'refused'}: {answer.body}")


def meeting(trial):
    """The same request, at the same moment."""
    running = active(trial)["id"]
    prepare = {
        "requestPlan": lambda: place(trial),
        "withdrawPlan": lambda: request(trial, place(trial))["id"],
        "approvePlan": lambda: request(trial, place(trial))["id"],
        "refusePlan": lambda: request(trial, place(trial))["id"],
        **{operation: lambda: running for operation in ("pausePlan", "resumePlan", "cancelPlan", "retryInstalment")},
    }
    for operation, of in prepare.items():
        def requests():
            values, headers = {"id": of(), "number": 2}, {"Idempotency-Key": fresh()}
            return [{"values": values, "body": portal.body_of(operation), "headers": headers}] * 8
        meetings.meet(trial, operation, "request_in_progress", requests)
