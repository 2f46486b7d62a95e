#!/usr/bin/env bash
# bench.sh CTRCOMPOSE - `up -d` and `down` of 1, 10 and 50 identical services beside the kernel's
# own floor, in one run, on a quiet machine. Medians in milliseconds and the ratio to the floor.
# Everything happens in a network namespace and in folders made for it, on tmpfs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.bash"
ctrcompose=$(realpath "${1:-build/ctrcompose}")
own_network "$0" "$ctrcompose"
work=$(mktemp -d /dev/shm/ctrcompose-bench.XXXXXX)
chmod 755 "$work" # the floor enters it from user namespaces
export CTRCOMPOSE_STATE=$work/state CTRCOMPOSE_RUN=$work/run
trap 'rm -rf "$work"' EXIT
ROUNDS=${ROUNDS:-9}

image() {
	local root=$work/root
	mkdir -p "$root"/{bin,etc,tmp} && chmod 755 "$root"
	cp /bin/busybox "$root/bin/"
	ln -s busybox "$root/bin/sleep"
	"$ctrcompose" image import --change 'CMD ["/bin/sleep","1000"]' --change 'STOPSIGNAL SIGKILL' "$root" bench >/dev/null
}

stack() { # N
	mkdir -p "$work/n$1"
	{
		echo services:
		for i in $(seq "$1"); do echo "  s$i: { image: bench }"; done
	} >"$work/n$1/compose.yaml"
}

measure() { # N
	local up=$work/up.$1 down=$work/down.$1 t0 t1 t2
	: >"$up"; : >"$down"
	for _ in $(seq "$ROUNDS"); do
		t0=${EPOCHREALTIME/./}
		"$ctrcompose" --progress quiet -f "$work/n$1/compose.yaml" up -d >/dev/null 2>&1
		t1=${EPOCHREALTIME/./}
		echo $(((t1 - t0) / 10)) >>"$up"
		[ "$1" != 50 ] || [ -s "$work/pss" ] || memory >"$work/pss"
		t1=${EPOCHREALTIME/./}
		"$ctrcompose" --progress quiet -f "$work/n$1/compose.yaml" down >/dev/null 2>&1
		t2=${EPOCHREALTIME/./}
		echo $(((t2 - t1) / 10)) >>"$down"
	done
}

# Proportional memory of supervisor and keeper, in kB.
memory() {
	local p
	for p in /proc/[0-9]*; do
		case $(cat "$p/comm" 2>/dev/null) in
		ctrcompose-sup | ctrcompose-keep)
			ls -l "$p/fd" 2>/dev/null | grep -F "$work" >/dev/null &&
				printf '%s %s\n' "$(cat "$p/comm")" "$(awk '/^Pss:/ { print $2 }' "$p/smaps_rollup")"
			;;
		esac
	done
}

floor() { # N: "up down" in hundredths of a millisecond
	local r=5
	[ "$1" -gt 10 ] || r=9
	"$work/floor" -n "$1" -V -u -r $r -w "$(nproc)" -B "$work/floor.d" |
		awk '{ for (i = 1; i < NF; i++) { if ($i == "UP") u = $(i + 1); if ($i == "DOWN") d = $(i + 1) } }
			END { printf "%d %d\n", u * 100, d * 100 }'
}

image
gcc -O2 -w -o "$work/floor" "$here/floor/floor.c" -lpthread -lseccomp
printf '%-10s %10s %10s %8s %10s %10s %8s\n' services 'up ms' 'floor ms' ratio 'down ms' 'floor ms' ratio
for n in 1 10 50; do
	stack $n
	measure $n
	read -r fu fd < <(floor $n)
	awk -v n=$n -v u="$(median <"$work/up.$n")" -v d="$(median <"$work/down.$n")" -v fu="$fu" -v fd="$fd" 'BEGIN {
		printf "%-10d %10.1f %10.1f %8.2f %10.1f %10.1f %8.2f\n", n, u/100, fu/100, fu ? u/fu : 0, d/100, fd/100, fd ? d/fd : 0 }'
done
echo "memory with 50 services (PSS, kB):"
sed 's/^/  /' "$work/pss"
for extra in "$here"/*_bench.sh; do [ ! -e "$extra" ] || "$extra" "$ctrcompose"; done
