#!/usr/bin/env bats
# ports.bats - published ports: forms, from where they are reached, who has them
#
#   lan 203.0.113.9 --- 203.0.113.1 this host --- the projects' bridges
#       fd99::9         fd99::1

load lib
setup_file() {
	world_open
	export PROBE=${PROBE:-$(dirname "$CTRCOMPOSE")/tests/probe}
	unshare --net sh -c 'echo $$ >"$1"; exec sleep 1000' sh "$BATS_FILE_TMPDIR/lan" >/dev/null 2>&1 3>&- &
	eventually 20 test -s "$BATS_FILE_TMPDIR/lan"
	ip link add wan0 type veth peer name eth0 netns "$(cat "$BATS_FILE_TMPDIR/lan")"
	ip addr add 203.0.113.1/24 dev wan0
	ip link set wan0 up
	ip addr add fd99::1/64 dev wan0 nodad
	lan sh -c 'ip link set lo up; ip addr add 203.0.113.9/24 dev eth0; ip link set eth0 up; ip addr add fd99::9/64 dev eth0 nodad'
}
teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/lan")"
	world_close
}
setup() { project_open; }
teardown() { project_close; }

lan() { nsenter --net --target "$(cat "$BATS_FILE_TMPDIR/lan")" "$@"; }
get() { curl -s -m 4 "http://$1/"; }
inside() { # SERVICE IP PORT: what a container gets from there
	compose exec -T "$1" sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 3 $2 $3" | tail -1
}
web() { # PORTS [more of the service]: a service that says "web"
	cat >compose.yaml <<-Y
		services:
		  web: { image: box, command: sh -c 'echo web >/www/index.html; exec httpd -f -p 80 -h /www', ports: $1${2:+, $2} }
		  near: { image: box }
		  far: { image: box, networks: [other] }
		networks: { other: }
	Y
	compose up -d
}
ports_of() { compose ps --format '{{.Ports}}' web; }

@test "reached from outside, from the host and all its addresses, from containers of the same and other networks, from itself" {
	web '["18300:80"]'
	eventually 20 get 127.0.0.1:18300
	for at in 127.0.0.1 203.0.113.1 "[::1]" "[fd99::1]" localhost; do
		[ "$(get $at:18300)" = web ]
	done
	gateway=$(compose exec -T web ip route | awk '/default/ { print $3 }')
	[ "$(get "$gateway:18300")" = web ]
	[ "$(lan curl -s -m 4 http://203.0.113.1:18300/)" = web ]
	[ "$(lan curl -s -m 4 'http://[fd99::1]:18300/')" = web ]
	for service in near far web; do
		[ "$(inside $service 203.0.113.1 18300)" = web ]
		[ "$(inside $service "$gateway" 18300)" = web ]
	done
}

@test "with IPv6 in the network: the same over IPv6" {
	web '["18301:80"]'
	printf 'networks: { default: { enable_ipv6: true } }\n' >>compose.yaml
	sed -i 's/^networks: { other: }$//' compose.yaml
	printf '  other:\n' >>compose.yaml
	sed -i 's/^networks: { default: { enable_ipv6: true } }/networks:\n  default: { enable_ipv6: true }/' compose.yaml
	compose down -t 0
	compose up -d
	eventually 20 get "[::1]:18301"
	[ "$(lan curl -s -m 4 'http://[fd99::1]:18301/')" = web ]
	[ "$(get "[fd99::1]:18301")" = web ]
	[ "$(inside near fd99::1 18301)" = web ]
	[ "$(inside web fd99::1 18301)" = web ]
	[ "$(lan curl -s -m 4 http://203.0.113.1:18301/)" = web ]
}

