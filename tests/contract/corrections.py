"""Life after the first debit: corrections, quarantine, accounts, settlement; and every way in which the API refuses them."""

import datetime

import debits
import limits
import meetings
import payer
import plans
import portal
from documents import checkout, edited
from trial import fresh

#: Writes on one order, all of which take an If-Match.
WRITES = ("cancelRest", "defaultPlan", "credit", "refund", "chargeBack", "rescheduleInstalment", "writeOffInstalment",
          "bookPaidElsewhere", "giveVerdict")
OF_INSTALMENTS = ("rescheduleInstalment", "writeOffInstalment", "bookPaidElsewhere")
DOUBTFUL = "4236861588423130"
#: What only this scene brings about.
EVENTS = {
    "plan.defaulted", "plan.card_changed", "plan.completed", "order.credited", "order.refund_requested", "order.settlement",
    "order.chargeback", "order.blocked", "order.unblocked", "order.quarantine_resolved", "instalment.paid_elsewhere",
    "instalment.written_off", "instalment.rescheduled",
}


def run(trial):
    quarantine(trial)
    order = plans.active(trial)
    refusals(trial)
    confirming(trial)
    corrections(trial, order)
    ends(trial)
    often(trial)
    cards(trial)
    accounts(trial)
    forms(trial)
    edges(trial)
    meeting(trial)
    events(trial)


def eur(amount):
    return {"amount": amount, "currency": "EUR"}


def on(id, number=2):
    return {"values": {"id": id, "number": number}}


def body_of(operation):
    return portal.body_of(operation)


def paid(trial, total=plans.TOTAL):
    id = plans.place(trial, total)
    payer.Payer(trial.bench, portal.issue(trial, id)).pay()
    payer.until("settled", lambda: plans.shown(trial, id)["status"] == "settled")
    return plans.shown(trial, id)


def refusals(trial):
    plain, gone, settled = plans.place(trial), plans.place(trial), paid(trial)["id"]
    trial.ask("cancelOrder", 200, values={"id": gone})
    refund = body_of("refund")
    for operation in ("credit", "refund", "cancelRest"):
        trial.ask(operation, 409, "nothing_paid", body=body_of(operation), **on(plain))
        trial.ask(operation, 409, "order_cancelled", body=body_of(operation), **on(gone))
    for operation in ("cancelRest", "defaultPlan", "rescheduleInstalment"):
        trial.ask(operation, 409, "plan_not_active", body=body_of(operation), **on(settled))
    trial.ask("refund", 409, "plan_not_active", body=refund | {"rest": "keep"}, **on(settled))
    for operation in ("writeOffInstalment", "bookPaidElsewhere"):
        trial.ask(operation, 409, "order_settled", body=body_of(operation), **on(settled))
        trial.ask(operation, 409, "order_cancelled", body=body_of(operation), **on(gone))
    trial.ask("chargeBack", 409, "no_such_capture", body=body_of("chargeBack"), **on(settled))
    trial.ask("credit", 409, "not_that_much", body=body_of("credit") | {"amount": eur(99_999)}, **on(settled))
    trial.ask("refund", 409, "not_that_much", body=refund | {"amount": eur(99_999)}, **on(settled))
    trial.ask("refund", 409, "not_that_much", body=refund | {"against": "surplus"}, **on(settled))
    trial.ask("credit", 422, "invalid_request", "currency_mismatch",
              body=body_of("credit") | {"amount": {"amount": 1, "currency": "CHF"}}, **on(settled))
    trial.ask("giveVerdict", 409, "nothing_waits", body=body_of("giveVerdict"), **on(settled))
    for operation in WRITES:
        trial.ask(operation, 412, "precondition_failed", body=body_of(operation), headers={"If-Match": '"99"'}, **on(settled))
        trial.ask(operation, 400, "malformed_request", body=body_of(operation), headers={"If-Match": "9"}, **on(settled))
    for pays in ("rest", "another_card"):
        trial.ask("checkOut", 409, "plan_not_active", body=checkout() | {"pays": pays}, values={"id": plain})


def confirming(trial):
    """PAYBOX says paid, and the bank does not answer."""
    id = plans.active(trial)["id"]
    body = checkout() | {"instalment": 2}
    page = payer.Payer(trial.bench, trial.ask("checkOut", 201, values={"id": id}, body=body).json())
    trial.bench.ask_sandbox("POST", "/faults", {"target": "direct", "host": "both", "action": "dead"})
    page.pay()
    payer.until("confirming", lambda: plans.shown(trial, id)["checkouts"][-1]["status"] == "confirming")
    for operation in ("credit", "refund", "cancelRest", *OF_INSTALMENTS):
        trial.ask(operation, 409, "confirmation_in_progress", body=body_of(operation), **on(id))
    trial.bench.ask_sandbox("DELETE", "/faults")
    payer.until("paid", lambda: plans.shown(trial, id)["schedule"][1]["status"] == "paid")


