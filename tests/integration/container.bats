#!/usr/bin/env bats
# container.bats - keys of one container: who its process is, its files, its names, its bounds

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

# service KEYS: one service "a" with these keys, in flow style
service() { printf 'services: { a: { image: box, %s } }\n' "$1" >compose.yaml; }
# once KEYS COMMAND...: what the command prints in a container with these keys
once() {
	service "$1"
	compose run --rm -T --quiet a "${@:2}" 2>/dev/null
}
# pid_of SERVICE: as this machine has it
pid_of() { compose inspect "$PROJECT-$1-1" | jq '.[0].State.Pid'; }
# refused KEYS WORDS: it does not start, and the message has the words
refused() {
	service "$1"
	echo 'volumes: { vol: }' >>compose.yaml
	run compose up -d
	[[ "$status" != 0 && "$output" == *"$2"* ]] || { echo "$1: $status: $output"; return 1; }
}

@test "user: names and groups of the image, numbers without an entry; what is none is named" {
	[ "$(once 'user: user' id -u -n)" = user ]
	[ "$(once 'user: user' sh -c 'id -g; id -G; echo $HOME')" = $'1000\n1000 2000\n/' ]
	[ "$(once 'user: "user:extra"' sh -c 'id -u; id -G')" = $'1000\n2000' ]
	[ "$(once 'user: "5000"' sh -c 'id -u; id -G; echo $HOME')" = $'5000\n0\n/' ]
	[ "$(once 'user: "5000:6000"' id -G)" = 6000 ]
	[ "$(once 'user: "0"' sh -c 'echo $HOME')" = /root ]
	refused 'user: nosuch' nosuch
	refused 'user: "user:nosuch"' nosuch
	refused 'user: "4294967296"' 4294967296
	refused 'user: "-1"' -1
	refused 'user: "99999999999999999999"' 99999999999999999999
	refused 'user: "70000"' 70000
}

@test "group_add: names and numbers; a name that the image lacks is named" {
	[ "$(once 'user: "5000", group_add: [extra, "3000"]' id -G)" = "0 2000 3000" ]
	refused 'group_add: [nosuch]' nosuch
	refused 'group_add: ["4294967296"]' 4294967296
}

@test "working_dir is made; hostname, domainname, dns, extra_hosts are in the files" {
	[ "$(once 'working_dir: /made/here' pwd)" = /made/here ]
	[ "$(once 'hostname: me, domainname: example.org' sh -c 'hostname; cat /etc/hostname; hostname -d; cat /proc/sys/kernel/domainname')" = $'me\nme\nexample.org\nexample.org' ]
	[[ "$(once 'hostname: me, domainname: example.org' cat /etc/hosts)" == *$'\tme.example.org me'* ]]
	[[ "$(once 'dns: [192.0.2.1], dns_search: [a.example, b.example], dns_opt: ["ndots:3"]' cat /etc/resolv.conf)" == *"search a.example b.example"*"ndots:3"* ]]
	[[ "$(once 'extra_hosts: ["far=192.0.2.9", "six=::1"]' cat /etc/hosts)" == *$'192.0.2.9\tfar\n::1\tsix'* ]]
	# The gateway of its network; where it has that of the host, the host itself.
	[ "$(once 'extra_hosts: ["up:host-gateway"]' sh -c 'grep -c "^$(ip route | sed -n "s/^default via \([0-9.]*\).*/\1/p")	up$" /etc/hosts')" = 1 ]
	[ "$(once 'network_mode: host, extra_hosts: ["up:host-gateway"]' grep -c '^127.0.0.1	up$' /etc/hosts)" = 1 ]
	[ "$(once 'mac_address: "02:00:00:00:00:07"' cat /sys/class/net/eth0/address)" = 02:00:00:00:00:07 ]
}

@test "create_host_path: a folder that is missing is made for who calls, or refused" {
	service 'volumes: ["./new/deep:/d"]'
	compose up -d
	[ "$(stat -c %u new/deep)" = "$(id -u)" ]
	compose down -t 0
	refused 'volumes: [{ type: bind, source: ./missing, target: /d, bind: { create_host_path: false } }]' missing
	[ ! -e missing ]
}

@test "an empty volume gets what the image has at its place, with owners and modes; nocopy leaves it" {
	printf 'services: { a: { image: box, user: user, volumes: ["vol:/data/seed", { type: volume, source: w, target: /www2/seed, volume: { nocopy: true } }] } }\nvolumes: { vol: , w: }\n' >compose.yaml
	[ "$(compose run --rm -T a stat -c '%u:%g' /data/seed /data/seed/file 2>/dev/null)" = $'1000:1000\n1000:1000' ]
	compose run --rm -T a sh -c 'echo mine >/data/seed/file; ls /www2/seed' 2>/dev/null
	[ "$(compose run --rm -T a cat /data/seed/file 2>/dev/null)" = mine ]
}

