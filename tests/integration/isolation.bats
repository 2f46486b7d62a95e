#!/usr/bin/env bats
# isolation.bats - what a container looks like from inside (tests/probe), and attempts to get out of it

load lib
setup_file() {
	world_open
	export PROBE=${PROBE:-$(dirname "$CTRCOMPOSE")/tests/probe} SOURCE=$PWD
}
teardown_file() { world_close; }
setup() {
	project_open
	cp "$PROBE" probe
}
teardown() { project_close; }

service() { # YAML of one service that has the probe; the rest in a flow mapping
	printf 'services: { a: { image: box, init: true, volumes: ["./probe:/probe:ro,z"]%s } }\n' "${1:+, $1}" >compose.yaml
}
inside() { compose exec -T a "$@" </dev/null; }

@test "the report: capabilities, 60 system calls on three ABIs, devices are as expected" {
	service
	compose --progress quiet run --rm -T a /probe </dev/null >report
	# a virtual machine may not carry int 0x80 at all: the host says so, not the container
	without='^$'
	[ "$("$PROBE" i386)" = "syscall i386 getpid OK" ] || without='^syscall i386'
	grep -E '^(syscall|status Cap|status NoNew|status Seccomp|dev|open|mknod)' report | grep -v "$without" |
		diff <(grep -v "$without" "$SOURCE/tests/probe/expected") -
	not grep -E '^syscall .* OK$' report
	not grep -E '^write .* OK$' report
	not grep -E '^masked .* READABLE' report
	[ "$(grep -c '^fd ' report)" = 3 ]
	[ "$(grep '^env ' report | sed 's/=.*//' | sort | xargs)" = "env HOME env HOSTNAME env PATH" ]
	grep -qx 'cwd /' report
}

@test "the report: all namespaces are its own, ids are a range of the project's" {
	service
	compose --progress quiet run --rm -T a /probe </dev/null >report
	for ns in cgroup ipc mnt net pid user uts; do
		not grep -qxF "namespace $ns $(readlink "/proc/self/ns/$ns")" report
		grep -q "^namespace $ns $ns:" report
	done
	read -r _ inside outside count < <(grep ^uid_map report)
	[ "$inside $count" = "0 65536" ]
	[ "$outside" -gt 65536 ]
	grep -q '^mount .* / / rw,nodev' report
	grep '^mount ' report | grep ' - proc ' | head -1 | grep -q 'nosuid,nodev,noexec'
	grep '^mount ' report | grep ' - sysfs ' | grep -q ' /sys ro,nosuid,nodev,noexec'
	not grep -q '^mount .* - cgroup.* rw,.* - ' report
}

