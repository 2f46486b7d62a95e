#!/usr/bin/env bats
# networks.bats - what the networks section asks for: ranges, reserved addresses, IPv6

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

address() { # service [4|6] [interface]
	compose exec -T "$1" ip -"${2:-4}" -o addr show "${3:-eth0}" scope global | sed -E 's/.*inet6? ([0-9a-f.:]+).*/\1/'
}

@test "ip_range: addresses come out of it; aux_addresses are given to nobody" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box }
		  b: { image: box, networks: { default: { ipv4_address: 10.123.0.9 } } }
		  c: { image: box }
		networks:
		  default:
		    ipam:
		      config:
		        - subnet: 10.123.0.0/24
		          ip_range: 10.123.0.128/29
		          gateway: 10.123.0.254
		          aux_addresses: { one: 10.123.0.128, two: 10.123.0.130 }
	Y
	compose up -d
	[ "$(printf '%s\n' "$(address a)" "$(address c)" | sort | xargs)" = "10.123.0.129 10.123.0.131" ]
	[ "$(address b)" = 10.123.0.9 ]
	compose exec -T a ip route | grep -q 'default via 10.123.0.254'
	sed -i 's/ipv4_address: 10.123.0.9/ipv4_address: 10.123.0.130/' compose.yaml
	run ! compose up -d
	[[ $output == *"10.123.0.130 is in use"* ]]
}

@test "enable_ipv6: a network of its own, usable at once, by name, through published ports" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, command: sh -c 'echo six >/www/index.html; exec httpd -f -p 80 -h /www', ports: ["18290:80"] }
		  b: { image: box, command: ping6 -c 1 -W 2 a, depends_on: [a] }
		networks: { default: { enable_ipv6: true } }
	Y
	run -0 compose up --no-log-prefix --exit-code-from b
	[[ $output == *"1 packets received"* ]]
	compose up -d
	[[ $(address a 6) == fd* ]]
	compose exec -T b true || compose up -d b
	run -0 compose run --rm -T b nslookup -type=aaaa a
	[[ $output == *"$(address a 6)"* ]]
	[ "$(compose run --rm -T b sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 3 $(address a 6) 80" | tail -1)" = six ]
	eventually 20 curl -s -m 3 -o /dev/null "http://[::1]:18290/"
	ip -6 addr add fd99::1/128 dev lo
	[ "$(curl -s -m 3 "http://[fd99::1]:18290/")" = six ]
	ip -6 addr del fd99::1/128 dev lo
}

@test "a VPN's routes are avoided, whatever table they are in, and its addresses" {
	printf 'services: { a: { image: box } }\n' >compose.yaml
	ip link add vpn0 type veth peer name vpn1
	ip link set vpn0 up
	ip addr add 192.168.3.1/24 dev vpn0
	ip route add 172.16.0.0/12 dev vpn0 table 51820
	compose up -d
	[[ $(compose network inspect "${PROJECT}_default" | jq -r '.[0].IPAM.Config[0].Subnet') == 192.168.16.0/20 ]]
	compose down
	ip route add 192.168.0.0/17 dev vpn0
	compose up -d
	[[ $(compose network inspect "${PROJECT}_default" | jq -r '.[0].IPAM.Config[0].Subnet') == 192.168.128.0/20 ]]
	ip link del vpn0
}

@test "an IPv6 subnet avoids the routes of the host; doctor names a route that begins to clash" {
	cat >compose.yaml <<-Y
		services: { a: { image: box } }
		networks: { default: { enable_ipv6: true } }
	Y
	subnet6() { compose network inspect "${PROJECT}_default" | jq -r '.[0].IPAM.Config[].Subnet | select(test(":"))'; }
	compose up -d
	first=$(subnet6)
	run compose doctor
	[[ $output != *"and the host a route to"* ]]
	ip -6 route add "$first" dev lo metric 5
	run compose doctor
	[[ $output == *"network ${PROJECT}_default has $first, and the host a route to $first"* ]]
	compose down
	compose up -d
	[[ $(subnet6) == fd*/64 ]]
	[ "$(subnet6)" != "$first" ]
	ip -6 route del "$first" dev lo
	compose down
	compose up -d
	[ "$(subnet6)" = "$first" ]
}

