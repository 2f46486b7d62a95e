#!/usr/bin/env bats
# state.bats - a machine that lost power, broken records, and too little of everything

load ../integration/lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() {
	project_open
	printf 'services: { a: { image: box, init: true }, b: { image: box, init: true } }\n' >compose.yaml
}
teardown() { project_close; }

family() {
	local p
	for p in /proc/[0-9]*; do
		[ "$(cat "$p/comm" 2>/dev/null)" = "$1" ] &&
			ls -l "$p/fd" 2>/dev/null | grep -qF "$CTRCOMPOSE_RUN/$PROJECT/" && echo "${p#/proc/}"
	done
	return 0
}
gone() { # PID...
	local p
	for p; do [ ! -e "/proc/$p" ] || return 1; done
}
record() { echo "$CTRCOMPOSE_STATE/projects/$PROJECT/state.json"; }

@test "after a reboot: records of another boot are believed for what they are" {
	compose up -d
	pids=$(compose top | awk 'NR > 1 { print $4 }')
	kill -9 $(family ctrcompose-keep) $(family ctrcompose-sup) $pids
	eventually 20 gone $pids # also as zombies, which have lost their keeper
	eventually 20 sh -c "! ip -o link | grep -q ': cv'" || true
	rm -rf "$CTRCOMPOSE_RUN/$PROJECT"
	ip -o link | awk -F ': ' '$2 ~ /^cc-/ { print $2 }' | xargs -r -n1 ip link del
	echo 00000000-1111-2222-3333-444444444444 >boot
	mount --bind boot /proc/sys/kernel/random/boot_id
	[ -z "$(compose ps -q)" ]
	[ "$(compose ps -a -q | wc -l)" = 2 ]
	umount /proc/sys/kernel/random/boot_id # over it, the kernel lets no container mount its /proc
	compose up -d
	[ "$(compose ps -q | wc -l)" = 2 ]
}

@test "start --boot brings back what its restart policy says, after a crash and after stop --boot" {
	cat >compose.yaml <<-'Y'
		services:
		  always: { image: box, init: true, restart: always }
		  unless: { image: box, init: true, restart: unless-stopped }
		  halted: { image: box, init: true, restart: unless-stopped }
		  failed: { image: box, init: true, restart: on-failure }
		  plain: { image: box, init: true }
	Y
	compose up -d
	compose stop -t 0 halted
	pids=$(compose top | awk 'NR > 1 { print $4 }')
	kill -9 $(family ctrcompose-keep) $(family ctrcompose-sup) $pids
	eventually 20 gone $pids # also as zombies, which have lost their keeper
	rm -rf "$CTRCOMPOSE_RUN/$PROJECT"
	cd /
	compose -p "$PROJECT" start --boot
	[ "$(compose -p "$PROJECT" ps --services | sort | tr '\n' ' ')" = "always failed unless " ]
	compose -p "$PROJECT" start plain
	compose -p "$PROJECT" stop --boot -t 0
	[ -z "$(compose -p "$PROJECT" ps -q)" ]
	compose -p "$PROJECT" start --boot
	compose -p "$PROJECT" ps --services | grep -qx unless
	run ! sh -c "'$CTRCOMPOSE' -p '$PROJECT' ps --services | grep -x -e plain -e halted"
	compose -p "$PROJECT" stop -t 0 always unless
	compose -p "$PROJECT" start --boot
	compose -p "$PROJECT" ps --services | grep -qx always
	run ! sh -c "'$CTRCOMPOSE' -p '$PROJECT' ps --services | grep -x unless"
	cd "$OLDPWD"
}

@test "a record that is cut, flipped, empty or newer: named, and nothing is changed" {
	compose up -d
	cp "$(record)" good
	for how in cut flip empty newer; do
		case $how in
		cut) head -c 100 good >"$(record)" ;;
		flip) sed 's/{/[/' good >"$(record)" ;;
		empty) : >"$(record)" ;;
		newer) sed 's/"version":[0-9]*/"version":9999/' good >"$(record)" ;;
		esac
		cp "$(record)" bad
		run ! timeout 20 "$CTRCOMPOSE" ps
		[[ "$output" == *"state.json"* ]]
		run ! timeout 20 "$CTRCOMPOSE" up -d
		[[ "$output" == *"state.json"* ]]
		cmp bad "$(record)"
	done
	cp good "$(record)"
	[ "$(compose ps -q | wc -l)" = 2 ]
}

@test "64 descriptors are too few for many services, and the limit is said or raised" {
	{
		echo services:
		for i in $(seq 30); do echo "  s$i: { image: box, init: true }"; done
	} >compose.yaml
	(ulimit -Sn 64 && timeout 60 "$CTRCOMPOSE" up -d)
	[ "$(compose ps -q | wc -l)" = 30 ]
	compose down -t 0
	run timeout 60 bash -c "ulimit -n 64; '$CTRCOMPOSE' up -d"
	[ "$status" = 0 ] || [[ "$output" == *"open files"* ]]
	compose down -t 0
}

@test "a full disk and a read-only one: an error that says so, nothing half made" {
	small=$BATS_TEST_TMPDIR/small
	mkdir "$small" && mount -t tmpfs -o size=3m,mode=711 none "$small"
	save=$CTRCOMPOSE_STATE
	cp -a "$save/images" "$save/layers" "$small/"
	export CTRCOMPOSE_STATE=$small
	head -c 10m /dev/zero >"$small/fill" 2>/dev/null || true
	run ! timeout 30 "$CTRCOMPOSE" up -d
	[[ "$output" == *"No space left"* ]]
	rm "$small/fill"
	compose up -d
	compose down -t 0
	eventually 20 mount -o remount,ro "$small" # the supervisor is on its way out
	run ! timeout 30 "$CTRCOMPOSE" up -d
	[[ "$output" == *"Read-only"* ]]
	umount "$small"
	export CTRCOMPOSE_STATE=$save
}

@test "a service that is stopped by SIGSTOP is taken down all the same" {
	compose up -d
	kill -STOP $(compose top | awk 'NR > 1 { print $4 }')
	SECONDS=0
	compose down -t 1
	[ $SECONDS -lt 60 ]
}