@test "privileged and cap_add change what they say, and no more" {
	service 'cap_add: [SYS_PTRACE], cap_drop: [NET_RAW, CAP_MKNOD]'
	compose --progress quiet run --rm -T a /probe </dev/null >report
	cap=$((16#$(sed -n 's/^status CapEff:[[:space:]]*//p' report)))
	[ $((cap >> 19 & 1)) = 1 ]
	[ $((cap >> 13 & 1)) = 0 ]
	[ $((cap >> 27 & 1)) = 0 ]
	grep -q '^syscall x86_64 mount EPERM' report
	service 'cap_add: [NOT_ONE]'
	run ! compose up -d
	[[ "$output" == *NOT_ONE* ]]
}

@test "our own program is not to be had from inside, nor overwritten" {
	service
	compose up -d
	before=$(sha256sum <"$CTRCOMPOSE")
	[ "$(inside /probe overwrite /proc/1/exe)" = refused ]
	[ "$(inside /probe overwrite /proc/self/exe)" = refused ]
	printf '#!/proc/self/exe\n' >script && chmod +x script
	compose cp script a:/tmp/script
	output=$(inside /tmp/script overwrite /proc/self/exe 2>&1 || true)
	[[ "$output" != *WRITTEN* ]]
	[ "$(sha256sum <"$CTRCOMPOSE")" = "$before" ]
}

@test "mount targets that are links, in the image and in a volume, lead nowhere else" {
	canary=$BATS_TEST_TMPDIR/canary && mkdir "$canary" && echo safe >"$canary/file"
	mkdir -p root/bin root/etc && cp /bin/busybox root/bin/ && ln -s busybox root/bin/sleep && ln -s busybox root/bin/ls && ln -s busybox root/bin/cat
	for d in proc sys dev data; do ln -s "$canary" "root/$d"; done
	for f in hosts resolv.conf hostname; do ln -s "$canary/file" "root/etc/$f"; done
	tar -C root -cf root.tar .
	compose image import root.tar evil:1
	printf 'services: { a: { image: "evil:1", init: true, command: [/bin/sleep, "1000"], volumes: ["vol:/data"], tmpfs: [/proc/x] } }\nvolumes: { vol: }\n' >compose.yaml
	compose up -d || true
	compose down -v -t 0
	[ "$(cat "$canary/file")" = safe ]
	[ "$(ls "$canary")" = file ]
	printf 'services: { a: { image: "evil:1", command: [/bin/sleep, "1000"], volumes: ["vol:/data"] } }\nvolumes: { vol: }\n' >compose.yaml
	compose up -d || true
	compose down -v -t 0
	[ "$(cat "$canary/file")" = safe ]
	[ "$(ls "$canary")" = file ]
	compose image rm evil:1
}

@test "a folder that is swapped for a link while another container mounts below it" {
	canary=$BATS_TEST_TMPDIR/canary && mkdir "$canary" && echo safe >"$canary/file"
	cat >compose.yaml <<-Y
		services:
		  swap: { image: box, init: true, volumes: ["shared:/s"], command: "sh -c 'while :; do mkdir /s/d; rmdir /s/d; ln -s $canary /s/d; rm /s/d; done' " }
		  a: { image: box, init: true, volumes: ["shared:/s", "inner:/s/d"] }
		volumes: { shared: , inner: }
	Y
	compose up -d swap
	for i in 1 2 3 4 5 6; do
		compose up -d a || true
		compose exec -T a sh -c 'echo evil >/s/d/file' || true
		compose rm -s -f a >/dev/null 2>&1
	done
	[ "$(cat "$canary/file")" = safe ]
	[ "$(ls "$canary")" = file ]
	compose down -v -t 0
}

@test "a set-uid program that a container leaves on a volume is nobody's but the range's" {
	mkdir share && chmod 777 share
	printf 'services: { a: { image: box, init: true, user: "0", volumes: ["./share:/share", "vol:/vol"] } }\nvolumes: { vol: }\n' >compose.yaml
	compose up -d
	inside sh -c 'cp /bin/busybox /vol/su && chmod 4755 /vol/su'
	path=$CTRCOMPOSE_STATE/volumes/${PROJECT}_vol
	[ "$(stat -c %a "$path/_data/su")" = 4755 ]
	# Nobody but root gets there.
	run ! setpriv --reuid 1000 --regid 1000 --clear-groups "$path/_data/su" true
	run ! setpriv --reuid 1000 --regid 1000 --clear-groups ls "$CTRCOMPOSE_STATE"
}

@test "a fork bomb stays within its limit, and the default limit is there" {
	service 'pids_limit: 50'
	compose up -d
	read -r n why < <(inside /probe forks 200)
	[ "$n" -lt 50 ]
	[ "$why" = EAGAIN ]
	compose down -t 0
	service
	compose up -d
	[ "$(cat /sys/fs/cgroup/pids/ctrcompose-"$(run_hash)"/*/*/pids.max 2>/dev/null || cat /sys/fs/cgroup/ctrcompose-"$(run_hash)"/*/*/pids.max)" = 4096 ]
}

@test "a memory bomb is killed, and everybody is told why" {
	service 'mem_limit: 64m, command: [/probe, eat, "200"]'
	compose up -d
	eventually 30 sh -c '[ -n "$("$CTRCOMPOSE" ps -a -q --status exited)" ]'
	run -0 compose ps -a
	[[ "$output" == *"OOM-killed (peak 6"?.?"M of 64M)"* ]]
	[ "$(compose ps -a --format '{{.ExitCode}}')" = 137 ]
	run compose up
	[[ "$output" == *"a-1 exited with code 137: OOM-killed (peak 6"* ]]
}

@test "shared memory is bounded" {
	service 'shm_size: 8m'
	compose up -d
	run ! inside dd if=/dev/zero of=/dev/shm/x bs=1M count=20
	[ "$(inside sh -c 'stat -c %s /dev/shm/x')" = 8388608 ]
}

@test "keys: the keyring is its own; other namespaces can't be made or entered" {
	service
	compose up -d
	run ! inside unshare -r true
	run ! inside nsenter -t 1 -m true
	run ! inside mount -t tmpfs none /tmp
	run ! inside sh -c 'echo 1 >/proc/sysrq-trigger'
	run ! inside sh -c 'echo x >/proc/sys/kernel/core_pattern'
	run ! inside chroot /proc/1/root/../.. ls "$CTRCOMPOSE_STATE"
	[ -z "$(inside sh -c 'ls /proc/self/fd' | grep -v '^[0-3]$')" ]
}
