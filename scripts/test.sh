#!/usr/bin/env bash
# Every test, in stages. Installs nothing that is there, and says clearly what it cannot install.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/stages.sh
. scripts/need.sh

tests() {
    # What tests/chaos traces the gateway with.
    need strace strace
    # What tests/store_contract keeps a store on.
    need redis-server redis-server
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace --locked --no-fail-fast --status-level fail --final-status-level slow
    else
        cargo test --workspace --locked --no-fail-fast --quiet
    fi
}

stage "build" cargo build --workspace --all-targets --locked --quiet
stage "tests" tests
stage "contract" scripts/test-contract.sh
stage "integration" scripts/test-integration.sh
stage "image" scripts/check-image.sh
stage "journey" target/debug/guichet-demo headless
stage "journey on redis" target/debug/guichet-demo headless --store redis
stage "browser" scripts/test-browser.sh
stages_summary
