# keys.bats - what services ask for by their own keys: limits, devices, namespaces, secrets.

load lib.bash

setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

@test "ulimits, sysctls, oom_score_adj are in force" {
	cat >compose.yaml <<-E
		services:
		  a:
		    image: box
		    ulimits: { nofile: { soft: 123, hard: 456 }, core: 0 }
		    sysctls: { net.ipv4.tcp_keepalive_time: 77, kernel.msgmax: "5000" }
		    oom_score_adj: 321
		  b: { image: box, init: true }
	E
	compose up -d
	[ "$(compose exec -T a sh -c 'ulimit -Sn; ulimit -Hn')" = $'123\n456' ] ||
		[ "$(compose exec -T a sed -n 's/^Max open files *//p' /proc/1/limits | awk '{print $1, $2}')" = "123 456" ]
	[ "$(compose exec -T a cat /proc/sys/net/ipv4/tcp_keepalive_time)" = 77 ]
	[ "$(compose exec -T a cat /proc/sys/kernel/msgmax)" = 5000 ]
	[ "$(compose exec -T a cat /proc/1/oom_score_adj)" = 321 ]
	[ "$(compose exec -T a cat /proc/self/oom_score_adj)" = 321 ]
	# What protects the supervisor from want of memory is its own.
	[ "$(cat /proc/self/oom_score_adj)" != 0 ] || [ "$(compose exec -T b cat /proc/1/oom_score_adj /proc/self/oom_score_adj)" = $'0\n0' ]
}

# The file of the container's group, wherever the controller is; empty: there is none.
group_file() { # name
	find /sys/fs/cgroup -path "*ctrcompose-$(run_hash)*/$PROJECT/*/$1" 2>/dev/null | head -1
}

@test "blkio_config: rates and weights of block devices are in force" {
	disk=$(lsblk -dnpo NAME,TYPE | awk '$2 == "disk" || $2 == "loop" { print $1; exit }')
	[ -n "$disk" ] || skip "no block device here"
	numbers=$(lsblk -dnro MAJ:MIN "$disk")
	cat >compose.yaml <<-E
		services:
		  a:
		    image: box
		    blkio_config:
		      device_read_bps: [{ path: $disk, rate: 12mb }]
		      device_write_iops: [{ path: $disk, rate: 120 }]
	E
	compose up -d
	file=$(group_file io.max)
	if [ -n "$file" ]; then
		grep -q "^$numbers rbps=12582912 .*wiops=120" "$file"
	else
		grep -q "^$numbers 12582912" "$(group_file blkio.throttle.read_bps_device)"
		grep -q "^$numbers 120" "$(group_file blkio.throttle.write_iops_device)"
	fi
	echo 'services: { a: { image: box, blkio_config: { weight: 5 } } }' >compose.yaml
	run compose up -d
	[ $status != 0 ]
	[[ $output == *"weight 5 is not between 10 and 1000"* ]]
	echo 'services: { a: { image: box, blkio_config: { device_read_bps: [{ path: /dev/null, rate: 1 }] } } }' >compose.yaml
	run compose up -d
	[ $status != 0 ]
	[[ $output == *"/dev/null is not a block device"* ]]
}

@test "a sysctl of the host, an unknown ulimit, a missing device: refused with the name" {
	cat >compose.yaml <<-E
		services: { a: { image: box, sysctls: { kernel.panic: 5 } } }
	E
	run compose up -d
	[ $status != 0 ]
	[[ $output == *kernel.panic* ]]
	echo 'services: { a: { image: box, ulimits: { nosuch: 5 } } }' >compose.yaml
	run compose up -d
	[ $status != 0 ]
	[[ $output == *nosuch* ]]
	echo 'services: { a: { image: box, devices: [/dev/nosuch] } }' >compose.yaml
	run compose up -d
	[ $status != 0 ]
	[[ $output == */dev/nosuch* ]]
}

@test "keys that are not carried out are refused with their place and what to do" {
	local row
	for row in 'devices: [vendor.com/=0]|services.a.devices: |CDI name' \
		'devices: [{ source: vendor.com/gpu=0, permissions: r }]|services.a.devices: |what its spec says'; do
		IFS='|' read -r key place what <<<"$row"
		printf 'services:\n  a:\n    image: box\n    %s\n' "$key" >compose.yaml
		run compose up -d
		[[ $status != 0 && "$output" == *compose.yaml:4:*"$place"*"$what"* ]]
	done
}

