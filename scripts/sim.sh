#!/usr/bin/env bash
# Lives through simulated worlds (tests/simulation). SEEDS: how many; FIRST_SEED: from which on; SEED: one, with all that
# happens in it. The last line is how many there were, what they violated, and what was seen in them.
set -euo pipefail
cd "$(dirname "$0")/.."
for name in SEEDS FIRST_SEED SEED; do
    if [ -z "${!name:-}" ]; then unset "$name"; fi
done

if [ -n "${SEED:-}" ]; then
    status=0
    RUST_BACKTRACE=0 cargo test --locked --quiet --test simulation -- --nocapture lives_with_even_seeds || status=$?
    printf 'seeds=1 violations=%s seed=%s\n' "$((status != 0))" "$SEED"
    exit "$status"
fi

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
status=0
RUST_BACKTRACE=0 cargo test --locked --quiet --test simulation -- --nocapture --test-threads 2 lives_with |
    tee "$lines" || status=$?
# The parts' lines, added up.
sed -n 's/^.*\(seeds=[0-9]* violations=\)/\1/p' "$lines" | awk '
    {
        for (field = 1; field <= NF; field++) {
            split($field, pair, "=")
            if (!(pair[1] in sum)) order[++names] = pair[1]
            sum[pair[1]] += pair[2]
        }
    }
    END {
        for (name = 1; name <= names; name++) printf "%s%s=%d", (name == 1 ? "" : " "), order[name], sum[order[name]]
        printf "\n"
    }'
exit "$status"
