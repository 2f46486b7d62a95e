#!/usr/bin/env bats
# dns.bats - the name server of each container, with upstreams that behave, fail and lie (dns.py)
#
# The host asks 127.0.0.53, as systemd-resolved has it; 127.0.0.54 is another one, 127.0.0.55 is silent,
# nobody listens at 127.0.0.56.

load lib
setup_file() {
	world_open
	export DNS=$BATS_TEST_DIRNAME/dns.py RESOLVE=${RESOLVE:-$(dirname "$CTRCOMPOSE")/tests/resolve-musl}
	cp /etc/resolv.conf "$BATS_FILE_TMPDIR/resolv.conf"
	mount --bind "$BATS_FILE_TMPDIR/resolv.conf" /etc/resolv.conf
	for ip in 53 54 55; do
		"$DNS" serve 127.0.0.$ip "$BATS_FILE_TMPDIR/log.$ip" >/dev/null 2>"$BATS_FILE_TMPDIR/err.$ip" 3>&- &
		echo $! >>"$BATS_FILE_TMPDIR/pids"
		eventually 30 grep -q ready "$BATS_FILE_TMPDIR/log.$ip"
	done
}
teardown_file() {
	kill $(cat "$BATS_FILE_TMPDIR/pids")
	umount /etc/resolv.conf
	world_close
}
setup() {
	project_open
	host_asks 53
}
teardown() { project_close; }

host_asks() { # LAST-BYTE...: name servers of the host
	local ip
	for ip in "$@"; do echo "nameserver 127.0.0.$ip"; done >"$BATS_FILE_TMPDIR/resolv.conf"
	echo "search host.example" >>"$BATS_FILE_TMPDIR/resolv.conf"
}
reread() { sleep 2.1; } # the host's file is looked at every two seconds

pid() { compose inspect "$PROJECT-$1" | jq -r '.[0].State.Pid'; }
within() { nsenter --net --target "$(pid "$1")" "${@:2}"; }
ask() { within "$1" "$DNS" ask "${@:2}"; }
address() { # service-number [interface]
	within "$1" ip -4 -o addr show "${2:-eth0}" | sed -E 's/.*inet ([0-9.]+).*/\1/'
}
asked() { grep -c " $2\$" "$BATS_FILE_TMPDIR/log.$1" || true; }
ms() { # COMMAND...: how long it takes
	local t0=${EPOCHREALTIME/./}
	"$@" >/dev/null
	echo $(((${EPOCHREALTIME/./} - t0) / 1000))
}
lines() { tr ' ' '\n' | sort | xargs; }

two() {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, networks: { one: { aliases: [nick] }, two: }, container_name: the-a, hostname: host-a }
		  b: { image: box, networks: [one] }
		  c: { image: box, networks: [two] }
		networks: { one: { enable_ipv6: true }, two: }
	Y
	compose up -d
}

@test "forms: service, alias, container, hostname, short id, and each with its network" {
	two
	a=$(nsenter --net --target "$(compose inspect the-a | jq '.[0].State.Pid')" ip -4 -o addr show eth0 | sed -E 's/.*inet ([0-9.]+).*/\1/')
	id=$(compose inspect the-a | jq -r '.[0].Id[:12]')
	for name in a nick the-a host-a "$id" A a.${PROJECT}_one nick.${PROJECT}_one the-a.${PROJECT}_one; do
		for how in "" tcp edns "tcp edns"; do
			[ "$(ask b-1 $how A $name | sed 's/ edns$//')" = "NOERROR $a" ]
		done
	done
}

@test "A, AAAA, PTR of both families; other types of a name that is there have no answer" {
	two
	a=$(ask b-1 A a | cut -d' ' -f2) six=$(ask b-1 AAAA a | cut -d' ' -f2)
	[[ $a == *.*.*.* && $six == fd*:* ]]
	[ "$(ask c-1 AAAA a)" = NOERROR ]
	[ "$(ask b-1 SRV a)" = NOERROR ]
	[ "$(ask b-1 MX a)" = NOERROR ]
	[ "$(ask b-1 PTR "$(echo "$a" | awk -F. '{ print $4 "." $3 "." $2 "." $1 }').in-addr.arpa")" = "NOERROR the-a.${PROJECT}_one" ]
	reverse=$(python3 -c 'import ipaddress, sys; print(ipaddress.ip_address(sys.argv[1]).reverse_pointer)' "$six")
	[ "$(ask b-1 PTR "$reverse")" = "NOERROR the-a.${PROJECT}_one" ]
	[[ $(ask b-1 edns A a) == *" edns" ]]
	[ "$(ask b-1 A a raw=123401000000000000000000)" = FORMERR ]
	[ "$(ask b-1 A a raw=123411000001000000000000016100 | cut -d' ' -f1)" = NOTIMP ]
}

