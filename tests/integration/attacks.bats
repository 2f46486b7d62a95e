#!/usr/bin/env bats
# attacks.bats - a container that does harm while somebody works on it from outside: cp, exec, watch, start.
# Who swaps names here is a program of the host in the container's folders, faster than one inside could be.

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() {
	project_open
	victim=$BATS_TEST_TMPDIR/victim
	echo secret >"$victim"
	chmod 600 "$victim"
}
teardown() {
	[ -z "$swapper" ] || { kill "$swapper"; wait "$swapper"; } 2>/dev/null || true
	project_close
}

# swap FOLDER FILE: each folder d0 to d19 below it, as soon as a program makes it, changes places with a link to the
# file (renameat2).
swap() {
	perl -e 'my ($dir, $to) = @ARGV; $SIG{TERM} = sub { exit 0 }; chdir $dir or die; my $n = 0; symlink $to, "../l0";
		my $exchange = `uname -m` =~ /aarch64/ ? 276 : 316;
		while (1) { for my $i (0 .. 19) { next if !-d "d$i" || -l "d$i";
			syscall($exchange, -100, "d$i", -100, "../l$n", 2) == 0 or next;
			symlink $to, "../l" . ++$n } }' "$1" "$2" >/dev/null 2>&1 3>&- &
	swapper=$!
}

@test "cp: a folder that turns into a link while it is filled takes no file of the host along" {
	printf 'services: { a: { image: box, init: true, volumes: ["vol:/in"] } }\nvolumes: { vol: }\n' >compose.yaml
	compose up -d
	for i in {0..19}; do mkdir -p "src/d$i" && touch "src/d$i"/{1..50}; done
	chmod 777 src/d*
	swap "$CTRCOMPOSE_STATE/volumes/${PROJECT}_vol/_data" "$victim"
	for i in {1..5}; do
		compose cp src/. a:/in || true
		[ "$(stat -c '%a %u' "$victim")" = "600 0" ]
		compose exec -T a sh -c 'rm -rf /in/d*' || true
	done
	kill "$swapper" # it is there still
}

@test "cp: what is set-uid in a container is not so for whom copies it out" {
	printf 'services: { a: { image: box, init: true } }\n' >compose.yaml
	compose up -d
	compose exec -T a sh -c 'mkdir /tmp/d; cp /bin/busybox /tmp/d/su; chmod 6755 /tmp/d/su; chmod 2755 /tmp/d; ln -s d/su /tmp/l'
	compose cp a:/tmp/d got
	[ "$(stat -c %a got/su)" = 755 ]
	compose cp -L a:/tmp/l single
	[ "$(stat -c %a single)" = 755 ]
	compose cp -a a:/tmp/d kept # as it is, owners too
	[ "$(stat -c %a kept/su)" = 6755 ]
	compose cp kept/su a:/tmp/back
	[ "$(compose exec -T a stat -c %a /tmp/back)" = 6755 ]
}

@test "an empty volume that is filled while another container writes there: no file of the host comes in" {
	mkdir -p root/bin root/data root/etc
	for i in {0..19}; do
		mkdir -p "root/data/d$i" "root/data/z$i"
		touch "root/data/d$i"/{1..30}
		for k in {1..30}; do ln "root/data/d$i/$k" "root/data/z$i/$k"; done
	done
	cp /bin/busybox root/bin/
	compose image import --change 'CMD ["/bin/busybox","true"]' root linked >/dev/null
	mkdir secret
	for k in {1..30}; do echo secret >"secret/$k"; done
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, init: true, volumes: ["vol:/not-in-the-image"] }
		  b: { image: linked, volumes: ["vol:/data"] }
		volumes: { vol: }
	Y
	for i in {1..4}; do
		compose up -d a
		swap "$CTRCOMPOSE_STATE/volumes/${PROJECT}_vol/_data" "$PWD/secret"
		compose up -d b || true
		kill "$swapper"
		wait "$swapper" || true
		[ -z "$(find secret -type f -links +1)" ]
		compose down -v -t 0
	done
	compose image rm linked
}

