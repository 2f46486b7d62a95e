#!/usr/bin/env bats
# spoof.bats - a service that has NET_RAW, as all have, and sends in the names of its neighbours

load lib
setup_file() {
	world_open
	export PROBE=${PROBE:-$(dirname "$CTRCOMPOSE")/tests/probe}
}
teardown_file() { world_close; }
setup() {
	project_open
	cp "$PROBE" probe
	cat >compose.yaml <<-Y
		x-probe: &probe { image: box, volumes: ["./probe:/probe:ro"] }
		services:
		  a: { <<: *probe, command: sh -c 'echo right >/www/index.html; exec httpd -f -p 80 -h /www' }
		  b: *probe
		  evil: { <<: *probe, command: sh -c 'echo wrong >/www/index.html; exec httpd -f -p 80 -h /www' }
		networks: { default: { enable_ipv6: true } }
	Y
	compose up -d
	eventually 20 fetch
	for s in a b evil; do
		eval "mac_$s=$(compose exec -T $s cat /sys/class/net/eth0/address | tr -d :)"
		eval "ip_$s=$(hex "$(address $s)")"
	done
	ip_gw=$(hex "$(compose exec -T b ip route | awk '/default/ { print $3 }')")
}
teardown() { project_close; }

address() { compose exec -T "$1" ip -4 -o addr show eth0 | sed -E 's/.*inet ([0-9.]+).*/\1/'; }
hex() { printf '%02x%02x%02x%02x' ${1//./ }; }
fetch() { [ "$(compose exec -T b sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 2 $(address a) 80" | tail -1)" = right ]; }
send() { compose exec -T evil /probe frame "${@// /}"; }
neighbours() { compose exec -T b ip neigh | sed -E 's/ (ref|used|probes|REACHABLE|STALE|DELAY|PROBE).*//' | sort; }
sum() { # of an IPv4 header without one
	local s=0 i
	for ((i = 0; i < ${#1}; i += 4)); do s=$((s + 0x${1:i:4})); done
	s=$(((s & 0xffff) + (s >> 16)))
	printf '%04x' $((~((s & 0xffff) + (s >> 16)) & 0xffff))
}
ip4() { # SOURCE TARGET PROTOCOL DATA: the packet, in hex
	local len
	len=$(printf '%04x' $((20 + ${#4} / 2)))
	echo "4500${len}0000000040$3$(sum "4500${len}0000000040${3}$1$2")$1$2$4"
}
udp() { # TEXT
	local data
	data=$(printf %s "$1" | od -An -tx1 | tr -d ' \n')
	printf '270f270f%04x0000%s' $((8 + ${#data} / 2)) "$data"
}

@test "ARP: nobody becomes the neighbour or the gateway of another" {
	compose exec -T b ping -c 1 "$(address a)"
	neighbours >before
	grep -q "$(address a) .* $(echo "$mac_a" | sed 's/../&:/g; s/:$//')" before
	for ip in $ip_a $ip_gw; do
		send "$mac_b $mac_evil 0806 0001 0800 06 04 0002 $mac_evil $ip $mac_b $ip_b" \
			"ffffffffffff $mac_evil 0806 0001 0800 06 04 0001 $mac_evil $ip 000000000000 $ip" \
			"ffffffffffff $mac_evil 0806 0001 0800 06 04 0001 $mac_evil $ip 000000000000 $ip_b"
	done
	neighbours | diff before -
	fetch
}

@test "MAC: the bridge goes on to find a neighbour where it is" {
	port() { bridge fdb show | grep -v permanent | awk -v m="$(echo "$mac_a" | sed 's/../&:/g; s/:$//')" '$1 == m { print $3 }'; }
	compose exec -T b ping -c 1 "$(address a)"
	before=$(port)
	[ -n "$before" ]
	send "ffffffffffff $mac_a 0800 $(ip4 $ip_evil $ip_b 11 "$(udp x)")" "ffffffffffff $mac_a 0806 0001 0800 06 04 0001 $mac_a $ip_a 000000000000 $ip_b"
	[ "$(port)" = "$before" ]
	fetch
}

@test "addresses: what is sent as another is not received, what is sent as itself is" {
	compose exec -T b /probe hear 9999 1 >heard 3>&- &
	eventually 20 grep -q listening heard
	send "$mac_b $mac_evil 0800 $(ip4 $ip_a $ip_b 11 "$(udp forged)")" "$mac_b $mac_evil 0800 $(ip4 $ip_gw $ip_b 11 "$(udp forged)")" \
		"$mac_b $mac_evil 0800 $(ip4 $ip_evil $ip_b 11 "$(udp honest)")"
	wait $!
	[ "$(sed -n '2,$p' heard)" = "$(address evil) honest" ]
}

@test "redirects and router advertisements change no route of a neighbour" {
	routes() { compose exec -T b sh -c 'ip route; ip -6 route; ip route get 203.0.113.9; ip -6 addr show eth0' | sed -E 's/expires.*|[0-9]+sec//'; }
	routes >before
	inner=$(ip4 $ip_b cb007109 01 0800f7ff00000000)
	for from in $ip_evil $ip_gw; do
		send "$mac_b $mac_evil 0800 $(ip4 $from $ip_b 01 "0501$(sum "0501${ip_evil}$inner")${ip_evil}$inner")"
	done
	m=$mac_evil
	ll=fe80000000000000$(printf '%02x' $((0x${m:0:2} ^ 2)))${m:2:4}fffe${m:6}
	ra="86000000 40000708 00000000 00000000 030440c0 ffffffff ffffffff 00000000 fd66000000000000 0000000000000000"
	all=ff020000000000000000000000000001
	ra=${ra// /}
	ra="8600$(sum "$ll$all$(printf '%08x' $((${#ra} / 2)))0000003a$ra")${ra:8}"
	send "333300000001 $mac_evil 86dd 60000000 $(printf '%04x' $((${#ra} / 2))) 3aff $ll $all $ra"
	sleep 0.3
	routes | diff before -
	fetch
}