@test "ipv6_address: the one that is asked for; outside of the subnet or taken, it is refused" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, networks: { default: { ipv6_address: fd12:3456::42 } } }
		networks:
		  default: { enable_ipv6: true, ipam: { config: [{ subnet: "fd12:3456::/64", gateway: "fd12:3456::99" }] } }
	Y
	compose up -d
	[ "$(address a 6)" = fd12:3456::42 ]
	compose exec -T a ip -6 route | grep -q 'default via fd12:3456::99'
	sed -i 's/::42/::1:0:0:0:42/' compose.yaml
	run ! compose up -d
	[[ $output == *"fd12:3456::1:0:0:0:42 is not in the IPv6 subnet of network ${PROJECT}_default"* ]]
	sed -i 's/enable_ipv6: true, ipam.*/internal: true }/' compose.yaml
	compose down
	run ! compose up -d
	[[ $output == *"needs enable_ipv6: true"* ]]
}

@test "aux_addresses of IPv6 are given to nobody; what cannot be kept of ipam is refused by place" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box }
		  b: { image: box, networks: { default: { ipv6_address: "fd12:3456::4" } } }
		  c: { image: box, depends_on: [a, b] }
		networks:
		  default:
		    enable_ipv6: true
		    ipam:
		      config:
		        - subnet: 10.123.0.0/24
		        - subnet: "fd12:3456::/64"
		          gateway: "fd12:3456::2"
		          aux_addresses: { one: "fd12:3456::3" }
	Y
	compose up -d
	# ::1 is the IPv4 gateway's, ::2 the IPv6 gateway, ::3 reserved, ::4 b's
	[[ $(address a 6) != fd12:3456::[234] && $(address c 6) != fd12:3456::[234] ]]
	[ "$(address a 6)" != "$(address c 6)" ]
	[ "$(address b 6)" = fd12:3456::4 ]
	sed -i 's/ipv6_address: "fd12:3456::4"/ipv6_address: "fd12:3456::3"/' compose.yaml
	run ! compose up -d
	[[ $output == *"fd12:3456::3 is one of the aux_addresses of network ${PROJECT}_default"* ]]
	compose down
	sed -i 's/10.123.0.0.24/fd34::\/64/' compose.yaml
	run ! compose up -d
	[[ $output == *"compose.yaml:10:"*"config"*"one IPv4 and one IPv6 subnet"* ]]
	sed -i -e '/fd34/d' -e 's/aux_addresses: .*/ip_range: "fd12:3456::\/96"/' compose.yaml
	run ! compose up -d
	[[ $output == *"compose.yaml:12:"*"ip_range"*"only an IPv4 range"* ]]
}

@test "the IPv6 gateway is nobody else's, also where the IPv4 one is not the first address" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box }
		networks:
		  default:
		    enable_ipv6: true
		    ipam: { config: [{ subnet: 10.123.0.0/24, gateway: 10.123.0.254 }, { subnet: "fd12:3456::/64" }] }
	Y
	compose up -d
	[ "$(address a 6)" = fd12:3456::2 ]
	compose exec -T a ip -6 route | grep -q 'default via fd12:3456::1'
	compose down
	sed -i 's/image: box/&, networks: { default: { ipv6_address: "fd12:3456::1" } }/' compose.yaml
	run ! compose up -d
	[[ $output == *"fd12:3456::1 is the gateway of network ${PROJECT}_default"* ]]
}

@test "enable_ipv4: true is how it is, false is refused with its place" {
	printf 'services: { a: { image: box } }\nnetworks: { default: { enable_ipv4: true } }\n' >compose.yaml
	compose up -d
	sed -i 's/true/false/' compose.yaml
	run -15 compose up -d
	[[ $output == *"compose.yaml:2:37: networks.default.enable_ipv4: every network has IPv4"* ]]
}

@test "interface_name names the link inside, gw_priority chooses the default route" {
	cat >compose.yaml <<-'Y'
		services:
		  a:
		    image: box
		    init: true
		    networks: { one: { interface_name: eth1 }, two: { gw_priority: 5 }, three: { interface_name: lan0, gw_priority: 1 } }
		networks:
		  one: { ipam: { config: [{ subnet: 10.211.1.0/24 }] } }
		  two: { ipam: { config: [{ subnet: 10.211.2.0/24 }] } }
		  three: { ipam: { config: [{ subnet: 10.211.3.0/24 }] } }
	Y
	compose up -d
	[ "$(compose exec -T a ls /sys/class/net | sort | tr '\n' ' ')" = "eth0 eth1 lan0 lo " ]
	[ "$(compose exec -T a ip route | awk '$1 == "default" { print $3, $5 }')" = "10.211.2.1 eth0" ]
	compose exec -T a ip -o -4 addr show eth1 | grep -q 10.211.1.
	compose restart -t 0
	[ "$(compose exec -T a ip route | awk '$1 == "default" { print $3 }')" = 10.211.2.1 ]
	sed -i 's/lan0/eth1/' compose.yaml
	run compose up -d
	[[ $status != 0 && $output == *"two networks have the interface_name eth1"* ]]
	sed -i 's/eth1/too-long-for-a-link/' compose.yaml
	run compose up -d
	[[ $status != 0 && $output == *"compose.yaml:5:"*"not a name for an interface"* ]]
}