@test "devices: only those named can be opened" {
	cat >compose.yaml <<-E
		services:
		  a: { image: box, devices: ["/dev/random:/dev/dice:r", "/dev/kmsg"] }
		  b: { image: box, device_cgroup_rules: ["c 1:11 r"] }
		  c: { image: box }
	E
	compose up -d
	compose exec -T a head -c 1 /dev/dice >/dev/null
	compose exec -T a test -c /dev/kmsg
	compose exec -T c test ! -e /dev/kmsg
	echo 'services: { a: { image: box, device_cgroup_rules: [nonsense] } }' >compose.yaml
	run compose up -d
	[[ $status != 0 && $output == *"compose.yaml:1:51: services.a.device_cgroup_rules: "*"c 1:3 rwm"* ]]
}

@test "secrets and configs: file, environment, content with mode and owner; a change makes a new container" {
	printf 'top\0secret' >key.bin
	cat >compose.yaml <<-'E'
		services:
		  a:
		    image: box
		    user: user
		    secrets: [s1, { source: s2, target: other, uid: "1000", gid: "1000", mode: 0400 }]
		    configs: [{ source: c1, target: /etc/app/app.conf }, c2]
		secrets:
		  s1: { file: ./key.bin }
		  s2: { environment: TOKEN }
		configs:
		  c1: { content: "x=${TOKEN}\n" }
		  c2: { file: ./key.bin }
	E
	export TOKEN=t0k
	compose up -d
	[ "$(compose exec -T a od -An -c /run/secrets/s1 | tr -s ' ')" = "$(od -An -c key.bin | tr -s ' ')" ]
	[ "$(compose exec -T a cat /run/secrets/other)" = t0k ]
	[ "$(compose exec -T a stat -c '%a %u %g' /run/secrets/other)" = "400 1000 1000" ]
	[ "$(compose exec -T a stat -c '%a' /run/secrets/s1)" = 444 ]
	[ "$(compose exec -T a cat /etc/app/app.conf)" = "x=t0k" ]
	compose exec -T a cat /c2 >out
	cmp out key.bin
	run compose exec -T -u root a sh -c 'echo x >/run/secrets/s1'
	[ $status != 0 ]
	id=$(compose ps -q a)
	compose up -d
	[ "$id" = "$(compose ps -q a)" ]
	echo new >key.bin
	compose up -d
	[ "$id" != "$(compose ps -q a)" ]
	[ "$(compose exec -T a cat /run/secrets/s1)" = new ]
}

@test "an external secret and an unset variable are named" {
	cat >compose.yaml <<-'E'
		services: { a: { image: box, secrets: [s] } }
		secrets: { s: { environment: NO_SUCH_VARIABLE } }
	E
	run compose up -d
	[ $status != 0 ]
	[[ $output == *NO_SUCH_VARIABLE* ]]
}

@test "pid, ipc, uts: shared with another service or the host" {
	cat >compose.yaml <<-E
		services:
		  a: { image: box, ipc: shareable }
		  b: { image: box, pid: "service:a" }
		  c: { image: box, ipc: "service:a" }
		  d: { image: box, uts: host }
	E
	compose up -d
	[ "$(compose exec -T b readlink /proc/1/ns/pid)" = "$(compose exec -T a readlink /proc/self/ns/pid)" ]
	[ "$(compose exec -T c readlink /proc/self/ns/ipc)" = "$(compose exec -T a readlink /proc/self/ns/ipc)" ]
	compose exec -T a sh -c 'echo shared >/dev/shm/x'
	[ "$(compose exec -T c cat /dev/shm/x)" = shared ]
	[ "$(compose exec -T d hostname)" = "$(hostname)" ]
}

@test "volumes_from takes over the mounts of another service" {
	cat >compose.yaml <<-E
		services:
		  a: { image: box, volumes: ["stuff:/stuff", "/anon", "./here:/here"] }
		  b: { image: box, volumes_from: ["a:ro"] }
		volumes: { stuff: }
	E
	mkdir here
	compose up -d
	compose exec -T a sh -c 'echo 1 >/stuff/f; echo 2 >/anon/f; echo 3 >/here/f'
	[ "$(compose exec -T b cat /stuff/f /anon/f /here/f | tr -d '\n')" = 123 ]
	run compose exec -T b sh -c 'echo 4 >/stuff/f'
	[ $status != 0 ]
}