@test "each container sees its own networks only" {
	two
	[ "$(ask b-1 A c)" = NXDOMAIN ]
	[ "$(ask c-1 A b)" = NXDOMAIN ]
	[ "$(ask c-1 A a)" != "$(ask b-1 A a)" ]
	[ "$(ask c-1 A nick)" = NXDOMAIN ] # an alias of the other network
	[ "$(ask c-1 A a | cut -d' ' -f1)" = NOERROR ]
}

@test "a single label that is nobody's fails at once and never goes out" {
	two
	host_asks 55
	reread
	[ "$(ask b-1 A nobody)" = NXDOMAIN ]
	[ "$(ask b-1 A nobody.${PROJECT}_one)" = NXDOMAIN ]
	[ "$(ms ask b-1 A nobody)" -lt 1400 ] # an upstream would have been waited for for longer
	[ "$(asked 55 nobody)" = 0 ]
}

@test "replicas take turns; the stopped and the unhealthy leave the answer, and come back" {
	cat >compose.yaml <<-Y
		services:
		  a:
		    image: box
		    deploy: { replicas: 3 }
		    healthcheck: { test: test ! -e /tmp/ill, interval: 200ms, retries: 1 }
		  b: { image: box }
	Y
	compose up -d --wait
	all=$(for i in 1 2 3; do address a-$i; done | sort | xargs)
	[ "$(ask b-1 A a | cut -d' ' -f2- | lines)" = "$all" ]
	[ "$(for _ in 1 2 3; do ask b-1 A a | cut -d' ' -f2; done | sort | xargs)" = "$all" ]
	compose exec -T --index 2 a touch /tmp/ill
	without() { [ "$(ask b-1 A a | cut -d' ' -f2- | lines)" = "$1" ]; }
	eventually 30 without "$(echo "$all" | tr ' ' '\n' | grep -vx "$(address a-2)" | xargs)"
	[ "$(ask b-1 A "$PROJECT-a-2")" = "NOERROR $(address a-2)" ]
	one=$(address a-1) three=$(address a-3)
	kill -9 "$(family ctrcompose-sup)" # the next one knows it too
	eventually 30 without "$(printf '%s\n' "$one" "$three" | sort | xargs)"
	compose exec -T --index 2 a rm /tmp/ill
	eventually 30 without "$all"
	compose stop -t 0 a
	[ "$(ask b-1 A a)" = NXDOMAIN ]
}

@test "other names go to the host's stub resolver, over UDP and TCP; big answers too" {
	two
	reread
	[ "$(ask b-1 A www.example.org)" = "NOERROR 192.0.2.53" ]
	[ "$(ask b-1 tcp A www.example.org)" = "NOERROR 192.0.2.53" ]
	[ "$(ask b-1 A nothere.example.org)" = NXDOMAIN ]
	[ "$(ask b-1 A big.example.org)" = "NOERROR tc" ]
	[ "$(ask b-1 tcp A big.example.org | wc -w)" = 101 ]
	[ "$(asked 53 big.example.org)" = 2 ]
}

@test "several upstreams: a silent one, one that refuses, one that is not there; the good one is kept to" {
	two
	for first in 55 56; do
		host_asks $first 54
		reread
		[ "$(ask b-1 A www.example.org)" = "NOERROR 192.0.2.54" ]
	done
	before=$(asked 55 kept.example.org)
	host_asks 55 54
	reread
	ask b-1 A www.example.org
	[ "$(ask b-1 A kept.example.org)" = "NOERROR 192.0.2.54" ]
	[ "$(asked 55 kept.example.org)" = "$before" ]
	host_asks 53 54
	reread
	ask b-1 tcp A www.example.org
	[ "$(ask b-1 A refused.example.org)" = "NOERROR 192.0.2.54" ]
	[ "$(ask b-1 A servfail.example.org)" = SERVFAIL ]
	[ "$(asked 53 servfail.example.org)" = 1 ]
	[ "$(asked 54 servfail.example.org)" = 1 ]
}

@test "a dead upstream delays no internal name, and ends in SERVFAIL" {
	two
	host_asks 55
	reread
	for i in 1 2 3 4 5 6 7 8; do ask b-1 A silent$i.example.org >out.$i 3>&- & done
	t0=${EPOCHREALTIME/./}
	[ "$(ask b-1 A a | cut -d' ' -f1)" = NOERROR ]
	[ "$(cat out.*)" = "" ] # they still wait
	wait
	[ "$(sort -u out.*)" = SERVFAIL ]
}

