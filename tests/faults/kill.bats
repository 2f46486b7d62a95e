#!/usr/bin/env bats
# kill.bats - SIGKILL at random points, FAULT_ROUNDS times each: containers live on, `up` converges,
# `down` leaves nothing. `make test-faults` does many rounds, `make test` a few.

load ../integration/lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() {
	project_open
	ROUNDS=${FAULT_ROUNDS:-4}
	{
		echo services:
		for i in $(seq 8); do echo "  s$i: { image: box, init: true, ports: [\"$((19000 + i)):80\"] }"; done
	} >compose.yaml
}
teardown() { project_close; }

family() { # ctrcompose-sup | ctrcompose-keep
	local p
	for p in /proc/[0-9]*; do
		[ "$(cat "$p/comm" 2>/dev/null)" = "$1" ] &&
			ls -l "$p/fd" 2>/dev/null | grep -qF "$CTRCOMPOSE_RUN/$PROJECT/" && echo "${p#/proc/}"
	done
	return 0
}
pause() { sleep "0.$(printf %03d $((RANDOM % $1)))"; }
in_background() { timeout 60 "$CTRCOMPOSE" "$@" >/dev/null 2>&1 3>&- & }

kill_during() { # whom... : during `up`, then everything must come right
	local i c victims
	for i in $(seq "$ROUNDS"); do
		in_background up -d
		c=$!
		pause 150
		victims=
		for v; do
			case $v in
			client) victims="$victims $(pgrep -P $c || true)" ;;
			*) victims="$victims $(family "$v")" ;;
			esac
		done
		[ -z "${victims// /}" ] || kill -9 $victims 2>/dev/null || true
		wait $c || true
		timeout 60 "$CTRCOMPOSE" up -d
		[ "$(compose ps -q | wc -l)" = 8 ]
		timeout 60 "$CTRCOMPOSE" down -t 0
		machine_same
	done
}

@test "the client, during up" { kill_during client; }
@test "the supervisor, during up" { kill_during ctrcompose-sup; }
@test "the keeper, during up" { kill_during ctrcompose-keep; }
@test "all of them, during up" { kill_during client ctrcompose-sup ctrcompose-keep; }

@test "any of them, while containers take each other's place: each service has one, old or new, and the next up goes through" {
	local i c
	sed -i 's/init: true,/init: true, environment: { V: "${V:-0}" },/' compose.yaml
	timeout 60 "$CTRCOMPOSE" up -d
	for i in $(seq $((3 * ROUNDS))); do
		V=$i in_background up -d -t 1
		c=$!
		pause 300
		case $((RANDOM % 4)) in
		0) kill -9 $(family ctrcompose-sup) 2>/dev/null || true ;;
		1) kill -9 $(family ctrcompose-keep) 2>/dev/null || true ;;
		2) kill -9 $(pgrep -P $c || true) 2>/dev/null || true ;;
		3) kill -9 $(family ctrcompose-sup) $(family ctrcompose-keep) 2>/dev/null || true ;;
		esac
		wait $c || true
		[ "$(compose ps -a --format '{{.Name}}' | sort)" = "$(seq -f "$PROJECT-s%g-1" 8)" ]
		V=$i timeout 60 "$CTRCOMPOSE" up -d -t 1
		[ "$(compose ps -q | wc -l)" = 8 ]
		[ "$(for c in $(seq 8); do compose exec -T "s$c" sh -c 'echo $V'; done | sort -u)" = "$i" ]
		[ "$(ls "$CTRCOMPOSE_STATE/containers" | wc -l)" = 8 ]
		[ -z "$(ls "$CTRCOMPOSE_STATE/projects/$PROJECT" | grep -E '^[0-9a-f]{12}_')" ]
	done
}

@test "any of them, during down: the next down finishes" {
	local i c
	for i in $(seq "$ROUNDS"); do
		timeout 60 "$CTRCOMPOSE" up -d
		in_background down -t 0
		c=$!
		pause 60
		case $((RANDOM % 3)) in
		0) kill -9 $(family ctrcompose-sup) 2>/dev/null || true ;;
		1) kill -9 $(family ctrcompose-keep) 2>/dev/null || true ;;
		2) kill -9 $(pgrep -P $c || true) 2>/dev/null || true ;;
		esac
		wait $c || true
		timeout 60 "$CTRCOMPOSE" down -t 0
		machine_same
	done
}

@test "the supervisor, while containers print and exit: no line and no exit code is lost" {
	local i
	cat >compose.yaml <<-'Y'
		services:
		  talker: { image: box, command: "sh -c 'i=0; while [ $$i -lt 300 ]; do i=$$((i+1)); echo line $$i; sleep 0.005; done; exit 7'" }
	Y
	for i in $(seq "$ROUNDS"); do
		compose up -d
		pause 800
		kill -9 $(family ctrcompose-sup) 2>/dev/null || true
		eventually 15 sh -c '[ "$("$CTRCOMPOSE" ps -a --format "{{.ExitCode}} {{.State}}")" = "7 exited" ]'
		# The end is known from the keeper before the next supervisor has read the pipe.
		eventually 30 sh -c '[ "$("$CTRCOMPOSE" logs --no-log-prefix talker)" = "$(seq -f "line %g" 300)" ]' ||
			{ compose logs -t --no-log-prefix talker | diff <(seq -f "line %g" 300) - | tail -40; cat "$CTRCOMPOSE_STATE/projects/$PROJECT/supervisor.log"; false; }
		compose down -t 0
	done
}
