#!/usr/bin/env bats
# images.bats - the store: archives in and out, names, what may be removed

load lib
load layout
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

# A store of its own for what a test changes.
other_store() {
	CTRCOMPOSE_STATE=$(mktemp -d "$BATS_TEST_TMPDIR/store.XXXX")
	export CTRCOMPOSE_STATE
}

@test "save and load: the same image, compressed or not, by file and by pipe" {
	compose image save -o box.tar box
	compose image save box | cmp - box.tar
	gzip -k box.tar && zstd -q box.tar && xz -k box.tar
	layers=$CTRCOMPOSE_STATE/layers
	id=$(compose image ls -q --no-trunc | head -1)
	for f in box.tar box.tar.gz box.tar.zst box.tar.xz; do
		other_store
		[ "$(compose image load -i $f)" = "Loaded image: box:latest" ]
		[ "$(compose image ls -q --no-trunc)" = "$id" ]
		diff -r "$layers" "$CTRCOMPOSE_STATE/layers"
	done
	other_store
	compose image load -q <box.tar
	[ "$(compose image ls -q --no-trunc)" = "$id" ]
}

@test "another tool reads what is saved, and we read what it writes" {
	compose image save -o box.tar box
	skopeo inspect docker-archive:box.tar | jq -e '.Os == "linux"'
	skopeo --insecure-policy copy -q docker-archive:box.tar oci-archive:oci.tar:again:1
	other_store
	compose image load -i oci.tar
	[ "$(compose image ls -q | wc -l)" = 1 ]
}

@test "an image that is built on layers of others, which can't be packed again, is saved as a whole" {
	other_store
	mkdir -p root/bin && cp /bin/busybox root/bin/ && ln -s busybox root/bin/sh && echo odd >root/f
	layout_add oci root odd:1
	tar -C oci -cf odd.tar .
	compose image load -i odd.tar
	printf 'services: { a: { image: "made:1", build: { context: ., network: none, dockerfile_inline: "FROM odd:1\\nRUN echo hi >/hi\\n" } } }\n' >compose.yaml
	compose build
	compose image rm odd:1
	compose image save -o made.tar made:1
	id=$(compose image inspect made:1 | jq -r '.[0].Id')
	other_store
	compose image load -i made.tar
	[ "$(compose image inspect made:1 | jq -r '.[0].Id')" = "$id" ]
	[ "$(cat "$CTRCOMPOSE_STATE"/layers/*/f "$CTRCOMPOSE_STATE"/layers/*/hi)" = $'odd\nhi' ]
	rm compose.yaml
}

@test "several images share layers in one archive" {
	other_store
	mkdir root && echo one >root/file
	compose image import root a:1
	compose image import --change 'CMD ["x"]' root b:2
	compose image tag a:1 c:3
	compose image save -o all.tar a:1 b:2 c:3
	[ "$(tar tf all.tar | grep -c blobs/sha256/)" = 5 ] # a layer, two configs, two manifests
	other_store
	[ "$(compose image load -i all.tar | sort)" = "$(printf 'Loaded image: %s\n' a:1 b:2 c:3)" ]
	[ "$(ls "$CTRCOMPOSE_STATE/layers" | wc -l)" = 1 ]
}