@test "an upstream that lies: another number, question, sender; garbage" {
	two
	reread
	for lie in wrongid wrongname garbage; do
		[ "$(ask b-1 A $lie.example.org)" = "NOERROR 192.0.2.1" ]
	done
	[ "$(ask b-1 A wrongsource.example.org)" = "NOERROR 192.0.2.53" ]
	[[ $(ask b-1 A a) == NOERROR* ]]
}

@test "dns, dns_search and dns_opt of a service; by default the host's search domains and ndots:0" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, dns: [127.0.0.55, 127.0.0.54], dns_search: [one.example, two.example], dns_opt: ["timeout:3", "ndots:2"] }
		  b: { image: box }
		  c: { image: box, dns: 127.0.0.54, dns_search: "." }
	Y
	compose up -d
	reread
	[ "$(ask a-1 A www.example.org)" = "NOERROR 192.0.2.54" ]
	[ "$(ask b-1 A www.example.org)" = "NOERROR 192.0.2.53" ]
	[ "$(compose exec -T a cat /etc/resolv.conf | xargs)" = "nameserver 127.0.0.11 search one.example two.example options timeout:3 ndots:2" ]
	[ "$(compose exec -T b cat /etc/resolv.conf | xargs)" = "nameserver 127.0.0.11 search host.example options ndots:0" ]
	[ "$(compose exec -T c cat /etc/resolv.conf | xargs)" = "nameserver 127.0.0.11 options ndots:0" ]
}

@test "internal networks: nothing goes out, whatever dns says" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, networks: [in], dns: [127.0.0.54] }
		  b: { image: box, networks: [in, out] }
		networks: { in: { internal: true }, out: }
	Y
	compose up -d
	reread
	[ "$(ask a-1 A secret.example.org)" = NXDOMAIN ]
	[ "$(asked 54 secret.example.org)$(asked 53 secret.example.org)" = 00 ]
	[[ $(ask a-1 A b) == NOERROR* ]]
	[[ $(ask b-1 A www.example.org) == NOERROR* ]]
}

@test "links: a name of its own for the one who asks for it" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box }
		  b: { image: box, links: ["a:DB", a] }
		  c: { image: box }
	Y
	compose up -d
	[ "$(ask b-1 A db)" = "NOERROR $(address a-1)" ]
	[ "$(ask b-1 A a)" = "NOERROR $(address a-1)" ]
	[ "$(ask c-1 A db)" = NXDOMAIN ]
}

@test "a service may bind 0.0.0.0:53 itself, and resolves names all the same" {
	printf 'services: { a: { image: box }, b: { image: box } }\n' >compose.yaml
	compose up -d
	nsenter --net --target "$(pid b-1)" "$DNS" serve 0.0.0.0 "$PWD/log" >/dev/null 2>&1 3>&- &
	server=$!
	eventually 20 grep -q ready log
	[ "$(ask b-1 A a)" = "NOERROR $(address a-1)" ]
	[ "$(ask b-1 tcp A a)" = "NOERROR $(address a-1)" ]
	kill $server
	[ "$(wc -l <log)" = 1 ]
}

@test "both C libraries resolve: glibc, and musl, which asks for A and AAAA at once" {
	two
	reread
	cp "$RESOLVE" resolve
	sed -i 's|b: { image: box,|b: { image: box, volumes: ["./resolve:/resolve:ro"],|' compose.yaml
	compose up -d
	a=$(ask b-1 A a | cut -d' ' -f2) six=$(ask b-1 AAAA a | cut -d' ' -f2)
	both=$(printf '%s\n' "$a" "$six" | sort | xargs)
	for name in a nick a.${PROJECT}_one; do
		[ "$(compose exec -T b /resolve $name | sort | xargs)" = "$both" ]
	done
	[ "$(compose exec -T b /resolve www.example.org | sort -u)" = 192.0.2.53 ]
	run ! compose exec -T b /resolve nothere
	[[ $output == *"Name does not resolve"* || $output == *"Name has no usable address"* ]]
	compose exec -T b cat /etc/resolv.conf >resolv
	glibc() { within b-1 unshare --mount sh -c 'mount --bind resolv /etc/resolv.conf && exec getent ahosts "$1"' sh "$1" | awk '{ print $1 }' | sort -u | xargs; }
	[ "$(glibc a)" = "$both" ]
	[ "$(glibc nick)" = "$both" ]
	[ "$(glibc www.example.org)" = 192.0.2.53 ]
	[ -z "$(glibc nothere)" ]
}

@test "the RUN of a build asks the host's name servers too" {
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box-asked
		    build:
		      context: .
		      dockerfile_inline: |
		        FROM box
		        RUN nslookup www.example.org >/answer 2>&1; true
		    command: cat /answer
	Y
	compose build
	[[ $(compose run --rm -T a) == *"192.0.2.53"* ]]
}
