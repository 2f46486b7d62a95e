#!/usr/bin/env bash
# config_bench.sh CTRCOMPOSE - `config` as a whole process: of a file of 5,000 lines (aim: 50 ms) and of a
# typical one with ten services (aim: 3 ms). Medians.
set -euo pipefail
. "$(dirname "$0")/lib.bash"
ctrcompose=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A service as people write them: 20 lines.
service() { # number
	cat <<-YAML
		  app$1:
		    image: registry.example/team/app$1:\${TAG:-1.2.3}
		    command: ["serve", "--port", "80$1", "--name", "\${NAME:-app}"]
		    restart: unless-stopped
		    environment:
		      LOG_LEVEL: \${LOG_LEVEL:-info}
		      DATABASE_URL: postgres://app:\${PASSWORD:-secret}@store/app$1
		      WORKERS: 4
		    labels:
		      - "traefik.enable=true"
		      - "traefik.http.routers.app$1.rule=Host(\`app$1.example\`)"
		    volumes:
		      - data:/var/lib/app
		      - ./conf/app$1.yaml:/etc/app.yaml:ro
		    ports:
		      - "127.0.0.1:$((10000 + $1)):80"
		    healthcheck:
		      test: ["CMD", "wget", "-qO-", "http://localhost/health"]
		      interval: 10s
		    deploy: { resources: { limits: { memory: 256M, cpus: "0.5" } } }
	YAML
}

file() { # services
	echo 'services:'
	for i in $(seq "$1"); do service "$i"; done
	printf 'volumes:\n  data:\n'
}

file 250 >"$work/large.yaml"
file 10 >"$work/small.yaml"
printf 'config of %d lines: %s ms (aim: 50)\n' "$(wc -l <"$work/large.yaml")" "$(time_ms 15 "$ctrcompose" -f "$work/large.yaml" config)"
printf 'config of 10 services: %s ms (aim: 3)\n' "$(time_ms 40 "$ctrcompose" -f "$work/small.yaml" config)"
