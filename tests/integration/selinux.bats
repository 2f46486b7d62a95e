#!/usr/bin/env bats
# selinux.bats - labels of containers, where SELinux is on and the policy has labels for them. What a
# policy keeps apart is only seen where it is enforced.
load lib.bash

setup_file() {
	[ -e /sys/fs/selinux/enforce ] || return 0
	world_open
}
teardown_file() {
	[ -e /sys/fs/selinux/enforce ] || return 0
	world_close
}
setup() {
	[ -e /sys/fs/selinux/enforce ] || skip "SELinux is off"
	"$CTRCOMPOSE" doctor | grep -q '^ok .*SELinux' || skip "this host's policy has no labels for containers, or not for us"
	project_open
	PROCESS=$(policy process) FILE=$(policy file)
}
teardown() {
	[ -n "${PROJECT:-}" ] || return 0
	project_close
}

# The label of a process or a file in lxc_contexts, up to the level: user:role:type
policy() {
	local type
	type=$(sed -n 's/^SELINUXTYPE=//p' /etc/selinux/config)
	sed -n "s/^$1 *= *\"\(.*\):s0\"/\1/p" "/etc/selinux/$type/contexts/lxc_contexts"
}
enforcing() { [ "$(cat /sys/fs/selinux/enforce)" = 1 ]; }
pid_of() { compose inspect --format '{{.State.Pid}}' "$PROJECT-$1-1"; }
label_of() { tr -d '\0\n' <"/proc/$(pid_of "$1")/attr/current"; }
file_label() { stat -c %C "$1"; }
inside() { file_label "/proc/$(pid_of "$1")/root$2"; } # SERVICE PATH
level_of() { label_of "$1" | cut -d: -f4-; }
refused() { # SERVICE-KEYS WORDS: up says so by place and makes nothing
	echo "services: { a: { image: box, $1 } }" >compose.yaml
	run compose up -d
	[[ "$status" != 0 && "$output" == *"compose.yaml:1:"*"$2"* ]] || { echo "$output"; return 1; }
	[ -z "$(compose ps -a -q)" ]
}

@test "selinux: program, exec and probe have one label with two categories of its own" {
	cat >compose.yaml <<-YAML
		services:
		  a:
		    image: box
		    command: sh -c 'cat /proc/self/attr/current >/tmp/now; exec sleep 1000'
		    healthcheck: { test: "cat /proc/self/attr/current >/tmp/probe", interval: 1s }
		    post_start: [ { command: [ sh, -c, "cat /proc/self/attr/current >/tmp/hook" ] } ]
		  b: { image: box, init: true, user: "1000", cap_drop: [ALL], security_opt: [no-new-privileges] }
		  c: { image: box, tty: true, read_only: true }
	YAML
	compose up -d --wait
	local label one
	label=$(label_of a)
	[[ "$label" =~ ^"$PROCESS":s0:c[0-9]+,c[0-9]+$ ]]
	for one in /tmp/now /tmp/probe /tmp/hook /proc/self/attr/current; do
		[ "$(compose exec -T a cat $one | tr -d '\0')" = "$label" ]
	done
	[ "$(compose inspect --format '{{.ProcessLabel}}' "$PROJECT-a-1")" = "$label" ]
	[ "$(compose inspect --format '{{.MountLabel}}' "$PROJECT-a-1")" = "$FILE:$(level_of a)" ]
	# PID 1, which is ours, and what it has started
	[ "$(label_of b)" = "$PROCESS:$(level_of b)" ]
	[ "$(compose exec -T b cat /proc/2/attr/current | tr -d '\0')" = "$(label_of b)" ]
	[ "$(label_of c)" = "$PROCESS:$(level_of c)" ]
	[ "$(printf '%s\n' "$(level_of a)" "$(level_of b)" "$(level_of c)" | sort -u | wc -l)" = 3 ]
	run -127 compose exec -T b nosuch
}

