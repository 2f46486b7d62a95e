# cgroup_parent.bats - containers below a control group of somebody else, on v1, v2 and hybrid hosts.

load lib.bash

setup_file() { world_open; }
teardown_file() { world_close; }
setup() {
	project_open
	PARENT=parent-$(run_hash)-$BATS_TEST_NUMBER
	parents_as_they_are >"$BATS_TEST_TMPDIR/parents" # none: it is this test's own name
}
teardown() {
	project_close
	cmp "$BATS_TEST_TMPDIR/parents" <(parents_as_they_are) || { parents_as_they_are; parent_remove; return 1; }
}

v2() { [ -e /sys/fs/cgroup/cgroup.controllers ]; }
pid_of() { compose inspect "$PROJECT-$1-1" | jq '.[0].State.Pid'; }
hierarchies() {
	local h
	if v2; then echo /sys/fs/cgroup; else for h in /sys/fs/cgroup/*/cgroup.procs; do echo "${h%/*}"; done; fi
}
# The folder in the hierarchy of a controller.
parent_in() { if v2; then echo "/sys/fs/cgroup/$PARENT"; else echo "/sys/fs/cgroup/$1/$PARENT"; fi; }

# All folders of the parent, with what its files say that somebody may have set.
parents_as_they_are() {
	local d
	find /sys/fs/cgroup -type d -path "*/$PARENT*" 2>/dev/null | sort | while read -r d; do
		echo "$d"
		grep -s . "$d"/{pids.max,memory.max,memory.limit_in_bytes,cgroup.subtree_control,devices.list} || true
	done
}
# Somebody's group, in all hierarchies, with a limit and what it hands down.
parent_make() {
	local h
	for h in $(hierarchies); do
		[[ $h == */systemd ]] && continue # of systemd's book, not of ours
		mkdir "$h/$PARENT"
		! v2 || echo "+cpu +memory +pids" >"$h/cgroup.subtree_control"
		! v2 || echo "+cpu +memory +pids" >"$h/$PARENT/cgroup.subtree_control"
	done
	[ ! -e "$(parent_in cpuset)/cpuset.mems" ] || v2 ||
		for h in cpus mems; do cat "/sys/fs/cgroup/cpuset/cpuset.$h" >"$(parent_in cpuset)/cpuset.$h"; done
	parents_as_they_are >"$BATS_TEST_TMPDIR/made"
}
parent_is_as_made() { cmp "$BATS_TEST_TMPDIR/made" <(parents_as_they_are); }
parent_remove() { # and nothing but what the test has made is in there
	find /sys/fs/cgroup -depth -type d -path "*/$PARENT*" -exec rmdir {} \; 2>/dev/null
	[ -z "$(parents_as_they_are)" ]
}
# The groups of a service's container, a line each: PATH
groups_of() { cut -d: -f2- "/proc/$(pid_of "$1")/cgroup" | grep -v '^name=\|^hugetlb\|^net_\|^perf_event\|^rdma\|^misc' | cut -d: -f2-; }
all_below() { # SERVICE PATH
	local at
	at=$(groups_of "$1")
	[ -n "$at" ] && ! grep -vE "^/$2/ctrcompose-$(run_hash)/$PROJECT(\.open)?/" <<<"$at"
}

@test "containers stand below it in all hierarchies; what was made for them is gone after down" {
	cat >compose.yaml <<-E
		services:
		  a: { image: box, cgroup_parent: /$PARENT/x/y, mem_limit: 64m, pids_limit: 20 }
		  b: { image: box, cgroup_parent: $PARENT/x }
		  c: { image: box, cgroup_parent: $PARENT, privileged: true }
		  d: { image: box }
		  e: { image: box, cgroup_parent: "//$PARENT/", cpus: 0.5, devices: [/dev/kmsg] }
	E
	compose up -d
	all_below a "$PARENT/x/y"
	all_below b "$PARENT/x"
	all_below c "$PARENT"
	all_below e "$PARENT"
	[ -z "$(groups_of d | grep "$PARENT")" ]
	# What is done by groups is done there.
	[ "$(compose inspect "$PROJECT-a-1" | jq -r '.[0].HostConfig.CgroupParent')" = "/$PARENT/x/y" ]
	[ "$(compose inspect "$PROJECT-d-1" | jq -r '.[0].HostConfig.CgroupParent')" = "" ]
	compose exec -d a sleep 1234
	[ "$(compose top a | grep -c 'sleep 1')" = 2 ]
	compose stats --no-stream a | grep -q 64M
	compose pause a
	[ "$(compose ps --format '{{.State}}' a)" = paused ]
	compose unpause a
	compose restart -t 0 a
	all_below a "$PARENT/x/y"
	compose kill b
	eventually 20 sh -c "[ \"\$('$CTRCOMPOSE' ps -a --format '{{.State}}' b)\" = exited ]"
	compose up -d --scale e=2
	compose rm -sf b
	[ -z "$(find /sys/fs/cgroup -path "*/$PARENT/x/ctrcompose-*/$PROJECT")" ]
	compose down -t 0
	[ -z "$(parents_as_they_are)" ]
}

