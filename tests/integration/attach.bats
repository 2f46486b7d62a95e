#!/usr/bin/env bats
# attach.bats - `ctrcompose attach`: output, input, signals, terminal, detach keys

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

@test "attach shows what comes from now on, both streams apart, and ends as the container does" {
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, volumes: [".:/p"], command: [sh, -c, "echo before; until [ -e /p/go ]; do sleep 0.05; echo tick; done; echo out; echo err >&2; printf last; exit 4"] }
	Y
	compose up -d
	eventually 20 sh -c '"$CTRCOMPOSE" logs | grep -q before'
	"$CTRCOMPOSE" attach a >out 2>err &
	pid=$!
	eventually 20 grep -q tick out
	touch go
	code=0
	wait $pid || code=$?
	[ $code = 4 ]
	[ "$(grep -v tick out)" = $'out\nlast' ]
	[ "$(cat err)" = err ]
}

@test "attach passes standard input on where the service keeps it open, and --no-stdin does not" {
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, stdin_open: true, command: [sh, -c, "while read -r l; do echo got $$l; [ $$l = end ] && exit 7; done"] }
	Y
	compose up -d
	{ echo one; sleep 2; } | timeout -s KILL 1 "$CTRCOMPOSE" attach a >out || true
	grep -q 'got one' out
	echo two | timeout -s KILL 1 "$CTRCOMPOSE" attach --no-stdin a >none || true
	[ "$(compose ps --format '{{.State}}')" = running ]
	run -7 sh -c 'echo end | "$CTRCOMPOSE" attach a'
	[ "$output" = "got end" ]
	[ ! -s none ]
	[ "$(compose logs --no-log-prefix)" = $'got one\ngot end' ]
}

@test "attach passes signals on, and with --sig-proxy=false only ends" {
	cat >compose.yaml <<-'Y'
		services: { a: { image: box, command: [sh, -c, "trap 'echo told; exit 6' TERM; while :; do echo tick; sleep 0.05; done"] } }
	Y
	compose up -d
	"$CTRCOMPOSE" attach --sig-proxy=false a >out &
	pid=$!
	eventually 20 grep -q tick out
	kill -TERM $pid
	wait $pid
	[ "$(compose ps --format '{{.State}}')" = running ]
	"$CTRCOMPOSE" attach a >out &
	pid=$!
	eventually 20 grep -q tick out
	kill -TERM $pid
	code=0
	wait $pid || code=$?
	[ $code = 6 ]
	[ "$(tail -n 1 out)" = told ]
}

@test "attach to a terminal: typing, size, detach keys leave it running" {
	cat >compose.yaml <<-'Y'
		services: { a: { image: box, tty: true, stdin_open: true, command: sh } }
	Y
	compose up -d
	cat >type.py <<-'Y'
		import fcntl, os, pty, select, struct, sys, termios, time
		def attach(*extra):
		    pid, fd = pty.fork()
		    if pid == 0:
		        os.execv(os.environ["CTRCOMPOSE"], ["ctrcompose", "attach", *extra, "a"])
		    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
		    end = time.time() + 8 # raw: it is attached, and what is typed isn't flushed any more
		    while termios.tcgetattr(fd)[3] & termios.ICANON and time.time() < end:
		        time.sleep(0.02)
		    time.sleep(0.5) # the shell answers the change of size
		    return pid, fd
		def until(fd, *texts):
		    got, end = "", time.time() + 8
		    while not all(t in got for t in texts) and time.time() < end:
		        if select.select([fd], [], [], 0.2)[0]:
		            try: got += os.read(fd, 4096).decode(errors="replace")
		            except OSError: break
		    assert all(t in got for t in texts), got
		pid, fd = attach()
		os.write(fd, b"echo sum$((40+2)); stty size\n")
		until(fd, "sum42", "33 111")
		os.write(fd, b"\x10\x11")
		assert os.waitpid(pid, 0)[1] == 0
		pid, fd = attach("--detach-keys", "ctrl-a,x")
		os.write(fd, b"echo again$((1+1))\n")
		until(fd, "again2")
		os.write(fd, b"\x01x")
		assert os.waitpid(pid, 0)[1] == 0
		pid, fd = attach()
		os.write(fd, b"exit 9\n")
		until(fd, "exit 9")
		assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
		print("all seen")
	Y
	run timeout 60 python3 type.py
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"all seen"* ]]
	run -1 compose attach a
	[[ $output == *"not running"* ]]
	run -1 compose attach --detach-keys ctrl-1 a
	[[ $output == *"not a list of keys"* ]]
}