@test "selinux: what a container writes and says, with and without init, arrives" {
	cat >compose.yaml <<-YAML
		services:
		  a: { image: box, command: sh -c 'echo out; echo err >&2; exec sleep 1000' }
		  b: { image: box, init: true, command: sh -c 'echo out; echo err >&2; exec sleep 1000' }
		  c: { image: box, init: true, command: [ nosuch ] }
	YAML
	compose up -d a b
	local one
	for one in a b; do
		eventually 20 eval "[ \"\$(compose logs --no-log-prefix $one | sort)\" = \$'err\\nout' ]"
	done
	run compose up -d c
	[[ "$status" != 0 && "$output" == *nosuch* ]]
	[ "$(echo word | compose run --rm -T a cat)" = word ]
}

@test "selinux: root, memory, terminals and files of its own have its file label, a volume the shared one" {
	echo text >secret
	cat >compose.yaml <<-YAML
		services:
		  a: &a
		    image: box
		    tmpfs: [ /t ]
		    secrets: [ s ]
		    volumes: [ "vol:/vol", "/anon", { type: image, source: box, target: /img } ]
		  b: { <<: *a, userns_mode: host }
		secrets: { s: { file: ./secret } }
		volumes: { vol: }
	YAML
	compose up -d
	local path one own
	for one in a b; do
		own=$FILE:$(level_of $one)
		for path in / /bin/busybox /t /dev /dev/null /dev/shm /dev/mqueue /dev/pts /etc/hosts /run/secrets/s /img /img/bin/busybox; do
			[ "$(inside $one $path)" = "$own" ] || { echo "$one $path $(inside $one $path)"; false; }
		done
		for path in /vol /anon; do
			[ "$(inside $one $path)" = "$FILE:s0" ]
		done
		compose exec -T $one sh -c 'cat /run/secrets/s /etc/hosts /img/data/seed/file && echo $0 >/made && echo $0 >/vol/$0 && echo >/dev/shm/x && ls -l /dev/mqueue && echo >/dev/null' $one
		[ "$(inside $one /made)" = "$own" ]
	done
	[ "$(compose exec -T a cat /vol/a /vol/b)" = $'a\nb' ]
	[ "$(compose exec -T b cat /vol/a /vol/b)" = $'a\nb' ]
	[ ! -e "/proc/$(pid_of a)/root/sys/fs/selinux/enforce" ]
}

@test "selinux: Z is one container's, z everybody's, without either nothing is touched" {
	mkdir -p mine/sub ours theirs
	echo mine >mine/sub/f
	echo ours >ours/f
	echo theirs >theirs/f
	ln -s /etc/passwd mine/link
	mkfifo mine/fifo
	cat >compose.yaml <<-YAML
		services:
		  a: { image: box, volumes: [ "./mine:/mine:Z", "./ours:/ours:z", "./theirs:/theirs" ] }
		  b: { image: box, volumes: [ "./ours:/ours:ro,z", "./mine:/mine" ] }
	YAML
	local before passwd own path
	before=$(file_label theirs/f) passwd=$(file_label /etc/passwd)
	compose up -d
	own=$FILE:$(level_of a)
	for path in mine mine/sub mine/sub/f mine/link mine/fifo; do
		[ "$(file_label $path)" = "$own" ]
	done
	[ "$(file_label ours)" = "$FILE:s0" ]
	[ "$(file_label ours/f)" = "$FILE:s0" ]
	[ "$(file_label theirs/f)" = "$before" ]
	[ "$(file_label /etc/passwd)" = "$passwd" ]
	[ "$(compose exec -T a cat /mine/sub/f /ours/f)" = $'mine\nours' ]
	[ "$(compose exec -T b cat /ours/f)" = ours ]
	compose exec -T a sh -c 'echo new >/mine/new; echo new >/ours/new'
	[ "$(compose exec -T b cat /ours/new)" = new ]
	if enforcing; then
		run compose exec -T b cat /mine/sub/f
		[[ "$status" != 0 && "$output" == *"Permission denied"* ]]
		run compose exec -T a cat /theirs/f
		[[ "$status" != 0 && "$output" == *"Permission denied"* ]]
	fi
}

@test "selinux: mounts below a folder keep their labels" {
	mkdir -p d/m
	mount -t tmpfs tmpfs d/m
	echo x >d/m/f
	echo y >d/f
	local before
	before=$(file_label d/m/f)
	touch d/file
	mount --bind d/m/f d/file
	echo 'services: { a: { image: box, volumes: [ "./d:/d:Z" ] } }' >compose.yaml
	compose up -d
	[ "$(file_label d/f)" = "$FILE:$(level_of a)" ]
	[ "$(file_label d/m)" = "$before" ]
	[ "$(file_label d/m/f)" = "$before" ]
	compose down -t 0
	umount d/file d/m
}

