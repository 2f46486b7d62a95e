#!/usr/bin/env bash
# make-image.sh [CTRCOMPOSE] - the image webstack/debian from Debian packages: nginx, PostgreSQL,
# Redis, Python. The root file system is kept in /var/cache/ctrcompose, so only the first run takes
# its time (and needs a Debian mirror). Without CTRCOMPOSE, only the root file system is made.
set -euo pipefail
ctrcompose=${1:-}
suite=bookworm
packages=nginx-light,redis-server,postgresql,python3-redis,python3-psycopg2
cache=${CTRCOMPOSE_CACHE:-/var/cache/ctrcompose}
tar=$cache/webstack-$suite-$(printf %s "$packages" | sha256sum | cut -c1-12).tar

command -v mmdebstrap >/dev/null || { echo "make-image.sh: mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 1; }
mkdir -p -m 700 "$cache"
if [ ! -s "$tar" ]; then
	rm -rf "$tar.part"
	mmdebstrap --quiet --format=tar --variant=minbase --include="$packages" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' "$suite" "$tar.part"
	mv "$tar.part" "$tar"
fi
[ -z "$ctrcompose" ] ||
	"$ctrcompose" image import --change 'ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin' "$tar" webstack/debian
