# Sourced by scripts that need programs of Debian's.

# need PROGRAM PACKAGE...: installs the packages where the program is missing.
need() {
    local program=$1
    shift
    if command -v "$program" >/dev/null; then return; fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "$(basename "$0"): $program is missing; as root: apt-get install $*" >&2
        exit 1
    fi
    echo "$(basename "$0"): installing $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
