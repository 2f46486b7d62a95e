#!/usr/bin/env bats
# registry.bats - pull and push, against Debian's docker-registry on 127.0.0.1 and with skopeo

load lib
load registry
setup_file() {
	world_open
	registry_open tls 5443
	export REG DOCKER_CONFIG CTRCOMPOSE_REGISTRIES
}
teardown_file() {
	registry_close
	world_close
}
setup() {
	project_open
	registry_login
}
teardown() {
	[ -z "${CUTTER:-}" ] || kill "$CUTTER"
	project_close
}

other_store() {
	CTRCOMPOSE_STATE=$(mktemp -d "$BATS_TEST_TMPDIR/store.XXXX")
	export CTRCOMPOSE_STATE
}

skopeo_copy() { skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false --authfile "$DOCKER_CONFIG/config.json" "$@"; }

@test "push, then pull into another store: the same image" {
	compose image tag box "$REG/box:1"
	id=$(compose image ls -q --no-trunc | head -1)
	compose image push "$REG/box:1"
	other_store
	compose image pull "$REG/box:1"
	[ "$(compose image ls -q --no-trunc)" = "$id" ]
	skopeo inspect --tls-verify=false --authfile "$DOCKER_CONFIG/config.json" "docker://$REG/box:1" | jq -e '.Os == "linux"'
	compose image pull "$REG/box:1" # nothing new
	[ "$(ls "$CTRCOMPOSE_STATE/layers" | wc -l)" = 1 ]
	run -0 compose image inspect "$REG/box:1"
	[[ "$(jq -r '.[0].RepoDigests[0]' <<<"$output")" == "$REG/box@sha256:"* ]]
}

@test "what skopeo pushed is pulled, by digest too; another digest is refused" {
	compose image save -o box.tar box
	skopeo_copy docker-archive:box.tar "docker://$REG/from/skopeo:2"
	digest=$(skopeo inspect --tls-verify=false --authfile "$DOCKER_CONFIG/config.json" --format '{{.Digest}}' "docker://$REG/from/skopeo:2")
	other_store
	compose image pull "$REG/from/skopeo@$digest"
	compose image inspect "$REG/from/skopeo@$digest" >/dev/null
	run ! compose image pull "$REG/from/skopeo@sha256:$(printf '%064d' 1)"
	[ "$(compose image ls -q | sort -u | wc -l)" = 1 ]
}

@test "without credentials, and with wrong ones: one sentence that says what to do" {
	compose image tag box "$REG/box:1"
	compose image push "$REG/box:1"
	rm "$DOCKER_CONFIG/config.json"
	run ! compose image pull "$REG/box:1"
	[[ "$output" == *"$REG/box: 1: access denied"*"config.json"* ]]
	printf '{"auths": {"%s": {"auth": "%s"}}}' "$REG" "$(printf user:wrong | base64)" >"$DOCKER_CONFIG/config.json"
	run ! compose image pull "$REG/box:1"
	[[ "$output" == *"access denied"* ]]
}

@test "a credential helper is asked" {
	compose image tag box "$REG/box:1"
	compose image push "$REG/box:1"
	mkdir bin
	printf '#!/bin/sh\nread host; [ "$1 $host" = "get %s" ] && echo '\''{"Username":"user","Secret":"secret"}'\''\n' "$REG" >bin/docker-credential-mine
	chmod +x bin/docker-credential-mine
	printf '{"credHelpers": {"%s": "mine"}}' "$REG" >"$DOCKER_CONFIG/config.json"
	other_store
	PATH=$PWD/bin:$PATH compose image pull "$REG/box:1"
	printf '{"credsStore": "../mine"}' >"$DOCKER_CONFIG/config.json"
	run ! compose image pull "$REG/box:1"
	[[ "$output" == *"no name of a credential helper"* ]]
}

@test "a certificate nobody vouches for, and plain HTTP: only for hosts that are named" {
	rm "$CTRCOMPOSE_REGISTRIES"
	run ! compose image pull "$REG/box:1"
	[[ "$output" == *"certificate"* ]]
	printf '{"%s": {"insecure": true}}' "$REG" >"$CTRCOMPOSE_REGISTRIES"
	compose image tag box "$REG/box:1"
	compose image push "$REG/box:1"
	printf '{"%s": {"ca": "%s/tls/ca.pem"}}' "$REG" "$BATS_FILE_TMPDIR" >"$CTRCOMPOSE_REGISTRIES"
}

@test "plain HTTP, a mirror of another registry" {
	registry_open plain 5444 plain # 5000 may be taken by the package's own
	compose image tag box "$REG/library/box:m"
	run ! compose image push "$REG/library/box:m"
	printf '{"localhost:5444": {"insecure": true}, "docker.io": {"mirrors": ["http://localhost:5444"]}}' >"$CTRCOMPOSE_REGISTRIES"
	compose image push "$REG/library/box:m"
	other_store
	compose image pull box:m
	[ "$(compose image ls --format '{{.Repository}}:{{.Tag}}')" = box:m ]
	run ! timeout 20 "$CTRCOMPOSE" image pull nothing-there:m
	# a mirror without TLS needs to be named as well; one that is not there is passed over
	printf '{"docker.io": {"mirrors": ["http://localhost:5444"]}}' >"$CTRCOMPOSE_REGISTRIES"
	other_store
	run ! timeout 20 "$CTRCOMPOSE" image pull box:m
	printf '{"localhost:5444": {"insecure": true}, "docker.io": {"mirrors": ["http://localhost:1", "http://localhost:5444"]}}' >"$CTRCOMPOSE_REGISTRIES"
	compose image pull box:m
	kill "$(cat "$BATS_FILE_TMPDIR/plain/pid")"
}

@test "up pulls what is missing; pull_policy; --pull; --offline; pull and its flags" {
	compose image tag box "$REG/app:1"
	compose image push "$REG/app:1"
	compose image rm "$REG/app:1"
	printf 'services: { a: { image: "%s/app:1", init: true } }\n' "$REG" >compose.yaml
	run ! compose --offline up -d
	[[ "$output" == *"--offline"* ]]
	run ! compose up -d --pull never
	[[ "$output" == *"pull policy is never"* ]]
	run -0 compose up -d
	[[ "$output" == *"Pulled"* ]]
	run -0 compose up -d
	[[ "$output" != *"Pull"* ]]
	run -0 compose up -d --pull always
	[[ "$output" == *"Pulled"* ]]
	[ "$(compose ps -q | wc -l)" = 1 ]
	run -0 compose pull
	[[ "$output" == *"Image $REG/app:1  Pulled"* ]]
	run -0 compose pull --policy missing
	[[ "$output" == *"Skipped"* ]]
	[ -z "$(compose pull -q 2>&1)" ]
	printf 'services: { a: { image: "%s/app:1", init: true }, b: { image: "%s/none:1" } }\n' "$REG" "$REG" >compose.yaml
	run ! compose pull
	[[ "$output" == *"$REG/none: 1: not found"* ]]
	run -0 compose pull --ignore-pull-failures
	run ! compose up -d
	[ "$(compose ps -a -q b)" = "" ]
	printf 'services: { a: { image: "%s/app:1", init: true, pull_policy: every_1h } }\n' "$REG" >compose.yaml
	run -0 compose up -d
	[[ "$output" != *"Pull"* ]]
}

