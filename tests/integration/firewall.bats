#!/usr/bin/env bats
# firewall.bats - what the rules do, beside a host on the wire, other projects and other programs
#
#   lan 203.0.113.9 --- 203.0.113.1 this host --- the projects' bridges

load lib
setup_file() {
	world_open
	unshare --net sh -c 'echo $$ >"$1"; exec sleep 1000' sh "$BATS_FILE_TMPDIR/lan" >/dev/null 2>&1 3>&- &
	eventually 20 test -s "$BATS_FILE_TMPDIR/lan"
	ip link add wan0 type veth peer name eth0 netns "$(cat "$BATS_FILE_TMPDIR/lan")"
	ip addr add 203.0.113.1/24 dev wan0
	ip link set wan0 up
	lan sh -c 'ip link set lo up; ip addr add 203.0.113.9/24 dev eth0; ip link set eth0 up'
	lan ip route add 172.16.0.0/12 via 203.0.113.1
}
teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/lan")"
	world_close
}
setup() { project_open; }
teardown() {
	iptables -P FORWARD ACCEPT
	project_close
}

lan() { nsenter --net --target "$(cat "$BATS_FILE_TMPDIR/lan")" "$@"; }

listens() { lan ss -ltn | grep -q ":$1 "; }

# What the neighbour on the wire sees of who calls: its address.
who_calls() { # service
	rm -f "$BATS_TEST_TMPDIR/who"
	lan timeout 5 socat -u TCP-LISTEN:7000,reuseaddr SYSTEM:'echo $SOCAT_PEERADDR' >"$BATS_TEST_TMPDIR/who" 3>&- &
	eventually 20 listens 7000
	compose exec -T "$1" nc -w 2 203.0.113.9 7000 </dev/null
	wait $!
	cat "$BATS_TEST_TMPDIR/who"
}

address() { # service
	compose exec -T "$1" ip -4 -o addr show eth0 | sed -E 's/.*inet ([0-9.]+).*/\1/'
}

rules() { iptables-save | grep '^-A\|^:CC' | sed 's/ \[.*//'; }

same_rules() { [ "$(rules)" = "$(cat "$BATS_TEST_TMPDIR/rules")" ]; }

@test "without a published port: out through the host's address, in from nowhere" {
	printf 'services: { a: { image: box, command: httpd -f -p 80 -h /www } }\n' >compose.yaml
	compose up -d
	[ "$(who_calls a)" = 203.0.113.1 ]
	eventually 20 curl -s -o /dev/null "http://$(address a)/" # the host itself
	run -28 lan curl -s --max-time 1 "http://$(address a)/"
}

@test "a first program finds the rules there" {
	lan timeout 20 socat TCP-LISTEN:7001,reuseaddr,fork SYSTEM:'echo $SOCAT_PEERADDR' 3>&- &
	server=$!
	eventually 20 listens 7001
	printf 'services: { a: { image: box, command: nc -w 3 203.0.113.9 7001 } }\n' >compose.yaml
	run -0 compose up --no-log-prefix
	kill $server
	[[ $output == *203.0.113.1* ]]
}

@test "a policy of DROP, as Docker and ufw set it, does not cut networks off" {
	iptables -P FORWARD DROP
	printf 'services: { a: { image: box } }\n' >compose.yaml
	compose up -d
	[ "$(who_calls a)" = 203.0.113.1 ]
}

@test "an internal network has no way out, and none in" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, command: httpd -f -p 80 -h /www, networks: [in] }
		  b: { image: box, networks: [in] }
		networks: { in: { internal: true } }
	Y
	compose up -d
	run ! compose exec -T a nc -w 1 203.0.113.9 7000
	run -28 lan curl -s --max-time 1 "http://$(address a)/"
	compose exec -T b wget -q -O /dev/null http://a/ || [ $? = 1 ] # 404: it answered
}