@test "import: a tar in each compression by pipe, a folder; --change takes what a Dockerfile says of an image" {
	local c
	other_store
	mkdir -p root/d && echo one >root/d/file && ln root/d/file root/d/same && ln -s file root/d/link
	tar -C root -cf root.tar . && gzip -k root.tar && zstd -q root.tar && xz -k root.tar
	compose image import root folder:1
	for c in tar tar.gz tar.zst tar.xz; do
		compose image import - from:$c <root.$c
		layer=$CTRCOMPOSE_STATE/layers/$(compose image inspect from:$c | jq -r '.[0].RootFS.Layers[0]' | cut -d: -f2)
		diff -r --no-dereference root "$layer"
		[ "$(stat -c %h "$layer/d/same")" = 2 ]
	done
	compose image import -c 'ENV A=b "C=d e"' -c 'WORKDIR /x' -c 'WORKDIR y' -c 'EXPOSE 80 90-91/UDP' -c 'USER 5:6' -c 'LABEL l="m n"' -c 'VOLUME ["/v", "/w"]' \
		-c 'ENTRYPOINT ["e"]' -c 'CMD echo hi' -c 'HEALTHCHECK --interval=3s CMD true' -c 'STOPSIGNAL INT' -c 'ONBUILD RUN x' -c 'ONBUILD COPY a b' -m 'a message' root.tar changed:1
	[ "$(compose image inspect changed:1 | jq -cS '.[0].Config')" = '{"Cmd":["/bin/sh","-c","echo hi"],"Entrypoint":["e"],"Env":["A=b","C=d e"],"ExposedPorts":{"80/tcp":{},"90/udp":{},"91/udp":{}},"Healthcheck":{"Interval":3000000000,"Test":["CMD-SHELL","true"]},"Labels":{"l":"m n"},"OnBuild":["RUN x","COPY a b"],"StopSignal":"INT","User":"5:6","Volumes":{"/v":{},"/w":{}},"WorkingDir":"/x/y"}' ]
	for c in 'RUN x' 'EXPOSE 80/foo' 'ONBUILD FROM x' 'ONBUILD ONBUILD RUN x' 'STOPSIGNAL NONE' 'ENV A' 'CMD'; do
		run -1 compose image import -c "$c" root bad:1
		[[ "$output" == "ctrcompose: "* ]]
	done
	run ! compose image inspect bad:1
}

@test "an OCI archive with several images, by file and through each compression by pipe" {
	local c
	other_store
	mkdir root && echo one >root/file
	compose image import root a:1
	compose image import --change 'CMD ["x"]' root b:2
	compose image save a:1 b:2 >all.tar
	[ "$(skopeo list-tags docker-archive:all.tar | jq -c .Tags)" = '["a:1","b:2"]' ]
	for c in a:1 b:2; do skopeo --insecure-policy copy -q docker-archive:all.tar:$c oci:lay:docker.io/library/$c; done
	tar -C lay -cf lay.tar .
	for c in cat gzip 'zstd -q' xz; do
		other_store
		$c <lay.tar | compose image load >loaded
		[ "$(sort loaded | xargs)" = "Loaded image: a:1 Loaded image: b:2" ]
		[ "$(compose image inspect b:2 | jq -c '.[0].Config.Cmd')" = '["x"]' ]
		$c <all.tar | compose image load -q
		[ "$(ls "$CTRCOMPOSE_STATE/layers" | wc -l)" = 1 ]
	done
}

@test "an archive that is cut or changed leaves nothing behind" {
	compose image save -o box.tar box
	other_store
	head -c 1000000 box.tar >cut.tar
	run ! compose image load -i cut.tar
	cp box.tar bad.tar
	printf X | dd of=bad.tar bs=1 seek=200000 conv=notrunc status=none
	run ! compose image load -i bad.tar
	[[ "$output" == *"sha256"* ]]
	[ -z "$(compose image ls -q)" ]
	[ -z "$(ls "$CTRCOMPOSE_STATE/layers")" ]
}

@test "a load that is killed leaves nothing that can be seen" {
	compose image save -o box.tar box
	other_store
	for delay in 0.001 0.005 0.01 0.02; do
		"$CTRCOMPOSE" image load -i box.tar >/dev/null 2>&1 3>&- &
		sleep $delay
		kill -9 $! 2>/dev/null || true
		wait $! || true
		compose image ls -q >/dev/null
	done
	compose image load -i box.tar
	[ "$(ls "$CTRCOMPOSE_STATE/layers" | wc -l)" = 1 ]
}

@test "two loads at once: both succeed, one image" {
	compose image save -o box.tar box
	other_store
	for i in 1 2 3 4; do "$CTRCOMPOSE" image load -q -i box.tar 3>&- & done
	wait
	[ "$(compose image ls -q | wc -l)" = 1 ]
	[ "$(ls "$CTRCOMPOSE_STATE/layers" | wc -l)" = 1 ]
}