@test "push: what services build and has a name, with its other names; pull leaves out what can be built" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: "$REG/p/a:1", build: { context: ., network: none, dockerfile_inline: "FROM box\nLABEL a=1\n" }, depends_on: [b] }
		  b: { image: "$REG/p/b:1", build: { context: ., network: none, dockerfile_inline: "FROM box\nLABEL b=1\n", tags: ["$REG/p/b:also"] } }
		  c: { image: "$REG/p/c:1" }
		  d: { build: { context: ., network: none, dockerfile_inline: "FROM box" } }
	Y
	run -1 compose push
	[[ "$output" == *"$REG/p/a:1"*"is not here"* ]]
	run -0 compose push --ignore-push-failures
	compose build -q
	run -0 compose push a
	[[ "$output" == *"$REG/p/a:1  Pushed"* && "$output" != *"/p/b"* ]]
	run -0 compose push --include-deps a
	[[ "$output" == *"$REG/p/b:1  Pushed"* ]]
	[ -z "$(compose push -q 2>&1)" ]
	run -1 compose --offline push
	[[ "$output" == *"--offline is given"* ]]
	[ "$(curl -s -u user:secret --cacert "$BATS_FILE_TMPDIR/tls/ca.pem" "https://$REG/v2/p/b/tags/list" | jq -c '.tags | sort')" = '["1","also"]' ]
	compose image rm "$REG/p/a:1"
	run -0 compose pull --ignore-buildable a
	[[ "$output" == *"Skipped"* ]]
	run -0 compose pull --include-deps a
	[[ "$output" == *"$REG/p/a:1  Pulled"* && "$output" == *"$REG/p/b:1  Pulled"* ]]
	rm compose.yaml
}

@test "another image of the same name makes a new container" {
	compose image tag box "$REG/moving:1"
	printf 'services: { a: { image: "%s/moving:1", init: true } }\n' "$REG" >compose.yaml
	compose up -d
	before=$(compose ps -q)
	mkdir root && cp -a /bin/busybox root/ && mkdir root/bin && ln -s ../busybox root/bin/sleep
	compose image import --change 'CMD ["/bin/sleep","1000"]' root "$REG/moving:1"
	run -0 compose up -d
	[[ "$output" == *"Recreated"* ]]
	[ "$(compose ps -q)" != "$before" ]
}

@test "an index: this machine's platform is chosen, another on request" {
	for arch in amd64 arm64; do
		mkdir $arch && echo $arch >$arch/file
		tar -C $arch -cf $arch.tar .
	done
	python3 - <<-'PY'
		import hashlib, json, os
		os.makedirs('oci/blobs/sha256')
		def blob(b):
		    d = hashlib.sha256(b).hexdigest(); open('oci/blobs/sha256/' + d, 'wb').write(b); return {'digest': 'sha256:' + d, 'size': len(b)}
		ms = []
		for arch in ('amd64', 'arm64'):
		    layer = open(arch + '.tar', 'rb').read()
		    config = json.dumps({'architecture': arch, 'os': 'linux', 'config': {'Cmd': ['x']}, 'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(layer).hexdigest()]}}).encode()
		    m = json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
		        'config': dict(blob(config), mediaType='application/vnd.oci.image.config.v1+json'),
		        'layers': [dict(blob(layer), mediaType='application/vnd.oci.image.layer.v1.tar')]}).encode()
		    ms.append(dict(blob(m), mediaType='application/vnd.oci.image.manifest.v1+json', platform={'os': 'linux', 'architecture': arch}))
		ix = json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json', 'manifests': ms}).encode()
		json.dump({'schemaVersion': 2, 'manifests': [dict(blob(ix), mediaType='application/vnd.oci.image.index.v1+json', annotations={'org.opencontainers.image.ref.name': 'x'})]}, open('oci/index.json', 'w'))
		json.dump({'imageLayoutVersion': '1.0.0'}, open('oci/oci-layout', 'w'))
	PY
	skopeo_copy --all oci:oci:x "docker://$REG/multi:1"
	other_store
	compose image pull "$REG/multi:1"
	[ "$(compose image inspect "$REG/multi:1" | jq -r '.[0].Architecture')" = "$(dpkg --print-architecture)" ]
	compose image pull --platform linux/arm64 "$REG/multi:1"
	[ "$(compose image inspect "$REG/multi:1" | jq -r '.[0].Architecture')" = arm64 ]
	run ! compose image pull --platform linux/s390x "$REG/multi:1"
	[[ "$output" == *"there are: linux/amd64, linux/arm64"* ]]
	# platform: of a service; one that is here for another platform is as good as none
	other_store
	other=$([ "$(dpkg --print-architecture)" = arm64 ] && echo amd64 || echo arm64)
	compose image pull "$REG/multi:1"
	printf 'services: { a: { image: "%s/multi:1", platform: linux/%s } }\n' "$REG" $other >compose.yaml
	run ! compose --offline up -d
	[[ "$output" == *"--offline"* ]]
	run compose create
	[[ "$output" == *"Image $REG/multi:1  Pulled"* ]]
	[ "$(compose image inspect "$REG/multi:1" | jq -r '.[0].Architecture')" = $other ]
	run -0 compose create
	[[ "$output" != *Pull* ]]
	compose down
	rm compose.yaml
	# a name that stands for one image, which is for another platform
	other_store
	skopeo_copy oci:oci:x "docker://$REG/single:1"
	compose image pull "$REG/single:1"
	run ! compose image pull --platform linux/$other "$REG/single:1"
	[[ "$output" == *"there is none for linux/$other (it is for linux/"* ]]
}

