"""Every operation while the store cannot be read: 503, and nothing else."""

import payer
import portal


def run(trial):
    id = portal.place(trial)["id"]
    token = payer.token(portal.issue(trial, id))
    trial.bench.spoil_store()
    values = {"id": id, "token": token, "outcome": "accepted", "merchant": "ecole", "number": 2,
              "run": portal.UNKNOWN_RUN, "remittance": "117", "drift": "fees_not_booked.117", "reference": "E2026001"}
    for operation in trial.places:
        more = {"query": "x=1"} if operation == "notifiedByQuery" else {}
        body = b"x=1" if operation == "notifiedByBody" else portal.body_of(operation)
        trial.ask(operation, 503, values=values, body=body, **more)
