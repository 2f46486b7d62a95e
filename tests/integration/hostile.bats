# hostile.bats - compose files that were written to do harm: accepted or refused within a second and
# 64 MB, always with a place.

load lib.bash

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# load_it: status in $status, what was said in $output; within its bounds.
load_it() {
	run prlimit --as=268435456 /usr/bin/env time -f 'cost %e %M' timeout 5 "$CTRCOMPOSE" -f "$1" config -q
	local seconds kb
	read -r seconds kb < <(sed -n 's/^cost //p' <<<"$output")
	awk -v s="$seconds" -v k="$kb" 'BEGIN { exit !(s < 1 && k < 65536) }' || { echo "$seconds s, $kb kB"; return 1; }
}
refused_at() { # FILE PLACE WORDS
	load_it "$1"
	[ "$status" = 15 ] || { echo "$output"; return 1; }
	[[ $output == *"$1:$2: "*"$3"* ]] || { echo "$output"; return 1; }
}

@test "expansion: laughs, merges, an alias in itself, variables in variables" {
	perl -e '$p = "a"; print "x-y:\n  a: &a [l,l,l,l,l,l,l,l,l]\n"; for ("b".."n") { print "  $_: &$_ [", join(",", ("*$p") x 9), "]\n"; $p = $_ } print "services: {a: {image: b}}\n"' >laughs.yaml
	refused_at laughs.yaml 7:10 "more than 100000 values from aliases"
	perl -e 'print "x-a: &a0 {k: v}\n"; for (1..60) { print "x-a$_: &a$_ {<<: [*a", $_ - 1, ", *a", $_ - 1, "], k$_: 1}\n" } print "services: {a: {image: b}}\n"' >merge.yaml
	load_it merge.yaml
	[ "$status" = 0 ]
	echo 'services: &s {a: {image: b, x-y: *s}}' >self.yaml
	refused_at self.yaml 1:34 "contains itself"
	perl -e 'print "services: {a: {image: \"", "\${A:-" x 20000, "}" x 20000, "\"}}\n"' >vars.yaml
	refused_at vars.yaml 1:23 "services.a.image"
}

@test "size: 100,000 levels, a value of 10 MB, 5,000 services" {
	perl -e 'print "services: ", "[" x 100000' >deep.yaml
	refused_at deep.yaml 1:110 "nested deeper"
	perl -e 'print "services: {a: {image: \"", "x" x 10000000, "\"}}\n"' >long.yaml
	refused_at long.yaml 1:23 "longer than"
	perl -e 'print "services:\n"; print "  s$_: {image: b, ports: [\"$_:80\"], environment: {A: \"$_\"}}\n" for 1..5000' >many.yaml
	load_it many.yaml
	[ "$status" = 0 ]
	perl -e 'print "services: {a: {image: b}}\nx-a:\n"; print "- a\n" x 250000' >values.yaml
	refused_at values.yaml 149998:3 "more than 150000 values"
	echo 'services: {a: {image: b, ports: ["41536-65535:41536-65535/udp"]}}' >ports.yaml
	load_it ports.yaml
	[ "$status" = 0 ]
	echo 'services: {a: {image: b, ports: ["1-65535:1-65535/udp"]}}' >ports.yaml
	refused_at ports.yaml 1:34 "more than 24000 ports"
}

@test "characters: NUL, BOM, UTF-16, bad UTF-8" {
	printf 'services: {a: {image: "b\0c"}}\n' >nul.yaml
	refused_at nul.yaml 1:25 "control characters"
	printf 'services:\n  a: {image: "\377\376"}\n' >bad.yaml
	refused_at bad.yaml 2:15 "UTF-8"
	printf '\357\273\277services: {a: {image: b}}\n' >bom.yaml
	load_it bom.yaml
	[ "$status" = 0 ]
	printf 'services: {a: {image: b}}\n' | iconv -t UTF-16 >utf16.yaml
	load_it utf16.yaml
	[ "$status" = 0 ]
}

@test "values: duplicate keys, overflowing sizes" {
	printf 'services:\n  a: {image: b}\n  a: {image: c}\n' >dup.yaml
	refused_at dup.yaml 3:3 "given twice"
	echo 'services: {a: {image: b, mem_limit: 99999999999999999999g}}' >over.yaml
	refused_at over.yaml 1:37 "services.a.mem_limit"
}

@test "escape sequences: a file's words reach no terminal as such" {
	printf 'services: { a: { image: b, mem_limit: "\\e]0;x\\a\\e[31m\\u009b2J" } }\n' >esc.yaml
	refused_at esc.yaml 1:39 "'?]0;x??[31m?2J' is not a size"
	printf 'services: { a: { image: b, "k\\e[2J": 1 } }\n' >key.yaml
	refused_at key.yaml 1:28 'services.a.k?[2J: unknown key'
}
