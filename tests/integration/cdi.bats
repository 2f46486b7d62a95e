# cdi.bats - devices by name: the Container Device Interface, and gpus that stand for it.

load lib.bash

setup_file() {
	world_open
	# Hooks are run as the container's root, who is nobody on the host: where it may look.
	HOOKS=$(mktemp -d /var/tmp/ctrcompose-hooks.XXXXXX)
	chmod 755 "$HOOKS"
	export HOOKS
}
teardown_file() {
	rm -rf "$HOOKS"
	world_close
}
setup() {
	project_open
	mkdir -p etc run
	export CTRCOMPOSE_CDI=$PWD/etc:$PWD/run
}
teardown() { project_close; }

# hook NAME: an executable script of the host from standard input
hook() {
	{ printf '#!/bin/sh\n' && cat; } >"$HOOKS/$1"
	chmod 755 "$HOOKS/$1"
}

service() { # KEYS of service a
	printf 'services:\n  a:\n    image: box\n    %s\n' "$1" >compose.yaml
}

# A kind with the devices 0, 1, all; each says in its environment that it is there.
gpus_of() { # vendor
	local name
	printf 'cdiVersion: 0.6.0\nkind: %s/gpu\ndevices:\n' "$1"
	for name in 0 1 all; do
		printf '  - { name: "%s", containerEdits: { env: [GPU_%s=%s] } }\n' "$name" "$name" "$1"
	done
}

@test "a device by its name: node, rule, environment, mounts, groups" {
	mkdir files
	echo from the host >files/lib
	cat >etc/vendor.yaml <<-E
		cdiVersion: "0.7.0"
		kind: vendor.com/thing
		containerEdits:
		  env: [COMMON=spec]
		  additionalGids: [0, 4321]
		devices:
		  - name: one
		    containerEdits:
		      env: [THING=one, MINE=spec]
		      deviceNodes:
		        - { path: /dev/thing, hostPath: /dev/full, permissions: rw, fileMode: 0640, gid: 4321 }
		        - { path: /dev/vendor/log, type: c, major: 1, minor: 11, permissions: r }
		        - { path: /srv/null, hostPath: /dev/null }
		      mounts:
		        - { hostPath: $PWD/files, containerPath: /opt/vendor, options: [ro, nosuid, nodev, noexec, rbind, rprivate] }
		        - { hostPath: tmpfs, containerPath: /scratch, type: tmpfs, options: ["size=1m", "mode=0755"] }
		  - name: other
		    containerEdits: { env: [THING=other] }
	E
	cat >compose.yaml <<-'E'
		services:
		  a: { image: box, devices: [vendor.com/thing=one], environment: { MINE: file, OWN: file }, group_add: ["77"], user: "1000", command: [sh, -c, "env; exec sleep 1000"] }
		  b: { image: box, devices: [{ source: "vendor.com/thing=other" }, vendor.com/thing=one] }
		  c: { image: box }
	E
	compose up -d
	# the environment and the groups of the program itself
	eventually 20 sh -c '"$CTRCOMPOSE" logs a | grep -q OWN=file' 
	run compose logs a
	[[ $output == *COMMON=spec* && $output == *THING=one* && $output == *MINE=spec* && $output == *OWN=file* ]]
	[ "$(compose exec -T a sed -n 's/^Groups:[[:space:]]*//p' /proc/1/status | xargs)" = "77 1000 2000 4321" ]
	# those of an exec
	[ "$(compose exec -T a sh -c 'echo $THING $MINE; id -G')" = $'one spec\n1000 77 2000 4321' ]
	# nodes: full says so when written to
	[ "$(compose exec -T a stat -c '%a %u %g %t %T' /dev/thing)" = "640 0 4321 1 7" ]
	run compose exec -T -u 0 a sh -c 'echo x >/dev/thing'
	[[ $output == *"No space left"* ]]
	[ "$(compose exec -T a stat -c '%F %a %u %g %t %T' /dev/vendor/log)" = "character special file 666 0 0 1 b" ]
	[ -z "$(compose exec -T a cat /srv/null)" ]
	# mounts
	[ "$(compose exec -T a cat /opt/vendor/lib)" = "from the host" ]
	compose exec -T a grep -E ' /opt/vendor ro,nosuid,nodev,noexec' /proc/self/mountinfo
	compose exec -T a grep -E ' /scratch .* tmpfs ' /proc/self/mountinfo
	# spec's edits once, the later device has the last word
	[ "$(compose exec -T b sh -c 'echo $COMMON $THING')" = "spec one" ]
	compose exec -T c test ! -e /dev/thing
	# a changed spec is no changed container
	sed -i 's/THING=one/THING=new/' etc/vendor.yaml
	run compose up -d
	[[ $output != *Recreate* ]]
	compose restart -t 0 a
	[ "$(compose exec -T a sh -c 'echo $THING')" = new ]
}