@test "a build that is killed at any moment leaves no image that is not whole, and the next one makes it" {
	local ms pid whole=0
	head -c 8000000 /dev/urandom >data
	printf 'FROM box\nCOPY data /one\nRUN cat /one >/two\nWORKDIR /w\nRUN cat /one /two >/three\n' >Dockerfile
	echo 'services: { a: { image: "killed:1", build: { context: ., network: none } } }' >compose.yaml
	compose image save -o box.tar box
	other_store
	compose image load -q -i box.tar
	for ms in 010 030 060 090 120 160 200 250 300 400 600; do
		"$CTRCOMPOSE" build -q 3>&- & pid=$!
		sleep 0.$ms
		kill -KILL $(pgrep -P $pid) $pid 2>/dev/null || true
		wait $pid || true
		compose image ls -q >/dev/null
		if compose image inspect killed:1 >inspect.json 2>/dev/null; then
			whole=$((whole + 1))
			compose image save killed:1 >killed.tar # digests of all that it has
			compose image rm killed:1
			compose system prune -f # and its steps
		fi
	done
	compose build -q
	[ "$(compose run --rm -T a sh -c 'cat /one /two | cmp - /three && cmp /one /two && pwd')" = /w ]
	compose down
	[ -z "$(ls -d "$CTRCOMPOSE_STATE"/layers/tmp-* 2>/dev/null)" ] # what the dead left is swept
}

@test "writers at once: loads, imports, tags, builds and prunes; what is there is whole" {
	local i pids=()
	mkdir root && head -c 3000000 /dev/urandom >root/data
	compose image save -o box.tar box
	other_store
	compose image load -q -i box.tar
	echo 'services: { a: { image: "made:1", build: { context: ., network: none } } }' >compose.yaml
	printf 'FROM box\nCOPY root /r\nRUN cat /r/data >/copy\n' >Dockerfile
	compose image import root i:0
	compose image save -o i.tar i:0
	for i in 1 2 3; do
		"$CTRCOMPOSE" image load -q -i i.tar 3>&- & pids+=($!)
		"$CTRCOMPOSE" image import root "i:$i" >/dev/null 3>&- & pids+=($!)
		"$CTRCOMPOSE" image tag i:0 "t:$i" 3>&- & pids+=($!)
		"$CTRCOMPOSE" build -q 3>&- & pids+=($!)
		"$CTRCOMPOSE" image prune -f >/dev/null 3>&- & pids+=($!)
		"$CTRCOMPOSE" system prune -f >/dev/null 3>&- & pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	compose image prune -f # a build that another one of the same name overtook
	[ "$(compose image ls --format '{{.Repository}}:{{.Tag}}' | sort | xargs)" = "box:latest i:0 i:1 i:2 i:3 made:1 t:1 t:2 t:3" ]
	compose run --rm -T a cmp /r/data /copy
	for i in i:1 i:2 i:3 t:3 made:1; do
		compose image save $i | tar -x --to-command 'case $TAR_FILENAME in blobs/*) [ "$(sha256sum | cut -d" " -f1)" = "${TAR_FILENAME##*/}" ];; *) cat >/dev/null;; esac'
	done
	compose down
	compose image rm made:1
	[ -z "$(ls -d "$CTRCOMPOSE_STATE"/layers/tmp-* 2>/dev/null)" ]
}

@test "rm and prune keep what a container has" {
	printf 'services: { a: { image: box } }\n' >compose.yaml
	compose up -d
	mkdir root && echo x >root/file
	compose image import root gone:1
	run ! compose image rm -f "$(compose image ls -q --no-trunc | tail -1)"
	[[ "$output" == *"box"* || "$output" == *"container"* ]]
	run -0 compose image prune -a -f
	[[ "$output" == *"untagged: gone:1"* ]]
	[ "$(compose image ls --format '{{.Repository}}')" = box ]
	run -0 compose images --format json
	[ "$(jq -r '.[0].Repository' <<<"$output")" = box ]
	[ "$(compose images -q)" = "$(compose image ls -q --no-trunc | sed s/sha256://)" ]
}

