# examples.bats - the examples that are built from Dockerfiles with Debian packages: build, up, curl, down.
#
# Files run without a network. tests/run.sh has built the images before, with one, into $EXAMPLES_STATE:
# here the builds find their packages' layers in the cache.

load lib.bash

examples=$BATS_TEST_DIRNAME/../../examples

setup_file() {
	export CTRCOMPOSE_STATE CTRCOMPOSE_RUN NO_COLOR=1 DB_PASSWORD=quite-secret EXAMPLES_LOG PORT=
	EXAMPLES_LOG=${EXAMPLES_LOG:-$BATS_FILE_TMPDIR/log}
	CTRCOMPOSE_STATE=${EXAMPLES_STATE:-$(mktemp -d /var/tmp/ctrcompose-test.XXXXXX)}
	CTRCOMPOSE_RUN=$(mktemp -d /run/ctrcompose-test.XXXXXX)
	[ -n "${EXAMPLES_STATE:-}" ] || "$BATS_TEST_DIRNAME/../tools/build-examples.sh" "$CTRCOMPOSE" >"$EXAMPLES_LOG" 2>&1 || true
	if mirror_missing "$EXAMPLES_LOG"; then
		touch "$BATS_FILE_TMPDIR/no-mirror"
	fi
}
teardown_file() { world_close; }
setup() {
	[ ! -e "$BATS_FILE_TMPDIR/no-mirror" ] || skip "the package mirror can't be reached"
	machine >"$BATS_TEST_TMPDIR/before"
}
teardown() {
	[ -e "$BATS_TEST_TMPDIR/before" ] || return 0
	compose down -v -t 2
	machine_same
}

start() { # EXAMPLE SERVICE PORT: builds, brings up, leaves the address in $at
	cd "$examples/$1" || return 1
	compose build
	compose up -d --wait
	at=http://$(compose port "$2" "$3")/
	eventually 30 curl -s -o "$BATS_TEST_TMPDIR/first" --max-time 10 "$at" # not all have a health check
}
get() { curl -sS --fail --max-time 10 "$at" "$@"; }

@test "guestbook: Flask and Redis keep entries over down and up" {
	start guestbook web 8000
	[ "$(get -d text=hello)" = '{"entries":1}' ]
	compose down
	start guestbook web 8000
	[ "$(get)" = '["hello"]' ]
	[ "$(compose exec -T web id -un)" = nobody ]
	run compose exec -T web touch /x
	[ "$status" != 0 ]
}

@test "notes: Node and PostgreSQL keep notes over down and up" {
	start notes web 3000
	[ "$(get -d 'buy milk')" = '{"id":1}' ]
	compose down
	start notes web 3000
	[ "$(get)" = '[{"id":1,"text":"buy milk"}]' ]
	[ "$(compose exec -T db id -un)" = postgres ]
}

@test "replicas: nginx asks both in turn, and more of them after scale" {
	start replicas front 80
	[ "$(for _ in 1 2 3 4; do get; done | sort -u | wc -l)" = 2 ]
	compose up -d --wait --scale app=3
	compose restart front
	eventually 30 get
	[ "$(for _ in 1 2 3 4 5 6; do get; done | sort -u | wc -l)" = 3 ]
}

@test "poll: nginx, PHP and SQLite through a shared socket" {
	start poll web 80
	get -d choice=tea
	get -d choice=tea
	[ "$(get -d choice=milk)" = '{"milk":1,"tea":2}' ]
	[ "$(curl -s -o /dev/null -w '%{http_code}' -d x=1 "$at")" = 400 ]
	compose down
	start poll web 80
	[ "$(get)" = '{"milk":1,"tea":2}' ]
}

@test "board: a compiled program alone in its image; another argument compiles nothing" {
	start board web 8080
	[ "$(get)" = hello ]
	run compose exec -T web sh
	[ "$status" != 0 ]
	GREETING=good-day compose up -d --build --wait >"$BATS_TEST_TMPDIR/log" 2>&1
	grep -A1 'RUN .*gcc -O2' "$BATS_TEST_TMPDIR/log" | grep CACHED
	at=http://$(compose port web 8080)/
	[ "$(get)" = good-day ]
}

@test "a new user's change: only the step that copies it is done again" {
	cp -r "$examples/guestbook" "$BATS_TEST_TMPDIR/"
	cd "$BATS_TEST_TMPDIR/guestbook" || return 1
	echo '# changed' >>app/app.py
	compose build --progress plain web >log 2>&1
	[ "$(grep -c CACHED log)" = 2 ]
	[ "$(grep -c DONE log)" = 1 ]
}
