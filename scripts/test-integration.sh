#!/usr/bin/env bash
# The quick start for portals, run as it is written against the demo, and its webhooks verified in every language that it
# shows. Installs what is missing, or says what it cannot install.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/need.sh
target=${CARGO_TARGET_DIR:-target}

need curl curl ca-certificates
need python3 python3
need node nodejs
need php php-cli
cargo build --workspace --bins --locked --quiet
python3 tests/integration/quick_start.py "$target/debug/guichet-demo"
