"""Every operation of which somebody asks too much."""

import portal

PER_MINUTE = 2


def run(trial):
    for operation, values in portal.WITH_KEY.items():
        key = trial.bench.make_key(*portal.every_scope(), "--merchant", "ecole")
        for left in range(PER_MINUTE, -1, -1):
            expected = (429, "rate_limited") if left == 0 else (None,)
            trial.ask(operation, *expected, values=values, key=key, body=portal.body_of(operation))
