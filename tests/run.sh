#!/usr/bin/env bash
# run.sh [--unit | --faults] BUILD - run what was built below BUILD/tests, then (without --unit) the bats
# files of tests/integration and tests/faults, and add the results up: the last line is "N passed, N
# failed"; what failed stands before it, at the end where a cut log still has it. --faults: only those
# of tests/faults, which FAULT_ROUNDS makes longer.
# Tests that need root are counted as failed without it: a green run means all of them ran.
set -u
only=
case ${1:-} in --unit | --faults) only=$1; shift ;; esac
build=${1:-build}
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0 skipped=0
work=$(mktemp -d)
out=$work/out
trap 'rm -rf "$work" ${EXAMPLES_STATE:+"$EXAMPLES_STATE"}' EXIT

# What failed, to be printed at the end; reads its text.
failure() { # name
	{
		echo "FAILED: $1"
		awk -v max=60 'NR <= max; NR > max { last[NR] = $0; delete last[NR - max] } END {
			if (NR > 2 * max) print "..."
			for (i = max + 1; i <= NR; i++) if (i in last) print last[i]
		}'
	} >>"$work/failures"
}

unit() { # binary
	local checks failures errors
	CK_DEFAULT_TIMEOUT=${CK_DEFAULT_TIMEOUT:-20} timeout 300 "$1" >"$out" 2>&1
	local status=$?
	# "100%: Checks: 12, Failures: 0, Errors: 0"
	read -r checks failures errors < <(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$out" |
		awk '{ c += $1; f += $2; e += $3 } END { print c + 0, f + 0, e + 0 }')
	if [ "$checks" = 0 ] || { [ $status != 0 ] && [ $((failures + errors)) = 0 ]; }; then
		failures=$((failures + 1)) checks=$((checks + 1))
	fi
	passed=$((passed + checks - failures - errors)) failed=$((failed + failures + errors))
	printf '%-48s %4d ok %s\n' "${1#"$build"/tests/}" $((checks - failures - errors)) \
		"$([ $((failures + errors)) = 0 ] || echo "$((failures + errors)) FAILED (exit $status)")"
	[ $((failures + errors)) = 0 ] || failure "$1" <"$out"
}

# Each file has a network and mount namespace, a state and a run folder of its own, so that files can
# run side by side: TEST_JOBS at a time, the longest ones first.
in_own_world() { # bats options and file
	timeout "${BATS_TIMEOUT:-900}" unshare --net --mount sh -c 'ip link set lo up; exec bats --tap "$@"' sh "$@" </dev/null 2>&1
}

bats_one() { # file
	local name
	name=$(basename "$1")
	in_own_world "$1" >"$work/$name.out"
	echo $? >"$work/$name.status"
}

# A test that failed beside others is run once more, alone: the number of those that fail again. One that
# does not is named at the end all the same.
again() { # file
	local name still=0
	while read -r name; do
		if in_own_world --filter "^$(sed 's/[][\\.*^$+?(){}|]/\\&/g' <<<"$name")\$" "$1" >"$work/again.out" && grep -q '^ok 1 ' "$work/again.out"; then
			echo "UNSTEADY: $1: '$name' failed beside others and passed alone" >>"$work/failures"
		else
			still=$((still + 1))
		fi
	done < <(sed -n 's/^not ok [0-9]* //p' "$work/$(basename "$1").out")
	return $still
}

bats_files() { # file...
	local t
	for t in "$@"; do
		while [ "$(jobs -rp | wc -l)" -ge "${TEST_JOBS:-$(nproc)}" ]; do wait -n; done
		bats_one "$t" &
	done
	wait
	for t in "$@"; do bats_result "$t"; done
}

