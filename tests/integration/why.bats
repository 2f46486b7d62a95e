#!/usr/bin/env bats
# why.bats - a failed command says what its containers said last

load lib
setup_file() { world_open; }
teardown_file() { world_close; }
setup() { project_open; }
teardown() { project_close; }

@test "an unhealthy service: the last probe's output, on up --wait and on depends_on" {
	cat >compose.yaml <<-'Y'
		services:
		  db:
		    image: box
		    init: true
		    healthcheck: { test: "echo not ready: $$(hostname); printf 'second\\033[2J\\n'; exit 1", interval: 100ms, retries: 2 }
		    hostname: probed
		  web: { image: box, init: true, depends_on: { db: { condition: service_healthy } } }
	Y
	run -1 compose up -d
	[[ $output == *"dependency failed to start: container $PROJECT-db-1 is unhealthy"*"the last health probe of db-1 said:"*"not ready: probed"*"second?[2J"* ]]
	run -1 compose up -d --wait db
	[[ $output == *"the last health probe of db-1 said:"*"not ready: probed"* ]]
}

@test "a service that is not healthy in time: the last probe's output" {
	cat >compose.yaml <<-'Y'
		services: { a: { image: box, init: true, healthcheck: { test: "echo warming up; exit 1", interval: 100ms, retries: 1000 } } }
	Y
	run -1 compose up -d --wait --wait-timeout 1
	[[ $output == *"not healthy after 1s"*"the last health probe of a-1 said:"*"warming up"* ]]
}

@test "a container that ends during up: its code and its last ten lines" {
	cat >compose.yaml <<-'Y'
		services:
		  a: { image: box, command: [sh, -c, "for i in $$(seq 1 20); do echo line-$$i.; done; echo oops; exit 3"] }
		  b: { image: box, init: true, depends_on: { a: { condition: service_completed_successfully } } }
	Y
	run -1 compose up -d
	[[ $output == *"a-1 exited with code 3, its last lines:"*"line-12."*"line-20."*oops* ]]
	[[ $output != *line-11.* ]]
	sed -i 's/exit 3/exit 0/' compose.yaml
	run -0 compose up -d
	[[ $output != *"its last lines"* ]]
}
