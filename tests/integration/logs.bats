#!/usr/bin/env bats
# logs.bats - `logs` on files and records written by hand: needs no container.

bats_require_minimum_version 1.5.0

setup() {
	CTR=${CTRCOMPOSE:-$BATS_TEST_DIRNAME/../../build/ctrcompose}
	export CTRCOMPOSE_STATE=$BATS_TEST_TMPDIR/state CTRCOMPOSE_RUN=$BATS_TEST_TMPDIR/run
	unset "${!COMPOSE_@}" NO_COLOR
	DIR=$CTRCOMPOSE_STATE/projects/shop
	mkdir -p "$DIR" "$CTRCOMPOSE_RUN/shop/c" "$BATS_TEST_TMPDIR/shop"
	cd "$BATS_TEST_TMPDIR/shop"
	printf 'services: {web: {image: x}, database: {image: y}}\n' >compose.yaml
	record web-1 web-2 database-1
	line shop-web-1 1 stdout F hello
	line shop-database-1 2 stderr F 'out of cheese'
	line shop-web-2 3 stdout F 'me too'
}

teardown() {
	[ -z "${SLEEPER:-}" ] || kill "$SLEEPER" 2>/dev/null || true
	[ -z "${FOLLOWER:-}" ] || kill "$FOLLOWER" 2>/dev/null || true
}

# record SERVICE-NUMBER[=PID]...: the record of a project with these containers
record() {
	python3 - "$DIR" "$@" <<'PY'
import json, os, sys

def start_time(pid):
    return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[19]

containers = []
for i, word in enumerate(sys.argv[2:]):
    label, _, pid = word.partition("=")
    service, number = label.rsplit("-", 1)
    c = dict(id=format(i + 1, "x") * 64, name=f"shop-{label}", service=service,
             number=int(number), oneoff=False, created_ns="1", started_ns="2", finished_ns="3",
             status="exited", pid=0, start_time="0", exit_code=0, oom_killed=False, restarts=0,
             want_running=False, health="none", seq="0", endpoints=[], ports=[], mounts=[])
    if pid:
        c.update(status="running", pid=int(pid), start_time=start_time(pid), finished_ns="0")
    containers.append(c)
state = dict(name="shop", config_files=[],
             boot_id=open("/proc/sys/kernel/random/boot_id").read().strip(), uid_base=0,
             networks=[], volumes=[], containers=containers)
body = json.dumps(state, separators=(",", ":"))
h = 0xcbf29ce484222325
for b in body.encode():
    h = ((h ^ b) * 0x100000001b3) & 0xffffffffffffffff
with open(sys.argv[1] + "/new", "w") as f:
    f.write(f'{{"version":1,"sum":"{h:016x}","state":{body}}}\n')
os.rename(sys.argv[1] + "/new", sys.argv[1] + "/state.json")
PY
}

line() { # NAME SECOND STREAM FLAG TEXT
	printf '2026-01-01T00:00:%02d.000000000Z %s %s %s\n' "$2" "$3" "$4" "$5" >>"$DIR/$1.log"
}

ctr() { # status, arguments
	local want=$1
	shift
	run --separate-stderr "$CTR" "$@"
	[ "$status" -eq "$want" ] || {
		echo "ctrcompose $*: exit $status, wanted $want"
		echo "$output"
		echo "$stderr"
		return 1
	}
}

eventually() { # COMMAND...: within a minute
	local end=$((SECONDS + 60))
	until "$@"; do
		[ $SECONDS -lt $end ] || { echo "never: $*"; cat out; return 1; }
		sleep 0.05
	done
}

