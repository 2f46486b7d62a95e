#!/usr/bin/env bats
# service.bats - services that do not do as they should, and a supervisor that is held up

load ../integration/lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

@test "a supervisor that is stopped for a while: no false unhealthy, no storm of restarts" {
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    restart: always
		    healthcheck: { test: "true", interval: 0.2s, timeout: 1s, retries: 2 }
	Y
	compose up -d --wait
	local sup
	sup=$(family ctrcompose-sup)
	kill -STOP "$sup"
	sleep 4
	kill -CONT "$sup"
	sleep 1
	eventually 20 sh -c '[ "$("$CTRCOMPOSE" ps --format "{{.Health}}")" = healthy ]'
	[ "$(compose inspect "$PROJECT-a-1" | jq '.[0].RestartCount')" = 0 ]
}

@test "a process that no signal ends is named after a bound, all others are finished, and so is it later" {
	local disk=$BATS_TEST_TMPDIR/disk
	command -v mkfs.ext4 fsfreeze >/dev/null || skip "no mkfs.ext4 or fsfreeze"
	mkdir m
	truncate -s 20M "$disk"
	mkfs.ext4 -q "$disk"
	mount -o loop "$disk" m || skip "no loop devices"
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, volumes: ["./m:/m"], command: sh -c 'while sleep 0.1; do echo x >/m/f; done' }
		  b: { image: box }
	Y
	compose up -d
	fsfreeze -f m
	eventually 30 sh -c "grep -q '^State:.D' /proc/\$('$CTRCOMPOSE' inspect $PROJECT-a-1 | jq '.[0].State.Pid')/status"
	run timeout 60 "$CTRCOMPOSE" down -t 1
	[[ "$status" = 1 && "$output" == *"container $PROJECT-a-1: "*"did not die of SIGKILL"* ]] || { fsfreeze -u m; umount m; return 1; }
	[ "$(compose ps -a --format '{{.Service}}')" = a ]
	run timeout 60 "$CTRCOMPOSE" stop -t 0
	fsfreeze -u m
	[[ "$status" = 1 && "$output" == *"did not die of SIGKILL"* ]]
	eventually 30 sh -c "[ \"\$('$CTRCOMPOSE' ps -a --format '{{.State}}')\" = exited ]"
	compose down
	umount m
}

@test "a service that ignores its signal is killed with all that it started" {
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    command: ["sh", "-c", "trap : TERM; setsid sh -c 'trap \"\" TERM; exec sleep 999' & while :; do sleep 1; done"]
	Y
	compose up -d
	eventually 20 sh -c "$CTRCOMPOSE top | grep -q 'sleep 999'"
	local before=$SECONDS pids
	pids=$(compose top | awk 'NR > 1 { print $4 }')
	compose stop -t 1
	[ $((SECONDS - before)) -lt 20 ]
	[ "$(compose ps -a --format '{{.ExitCode}}')" = 137 ]
	for p in $pids; do ! grep -q sleep "/proc/$p/cmdline" 2>/dev/null; done
}

@test "a service whose group somebody froze is taken down all the same" {
	printf 'services: { a: { image: box, init: true } }\n' >compose.yaml
	compose up -d
	local pid path
	pid=$(compose top | awk 'NR == 2 { print $4 }')
	path=$(awk -F: '/:freezer:/ { print "/sys/fs/cgroup/freezer" $3 }' "/proc/$pid/cgroup")
	if [ -w "$path/freezer.state" ] && [[ $path == *ctrcompose* ]]; then
		echo FROZEN >"$path/freezer.state"
	else
		path=$(awk -F: '$1 == 0 { print $3 }' "/proc/$pid/cgroup")
		for root in /sys/fs/cgroup /sys/fs/cgroup/unified; do
			[ ! -w "$root$path/cgroup.freeze" ] || echo 1 >"$root$path/cgroup.freeze"
		done
	fi
	timeout 60 "$CTRCOMPOSE" down -t 1
}

@test "a link that somebody deleted: down does not mind, and a restart makes it again" {
	printf 'services: { a: { image: box, init: true }, b: { image: box, init: true } }\n' >compose.yaml
	compose up -d
	compose exec -T a ping -c 1 -W 2 b
	ip -o link | awk -F ': ' '$2 ~ /^cv/ { sub(/@.*/, "", $2); print $2 }' | xargs -n1 ip link del
	run ! compose exec -T a ping -c 1 -W 1 b
	compose restart -t 0
	eventually 20 compose exec -T a ping -c 1 -W 2 b
	ip -o link | awk -F ': ' '$2 ~ /^cv/ { sub(/@.*/, "", $2); print $2 }' | xargs -n1 ip link del
	compose down -t 0
}

