#!/usr/bin/env bats
# shared.bats - networks of more than one project: external ones, those that are nobody's

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() {
	local d
	for d in one two three; do
		[ ! -d "$d" ] || (cd "$d" && "$CTRCOMPOSE" down -v -t 0 >/dev/null 2>&1)
	done
	"$CTRCOMPOSE" network prune -f >/dev/null
	machine_same
}

# project NAME SERVICE [more of the service]: one service on the external network "common"
project() {
	mkdir -p "$1"
	cat >"$1/compose.yaml" <<-Y
		services:
		  $2: { image: box, command: sh -c 'echo from $1 >/www/index.html; exec httpd -f -p 80 -h /www', networks: [common], ${3:-} }
		networks: { common: { external: true } }
	Y
}

at() { (cd "$1" && shift && compose "$@"); } # PROJECT COMMAND...

get() { # PROJECT SERVICE HOST
	at "$1" exec -T "$2" timeout 3 wget -q -O - "http://$3/"
}

links() { ip -o link show type bridge | wc -l; }

@test "network create: projects meet there by name; the bridge goes with the last one, rm takes the rest" {
	run -0 compose network create --subnet 10.77.0.0/24 --gateway 10.77.0.9 --label who=us common
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	[ "$(compose network inspect common | jq -r '.[0] | .IPAM.Config[0].Gateway, .Labels.who, .Id' | xargs)" = "10.77.0.9 us $output" ]
	run ! compose network create common
	[[ $output == *"network common is there already"* ]]
	[ "$(links)" = 0 ]
	project one web
	project two db
	at one up -d
	at two up -d
	[ "$(get one web db)" = "from two" ]
	[ "$(get two db web)" = "from one" ]
	[ "$(get two db one-web-1.common)" = "from one" ]
	at one exec -T web ip route | grep -q 'default via 10.77.0.9'
	[ "$(at two exec -T db ip -4 -o addr show eth0 | grep -o '10\.77\.0\.[0-9]*/')" != "$(at one exec -T web ip -4 -o addr show eth0 | grep -o '10\.77\.0\.[0-9]*/')" ]
	[ "$(compose network inspect common | jq '.[0].Containers | length')" = 2 ]
	run ! compose network rm common
	[[ $output == *"network common is in use by projects one, two"* ]]
	at one down -t 0
	[ "$(links)" = 1 ]
	run ! get two db web
	at two down -t 0
	[ "$(links)" = 0 ]
	[ "$(compose network ls --format '{{.Name}}')" = common ]
	compose network rm common
	[ "$(compose network ls --format '{{.Name}}')" = "" ]
	run ! compose network rm common
	[[ $output == *"there is no network common"* ]]
	compose network rm -f common
}

@test "external_links: a container of another project by a name of one's own" {
	compose network create common
	project one web
	project two db "external_links: [one-web-1:site, one-web-1]"
	at one up -d
	at two up -d
	[ "$(get two db site)" = "from one" ]
	[ "$(get two db one-web-1)" = "from one" ]
	run ! get one web site
}

@test "an external network that is nowhere: named before anything is made" {
	project one web
	echo '  other: {}' >>one/compose.yaml
	sed -i 's/^networks:.*/networks:\n  common: { external: true }/' one/compose.yaml
	run ! at one up -d
	[[ $output == *"network common declared as external, but could not be found"*"ctrcompose network create common"* ]]
	machine_same
}

@test "the network of another project: joined while it runs, kept when it goes, taken back when it comes" {
	mkdir one
	cat >one/compose.yaml <<-Y
		services:
		  web: { image: box, command: sh -c 'echo from one >/www/index.html; exec httpd -f -p 80 -h /www' }
	Y
	at one up -d
	project two db
	sed -i 's/external: true/external: true, name: one_default/' two/compose.yaml
	at two up -d
	[ "$(get two db web)" = "from one" ]
	eventually 20 get one web db
	run ! compose network rm one_default
	[[ $output == *"belongs to project one"* ]]
	# Its name is not free for a third one.
	mkdir three
	printf 'services: { a: { image: box } }\nnetworks: { default: { name: one_default } }\n' >three/compose.yaml
	run ! at three up -d
	[[ $output == *"network one_default is there already and "*"project one"* ]]
	run -0 at one down -t 0
	[[ $output == *"Network one_default"*"Resource is still in use"* ]]
	[ "$(links)" = 1 ]
	run ! get two db web
	at two exec -T db true
	at one up -d
	eventually 20 get two db web
	[ "$(get one web db)" = "from two" ]
	[ "$(links)" = 1 ]
	at two down -t 0
	[ "$(links)" = 1 ]
	[ ! -e "$CTRCOMPOSE_STATE/networks/one_default.json" ]
	at one down -t 0
	[ "$(links)" = 0 ]
}

