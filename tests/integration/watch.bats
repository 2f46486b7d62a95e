#!/usr/bin/env bats
# watch.bats - `ctrcompose watch`: files of this host that change reach the services

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() {
	[ -z "${watcher:-}" ] || { kill -INT "$watcher" && wait "$watcher"; } || true
	project_close
}

start_watch() {
	"$CTRCOMPOSE" watch "$@" >watch.out 2>&1 &
	watcher=$!
	eventually 20 grep -q "Watch enabled" watch.out || { cat watch.out; false; }
}
inside() { compose exec -T a "$@"; }

@test "sync: files come, change and go, new folders too; what is ignored stays away" {
	mkdir -p src/deep
	echo one >src/there
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    scale: 2
		    develop: { watch: [{ path: ./src, action: sync, target: /app/code, ignore: [tmp/, "*.log"], initial_sync: true }] }
	Y
	start_watch
	[ "$(inside cat /app/code/there)" = one ]
	echo two >src/there
	mkdir -p src/new/er src/tmp
	echo x >src/new/er/file
	echo no >src/tmp/file
	echo no >src/a.log
	echo last >src/last
	eventually 20 inside test -e /app/code/last
	[ "$(inside cat /app/code/there)" = two ]
	[ "$(inside cat /app/code/new/er/file)" = x ]
	[ "$(compose exec -T --index 2 a cat /app/code/new/er/file)" = x ]
	inside sh -c '! test -e /app/code/tmp && ! test -e /app/code/a.log'
	[ "$(inside stat -c %u /app/code/last)" = 0 ]
	rm -r src/new src/there
	eventually 20 inside sh -c '! test -e /app/code/there && ! test -e /app/code/new'
	echo later >src/later # what was deleted stopped nothing
	eventually 20 inside test -e /app/code/later
}

@test "--dry-run: says what it would sync and restart, and touches nothing" {
	mkdir src
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    develop: { watch: [{ path: ./src, action: sync+restart, target: /app }] }
	Y
	compose up -d
	before=$(compose ps --format '{{.ID}}' --no-trunc; compose inspect "$PROJECT-a-1" | jq '.[0].State.Pid')
	start_watch --dry-run
	echo one >src/there
	eventually 30 grep -q "DRY-RUN MODE -  Container $PROJECT-a-1  Started" watch.out
	grep -q "^DRY-RUN MODE - Syncing 1 file to 1 container of a" watch.out
	grep -q "^DRY-RUN MODE - Restarting a" watch.out
	inside sh -c '! test -e /app/there'
	[ "$(compose ps --format '{{.ID}}' --no-trunc; compose inspect "$PROJECT-a-1" | jq '.[0].State.Pid')" = "$before" ]
}

@test "up --watch: not with --no-build; --quiet-build is for what it rebuilds as well" {
	mkdir src
	printf 'FROM box\nCOPY src /app\nRUN echo built-now\nCMD ["sleep","1000"]\n' >Dockerfile
	echo one >src/there
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    build: { context: ., network: none }
		    init: true
		    develop: { watch: [{ path: ./src, action: rebuild }] }
	Y
	run -1 compose up --watch --no-build
	[[ $output == *"--watch and --no-build exclude each other"* ]]
	"$CTRCOMPOSE" up --watch --quiet-build >watch.out 2>&1 3>&- &
	watcher=$!
	eventually 30 grep -q "Watch enabled" watch.out || { cat watch.out; false; }
	echo two >src/there
	eventually 30 sh -c '[ "$("$CTRCOMPOSE" exec -T a cat /app/there 2>/dev/null)" = two ]'
	grep -q "Rebuilding a" watch.out
	not grep -q built-now watch.out
}

@test "sync+restart and sync+exec: a burst is one restart, one exec; a file as path" {
	mkdir src && echo 1 >conf
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    develop:
		      watch:
		        - { path: ./src, action: sync+restart, target: /app }
		        - { path: ./conf, action: sync+exec, target: /etc/conf, exec: { command: [sh, -c, "echo $$WHO $$(id -u) >>/tmp/told"], user: user, environment: { WHO: me } } }
	Y
	start_watch
	started=$(compose inspect "$PROJECT-a-1" | jq -r '.[0].State.StartedAt')
	for i in $(seq 1 50); do echo "$i" >"src/f$i"; done
	eventually 30 sh -c '[ "$("$CTRCOMPOSE" inspect "'"$PROJECT"'-a-1" | jq -r ".[0].State.StartedAt")" != "'"$started"'" ]'
	eventually 20 inside test -e /app/f50
	sleep 1
	[ "$(grep -c Restarting watch.out)" = 1 ]
	echo 2 >conf
	eventually 20 inside test -s /tmp/told
	[ "$(inside cat /etc/conf)" = 2 ]
	[ "$(inside cat /tmp/told)" = "me 1000" ]
}

