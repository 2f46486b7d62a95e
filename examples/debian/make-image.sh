#!/usr/bin/env bash
# make-image.sh [CTRCOMPOSE [REF [PACKAGE,...]]] - an image of Debian and its packages, REF (debian:bookworm).
# The root file system is kept in /var/cache/ctrcompose, so only the first run takes its time (and
# needs a Debian mirror). Without CTRCOMPOSE, only the root file system is made; its path is printed.
set -euo pipefail
ctrcompose=${1:-} ref=${2:-debian:bookworm} packages=${3:-ca-certificates}
suite=bookworm
cache=${CTRCOMPOSE_CACHE:-/var/cache/ctrcompose}
tar=$cache/debian-$suite-$(printf %s "$packages" | sha256sum | cut -c1-12).tar

mkdir -p -m 700 "$cache"
exec 9>"$cache/lock"
flock 9
if [ ! -s "$tar" ]; then
	command -v mmdebstrap >/dev/null || { echo "make-image.sh: mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 1; }
	rm -f "$tar.part"
	# The options stay in the image: what Dockerfiles install on top of it comes without manuals as well.
	mmdebstrap --quiet --format=tar --variant=minbase --include="$packages" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='force-unsafe-io' \
		"$suite" "$tar.part"
	mv "$tar.part" "$tar"
fi
if [ -n "$ctrcompose" ]; then
	"$ctrcompose" image import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
		--change 'CMD ["bash"]' "$tar" "$ref"
else
	echo "$tar"
fi
