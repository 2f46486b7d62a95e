#!/usr/bin/env bash
# net_bench.sh CTRCOMPOSE - endpoints and names beside the bare requests; bytes from container to
# container beside two namespaces on a bridge, and through a published port beside one bare DNAT rule.
# Aims: endpoint at most 2 x bare; name < 55 us, >= 100,000/s; port >= 0.9 x DNAT; containers as bare.
# Everything happens in a network namespace made for it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.bash"
ctrcompose=$(realpath "${1:-build/ctrcompose}")
own_network "$0" "$ctrcompose"
work=$(mktemp -d /dev/shm/ctrcompose-net.XXXXXX)
chmod 755 "$work"
export CTRCOMPOSE_STATE=$work/state CTRCOMPOSE_RUN=$work/run
names=(lan raw1 raw2)
finish() {
	"$ctrcompose" -f "$work/compose.yaml" down -t 0 >/dev/null 2>&1 || true
	for p in "$work"/pid.*; do kill "$(cat "$p")" 2>/dev/null || true; done
	rm -rf "$work"
}
trap finish EXIT
ROUNDS=${ROUNDS:-5}

lib=$(dirname "$ctrcompose")/libctrcompose.a
# shellcheck disable=SC2046
gcc -O2 -w -D_GNU_SOURCE -I"$here/../../include" -o "$work/net_bench" "$here/net_bench.c" "$lib" $(pkg-config --libs libnl-3.0 libnl-route-3.0) -ldl -lm
gcc -O2 -w -static -o "$work/stream" "$here/stream.c" -lpthread
unshare --net "$work/net_bench" endpoints 100
unshare --net "$work/net_bench" names 50

ns() { nsenter --net --target "$(cat "$work/pid.$1")" "${@:2}"; }
for n in "${names[@]}"; do
	unshare --net sh -c 'ip link set lo up; echo $$ >"$1"; exec sleep 1000' sh "$work/pid.$n" &
	while [ ! -s "$work/pid.$n" ]; do sleep 0.01; done
done
# A bridge and what hangs on it, by hand.
ip link add raw0 type bridge
ip addr add 10.98.0.1/24 dev raw0
ip link set raw0 up
for n in 1 2; do
	ip link add rawv$n master raw0 up type veth peer name eth0 netns "$(cat "$work/pid.raw$n")"
	ns raw$n sh -c "ip addr add 10.98.0.1$n/24 dev eth0; ip link set eth0 up; ip route add default via 10.98.0.1"
done
ip link add lan0 up type veth peer name eth0 netns "$(cat "$work/pid.lan")"
ip addr add 203.0.113.1/24 dev lan0
ns lan sh -c 'ip addr add 203.0.113.9/24 dev eth0; ip link set eth0 up'
sysctl -qw net.ipv4.ip_forward=1

mkdir -p "$work/root/bin" && cp /bin/busybox "$work/stream" "$work/root/bin/"
"$ctrcompose" image import --change 'CMD ["/bin/stream","serve","5001"]' "$work/root" stream >/dev/null
cat >"$work/compose.yaml" <<-Y
	services:
	  a: { image: stream, ports: ["15001:5001"], networks: { default: { ipv4_address: 10.97.0.11 } } }
	  b: { image: stream, networks: { default: { ipv4_address: 10.97.0.12 } } }
	networks: { default: { ipam: { config: [{ subnet: 10.97.0.0/24 }] } } }
Y
"$ctrcompose" -f "$work/compose.yaml" up -d >/dev/null 2>&1
nsenter --net --target "$(cat "$work/pid.raw1")" "$work/stream" serve 5001 &
echo $! >"$work/pid.server"
sleep 0.5
b=$("$ctrcompose" -f "$work/compose.yaml" ps -q b | xargs "$ctrcompose" -f "$work/compose.yaml" inspect | jq -r '.[0].State.Pid')

beside() { # WHAT: ours from one file, bare from the other
	awk -v w="$1" -v a="$(median <"$work/ours")" -v b="$(median <"$work/bare")" 'BEGIN {
		printf "%-24s %8.2f GB/s  bare %14.2f GB/s    ratio %.2f\n", w, a, b, a / b }'
}
: >"$work/ours" >"$work/bare"
for _ in $(seq "$ROUNDS"); do
	ns raw2 "$work/stream" send 10.98.0.11 5001 1 >>"$work/bare"
	nsenter --net --target "$b" "$work/stream" send 10.97.0.11 5001 1 >>"$work/ours"
done
beside "container to container"
: >"$work/ours" >"$work/bare"
iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 15002 -j DNAT --to-destination 10.98.0.11:5001
for _ in $(seq "$ROUNDS"); do
	ns lan "$work/stream" send 203.0.113.1 15002 1 >>"$work/bare"
	ns lan "$work/stream" send 203.0.113.1 15001 1 >>"$work/ours"
done
beside "published port"
