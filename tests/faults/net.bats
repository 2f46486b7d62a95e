#!/usr/bin/env bats
# net.bats - what others do to a project's networks, and many at once

load ../integration/lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() {
	project_open
	ROUNDS=${FAULT_ROUNDS:-3}
}
teardown() { project_close; }

bridge() { ip -o link show type bridge | sed -E 's/^[0-9]+: ([^:@]+).*/\1/' | grep ^cc-; }
reaches() { [ "$(compose exec -T b sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 2 $(compose exec -T a ip -4 -o addr show eth0 | sed -E 's/.*inet ([0-9.]+).*/\1/') 80" | tail -1)" = here ]; }
published() { [ "$(curl -s -m 2 http://127.0.0.1:18400/)" = here ]; }
web() {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, command: sh -c 'echo here >/www/index.html; exec httpd -f -p 80 -h /www', ports: ["18400:80"] }
		  b: { image: box }
		networks: { default: { enable_ipv6: true } }
	Y
	compose up -d
	eventually 20 reaches
	eventually 20 published
}
log() { cat "$CTRCOMPOSE_STATE/projects/$PROJECT/supervisor.log"; }

@test "a bridge that is deleted is back at once with its containers, and the log says so" {
	web
	for _ in $(seq "$ROUNDS"); do
		it=$(bridge)
		was=$(ip -o link show "$it" | cut -d: -f1)
		ip link del "$it"
		renewed() { ip -o link show "$it" 2>/dev/null | grep -qv "^$was:"; }
		eventually 20 renewed
		eventually 20 reaches
		eventually 20 published
		ip -6 addr show dev "$it" | grep -q 'inet6 fd'
	done
	log | grep -q "bridge $it of network ${PROJECT}_default was deleted by another program, it is back"
}

@test "a bridge that is deleted while there is no supervisor is made by the next one" {
	web
	sup=$(family ctrcompose-sup)
	kill -STOP "$(family ctrcompose-keep)"
	kill -9 "$sup"
	ip link del "$(bridge)"
	kill -CONT "$(family ctrcompose-keep)"
	eventually 30 reaches
	eventually 30 published
	compose up -d
	reaches
}

@test "no addresses left: one sentence, and nothing is left behind" {
	printf 'services: { a: { image: box } }\n' >compose.yaml
	ip link add full0 type dummy 2>/dev/null || ip link add full0 type veth peer name full1
	ip link set full0 up
	for p in 172.16.0.0/12 192.168.0.0/16 10.0.0.0/8; do ip route add $p dev full0; done
	run ! compose up -d
	[ "${#lines[@]}" -le 3 ]
	[[ $output == *"network ${PROJECT}_default"* ]]
	[ -z "$(compose ps -a -q)" ]
	ip link del full0
	machine_same
	compose up -d
}

@test "a port that is taken between the look and the start: it is named, what runs goes on" {
	cat >compose.yaml <<-Y
		services:
		  slow: { image: box, healthcheck: { test: test -e /tmp/go, interval: 200ms, retries: 1000 } }
		  web: { image: box, ports: ["18401:80"], depends_on: { slow: { condition: service_healthy } } }
	Y
	compose up -d >out 2>&1 3>&- &
	up=$!
	started() { compose ps -q slow | grep -q .; }
	eventually 30 started
	socat TCP-LISTEN:18401 - </dev/null >/dev/null 2>&1 3>&- &
	holder=$!
	eventually 20 sh -c 'ss -ltn | grep -q :18401'
	compose exec -T slow touch /tmp/go
	if wait $up; then false; fi
	grep -q "port 18401/tcp is in use by socat (pid $holder)" out
	[ -n "$(compose ps -q slow)" ]
	kill $holder
	compose up -d
	[ "$(compose port web 80)" = 0.0.0.0:18401 ]
}

@test "projects with ports and two networks come and go at once: nothing is left of any" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, ports: ["80"], networks: [one, two] }
		  b: { image: box, networks: [two] }
		networks: { one: { enable_ipv6: true }, two: { internal: true } }
	Y
	for round in $(seq "$ROUNDS"); do
		pids=
		for i in $(seq $((round == 1 ? 20 : 4))); do
			(timeout 240 "$CTRCOMPOSE" -p "$PROJECT-$i" up -d && timeout 240 "$CTRCOMPOSE" -p "$PROJECT-$i" down -t 0) >"out.$i" 2>&1 3>&- &
			pids="$pids $!"
		done
		for i in $pids; do wait "$i" || { cat out.*; return 1; }; done
		machine_same
	done
}

@test "more than 500 networks (60 in a short run): each its own subnet, all gone in one go" {
	local n=60
	[ "$ROUNDS" -lt 100 ] || n=520
	{
		echo "services:"
		for i in $(seq 10); do
			echo "  s$i: { image: box, networks: [$(seq -s , -f n%g "$(((i - 1) * n / 10 + 1))" "$((i * n / 10))")] }"
		done
		echo "networks:"
		seq -f "  n%g:" "$n"
	} >compose.yaml
	compose up -d
	[ "$(ip -o link show type bridge | wc -l)" = "$n" ]
	[ "$(ip -o -4 addr show | awk '$2 ~ /^cc-/ { print $4 }' | sort -u | wc -l)" = "$n" ]
	[ "$(compose exec -T s10 ip -o -4 addr | wc -l)" = $((n / 10 + 1)) ]
	compose exec -T s10 nslookup s10 127.0.0.11 | grep -q "Name:.*s10"
}