@test "lines come in the order of time with padded names" {
	ctr 0 logs
	[ "$output" = "web-1       | hello
database-1  | out of cheese
web-2       | me too" ]
	[ -z "$stderr" ]
}

@test "some services, one replica" {
	ctr 0 logs web
	[ "$output" = $'web-1  | hello\nweb-2  | me too' ]
	ctr 0 logs --index 2 web
	[ "$output" = "web-2  | me too" ]
	ctr 1 logs --index 3 web
	[ -z "$output" ]
	ctr 1 logs --index 1
	[[ $stderr == "ctrcompose: --index needs exactly one service"* ]]
	ctr 1 logs nope
	[ "$stderr" = "ctrcompose: no such service: nope (there are: database, web)" ]
}

@test "without prefix, with times" {
	ctr 0 logs --no-log-prefix web
	[ "$output" = $'hello\nme too' ]
	ctr 0 logs -t web
	[ "${lines[0]}" = "web-1  | 2026-01-01T00:00:01.000000000Z hello" ]
	ctr 0 logs -t --no-log-prefix database
	[ "$output" = "2026-01-01T00:00:02.000000000Z out of cheese" ]
}

@test "colours on request, one a container" {
	ctr 0 --ansi always logs
	[ "${lines[0]}" != "${lines[0]#*$'\033['}" ]
	[[ ${lines[0]} =~ ^$'\033'\[[0-9]+m"web-1       | "$'\033'\[0m"hello"$ ]]
	[ "${lines[0]:0:5}" != "${lines[1]:0:5}" ]
	ctr 0 --ansi always logs --no-color
	[[ $output != *$'\033'* ]]
}

@test "tail, since and until" {
	line shop-web-1 4 stdout F again
	ctr 0 logs --tail 1
	[ "${#lines[@]}" = 3 ]
	[[ $output == *again* && $output != *hello* ]]
	ctr 0 logs --tail=0
	[ -z "$output" ]
	ctr 0 logs -n all web
	[ "${#lines[@]}" = 3 ]
	ctr 0 logs --since 2026-01-01T00:00:03Z
	[ "${#lines[@]}" = 2 ]
	ctr 0 logs --since 1767225603
	[ "${#lines[@]}" = 2 ]
	ctr 0 logs --until 2026-01-01T00:00:02Z --since 2026-01-01T00:00:02Z
	[ "$output" = "database-1  | out of cheese" ]
	ctr 0 logs --since 5m
	[ -z "$output" ]
	ctr 1 logs --tail many
	[[ $stderr == "ctrcompose: --tail: 'many' is neither a number nor 'all'"* ]]
	ctr 1 logs --since yesterday
}

@test "parts of a line are put together, a last one without newline is shown" {
	line shop-web-1 4 stdout P 'be'
	line shop-web-1 5 stderr F 'between'
	line shop-web-1 6 stdout F 'gin'
	line shop-web-1 7 stdout P 'no end'
	ctr 0 logs -n 3 --no-log-prefix web --index 1
	[ "$output" = $'between\nbegin\nno end' ]
}

@test "bytes are what the container printed" {
	printf '2026-01-01T00:00:09.000000000Z stdout F \x80\x01\xff\r\n' >>"$DIR/shop-web-1.log"
	"$CTR" logs --no-log-prefix --tail 1 --index 1 web >../bytes
	[ "$(od -An -tx1 ../bytes)" = " 80 01 ff 0d 0a" ]
}

@test "rotated files belong to the log" {
	mv "$DIR/shop-web-1.log" "$DIR/shop-web-1.log.1"
	line shop-web-1 8 stdout F newer
	ctr 0 logs --index 1 web
	[ "$output" = $'web-1  | hello\nweb-1  | newer' ]
}

@test "a project without a record, or without logs" {
	ctr 0 -p nothing logs
	[ -z "$output$stderr" ]
	ctr 0 -p nothing logs -f
	[ -z "$output$stderr" ]
	rm "$DIR"/*.log
	ctr 0 logs
	[ -z "$output$stderr" ]
	ctr 0 logs -f
	[ -z "$output$stderr" ]
}

@test "without a file orphans are shown, with it they are not" {
	record web-1 old-1
	line shop-old-1 5 stdout F orphan
	ctr 0 logs
	[ "$output" = "web-1  | hello" ]
	ctr 0 -p shop logs
	[ "$output" = $'web-1  | hello\nold-1  | orphan' ]
	ctr 0 logs old
	[ "$output" = "old-1  | orphan" ]
}

@test "a closed pipe ends it" {
	for i in $(seq 1000); do line shop-web-1 9 stdout F "$i"; done
	run bash -c '"$1" logs | head -n 1' - "$CTR"
	[ "$output" = "web-1       | hello" ]
}

@test "a full disk is an error" {
	[ -e /dev/full ] || skip "no /dev/full"
	run --separate-stderr bash -c '"$1" logs >/dev/full' - "$CTR"
	[ "$status" = 1 ]
	[[ $stderr == *"No space left on device"* ]]
}

@test "-f ends at once when nothing runs" {
	ctr 0 logs -f
	[ "${#lines[@]}" = 3 ]
}

@test "-f shows what comes, over rotations and new containers, until all are gone" {
	sleep 1000 &
	SLEEPER=$!
	record "web-1=$SLEEPER" web-2
	"$CTR" logs -f --tail 1 >out &
	FOLLOWER=$!
	eventually grep -q 'web-2  | me too' out
	line shop-web-1 10 stdout F one
	eventually grep -q 'web-1  | one' out
	mv "$DIR/shop-web-1.log" "$DIR/shop-web-1.log.1"
	line shop-web-1 11 stdout F two
	eventually grep -q 'web-1  | two' out
	line shop-web-3 12 stdout F first
	line shop-web-3 12 stdout F second
	record "web-1=$SLEEPER" web-2 "web-3=$SLEEPER"
	eventually grep -q 'web-3  | second' out
	line shop-web-1 13 stdout P 'last words'
	kill "$SLEEPER"
	wait "$SLEEPER" || true
	SLEEPER=
	wait "$FOLLOWER"
	FOLLOWER=
	[ "$(grep -v exited out)" = "web-1  | hello
web-2  | me too
web-1  | one
web-1  | two
web-3  | first
web-3  | second
web-1  | last words" ]
	grep -q '^web-1 exited with code 255$' out
	grep -q '^web-3 exited with code 255$' out
}

@test "-f: a container that takes the place of another goes on under its name" {
	sleep 1000 &
	SLEEPER=$!
	record "web-1=$SLEEPER" "web-2=$SLEEPER"
	"$CTR" logs -f >out &
	FOLLOWER=$!
	eventually grep -q 'web-2  | me too' out
	rm "$DIR/shop-web-2.log"
	record "web-1=$SLEEPER"
	sleep 0.2
	record "web-1=$SLEEPER" web-9 "web-2=$SLEEPER"
	line shop-web-2 20 stdout F reborn
	eventually grep -q 'web-2  | reborn' out
	[ "$(grep -c reborn out)" = 1 ]
	record web-2
	wait "$FOLLOWER"
	FOLLOWER=
	[ "$(grep -c reborn out)" = 1 ]
}

@test "-f --until ends when that time is over" {
	sleep 1000 &
	SLEEPER=$!
	record "web-1=$SLEEPER"
	ctr 0 logs -f --until 2026-01-01T00:00:02Z
	[ "$output" = "web-1  | hello" ]
}
