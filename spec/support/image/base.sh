#!/bin/bash
# base.sh NAME: an image of Debian 13 by that name, from the mirror that this machine's apt uses.
# Does nothing when it is there.
set -euo pipefail
name=$1
if podman image exists "$name"; then exit; fi

mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
[ -n "$mirror" ] || { echo "base.sh: apt knows no mirror of Debian; run apt-get update" >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 755 "$root"
debootstrap --variant=minbase trixie "$root" "$mirror"
rm -f "$root"/var/cache/apt/archives/*.deb
tar -C "$root" -c . | podman import - "$name"
