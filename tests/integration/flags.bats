#!/usr/bin/env bats
# flags.bats - what the flags of up, create, run, exec, start and kill change

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

pair() { # web depends on db
	cat >compose.yaml <<-Y
		services:
		  db: { image: box, init: true }
		  web: { image: box, init: true, depends_on: [db] }
	Y
}

@test "up --force-recreate SERVICE leaves what it depends on; --always-recreate-deps does not" {
	pair
	compose up -d
	db=$(compose ps -q db) web=$(compose ps -q web)
	compose up -d --force-recreate web
	[ "$(compose ps -q db)" = "$db" ]
	[ "$(compose ps -q web)" != "$web" ]
	compose up -d --force-recreate --always-recreate-deps web
	[ "$(compose ps -q db)" != "$db" ]
	run ! compose up -d --always-recreate-deps --no-recreate
}

@test "up --wait --wait-timeout: a service that does not become healthy in time" {
	printf 'services: { a: { image: box, init: true, healthcheck: { test: "false", interval: 10s, retries: 100, start_period: 60s } } }\n' >compose.yaml
	SECONDS=0
	run -1 compose up -d --wait --wait-timeout 1
	[[ "$output" == *"not healthy after 1s"* ]]
	[ $SECONDS -lt 30 ]
	compose stop -t 0
	run -1 compose start --wait --wait-timeout 1
	[[ "$output" == *"not healthy after 1s"* ]]
}

@test "create makes, up --no-start too; -y and quiet flags are taken" {
	pair
	compose create -y --quiet-pull --quiet-build
	[ "$(compose ps -a --format '{{.State}}' | sort -u)" = created ]
	compose up --no-start -y
	compose up -d --quiet-pull --quiet-build --pull missing
	[ "$(compose ps -q | wc -l)" = 2 ]
}

@test "run: --use-aliases, --env-from-file, -t, --interactive=false" {
	pair
	compose up -d db
	printf 'ONE=1\nTWO="two words"\n' >vars
	run -0 compose run --rm -T --env-from-file vars -e ONE=over db sh -c 'echo $ONE $TWO' </dev/null
	[[ "$output" == *"over two words"* ]]
	compose run -d --name alias-test --use-aliases db sleep 100
	[ "$(compose exec -T db nslookup db | grep -c '^Address: ')" = 2 ]
	compose rm -s -f db
	[ "$(echo input | compose run --rm -T --interactive=false db cat)" = "" ]
	compose run --rm -t db tty </dev/null | grep -q /dev/pts
	compose up -d db
	[ "$(echo input | compose exec -T --interactive=false db cat)" = "" ]
}

@test "orphans: named by up, removed by run --remove-orphans, killed when asked for" {
	pair
	compose up -d
	printf 'services: { db: { image: box, init: true } }\n' >compose.yaml
	run -0 compose up -d
	[[ "$output" == *"Found orphan containers ([$PROJECT-web-1])"* ]]
	compose kill
	left() { [ "$(compose ps --format '{{.Service}}' --orphans)" = web ]; }
	eventually 20 left
	compose kill --remove-orphans
	eventually 20 sh -c '[ -z "$("$CTRCOMPOSE" ps -q)" ]'
	compose up -d
	compose run --rm -T --remove-orphans db true </dev/null
	[ "$(compose ps -a --format '{{.Service}}')" = db ]
}

@test "up shows what is attached: attach: false, --attach, --no-attach" {
	cat >compose.yaml <<-Y
		services:
		  loud: { image: box, command: echo from-loud }
		  shy: { image: box, command: echo from-shy, attach: false }
	Y
	run -0 compose up
	[[ $output == *from-loud* && $output != *from-shy* ]]
	run -0 compose up --force-recreate --attach shy
	[[ $output == *from-shy* && $output != *from-loud* ]]
	run -0 compose up --force-recreate --no-attach loud
	[[ $output != *from-loud* && $output != *from-shy* ]]
}