@test "link_local_ips: more addresses of an endpoint, which it may speak from; sysctls of the interface" {
	cat >compose.yaml <<-Y
		services:
		  a:
		    image: box
		    networks:
		      default:
		        link_local_ips: [169.254.7.7, "fe80::7:7"]
		        driver_opts:
		          com.docker.network.endpoint.ifname: lan0
		          com.docker.network.endpoint.sysctls: net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.IFNAME.forwarding=1
		  b: { image: box, networks: { default: { link_local_ips: [169.254.8.8] } } }
		networks: { default: { enable_ipv6: true } }
	Y
	compose up -d
	compose exec -T a ip -4 -o addr show lan0 | grep -q "169.254.7.7/16"
	compose exec -T a ip -6 -o addr show lan0 | grep -q "fe80::7:7/64"
	compose exec -T a cat /proc/sys/net/ipv4/conf/lan0/log_martians /proc/sys/net/ipv6/conf/lan0/forwarding | xargs | grep -qx "1 1"
	compose exec -T b ping -c 1 -W 2 -I 169.254.8.8 169.254.7.7
	sed -i 's/enable_ipv6: true/enable_ipv6: false/' compose.yaml
	compose down
	run ! compose up -d
	[[ $output == *"link_local_ips: fe80::7:7"*"enable_ipv6: true"* ]]
	sed -i 's/169.254.8.8/10.0.0.1/' compose.yaml
	run ! compose up -d
	[[ $output == *"compose.yaml:10:"*"not an address of 169.254.0.0/16 or fe80::/10"* ]]
	sed -i 's/10.0.0.1/169.254.8.8/; s/conf.IFNAME.log_martians/conf.all.forwarding/' compose.yaml
	run ! compose up -d
	[[ $output == *"compose.yaml:"*"driver_opts"*"net.ipv4.conf.IFNAME.log_martians=1"* ]]
}

@test "the external networks host and none are modes, and stand alone" {
	cat >compose.yaml <<-Y
		services:
		  a: { image: box, networks: [outside] }
		  b: { image: box, networks: [none] }
		networks: { outside: { external: true, name: host }, none: { external: true } }
	Y
	compose up -d
	compose exec -T a readlink /proc/self/ns/net | grep -qxF "$(readlink /proc/self/ns/net)"
	[ "$(compose exec -T b ip -o link | awk -F ': ' '$2 != "lo" && $2 !~ /^(ifb|tunl|sit|ip6)/' | wc -l)" = 0 ]
	[ -z "$(compose network ls -q)" ]
	compose config | grep -q 'name: host'
	sed -i 's/networks: \[outside\]/networks: [outside, default]/' compose.yaml
	run ! compose up -d
	[[ $output == *"compose.yaml:2:"*"host or none has no other"* ]]
}

@test "subnets come from the pools that the owner of the host chose" {
	export CTRCOMPOSE_NETWORKS=$PWD/networks.json
	echo '{"default-address-pools": [{"base": "10.212.8.0/23", "size": 24}]}' >networks.json
	printf 'services: { a: { image: box, init: true, networks: [x, y] } }\nnetworks: { x: {}, y: {} }\n' >compose.yaml
	compose up -d
	[ "$(compose exec -T a ip -o -4 addr | grep -o '10\.212\.[89]\.' | sort -u | tr '\n' ' ')" = "10.212.8. 10.212.9. " ]
	compose down -t 0
	printf 'services: { a: { image: box, init: true, networks: [x, y, z] } }\nnetworks: { x: {}, y: {}, z: {} }\n' >compose.yaml
	run compose up -d
	[[ $status != 0 && $output == *"no free subnet is left"* ]]
	compose down -t 0
	echo '{"default-address-pools": [{"base": "10.212.8.0", "size": 24}]}' >networks.json
	run compose up -d
	[[ $status != 0 && $output == *"networks.json: default-address-pools: base: '10.212.8.0' is not a subnet"* ]]
	unset CTRCOMPOSE_NETWORKS
}
