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
		  a: { image: box, volumes: [".:/p"], command: [sh, -c, "echo before; until [ -e /p/go ]; do sleep 0.05; done; echo out; echo err >&2; printf last; exit 4"] }
	Y
	compose up -d
	eventually 3 sh -c '"$CTRCOMPOSE" logs | grep -q before'
	"$CTRCOMPOSE" attach a >out 2>err &
	pid=$!
	sleep 0.5
	touch go
	code=0
	wait $pid || code=$?
	[ $code = 4 ]
	[ "$(cat out)" = $'out\nlast' ]
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
		services: { a: { image: box, command: [sh, -c, "trap 'echo told; exit 6' TERM; while :; do sleep 0.05; done"] } }
	Y
	compose up -d
	"$CTRCOMPOSE" attach --sig-proxy=false a &
	pid=$!
	sleep 0.5
	kill -TERM $pid
	wait $pid
	[ "$(compose ps --format '{{.State}}')" = running ]
	"$CTRCOMPOSE" attach a >out &
	pid=$!
	sleep 0.5
	kill -TERM $pid
	code=0
	wait $pid || code=$?
	[ $code = 6 ]
	[ "$(cat out)" = told ]
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
			eventually 5 got
			[ -e /proc/$attached ]
			pkill -KILL -P $attached # timeout's child
			wait $attached || true
		done
	done
	[ "$(compose ps -q | wc -l)" = 2 ]
	! compose logs | grep -q over
}
