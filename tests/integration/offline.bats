#!/usr/bin/env bats
# offline.bats - all that needs neither root nor a container: help, options, exit codes, config.

bats_require_minimum_version 1.5.0

setup() {
	CTR=${CTRCOMPOSE:-$BATS_TEST_DIRNAME/../../build/ctrcompose}
	export CTRCOMPOSE_STATE=$BATS_TEST_TMPDIR/state CTRCOMPOSE_RUN=$BATS_TEST_TMPDIR/run
	unset "${!COMPOSE_@}" NO_COLOR
	mkdir "$BATS_TEST_TMPDIR/shop"
	cd "$BATS_TEST_TMPDIR/shop"
	cat >compose.yaml <<'YAML'
services:
  web:
    image: nginx:${TAG:-1}
    depends_on: [db]
    ports: ["8080:80"]
  db:
    image: postgres
    volumes: ["data:/var/lib/postgresql/data"]
  debug:
    image: busybox
    profiles: [tools]
volumes:
  data:
YAML
}

ctr() { # status, arguments: standard output in $output, standard error in $stderr
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

@test "without arguments it prints the help" {
	ctr 0
	[[ $output == "Usage:  ctrcompose [OPTIONS] COMMAND"* ]]
	[[ $output == *"  config "* ]]
	local help=$output
	ctr 0 --help
	[ "$output" = "$help" ]
	ctr 0 help
	[ "$output" = "$help" ]
}

@test "each command in the help has a help of its own" {
	ctr 0
	local commands
	commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$output")
	[ -n "$commands" ]
	for c in $commands; do
		ctr 0 "$c" --help
		[[ $output == "Usage:  ctrcompose $c"* ]]
		[ -z "$stderr" ]
		local text=$output
		ctr 0 help "$c"
		[ "$output" = "$text" ]
		ctr 0 "$c" -h
		[ "$output" = "$text" ]
	done
}

@test "the version in all its forms" {
	ctr 0 version --short
	local v=$output
	[[ $v =~ ^[0-9]+\.[0-9]+\.[0-9]+ ]]
	ctr 0 version
	[ "$output" = "ctrcompose version $v" ]
	ctr 0 --version
	[ "$output" = "ctrcompose version $v" ]
	ctr 0 version -f json
	[ "$output" = "{\"version\":\"$v\"}" ]
}

@test "a wrong call exits with 1 and a hint" {
	ctr 1 config --nonsense
	[ -z "$output" ]
	[ "$stderr" = $'ctrcompose: unknown option \'--nonsense\'\n\nRun \'ctrcompose config --help\' for more information' ]
	ctr 1 --nonsense
	[[ $stderr == *"Run 'ctrcompose --help'"* ]]
	ctr 1 confg
	[[ $stderr == "ctrcompose: unknown command 'confg'; did you mean 'config'?"* ]]
	ctr 1 config --format xml
	ctr 1 port web
	ctr 1 version extra
	ctr 1 --progress
}

@test "no compose file is exit 14" {
	mkdir -p ../empty/below
	cd ../empty/below
	ctr 14 config
	[ "$stderr" = "ctrcompose: no configuration file provided: not found" ]
	ctr 14 -f nope.yaml config
	[[ $stderr == *nope.yaml* ]]
	ctr 14 ps
}

@test "an invalid compose file is exit 15 and says where" {
	printf 'services:\n  web:\n    imagee: x\n' >compose.yaml
	ctr 15 config -q
	[ -z "$output" ]
	[[ $stderr == *"compose.yaml:3:"* ]]
	printf 'services: [\n' >compose.yaml
	ctr 15 config -q
}

@test "config prints what it understood" {
	ctr 0 config
	[[ $output == "name: shop"* ]]
	[[ $output == *"image: nginx:1"* ]]
	[[ $output != *busybox* ]]
	[ -z "$stderr" ]
	TAG=2 ctr 0 config
	[[ $output == *"image: nginx:2"* ]]
	ctr 0 config --no-interpolate
	[[ $output == *'image: nginx:${TAG:-1}'* ]]
	ctr 0 convert
}

@test "config reads its own output" {
	"$CTR" config >../once.yaml
	ctr 0 -f ../once.yaml config
	[ "$output" = "$(<../once.yaml)" ]
}

@test "config lists names" {
	ctr 0 config --services
	[ "$output" = $'db\nweb' ]
	ctr 0 --profile tools config --services
	[ "$output" = $'db\ndebug\nweb' ]
	COMPOSE_PROFILES=tools ctr 0 config --services
	[ "$output" = $'db\ndebug\nweb' ]
	ctr 0 config --volumes
	[ "$output" = data ]
	ctr 0 config --profiles
	[ "$output" = tools ]
	ctr 0 config --images
	[ "$output" = $'nginx:1\npostgres' ] || [ "$output" = $'postgres\nnginx:1' ]
	ctr 0 config --networks
	[ "$output" = default ]
}

@test "config of one service has what it depends on, and no more" {
	ctr 0 config --services web
	[ "$output" = $'db\nweb' ]
	ctr 0 config --services db
	[ "$output" = db ]
	ctr 0 config --services debug
	[ "$output" = debug ]
	ctr 15 config nope
}

@test "config --hash names the service, and changes with it" {
	ctr 0 config --hash web
	[[ $output =~ ^web\ [0-9a-f]{64}$ ]]
	local before=$output
	TAG=2 ctr 0 config --hash web
	[ "$output" != "$before" ]
	ctr 0 config --hash '*'
	[ "${#lines[@]}" = 2 ]
	[[ $output == *"$before"* ]]
	ctr 1 config --hash nope
	[[ $stderr == *"no such service: nope (there are: "* ]]
}

@test "config -q prints nothing, -o writes a file" {
	ctr 0 config -q
	[ -z "$output$stderr" ]
	ctr 0 config -o ../out.yaml
	[ -z "$output$stderr" ]
	[ "$(<../out.yaml)" = "$("$CTR" config)" ]
	ctr 1 config -o /nonexistent/out.yaml
}

@test "config --format json is one JSON value" {
	ctr 0 config --format json
	python3 -c 'import json, sys; assert json.load(sys.stdin)["name"] == "shop"' <<<"$output"
}

@test "the name comes from -p, the environment, the file, the folder" {
	ctr 0 -p one config
	[[ $output == "name: one"* ]]
	COMPOSE_PROJECT_NAME=two ctr 0 config
	[[ $output == "name: two"* ]]
	printf 'name: three\nservices: {a: {image: x}}\n' >compose.yaml
	ctr 0 config
	[[ $output == "name: three"* ]]
	ctr 15 -p Bad! ps
	[[ $stderr == *"invalid project name 'Bad!'"* ]]
}

@test "files by -f, COMPOSE_FILE and standard input" {
	printf 'services: {web: {image: other}}\n' >b.yaml
	ctr 0 -f compose.yaml -f b.yaml config
	[[ $output == *"image: other"* ]]
	COMPOSE_FILE=compose.yaml:b.yaml ctr 0 config
	[[ $output == *"image: other"* ]]
	COMPOSE_PATH_SEPARATOR=, COMPOSE_FILE=compose.yaml,b.yaml ctr 0 config
	[[ $output == *"image: other"* ]]
	run --separate-stderr "$CTR" -f - config --images <b.yaml
	[ "$status" = 0 ]
	[ "$output" = other ]
}

@test "variables come from --env-file and .env" {
	echo TAG=env >.env
	ctr 0 config --images web
	[[ $output == *nginx:env* ]]
	echo TAG=other >other.env
	ctr 0 --env-file other.env config --images web
	[[ $output == *nginx:other* ]]
	ctr 0 config --environment
	[[ $output == *TAG=env* ]]
	ctr 0 config --variables
	[[ ${lines[0]} == NAME* ]]
	[[ $output == *TAG* ]]
}

@test "an unset variable is a warning on standard error" {
	printf 'services: {a: {image: "x${NOPE}"}}\n' >compose.yaml
	ctr 0 config --images
	[ "$output" = x ]
	[[ $stderr =~ ^time=\"[^\"]+\"\ level=warning\ msg=.*NOPE ]]
}

@test "ps and ls of nothing are a header, and a service nobody knows is an error" {
	ctr 0 ps
	[ "$output" = "NAME   IMAGE   COMMAND   SERVICE   CREATED   STATUS   PORTS" ]
	ctr 0 ps -q
	[ -z "$output" ]
	ctr 0 ps --format json
	[ -z "$output" ]
	ctr 0 ls
	[ "$output" = "NAME   STATUS   CONFIG FILES" ]
	ctr 0 ls --format json
	[ "$output" = "[]" ]
	for line in "ps nope" "stop nope" "logs nope" "kill nope" "rm -f nope" "port nope 80"; do
		ctr 1 $line
		[ "$stderr" = "ctrcompose: no such service: nope (there are: db, debug, web)" ] || { echo "$line: $stderr"; false; }
	done
	ctr 1 stop wbe
	[ "$stderr" = "ctrcompose: no such service: wbe (did you mean 'web'?)" ]
	for line in "up -d nope" "run nope" "build nope"; do
		ctr 15 $line
		[ "$stderr" = "ctrcompose: no such service: nope (there are: db, debug, web)" ] || { echo "$line: $stderr"; false; }
	done
	ctr 1 port web 80
	[ "$stderr" = 'ctrcompose: service "web" is not running' ]
}

@test "-p without -f reads no compose file" {
	echo 'services: [' >compose.yaml
	ctr 0 -p shop ps
	ctr 15 ps
	ctr 15 -p shop -f compose.yaml ps
	rm compose.yaml
	COMPOSE_PROJECT_NAME=shop ctr 0 ps
}

@test "errors are coloured on request, and JSON with --progress json" {
	ctr 1 --ansi always nope
	[[ $stderr == *$'\033[31mctrcompose:\033[0m'* ]]
	ctr 1 nope
	[[ $stderr != *$'\033'* ]]
	ctr 15 --progress json -p 'a"b' ps
	[[ $stderr == '{"error":true,"message":"invalid project name '"'"'a\"b'"'"':'* ]]
}

@test "a full disk is an error" {
	[ -e /dev/full ] || skip "no /dev/full"
	run --separate-stderr bash -c '"$1" config >/dev/full' - "$CTR"
	[ "$status" = 1 ]
	[[ $stderr == *"No space left on device"* ]]
}
