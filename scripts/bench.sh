#!/usr/bin/env bash
# How fast the real gateway is, as ratios within one run (tests/performance): two stores, several gateways, large and small
# stores, forged and genuine notifications. The last line is all ratios; what they mean is in docs/PERFORMANCE.md.
# ONLY: a part of it, such as reads.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/need.sh
need redis-server redis-server
export BENCH=1 RUST_BACKTRACE=0

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
status=0
cargo test --locked --quiet --test performance -- --nocapture --test-threads 1 ${ONLY:+"$ONLY"} | tee "$lines" || status=$?
printf 'bench'
sed -n 's/^.*ratio \([a-z_]*=[0-9.]*\) .*$/\1/p' "$lines" | while read -r ratio; do printf ' %s' "$ratio"; done
printf '\n'
exit "$status"
