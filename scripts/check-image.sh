#!/usr/bin/env bash
# The Dockerfile's steps without Docker: the file system that it makes runs the program, as nobody in particular, and
# holds nothing else. With a configuration at its place and the Dockerfile's own variables, the program serves.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
root=$(mktemp -d)
server=
# Only what was started here is ended.
finish() {
    if [ -n "$server" ]; then kill -s KILL "$server" 2>/dev/null || true; fi
    rm -rf "$root" "$root.ready"
}
trap finish EXIT

fail() {
    echo "$1" >&2
    exit 1
}

own_store='chown -R 65532:65532 /rootfs/var/lib/guichet'
for line in 'FROM scratch' 'USER 65532:65532' 'ENTRYPOINT ["/usr/bin/guichet"]' 'CMD ["serve"]'; do
    grep -qxF "$line" Dockerfile || fail "the Dockerfile lacks: $line"
done
grep -qF "$own_store" Dockerfile || fail "the Dockerfile lacks: $own_store"
mapfile -t image_env < <(sed -n 's/^ENV //p' Dockerfile)
for port in $(sed -n 's/^EXPOSE //p' Dockerfile); do
    grep -q "^ENV GUICHET__SERVER__.*=0\.0\.0\.0:$port\$" Dockerfile || fail "nobody listens on the exposed port $port"
done

sh scripts/rootfs.sh "${CARGO_TARGET_DIR:-target}/debug/guichet" "$root"
if [ -e "$root/bin/sh" ] || [ -e "$root/usr/bin/sh" ]; then fail "the image holds a shell"; fi
if [ "$(id -u)" != 0 ]; then
    echo "not root: the file system was made, but not entered"
    exit 0
fi
chown -R 65532:65532 "$root/var/lib/guichet"

# What an operator mounts: read-only for the program, secrets for its eyes only.
mkdir "$root/etc/guichet/keys-example"
cp guichet.example.toml "$root/etc/guichet/guichet.toml"
cp keys-example/hmac.key keys-example/sealing.keys keys-example/paybox-public.pem "$root/etc/guichet/keys-example"
chown root:65532 "$root"/etc/guichet/keys-example/*
chmod 640 "$root"/etc/guichet/keys-example/*

# in_image NAME=VALUE... -- ARGUMENT...: becomes the image's program with the image's variables and these, and no others.
in_image() {
    local variables=()
    while [ "$1" != -- ]; do variables+=("$1"); shift; done
    shift
    exec env -i "${image_env[@]}" "${variables[@]}" \
        "$(command -v chroot)" --userspec=65532:65532 "$root" /usr/bin/guichet "$@"
}

public_url=GUICHET__PUBLIC_URL=https://pay.example.org
(in_image -- --version)
checked=$( (in_image "$public_url" -- check-config) 2>&1) || fail "check-config in the image: $checked"
if checked=$( (in_image -- check-config) 2>&1); then fail "the image listens everywhere without a public_url"; fi
[[ $checked == public_url:* ]] || fail "without a public_url: $checked"

# The same, on free ports of this machine: the image's own may be in use here.
ports=(GUICHET__SERVER__LISTEN=127.0.0.1:0 GUICHET__SERVER__OPS_LISTEN=127.0.0.1:0)
mkfifo "$root.ready"
in_image "$public_url" "${ports[@]}" -- serve >"$root.ready" 2>"$root/tmp/log" &
server=$!
ready=
read -r -t 30 ready <"$root.ready" || true
[[ $ready == *'"listen":"http://127.0.0.1:'* ]] || fail "serve in the image: $ready$(cat "$root/tmp/log")"
owner=$(stat -c %u:%g "$root/var/lib/guichet/guichet.db")
[ "$owner" = 65532:65532 ] || fail "the store belongs to $owner"
kill -s TERM "$server"
code=0
wait "$server" || code=$?
server=
[ "$code" = 0 ] || fail "serve in the image ended with $code: $(cat "$root/tmp/log")"
echo "the image serves, and stops when it is told to"