@test "a registry that lies: wrong bytes, too many, cut off; nothing is left" {
	cat >liar.py <<-'PY'
		import hashlib, http.server, json, sys
		layer = b'x' * 10240
		config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(layer).hexdigest()]}}).encode()
		d = lambda b: 'sha256:' + hashlib.sha256(b).hexdigest()
		class H(http.server.BaseHTTPRequestHandler):
		    protocol_version = 'HTTP/1.1'
		    def log_message(self, *a): pass
		    def do_GET(self):
		        repo, what = self.path.split('/')[2], self.path.split('/')[-1]
		        size = {'short': 20000, 'long': 100}.get(repo, len(layer))
		        m = json.dumps({'schemaVersion': 2, 'config': {'digest': d(config), 'size': len(config)}, 'layers': [{'digest': d(layer), 'size': size}]}).encode()
		        if 'manifests' in self.path: body = m if what != 'huge' else b'[' * (9 << 20)
		        elif what == d(config): body = config
		        else: body = layer if repo != 'wrong' else b'y' * 10240
		        self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()
		        try: self.wfile.write(body)
		        except Exception: pass
		http.server.ThreadingHTTPServer(('127.0.0.1', 5001), H).serve_forever()
	PY
	python3 liar.py 3>&- & server=$!
	printf '{"localhost:5001": {"insecure": true}}' >r.json
	export CTRCOMPOSE_REGISTRIES=$PWD/r.json
	eventually 20 curl -s -o /dev/null http://localhost:5001/v2/
	other_store
	run ! compose image pull localhost:5001/wrong:1
	[[ "$output" == *"digest sha256:"* ]]
	run ! compose image pull localhost:5001/long:1
	[[ "$output" == *"longer than"* ]]
	run ! timeout 30 "$CTRCOMPOSE" image pull localhost:5001/short:1
	run ! compose image pull localhost:5001/x:huge
	[[ "$output" == *"longer than"* ]]
	run ! compose image pull localhost:5001/ok:1 # the layer is no tar
	kill $server
	[ -z "$(compose image ls -q)" ]
	[ -z "$(ls "$CTRCOMPOSE_STATE/layers")" ]
}

@test "digests: config resolves and locks them, a locked stack is what it was" {
	compose image tag box "$REG/locked:1"
	compose image push "$REG/locked:1"
	compose image pull -q "$REG/locked:1"
	printf 'services: { a: { image: "%s/locked:1", init: true } }\n' "$REG" >compose.yaml
	compose config --resolve-image-digests | grep -q "image: $REG/locked:1@sha256:"
	compose config --lock-image-digests >lock.yaml
	[ "$(compose -f compose.yaml -f lock.yaml config --images)" = "$(sed -n 's/ *image: //p' lock.yaml)" ]
	compose -f compose.yaml -f lock.yaml up -d
	[ "$(compose ps -q | wc -l)" = 1 ]
	compose down
	compose image rm "$REG/locked:1"
	printf 'services: { a: { image: "%s/never-pulled:1" } }\n' "$REG" >compose.yaml
	run ! compose --offline config --resolve-image-digests
	[[ "$output" == *"none may be asked"* ]]
	rm compose.yaml
}

@test "build: pulls what it begins with, --pull and pull: true take a newer one, --push" {
	printf 'FROM %s/base:1\nCOPY --from=%s/from:1 /f /f\n' "$REG" "$REG" >Dockerfile
	printf 'services: { a: { image: "%s/made:1", build: { context: ., tags: ["%s/made:also"] } }, b: { build: . } }\n' "$REG" "$REG" >compose.yaml
	base() { # TEXT: another base in the registry, none in the store
		printf 'FROM box\nRUN --network=none echo %s >/base; echo f >/f\n' "$1" >D
		printf 'services: { x: { image: "%s/base:1", build: { context: ., dockerfile: D, tags: ["%s/from:1"] } } }\n' "$REG" "$REG" >base.yaml
		compose -f base.yaml build --push
		compose image rm "$REG/base:1" "$REG/from:1"
	}
	in_a() { compose run --rm -T --entrypoint "" a "$@"; }
	base one
	run ! compose --offline build
	[[ "$output" == *"a: FROM: image $REG/base:1: --offline"* ]]
	compose build
	[ "$(in_a cat /base /f)" = $'one\nf' ]
	compose image tag "$REG/base:1" kept:1
	base two
	compose image tag kept:1 "$REG/base:1" # as it was
	compose image tag kept:1 "$REG/from:1"
	compose --offline build
	compose build
	[ "$(in_a cat /base)" = one ]
	compose build --pull
	[ "$(in_a cat /base)" = two ]
	compose image tag kept:1 "$REG/base:1"
	compose build
	[ "$(in_a cat /base)" = one ]
	sed -i 's/context: .,/& pull: true,/' compose.yaml
	compose build --push
	[ "$(in_a cat /base)" = two ]
	id=$(compose image inspect "$REG/made:1" | jq -r '.[0].Id')
	first=$CTRCOMPOSE_STATE
	other_store
	compose image pull "$REG/made:1" "$REG/made:also"
	[ "$(compose image inspect "$REG/made:also" | jq -r '.[0].Id')" = "$id" ]
	printf 'FROM %s/nothere:1\n' "$REG" >Dockerfile
	run ! compose build b
	[[ "$output" == *"b: FROM"*"$REG/nothere"* ]]
	[ "$(ls "$CTRCOMPOSE_STATE/layers" | wc -l)" = "$(ls "$CTRCOMPOSE_STATE/layers" | grep -vc tmp)" ]
	CTRCOMPOSE_STATE=$first
}