@test "security_opt: a profile of one's own, unconfined system paths" {
	cat >profile.json <<-E
		{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		  { "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1 } ] }
	E
	cat >compose.yaml <<-E
		services:
		  a: { image: box, security_opt: ["seccomp=./profile.json"] }
		  b: { image: box, security_opt: ["seccomp=unconfined", "systempaths=unconfined"] }
	E
	compose up -d
	run compose exec -T a mkdir /tmp/x
	[ $status != 0 ]
	compose exec -T a touch /tmp/y
	[ "$(compose exec -T b sed -n 's/^Seccomp:[^0-9]*//p' /proc/self/status)" = 0 ]
	echo '{' >profile.json
	run compose up -d --force-recreate
	[ $status != 0 ]
	[[ $output == *profile.json* ]]
}

@test "cpuset, cpu_quota" {
	cat >compose.yaml <<-E
		services: { a: { image: box, cpuset: "0", cpu_quota: 25000, cpu_period: 50000 } }
	E
	compose up -d
	[ "$(compose exec -T a sed -n 's/^Cpus_allowed_list:[^0-9]*//p' /proc/self/status)" = 0 ]
}

@test "network_mode: service:NAME shares addresses, ports, names and localhost" {
	cat >compose.yaml <<-Y
		services:
		  front: { image: box, init: true, command: sh -c 'echo hi >/www/index.html; exec httpd -f -p 80 -h /www' }
		  side: { image: box, init: true, network_mode: "service:front" }
		  other: { image: box, init: true }
	Y
	compose up -d
	[ "$(compose exec -T side wget -q -O - http://127.0.0.1)" = hi ]
	[ "$(compose exec -T side hostname -i)" = "$(compose exec -T front hostname -i)" ]
	[ "$(compose exec -T side hostname)" = "$(compose exec -T front hostname)" ]
	compose exec -T side nslookup other | grep -q Name:
	sed -i 's/service:front/ovs:x/' compose.yaml
	run -15 compose up -d
	[[ "$output" == *"compose.yaml:3:"*"network_mode"* ]]
}

@test "network_mode: bridge; a bridge's name and MTU; a volume that is a bind" {
	mkdir data && echo there >data/file
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, init: true, network_mode: bridge }
		  b: { image: box, init: true, networks: [n], volumes: ["vol:/v", "rol:/r"] }
		networks:
		  n:
		    driver_opts: { com.docker.network.bridge.name: testbr0, com.docker.network.driver.mtu: 1400 }
		volumes:
		  vol: { driver: local, driver_opts: { type: none, o: bind, device: "$PWD/data" } }
		  rol: { driver_opts: { type: none, o: "bind,ro", device: "$PWD/data" } }
	Y
	compose up -d
	ip -o link show testbr0 | grep -q "mtu 1400"
	compose exec -T b cat /sys/class/net/eth0/mtu | grep -qx 1400
	compose exec -T a ip -4 -o addr show eth0 | grep -q inet
	[ "$(compose exec -T b cat /v/file)" = there ]
	compose exec -T b sh -c 'echo more >/v/new'
	[ "$(cat data/new)" = more ]
	run ! compose exec -T b sh -c 'echo more >/r/new'
	compose config --format json | jq -e '.services.a.network_mode == "bridge" and .services.b.volumes[0].type == "volume"'
	compose down
	ip link add testbr0 type bridge
	run ! compose up -d
	[[ "$output" == *"a link called testbr0 is there already"* ]]
	compose down
	ip link del testbr0
	sed -i 's/o: bind, device/o: addr=1, device/' compose.yaml
	run -15 compose up -d
	[[ "$output" == *"compose.yaml:8:"*"driver_opts"* ]]
}

@test "bind propagation: what the host mounts later shows up with rslave; rshared is refused" {
	mkdir shared && mount --bind shared shared && mount --make-shared shared
	mkdir shared/later
	cat >compose.yaml <<-Y
		services:
		  follows: { image: box, init: true, volumes: ["./shared:/s:rslave"] }
		  fixed: { image: box, init: true, volumes: ["./shared:/s"] }
	Y
	compose up -d
	mount -t tmpfs later shared/later && touch shared/later/here
	compose exec -T follows test -e /s/later/here
	run ! compose exec -T fixed test -e /s/later/here
	umount shared/later
	run ! compose exec -T follows test -e /s/later/here
	compose down -t 0
	mount --make-private shared
	run ! compose up -d
	[[ $output == *"its mount on the host is private"* ]]
	umount shared
	sed -i 's/rslave/rshared/' compose.yaml
	run -15 compose up -d
	[[ $output == *"compose.yaml:2:"*"propagation"* ]]
}

@test "a volume's subpath: a folder of it alone; one that leads out or is missing is refused" {
	cat >compose.yaml <<-Y
		services:
		  make:
		    image: box
		    volumes: ["vol:/v"]
		    command: sh -c 'mkdir -p /v/a/b; echo deep >/v/a/b/f; ln -sfn /etc /v/out'
		  use:
		    image: box
		    init: true
		    depends_on: { make: { condition: service_completed_successfully } }
		    volumes: [{ type: volume, source: vol, target: /u, volume: { subpath: a/b } }]
		volumes: { vol: {} }
	Y
	compose up -d
	[ "$(compose exec -T use cat /u/f)" = deep ]
	run ! compose exec -T use ls /u/b
	sed -i 's,subpath: a/b,subpath: nosuch,' compose.yaml
	run ! compose up -d
	[[ $output == *"has no 'nosuch'"* ]]
	sed -i 's,subpath: nosuch,subpath: out,' compose.yaml # a link is followed inside of the volume only
	run ! compose up -d
	[[ $output == *"has no 'out'"* ]]
}

@test "a volume that is a tmpfs: with its options, of one container only" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, init: true, volumes: ["scratch:/s"] }
		volumes:
		  scratch: { driver: local, driver_opts: { type: tmpfs, device: tmpfs, o: "size=3m,mode=0750,uid=1000,noexec" } }
	Y
	compose up -d
	[ "$(compose exec -T a stat -c '%a %u' /s)" = "750 1000" ]
	compose exec -T a awk '$2 == "/s"' /proc/mounts | grep -q "^tmpfs .*noexec.*size=3072k"
	run ! compose exec -T a dd if=/dev/zero of=/s/x bs=1M count=4
	sed -i 's/init: true/scale: 2/' compose.yaml
	run -15 compose up -d
	[[ $output == *"compose.yaml:4:"*"several containers share"* ]]
}

