#!/usr/bin/env bash
# build-examples.sh CTRCOMPOSE - build the examples whose Dockerfiles install Debian packages, all on one
# base image, into $CTRCOMPOSE_STATE. Needs the package mirror; what was built before is not built again.
set -euo pipefail
ctrcompose=$(realpath "$1")
cd "$(dirname "$0")/../../examples"
debian/make-image.sh "$ctrcompose"
for example in guestbook notes replicas poll board; do
	DB_PASSWORD=none "$ctrcompose" -f $example/compose.yaml build
done
