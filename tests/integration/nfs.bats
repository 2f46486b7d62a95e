#!/usr/bin/env bats
# nfs.bats - volumes of an NFS server: the kernel's own, on 127.0.0.1

load lib

# why_not: what keeps this machine from being a server, or nothing
why_not() {
	local fs
	command -v rpc.nfsd >/dev/null && command -v rpc.mountd >/dev/null || { echo "no nfs-kernel-server"; return; }
	for fs in nfsd nfs nfs4; do
		modprobe -q $fs 2>/dev/null || true
		grep -qw "$fs" /proc/filesystems || { echo "this kernel has no $fs"; return; }
	done
}

server_start() { # unless one runs already
	mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
	if [ "$(cat /proc/fs/nfsd/threads)" = 0 ]; then
		pidof rpcbind >/dev/null || rpcbind -w 3>&-
		rpc.nfsd -H 127.0.0.1 4
		rpc.mountd --foreground 3>&- >"$BATS_FILE_TMPDIR/mountd" 2>&1 &
		echo $! >"$BATS_FILE_TMPDIR/mountd.pid"
	fi
	exportfs -i -o rw,no_root_squash,insecure,no_subtree_check,fsid=7 "127.0.0.1:$EXPORT"
	exportfs -i -o ro,all_squash,insecure,no_subtree_check,fsid=8 "127.0.0.1:$EXPORT-ro"
}

setup_file() {
	export EXPORT WHY
	WHY=$(why_not)
	[ -z "$WHY" ] || return 0
	world_open
	EXPORT=$(mktemp -d /var/tmp/ctrcompose-nfs.XXXXXX)
	mkdir "$EXPORT-ro"
	chmod 777 "$EXPORT"
	chmod 755 "$EXPORT-ro"
	echo served >"$EXPORT/file"
	echo fixed >"$EXPORT-ro/file"
	server_start
}
teardown_file() {
	[ -z "$WHY" ] || return 0
	world_close
	exportfs -u "127.0.0.1:$EXPORT"
	exportfs -u "127.0.0.1:$EXPORT-ro"
	if [ -e "$BATS_FILE_TMPDIR/mountd.pid" ]; then
		rpc.nfsd 0
		kill "$(cat "$BATS_FILE_TMPDIR/mountd.pid")"
	fi
	rm -rf "$EXPORT" "$EXPORT-ro"
}
setup() {
	[ -z "$WHY" ] || skip "$WHY"
	project_open
}
teardown() { [ -n "$WHY" ] || project_close; }

# project O DEVICE [KEYS]: a service with the volume on /v
project() {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, init: true, volumes: ["shared:/v"], ${3:-} }
		volumes:
		  shared: { driver: local, driver_opts: { type: nfs, o: "$1", device: ":$2" } }
	Y
}

@test "nfs: what the container writes is on the server, and the other way round" {
	local vers
	for vers in 4 3; do
		rm -f "$EXPORT/back"
		project "addr=127.0.0.1,rw,nfsvers=$vers,nolock,soft,timeo=50" "$EXPORT"
		compose up -d
		[ "$(compose exec -T a cat /v/file)" = served ]
		compose exec -T a sh -c 'echo from inside >/v/back && mkdir -p /v/d && mv /v/back /v/d/back && ln -s d/back /v/back'
		[ "$(cat "$EXPORT/back")" = "from inside" ]
		compose exec -T a awk '$2 == "/v" { print $3, $4 }' /proc/mounts | grep -q "^nfs.*vers=$vers"
		compose down -v
		[ "$(cat "$EXPORT/file")" = served ] # down -v takes nothing from a server
		rm -r "$EXPORT/back" "$EXPORT/d"
	done
}

# An NFS client maps no ids: the server sees those that the project has on this machine.
@test "nfs: owners are the server's: the project's ids, or with userns_mode host the container's own" {
	local base
	project "addr=127.0.0.1,nfsvers=4" "$EXPORT"
	compose up -d
	compose exec -T a touch /v/o
	base=$(compose exec -T a awk '{ print $2 }' /proc/self/uid_map)
	[ "$(stat -c %u "$EXPORT/o")" = "$base" ]
	compose down -v
	rm "$EXPORT/o"
	project "addr=127.0.0.1,nfsvers=4" "$EXPORT" 'userns_mode: host'
	compose up -d
	compose exec -T a sh -c 'touch /v/o && chown 1000:2000 /v/o'
	[ "$(stat -c '%u:%g' "$EXPORT/o")" = 1000:2000 ]
	compose down -v
	rm "$EXPORT/o"
}

@test "nfs: a name for the server, two containers at once, a folder of it, read-only" {
	project "addr=localhost,nfsvers=4" "$EXPORT" 'scale: 2, read_only: true'
	compose up -d
	compose exec -T --index 1 a sh -c 'mkdir -p /v/sub && echo one >/v/sub/f'
	eventually 20 sh -c '[ "$("$CTRCOMPOSE" exec -T --index 2 a cat /v/sub/f)" = one ]'
	compose down -v
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, init: true, volumes: [{ type: volume, source: shared, target: /v, read_only: true, volume: { subpath: sub, nocopy: true } }] }
		volumes:
		  shared: { driver_opts: { type: nfs, o: "addr=127.0.0.1,nfsvers=4", device: ":$EXPORT" } }
	Y
	compose up -d
	[ "$(compose exec -T a cat /v/f)" = one ]
	run compose exec -T a touch /v/x
	[[ "$status" != 0 && "$output" == *"Read-only file system"* ]]
	rm -r "$EXPORT/sub"
}

@test "nfs: what the server refuses, or does not have, is named" {
	project "addr=127.0.0.1,nfsvers=4" "$EXPORT-nosuch"
	run ! compose up -d
	[[ "$output" == *":$EXPORT-nosuch"* && "$output" == *"No such file or directory"* ]]
	project "addr=127.0.0.1,nfsvers=4,nosuchoption" "$EXPORT"
	run ! compose up -d
	[[ "$output" == *nosuchoption* ]]
	project "addr=127.0.0.1,nfsvers=4" "$EXPORT-ro"
	compose up -d
	[ "$(compose exec -T a cat /v/file)" = fixed ]
	run ! compose exec -T a touch /v/x
}
