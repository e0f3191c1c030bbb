"""Debit runs, while months go by: what is debited, refused, in doubt, resumed."""

import datetime
import time
import zoneinfo

import corrections
import payer
import plans
import portal
from documents import checkout

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
#: Cards that everybody takes, each for one order.
GOOD, SOFT, HARD, MISCONFIGURED, DOUBTFUL = (
    payer.ACCEPTED, "5555555555554444", "5476852056843079", "4000000000001091", "4236861588423130")


def run(trial):
    # What other scenes left behind is debited too.
    orders = {card: plans.active(trial, card) for card in (GOOD, SOFT, HARD, MISCONFIGURED, DOUBTFUL)}
    due = datetime.date.fromisoformat(orders[GOOD]["schedule"][1]["due"])
    active(trial, orders[GOOD]["id"])
    dates(trial, due)
    first_day(trial, orders, due)
    second_day(trial, orders, due)
    endings(trial, orders)
    end_of_month(trial, due)


def come_to(trial, day, clock=datetime.time(12)):
    instant = datetime.datetime.combine(day, clock, PARIS).astimezone(datetime.UTC)
    trial.ask("moveTestClock", 200, body={"now": instant.strftime("%Y-%m-%dT%H:%M:%SZ")})


def quiet(trial, orders):
    """Whatever else the jump made due is done, so that a run finds orders that nobody writes beside it. A debit that has
    to be decided anew asks its question before it once more, and faults are counted by questions."""
    versions = lambda: [plans.shown(trial, order["id"])["version"] for order in orders.values()]

    def stay():
        before = versions()
        time.sleep(1)
        return versions() == before

    payer.until("orders that stay as they are", stay)


def script(trial, card, *outcomes):
    document = {"card": card, "type": "00053", "outcomes": list(outcomes)}
    trial.bench.ask_sandbox("POST", "/scripts", document)


def run_of(trial, day):
    return trial.ask("showDebitRun", 200, values={"run": f"ecole.{day}"}).json()


def until_run(trial, day, *states):
    try:
        return payer.until(f"a run {states}", lambda: (found := run_of(trial, day))["state"] in states and found)
    except AssertionError as error:
        items = trial.ask("listDebitRunItems", 200, values={"run": f"ecole.{day}"}).json()
        raise AssertionError(f"{error}: {run_of(trial, day)} {items}") from error


def due_of(trial, order, number=2):
    return plans.shown(trial, order["id"])["schedule"][number - 1]


def active(trial, id):
    """What may be done to an active plan, and what not."""
    values = {"values": {"id": id}}
    for operation in ("pausePlan", "resumePlan"):
        trial.ask(operation, 200, **values)
        trial.ask(operation, 200, body={}, **values)
    plain = plans.place(trial)
    for operation in ("pausePlan", "resumePlan", "cancelPlan", "retryInstalment"):
        body = portal.body_of(operation)
        on_plain = {"values": {"id": plain, "number": 2}}
        trial.ask(operation, 409, "plan_not_active", body=body, **on_plain)
        trial.ask(operation, 412, "precondition_failed", body=body, headers={"If-Match": '"9"'}, **on_plain)
        trial.ask(operation, 400, "malformed_request", body=body, headers={"If-Match": "9"}, **on_plain)
    retry = lambda number: trial.ask("retryInstalment", 409, "no_such_instalment", body={"reason": "x"},
                                     values={"id": id, "number": number})
    retry(2)
    retry(9)
    for instalment in (1, 9):
        trial.ask("checkOut", 409, "no_such_instalment", body=checkout() | {"instalment": instalment}, **values)


def dates(trial, due):
    for day, code in ((due, "not_yet_due"), (datetime.date(2001, 1, 10), "date_too_old")):
        trial.ask("startDebitRun", 409, code, body={"due_date": str(day)})
    for wrong in ("10/01/2027", "2027-02-30", "1999-01-10", "2027-1-10", 20270110):
        trial.ask("startDebitRun", 422, "invalid_request", "wrong_type", body={"due_date": wrong})
    trial.ask("startDebitRun", 422, "invalid_request", "unknown", body={"merchant": "annexe", "due_date": str(due)})
    for query in (f"date={due}", f"date={due}&limit=1&merchant=ecole"):
        trial.ask("previewDebitRun", 200, query=query)


