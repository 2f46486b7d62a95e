#!/usr/bin/env bats
# replace.bats - a container takes another's place: what can fail fails while the old one is there

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() {
	[ ! -e other/compose.yaml ] || compose -f other/compose.yaml -p other down -t 0
	project_close
	compose network prune -f >/dev/null
}

ids() { compose ps -a -q --no-trunc | sort; }
v_of() { compose exec -T "$1" sh -c 'echo $V'; }
pid_of() { compose inspect "$PROJECT-$1-1" | jq ".[0].State.Pid"; }

# web as it is, and again with WHAT that can't be: the old one runs on, not even stopped
untouched() { # WHAT-OF-THE-SERVICE MESSAGE
	local before pid
	before=$(ids) pid=$(pid_of web)
	sed -i "s|init: true.*}|init: true, $1 }|" compose.yaml
	run -1 compose up -d
	echo "$output"
	[[ $output == *"$2"*"; $PROJECT-web-1 runs on as it was"* ]]
	[[ $output != *Stopp* ]]
	[ "$(ids)" = "$before" ]
	[ "$(pid_of web)" = "$pid" ]
	[ "$(compose ps -a --format '{{.Name}} {{.State}}')" = "$PROJECT-web-1 running" ]
}

web() { # MORE
	printf 'services:\n  web: { image: box, init: true%s }\n' "${1:+, $1}" >compose.yaml
}

@test "a mount whose source is missing, a secret, a port, a device: known while the old one runs" {
	web
	compose up -d
	untouched 'volumes: [{ type: bind, source: /none/there, target: /x, bind: { create_host_path: false } }]' \
		"bind mount: /none/there: No such file or directory"
	untouched 'command: ["/no/../such"], devices: ["/dev/no-such-one"]' "/dev/no-such-one"
	untouched 'security_opt: ["seccomp=./none.json"]' none.json
	python3 -c 'import socket, time; s = socket.socket(); s.bind(("", 18431)); s.listen(); open("bound", "w"); time.sleep(60)' 3>&- &
	holder=$!
	eventually 20 test -e bound
	untouched 'ports: ["18431:80"]' "18431"
	kill "$holder"
	wait "$holder" || true
	before=$(ids)
	compose up -d # what was in the way has gone
	[ "$(compose ps --format '{{.Name}} {{.State}}')" = "$PROJECT-web-1 running" ]
	[ "$(ids)" != "$before" ]
	[ "$(compose port web 80)" = 0.0.0.0:18431 ]
}

@test "one of several can't be made: none of the others is stopped for its successor" {
	cat >compose.yaml <<-'Y'
		services:
		  db: { image: box, init: true, environment: { V: "${V:-1}" } }
		  web: { image: box, init: true, depends_on: [db], environment: { V: "${V:-1}" } }
		  job: { image: box, command: "true", environment: { V: "${V:-1}" } }
	Y
	compose up -d
	compose wait job
	before=$(ids) pid=$(pid_of db)
	sed -i 's|depends_on|volumes: [{ type: bind, source: /none, target: /x, bind: { create_host_path: false } }], depends_on|' compose.yaml
	V=2 run -1 compose up -d
	echo "$output"
	[[ ${lines[-1]} == *"; $PROJECT-db-1, $PROJECT-web-1 run on as they were; $PROJECT-job-1 is kept as it was" ]]
	[[ $output == *"$PROJECT-db-1  Running  as it was"* && $output == *"$PROJECT-job-1  Kept  as it was"* ]]
	[ "$(ids)" = "$before" ]
	[ "$(pid_of db)" = "$pid" ]
	sed -i 's|volumes: .*depends_on|depends_on|' compose.yaml
	V=2 compose up -d
	[ "$(v_of web) $(v_of db)" = "2 2" ]
}

