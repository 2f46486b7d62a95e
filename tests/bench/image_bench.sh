#!/usr/bin/env bash
# image_bench.sh CTRCOMPOSE - a layer of 300 MB, files of this machine's /usr, beside `tar -x` of the
# same bytes into the same file system, both until they are on the disk, with the digest of the layer
# checked: as a layer of a folder that cache_from names, whose bytes are not kept as well, and by `image
# load`, which keeps them. And the load of an image whose layers are there.
set -euo pipefail
. "$(dirname "$0")/lib.bash"
ctrcompose=$1
work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/ctrcompose-image.XXXXXX")
export CTRCOMPOSE_STATE=$work/state CTRCOMPOSE_RUN=$work/run
trap 'rm -rf "$work"' EXIT
cd "$work"

# In the order of find, until there is enough.
{ find /usr/bin /usr/lib /usr/share -xdev -type f -size -2000k -printf '%s %p\n' || true; } 2>/dev/null |
	awk '{ sum += $1 + 1024; if (sum < 300e6) print substr($0, length($1) + 2) }' >names
tar -cf layer.tar --format=pax --pax-option=delete=atime,delete=ctime -P --transform 's,^/,,' -T names
diff=$(sha256sum layer.tar | cut -d' ' -f1)
printf '{"architecture":"%s","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$(dpkg --print-architecture)" "$diff" >config.json
zstd -q -1 -T0 layer.tar -o layer.tar.zst
for layer in layer.tar layer.tar.zst; do
	echo "[{\"Config\":\"config.json\",\"RepoTags\":[\"big:1\"],\"Layers\":[\"$layer\"]}]" >manifest.json
	tar -cf "image-$layer" manifest.json config.json $layer
done

# An OCI layout as cache_to writes it, with this one layer.
blobs=$work/c/blobs/sha256
mkdir -p "$blobs" p
cp layer.tar "$blobs/$diff"
put() { # TEXT: a blob; its digest
	local hex
	hex=$(printf %s "$1" | sha256sum | cut -d' ' -f1)
	printf %s "$1" >"$blobs/$hex"
	echo "sha256:$hex"
}
records=$(put "{\"records\":[{\"key\":\"$diff\",\"layer\":\"sha256:$diff\",\"size\":1,\"created\":\"2026-01-01T00:00:00Z\"}]}")
manifest=$(put "{\"config\":{\"digest\":\"$records\"},\"layers\":[{\"digest\":\"sha256:$diff\"}]}")
echo "{\"manifests\":[{\"digest\":\"$manifest\"}]}" >c/index.json
echo "services: { a: { build: { context: ., dockerfile_inline: \"FROM scratch\", cache_from: [\"type=local,src=$work/c\"] } } }" >p/compose.yaml

plain() { tar -x --numeric-owner -pf layer.tar -C "$1" && sync -f "$1"; }
packed() { zstd -dc layer.tar.zst | tar -x --numeric-owner -p -C "$1" && sync -f "$1"; }
unpack() {
	CTRCOMPOSE_STATE=$1 "$ctrcompose" --progress quiet -f p/compose.yaml build
	[ -d "$1/layers/$diff" ]
}
load() { CTRCOMPOSE_STATE=$1 "$ctrcompose" image load -i image-layer.tar; }
load_zstd() { CTRCOMPOSE_STATE=$1 "$ctrcompose" image load -i image-layer.tar.zst; }

# In turn, so that all see the same machine; nothing is removed in between: ext4 remembers what was
# removed for seconds, and searches for it with each new file.
cat layer.tar* image-* >/dev/null
for i in 1 2 3 4 5; do
	for what in plain packed unpack load load_zstd; do
		mkdir -m 755 "$what.$i"
		sync -f .
		t0=${EPOCHREALTIME/./}
		$what "$work/$what.$i" >/dev/null
		echo $((${EPOCHREALTIME/./} - t0)) >>"$what"
	done
done
printf '%d MB in %d files:\n' $(($(stat -c %s layer.tar) / 1000000)) "$(wc -l <names)"
for row in unpack:plain load:plain load_zstd:packed; do
	awk -v name="${row%:*}" -v a="$(median <"${row%:*}")" -v b="$(median <"${row#*:}")" 'BEGIN {
		printf "  %-10s %6.0f ms, tar -x %6.0f ms, ratio %.2f%s\n", name, a / 1000, b / 1000, a / b, name == "unpack" ? " (aim: 1.0)" : "" }'
done
export CTRCOMPOSE_STATE=$work/load.5
printf 'load of an image that is there: %s ms (aim: 20)\n' "$(time_ms 11 "$ctrcompose" image load -i image-layer.tar)"