@test "ps: the image's own command is shown where the service has none" {
	printf 'services: { a: { image: box }, b: { image: box, entrypoint: [sleep], command: ["1000"] } }\n' >compose.yaml
	compose up -d
	[ "$(compose ps --format '{{.Service}} {{.Command}}')" = 'a "sleep 1000"
b "sleep 1000"' ]
}

@test "logs --index of a replica that is not there" {
	pair
	compose up -d
	run -1 compose logs --index 2 db
	[[ $output == *'service "db" has no container #2'* ]]
}

@test "run: -q, words of --entrypoint, the id with -d, a failed start" {
	printf 'services: { a: { image: box, init: true, ports: ["18150:80"] } }\n' >compose.yaml
	compose up -d
	[ "$(compose run --rm -q -T --entrypoint 'echo "two  words" b' a c </dev/null 2>&1)" = "two  words b c" ]
	run -1 compose run --rm -T --entrypoint "echo 'x" a
	[[ $output == *"a quote is not closed"* ]]
	id=$(compose run -q -d a sleep 100)
	[ ${#id} = 64 ]
	[ "$(compose inspect --type container "$id" | grep -c '"Id"')" = 1 ]
	run -1 compose run --rm -T -P a true
	[[ $output == *"port 18150/tcp is in use by container $PROJECT-a-1"* ]]
}

@test "--compatibility and COMPOSE_COMPATIBILITY: names with _" {
	pair
	compose --compatibility up -d
	[ "$(compose ps --format '{{.Name}}')" = "${PROJECT}_db_1
${PROJECT}_web_1" ]
	compose --compatibility run -d db true
	compose ps -a --format '{{.Name}}' | grep -q "^${PROJECT}_db_run_"
	echo COMPOSE_COMPATIBILITY=true >.env
	compose up -d --force-recreate
	[ "$(compose ps --format '{{.Name}}' db)" = "${PROJECT}_db_1" ]
	rm .env
	compose up -d --force-recreate
	[ "$(compose ps --format '{{.Name}}' db)" = "$PROJECT-db-1" ]
}

@test "COMPOSE_REMOVE_ORPHANS and COMPOSE_IGNORE_ORPHANS, of the environment and .env" {
	pair
	compose up -d
	printf 'services: { db: { image: box, init: true } }\n' >compose.yaml
	COMPOSE_IGNORE_ORPHANS=1 run -0 compose up -d
	[[ $output != *orphan* ]]
	COMPOSE_IGNORE_ORPHANS=1 run -1 compose up -d --remove-orphans
	[[ $output == *"exclude each other"* ]]
	echo COMPOSE_REMOVE_ORPHANS=true >.env
	compose up -d
	[ "$(compose ps -a --format '{{.Service}}')" = db ]
}

@test "what docker compose has and ctrcompose has not is refused by name" {
	pair
	for words in publish bridge alpha "up --menu" "build --builder x" "build --sbom true" "--insecure-registry x ps" "--ansi pink ps"; do
		run -1 compose $words
		word=${words#up } word=${word#build }
		[[ $output == *"${word%% *}"* && $output != *"unknown"* ]]
	done
	compose --no-ansi up -d --menu=false
}

stubborn() { # ends by nothing but SIGKILL
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, command: "sh -c 'trap true TERM; echo ready; while true; do sleep 1; done'", stop_grace_period: 60s }
		  b: { image: box, init: true, depends_on: [a] }
	Y
	compose up -d
	ready() { compose logs a | grep -q ready; }
	eventually 20 ready
}

@test "kill does not wait for a down or a stop that waits for a service" {
	stubborn
	SECONDS=0
	compose down -v >out 2>&1 3>&- &
	down=$!
	stopping() { grep -q "$PROJECT-a-1  Stopping" out; }
	eventually 20 stopping
	run -0 compose kill a
	[[ $output == *"$PROJECT-a-1  Killed"* && $output != *waiting* ]]
	wait $down
	[ $SECONDS -lt 15 ]
	compose up -d
	eventually 20 ready
	compose stop >out 2>&1 3>&- &
	stop=$!
	eventually 20 stopping
	compose -p "$PROJECT" kill
	wait $stop
	[ "$(compose ps -a a --format '{{.State}} {{.ExitCode}}')" = "exited 137" ]
	[ $SECONDS -lt 30 ]
}

@test "--dry-run changes nothing, whatever the command" {
	pair
	compose up -d --wait
	echo text >file
	compose volume create "$PROJECT-kept" >/dev/null
	look() { compose ps -a --no-trunc --format '{{.ID}} {{.State}}'; compose image ls --format '{{.ID}} {{.Repository}}:{{.Tag}}'; compose volume ls; compose network ls; compose exec -T db ls /tmp; find .; }
	before=$(look)
	while read -r line; do
		run -0 compose --dry-run $line
		[[ $output == *"DRY-RUN MODE - "* ]] || { echo "$line: $output"; false; }
	done <<-E
		exec -T db touch /tmp/x
		run --rm -T db touch /tmp/x
		cp file db:/tmp/x
		cp db:/etc/passwd copied
		export -o out.tar db
		commit db made:1
		image save -o saved.tar box
		kill
		stop
		restart
		pause
		scale db=2
		create --force-recreate
		up -d --force-recreate
		rm -s
		down -v --rmi all
		pull
	E
	compose --dry-run rm -s -f 2>&1 | grep -q "$PROJECT-web-1  Removed"
	run -0 compose --dry-run up -d
	[[ $output != *Created* ]]
	run -1 compose --dry-run image save -o saved.tar nothere
	[[ $output == *nothere* ]]
	[ "$(look)" = "$before" ]
	compose volume rm "$PROJECT-kept"
}

@test "--dry-run of volume, network, image and system: what they would do and why they would fail, in a copy" {
	pair
	compose up -d
	compose volume create "$PROJECT-kept" >/dev/null
	compose network create "$PROJECT-net" >/dev/null
	compose image tag box "$PROJECT:1"
	compose image save -o saved.tar box
	look() {
		compose ps -a --no-trunc --format '{{.ID}} {{.State}}'
		compose image ls --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}'
		compose volume ls
		compose network ls
		ip link
		find "$CTRCOMPOSE_STATE" | sort
	}
	before=$(look)
	dry() { # WHAT-IT-SAYS COMMAND...
		local says=$1
		shift
		run -0 --separate-stderr compose --dry-run "$@" </dev/null
		[[ $stderr == *"DRY-RUN MODE - "*"$says"* ]] || { echo "$*: $stderr"; false; }
		[ -z "$output" ] || [[ $output == "Total reclaimed space: "* ]]
		diff <(look) - <<<"$before"
	}
	dry "Volume x  Created" volume create x
	dry "Volume $PROJECT-kept  Removed" volume rm "$PROJECT-kept"
	dry "Volume $PROJECT-kept  Removed" volume prune -a
	dry "Network x  Created" network create --subnet 10.219.3.0/24 x
	dry "Network $PROJECT-net  Removed" network rm "$PROJECT-net"
	dry "Network $PROJECT-net  Removed" network prune
	dry "Image other:2  Tagged" image tag box other:2
	dry "Image $PROJECT:1  Untagged" image rm "$PROJECT:1"
	dry "Image box:latest  Loaded" image load -i saved.tar
	dry "Network $PROJECT-net  Removed" system prune
	run -1 compose --dry-run volume rm nope
	[[ $output == *"no such volume: nope"* ]]
	run -1 compose --dry-run network create "$PROJECT-net"
	[[ $output == *"is there already"* ]]
	run -1 compose --dry-run image rm nope:1
	[[ $output == *"nope:1"* ]]
	run -0 compose --progress json --dry-run volume rm "$PROJECT-kept"
	[ "$(jq -r '.id, ."dry-run"' <<<"$output" | xargs)" = "Volume $PROJECT-kept true" ]
	compose stop
	links_gone() { ! ip -o link | grep -q ': cv'; }
	eventually 20 links_gone # the kernel takes them away behind us
	before=$(look)
	dry "Container $PROJECT-web-1  Removed" system prune --containers -a
	[[ $stderr == *"Image box:latest  Untagged"* ]] # no container would be left that has it
	compose image rm "$PROJECT:1"
	compose volume rm "$PROJECT-kept"
	compose network rm "$PROJECT-net"
}

@test "down --rmi: local takes what was built without a name, all takes all, what others use stays" {
	printf 'FROM box\nCMD ["sleep","1000"]\n' >Dockerfile
	cat >compose.yaml <<-'Y'
		services:
		  made: { build: { context: ., network: none }, init: true }
		  named: { build: { context: ., network: none, labels: { a: b } }, image: "named:1", init: true }
	Y
	compose up -d
	run -0 compose down --rmi local
	[[ $output == *"Image $PROJECT-made  Removed"* && $output != *named:1* ]]
	run ! compose image inspect "$PROJECT-made"
	compose up -d --build
	mkdir other
	printf 'services: { a: { image: "named:1", init: true } }\n' >other/compose.yaml
	compose -f other/compose.yaml -p other up -d
	run -0 compose -p "$PROJECT" down --rmi all # no file is read
	[[ $output == *"Image $PROJECT-made  Removed"* && $output == *"named:1  Skipped"*"is used by a container"* ]]
	compose image inspect named:1 >/dev/null
	compose -f other/compose.yaml -p other down --rmi all
	run ! compose image inspect named:1
}

@test "rm without a terminal and without -f: nothing is removed, and that is an error" {
	pair
	compose create
	run -1 compose rm </dev/null
	[[ $output == *"nothing is removed without --force"* ]]
	[ "$(compose ps -a -q | wc -l)" = 2 ]
	compose rm -f
	[ -z "$(compose ps -a -q)" ]
}

@test "a recreate whose address another container has: named, and the old one stays" {
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, init: true, networks: { default: { ipv4_address: 10.213.9.5 } } }
		  b: { image: box, init: true, networks: { default: { ipv4_address: 10.213.9.6 } } }
		networks: { default: { ipam: { config: [{ subnet: 10.213.9.0/24 }] } } }
	Y
	compose up -d
	before=$(compose ps -q --no-trunc)
	sed -i 's/9[.]6/9.5/' compose.yaml
	run -1 compose up -d
	[[ $output == *"container $PROJECT-b-1: 10.213.9.5 is in use by $PROJECT-a-1"* ]]
	[ "$(compose ps -q --no-trunc)" = "$before" ]
	sed -i 's/9[.]5/9.7/' compose.yaml # both, to one that is free
	run -1 compose up -d
	[[ $output == *"container $PROJECT-b-1: 10.213.9.7 is in use by $PROJECT-a-1"* ]]
	[ "$(compose ps -q --no-trunc)" = "$before" ]
	sed -i '/  a:/s/9[.]7/9.6/; /  b:/s/9[.]7/9.5/' compose.yaml # they change places
	compose up -d
	[ "$(compose exec -T a hostname -i) $(compose exec -T b hostname -i)" = "10.213.9.6 10.213.9.5" ]
}
