"""PAYBOX's and the bank's files: read well and badly, held against the ledger, settled drift by drift; the journal."""

import datetime

import limits
import meetings
import payer
import plans
import portal
from trial import fresh

OPERATIONS = "operation;call;reference;date;type;amount;currency;remittance;status\n"
REMITTANCES = "remittance,value_date,gross,fees,net,currency\n"
#: What is wrong with a file, its kind, and the fault.
BAD = (
    ("operations", b"", "missing"),
    ("operations", OPERATIONS.replace("call", "operation").encode(), "duplicate_id"),
    ("operations", OPERATIONS.encode() + b"1;2;;2026-11-23;payment;1;EUR;;Captur\xe9\n", "not_text"),
    ("operations", OPERATIONS.encode() + b'"1;2;;2026-11-23;payment;1;EUR;;captured\n', "quotes_open"),
    ("operations", OPERATIONS.encode() + b"1;2;;2026-11-23;payment;1;EUR;captured\n", "uneven_line"),
    ("operations", OPERATIONS.encode() + b"1;2;;2026-11-31;payment;1;EUR;;captured\n", "not_a_day"),
    ("operations", OPERATIONS.encode() + b"1;2;;2026-11-23;payment;1 000;EUR;;captured\n", "not_an_amount"),
    ("operations", OPERATIONS.encode() + b"1;2;;2026-11-23;payment;-1;EUR;;captured\n", "amount_out_of_range"),
    ("operations", OPERATIONS.encode() + b"0;2;;2026-11-23;payment;1;EUR;;captured\n", "wrong_type"),
    ("operations", OPERATIONS.encode() + b"1;2;;2026-11-23;gift;1;EUR;;captured\n", "not_one_of"),
    ("operations", OPERATIONS.encode() + b"1;2;4012001037141112;2026-11-23;payment;1;EUR;;captured\n", "card_number"),
    ("remittances", REMITTANCES.encode() + b"1,2026-11-24,10.00,0.20,9.81,EUR\n", "does_not_add_up"),
    ("remittances", REMITTANCES.encode() + b"1,2025-11-24,1,0,1,EUR\n2,2026-11-25,1,0,1,EUR\n", "not_with_this"),
)


def run(trial):
    refused(trial)
    paid = plans.place(trial), plans.place(trial)
    for id in paid:
        payer.Payer(trial.bench, portal.issue(trial, id)).pay()
    entries = [payer.until("settled", lambda: settled(trial, id))["ledger"][0] for id in paid]
    operations(trial, entries)
    remittances(trial, entries)
    forms(trial)
    journal(trial, entries[0]["at"][:10])


def settled(trial, id):
    order = plans.shown(trial, id)
    return order if order["status"] == "settled" else None


def bring(trial, kind, text, expected=201, *more):
    body = text if isinstance(text, bytes) else text.encode()
    return trial.ask("importFile", expected, *more, query=f"file={kind}&merchant=ecole", body=body)


def refused(trial):
    for kind, text, fault in BAD:
        bring(trial, kind, text, 422, "file_refused", fault)
    ask = lambda *expected, **more: trial.ask("importFile", *expected, body=OPERATIONS.encode(), **more)
    for query in ("", "file=others", "file=operations&colour=blue", "file=operations&file=operations"):
        ask(400, "malformed_request", query=query)
    ask(404, "not_found", query="file=operations&merchant=annexe")
    for media in (None, "application/json", "text/plain"):
        ask(415, "unsupported_media_type", query="file=operations", headers={"Content-Type": media})
    trial.ask("importFile", 408, "too_slow", query="file=operations", body=b"x", headers={"Content-Length": "100"})
    trial.ask("importFile", 413, "too_large", query="file=operations", body=b"x" * 1_048_577)
    trial.ask("listImports", 200)


def line(entry, call="1", kind="payment", status="captured", remittance="", amount=None):
    cents = entry["amount"]["amount"] if amount is None else amount
    day = entry["at"][:10]
    return f"{entry['operation']};{call};;{day};{kind};{cents // 100}.{cents % 100:02};EUR;{remittance};{status}\n"


def operations(trial, entries):
    one, other = entries
    unknown = {"operation": "999999999", "amount": one["amount"], "at": one["at"]}
    text = OPERATIONS + line(one, remittance="117") + line(one, kind="chargeback", status="rejected")
    text += line(other, remittance="117", amount=1) + line(unknown) + line(unknown | {"operation": "999999998"}, kind="refund")
    brought = bring(trial, "operations", text).json()
    for again in (text,):
        if bring(trial, "operations", again, 200).json()["id"] != brought["id"]:
            trial.failures.append("importFile: the same bytes are another import")
    values = {"id": brought["id"]}
    trial.ask("showImport", 200, values=values)
    shown = trial.ask("listDrifts", 200, values=values).json()
    kinds = sorted(drift["kind"] for drift in shown["items"])
    expected = ["amount_differs", "not_settled_here", "unknown_chargeback", "unknown_operation", "unknown_refund"]
    if kinds != expected:
        trial.failures.append(f"listDrifts: {kinds}")
    page = trial.ask("listDrifts", 200, values=values, query="limit=2").json()
    rest = trial.ask("listDrifts", 200, values=values, query=f"after={page['next']}").json()
    if [*page["items"], *rest["items"]] != shown["items"] or rest["next"] is not None:
        trial.failures.append("listDrifts: the pages are not the list")
    for query in ("limit=0", "limit=1001", "after=x", "colour=blue"):
        trial.ask("listDrifts", 400, "malformed_request", values=values, query=query)
    enter(trial, values, f"not_settled_here.{one['operation']}", "fees", 409, "entry_not_offered")
    replay = {"headers": {"Idempotency-Key": fresh()}}
    enter(trial, values, f"not_settled_here.{one['operation']}", "settlement", **replay)
    enter(trial, values, f"not_settled_here.{one['operation']}", "settlement", **replay)
    enter(trial, values, f"not_settled_here.{one['operation']}", "note", 409, "entry_not_offered")
    enter(trial, values, f"unknown_chargeback.{one['operation']}", "chargeback")
    enter(trial, values, "unknown_operation.999999999", "note")
    enter(trial, values, "unknown_operation.1", "note", 404, "not_found")
    trial.ask("listDrifts", 200, values=values)

    def requests():
        text = OPERATIONS + line(unknown | {"operation": str(int(fresh("1").split("-")[1]) + 1_000_000)})
        id = bring(trial, "operations", text).json()
        drift = trial.ask("listDrifts", 200, values={"id": id["id"]}).json()["items"][-1]["id"]
        body = portal.body_of("enterDrift")
        return [{"values": {"id": id["id"], "drift": drift}, "body": body, "headers": {"Idempotency-Key": fresh()}}] * 8

    meetings.meet(trial, "enterDrift", "request_in_progress", requests)


