#!/bin/sh
# install.sh [--if-missing] - install the Debian packages of debian.txt. With --if-missing, do
# nothing (and need no network) when each of them is there already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
packages=$(awk '!/^#/ && NF { print $1 }' "$here/debian.txt")
missing=
for p in $packages; do
	dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
if [ -z "$missing" ]; then
	[ "${1:-}" = --if-missing ] || echo "all packages are installed"
	exit 0
fi
echo "installing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
