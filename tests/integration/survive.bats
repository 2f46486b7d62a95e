#!/usr/bin/env bats
# survive.bats - SIGKILL of any of our processes at any time loses nothing

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

# kill_supervisor: and wait for the next one
replaced() { local now; now=$(family ctrcompose-sup) && [ -n "$now" ] && [ "$now" != "$1" ]; }
kill_supervisor() {
	local old
	old=$(family ctrcompose-sup)
	kill -9 "$old"
	eventually 20 replaced "$old"
}

@test "the supervisor is killed: containers live on and are adopted" {
	cat >compose.yaml <<-Y
		services:
		  web:
		    image: box
		    command: sh -c 'echo hi >/www/index.html; exec httpd -f -p 80 -h /www'
		    ports: ["18090:80"]
		  b: { image: box, command: sh -c 'while :; do echo tick; sleep 0.1; done' }
	Y
	compose up -d
	ids=$(compose ps -q | sort)
	kill_supervisor
	[ "$(compose ps -q | sort)" = "$ids" ]
	eventually 20 curl -s -o /dev/null http://127.0.0.1:18090/
	compose exec -T b wget -q -O - http://web/ | grep -q hi
	n=$(compose logs --no-log-prefix b | wc -l)
	eventually 20 sh -c "[ \$(\"$CTRCOMPOSE\" logs --no-log-prefix b | wc -l) -gt $((n + 5)) ]"
	compose up -d
	[ "$(compose ps -q | sort)" = "$ids" ]
}

@test "the supervisor is killed: a program at a terminal does not lose it" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, tty: true, stdin_open: true, command: sh -c 'while read -r line; do echo "said \$\$line"; done' }
	Y
	compose up -d
	started=$(compose inspect "$PROJECT-a-1" | jq -r '.[0].State.StartedAt')
	for i in 1 2 3; do
		kill_supervisor
		{ echo "word$i" && sleep 1; } | timeout 0.5 "$CTRCOMPOSE" attach --sig-proxy=false a >out.$i || true
		eventually 20 sh -c "\"$CTRCOMPOSE\" logs --no-log-prefix a | grep -q 'said word$i'"
	done
	[ "$(compose inspect "$PROJECT-a-1" | jq -r '.[0].State.StartedAt')" = "$started" ]
	compose stop -t 0 a # what the store has of it is closed: its network goes with it
	[ "$(compose ps -a --format "{{.State}}")" = exited ]
}

@test "what the first command was told does not stay to be read in the list of processes" {
	echo 'services: { a: { image: box, command: sleep 1000 } }' >compose.yaml
	compose run -d -e PASSWORD=of-$$ a
	for p in supervisor keeper; do
		pgrep -fx "ctrcompose: $p of $PROJECT"
	done
	run ! pgrep -f PASSWORD=of-$$
	kill_supervisor
	pgrep -fx "ctrcompose: supervisor of $PROJECT"
	compose down -t 0 --remove-orphans
}

@test "a container prints and ends while there is no supervisor: its last words are in the log" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, volumes: [".:/p"], command: sh -c "while ! test -e /p/go; do sleep 0.05; done; echo last; echo words >&2; exit 3" }
		  b: { image: box, tty: true, volumes: [".:/p"], command: sh -c "while ! test -e /p/go; do sleep 0.05; done; echo of a terminal; exit 4" }
	Y
	compose up -d
	keeper=$(family ctrcompose-keep)
	a=$(compose inspect "$PROJECT-a-1" | jq -r '.[0].State.Pid')
	b=$(compose inspect "$PROJECT-b-1" | jq -r '.[0].State.Pid')
	kill -STOP "$keeper"
	kill -9 "$(family ctrcompose-sup)"
	touch go
	ended() { ! grep -q 'State:[[:space:]][RSD]' "/proc/$a/status" "/proc/$b/status" 2>/dev/null; }
	eventually 20 ended
	kill -CONT "$keeper"
	eventually 20 sh -c '[ "$("$CTRCOMPOSE" logs --no-log-prefix a | sort | xargs)" = "last words" ]'
	eventually 20 sh -c '[ "$("$CTRCOMPOSE" logs --no-log-prefix b | tr -d "\r")" = "of a terminal" ]'
	[ "$(compose ps -a --format '{{.Service}} {{.ExitCode}}' | sort | xargs)" = "a 3 b 4" ]
	touch again && rm go
	compose up -d
	touch go
	eventually 20 sh -c '[ "$("$CTRCOMPOSE" logs --no-log-prefix a | sort | xargs)" = "last last words words" ]'
}

@test "keeper and supervisor are killed: the next command takes over" {
	printf 'services: { a: { image: box } }\n' >compose.yaml
	compose up -d
	id=$(compose ps -q)
	kill -9 $(family ctrcompose-keep) $(family ctrcompose-sup)
	[ "$(compose ps -q)" = "$id" ]
	compose up -d # nothing to do, but to look after it
	[ "$(compose ps -q)" = "$id" ]
	[ -n "$(family ctrcompose-sup)" ]
	[ -n "$(family ctrcompose-keep)" ]
	compose exec -T a true
}

@test "a container dies while nobody looks: its exit code is known" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, volumes: [".:/p"], command: sh -c "while ! test -e /p/go; do sleep 0.1; done; exit 9" }
	Y
	compose up -d
	sup=$(family ctrcompose-sup)
	kill -STOP "$sup"
	touch go
	sleep 0.5
	kill -9 "$sup"
	eventually 20 sh -c '[ "$("$CTRCOMPOSE" ps -a --format "{{.ExitCode}}")" = 9 ]'
}

@test "the keeper is killed: the supervisor rests, exit codes are known, down does not wait" {
	printf 'services: { a: { image: box, init: true, command: "sleep 1000" }, b: { image: box } }\n' >compose.yaml
	compose up -d
	kill -9 "$(family ctrcompose-keep)"
	sleep 0.2
	sup=$(family ctrcompose-sup)
	before=$(awk '{ print $14 + $15 }' "/proc/$sup/stat")
	sleep 0.5
	[ $(($(awk '{ print $14 + $15 }' "/proc/$sup/stat") - before)) -lt 10 ]
	compose kill -s KILL a
	eventually 20 sh -c '"$CTRCOMPOSE" ps -a --format "{{.Service}} {{.State}}" | grep -qx "a exited"'
	# The kernel tells who isn't the parent since 6.15 only.
	printf '6.15\n%s\n' "$(uname -r)" | sort -CV || skip "exit codes: this kernel tells the parent alone"
	[ "$(compose ps -a --format "{{.Service}} {{.ExitCode}}" | grep ^a)" = "a 137" ]
}

@test "up is killed half way: up again converges, down cleans all" {
	{
		echo services:
		for i in $(seq 12); do echo "  s$i: { image: box }"; done
	} >compose.yaml
	for delay in 0.01 0.02 0.04 0.08; do
		"$CTRCOMPOSE" up -d >/dev/null 2>&1 3>&- &
		sleep $delay
		kill -9 $! || true
		wait $! || true
	done
	compose up -d
	[ "$(compose ps -q | wc -l)" = 12 ]
}

@test "everything is killed: down leaves nothing" {
	printf 'services: { a: { image: box, ports: ["18091:80"] }, b: { image: box } }\nvolumes: { vol: }\n' >compose.yaml
	compose up -d
	pids=$(compose top 2>/dev/null | awk '$2 ~ /^[0-9]+$/ { print $2 }')
	kill -9 $(family ctrcompose-keep) $(family ctrcompose-sup) $pids
	compose down -t 0
	machine_same
}
