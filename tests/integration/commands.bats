#!/usr/bin/env bats
# commands.bats - what a person does with a running stack: a test per command and flag

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

two() { # services a and b; b stops at once on SIGTERM
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, init: true, volumes: [data:/data, /anonymous] }
		  b: { image: box, init: true, command: sleep 1000 }
		volumes: { data: }
	Y
}

@test "images: table, json, ids, one service" {
	two
	compose up -d
	run -0 compose images
	[[ "${lines[0]}" == "CONTAINER "*"REPOSITORY"*"TAG"*"PLATFORM"*"IMAGE ID"*"SIZE"*"CREATED" ]]
	[ "${#lines[@]}" = 3 ]
	run -0 compose images --format json b
	[ "$(jq -r '.[] | .ContainerName + " " + .Repository + " " + .Tag' <<<"$output")" = "$PROJECT-b-1 box latest" ]
	[ "$(compose images -q | wc -l)" = 1 ]
	run ! compose images --format xml
}

@test "volumes: of the project, of a service, as json and template" {
	two
	compose up -d
	[ "$(compose volumes -q | wc -l)" = 2 ]
	run -0 compose volumes
	[[ "${lines[0]}" == "DRIVER"*"VOLUME NAME" ]]
	[ "$(compose volumes -q b)" = "" ]
	[[ "$(compose volumes --format json a)" == *"\"t2_data\""* ]]
	[[ "$(compose volumes --format '{{.Name}}' a)" == *t2_data* ]]
}

@test "scale: up and down, other services are left alone" {
	two
	compose up -d
	id=$(compose ps -q b)
	compose scale a=3
	[ "$(compose ps -q a | wc -l)" = 3 ]
	compose scale a=1
	[ "$(compose ps -q a | wc -l)" = 1 ]
	[ "$(compose ps -q b)" = "$id" ]
	run ! compose scale a=x
	[[ "$output" == *"scale needs SERVICE=N"* ]]
	run ! compose scale nobody=2
}

@test "wait: until a service ends, its exit code is the command's" {
	printf 'services: { a: { image: box, command: "sh -c '\''sleep 0.3; exit 7'\''" }, b: { image: box, init: true } }\n' >compose.yaml
	compose up -d
	run -7 compose wait a
	[[ "$output" == *"exited with status code 7"* ]]
	run -7 compose wait a # it has ended already
	run ! compose wait nobody
	compose up -d
	run -7 compose wait --down-project a
	[ "$(compose ps -a -q)" = "" ]
}

@test "pause, unpause: frozen, shown, stopped all the same; exec says so" {
	printf 'services: { a: { image: box, init: true, command: "sh -c '\''while :; do date +%%s%%N; sleep 0.02; done'\''" }, b: { image: box } }\n' >compose.yaml
	compose up -d
	compose pause a
	[ "$(compose ps --format '{{.Service}} {{.State}}')" = "$(printf 'a paused\nb running')" ]
	n=$(compose logs a | wc -l)
	sleep 0.2
	[ "$(compose logs a | wc -l)" = "$n" ]
	run ! compose exec a true
	[[ "$output" == *"paused"* ]]
	compose unpause a
	eventually 20 sh -c "[ \$(\"$CTRCOMPOSE\" logs a | wc -l) -gt $n ]"
	compose pause
	[ "$(compose ps -q --status paused | wc -l)" = 2 ]
	SECONDS=0
	compose stop -t 300 a
	[ $SECONDS -lt 100 ]
	compose down -t 1
}

@test "top: the processes of services, with what they run" {
	two
	compose up -d
	run -0 compose top
	[[ "${lines[0]}" == "SERVICE "*"#"*"UID"*"PID"*"PPID"*"CMD" ]]
	[[ "$output" == *"sleep 1000"* ]]
	run -0 compose top b
	[[ "$output" != *$'\na '* ]]
	pid=$(compose top b | awk 'END { print $4 }')
	[ -d "/proc/$pid" ]
}

