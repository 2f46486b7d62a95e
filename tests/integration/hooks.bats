#!/usr/bin/env bats
# hooks.bats - pre_start, post_start and pre_stop: what runs around the life of a container

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

@test "post_start runs with its user, folder and environment, in order, before dependents start" {
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    environment: { KEPT: kept, CHANGED: old }
		    post_start:
		      - command: sh -c 'sleep 0.5; echo "$$(id -u) $$PWD $$KEPT $$CHANGED $$MORE" >/tmp/first'
		        user: user
		        working_dir: /data
		        environment: { CHANGED: new, MORE: more }
		      - { command: [sh, -c, "grep CapEff /proc/self/status >/tmp/caps; mv /tmp/first /tmp/second"] }
		      - { command: [sh, -c, "grep CapEff /proc/self/status >/tmp/all"], privileged: true }
		  b: { image: box, init: true, depends_on: [a] }
	Y
	compose up -d
	[ "$(compose exec -T a cat /tmp/second)" = "1000 /data kept new more" ]
	[ "$(compose exec -T a cat /tmp/caps)" != "$(compose exec -T a cat /tmp/all)" ]
	done_at=$(compose exec -T a stat -c %Y /tmp/all)
	[ "$(compose exec -T b stat -c %Y /proc/1)" -ge "$done_at" ]
	run -0 compose up -d
	[ "$(compose exec -T a ls /tmp | tr '\n' ' ')" = "all caps second " ] # not run again
}

@test "a post_start that fails stops the container and fails the up with its output" {
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, init: true, restart: always, post_start: [{ command: [sh, -c, "echo no luck today; exit 3"] }] }
		  b: { image: box, init: true, depends_on: [a] }
	Y
	run -1 compose up -d
	[[ $output == *"post_start hook 'sh -c echo no luck today; exit 3' exited with 3"*"no luck today"* ]]
	[ "$(compose ps -a --format '{{.Service}} {{.State}}' | sort | tr '\n' ,)" = "a exited,b created," ]
	sed -i 's/exit 3/exit 0/' compose.yaml
	compose up -d
	[ "$(compose ps --format '{{.Service}}' | sort | tr '\n' ,)" = "a,b," ]
}

@test "a post_start that is not there, one that the container does not outlive" {
	echo 'services: { a: { image: box, init: true, post_start: [{ command: [nothere] }] } }' >compose.yaml
	run -1 compose up -d
	[[ $output == *"post_start hook 'nothere' "* ]]
	echo 'services: { a: { image: box, init: true, command: sh -c "sleep 0.3; exit 5", post_start: [{ command: sleep 500 }] } }' >compose.yaml
	SECONDS=0
	run -1 compose up -d
	[[ $output == *"cut short by the end of the container"* ]]
	[ $SECONDS -lt 100 ]
	[ "$(compose ps -a --format '{{.ExitCode}}')" = 5 ]
}

@test "pre_stop runs before the signal: on stop, restart and down" {
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    volumes: ["./out:/out"]
		    command: sh -c 'trap "echo term >>/out/log; exit 0" TERM; echo up >>/out/log; while :; do sleep 0.05; done'
		    pre_stop: [{ command: [sh, -c, "sleep 0.3; echo one >>/out/log"] }, { command: [sh, -c, "echo two >>/out/log"] }]
	Y
	mkdir out
	compose up -d
	eventually 20 grep -q up out/log
	compose pause
	compose stop
	[ "$(tr '\n' ' ' <out/log)" = "up one two term " ]
	compose start
	eventually 20 sh -c '[ "$(grep -c up out/log)" = 2 ]'
	compose restart
	eventually 20 sh -c '[ "$(grep -c up out/log)" = 3 ]'
	compose down
	[ "$(tr '\n' ' ' <out/log)" = "up one two term up one two term up one two term " ]
}

@test "a pre_stop that fails aborts the stop, kill does not ask" {
	echo 'services: { a: { image: box, init: true, pre_stop: [{ command: [sh, -c, "echo still busy; test -e /tmp/ok"] }] } }' >compose.yaml
	compose up -d
	run -1 compose down
	[[ $output == *"pre_stop hook "*"the container runs on"*"still busy"* ]]
	[ "$(compose ps --format '{{.State}}')" = running ]
	compose exec -T a touch /tmp/ok
	compose stop
	compose start
	compose exec -T a rm /tmp/ok
	compose kill
	eventually 20 sh -c '[ "$("$CTRCOMPOSE" ps -a --format "{{.State}}")" = exited ]'
}

@test "who interrupts a stop ends its hook, the container runs on" {
	echo 'services: { a: { image: box, init: true, pre_stop: [{ command: [sh, -c, "test -e /tmp/ok || sleep 1000"] }] } }' >compose.yaml
	compose up -d
	sleepers() { [ "$(compose top a | grep -c "sleep 1000")" = "$1" ]; } # the init, the service, its hook
	sleepers 2
	"$CTRCOMPOSE" stop >stop.out 2>&1 3>&- &
	pid=$!
	eventually 20 sleepers 3
	kill -INT $pid
	code=0
	wait $pid || code=$?
	[ $code = 130 ]
	eventually 20 sleepers 2
	[ "$(compose ps --format '{{.State}}')" = running ]
	compose exec -T a touch /tmp/ok
}

