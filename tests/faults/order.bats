#!/usr/bin/env bats
# order.bats - what comes at an unlucky moment: an end that nobody saw, a client that goes or stands still,
# a kill, a pause, a step that fails half way

load ../integration/lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() {
	[ -z "${GROUP:-}" ] || echo max >"$GROUP/pids.max"
	project_close
	[ -z "${GROUP:-}" ] || eventually 20 rmdir "$GROUP"
}

no_family() { [ -z "$(family ctrcompose-sup)$(family ctrcompose-keep)" ]; }
is() { # SERVICE STATE
	[ "$("$CTRCOMPOSE" ps -a --format '{{.State}}' "$1")" = "$2" ]
}
starts() { grep -c '"action":"start"' "$CTRCOMPOSE_STATE/projects/$PROJECT/events"; }
first_process() { "$CTRCOMPOSE" inspect -f '{{.State.Pid}}' "$PROJECT-$1-1"; }
fds() { ls "/proc/$1/fd" | wc -l; }
gone() { [ ! -e "/proc/$1" ]; }

@test "a container that ends while there is no supervisor is started again, as its policy says" {
	local sup pid who
	cat >compose.yaml <<-'Y'
		services:
		  always: { image: box, init: true, restart: always }
		  never: { image: box, init: true }
	Y
	compose up -d
	sup=$(family ctrcompose-sup)
	kill -STOP "$sup"
	for who in always never; do
		pid=$(first_process $who)
		kill -9 "$pid"
		eventually 20 gone "$pid"
	done
	kill -9 "$sup"
	eventually 30 is never exited
	[ "$(compose ps -a --format '{{.ExitCode}}' never)" = 137 ]
	eventually 30 is always running
	[ "$(first_process always)" != "$pid" ]
	grep -q '"action":"die".*never' "$CTRCOMPOSE_STATE/projects/$PROJECT/events"
}

@test "who looks just after an end hears what the supervisor makes of it: why, and that it starts again" {
	local sup pid
	cat >compose.yaml <<-'Y'
		services:
		  again: { image: box, init: true, restart: always }
		  bomb: { image: box, mem_limit: 32m, command: "sh -c 'until [ -e /tmp/go ]; do usleep 1000; done; exec tail /dev/zero'" }
	Y
	compose up -d
	sup=$(family ctrcompose-sup)
	pid=$(first_process again)
	kill -STOP "$sup"
	kill -9 "$pid"
	eventually 20 gone "$pid"
	(sleep 0.1 && kill -CONT "$sup") 3>&- &
	run -0 compose ps -a --format '{{.State}}' again
	wait $!
	[ "$output" != exited ]
	compose exec -T bomb touch /tmp/go
	until is bomb exited; do :; done
	[[ "$(compose ps -a bomb)" == *OOM-killed* ]]
	[ "$(compose inspect -f '{{.State.OOMKilled}}' "$PROJECT-bomb-1")" = true ]
}

@test "down while the family is between two supervisors, and a container has just ended" {
	local keeper pid kills
	printf 'services: { a: { image: box, init: true, restart: always } }\n' >compose.yaml
	compose up -d
	keeper=$(family ctrcompose-keep)
	pid=$(first_process a)
	kill_supervisor() { pkill -KILL -P "$keeper" -x ctrcompose-sup; }
	for kills in 1 2 3 4; do # the keeper waits longer each time
		eventually 30 kill_supervisor
	done
	kill -9 "$pid"
	compose down -t 0
}

@test "no process can be made when the supervisor dies: it is started again when one can" {
	local keeper group
	group=/sys/fs/cgroup/pids/$(basename "$CTRCOMPOSE_RUN")
	mkdir "$group" 2>/dev/null || skip "needs the pids controller of cgroup v1, which takes any process"
	GROUP=$group
	printf 'services: { a: { image: box, init: true, restart: always } }\n' >compose.yaml
	compose up -d
	keeper=$(family ctrcompose-keep)
	echo "$keeper" >"$GROUP/cgroup.procs"
	echo 1 >"$GROUP/pids.max"
	kill -9 "$(family ctrcompose-sup)"
	eventually 30 grep -q 'starting it: Resource' "$CTRCOMPOSE_STATE/projects/$PROJECT/supervisor.log"
	echo max >"$GROUP/pids.max"
	eventually 30 pgrep -P "$keeper" -x ctrcompose-sup # it waits longer after each try
}

@test "a stop whose client is killed: the family ends with the last container" {
	local client
	printf 'services: { a: { image: box, stop_grace_period: 2s, command: sh -c "trap true TERM; while true; do sleep 1; done" } }\n' >compose.yaml
	compose up -d
	"$CTRCOMPOSE" stop >stopping 2>&1 3>&- &
	client=$!
	eventually 20 grep -q Stopping stopping
	kill -9 $client
	eventually 30 is a exited
	eventually 20 no_family
}

@test "a client that stands still holds up neither down nor the next up" {
	local client
	printf 'services: { a: { image: box, init: true, logging: { driver: none }, command: sh -c "echo here; sleep 1000" } }\n' >compose.yaml
	"$CTRCOMPOSE" up >shown 2>&1 3>&- &
	client=$!
	eventually 30 grep -q here shown
	kill -STOP $client
	compose down -t 1
	eventually 20 no_family
	compose up -d
	kill -9 $client
	is a running
}