@test "selinux: folders of the host are not relabelled, also by a link" {
	local one before
	before=$(file_label /etc)$(file_label /usr)
	for one in / /etc /usr /home /root /var /var/lib; do
		refused "volumes: [ \"$one:/x:Z\" ]" "services.a.volumes[0].bind.selinux: SELinux labels of $one are not changed"
		refused "volumes: [ \"$one:/x:z\" ]" "services.a.volumes[0].bind.selinux: SELinux labels of $one are not changed"
	done
	ln -s /etc link
	echo 'services: { a: { image: box, volumes: [ "./link:/x:z" ] } }' >compose.yaml
	run compose up -d
	[[ "$status" != 0 && "$output" == *"SELinux labels of /etc are not changed"* ]]
	[ "$(file_label /etc)$(file_label /usr)" = "$before" ]
}

@test "selinux: label= chooses parts, disable does without, what the policy does not have is refused by place" {
	local own
	own=$(tr -d '\0\n' </proc/self/attr/current)
	cat >compose.yaml <<-YAML
		services:
		  level: { image: box, security_opt: [ "label=level:s0:c7,c8" ] }
		  old: { image: box, security_opt: [ "label:level:s0:c7,c8" ] }
		  off: { image: box, security_opt: [ label=disable ] }
		  priv: { image: box, privileged: true, userns_mode: host }
		  pid: { image: box, pid: host }
		  asked: { image: box, pid: host, security_opt: [ "label=level:s0:c9,c10" ] }
		  ipc: { image: box, ipc: "service:level" }
		  nested: { image: box, security_opt: [ label=nested ] }
	YAML
	compose up -d
	[ "$(label_of level)" = "$PROCESS:s0:c7,c8" ]
	[ "$(inside level /)" = "$FILE:s0:c7,c8" ]
	[ "$(label_of old)" = "$PROCESS:s0:c7,c8" ]
	[ "$(label_of asked)" = "$PROCESS:s0:c9,c10" ]
	[ "$(label_of ipc)" = "$(label_of level)" ]
	local one
	for one in off priv pid; do
		[[ "$(label_of $one)" != "$PROCESS"* ]]
		[ "$(inside $one /)" = "$FILE:s0:c1022,c1023" ]
		[ -z "$(compose inspect --format '{{.ProcessLabel}}' "$PROJECT-$one-1")" ]
	done
	[[ "$(label_of nested)" = "$PROCESS:s0:c"* ]]
	[ -e "/proc/$(pid_of nested)/root/sys/fs/selinux/enforce" ]
	[ ! -e "/proc/$(pid_of level)/root/sys/fs/selinux/enforce" ]
	compose down -t 0
	refused 'security_opt: [ "label=level:s0:c1,c2", "label=type:nosuch_t" ]' "services.a.security_opt[1]: this host's SELinux policy does not have the label"
	refused 'security_opt: [ "label=user:nosuch_u" ]' "services.a.security_opt[0]: this host's SELinux policy does not have the label"
	refused 'security_opt: [ "label=level:s0:c4000" ]' 'services.a.security_opt[0]'
	refused 'security_opt: [ "label=filetype:nosuch_t" ]' 'services.a.security_opt[0]'
	refused 'security_opt: [ "label=type:a:b" ]' "is not an SELinux label"
}

@test "selinux: the label stays over a restart, a kill of supervisor and keeper, and a stop" {
	echo 'services: { a: { image: box, restart: always, healthcheck: { test: "true", interval: 1s } } }' >compose.yaml
	compose up -d
	local label before
	label=$(label_of a)
	compose restart -t 0
	[ "$(label_of a)" = "$label" ]
	kill -9 "$(family ctrcompose-sup)"
	[ "$(compose exec -T a cat /proc/self/attr/current | tr -d '\0')" = "$label" ]
	compose up -d --wait
	[ "$(label_of a)" = "$label" ]
	kill -9 "$(family ctrcompose-keep)" "$(family ctrcompose-sup)"
	compose restart -t 0
	[ "$(label_of a)" = "$label" ]
	before=$(pid_of a)
	kill -9 "$before"
	eventually 30 eval "[ \"\$(pid_of a)\" != $before ] && [ \"\$(pid_of a)\" != 0 ]"
	[ "$(label_of a)" = "$label" ]
	[ "$(compose inspect --format '{{.ProcessLabel}}' "$PROJECT-a-1")" = "$label" ]
	compose stop -t 0
	compose start
	[ "$(label_of a)" = "$label" ]
}

