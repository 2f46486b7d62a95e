#!/usr/bin/env bash
# build_bench.sh CTRCOMPOSE - `build` of a ten-step Dockerfile in which nothing has changed: the median
# in milliseconds. The aim is 30.
set -euo pipefail
. "$(dirname "$0")/lib.bash"
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
printf 'build of ten steps, nothing new: %s ms (aim: 30)\n' "$(time_ms 15 "$ctrcompose" --progress quiet build)"