def enter(trial, values, drift, entry, expected=200, *more, **request):
    body = {"entry": entry, "reason": "relevé du jour"}
    return trial.ask("enterDrift", expected, *more, values=values | {"drift": drift}, body=body, **request)


def remittances(trial, entries):
    day, total = entries[0]["at"][:10], entries[0]["amount"]["amount"]
    text = f"117,{day},{total / 100:.2f},1.20,{(total - 120) / 100:.2f},EUR\n118,{day},-5,0,-5.00,EUR\n"
    values = {"id": bring(trial, "remittances", REMITTANCES + text).json()["id"]}
    kinds = [drift["id"] for drift in trial.ask("listDrifts", 200, values=values).json()["items"]]
    if kinds != ["fees_not_booked.117", "unknown_remittance.118"]:
        trial.failures.append(f"listDrifts: {kinds}")
    enter(trial, values, "fees_not_booked.117", "fees")
    # The refunds that PAYBOX's files show in it count; so do fees that another statement has booked.
    refund = {"operation": "999999997", "amount": {"amount": 100}, "at": entries[0]["at"]}
    bring(trial, "operations", OPERATIONS + line(refund, kind="refund", remittance="117", status="credited"))
    text = text.replace("1.20", "1.30").replace(f"{(total - 120) / 100:.2f}", f"{(total - 130) / 100:.2f}")
    values = {"id": bring(trial, "remittances", REMITTANCES + text).json()["id"]}
    kinds = [drift["id"] for drift in trial.ask("listDrifts", 200, values=values).json()["items"]]
    if kinds != ["fees_differ.117", "gross_differs.117", "unknown_remittance.118"]:
        trial.failures.append(f"listDrifts: {kinds}")
    listed = trial.ask("listImports", 200, query="limit=2").json()
    trial.ask("listImports", 200, query=f"after={listed['next']}&merchant=ecole")
    for query in ("limit=0", "after=x", "colour=blue"):
        trial.ask("listImports", 400, "malformed_request", query=query)
    trial.ask("listImports", 404, "not_found", query="merchant=annexe")


def forms(trial):
    """Requests that are not of the right form, whatever they say."""
    day = trial.ask("listImports", 200).json()["items"][0]["from"]
    unknown = {"operation": "999999990", "amount": {"amount": 100}, "at": day}
    import_ = bring(trial, "operations", OPERATIONS + line(unknown)).json()["id"]
    values = {"id": import_, "drift": "unknown_operation.999999990"}
    used = {"Idempotency-Key": fresh()}
    enter(trial, values, values["drift"], "note", headers=used)
    ask = lambda *expected, **more: trial.ask("enterDrift", *expected, values=values, **more)
    body = portal.body_of("enterDrift")
    ask(400, "idempotency_key_missing", body=body, headers={"Idempotency-Key": None})
    ask(400, "idempotency_key_invalid", body=body, headers={"Idempotency-Key": "two words"})
    ask(422, "idempotency_key_reused", body=body | {"reason": "autre"}, headers=used)
    plans.bodies(ask, body)
    for value, is_within, what in limits.variations(trial.contract, "NewEntry", body):
        answer = ask(None, body=value)
        if (answer.status in (200, 409)) != is_within:
            trial.failures.append(f"enterDrift: {what} is {'refused' if is_within else 'taken'}: {answer.body}")


def journal(trial, day):
    # In the evening it is the next day already where the merchant is.
    until = datetime.date.fromisoformat(day) + datetime.timedelta(days=1)
    table = trial.ask("exportJournal", 200, query=f"from={day}&until={until}&merchant=ecole").body.decode()
    kinds = {line.split(",")[1] for line in table.splitlines()[1:]}
    if kinds != {"capture", "settlement", "chargeback", "fees", "note"} or not table.startswith("at,entry,order,"):
        trial.failures.append(f"exportJournal: {table}")
    for query in ("", f"from={day}", f"until={day}", f"from={day}&until=2026-02-30", f"from={day}&until=2001-01-01",
                  "from=2026-01-01&until=2026-04-03", f"from={day}&until={day}&colour=blue"):
        trial.ask("exportJournal", 400, "malformed_request", query=query)
    trial.ask("exportJournal", 200, query="from=2026-01-01&until=2026-04-02")
    trial.ask("exportJournal", 404, "not_found", query=f"from={day}&until={day}&merchant=annexe")
