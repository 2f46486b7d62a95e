# lib.bash - what the benchmarks share.

# own_network SCRIPT ARG...: goes on in a network namespace of its own.
own_network() {
	[ "${BENCH_INSIDE:-}" = "$1" ] ||
		exec env BENCH_INSIDE="$1" unshare --net sh -c 'ip link set lo up; exec "$@"' sh "$@"
}

# The middle one of the numbers on standard input, one per line.
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# time_ms RUNS COMMAND...: the median of that many runs in milliseconds; its output is dropped.
time_ms() {
	local runs=$1 t0
	shift
	for _ in $(seq "$runs"); do
		t0=${EPOCHREALTIME/./}
		"$@" >/dev/null 2>&1
		echo $((${EPOCHREALTIME/./} - t0))
	done | median | awk '{ printf "%.1f", $1 / 1000 }'
}