@test "attach: standard input that ends does not end that of the container" {
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, tty: true, stdin_open: true, command: sh -c 'while read -r l; do echo "got $$l"; done; echo over' }
		  b: { image: box, stdin_open: true, command: sh -c 'while read -r l; do echo "got $$l"; done; echo over' }
	Y
	compose up -d
	for s in a b; do
		for word in one two; do
			echo $word | timeout 20 "$CTRCOMPOSE" attach $s >out 2>&1 3>&- &
			attached=$!
			got() { compose logs $s | grep -q "got $word"; }
			eventually 20 got
			[ -e /proc/$attached ]
			pkill -KILL -P $attached # timeout's child
			wait $attached || true
		done
	done
	[ "$(compose ps -q | wc -l)" = 2 ]
	compose logs >seen
	not grep -q over seen
}

none_stack() {
	cat >compose.yaml <<-'Y'
		services:
		  dep: { image: box, command: sh -c 'echo from dep; echo and more; exec sleep 1000', init: true, logging: { driver: none } }
		  a: { image: box, command: sh -c 'echo first; echo second >&2; printf last; exit 3', logging: { driver: none }, depends_on: [dep] }
		  t: { image: box, tty: true, command: sh -c 'echo on a terminal', logging: { driver: none } }
		  kept: { image: box, command: echo kept }
	Y
}

@test "logging driver none: an attached up shows what nothing keeps" {
	none_stack
	for again in 1 2; do
		run -3 compose up --exit-code-from a
		echo "$output"
		for line in "a-1     | first" "a-1     | second" "a-1     | last" "dep-1   | from dep" "dep-1   | and more" "t-1     | on a terminal" "kept-1  | kept" "a-1 exited with code 3"; do
			[ "$(grep -cF -- "$line" <<<"$output")" = 1 ]
		done
		[ "$(compose logs --no-log-prefix 2>/dev/null | grep -vc kept)" = 0 ]
		[ "$(cd "$CTRCOMPOSE_STATE/projects/$PROJECT" && ls | grep "^$PROJECT.*log")" = "$PROJECT-kept-1.log" ]
	done
}

@test "logging driver none: new containers and restarts are heard, others do not see them" {
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, init: true, command: sh -c 'echo begun; exec sleep 1000', logging: { driver: none } }
		  b: { image: box, init: true }
	Y
	timeout 60 "$CTRCOMPOSE" up >out 2>&1 3>&- &
	up=$!
	begun() { [ "$(grep -c 'a-1  | begun' out)" = "$1" ]; }
	eventually 30 begun 1
	compose restart -t 0 a
	eventually 30 begun 2
	compose up -d --force-recreate a
	eventually 30 begun 3
	kill -TERM $up
	wait $up || true
}

@test "logging driver none: attach shows what comes from now on" {
	cat >compose.yaml <<-'Y'
		services: { a: { image: box, stdin_open: true, volumes: [".:/p"], command: sh -c 'echo before; touch /p/said; read -r l; echo "got $$l"; echo wrong >&2; exit 4', logging: { driver: none } } }
	Y
	compose up -d
	eventually 20 test -e said
	sleep 0.3
	code=0
	echo word | timeout 20 "$CTRCOMPOSE" attach a >out 2>errors || code=$?
	[ $code = 4 ]
	[ "$(cat out)" = "got word" ]
	[ "$(cat errors)" = wrong ]
}
