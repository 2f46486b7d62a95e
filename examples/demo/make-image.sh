#!/usr/bin/env bash
# make-image.sh CTRCOMPOSE - the image demo/busybox from the host's static busybox and image/.
set -euo pipefail
ctrcompose=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
busybox=${BUSYBOX:-/bin/busybox}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/{bin,etc,proc,sys,dev,tmp,data,root} && chmod 1777 "$root/tmp" && chmod 755 "$root"
cp "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list); do
	[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
cp "$here"/image/serve "$here"/image/work "$root/bin/"
cp -r "$here/image/www" "$root/www"
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
"$ctrcompose" image import --change 'CMD ["sh"]' --change 'ENV PATH=/bin' "$root" demo/busybox
