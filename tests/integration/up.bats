#!/usr/bin/env bats
# up.bats - a stack up and down: names, ports, volumes, order, and nothing left behind

bats_require_minimum_version 1.5.0
load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

@test "up -d starts a service, ps shows it, down takes it away" {
	cat >compose.yaml <<-Y
		services:
		  a:
		    image: box
	Y
	run compose up -d
	[ "$status" = 0 ]
	[[ "$output" == *"Container $PROJECT-a-1"*Started* ]]
	run compose ps --format json
	[ "$(jq -r .Name <<<"$output")" = "$PROJECT-a-1" ]
	[ "$(jq -r .State <<<"$output")" = running ]
	run compose ps -q
	[ ${#output} = 64 ]
	compose down -t 0
	machine_same
}

@test "up again changes nothing; a changed service is made anew" {
	printf 'services: { a: { image: box, environment: { V: 1 } } }\n' >compose.yaml
	compose up -d
	first=$(compose ps -q)
	compose up -d
	[ "$(compose ps -q)" = "$first" ]
	printf 'services: { a: { image: box, environment: { V: 2 } } }\n' >compose.yaml
	run compose up -d
	[[ "$output" == *Recreate* ]]
	[ "$(compose ps -q)" != "$first" ]
	[ "$(compose exec -T a sh -c 'echo $V')" = 2 ]
}

@test "services find each other by name, alias and container name" {
	cat >compose.yaml <<-Y
		services:
		  web:
		    image: box
		    command: httpd -f -p 80 -h /www
		    networks: { default: { aliases: [www, shop] } }
		  client: { image: box }
	Y
	compose up -d
	for name in web www shop "$PROJECT-web-1" "web.${PROJECT}_default"; do
		compose exec -T client wget -q -O - "http://$name/" 2>&1 | grep -q 404
	done
	run compose exec -T client nslookup nobody
	[ "$status" != 0 ]
}

@test "a published port is reached on every address of the host" {
	cat >compose.yaml <<-Y
		services:
		  web:
		    image: box
		    command: sh -c 'echo hello >/www/index.html; exec httpd -f -p 80 -h /www'
		    ports: ["18080:80", "127.0.0.1::80"]
	Y
	compose up -d
	eventually 20 curl -s -o /dev/null http://127.0.0.1:18080/
	[ "$(curl -s http://127.0.0.1:18080/)" = hello ]
	[ "$(curl -s "http://[::1]:18080/")" = hello ]
	gateway=$(ip -4 -o addr show | awk '$2 ~ /^cc|^br/ { sub("/.*", "", $4); print $4; exit }')
	[ "$(curl -s "http://$gateway:18080/")" = hello ]
	[ "$(compose port web 80)" = 0.0.0.0:18080 ]
	run compose ps --format '{{.Ports}}'
	[[ "$output" == *"0.0.0.0:18080->80/tcp"* ]]
}

@test "a port in use is named before anything starts" {
	socat TCP-LISTEN:18081,fork - 3>&- &
	owner=$!
	printf 'services: { a: { image: box, ports: ["18081:80"] } }\n' >compose.yaml
	eventually 20 sh -c 'ss -ltn | grep -q :18081'
	run compose up -d
	kill $owner
	[ "$status" = 1 ]
	[[ "$output" == *18081*socat* ]]
}

@test "named volumes outlive down, -v takes them" {
	printf 'services: { a: { image: box, volumes: ["vol:/data"] } }\nvolumes: { vol: }\n' >compose.yaml
	compose up -d
	[ "$(compose exec -T a cat /data/seed/file)" = seed ]
	[ "$(compose exec -T a stat -c %u /data/seed/file)" = 1000 ]
	compose exec -T a sh -c 'echo kept >/data/x'
	compose down -t 0
	compose up -d
	[ "$(compose exec -T a cat /data/x)" = kept ]
	compose down -v -t 0
	machine_same
}

@test "depends_on: healthy, completed, started" {
	cat >compose.yaml <<-Y
		services:
		  db:
		    image: box
		    command: sh -c 'sleep 0.5; touch /tmp/ok; sleep 1000'
		    healthcheck: { test: test -e /tmp/ok, interval: 100ms, retries: 50 }
		  init:
		    image: box
		    command: sh -c 'sleep 0.3; touch /data/done'
		    volumes: ["vol:/data"]
		  app:
		    image: box
		    volumes: ["vol:/data"]
		    command: sh -c 'test -e /data/done && sleep 1000'
		    depends_on:
		      db: { condition: service_healthy }
		      init: { condition: service_completed_successfully }
		volumes: { vol: }
	Y
	compose up -d
	[ "$(compose ps app --format '{{.State}}')" = running ]
	[ "$(compose ps db --format '{{.Health}}')" = healthy ]
	[ "$(compose ps -a init --format '{{.ExitCode}}')" = 0 ]
}

@test "a dependency that fails ends up with its exit code named" {
	cat >compose.yaml <<-Y
		services:
		  init: { image: box, command: "false" }
		  app:
		    image: box
		    depends_on: { init: { condition: service_completed_successfully } }
	Y
	run compose up -d
	[ "$status" = 1 ]
	[[ "$output" == *"service \"init\" didn't complete successfully: exit 1"* ]]
}

@test "a missing image, an unknown command: one sentence, nothing left" {
	printf 'services: { a: { image: nothere } }\n' >compose.yaml
	run compose up -d
	[ "$status" = 1 ]
	[[ "$output" == *nothere* ]]
	printf 'services: { a: { image: box, command: nosuchprogram } }\n' >compose.yaml
	run compose up -d
	[ "$status" = 1 ]
	[[ "$output" == *nosuchprogram* ]]
}

@test "logs: both streams, prefixes, tail" {
	printf 'services: { a: { image: box, command: sh -c "echo one; echo two >&2; sleep 1000" } }\n' >compose.yaml
	compose up -d
	eventually 20 sh -c '"$CTRCOMPOSE" logs | grep -q two'
	run compose logs --no-log-prefix
	[ "$output" = $'one\ntwo' ] || [ "$output" = $'two\none' ]
	run compose logs --tail 1
	[ "${#lines[@]}" = 1 ]
	[[ "$output" == "a-1  | "* ]]
}

@test "exec: exit codes, environment, user, folder, standard input" {
	printf 'services: { a: { image: box } }\n' >compose.yaml
	compose up -d
	run compose exec -T a sh -c 'exit 7'
	[ "$status" = 7 ]
	run -127 compose exec -T a nosuchprogram
	[ "$status" = 127 ]
	run compose exec -T a /etc/passwd
	[ "$status" = 126 ]
	[ "$(compose exec -T -e X=1 a sh -c 'echo $X')" = 1 ]
	[ "$(compose exec -T -u 1000 -w /tmp a sh -c 'id -u; pwd')" = $'1000\n/tmp' ]
	[ "$(echo hello | compose exec -T a cat)" = hello ]
}

@test "run: a container of its own, volumes, exit code" {
	printf 'services: { a: { image: box } }\n' >compose.yaml
	run compose run --rm -T -v aaa:/aaa a ls -al /
	[ "$status" = 0 ]
	[[ "$output" == *aaa* ]]
	run compose run --rm -T a sh -c 'exit 3'
	[ "$status" = 3 ]
	compose volume rm aaa >/dev/null
}

@test "run -it: a terminal" {
	printf 'services: { a: { image: box } }\n' >compose.yaml
	run script -qec "$CTRCOMPOSE run --rm -v aaa:/aaa -it a sh -c 'tty; ls -al /'" /dev/null </dev/null
	[ "$status" = 0 ]
	[[ "$output" == */dev/pts/* ]]
	[[ "$output" == *aaa* ]]
	compose volume rm aaa >/dev/null
}

@test "stop, start, restart, kill" {
	printf 'services: { a: { image: box, init: true }, b: { image: box, init: true, depends_on: [a] } }\n' >compose.yaml
	compose up -d
	compose stop -t 1
	[ "$(compose ps -q | wc -l)" = 0 ]
	compose start
	[ "$(compose ps -q | wc -l)" = 2 ]
	compose restart -t 1 a
	[ "$(compose ps -q | wc -l)" = 2 ]
	compose kill a
	eventually 20 sh -c '[ "$("$CTRCOMPOSE" ps -a a --format "{{.ExitCode}}")" = 137 ]'
}

@test "restart policy: on-failure starts it again, so often and no more" {
	printf 'services: { a: { image: box, restart: "on-failure:2", command: sh -c "echo run; exit 5" } }\n' >compose.yaml
	compose up -d
	eventually 30 sh -c '[ "$("$CTRCOMPOSE" ps -a --format "{{.State}}")" = exited ] && [ "$("$CTRCOMPOSE" logs --no-log-prefix | grep -c run)" = 3 ]'
	[ "$(compose ps -a --format '{{.ExitCode}}')" = 5 ]
}

@test "internal networks reach nothing outside; projects do not reach each other" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, networks: [in] }
		networks: { in: { internal: true } }
	Y
	compose up -d
	run compose exec -T a ip route
	[[ "$output" != *default* ]]
	mkdir other && printf 'services: { b: { image: box, command: httpd -f -p 80 -h /www } }\n' >other/compose.yaml
	compose -f other/compose.yaml -p "$PROJECT-other" up -d
	ip=$(compose -p "$PROJECT-other" -f other/compose.yaml exec -T b hostname -i)
	run compose exec -T a wget -T 1 -q -O - "http://$ip/"
	[ "$status" != 0 ]
	compose -f other/compose.yaml -p "$PROJECT-other" down -v -t 0
}

@test "programs that end at once are started all the same" {
	{
		echo services:
		for i in $(seq 30); do echo "  s$i: { image: box, command: 'true' }"; done
	} >compose.yaml
	timeout 30 "$CTRCOMPOSE" up -d
	eventually 20 sh -c '[ "$("$CTRCOMPOSE" ps -a -q --status exited | wc -l)" = 30 ]'
}
