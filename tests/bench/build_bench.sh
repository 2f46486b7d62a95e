#!/usr/bin/env bash
# build_bench.sh CTRCOMPOSE - `build` of a ten-step Dockerfile in which nothing has changed: the median
# in milliseconds. The aim is 30.
set -euo pipefail
ctrcompose=$1
work=$(mktemp -d /dev/shm/ctrcompose-build.XXXXXX)
export CTRCOMPOSE_STATE=$work/state CTRCOMPOSE_RUN=$work/run
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/p/src"
chmod 755 "$work/root"
cp /bin/busybox "$work/root/bin/"
for a in sh mkdir touch; do ln -s busybox "$work/root/bin/$a"; done
"$ctrcompose" image import "$work/root" base >/dev/null
cd "$work/p"
for i in $(seq 100); do echo "$i" >src/$i; done
{
	echo 'FROM base'
	for i in 1 2 3 4; do printf 'RUN touch /r%s\nCOPY src /c%s\n' $i $i; done
	printf 'WORKDIR /w\nCOPY src/1 /one\n'
} >Dockerfile
echo 'services: { a: { build: { context: ., network: none } } }' >compose.yaml
"$ctrcompose" build >/dev/null 2>&1
for _ in $(seq 15); do
	t0=$(date +%s%N)
	"$ctrcompose" --progress quiet build >/dev/null 2>&1
	echo $((($(date +%s%N) - t0) / 10000))
done | sort -n | awk '{ v[NR] = $1 } END { printf "build of ten steps, nothing new: %.1f ms (aim: 30)\n", v[8] / 100 }'