@test "a container of several networks, internal ones first: published where its default route is" {
	cp "$PROBE" probe
	cat >compose.yaml <<-Y
		services:
		  web:
		    image: box
		    command: sh -c '/probe hear 9 2 & echo web >/www/index.html; exec httpd -f -p 80 -h /www'
		    volumes: ["./probe:/probe:ro"]
		    ports: ["18307:80", "18307:9/udp"]
		    networks: [a-in, b-one, c-two]
		  inner: { image: box, networks: [a-in] }
		  one: { image: box, networks: [b-one] }
		  two: { image: box, networks: [c-two] }
		networks: { a-in: { internal: true }, b-one: , c-two: { enable_ipv6: true } }
	Y
	compose up -d
	eventually 20 get 127.0.0.1:18307
	[ "$(lan curl -s -m 4 http://203.0.113.1:18307/)" = web ]
	[ "$(lan curl -s -m 4 'http://[fd99::1]:18307/')" = web ]
	lan sh -c 'echo hi | socat - UDP:203.0.113.1:18307'
	heard() { compose logs --no-log-prefix web | grep -q '^203.0.113.9 hi'; }
	eventually 20 heard
	[ "$(inside one 203.0.113.1 18307)" = web ]
	[ "$(inside two 203.0.113.1 18307)" = web ] # the answer has to come back the way it went
}

@test "a host address: there and nowhere else; 127.0.0.1 is out of reach of a neighbour on the link" {
	web '["127.0.0.1:18302:80", "203.0.113.1:18303:80", "[::1]:18304:80", "[fd99::1]:18305:80"]'
	eventually 20 get 127.0.0.1:18302
	[ "$(get 203.0.113.1:18303)" = web ]
	[ "$(get "[::1]:18304")" = web ]
	[ "$(get "[fd99::1]:18305")" = web ]
	run ! get 203.0.113.1:18302
	run ! get 127.0.0.1:18303
	run ! get "[fd99::1]:18304"
	run ! get 203.0.113.1:18305
	[ "$(lan curl -s -m 4 http://203.0.113.1:18303/)" = web ]
	# With a route to it, and a kernel that lets such packets out.
	lan sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1
	lan ip addr del 127.0.0.1/8 dev lo
	lan ip route add 127.0.0.1 via 203.0.113.1 dev eth0 src 203.0.113.9
	run ! lan curl -s -m 2 http://127.0.0.1:18302/
	lan ip addr add 127.0.0.1/8 dev lo
	lan ip route del 127.0.0.1 via 203.0.113.1
	[ "$(get 127.0.0.1:18302)" = web ]
	[ "$(inside near 127.0.0.1 18302)" != web ]
}

@test "udp, with answers from the address that was asked" {
	cp "$PROBE" probe
	cat >compose.yaml <<-Y
		services:
		  echo: { image: box, command: /probe echo 7, volumes: ["./probe:/probe:ro"], ports: ["18306:7/udp"] }
		networks: { default: { enable_ipv6: true } }
	Y
	compose up -d
	said() { [ "$(echo hello | "${@:2}" timeout 3 socat -t 1 - "UDP:$1:18306")" = hello ]; } # socat connects: it hears that address only
	for to in 127.0.0.1 203.0.113.1 "[::1]" "[fd99::1]"; do eventually 20 said $to; done
	for to in 203.0.113.1 "[fd99::1]"; do said $to lan; done
}

@test "forms and ranges, short and long; ps and port show them" {
	cat >compose.yaml <<-Y
		services:
		  web:
		    image: box
		    ports:
		      - 18310-18311:80-81
		      - "127.0.0.1:18312-18319:82"
		      - "18320:83/udp"
		      - { target: 84, published: 18321, host_ip: 127.0.0.1, protocol: tcp, mode: host, name: x }
		      - { target: 85, published: "18322", protocol: udp, mode: ingress }
	Y
	compose up -d
	[ "$(compose port web 80)" = 0.0.0.0:18310 ]
	[ "$(compose port web 81)" = 0.0.0.0:18311 ]
	[[ $(compose port web 82) =~ ^127.0.0.1:1831[2-9]$ ]]
	[ "$(compose port --protocol udp web 83)" = 0.0.0.0:18320 ]
	[ "$(compose port web 84)" = 127.0.0.1:18321 ]
	[ "$(compose port --protocol udp web 85)" = 0.0.0.0:18322 ]
	run ! compose port web 99
	shown=$(ports_of)
	for p in 18310-18311- 18320- 127.0.0.1:18321- 18322-; do
		[[ $shown == *$p* ]] || [[ $shown == *${p/18310-18311-/18310-}* ]]
	done
	sed -i 's|"18320:83/udp"|"18320:83/sctp"|' compose.yaml
	run ! compose up -d
	[[ $output == *"compose.yaml:"*"services.web.ports: protocol sctp is not supported yet"* ]]
}

