#!/usr/bin/env bats
# system.bats - what is there: inspect, network ls; what goes with system prune

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

stack() {
	cat >compose.yaml <<-'Y'
		services:
		  web:
		    image: box
		    init: true
		    hostname: shown
		    command: [sleep, "1000"]
		    environment: { A: b, PATH: /bin:/sbin }
		    restart: on-failure:3
		    cap_drop: [NET_RAW]
		    mem_limit: 64m
		    read_only: true
		    ports: ["127.0.0.1:18099:80"]
		    volumes: ["data:/d", "/anon", "./:/p:ro"]
		    healthcheck: { test: "echo fine", interval: 10s }
		    labels: { my: label }
		volumes: { data: {} }
		networks: { default: { ipam: { config: [{ subnet: 10.213.7.0/24 }] } } }
	Y
}

py() { python3 -c "import json,sys; d=json.load(sys.stdin)[0]; print(($1))"; }

@test "inspect a container: Docker's fields with what the kernel and the file say" {
	stack
	compose up -d --wait
	compose inspect "$PROJECT-web-1" >c.json
	id=$(compose ps -q web)
	[ "$(py 'd["Id"], d["Name"]' <c.json)" = "('$id', '/$PROJECT-web-1')" ]
	[ "$(compose inspect "${id:0:12}")" = "$(cat c.json)" ]
	pid=$(py 'd["State"]["Pid"]' <c.json)
	[ "$(cat "/proc/$pid/root/p/compose.yaml" | wc -l)" = "$(wc -l <compose.yaml)" ]
	[ "$(py 'd["State"]["Status"], d["State"]["Running"], d["State"]["Health"]["Status"], d["State"]["Health"]["Log"][0]["Output"]' <c.json)" = "('running', True, 'healthy', 'fine\\n')" ]
	[ "$(py 'sorted(d["Config"]["Env"]), d["Config"]["Cmd"], d["Config"]["Hostname"], d["Config"]["Labels"]["my"], d["Config"]["Labels"]["com.docker.compose.service"]' <c.json)" = "(['A=b', 'PATH=/bin:/sbin'], ['sleep', '1000'], 'shown', 'label', 'web')" ]
	[ "$(py 'd["HostConfig"]["Memory"], d["HostConfig"]["RestartPolicy"], d["HostConfig"]["CapDrop"], d["HostConfig"]["ReadonlyRootfs"]' <c.json)" = "(67108864, {'Name': 'on-failure', 'MaximumRetryCount': 3}, ['NET_RAW'], True)" ]
	[ "$(py 'd["NetworkSettings"]["Ports"]' <c.json)" = "{'80/tcp': [{'HostIp': '127.0.0.1', 'HostPort': '18099'}]}" ]
	ip=$(compose exec -T web hostname -i)
	[ "$(py "d['NetworkSettings']['Networks']['${PROJECT}_default']['IPAddress'], d['NetworkSettings']['Networks']['${PROJECT}_default']['IPPrefixLen']" <c.json)" = "('$ip', 24)" ]
	[ "$(py '[(m["Type"], m["Destination"], m["RW"]) for m in sorted(d["Mounts"], key=lambda m: m["Destination"])]' <c.json)" = "[('volume', '/anon', True), ('volume', '/d', True), ('bind', '/p', False)]" ]
	compose kill
	eventually 20 sh -c '"$CTRCOMPOSE" inspect "'"$PROJECT"'-web-1" | grep -q "\"ExitCode\":.137"'
}