@test "targets and folders that are no absolute paths are refused with their place" {
	refused 'volumes: ["vol:rel"]' 'compose.yaml:1:'
	refused 'volumes: ["vol:rel"]' 'not an absolute path'
	refused 'volumes: ["v:/data"]' 'a letter before a colon'
	refused 'volumes: [{ type: tmpfs, target: rel }]' 'not an absolute path'
	refused 'tmpfs: rel' 'not an absolute path'
	refused 'working_dir: rel' 'services.a.working_dir: not an absolute path'
}

@test "tmpfs: size, mode, owner, exec; shm_size; read_only leaves them writable" {
	local out
	out=$(once 'read_only: true, shm_size: 5m, tmpfs: ["/t:size=3m,mode=1770,uid=7,gid=8,noexec"]' sh -c 'stat -c "%a %u:%g" /t; grep -o "noexec" /proc/mounts | head -1; df -k /t /dev/shm | awk "NR>1{print \$2}"; touch /t/x /dev/shm/x; touch /x 2>&1 || true')
	[ "$out" = $'1770 7:8\nnoexec\n3072\n5120\ntouch: /x: Read-only file system' ]
}

@test "secrets and configs: uid, gid, mode of each" {
	echo hidden >s
	printf 'services:\n  a:\n    image: box\n    secrets: [{ source: s, target: one, uid: "7", gid: "8", mode: 0400 }]\n    configs: [{ source: c, target: /etc/two, uid: "9", gid: "10", mode: 0640 }, { source: e }]\nsecrets: { s: { file: ./s } }\nconfigs: { c: { content: "x${NAME}" }, e: { environment: NAME } }\n' >compose.yaml
	export NAME=value
	compose up -d
	[ "$(compose exec -T a sh -c 'stat -c "%a %u:%g" /run/secrets/one /etc/two; cat /run/secrets/one /etc/two; echo; cat /e')" = $'400 7:8\n640 9:10\nhidden\nxvalue\nvalue' ]
	compose exec -T a sh -c 'grep " /run/secrets/one " /proc/mounts' | grep -q "^tmpfs .*ro,"
}

@test "userns_mode: host is without a user namespace of its own; without it, ids are the project's" {
	[ "$(once 'userns_mode: host' cat /proc/self/uid_map | awk '{ print $1, $2 }')" = "0 0" ]
	[ "$(once 'init: false' cat /proc/self/uid_map | awk '{ print $1, ($2 > 0), $3 }')" = "0 1 65536" ]
}

@test "memory: limit, reservation, swap, swappiness are what the group has" {
	service 'mem_limit: 64m, mem_reservation: 32m, memswap_limit: 96m, mem_swappiness: 7'
	compose up -d
	local base
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		base=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of a)/cgroup")
		[ "$(cat "$base/memory.max" "$base/memory.low")" = $'67108864\n33554432' ]
		[ ! -e "$base/memory.swap.max" ] || [ "$(cat "$base/memory.swap.max")" = 33554432 ]
	else
		base=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:[^:]*memory[^:]*://p' "/proc/$(pid_of a)/cgroup")
		[ "$(cat "$base/memory.limit_in_bytes" "$base/memory.soft_limit_in_bytes" "$base/memory.swappiness")" = $'67108864\n33554432\n7' ]
		[ ! -e "$base/memory.memsw.limit_in_bytes" ] || [ "$(cat "$base/memory.memsw.limit_in_bytes")" = 100663296 ]
	fi
	compose down -t 0
	refused 'mem_limit: 64m, memswap_limit: 32m' 'memswap_limit: it is memory and swap together, and less than mem_limit'
	refused 'memswap_limit: 32m' 'mem_limit has to be given'
	refused 'oom_score_adj: 1001' oom_score_adj
	refused 'mem_swappiness: 101' mem_swappiness
}

