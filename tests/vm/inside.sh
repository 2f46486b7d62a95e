#!/usr/bin/env bash
# inside.sh CTRCOMPOSE FILE.bats... - in the virtual machine: run the files and say what came out;
# "N passed, N failed, N skipped" is the last line. FILE:WORDS runs the tests with WORDS in the name.
set -u
tree=/var/tmp/tree build=${1%/*}
export CTRCOMPOSE=$tree/$1 PROBE=$tree/$build/tests/probe RESOLVE=$tree/$build/tests/resolve-musl TMPDIR=/var/tmp
export PATH=$tree/$build:$PATH:/usr/sbin:/sbin
shift
cd "$(dirname "$0")/../.." || exit 1
# Files of the share have no overlay upper and are slow: everything is read and written on the disk.
mkdir -p "$tree" /run
tar -c --exclude=./.git . | tar -x -C "$tree" && cd "$tree" || exit 1
ip link set lo up
echo "# $(uname -r), init $(ps -o comm= -p 1), $(stat -fc %T /sys/fs/cgroup)"
passed=0 failed=0 skipped=0
for f; do
	words=${f#*:}
	[ "$words" = "$f" ] && words=.
	out=$(mktemp)
	timeout 1500 bats --tap --filter "$words" "${f%%:*}" </dev/null 2>&1 | tee "$out" | grep --line-buffered "^ok\|^not ok"
	ok=$(grep -c '^ok ' "$out") not=$(grep -c '^not ok ' "$out") skip=$(grep -c '^ok .* # skip' "$out")
	[ $((ok + not)) -gt 0 ] || not=1
	passed=$((passed + ok - skip)) failed=$((failed + not)) skipped=$((skipped + skip))
	printf '%-32s %3d ok %3d failed %3d skipped\n' "$f" $((ok - skip)) "$not" "$skip"
	[ "$not" = 0 ] || cat "$out"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