@test "image prune: by label and by age; nobody there to say yes" {
	local i
	other_store
	mkdir root && echo x >root/file
	for i in 1 2 3; do compose image import -c "LABEL k=$i" -c 'LABEL all=' root; done
	compose image import -c "LABEL k=1" root named:1
	run -1 compose image prune </dev/null
	[ "$(compose image ls -q | wc -l)" = 4 ]
	run -0 compose image prune -f --filter label=k=1
	[[ "$output" == *"deleted: sha256:"*"Total reclaimed space: "* ]]
	[ "$(compose image ls -q | wc -l)" = 3 ]
	compose image prune -f --filter label=all --filter until=1h
	[ "$(compose image ls -q | wc -l)" = 3 ]
	compose image prune -f --filter label=all
	[ "$(compose image ls --format '{{.Repository}}')" = named ]
	compose image prune -a -f --filter label=k=2
	[ "$(compose image ls --format '{{.Repository}}')" = named ]
	compose image prune -a -f --filter label=k
	[ -z "$(compose image ls -q)" ]
	run -1 compose image prune -f --filter size=1
	[[ "$output" == *"'size=1'"* ]]
}

@test "hostile layers: refused or harmless" {
	canary=$BATS_TEST_TMPDIR/canary
	mkdir -p "$canary" && echo safe >"$canary/file" && before=$(find "$canary" | xargs stat -c '%n %s %Y')
	python3 - "$canary" <<-'PY'
		import hashlib, io, json, sys, tarfile
		canary = sys.argv[1]
		def member(t, name, kind=tarfile.REGTYPE, link='', data=b'x'):
		    i = tarfile.TarInfo(name); i.type = kind; i.linkname = link
		    i.size = len(data) if kind == tarfile.REGTYPE else 0
		    t.addfile(i, io.BytesIO(data) if kind == tarfile.REGTYPE else None)
		cases = {
		    'dotdot': [('../../../../../../../../..' + canary + '/new',)],
		    'absolute': [(canary + '/new',)],
		    'symlink': [('l', tarfile.SYMTYPE, canary), ('l/new',)],
		    'symlink2': [('l', tarfile.SYMTYPE, '../' * 12 + canary), ('l/new',)],
		    'hardlink': [('h', tarfile.LNKTYPE, canary + '/file'), ('h',)],
		    'hardlink2': [('h', tarfile.LNKTYPE, '../' * 12 + canary.lstrip('/') + '/file'), ('h',)],
		    'whiteout': [('l', tarfile.SYMTYPE, canary), ('l/.wh.file',)],
		    'whiteout2': [('.wh...',), ('.wh..',)],
		    'opaque': [('l', tarfile.SYMTYPE, canary), ('l/.wh..wh..opq',)],
		}
		for name, members in cases.items():
		    buf = io.BytesIO(); t = tarfile.open(fileobj=buf, mode='w')
		    for m in members: member(t, *m)
		    t.close(); layer = buf.getvalue(); d = hashlib.sha256(layer).hexdigest()
		    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + d]}}).encode()
		    out = tarfile.open(name + '.tar', 'w')
		    for n, b in (('layer.tar', layer), ('config.json', config), ('manifest.json', json.dumps([{'Config': 'config.json', 'RepoTags': [name + ':1'], 'Layers': ['layer.tar']}]).encode())):
		        i = tarfile.TarInfo(n); i.size = len(b); out.addfile(i, io.BytesIO(b))
		    out.close()
	PY
	other_store
	for f in *.tar; do compose image load -i "$f" || true; done
	[ "$(find "$canary" | xargs stat -c '%n %s %Y')" = "$before" ]
	[ "$(cat "$canary/file")" = safe ]
}

