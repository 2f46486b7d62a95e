#!/usr/bin/env bats
# build.bats - images from Dockerfiles: each instruction, the cache, stages, mounts, `up --build`

bats_require_minimum_version 1.5.0
load lib
load layout
setup_file() { world_open; }
teardown_file() { world_close; }
setup() {
	project_open
	cat >compose.yaml <<-Y
		services:
		  a: { build: { context: ., network: none } }
	Y
}
teardown() {
	[ -z "${AGENT:-}" ] || kill "$AGENT"
	[ -z "${SERVER:-}" ] || kill "$SERVER"
	project_close
}

# in_image COMMAND...: in a container of what was built
in_image() { compose run --rm -T --entrypoint "" a "$@"; }
config() { compose image inspect "$PROJECT-a" | jq -c ".[0].Config.$1"; }

@test "COPY, RUN, ENV, WORKDIR, USER, CMD: the image is what the file says" {
	mkdir -p src/sub
	echo one >src/one; echo two >src/sub/two; ln -s one src/link
	cat >Dockerfile <<-'D'
		FROM box
		ARG WHO=nobody
		ENV NAME="a b" OTHER=$WHO
		WORKDIR /app/here
		COPY src/ ./
		RUN echo "$NAME $OTHER $WHO" >made && id -u >uid && pwd >>uid
		USER user
		RUN id -u >/tmp/uid
		LABEL x=y
		EXPOSE 80 90/udp
		VOLUME /vol
		STOPSIGNAL SIGINT
		HEALTHCHECK --interval=2s CMD true
		ENTRYPOINT ["sleep"]
		CMD ["1000"]
	D
	run compose build --build-arg WHO=me
	[ "$status" = 0 ]
	[ "$(in_image cat /app/here/made)" = "a b me me" ]
	[ "$(in_image cat /app/here/uid)" = $'0\n/app/here' ]
	[ "$(in_image cat /tmp/uid)" = 1000 ]
	[ "$(in_image cat /app/here/sub/two)" = two ]
	[ "$(in_image readlink /app/here/link)" = one ]
	[ "$(in_image stat -c '%u:%g' /app/here/one)" = 0:0 ]
	[ "$(in_image pwd)" = /app/here ]
	[ "$(config User)" = '"user"' ]
	[ "$(config Labels.x)" = '"y"' ]
	[ "$(config ExposedPorts)" = '{"80/tcp":{},"90/udp":{}}' ]
	[ "$(config Entrypoint)" = '["sleep"]' ]
	[ "$(config Cmd)" = '["1000"]' ]
	[ "$(config Healthcheck.Interval)" = 2000000000 ]
}

@test "an empty dockerfile is the Dockerfile" {
	sed -i 's/context: \./&, dockerfile: "$UNSET"/' compose.yaml
	printf 'FROM box\nLABEL is=it\n' >Dockerfile
	compose build
	[ "$(config Labels.is)" = '"it"' ]
}

@test "a second build does nothing again and gives the same image" {
	echo 1 >file
	printf 'FROM box\nCOPY file /file\nRUN cat /file >/copy; cat /proc/uptime >/when\nCMD ["true"]\n' >Dockerfile
	compose build
	first=$(compose image inspect "$PROJECT-a" | jq -r '.[0].Id')
	touch file
	run compose build
	[[ "$output" == *CACHED* ]]
	[[ "$output" != *DONE* ]]
	[ "$(compose image inspect "$PROJECT-a" | jq -r '.[0].Id')" = "$first" ]
	echo 2 >file
	run compose build
	[[ "$output" != *CACHED* ]]
	[ "$(in_image cat /copy)" = 2 ]
	before=$(in_image cat /when)
	compose build --no-cache
	[ "$(in_image cat /when)" != "$before" ]
}

@test "stages: COPY --from, target, and only what the target needs" {
	cat >Dockerfile <<-'D'
		FROM box AS one
		RUN mkdir /out && echo made >/out/file && chown user /out/file
		FROM box AS unused
		RUN false
		FROM one AS two
		RUN echo more >>/out/file
		FROM scratch
		COPY --from=box /bin /bin
		COPY --from=two /out /out
		COPY --from=0 /out/file /first
		ENV PATH=/bin
	D
	compose build
	[ "$(in_image cat /out/file)" = $'made\nmore' ]
	[ "$(in_image cat /first)" = made ]
	[ "$(in_image stat -c %u /out/file)" = 1000 ]
	sed -i 's/network: none/network: none, target: unused/' compose.yaml
	run compose build
	[ "$status" = 1 ]
	[[ "$output" == *"Dockerfile:4: RUN false: the command ended with exit code 1"* ]]
}

@test "COPY: globs, --chown, --chmod, --exclude, --parents, .dockerignore, heredocs" {
	mkdir -p d/e
	touch a.txt b.txt c.md d/x.o d/e/y.c secret
	printf 'secret\n**/*.o\n' >.dockerignore
	cat >Dockerfile <<-'D'
		FROM box
		COPY *.txt /texts/
		COPY --chown=user:extra --chmod=0640 c.md /c.md
		COPY --exclude=e d /d
		COPY --parents d/e/y.c /p/
		COPY . /all
		ENV WHO=me
		COPY <<EOF /etc/motd
		hello $WHO
		EOF
		RUN <<EOF
		set -e
		echo heredoc >/h
		EOF
	D
	compose build
	[ "$(in_image ls /texts)" = $'a.txt\nb.txt' ]
	[ "$(in_image stat -c '%u:%g %a' /c.md)" = "1000:2000 640" ]
	[ "$(in_image ls -A /d)" = "" ]
	in_image test -f /p/d/e/y.c
	[ "$(in_image cat /etc/motd)" = "hello me" ]
	[ "$(in_image cat /h)" = heredoc ]
	run in_image ls /all
	[[ "$output" != *secret* ]]
	[[ "$output" == *c.md* ]]
}

