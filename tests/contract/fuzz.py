"""Runs schemathesis on the contract, stateful, against a bench of its own. Says little, unless something fails."""

import os
import pathlib
import subprocess
import sys
import tempfile

from bench import ROOT, Bench, end_tidily, make_keys
from portal import every_scope

HERE = pathlib.Path(__file__).parent


def main():
    end_tidily()
    examples = os.environ.get("GUICHET_FUZZ_EXAMPLES", "8")
    with tempfile.TemporaryDirectory(prefix="guichet-contract-keys-") as folder:
        with Bench(make_keys(folder)) as bench:
            key = bench.make_key(*every_scope(), "--merchant", "ecole")
            command = [
                sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml", "run",
                ROOT / "contracts/openapi.yaml", "--url", f"http://{bench.address}",
                "--max-examples", examples, "--no-color",
                *sys.argv[1:],
            ]
            environment = {**os.environ, "GUICHET_KEY": key, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
            done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
            if done.returncode != 0:
                print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
                return 1
            print(done.stdout[done.stdout.rfind("SUMMARY"):])
            return 0


if __name__ == "__main__":
    sys.exit(main())