@test "a node of a device that containers have no rule for can be opened by its name only" {
	disk=$(lsblk -dnro NAME,MAJ:MIN,TYPE | awk '$3 == "disk" || $3 == "loop" { print $1, $2; exit }')
	[ -n "$disk" ] || skip "no block device here"
	name=${disk% *} numbers=${disk#* }
	[ -b "/dev/$name" ] || mknod "$BATS_TEST_TMPDIR/disk" b "${numbers%:*}" "${numbers#*:}"
	node=/dev/$name
	[ -b "$node" ] || node=$BATS_TEST_TMPDIR/disk
	cat >etc/vendor.json <<-E
		{
			"cdiVersion": "0.5.0", "kind": "vendor.com/disk",
			"devices": [ { "name": "d", "containerEdits": { "deviceNodes": [ { "path": "/dev/d", "hostPath": "$node", "permissions": "r" } ] } } ]
		}
	E
	cat >compose.yaml <<-'E'
		services:
		  a: { image: box, devices: [vendor.com/disk=d] }
		  b: { image: box, devices: [/dev/kmsg], userns_mode: host, cap_add: [MKNOD] }
	E
	compose up -d
	compose exec -T a test -b /dev/d
	compose exec -T a sh -c 'exec 3</dev/d'
	run compose exec -T a sh -c 'exec 3<>/dev/d'
	[[ $output == *"Operation not permitted"* ]]
	compose exec -T b mknod /tmp/d b "${numbers%:*}" "${numbers#*:}"
	run compose exec -T b sh -c 'exec 3</tmp/d'
	[[ $output == *"Operation not permitted"* || $output == *"Permission denied"* ]]
}

@test "gpus: all, a number, ids and reservations stand for names" {
	local row
	gpus_of nvidia.com >etc/nvidia.yaml
	gpus_of amd.com >etc/amd.yaml
	for row in 'gpus: all|GPU_all=nvidia.com' 'gpus: [{ count: 2 }]|GPU_0=nvidia.com GPU_1=nvidia.com' \
		'gpus: [{ device_ids: ["1"], driver: nvidia, options: { a: b } }]|GPU_1=nvidia.com' \
		'gpus: [{ driver: amd, count: 1 }]|GPU_0=amd.com' \
		'deploy: { resources: { reservations: { devices: [{ capabilities: [gpu, utility], count: 1 }] } } }|GPU_0=nvidia.com' \
		'deploy: { resources: { reservations: { devices: [{ capabilities: [gpu, amd] }] } } }|GPU_all=amd.com' \
		'deploy: { resources: { reservations: { devices: [{ capabilities: [any], driver: cdi, device_ids: ["nvidia.com/gpu=0", "amd.com/gpu=1"] }] } } }|GPU_0=nvidia.com GPU_1=amd.com'; do
		service "${row%|*}"
		compose up -d
		[ "$(compose exec -T a env | grep '^GPU' | sort | xargs)" = "${row#*|}" ]
	done
	rm etc/nvidia.yaml
	service 'gpus: all'
	compose up -d
	[ "$(compose exec -T a env | grep '^GPU')" = GPU_all=amd.com ]
}

@test "what can't be had is refused by its place, before anything is made" {
	local row
	gpus_of amd.com >etc/amd.yaml
	cat >etc/odd.yaml <<-'E'
		cdiVersion: 1.1.0
		kind: odd.com/x
		devices:
		  - { name: rdt, containerEdits: { intelRdt: { closID: a } } }
		  - { name: net, containerEdits: { netDevices: [{ hostInterfaceName: eth7, name: eth0 }] } }
		  - { name: late, containerEdits: { hooks: [{ hookName: poststop, path: /bin/true }] } }
		  - { name: twice, containerEdits: { env: [A=1] } }
	E
	sed -e '/rdt\|net\|late/d' etc/odd.yaml >etc/odd2.yaml
	printf 'cdiVersion: 0.5.0\nkind: broken.com/x\ndevices:\n  - { name: a, containerEdits: { nonsense: 1 } }\n' >etc/broken.yaml
	for row in 'devices: [vendor.com/gpu=0]|devices[0]: there is no CDI device vendor.com/gpu=0, only amd.com/gpu=0, amd.com/gpu=1' \
		'gpus: [{ count: 3 }]|gpus[0]: there is no CDI device amd.com/gpu=2: there are amd.com/gpu=0, amd.com/gpu=1, amd.com/gpu=all' \
		'gpus: [{ driver: nvidia, count: 1 }]|gpus[0]: there is no CDI device nvidia.com/gpu=0|nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml' \
		'gpus: [{ driver: acme, count: 1 }]|gpus[0]: the drivers are nvidia, amd and cdi' \
		'deploy: { resources: { reservations: { devices: [{ capabilities: [tpu] }] } } }|deploy.resources.reservations.devices[0]: of the capabilities there are gpu' \
		'deploy: { resources: { reservations: { devices: [{ capabilities: [compute] }] } } }|deploy.resources.reservations.devices[0]: devices are looked for by the capability gpu' \
		'gpus: [{ driver: cdi }]|gpus[0]: the driver cdi wants device_ids' \
		'devices: ["odd.com/x=rdt"]|devices[0]: CDI device odd.com/x=rdt: |etc/odd.yaml:4:|intelRdt' \
		'devices: ["odd.com/x=net"]|devices[0]: |etc/odd.yaml:5:|netDevices' \
		'devices: ["odd.com/x=late"]|devices[0]: |etc/odd.yaml:6:|poststop hooks are not run' \
		'devices: ["odd.com/x=twice"]|devices[0]: CDI device odd.com/x=twice: both |/etc/odd.yaml and |/etc/odd2.yaml have it' \
		'devices: ["broken.com/x=b"]|devices[0]: CDI device broken.com/x=b: |/etc/broken.yaml:4:|nonsense' \
		'devices: ["vendor.com/gpu=0:/dev/x"]|devices: not a CDI name'; do
		IFS='|' read -r key what more third <<<"$row"
		service "$key"
		run compose up -d
		[[ $status = 15 && "$output" == *compose.yaml:4:*"services.a.$what"*"$more"*"$third"* ]] ||
			{ echo "$row: $status $output"; false; }
		[ -z "$(compose ps -aq)" ]
	done
	# a broken one is nobody's business who asks for another kind; a later folder wins
	gpus_of amd.com | sed 's/=amd.com/=later/' >run/amd.yaml
	service 'gpus: [{ count: 1 }]'
	compose up -d
	[ "$(compose exec -T a env | grep '^GPU')" = GPU_0=later ]
	compose config >out
	grep -q 'count: 1' out
	run compose doctor
	[[ $output == *"amd.com/gpu=all"* && $output == *"broken.yaml:4:"*nonsense* && $output == *"odd2.yaml have it"* ]]
}

@test "createContainer hooks: with the container's root at hand, before its program" {
	hook links <<-'E'
		new=$(mktemp "$1/XXXXXX") # those of several containers run at once
		cat >"$new"
		[ "$(sed -n 's/.*"bundle":"\([^"]*\)".*/\1/p' "$new")" = "$PWD" ] || exit 3
		mv "$new" "$1/state"
		root=$(sed -n 's/.*"path":"\([^"]*\)".*/\1/p' config.json)
		case $root in /*) ;; *) root=$PWD/$root ;; esac
		[ -x "$root/bin/busybox" ] && [ -e "$root/opt/vendor/lib" ] && [ -d "$root/proc/1" ] || exit 4
		ln -s lib.so.1 "$root/usr-lib.so"
		echo "$GREETING" >"$root/etc/greeting"
		cat "$root/proc/self/status" >/dev/null || exit 5
		sleep 1000 & # what it leaves is ended
		exit 0
	E
	mkdir files "$HOOKS/out"
	chmod 777 "$HOOKS/out"
	touch files/lib
	cat >etc/vendor.yaml <<-E
		cdiVersion: 0.7.0
		kind: vendor.com/x
		devices:
		  - name: a
		    containerEdits:
		      mounts: [{ hostPath: $PWD/files, containerPath: /opt/vendor, options: [ro, rbind] }]
		      hooks:
		        - { hookName: createContainer, path: $HOOKS/links, args: [links, $HOOKS/out], env: [GREETING=hello], timeout: 20 }
	E
	cat >compose.yaml <<-'E'
		services:
		  a: { image: box, devices: [vendor.com/x=a], read_only: true }
		  b: { image: box, devices: [vendor.com/x=a], userns_mode: host, command: [sh, -c, "cat /etc/greeting; sleep 1000"] }
		  c: { image: box, devices: [vendor.com/x=a], network_mode: "service:a", ipc: "service:a", privileged: true }
	E
	compose up -d
	for s in a b c; do
		[ "$(compose exec -T $s readlink /usr-lib.so)" = lib.so.1 ]
		[ "$(compose exec -T $s cat /etc/greeting)" = hello ]
		# its own first process, this one, and nothing of ours
		[ "$(compose exec -T $s sh -c 'for p in /proc/[0-9]*; do tr "\0" " " <$p/cmdline; echo; done' | grep -c 'sleep 1000 *$\|links')" = 1 ]
		run compose exec -T $s sh -c 'cat /proc/self/mountinfo; ls /proc/fs'
		[[ $output != *rootfs* && $output != *config.json* && $output != *ctrcompose-hooks* ]]
	done
	jq -e '.ociVersion and .status == "creating" and .pid == 1 and .bundle and .annotations == {} and (.id | length) == 64' "$HOOKS/out/state"
	compose logs b | grep -q hello
	[ "$(compose run --rm -T a cat /etc/greeting)" = hello ]
	cat >compose.yaml <<-'E'
		services:
		  a: { image: box, devices: [vendor.com/x=a], pid: host }
	E
	compose up -d
	[ "$(compose exec -T a cat /etc/greeting)" = hello ]
	jq -e '.pid > 1' "$HOOKS/out/state"
	run compose exec -T a sh -c 'cat /proc/self/mountinfo; ls /proc/fs'
	[[ $output != *rootfs* && $output != *config.json* ]]
	compose restart -t 0 a
	eventually 20 compose exec -T a test -e /etc/greeting
}

@test "createContainer hooks may work in the root as their own, and mount what the program sees" {
	hook works <<-'E'
		set -e
		root=$(sed 's/.*"bundle":"//; s/".*//')/rootfs
		export root
		unshare -m sh -ec 'mount --make-rslave /; mount --rbind "$root" "$root"; cd "$root"; pivot_root . .
			PATH=/bin; umount -l .; cd /; mount -t proc proc /proc; [ -d /proc/self ]; echo cache >/etc/ld.so.cache'
		echo changed >"$root/params"
		mount --bind "$root/params" "$root/proc/version"
	E
	cat >etc/vendor.yaml <<-E
		cdiVersion: 0.7.0
		kind: vendor.com/x
		devices:
		  - { name: a, containerEdits: { hooks: [{ hookName: createContainer, path: $HOOKS/works, env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] }] } }
	E
	service 'devices: [vendor.com/x=a]'
	compose up -d
	[ "$(compose exec -T a cat /etc/ld.so.cache /proc/version)" = $'cache\nchanged' ]
	[ "$(compose exec -T a grep -c ' / / ' /proc/self/mountinfo)" = 1 ]
}

@test "createRuntime and prestart hooks: in the host's namespaces, with the pid of the container" {
	hook runtime <<-'E'
		cat >"$1/state.$2"
		bundle=$(sed -n 's/.*"bundle":"\([^"]*\)".*/\1/p' "$1/state.$2")
		root=$bundle/$(sed -n 's/.*"path":"\([^"]*\)".*/\1/p' "$bundle/config.json")
		pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$1/state.$2")
		readlink /proc/self/ns/net >"$1/net"
		readlink "/proc/$pid/ns/net" >"$1/net.container"
		[ -x "$root/bin/busybox" ] || exit 4
		echo "$2" >>"$1/order"
	E
	hook inside <<-'E'
		root=$PWD/$(sed -n 's/.*"path":"\([^"]*\)".*/\1/p' config.json)
		echo createContainer >>"$1/order"
	E
	mkdir -p "$HOOKS/rt"
	chmod 777 "$HOOKS/rt"
	touch "$HOOKS/rt/order"
	chmod 666 "$HOOKS/rt/order"
	cat >etc/vendor.yaml <<-E
		cdiVersion: 0.7.0
		kind: vendor.com/x
		devices:
		  - name: a
		    containerEdits:
		      hooks:
		        - { hookName: createContainer, path: $HOOKS/inside, args: [inside, $HOOKS/rt] }
		        - { hookName: createRuntime, path: $HOOKS/runtime, args: [runtime, $HOOKS/rt, createRuntime] }
		        - { hookName: prestart, path: $HOOKS/runtime, args: [runtime, $HOOKS/rt, prestart] }
		  - name: bad
		    containerEdits:
		      hooks: [{ hookName: createRuntime, path: /bin/sh, args: [sh, -c, "echo not today; exit 7"] }]
	E
	service 'devices: [vendor.com/x=a]'
	compose up -d
	[ "$(xargs <"$HOOKS/rt/order")" = "prestart createRuntime createContainer" ]
	[ "$(cat "$HOOKS/rt/net.container")" = "$(compose exec -T a readlink /proc/1/ns/net)" ]
	printf '  b: { image: box, network_mode: "service:a", devices: [vendor.com/x=a] }\n' >>compose.yaml
	compose up -d
	[ "$(xargs <"$HOOKS/rt/order")" = "prestart createRuntime createContainer prestart createRuntime createContainer" ]
	[ "$(cat "$HOOKS/rt/net")" = "$(readlink /proc/self/ns/net)" ]
	[ "$(cat "$HOOKS/rt/net")" != "$(cat "$HOOKS/rt/net.container")" ]
	service 'devices: [vendor.com/x=bad]'
	run compose up -d
	[[ $status != 0 && $output == *"the createRuntime hook /bin/sh ("*"vendor.yaml:12:"*") exited with 7: not today"* ]]
}

@test "a hook that fails, hangs or isn't there fails the start, with what it said" {
	hook fails <<-'E'
		printf 'one\ntwo\n\033[31mthree\n' >&2
		exit 3
	E
	hook hangs <<-'E'
		echo waiting
		sleep 1000
	E
	cat >etc/vendor.yaml <<-E
		cdiVersion: 0.7.0
		kind: vendor.com/x
		devices:
		  - { name: fails, containerEdits: { hooks: [{ hookName: createContainer, path: $HOOKS/fails }] } }
		  - { name: hangs, containerEdits: { hooks: [{ hookName: createContainer, path: $HOOKS/hangs, timeout: 1 }] } }
		  - { name: hangs2, containerEdits: { hooks: [{ hookName: createRuntime, path: $HOOKS/hangs, timeout: 1 }] } }
		  - { name: gone, containerEdits: { hooks: [{ hookName: createContainer, path: /nosuch }] } }
	E
	for row in "fails|createContainer hook $HOOKS/fails ($PWD/etc/vendor.yaml:4:46) exited with 3: one; two;  [31mthree" \
		"hangs|createContainer hook $HOOKS/hangs ($PWD/etc/vendor.yaml:5:46) did not end within 1 s: waiting" \
		"hangs2|createRuntime hook $HOOKS/hangs ($PWD/etc/vendor.yaml:6:47) did not end within 1 s: waiting" \
		"gone|createContainer hook /nosuch ($PWD/etc/vendor.yaml:7:45) exited with 127: No such file or directory"; do
		service "devices: [vendor.com/x=${row%%|*}]"
		run compose up -d
		[[ $status != 0 && $output == *"${row#*|}"* ]] || { echo "$output"; false; }
		run pgrep -f "$HOOKS/"
		[ -z "$output" ]
	done
	cat >compose.yaml <<-'E'
		services:
		  a: { image: box }
		  b: { image: box, pid: "service:a", devices: [vendor.com/x=fails] }
	E
	run compose up -d
	[[ $status != 0 && $output == *"hooks are not run in the PID namespace of another container"* ]]
}

@test "a hook that never ends is ended with who waits for it, and with the supervisor" {
	local kind up
	for kind in createContainer createRuntime; do
		cat >etc/vendor.yaml <<-E
			cdiVersion: 0.7.0
			kind: vendor.com/x
			devices:
			  - { name: hangs, containerEdits: { hooks: [{ hookName: $kind, path: /bin/sleep, args: [sleep, "7777"] }] } }
		E
		service 'devices: [vendor.com/x=hangs]'
		"$CTRCOMPOSE" up -d >out 2>&1 3>&- &
		up=$!
		eventually 20 pgrep -f "^sleep 7777"
		kill "$up"
		wait "$up" || true
		eventually 20 sh -c '! pgrep -f "^sleep 7777"'
		compose down -t 0
		"$CTRCOMPOSE" up -d >out 2>&1 3>&- &
		up=$!
		eventually 20 pgrep -f "^sleep 7777"
		kill -9 $(family ctrcompose-keep) $(family ctrcompose-sup)
		wait "$up" || true
		eventually 20 sh -c '! pgrep -f "^sleep 7777"'
		compose down -t 0
	done
}