@test "a volume and a secret in a folder that a container writes: a link in their place leads nowhere else" {
	mkdir -p data/sub data/in host
	echo secret >host/file
	echo key >data/key
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, init: true, volumes: ["./data:/data", "./data/sub:/sub"], secrets: [key] }
		secrets: { key: { file: ./data/key } }
	Y
	compose up -d
	[ "$(compose exec -T a cat /run/secrets/key)" = key ]
	compose exec -T a sh -c "mv /data/sub /data/old && ln -s $PWD/host /data/sub"
	run ! compose restart -t 0 a
	[[ "$output" == *"/data/sub leads to $PWD/host, out of $PWD/data, where container $PROJECT-a-1 may write"* ]]
	run ! compose up -d
	[[ "$output" == *"/data/sub leads to $PWD/host"* ]]
	rm data/sub && ln -s in data/sub # as a person may have it
	compose up -d
	compose exec -T a touch /sub/here
	[ -e data/in/here ]
	compose exec -T a ln -sf "$PWD/host/file" /data/key
	run ! compose restart -t 0 a
	[[ "$output" == *"/data/key leads to $PWD/host/file"* ]]
	rm data/key && mkfifo data/key
	run ! timeout 10 "$CTRCOMPOSE" up -d
	[[ "$output" == *"data/key is not a file"* ]]
	rm data/key && echo other >data/key
	compose up -d
	# What is missing is made there, and nowhere else.
	compose exec -T a sh -c "rm /data/sub && ln -s $PWD/host /data/link"
	sed -i 's,./data/sub:/sub,./data/link/new:/sub,' compose.yaml
	run ! compose up -d
	[ ! -e host/new ]
}

@test "what a container says comes to no terminal with escape sequences but in its logs" {
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    command: ["sh", "-c", "printf 'no\\033[31m way\\n'; exec sleep 1000"]
		    healthcheck: { test: ["CMD-SHELL", "printf 'ill\\033[31m\\n2026-12-01 error forged'; exit 1"], interval: 100ms, retries: 1 }
	Y
	run ! compose up -d --wait
	[[ "$output" == *"ill?[31m"* && "$output" != *$'\033'* ]]
	compose exec -T -d a sh -c 'sleep 900; true' $'x\033]0;owned\007\302\2332J'
	eventually 20 sh -c '"$CTRCOMPOSE" top a | grep -qF "x?]0;owned"'
	run compose top a
	[[ "$output" != *$'\033'* && "$output" != *$'\302\233'* ]]
	grep -qF 'ill?[31m?2026-12-01 error forged' "$CTRCOMPOSE_STATE/projects/$PROJECT/supervisor.log"
}

@test "state and run folders that others own or may write are not used" {
	mkdir folder && chown 1000 folder && chmod 755 folder
	for v in CTRCOMPOSE_STATE CTRCOMPOSE_RUN; do
		run ! env "$v=$PWD/folder" "$CTRCOMPOSE" ls
		[[ "$output" == *"belongs to the user 1000"* ]]
	done
	chown 0 folder && chmod 777 folder
	run ! env "CTRCOMPOSE_STATE=$PWD/folder" "$CTRCOMPOSE" ls
	[[ "$output" == *"others may write there"* ]]
	[ -z "$(ls folder)" ]
}

@test "a container that leaves itself no time for its health probes takes none of its neighbours'" {
	cat >compose.yaml <<-'Y'
		services:
		  hog:
		    image: box
		    init: true
		    cpus: 0.01
		    command: ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do while :; do :; done & done; wait"]
		    healthcheck: { test: ["CMD", "true"], interval: 200ms, timeout: 20s }
		  a: { image: box, init: true }
	Y
	compose up -d
	# The name server is the supervisor's, as probes are; a question waits 5 s for its answer.
	for i in {1..40}; do
		compose exec -T a sh -c 'nslookup hog >/dev/null && sleep 0.1'
	done
	compose down -t 0
}

@test "secrets and the files of every container cover nothing in /proc, by name or through a link of the image" {
	for target in /proc/self/attr/current /proc/version; do
		printf 'services: { a: { image: box, secrets: [{ source: s, target: %s }] } }\nsecrets: { s: { file: ./compose.yaml } }\n' "$target" >compose.yaml
		run ! compose up -d
		[[ "$output" == *"mount inside /proc: '$target'"* ]]
		compose down -t 0
	done
	mkdir -p root/bin root/etc && cp /bin/busybox root/bin/ && ln -s /proc/self/attr/exec root/etc/hostname
	compose image import --change 'CMD ["/bin/busybox","true"]' root covering >/dev/null
	printf 'services: { a: { image: covering } }\n' >compose.yaml
	run ! compose up -d
	[[ "$output" == *"mount inside /proc: '/etc/hostname'"* ]]
	compose down -t 0
	compose image rm covering
}

@test "a value that a sysctl does not take is named, not what fails after it" {
	printf 'services: { a: { image: box, sysctls: { kernel.shm_rmid_forced: "1+kernel.core_pattern=|/x" } } }\n' >compose.yaml
	for i in {1..8}; do
		run ! compose up -d
		[[ "$output" == *"set the sysctl kernel.shm_rmid_forced to '1+kernel.core_pattern=|/x'"* ]]
	done
}

@test "a build's image with a pipe in the place of its passwd: nothing waits for it" {
	printf 'FROM box\nRUN rm /etc/passwd && mkfifo /etc/passwd\nCOPY --chown=user compose.yaml /x\n' >Dockerfile
	echo 'services: { a: { build: . } }' >compose.yaml
	run -1 timeout 60 "$CTRCOMPOSE" build
	[[ "$output" == *"Dockerfile:3"*"user"* ]]
}