@test "oom_kill_disable and cpu_rt_*: what cgroup v1 has holds, v2 has neither and says so of the second" {
	local group
	service 'mem_limit: 64m, oom_kill_disable: true'
	compose up -d
	if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
		group=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:[^:]*memory[^:]*://p' "/proc/$(pid_of a)/cgroup")
		grep -qx 'oom_kill_disable 1' "$group/memory.oom_control"
	fi
	compose down -t 0
	service 'scale: 2, cpu_rt_period: 500000, cpu_rt_runtime: 1000'
	if [ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]; then
		compose up -d
		group=/sys/fs/cgroup/cpu$(sed -nE 's/^[0-9]+:([^:]*,)?cpu(,[^:]*)?://p' "/proc/$(pid_of a)/cgroup")
		[ "$(cat "$group/cpu.rt_period_us" "$group/cpu.rt_runtime_us" "$group/../cpu.rt_runtime_us")" = $'500000\n1000\n4000' ]
		chrt -f -p 1 "$(pid_of a)" # which a group without any refuses
		compose up -d --scale a=1
		compose restart -t 0
		compose restart -t 0
		[ "$(cat "$group/cpu.rt_runtime_us")" = 1000 ]
	else
		refused "$(sed 's/.*box, \(.*\) } }/\1/' compose.yaml)" cpu_rt_
	fi
}

@test "volumes: consistency is read and changes nothing" {
	mkdir d && echo bound >d/f
	[ "$(once 'volumes: [{ type: bind, source: ./d, target: /d, consistency: delegated }, "./d:/e:cached"]' cat /d/f /e/f)" = $'bound\nbound' ]
}

@test "security_opt: no-new-privileges holds when it is asked for, and not else" {
	[ "$(once 'security_opt: ["no-new-privileges:true"]' sed -n 's/^NoNewPrivs:[^0-9]*//p' /proc/self/status)" = 1 ]
	[ "$(once 'security_opt: ["no-new-privileges:false"]' sed -n 's/^NoNewPrivs:[^0-9]*//p' /proc/self/status)" = 0 ]
	[ "$(once 'init: false' sed -n 's/^NoNewPrivs:[^0-9]*//p' /proc/self/status)" = 0 ]
	refused 'security_opt: ["seccomp=./nosuch.json"]' nosuch.json
}

has_apparmor() { [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; }

@test "security_opt: an AppArmor profile that is not there is refused before anything starts" {
	local why='this kernel has no AppArmor'
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != N ] || why='AppArmor is switched off in this kernel'
	! has_apparmor || why="no AppArmor profile 'nosuch-$$' is loaded"
	refused "security_opt: [\"apparmor=nosuch-$$\"]" "compose.yaml:1:44: services.a.security_opt: $why"
	[ -z "$(compose ps -a -q)" ]
	refused 'security_opt: ["apparmor="]' 'apparmor= wants the name of a profile'
	refused 'security_opt: ["apparmor=a\nb"]' 'apparmor= wants the name of a profile'
	once 'security_opt: ["apparmor=unconfined"]' true
}

@test "security_opt: an AppArmor profile holds for the program, for exec and for probes" {
	has_apparmor || skip "this kernel has no AppArmor"
	command -v apparmor_parser >/dev/null || skip "no apparmor_parser"
	local name=ctrcompose-test-$$ now='cat /proc/self/attr/apparmor/current' one
	printf 'profile %s flags=(attach_disconnected,mediate_deleted) {\n file,\n capability,\n network,\n signal,\n unix,\n deny /data/** r,\n}\n' "$name" >profile
	apparmor_parser -r -K profile
	cat >compose.yaml <<-YAML
		services:
		  a: &a
		    image: box
		    security_opt: ["apparmor=$name"]
		    command: sh -c '$now >/tmp/now; cat /data/seed/file >/tmp/read; exec sleep 1000'
		    healthcheck: { test: "$now >/tmp/probe", interval: 1s }
		  b: { <<: *a, init: true, user: "1000", cap_drop: [ALL], security_opt: ["apparmor:$name", "no-new-privileges"] }
		  c: { <<: *a, privileged: true, userns_mode: host }
		  d: { <<: *a, pid: host, tty: true }
	YAML
	compose up -d --wait
	for one in a b c d; do
		[ "$(compose exec -T $one cat /tmp/now)" = "$name (enforce)" ]
		[ "$(compose exec -T $one cat /tmp/probe)" = "$name (enforce)" ]
		[ "$(compose exec -T $one $now)" = "$name (enforce)" ]
		[ -z "$(compose exec -T $one cat /tmp/read)" ]
		run compose exec -T $one cat /data/seed/file
		[[ "$status" != 0 && "$output" == *"Permission denied"* ]]
	done
	run -127 compose exec -T a nosuch
	apparmor_parser -R profile
	run compose exec -T a true
	[[ "$status" != 0 && "$output" == *"no AppArmor profile '$name' is loaded"* ]]
}

