#!/usr/bin/env bats
# race.bats - several commands at once, FAULT_ROUNDS times

load ../integration/lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() {
	project_open
	ROUNDS=${FAULT_ROUNDS:-4}
	printf 'services: { a: { image: box, init: true }, b: { image: box, init: true }, c: { image: box, init: true } }\n' >compose.yaml
}
teardown() { project_close; }

@test "two up at once: both succeed, one set of containers" {
	local i a b
	for i in $(seq "$ROUNDS"); do
		timeout 60 "$CTRCOMPOSE" up -d >a 2>&1 3>&- & a=$!
		timeout 60 "$CTRCOMPOSE" up -d >b 2>&1 3>&- & b=$!
		wait $a || { cat a; return 1; }
		wait $b || { cat b; return 1; }
		[ "$(compose ps -q | wc -l)" = 3 ]
		compose down -t 0
		machine_same
	done
}

@test "up and down at once: whatever comes last holds, nothing is left" {
	local i a b
	for i in $(seq "$ROUNDS"); do
		timeout 60 "$CTRCOMPOSE" up -d >a 2>&1 3>&- & a=$!
		[ $((RANDOM % 2)) = 0 ] || sleep "0.0$((RANDOM % 100))"
		timeout 60 "$CTRCOMPOSE" down -t 0 >b 2>&1 3>&- & b=$!
		wait $a || { cat a; return 1; }
		wait $b || { cat b; return 1; }
		n=$(compose ps -q | wc -l)
		[ "$n" = 0 ] || [ "$n" = 3 ]
		compose down -t 0
		machine_same
	done
}

@test "20 projects at once: addresses of their own, all up, all gone" {
	local i pids=
	for i in $(seq 20); do
		timeout 120 "$CTRCOMPOSE" -p "$PROJECT-$i" up -d >"out.$i" 2>&1 3>&- & pids="$pids $!"
	done
	for i in $pids; do wait "$i"; done
	[ "$("$CTRCOMPOSE" ls -q | wc -l)" = 20 ]
	[ "$(ip -4 -o addr show | awk '$2 ~ /^cc-/ { print $4 }' | sort | uniq -d | wc -l)" = 0 ]
	pids=
	for i in $(seq 20); do
		timeout 120 "$CTRCOMPOSE" -p "$PROJECT-$i" down -t 0 >"out.$i" 2>&1 3>&- & pids="$pids $!"
	done
	for i in $pids; do wait "$i"; done
	machine_same
}