@test "logging: files as many and as large as asked for, or none at all" {
	cat >compose.yaml <<-'Y'
		services:
		  talks:
		    image: box
		    command: ["sh", "-c", "i=0; while [ $$i -lt 3000 ]; do echo line $$i; i=$$((i+1)); done"]
		    logging: { options: { max-size: 20k, max-file: 2 } }
		  silent:
		    image: box
		    command: ["sh", "-c", "echo never kept"]
		    logging: { driver: none }
	Y
	compose up -d
	compose wait talks silent || true
	local dir=$CTRCOMPOSE_STATE/projects/$PROJECT
	eventually 30 sh -c "$CTRCOMPOSE logs talks | grep -q 'line 2999'"
	[ "$(ls "$dir/$PROJECT-talks-1".log* | wc -l)" = 2 ]
	for f in "$dir/$PROJECT-talks-1".log*; do [ "$(stat -c %s "$f")" -le 30000 ]; done
	[ -z "$(compose logs silent)" ]
	printf 'services: { a: { image: box, logging: { driver: syslog } } }\n' >other.yaml
	run compose -f other.yaml up -d
	[ "$status" != 0 ]
	[[ $output == *"other.yaml:1:"*"logging: the drivers are json-file, local and none"* ]]
}

@test "a volume that is an image: its files, read-only, in whole or in part; the image is in use" {
	local root=$BATS_TEST_TMPDIR/data
	mkdir -p "$root/share/deep"
	echo hello >"$root/share/deep/f"
	chown -R 1000:1000 "$root/share"
	compose image import "$root" parts:1
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    volumes:
		      - { type: image, source: "parts:1", target: /all }
		      - { type: image, source: "parts:1", target: /part, image: { subpath: share/deep } }
	Y
	compose up -d
	[ "$(compose exec -T a cat /all/share/deep/f /part/f)" = "$(printf 'hello\nhello')" ]
	[ "$(compose exec -T a stat -c %u /all/share/deep/f)" = 1000 ]
	run compose exec -T a sh -c 'echo x >/all/x || echo x >/part/x'
	[[ $status != 0 && $output == *"Read-only file system"* ]]
	run compose image rm parts:1
	[ "$status" != 0 ]
	compose restart -t 0 a
	[ "$(compose exec -T a cat /part/f)" = hello ]
	sed -i 's,share/deep,../../etc,' compose.yaml
	run compose up -d
	[[ $status != 0 && $output == *"has no '../../etc' (subpath of /part)"* ]]
	sed -i 's,parts:1,parts:2,' compose.yaml
	run compose --offline up -d
	[[ $status != 0 && $output == *"parts:2"* ]]
	compose down -t 0
	compose image rm parts:1
}