@test "security_opt: an AppArmor profile holds for steps, hooks and every start, whoever makes it" {
	has_apparmor || skip "this kernel has no AppArmor"
	command -v apparmor_parser >/dev/null || skip "no apparmor_parser"
	local name=ctrcompose-test-$$ now='cat /proc/self/attr/apparmor/current' all
	printf 'profile %s flags=(attach_disconnected,mediate_deleted) {\n file,\n capability,\n network,\n signal,\n unix,\n deny /data/** r,\n}\n' "$name" >profile
	apparmor_parser -r -K profile
	mkdir out
	cat >compose.yaml <<-YAML
		services:
		  a:
		    image: box
		    init: true
		    restart: always
		    security_opt: ["apparmor=$name"]
		    volumes: ["./out:/out"]
		    command: sh -c '$now >>/out/now; exec sleep 1000'
		    healthcheck: { test: "$now >>/out/probe", interval: 1s }
		    pre_start: [{ command: [sh, -c, "$now >>/out/step"] }, { privileged: true, command: [sh, -c, "$now >>/out/step"] }]
		    post_start:
		      - { command: [sh, -c, "$now >>/out/post"] }
		      - { command: [sh, -c, "$now >>/out/post; cat /data/seed/file >>/out/read || true"], privileged: true, user: root }
		    pre_stop: [{ command: [sh, -c, "$now >>/out/stop"] }]
	YAML
	lines() { [ "$(wc -l <"out/$1")" = "$2" ]; }
	compose up -d --wait
	lines step 2
	lines post 2
	lines now 1
	[ "$(compose exec -T --privileged a $now)" = "$name (enforce)" ]
	[ "$(compose run --rm -T --no-deps a sh -c "$now")" = "$name (enforce)" ]
	compose restart a
	lines stop 1
	lines post 4
	lines now 2
	kill -9 "$(pid_of a)" # its policy starts it again
	eventually 20 lines post 6
	lines now 3
	# A supervisor that adopted it, and one that has nothing of the first.
	kill -9 $(family ctrcompose-sup)
	eventually 30 sh -c "[ -n \"\$('$CTRCOMPOSE' ps -q a)\" ]"
	rm out/probe
	eventually 20 test -s out/probe
	kill -9 $(family ctrcompose-keep) $(family ctrcompose-sup)
	compose restart a
	lines stop 2
	lines post 8
	lines now 4
	for all in step post now stop probe; do
		[ "$(sort -u out/$all)" = "$name (enforce)" ] || { echo "$all:"; cat out/$all; return 1; }
	done
	[ ! -s out/read ]
	compose down
	lines stop 3
	apparmor_parser -R profile
}

@test "security_opt: label and a volume's z are checked, and of no effect without SELinux" {
	local label
	for label in user:u role:r type:t level:s0:c1,c2 disable filetype:f nested; do
		[ ! -e /sys/fs/selinux/enforce ] || continue # selinux.bats
		service "security_opt: [\"label=$label\", \"label:$label\"], volumes: [\"./:/z:z\"]"
		compose run --rm -T a true
	done
	for label in type type: x:y ''; do
		refused "security_opt: [\"label=$label\"]" 'label= wants disable, nested, or user'
	done
}

@test "cpus, cpu_shares, cpuset and pids_limit are what the group has" {
	service 'cpus: 0.5, cpu_shares: 512, pids_limit: 77'
	compose up -d
	local pid
	pid=$(pid_of a)
	group() { # CONTROLLER: its folder
		if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
			echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")"
		else
			echo "/sys/fs/cgroup/$1$(sed -nE "s/^[0-9]+:([^:]*,)?$1(,[^:]*)?://p" "/proc/$pid/cgroup")"
		fi
	}
	[ "$(cat "$(group pids)/pids.max")" = 77 ]
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		[ "$(cat "$(group cpu)/cpu.max")" = "50000 100000" ]
	else
		[ "$(cat "$(group cpu)/cpu.cfs_quota_us" "$(group cpu)/cpu.cfs_period_us" "$(group cpu)/cpu.shares")" = $'50000\n100000\n512' ]
	fi
}

@test "exec and probes, with fewer descriptors than the project keeps in sockets" {
	local i
	{
		echo 'services:'
		echo '  a: { image: box, ulimits: { nofile: 8 }, healthcheck: { test: "ulimit -n", interval: 1s, start_interval: 1s } }'
		for i in $(seq 15); do echo "  s$i: { image: box }"; done
	} >compose.yaml
	compose up -d --wait
	run -0 compose exec -T a sh -c 'ulimit -n'
	[ "$output" = 8 ]
	run -0 script -qec "'$CTRCOMPOSE' exec a sh -c 'ulimit -n'" /dev/null
	[[ "$output" == *8* ]] # script types its own end of input
}