@test "500 layers are taken and started from, one more is named as too many" {
	python3 - <<-'PY'
		import hashlib, io, json, tarfile
		def image(n):
		    layers = []
		    for k in range(n):
		        buf = io.BytesIO(); t = tarfile.open(fileobj=buf, mode='w')
		        i = tarfile.TarInfo('f%d' % k); t.addfile(i)
		        if k == 0: t.add('/bin/busybox', 'bin/busybox')
		        t.close(); layers.append(buf.getvalue())
		    config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + hashlib.sha256(l).hexdigest() for l in layers]}}).encode()
		    out = tarfile.open('l%d.tar' % n, 'w')
		    files = [('c.json', config)] + [('%d.tar' % k, l) for k, l in enumerate(layers)]
		    files.append(('manifest.json', json.dumps([{'Config': 'c.json', 'RepoTags': ['l%d:1' % n], 'Layers': ['%d.tar' % k for k in range(n)]}]).encode()))
		    for name, b in files:
		        i = tarfile.TarInfo(name); i.size = len(b); out.addfile(i, io.BytesIO(b))
		    out.close()
		image(500); image(501)
	PY
	other_store
	compose image load -i l500.tar
	echo 'services: { a: { image: "l500:1", command: [/bin/busybox, ls, /f0, /f250, /f499] } }' >compose.yaml
	[ "$(compose run --rm -T a | tr '\n' ' ')" = "/f0 /f250 /f499 " ]
	run ! compose image load -i l501.tar
	[[ "$output" == *"layers"* ]]
}