@test "build: images that only an ONBUILD names are pulled, or made first; a circle is refused" {
	local first=$CTRCOMPOSE_STATE n
	for n in 1 2 3 4; do
		mkdir -p "root$n" && echo "data $n" >"root$n/f"
		compose image import "root$n" "$REG/onbuild/data:$n"
		compose image push "$REG/onbuild/data:$n"
	done
	printf 'services:\n  a: { image: "%s", build: { context: ., network: none, dockerfile_inline: "FROM box\\n%s\\n%s\\n%s" } }\n' "$REG/onbuild/base:1" \
		"ONBUILD COPY --from=$REG/onbuild/data:1 /f /one" "ONBUILD RUN --mount=from=$REG/onbuild/data:2,target=/m cat /m/f >/two" "ONBUILD COPY --from=three /f /three" >compose.yaml
	compose build -q --push
	compose image save -o box.tar box
	other_store
	cat >compose.yaml <<-Y
		services:
		  a: { build: { context: ., network: none } }
	Y
	cat >Dockerfile <<-D
		FROM $REG/onbuild/data:3 AS three
		FROM $REG/onbuild/nosuch:1 AS unused
		FROM $REG/onbuild/base:1
		ARG WHICH=4
		RUN --mount=from=$REG/onbuild/data:\$WHICH,target=/m cat /m/f >/four
	D
	run -1 compose --offline build
	compose build -q
	[ "$(compose run --rm -T a cat /one /two /three /four)" = $'data 1\ndata 2\ndata 3\ndata 4' ]
	compose down
	[ "$(compose image ls -q | sort -u | wc -l)" = 6 ]
	# The base is made here, so what it says is known only when it is there.
	other_store
	compose image load -i box.tar
	cat >compose.yaml <<-Y
		services:
		  base: { image: "base:1", build: { context: ., network: none, dockerfile_inline: "FROM box\nONBUILD COPY --from=$REG/onbuild/data:1 /f /one\nONBUILD COPY --from=local:1 /f /two\n" } }
		  a: { build: { context: ., network: none, dockerfile_inline: "FROM base:1" } }
		  z: { image: "local:1", build: { context: ., network: none, dockerfile_inline: "FROM box\nRUN sleep 0.5; echo local >/f\n" } }
	Y
	run -1 compose --offline build
	[[ "$output" == *"data:1: --offline is given"* ]]
	compose build
	[ "$(compose run --rm -T a cat /one /two)" = $'data 1\nlocal' ]
	compose down
	sed -i 's,"FROM box.nRUN,"FROM '"$PROJECT"'-a\\nRUN,' compose.yaml
	run -1 compose build
	[[ "$output" == *"wait for each other's images"* ]]
	CTRCOMPOSE_STATE=$first
	rm compose.yaml
}

@test "cache_to and cache_from: a registry, the image itself; layers come when they are needed; what is wrong is passed over" {
	local first=$CTRCOMPOSE_STATE ref=$REG/cache/steps:1 layers victim
	compose image save -o box.tar box
	another() {
		other_store
		compose image load -q -i box.tar 2>/dev/null || compose image load -i box.tar
	}
	with() { # CACHE_FROM CACHE_TO
		printf 'services: { a: { image: "%s/cache/app:1", build: { context: ., network: none, cache_from: [%s], cache_to: [%s] } } }\n' "$REG" "$1" "$2" >compose.yaml
	}
	made() { compose image inspect "$REG/cache/app:1" | jq -c '.[0].RootFS.Layers'; }
	printf 'FROM box AS one\nRUN echo one; date +%%s%%N >/one\nFROM box\nWORKDIR /w\nWORKDIR /w\nCOPY --from=one /one /uno\nRUN echo two; date +%%s%%N >/two\n' >Dockerfile
	another
	with "\"$ref\"" "\"type=registry,ref=$ref,mode=max\""
	run -0 compose build # the first time there is none
	[[ "$output" != *cache_from* ]]
	layers=$(made)
	skopeo inspect --raw --tls-verify=false --authfile "$DOCKER_CONFIG/config.json" "docker://$ref" | jq -e '.config.mediaType == "application/vnd.ctrcompose.steps.v1+json" and (.layers | length == 4)'
	another
	run -0 compose build
	[ "$(grep -c CACHED <<<"$output")" = 5 ]
	[ "$(made)" = "$layers" ]
	# Of what is not asked for nothing comes.
	another
	sed -i 's/echo one/echo other/' Dockerfile
	with "\"$ref\"" ""
	run -0 compose build
	[ "$(grep -c CACHED <<<"$output")" = 2 ]
	[ "$(ls "$CTRCOMPOSE_STATE/layers" | wc -l)" = 5 ] # box, and one of each step that made one
	sed -i 's/echo other/echo one/' Dockerfile
	# mode=min: the steps of the image, also such that made nothing.
	another
	with "\"$ref\"" "\"type=registry,ref=$REG/cache/min:1\""
	compose build
	another
	with "\"type=registry,ref=$REG/cache/min:1\"" ""
	run -0 compose build
	[ "$(grep -c CACHED <<<"$output")" = 2 ] # what made /one is not in the image, so it is another one now
	# Steps in the config of the image: of a registry, and of the store.
	another
	with "\"$ref\"" "\"type=inline\""
	compose build
	id=$(compose image inspect "$REG/cache/app:1" | jq -r '.[0].Id')
	compose image push "$REG/cache/app:1"
	compose image save -o app.tar "$REG/cache/app:1"
	run -0 compose build
	[ "$(compose image inspect "$REG/cache/app:1" | jq -r '.[0].Id')" = "$id" ]
	another
	with "\"$REG/cache/app:1\", \"$ref\"" ""
	run -0 compose build
	[ "$(grep -c CACHED <<<"$output")" = 5 ]
	another
	printf 'FROM box\nWORKDIR /w\nWORKDIR /w\n' >Dockerfile
	with "\"$REG/cache/app:1\"" ""
	run -0 compose build
	[ "$(grep -c CACHED <<<"$output")" = 2 ]
	[ "$(compose image inspect "$REG/cache/app:1" | jq '.[0].RootFS.Layers | length')" = 2 ]
	another
	compose image load -i app.tar
	run -0 compose --offline build
	[ "$(grep -c CACHED <<<"$output")" = 2 ]
	# It is the image's own, not of those that are made of it.
	printf 'FROM %s/cache/app:1\nLABEL x=y\n' "$REG" >Dockerfile
	with "" ""
	sed -i 's,cache/app:1,cache/next:1,' compose.yaml
	compose build -q
	compose image save -o next.tar "$REG/cache/next:1"
	mkdir next && tar -xf next.tar -C next
	run ! grep -rq ctrcompose.steps next
	# An image that has none, a registry that is not there, bytes that are not what they are called.
	another
	compose image tag box "$REG/cache/none:1"
	compose image push "$REG/cache/none:1"
	printf 'FROM box\nWORKDIR /w\n' >Dockerfile
	with "\"$REG/cache/none:1\", \"localhost:1/x:1\", \"$REG/cache/nosuch:1\"" ""
	run -0 compose build
	[[ "$output" == *"cache_from $REG/cache/none:1: $REG/cache/none:1: it is an image without steps"* && "$output" == *"cache_from localhost:1/x:1: "* ]]
	[ "$(grep -c cache_from <<<"$output")" = 2 ]
	another
	victim=$BATS_FILE_TMPDIR/tls/data/docker/registry/v2/blobs/sha256
	for layer in $(skopeo inspect --raw --tls-verify=false --authfile "$DOCKER_CONFIG/config.json" "docker://$ref" | jq -r '.layers[].digest[7:]'); do
		printf x | dd of="$victim/${layer:0:2}/$layer/data" bs=1 seek=700 conv=notrunc status=none
	done
	with "\"$ref\"" ""
	run -0 compose build
	[[ "$output" == *"cache_from $ref: "*digest* ]]
	[ "$(grep -c DONE <<<"$output")" = 1 ]
	# What can't be written is an error.
	with "" "\"type=registry,ref=localhost:1/x:1\""
	run -1 compose build
	[[ "$output" == *"localhost:1"* ]]
	run -1 compose --offline build
	[[ "$output" == *"cache_to localhost:1/x:1: --offline is given"* ]]
	[ -z "$(ls -d "$CTRCOMPOSE_STATE"/layers/tmp-* 2>/dev/null)" ]
	CTRCOMPOSE_STATE=$first
	rm compose.yaml
}