@test "a volume that is a file system of the kernel, by type, device and options" {
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, init: true, volumes: ["vol:/v"] }
		volumes:
		  vol: { driver_opts: { type: ramfs, device: some, o: "noexec,nosuid,mode=0700" } }
	Y
	compose up -d
	compose exec -T a cat /proc/mounts | grep -q '^some /v ramfs .*nosuid,nodev,noexec'
	sed -i 's/ramfs/nosuchfs/' compose.yaml
	run compose up -d
	[[ $status != 0 && $output == *"this kernel has no file system 'nosuchfs'"* ]]
	sed -i 's/device: some, //' compose.yaml
	run compose up -d
	[[ $status != 0 && $output == *"compose.yaml:4:"*"the option device is missing"* ]]
}

@test "ipc: none and cgroup: host" {
	printf 'services: { a: { image: box, ipc: none, cgroup: host } }\n' >compose.yaml
	compose up -d
	run compose exec -T a ls -d /dev/shm
	[ "$status" != 0 ]
	[ "$(compose exec -T a readlink /proc/self/ns/cgroup)" = "$(readlink /proc/self/ns/cgroup)" ]
	[ "$(compose exec -T a readlink /proc/self/ns/ipc)" != "$(readlink /proc/self/ns/ipc)" ]
	compose exec -T a grep -q "ctrcompose-$(run_hash)" /proc/self/cgroup
	run compose exec -T a sh -c 'mkdir /sys/fs/cgroup/x || mkdir /sys/fs/cgroup/*/x'
	[[ $status != 0 && $output == *"Read-only file system"* ]]
}

@test "a bind and what is mounted below it: all, or itself alone, or read-only on top" {
	mkdir -p d/sub
	mount -t tmpfs none d/sub
	chmod 777 d/sub
	echo below >d/sub/f
	cat >compose.yaml <<-'Y'
		services:
		  all: { image: box, volumes: [{ type: bind, source: ./d, target: /d, read_only: true }] }
		  alone: { image: box, volumes: [{ type: bind, source: ./d, target: /d, bind: { recursive: disabled } }] }
		  top: { image: box, volumes: [{ type: bind, source: ./d, target: /d, read_only: true, bind: { recursive: writable } }] }
	Y
	compose up -d
	[ "$(compose exec -T all cat /d/sub/f)" = below ]
	run ! compose exec -T all touch /d/sub/x
	run ! compose exec -T alone ls /d/sub/f
	run ! compose exec -T top touch /d/x
	compose exec -T top touch /d/sub/x
	compose down -t 0
	umount d/sub
}

@test "storage_opt: a bound for what a container writes, where the file system has project quotas" {
	printf 'services: { a: { image: box, init: true, storage_opt: { size: 20m } } }\n' >compose.yaml
	run compose up -d
	[[ $status != 0 && $output == *"service a: storage_opt: "*"has no project quotas"* ]]
	compose down
	machine_same
	truncate -s 300M disk
	PATH=$PATH:/usr/sbin:/sbin
	mkfs.ext4 -q -O project,quota -E quotatype=prjquota disk
	mkdir m
	mount -o loop,prjquota disk m || skip "this kernel has no project quotas"
	(
		export CTRCOMPOSE_STATE=$PWD/m/state
		world_image
		compose doctor --format json | jq -e '.[] | select(.Name == "project quotas") | .Status == "ok"'
		compose up -d
		run compose exec -T a dd if=/dev/zero of=/tmp/x bs=1M count=40
		[ "$status" != 0 ]
		size=$(compose exec -T a stat -c %s /tmp/x)
		[ "$size" -gt 15000000 ]
		[ "$size" -le 22000000 ]
		compose down -t 0
	)
	eventually 20 umount m # the supervisor has its folder in there until it has gone
	printf 'services: { a: { image: box, storage_opt: { inodes: 5 } } }\n' >compose.yaml
	run compose up -d
	[[ $status != 0 && $output == *"compose.yaml:1:"*"storage_opt: of the options there is size"* ]]
}