@test "a service that ends at once again and again: later and later" {
	printf 'services: { a: { image: box, command: "false", restart: always } }\n' >compose.yaml
	compose up -d || true
	sleep 3
	local n
	n=$(compose inspect "$PROJECT-a-1" | jq '.[0].RestartCount')
	[ "$n" -ge 1 ]
	[ "$n" -le 7 ]
}

@test "a record that somebody deleted while services run: the supervisor writes it again" {
	printf 'services: { a: { image: box, init: true } }\n' >compose.yaml
	compose up -d
	rm "$CTRCOMPOSE_STATE/projects/$PROJECT/state.json"
	eventually 20 test -e "$CTRCOMPOSE_STATE/projects/$PROJECT/state.json"
	[ "$(compose ps -q | wc -l)" = 1 ]
	compose up -d
	[ "$(compose ps -q | wc -l)" = 1 ]
	compose down -t 0
}

@test "a flood of output stops nobody: neither the service nor its neighbours" {
	cat >compose.yaml <<-'Y'
		services:
		  loud: { image: box, command: ["sh", "-c", "yes loud | head -c 200000000; echo done"], logging: { options: { max-size: 1m, max-file: 2 } } }
		  long: { image: box, command: ["sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x; echo; echo end"] }
		  quiet: { image: box, init: true }
	Y
	compose up -d
	eventually 60 sh -c "$CTRCOMPOSE logs --no-log-prefix --tail 1 loud | grep -qx 'done'"
	eventually 60 sh -c "$CTRCOMPOSE logs --no-log-prefix --tail 1 long | grep -qx end"
	[ "$(du -c "$CTRCOMPOSE_STATE/projects/$PROJECT/$PROJECT-loud-1".log* | tail -1 | cut -f1)" -le 4096 ]
	compose exec -T quiet true
}

@test "two interrupts: the first stops services in good order, the second at once" {
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, command: ["sh", "-c", "trap : TERM; echo ready; while :; do sleep 1; done"], stop_grace_period: 100s }
	Y
	"$CTRCOMPOSE" up >out 2>&1 3>&- &
	local up=$!
	eventually 20 grep -q ready out
	kill -INT $up
	eventually 30 grep -qi 'stopping' out
	sleep 0.5
	kill -INT $up
	local before=$SECONDS
	wait $up || true
	[ $((SECONDS - before)) -lt 30 ]
	eventually 30 sh -c "[ -z \"\$($CTRCOMPOSE ps -q)\" ]"
}

# Names of a few files: to make and remove many files takes some file systems long.
names() { # FOLDER TIMES: so many folders of 500 names
	local i
	mkdir -p "$1/0"
	(cd "$1/0" && touch f && for i in $(seq 499); do ln f $i; done)
	for i in $(seq $(($2 - 1))); do cp -al "$1/0" "$1/$i"; done
}

many() { # a container with so many files of its own that they are removed beside the supervisor's loop
	names names "$1"
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, volumes: [".:/p"], command: "sh -c 'cp -a /p/names /x; touch /done; exec sleep 1000'" }
		  b: { image: box, init: true }
	Y
	compose up -d
	eventually 60 compose exec -T a test -e /done
	files=$CTRCOMPOSE_STATE/containers/$(compose ps -q --no-trunc a)
}
nothing_aside() { [ -z "$(ls -d "$CTRCOMPOSE_STATE"/containers/.gone.* 2>/dev/null)" ]; }

@test "removing much holds up nobody: the supervisor goes on, the command waits for the end" {
	local sup remover rm
	many 100
	sup=$(family ctrcompose-sup)
	"$CTRCOMPOSE" rm -s -f a >out 2>&1 3>&- &
	rm=$!
	until remover=$(pgrep -P "$sup" -x ctrcompose-rm); do kill -0 $rm; done
	kill -STOP "$remover"
	[ ! -e "$files" ]
	compose exec -T b nslookup b >/dev/null
	kill -0 $rm
	kill -CONT "$remover"
	wait $rm
	grep -q "$PROJECT-a-1  Removed" out
	nothing_aside
}

@test "removing much, and the remover is killed: the next command removes the rest" {
	local sup remover rm
	many 100
	sup=$(family ctrcompose-sup)
	"$CTRCOMPOSE" rm -s -f a >out 2>&1 3>&- &
	rm=$!
	until remover=$(pgrep -P "$sup" -x ctrcompose-rm); do kill -0 $rm; done
	kill -9 "$remover"
	wait $rm
	kill -9 "$sup" # what is left is seen by the next one
	compose up -d
	nothing_aside
}

@test "what can't be removed is said, and removed once it can be" {
	many 1
	chattr +i "$files/upper/x/0/f" || skip "this file system has no immutable files"
	compose rm -s -f a
	[ ! -e "$files" ]
	grep -q "files below .* are left over" "$CTRCOMPOSE_STATE/projects/$PROJECT/supervisor.log"
	run ! nothing_aside
	run -1 compose system prune -f
	[[ "$output" == *"what is left of removed containers below $CTRCOMPOSE_STATE/containers: Operation not permitted"* ]]
	chattr -i "$CTRCOMPOSE_STATE"/containers/.gone.*/upper/x/0/f
	compose system prune -f
	nothing_aside
}

