#!/bin/sh
# floors.sh - who may include whom: a module includes only modules on lower floors.
# A public header is include/ctrcompose/<module>.h; private ones sit beside their .c files.
# Prints each edge that goes up or sideways; exits 1 if there is one.
set -eu
cd "${1:-.}"
find include pkg cmd -name '*.[ch]' | sort |
	xargs grep -Hn '^[[:space:]]*#[[:space:]]*include[[:space:]]*<ctrcompose/' |
	awk -F: '
BEGIN {
	floors = "base|selinux json yaml loop netlink ipc fdstore archive digest|model cgroup rootfs state dockerfile registry cdi|" \
		 "compose image box net dns volume logs|plan supervise build|engine|daemon|cli ctrcompose"
	n = split(floors, f, "|")
	for (i = 1; i <= n; i++) { m = split(f[i], w, " "); for (j = 1; j <= m; j++) level[w[j]] = i }
	m = split("err mem str vec map parse fd path proc clock log", w, " ")
	for (j = 1; j <= m; j++) alias[w[j]] = "base"
	alias["project"] = "compose"
}
function module(name) { sub(/\.h$/, "", name); return name in alias ? alias[name] : name }
{
	split($1, p, "/")
	me = p[1] == "cmd" ? "cli" : module(p[1] == "pkg" ? p[2] : p[3])
	other = $3; sub(/.*<ctrcompose\//, "", other); sub(/>.*/, "", other); other = module(other)
	if (!(me in level)) { print $1 ": module " me " has no floor"; bad = 1 }
	else if (!(other in level)) { print $1 ":" $2 ": module " other " has no floor"; bad = 1 }
	else if (other != me && level[other] >= level[me]) { print $1 ":" $2 ": " me " includes " other ", which is not below it"; bad = 1 }
}
END { exit bad }'