@test "a lock file beside the compose file: up has what it names, and says where it does not fit" {
	publish() { # TEXT: what the name stands for in the registry, not here
		printf 'FROM box\nRUN --network=none echo %s >/text\n' "$1" >D
		printf 'services: { x: { image: "%s/moving:1", build: { context: ., dockerfile: D } } }\n' "$REG" >base.yaml
		compose -f base.yaml build -q --push
		compose image rm "$REG/moving:1"
	}
	text() { compose exec -T a cat /text; }
	publish one
	printf 'services:\n  a: { image: "%s/moving:1", init: true }\n  built: { build: { context: ., dockerfile: D, network: none }, init: true }\n' "$REG" >compose.yaml
	compose up -d a
	compose config --lock-image-digests -o compose.lock.yaml
	grep -qE "image: $REG/moving:1@sha256:[0-9a-f]{64}$" compose.lock.yaml
	run ! grep -q built compose.lock.yaml
	compose down
	publish two
	compose image prune -f
	compose up -d
	[ "$(text)" = one ]
	compose --offline up -d --force-recreate
	[ "$(text)" = one ]
	compose plan
	compose up -d --pull always
	[ "$(text)" = one ]
	compose pull a
	[ "$(compose run --rm -T a cat /text)" = one ]
	run -0 compose scale a=2
	# another name than the lock was made for
	sed -i 's/moving:1/moving:2/' compose.yaml
	for verb in "up -d" "plan" "pull" "run --rm a true" "scale a=1"; do
		run ! compose $verb
		[[ "$output" == *"compose.lock.yaml:3:12: service a: $REG/moving:1@sha256:"*" is locked, but its image is $REG/moving:2: write the lock anew"* ]]
	done
	sed -i 's/moving:2/moving:1/' compose.yaml
	cp compose.lock.yaml kept
	sed -i 's/@sha256.*//' compose.lock.yaml
	run ! compose up -d
	[[ "$output" == *"compose.lock.yaml:3:12: services.a.image: it has no digest"* ]]
	sed 's/  a:/  other:/' kept >compose.lock.yaml
	run ! compose up -d
	[[ "$output" == *"service a: its image is not in $PWD/compose.lock.yaml"* ]]
	echo 'services: [' >compose.lock.yaml
	run ! compose up -d
	[[ "$output" == *"compose.lock.yaml:"* ]]
	sed 's/sha256:../sha256:00/' kept >compose.lock.yaml # a digest that the registry has not
	run ! compose up -d
	[[ "$output" == *"moving"* ]]
	[ "$(text)" = one ] # nothing was touched
	rm compose.lock.yaml
	compose up -d --pull always
	[ "$(text)" = two ]
}