heavy() { # an image with 30,000 names where a and c have a volume
	mkdir -p big/bin
	cp /bin/busybox big/bin/
	for p in sh sleep ls wc nslookup; do ln -s busybox "big/bin/$p"; done
	names big/x/d 60
	echo text >big/x/d/f
	chown 1000:1000 big/x/d/f
	whole=$(ls big/x/d/* | wc -l)
	compose image import --change 'ENV PATH=/bin' --change 'CMD ["sleep","1000"]' big heavy >/dev/null
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: heavy, init: true, volumes: ["data:/x"] }
		  b: { image: box, init: true }
		  c: { image: heavy, init: true, volumes: ["data:/x", "/x/d"] }
		volumes: { data: {} }
	Y
	compose up -d b
	sup=$(family ctrcompose-sup)
}
whole() { [ "$(compose exec -T "$1" sh -c 'ls /x/d/* | wc -l')" = $whole ]; }
no_ends() { [ -z "$(find "/proc/$1/fd" -type l \( -lname 'socket:*' -o -lname 'pipe:*' \) | grep -v '/[012]$')" ]; }
filler() { pgrep -P "$sup" -x ctrcompose-fill; }

@test "filling a volume with much holds up nobody, also two at once; a killed one is done again; removing it" {
	local sup up pids p rm remover
	heavy
	"$CTRCOMPOSE" up -d >out 2>&1 3>&- &
	up=$!
	until pids=$(filler); do kill -0 $up; done
	for p in $pids; do eventually 20 no_ends "$p"; done
	kill -STOP $pids
	compose exec -T b nslookup b >/dev/null
	[ "$(compose ps --status running --services)" = b ]
	kill -9 $pids
	wait $up
	whole a
	whole c
	[ "$(compose exec -T a sh -c 'ls -n /x/d/f' | wc -w)" = 9 ]
	[[ "$(compose exec -T c sh -c 'ls -n /x/d/f')" == *" 1000 "*" 1000 "* ]]
	[ -z "$(filler)" ]
	grep -q "$PROJECT-a-1  Filling" out
	"$CTRCOMPOSE" rm -s -f -v c >out 2>&1 3>&- &
	rm=$!
	until remover=$(pgrep -P "$sup" -x ctrcompose-rm); do kill -0 $rm; done
	kill -STOP "$remover"
	[ "$(compose volume ls -q)" = "${PROJECT}_data" ]
	kill -CONT "$remover"
	wait $rm
	nothing_aside
}

@test "who interrupts the filling of a volume can take all down, or go on" {
	local sup up pids next
	heavy
	for next in up down; do
		"$CTRCOMPOSE" up -d >out 2>&1 3>&- &
		up=$!
		until pids=$(filler); do kill -0 $up; done
		kill -9 $up
		[ $next = up ] || break
		compose up -d
		whole a
		whole c
		compose down -v -t 0
		compose up -d b
		sup=$(family ctrcompose-sup)
	done
	compose down -v -t 0
	[ -z "$(pgrep -x ctrcompose-fill)" ]
	nothing_aside
}

@test "the supervisor is killed while a volume is filled: the next up fills it" {
	local sup up pids
	heavy
	"$CTRCOMPOSE" up -d >out 2>&1 3>&- &
	up=$!
	until pids=$(filler); do kill -0 $up; done
	kill -9 "$sup"
	wait $up && false
	compose up -d
	whole a
	whole c
	compose down -v
	nothing_aside
	[ -z "$(compose volume ls -q)" ]
}

@test "run: its volumes are filled beside the loop, too" {
	local sup run pids
	heavy
	"$CTRCOMPOSE" run --rm --name one -T c sh -c 'ls /x/d/* | wc -l' >out 2>errors 3>&- &
	run=$!
	until pids=$(filler); do kill -0 $run; done
	kill -STOP $pids
	compose exec -T b nslookup b >/dev/null
	kill -CONT $pids
	wait $run
	[ "$(cat out)" = $whole ]
	[ "$(compose volume ls -q)" = "${PROJECT}_data" ]
	compose volume rm "${PROJECT}_data"
	"$CTRCOMPOSE" run --rm --name two -T c true >out 2>errors 3>&- &
	run=$!
	until pids=$(filler); do kill -0 $run; done
	kill -9 $run
	eventually 20 sh -c '! pgrep -x ctrcompose-fill'
	compose exec -T b nslookup b >/dev/null
	compose down -v -t 0 --remove-orphans
	nothing_aside
}