@test "a program that can't be executed, a hook that fails: the old one is started again" {
	web
	compose up -d
	compose exec -T web sh -c 'echo mine >/root/mine'
	before=$(ids)
	compose logs web >/dev/null
	web 'command: [no-such-program]'
	run -1 compose up -d
	echo "$output"
	[[ $output == *"no-such-program"*"; $PROJECT-web-1 was started again as it was"* ]]
	[ "$(ids)" = "$before" ]
	[ "$(compose ps --format '{{.Name}} {{.State}}')" = "$PROJECT-web-1 running" ]
	[ "$(compose exec -T web cat /root/mine)" = mine ]
	web 'post_start: [{ command: [sh, -c, "exit 4"] }]'
	run -1 compose up -d
	echo "$output"
	[[ $output == *"post_start"*"; $PROJECT-web-1 was started again as it was"* ]]
	[ "$(ids)" = "$before" ]
	web 'command: [sleep, "9"]'
	compose up -d
	[ "$(ids)" != "$before" ]
	[ "$(compose ps -a -q | wc -l)" = 1 ]
}

@test "all ports of a range are taken: only the start sees it, the old one has its port again" {
	web 'ports: ["18441-18442:80"]'
	compose up -d
	before=$(ids)
	[ "$(compose port web 80)" = 0.0.0.0:18441 ]
	cat >hold.py <<-'P'
		import socket, time
		s = [socket.socket() for _ in "ab"]
		for i, x in enumerate(s):
		    x.bind(("", 18443 + i))
		    x.listen()
		open("bound", "w")
		time.sleep(60)
	P
	python3 hold.py 3>&- &
	holder=$!
	eventually 20 test -e bound
	web 'ports: ["18443-18444:80"]'
	run -1 compose up -d
	kill "$holder"
	wait "$holder" || true
	[[ $output == *"18443"*"; $PROJECT-web-1 was started again as it was"* ]]
	[ "$(ids)" = "$before" ]
	[ "$(compose port web 80)" = 0.0.0.0:18441 ]
}

@test "an address that another project has: the old one runs on, and takes it when it is free" {
	compose network create --subnet 10.214.3.0/24 common
	mkdir other
	printf 'services: { x: { image: box, init: true, networks: { common: { ipv4_address: 10.214.3.9 } } } }\nnetworks: { common: { external: true } }\n' >other/compose.yaml
	compose -f other/compose.yaml -p other up -d
	printf 'services:\n  web: { image: box, networks: { common: {} }, init: true }\nnetworks: { common: { external: true } }\n' >compose.yaml
	compose up -d
	before=$(ids) pid=$(pid_of web)
	sed -i 's|common: {}|common: { ipv4_address: 10.214.3.9 }|' compose.yaml
	run -1 compose up -d
	echo "$output"
	[[ $output == *"10.214.3.9"*"; $PROJECT-web-1 runs on as it was"* ]]
	[ "$(ids) $(pid_of web)" = "$before $pid" ]
	compose -f other/compose.yaml -p other down -t 0
	rm other/compose.yaml
	compose up -d
	[ "$(compose exec -T web hostname -i)" = 10.214.3.9 ]
	compose down -t 0
	compose network rm common
}

@test "a disk that is full: the old one runs on" {
	small=$BATS_TEST_TMPDIR/small
	mkdir "$small" && mount -t tmpfs -o size=6m,mode=711 none "$small"
	CTRCOMPOSE_STATE=$small
	world_image
	web
	compose up -d
	before=$(ids) pid=$(pid_of web)
	dd if=/dev/zero of="$small/ballast" bs=4k 2>/dev/null || true
	web 'environment: { V: "2" }'
	run -1 compose up -d
	echo "$output"
	[[ $output == *"No space left"*"; $PROJECT-web-1 runs on as it was"* ]]
	[ "$(ids) $(pid_of web)" = "$before $pid" ]
	rm "$small/ballast"
	compose up -d
	[ "$(v_of web)" = 2 ]
	[ "$(compose ps -a -q | wc -l)" = 1 ]
	compose down -t 0
	eventually 20 umount "$small" # the supervisor is on its way out
	rm compose.yaml
}

