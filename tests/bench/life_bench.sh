#!/usr/bin/env bash
# life_bench.sh CTRCOMPOSE - what a person or a script does with a running stack: `exec`, `ps`, an `up` that
# changes nothing, the log pump, the time from a health verdict to the dependent's start. Medians.
set -euo pipefail
. "$(dirname "$0")/lib.bash"
ctrcompose=$(realpath "$1")
own_network "$0" "$ctrcompose"
work=$(mktemp -d /dev/shm/ctrcompose-life.XXXXXX)
chmod 755 "$work"
export CTRCOMPOSE_STATE=$work/state CTRCOMPOSE_RUN=$work/run
close() {
	local f
	for f in "$work"/*/compose.yaml; do "$ctrcompose" --progress quiet -f "$f" down -t 0 >/dev/null 2>&1; done
	rm -rf "$work"
}
trap close EXIT

root=$work/root
mkdir -p "$root"/{bin,etc,tmp} && chmod 755 "$root"
cp /bin/busybox "$root/bin/"
for a in sleep cat true sh touch; do ln -s busybox "$root/bin/$a"; done
"$ctrcompose" image import --change 'ENV PATH=/bin' --change 'CMD ["sleep","1000"]' --change 'STOPSIGNAL SIGKILL' "$root" bench >/dev/null

# ---- Commands on 50 services
mkdir "$work/n50"
{
	echo services:
	for i in $(seq 50); do echo "  s$i: { image: bench }"; done
} >"$work/n50/compose.yaml"
on50() { "$ctrcompose" --progress quiet -f "$work/n50/compose.yaml" "$@"; }
on50 up -d
printf 'exec: %s ms (aim: 8)\n' "$(time_ms 30 on50 exec -T s1 true)"
printf 'ps of 50 services: %s ms (aim: 10)\n' "$(time_ms 30 on50 ps)"
printf 'up of 50 services, nothing new: %s ms (aim: 20)\n' "$(time_ms 30 on50 up -d)"
on50 down

# ---- Log pump: 100-byte lines through a pipe into the rotated files
mkdir "$work/pump"
mb=${PUMP_MB:-1000}
yes "$(printf '%099d' 7)" | head -c "${mb}M" >"$work/lines" || true
cat >"$work/pump/compose.yaml" <<-Y
	services:
	  talks:
	    image: bench
	    command: ["sh", "-c", "while ! [ -e /go/now ]; do sleep 0.01; done; exec cat /lines"]
	    volumes: ["$work/lines:/lines:ro", "$work/go:/go"]
	    logging: { options: { max-size: 100m, max-file: 20 } }
	Y
mkdir -m 777 "$work/go"
pump() { "$ctrcompose" --progress quiet -f "$work/pump/compose.yaml" "$@"; }
pump up -d
t0=${EPOCHREALTIME/./}
touch "$work/go/now"
pump wait talks >/dev/null || true
us=$((${EPOCHREALTIME/./} - t0))
bytes=$(stat -c %s "$work/lines")
printf 'log pump: %d MB/s of 100-byte lines (aim: 400)\n' $((bytes / us))
pump logs --no-log-prefix talks 2>/dev/null | head -c "$bytes" | cmp - "$work/lines" || echo '  LINES WERE LOST'
printf 'logs of %d MB: %s ms, the last ten lines of it: %s ms\n' "$mb" "$(time_ms 1 pump logs --no-log-prefix talks)" \
	"$(time_ms 10 pump logs --tail 10 talks)"
pump down

# ---- From the verdict "healthy" to the dependent's program: both write the time
mkdir "$work/health"
cat >"$work/health/compose.yaml" <<-'Y'
	services:
	  base:
	    image: bench
	    healthcheck: { test: ["CMD", "true"], interval: 1s }
	  next:
	    image: bench
	    depends_on: { base: { condition: service_healthy } }
	Y
health() { "$ctrcompose" --progress quiet -f "$work/health/compose.yaml" "$@"; }
for _ in $(seq 9); do
	health up -d
	health events --since 10s --until 0s --json 2>/dev/null >"$work/events" || true
	python3 - "$work/events" <<-'P' >>"$work/gaps"
	import json, sys, datetime
	def ns(t):
	    head, frac = t.rstrip("Z").split(".")
	    return int(datetime.datetime.fromisoformat(head + "+00:00").timestamp()) * 10**9 + int(frac.ljust(9, "0")[:9])
	healthy = start = None
	for line in open(sys.argv[1]):
	    e = json.loads(line)
	    if e["service"] == "base" and "healthy" in e["action"]:
	        healthy = ns(e["time"])
	    if e["service"] == "next" and e["action"] == "start":
	        start = ns(e["time"])
	print((start - healthy) // 1000)
	P
	health down
done
printf 'healthy to the start of the dependent: %s ms (aim: 5)\n' "$(median <"$work/gaps" | awk '{ printf "%.1f", $1 / 1000 }')"