@test "stats: table, json, template; a busy container is busy" {
	printf 'services: { a: { image: box, mem_limit: 64m, command: "sh -c '\''while :; do :; done'\''" }, b: { image: box } }\n' >compose.yaml
	compose up -d
	run -0 compose stats --no-stream
	[[ "${lines[0]}" == "CONTAINER ID"*"NAME"*"CPU %"*"MEM USAGE / LIMIT"*"PIDS" ]]
	[[ "$output" == *"/ 64MiB"* ]]
	[ "${#lines[@]}" = 3 ]
	run -0 compose stats --no-stream --format '{{.Name}} {{.CPUPerc}}' a
	cpu=${output##* } && [ "${cpu%%.*}" -gt 20 ]
	compose stats --no-stream --format json b | jq -e '.PIDs == "1"'
	compose stop -t 0 b
	[ "$(compose stats --no-stream --format '{{.Name}}' | wc -l)" = 1 ]
	[ "$(compose stats -a --no-stream --format '{{.Name}}' | wc -l)" = 2 ]
}

@test "cp: into and out of a container, Docker's rules for names" {
	two
	compose up -d
	mkdir -p src/sub && echo one >src/file && echo two >src/sub/deep && ln -s file src/link && chmod 640 src/file
	compose cp src/file a:/tmp/
	[ "$(compose exec -T a cat /tmp/file)" = one ]
	[ "$(compose exec -T a stat -c '%u:%g %a' /tmp/file)" = "0:0 640" ]
	compose cp src/file a:/tmp/other
	compose cp src a:/tmp
	[ "$(compose exec -T a cat /tmp/src/sub/deep)" = two ]
	[ "$(compose exec -T a readlink /tmp/src/link)" = file ]
	compose cp src a:/tmp/new
	[ "$(compose exec -T a cat /tmp/new/file)" = one ]
	compose cp src/. a:/data
	[ "$(compose exec -T a cat /data/sub/deep)" = two ]
	compose exec -T a sh -c 'echo back >/data/made; chown 1000:1000 /data/made'
	compose cp a:/data/made .
	[ "$(cat made) $(stat -c %u made)" = "back 0" ]
	compose cp -a a:/data/made kept
	[ "$(stat -c %u kept)" = 1000 ]
	compose cp a:/data copy
	diff -r src/sub copy/sub
	compose cp -L a:/tmp/src/link followed
	[ ! -L followed ]
	[ "$(cat followed)" = one ]
	run ! compose cp a:/nothing .
	[[ "$output" == *"a:/nothing: no such file"* ]]
	run ! compose cp src/file a:/nowhere/
	run ! compose cp src a:/etc/passwd
	run ! compose cp src/file other
	[[ "$output" == *"give SERVICE:PATH"* ]]
	compose stop -t 0 a
	compose cp src/file a:/tmp/while-stopped
	compose cp a:/tmp/while-stopped stopped
	[ "$(cat stopped)" = one ]
	compose start a
	[ "$(compose exec -T a cat /tmp/while-stopped)" = one ]
}

@test "cp: a tar on standard streams" {
	two
	compose up -d
	mkdir src && echo one >src/file
	tar cf - src | compose cp - a:/tmp
	[ "$(compose exec -T a cat /tmp/src/file)" = one ]
	compose cp a:/tmp/src - | tar tf - | grep -qx src/file
	run ! compose cp - a:/nowhere </dev/null
}

@test "cp: links of a container lead nowhere else" {
	two
	compose up -d
	canary=$BATS_TEST_TMPDIR/canary && mkdir "$canary" && echo safe >"$canary/file"
	compose exec -T a sh -c "ln -s $canary /tmp/out; ln -s / /tmp/root; mkdir /tmp/d; ln -s $canary /tmp/d/l; ln -s ../../../../../../$canary/file /tmp/d/f; ln -s $canary/file /tmp/d/g"
	echo evil >evil
	run compose cp evil a:/tmp/out/file
	run compose cp evil a:/tmp/root/$canary/file
	run compose cp evil a:/tmp/d/f
	run compose cp evil a:/tmp/d/l
	[ "$(cat "$canary/file")" = safe ]
	[ "$(ls "$canary")" = file ]
	compose cp a:/tmp/d got
	[ "$(cat got/l)" = evil ] # in the place of the link
	[ -L got/g ]
	run ! compose cp -L a:/tmp/d/g leaked
	[ ! -e leaked ]
}

@test "export: the files of a container as a tar, running and stopped" {
	two
	compose up -d
	compose exec -T a sh -c 'echo new >/tmp/new; rm /etc/group; echo v >/data/v'
	compose export a >all.tar
	tar tf all.tar | grep -qx tmp/new
	tar tf all.tar >members
	not grep -qx etc/group members
	not grep -qx data/v members
	[ "$(tar xOf all.tar tmp/new)" = new ]
	compose stop -t 0 a
	: >real.tar
	ln -s real.tar again.tar
	compose export -o again.tar a
	[ -L again.tar ]
	[ -s real.tar ]
	mkfifo pipe
	cat pipe >piped.tar 3>&- &
	compose export -o pipe a
	wait $!
	[ -p pipe ]
	cmp piped.tar real.tar
	cp real.tar before.tar
	run ! compose export -o again.tar nothere
	cmp before.tar real.tar
	run ! ls -d ./*.part-*
	[ "$(tar tf again.tar | sort)" = "$(tar tf all.tar | sort)" ]
}

@test "commit: an image of what was written, with the service's words" {
	two
	compose up -d
	compose exec -T b sh -c 'echo new >/tmp/new; rm /etc/group'
	run -0 compose commit -m why -a me --change 'ENV X="y z"' b committed:1
	[[ "$output" == sha256:* ]]
	compose image inspect committed:1 | jq -e '.[0].Config.Cmd == ["sleep", "1000"] and (.[0].Config.Env | index("X=y z")) and .[0].Author == "me"'
	[ "$(compose ps --format '{{.State}}' b)" = running ]
	printf 'services: { c: { image: "committed:1" } }\n' >other.yaml
	[ "$(compose -p "$PROJECT-c" -f other.yaml run --rm -T c sh -c 'cat /tmp/new; ls /etc/group 2>/dev/null' </dev/null)" = new ]
	compose -p "$PROJECT-c" -f other.yaml down
	compose down
	compose image rm committed:1
}

@test "plan: what up would do, with exit status 2, and nothing done" {
	two
	run -2 compose plan
	[[ "$output" == *"+ Container $PROJECT-a-1: create"* ]]
	[[ "$output" == *"+ Volume    ${PROJECT}_data: create"* ]]
	machine_same
	compose up -d
	run -0 compose plan
	[[ "$output" == *"Nothing to do"* ]]
	sed -i 's/sleep 1000/sleep 999/' compose.yaml
	run -2 compose plan
	[[ "$output" == *"$PROJECT-b-1"*"configuration changed"* ]]
	[[ "$output" != *"$PROJECT-a-1: create"* ]]
	run -2 compose plan --format json
	jq -e '.changes > 0 and (.actions | map(select(.name == env.PROJECT + "-b-1" and .change)) | length > 0)' <<<"$output"
	[ "$(compose ps --format '{{.Command}}' b)" = '"sleep 1000"' ]
}

@test "events: as they happen, from the past, of some services; text and JSON" {
	printf 'services: { a: { image: box, init: true, healthcheck: { test: "true", interval: 100ms } }, b: { image: box, command: "sh -c '\''exit 3'\''" } }\n' >compose.yaml
	compose up -d
	eventually 20 sh -c '"$CTRCOMPOSE" events --since 1h --until 0s | grep -q "health_status: healthy"'
	"$CTRCOMPOSE" events --json >live 3>&- & pid=$!
	hears() { compose kill -s CONT a && grep -q '"kill"' live; }
	eventually 20 hears
	compose pause a
	compose unpause a
	compose stop -t 1 a
	eventually 20 grep -q '"stop"' live
	kill $pid
	[ "$(jq -r 'select(.action != "kill").action' live | xargs)" = "pause unpause die stop" ]
	run -0 compose events --since 1h --until 0s b
	[[ "$output" == *"container create "*"(image=box, name=$PROJECT-b-1)"* ]]
	[[ "$output" == *"container die "*"(exitCode=3, image=box, name=$PROJECT-b-1)"* ]]
	[[ "$output" != *$PROJECT-a-1* ]]
	[ -z "$(compose events --since 0s --until 0s)" ]
}

@test "nothing to do: a line on standard error, and no failure" {
	printf 'services: { a: { image: box, init: true } }\n' >compose.yaml
	says() { # TEXT COMMAND...
		local text=$1
		shift
		run -0 --separate-stderr compose "$@"
		[ -z "$output" ]
		[ "$stderr" = "$text" ] || { echo "$*: $stderr"; false; }
	}
	says "no container to stop: none runs" stop
	says "no container to kill" kill
	says "no container to restart" restart
	says "no container to pause: none runs" pause
	says "no container to unpause: none is paused" unpause
	says "No stopped containers" rm -f
	says "no image to push: no service has both build and image" push
	says "no image to push: none of these services has both build and image" push a
	says "" --progress quiet stop
	says '{"message":"no container to stop: none runs"}' --progress json stop
	compose up -d
	says "no container to start: all run" start
	says "No stopped containers" rm -f
	compose stop
	says "no container to stop: none runs" stop a
}

@test "port: where what is published is, if not what was asked for" {
	printf 'services: { a: { image: box, init: true, ports: ["18481:80", "127.0.0.1:18482:82/udp"] }, b: { image: box, init: true } }\n' >compose.yaml
	compose up -d
	run -1 compose port a 81
	[[ $output == "ctrcompose: no port 81/tcp for container $PROJECT-a-1: it publishes 0.0.0.0:18481->80/tcp, "*"127.0.0.1:18482->82/udp" ]]
	run -1 compose port a 82
	[[ $output == *"no port 82/tcp"*"127.0.0.1:18482->82/udp"* ]]
	run -1 compose port b 80
	[ "$output" = "ctrcompose: no port 80/tcp for container $PROJECT-b-1: it publishes none" ]
}

@test "anonymous volumes have Docker's label; prune takes those that no container has, and no others without -a" {
	printf 'services: { a: { image: box, init: true, volumes: [/keep, "named:/named"] } }\nvolumes: { named: {} }\n' >compose.yaml
	compose up -d
	compose volume create "$PROJECT-mine" >/dev/null
	id=$(compose volume ls -q | grep -E '^[0-9a-f]{64}$')
	[ "$(compose volume inspect "$id" | jq -c '.[0].Labels["com.docker.volume.anonymous"]')" = '""' ]
	[ "$(compose volume inspect "$PROJECT-mine" "${PROJECT}_named" | jq -c '[.[].Labels | has("com.docker.volume.anonymous")]')" = '[false,false]' ]
	run -0 compose volume prune -f
	[ -z "$output" ]
	compose rm -s -f
	run -0 compose volume prune -f
	[ "$output" = "$id" ]
	run -0 compose volume prune -f -a
	[ "$(sort <<<"$output" | xargs)" = "$PROJECT-mine ${PROJECT}_named" ]
}

@test "image ls and images: the same cells, table, template, json" {
	printf 'services: { a: { image: box, init: true } }\n' >compose.yaml
	compose create
	run -0 compose image ls
	[[ ${lines[0]} =~ ^REPOSITORY\ +TAG\ +IMAGE\ ID\ +CREATED\ +SIZE$ ]]
	[[ ${lines[1]} =~ ^box\ +latest\ +[0-9a-f]{12}\ +.*\ ago\ +[0-9.]+[kM]B$ ]]
	run -0 compose images
	[[ ${lines[0]} =~ ^CONTAINER\ +REPOSITORY\ +TAG\ +PLATFORM\ +IMAGE\ ID\ +SIZE\ +CREATED$ ]]
	cells='{{.Repository}}|{{.Tag}}|{{.ID}}|{{.Size}}|{{.CreatedSince}}'
	[ "$(compose images --format "$cells" | cut -d'|' -f 1-4)" = "$(compose image ls --format "$cells" | cut -d'|' -f 1-4)" ]
	[ "$(compose images --format '{{.ContainerName}}')" = "$PROJECT-a-1" ]
	[ "$(compose image ls --format json | jq -r 'keys | join(" ")')" = "CreatedAt CreatedSince ID Repository Size Tag" ]
	[ "$(compose images --format json | jq '.[0].Size | type')" = '"number"' ]
	[ "$(compose image ls -q)" = "$(compose images -q | cut -c 1-12)" ]
	compose image tag box localhost:5000/deep/name:v1 # a port is no tag
	[ "$(compose image ls --format '{{.Repository}} {{.Tag}}' | sort | tail -1)" = "localhost:5000/deep/name v1" ]
	compose image rm localhost:5000/deep/name:v1
}