@test "a health probe that a pause cuts in two is no failure" {
	mkdir v
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    volumes: ["./v:/v"]
		    healthcheck:
		      test: "touch /v/began; until test -e /v/go; do sleep 0.1; done; sleep 1; touch /v/done"
		      interval: 1s
		      timeout: 5s
		      retries: 1
	Y
	touch v/go
	compose up -d --wait
	rm v/go v/began
	eventually 20 test -e v/began
	compose pause
	sleep 5.5 # longer than a probe may take
	touch v/go
	rm -f v/done
	compose unpause
	eventually 20 test -e v/done
	[ "$(compose ps --format '{{.Health}}')" = healthy ]
	[ -z "$(grep unhealthy "$CTRCOMPOSE_STATE/projects/$PROJECT/supervisor.log")" ]
}

@test "a health probe's output is kept to its end, when it and its end are seen at once" {
	mkdir v
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    volumes: ["./v:/v"]
		    healthcheck:
		      test: touch /v/began; until test -e /v/go; do sleep 0.1; done; printf %03900d 7; exit 1
		      interval: 1s
		      timeout: 60s
		      retries: 1
	Y
	compose up -d
	eventually 30 test -e v/began
	sup=$(family ctrcompose-sup)
	kill -STOP "$sup"
	touch v/go
	eventually 30 sh -c "[ \$('$CTRCOMPOSE' top a | grep -c 'until test') = 0 ]"
	kill -CONT "$sup"
	eventually 30 sh -c "'$CTRCOMPOSE' ps | grep -q unhealthy"
	compose inspect "$PROJECT-a-1" | jq -r '.[0].State.Health.Log[0].Output' >output
	[ "$(wc -c <output)" = 3901 ]
	[[ "$(cat output)" == *07 ]]
}

@test "a health probe that takes too long is killed with all it started, and reaped" {
	cat >compose.yaml <<-'Y'
		services: { a: { image: box, init: true, healthcheck: { test: "sleep 997 & sleep 998", interval: 100ms, timeout: 200ms, retries: 1 } } }
	Y
	run -1 compose up -d --wait
	[[ $output == *unhealthy* ]]
	sup=$(family ctrcompose-sup)
	sleep 1
	[ "$(grep -lsE '^State:.Z' $(sed 's|[0-9][0-9]*|/proc/&/status|g' /proc/$sup/task/$sup/children) /dev/null | wc -l)" -le 1 ]
	[ "$(compose top a | grep -c 'sleep 99[78]')" -le 3 ]
}

@test "hooks are checked when the file is read" {
	echo 'services: { a: { image: box, post_start: [{ user: root }] } }' >compose.yaml
	run -15 compose config
	[[ $output == *command* ]]
	echo 'services: { a: { image: box, pre_stop: [{ command: [] }] } }' >compose.yaml
	run ! compose up -d
	[[ $output == *"compose.yaml:1:"*"needs a command"* ]]
	rm compose.yaml
}

@test "pre_start: in containers of their own, in order, once or for each replica, then they are gone" {
	cat >compose.yaml <<-'Y'
		services:
		  db: { image: box, init: true }
		  a:
		    image: box
		    init: true
		    scale: 2
		    ports: ["80"]
		    environment: { KEPT: kept, CHANGED: old }
		    volumes: ["seen:/seen"]
		    depends_on: [db]
		    pre_start:
		      - command: sh -c 'nslookup db >/dev/null && echo "once $$KEPT $$CHANGED $$(id -u)" >>/seen/steps'
		        environment: { CHANGED: new }
		      - { command: [sh, -c, "sleep 0.2; echo each $$PWD >>/seen/steps"], working_dir: /data, per_replica: true }
		      - { command: [sh, -c, "echo last >>/seen/steps"] }
		volumes: { seen: {} }
	Y
	compose up -d
	[ "$(compose exec -T a cat /seen/steps)" = "$(printf 'once kept new 0\neach /data\neach /data\nlast')" ]
	[ "$(compose ps -a --format '{{.Name}}' | wc -l)" = 3 ]
	compose up -d
	[ "$(compose exec -T a sh -c 'wc -l </seen/steps')" = 4 ]
	compose up -d --scale a=3
	[ "$(compose exec -T a tail -n 1 /seen/steps)" = "each /data" ]
	[ "$(compose exec -T a sh -c 'wc -l </seen/steps')" = 5 ]
}

@test "a pre_start that fails: named with its last lines, nothing after it starts; the next up goes on" {
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    pre_start: [{ command: [sh, -c, "echo the table is missing; exit 3"] }, { command: [sh, -c, "echo second"] }]
		  b: { image: box, init: true, depends_on: [a] }
	Y
	run compose up -d
	[ "$status" != 0 ]
	[[ $output == *"its pre_start step $PROJECT-a-pre_start-1 exited with 3"* ]]
	[[ $output == *"the table is missing"* ]]
	[ -z "$(compose ps -q)" ]
	sed -i 's/exit 3/exit 0/' compose.yaml
	compose up -d
	[ "$(compose ps -q | wc -l)" = 2 ]
	[ "$(compose ps -a -q | wc -l)" = 2 ]
	printf 'services: { a: { image: box, pre_start: [{ user: root }] } }\n' >other.yaml
	run compose -f other.yaml up -d
	[[ $status != 0 && $output == *"other.yaml:1:"*"a step has a command, or an image of its own"* ]]
}
