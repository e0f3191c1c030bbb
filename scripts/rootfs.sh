#!/bin/sh
# rootfs.sh BINARY FOLDER: the whole file system of the image: the program, the libraries it is linked to, and nothing
# else: no shell, no package manager, no certificates (the roots are in the program), no time zones (so are they).
set -eu
binary=$1
root=$2

mkdir -p "$root/usr/bin" "$root/etc/guichet" "$root/var/lib/guichet" "$root/tmp"
cp "$binary" "$root/usr/bin/guichet"
# The loader and every library by the path it is looked up by; `ldd` prints `name => path (address)`.
ldd "$binary" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
# What glibc loads by name to look up hosts.
for library in $(ldd "$binary" | sed -n 's/.*=> \(\/[^ ]*\)\/libc\.so\.6 .*/\1/p'); do
    for name in libnss_dns.so.2 libnss_files.so.2 libresolv.so.2; do
        if [ -e "$library/$name" ]; then cp -L "$library/$name" "$root$library/$name"; fi
    done
done
printf 'guichet:x:65532:65532:guichet:/var/lib/guichet:/nonexistent\n' > "$root/etc/passwd"
printf 'guichet:x:65532:\n' > "$root/etc/group"
printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
chmod 755 "$root"
chmod 1777 "$root/tmp"