bats_result() { # file
	local ok not skip status out shown=
	out=$work/$(basename "$1").out
	status=$(cat "$work/$(basename "$1").status")
	skip=$(grep -c '^ok .* # skip' "$out")
	ok=$(($(grep -c '^ok ' "$out") - skip))
	not=$(grep -c '^not ok ' "$out")
	if [ "$status" = 1 ] && [ "$not" != 0 ]; then
		shown=$not
		again "$1"
		not=$?
		ok=$((ok + shown - not))
	elif [ "$status" != 0 ] && [ "$not" = 0 ]; then
		not=1
	fi
	passed=$((passed + ok)) failed=$((failed + not)) skipped=$((skipped + skip))
	printf '%-48s %4d ok %s%s\n' "${1#tests/}" "$ok" \
		"$([ "$skip" = 0 ] || echo "$skip skipped ")" "$([ "$not" = 0 ] || echo "$not FAILED")"
	[ "$not$shown" = 0 ] || {
		awk '/^(ok|not ok) /{ bad = /^not/ } bad || !/^(ok|#|1\.\.)/' "$out"
		[ "$status" -lt 2 ] || echo "bats ended with $status; the last line: $(tail -n 1 "$out")"
	} | failure "$1"
	[ "$skip" = 0 ] || grep '# skip' "$out"
}

# The corpus of compose files, where it is at hand; see docs/CONFORMANCE.md.
conformance() {
	local corpus=${CONFORMANCE:-../shared/conformance} ok not unlisted
	if [ ! -e "$corpus/conform.py" ]; then
		skipped=$((skipped + 1))
		printf '%-48s skipped: no corpus, see docs/CONFORMANCE.md\n' conformance
		return
	fi
	python3 "$corpus/conform.py" "$corpus/public" -- "$PWD/$build/ctrcompose" >"$out" 2>&1
	ok=$(sed -n 's/^\([0-9]*\) passed, [0-9]* failed$/\1/p' "$out")
	unlisted=$(sed -n 's/^FAIL \([^ ]*\) .*/\1/p' "$out" | sort | diff - <(sort tests/conformance/known))
	not=0
	[ -n "$ok" ] && [ -z "$unlisted" ] || not=1
	passed=$((passed + ${ok:-0})) failed=$((failed + not))
	printf '%-48s %4d ok %s\n' conformance "${ok:-0}" "$([ $not = 0 ] || echo FAILED)"
	[ $not = 0 ] || { echo "$unlisted" && tail -30 "$out"; } | failure conformance
	tests/conformance/fixpoint.py "$corpus/public" "$build/ctrcompose" >"$out" 2>&1
	read -r ok not < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$out")
	passed=$((passed + ${ok:-0})) failed=$((failed + ${not:-1}))
	printf '%-48s %4d ok %s\n' fixpoint "${ok:-0}" "$([ "${not:-1}" = 0 ] || echo FAILED)"
	[ "${not:-1}" = 0 ] || failure fixpoint <"$out"
}

# What integration tests need from the package mirror, fetched while there is a network: each of them
# has a network namespace of its own.
packages() {
	export WEBSTACK_LOG=$work/webstack.log
	examples/webstack/make-image.sh >"$WEBSTACK_LOG" 2>&1 || tail -3 "$WEBSTACK_LOG"
	export EXAMPLES_STATE EXAMPLES_LOG=$work/examples.log
	EXAMPLES_STATE=$(mktemp -d /var/tmp/ctrcompose-test.XXXXXX)
	CTRCOMPOSE_STATE=$EXAMPLES_STATE CTRCOMPOSE_RUN=$work/run tests/tools/build-examples.sh "$CTRCOMPOSE" >"$EXAMPLES_LOG" 2>&1 ||
		tail -3 "$EXAMPLES_LOG"
}

[ "$only" = --faults ] || for t in "$build"/tests/*_test; do [ -x "$t" ] && unit "$t"; done
export CTRCOMPOSE=$PWD/$build/ctrcompose
if [ "$only" = --faults ]; then
	bats_files tests/faults/*.bats
elif [ -z "$only" ]; then
	for t in "$build"/tests/kernel/*_test; do [ -x "$t" ] && unit "$t"; done
	conformance
	packages
	bats_files $(ls -S tests/integration/*.bats tests/faults/*.bats)
fi
[ ! -e "$work/failures" ] || cat "$work/failures"
if [ $skipped = 0 ]; then
	echo "$passed passed, $failed failed"
else
	echo "$passed passed, $failed failed, $skipped skipped"
fi
[ $failed = 0 ]
