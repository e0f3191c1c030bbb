"""A store that lags what has left."""

import json
import sqlite3

import payer
import portal
import test_clock

ORDER = "01980000000070008000000000000001"


def run(trial):
    body = portal.body_of("endReconciliation")
    test_clock.bodies(trial, "endReconciliation", body)
    trial.ask("endReconciliation", 422, "invalid_request", "blank", body={"reason": " "})
    trial.ask("endReconciliation", 422, "invalid_request", "wrong_type", body=body | {"without": "gateway-2"})
    state(trial, "none")
    trial.ask("endReconciliation", 409, "not_reconciling", body=body)

    portal.place(trial)
    trial.bench.ask_sandbox("POST", "/faults", {"target": "direct", "host": "both", "action": "dead"})
    trial.bench.restart_after(forget)
    found = state(trial, "asking")
    if found["calls"][0]["finding"] is not None or not found["debits_frozen"]:
        trial.failures.append(f"showReconciliation: {found}")
    trial.ask("endReconciliation", 409, "still_asking", body=body)
    trial.bench.ask_sandbox("DELETE", "/faults")
    payer.until("asked", lambda: shown(trial)["state"] == "asked")
    if shown(trial)["calls"][0]["finding"] != "nothing":
        trial.failures.append(f"showReconciliation: {shown(trial)}")
    missing = trial.ask("endReconciliation", 409, "instances_missing", body=body).json()["missing_instances"]
    if missing != ["gateway-2"] or shown(trial)["missing_instances"] != missing:
        trial.failures.append(f"endReconciliation: {missing} are missing")
    unknown = body | {"without": ["gateway-2", "gateway-7"]}
    trial.ask("endReconciliation", 422, "invalid_request", "unknown", body=unknown)
    ended = trial.ask("endReconciliation", 200, body=body | {"without": missing}).json()
    if ended["ended_without"] != missing:
        trial.failures.append(f"endReconciliation: {ended}")
    if ended["debits_frozen"] or shown(trial) != ended:
        trial.failures.append(f"endReconciliation: {ended}")


def forget(folder):
    """Has the journal tell of a call, and of an event, that the store knows nothing of."""
    with open(folder / "guichet.db.journal") as file:
        line = json.loads(file.readline())
    line["mark"]["position"] += 1_000
    line["call"] = {
        "merchant": "ecole", "order": "ord_" + ORDER, "debit": 2, "attempt": 1, "call": "debit",
        "subscriber": f"ECO-{ORDER}-s1", "amount": {"amount": 20_038, "currency": "EUR"},
        "reference": f"ECO-{ORDER}-2-d1", "archive": "H142H5WGGRKW",
        "sending": {"at": "2026-11-10T06:00:00Z", "question": 7, "host": "main"},
    }
    with open(folder / "guichet.db.journal", "a") as file:
        file.write(json.dumps(line) + "\n")
    # A gateway that met another store, as one on Redis would be known.
    with sqlite3.connect(folder / "guichet.db") as store:
        state = json.dumps({"name": "gateway-2", "store": "another", "met_at": "2026-11-10T06:00:00Z"})
        store.execute("INSERT INTO aggregate (merchant, kind, id, version, state) VALUES ('', 'instance', 'gateway-2', 1, ?)",
                      [state])
    store.close()


def shown(trial):
    return trial.ask("showReconciliation", 200).json()


def state(trial, expected):
    found = shown(trial)
    if found["state"] != expected:
        trial.failures.append(f"showReconciliation: {found} is not {expected}")
    return found
