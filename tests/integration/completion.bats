#!/usr/bin/env bats
# completion.bats - `ctrcompose completion`: what a person gets with the tab key

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

stack() {
	mkdir -p bin sub && ln -sf "$CTRCOMPOSE" bin/ctrcompose && touch file.txt
	PATH=$PWD/bin:$PATH
	cat >compose.yaml <<-'Y'
		services:
		  web: { image: box, init: true }
		  worker: { image: box, init: true }
		  db: { image: box, init: true, profiles: [extra] }
	Y
	sed 's/web/other/; s/worker/more/' compose.yaml >other.yaml
}

# What bash offers for a line, sorted, in one line.
offers() { # LINE
	bash --norc -c '
		source <(ctrcompose completion bash)
		COMP_LINE=$1 COMP_POINT=${#1}
		_ctrcompose
		printf "%s\n" "${COMPREPLY[@]}" | sort | tr "\n" " "' offers "$1"
}

@test "bash: commands, options, services, values" {
	stack
	[ "$(offers 'ctrcompose re')" = "restart " ]
	[[ "$(offers 'ctrcompose ')" == *" logs "*" up "* ]]
	[ "$(offers 'ctrcompose stop ')" = "web worker " ]
	[ "$(offers 'ctrcompose stop w')" = "web worker " ]
	[ "$(offers 'ctrcompose stop web wo')" = "worker " ]
	[ "$(offers 'ctrcompose up --remove')" = "--remove-orphans " ]
	[[ "$(offers 'ctrcompose up -')" == *"--wait "* ]]
	[ "$(offers 'ctrcompose up --pull a')" = "always " ]
	[ "$(offers 'ctrcompose --progress=q')" = "quiet " ]
	[ "$(offers 'ctrcompose logs -f -n 5 we')" = "web " ]
	[ "$(offers 'ctrcompose up --exit-code-from w')" = "web worker " ]
	[ "$(offers 'ctrcompose scale w')" = "web= worker= " ]
	[ "$(offers 'ctrcompose exec -T w')" = "web worker " ]
	[ "$(offers 'ctrcompose exec web fi')" = "file.txt " ]
	[ "$(offers 'ctrcompose port web ')" = " " ]
	[ "$(offers 'ctrcompose nothing we')" = " " ]
	rm compose.yaml
}

@test "bash: other files and projects, images, volumes, subcommands" {
	stack
	compose up -d
	[ "$(offers 'ctrcompose -f other.yaml stop ')" = "more other " ]
	[ "$(offers 'ctrcompose -f oth')" = "other.yaml " ]
	[ "$(offers 'ctrcompose --profile extra stop d')" = "db " ]
	[ "$(offers 'ctrcompose --profile e')" = "extra " ]
	[[ "$(offers 'ctrcompose -p ')" == *"$PROJECT "* ]]
	[ "$(offers 'ctrcompose image p')" = "prune pull push " ]
	[ "$(offers 'ctrcompose image rm box:l')" = "latest " ] # after the word break
	[ "$(offers 'ctrcompose network inspect ')" = "${PROJECT}_default " ]
	[ "$(offers "ctrcompose inspect $PROJECT-w")" = "$PROJECT-web-1 $PROJECT-worker-1 " ]
	[[ "$(offers 'ctrcompose cp w')" == *"web: worker: "* ]]
	[ "$(offers 'ctrcompose completion z')" = "zsh " ]
}

@test "bash with a person at the keyboard" {
	stack
	ctrcompose completion bash >script
	cat >type.py <<-'Y'
		import os, pty, select, sys, time
		pid, fd = pty.fork()
		if pid == 0:
		    os.environ["TERM"] = "dumb"
		    os.environ["PS1"] = "READY>"
		    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
		def until(text, seconds=10):
		    got, end = "", time.time() + seconds
		    while text not in got and time.time() < end:
		        if select.select([fd], [], [], 0.2)[0]:
		            got += os.read(fd, 4096).decode(errors="replace")
		    return got
		until("READY>")
		os.write(fd, b"source ./script; echo sour''ced\n")
		until("sourced")
		os.write(fd, b"ctrcompose sto\tweb wor\t; echo en''d\n")
		print(until("\nend", 15))
		os.kill(pid, 9)
	Y
	mv bin/ctrcompose bin/real
	printf '#!/bin/sh\ncase $1 in stop) echo "ran: $*" ;; *) exec "%s/bin/real" "$@" ;; esac\n' "$PWD" >bin/ctrcompose
	chmod +x bin/ctrcompose
	run -0 timeout 60 python3 type.py
	[[ $output == *"ran: stop web worker"* ]]
	rm compose.yaml
}

@test "every command and each of its options is in each script; scripts parse" {
	for shell in bash zsh fish; do
		compose completion $shell >script.$shell
		for word in commit system prune remove-orphans project-name abort-on-container-exit; do
			grep -q -e "$word" script.$shell
		done
	done
	bash -n script.bash
	! command -v zsh >/dev/null || zsh -n script.zsh
	! command -v fish >/dev/null || fish -n script.fish
	run -1 compose completion tcsh
	[[ $output == *"bash, zsh, fish"* ]]
}

@test "make install puts the scripts where shells look for them" {
	local root=$BATS_TEST_DIRNAME/../..
	grep -q 'bash-completion/completions/ctrcompose' "$root/Makefile"
	make -s -C "$root" install-completions BIN="$CTRCOMPOSE" DESTDIR="$PWD/dest" PREFIX=/usr
	diff <(compose completion bash) dest/usr/share/bash-completion/completions/ctrcompose
	diff <(compose completion zsh) dest/usr/share/zsh/vendor-completions/_ctrcompose
	diff <(compose completion fish) dest/usr/share/fish/vendor_completions.d/ctrcompose.fish
}