@test "the last project takes along a network that its owner left" {
	mkdir one
	printf 'services: { a: { image: box } }\n' >one/compose.yaml
	at one up -d
	project two db
	sed -i 's/external: true/external: true, name: one_default/' two/compose.yaml
	at two up -d
	at one down -t 0
	at two down -t 0
	[ "$(links)" = 0 ]
	[ -z "$(ls "$CTRCOMPOSE_STATE/networks" | grep json)" ]
}

@test "addresses: many projects at once get different ones; one that another has is refused" {
	compose network create --subnet 10.78.0.0/24 common
	local i
	for i in 1 2 3 4 5 6; do
		mkdir p$i
		cat >p$i/compose.yaml <<-Y
			services: { a: { image: box, networks: [common], scale: 3 } }
			networks: { common: { external: true } }
		Y
	done
	for i in 1 2 3 4 5 6; do at p$i up -d & done
	wait
	[ "$(compose network inspect common | jq '[.[0].Containers[].IPv4Address] | unique | length')" = 18 ]
	[ "$(at p1 exec -T a nslookup a | grep -c 'Address: 10.78')" = 18 ]
	project one web
	sed -i "s/networks: \[common\]/networks: { common: { ipv4_address: $(at p1 exec -T a hostname -i) } }/" one/compose.yaml
	run ! at one up -d
	[[ $output == *"is in use"* ]]
	for i in 1 2 3 4 5 6; do at p$i down -t 0; done
}

@test "killed supervisors: names and the network are there again" {
	compose network create common
	project one web
	project two db
	at one up -d
	at two up -d
	PROJECT=one
	kill -9 "$(family ctrcompose-sup)"
	eventually 30 get one web db
	[ "$(get two db web)" = "from one" ]
	at one restart -t 0 web
	eventually 30 get two db web
}

@test "isolation: an internal one has no way out, another network of the same project is not reached" {
	compose network create --internal common
	project one web
	sed -i 's/\[common\]/[common, default]/; s/^networks: { /networks: { default: {}, /' one/compose.yaml
	project two db
	at one up -d
	at two up -d
	eventually 20 get two db web
	[ "$(get two db web)" = "from one" ]
	run ! at two exec -T db ip route get 1.1.1.1
	[ "$(get two db "$(at one exec -T web ip -4 -o addr show eth0 | grep -o '10\.[0-9.]*\|172\.[0-9.]*\|192\.[0-9.]*' | head -1)")" = "from one" ]
	run ! get two db "$(at one exec -T web ip -4 -o addr show eth1 | grep -o '10\.[0-9.]*\|172\.[0-9.]*\|192\.[0-9.]*' | head -1)"
}

@test "published ports of two projects on one network; 127.0.0.1 stays the host's" {
	compose network create common
	project one web 'ports: ["127.0.0.1:18271:80"]'
	project two db 'ports: ["18272:80"]'
	at one up -d
	at two up -d
	eventually 20 curl -s -m 3 -o /dev/null http://127.0.0.1:18271/
	eventually 20 curl -s -m 3 -o /dev/null http://127.0.0.1:18272/
	[ "$(curl -s -m 3 http://127.0.0.1:18271/)" = "from one" ]
	[ "$(curl -s -m 3 http://127.0.0.1:18272/)" = "from two" ]
	at one down -t 0
	iptables-save -t raw | grep -q -- '-d 127.0.0.0/8 -i .* -j DROP'
	[ "$(curl -s -m 3 http://127.0.0.1:18272/)" = "from two" ]
}

@test "a file that turns to another network: the container is made again there" {
	compose network create common
	mkdir one
	printf 'services: { a: { image: box } }\n' >one/compose.yaml
	at one up -d
	printf 'networks: { default: { external: true, name: common } }\n' >>one/compose.yaml
	run -0 at one up -d
	[[ $output == *Recreate* ]]
	[ "$(compose network inspect common | jq -r '.[0].Containers[].Name')" = one-a-1 ]
	at one down -t 0
	[ "$(links)" = 0 ]
}

@test "network create: what can't be is refused and nothing written" {
	run ! compose network create --subnet 10.79.0.0/24 --gateway 10.80.0.1 common
	[[ $output == *"gateway 10.80.0.1 is not an address of its subnet"* ]]
	run ! compose network create --subnet 10.79.0.0/24 --subnet 10.80.0.0/24 common
	run ! compose network create --subnet 10.79.0.0/24 --ip-range 10.0.0.0/8 common
	[[ $output == *"ip_range 10.0.0.0/8 is not a part of its subnet"* ]]
	run ! compose network create --driver overlay common
	run ! compose network create ../x
	run ! compose network create --opt a=b common
	[ "$(compose network ls -q)" = "" ]
}