@test "what a RUN removes is gone, and nothing of the mounts stays" {
	printf 'FROM box\nRUN echo x >/x && mkdir /dir && touch /dir/a\nRUN rm /x && rm -r /dir && mkdir /dir && touch /dir/b\n' >Dockerfile
	compose build
	run in_image ls /x
	[ "$status" != 0 ]
	[ "$(in_image ls /dir)" = b ]
	layer=$(compose image inspect "$PROJECT-a" | jq -r '.[0].RootFS.Layers[-1]')
	layer=$CTRCOMPOSE_STATE/layers/${layer#sha256:}
	[ "$(ls -A "$layer" | grep -vx etc | xargs)" = "dir x" ]
	[ -c "$layer/x" ]
	[ -z "$(ls -A "$layer/etc" 2>/dev/null)" ]
}

@test "RUN --mount: bind, cache, tmpfs, secret" {
	echo bound >file; echo hush >pw
	cat >compose.yaml <<-Y
		services:
		  a: { build: { context: ., network: none, secrets: [pw] } }
		secrets: { pw: { file: ./pw } }
	Y
	cat >Dockerfile <<-'D'
		FROM box
		RUN --mount=target=/in --mount=type=tmpfs,target=/scratch cat /in/file >/bound && touch /scratch/x
		RUN --mount=type=cache,target=/cache echo 1 >>/cache/n && cat /cache/n >/n1
		RUN --mount=type=cache,target=/cache echo 2 >>/cache/n && cat /cache/n >/n2
		RUN --mount=type=secret,id=pw,required=true wc -c </run/secrets/pw >/size
	D
	compose build
	[ "$(in_image cat /bound)" = bound ]
	[ "$(in_image cat /n2)" = $'1\n2' ]
	[ "$(in_image cat /size)" = 5 ]
	run in_image ls /in /scratch /cache /run
	[[ "$output" != *hush* ]]
	[ "$status" != 0 ]
	run grep -r hush "$CTRCOMPOSE_STATE/images"
	[ "$status" != 0 ]
}

@test "links in the context and in the image lead nowhere else" {
	canary=$BATS_TEST_TMPDIR/canary
	mkdir "$canary"; echo host >"$canary/file"
	ln -s "$canary" out; ln -s /etc/hostname host
	printf 'FROM box\nCOPY out/file /x\n' >Dockerfile
	run compose build
	[ "$status" = 1 ]
	printf 'FROM box\nRUN ln -s %s /esc\nCOPY Dockerfile /esc/Dockerfile\n' "$canary" >Dockerfile
	compose build || true
	[ "$(ls "$canary")" = file ]
	printf 'FROM box\nCOPY ../../../../etc/hostname /x\n' >Dockerfile
	run compose build
	[ "$status" = 1 ]
}

@test "a RUN has no network, no host files, and its own ids" {
	printf 'FROM box\nRUN ip -o link | wc -l >/links; cat /proc/self/uid_map >/map; ls /sys/class/net >/net\n' >Dockerfile
	compose build
	[ "$(in_image cat /net)" = lo ]
	[[ "$(in_image cat /map)" != *" 0 4294967295"* ]]
}

@test "up builds what is missing, up --build makes containers anew when the image is another" {
	echo 1 >file
	printf 'FROM box\nCOPY file /file\n' >Dockerfile
	compose up -d
	[ "$(compose exec -T a cat /file)" = 1 ]
	first=$(compose ps -q)
	compose up -d --build
	[ "$(compose ps -q)" = "$first" ]
	echo 2 >file
	compose up -d
	[ "$(compose ps -q)" = "$first" ]
	compose up -d --build
	[ "$(compose ps -q)" != "$first" ]
	[ "$(compose exec -T a cat /file)" = 2 ]
	echo 3 >file
	sed -i 's/build:/pull_policy: build, &/' compose.yaml
	compose up -d --no-build
	[ "$(compose exec -T a cat /file)" = 2 ]
	compose up -d
	[ "$(compose exec -T a cat /file)" = 3 ]
}

@test "dockerfile_inline, args, labels, tags, additional_contexts" {
	mkdir more; echo extra >more/file
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    build:
		      context: .
		      network: none
		      args: { V: "3" }
		      labels: { made: here }
		      tags: ["other:1"]
		      additional_contexts: { more: ./more }
		      dockerfile_inline: |
		        ARG BASE=box
		        FROM $${BASE}
		        ARG V
		        COPY --from=more file /file
		        RUN echo $$V >/v
	Y
	compose build
	[ "$(in_image cat /v)" = 3 ]
	[ "$(in_image cat /file)" = extra ]
	[ "$(config Labels.made)" = '"here"' ]
	compose image inspect other:1 >/dev/null
}

@test "independent stages go on at the same time" {
	cat >Dockerfile <<-'D'
		FROM box AS x
		RUN --mount=type=cache,id=meet,target=/m touch /m/x; for i in $(seq 300); do [ -e /m/y ] && exit; sleep 0.1; done; exit 1
		FROM box AS y
		RUN --mount=type=cache,id=meet,target=/m touch /m/y; for i in $(seq 300); do [ -e /m/x ] && exit; sleep 0.1; done; exit 1
		FROM box
		COPY --from=x /tmp /x
		COPY --from=y /tmp /y
	D
	compose build
}

@test "mistakes are named with file and line" {
	printf 'FROM box\nCOPY nothere /x\n' >Dockerfile
	run compose build
	[ "$status" = 1 ]
	[[ "$output" == *"Dockerfile:2: COPY nothere /x: the context has no 'nothere'"* ]]
	printf 'FROM nosuchimage\n' >Dockerfile
	run compose build
	[ "$status" = 1 ]
	[[ "$output" == *nosuchimage* ]]
	printf 'FROM box\nRUN ["/nosuch"]\n' >Dockerfile
	run compose build
	[ "$status" = 1 ]
	[[ "$output" == *nosuch* ]]
}

@test "network: RUN has one of its own with a way to this machine; extra_hosts, ulimits, shm_size" {
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    build:
		      context: .
		      extra_hosts: ["here:host-gateway", "there:192.0.2.7"]
		      ulimits: { nofile: { soft: 100, hard: 200 }, nproc: 300 }
		      shm_size: 8m
	Y
	cat >Dockerfile <<-'D'
		FROM box
		RUN ls /sys/class/net | xargs >/links; cat /etc/hosts >/hosts; ulimit -n >/n; ulimit -Hn >>/n; df -k /dev/shm | tail -1 >/shm
		RUN wget -q -O /answer http://here:8099/file
	D
	mkdir www; echo from-outside >www/file
	/bin/busybox httpd -f -p 8099 -h www 3>&- & server=$!
	run compose build
	kill $server
	[ "$status" = 0 ]
	[ "$(in_image cat /links)" = "eth0 lo" ]
	[ "$(in_image cat /answer)" = from-outside ]
	[ "$(in_image cat /n)" = $'100\n200' ]
	[[ "$(in_image cat /hosts)" == *$'192.0.2.7\tthere'* ]]
	[[ "$(in_image cat /shm)" == *" 8192 "* ]]
}

@test "kill -9 of the builder: its container, group, network and rules are gone with the next build" {
	echo 'services: { a: { build: . } }' >compose.yaml
	printf 'FROM box\nRUN sleep 1000\n' >Dockerfile
	compose build >out 2>&1 3>&- & cmd=$!
	eventually 30 sh -c "ip -o link | grep -q 'eth0\|cc-' && ls $CTRCOMPOSE_RUN/.builds"
	kill -9 $(pgrep -P $cmd) $cmd
	printf 'FROM box\nRUN true\n' >Dockerfile
	compose build
	[ -z "$(pgrep -f '^sleep 1000' | xargs -r -I{} sh -c 'readlink /proc/{}/ns/net' | grep "$(readlink /proc/self/ns/net)")" ]
	# the rest is what the comparison of the machine looks at
}

@test "cache mounts: sharing, a first content, owner and mode" {
	cat >Dockerfile <<-'D'
		FROM box AS seed
		RUN mkdir /s && echo first >/s/f
		FROM box AS x
		RUN --mount=type=cache,id=l,sharing=locked,target=/c echo in >>/c/log; sleep 0.5; echo out >>/c/log
		FROM box AS y
		RUN --mount=type=cache,id=l,sharing=locked,target=/c : y; echo in >>/c/log; sleep 0.5; echo out >>/c/log
		FROM box
		COPY --from=x /etc/passwd /x
		COPY --from=y /etc/passwd /y
		RUN --mount=type=cache,id=l,target=/c cat /c/log >/log
		RUN --mount=type=cache,id=o,target=/c,from=seed,source=/s,uid=1000,gid=2000,mode=0750 stat -c '%u:%g %a' /c >/o; cat /c/f >>/o
	D
	compose build
	[ "$(in_image cat /log | xargs)" = "in out in out" ]
	[ "$(in_image cat /o)" = $'1000:2000 750\nfirst' ]
}

@test "a builder that is killed while it fills a cache leaves none that is half full" {
	mkdir big && seq 20000 | sed 's,^,big/,' | xargs touch
	printf 'services: { a: { build: { context: ., network: none, additional_contexts: { big: ./big } } } }\n' >compose.yaml
	printf 'FROM box\nRUN --mount=type=cache,id=half,target=/c,from=big,mode=1777 ls /c | wc -l >/n; stat -c %%a /c >>/n\n' >Dockerfile
	"$CTRCOMPOSE" build >build.log 2>&1 3>&- & local pid=$!
	eventually 30 sh -c "ls $CTRCOMPOSE_STATE/layers/tmp-*/cache*/1"
	kill -KILL $pid
	wait $pid || true
	compose build
	[ "$(in_image cat /n)" = $'20000\n1777' ]
	rm -r big
}

@test "what a RUN sees beside its files is part of its key: hosts and limits" {
	local hosts limits
	printf 'FROM box\nRUN grep there /etc/hosts >/r; ulimit -n >>/r\n' >Dockerfile
	for row in "192.0.2.7 100" "192.0.2.8 100" "192.0.2.8 101"; do
		read -r hosts limits <<<"$row"
		printf 'services: { a: { build: { context: ., network: none, extra_hosts: ["there:%s"], ulimits: { nofile: %s } } } }\n' $hosts $limits >compose.yaml
		compose build
		[ "$(in_image cat /r)" = "$hosts"$'\tthere\n'"$limits" ]
	done
	run -0 compose build
	[[ "$output" == *CACHED* ]]
}

@test "proxies are for RUN alone: no ARG, no part of the image or the cache" {
	printf 'FROM box\nRUN echo "$http_proxy" >/p\n' >Dockerfile
	compose build --build-arg http_proxy=http://x:1
	[ "$(in_image cat /p)" = http://x:1 ]
	run compose build --build-arg http_proxy=http://y:2
	[[ "$output" == *CACHED* ]]
	[[ "$(config Env)" != *proxy* ]]
}

@test "no_cache_filter, privileged and --security=insecure" {
	printf 'FROM box AS one\nRUN cat /proc/uptime >/t\nFROM one AS two\nRUN cat /proc/uptime >/u\n' >Dockerfile
	sed -i 's/network: none/network: none, no_cache_filter: [two]/' compose.yaml
	compose build
	t=$(in_image cat /t) u=$(in_image cat /u)
	sleep 0.05
	compose build
	[ "$(in_image cat /t)" = "$t" ]
	[ "$(in_image cat /u)" != "$u" ]
	printf 'FROM box\nRUN --security=insecure cat /proc/self/uid_map >/m; mkdir /t && mount -t tmpfs x /t\n' >Dockerfile
	run compose build
	[ "$status" = 1 ]
	[[ "$output" == *"Dockerfile:2"*"security.insecure"* ]]
	echo 'services: { a: { build: { context: ., network: none, privileged: true } } }' >compose.yaml
	compose build
	[[ "$(in_image cat /m)" == *4294967295* ]]
}

@test "what is not carried out is refused with its place" {
	printf 'FROM box\n' >Dockerfile
	local row
	for row in 'platforms: [linux/s390x]|linux/s390x' 'context: "ftp://example.org/x.tar"|an address' \
		'provenance: "mode=max"|attestations' 'sbom: true|attestations' 'entitlements: [device]|entitlements' \
		'cache_to: ["type=s3,bucket=x"]|cache_to' 'cache_to: ["type=gha"]|cache_to' \
		'cache_to: ["type=registry,ref=Not A Name"]|cache_to' 'cache_from: ["type=inline"]|cache_from' 'cache_to: ["type=inline,mode=max"]|cache_to'; do
		printf 'services:\n  a:\n    build:\n      context: .\n      %s\n' "${row%%|*}" | awk '!(/context: \.$/ && 0)' >compose.yaml
		[[ "$row" != context* ]] || sed -i '/context: \.$/d' compose.yaml
		run compose build
		[ "$status" != 0 ]
		[[ "$output" == *compose.yaml:*"${row#*|}"* ]]
	done
	echo 'services: { a: { build: . } }' >compose.yaml
	printf 'FROM --platform=linux/s390x box\n' >Dockerfile
	run compose build
	[[ "$output" == *"Dockerfile:1: --platform=linux/s390x"* ]]
	printf 'FROM --platform=$BUILDPLATFORM box\nARG TARGETARCH\nRUN --network=none test -n "$TARGETARCH"\n' >Dockerfile
	compose build
}

@test "--print says what would be built, as a bake file, and builds nothing" {
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: named:2
		    build:
		      context: ./dir
		      args: { A: "1", B: "$${x}" }
		      labels: { l: v }
		      tags: ["other:1"]
		      target: last
		      secrets: [s]
		      no_cache: true
		      shm_size: 64m
		      ulimits: { nofile: { soft: 10, hard: 20 }, nproc: 5 }
		      extra_hosts: { h: 10.0.0.1 }
		      additional_contexts: { one: "service:b.c" }
		  b.c: { build: { context: ., dockerfile_inline: "FROM $${x}" } }
		secrets: { s: { file: ./nothere } }
	Y
	mkdir dir
	compose build --print --pull --push --ssh default,x=/y --build-arg A=2 a >print.json
	[ "$(jq -c .group.default.targets print.json)" = '["a","b_c"]' ]
	jq -e --arg d "$PWD" '.target.a == {context: ($d + "/dir"), contexts: {one: "target:b.c"}, dockerfile: ($d + "/dir/Dockerfile"),
		args: {A: "2", B: "$${x}"}, labels: {l: "v"}, tags: ["named:2", "other:1"], target: "last",
		secret: ["id=s,type=file,src=" + $d + "/nothere"], pull: true, "no-cache": true, "shm-size": 67108864,
		ulimits: ["nofile=10:20", "nproc=5:5"], "extra-hosts": {h: "10.0.0.1"}, ssh: ["default", "x=/y"], output: ["type=image,push=true"]}' print.json
	jq -e '.target.b_c | .["dockerfile-inline"] == "FROM $${x}" and .output == ["type=docker"] and .pull and (has("dockerfile") | not)' print.json
	run ! compose image inspect named:2
	sed -i 's/sha:/&/; s/target: last/&\n      sbom: true/' compose.yaml
	run ! compose build --print
	[[ "$output" == *"compose.yaml:"*sbom* ]]
	rm compose.yaml
}

@test "--check reads the Dockerfiles, names every mistake, and builds nothing" {
	cat >compose.yaml <<-'Y'
		services:
		  a: { build: . }
		  b: { build: { context: ., dockerfile: Other } }
		  c: { build: { context: ., target: nothere } }
	Y
	printf 'FROM box\nRUN false\n' >Dockerfile
	printf 'FROM box\nCOPPY a b\n' >Other
	run -1 compose build --check
	[[ "$output" == *"b: Other:2"*COPPY* ]]
	[[ "$output" == *"c: Dockerfile has no stage 'nothere'"* ]]
	run -0 compose build --check a
	[[ "$output" == "Check complete, no problems found in 1 build." ]]
	run ! compose image inspect "$PROJECT-a"
	run -1 compose build --check --push
	[[ "$output" == *--push* ]]
}

@test "options without a meaning here are refused by name; --memory bounds a RUN" {
	printf 'FROM box\nRUN tail -c 200m /dev/zero | wc -c\n' >Dockerfile
	run -1 compose build --builder other
	[[ "$output" == *"--builder other"* ]]
	run -1 compose build --sbom true
	[[ "$output" == *"--sbom: attestations"* ]]
	run -1 compose build --provenance mode=max
	[[ "$output" == *"--provenance: attestations"* ]]
	run -1 compose build -m lots
	[[ "$output" == *"--memory: 'lots'"* ]]
	printf 'FROM box\nRUN a=x; while [ ${#a} -lt 100000000 ]; do a=$a$a; done\n' >Dockerfile
	run ! compose build --memory 32m
	[[ "$output" == *"exit code 137"* ]]
	printf 'FROM box\nRUN true\n' >Dockerfile
	compose build --memory 32m --provenance=false --sbom=false --compress --force-rm --no-rm --parallel
}

@test "an image of another service is built first; a circle is refused" {
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    build:
		      context: .
		      network: none
		      additional_contexts: { one: "service:z", two: "service:y" }
		      dockerfile_inline: "FROM one\nCOPY --from=two /y /y\n"
		  y: { build: { context: ., network: none, dockerfile_inline: "FROM t-plain\nRUN sleep 1; echo y >/y\n" } }
		  x: { image: t-plain, build: { context: ., network: none, dockerfile_inline: "FROM box\nRUN sleep 0.5\n" } }
		  z: { build: { context: ., network: none, dockerfile_inline: "FROM box\nRUN sleep 1; echo z >/z\n" } }
	Y
	compose build
	[ "$(in_image cat /z /y)" = $'z\ny' ]
	compose image rm "$PROJECT-z" "$PROJECT-a"
	compose build a # takes z with it
	compose image inspect "$PROJECT-z" >/dev/null
	sed -i '/  z:/s/FROM box/FROM one/; /  z:/s/context: ./&, additional_contexts: { one: "service:a" }/' compose.yaml
	run ! compose build
	[[ "$output" == *"wait for each other's images"* ]]
	sed -i 's/service:a/service:none/' compose.yaml
	run ! compose build
	[[ "$output" == *"service z"*"no such service: none"* ]]
}

@test "RUN --mount=type=ssh: the agent lists and signs for a RUN, and is changed by none" {
	local f
	mkdir root
	for f in "$(command -v ssh-add)" $(ldd "$(command -v ssh-add)" | grep -o '/[^ ]*'); do
		mkdir -p "root$(dirname "$f")"
		cp -L "$f" "root$f"
	done
	cat >Dockerfile <<-'D'
		FROM box
		COPY root /
		ENV PATH=/bin:/usr/bin
		RUN test -z "$SSH_AUTH_SOCK" && ! test -e /run/buildkit
		RUN --mount=type=ssh,required=true ssh-add -l >/keys && ls -ln $SSH_AUTH_SOCK >/socket
		RUN --mount=type=ssh ! ssh-add -D && ! ssh-add -x </dev/null && ssh-add -l
		RUN --mount=type=ssh,id=other,uid=1000,mode=0444,target=/sock,required ls -ln /sock >>/socket && test $SSH_AUTH_SOCK = /sock
		RUN --mount=type=ssh,id=none test -z "$SSH_AUTH_SOCK"
	D
	eval "$(ssh-agent)" >/dev/null 3>&-
	AGENT=$SSH_AGENT_PID
	ssh-keygen -q -t ed25519 -N '' -C the-key -f key
	ssh-add -q key
	run -1 compose build
	[[ "$output" == *"Dockerfile:5"*"no SSH agent 'default'"*"--ssh default"* ]]
	compose build --ssh default,other="$SSH_AUTH_SOCK"
	in_image cat /keys | grep -q the-key
	[[ "$(in_image cat /socket)" =~ ^srw-------\ .*\ 0\ +0\ .*sr--r--r--\ .*\ 1000\ +0\  ]]
	run ! in_image ls /run/buildkit /sock
	ssh-add -l | grep -q the-key
	sed -i 's/network: none/&, ssh: { default: "", other: "'"${SSH_AUTH_SOCK//\//\\/}"'" }/' compose.yaml
	compose build --no-cache
	run -1 compose build --ssh default=key
	[[ "$output" == *"key is not the socket of an agent"* ]]
	kill "$AGENT"
	AGENT=
	run -1 env -u SSH_AUTH_SOCK "$CTRCOMPOSE" build
	[[ "$output" == *"SSH_AUTH_SOCK is not set"* ]]
}

@test "cache_to and cache_from: a folder takes steps to another store, checked on the way in" {
	printf 'services: { a: { build: { context: ., network: none, cache_to: ["type=local,dest=c,mode=%s"], cache_from: ["type=local,src=c"] } } }\n' max >compose.yaml
	printf 'FROM box AS one\nRUN echo one; date +%%s%%N >/one\nFROM box\nWORKDIR /w\nCOPY --from=one /one /uno\nRUN echo two; date +%%s%%N >/two\n' >Dockerfile
	compose image save -o box.tar box
	compose build # a first time there is no cache to read
	skopeo inspect --raw oci:c | jq -e '.layers | length == 4'
	id=$(compose image inspect "$PROJECT-a" | jq -r '.[0].Id')
	layers=$(compose image inspect "$PROJECT-a" | jq -c '.[0].RootFS.Layers')
	first=$CTRCOMPOSE_STATE
	another() {
		CTRCOMPOSE_STATE=$(mktemp -d "$BATS_TEST_TMPDIR/store.XXXX")
		export CTRCOMPOSE_STATE
		compose image load -i box.tar
	}
	another
	run -0 compose build
	[ "$(grep -c CACHED <<<"$output")" = 4 ]
	[[ "$output" != *" two"$'\n'* ]]
	[ "$(compose image inspect "$PROJECT-a" | jq -c '.[0].RootFS.Layers')" = "$layers" ]
	another
	sed -i 's/mode=max/mode=min/' compose.yaml
	compose build
	skopeo inspect --raw oci:c | jq -e '.layers | length == 3' # what made /one is not in the image
	[ "$(find c/blobs -type f | wc -l)" = 5 ]
	[ "$(find c -name '.*' | wc -l)" = 0 ]
	# bytes that are not what they are called
	victim=c/blobs/sha256/$(skopeo inspect --raw oci:c | jq -r '.layers[1].digest' | cut -d: -f2)
	cp "$victim" kept
	printf x | dd of="$victim" bs=1 seek=700 conv=notrunc status=none
	another
	before=$(ls "$CTRCOMPOSE_STATE/layers")
	run -1 compose build
	[[ "$output" == *"the cache $PWD/c: layer "*"another content than its name says"* ]]
	cp kept "$victim"
	config=$(skopeo inspect --raw oci:c | jq -r '.config.digest' | cut -d: -f2)
	sed -i 's/"records"/"Records"/' "c/blobs/sha256/$config"
	run -1 compose build
	[[ "$output" == *"the cache $PWD/c: blob "*"another content"* ]]
	rm -r c
	skopeo --insecure-policy copy -q docker-archive:box.tar oci:c
	run -1 compose build
	[[ "$output" == *"the cache $PWD/c: "* ]]
	sed -i 's/, cache_from: .*"\]/ /; s/cache_to/cache_from/; s/dest=c,mode=min/what=c/' compose.yaml
	run -1 compose build
	[[ "$output" == *"compose.yaml:1:"*"build.cache_from: 'what' is not known of type=local"* ]]
	echo 'services: { a: { build: { context: ., network: none, cache_from: ["type=gha,scope=x", "some/image:1"] } } }' >compose.yaml
	run -0 compose --offline build
	[[ "$output" == *"service a: nothing is taken of cache_from 'type=gha,scope=x'"* ]]
	[[ "$output" == *"cache_from some/image:1: --offline is given"* ]]
	CTRCOMPOSE_STATE=$first
	rm compose.yaml
}

@test "cache_to of two builds at once: the folder is that of one of them, and whole" {
	local round name
	for name in one two; do
		mkdir $name
		printf 'name: %s\nservices: { a: { image: "%s:1", build: { context: ., network: none, cache_to: ["type=local,dest=../c"] } } }\n' $name $name >$name/compose.yaml
	done
	for round in 1 2 3 4 5 6; do
		for name in one two; do
			printf 'FROM box\nRUN echo %s%s >/a\nRUN echo %s%s >/b\nRUN echo %s%s >/c\n' $name $round $name $round $name $round >$name/Dockerfile
			(cd $name && exec "$CTRCOMPOSE" build) >$name/log 2>&1 3>&- &
		done
		wait %1 && wait %2 || { cat */log; false; }
		[ "$(find c/blobs -type f | wc -l)" = 5 ]
		(cd c/blobs/sha256 && sha256sum * | while read -r sum file; do [ "$sum" = "$file" ] || exit 1; done)
		skopeo inspect --raw oci:c | jq -r '.config.digest[7:], .layers[].digest[7:]' | while read -r hex; do [ -e "c/blobs/sha256/$hex" ] || exit 1; done
	done
	compose image rm one:1 two:1
	rm compose.yaml
}

@test "ONBUILD, SHELL, escape, MAINTAINER, ADD of archives, --link, an ignore file of its own" {
	mkdir -p tree/d && echo t >tree/d/f && ln -s f tree/d/l && tar -czf tree.tar.gz tree && echo file >file && echo no >secret.txt
	cat >base.Dockerfile <<-'D'
		# syntax=docker/dockerfile:1
		# escape=`
		FROM box
		MAINTAINER me
		SHELL ["/bin/sh", "-e", "-c"]
		RUN case $- in *e*) echo `
		  strict >/shell;; esac
		SHELL ["/bin/sh", "-c"]
		ADD tree.tar.gz /unpacked/
		ADD --link file /link/
		COPY --link --chown=user:extra --chmod=0640 file /owned
		COPY --chmod=u=rwX,go=rX tree /modes/
		COPY . /all/
		CMD ["c:\\no\\escape"]
		ONBUILD ARG WHO=nobody
		ONBUILD RUN echo triggered by $WHO >/trigger
		ONBUILD COPY file /onbuild
	D
	printf '*.txt\n!keep.txt\n' >base.Dockerfile.dockerignore
	echo keep >keep.txt
	cat >compose.yaml <<-'Y'
		services:
		  base: { image: "base:1", build: { context: ., network: none, dockerfile: base.Dockerfile } }
		  a: { build: { context: ., network: none, args: { WHO: me }, dockerfile_inline: "FROM base:1\nRUN test -e /trigger && echo after >/after\n" } }
	Y
	compose build
	[ "$(in_image cat /shell /unpacked/tree/d/f /link/file)" = $'strict\nt\nfile' ]
	[ "$(in_image readlink /unpacked/tree/d/l)" = f ]
	[ "$(in_image stat -c '%U:%G %a' /owned)" = "user:extra 640" ]
	[ "$(in_image ls /all | tr '\n' ' ')" = "base.Dockerfile base.Dockerfile.dockerignore compose.yaml file keep.txt tree tree.tar.gz " ]
	[ "$(in_image stat -c %a /modes/d /modes/d/f)" = $'755\n644' ]
	[ "$(in_image cat /trigger /onbuild /after)" = $'triggered by me\nfile\nafter' ]
	[ "$(config Cmd)" = '["c:\\no\\escape"]' ]
	[ "$(config OnBuild)" = null ] # triggers are for the next image only
	[ "$(compose image inspect base:1 | jq -c '.[0].Config.OnBuild')" = '["ARG WHO=nobody","RUN echo triggered by $WHO >/trigger","COPY file /onbuild"]' ]
	[ "$(compose image inspect base:1 | jq -r '.[0].Author')" = me ]
}

@test "COPY --link: the layer and its key do not depend on what is below, nor hide it" {
	mkdir -p d/sub && echo one >f && echo in >d/sub/in && tar -cf t.tar d
	cat >Dockerfile <<-'D'
		FROM box
		ARG V=1
		RUN mkdir -m 700 /app /set; echo $V >/app/old; ln -s app /ln; mkdir /gone; echo x >/gone/x
		COPY --link --chown=1000:user --chmod=640 f /app/new/f
		COPY --link d/ /app/
		ADD --link t.tar /set/
		COPY --link f /ln/f
		COPY --link f /gone
		COPY --link <<-E /doc/e
			text
		E
		COPY --link=false f /plain
	D
	right() { # VERSION
		[ "$(in_image cat /app/old /app/new/f /app/sub/in /set/d/sub/in /ln/f /gone /doc/e)" = "$1"$'\none\nin\nin\none\none\ntext' ]
		[ "$(in_image stat -c %a:%u:%g /app /set /app/new /app/new/f)" = $'755:0:0\n755:0:0\n755:1000:1000\n640:1000:1000' ]
		[ "$(in_image sh -c 'test -d /ln && ! test -L /ln && ls /app' | tr '\n' ' ')" = "new old sub " ]
	}
	compose build
	right 1
	run -0 compose build --build-arg V=2
	[ "$(grep -c CACHED <<<"$output")" = 6 ]
	[ "$(grep -c DONE <<<"$output")" = 2 ] # the RUN, and the COPY without --link
	right 2
	# Source, owner, mode and destination are what counts.
	echo two >f
	run -0 compose build --build-arg V=2
	[ "$(grep -c CACHED <<<"$output")" = 4 ]
	[ "$(in_image cat /app/new/f /app/old)" = $'two\n2' ]
	sed -i 's/640/600/; s,/ln/f,/ln/g,' Dockerfile
	run -0 compose build --build-arg V=2
	[ "$(grep -c CACHED <<<"$output")" = 5 ]
	[ "$(in_image stat -c %a /app/new/f)" = 600 ]
	# Another tool sees the same: no layer hides what is below it.
	compose image save -o a.tar "$PROJECT-a"
	run ! sh -c 'mkdir x && tar -xf a.tar -C x && for b in x/blobs/sha256/*; do tar -tf "$b" 2>/dev/null; done | grep -F .wh.'
}

@test "the cache tells apart what only a name, a capability or a link tells apart" {
	echo same >one && cp one two
	cat >Dockerfile <<-'D'
		FROM box AS src
		ARG CAP=
		RUN mkdir /d; echo x >/d/a; ln /d/a /d/b; ln /d/a /d/c; cp /d/a /d/z
		FROM box
		COPY one /www
		COPY --from=src /d /d
		COPY --from=src /d/a /alone
	D
	compose build
	[ "$(in_image ls /www)" = one ]
	# Links stay links, as far as they lead within one folder.
	[ "$(in_image stat -c %h /d/a /d/b /d/c /d/z /alone | tr '\n' ' ')" = "3 3 3 1 1 " ]
	[ "$(in_image sh -c 'ls -i /d/a /d/b /d/c | cut -d/ -f1 | sort -u | wc -l')" = 1 ]
	sed -i 's/COPY one/COPY two/' Dockerfile
	compose build
	[ "$(in_image ls /www)" = two ]
	sed -i 's,ln /d/a /d/b,cp /d/a /d/b,' Dockerfile
	compose build
	[ "$(in_image stat -c %h /d/a /d/b /d/c | tr '\n' ' ')" = "2 1 2 " ]
	compose image save -o a.tar "$PROJECT-a"
	# Of a file that may do more the bytes are the same.
	cap() { # HEX of the rights
		mkdir -p "root$1/d" && cp one "root$1/d/f"
		python3 -c 'import os, sys; os.setxattr(sys.argv[1], "security.capability", bytes.fromhex("01000002" + sys.argv[2] + "00" * 12))' "root$1/d/f" "$1"
		compose image import "root$1" capable
	}
	printf 'FROM box\nCOPY --from=capable /d /d\n' >Dockerfile
	local rights
	for rights in 00040000 00080000; do
		cap $rights
		compose build
		layer=$(compose image inspect "$PROJECT-a" | jq -r '.[0].RootFS.Layers[-1][7:]')
		[ "$(python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "security.capability").hex()[8:16])' "$CTRCOMPOSE_STATE/layers/$layer/d/f")" = $rights ]
	done
	compose image rm capable
}

@test "files that become others while a step is at work are not taken for what they were" {
	local round kind
	printf 'services: { a: { build: { context: . } } }\n' >compose.yaml
	truncate -s 200M first # until it is copied, the other one has been looked at once, and not been copied
	for kind in 'COPY first second /d/' 'RUN --network=none --mount=target=/c mkdir /d \&\& cp /c/second /d/'; do
		sed "s,^STEP,$kind," >Dockerfile <<<$'FROM box\nSTEP\n'
		for round in 1 2 3; do
			echo "old $kind $round" >second
			"$CTRCOMPOSE" build >build.log 2>&1 3>&- & local pid=$!
			until compgen -G "$CTRCOMPOSE_STATE/layers/tmp-*/*/[dt]*/first" >compgen.log || ! kill -0 $pid; do :; done
			echo "new $kind $round" >second
			wait $pid
			echo "old $kind $round" >second
			compose build # whatever the first one saw
			[ "$(in_image cat /d/second)" = "old $kind $round" ]
		done
	done
	rm first
}

@test "a step that changes nothing has no layer, and its history says so from the beginning" {
	printf 'FROM box\nWORKDIR /tmp\nCOPY nothing* /www/\nWORKDIR /new\n' >Dockerfile
	compose build
	first=$(compose image inspect "$PROJECT-a" | jq -r '.[0].Id')
	[ "$(compose image inspect "$PROJECT-a" | jq '.[0].RootFS.Layers | length')" = 2 ]
	compose image save -o a.tar "$PROJECT-a"
	skopeo inspect --config docker-archive:a.tar | jq -e '[.history[] | select(.empty_layer | not)] | length <= 2'
	compose build
	[ "$(compose image inspect "$PROJECT-a" | jq -r '.[0].Id')" = "$first" ]
}

@test "ADD of addresses: the file with its time, redirections, --checksum, --unpack; what goes wrong is named" {
	mkdir -p web && echo one >web/one && touch -d 2020-01-02T03:04:05Z web/one && mkdir d && echo in >d/in && tar -czf web/d.tar.gz d
	cat >serve.py <<-'PY'
		import http.server
		class H(http.server.SimpleHTTPRequestHandler):
		    def __init__(self, *a): super().__init__(*a, directory='web')
		    def log_message(self, *a): pass
		    def do_GET(self):
		        if self.path.startswith('/moved/'):
		            self.send_response(302); self.send_header('Location', self.path[6:]); self.end_headers()
		        elif self.path == '/file': self.send_response(302); self.send_header('Location', 'file:///etc/passwd'); self.end_headers()
		        elif self.path == '/cut':
		            self.send_response(200); self.send_header('Content-Length', '100'); self.end_headers(); self.wfile.write(b'x' * 50)
		        else: super().do_GET()
		http.server.ThreadingHTTPServer(('127.0.0.1', 5004), H).serve_forever()
	PY
	python3 serve.py 3>&- & SERVER=$!
	eventually 20 curl -s -o /dev/null http://127.0.0.1:5004/one
	cat >Dockerfile <<-D
		FROM box
		ADD http://127.0.0.1:5004/one /one
		ADD --checksum=sha256:$(sha256sum web/one | cut -d' ' -f1) --chmod=0644 --chown=1000:1000 http://127.0.0.1:5004/moved/one?x=y#z /into/
		ADD http://127.0.0.1:5004/d.tar.gz serve.py /mixed/
		ADD --unpack=true http://127.0.0.1:5004/d.tar.gz /unpacked/
	D
	compose build
	[ "$(in_image stat -c '%a %u %Y' /one /into/one)" = $'600 0 1577934245\n644 1000 1577934245' ]
	[ "$(in_image cat /one /into/one /unpacked/d/in)" = $'one\none\nin' ]
	[ "$(in_image ls /mixed | tr '\n' ' ')" = "d.tar.gz serve.py " ]
	run -0 compose build
	[ "$(grep -c CACHED <<<"$output")" = 4 ]
	echo two >web/one
	run -1 compose build
	[[ "$output" == *"Dockerfile:3"*"it has the digest sha256:"* ]]
	sed -i 3d Dockerfile
	run -0 compose build
	[ "$(in_image cat /one)" = two ]
	for row in 'ADD http://127.0.0.1:5004/nothere /x|404' 'ADD http://127.0.0.1:5004/ /x|no name' 'ADD http://127.0.0.1:5004/file /x|5004/file' \
		'ADD http://127.0.0.1:5004/cut /x|5004/cut' 'ADD http://127.0.0.1:1/x /x|127.0.0.1' 'ADD --checksum=sha256:1 http://127.0.0.1:5004/one /x|64 digits' \
		'ADD --checksum=sha256:1 d /x|is for an address' 'ADD ftp://127.0.0.1/x /x|http and https' 'ADD --keep-git-dir=true d /x|is for a repository'; do
		printf 'FROM box\n%s\n' "${row%%|*}" >Dockerfile
		run -1 compose build
		[[ "$output" == *"Dockerfile:2"*"${row#*|}"* ]]
	done
	printf 'FROM box\nADD http://127.0.0.1:5004/one /x\n' >Dockerfile
	run -1 compose --offline build
	[[ "$output" == *"--offline is given"* ]]
	[ -z "$(ls -d "$CTRCOMPOSE_STATE"/layers/tmp-* 2>/dev/null)" ]
}

@test "archives by their address as contexts: each compression, redirections; hostile ones lead nowhere" {
	local c row
	mkdir -p web ctx/sub && echo in >ctx/sub/f && printf 'FROM box\nCOPY . /all/\n' >ctx/Dockerfile && printf '*.no\n' >ctx/.dockerignore
	echo no >ctx/x.no && ln -s /etc/passwd ctx/out && ln -s / ctx/root
	tar -C ctx -cf web/c.tar . && gzip -k web/c.tar && xz -k web/c.tar && zstd -q web/c.tar
	echo text >web/text.tar && : >web/empty.tar && head -c 5000 web/c.tar.xz | head -c 300 >web/cut.tar.xz
	python3 - <<-'PY'
		import io, tarfile
		def tar(name, *members):
		    t = tarfile.open('web/' + name, 'w')
		    for path, kind, link, data in members:
		        m = tarfile.TarInfo(path); m.type = kind; m.linkname = link; m.size = len(data); t.addfile(m, io.BytesIO(data))
		    t.close()
		R, S, L, C = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
		D = ('Dockerfile', R, '', b'FROM box\nCOPY . /all/\n')
		tar('evil.tar', D, ('../up', R, '', b'evil'), ('/abs', R, '', b'evil'), ('l', S, '/tmp', b''),
		    ('dev', C, '', b''), ('.wh.other', R, '', b''))
		tar('through.tar', D, ('l', S, '/tmp', b''), ('l/evil-of-build', R, '', b'evil'))
		tar('hard.tar', D, ('hard', L, '/etc/passwd', b''))
		tar('link.tar', ('Dockerfile', S, '/etc/passwd', b''))
		tar('ignore.tar', ('Dockerfile', R, '', b'FROM box\nCOPY . /x/\n'), ('.dockerignore', S, '/etc/passwd', b''))
	PY
	cat >serve.py <<-'PY'
		import http.server
		class H(http.server.SimpleHTTPRequestHandler):
		    def __init__(self, *a): super().__init__(*a, directory='web')
		    def log_message(self, *a): pass
		    def do_GET(self):
		        if self.path.startswith('/moved/'): self.send_response(302); self.send_header('Location', self.path[6:]); self.end_headers()
		        elif self.path == '/file': self.send_response(302); self.send_header('Location', 'file:///etc/passwd'); self.end_headers()
		        else: super().do_GET()
		http.server.ThreadingHTTPServer(('127.0.0.1', 5009), H).serve_forever()
	PY
	python3 serve.py 3>&- & SERVER=$!
	eventually 20 curl -s -o /dev/null http://127.0.0.1:5009/
	context() { printf 'services: { a: { image: "ofweb:1", build: { context: "http://127.0.0.1:5009/%s", network: none } } }\n' "$1" >compose.yaml; }
	for c in c.tar c.tar.gz c.tar.xz c.tar.zst moved/c.tar.gz?x=y; do
		context $c
		run -0 compose build
		[ $c = c.tar ] || [ "$(grep -c CACHED <<<"$output")" = 1 ] # the same content is the same step
		[ "$(in_image ls -a /all | tr '\n' ' ')" = ". .. .dockerignore Dockerfile out root sub " ]
		[ "$(in_image stat -c %a /all)" = 755 ]
	done
	[ "$(compose build --print | jq -r '.target.a | .context, .dockerfile')" = $'http://127.0.0.1:5009/moved/c.tar.gz?x=y\nDockerfile' ]
	run -0 compose build --check
	printf 'services: { a: { image: "ofweb:2", build: { context: ., network: none, dockerfile_inline: "FROM box\\nCOPY --from=more sub/f /f\\n", additional_contexts: { more: "http://127.0.0.1:5009/c.tar.gz" } } } }\n' >compose.yaml
	compose build
	[ "$(in_image cat /f)" = in ]
	context evil.tar
	compose build
	[ "$(in_image ls -a /all | tr '\n' ' ')" = ". .. Dockerfile abs l up " ]
	[ "$(in_image readlink /all/l)" = /tmp ]
	[ ! -e /abs ]
	for row in "link.tar|Dockerfile" "through.tar|its folder" "hard.tar|hard" "empty.tar|Dockerfile" "text.tar|has to be a tar archive" "cut.tar.xz|has to be a tar archive" "nothere.tar|404" "file|5009/file" "c.tar#main:sub|is for a repository"; do
		context "${row%%|*}"
		run -1 compose build
		[[ "$output" == *"a: "*"${row#*|}"* && "$output" != *root:x:0* ]]
	done
	[ ! -e /tmp/evil-of-build ]
	context ignore.tar
	run compose build
	[[ "$output" != *root:x:0* ]]
	context c.tar
	run -1 compose --offline build
	[[ "$output" == *"--offline is given"* ]]
	[ -z "$(ls -d "$CTRCOMPOSE_STATE"/layers/tmp-* 2>/dev/null)" ]
}

@test "repositories: as contexts and in ADD, by branch, tag, commit and folder; what goes wrong is named" {
	export GIT_CONFIG_GLOBAL=$PWD/gitconfig GIT_CONFIG_SYSTEM=/dev/null
	git config --file gitconfig user.name me
	git config --file gitconfig user.email me@example.org
	git config --file gitconfig init.defaultBranch main
	mkdir -p web src/sub src/ctx
	git -C src init -q
	git -C src remote add x ../web/x.git
	echo one >src/sub/f && ln -s /etc/passwd src/out && ln -s / src/root
	printf 'FROM box\nCOPY . /all/\n' >src/ctx/Dockerfile
	ln -s /etc/passwd src/ctx/Evil
	git -C src add -A && git -C src commit -qm one && git -C src tag v1
	local first
	first=$(git -C src rev-parse HEAD)
	echo two >src/sub/f && git -C src commit -qam two
	# Submodules: one beside it, and one that would read this machine.
	local branch url
	for row in mods=../x.git evil=file://$PWD/src; do
		branch=${row%%=*} url=${row#*=}
		git -C src checkout -q -b "$branch" main
		printf '[submodule "m"]\n\tpath = m\n\turl = %s\n' "$url" >src/.gitmodules
		git -C src add .gitmodules
		git -C src update-index --add --cacheinfo "160000,$first,m"
		git -C src commit -qm "$branch"
	done
	git -C src checkout -q main
	git clone -q --bare src web/x.git
	git -C web/x.git update-server-info
	cat >serve.py <<-'PY'
		import http.server, os
		class H(http.server.CGIHTTPRequestHandler):
		    cgi_directories = ['/smart']
		    def log_message(self, *a): pass
		http.server.nobody_uid = os.getuid
		os.chdir('web')
		os.environ['GIT_PROJECT_ROOT'] = os.getcwd()
		os.environ['GIT_HTTP_EXPORT_ALL'] = '1'
		http.server.ThreadingHTTPServer(('127.0.0.1', 5005), H).serve_forever()
	PY
	mkdir web/smart
	printf '#!/bin/sh\nexec git http-backend\n' >web/smart/git && chmod +x web/smart/git
	python3 serve.py 3>&- & SERVER=$!
	eventually 20 curl -s -o /dev/null http://127.0.0.1:5005/
	local smart=http://127.0.0.1:5005/smart/git/x.git dumb=http://127.0.0.1:5005/x.git
	cat >Dockerfile <<-D
		FROM box
		ADD $smart /smart
		ADD $smart#v1:sub /tag/
		ADD --chown=7 --exclude=sub $dumb#main Dockerfile /dumb/
		ARG COMMIT=${first:0:12}
		ADD --checksum=\$COMMIT $smart#$first:sub /commit
		ADD --keep-git-dir=true $dumb#${first:0:10} /kept
		ADD $smart#mods /mods
	D
	run -0 compose build
	[ "$(in_image cat /smart/sub/f /tag/f /commit/f /kept/sub/f /mods/m/sub/f)" = $'two\none\none\none\none' ]
	[ "$(in_image stat -c %u:%a /dumb/ctx/Dockerfile /smart/sub/f /smart /tag)" = $'7:644\n0:644\n0:755\n0:755' ]
	in_image sh -ec 'test -d /kept/.git; test ! -e /smart/.git; test -L /smart/out; test -f /dumb/Dockerfile; test ! -e /dumb/sub'
	run -0 compose build
	[ "$(grep -c CACHED <<<"$output")" = 4 ] # what git keeps for itself is new each time
	# A context, and one more by name.
	printf 'services: { a: { image: fromgit, build: { context: "%s#main:ctx" } } }\n' $smart >compose.yaml
	run -0 compose build --check
	run -0 compose build
	[ "$(compose run --rm --entrypoint ls a /all | tr '\n' ' ')" = "Dockerfile Evil " ]
	[ "$(in_image stat -c %a /all)" = 755 ]
	[ "$(compose build --print | jq -r '.target.a | .context, .dockerfile')" = "$smart#main:ctx"$'\nDockerfile' ]
	printf 'services: { a: { build: { context: ., dockerfile_inline: "FROM box\\nCOPY --from=repo sub/f /f", additional_contexts: { repo: "%s#v1" } } } }\n' $dumb >compose.yaml
	run -0 compose build
	[ "$(in_image cat /f)" = one ]
	# What leads out of the repository, and what is not there.
	local row
	for row in "$smart#main:ctx|dockerfile: Evil|Evil" "$smart#nosuch||nosuch" "$smart#evil||transport 'file' not allowed" "$smart#main:none||no folder 'none'" \
		"http://127.0.0.1:1/x.git||127.0.0.1" "$smart#main:root||Dockerfile"; do
		IFS='|' read -r address more what <<<"$row"
		printf 'services:\n  a:\n    build:\n      context: "%s"\n      %s\n' "$address" "$more" >compose.yaml
		run -1 compose build
		[[ "$output" == *"$what"* && "$output" != *root:x:0* ]]
	done
	run -1 compose --offline build
	[[ "$output" == *"--offline is given"* ]]
	echo 'services: { a: { build: . } }' >compose.yaml
	printf 'FROM box\nADD --checksum=abcdef0 %s /x\n' $smart >Dockerfile
	run -1 compose build
	[[ "$output" == *"Dockerfile:2"*"it is the commit "*", not abcdef0"* ]]
	mkdir bin && for p in env sh; do ln -s "$(command -v $p)" bin/; done
	PATH=$PWD/bin run -1 "$CTRCOMPOSE" build
	[[ "$output" == *"Dockerfile:2"*"git, which is not installed"* ]]
	[ -z "$(ls -d "$CTRCOMPOSE_STATE"/layers/tmp-* 2>/dev/null)" ]
}

@test "ARG reaches stages that begin with its stage; ENV goes before it; predefined ones; PATH where an image has none" {
	cat >Dockerfile <<-'D'
		ARG V=1
		ARG W=${V}2
		FROM box AS one
		ARG V
		ARG W=x$V
		ENV E=${V:+set}${NOPE:-unset}
		RUN echo "$V $W $E ${TARGETPLATFORM:-none}" >/r
		FROM one
		ARG TARGETPLATFORM TARGETOS TARGETARCH BUILDPLATFORM
		ENV V=env
		ARG V=arg
		RUN echo "$V $W $([ $TARGETPLATFORM = $TARGETOS/$TARGETARCH ] && [ $BUILDPLATFORM = $TARGETPLATFORM ] && echo same)" >>/r
		FROM scratch
		COPY --from=1 / /
		ENV PATH=$PATH:/more
		RUN echo "$PATH" >>/r; test -z "$W"
	D
	compose build
	[ "$(in_image cat /r)" = $'1 x1 setunset none\nenv x1 same\n/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/more' ]
	[ "$(config Env)" = '["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/more"]' ]
}

@test "heredocs of RUN: an interpreter of its own, several, without their tabs" {
	cat >Dockerfile <<-'D'
		FROM box
		RUN <<EOF
		#!/bin/awk -f
		BEGIN { print "awk", ENVIRON["PATH"] >"/awk" }
		EOF
		RUN <<A cat >/two && cat <<"B" >>/two
		one $PATH
		A
		two $PATH
		B
	D
	printf 'RUN <<-EOF\n\techo tab >>/two\n\tEOF\n' >>Dockerfile
	compose build
	[ "$(in_image cat /awk /two)" = $'awk /bin\none /bin\ntwo $PATH\ntab' ]
	run ! in_image ls /dev/pipes
	sed -i 's/"awk"/"again"/' Dockerfile
	compose build
	[ "$(in_image cat /awk)" = "again /bin" ]
}

@test "owners of what is made on the way: WORKDIR is its user's, COPY's folders are --chown's" {
	cat >Dockerfile <<-'D'
		FROM box
		COPY --chown=user:extra Dockerfile /new/dir/file
		ADD --chown=55 <<E /neu/text
		x
		E
		USER user
		WORKDIR /w/x
		RUN touch here
		WORKDIR ../../tmp
		RUN pwd >pwd; stat -c '%n %u:%g' / /new /new/dir /neu /w /w/x /tmp >s
	D
	compose build
	[ "$(in_image cat /tmp/pwd /tmp/s)" = $'/tmp\n/ 0:0\n/new 1000:2000\n/new/dir 1000:2000\n/neu 55:55\n/w 1000:1000\n/w/x 1000:1000\n/tmp 0:0' ]
}

@test "COPY: patterns that match nothing, --parents with ** and a point to begin at" {
	mkdir -p x/y/z && touch x/a.txt x/y/b.txt x/y/z/c.txt x/y/z/c.o
	ln -s / x/y/root
	cat >Dockerfile <<-'D'
		FROM box
		COPY Dockerfile optional* /0/
		COPY nothing-of-this* /none/
		COPY --parents x/**/*.txt /1/
		COPY --parents x/./y/*.txt /2/
		COPY --parents ?/y/./z /3/
		COPY --parents **/z /4/
	D
	compose build
	[ "$(in_image find /0 /1 /2 /3 /4 -type f | sort | xargs)" = "/0/Dockerfile /1/x/a.txt /1/x/y/b.txt /1/x/y/z/c.txt /2/y/b.txt /3/z/c.o /3/z/c.txt /4/x/y/z/c.o /4/x/y/z/c.txt" ]
	printf 'FROM box\nCOPY Dockerfile x/a.txt /both\n' >Dockerfile
	run -1 compose build
	[[ "$output" == *"Dockerfile:2:"*"more than one source: '/both' has to be a folder and end with a /"* ]]
	printf 'FROM box\nCOPY --parents x/nothere /x\n' >Dockerfile
	run -1 compose build
	[[ "$output" == *"the context has no 'x/nothere'"* ]]
	printf 'FROM box AS s\nFROM box\nARG V=s\nCOPY --from=$V /x /x\n' >Dockerfile
	run -1 compose build
	[[ "$output" == *"Dockerfile:4:"*"--from=\$V: it can't have variables"* ]]
}

@test "contexts with a name: an image made of a folder, instead of a stage, written in full" {
	mkdir -p more/bin && echo of-the-folder >more/f && cp /bin/busybox more/bin/sh && ln more/bin/sh more/bin/cat
	cat >compose.yaml <<-'Y'
		services:
		  a: { build: { context: ., network: none, additional_contexts: { st: ./more, alpine: ./more, img: "docker-image://box" } } }
	Y
	cat >Dockerfile <<-'D'
		FROM box AS st
		RUN false
		FROM docker.io/library/alpine:latest AS two
		RUN cat /f >/g
		FROM st
		COPY --from=two /g /g
		COPY --from=st f /h
		COPY --from=img /etc/passwd /p
	D
	compose build
	[ "$(in_image cat /f /g /h)" = $'of-the-folder\nof-the-folder\nof-the-folder' ]
	in_image cat /p | grep -q user
	run -0 compose build
	[ "$(grep -c CACHED <<<"$output")" = 6 ]
	[[ "$output" != *DONE* ]]
	echo changed >more/f
	compose build
	[ "$(in_image cat /g)" = changed ]
	# What its own .dockerignore hides is not there.
	printf 'f\n!keep\n' >more/.dockerignore && echo kept >more/keep
	printf 'FROM st\nRUN ls / >/l\n' >Dockerfile
	compose build
	[ "$(in_image cat /l | grep -wc -e f -e keep)" = 1 ]
	printf 'FROM box\nCOPY --from=st f /h\n' >Dockerfile
	run -1 compose build
	[[ "$output" == *"st has no 'f' (or .dockerignore hides it)"* ]]
	rm more/.dockerignore && mkdir more/.dockerignore
	run -1 compose build
	[[ "$output" == *"context st: .dockerignore: "* ]]
}

@test "contexts that are OCI layouts: by tag, by digest, the only one; digests are checked" {
	local row victim one
	mkdir -p root/bin && cp /bin/busybox root/bin/ && ln -s busybox root/bin/sh && ln -s busybox root/bin/cat
	echo one >root/f && layout_add lay root one '{"Env": ["FROM=one"], "OnBuild": ["COPY --from=other /f /trigger"]}' && one=$DIGEST
	echo two >root/f && layout_add lay root example.org/x:two
	echo only >root/f && layout_add only root ""
	with() { # LAYOUT-OF-base LAYOUT-OF-other
		printf 'services: { a: { build: { context: ., network: none, additional_contexts: { base: "oci-layout://%s", other: "oci-layout://%s" } } } }\n' "$1" "$2" >compose.yaml
	}
	printf 'FROM base\nCOPY --from=other /f /g\nRUN echo "$FROM $(cat /f /g)" >/r\n' >Dockerfile
	with lay:one "$PWD/lay:two"
	compose build
	[ "$(in_image cat /r)" = $'one one\ntwo' ]
	[ "$(in_image cat /trigger)" = two ]
	run -0 compose build
	[ "$(grep -c CACHED <<<"$output")" = 3 ]
	with "lay:nothere@sha256:$one" only
	compose build
	[ "$(in_image cat /g)" = only ]
	run ! sh -c "$CTRCOMPOSE image ls | grep -w -e one -e two -e x"
	# The image is whole: its layers leave as they came.
	compose image save -o a.tar "$PROJECT-a"
	compose image prune -f >/dev/null
	# What is not there, and what is not what it is called.
	for row in "lay|no image 'latest' (there are: one, example.org/x:two)" "lay:three|no image 'three'" "nolay|the OCI layout $PWD/nolay: No such file" \
		"root|root is no OCI layout" "lay@sha256:${one%????}0000|is missing" "lay@sha256:12|no digest like"; do
		with "${row%%|*}" only
		run -1 compose build
		[[ "$output" == *"Dockerfile:1: context base: "*"${row#*|}"* ]]
	done
	with lay:one only
	victim=lay/blobs/sha256/$(jq -r '.layers[0].digest[7:]' lay/blobs/sha256/$one)
	cp "$victim" kept
	gzip -dc kept | sed 's/one/eno/' | gzip -n >"$victim"
	first=$CTRCOMPOSE_STATE
	CTRCOMPOSE_STATE=$(mktemp -d "$BATS_TEST_TMPDIR/store.XXXX")
	run -1 compose build
	[[ "$output" == *"context base: $PWD/lay: layer "*"has the digest"* ]]
	rm "$victim" && ln -s /etc/passwd "$victim"
	run -1 compose build
	[[ "$output" == *"context base: $PWD/lay: layer "*"is missing"* ]]
	rm "$victim" && mkfifo "$victim"
	run -1 compose build
	[[ "$output" == *"is missing"* ]]
	rm "$victim" && cp kept "$victim"
	sed -i 's/gzip/gzup/' lay/blobs/sha256/$one
	run -1 compose build
	[[ "$output" == *"$PWD/lay: blobs/sha256/$one has the digest"* ]]
	rm lay/blobs/sha256/$one
	run -1 compose build
	[[ "$output" == *"blobs/sha256/$one is missing"* ]]
	CTRCOMPOSE_STATE=$first
	[ -z "$(ls -d "$CTRCOMPOSE_STATE"/layers/tmp-* 2>/dev/null)" ]
}

@test "ONBUILD: a trigger may copy from a stage of the file it comes into" {
	cat >compose.yaml <<-'Y'
		services:
		  base: { image: "trig:1", build: { context: ., network: none, dockerfile_inline: "FROM box\nONBUILD COPY --from=made /made /got\nONBUILD RUN --mount=from=also,target=/m cat /m/also >>/got\n" } }
		  a: { build: { context: ., network: none } }
	Y
	cat >Dockerfile <<-'D'
		FROM box AS made
		RUN sleep 0.3; echo made >/made
		FROM box AS also
		RUN echo also >/also
		FROM box AS unused
		RUN false
		FROM trig:1
		RUN echo mine >>/got
	D
	compose build
	[ "$(in_image cat /got)" = $'made\nalso\nmine' ]
}

@test "RUN --mount: each kind has its options and no other" {
	local row
	printf 'services: { a: { build: { context: ., network: none, secrets: [pw] } } }\nsecrets: { pw: { file: ./pw } }\n' >compose.yaml
	printf hush >pw
	cat >Dockerfile <<-'D'
		FROM box
		WORKDIR /w
		ARG AT=/t
		RUN --mount=type=TMPFS,dst=$AT,size=4mb df -k /t | tail -1 | awk '{ print $2 }' >/r
		RUN --mount=type=tmpfs,target=/t,ro ! touch /t/x 2>&1
		RUN --mount=type=secret,source=pw,dst=rel,mode=0444,uid=1000,gid=2000,required=1 stat -c '%a %u:%g' /w/rel >>/r
		RUN --mount=type=secret,id=pw,env=PW ! test -e /run/secrets && echo "env $PW" >>/r
		RUN --mount=type=secret,id=pw,env=PW,target=/both,mode=0 echo "$PW $(cat /both) $(stat -c %a /both)" >>/r
		RUN --mount=type=secret,target=/x/pw cat /x/pw >>/r; echo >>/r
		RUN --mount=type=secret,id=none,required=false ! ls /run/secrets/none 2>&1
		RUN --mount=target=/in,readwrite=true touch /in/new && ls /in/new >>/r
		RUN --mount=target=/in ! touch /in/new2 2>&1
	D
	compose build
	[ "$(in_image cat /r)" = $'4096\n444 1000:2000\nenv hush\nhush hush 0\nhush\n/in/new' ]
	[ ! -e new ]
	for row in "type=secret|needs an id or a target" "type=secret,src=a/|needs an id or a target" "type=secret,id=..|needs an id or a target" "type=secret,id=a,source=b|both id and source" "type=secret,id=x,required=maybe|required can't be 'maybe'" \
		"type=bind,target=/x,sharing=locked|type=bind has no 'sharing'" "type=tmpfs,target=/x,from=box|type=tmpfs has no 'from'" \
		"type=cache,target=/x,env=A|type=cache has no 'env'" "type=cache,target=/x,sharing=mine|sharing can't be 'mine'" "type=tmpfs,target=/x,size=lots|size can't be 'lots'" \
		"type=cache,target=/x,mode=rw|mode can't be 'rw'" "type=cache,target|'target' needs a value" "type=bind|needs a target" "target=/|the target can't be /" \
		"type=cash,target=/x|did you mean cache?" "target=/x,sauce=y|does not know 'sauce'" "target=/x,source=/nothere|the context has no 'nothere'"; do
		printf 'FROM box\nRUN --mount=%s true\n' "${row%%|*}" >Dockerfile
		run -1 compose build
		[[ "$output" == *"Dockerfile:2:"*"${row#*|}"* ]]
	done
}

@test "EXPOSE: ranges, protocols, variables with several; what is no port is named" {
	printf 'FROM box\nARG P="9090 53/udp"\nEXPOSE 80-82 7/SCTP $P\n' >Dockerfile
	compose build
	[ "$(config ExposedPorts)" = '{"80/tcp":{},"81/tcp":{},"82/tcp":{},"7/sctp":{},"9090/tcp":{},"53/udp":{}}' ]
	for word in 99999 80/foo 9-8 0 web; do
		printf 'FROM box\nEXPOSE %s\n' $word >Dockerfile
		run -1 compose build
		[[ "$output" == *"Dockerfile:2:"*"'$word'"*port* ]]
	done
}

@test "variables of .env and --env-file are seen by secrets, args and --build-arg" {
	printf 'TOK=from-dotenv\nARGV=argv\n' >.env
	echo MORE=more >o.env
	cat >compose.yaml <<-'Y'
		services:
		  a: { build: { context: ., network: none, secrets: [one], args: [ARGV, UNSET] } }
		secrets: { one: { environment: TOK } }
	Y
	printf 'FROM box\nARG ARGV\nARG UNSET=default\nARG MORE\nRUN --mount=type=secret,id=one echo $ARGV $UNSET $MORE $(cat /run/secrets/one) >/r\n' >Dockerfile
	compose --env-file .env --env-file o.env build --build-arg MORE
	[ "$(in_image cat /r)" = "argv default more from-dotenv" ]
	TOK=environment compose build --no-cache
	[ "$(in_image cat /r)" = "argv default environment" ]
	sed -i 's/TOK/TUK/' compose.yaml
	run -1 compose build
	[[ "$output" == *"secret one: environment variable TUK is not set"* ]]
}

@test "what an image says of itself: HEALTHCHECK, STOPSIGNAL, VOLUME, SHELL, CMD, ENTRYPOINT, ENV and LABEL in all their forms" {
	cat >Dockerfile <<-'D'
		FROM box
		SHELL ["/bin/sh", "-ec"]
		ENTRYPOINT start here
		HEALTHCHECK --interval=5m --timeout=3s --start-period=1m30s --start-interval=500ms --retries=7 CMD ["check", "it"]
		STOPSIGNAL SIGRTMIN+3
		VOLUME /a /b
		VOLUME ["/c d"]
		USER user:2000
		ENV A="x y" B=a\ b C='$A' D=\$A E=${NOPE:-$PATH} F="q\"q"
		ENV LEGACY some   words
		LABEL "a b"="c d" many="one \
		two"
		RUN echo "$A|$B|$C|$D|$E|$F|$LEGACY" >/tmp/env
	D
	compose build
	[ "$(in_image cat /tmp/env)" = 'x y|a b|$A|$A|/bin|q"q|some   words' ]
	[ "$(compose image inspect "$PROJECT-a" | jq -cS '.[0].Config | del(.Env)')" = '{"Entrypoint":["/bin/sh","-ec","start here"],"Healthcheck":{"Interval":300000000000,"Retries":7,"StartInterval":500000000,"StartPeriod":90000000000,"Test":["CMD","check","it"],"Timeout":3000000000},"Labels":{"a b":"c d","many":"one two"},"Shell":["/bin/sh","-ec"],"StopSignal":"SIGRTMIN+3","User":"user:2000","Volumes":{"/a":{},"/b":{},"/c d":{}}}' ]
	compose image tag "$PROJECT-a" said:1
	printf 'FROM said:1\nHEALTHCHECK NONE\nCMD shell form\nENTRYPOINT []\n' >Dockerfile
	compose build
	[ "$(config Healthcheck)$(config Cmd)$(config Entrypoint)" = '{"Test":["NONE"]}["/bin/sh","-ec","shell form"][]' ]
	local row
	for row in "STOPSIGNAL NOPE|'NOPE' is not a signal" "HEALTHCHECK --retries=x CMD true|--retries=x is no number" "HEALTHCHECK NONE true|takes nothing more" \
		"SHELL sh -c|JSON form" "ENV A|needs KEY=value" "ONBUILD ONBUILD RUN x|not allowed" "ONBUILD FROM x|not allowed" "COPY a|a source and a destination" \
		"COPY --checksum=x a b|COPY does not know --checksum" "FROM box AS 1x|can't be the name of a stage" "COPY --chmod=999 Dockerfile /x|--chmod=999" \
		"COPY --chown=nosuch Dockerfile /x|no user 'nosuch'" "RUN --network=foo true|not 'foo'"; do
		printf 'FROM box\n%s\n' "${row%%|*}" >Dockerfile
		run -1 compose build
		[[ "$output" == *"Dockerfile:2:"*"${row#*|}"* ]]
	done
	compose image rm said:1
}

@test "network: host, of all RUNs and of one; no_cache: true does all steps again" {
	echo 'services: { a: { build: { context: ., network: host, no_cache: true } } }' >compose.yaml
	ip addr add 127.9.9.9/32 dev lo
	printf 'FROM box\nRUN ip addr show lo | grep -c 127.9.9.9 >/n\nRUN --network=none ip addr show lo | grep -c 127.9.9.9 >>/n || true\n' >Dockerfile
	compose build
	[ "$(in_image cat /n | xargs)" = "1 0" ]
	run -0 compose build
	[[ "$output" != *CACHED* ]]
	sed -i 's/host, no_cache: true/none/' compose.yaml
	sed -i 's/RUN ip/RUN --network=host ip/' Dockerfile
	compose build
	ip addr del 127.9.9.9/32 dev lo
	[ "$(in_image cat /n | xargs)" = "1 0" ]
}

@test "ADD of archives that were made to do harm: nothing outside is touched" {
	canary=$BATS_TEST_TMPDIR/canary
	mkdir -p "$canary" && echo safe >"$canary/file"
	python3 - "$canary" <<-'PY'
		import io, sys, tarfile
		canary = sys.argv[1]
		up = '../' * 12 + canary.lstrip('/')
		cases = {
		    'dotdot': [(up + '/new', tarfile.REGTYPE, '')],
		    'absolute': [(canary + '/new', tarfile.REGTYPE, '')],
		    'symlink': [('l', tarfile.SYMTYPE, canary), ('l/new', tarfile.REGTYPE, '')],
		    'symlink2': [('l', tarfile.SYMTYPE, up), ('l/new', tarfile.REGTYPE, '')],
		    'hardlink': [('h', tarfile.LNKTYPE, canary + '/file'), ('h', tarfile.REGTYPE, '')],
		    'whiteout': [('l', tarfile.SYMTYPE, canary), ('l/.wh.file', tarfile.REGTYPE, '')],
		    'device': [('sda', tarfile.BLKTYPE, '')],
		}
		for name, members in cases.items():
		    with tarfile.open(name + '.tar', 'w') as t:
		        for n, kind, link in members:
		            i = tarfile.TarInfo(n); i.type = kind; i.linkname = link; i.size = 1 if kind == tarfile.REGTYPE else 0
		            t.addfile(i, io.BytesIO(b'x') if i.size else None)
	PY
	local name
	for name in dotdot absolute symlink symlink2 hardlink whiteout device; do
		printf 'FROM box\nADD %s.tar /into/\n' $name >Dockerfile
		compose build || true
		[ "$(ls "$canary")" = file ]
		[ "$(cat "$canary/file")" = safe ]
	done
	[ -z "$(find "$CTRCOMPOSE_STATE/layers" -type b)" ]
}

@test "prune and rm while a build runs take nothing that it has; the next prune does" {
	local box
	box=$(ls "$CTRCOMPOSE_STATE/layers" | wc -l)
	printf 'FROM box\nRUN echo base >/base\n' >Dockerfile
	compose build
	compose image tag "$PROJECT-a" base:1
	cat >Dockerfile <<-'D'
		FROM base:1
		RUN echo one >/one
		RUN --mount=type=cache,target=/c touch /c/begun; for i in $(seq 200); do [ ! -e /c/on ] || break; sleep 0.1; done
		RUN --mount=type=cache,target=/c cat /base /one >/two; ls /c >>/two
	D
	compose image rm "$PROJECT-a"
	compose build >log 2>&1 3>&- & builder=$!
	eventually 30 sh -c "ls $CTRCOMPOSE_STATE/images/mounts/*/begun"
	compose image rm base:1
	run -0 compose system prune -f
	touch "$(dirname "$CTRCOMPOSE_STATE"/images/mounts/*/begun)/on"
	wait $builder || { cat log; return 1; }
	[ "$(in_image cat /two)" = $'base\none\nbegun\non' ]
	compose system df --format json | jq -se 'map(select(.Type == "Build Cache"))[0].SizeBytes > 0'
	compose down
	compose image rm "$PROJECT-a"
	run -0 compose system prune -f
	[ ! -e "$CTRCOMPOSE_STATE/images/mounts" ]
	[ "$(ls "$CTRCOMPOSE_STATE/layers" | wc -l)" -le "$box" ]
	rm compose.yaml
}