@test "fixed addresses, ports, names and anonymous volumes are handed over" {
	cat >compose.yaml <<-'Y'
		services:
		  web:
		    image: box
		    init: true
		    container_name: ${NAME:-h4one}
		    ports: ["18451:80"]
		    volumes: [/keep]
		    environment: { V: "${V:-1}" }
		    networks: { default: { ipv4_address: 10.215.4.7 } }
		networks: { default: { ipam: { config: [{ subnet: 10.215.4.0/24 }] } } }
	Y
	compose up -d
	compose exec -T web sh -c 'echo kept >/keep/f'
	V=2 run -0 compose up -d
	[[ $output == *"h4one  Recreate"*"h4one  Recreated"*"h4one  Started"* ]]
	[[ $output != *_h4one* ]]
	[ "$(compose exec -T web hostname -i) $(compose exec -T web cat /keep/f)" = "10.215.4.7 kept" ]
	[ "$(compose port web 80)" = 0.0.0.0:18451 ]
	NAME=h4two compose up -d
	[ "$(compose ps -a --format '{{.Name}}')" = h4two ]
	[ "$(compose exec -T web cat /keep/f)" = kept ]
	NAME=h4two V=3 compose create
	[ "$(compose ps -a --format '{{.Name}} {{.State}}')" = "h4two created" ]
	NAME=h4two V=3 compose up -d -V --force-recreate
	run ! compose exec -T web cat /keep/f
	[ "$(compose volume ls -q | wc -l)" = 1 ]
}

@test "logs are those of the new one, and a follower goes on with them" {
	web 'command: sh -c "echo one; exec sleep 100"'
	compose up -d
	timeout 60 "$CTRCOMPOSE" logs -f --no-log-prefix >followed 2>&1 3>&- &
	follower=$!
	eventually 20 grep -q one followed
	web 'command: sh -c "echo two; exec sleep 100"'
	compose up -d
	eventually 20 grep -q two followed
	[ "$(compose logs --no-log-prefix)" = two ]
	kill "$follower"
	wait "$follower" || true
	[ "$(ls "$CTRCOMPOSE_STATE/projects/$PROJECT" | grep -c '[.]log$')" = 2 ] # the supervisor's, too
}

slow() { # one that says that it is asked to stop, and waits until it may
	mkdir -p shared
	cat >shared/run <<-'S'
		trap 'touch /tmp/asked; while [ ! -e /tmp/go ]; do sleep 0.1; done; exit 0' TERM
		touch /tmp/listens
		sleep 1000 & wait
	S
	web 'command: [sh, /tmp/run], stop_grace_period: 60s, volumes: ["./shared:/tmp"], environment: { V: "${V:-1}" }'
}
listens() { # from now on it hears
	eventually 20 test -e shared/listens
	rm -f shared/asked shared/go shared/listens
}

@test "SIGKILL of supervisor, keeper and command while the old one stops: it is started again, the next up goes through" {
	slow
	compose up -d
	before=$(ids)
	for whom in ctrcompose-sup "ctrcompose-sup ctrcompose-keep"; do
		listens
		V=2 timeout 60 "$CTRCOMPOSE" up -d >out 2>&1 3>&- &
		client=$!
		eventually 30 test -e shared/asked
		[ "$(compose ps -a --format '{{.Name}}')" = "$PROJECT-web-1" ]
		for v in $whom; do kill -9 $(family "$v"); done
		wait "$client" && false
		touch shared/go
		eventually 30 sh -c '[ "$("$CTRCOMPOSE" ps -a -q --no-trunc)" = "'"$before"'" ]'
		[ "$whom" != ctrcompose-sup ] || eventually 30 sh -c '"$CTRCOMPOSE" ps --format "{{.State}}" | grep -q running'
	done
	compose up -d # as it was: nothing is replaced
	[ "$(ids)" = "$before" ]
	eventually 30 sh -c '"$CTRCOMPOSE" ps --format "{{.State}}" | grep -q running'
	listens
	touch shared/go
	V=2 compose up -d
	[ "$(v_of web)" = 2 ]
	[ "$(compose ps -a -q | wc -l)" = 1 ]
	[ "$(ls "$CTRCOMPOSE_STATE/containers" | wc -l)" = 1 ]
}

@test "who interrupts an up in the middle has the old one as it was" {
	slow
	compose up -d
	before=$(ids)
	listens
	V=2 timeout 60 "$CTRCOMPOSE" up -d >out 2>&1 3>&- &
	client=$!
	eventually 30 test -e shared/asked
	kill -9 $(pgrep -P "$client")
	wait "$client" && false
	touch shared/go
	eventually 30 sh -c '"$CTRCOMPOSE" ps --format "{{.State}}" | grep -q running'
	[ "$(ids)" = "$before" ]
	eventually 30 sh -c '[ "$(ls "$CTRCOMPOSE_STATE/containers" | wc -l)" = 1 ]'
}