# cutter: a registry on port 5003 with the OCI layout in ./oci. The name of the repository says what it
# does to each blob when it is asked for the first time (always for "never" and "stuck"); ./asked has
# a line "NAME FIRST-BYTE" per request for a blob.
cutter_open() {
	cat >cutter.py <<-'PY'
		import http.server, json, os, re, sys, threading, time
		B = 'oci/blobs/sha256/'
		seen = {}
		together = threading.Barrier(3, timeout=10)
		pair = threading.Barrier(2, timeout=10)
		class H(http.server.BaseHTTPRequestHandler):
		    protocol_version = 'HTTP/1.1'
		    def log_message(self, *a): pass
		    def answer(self, status, body, cut=None, **headers):
		        self.send_response(status)
		        for k, v in headers.items(): self.send_header(k.replace('_', '-'), v)
		        self.send_header('Content-Length', str(len(body)))
		        self.end_headers()
		        try:
		            self.wfile.write(body if cut is None else body[:cut])
		            self.wfile.flush()
		        except OSError: pass
		        if cut is not None: self.close_connection = True; self.connection.shutdown(2)
		    def do_GET(self):
		        m = re.fullmatch(r'/v2/(\w+)/(manifests|blobs)/(.*)', self.path)
		        if not m: return self.answer(200, b'{}')
		        name, kind, what = m.groups()
		        if kind == 'manifests':
		            d = json.load(open('oci/index.json'))['manifests'][name == 'pair2']
		            n = seen[name, what] = seen.get((name, what), 0) + 1
		            if name == 'together' and n < 3: return self.answer(503, b'', Retry_After='0')
		            return self.answer(200, open(B + d['digest'][7:], 'rb').read(), Content_Type=d['mediaType'], Docker_Content_Digest=d['digest'])
		        data = open(B + what[7:], 'rb').read()
		        at = int((self.headers.get('Range') or 'bytes=0-')[6:].rstrip('-'))
		        n = seen[name, what] = seen.get((name, what), 0) + 1
		        open('asked', 'a').write(f'{name} {at}\n')
		        if name.startswith('pair') and len(data) < 1 << 20: # no config before both are asked for
		            try: pair.wait()
		            except threading.BrokenBarrierError: return self.answer(404, b'')
		        if len(data) < 1 << 20: return self.answer(200, data) # the config
		        half = len(data) // 2
		        def part(cut=None): self.answer(206, data[at:], cut, Content_Range=f'bytes {at}-{len(data) - 1}/{len(data)}') if at else self.answer(200, data, cut)
		        if name == 'ranges': part(half if n == 1 else None)
		        elif name == 'often': part((len(data) - at) // 2 if n < 12 else None) # always some more
		        elif name == 'busy': self.answer(503, b'', Retry_After='0') if n < 3 else part()
		        elif name == 'whole': self.answer(200, data, half if n == 1 else None) # knows no ranges
		        elif name == 'together': # no layer before three are asked for
		            try: together.wait()
		            except threading.BrokenBarrierError: return self.answer(404, b'')
		            part()
		        elif name.startswith('pair'): part()
		        elif name == 'never': self.answer(200, data, half)
		        elif name == 'stuck': self.answer(206, b'', 0, Content_Range=f'bytes {at}-{at}/{len(data)}') if at else self.answer(200, data, half)
		        elif name == 'other': # bytes from elsewhere
		            if n == 1: part(half)
		            else: self.answer(206, data[:len(data) - at], Content_Range=f'bytes {at}-{len(data) - 1}/{len(data)}')
		        elif name == 'refuse': part(half) if n == 1 else self.answer(416, b'') if at else part()
		http.server.ThreadingHTTPServer(('127.0.0.1', 5003), H).serve_forever()
	PY
	python3 cutter.py >cutter.log 2>&1 3>&- & CUTTER=$!
	printf '{"localhost:5003": {"insecure": true}}' >r.json
	export CTRCOMPOSE_REGISTRIES=$PWD/r.json
	eventually 20 curl -s -o /dev/null http://localhost:5003/v2/
}

@test "a connection that breaks: the download goes on where it was, or begins again, and is checked" {
	local name first=$CTRCOMPOSE_STATE
	mkdir -p oci root/bin
	head -c 6000000 /dev/urandom >root/bin/data
	compose image import root big
	id=$(compose image inspect big | jq -r '.[0].Id')
	compose image save -o big.tar big
	tar -xf big.tar -C oci
	cutter_open
	for name in ranges often busy whole refuse; do
		other_store
		timeout 60 "$CTRCOMPOSE" image pull "localhost:5003/$name:1"
		[ "$(compose image inspect "localhost:5003/$name:1" | jq -r '.[0].Id')" = "$id" ]
		cmp root/bin/data "$CTRCOMPOSE_STATE"/layers/*/bin/data
	done
	grep ' [1-9]' asked >later
	[ "$(grep -c ranges later)" = 1 ] # one more, from the middle
	[ "$(awk '$1 == "ranges" { print $2 }' later)" -gt 2000000 ]
	[ "$(grep -c often later)" -ge 10 ]
	[ "$(awk '$1 == "often" { print $2 }' later | sort -nc && echo sorted)" = sorted ]
	[ "$(awk '$1 == "whole"' asked | tail -1)" = "whole 0" ]
	for name in never stuck other; do
		other_store
		run -1 timeout 60 "$CTRCOMPOSE" image pull "localhost:5003/$name:1"
		[ -z "$(compose image ls -q)" ]
		[ -z "$(ls "$CTRCOMPOSE_STATE/layers")" ]
	done
	[[ "$output" == *"digest sha256:"* ]] # "other"
	[ "$(grep -c never asked)" -lt 20 ]
	# as mirrors they are not the last to be asked
	CTRCOMPOSE_STATE=$first
	printf '{"localhost:5003": {"insecure": true}, "%s": {"ca": "%s/tls/ca.pem", "mirrors": ["http://localhost:5003"]}}' "$REG" "$BATS_FILE_TMPDIR" >r.json
	for name in never other; do
		CTRCOMPOSE_STATE=$first
		compose image tag big "$REG/$name:1"
		compose image push "$REG/$name:1"
		compose image rm "$REG/$name:1"
		other_store
		timeout 60 "$CTRCOMPOSE" image pull "$REG/$name:1"
		cmp root/bin/data "$CTRCOMPOSE_STATE"/layers/*/bin/data
	done
	CTRCOMPOSE_STATE=$first
	compose image rm big
}

@test "layers come at the same time, and a busy registry is asked again" {
	local first=$CTRCOMPOSE_STATE n
	mkdir oci
	for n in 1 2 3; do head -c 1500000 /dev/urandom >data$n; done
	printf 'FROM scratch\nCOPY data1 /\nCOPY data2 /\nCOPY data3 /\n' >Dockerfile
	echo 'services: { a: { image: "three:1", build: . } }' >compose.yaml
	compose build -q
	compose image save three:1 | tar -x -C oci
	cutter_open
	other_store
	timeout 60 "$CTRCOMPOSE" image pull localhost:5003/together:1
	cat data1 data2 data3 | cmp - <(cat "$CTRCOMPOSE_STATE"/layers/*/data1 "$CTRCOMPOSE_STATE"/layers/*/data2 "$CTRCOMPOSE_STATE"/layers/*/data3)
	CTRCOMPOSE_STATE=$first
	compose image rm three:1
	rm compose.yaml
}

@test "images come at the same time, and a layer that two of them have comes once" {
	local first=$CTRCOMPOSE_STATE n
	mkdir oci
	for n in 1 2 3; do head -c 1500000 /dev/urandom >data$n; done
	for n in 2 3; do printf 'FROM scratch\nCOPY data1 /\nCOPY data%s /\n' $n >Dockerfile.$n; done
	cat >compose.yaml <<-Y
		services:
		  a: { image: "pair:2", build: { dockerfile: Dockerfile.2 } }
		  b: { image: "pair:3", build: { dockerfile: Dockerfile.3 } }
	Y
	compose build -q
	compose image save pair:2 pair:3 | tar -x -C oci
	cutter_open
	other_store
	cat >compose.yaml <<-Y
		services:
		  a: { image: "localhost:5003/pair1:1" }
		  b: { image: "localhost:5003/pair2:1" }
		  c: { image: "localhost:5003/pair2:1" }
	Y
	run -1 compose --parallel 1 pull # one alone gets no config
	run -1 env COMPOSE_PARALLEL_LIMIT=1 "$CTRCOMPOSE" pull
	kill "$CUTTER"
	rm asked
	cutter_open
	timeout 60 "$CTRCOMPOSE" pull
	[ "$(cat asked | wc -l)" = 5 ] # two configs, three layers
	cat data1 data2 data3 | cmp - <(cat "$CTRCOMPOSE_STATE"/layers/*/data1 "$CTRCOMPOSE_STATE"/layers/*/data2 "$CTRCOMPOSE_STATE"/layers/*/data3)
	[ "$(compose image ls -q | sort -u | wc -l)" = 2 ]
	CTRCOMPOSE_STATE=$first
	compose image rm pair:2 pair:3
	rm compose.yaml
}

@test "up: what can't be pulled ends the other pulls, unless it can be built" {
	local first=$CTRCOMPOSE_STATE
	mkdir oci
	head -c 1500000 /dev/urandom >data1
	printf 'FROM scratch\nCOPY data1 /\n' >Dockerfile
	echo 'services: { a: { image: "one:1", build: . } }' >compose.yaml
	compose build -q
	compose image save one:1 | tar -x -C oci
	cutter_open
	other_store
	cat >compose.yaml <<-Y
		services:
		  a: { image: "localhost:5003/pair1:1" }
		  b: { image: "localhost:1/none:1" }
	Y
	run -1 timeout 60 "$CTRCOMPOSE" up -d # the other one waits for a second that does not come
	[[ "$output" == *"localhost:1"* ]]
	[[ "${lines[-1]}" == *"localhost:1"* ]]
	[ -z "$(compose image ls -q)" ]
	[ -z "$(ls "$CTRCOMPOSE_STATE/layers")" ]
	cat >compose.yaml <<-Y
		services:
		  a: { image: "localhost:5003/whole:1", command: ["/none"] }
		  b: { image: "localhost:1/none:1", build: ., pull_policy: always, command: ["/none"] }
	Y
	run -0 timeout 60 "$CTRCOMPOSE" create --quiet-pull
	[[ "$output" == *"it is built instead"* ]]
	[ "$(compose images -q | wc -l)" = 2 ]
	compose down
	CTRCOMPOSE_STATE=$first
	compose image rm one:1
	rm compose.yaml
}

@test "a pull that is killed at any moment leaves no image that is not whole; the next one gets it" {
	local first=$CTRCOMPOSE_STATE ms pid
	mkdir -p root/bin
	head -c 20000000 /dev/urandom >root/bin/data
	compose image import root "$REG/killed:1"
	compose image push "$REG/killed:1"
	compose image rm "$REG/killed:1"
	other_store
	for ms in 005 020 040 060 080 100 130 160 200 250; do
		"$CTRCOMPOSE" image pull -q "$REG/killed:1" 3>&- & pid=$!
		sleep 0.$ms
		kill -KILL $pid 2>/dev/null || true
		wait $pid || true
		if compose image inspect "$REG/killed:1" >inspect.json 2>/dev/null; then
			cmp root/bin/data "$CTRCOMPOSE_STATE"/layers/"$(jq -r '.[0].RootFS.Layers[0]' inspect.json | cut -d: -f2)"/bin/data
			compose image rm "$REG/killed:1"
		fi
	done
	compose image pull "$REG/killed:1"
	cmp root/bin/data "$CTRCOMPOSE_STATE"/layers/*/bin/data
	[ "$(ls "$CTRCOMPOSE_STATE/layers" | wc -l)" = 1 ] # what the dead left is swept
	CTRCOMPOSE_STATE=$first
}

@test "bearer tokens: anonymous, for a login, for an identity; anew when one is over; none for another host" {
	local first=$CTRCOMPOSE_STATE name
	mkdir -p oci root/bin
	head -c 3000000 /dev/urandom >root/bin/data
	compose image import root big
	id=$(compose image inspect big | jq -r '.[0].Id')
	compose image save -o big.tar big
	tar -xf big.tar -C oci
	cat >tokens.py <<-'PY'
		import base64, http.server, json, re, threading, urllib.parse
		B = 'oci/blobs/sha256/'
		left = {} # token: how many more requests it is good for
		def log(*a): print(*a, file=open('asked', 'a'), flush=True)
		class H(http.server.BaseHTTPRequestHandler):
		    protocol_version = 'HTTP/1.1'
		    def log_message(self, *a): pass
		    def answer(self, status, body=b'', **headers):
		        self.send_response(status)
		        for k, v in headers.items(): self.send_header(k.replace('_', '-'), v)
		        self.send_header('Content-Length', str(len(body))); self.end_headers(); self.wfile.write(body)
		    def token(self, query, who):
		        scope = query.get('scope', [''])[0]
		        log('token', who, query.get('service', [''])[0], scope)
		        name = scope.split(':')[1]
		        if name in ('private', 'expires') and who not in ('user:secret', 'identity'): return self.answer(401, b'{}')
		        t = 'tok%d-%s' % (len(left), name); left[t] = 2 if name == 'expires' else 1000
		        self.answer(200, json.dumps({'access_token' if name == 'anon' else 'token': t, 'expires_in': 60}).encode())
		    def do_POST(self):
		        body = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode()
		        q = urllib.parse.parse_qs(body)
		        if self.path == '/token': return self.token(q, 'identity' if q.get('refresh_token') == ['idtok'] and q.get('grant_type') == ['refresh_token'] else 'nobody')
		        self.do_GET()
		    do_HEAD = do_GET = lambda self: self.get()
		    def get(self):
		        u = urllib.parse.urlparse(self.path)
		        auth = self.headers.get('Authorization') or ''
		        if u.path == '/token': return self.token(urllib.parse.parse_qs(u.query), base64.b64decode(auth[6:]).decode() if auth.startswith('Basic ') else 'nobody')
		        m = re.fullmatch(r'/v2/(\w+)/(manifests|blobs)/(.*)', u.path)
		        if not m: return self.answer(200, b'{}')
		        name, kind, what = m.groups()
		        t = auth[7:] if auth.startswith('Bearer ') else ''
		        if not t.endswith('-' + name) or left.get(t, 0) < 1:
		            return self.answer(401, b'{}', WWW_Authenticate='Bearer realm="http://localhost:5006/token",service="svc",scope="repository:%s:%s"' % (name, 'pull' if self.command == 'GET' else 'pull,push'))
		        left[t] -= 1
		        if kind == 'manifests':
		            d = json.load(open('oci/index.json'))['manifests'][name == 'pair2']
		            return self.answer(200, open(B + d['digest'][7:], 'rb').read(), Content_Type=d['mediaType'])
		        if self.command != 'GET': return self.answer(404)
		        if name == 'elsewhere': return self.answer(307, Location='http://127.0.0.1:5007/' + what[7:])
		        self.answer(200, open(B + what[7:], 'rb').read())
		class Other(http.server.SimpleHTTPRequestHandler):
		    def log_message(self, *a): pass
		    def do_GET(self):
		        log('other', self.headers.get('Authorization'))
		        data = open(B + self.path[1:], 'rb').read()
		        self.send_response(200); self.send_header('Content-Length', str(len(data))); self.end_headers(); self.wfile.write(data)
		threading.Thread(target=http.server.ThreadingHTTPServer(('127.0.0.1', 5007), Other).serve_forever, daemon=True).start()
		http.server.ThreadingHTTPServer(('127.0.0.1', 5006), H).serve_forever()
	PY
	python3 tokens.py >tokens.log 2>&1 3>&- & CUTTER=$!
	printf '{"localhost:5006": {"insecure": true}}' >r.json
	export CTRCOMPOSE_REGISTRIES=$PWD/r.json DOCKER_CONFIG=$PWD
	eventually 20 curl -s -o /dev/null http://localhost:5006/v2/
	got() { # REPOSITORY: it comes, whole, into a store of its own
		other_store
		compose image pull "localhost:5006/$1:1" && [ "$(compose image inspect "localhost:5006/$1:1" | jq -r '.[0].Id')" = "$id" ]
	}
	got anon
	[ "$(cat asked)" = "token nobody svc repository:anon:pull" ]
	run ! got private
	[[ "$output" == *"localhost:5006/private: 1: access denied"* ]]
	printf '{"auths": {"localhost:5006": {"auth": "%s"}}}' "$(printf user:wrong | base64)" >config.json
	run ! got private
	printf '{"auths": {"localhost:5006": {"auth": "%s"}}}' "$(printf user:secret | base64)" >config.json
	got private
	got expires
	[ "$(grep -c 'user:secret.*:expires:' asked)" -ge 2 ]
	got elsewhere
	grep -q '^other None$' asked
	run ! grep '^other [^N]' asked
	printf '{"auths": {"localhost:5006": {"identitytoken": "idtok"}}}' >config.json
	got private
	grep -q 'token identity svc repository:private:pull' asked
	compose image tag "localhost:5006/private:1" "localhost:5006/private:2"
	run ! compose image push "localhost:5006/private:2"
	grep -q 'token identity svc repository:private:pull,push' asked
	CTRCOMPOSE_STATE=$first
	compose image rm big
}

@test "push: a token that is over between the beginning and the end of an upload, a connection that breaks, a busy registry" {
	local first=$CTRCOMPOSE_STATE name
	mkdir -p root/bin
	head -c 3000000 /dev/urandom >root/bin/data
	compose image import root big
	# Each repository has its mishap, once per blob; "never" has no end of it.
	cat >put.py <<-'PY'
		import hashlib, http.server, json, re, threading, urllib.parse
		def log(*a): print(*a, file=open('asked', 'a'), flush=True)
		tokens, blobs, manifests, failed, sessions = {}, {}, {}, {}, {}
		class H(http.server.BaseHTTPRequestHandler):
		    protocol_version = 'HTTP/1.1'
		    def log_message(self, *a): pass
		    def answer(self, status, body=b'', **headers):
		        self.send_response(status)
		        for k, v in headers.items(): self.send_header(k.replace('_', '-'), v)
		        self.send_header('Content-Length', str(len(body))); self.end_headers()
		        if self.command != 'HEAD': self.wfile.write(body)
		    def body(self): return self.rfile.read(int(self.headers.get('Content-Length') or 0))
		    def denied(self, name):
		        self.answer(401, b'{}', WWW_Authenticate='Bearer realm="http://localhost:5008/token",service="svc",scope="repository:%s:pull,push"' % name)
		    def do(self):
		        u = urllib.parse.urlparse(self.path)
		        if u.path == '/token':
		            t = 'tok%d' % len(tokens); tokens[t] = True
		            log('token'); return self.answer(200, json.dumps({'token': t}).encode())
		        m = re.fullmatch(r'/v2/(\w+)/(manifests|blobs)/(.*)', u.path)
		        if not m: return self.answer(200, b'{}')
		        name, kind, what = m.groups()
		        token = (self.headers.get('Authorization') or '')[7:]
		        once = self.command == 'PUT' and kind == 'blobs' and (name == 'never' or not failed.get(u.query))
		        if once: failed[u.query] = 1
		        if once and name in ('expires', 'never'): tokens.pop(token, None)
		        if not tokens.get(token):
		            self.body(); log('denied', self.command); return self.denied(name)
		        if once and name == 'cut':
		            self.rfile.read(1000); log('cut'); self.close_connection = True; return
		        data = self.body()
		        if once and name == 'busy': log('busy'); return self.answer(503)
		        if self.command == 'POST':
		            s = str(len(sessions)); sessions[s] = True
		            return self.answer(202, Location='/v2/%s/blobs/uploads/%s?state=1' % (name, s))
		        if kind == 'manifests' and self.command == 'PUT': manifests[name] = data; return self.answer(201)
		        if kind == 'manifests': return self.answer(200, manifests[name], Content_Type='application/vnd.oci.image.manifest.v1+json')
		        if self.command == 'PUT':
		            hex = hashlib.sha256(data).hexdigest()
		            if not sessions.pop(what.split('/')[1], None) or u.query != 'state=1&digest=sha256:' + hex: return self.answer(400)
		            blobs[hex] = data; log('put'); return self.answer(201)
		        if what[7:] not in blobs: return self.answer(404)
		        self.answer(200, blobs[what[7:]])
		    do_GET = do_HEAD = do_POST = do_PUT = lambda self: self.do()
		http.server.ThreadingHTTPServer(('127.0.0.1', 5008), H).serve_forever()
	PY
	python3 put.py >put.log 2>&1 3>&- & CUTTER=$!
	printf '{"localhost:5008": {"insecure": true}}' >r.json
	export CTRCOMPOSE_REGISTRIES=$PWD/r.json DOCKER_CONFIG=$PWD
	eventually 20 curl -s -o /dev/null http://localhost:5008/v2/
	for name in expires cut busy; do
		: >asked
		compose image tag big "localhost:5008/$name:1"
		compose image push "localhost:5008/$name:1"
		[ "$(grep -c '^put' asked)" = 2 ] # the layer and the config
		case $name in
		expires) [ "$(grep -c 'denied PUT' asked)" = 2 ] && [ "$(grep -c '^token' asked)" = 3 ] ;;
		*) [ "$(grep -c "^$name" asked)" = 2 ] ;;
		esac
		compose image rm "localhost:5008/$name:1"
		other_store
		compose image pull "localhost:5008/$name:1"
		cmp root/bin/data "$CTRCOMPOSE_STATE"/layers/*/bin/data
		CTRCOMPOSE_STATE=$first
		kill "$CUTTER"; wait "$CUTTER" || true
		python3 put.py >put.log 2>&1 3>&- & CUTTER=$!
		eventually 20 curl -s -o /dev/null http://localhost:5008/v2/
	done
	: >asked
	compose image tag big localhost:5008/never:1
	run -1 compose image push localhost:5008/never:1
	[[ "$output" == *"localhost:5008/never: upload: access denied"* ]]
	[ "$(grep -c 'denied PUT' asked)" = 2 ]
	compose image rm big localhost:5008/never:1
}
