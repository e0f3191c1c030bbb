#!/usr/bin/env bash
# The demo: COMMAND, and what everything is kept in, sqlite or redis.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/need.sh
command=$1 store=${2:-sqlite}
if [ "$store" = redis ]; then
    # What two gateways share.
    need redis-server redis-server
fi
cargo build --workspace --bins --locked --quiet
exec "${CARGO_TARGET_DIR:-target}/debug/guichet-demo" "$command" --store "$store"