@test "two projects do not reach each other, neither do two networks of one" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, command: httpd -f -p 80 -h /www, networks: [one] }
		  b: { image: box, networks: [two] }
		networks: { one: {}, two: {} }
	Y
	compose up -d
	compose -p other up -d
	for project in "$PROJECT" other; do
		run ! compose -p $project exec -T b nc -w 1 "$(address a)" 80
	done
	run ! compose -p other exec -T a nc -w 1 "$(address a)" 80
	compose -p other down -t 0
}

@test "direct routing from the link, IPv4 and IPv6: a published port's container is reached by that port alone" {
	ip -6 addr add fd99::1/64 dev wan0 nodad
	lan ip -6 addr add fd99::9/64 dev eth0 nodad
	lan ip -6 route add fd00::/8 via fd99::1
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, command: sh -c 'httpd -p 81 -h /www; exec httpd -f -p 80 -h /www', ports: ["18195:80"] }
		  b: { image: box, networks: [other], ports: ["18196:80"] }
		networks: { default: { enable_ipv6: true }, other: { enable_ipv6: true } }
	Y
	compose up -d
	six=$(compose exec -T a ip -6 -o addr show eth0 scope global | sed -E 's/.*inet6 ([0-9a-f:]+).*/\1/')
	four=$(address a)
	eventually 20 curl -s -o /dev/null "http://$four:80/"
	curl -s -o /dev/null "http://[$six]:81/"
	lan curl -s -m 4 -o /dev/null http://203.0.113.1:18195/
	lan curl -s -m 4 -o /dev/null "http://[fd99::1]:18195/"
	for port in 80 81; do
		run -28 lan curl -s -m 1 "http://$four:$port/"
		run -28 lan curl -s -m 1 "http://[$six]:$port/"
		run ! compose exec -T b nc -w 1 "$four" $port
		run ! compose exec -T b nc -w 1 "$six" $port
	done
	# And out of the other one, to which packets could be sent by its gateway.
	b=$(compose exec -T b ip -4 -o addr show eth0 | sed -E 's/.*inet ([0-9.]+).*/\1/')
	run ! compose exec -T a nc -w 1 "$b" 80
	ip -6 addr del fd99::1/64 dev wan0
	lan ip -6 route del fd00::/8 via fd99::1
	lan ip -6 addr del fd99::9/64 dev eth0
}