@test "limits of the parent bind its containers; it stays as it was" {
	parent_make
	echo 12 >"$(parent_in pids)/pids.max"
	if v2; then echo 24M >"$(parent_in memory)/memory.max"; else echo 24M >"$(parent_in memory)/memory.limit_in_bytes"; fi
	[ ! -e "$(parent_in memory)/memory.swap.max" ] || echo 0 >"$(parent_in memory)/memory.swap.max"
	[ ! -e "$(parent_in memory)/memory.memsw.limit_in_bytes" ] || echo 24M >"$(parent_in memory)/memory.memsw.limit_in_bytes"
	parents_as_they_are >"$BATS_TEST_TMPDIR/made"
	cat >compose.yaml <<-E
		services:
		  a: { image: box, cgroup_parent: /$PARENT }
		  b: { image: box, cgroup_parent: /$PARENT, command: [dd, if=/dev/zero, of=/dev/shm/x, bs=1M, count=60] }
	E
	compose up -d a
	run compose exec -T a sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep 100 & done'
	[[ "$output" == *"can't fork"* ]]
	compose stop -t 0 a
	compose up -d b
	eventually 60 sh -c "'$CTRCOMPOSE' ps -a b | grep -q 'OOM-killed'"
	[ -z "$(compose ps -a b | grep 'of 0')" ]
	compose down -t 0
	parent_is_as_made
	parent_remove
}

@test "another place is another container: the old one is left, the parent as it was" {
	parent_make
	echo "services: { a: { image: box, cgroup_parent: /$PARENT } }" >compose.yaml
	compose up -d
	all_below a "$PARENT"
	id=$(compose ps -q a)
	compose up -d
	[ "$(compose ps -q a)" = "$id" ]
	echo "services: { a: { image: box, cgroup_parent: /$PARENT/in } }" >compose.yaml
	compose up -d
	[ "$(compose ps -q a)" != "$id" ]
	all_below a "$PARENT/in"
	[ -z "$(find /sys/fs/cgroup -path "*/$PARENT/ctrcompose-*")" ]
	id=$(compose ps -q a)
	echo "services: { a: { image: box } }" >compose.yaml
	compose up -d
	[ "$(compose ps -q a)" != "$id" ]
	groups_of a | grep "^/ctrcompose-$(run_hash)/$PROJECT/"
	parent_is_as_made
	parent_remove
}

@test "a new family finds its containers there, and down takes them away without the key in the file" {
	cat >compose.yaml <<-E
		services:
		  a: { image: box, cgroup_parent: /$PARENT/x, command: [sh, -c, "sleep 1111 & exec sleep 2222"] }
		  b: { image: box, cgroup_parent: /$PARENT/x, privileged: true }
	E
	compose up -d
	before=$(pid_of a)
	kill -9 $(family ctrcompose-keep) $(family ctrcompose-sup)
	compose up -d
	[ "$(pid_of a)" = "$before" ]
	compose exec -T a true
	[ "$(compose top a | grep -c 'sleep [12]')" = 2 ]
	compose restart -t 0 b
	all_below b "$PARENT/x"
	kill -9 $(family ctrcompose-keep) $(family ctrcompose-sup)
	kill -9 "$before" # and its end is seen later
	echo "services: { a: { image: box }, b: { image: box } }" >compose.yaml
	compose down -t 0
	[ -z "$(parents_as_they_are)" ]
}

@test "a group that somebody took away while it was empty is made again, with its device rules" {
	cat >compose.yaml <<-E
		services:
		  a: { image: box, cgroup_parent: /$PARENT, userns_mode: host }
	E
	compose up -d
	compose stop -t 0
	parent_remove
	compose start
	all_below a "$PARENT"
	compose exec -T a sh -c 'mknod /dev/nil c 1 3 && echo x >/dev/nil'
	compose exec -T a mknod /dev/kmsg c 1 11
	run compose exec -T a head -c 1 /dev/kmsg
	[[ "$status" != 0 && "$output" == *"Operation not permitted"* ]]
}

@test "two projects share a parent that was made for them: the last one takes it away" {
	echo "services: { a: { image: box, cgroup_parent: /$PARENT/x } }" >compose.yaml
	compose up -d
	compose -p "$PROJECT-other" up -d
	compose down -t 0
	[ -n "$(parents_as_they_are)" ]
	[ "$(compose -p "$PROJECT-other" ps -q | wc -l)" = 1 ]
	compose -p "$PROJECT-other" exec -T a true
	compose -p "$PROJECT-other" down -t 0
	[ -z "$(parents_as_they_are)" ]
}