def corrections(trial, order):
    id = order["id"]
    trial.ask("refund", 422, "rest_not_said", body=body_of("refund"), **on(id))
    for operation in OF_INSTALMENTS:
        trial.ask(operation, 409, "no_such_instalment", body=body_of(operation), **on(id, 1))
        trial.ask(operation, 409, "no_such_instalment", body=body_of(operation), **on(id, 9))
    move = lambda *expected, due: trial.ask("rescheduleInstalment", *expected, body={"due": due, "reason": "x"}, **on(id))
    move(409, "date_has_come", due="2001-01-10")
    move(409, "card_ends_before", due="2099-01-10")
    for wrong in ("10/01/2027", "2027-02-30"):
        move(422, "invalid_request", "wrong_type", due=wrong)
    later = datetime.date.fromisoformat(order["schedule"][1]["due"]) + datetime.timedelta(days=3)
    move(200, due=str(later))
    for place, value in (("/on", "yesterday"), ("/reference", "  "), ("/reason", "4012 0010 3714 1112")):
        body = edited(body_of("bookPaidElsewhere"), place, value)
        trial.ask("bookPaidElsewhere", 422, "invalid_request", body=body, **on(id))
    trial.ask("credit", 200, body=body_of("credit"), **on(id))
    trial.ask("refund", 200, body=body_of("refund") | {"rest": "keep"}, **on(id))
    trial.ask("bookPaidElsewhere", 200, body=body_of("bookPaidElsewhere"), **on(id))
    payer.until("refunded", lambda: all(
        part["status"] == "done" for refund in plans.shown(trial, id)["refunds"] for part in refund["parts"]))
    trial.ask("writeOffInstalment", 200, body=body_of("writeOffInstalment"), **on(id, 3))
    trial.ask("showPosition", 200, values={"reference": "E2026001"})
    trial.ask("explainOrder", 200, values={"id": id})


def ends(trial):
    rest, given_up, contested = (plans.active(trial) for _ in range(3))
    trial.ask("cancelRest", 200, body=body_of("cancelRest"), **on(rest["id"]))
    trial.ask("defaultPlan", 200, body={}, **on(given_up["id"]))
    trial.ask("listPlans", 200, query="status=defaulted")
    body = {"operation": contested["ledger"][0]["operation"], "reason": "contestation du porteur"}
    trial.ask("chargeBack", 200, body=body, **on(contested["id"]))
    trial.ask("chargeBack", 409, "not_that_much", body=body, **on(contested["id"]))
    issued = trial.ask("checkOut", 201, values={"id": contested["id"]}, body=checkout() | {"instalment": 1}).json()
    payer.Payer(trial.bench, issued).pay()
    payer.until("unblocked", lambda: not plans.shown(trial, contested["id"])["blocked"])


def often(trial):
    """As many corrections as there may be."""
    id = plans.active(trial)["id"]
    body = {"amount": eur(1), "reason": "un centime"}
    for _ in range(100):
        trial.ask("credit", 200, body=body, **on(id))
    for operation in ("credit", "refund", "cancelRest"):
        trial.ask(operation, 409, "too_many_corrections", body=body_of(operation), **on(id))


def cards(trial):
    """Another card for an active plan, and the rest of it at once."""
    id = plans.active(trial)["id"]
    values = {"values": {"id": id}}
    for pays in ("rest", "another_card"):
        for more in ({"instalment": 2}, {"accepted_terms": "x"}):
            trial.ask("checkOut", 422, "invalid_request", "not_with_this", body=checkout() | {"pays": pays} | more, **values)
    trial.ask("checkOut", 422, "invalid_request", "wrong_type", body=checkout() | {"pays": "all"}, **values)
    issued = trial.ask("checkOut", 201, body=checkout() | {"pays": "another_card"}, **values).json()
    page = trial.ask("pay", 200, values={"token": payer.token(issued)}).body.decode()
    payer.Payer(trial.bench, issued, page).pay("4012001037141112")
    payer.until("changed", lambda: plans.shown(trial, id)["plan"]["card"]["last2"] == "12")
    payer.until("let go", lambda: plans.shown(trial, id)["give_backs"][0]["status"] == "done")
    issued = trial.ask("checkOut", 201, body=checkout() | {"pays": "rest"}, **values).json()
    payer.Payer(trial.bench, issued).pay()
    payer.until("settled", lambda: plans.shown(trial, id)["status"] == "settled")


