# webstack.bats - examples/webstack: real servers, data that survives down and up.

load lib.bash

example=$BATS_TEST_DIRNAME/../../examples/webstack

setup_file() {
	world_open
	export DB_PASSWORD=quite-secret
	# The packages were fetched by tests/run.sh, outside of this file's network namespace.
	if [ -n "${WEBSTACK_LOG:-}" ] && mirror_missing "$WEBSTACK_LOG"; then
		touch "$BATS_FILE_TMPDIR/no-mirror"
		return
	fi
	"$example/make-image.sh" "$CTRCOMPOSE" >/dev/null
}
teardown_file() { world_close; }
setup() {
	[ ! -e "$BATS_FILE_TMPDIR/no-mirror" ] || skip "the package mirror can't be reached"
	cd "$example" || return 1
	machine >"$BATS_TEST_TMPDIR/before"
}
teardown() {
	[ -e "$BATS_TEST_TMPDIR/before" ] || return 0
	compose down -v
	machine_same
}

get() { curl -sS --fail --max-time 10 "http://$(compose port web 80)/"; }

@test "webstack: the front answers, and both counters survive down and up" {
	compose up -d --wait
	[ "$(get)" = '{"redis": 1, "postgresql": 1}' ]
	[ "$(get)" = '{"redis": 2, "postgresql": 2}' ]
	compose down
	compose up -d --wait
	[ "$(get)" = '{"redis": 3, "postgresql": 3}' ]
	[ "$(compose exec -T db id -un)" = postgres ]
	[[ "$(compose logs web)" == *"GET / HTTP"* ]]
	run compose exec -T app touch /x
	[ "$status" != 0 ]
	compose restart db
	eventually 20 get
}