@test "what is no place is refused by its own" {
	local row name words
	for row in '/a/../b|are no groups' '"a\tb"|control character' 'x/cgroup.procs|as files of' \
		'memory.max|as files of' 'ctrcompose/x|our own groups' '/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q|16 groups'; do
		IFS='|' read -r name words <<<"$row"
		printf 'services:\n  a:\n    image: box\n    cgroup_parent: %s\n' "$name" >compose.yaml
		run compose up -d
		[[ "$status" != 0 && "$output" == *"compose.yaml:4:20: services.a.cgroup_parent: "*"$words"* ]] || { echo "$name: $output"; return 1; }
	done
	# Nothing is no parent, as ${PARENT:-} has it.
	printf 'services: { a: { image: box, cgroup_parent: "" } }\n' >compose.yaml
	compose up -d
	groups_of a | grep "^/ctrcompose-$(run_hash)/$PROJECT/"
}

@test "cgroup v2: a group of others has to hand controllers down, and has no processes then" {
	v2 || skip "no cgroup v2 here"
	parent_make
	echo "-cpu -memory -pids" >"/sys/fs/cgroup/$PARENT/cgroup.subtree_control"
	echo "services: { a: { image: box, cgroup_parent: /$PARENT/x } }" >compose.yaml
	run compose up -d
	[[ "$status" != 0 && "$output" == *"a-1"*"cgroup_parent"*"/$PARENT "*"not ours to change: echo '+cpu +memory +pids' >/sys/fs/cgroup/$PARENT/cgroup.subtree_control"* ]]
	sleep 1000 3>&- &
	echo $! >"/sys/fs/cgroup/$PARENT/cgroup.procs"
	run compose up -d
	kill $!
	wait $! || true
	[[ "$status" != 0 && "$output" == *"/$PARENT has processes of its own"* ]]
	echo "+cpu +memory +pids" >"/sys/fs/cgroup/$PARENT/cgroup.subtree_control"
	compose up -d
	compose down -t 0
	parent_is_as_made
	parent_remove
}

@test "systemd: a slice is systemd's, started when it is needed and left to it" {
	[ -d /run/systemd/system ] || skip "systemd does not run here"
	local slice=ccslice$$ name at
	printf '[Slice]\nTasksMax=14\n' >"/run/systemd/system/$slice.slice"
	systemctl daemon-reload
	echo "services: { a: { image: box, cgroup_parent: $slice-sub.slice, cpuset: '0' } }" >compose.yaml
	compose up -d
	systemctl is-active "$slice.slice" "$slice-sub.slice"
	all_below a "$slice.slice/$slice-sub.slice"
	run compose exec -T a sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep 100 & done'
	[[ "$output" == *"can't fork"* ]]
	# What systemd does in its slices leaves ours alone.
	systemctl daemon-reload
	systemctl daemon-reexec
	systemd-run --quiet --wait --slice="$slice-sub.slice" true
	systemctl set-property --runtime "$slice-sub.slice" MemoryMax=100M
	at=$(groups_of a | head -1)
	! v2 || grep -q max "/sys/fs/cgroup$at/memory.max"
	! v2 || [ "$(cat "/sys/fs/cgroup/$slice.slice/$slice-sub.slice/memory.max")" = 104857600 ]
	compose restart -t 0
	all_below a "$slice.slice/$slice-sub.slice"
	compose stop -t 0
	systemctl stop "$slice.slice"
	compose start
	systemctl is-active "$slice-sub.slice"
	all_below a "$slice.slice/$slice-sub.slice"
	compose down -t 0
	[ -z "$(find /sys/fs/cgroup -path "*/$slice.slice/*ctrcompose-*")" ]
	for name in system.slice/x "$slice.slice/x" init.scope /system.slice/dbus.service; do
		echo "services: { a: { image: box, cgroup_parent: $name } }" >compose.yaml
		run compose up -d
		[[ "$status" != 0 && "$output" == *"compose.yaml:1:45: services.a.cgroup_parent: "*"systemd's own"* ]]
	done
	echo "services: { a: { image: box, cgroup_parent: a--b.slice } }" >compose.yaml
	run compose up -d
	[[ "$status" != 0 && "$output" == *"no name of a slice"* ]]
	systemctl stop "$slice.slice"
	rm "/run/systemd/system/$slice.slice"
	systemctl daemon-reload
	[ -z "$(find /sys/fs/cgroup -name "$slice*")" ]
}
