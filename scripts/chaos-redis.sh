#!/usr/bin/env bash
# Fails the Redis server of several real gateways again and again while they debit (tests/chaos). FAILOVERS: how often;
# DEBITS: how many fall due. The last line is what was found by the bank's own ledger.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/need.sh
need redis-server redis-server
export FAILOVERS=${FAILOVERS:-200} DEBITS=${DEBITS:-1000} RUST_BACKTRACE=0

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
status=0
cargo test --locked --quiet --test chaos -- --nocapture --test-threads 1 failovers:: shared:: | tee "$lines" || status=$?
sed -n 's/^.*\(failovers=[0-9]* debits=\)/\1/p' "$lines" | tail -1
exit "$status"