@test "rebuild: another image, another container" {
	printf 'FROM box\nCOPY word /word\nCMD ["sleep","1000"]\n' >Dockerfile
	echo first >word
	cat >compose.yaml <<-'Y'
		services: { a: { build: { context: ., network: none }, init: true, develop: { watch: [{ path: ./word, action: rebuild }] } } }
	Y
	start_watch --quiet
	[ "$(inside cat /word)" = first ]
	echo second >word
	eventually 20 sh -c '[ "$("$CTRCOMPOSE" exec -T a cat /word)" = second ]'
	grep -q Rebuilding watch.out
	untagged() { compose image ls --format '{{.Repository}}' | grep -c none; }
	gone() { [ "$(untagged)" = 0 ]; }
	eventually 20 gone # the first one
}

@test "watch --prune=false keeps what a rebuild leaves without a name" {
	printf 'FROM box\nCOPY word /word\nCMD ["sleep","1000"]\n' >Dockerfile
	echo first >word
	cat >compose.yaml <<-'Y'
		services: { a: { build: { context: ., network: none }, init: true, develop: { watch: [{ path: ./word, action: rebuild }] } } }
	Y
	start_watch --quiet --prune=false
	old=$(compose images -q)
	echo second >word
	eventually 20 sh -c '[ "$("$CTRCOMPOSE" exec -T a cat /word)" = second ]'
	compose image inspect "$old" >/dev/null
	compose image rm "$old"
}

@test "up --watch: output and files at once, both end with it" {
	mkdir src
	cat >compose.yaml <<-'Y'
		services: { a: { image: box, init: true, command: "sh -c 'echo printed; exec sleep 1000'", develop: { watch: [{ path: ./src, action: sync, target: /app }] } } }
	Y
	run -1 compose up --watch -d
	"$CTRCOMPOSE" up --watch >watch.out 2>&1 3>&- &
	up=$!
	eventually 20 grep -q "Watch enabled" watch.out
	eventually 20 grep -q "a-1  | printed" watch.out
	echo yes >src/file
	eventually 20 inside test -e /app/file
	child=$(pgrep -P $up -f 'watch --no-up')
	kill -INT $up
	code=0
	wait $up || code=$?
	[ $code = 130 ]
	[ ! -e "/proc/$child" ]
	echo 'services: { a: { image: box } }' >compose.yaml
	run -1 compose up --watch
	[[ $output == *"none of the services is to be watched"* ]]
}

@test "watch without a section, with a path that is not there" {
	echo 'services: { a: { image: box } }' >compose.yaml
	run -1 compose watch
	[[ $output == *"none of the services is to be watched"* ]]
	echo 'services: { a: { image: box, develop: { watch: [{ path: ./nothing, action: restart }] } } }' >compose.yaml
	run -1 compose watch --no-up
	[[ $output == *nothing*"No such file"* ]]
}

@test "what the .dockerignore of the build's context hides is not synced either" {
	mkdir -p src/node_modules
	printf 'FROM box\n' >Dockerfile
	printf 'src/node_modules\n**/*.md\n' >.dockerignore
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    build: .
		    init: true
		    develop: { watch: [{ path: ./src, action: sync, target: /app }] }
	Y
	start_watch
	echo no >src/node_modules/big
	echo no >src/read.md
	echo yes >src/last
	eventually 30 inside test -e /app/last
	inside sh -c '! test -e /app/node_modules/big && ! test -e /app/read.md'
}

@test "sync: a folder that turns into a link before its files are copied leads nowhere else" {
	mkdir -p src/deep host
	echo secret >host/file
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    develop: { watch: [{ path: ./src, action: sync, target: /app }] }
	Y
	start_watch
	for i in 1 2 3 4 5; do
		echo mine >src/deep/file
		mv src/deep "src/was$i" && ln -s "$PWD/host" src/deep
		echo "$i" >src/last
		eventually 20 inside sh -c "[ \"\$(cat /app/last)\" = $i ]"
		inside sh -c '! grep -rqs secret /app'
		rm src/deep && mkdir src/deep
		echo "again $i" >src/last # the folder is watched again
		eventually 20 inside sh -c "[ \"\$(cat /app/last)\" = 'again $i' ]"
	done
}