@test "bridge-nf-call on and off: neighbours, published ports, from the container itself, a policy of DROP" {
	[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || modprobe br_netfilter || skip "no br_netfilter"
	was=$(cat /proc/sys/net/bridge/bridge-nf-call-iptables)
	iptables -P FORWARD DROP
	for on in 0 1; do
		sysctl -qw net.bridge.bridge-nf-call-iptables=$on net.bridge.bridge-nf-call-ip6tables=$on
		cat >compose.yaml <<-Y
			services:
			  a: { image: box, command: sh -c 'echo here >/www/index.html; exec httpd -f -p 80 -h /www', ports: ["18197:80"] }
			  b: { image: box }
			  c: { image: box, networks: [other] }
			  i: { image: box, networks: [in], command: sh -c 'echo here >/www/index.html; exec httpd -f -p 80 -h /www' }
			  j: { image: box, networks: [in] }
			networks: { other: , in: { internal: true } }
		Y
		compose up -d
		eventually 20 curl -s -o /dev/null "http://$(address a)/"
		got() { [ "$(compose exec -T "$1" sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 3 $2 $3" | tail -1)" = here ]; }
		got b "$(address a)" 80
		eventually 20 got j "$(address i)" 80
		for s in a b c; do got $s 203.0.113.1 18197; done
		[ "$(lan curl -s -m 3 http://203.0.113.1:18197/)" = here ]
		[ "$(curl -s -m 3 http://127.0.0.1:18197/)" = here ]
		[ "$(who_calls b)" = 203.0.113.1 ]
		run ! compose exec -T c nc -w 1 "$(address a)" 80
		run ! compose exec -T b nc -w 1 "$(address i)" 80
		compose down -t 0
	done
	sysctl -qw net.bridge.bridge-nf-call-iptables=$was net.bridge.bridge-nf-call-ip6tables=$was
}

@test "rules that another program takes out are put back, and the log says so" {
	printf 'services: { a: { image: box, ports: ["127.0.0.1:18190:80"] } }\n' >compose.yaml
	compose up -d
	eventually 20 sh -c 'iptables-save | grep -q 18190'
	rules >"$BATS_TEST_TMPDIR/rules"
	for table in filter nat mangle raw; do
		iptables -t $table -F
		iptables -t $table -X
	done
	eventually 20 same_rules
	eventually 20 grep -q 'taken out by another program, they are back' "$CTRCOMPOSE_STATE/projects/$PROJECT/supervisor.log"
	iptables -D FORWARD 1
	eventually 20 same_rules
}

@test "rules that could not be put in place are tried again" {
	local real
	real=$(command -v iptables-restore)
	mkdir bin
	printf '#!/bin/sh\n[ ! -e "%s/fail" ] || { echo not now >&2; exit 4; }\nexec "%s" "$@"\n' "$PWD" "$real" >bin/iptables-restore
	chmod +x bin/iptables-restore
	printf 'services: { a: { image: box }, b: { image: box, ports: ["127.0.0.1:18191:80"] } }\n' >compose.yaml
	PATH=$PWD/bin:$PATH compose up -d a
	touch fail
	compose up -d b
	eventually 20 grep -q 'not now' "$CTRCOMPOSE_STATE/projects/$PROJECT/supervisor.log"
	run ! grep -q 18191 <(iptables-save)
	rm fail
	eventually 15 sh -c 'iptables-save | grep -q 18191'
	eventually 20 grep -q 'are in place now' "$CTRCOMPOSE_STATE/projects/$PROJECT/supervisor.log"
}

@test "rules taken out while there was no supervisor are put back by the next one" {
	printf 'services: { a: { image: box } }\n' >compose.yaml
	compose up -d
	rules >"$BATS_TEST_TMPDIR/rules"
	sup=$(family ctrcompose-sup)
	kill -STOP "$(family ctrcompose-keep)"
	kill -9 "$sup"
	iptables -t nat -F
	kill -CONT "$(family ctrcompose-keep)"
	eventually 20 same_rules
}

@test "rules of others stay as they are" {
	iptables -N THEIRS
	iptables -A THEIRS -s 198.51.100.0/24 -j DROP
	iptables -I FORWARD -j THEIRS
	iptables -t nat -A POSTROUTING -s 198.51.100.0/24 -j MASQUERADE
	rules >"$BATS_TEST_TMPDIR/rules"
	printf 'services: { a: { image: box, ports: ["18191:80"] } }\n' >compose.yaml
	compose up -d
	rules | grep -v 'CC-' | sort | diff - <(sort "$BATS_TEST_TMPDIR/rules")
	compose down -t 0
	same_rules
	iptables -t nat -D POSTROUTING -s 198.51.100.0/24 -j MASQUERADE
	iptables -D FORWARD -j THEIRS
	iptables -F THEIRS
	iptables -X THEIRS
}

@test "legacy tables: the same in this process, put back too, and exactly removed" {
	mkdir "$BATS_TEST_TMPDIR/legacy"
	for p in iptables-save iptables-restore iptables; do
		ln -s "$(command -v iptables-legacy${p#iptables})" "$BATS_TEST_TMPDIR/legacy/$p"
	done
	PATH=$BATS_TEST_TMPDIR/legacy:$PATH
	rules >"$BATS_TEST_TMPDIR/none"
	printf 'services: { a: { image: box, ports: ["127.0.0.1:18192:80"] } }\n' >compose.yaml
	compose up -d
	[ "$(who_calls a)" = 203.0.113.1 ]
	eventually 20 sh -c 'iptables-legacy-save | grep -q 18192'
	rules >"$BATS_TEST_TMPDIR/rules"
	iptables -F
	iptables -t nat -F
	eventually 12 same_rules
	iptables -P FORWARD DROP
	[ "$(who_calls a)" = 203.0.113.1 ]
	iptables -P FORWARD ACCEPT
	compose down -t 0
	rules | diff - "$BATS_TEST_TMPDIR/none"
}