@test "ephemeral ports: free ones, the same after a restart and after the supervisor died" {
	web '["80", "127.0.0.1::80"]'
	before=$(compose port web 80) shown=$(ports_of)
	[[ $before =~ ^0.0.0.0:[1-9][0-9]+$ ]]
	eventually 20 get "127.0.0.1:${before#*:}"
	[ "$(get "127.0.0.1:${before#*:}")" = web ]
	compose restart -t 0 web
	[ "$(compose port web 80)" = "$before" ]
	[ "$(ports_of)" = "$shown" ]
	kill -9 "$(family ctrcompose-sup)"
	again() { [ "$(get "127.0.0.1:${before#*:}")" = web ]; }
	eventually 20 again
	[ "$(ports_of)" = "$shown" ]
}

@test "clients from outside are seen with their own address" {
	cp "$PROBE" probe
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, command: /probe hear 9 1, volumes: ["./probe:/probe:ro"], ports: ["18330:9/udp"] }
	Y
	compose up -d
	listening() { compose logs a | grep -q listening; }
	eventually 20 listening
	lan sh -c 'echo hi | socat - UDP:203.0.113.1:18330'
	heard() { compose logs --no-log-prefix a | grep -q '^203.0.113.9 hi'; }
	eventually 20 heard
}

@test "a conflict names the project or program that has the port, before anything is started" {
	cat >compose.yaml <<-Y
		services:
		  first: { image: box }
		  web: { image: box, ports: ["18340:80"], depends_on: [first] }
	Y
	compose -p other up -d
	run ! compose up -d
	[[ $output == *"container $PROJECT-web-1: port 18340/tcp is in use by project other (container other-web-1)"* ]]
	[ -z "$(compose ps -a -q)" ]
	compose -p other down -t 0
	socat TCP-LISTEN:18340,bind=127.0.0.1 - </dev/null >/dev/null 2>&1 3>&- &
	holder=$!
	eventually 20 sh -c 'ss -ltn | grep -q :18340'
	run ! compose up -d
	[[ $output == *"port 18340/tcp is in use by socat (pid $holder)"* ]]
	[ -z "$(compose ps -a -q)" ]
	kill $holder
	compose up -d
	sed -i 's/first: { image: box }/first: { image: box, ports: ["18340:81"] }/' compose.yaml
	compose down -t 0
	run ! compose up -d
	[[ $output == *"port 18340/tcp is published by container $PROJECT-"* ]]
	[ -z "$(compose ps -a -q)" ]
}

@test "what a project has itself is no conflict: recreated, scaled down, moved to another service" {
	web '["18350:80"]'
	eventually 20 get 127.0.0.1:18350
	compose up -d --force-recreate
	eventually 20 get 127.0.0.1:18350
	web '["18350:80"]' 'environment: { A: b }'
	eventually 20 get 127.0.0.1:18350
	compose stop -t 0 web
	compose start web
	eventually 20 get 127.0.0.1:18350
}

@test "127.0.0.1 is allowed onto a bridge no longer than something is published there" {
	printf 'services: { a: { image: box, ports: ["18250:80"] } }\n' >compose.yaml
	compose up -d
	at=/proc/sys/net/ipv4/conf/$(compose network inspect "${PROJECT}_default" | jq -r '.[0].Options."com.docker.network.bridge.name" // empty')/route_localnet
	[ -e "$at" ] || at=$(echo /proc/sys/net/ipv4/conf/cc-*/route_localnet)
	[ "$(cat "$at")" = 1 ]
	printf 'services: { a: { image: box } }\n' >compose.yaml
	compose up -d
	[ "$(cat "$at")" = 0 ]
}
