#!/usr/bin/env bash
# The demo portal in a real browser: Debian's Chromium, driven by playwright-core. Installs what is missing, or says what
# it cannot install. Arguments name the cases to run; none means all. Pictures are left in target/browser/.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/need.sh
target=${CARGO_TARGET_DIR:-target}
chromium=${CHROMIUM:-/usr/bin/chromium}

need "$chromium" chromium fonts-dejavu-core
need node nodejs
need npm npm
if ! node -e 'process.exit(Number.parseInt(process.versions.node, 10) < 18 ? 1 : 0)'; then
    echo "test-browser: node $(node --version) is too old; 18 or later is needed" >&2
    exit 1
fi

lock=tests/browser/package-lock.json
if [ ! -e tests/browser/node_modules/.package-lock.json ] || [ "$lock" -nt tests/browser/node_modules/.package-lock.json ]; then
    npm ci --prefix tests/browser --silent --no-fund --no-audit
fi
cargo build --workspace --bins --locked --quiet
node tests/browser/run.mjs "$target/debug/guichet-demo" "$chromium" target/browser "$@"
