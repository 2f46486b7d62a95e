#!/usr/bin/env bash
# demo.sh CTRCOMPOSE - the example stack up, shown answering, and down again, in a state folder of
# its own: nothing is left behind.
set -euo pipefail
ctrcompose=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "demo.sh: run it as root: containers need namespaces, mounts and networks" >&2; exit 1; }

export CTRCOMPOSE_STATE CTRCOMPOSE_RUN
CTRCOMPOSE_STATE=$(mktemp -d "${TMPDIR:-/var/tmp}/ctrcompose-demo.XXXXXX")
CTRCOMPOSE_RUN=$(mktemp -d /run/ctrcompose-demo.XXXXXX)
cd "$here"

show() { printf '\n$ %s\n' "$*"; "$@"; }
compose() { printf '\n$ ctrcompose %s\n' "$*"; "$ctrcompose" "$@"; }
finish() {
	"$ctrcompose" down -v --remove-orphans -t 2 >/dev/null 2>&1 || true
	rm -rf "$CTRCOMPOSE_STATE" "$CTRCOMPOSE_RUN"
}
trap finish EXIT

echo "== an image from the static busybox"
./make-image.sh "$ctrcompose"
compose image ls
echo
echo "== up: the store, then the application once the store is healthy, then the front"
compose up -d --wait
compose ps
echo
echo "== the front answers through its published port, the services find each other by name"
address=$("$ctrcompose" port web 80)
show curl -sS --max-time 10 "http://$address/cgi-bin/front"
compose exec -T web nslookup app
compose exec -T worker wget -q -O - http://store/cgi-bin/store
sleep 1
compose logs --tail 3 worker store
compose run --rm -T -v data:/seen worker ls -l /seen
echo
echo "== down: containers, networks and the volume go"
compose down -v
left=$("$ctrcompose" ls -a -q)
[ -z "$left" ] || { echo "still there: $left" >&2; exit 1; }
echo
echo "demo: all well"