def quarantine(trial):
    """A debit that the bank never shows: people decide. First of all: the bank has to fail nobody else."""
    trial.bench.ask_sandbox("POST", "/switches", {"enquiry_sees_subscribers": False})
    order = plans.active(trial, DOUBTFUL)
    id = order["id"]
    due = datetime.date.fromisoformat(order["schedule"][1]["due"])
    trial.bench.ask_sandbox("POST", "/faults", {"target": "direct", "type": "00053", "action": "drop_after_commit"})
    debits.come_to(trial, due)
    trial.ask("startDebitRun", 202, body={"due_date": str(due)})
    payer.until("in doubt", lambda: plans.shown(trial, id)["schedule"][1]["status"] == "in_doubt")
    for operation in OF_INSTALMENTS:
        trial.ask(operation, 409, "debit_in_progress", body=body_of(operation), **on(id))
    for operation in ("cancelRest", "defaultPlan"):
        trial.ask(operation, 409, "debit_in_progress", body=body_of(operation), **on(id))
    # It would cut the third instalment, and then the one in doubt.
    trial.ask("credit", 409, "debit_in_progress", body={"amount": eur(30_000), "reason": "x"}, **on(id))
    trial.ask("refund", 409, "debit_in_progress", body=body_of("refund") | {"rest": "cancel"}, **on(id))
    payer.until("quarantined", lambda: plans.shown(trial, id)["schedule"][1]["status"] == "quarantined")
    for operation in OF_INSTALMENTS:
        trial.ask(operation, 409, "quarantined", body=body_of(operation), **on(id))
    for query in ("", "limit=1&merchant=ecole", f"after={portal.UNKNOWN}"):
        listed = trial.ask("listQuarantine", 200, query=query).json()
    subject = listed["items"][0]["waiting"][0]["subject"]
    booked = trial.bench.ask_sandbox("GET", f"/ledger?reference_prefix=ECO-{id.removeprefix('ord_')}-2-d")["operations"]
    operation = {"number": str(booked[0]["numtrans"]), "call": str(booked[0]["numappel"])}
    verdict = {"subject": subject, "verdict": {"verdict": "executed", "operation": operation}, "evidence": "relevé"}
    give = lambda *expected, body=verdict, **more: trial.ask("giveVerdict", *expected, body=body, values={"id": id}, **more)
    give(422, "verdict_does_not_fit", body=verdict | {"verdict": {"verdict": "closed"}})
    for fault, document in (
        ("missing", edited(verdict, "/verdict", {"verdict": "executed"})),
        ("not_with_this", edited(verdict, "/verdict", {"verdict": "closed", "operation": operation})),
        ("wrong_type", edited(verdict, "/verdict/operation/number", "0")),
        ("missing", edited(verdict, "/subject", {"subject": "stuck"})),
        ("not_with_this", edited(verdict, "/subject", {"subject": "stuck", "debit": 2, "attempt": 1})),
        ("blank", edited(verdict, "/evidence", " ")),
    ):
        give(422, "invalid_request", fault, body=document)
    give(200)
    give(409, "second_person_needed")
    several = {"items": [{"order": id} | {name: verdict[name] for name in ("subject", "verdict")},
                         {"order": "nonsense"} | {name: verdict[name] for name in ("subject", "verdict")}],
               "evidence": "back-office"}
    for fault, document in (("missing", several | {"items": []}), ("too_many", several | {"items": several["items"] * 51}),
                            ("blank", several | {"evidence": ""})):
        trial.ask("giveVerdicts", 422, "invalid_request", fault, body=document)
    ops = {"key": trial.bench.key_of["ops"], "headers": {"Guichet-Actor": "M. Petit"}}
    outcomes = trial.ask("giveVerdicts", 200, body=several, **ops).json()["items"]
    if [item["outcome"] for item in outcomes] != ["resolved", "not_found"]:
        trial.failures.append(f"giveVerdicts: {outcomes}")
    trial.bench.ask_sandbox("POST", "/switches", {"enquiry_sees_subscribers": True})