@test "selinux: a container does not reach processes and files of the other" {
	enforcing || skip "SELinux is not enforced"
	cat >compose.yaml <<-YAML
		services:
		  a: { image: box, command: sh -c 'echo x >/tmp/f; exec sleep 1000' }
		  b: { image: box, security_opt: [ "label=level:s0:c5,c6" ] }
		  c: { image: box, security_opt: [ "label=level:s0:c5,c6" ] }
	YAML
	compose up -d
	# Whatever descriptor or path may lead there: another level may not even look.
	[ "$(runcon "$(label_of c)" cat "/proc/$(pid_of b)/attr/current" 2>/dev/null | tr -d '\0')" = "" ] || true
	mkdir other
	echo other >other/f
	chcon -R "$FILE:s0:c5,c6" other
	cat >compose.yaml <<-YAML
		services:
		  a: { image: box, volumes: [ "./other:/other" ] }
		  b: { image: box, volumes: [ "./other:/other" ], security_opt: [ "label=level:s0:c5,c6" ] }
	YAML
	compose up -d --remove-orphans
	[ "$(compose exec -T b cat /other/f)" = other ]
	run compose exec -T a cat /other/f
	[[ "$status" != 0 && "$output" == *"Permission denied"* ]]
}

@test "selinux: builds run as containers do" {
	mkdir src
	echo word >src/f
	cat >Dockerfile <<-'DOCKER'
		FROM box
		COPY src/f /f
		RUN cat /proc/self/attr/current >/label && cat /f >/g
		RUN --mount=type=bind,source=src,target=/b --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --mount=type=secret,id=s,target=/s cat /b/f /s >/h && echo >/c/x && echo >/t/x
		RUN <<EOF
		#!/bin/sh
		cat /proc/self/attr/current >/doc
		EOF
	DOCKER
	echo secret >secret
	cat >compose.yaml <<-YAML
		services: { a: { build: { context: ., secrets: [ s ] } } }
		secrets: { s: { file: ./secret } }
	YAML
	compose up -d
	[[ "$(compose exec -T a cat /label | tr -d '\0')" =~ ^"$PROCESS":s0:c[0-9]+,c[0-9]+$ ]]
	[ "$(compose exec -T a cat /label | tr -d '\0')" = "$(compose exec -T a cat /doc | tr -d '\0')" ]
	[ "$(compose exec -T a cat /g /h)" = $'word\nword\nsecret' ]
	compose down -t 0 --rmi all
}

@test "selinux: where our domain may not, containers run without, and say so when asked" {
	local other
	! enforcing || skip "SELinux is enforced: another domain may not do what else is needed"
	other=$(tr -d '\0\n' </proc/self/attr/current | sed 's/:[^:]*_t:/:initrc_t:/')
	runcon "$other" true 2>/dev/null || skip "no other domain to try"
	! runcon "$other" "$CTRCOMPOSE" doctor | grep -q '^ok .*SELinux' || skip "that domain may"
	runcon "$other" "$CTRCOMPOSE" doctor | grep -q '^limited .*SELinux .*enabled'
	echo 'services: { a: { image: box } }' >compose.yaml
	runcon "$other" "$CTRCOMPOSE" up -d
	[[ "$(label_of a)" != "$PROCESS"* ]]
	runcon "$other" "$CTRCOMPOSE" down -t 0
	echo 'services: { a: { image: box, security_opt: [ "label=level:s0:c1,c2" ] } }' >compose.yaml
	run runcon "$other" "$CTRCOMPOSE" up -d
	[[ "$status" != 0 && "$output" == *"compose.yaml:1:"*"security_opt[0]: containers get no SELinux labels"* ]]
}
