#!/usr/bin/env bats
# leak.bats - many services come and go below one supervisor: what it holds at the end is what it held.

load ../integration/lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }
CYCLES=$(((${FAULT_ROUNDS:-4} + 1) / 2))

# What a project that is up has of the machine, in numbers.
held() {
	local sup keep
	sup=$(family ctrcompose-sup) keep=$(family ctrcompose-keep)
	echo "descriptors $(ls "/proc/$sup/fd" | wc -l) $(ls "/proc/$keep/fd" | wc -l)"
	echo "mounts $(wc -l <"/proc/$sup/mountinfo") $(wc -l </proc/self/mountinfo)"
	echo "namespaces $(for p in $(sort -u /sys/fs/cgroup/*/"ctrcompose-$(run_hash)"/*/*/cgroup.procs /sys/fs/cgroup/"ctrcompose-$(run_hash)"/*/*/cgroup.procs 2>/dev/null); do
		readlink /proc/$p/ns/net /proc/$p/ns/mnt /proc/$p/ns/user
	done | sort -u | wc -l)"
	echo "links $(ip -o link | wc -l)"
	echo "rules $(iptables-save | grep -c '^-A' || true)"
	echo "groups $(find /sys/fs/cgroup -path "*ctrcompose-$(run_hash)*" -type d 2>/dev/null | wc -l)"
	echo "files $(find "$CTRCOMPOSE_RUN" "$CTRCOMPOSE_STATE"/containers "$CTRCOMPOSE_STATE"/projects ! -name events.1 | wc -l)"
}
# Its own pages: what is shared counts less the more processes there are.
memory() { awk '/^Anonymous:/ { print $2 }' "/proc/$(family ctrcompose-sup)/smaps_rollup"; }
same() {
	held >after
	cmp -s before after
}

@test "cycles of fifty services: descriptors, mounts, namespaces, rules and memory stay" {
	cat >compose.yaml <<-'Y'
		services:
		  stays: { image: box, init: true }
		  comes: { image: box, stop_signal: SIGKILL, scale: 0, volumes: ["/anonymous"], ports: ["80"] }
	Y
	compose --progress quiet up -d
	compose --progress quiet up -d --scale comes=50 # what is made once, and kept, is there from now on
	compose --progress quiet up -d --scale comes=0
	sleep 1
	held >before
	first=$(memory)
	for i in $(seq "$CYCLES"); do
		compose up -d --scale comes=50 >/dev/null 2>&1 || return 1
		compose up -d --scale comes=0 >/dev/null 2>&1
	done
	eventually 30 same || diff before after
	echo "memory: $first kB, then $(memory) kB"
	[ "$(memory)" -le $((first + first / 4 + 200)) ]
}