@test "inspect --format: paths, json, index, join, range, if" {
	stack
	compose up -d --wait
	c=$PROJECT-web-1
	[ "$(compose inspect -f '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}' $c)" = "running true 0" ]
	[ "$(compose inspect --format '{{json .State.Status}}\t{{json .Config.Cmd}}' $c)" = $'"running"\t["sleep","1000"]' ]
	[ "$(compose inspect -f '{{.Config.Cmd}} {{.Config.Entrypoint}} {{join .Config.Cmd "+"}}' $c)" = "[sleep 1000] [] sleep+1000" ]
	[ "$(compose inspect -f '{{index .Config.Labels "my"}}{{index .Config.Labels "no"}}' $c)" = label ]
	[ "$(compose inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' $c)" = "$(compose exec -T web hostname -i)" ]
	[ "$(compose inspect -f '{{range .Config.Env}}<{{.}}>{{end}}{{range .HostConfig.Dns}}x{{else}} none{{end}}' $c)" = "<A=b><PATH=/bin:/sbin> none" ]
	[ "$(compose inspect -f '{{if .State.Health}}{{.State.Health.Status}}{{else}}no check{{end}}{{if .State.Paused}} paused{{end}}' $c)" = healthy ]
	[ "$(compose inspect -f '{{.Name}}' $c "${PROJECT}_default" "${PROJECT}_data")" = "/$c
${PROJECT}_default
${PROJECT}_data" ]
	[ "$(compose network inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}} {{index .Labels "com.docker.compose.project"}}' "${PROJECT}_default")" = "10.213.7.0/24 $PROJECT" ]
	[ "$(compose volume inspect -f '{{.Driver}} {{index .Labels "com.docker.compose.project"}} {{index .Labels "com.docker.compose.volume"}}' "${PROJECT}_data")" = "local $PROJECT data" ]
	[ "$(compose image inspect -f '{{index .RepoTags}}{{.Os}}' box 2>&1 | head -1 | grep -c understood)" = 1 ]
	[ "$(compose image inspect -f '{{.Os}} {{.RepoTags}}' box)" = "linux [box:latest]" ]
	[ "$(compose inspect -f json $c | wc -l)" = 1 ]
	for bad in '{{.State.No}}' '{{.No}}' '{{range .Mounts}}' '{{end}}' '{{.State' '{{template "x"}}' '{{index .Config.Labels "my}}'; do
		run -1 compose inspect -f "$bad" $c
	done
}

@test "network ls and inspect, inspect of volumes and images, of what is not there" {
	stack
	compose up -d
	[[ "$(compose network ls)" == "NETWORK ID"*"${PROJECT}_default"*bridge*local*10.213.7.0/24* ]]
	id=$(compose -p "$PROJECT" network ls -q --no-trunc)
	[ ${#id} = 64 ]
	compose network inspect "${PROJECT}_default" >n.json
	[ "$(compose inspect "$id")" = "$(cat n.json)" ]
	[ "$(py 'd["IPAM"]["Config"][0]["Subnet"], [c["Name"] for c in d["Containers"].values()]' <n.json)" = "('10.213.7.0/24', ['$PROJECT-web-1'])" ]
	ip -o link show "$(py 'd["Options"]["com.docker.network.bridge.name"]' <n.json)"
	path=$(compose inspect --type volume "${PROJECT}_data" | py 'd["Mountpoint"]')
	[ -d "$path" ]
	[ "$(compose volume inspect "${PROJECT}_data" | py 'd["Name"]')" = "${PROJECT}_data" ]
	compose inspect box | py 'd["Config"]["Cmd"]' | grep -q 1000
	run -1 compose inspect nothing-of-this
	[[ $output == *"no container, network, volume or image nothing-of-this"* ]]
	run -1 compose inspect --type network box
	run -1 compose inspect --type pod box
	[ "$(compose -p other network ls -q)" = "" ]
}

@test "system prune --containers takes what stands still, nothing of what runs" {
	stack
	compose up -d
	mkdir ../still && cat >../still/compose.yaml <<-Y
		name: still-$PROJECT
		services: { a: { image: box, init: true, volumes: [/v] } }
	Y
	compose -f ../still/compose.yaml up -d
	compose -f ../still/compose.yaml stop -t 0
	before=$(compose ps -q)
	run -1 compose system prune </dev/null # nobody says yes
	[ -n "$(compose -f ../still/compose.yaml ps -aq)" ]
	run -0 --separate-stderr compose system prune -f
	[[ $output == *"Kept: 1 stopped container, which \`start\` can start again; --containers removes it"* ]]
	[ -n "$(compose -f ../still/compose.yaml ps -aq)" ]
	run -0 --separate-stderr compose system prune -f --containers --volumes
	[[ $output != *Kept* ]]
	[[ $output == *"still-$PROJECT-a-1"*"Deleted Volumes"*"Total reclaimed space"* ]]
	[[ $output != *"$PROJECT-web-1"* ]]
	[ "$(compose ls -a -q)" = "$PROJECT" ]
	[ "$(compose ps -q)" = "$before" ]
	compose exec -T web test -d /anon
	[ -n "$(compose volume ls -q)" ]
	[ -n "$(compose image ls -q)" ]
}
