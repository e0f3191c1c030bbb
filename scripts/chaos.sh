#!/usr/bin/env bash
# Kills, cuts off, traces and starves the real gateway (tests/chaos). KILLS: how often it is killed; SEED: what chance does;
# EVERY_BYTES: 1 cuts its wires at each byte, 7 at every seventh.
# The last line is how often, and what was found by the bank's own ledger.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/need.sh
need strace strace
export KILLS=${KILLS:-300} SEED=${SEED:-1} EVERY_BYTES=${EVERY_BYTES:-1} RUST_BACKTRACE=0

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
status=0
cargo test --locked --quiet --test chaos -- --nocapture --test-threads 1 --skip failovers:: --skip shared:: | tee "$lines" || status=$?
# One line of all: each test's own, beginning with the kills.
sed -n 's/^.*\(kills=[0-9]* double=\)/\1/p' "$lines" | tail -1 | tr '\n' ' '
sed -n -e 's/^.*\(cuts=[0-9]* double=\)/\1/p' -e 's/^.*\(power_cuts=\)/\1/p' "$lines" | tr '\n' ' '
printf '\n'
exit "$status"