@test "who listened and went leaves nothing in the supervisor, however silent the container is" {
	local sup before who
	printf 'services: { a: { image: box, init: true, logging: { driver: none } }, t: { image: box, tty: true } }\n' >compose.yaml
	compose up -d
	sup=$(family ctrcompose-sup)
	before=$(fds "$sup")
	has_more() { [ "$(fds "$sup")" -ge $((before + $1)) ]; }
	has_as_before() { [ "$(fds "$sup")" -le "$before" ]; }
	for who in a:5 t:2; do # its connection, and what it is heard by
		"$CTRCOMPOSE" attach --no-stdin --sig-proxy=false ${who%:*} >/dev/null 2>&1 3>&- &
		eventually 20 has_more ${who#*:}
		kill -9 $!
		eventually 20 has_as_before
	done
}

@test "killed by a person: no policy brings it back, a start does" {
	printf 'services: { a: { image: box, init: true, restart: always }, b: { image: box, restart: unless-stopped, stop_signal: USR1, command: sh -c "trap \\"exit 3\\" USR1; echo ready; while true; do sleep 0.1; done" } }\n' >compose.yaml
	compose up -d
	eventually 20 sh -c '"$CTRCOMPOSE" logs b | grep -q ready'
	compose kill a
	compose kill -s USR1 b
	eventually 20 is a exited
	eventually 20 is b exited
	eventually 20 no_family # nobody waits to start them
	[ "$(starts)" = 2 ]
	compose start
	kill -9 "$(first_process a)" # nobody asked for this one
	eventually 20 is a running
	eventually 20 sh -c '[ "$(grep -c "\"action\":\"start\"" "$1")" = 5 ]' - "$CTRCOMPOSE_STATE/projects/$PROJECT/events"
}

@test "on-failure:N counts from the start that a person asked for" {
	printf 'services: { a: { image: box, restart: "on-failure:2", command: sh -c "exit 5" } }\n' >compose.yaml
	compose up -d
	eventually 30 no_family
	[ "$(starts)" = 3 ]
	compose start
	eventually 30 no_family
	[ "$(starts)" = 6 ]
}

@test "a probe that a pause catches is no failure" {
	mkdir d
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    volumes: [./d:/d]
		    healthcheck: { test: "n=$$(cat /d/n); touch /d/began$$n; until [ -e /d/go$$n ]; do sleep 0.05; done", interval: 100ms, timeout: 1s, retries: 1 }
	Y
	touch d/go1 d/go3
	echo 1 >d/n
	compose up -d --wait
	echo 2 >d/n # one that will not end by itself
	eventually 20 test -e d/began2
	compose pause
	echo 3 >d/n
	compose unpause
	eventually 20 test -e d/began3
	compose up -d --wait
	not grep unhealthy "$CTRCOMPOSE_STATE/projects/$PROJECT/events"
}

@test "what the supervisor says is bounded" {
	local log=$CTRCOMPOSE_STATE/projects/$PROJECT/supervisor.log
	printf 'services: { a: { image: box, init: true } }\n' >compose.yaml
	compose up -d
	head -c 1100000 /dev/zero | tr '\0' '\n' >>"$log"
	echo said before >>"$log"
	is_short() { [ "$(stat -c %s "$log")" -lt 1000000 ] && grep -q 'said before' "$log.1"; }
	compose restart -t 0 a
	eventually 20 is_short
	kill -9 "$(family ctrcompose-sup)"
	eventually 20 grep -qa 'starting it again' "$log" # the keeper's word is after it, not far behind
	[ "$(stat -c %s "$log")" -lt 1000000 ]
}

@test "the patience of one stop is not that of the next" {
	mkdir d
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    volumes: [./d:/d]
		    command: sh -c "trap 'touch /d/asked; exit' TERM; touch /d/ready; while true; do sleep 0.1; done"
		    post_start: [{ command: [sh, -c, "until [ -e /d/ready ]; do sleep 0.05; done; test ! -e /d/fail"] }]
	Y
	compose up -d
	rm d/ready
	touch d/fail
	run -1 compose restart -t 0 a
	[ -e d/asked ]
}

@test "a project whose plan is megabytes long" {
	{
		echo services:
		for i in $(seq 12); do
			printf '  s%s:\n    image: box\n    init: true\n    network_mode: none\n    environment:\n' $i
			for k in $(seq 10); do printf '      V%s: "%s"\n' $k "$(printf '%010000d' 0)"; done
		done
	} >compose.yaml
	compose up -d
	[ "$(compose ps -q | wc -l)" = 12 ]
}

@test "a container that can't be made again: what its anonymous volume holds is there for the next one" {
	file() { # COMMAND ADDRESS
		cat >compose.yaml <<-Y
			services:
			  a: { image: box, init: true, command: "$1", volumes: [/mine], networks: { n: { ipv4_address: $2 } } }
			  b: { image: box, init: true, networks: [n] }
			networks: { n: { ipam: { config: [{ subnet: 10.213.7.0/24 }] } } }
		Y
	}
	file "sleep 1000" 10.213.7.9
	compose up -d
	compose exec -T a sh -c 'echo dear >/mine/file'
	file "sleep 1001" 10.213.8.9
	run -1 compose up -d
	[[ $output == *"not a host of its subnet"* ]]
	file "sleep 1001" 10.213.7.9
	compose up -d
	[ "$(compose exec -T a cat /mine/file)" = dear ]
}