def accounts(trial):
    for query in ("", "as_of=2026-01-01", "as_of=2099-01-01&merchant=ecole"):
        trial.ask("showPosition", 200, values={"reference": "E2026001"}, query=query)
        trial.ask("showPosition", 200, values={"reference": "nobody"}, query=query)
    for query in ("as_of=tomorrow", "as_of=2026-02-30", "colour=blue"):
        trial.ask("showPosition", 400, "malformed_request", values={"reference": "E2026001"}, query=query)
    trial.ask("showPosition", 404, "not_found", values={"reference": "x" * 65})
    for query in ("", "older_than_days=0", "older_than_days=0&limit=1"):
        trial.ask("listUnsettled", 200, query=query)
    for query in ("older_than_days=367", "older_than_days=-1", "limit=0", "after=x", "colour=blue"):
        trial.ask("listUnsettled", 400, "malformed_request", query=query)
    # The bank collects every night, and is asked the day after.
    order = paid(trial)
    now = datetime.datetime.fromisoformat(trial.ask("showTestClock", 200, key=trial.bench.key_of["ops"]).json()["now"])
    debits.come_to(trial, now.date() + datetime.timedelta(days=2))
    settled = lambda: [entry for entry in plans.shown(trial, order["id"])["ledger"] if entry["kind"] == "settlement"]
    remittance = {"values": {"remittance": payer.until("collected", settled)[0]["remittance"]}}
    for query in ("", "limit=1&merchant=ecole", f"after={order['id']}"):
        trial.ask("showSettlement", 200, query=query, **remittance)
    table = trial.ask("showSettlement", 200, headers={"Accept": "text/csv"}, **remittance)
    if not table.body.startswith(b"order,reference,payer,") or order["id"].encode() not in table.body:
        trial.failures.append(f"showSettlement: {table.body}")
    for query in ("limit=0", "after=x", "colour=blue"):
        trial.ask("showSettlement", 400, "malformed_request", query=query, **remittance)
    for unknown in ("x", "987654321"):
        trial.ask("showSettlement", 404, "not_found", values={"remittance": unknown})
    for query in ("limit=0", "after=x", "colour=blue"):
        trial.ask("listQuarantine", 400, "malformed_request", query=query)
    for operation in ("listQuarantine", "listUnsettled"):
        trial.ask(operation, 404, "not_found", query="merchant=annexe")
    trial.ask("showPosition", 404, "not_found", values={"reference": "E2026001"}, query="merchant=annexe")


def forms(trial):
    """Requests that are not of the right form, whatever they say."""
    id = plans.place(trial)
    used = {"Idempotency-Key": fresh()}
    trial.ask("approvePlan", 200, values={"id": (asked := plans.request(trial, id))["id"]},
              body={"terms": asked["plan"]["terms"]}, headers=used)
    for operation in (*WRITES, "giveVerdicts"):
        ask = lambda *expected, **more: trial.ask(operation, *expected, **on(id), **more)
        body = body_of(operation)
        ask(400, "idempotency_key_missing", body=body, headers={"Idempotency-Key": None})
        ask(400, "idempotency_key_invalid", body=body, headers={"Idempotency-Key": "two words"})
        ask(422, "idempotency_key_reused", body=body, headers=used)
        plans.bodies(ask, body)


def edges(trial):
    """Every limit of every field, from both sides; what is within may be refused for what it means."""
    values = {"id": plans.place(trial), "number": 2}
    for operation, schema, document in (
        ("cancelRest", "Reasoned", {"reason": "x"}),
        ("writeOffInstalment", "Reasoned", {"reason": "x"}),
        ("credit", "NewCreditNote", body_of("credit")),
        ("refund", "NewRefund", body_of("refund") | {"rest": "keep"}),
        ("chargeBack", "NewChargeback", body_of("chargeBack")),
        ("checkOut", "NewCheckout", checkout() | {"pays": "rest"}),
    ):
        for value, is_within, what in limits.variations(trial.contract, schema, document):
            answer = trial.ask(operation, None, values=values, body=value)
            codes = {fault["code"] for fault in answer.json().get("errors", [])}
            is_taken = answer.status in (200, 201, 409) or codes == {"unknown"} or "currency_mismatch" in codes
            if is_taken != is_within:
                trial.failures.append(f"{operation}: {what} is {'taken' if is_taken else 'refused'}: {answer.body}")


def meeting(trial):
    """The same request, at the same moment."""
    running = plans.active(trial)["id"]
    for operation in (*WRITES, "giveVerdicts"):
        def requests():
            headers = {"Idempotency-Key": fresh()}
            return [{"values": {"id": running, "number": 2}, "body": body_of(operation), "headers": headers}] * 8
        meetings.meet(trial, operation, "request_in_progress", requests)


def events(trial):
    after, kinds = None, set()
    while True:
        page = trial.ask("listEvents", 200, query=f"after={after}" if after else "").json()
        kinds |= {event["type"] for event in page["events"]}
        if not page["events"]:
            break
        after = page["next"]
    if EVENTS - kinds:
        trial.failures.append(f"listEvents: never seen: {sorted(EVENTS - kinds)}")