def first_day(trial, orders, due):
    """One debit is refused for good, one for now, one as if we were somebody else, one is not answered."""
    script(trial, SOFT, "00151", "00151")
    script(trial, HARD, "00141")
    script(trial, MISCONFIGURED, "00006")
    reference = f"ECO-{orders[DOUBTFUL]['id'].removeprefix('ord_')}-2-d1"
    faults = [
        {"target": "direct", "type": "00053", "reference": reference, "action": "drop_after_commit"},
        # The question before the debit is answered, those after it are not.
        {"target": "direct", "host": "both", "type": "00011", "reference": reference, "skip": 1, "action": "http_500",
         "times": 1000},
    ]
    for fault in faults:
        trial.bench.ask_sandbox("POST", "/faults", fault)
    come_to(trial, due, datetime.time(1))
    quiet(trial, orders)
    come_to(trial, due)
    body = {"merchant": "ecole", "due_date": str(due)}
    trial.ask("startDebitRun", 202, body=body)
    trial.ask("startDebitRun", 200, body=body)
    trial.ask("startDebitRun", 200, body=body, key=trial.bench.key_of["accounting"],
              headers={"Guichet-Actor": "M. Petit"})
    until_run(trial, due, "stopped_config")
    values = {"values": {"run": f"ecole.{due}"}}
    trial.ask("resumeDebitRun", 200, **values)
    trial.ask("resumeDebitRun", 409, "run_not_stopped", body={}, **values)
    until_run(trial, due, "done_with_doubt")
    for query in ("", "outcome=refused", "limit=1", f"outcome=in_doubt&after={portal.UNKNOWN}"):
        trial.ask("listDebitRunItems", 200, query=query, **values)
    # What may have been debited is neither paid by a page nor given up.
    doubtful = {"values": {"id": orders[DOUBTFUL]["id"]}}
    trial.ask("checkOut", 409, "debit_in_progress", body=checkout() | {"instalment": 2}, **doubtful)
    trial.ask("cancelPlan", 409, "debit_in_progress", **doubtful)
    # Nor is its order cancelled, though all that is known to be paid was charged back.
    body = {"operation": orders[DOUBTFUL]["ledger"][0]["operation"], "reason": "contestation du porteur"}
    trial.ask("chargeBack", 200, body=body, **doubtful)
    trial.ask("cancelOrder", 409, "debit_in_progress", **doubtful)
    trial.bench.ask_sandbox("DELETE", "/faults")
    payer.until("paid", lambda: due_of(trial, orders[DOUBTFUL])["status"] == "paid")
    trial.ask("retryInstalment", 409, "card_unusable", body={"reason": "x"},
              values={"id": orders[HARD]["id"], "number": 2})
    trial.ask("rescheduleInstalment", 409, "card_unusable", body={"due": "2099-01-10", "reason": "x"},
              values={"id": orders[HARD]["id"], "number": 2})
    waiting = due_of(trial, orders[SOFT])
    if waiting["status"] != "retry_wait" or waiting["last_refusal"]["code"] != "00151":
        trial.failures.append(f"showOrder: a debit that was refused does not wait: {waiting}")


def second_day(trial, orders, due):
    """What was refused twice is in arrears; accounting has it debited once more, or the payer pays it by a page."""
    day = due + datetime.timedelta(days=1)
    come_to(trial, day)
    trial.ask("previewDebitRun", 200, query=f"date={day}")
    trial.ask("startDebitRun", 202, body={"due_date": str(day)})
    until_run(trial, day, "done")
    payer.until("arrears", lambda: due_of(trial, orders[SOFT])["status"] == "arrears")
    trial.ask("retryInstalment", 200, body={"reason": "le compte est approvisionné"},
              values={"id": orders[SOFT]["id"], "number": 2})
    trial.ask("explainOrder", 200, values={"id": orders[SOFT]["id"]})
    body = checkout() | {"instalment": 2}
    issued = trial.ask("checkOut", 201, values={"id": orders[HARD]["id"]}, body=body).json()
    payer.Payer(trial.bench, issued).pay()
    payer.until("paid", lambda: due_of(trial, orders[HARD])["status"] == "paid")


def endings(trial, orders):
    values = {"values": {"id": orders[HARD]["id"]}}
    version = plans.shown(trial, orders[HARD]["id"])["version"]
    trial.ask("cancelPlan", 200, headers={"If-Match": f'"{version}"'}, **values)
    trial.ask("cancelPlan", 409, "plan_not_active", **values)
    for query in ("status=active", "status=past_due", "status=cancelled", "status=withdrawn"):
        trial.ask("listPlans", 200, query=query)
    after, kinds = None, set()
    while True:
        page = trial.ask("listEvents", 200, query=f"after={after}" if after else "").json()
        kinds |= {event["type"] for event in page["events"]}
        if not page["events"]:
            break
        after = page["next"]
    wanted = trial.contract.document["components"]["schemas"]["Event"]["properties"]["type"]["enum"]
    of_plans = {kind for kind in wanted if kind.startswith(("plan.", "instalment."))} | {"checkout.card_refused"}
    # The last debit of all is months away; what people correct is in corrections.py.
    missing = of_plans - kinds - {"plan.completed"} - corrections.EVENTS
    if missing:
        trial.failures.append(f"listEvents: never seen: {sorted(missing)}")


def end_of_month(trial, due):
    """Dates follow from the month: a page that would outlive it is not handed out."""
    last = (due.replace(day=28) + datetime.timedelta(days=4)).replace(day=1) - datetime.timedelta(days=1)
    come_to(trial, last, datetime.time(23, 50))
    order = plans.approved(trial)
    body = checkout() | {"accepted_terms": order["plan"]["offer"]["accepted_terms"]}
    trial.ask("checkOut", 409, "month_ends", values={"id": order["id"]}, body=body)
