#!/usr/bin/env bash
# Holds the built gateway against contracts/openapi.yaml: every documented kind of answer first, then schemathesis.
# What it installs goes into target/contract-venv, never elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=tests/contract/requirements.txt
target=${CARGO_TARGET_DIR:-target}
venv=$target/contract-venv

give_up() {
    printf 'test-contract: %s\n' "$1" >&2
    exit 1
}

# Debian has venv in a package of its own, and says so only when one is made.
install_venv() {
    if python3 -c 'import venv, ensurepip' 2>/dev/null; then
        return
    fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        give_up "Python's venv is missing. On Debian: apt-get install python3-venv"
    fi
    printf 'installing python3-venv\n'
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; } \
        >/dev/null || give_up "python3-venv cannot be installed"
}

# Made anew when the requirements have changed.
make_venv() {
    if cmp -s "$requirements" "$venv/installed.txt"; then
        return
    fi
    rm -rf "$venv"
    python3 -m venv "$venv" || give_up "no virtual environment can be made in $venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-input --require-virtualenv -r "$requirements" ||
        give_up "the packages of $requirements cannot be installed; is the package index reachable?"
    cp "$requirements" "$venv/installed.txt"
}

for binary in guichet guichet-sandbox; do
    [ -x "$target/debug/$binary" ] || give_up "$target/debug/$binary is missing: cargo build --workspace --bins"
done
install_venv
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || give_up "Python 3.11 or later is needed"
make_venv
export PYTHONDONTWRITEBYTECODE=1
"$venv/bin/python" tests/contract/answers.py
"$venv/bin/python" tests/contract/fuzz.py
