"""Time put forward, and every way in which the API refuses it."""

import datetime

from documents import edited

FAR = datetime.timedelta(days=60)


def run(trial):
    forms(trial)
    time = trial.ask("showTestClock", 200).json()
    now = datetime.datetime.fromisoformat(time["now"])
    to = {"now": (now + FAR).strftime("%Y-%m-%dT%H:%M:%SZ")}
    # Whoever asks twice is answered twice.
    for _ in range(2):
        moved = trial.ask("moveTestClock", 200, body=to).json()
        if moved["now"][:19] < to["now"][:19] or moved["sandbox"] != "none":
            trial.failures.append(f"moveTestClock: asked for {to}, got {moved}")
    trial.ask("showTestClock", 200)
    for past in ("2001-01-01T00:00:00Z", time["now"]):
        trial.ask("moveTestClock", 409, "clock_only_goes_forward", body={"now": past})


def forms(trial):
    ask = lambda *expected, **more: trial.ask("moveTestClock", *expected, **more)
    body = {"now": "2001-01-01T00:00:00Z"}
    for wrong in (None, 1, "tomorrow", "2027-01-10", "2027-01-10T07:00:00+01:00", "2027-02-30T07:00:00Z",
                  "2101-01-01T00:00:00Z"):
        ask(422, "invalid_request", "wrong_type", body=edited(body, "/now", wrong))
    bodies(trial, "moveTestClock", body)


def bodies(trial, operation, body):
    """What every body of an operation that needs no Idempotency-Key is refused for."""
    ask = lambda *expected, **more: trial.ask(operation, *expected, **more)
    ask(400, "malformed_json", body=b"{")
    ask(422, "invalid_request", "missing", body={})
    ask(422, "invalid_request", "unknown_field", body=body | {"colour": "blue"})
    ask(415, "unsupported_media_type", body=body, headers={"Content-Type": "text/plain"})
    ask(413, "too_large", body=b"{" + b" " * 70_000 + b"}")
    ask(408, "too_slow", body=b"{", headers={"Content-Length": "100"})
