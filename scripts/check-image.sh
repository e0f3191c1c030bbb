#!/usr/bin/env bash
# The Dockerfile's steps without Docker: the file system that it makes runs the program, as nobody in particular, and
# holds nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

sh scripts/rootfs.sh target/debug/guichet "$root"
if [ -e "$root/bin/sh" ] || [ -e "$root/usr/bin/sh" ]; then
    echo "the image holds a shell" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    chroot --userspec=65532:65532 "$root" /usr/bin/guichet --version
else
    echo "not root: the file system was made, but not entered"
fi
for line in 'FROM scratch' 'USER 65532:65532' 'ENTRYPOINT ["/usr/bin/guichet"]'; do
    grep -qxF "$line" Dockerfile || { echo "the Dockerfile lacks: $line" >&2; exit 1; }
done
