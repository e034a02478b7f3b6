#!/bin/bash
# collect.sh INSTALLED IMAGE MINIMAL: makes of what `make install` put below INSTALLED what the two
# images add: IMAGE to Debian, MINIMAL to nothing. All times are those of 1970, so that the same
# sources make the same layers.
set -euo pipefail
installed=$1 image=$2 minimal=$3
program=$installed/usr/local/bin/lagoon

strip --strip-debug "$program"

# The program, what it runs when nothing is mounted, and who it is.
for root in "$image" "$minimal"; do
    install -D -m 755 "$program" "$root/usr/local/bin/lagoon"
    install -D -m 644 config.lua "$root/etc/lagoon/config.lua"
    cp -r --no-preserve=mode,ownership scripts "$root/scripts"
    install -D -m 644 LICENSE "$root/usr/local/share/lagoon/LICENSE"
done

# Whoever extends the image has the annotations for an editor too, and the list of the packages.
cp -r --no-preserve=ownership "$installed/usr/local/share/lagoon" "$image/usr/local/share"
needed=$(objdump -p "$program" | awk '$1 == "NEEDED" { print $2 }')
ldd "$program" | awk '$2 == "=>" { print $1, $3 }' | while read -r name path; do
    if grep -qxF "$name" <<< "$needed"; then realpath "$path"; fi
done | xargs dpkg-query -S | sed 's/:.*//' | sort -u > "$image/usr/local/share/lagoon/packages"
echo ca-certificates >> "$image/usr/local/share/lagoon/packages"

# The minimal one has the libraries themselves, all that they load, and the loader.
ldd "$program" | grep -o '/[^ ]*' | while read -r path; do
    install -D -m 755 "$path" "$minimal/$path"
done
install -D -m 644 /etc/ssl/certs/ca-certificates.crt \
    "$minimal/etc/ssl/certs/ca-certificates.crt"
echo 'root:x:0:0::/:/nonexistent
lagoon:x:10001:10001::/nonexistent:/nonexistent' > "$minimal/etc/passwd"
echo 'root:x:0:
lagoon:x:10001:' > "$minimal/etc/group"
install -d -m 1777 "$minimal/tmp"

find "$image" "$minimal" -exec touch -h -d @0 {} +