@test "hostile layers: devices, owners, bombs, clashes, digests, deep JSON: each is refused or harmless" {
	local name
	canary=$BATS_TEST_TMPDIR/canary
	mkdir -p "$canary" && echo safe >"$canary/file" && before=$(find "$canary" | xargs stat -c '%n %s %Y %a %u')
	python3 - <<-'PY'
		import hashlib, io, json, subprocess, tarfile
		sha = lambda b: hashlib.sha256(b).hexdigest()
		def layer(*members):
		    buf = io.BytesIO(); t = tarfile.open(fileobj=buf, mode='w', format=tarfile.PAX_FORMAT)
		    for name, kw in members:
		        i = tarfile.TarInfo(name); data = kw.pop('data', b'')
		        for k, v in kw.items(): setattr(i, k, v)
		        i.size = len(data)
		        t.addfile(i, io.BytesIO(data) if data else None)
		    t.close(); return buf.getvalue()
		def pack(name, files):
		    out = tarfile.open(name + '.tar', 'w')
		    for n, b in files.items(): i = tarfile.TarInfo(n); i.size = len(b); out.addfile(i, io.BytesIO(b))
		    out.close()
		def image(name, data, diff=None, config=None, manifest=None):
		    config = config or json.dumps({'architecture': 'amd64', 'os': 'linux', 'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + (diff or sha(data))]}}).encode()
		    pack(name, {'layer.tar': data, 'config.json': config,
		        'manifest.json': manifest or json.dumps([{'Config': 'config.json', 'RepoTags': [name + ':1'], 'Layers': ['layer.tar']}]).encode()})
		ok = layer(('f', dict(data=b'x')))
		image('devices', layer(('dev/mem', dict(type=tarfile.CHRTYPE, devmajor=1, devminor=1)), ('dev/sda', dict(type=tarfile.BLKTYPE, devmajor=8, devminor=0)), ('dev/null', dict(data=b'x'))))
		image('setuid', layer(('su', dict(mode=0o6755, uid=0, gid=0, data=b'#!/bin/sh\nid -u\n')), ('odd', dict(mode=0o6755, uid=3000000000, gid=65534, data=b'x'))))
		image('nobody', layer(('su', dict(mode=0o4755, uid=4294967295, data=b'x'))))
		image('negative', layer(('su', dict(mode=0o4755, uid=-1, data=b'x'))))
		image('huge', layer(('su', dict(mode=0o4755, uid=1 << 40, data=b'x'))))
		image('sparse', layer(('s', dict(data=b'1\n0\n1\n'.ljust(512, b'\0') + b'x', pax_headers={'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 's', 'GNU.sparse.realsize': str(1 << 43)}))))
		image('hole', layer(('s', dict(data=b'1\n0\n1\n'.ljust(512, b'\0') + b'x', pax_headers={'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 's', 'GNU.sparse.realsize': str(1 << 33)}))))
		image('clash', layer(('File', dict(data=b'1')), ('file', dict(data=b'2')), ('FILE/x', dict(data=b'3'))))
		image('wrong', ok, diff='ab' * 32)
		image('deepmanifest', ok, manifest=b'[' * 100000 + b']' * 100000)
		image('deepconfig', ok, config=b'{"rootfs":' * 100000 + b'1' + b'}' * 100000)
		def oci(name, index, *blobs, **named):
		    files = {'oci-layout': b'{"imageLayoutVersion":"1.0.0"}', 'index.json': json.dumps(index).encode()}
		    for b in blobs: files['blobs/sha256/' + sha(b)] = b
		    for n, b in named.items(): files['blobs/sha256/' + n.lstrip('_')] = b
		    pack(name, files)
		config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + sha(ok)]}}).encode()
		def manifest(size, layers=1): return json.dumps({'schemaVersion': 2, 'config': {'digest': 'sha256:' + sha(config), 'size': size}, 'layers': [{'digest': 'sha256:' + sha(ok), 'size': size}] * layers}).encode()
		def index(b): return {'schemaVersion': 2, 'manifests': [{'digest': 'sha256:' + sha(b), 'size': len(b), 'annotations': {'io.containerd.image.name': 'x:1'}}]}
		m = manifest(1 << 62)
		oci('blobdigest', index(m), m, config, **{'_' + sha(ok): layer(('f', dict(data=b'y')))})
		oci('configdigest', index(m), m, ok, **{'_' + sha(config): config + b' '})
		oci('morelayers', index(manifest(1, 2)), manifest(1, 2), config, ok)
		bomb = b'{}'
		for _ in range(4): bomb = json.dumps({'manifests': [{'digest': 'sha256:' + sha(bomb)}] * 400}).encode(); oci('indexes', {'manifests': [{'digest': 'sha256:' + sha(bomb)}] * 400}, *(globals().setdefault('all', []).append(bomb) or globals()['all']))
	PY
	other_store
	chmod 755 "$BATS_TEST_TMPDIR"
	for name in nobody negative huge sparse wrong deepmanifest deepconfig blobdigest configdigest morelayers indexes; do
		run -1 timeout 20 "$CTRCOMPOSE" image load -i $name.tar
		echo "$name: $output"
		[[ "$output" == "ctrcompose: "*"$name.tar"* ]]
		[ -z "$(ls "$CTRCOMPOSE_STATE/layers")" ]
	done
	for name in devices setuid hole clash; do compose image load -i $name.tar; done
	layer_of() { echo "$CTRCOMPOSE_STATE/layers/$(compose image inspect "$1:1" | jq -r '.[0].RootFS.Layers[0]' | cut -d: -f2)"; }
	[ -z "$(find "$CTRCOMPOSE_STATE/layers" -type b -o -type c)" ]
	[ "$(ls "$(layer_of devices)/dev")" = null ]
	[ "$(stat -c '%a %u %g' "$(layer_of setuid)"/*)" = $'6755 3000000000 65534\n6755 0 0' ]
	run ! setpriv --reuid 65534 --regid 65534 --clear-groups ls "$(layer_of setuid)/su" # nobody but root gets there
	[ "$(stat -c %b "$(layer_of hole)/s")" -lt 100 ]
	[ "$(cd "$(layer_of clash)" && cat File file FILE/x)" = 123 ]
	[ "$(find "$canary" | xargs stat -c '%n %s %Y %a %u')" = "$before" ]
}

@test "a layer of few bytes that unpacks to very many stops before the disk is full" {
	truncate -s 300M zeros
	python3 - <<-'PY'
		import hashlib, json, os, subprocess, tarfile
		subprocess.run('tar -c zeros | zstd -q -1 -o layer.tar.zst', shell=True, check=True)
		h = hashlib.sha256(subprocess.run(['zstd', '-dc', 'layer.tar.zst'], capture_output=True).stdout).hexdigest()
		json.dump({'architecture': 'amd64', 'os': 'linux', 'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + h]}}, open('config.json', 'w'))
		json.dump([{'Config': 'config.json', 'RepoTags': ['bomb:1'], 'Layers': ['layer.tar.zst']}], open('manifest.json', 'w'))
	PY
	tar -cf bomb.tar config.json manifest.json layer.tar.zst
	[ "$(stat -c %s bomb.tar)" -lt 200000 ]
	mkdir small
	mount -t tmpfs -o size=200m,mode=755 tmpfs small
	run -1 env CTRCOMPOSE_STATE="$PWD/small" "$CTRCOMPOSE" image load -i bomb.tar
	used=$(du -sm small | cut -f1)
	umount small
	[[ "$output" == *"bomb.tar"*"the disk has less than"* ]]
	[ "$used" -lt 2 ] # nothing stays
}

@test "system df is what du says; system prune takes away what no container has, and nothing else" {
	local first=$CTRCOMPOSE_STATE
	compose image save -o box.tar box
	CTRCOMPOSE_STATE=$(mktemp -d "$BATS_TEST_TMPDIR/df.XXXX")
	chmod 755 "$CTRCOMPOSE_STATE"
	compose image load -i box.tar
	same_as_du() {
		compose system df --format json >df.json
		[ "$(jq -s 'map(.SizeBytes) | add' df.json)" = "$(du -s --block-size=1 "$CTRCOMPOSE_STATE" | cut -f1)" ]
	}
	row() { jq -c "select(.Type == \"$1\") | [.TotalCount, .Active]" df.json; }
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    command: sh -c 'head -c 3000000 /dev/urandom >/made; head -c 2000000 /dev/urandom >/v/y; mv /v/y /v/x; exec sleep 100'
		    volumes: ["vol:/v", /anonymous]
		  b: { image: made:1, build: { context: ., network: none } }
		volumes: { vol: {} }
	Y
	printf 'FROM box\nRUN head -c 4000000 /dev/urandom >/big\nRUN rm /big; echo x >/x\n' >Dockerfile
	compose build -q
	compose build -q --no-cache # the first one has no name now
	compose up -d a
	compose volume create alone
	eventually 20 compose exec -T a test -e /v/x
	eventually 20 same_as_du # records are written a moment later
	[ "$(row Images)" = '["3","1"]' ]
	[ "$(row Containers)" = '["1","1"]' ]
	[ "$(row 'Local Volumes')" = '["3","2"]' ]
	[ "$(row 'Build Cache')" = '["3","0"]' ] # the first step was done again, and replaced
	jq -se 'map({(.Type): .SizeBytes}) | add | .Containers >= 3000000 and .["Local Volumes"] >= 2000000 and .Images >= 4000000' df.json
	run -0 compose system df
	[[ "${lines[0]}" =~ ^TYPE\ +TOTAL\ +ACTIVE\ +SIZE\ +RECLAIMABLE$ ]]
	compose stop -t 0
	eventually 20 same_as_du # records are written a moment later
	[ "$(row Containers)" = '["1","0"]' ]
	before=$(du -s --block-size=1 "$CTRCOMPOSE_STATE" | cut -f1)
	run -1 compose system prune </dev/null # nobody says yes
	[ "$(du -s --block-size=1 "$CTRCOMPOSE_STATE" | cut -f1)" = "$before" ]
	run -0 compose system prune -f
	[[ "$output" == *"deleted: sha256:"*"Total reclaimed space: "* ]]
	eventually 20 same_as_du # records are written a moment later
	[ "$(row Images)" = '["2","1"]' ]
	[ "$(row 'Build Cache')" = '["0","0"]' ]
	[ "$(row 'Local Volumes')" = '["3","2"]' ]
	[ "$(du -s --block-size=1 "$CTRCOMPOSE_STATE" | cut -f1)" -lt $((before - 4000000)) ]
	run -0 compose system prune -a -f --volumes
	[[ "$output" == *"untagged: made:1"* ]]
	eventually 20 same_as_du # records are written a moment later
	[ "$(row Images)" = '["1","1"]' ]
	[ "$(row 'Local Volumes')" = '["3","2"]' ] # the one with a name stays, those of the container as well
	compose up -d a
	compose exec -T a test -e /made -a -e /v/x
	compose down -v -t 0
	run -0 compose system prune -a -f --volumes
	compose system df --format json >df.json
	[ "$(row Images)" = '["0","0"]' ]
	[ "$(compose volume ls -q)" = alone ]
	rm compose.yaml
	CTRCOMPOSE_STATE=$first
}
