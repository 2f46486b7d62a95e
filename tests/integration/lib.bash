# lib.bash - a world of its own for each bats file: state and run folders, an image, and a look at
# the machine before and after each test. Runs in a network namespace that tests/run.sh made.

bats_require_minimum_version 1.5.0
: "${CTRCOMPOSE:=$(dirname "${BASH_SOURCE[0]}")/../../build/ctrcompose}"
CTRCOMPOSE=$(realpath "$CTRCOMPOSE")
export CTRCOMPOSE

world_open() { # once per file
	export CTRCOMPOSE_STATE CTRCOMPOSE_RUN NO_COLOR=1
	CTRCOMPOSE_STATE=$(mktemp -d /var/tmp/ctrcompose-test.XXXXXX)
	CTRCOMPOSE_RUN=$(mktemp -d /run/ctrcompose-test.XXXXXX)
	world_image
}

# mirror_missing LOG: whether what needed the package mirror says that it wasn't reached.
mirror_missing() {
	grep -qE "Temporary failure resolving|Could not (connect|resolve)|Unable to connect" "$1"
}

world_close() {
	local p
	for p in $("$CTRCOMPOSE" ls -a -q 2>/dev/null); do
		"$CTRCOMPOSE" -p "$p" down -v -t 0 >/dev/null 2>&1
	done
	rm -rf "$CTRCOMPOSE_STATE" "$CTRCOMPOSE_RUN"
}

# The image "box": the host's static busybox and a few users.
world_image() {
	local root applet
	root=$(mktemp -d)
	mkdir -p "$root"/{bin,etc,tmp,www,root,data/seed}
	chmod 1777 "$root/tmp"
	chmod 755 "$root"
	cp /bin/busybox "$root/bin/"
	for applet in $(/bin/busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' >"$root/etc/group"
	echo seed >"$root/data/seed/file"
	chown -R 1000:1000 "$root/data/seed"
	"$CTRCOMPOSE" image import --change 'ENV PATH=/bin' --change 'CMD ["sleep","1000"]' "$root" box >/dev/null
	rm -rf "$root"
}

# What this machine has that a project could leave behind.
machine() {
	echo "# mounts"
	awk '{ print $5, $9 }' /proc/self/mountinfo | sort
	echo "# links"
	ip -o link | awk -F ': ' '{ print $2 }' | sed 's/@.*//' | sort
	echo "# rules"
	local t
	for t in iptables-legacy-save ip6tables-legacy-save iptables-nft-save ip6tables-nft-save; do
		command -v $t >/dev/null && $t 2>/dev/null | grep '^-A\|^:cc' || true
	done
	echo "# groups"
	find /sys/fs/cgroup -maxdepth 3 -type d -name "ctrcompose-$(run_hash)*" 2>/dev/null | sort
	echo "# processes"
	ls -l /proc/[0-9]*/fd 2>/dev/null | { grep -F -e "$CTRCOMPOSE_RUN" -e "$CTRCOMPOSE_STATE" || true; } | sed 's/.* -> /-> /' | sort
	echo "# files"
	find "$CTRCOMPOSE_RUN" "$CTRCOMPOSE_STATE"/{projects,containers,volumes,networks} 2>/dev/null |
		{ grep -v -e /ipam.lock -e /networks/lock -e '/\(volumes\|projects\|containers\|networks\)$' || true; } | sort
}

# FNV-1a of the run folder, as the names of its groups and links have it.
run_hash() {
	perl -Mbigint -e '$h = 0xcbf29ce484222325;
		for (unpack "C*", $ARGV[0]) { $h = (($h ^ $_) * 0x100000001b3) & 0xffffffffffffffff }
		printf "%08x", $h & 0xffffffff' "$CTRCOMPOSE_RUN"
}

# For setup and teardown of each test: the project folder, and the machine as it was.
project_open() {
	export PROJECT=t$BATS_TEST_NUMBER
	mkdir -p "$BATS_TEST_TMPDIR/$PROJECT"
	cd "$BATS_TEST_TMPDIR/$PROJECT" || return 1
	machine >"$BATS_TEST_TMPDIR/before"
}

project_close() {
	[ ! -e compose.yaml ] || "$CTRCOMPOSE" down -v -t 0 --remove-orphans >"$BATS_TEST_TMPDIR/down" 2>&1 || { cat "$BATS_TEST_TMPDIR/down"; return 1; }
	machine_same
}

machine_same() { # within two seconds: the kernel takes links and namespaces away behind us
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do
		machine >"$BATS_TEST_TMPDIR/after"
		cmp -s "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after" && return 0
		sleep 0.2
	done
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

compose() { "$CTRCOMPOSE" "$@"; }

# The pid of this project's supervisor or keeper: by its name and the lock it holds.
family() { # ctrcompose-sup | ctrcompose-keep
	local p parent
	for p in /proc/[0-9]*; do
		[ "$(cat "$p/comm" 2>/dev/null)" = "$1" ] || continue
		parent=$(awk '/^PPid:/ { print $2 }' "$p/status" 2>/dev/null) # a child of it, before its exec
		[ "$(cat "/proc/$parent/comm" 2>/dev/null)" != "$1" ] &&
			ls -l "$p/fd" 2>/dev/null | grep -qF "$CTRCOMPOSE_RUN/$PROJECT/" && echo "${p#/proc/}"
	done
	return 0
}

# A line of its own that begins with "!" fails no test: set -e does not count it.
not() { ! "$@"; }

# eventually SECONDS COMMAND...: until it succeeds
eventually() {
	local end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt $end ] || return 1
		sleep 0.1
	done
}
