#!/usr/bin/env bash
# Lives through simulated worlds with the deliberate defects of src/planted.rs, one at a time. LIVES: how many with each, at
# least; its line says in how many of them which invariant caught it. BUG: only this one; with SEED, all that happens in
# that life. The last line is how many were planted, and how many were caught.
set -euo pipefail
cd "$(dirname "$0")/.."
export LIVES=${LIVES:-60} RUST_BACKTRACE=0
for name in BUG SEED; do
    if [ -z "${!name:-}" ]; then unset "$name"; fi
done

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
status=0
cargo test --locked --quiet --test simulation -- --nocapture every_planted_bug_is_caught | tee "$lines" || status=$?
sed -n 's/^.*\(planted=[0-9]* caught=\)/\1/p' "$lines" | tail -1
exit "$status"
