#!/usr/bin/env bats
# lan.bats - macvlan and ipvlan: services that stand on a network of the host's own, beside other machines.
#
# lan0 is a link of the host; at its other end is a machine of its own, the "neighbour".

load lib
setup_file() {
	world_open
	unshare --net sh -c 'ip link set lo up; echo $$ >"$1"; exec sleep 1000' sh "$BATS_FILE_TMPDIR/neighbour" 3>&- &
	while [ ! -s "$BATS_FILE_TMPDIR/neighbour" ]; do sleep 0.01; done
	ip link add lan0 type veth peer name lan0 netns "$(cat "$BATS_FILE_TMPDIR/neighbour")"
	ip link set lan0 up
	ip addr add 203.0.113.1/24 dev lan0
	neighbour sh -c 'ip addr add 203.0.113.9/24 dev lan0; ip link set lan0 up; ip addr add fd77::9/64 dev lan0 nodad'
	neighbour sh -c 'ip addr add 192.0.2.1/32 dev lo; ip route add 198.51.100.0/24 dev lan0'
}
teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/neighbour")"
	ip link del lan0
	world_close
}
setup() { project_open; }
teardown() { project_close; }

neighbour() { nsenter --net --target "$(cat "$BATS_FILE_TMPDIR/neighbour")" "$@"; }

# lan DRIVER [more driver_opts]: two services on the link, b on a bridge as well
lan() {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, networks: { lan: { ipv4_address: 203.0.113.50 } } }
		  b: { image: box, networks: { lan: { ipv4_address: 203.0.113.51 }, default: } }
		networks:
		  lan:
		    driver: $1
		    driver_opts: { parent: lan0${2:+, $2} }
		    ipam: { config: [{ subnet: 203.0.113.0/24, gateway: 203.0.113.9, ip_range: 203.0.113.48/28, aux_addresses: { host: 203.0.113.1 } }] }
	Y
}

has() { # DRIVER: whether this kernel has it
	unshare --net sh -c "ip link add p0 type veth peer name p1; ip link add link p0 name c0 type $1" 2>/dev/null ||
		skip "this kernel has no $1"
}

both_ways() {
	neighbour busybox ping -c 1 -W 2 203.0.113.50
	compose exec -T a ping -c 1 -W 2 203.0.113.9
	compose exec -T a ping -c 1 -W 2 203.0.113.51
}

@test "macvlan: an address of the LAN with a MAC of its own, reached by the neighbour, by name from the others" {
	has macvlan
	lan macvlan
	compose up -d
	both_ways
	compose exec -T a ip route | grep -q '^default via 203.0.113.9'
	compose exec -T a ping -c 1 -W 2 192.0.2.1 # by its gateway
	compose exec -T a nslookup b 127.0.0.11 | grep -q 203.0.113.51
	compose exec -T b ping -c 1 -W 2 a
	[ "$(neighbour cat /proc/net/arp | awk '$1 == "203.0.113.50" { print $4 }')" = "$(compose inspect "$PROJECT-a-1" | jq -r '.[0].NetworkSettings.Networks[].MacAddress')" ]
	run ! busybox ping -c 1 -W 1 203.0.113.50 # the host is no neighbour of its link's children
	[ "$(compose network inspect "${PROJECT}_lan" | jq -r '.[0].Driver')" = macvlan ]
	[ "$(ip -o link show type bridge | wc -l)" = 1 ]
	# The same MAC again, at once.
	compose restart -t 0 a
	both_ways
	old=$(family ctrcompose-sup)
	kill -9 "$old"
	compose up -d --force-recreate -t 0
	both_ways
	compose down -t 0
	ip link show lan0 | grep -q UP
}

@test "macvlan: modes; private ones do not see each other" {
	has macvlan
	lan macvlan "macvlan_mode: private"
	compose up -d
	neighbour busybox ping -c 1 -W 2 203.0.113.50
	run ! compose exec -T a ping -c 1 -W 1 203.0.113.51
}

@test "macvlan: IPv6" {
	has macvlan
	lan macvlan
	sed -i "s/config: \[/config: [{ subnet: fd77::\/64, gateway: fd77::9 }, /; s/driver: macvlan/driver: macvlan\n    enable_ipv6: true/" compose.yaml
	compose up -d
	six=$(compose inspect "$PROJECT-a-1" | jq -r '.[0].NetworkSettings.Networks[].GlobalIPv6Address')
	neighbour busybox ping -c 1 -W 2 "$six"
	compose exec -T a ip -6 route | grep -q '^default via fd77::9'
}

@test "macvlan: a VLAN that is made for it and goes with it" {
	has macvlan
	has "vlan id 5"
	lan macvlan
	sed -i "s/lan0/lan0.50/" compose.yaml
	neighbour ip link add link lan0 name lan0.50 type vlan id 50
	neighbour sh -c 'ip addr del 203.0.113.9/24 dev lan0; ip addr add 203.0.113.9/24 dev lan0.50; ip link set lan0.50 up'
	compose up -d
	[ "$(ip -d -j link show lan0.50 | jq -r '.[0].linkinfo.info_data.id')" = 50 ]
	both_ways
	compose down -t 0
	run ! ip link show lan0.50
	neighbour ip link del lan0.50
	neighbour ip addr add 203.0.113.9/24 dev lan0
}

@test "macvlan without a parent: a network of its own that leads nowhere" {
	has macvlan
	lan macvlan
	sed -i '/driver_opts/d' compose.yaml
	compose up -d
	compose exec -T a ping -c 1 -W 2 203.0.113.51
	run ! neighbour busybox ping -c 1 -W 1 203.0.113.50
	run ! compose exec -T a ping -c 1 -W 1 203.0.113.9
	compose exec -T a ip route | grep -vq default
}

@test "ipvlan: l2 shares the link's MAC, l3 needs no neighbour's" {
	has ipvlan
	lan ipvlan
	compose up -d
	both_ways
	[ "$(neighbour cat /proc/net/arp | awk '$1 == "203.0.113.50" { print $4 }')" = "$(cat /sys/class/net/lan0/address)" ]
	compose restart -t 0 a
	both_ways
	compose down -t 0
	lan ipvlan "ipvlan_mode: l3"
	sed -i 's/203\.0\.113/198.51.100/g' compose.yaml
	compose up -d
	compose exec -T a ip route | grep -q '^default dev eth0'
	compose exec -T a ping -c 1 -W 2 198.51.100.51
}

@test "what can't be is refused by name; ports of a service on the LAN are told to be its own" {
	has macvlan
	lan macvlan
	sed -i 's/parent: lan0/parent: lan7/' compose.yaml
	run ! compose up -d
	[[ $output == *"network '${PROJECT}_lan': its parent, link lan7, is not there"* ]]
	lan macvlan "macvlan_mode: loud"
	run ! compose up -d
	[[ $output == *"network ${PROJECT}_lan: there is no mode 'loud' of driver macvlan"* ]]
	lan macvlan "ipvlan_mode: l2"
	run ! compose up -d
	[[ $output == *"driver macvlan has no option ipvlan_mode"* ]]
	lan overlay
	run ! compose up -d
	[[ $output == *"compose.yaml:"*"the drivers are bridge, macvlan and ipvlan"* ]]
	lan macvlan
	sed -i 's/{ image: box, networks: { lan: { ipv4_address: 203.0.113.50/{ image: box, ports: ["18777:80"], networks: { lan: { ipv4_address: 203.0.113.50/' compose.yaml
	run -0 compose up -d
	[[ $output == *"a-1"*"ports"*"203.0.113.50"* ]]
	run ! curl -s -m 1 http://127.0.0.1:18777/
}
